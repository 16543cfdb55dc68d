#include "daemon/driver_watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/quote.h"

namespace mooring {
namespace {

constexpr int depth_max = 8;
constexpr std::size_t sockets_max = 256;
constexpr std::size_t watches_max = 256;
constexpr std::size_t entries_max = 10'000;  // Of one directory.

constexpr std::uint32_t mask = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |
                               IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK;

SocketIdentity identity_of(const struct statx& status) {
  SocketIdentity identity;
  identity.device = (std::uint64_t{status.stx_dev_major} << 32) | status.stx_dev_minor;
  identity.inode = status.stx_ino;
  if ((status.stx_mask & STATX_BTIME) != 0)
    identity.born_ns = status.stx_btime.tv_sec * 1'000'000'000 + status.stx_btime.tv_nsec;
  return identity;
}

}  // namespace

DriverTree::DriverTree(std::string directory)
    : directory_(std::move(directory)), inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

/// The first problem is told: those behind it are mostly of the same cause.
void DriverTree::note(Listing& listing, const std::string& what, const std::string& path, int errno_value) {
  if (!listing.problem.empty()) return;
  listing.problem = what + " " + quoted_if_needed(path) +
                    (errno_value == 0 ? std::string() : ": " + errno_text(errno_value));
}

DriverTree::Listing DriverTree::list() {
  Listing listing;
  used_.clear();
  if (mkdir(directory_.c_str(), 0750) != 0 && errno != EEXIST)
    note(listing, "cannot make the registry of drivers", directory_, errno);
  list_directory(directory_, 0, listing);
  for (const int watch : watches_) {
    // Fails if the directory is gone: the kernel removed it then.
    if (!used_.contains(watch)) inotify_rm_watch(inotify_.get(), watch);
  }
  watches_ = used_;
  std::sort(listing.sockets.begin(), listing.sockets.end(),
            [](const auto& one, const auto& other) { return one.path < other.path; });
  last_ = listing.sockets;
  return listing;
}

void DriverTree::keep_sockets_below(const std::string& directory, Listing& listing) {
  for (const RegistrySocket& socket : last_) {
    if (socket.path.starts_with(directory + "/")) listing.sockets.push_back(socket);
  }
}

void DriverTree::list_directory(const std::string& directory, int depth, Listing& listing) {
  if (depth > depth_max || used_.size() >= watches_max)
    return note(listing, "too many directories in the registry of drivers; passed over is", directory, 0);
  const int watch = inotify_add_watch(inotify_.get(), directory.c_str(), mask);
  if (watch >= 0) {
    used_.insert(watch);
  } else if (errno != ENOENT && errno != ENOTDIR) {
    note(listing, "cannot watch the directory of drivers", directory, errno);
  }
  const int opened = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opened < 0 ? nullptr : fdopendir(opened), closedir);
  if (!entries) {
    const int why = errno;
    if (opened >= 0) close(opened);
    if (depth > 0 && (why == ENOENT || why == ENOTDIR)) return;  // It went just now.
    note(listing, "cannot read the directory of drivers", directory, why);
    return keep_sockets_below(directory, listing);
  }
  std::size_t count = 0;
  errno = 0;
  while (const dirent* entry = readdir(entries.get())) {
    if (++count > entries_max)
      return note(listing, "too many entries in the registry of drivers:", directory, 0);
    if (counts_in_registry(entry->d_name))
      take_entry(directory + "/" + entry->d_name, dirfd(entries.get()), entry->d_name, depth, listing);
    errno = 0;
  }
  if (errno != 0) note(listing, "cannot read all of the directory of drivers", directory, errno);
}

void DriverTree::take_entry(const std::string& path, int at, const char* name, int depth, Listing& listing) {
  struct statx status {};
  if (statx(at, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME, &status) != 0) {
    if (errno != ENOENT) note(listing, "cannot look at", path, errno);
    return;
  }
  if (S_ISDIR(status.stx_mode)) return list_directory(path, depth + 1, listing);
  if (!S_ISSOCK(status.stx_mode)) return;
  if (listing.sockets.size() >= sockets_max)
    return note(listing, "too many sockets in the registry of drivers; passed over is", path, 0);
  listing.sockets.push_back({path, identity_of(status)});
}

bool DriverTree::take_changes() {
  alignas(inotify_event) std::array<char, 16384> buffer{};
  bool is_any = false;
  while (read(inotify_.get(), buffer.data(), buffer.size()) > 0)
    is_any = true;
  return is_any;
}

DriverWatch::DriverWatch(boost::asio::io_context& loop, const std::string& directory, Listed listed,
                         Problem problem)
    : tree_(directory),
      burst_(
          loop, std::chrono::milliseconds(50), [this] { return tree_.take_changes(); }, [this] { list(); }),
      listed_(std::move(listed)),
      problem_(std::move(problem)) {}

void DriverWatch::start() {
  burst_.watch(tree_.inotify());
  list();
}

void DriverWatch::list() {
  // What cannot be watched, or is not there, is looked at again and again.
  constexpr std::chrono::milliseconds blind_pause{10'000};
  DriverTree::Listing listing = tree_.list();
  if (!listing.problem.empty() && listing.problem != last_problem_) problem_(listing.problem);
  last_problem_ = listing.problem;
  if (!listing.problem.empty() || tree_.inotify() < 0) burst_.look_later(blind_pause);
  if (std::exchange(is_told_, true) && listing.sockets == told_) return;
  told_ = listing.sockets;
  listed_(std::move(listing.sockets));
}

}  // namespace mooring
