#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "kernel/errors.h"
#include "kernel/linux/group_walk.h"
#include "kernel/linux/linux_files.h"
#include "kernel/linux/lookup.h"

// What publishing files in a volume needs besides.

namespace mooring::kernel {
namespace {

/// Files below a directory that it keeps open.
class InsideFiles final : public LinuxFiles {
 public:
  explicit InsideFiles(Descriptor root) : LinuxFiles(root.get(), -1), root_(std::move(root)) {}

 private:
  Descriptor root_;
};

/// Finds room for a file's first `size_bytes`, so that writing them cannot stop halfway for want of it. The
/// file keeps its content and size. Success too where the file system does not know how.
Result<void> reserve(int file, std::size_t size_bytes, const std::string& path) {
  int done = 0;
  do {
    done = fallocate(file, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size_bytes));
  } while (done != 0 && errno == EINTR);
  if (done == 0 || errno == EOPNOTSUPP || errno == ENOSYS) return success();
  return file_error("cannot write", path, errno);
}

}  // namespace

Result<void> LinuxFiles::write_file(const std::string& path, std::string_view content, std::uint32_t mode) {
  MOORING_TRY(const Place place, place_of(root_, path));
  const Descriptor file(openat(place.directory, place.name.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file) return file_error("cannot create", path, errno);
  MOORING_TRY(write_all(file.get(), content, path));
  if (fchmod(file.get(), mode) != 0) return file_error("cannot set the mode of", path, errno);
  return success();
}

Result<void> LinuxFiles::rewrite_file(const std::string& path, std::string_view content, std::uint32_t mode) {
  const Descriptor file = open_beneath(root_, path, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return file_error("cannot open", path, errno);
  FileStatus status;
  if (!read_status(file.get(), "", status)) return file_error("cannot read", path, errno);
  if (status.type != FileType::Regular) return file_error("cannot write", path, EINVAL);
  if (content.size() > status.size_bytes) {
    MOORING_TRY(reserve(file.get(), content.size(), path));
  }
  // Who may not read the new content must not find it; who may from now on need not read the old one.
  const std::uint32_t narrowed = status.mode & mode;
  if (narrowed != status.mode && fchmod(file.get(), narrowed) != 0)
    return file_error("cannot set the mode of", path, errno);
  // Cut after writing: in between nobody finds it empty.
  MOORING_TRY(write_all(file.get(), content, path));
  if (ftruncate(file.get(), static_cast<off_t>(content.size())) != 0)
    return file_error("cannot write", path, errno);
  if (narrowed != mode && fchmod(file.get(), mode) != 0)
    return file_error("cannot set the mode of", path, errno);
  return success();
}

Result<void> LinuxFiles::flush(const std::string& path) {
  MOORING_TRY(const Place place, place_of(root_, path));
  const Descriptor file(
      openat(place.directory, place.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) return file_error("cannot open", path, errno);
  if (fsync(file.get()) != 0) return file_error("cannot put on disk", path, errno);
  return success();
}

Result<void> LinuxFiles::set_owner(const std::string& path, std::uint32_t group, std::uint32_t mode) {
  MOORING_TRY(const Place place, place_of(root_, path));
  const Descriptor file(openat(place.directory, place.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  FileStatus status;
  if (!file || !read_status(file.get(), "", status)) return file_error("cannot open", path, errno);
  if (status.type == FileType::SymbolicLink) return file_error("cannot set the group of", path, ELOOP);
  if (status.group != group && fchownat(file.get(), "", static_cast<uid_t>(-1), group, AT_EMPTY_PATH) != 0)
    return file_error("cannot set the group of", path, errno);
  // After the change of the group, which takes set-id bits away.
  const std::string through = "/proc/self/fd/" + std::to_string(file.get());
  if (chmod(through.c_str(), mode) != 0) return file_error("cannot set the mode of", path, errno);
  return success();
}

Result<GroupReport> LinuxFiles::change_group(const std::string& path, const GroupChange& change,
                                             const GroupProgress& progress) {
  MOORING_TRY(const Place place, place_of(root_, path));
  const Descriptor volume(
      openat(place.directory, place.name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!volume) return file_error("cannot open the directory", path, errno);
  return kernel::change_group(volume.get(), path, change, progress);
}

Result<std::optional<std::string>> LinuxFiles::read_link(const std::string& path) {
  using Answer = std::optional<std::string>;
  const Result<Place> place = place_of(root_, path);
  if (!place) {
    if (place.error().errno_value == ENOENT) return Answer();
    return place.error();
  }
  std::array<char, PATH_MAX> target{};
  const ssize_t size =
      readlinkat(place.value().directory, place.value().name.c_str(), target.data(), target.size());
  if (size >= 0) return Answer(std::string(target.data(), static_cast<std::size_t>(size)));
  if (errno == ENOENT) return Answer();
  return file_error("cannot read the link", path, errno);
}

Result<void> LinuxFiles::make_link(const std::string& path, const std::string& target) {
  MOORING_TRY(const Place place, place_of(root_, path));
  if (symlinkat(target.c_str(), place.directory, place.name.c_str()) == 0) return success();
  return file_error("cannot make the link", path, errno);
}

Result<void> LinuxFiles::replace(const std::string& from, const std::string& to) {
  MOORING_TRY(const Place source, place_of(root_, from));
  MOORING_TRY(const Place target, place_of(root_, to));
  if (renameat(source.directory, source.name.c_str(), target.directory, target.name.c_str()) == 0) {
    return success();
  }
  return file_error("cannot rename to " + to + " what is", from, errno);
}

Result<std::unique_ptr<Files>> LinuxFiles::inside(const std::string& path) {
  MOORING_TRY(const Place place, place_of(root_, path));
  // The last element alone may cross a mount: it is the volume's own.
  Descriptor directory(
      openat(place.directory, place.name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return file_error("cannot open the directory", path, errno);
  return std::unique_ptr<Files>(new InsideFiles(std::move(directory)));
}

Result<std::unique_ptr<Files>> LinuxFiles::inside_host(const std::string& path) {
  Descriptor directory(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return file_error("cannot open the directory", path, errno);
  return std::unique_ptr<Files>(new InsideFiles(std::move(directory)));
}

Result<std::string> LinuxFiles::own_path() {
  const std::string link = "/proc/self/fd/" + std::to_string(root_);
  std::array<char, PATH_MAX> target{};
  const ssize_t size = readlink(link.c_str(), target.data(), target.size());
  if (size < 0) return file_error("cannot read where the directory lies", link, errno);
  std::string path(target.data(), static_cast<std::size_t>(size));
  // A directory that was removed has a name that may be another's, and one in no namespace has none.
  constexpr std::string_view removed = " (deleted)";
  FileStatus there;
  if (!path.starts_with('/') || (path.ends_with(removed) && !read_status(AT_FDCWD, path, there)))
    return file_error("there is no path any more to", path, ENOENT);
  return path;
}

}  // namespace mooring::kernel
