// The part of LinuxFiles that works on the node outside the root directory.

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <cerrno>

#include "kernel/errors.h"
#include "kernel/linux/host_lookup.h"
#include "kernel/linux/linux_files.h"
#include "kernel/linux/lookup.h"
#include "kernel/linux/uapi.h"

namespace mooring::kernel {
Result<HostLookup> start_host_lookup(const HostLocation& location) {
  HostLookup lookup;
  const std::string start = location.confined_to.value_or("/");
  lookup.base.reset(open(start.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!lookup.base && errno == ENOTDIR) lookup.base.reset(open(start.c_str(), O_PATH | O_CLOEXEC));
  if (!lookup.base) return file_error("cannot open", start, errno);
  std::string_view rest = location.path;
  if (start != "/") rest.remove_prefix(std::min(start.size(), rest.size()));
  while (rest.starts_with('/'))
    rest.remove_prefix(1);
  while (rest.ends_with('/'))
    rest.remove_suffix(1);
  lookup.relative = rest.empty() ? "." : std::string(rest);
  lookup.is_confined = location.confined_to.has_value();
  if (lookup.is_confined) lookup.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;
  return lookup;
}

Descriptor open_host(const HostLookup& lookup, const std::string& relative, int flags, mode_t mode) {
  // The confining mount may be that of a file, in which the kernel looks up nothing, not even ".".
  if (relative == "." && flags == O_PATH) return Descriptor(fcntl(lookup.base.get(), F_DUPFD_CLOEXEC, 0));
  return Descriptor(uapi::openat2(lookup.base.get(), relative.c_str(),
                                  static_cast<std::uint64_t>(flags) | O_CLOEXEC, mode, lookup.resolve));
}

namespace {

std::string parent_of(const std::string& relative) {
  const std::size_t slash = relative.rfind('/');
  if (slash == std::string::npos) return ".";
  const std::size_t end = relative.find_last_not_of('/', slash);
  return end == std::string::npos ? "." : relative.substr(0, end + 1);
}

Result<void> make_path(const HostLookup& lookup, const std::string& relative, const std::string& path) {
  if (open_host(lookup, relative, O_PATH | O_DIRECTORY)) return success();
  if (errno != ENOENT || relative == ".")
    return host_error("cannot make the directory", path, errno, lookup.is_confined);
  const std::string parent = parent_of(relative);
  MOORING_TRY(make_path(lookup, parent, path));
  const Descriptor directory = open_host(lookup, parent, O_PATH | O_DIRECTORY);
  if (!directory) return host_error("cannot make the directory", path, errno, lookup.is_confined);
  const std::string name = relative.substr(relative.rfind('/') + 1);
  if (mkdirat(directory.get(), name.c_str(), 0755) == 0 || errno == EEXIST) {
    if (open_host(lookup, relative, O_PATH | O_DIRECTORY)) return success();
  }
  return host_error("cannot make the directory", path, errno, lookup.is_confined);
}

}  // namespace

Result<std::optional<FileStatus>> LinuxFiles::host_status(const HostLocation& location) {
  const Result<HostLookup> lookup = start_host_lookup(location);
  if (!lookup) {
    if (lookup.error().errno_value == ENOENT) return std::optional<FileStatus>();
    return lookup.error();
  }
  const Descriptor file = open_host(lookup.value(), lookup.value().relative, O_PATH);
  if (!file && errno == ENOENT) return std::optional<FileStatus>();
  FileStatus status;
  if (!file || !read_status(file.get(), "", status)) {
    return host_error("cannot read", location.path, errno, lookup.value().is_confined);
  }
  return std::optional(status);
}

Result<void> LinuxFiles::make_host_directory(const HostLocation& location) {
  MOORING_TRY(const HostLookup lookup, start_host_lookup(location));
  return make_path(lookup, lookup.relative, location.path);
}

Result<void> LinuxFiles::make_host_file(const HostLocation& location) {
  MOORING_TRY(const HostLookup lookup, start_host_lookup(location));
  // What is there is not opened for writing: it may be read-only, a program that runs, a device.
  const Descriptor there = open_host(lookup, lookup.relative, O_PATH);
  if (!there && errno != ENOENT)
    return host_error("cannot create the file", location.path, errno, lookup.is_confined);
  FileStatus status;
  if (there && !read_status(there.get(), "", status)) {
    return host_error("cannot create the file", location.path, errno, lookup.is_confined);
  }
  if (there && status.type == FileType::Directory) {
    return host_error("cannot create the file", location.path, EISDIR, lookup.is_confined);
  }
  if (there) return success();
  const Descriptor file =
      open_host(lookup, lookup.relative, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY, 0644);
  if (!file) return host_error("cannot create the file", location.path, errno, lookup.is_confined);
  return success();
}

Result<std::vector<int>> LinuxFiles::watch_host(const HostLocation& location) {
  constexpr std::uint32_t entries = IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM;
  constexpr std::uint32_t itself = IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_MASK_ADD;
  MOORING_TRY(const HostLookup lookup, start_host_lookup(location));
  std::vector<int> watches;
  std::string ancestor = lookup.relative;
  do {
    ancestor = parent_of(ancestor);
    const Descriptor directory = open_host(lookup, ancestor, O_PATH | O_DIRECTORY);
    if (!directory && (errno == ENOENT || errno == ENOTDIR) && ancestor != "." && watches.empty()) continue;
    if (!directory && watches.empty())
      return host_error("cannot open", location.path, errno, lookup.is_confined);
    if (!directory) break;
    const std::string through = "/proc/self/fd/" + std::to_string(directory.get());
    const int watch =
        inotify_add_watch(inotify_, through.c_str(), watches.empty() ? entries | itself : itself);
    if (watch < 0 && watches.empty())
      return host_error("cannot watch for", location.path, errno, lookup.is_confined);
    if (watch >= 0) watches.push_back(watch);
  } while (ancestor != ".");
  if (watches.empty()) return host_error("cannot watch for", location.path, ENOENT, lookup.is_confined);
  return watches;
}

}  // namespace mooring::kernel
