#include "kernel/linux/linux_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "kernel/errors.h"
#include "kernel/linux/lookup.h"

namespace mooring::kernel {
namespace {

constexpr std::uint32_t parent_mode = 0750;

FileType type_of_entry(unsigned char type) {
  switch (type) {
    case DT_REG:
      return FileType::Regular;
    case DT_DIR:
      return FileType::Directory;
    case DT_LNK:
      return FileType::SymbolicLink;
    case DT_SOCK:
      return FileType::Socket;
    case DT_FIFO:
      return FileType::Fifo;
    case DT_CHR:
      return FileType::CharDevice;
    case DT_BLK:
      return FileType::BlockDevice;
    default:
      return FileType::Unknown;
  }
}

/// Gives the new directory exactly `mode`, if a default ACL or a set-group-id parent made it otherwise.
Result<void> correct_mode(const Place& place, const std::string& path, std::uint32_t mode) {
  FileStatus made;
  if (!read_status(place.directory, place.name, made)) return file_error("cannot read", path, errno);
  if (made.mode == mode) return success();
  const Descriptor directory = open_beneath(place.directory, place.name, O_RDONLY | O_DIRECTORY);
  if (!directory || fchmod(directory.get(), mode) != 0)
    return file_error("cannot set the mode of", path, errno);
  return success();
}

bool is_absent(const Error& error) {
  return error.errno_value == ENOENT;
}

/// A removal failed with `errno_value`, but there was nothing to remove: a read-only file system says EROFS
/// before it looks.
bool was_absent(const Place& place, int errno_value) {
  if (errno_value == ENOENT) return true;
  FileStatus status;
  return errno_value == EROFS && !read_status(place.directory, place.name, status) && errno == ENOENT;
}

}  // namespace

Result<void> write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return file_error("cannot write", path, errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return success();
}

Result<bool> LinuxFiles::make_directory(const std::string& path, std::uint32_t mode) {
  Result<Place> place = place_of(root_, path);
  if (!place && is_absent(place.error())) {
    MOORING_TRY(make_directory(path.substr(0, path.rfind('/')), parent_mode));
    place = place_of(root_, path);
  }
  if (!place) return std::move(place).error();
  if (mkdirat(place.value().directory, place.value().name.c_str(), mode) == 0) {
    MOORING_TRY(correct_mode(place.value(), path, mode));
    return true;
  }
  if (errno != EEXIST) return file_error("cannot make the directory", path, errno);
  FileStatus there;
  if (!read_status(place.value().directory, place.value().name, there)) {
    return file_error("cannot read", path, errno);
  }
  if (there.type == FileType::SymbolicLink) return file_error("cannot make the directory", path, ELOOP);
  if (there.type != FileType::Directory) return file_error("cannot make the directory", path, ENOTDIR);
  return false;
}

Result<std::optional<FileStatus>> LinuxFiles::status(const std::string& path) {
  const Result<Place> place = place_of(root_, path);
  if (!place) {
    if (is_absent(place.error())) return std::optional<FileStatus>();
    return place.error();
  }
  FileStatus status;
  if (read_status(place.value().directory, place.value().name, status)) return std::optional(status);
  if (errno == ENOENT) return std::optional<FileStatus>();
  return file_error("cannot read", path, errno);
}

Result<bool> LinuxFiles::create_file(const std::string& path, std::string_view content, std::uint32_t mode) {
  MOORING_TRY(const Place place, place_of(root_, path));
  const int directory = place.directory;
  FileStatus there;
  if (read_status(directory, place.name, there)) return false;
  // Written beside and renamed: whoever sees the name sees all of it.
  const std::string beside = "." + place.name + "." + std::to_string(getpid()) + ".new";
  const Descriptor file(openat(directory, beside.c_str(),
                               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode));
  if (!file) return file_error("cannot create", path, errno);
  Result<void> written = write_all(file.get(), content, path);
  if (written && fchmod(file.get(), mode) != 0) written = file_error("cannot set the mode of", path, errno);
  if (written && rename_to_new(directory, beside, directory, place.name)) {
    return true;
  }
  const int cause = errno;
  unlinkat(directory, beside.c_str(), 0);
  if (!written) return std::move(written).error();
  if (cause == EEXIST) return false;
  return file_error("cannot create", path, cause);
}

Result<std::string> LinuxFiles::read_file(const std::string& path, std::size_t size_max) {
  const Descriptor file = open_beneath(root_, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return file_error("cannot open", path, errno);
  FileStatus status;
  if (!read_status(file.get(), "", status)) return file_error("cannot read", path, errno);
  if (status.type != FileType::Regular) return file_error("cannot read", path, EINVAL);
  std::string content(std::min<std::size_t>(status.size_bytes, size_max) + 1, '\0');
  std::size_t size = 0;
  while (true) {
    if (size == content.size()) content.resize(content.size() * 2);
    const ssize_t got = read(file.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error("cannot read", path, errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
    if (size > size_max) {
      Error error = file_error("cannot read", path, EFBIG);
      error.reason = "TooLarge";
      return error;
    }
  }
  content.resize(size);
  return content;
}

Result<std::vector<DirectoryEntry>> LinuxFiles::list(const std::string& path) {
  Descriptor directory = open_beneath(root_, path, O_RDONLY | O_DIRECTORY);
  if (!directory) return file_error("cannot open the directory", path, errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(directory.get()), closedir);
  if (!stream) return file_error("cannot read the directory", path, errno);
  directory.release();
  std::vector<DirectoryEntry> entries;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr) break;
    const std::string_view name = &entry->d_name[0];
    if (name != "." && name != "..") entries.push_back({std::string(name), type_of_entry(entry->d_type)});
  }
  if (errno != 0) return file_error("cannot read the directory", path, errno);
  for (DirectoryEntry& entry : entries) {  // Some file systems leave the type to statx.
    FileStatus status;
    if (entry.type == FileType::Unknown && read_status(dirfd(stream.get()), entry.name, status)) {
      entry.type = status.type;
    }
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

Result<void> LinuxFiles::remove_directory(const std::string& path) {
  const Result<Place> place = place_of(root_, path);
  if (!place) {
    if (is_absent(place.error())) return success();
    return place.error();
  }
  if (unlinkat(place.value().directory, place.value().name.c_str(), AT_REMOVEDIR) == 0) return success();
  const int cause = errno;
  if (was_absent(place.value(), cause)) return success();
  return file_error("cannot remove the directory", path, cause == EEXIST ? ENOTEMPTY : cause);
}

Result<void> LinuxFiles::remove_file(const std::string& path) {
  const Result<Place> place = place_of(root_, path);
  if (!place) {
    if (is_absent(place.error())) return success();
    return place.error();
  }
  if (unlinkat(place.value().directory, place.value().name.c_str(), 0) == 0) return success();
  const int cause = errno;
  if (was_absent(place.value(), cause)) return success();
  return file_error("cannot remove", path, cause);
}

Result<void> LinuxFiles::rename(const std::string& from, const std::string& to) {
  MOORING_TRY(const Place source, place_of(root_, from));
  MOORING_TRY(const Place target, place_of(root_, to));
  if (rename_to_new(source.directory, source.name, target.directory, target.name)) {
    return success();
  }
  return file_error("cannot rename to " + to + " what is", from, errno);
}

}  // namespace mooring::kernel
