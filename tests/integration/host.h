#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace mooring::integration {

/// One line of /proc/self/mountinfo.
struct Mount {
  std::string line;  ///< As the kernel gives it, with the mount's ids.
  std::string point;
  std::string type;
  std::string super_options;
};

/// All mounts below a directory (or on it), in the order of the table.
std::vector<Mount> mounts_below(const std::string& directory);
/// The mounts on this very path.
std::vector<Mount> mounts_at(const std::string& path);
/// The lines alone: what must not differ if not one mount was changed.
std::vector<std::string> mount_lines(const std::string& directory);

void mount_tmpfs(const std::string& path, const std::string& options);
/// Remounts with MS_RDONLY or without.
void remount(const std::string& path, bool read_only);
void unmount(const std::string& path);
/// Unmounts everything below, and on, a directory.
void unmount_all(const std::string& directory);

/// A FUSE file system whose server never answers: whoever looks into it waits, until the server is gone.
class DeadFileSystem {
 public:
  /// Makes the directory and mounts on it.
  explicit DeadFileSystem(const std::string& directory);
  ~DeadFileSystem() { end_server(); }
  DeadFileSystem(const DeadFileSystem&) = delete;
  DeadFileSystem& operator=(const DeadFileSystem&) = delete;
  /// False if this kernel has no FUSE.
  bool is_there() const { return is_there_; }
  /// Who waits gets an error, and so does who comes later.
  void end_server();

 private:
  int file_;
  bool is_there_ = false;
};

/// Writes a file in place: it is made or cut short, and written.
void write_in_place(const std::string& path, const std::string& content);
/// The content; "(none)" if it cannot be read.
std::string read_file(const std::string& path);
bool is_there(const std::string& path);
/// The permission bits; 0 if it is not there.
mode_t mode_of(const std::string& path);
ino_t inode_of(const std::string& path);
/// Writes to `path` until its file system is full.
void fill_up(const std::string& path);
/// The names in a directory, sorted; none if it is not there.
std::vector<std::string> names_in(const std::string& directory);
/// Those of the volumes of claims that were made there.
std::vector<std::string> volumes_in(const std::string& directory);

}  // namespace mooring::integration
