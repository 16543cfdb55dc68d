#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace mooring::kernel {

/// The error of a failed file call, with the reason that kernel/files.h names for its errno.
Error file_error(std::string_view what, const std::string& path, int errno_value);
/// The error of a failed mount call: "MountFailed", or what the errno says better.
Error mount_error(std::string_view what, const std::string& path, int errno_value);
/// The error of a failed umount2(2): "UnmountFailed", "Busy" or "NotMounted".
Error unmount_error(const std::string& path, int errno_value);

}  // namespace mooring::kernel
