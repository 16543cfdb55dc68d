// Parts of volumes, and their groups, on the fake node.

#include <sys/stat.h>

#include <cerrno>

#include "kernel/errors.h"
#include "kernel/fake/fake_files.h"

namespace mooring::kernel::fake {
namespace {

constexpr std::uint32_t others_may_write = 0022;

class Opener {
 public:
  Opener(FakeNode& node, Location volume, const SubPathLocation& location)
      : node_(node), volume_(std::move(volume)), location_(location) {
    is_confined_ = location.host && location.host->confined_to;
  }

  Result<std::unique_ptr<OpenFile>> run() {
    Walk walked = walk_part(location_.path, false);
    if (walked.error == ENOENT && location_.may_create) {
      MOORING_TRY(walked.found, create());
      walked.error = 0;
    }
    if (walked.error != 0) return sub_path_error(location_.path, walked.error, is_confined_);
    return std::unique_ptr<OpenFile>(std::make_unique<FakeOpenFile>(walked.found));
  }

 private:
  Walk walk_part(const std::string& path, bool wants_directory) const {
    Lookup how;
    how.is_beneath = true;
    how.refuses_crossing = is_confined_;
    how.wants_directory = wants_directory;
    if (path.empty() && !wants_directory) return {0, volume_, {}, {}};
    return node_.walk(volume_, path.empty() ? "." : path, how);
  }

  Result<Location> create() {
    std::string there = location_.path;
    Walk walked;
    do {
      const std::size_t slash = there.rfind('/');
      there = slash == std::string::npos ? std::string() : there.substr(0, slash);
      walked = walk_part(there, true);
    } while (walked.error == ENOENT && !there.empty());
    if (walked.error != 0) return sub_path_error(there, walked.error, is_confined_);
    std::string rest = location_.path.substr(there.empty() ? 0 : there.size() + 1);
    Location at = walked.found;
    while (!rest.empty()) {
      const std::size_t slash = rest.find('/');
      const std::string name = rest.substr(0, slash);
      rest = slash == std::string::npos ? std::string() : rest.substr(slash + 1);
      there += (there.empty() ? "" : "/") + name;
      const std::uint32_t mode = volume_.inode->mode;
      const int made = node_.make(at, name, FileType::Directory, (mode & 0777U) & ~others_may_write);
      if (made != 0 && made != EEXIST) return sub_path_error(there, made, is_confined_);
      const Walk next = walk_beneath(node_, at, name, true);
      if (next.error != 0) return sub_path_error(there, next.error, is_confined_);
      if (made == 0 && rest.empty()) next.found.inode->mode = mode;
      at = next.found;
    }
    return at;
  }

  FakeNode& node_;
  Location volume_;
  const SubPathLocation& location_;
  bool is_confined_ = false;
};

/// Gives one file to the group. True if it was not right already.
bool give(const Location& file, const GroupChange& change) {
  const std::uint32_t bits =
      file.inode->is_directory() ? (change.read_only ? 02550U : 02770U) : (change.read_only ? 0440U : 0660U);
  const std::uint32_t group = file.mount->mapped(change.group);
  const std::uint32_t mode = file.inode->mode | bits;
  if (file.inode->group == group && file.inode->mode == mode) return false;
  file.inode->group = group;
  file.inode->mode = mode;
  return true;
}

Error stopped(const std::string& path) {
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "Stopped";
  error.message = "the group of the files was to be changed, and this was stopped";
  error.path = path;
  return error;
}

}  // namespace

FakeOpenFile::FakeOpenFile(Location location) : location_(std::move(location)) {
  status_ = status_of(location_);
}

Result<std::unique_ptr<OpenFile>> FakeFiles::open_sub_path(const SubPathLocation& location) {
  using Answer = std::unique_ptr<OpenFile>;
  const std::string& path = location.host ? location.host->path : location.volume;
  const auto fail = [&](int error) { return sub_path_error(location.path, error, false); };
  const auto act = [&]() -> Result<Answer> {
    if (location.host) {
      MOORING_TRY(const FakeHostLookup lookup, start_host_lookup(node_, *location.host));
      const Walk walked = walk_host(node_, lookup, lookup.relative, false);
      if (walked.error != 0) return host_error("cannot open", path, walked.error, lookup.is_confined);
      return Opener(node_, walked.found, location).run();
    }
    MOORING_TRY(const FakePlace place, place_of(node_, root_, path));
    Location volume;
    if (const int error = node_.find(place.directory, place.name, volume))
      return file_error("cannot open", path, error);
    return Opener(node_, volume, location).run();
  };
  return between_faults<Answer>(node_, "open_sub_path", path, act, fail);
}

Result<GroupReport> FakeFiles::change_group(const std::string& path, const GroupChange& change,
                                            const GroupProgress& progress) {
  const auto fail = [&](int error) { return file_error("cannot set the group of", path, error); };
  const auto act = [&]() -> Result<GroupReport> {
    MOORING_TRY(const FakePlace place, place_of(node_, root_, path));
    Location volume;
    if (const int error = node_.find(place.directory, place.name, volume))
      return file_error("cannot open the directory", path, error);
    if (!volume.inode->is_directory()) return file_error("cannot open the directory", path, ENOTDIR);
    GroupReport report;
    const std::uint32_t root_bits = change.read_only ? 02550U : 02770U;
    if (change.only_on_root_mismatch && volume.inode->group == volume.mount->mapped(change.group) &&
        (volume.inode->mode & root_bits) == root_bits) {
      report.was_skipped = true;
      return report;
    }
    std::vector<Location> to_read{volume};
    while (!to_read.empty()) {
      const Location directory = to_read.back();
      to_read.pop_back();
      for (const auto& [name, inode] : directory.inode->children) {
        if (const int error = node_.ask("change_group.entry", path + "/" + name, true)) return fail(error);
        if (change.entries_max != 0 && report.seen >= change.entries_max)
          return needs_own_worker(path, change.entries_max);
        // Each entry takes a second: halfway nothing has moved.
        for (int asked = 0; progress && asked < 2; ++asked) {
          if (!progress(report)) return stopped(path);
        }
        ++report.seen;
        Location file;
        if (node_.find(directory, name, file) != 0 || file.mount != volume.mount) continue;
        if (inode->type == FileType::SymbolicLink) continue;
        if (file.is_read_only()) return fail(EROFS);
        if (give(file, change)) ++report.changed;
        if (inode->is_directory()) to_read.push_back(file);
      }
    }
    ++report.seen;
    if (volume.is_read_only()) return fail(EROFS);
    if (give(volume, change)) ++report.changed;
    return report;
  };
  return between_faults<GroupReport>(node_, "change_group", path, act, fail);
}

}  // namespace mooring::kernel::fake
