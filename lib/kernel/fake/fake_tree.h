#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "kernel/files.h"

namespace mooring::kernel::fake {

struct Disk;
struct FileSystem;

/// A file with its one name: the fake has no hard links, so that inode and directory entry are one thing.
struct Inode {
  FileType type = FileType::Regular;
  std::uint32_t mode = 0;
  std::uint32_t group = 0;    ///< As it is on disk.
  std::uint32_t project = 0;  ///< Whose quota it counts to; of a directory also that of what is made in it.
  std::uint64_t number = 0;
  FileSystem* file_system = nullptr;
  Inode* parent = nullptr;  ///< nullptr for the file system's root and for what was removed.
  std::string name;         ///< Of what was removed: the path in the file system that it had.
  bool is_removed = false;
  std::string content;         ///< Of a regular file; of a symbolic link what it says.
  std::shared_ptr<Disk> disk;  ///< Of a file that was attached, or made as an image; `content` is empty then.
  std::uint64_t device_number = 0;  ///< Of a device's node: makedev(3).
  std::map<std::string, std::shared_ptr<Inode>> children;
  int mounts_on = 0;     ///< How many mounts have this as their mount point.
  int watch_number = 0;  ///< Its inotify watch; 0: none.
  bool is_watched_for_entries = false;

  bool is_directory() const { return type == FileType::Directory; }
  /// Of a regular file or a symbolic link.
  std::uint64_t size_bytes() const;
  std::shared_ptr<Inode> child(const std::string& wanted) const;
  /// The path inside the file system, as the fourth field of mountinfo shows it ("/a//deleted" if removed).
  std::string path_inside() const;
};

/// What the files of a project have in use, and may have at most.
struct ProjectQuota {
  std::uint64_t bytes_used = 0;
  std::uint64_t inodes_used = 0;
  std::uint64_t bytes_max = 0;  ///< 0: no limit.
};

/// A superblock and its tree.
struct FileSystem {
  FileSystem(std::string type_name, std::string source_name, std::uint32_t major, std::uint32_t minor,
             std::uint32_t root_mode);

  std::string type;
  std::string source;
  std::uint32_t device_major;
  std::uint32_t device_minor;
  std::string options;  ///< What mountinfo shows after "rw": "size=64k,mode=755".
  bool is_read_only = false;
  bool has_failed = false;  ///< Its disk is gone: EIO.
  std::uint64_t block_bytes = 4096;
  std::optional<std::uint64_t> bytes_max;
  std::optional<std::uint64_t> inodes_max;
  std::uint64_t bytes_used = 0;
  std::uint64_t inodes_used = 0;
  std::shared_ptr<Inode> root;
  bool has_project_quotas = false;
  std::map<std::uint32_t, ProjectQuota> projects;  ///< But 0, which nobody counts.

  /// Gives a directory and what will be made in it to a project.
  void set_project(Inode& directory, std::uint32_t project);
  /// True if it lives in memory only: gone with its last mount.
  bool is_volatile() const;
  /// Adds a new file to `directory`, which has none of that name. 0, ENOSPC or EDQUOT.
  int add(Inode& directory, const std::string& name, FileType type, std::uint32_t mode,
          const std::string& content);
  /// Gives a regular file another content. 0, ENOSPC or EDQUOT.
  int write(Inode& file, const std::string& content);
  /// Takes the entry out of its directory and gives its space back.
  void drop(const std::shared_ptr<Inode>& file);

 private:
  std::uint64_t cost_of(FileType file_type, std::size_t size) const;
  bool is_over_quota(std::uint32_t project, std::uint64_t more_bytes) const;
  std::uint64_t next_number_ = 2;
};

}  // namespace mooring::kernel::fake
