#include "daemon/manifest_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <memory>
#include <tuple>

namespace mooring {
namespace {

constexpr int depth_max = 32;
constexpr int links_max = 40;  // As the kernel (path_resolution(7)).
constexpr std::uint32_t way_mask =
    IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;
constexpr std::uint32_t file_mask = way_mask | IN_CLOSE_WRITE;
// Linux 6.8; an older kernel ignores it. It is never given twice.
constexpr unsigned statx_mount_id_unique = 0x4000U;

bool is_link(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

bool is_at_or_below(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory + "/");
}

template <class Paths>
bool has_below(const Paths& paths, const std::string& directory) {
  return std::any_of(paths.begin(), paths.end(),
                     [&](const std::string& path) { return is_at_or_below(path, directory); });
}

Error manifest_error(const char* what, const std::string& file, int errno_value) {
  return system_error(ErrorKind::Transient, "Unreadable", what, file, errno_value);
}

}  // namespace

Result<ManifestTree> ManifestTree::open(std::vector<std::string> directories) {
  kernel::Descriptor inotify(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify) {
    Error error = system_error(ErrorKind::Final, "InotifyFailed", "cannot watch the manifests", {}, errno);
    error.remedy = "raise fs.inotify.max_user_instances";
    return error;
  }
  return ManifestTree(std::move(directories), std::move(inotify));
}

bool ManifestTree::is_manifest_name(std::string_view name) {
  return !name.starts_with('.') &&
         (name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json"));
}

/// nullptr if it cannot be watched. `name` is what to call it.
ManifestTree::Watch* ManifestTree::watch(const std::string& path, const std::string& name,
                                         std::uint32_t mask) {
  const int watch = inotify_add_watch(inotify_.get(), path.c_str(), mask | IN_ONLYDIR | IN_MASK_ADD);
  if (watch < 0) {
    // What is not there any more has told so, or the listing does.
    if (errno == ENOENT || errno == ENOTDIR || !watch_problem_.empty()) return nullptr;
    watch_problem_ = "cannot watch " + name + ": " + errno_text(errno);
    if (errno == ENOSPC) watch_problem_ += ": raise fs.inotify.max_user_watches";
    return nullptr;
  }
  Watch& used = watched_[watch];
  used.is_used = true;
  return &used;
}

/// Watches each symbolic link on the way from a directory along a relative path, where it can be made to
/// point elsewhere, and the first thing that is missing, where it can appear. `is_end_told`: what the way
/// leads to as well. It is the way to a manifest, or (empty) to a directory.
void ManifestTree::watch_way(std::string from, const std::string& path, const std::string& manifest,
                             bool is_end_told) {
  std::deque<std::string> rest;
  const auto prepend = [&rest](const std::filesystem::path& more) {
    rest.insert(rest.begin(), more.begin(), more.end());
  };
  const auto note = [&](const std::string& name, std::uint32_t mask) {
    Watch* const watch_of = watch(from.empty() ? "/" : from, from.empty() ? "/" : from, mask);
    if (watch_of == nullptr) return;
    if (manifest.empty()) {
      watch_of->steps.insert(name);
    } else {
      watch_of->manifests[name].insert(manifest);
    }
  };
  prepend(path);
  for (int links = 0; !rest.empty();) {
    const std::string name = rest.front();
    rest.pop_front();
    if (name.empty() || name == ".") continue;
    const std::string next = from + "/" + name;
    std::error_code failed;
    const std::filesystem::path target = std::filesystem::read_symlink(next, failed);
    if (!failed) {
      if (next != manifest) note(name, way_mask);  // The directory tells of a manifest's own name.
      if (++links > links_max) return;
      if (target.is_absolute()) from.clear();
      prepend(target.relative_path());
      continue;
    }
    if (failed != std::errc::invalid_argument) return note(name, way_mask);  // Missing, or out of reach.
    if (rest.empty() && is_end_told) note(name, file_mask);
    from = next;
  }
}

void ManifestTree::drop_unused_watches() {
  std::erase_if(watched_, [this](const auto& watched) {
    if (!watched.second.is_used) inotify_rm_watch(inotify_.get(), watched.first);
    return !watched.second.is_used;
  });
}

ManifestTree::Identity ManifestTree::identify(int at, const std::string& path) {
  struct statx status {};
  const int flags = (path.empty() ? AT_EMPTY_PATH : 0) | AT_STATX_DONT_SYNC;
  const unsigned wanted = STATX_INO | STATX_MNT_ID | statx_mount_id_unique;
  if (statx(at, path.c_str(), flags, wanted, &status) != 0) return {};
  return {makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_ino, status.stx_mnt_id};
}

bool ManifestTree::is_as_listed(const std::string& directory) const {
  const auto listed = listed_.find(directory);
  const Identity now = identify(AT_FDCWD, directory);
  return listed != listed_.end() && now == listed->second.counts && now != Identity{};
}

bool ManifestTree::is_exchanged() const {
  return std::any_of(listed_.begin(), listed_.end(), [](const auto& listed) {
    return identify(AT_FDCWD, listed.first) != listed.second.seen;
  });
}

ManifestTree::Listing ManifestTree::list() {
  Listing listing;
  seen_.clear();
  found_.clear();
  watch_problem_.clear();
  for (auto& [descriptor, watch] : watched_)
    watch = {};
  for (const std::string& directory : directories_) {
    watch_way({}, directory.substr(1), {}, false);
    list_directory(directory, 0, listing);
  }
  std::sort(listing.files.begin(), listing.files.end());
  listing.files.erase(std::unique(listing.files.begin(), listing.files.end()), listing.files.end());
  settle(listing);
  drop_unused_watches();
  listing.watch_problem = watch_problem_;
  return listing;
}

void ManifestTree::list_directory(const std::string& directory, int depth, Listing& listing) {
  const auto fail = [&](const std::string& why) { listing.failures.emplace(directory, why); };
  if (depth > depth_max) return fail("directories are nested more than 32 deep");
  std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(directory.c_str()), closedir);
  if (!stream) {
    const int cause = errno;
    // It went between the listing above and now.
    if (depth > 0 && cause == ENOENT && presence(directory) == Presence::Absent) return;
    watch_way({}, directory.substr(1), {}, true);
    return fail("cannot read the manifest directory: " + errno_text(cause));
  }
  const int descriptor = dirfd(stream.get());
  const Identity own = identify(descriptor, {});
  if (own == Identity{}) return fail("cannot read the manifest directory: " + errno_text(errno));
  found_[directory] = own;
  // A link back, or a directory that is named twice, goes by its first name.
  if (!seen_.emplace(std::pair(own.device, own.inode), directory).second) return;
  // Just what was opened, whatever has this name now.
  Watch* const own_watch = watch("/proc/self/fd/" + std::to_string(descriptor), directory, file_mask);
  if (own_watch != nullptr) own_watch->directory = directory;
  std::vector<Entry> entries;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr) break;
    take_entry(directory, &entry->d_name[0], entry->d_type, entries, listing);
  }
  if (errno != 0) fail("cannot read the manifest directory: " + errno_text(errno));
  stream.reset();
  // A directory goes by its own name rather than by that of a link, and always by the same.
  std::sort(entries.begin(), entries.end(), [](const Entry& left, const Entry& right) {
    return std::tie(left.is_link, left.name) < std::tie(right.is_link, right.name);
  });
  for (const Entry& entry : entries) {
    const std::string path = directory + "/" + entry.name;
    if (entry.is_link) watch_way(directory, entry.name, entry.is_directory ? "" : path, !entry.is_directory);
    if (entry.is_directory) {
      list_directory(path, depth + 1, listing);
    } else {
      listing.files.push_back(path);
    }
  }
}

