#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/result.h"
#include "kernel/mounts.h"

namespace mooring::kernel {

// What the real kernel and the fake one say alike of mounting by a source (Mounts::mount_file_system).

/// Refuses options that make something else of it than a new mount of its source ("bind", "remount", "loop"):
/// Final, "InvalidMountOptions".
Result<void> check_mount_options(const FileSystemMount& request);

/// The options with which mount(8) gives it to the kernel or to a helper: what only fstab's readers care for
/// ("x-...", "nofail", "_netdev") left out, and "ro" the last word if it is to be read-only.
std::vector<std::string> mount_options_of(const FileSystemMount& request);

/// The Debian package of the helper that a type cannot be mounted without; empty: it needs none.
std::string_view package_of_helper(std::string_view type);

/// There is no such helper: Final, "MountHelperMissing".
Error helper_missing(const FileSystemMount& request);

/// `words`: what the helper said, which names its own causes. Transient, "MountFailed".
Error helper_failed(const FileSystemMount& request, std::string words);

/// mount(2) refused it.
Error mount_refused(const FileSystemMount& request, int errno_value);

}  // namespace mooring::kernel
