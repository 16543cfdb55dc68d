#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "kernel/errors.h"
#include "kernel/linux/linux_files.h"
#include "kernel/linux/lookup.h"

namespace mooring::kernel {
namespace {

/// Removes all that is in one directory and below, by descriptors. Deep trees are hoisted: a directory too
/// far down is renamed into the top, so that depth costs no descriptors and no stack.
class Remover {
 public:
  explicit Remover(int top) : top_(top) {}

  Result<void> empty(int directory, const std::string& path, int depth) {
    Descriptor reading(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!reading) return file_error("cannot read the directory", path, errno);
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(reading.get()), closedir);
    if (!stream) return file_error("cannot read the directory", path, errno);
    reading.release();  // It is the stream's now.
    while (true) {
      errno = 0;
      const dirent* entry = readdir(stream.get());
      if (entry == nullptr && errno != 0) return file_error("cannot read the directory", path, errno);
      if (entry == nullptr) return success();
      const std::string name = &entry->d_name[0];
      if (name == "." || name == "..") continue;
      const bool is_directory = entry->d_type == DT_DIR;
      if (!is_directory && unlinkat(directory, name.c_str(), 0) == 0) continue;
      if (!is_directory && errno == ENOENT) continue;
      if (!is_directory && errno == EBUSY) return mounted_below(path + "/" + name, EBUSY);
      if (!is_directory && errno != EISDIR) return file_error("cannot remove", path + "/" + name, errno);
      MOORING_TRY(remove_subdirectory(directory, name, path + "/" + name, depth));
    }
  }

  /// True if something was renamed into the top, which must be read again then.
  bool take_hoisted() { return std::exchange(has_hoisted_, false); }

 private:
  static constexpr int depth_max = 64;

  Result<void> remove_subdirectory(int parent, const std::string& name, const std::string& path, int depth) {
    if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return success();
    if (errno == EBUSY) return mounted_below(path, EBUSY);
    if (errno != ENOTEMPTY && errno != EEXIST) return file_error("cannot remove the directory", path, errno);
    if (depth >= depth_max) return hoist(parent, name, path);
    {
      Descriptor directory = open_beneath(parent, name, O_RDONLY | O_DIRECTORY);
      if (!directory && errno == EACCES && fchmodat(parent, name.c_str(), 0700, 0) == 0) {
        directory = open_beneath(parent, name, O_RDONLY | O_DIRECTORY);
      }
      if (!directory && errno == EXDEV) return mounted_below(path, EXDEV);
      if (!directory) return file_error("cannot open the directory", path, errno);
      MOORING_TRY(empty(directory.get(), path, depth + 1));
    }
    if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return success();
    if (errno == EBUSY) return mounted_below(path, EBUSY);
    return file_error("cannot remove the directory", path, errno);
  }

  Result<void> hoist(int parent, const std::string& name, const std::string& path) {
    while (true) {
      const std::string aside = ".deep." + std::to_string(++hoisted_);
      if (rename_to_new(parent, name, top_, aside)) {
        has_hoisted_ = true;
        return success();
      }
      if (errno == EBUSY) return mounted_below(path, EBUSY);
      if (errno != EEXIST) return file_error("cannot rename", path, errno);
    }
  }

  int top_;
  std::uint64_t hoisted_ = 0;
  bool has_hoisted_ = false;
};

}  // namespace

Result<void> LinuxFiles::remove_tree(const std::string& path) {
  const Result<Place> place = place_of(root_, path);
  if (!place) {
    if (place.error().errno_value == ENOENT) return success();
    return place.error();
  }
  const int parent = place.value().directory;
  const std::string& name = place.value().name;
  FileStatus status;
  if (!read_status(parent, name, status)) {
    if (errno == ENOENT) return success();
    return file_error("cannot read", path, errno);
  }
  if (status.is_mount_root) return mounted_below(path, EBUSY);
  if (status.type != FileType::Directory) return remove_file(path);
  {
    Descriptor top = open_beneath(parent, name, O_RDONLY | O_DIRECTORY);
    if (!top && errno == EACCES && fchmodat(parent, name.c_str(), 0700, 0) == 0) {
      top = open_beneath(parent, name, O_RDONLY | O_DIRECTORY);
    }
    if (!top && errno == EXDEV) return mounted_below(path, EXDEV);
    if (!top) return file_error("cannot open the directory", path, errno);
    Remover remover(top.get());
    do {
      MOORING_TRY(remover.empty(top.get(), path, 0));
    } while (remover.take_hoisted());
  }
  return remove_directory(path);
}

}  // namespace mooring::kernel
