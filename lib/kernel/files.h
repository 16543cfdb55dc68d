#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernel/group_change.h"

namespace mooring::kernel {

enum class FileType : std::uint8_t {
  Regular,
  Directory,
  SymbolicLink,
  Socket,
  Fifo,
  CharDevice,
  BlockDevice,
  Unknown
};
std::string_view to_string(FileType type);

/// What statx tells of a file.
struct FileStatus {
  FileType type = FileType::Unknown;
  std::uint32_t mode = 0;  ///< Permission bits with setuid, setgid and sticky (07777).
  std::uint64_t inode = 0;
  std::uint64_t device = 0;  ///< makedev(major, minor) of the file system.
  std::uint64_t size_bytes = 0;
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  bool is_mount_root = false;  ///< STATX_ATTR_MOUNT_ROOT (Linux 5.8): something is mounted exactly here.
};

struct DirectoryEntry {
  std::string name;
  FileType type = FileType::Unknown;
  friend bool operator==(const DirectoryEntry&, const DirectoryEntry&) = default;
};

/// An absolute path of the node, with how far its look-up may go.
struct HostLocation {
  std::string path;
  std::optional<std::string>
      confined_to;  ///< See CheckHostPath: a mount point that the look-up must not leave.
};

/// A part of a volume that is asked for by a path inside it (volumeMounts[].subPath).
struct SubPathLocation {
  std::string volume;                ///< Relative to the root directory; its last element may be a mount.
  std::optional<HostLocation> host;  ///< Instead of `volume`: the volume is this path of the node.
  std::string path;                  ///< Relative to the volume, clean; empty: the volume itself.
  bool may_create = false;           ///< Make what is missing, as directories.
};

/// What a directory holds with all below it on its own file system.
struct DirectoryUsage {
  std::uint64_t used_bytes = 0;  ///< As it takes space, and not as long as its files are.
  std::uint64_t inodes_used = 0;
  bool is_enforced = false;  ///< The kernel lets it grow to its limit and no further.

  friend bool operator==(const DirectoryUsage&, const DirectoryUsage&) = default;
};

/// Something that is held open (O_PATH): what a path led to at one moment, whatever it leads to later.
class OpenFile {
 public:
  virtual ~OpenFile() = default;
  virtual const FileStatus& status() const = 0;  ///< As it was when it was opened.
};

/// Files. The first group works below the root directory: paths are relative, every look-up stays beneath it,
/// follows no symbolic link and crosses no mount (openat2 RESOLVE_BENEATH|NO_SYMLINKS|NO_XDEV, Linux 5.6);
/// the last element is never followed. Errors are `kernel` errors with errno: ENOENT, EEXIST, ENOTDIR, EXDEV
/// (a mount in between), ELOOP (a link in between), EROFS, ENOSPC, EDQUOT, EIO... all Transient unless said;
/// reason by errno ("ReadOnlyFileSystem", "NoSpace", "MountedBelow" for EXDEV and EBUSY, "SymbolicLink" for
/// ELOOP, "NotFound", "Exists", "NotADirectory", "NotEmpty", "PermissionDenied", "InputOutputError", else
/// "FileError").
class Files {
 public:
  virtual ~Files() = default;

