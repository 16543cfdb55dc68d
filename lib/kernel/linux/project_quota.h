#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernel/files.h"

namespace mooring::kernel {

// Project quotas of ext4, xfs and their like, of the directory that is open as `directory` (for reading).
// `path` is for errors. Needs Linux 5.14 (quotactl_fd); an older kernel, or one without quotas, has none.

/// As Files::limit_directory().
Result<bool> limit_project(int directory, const std::string& path, std::uint64_t size_bytes);
/// As Files::unlimit_directory().
Result<bool> unlimit_project(int directory, const std::string& path);
/// What the directory's project has in use; nullopt if it has none of Mooring's, or nobody counts.
Result<std::optional<DirectoryUsage>> project_usage(int directory, const std::string& path);

}  // namespace mooring::kernel
