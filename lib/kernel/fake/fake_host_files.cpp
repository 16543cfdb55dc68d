// The part of FakeFiles that works on the node outside the root directory.

#include <cerrno>

#include "kernel/errors.h"
#include "kernel/fake/fake_files.h"

namespace mooring::kernel::fake {
Result<FakeHostLookup> start_host_lookup(const FakeNode& node, const HostLocation& location) {
  FakeHostLookup lookup;
  const std::string start = location.confined_to.value_or("/");
  const Walk walked = node.walk(node.start(), start, {});
  if (walked.error != 0) return file_error("cannot open", start, walked.error);
  lookup.base = walked.found;
  std::string_view rest = location.path;
  if (start != "/") rest.remove_prefix(std::min(start.size(), rest.size()));
  while (rest.starts_with('/'))
    rest.remove_prefix(1);
  while (rest.ends_with('/'))
    rest.remove_suffix(1);
  lookup.relative = rest.empty() ? "." : std::string(rest);
  lookup.is_confined = location.confined_to.has_value();
  return lookup;
}

Walk walk_host(const FakeNode& node, const FakeHostLookup& lookup, const std::string& relative,
               bool wants_directory) {
  Lookup how;
  how.refuses_crossing = lookup.is_confined;
  how.wants_directory = wants_directory;
  // The confining mount may be that of a file.
  if (relative == "." && !wants_directory) return {0, lookup.base, {}, {}};
  return node.walk(lookup.base, relative, how);
}

namespace {

std::string parent_of(const std::string& relative) {
  const std::size_t slash = relative.rfind('/');
  if (slash == std::string::npos) return ".";
  const std::size_t end = relative.find_last_not_of('/', slash);
  return end == std::string::npos ? "." : relative.substr(0, end + 1);
}

/// mkdir -p of `relative`; 0 or the errno of the first call that failed.
int make_path(FakeNode& node, const FakeHostLookup& lookup, const std::string& relative) {
  const int error = walk_host(node, lookup, relative, true).error;
  if (error == 0) return 0;
  if (error != ENOENT || relative == ".") return error;
  const std::string parent = parent_of(relative);
  if (const int failed = make_path(node, lookup, parent)) return failed;
  const Walk directory = walk_host(node, lookup, parent, true);
  if (directory.error != 0) return directory.error;
  const std::string name = relative.substr(relative.rfind('/') + 1);
  const int made = node.make(directory.found, name, FileType::Directory, 0755);
  if (made != 0 && made != EEXIST) return made;
  return walk_host(node, lookup, relative, true).error;
}

/// open(2) with O_PATH, and with O_CREAT if there is nothing.
int open_or_create(FakeNode& node, const FakeHostLookup& lookup) {
  const Walk walked = walk_host(node, lookup, lookup.relative, false);
  if (walked.error == ENOENT && !walked.missing.empty()) {
    return node.make(walked.directory, walked.missing, FileType::Regular, 0644);
  }
  if (walked.error != 0) return walked.error;
  return walked.found.inode->is_directory() ? EISDIR : 0;
}

}  // namespace

Result<std::optional<FileStatus>> FakeFiles::host_status(const HostLocation& location) {
  using Answer = std::optional<FileStatus>;
  const bool is_confined = location.confined_to.has_value();
  const auto fail = [&](int error) { return host_error("cannot read", location.path, error, is_confined); };
  const auto act = [&]() -> Result<Answer> {
    const Result<FakeHostLookup> lookup = start_host_lookup(node_, location);
    if (!lookup) {
      if (lookup.error().errno_value == ENOENT) return Answer();
      return lookup.error();
    }
    const Walk walked = walk_host(node_, lookup.value(), lookup.value().relative, false);
    if (walked.error == ENOENT) return Answer();
    if (walked.error != 0) return fail(walked.error);
    return Answer(status_of(walked.found));
  };
  return between_faults<Answer>(node_, "host_status", location.path, act, fail);
}

Result<void> FakeFiles::make_host_directory(const HostLocation& location) {
  const auto fail = [&](int error) {
    return host_error("cannot make the directory", location.path, error, location.confined_to.has_value());
  };
  const auto act = [&]() -> Result<void> {
    MOORING_TRY(const FakeHostLookup lookup, start_host_lookup(node_, location));
    if (const int error = make_path(node_, lookup, lookup.relative)) return fail(error);
    return success();
  };
  return between_faults<void>(node_, "make_host_directory", location.path, act, fail);
}

Result<void> FakeFiles::make_host_file(const HostLocation& location) {
  const auto fail = [&](int error) {
    return host_error("cannot create the file", location.path, error, location.confined_to.has_value());
  };
  const auto act = [&]() -> Result<void> {
    MOORING_TRY(const FakeHostLookup lookup, start_host_lookup(node_, location));
    if (const int error = open_or_create(node_, lookup)) return fail(error);
    return success();
  };
  return between_faults<void>(node_, "make_host_file", location.path, act, fail);
}

Result<std::vector<int>> FakeFiles::watch_host(const HostLocation& location) {
  using Answer = std::vector<int>;
  const auto fail = [&](int error) {
    return host_error("cannot watch for", location.path, error, location.confined_to.has_value());
  };
  const auto act = [&]() -> Result<Answer> {
    MOORING_TRY(const FakeHostLookup lookup, start_host_lookup(node_, location));
    Answer watches;
    std::string ancestor = lookup.relative;
    do {
      ancestor = parent_of(ancestor);
      const Walk walked = walk_host(node_, lookup, ancestor, true);
      if (walked.error == 0) {
        watches.push_back(node_.add_watch(walked.found.inode, watches.empty()));
      } else if (!watches.empty()) {
        break;
      } else if ((walked.error != ENOENT && walked.error != ENOTDIR) || ancestor == ".") {
        return fail(walked.error);
      }
    } while (ancestor != ".");
    return watches;
  };
  return between_faults<Answer>(node_, "watch_host", location.path, act, fail);
}

}  // namespace mooring::kernel::fake