  /// Makes the directory with exactly `mode`, missing parents with 0750. True if it was made, false if it was
  /// there.
  virtual Result<bool> make_directory(const std::string& path, std::uint32_t mode) = 0;
  /// nullopt if there is nothing at `path` (or an element in between is missing).
  virtual Result<std::optional<FileStatus>> status(const std::string& path) = 0;
  /// Makes a new file with exactly `mode` and this content; the parent must exist. False if something was
  /// there already (which is left alone). The file appears whole or not at all.
  virtual Result<bool> create_file(const std::string& path, std::string_view content, std::uint32_t mode) = 0;
  /// The content, at most `size_max` bytes (more is an error, "TooLarge"). Only regular files.
  virtual Result<std::string> read_file(const std::string& path, std::size_t size_max) = 0;
  /// Makes a new file of exactly `mode` with this content, in place: for directories that nobody looks into
  /// yet. EEXIST if something is there.
  virtual Result<void> write_file(const std::string& path, std::string_view content, std::uint32_t mode) = 0;
  /// Gives a regular file that is there another content and mode in place: it stays the same file for whoever
  /// has it open or bound elsewhere. A reader may see parts of both for an instant.
  virtual Result<void> rewrite_file(const std::string& path, std::string_view content,
                                    std::uint32_t mode) = 0;
  /// Puts a regular file or a directory that is there on disk, as far as the disk tells the truth (fsync(2)).
  /// May wait for the disk.
  virtual Result<void> flush(const std::string& path) = 0;
  /// Gives what is at `path` (or the root of what is mounted there) this group and exactly this mode; its
  /// user stays. A symbolic link is refused (ELOOP).
  virtual Result<void> set_owner(const std::string& path, std::uint32_t group, std::uint32_t mode) = 0;
  /// Gives the volume at `path`, or what is mounted on it, to a group: see GroupChange. `progress` may be
  /// empty.
  virtual Result<GroupReport> change_group(const std::string& path, const GroupChange& change,
                                           const GroupProgress& progress) = 0;
  /// What the symbolic link at `path` says; nullopt if there is nothing; EINVAL if it is something else.
  virtual Result<std::optional<std::string>> read_link(const std::string& path) = 0;
  /// Makes a symbolic link; EEXIST if something is there.
  virtual Result<void> make_link(const std::string& path, const std::string& target) = 0;
  /// The entries of a directory without "." and "..", sorted by name.
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& path) = 0;
  /// rmdir. Absent is success. EBUSY (a mount point), ENOTEMPTY are errors.
  virtual Result<void> remove_directory(const std::string& path) = 0;
  /// unlink of something that is not a directory. Absent is success.
  virtual Result<void> remove_file(const std::string& path) = 0;
  /// Renames within the file system of the root directory; a target that exists is an error
  /// (RENAME_NOREPLACE).
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  /// As rename, but what is at `to`, which is not a directory, is replaced at one moment (rename(2)).
  virtual Result<void> replace(const std::string& from, const std::string& to) = 0;
  /// The same functions with the directory at `path`, or what is mounted on it, as their root directory; the
  /// host's excepted. Not to outlive this.
  virtual Result<std::unique_ptr<Files>> inside(const std::string& path) = 0;
  /// The same of an absolute path of the node, in which symbolic links are followed; below it none is. May
  /// wait for a server: call it in a worker of its own.
  virtual Result<std::unique_ptr<Files>> inside_host(const std::string& path) = 0;
  /// The absolute path of the directory that these functions start from, as the mount table names it: links
  /// resolved, and nothing asked of what is mounted there. ENOENT if it was removed.
  virtual Result<std::string> own_path() = 0;
  /// Removes `path` and all below, by descriptors, following no link. A mount point anywhere below (also a
  /// bind of the same file system) ends it with "MountedBelow" and the mount's path, and nothing in the mount
  /// is touched; what was removed before stays removed. Directories without permission bits are opened up
  /// first.
  virtual Result<void> remove_tree(const std::string& path) = 0;

  /// Limits what the directory at `path` (or what is mounted on it) may hold, by a project quota of its own:
  /// its project is inherited by all that is made in it. True if something was changed. False if it has this
  /// limit, or cannot have one: its file system has no project quotas switched on, it has a project of
  /// somebody else's, or it holds files already. Transient, "NoFreeProject".
  virtual Result<bool> limit_directory(const std::string& path, std::uint64_t size_bytes) = 0;
  /// Takes that limit away again, so that its number is free once its files are gone. Absent, and no limit,
  /// is false.
  virtual Result<bool> unlimit_directory(const std::string& path) = 0;
  /// From the quota of the directory's project if it has one of Mooring's; else by a walk, which takes as
  /// long as the tree is large: by descriptors, following no link and crossing no mount.
  virtual Result<DirectoryUsage> directory_usage(const std::string& path) = 0;

  // The node outside the root directory: symbolic links are followed, as users of hostPath expect.

  /// nullopt if it does not exist. Unless confined this may wait for a server: call it in a worker of its
  /// own. A confined look-up that leaves its mount: Transient, "LeavesMount".
  virtual Result<std::optional<FileStatus>> host_status(const HostLocation& location) = 0;
  /// mkdir -p with 0755 (umask has no part in it). There already is success.
  virtual Result<void> make_host_directory(const HostLocation& location) = 0;
  /// Makes an empty file with 0644; its parent must exist. There already is success.
  virtual Result<void> make_host_file(const HostLocation& location) = 0;
  /// Opens a part of a volume by descriptors: symbolic links inside the volume are followed, one that leads
  /// out of it is refused (Final, "SubPathEscapes"), whoever changes the volume meanwhile
  /// (openat2 RESOLVE_BENEATH|NO_MAGICLINKS). With `may_create` missing directories are made one by one,
  /// never through a link, the last with the mode of the volume's root, those before it with the same less
  /// 0022 (kubelet-behaviours 11.2). Nothing there: "SubPathNotFound". A dangling link: "SymbolicLink". A
  /// confined look-up that leaves its mount: Transient, "LeavesMount".
  virtual Result<std::unique_ptr<OpenFile>> open_sub_path(const SubPathLocation& location) = 0;
  /// Watches the nearest existing ancestor directory for what is made, moved in or removed there, and each
  /// directory above it for being moved or removed itself. The numbers of the watches in the inotify instance
  /// that the implementation was given, the nearest first. The one of a directory that cannot be watched is
  /// left out, but for the nearest.
  virtual Result<std::vector<int>> watch_host(const HostLocation& location) = 0;
};

}  // namespace mooring::kernel
