#include <cerrno>

#include "kernel/errors.h"
#include "kernel/fake/fake_files.h"

namespace mooring::kernel::fake {
namespace {

auto failing(const std::string& what, const std::string& path) {
  return [what, path](int error) { return file_error(what, path, error); };
}

/// Files below a directory that it keeps open.
class InsideFiles final : public FakeFiles {
 public:
  InsideFiles(FakeNode& node, Location root) : FakeFiles(node, root_here_), root_here_(std::move(root)) {}

 private:
  Location root_here_;
};

}  // namespace

int FakeNode::replace(const Location& from, const std::string& from_name, const Location& to,
                      const std::string& to_name) {
  if (from.mount != to.mount) return EXDEV;
  const std::shared_ptr<Inode> there = to.inode->child(to_name);
  if (there == nullptr) return move(from, from_name, to, to_name);
  const std::shared_ptr<Inode> file = from.inode->child(from_name);
  if (from.is_read_only()) return EROFS;
  if (file == nullptr) return ENOENT;
  if (there->is_directory()) return file->is_directory() ? ENOTEMPTY : EISDIR;
  if (file->is_directory()) return ENOTDIR;
  if (there->mounts_on > 0 || file->mounts_on > 0) return EBUSY;
  if (there == file) return 0;
  there->file_system->drop(there);
  return move(from, from_name, to, to_name);
}

Result<void> FakeFiles::write_file(const std::string& path, std::string_view content, std::uint32_t mode) {
  const auto act = [&]() -> Result<void> {
    MOORING_TRY(const FakePlace place, place_of(node_, root_, path));
    const int error =
        node_.make(place.directory, place.name, FileType::Regular, mode & 07777U, std::string(content));
    if (error == 0) return success();
    if (error == ENOSPC) {  // The name costs less than what it holds: it is there, and empty or cut short.
      node_.make(place.directory, place.name, FileType::Regular, mode & 07777U);
      return file_error("cannot write", path, error);
    }
    return file_error("cannot create", path, error);
  };
  return between_faults<void>(node_, "write_file", path, act, failing("cannot write", path));
}

Result<void> FakeFiles::rewrite_file(const std::string& path, std::string_view content, std::uint32_t mode) {
  const auto act = [&]() -> Result<void> {
    const Walk walked = walk_beneath(node_, root_, path, false);
    if (walked.error != 0) return file_error("cannot open", path, walked.error);
    Inode& file = *walked.found.inode;
    if (file.type == FileType::SymbolicLink) return file_error("cannot open", path, ELOOP);
    if (file.is_directory()) return file_error("cannot open", path, EISDIR);
    if (file.type != FileType::Regular) return file_error("cannot write", path, EINVAL);
    if (walked.found.is_read_only()) return file_error("cannot open", path, EROFS);
    if (const int error = file.file_system->write(file, std::string(content)))
      return file_error("cannot write", path, error);
    file.mode = mode & 07777U;
    return success();
  };
  return between_faults<void>(node_, "rewrite_file", path, act, failing("cannot write", path));
}

Result<void> FakeFiles::flush(const std::string& path) {
  const auto act = [&]() -> Result<void> {
    MOORING_TRY(const FakePlace place, place_of(node_, root_, path));
    Location there;
    if (const int error = node_.find(place.directory, place.name, there))
      return file_error("cannot open", path, error);
    if (there.inode->type == FileType::SymbolicLink) return file_error("cannot open", path, ELOOP);
    return success();
  };
  return between_faults<void>(node_, "flush", path, act, failing("cannot put on disk", path));
}

Result<void> FakeFiles::set_owner(const std::string& path, std::uint32_t group, std::uint32_t mode) {
  const auto act = [&]() -> Result<void> {
    MOORING_TRY(const FakePlace place, place_of(node_, root_, path));
    Location there;
    if (const int error = node_.find(place.directory, place.name, there))
      return file_error("cannot open", path, error);
    if (there.inode->type == FileType::SymbolicLink)
      return file_error("cannot set the group of", path, ELOOP);
    if (there.is_read_only()) return file_error("cannot set the mode of", path, EROFS);
    there.inode->group = there.mount->mapped(group);
    there.inode->mode = mode & 07777U;
    return success();
  };
  return between_faults<void>(node_, "set_owner", path, act, failing("cannot set the mode of", path));
}

Result<std::optional<std::string>> FakeFiles::read_link(const std::string& path) {
  using Answer = std::optional<std::string>;
  const auto act = [&]() -> Result<Answer> {
    const Result<FakePlace> place = place_of(node_, root_, path);
    if (!place) {
      if (place.error().errno_value == ENOENT) return Answer();
      return place.error();
    }
    Location there;
    const int error = node_.find(place.value().directory, place.value().name, there);
    if (error == ENOENT) return Answer();
    if (error != 0) return file_error("cannot read the link", path, error);
    if (there.inode->type != FileType::SymbolicLink) return file_error("cannot read the link", path, EINVAL);
    return Answer(there.inode->content);
  };
  return between_faults<Answer>(node_, "read_link", path, act, failing("cannot read the link", path));
}

Result<void> FakeFiles::make_link(const std::string& path, const std::string& target) {
  const auto act = [&]() -> Result<void> {
    MOORING_TRY(const FakePlace place, place_of(node_, root_, path));
    const int error = node_.make(place.directory, place.name, FileType::SymbolicLink, 0777, target);
    if (error == 0) return success();
    return file_error("cannot make the link", path, error);
  };
  return between_faults<void>(node_, "make_link", path, act, failing("cannot make the link", path));
}

Result<void> FakeFiles::replace(const std::string& from, const std::string& to) {
  const std::string what = "cannot rename to " + to + " what is";
  const auto act = [&]() -> Result<void> {
    MOORING_TRY(const FakePlace source, place_of(node_, root_, from));
    MOORING_TRY(const FakePlace target, place_of(node_, root_, to));
    const int error = node_.replace(source.directory, source.name, target.directory, target.name);
    if (error == 0) return success();
    return file_error(what, from, error);
  };
  return between_faults<void>(node_, "replace", from, act, failing(what, from));
}

Result<std::unique_ptr<Files>> FakeFiles::inside(const std::string& path) {
  using Answer = std::unique_ptr<Files>;
  const auto act = [&]() -> Result<Answer> {
    MOORING_TRY(const FakePlace place, place_of(node_, root_, path));
    Location there;
    if (const int error = node_.find(place.directory, place.name, there))
      return file_error("cannot open the directory", path, error);
    if (!there.inode->is_directory()) return file_error("cannot open the directory", path, ENOTDIR);
    return Answer(new InsideFiles(node_, there));
  };
  return between_faults<Answer>(node_, "inside", path, act, failing("cannot open the directory", path));
}

Result<std::unique_ptr<Files>> FakeFiles::inside_host(const std::string& path) {
  using Answer = std::unique_ptr<Files>;
  const auto act = [&]() -> Result<Answer> {
    Lookup how;
    how.wants_directory = true;
    const Walk walked = node_.walk(node_.start(), path, how);
    if (walked.error != 0) return file_error("cannot open the directory", path, walked.error);
    return Answer(new InsideFiles(node_, walked.found));
  };
  return between_faults<Answer>(node_, "inside_host", path, act, failing("cannot open the directory", path));
}

Result<std::string> FakeFiles::own_path() {
  const auto act = [&]() -> Result<std::string> {
    if (root_.inode->is_removed) return file_error("there is no path any more to", root_.inode->name, ENOENT);
    return node_.path_of(root_);
  };
  return between_faults<std::string>(node_, "own_path", ".", act,
                                     failing("cannot read where the directory lies", "."));
}

}  // namespace mooring::kernel::fake
