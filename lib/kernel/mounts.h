#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "facts/device.h"
#include "facts/mount_table.h"
#include "kernel/files.h"

namespace mooring::kernel {

struct TmpfsOptions {
  std::optional<std::uint64_t> size_bytes;
  std::uint32_t mode = 01777;
  bool is_secret = false;  ///< noswap (Linux 6.4); an older kernel mounts without it.
};

struct BindRequest {
  std::string source;  ///< Absolute.
  std::string target;  ///< Relative to the root directory; exists, of the same kind (directory or not).
  bool read_only = false;
  bool recursive = true;
};

/// Two groups that change places as seen through a mount: what is `on_disk` looks like `shown`, and what is
/// made as `shown` is stored as `on_disk`.
struct GroupSwap {
  std::uint32_t on_disk = 0;
  std::uint32_t shown = 0;
};

/// What a new bind has to do with what is mounted below its source later, and the source with what is mounted
/// below the bind.
enum class Propagation : std::uint8_t {
  Private,  ///< Nothing.
  Slave,    ///< It gets what is mounted below its source, and gives nothing back.
  Shared,   ///< As its source: if that is shared, each gets what is mounted below the other.
};

struct OpenBindRequest {
  std::string target;  ///< Relative to the root directory; exists, of the same kind as the source.
  std::optional<GroupSwap> groups;  ///< An idmapped mount (Linux 5.12 and the file system can).
  Propagation propagation = Propagation::Private;
};

/// A file system of a device or a server.
struct FileSystemMount {
  std::string source;  ///< "/dev/loop3", "server:/path".
  std::string type;    ///< "ext4", "nfs".
  std::string target;  ///< Relative to the root directory; exists.
  /// As mount(8) takes them with -o, in this order; both kinds, of the mount and of the file system.
  std::vector<std::string> options;
  bool is_read_only = false;
};

/// How hard an unmount of a file system whose server may be gone tries.
enum class UnmountForce : std::uint8_t {
  None,
  Abort,   ///< MNT_FORCE: what waits for the server is aborted.
  Detach,  ///< MNT_DETACH: it leaves the tree now, and the kernel when its last user does.
};

/// Which mounts below a place may be unmounted. CopiesOnly: those that came there by propagation, because
/// they were mounted elsewhere, and nothing at all if there is another one (Transient, "MountedBelow").
enum class Leftovers : std::uint8_t { All, CopiesOnly };

/// Mounts. Targets are relative to the root directory and are looked up as in Files (beneath, no links, no
/// crossing of mounts but the last element itself). Errors: "MountFailed"/"UnmountFailed" with errno and,
/// where the kernel says more (fsopen's log, Linux 5.2), its words; "Busy" for EBUSY; Transient unless
/// nothing can help (ENODEV: Final).
class Mounts {
 public:
  virtual ~Mounts() = default;

  /// A new tmpfs; it appears complete (size, mode) or not at all.
  virtual Result<void> mount_tmpfs(const std::string& target, const TmpfsOptions& options) = 0;
  virtual Result<void> mount_hugetlbfs(const std::string& target, std::uint64_t page_size_bytes) = 0;
  /// A bind that is read-only from its first moment if it is to be read-only (mount_setattr on the detached
  /// tree, Linux 5.12).
  virtual Result<void> bind(const BindRequest& request) = 0;
  /// Binds what is held open, alone and not what is mounted below it (open_tree, move_mount: no path is
  /// looked up again). A file system or a kernel that cannot map groups: Final, "CannotMapGroups".
  virtual Result<void> bind_open(const OpenFile& source, const OpenBindRequest& request) = 0;
  /// Unmounts all that is mounted below `target` and above the first `kept` mounts that are stacked exactly
  /// at it, the latest first, none by force; the first that fails ends it, and the error has its path. How
  /// many there were. Reads the whole table.
  /// All are made private first: a leftover may be a bind of any directory of the node, and to unmount what
  /// lies in the copy would unmount it in the original too. One that no path reaches, because another covers
  /// it, and that shares with a mount that is none of them, ends it before anything is unmounted:
  /// "MountedBelow", which names both.
  virtual Result<std::uint32_t> unmount_below(const std::string& target, std::uint32_t kept,
                                              Leftovers which) = 0;
  /// Removes the uppermost mount at `target` (UMOUNT_NOFOLLOW, not lazy, not forced). EINVAL (not a mount
  /// point): Transient, "NotMounted".
  virtual Result<void> unmount(const std::string& target) = 0;
  /// The uppermost mount exactly at `target`, nullopt if it is not a mount point; cost does not grow with the
  /// node's mounts where the kernel has statmount (6.8). Needs only type, root, read-only to be right
  /// elsewhere.
  virtual Result<std::optional<MountFact>> at(const std::string& target) = 0;
  /// The block size of the file system mounted at `target` (statfs(2)): a hugetlbfs has that of its pages.
  virtual Result<std::uint64_t> block_size(const std::string& target) = 0;
  /// Mounts by mount(8)'s own library, which runs the helper that a type has (/sbin/mount.nfs). Waits for the
  /// device or the server: for workers of their own. "MountFailed" with the helper's or the kernel's words;
  /// Final, "MountHelperMissing", with the package to install. An error is a hint: look at listed_at().
  virtual Result<void> mount_file_system(const FileSystemMount& request) = 0;
  /// Removes the uppermost mount at `target` without ever asking its file system anything: its server may be
  /// gone. May wait; whoever calls can be killed. Else as unmount().
  virtual Result<void> unmount_unseen(const std::string& target, UnmountForce force) = 0;
  /// As at(), but from the table alone: nothing mounted is ever asked. Costs with every mount of the node.
  virtual Result<std::optional<MountFact>> listed_at(const std::string& target) = 0;
  /// The absolute path of `target` as the table has it; text alone, nothing is looked up below the root
  /// directory.
  virtual Result<std::string> listed_path(const std::string& target) = 0;
  /// How full the file system at `target` (or what is mounted there) is; may wait for its server.
  virtual Result<FileSystemUsage> usage(const std::string& target) = 0;
  /// The whole table of the namespace.
  virtual Result<MountTable> table() = 0;
};

}  // namespace mooring::kernel
