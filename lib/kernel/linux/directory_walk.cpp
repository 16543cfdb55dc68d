#include "kernel/linux/directory_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <unordered_set>
#include <vector>

#include "kernel/errors.h"
#include "kernel/linux/descriptor.h"
#include "kernel/linux/linux_files.h"
#include "kernel/linux/lookup.h"
#include "kernel/linux/project_quota.h"

namespace mooring::kernel {
namespace {

using Stream = std::unique_ptr<DIR, int (*)(DIR*)>;

/// Reads the directory from its start; the descriptor stays the caller's.
Stream open_stream(int directory) {
  Descriptor reading(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Stream stream(reading ? fdopendir(reading.get()) : nullptr, closedir);
  if (stream) reading.release();  // It is the stream's now.
  return stream;
}

bool is_dot(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

class Walk {
 public:
  explicit Walk(const std::string& path) : path_(path) {}

  Result<DirectoryUsage> run(int top) {
    struct statx root {};
    if (!look(top, "", root)) return file_error("cannot read", path_, errno);
    count(root);
    MOORING_TRY(read(open_beneath(top, "", O_RDONLY | O_DIRECTORY)));
    // A stack: what was found last is entered first, so that as many are open as the tree is deep.
    while (!tasks_.empty()) {
      const Task task = std::move(tasks_.back());
      tasks_.pop_back();
      Descriptor directory = open_beneath(task.parent->get(), task.name, O_RDONLY | O_DIRECTORY);
      // It is gone, is something else by now, or something was mounted on it.
      if (!directory && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EXDEV)) continue;
      MOORING_TRY(read(std::move(directory)));
    }
    return usage_;
  }

 private:
  struct Task {
    std::shared_ptr<const Descriptor> parent;
    std::string name;
  };

  static bool look(int directory, const char* name, struct statx& out) {
    const int flags =
        AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC | (*name == '\0' ? AT_EMPTY_PATH : 0);
    return statx(directory, name, flags, STATX_BASIC_STATS, &out) == 0;
  }

  void count(const struct statx& file) {
    constexpr std::uint64_t block_bytes = 512;
    if (file.stx_nlink > 1 && !S_ISDIR(file.stx_mode) && !linked_.insert(file.stx_ino).second) return;
    usage_.used_bytes += file.stx_blocks * block_bytes;
    ++usage_.inodes_used;
  }

  Result<void> read(Descriptor opened) {
    if (!opened) return file_error("cannot open the directory", path_, errno);
    const auto directory = std::make_shared<const Descriptor>(std::move(opened));
    const Stream stream = open_stream(directory->get());
    if (!stream) return file_error("cannot read the directory", path_, errno);
    while (true) {
      errno = 0;
      const dirent* entry = readdir(stream.get());
      if (entry == nullptr && errno != 0 && errno != ENOENT)
        return file_error("cannot read the directory", path_, errno);
      if (entry == nullptr) return success();
      const char* name = &entry->d_name[0];
      if (is_dot(name)) continue;
      struct statx file {};
      if (!look(directory->get(), name, file)) {
        if (errno == ENOENT) continue;
        return file_error("cannot read", path_, errno);
      }
      if ((file.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) continue;
      count(file);
      if (S_ISDIR(file.stx_mode)) tasks_.push_back({directory, name});
    }
  }

  const std::string& path_;
  DirectoryUsage usage_;
  std::vector<Task> tasks_;
  std::unordered_set<std::uint64_t> linked_;  ///< Files with several names that were counted.
};

/// The directory at `path`, or what is mounted on it: the volume's own mount alone may be crossed.
Descriptor open_volume(int root, const std::string& path, Error& error) {
  Result<Place> place = place_of(root, path);
  if (!place) {
    error = std::move(place).error();
    return {};
  }
  Descriptor directory(openat(place.value().directory, place.value().name.c_str(),
                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) error = file_error("cannot open the directory", path, errno);
  return directory;
}

}  // namespace

Result<DirectoryUsage> walk_usage(int directory, const std::string& path) {
  return Walk(path).run(directory);
}

Result<bool> is_empty_directory(int directory, const std::string& path) {
  const Stream stream = open_stream(directory);
  if (!stream) return file_error("cannot read the directory", path, errno);
  while (true) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr && errno != 0) return file_error("cannot read the directory", path, errno);
    if (entry == nullptr) return true;
    if (!is_dot(&entry->d_name[0])) return false;
  }
}

Result<bool> LinuxFiles::limit_directory(const std::string& path, std::uint64_t size_bytes) {
  Error error;
  const Descriptor directory = open_volume(root_, path, error);
  if (!directory) return error;
  return limit_project(directory.get(), path, size_bytes);
}

Result<bool> LinuxFiles::unlimit_directory(const std::string& path) {
  Error error;
  const Descriptor directory = open_volume(root_, path, error);
  if (directory) return unlimit_project(directory.get(), path);
  if (error.errno_value == ENOENT) return false;
  return error;
}

Result<DirectoryUsage> LinuxFiles::directory_usage(const std::string& path) {
  Error error;
  const Descriptor directory = open_volume(root_, path, error);
  if (!directory) return error;
  MOORING_TRY(const auto counted, project_usage(directory.get(), path));
  if (counted) return *counted;
  return walk_usage(directory.get(), path);
}

}  // namespace mooring::kernel