/// Takes what is a manifest, or is to be listed. A link of which nobody can tell whether it leads to a
/// directory is a failure: it may be one with manifests.
void ManifestTree::take_entry(const std::string& directory, const char* name, unsigned char type,
                              std::vector<Entry>& out, Listing& listing) {
  Entry entry{type == DT_LNK, name, type == DT_DIR};
  if (entry.name.starts_with('.')) return;
  const std::string path = directory + "/" + entry.name;
  if (type == DT_LNK || type == DT_UNKNOWN) {
    struct stat status {};
    bool is_reached = stat(path.c_str(), &status) == 0;
    if (!is_reached && presence(path) == Presence::Absent) return;  // It went since.
    if (!is_reached && (!is_manifest_name(entry.name) || listed_.contains(path))) {
      watch_way(directory, entry.name, {}, true);
      is_reached = stat(path.c_str(), &status) == 0;  // It may have come before the watch stood.
      if (!is_reached) {
        listing.failures.emplace(path, "cannot tell what it leads to: " + errno_text(errno) +
                                           "; make that reachable again, or remove the link");
        return;
      }
    }
    if (type == DT_UNKNOWN) entry.is_link = is_link(path);
    entry.is_directory = is_reached && S_ISDIR(status.st_mode);
  }
  if (entry.is_directory || is_manifest_name(entry.name)) out.push_back(std::move(entry));
}

