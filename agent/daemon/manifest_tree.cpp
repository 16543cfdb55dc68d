#include "daemon/manifest_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <memory>

namespace mooring {
namespace {

constexpr int depth_max = 32;
constexpr std::uint32_t directory_mask = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM |
                                         IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB;

bool is_link(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
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

void ManifestTree::watch(const std::string& directory, std::uint32_t mask) {
  const int watch = inotify_add_watch(inotify_.get(), directory.c_str(), mask | IN_ONLYDIR | IN_MASK_ADD);
  if (watch >= 0) watched_[watch] = directory;
}

/// A manifest directory that is not there: whatever appears on the way to it is told.
void ManifestTree::watch_ancestor(const std::string& directory) {
  std::string ancestor = directory;
  while (ancestor.size() > 1) {
    const std::size_t slash = ancestor.rfind('/');
    ancestor = slash == 0 ? "/" : ancestor.substr(0, slash);
    if (access(ancestor.c_str(), F_OK) == 0) break;
  }
  watch(ancestor, IN_CREATE | IN_MOVED_TO | IN_ATTRIB);
}

/// Of a manifest directory that is reached through symbolic links each link's directory, where it can be made
/// to point elsewhere.
void ManifestTree::watch_links(const std::string& directory) {
  constexpr int links_max = 40;  // As the kernel (path_resolution(7)).
  std::filesystem::path reached = "/";
  std::deque<std::filesystem::path> rest;
  const auto prepend = [&rest](const std::filesystem::path& path) {
    std::deque<std::filesystem::path> elements(path.begin(), path.end());
    rest.insert(rest.begin(), elements.begin(), elements.end());
  };
  prepend(std::filesystem::path(directory).relative_path());
  for (int links = 0; !rest.empty() && links < links_max;) {
    const std::filesystem::path next = reached / rest.front();
    rest.pop_front();
    std::error_code failed;
    const std::filesystem::path target = std::filesystem::read_symlink(next, failed);
    if (failed) {
      reached = next;
      continue;
    }
    ++links;
    watch(reached.string(), IN_CREATE | IN_MOVED_TO);
    if (target.is_absolute()) reached = "/";
    prepend(target.relative_path());
  }
}

ManifestTree::Listing ManifestTree::list() {
  Listing listing;
  seen_.clear();
  for (const std::string& directory : directories_) {
    watch_links(directory);
    list_directory(directory, 0, listing);
  }
  std::sort(listing.files.begin(), listing.files.end());
  listing.files.erase(std::unique(listing.files.begin(), listing.files.end()), listing.files.end());
  return listing;
}

void ManifestTree::list_directory(const std::string& directory, int depth, Listing& listing) {
  const auto fail = [&](const std::string& why) { listing.failures.emplace(directory, why); };
  if (depth > depth_max) return fail("directories are nested more than 32 deep");
  watch(directory, directory_mask);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(directory.c_str()), closedir);
  if (!stream) {
    const int cause = errno;
    if (depth == 0) watch_ancestor(directory);
    if (depth > 0 && cause == ENOENT) return;  // It went between the listing above and now.
    return fail("cannot read the manifest directory: " + errno_text(cause));
  }
  struct stat own {};
  if (fstat(dirfd(stream.get()), &own) != 0)
    return fail("cannot read the manifest directory: " + errno_text(errno));
  if (!seen_.insert({own.st_dev, own.st_ino}).second)
    return;  // A link back, or a directory that is named twice.
  while (true) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr) break;
    const std::string name = &entry->d_name[0];
    if (name.starts_with('.')) continue;
    const std::string path = directory + "/" + name;
    bool is_directory = entry->d_type == DT_DIR;
    if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN) {
      struct stat status {};
      is_directory = stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
    }
    if (is_directory) {
      list_directory(path, depth + 1, listing);
    } else if (is_manifest_name(name)) {
      listing.files.push_back(path);
    }
  }
  if (errno != 0) fail("cannot read the manifest directory: " + errno_text(errno));
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
      if ((event.mask & IN_IGNORED) != 0) {
        watched_.erase(event.wd);
        continue;
      }
      const auto directory = watched_.find(event.wd);
      const bool is_of_directory =
          (event.mask & (IN_ISDIR | IN_DELETE_SELF | IN_MOVE_SELF | IN_Q_OVERFLOW)) != 0;
      // "..data" is the link that an atomic writer swaps: every file below it is new then.
      const bool is_swap = name.starts_with("..") && (event.mask & IN_MOVED_TO) != 0;
      if (is_of_directory || is_swap || directory == watched_.end()) {
        is_tree = is_tree || !name.starts_with('.') || is_swap;
        continue;
      }
      if (!is_manifest_name(name)) {
        // Only a link to a directory of manifests matters; directories themselves were seen to above.
        is_tree =
            is_tree || (!name.empty() && !name.starts_with('.') && is_link(directory->second + "/" + name));
        continue;
      }
      const std::string path = directory->second + "/" + name;
      struct stat status {};
      // A symbolic link or a second name is whole at once.
      const bool is_new_file = (event.mask & IN_CREATE) != 0 && lstat(path.c_str(), &status) == 0 &&
                               S_ISREG(status.st_mode) && status.st_nlink == 1;
      changes.push_back({is_new_file ? Change::Kind::New : Change::Kind::File, path});
    }
  }
  if (is_tree) changes.push_back({Change::Kind::Tree, {}});
  return changes;
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
