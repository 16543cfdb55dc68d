#include "kernel/fake/fake_files.h"

#include <sys/sysmacros.h>

#include <cerrno>

#include "kernel/errors.h"

namespace mooring::kernel::fake {
namespace {

constexpr std::uint32_t parent_mode = 0750;
constexpr std::uint64_t directory_size_bytes = 4096;

auto failing(const std::string& what, const std::string& path) {
  return [what, path](int error) { return file_error(what, path, error); };
}

}  // namespace

Walk walk_beneath(const FakeNode& node, const Location& from, const std::string& path, bool wants_directory) {
  Lookup how;
  how.is_beneath = true;
  how.refuses_links = true;
  how.refuses_crossing = true;
  how.follows_last = wants_directory;  // A link in the place of a directory is refused as a link.
  how.wants_directory = wants_directory;
  return node.walk(from, path.empty() ? "." : path, how);
}

Result<FakePlace> place_of(const FakeNode& node, const Location& root, const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? std::string() : path.substr(0, slash);
  const Walk walked = walk_beneath(node, root, parent, true);
  if (walked.error != 0) return file_error("cannot open the directory", parent, walked.error);
  FakePlace place{walked.found, slash == std::string::npos ? path : path.substr(slash + 1)};
  if (place.name == "..") return file_error("cannot look up", path, EXDEV);  // It may lead out.
  return place;
}

FileStatus status_of(const Location& location) {
  const Inode& inode = *location.inode;
  FileStatus status;
  status.type = inode.type;
  status.mode = inode.mode;
  status.inode = inode.number;
  status.group = location.mount->mapped(inode.group);
  status.device = makedev(inode.file_system->device_major, inode.file_system->device_minor);
  status.size_bytes = inode.is_directory() ? directory_size_bytes : inode.size_bytes();
  status.is_mount_root = location.is_mount_root();
  return status;
}

Result<bool> FakeFiles::make_directory(const std::string& path, std::uint32_t mode) {
  return between_faults<bool>(
      node_, "make_directory", path, [&] { return make_directory_now(path, mode); },
      failing("cannot make the directory", path));
}

Result<bool> FakeFiles::make_directory_now(const std::string& path, std::uint32_t mode) {
  Result<FakePlace> place = place_of(node_, root_, path);
  if (!place && place.error().errno_value == ENOENT) {
    MOORING_TRY(make_directory_now(path.substr(0, path.rfind('/')), parent_mode));
    place = place_of(node_, root_, path);
  }
  if (!place) return std::move(place).error();
  const FakePlace& at = place.value();
  const int error = node_.make(at.directory, at.name, FileType::Directory, mode & 07777U);
  Location there;
  if (error == 0) {
    at.directory.inode->child(at.name)->mode = mode & 07777U;  // Exactly, also below a set-group-id parent.
    return true;
  }
  if (error != EEXIST) return file_error("cannot make the directory", path, error);
  if (const int failed = node_.find(at.directory, at.name, there))
    return file_error("cannot read", path, failed);
  if (there.inode->type == FileType::SymbolicLink) {
    return file_error("cannot make the directory", path, ELOOP);
  }
  if (!there.inode->is_directory()) return file_error("cannot make the directory", path, ENOTDIR);
  return false;
}

Result<std::optional<FileStatus>> FakeFiles::status(const std::string& path) {
  using Answer = std::optional<FileStatus>;
  const auto act = [&]() -> Result<Answer> {
    const Result<FakePlace> place = place_of(node_, root_, path);
    if (!place) {
      if (place.error().errno_value == ENOENT) return Answer();
      return place.error();
    }
    Location there;
    const int error = node_.find(place.value().directory, place.value().name, there);
    if (error == 0) return Answer(status_of(there));
    if (error == ENOENT) return Answer();
    return file_error("cannot read", path, error);
  };
  return between_faults<Answer>(node_, "status", path, act, failing("cannot read", path));
}

Result<bool> FakeFiles::create_file(const std::string& path, std::string_view content, std::uint32_t mode) {
  return between_faults<bool>(
      node_, "create_file", path, [&] { return create_file_now(path, content, mode); },
      failing("cannot create", path));
}

Result<bool> FakeFiles::create_file_now(const std::string& path, std::string_view content,
                                        std::uint32_t mode) {
  MOORING_TRY(const FakePlace place, place_of(node_, root_, path));
  Location there;
  if (node_.find(place.directory, place.name, there) == 0) return false;
  // The real one writes beside and renames, so that the name must leave room for the name beside.
  constexpr std::string_view beside = ".1000.new";
  if (place.name.size() + 1 + beside.size() > 255) return file_error("cannot create", path, ENAMETOOLONG);
  const int error =
      node_.make(place.directory, place.name, FileType::Regular, mode & 07777U, std::string(content));
  if (error == 0) return true;
  return file_error(error == ENOSPC ? "cannot write" : "cannot create", path, error);
}

Result<std::string> FakeFiles::read_file(const std::string& path, std::size_t size_max) {
  return between_faults<std::string>(
      node_, "read_file", path, [&] { return read_file_now(path, size_max); }, failing("cannot read", path));
}

Result<std::string> FakeFiles::read_file_now(const std::string& path, std::size_t size_max) {
  const Walk walked = walk_beneath(node_, root_, path, false);
  if (walked.error != 0) return file_error("cannot open", path, walked.error);
  const Inode& file = *walked.found.inode;
  if (file.type == FileType::SymbolicLink) return file_error("cannot open", path, ELOOP);
  if (file.type == FileType::Socket) return file_error("cannot open", path, ENXIO);
  if (file.type != FileType::Regular) return file_error("cannot read", path, EINVAL);
  if (file.file_system->has_failed) return file_error("cannot read", path, EIO);
  if (file.size_bytes() > size_max) {
    Error error = file_error("cannot read", path, EFBIG);
    error.reason = "TooLarge";
    return error;
  }
  return file.content;
}

Result<std::vector<DirectoryEntry>> FakeFiles::list(const std::string& path) {
  using Answer = std::vector<DirectoryEntry>;
  const auto act = [&]() -> Result<Answer> {
    const Walk walked = walk_beneath(node_, root_, path, true);
    if (walked.error != 0) return file_error("cannot open the directory", path, walked.error);
    Answer entries;
    for (const auto& [name, inode] : walked.found.inode->children)
      entries.push_back({name, inode->type});
    return entries;
  };
  return between_faults<Answer>(node_, "list", path, act, failing("cannot read the directory", path));
}

Result<void> FakeFiles::remove_now(const std::string& path, bool is_directory) {
  const Result<FakePlace> place = place_of(node_, root_, path);
  if (!place) {
    if (place.error().errno_value == ENOENT) return success();
    return place.error();
  }
  const FakePlace& at = place.value();
  const int error = node_.remove(at.directory, at.name, is_directory);
  if (error == 0 || error == ENOENT) return success();
  // The kernel asks whether anything may be written before it looks whether there is anything to remove.
  Location there;
  if (error == EROFS && node_.find(at.directory, at.name, there) == ENOENT) return success();
  return file_error(is_directory ? "cannot remove the directory" : "cannot remove", path, error);
}

Result<void> FakeFiles::remove_directory(const std::string& path) {
  return between_faults<void>(
      node_, "remove_directory", path, [&] { return remove_now(path, true); },
      failing("cannot remove the directory", path));
}

Result<void> FakeFiles::remove_file(const std::string& path) {
  return between_faults<void>(
      node_, "remove_file", path, [&] { return remove_now(path, false); }, failing("cannot remove", path));
}

Result<void> FakeFiles::rename(const std::string& from, const std::string& to) {
  return between_faults<void>(
      node_, "rename", from, [&] { return rename_now(from, to); },
      failing("cannot rename to " + to + " what is", from));
}

Result<void> FakeFiles::rename_now(const std::string& from, const std::string& to) {
  MOORING_TRY(const FakePlace source, place_of(node_, root_, from));
  MOORING_TRY(const FakePlace target, place_of(node_, root_, to));
  const int error = node_.move(source.directory, source.name, target.directory, target.name);
  if (error == 0) return success();
  return file_error("cannot rename to " + to + " what is", from, error);
}

Result<void> FakeFiles::remove_tree(const std::string& path) {
  return between_faults<void>(
      node_, "remove_tree", path, [&] { return remove_tree_now(path); }, failing("cannot remove", path));
}

Result<void> FakeFiles::remove_tree_now(const std::string& path) {
  const Result<FakePlace> place = place_of(node_, root_, path);
  if (!place) {
    if (place.error().errno_value == ENOENT) return success();
    return place.error();
  }
  Location top;
  if (const int error = node_.find(place.value().directory, place.value().name, top)) {
    if (error == ENOENT) return success();
    return file_error("cannot read", path, error);
  }
  if (top.is_mount_root()) return mounted_below(path, EBUSY);
  if (!top.inode->is_directory()) return remove_now(path, false);
  MOORING_TRY(empty_directory(node_, top, path));
  return remove_now(path, true);
}

}  // namespace mooring::kernel::fake