/// True if the directory is another one because the one that it is in was exchanged for one with manifests:
/// as when a link is made to lead to the next release.
bool ManifestTree::came_with_parent(const std::string& directory) const {
  const std::string parent = directory.substr(0, directory.rfind('/'));
  const auto now = found_.find(parent);
  const auto before = listed_.find(parent);
  if (now == found_.end() || before == listed_.end() || hidden_.contains(parent)) return false;
  const Identity& was = listed_.at(directory).counts;
  return before->second.counts != now->second && was != Identity{} &&
         was.mount == before->second.counts.mount && found_.at(directory).mount == now->second.mount;
}

/// Compares with the listings before: what was not removed but is hidden, is a failure. Where all is well,
/// this listing is what the next one is compared with.
void ManifestTree::settle(Listing& listing) {
  hidden_.clear();
  for (const auto& [directory, identity] : found_) {
    const auto before = listed_.find(directory);
    if (before == listed_.end() || before->second.counts == identity) continue;
    const std::string& name = seen_.at({identity.device, identity.inode});
    if (!has_below(files_, directory) || has_below(listing.files, name)) continue;
    if (came_with_parent(directory)) continue;
    hidden_.insert(directory);
    const bool is_top = std::find(directories_.begin(), directories_.end(), directory) != directories_.end();
    listing.failures.emplace(directory,
                             std::string("it was unmounted, covered by a mount or exchanged, and holds no "
                                         "manifest now; bring back what was there, ") +
                                 (is_top ? "" : "remove the directory, ") +
                                 "or put a manifest into it (one with only a comment will do)");
  }
  const auto fails = [&failures = listing.failures](const std::string& path) {
    return std::any_of(failures.begin(), failures.end(),
                       [&](const auto& failure) { return is_at_or_below(path, failure.first); });
  };
  std::map<std::string, Directory> next;
  for (const auto& [directory, identity] : found_)
    next[directory] = {identity, identity};
  for (const auto& [directory, before] : listed_)
    if (found_.contains(directory) ? listing.failures.contains(directory) : fails(directory))
      next[directory].counts = before.counts;
  for (const auto& [directory, why] : listing.failures)
    next.try_emplace(directory);
  for (auto& [directory, now] : next)
    if (!found_.contains(directory)) now.seen = identify(AT_FDCWD, directory);
  listed_ = std::move(next);
  std::erase_if(files_, [&](const std::string& file) { return !fails(file); });
  files_.insert(listing.files.begin(), listing.files.end());
}

std::vector<ManifestTree::Change> ManifestTree::take_changes() {
  std::vector<Change> changes;
  bool is_tree = false;
  alignas(inotify_event) std::array<char, 16384> buffer{};
  while (true) {
    const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (got <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const std::string name =
          event.len == 0 ? std::string() : std::string(buffer.data() + at + sizeof event);
      at += sizeof event + event.len;
      is_tree = take_event(event, name, changes) || is_tree;
    }
  }
  if (is_tree) changes.push_back({Change::Kind::Tree, {}});
  return changes;
}

