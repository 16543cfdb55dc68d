#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace mooring::kernel {

// What a port's call that failed with an errno says, the same of the real kernel and of the fake one.

/// Of a file call, with the reason that kernel/files.h names for its errno.
Error file_error(std::string_view what, const std::string& path, int errno_value);
/// Of a mount call: "MountFailed", or what the errno says better.
Error mount_error(std::string_view what, const std::string& path, int errno_value);
/// Of umount2(2): "UnmountFailed", "Busy" or "NotMounted".
Error unmount_error(const std::string& path, int errno_value);
/// Of a removal that met a mount.
Error mounted_below(const std::string& path, int errno_value);
/// Of a look-up outside the root directory. `is_confined`: it was kept to one mount, and EXDEV says that it
/// would have left it.
Error host_error(std::string_view what, const std::string& path, int errno_value, bool is_confined);

/// Of the look-up of `path` inside a volume; `is_confined`: it was kept to one mount.
Error sub_path_error(const std::string& path, int errno_value, bool is_confined);

/// Of a walk through a volume that is longer than its caller has time for.
Error needs_own_worker(const std::string& path, std::uint64_t entries_max);

}  // namespace mooring::kernel
