#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace mooring::kernel::fake {

// The same errors as of the real kernel's ports, from the same errno values.

Error file_error(std::string_view what, const std::string& path, int errno_value);
Error mount_error(std::string_view what, const std::string& path, int errno_value);
Error unmount_error(const std::string& path, int errno_value);
Error mounted_below(const std::string& path, int errno_value);
/// `is_confined`: the look-up was kept to one mount, and EXDEV says that it would have left it.
Error host_error(std::string_view what, const std::string& path, int errno_value, bool is_confined);

}  // namespace mooring::kernel::fake
