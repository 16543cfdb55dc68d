#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "kernel/files.h"
#include "kernel/linux/descriptor.h"

namespace mooring::kernel {

/// Where the last element of a path lies: an open descriptor (O_PATH) of its directory, and its name.
struct Place {
  Descriptor opened;   ///< Empty if the directory is the root of the look-up, which is its owner's.
  int directory = -1;  ///< Valid as long as `opened` and that root.
  std::string name;

  /// A path that names the place whatever happens to the names above it: "/proc/self/fd/7/name". For the few
  /// calls that take no descriptor (umount2, inotify_add_watch).
  std::string proc_path() const;
};

/// Looks up `path` below `root`: never above it, through no symbolic link, across no mount.
/// `flags` as in open(2); the descriptor is closed on exec. The errno is left as the kernel set it; an empty
/// Descriptor is failure.
Descriptor open_beneath(int root, const std::string& path, int flags);

/// The directory of the last element, by open_beneath, and the element. ENOENT, ENOTDIR, EXDEV, ELOOP as in
/// kernel/files.h.
Result<Place> place_of(int root, const std::string& path);

/// statx of `name` in `directory` (of the directory itself for an empty name), following nothing, triggering
/// no automount, asking no server. False leaves errno.
bool read_status(int directory, const std::string& name, FileStatus& out);

/// renameat2 with RENAME_NOREPLACE; where the file system does not know that (NFS), as far as it can be had
/// by other calls: rename_unflagged(). False leaves errno.
bool rename_to_new(int from, const std::string& from_name, int to, const std::string& to_name);
/// A directory replaces an empty directory at worst, and only if that comes there at the same moment;
/// anything else is linked and unlinked, and replaces nothing.
bool rename_unflagged(int from, const std::string& from_name, int to, const std::string& to_name);

}  // namespace mooring::kernel
