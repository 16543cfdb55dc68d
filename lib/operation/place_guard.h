#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "facts/mount_table.h"

namespace mooring {

// What the mount table proves about a directory (or a file) before it is removed or emptied. Pure; paths are
// absolute and as the table has them. A place has as many names as there are mounts of the part of its file
// system that holds it.

/// "MountedBelow", which names the mount, if anything is mounted strictly below `path`.
Result<void> check_nothing_below(const MountTable& table, const std::string& path);
/// The same, and if something is mounted exactly on it.
Result<void> check_nothing_mounted(const MountTable& table, const std::string& path);
/// "StillMounted", which names the mount, if what is at `path`, or something in it, is mounted elsewhere: a
/// pod's bind of a volume, say. The mount that `path` itself lies in does not count.
Result<void> check_not_bound(const MountTable& table, const std::string& path);

/// All names of what is at `path`, itself first.
std::vector<std::string> names_of(const MountTable& table, const std::string& path);
/// True if what is at `path` is what is at `other`, or one holds the other, by whatever name.
bool have_to_do(const MountTable& table, const std::string& path, const std::string& other);

}  // namespace mooring