/// True if everything is to be listed again.
bool ManifestTree::take_event(const inotify_event& event, const std::string& name,
                              std::vector<Change>& changes) {
  const auto has = [&event](std::uint32_t bits) { return (event.mask & bits) != 0; };
  if (has(IN_Q_OVERFLOW)) return true;
  const auto found = watched_.find(event.wd);
  if (found == watched_.end()) return false;  // The last listing had no more use for it.
  const std::string directory = found->second.directory;
  if (has(IN_UNMOUNT)) {  // Whatever has its place, its number or its mount's from now on is another one.
    if (const auto listed = listed_.find(directory); listed != listed_.end()) listed->second = {};
  }
  if (has(IN_IGNORED)) {
    watched_.erase(found);
    return false;
  }
  if (has(IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF)) return true;
  bool is_tree = found->second.steps.contains(name) || (name.empty() && !found->second.steps.empty());
  const auto tell = [&](const std::string& path) {
    const bool leads_elsewhere = is_link(path);
    const bool is_own = path == directory + "/" + name;
    struct stat status {};
    const bool is_reached = stat(path.c_str(), &status) == 0;
    // A symbolic link or a second name is whole at once.
    const bool is_new_file = has(IN_CREATE) && !(is_own && leads_elsewhere) && is_reached &&
                             S_ISREG(status.st_mode) && status.st_nlink == 1;
    if (listed_.contains(path) || (is_reached && S_ISDIR(status.st_mode))) {
      is_tree = true;  // A directory of manifests may have such a name too.
      return;
    }
    changes.push_back({is_new_file ? Change::Kind::New : Change::Kind::File, path});
    if (leads_elsewhere)
      watch_way(path.substr(0, path.rfind('/')), path.substr(path.rfind('/') + 1), path, true);
  };
  if (const auto ways = found->second.manifests.find(name); ways != found->second.manifests.end()) {
    for (const std::string& manifest : std::set(ways->second))
      tell(manifest);
  }
  if (directory.empty()) return is_tree;
  // "..data" is the link that an atomic writer swaps: every file below it is new then.
  const bool is_swap = name.starts_with("..") && has(IN_MOVED_TO);
  if (has(IN_ISDIR) || is_swap) return is_tree || !name.starts_with('.') || is_swap;
  const std::string path = directory + "/" + name;
  if (!is_manifest_name(name)) {
    // Only a link to a directory of manifests matters; directories themselves were seen to above.
    return is_tree || (!name.empty() && !name.starts_with('.') && is_link(path));
  }
  files_.insert(path);
  tell(path);
  // The first manifest in the place of what is hidden decides about that.
  return is_tree || std::any_of(hidden_.begin(), hidden_.end(),
                                [&](const std::string& hidden) { return is_at_or_below(directory, hidden); });
}

ManifestTree::Presence ManifestTree::presence(const std::string& file) {
  struct stat status {};
  if (lstat(file.c_str(), &status) == 0) return Presence::There;
  return errno == ENOENT ? Presence::Absent : Presence::Unknown;
}

bool ManifestTree::read_signature(const std::string& file, Signature& out) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) return false;
  out = {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
         std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
  return true;
}

Result<std::string> ManifestTree::read(const std::string& file, std::size_t size_max) {
  // Not blocking, because a fifo of that name must not hold up anything.
  const kernel::Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!descriptor) return manifest_error("cannot open the manifest", file, errno);
  struct stat status {};
  if (fstat(descriptor.get(), &status) != 0) return manifest_error("cannot read the manifest", file, errno);
  if (!S_ISREG(status.st_mode)) return manifest_error("the manifest is not a regular file:", file, EINVAL);
  std::string content(std::min(static_cast<std::size_t>(status.st_size), size_max) + 1, '\0');
  std::size_t size = 0;
  while (true) {
    if (size == content.size()) content.resize(content.size() * 2);
    const ssize_t got = ::read(descriptor.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return manifest_error("cannot read the manifest", file, errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
    if (size <= size_max) continue;
    Error error = manifest_error("the manifest is larger than 16 MiB", file, EFBIG);
    error.reason = "TooLarge";
    return error;
  }
  content.resize(size);
  return content;
}

}  // namespace mooring
