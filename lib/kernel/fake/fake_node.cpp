#include "kernel/fake/fake_node.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <deque>

namespace mooring::kernel::fake {
namespace {

constexpr int links_max = 40;
constexpr std::size_t name_size_max = 255;
constexpr std::size_t path_size_max = 4095;

/// Puts the elements of `path` before `rest`.
void prepend(std::deque<std::string>& rest, const std::string& path) {
  std::vector<std::string> names;
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin) names.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  rest.insert(rest.begin(), names.begin(), names.end());
}

bool is_same_or_below(const Inode* inode, const Inode* ancestor) {
  for (; inode != nullptr; inode = inode->parent) {
    if (inode == ancestor) return true;
  }
  return false;
}

}  // namespace

FakeNode::FakeNode() {
  auto root = std::make_unique<Mount>();
  root->id = next_mount_id_++;
  root->file_system = std::make_shared<FileSystem>("ext4", "/dev/vda1", 254, 1, 0755);
  root->root = root->file_system->root;
  mounts_.push_back(std::move(root));
}

int FakeNode::step_up(Location& at, const Location& from, const Lookup& how) const {
  if (how.is_beneath && at == from) return EXDEV;
  while (at.is_mount_root() && at.mount->parent != nullptr) {
    if (how.refuses_crossing) return EXDEV;
    at = {at.mount->parent, at.mount->point};
  }
  if (at.is_mount_root()) return 0;  // The root of all: ".." of "/" is "/".
  if (at.inode->parent == nullptr) return ENOENT;
  Inode* parent = at.inode->parent;
  at.inode = parent->parent == nullptr ? parent->file_system->root : parent->parent->child(parent->name);
  return 0;
}

Walk FakeNode::walk(const Location& from, const std::string& path, const Lookup& how) const {
  if (path.empty()) return {ENOENT, {}, {}, {}};
  if (path.size() > path_size_max) return {ENAMETOOLONG, {}, {}, {}};
  const bool is_absolute = path.front() == '/';
  if (is_absolute && how.is_beneath) return {EXDEV, {}, {}, {}};
  Location at = is_absolute ? start() : from;
  bool wants_directory = how.wants_directory || path.back() == '/';
  int links = 0;
  std::deque<std::string> rest;
  prepend(rest, path);
  // The kernel refuses to start at a file even for ".".
  if (!at.inode->is_directory()) return {ENOTDIR, {}, {}, {}};
  if (path != ".") ask_server(at, how);
  while (!rest.empty()) {
    const std::string name = rest.front();
    rest.pop_front();
    if (!at.inode->is_directory()) return {ENOTDIR, {}, {}, {}};
    if (name == ".") continue;
    if (name == "..") {
      if (const int error = step_up(at, from, how)) return {error, {}, {}, {}};
      continue;
    }
    if (name.size() > name_size_max) return {ENAMETOOLONG, {}, {}, {}};
    Location next{at.mount, at.inode->child(name)};
    if (next.inode == nullptr) return {ENOENT, {}, at, rest.empty() ? name : std::string()};
    cross_mounts(next);
    if (next.mount != at.mount && how.refuses_crossing) return {EXDEV, {}, {}, {}};
    if (next.mount != at.mount) ask_server(next, how);
    const bool is_followed = !rest.empty() || how.follows_last || path.back() == '/';
    if (next.inode->type != FileType::SymbolicLink || !is_followed) {
      at = next;
      continue;
    }
    if (how.refuses_links || ++links > links_max) return {ELOOP, {}, {}, {}};
    const std::string& target = next.inode->content;
    if (target.front() == '/') {
      if (how.is_beneath || (how.refuses_crossing && at.mount != start().mount)) return {EXDEV, {}, {}, {}};
      at = start();
    }
    if (rest.empty() && target.back() == '/') wants_directory = true;
    prepend(rest, target);
  }
  if (wants_directory && !at.inode->is_directory()) return {ENOTDIR, {}, {}, {}};
  return {0, at, {}, {}};
}

void FakeNode::ask_server(const Location& at, const Lookup& how) const {
  if (how.asks_servers && !answers(*at.mount->file_system)) throw FakeHang{};
}

int FakeNode::find(const Location& directory, const std::string& name, Location& out,
                   bool asks_servers) const {
  if (name.empty()) {
    out = directory;
    return 0;
  }
  Lookup how;
  how.follows_last = false;
  how.asks_servers = asks_servers;
  const Walk walked = walk(directory, name, how);
  out = walked.found;
  return walked.error;
}

int FakeNode::make(const Location& directory, const std::string& name, FileType type, std::uint32_t mode,
                   const std::string& content) {
  Inode& parent = *directory.inode;
  if (!parent.is_directory()) return ENOTDIR;
  if (name.empty()) return ENOENT;
  if (name == "." || name == "..") return EEXIST;
  if (name.size() > name_size_max) return ENAMETOOLONG;
  // What is there is told before what may not be written.
  if (parent.child(name) != nullptr) return EEXIST;
  if (directory.is_read_only()) return EROFS;
  if (parent.is_removed) return ENOENT;
  if (type == FileType::Directory) mode |= parent.mode & S_ISGID;
  if (const int error = parent.file_system->add(parent, name, type, mode, content)) return error;
  // Whoever makes it is root, whose group is 0, in a set-group-id directory that of the directory.
  parent.child(name)->group = (parent.mode & S_ISGID) != 0 ? parent.group : directory.mount->mapped(0);
  fire_entries(parent);
  return 0;
}

int FakeNode::remove(const Location& directory, const std::string& name, bool is_directory) {
  Inode& parent = *directory.inode;
  if (name.empty()) return ENOENT;
  if (name == ".") return is_directory ? EINVAL : EISDIR;
  if (name == "..") return is_directory ? ENOTEMPTY : EISDIR;
  // Whether anything may be written is asked before what is there.
  if (directory.is_read_only()) return EROFS;
  if (name.size() > name_size_max) return ENAMETOOLONG;
  const std::shared_ptr<Inode> file = parent.child(name);
  if (file == nullptr) return ENOENT;
  if (is_directory && !file->is_directory()) return ENOTDIR;
  if (!is_directory && file->is_directory()) return EISDIR;
  // A mount point through any mount of the file system, not only through this one.
  if (file->mounts_on > 0) return EBUSY;
  if (!file->children.empty()) return ENOTEMPTY;
  file->file_system->drop(file);
  fire_entries(parent);
  fire(file->watch_number);
  end_watch(*file);
  return 0;
}

int FakeNode::move(const Location& from, const std::string& from_name, const Location& to,
                   const std::string& to_name) {
  if (from_name.empty() || to_name.empty()) return ENOENT;
  if (from.mount != to.mount) return EXDEV;
  if (from_name == "." || from_name == "..") return EBUSY;
  if (to_name == "." || to_name == "..") return EEXIST;
  if (from.is_read_only()) return EROFS;
  if (from_name.size() > name_size_max || to_name.size() > name_size_max) return ENAMETOOLONG;
  const std::shared_ptr<Inode> file = from.inode->child(from_name);
  if (file == nullptr) return ENOENT;
  if (to.inode->child(to_name) != nullptr) return EEXIST;
  if (to.inode->is_removed) return ENOENT;
  if (is_same_or_below(to.inode.get(), file.get())) return EINVAL;
  if (file->mounts_on > 0) return EBUSY;
  from.inode->children.erase(from_name);
  file->parent = to.inode.get();
  file->name = to_name;
  to.inode->children[to_name] = file;
  fire_entries(*from.inode);
  fire_entries(*to.inode);
  fire(file->watch_number);
  return 0;
}

int FakeNode::add_watch(const std::shared_ptr<Inode>& directory, bool of_entries) {
  directory->is_watched_for_entries = directory->is_watched_for_entries || of_entries;
  if (directory->watch_number == 0) {
    directory->watch_number = next_watch_++;
    watches_[directory->watch_number] = directory;
  }
  return directory->watch_number;
}

void FakeNode::remove_watch(int number) {
  const auto found = watches_.find(number);
  if (found != watches_.end()) end_watch(*found->second);
}

void FakeNode::end_watch(Inode& inode) {
  const int number = std::exchange(inode.watch_number, 0);
  inode.is_watched_for_entries = false;
  if (number != 0) watches_.erase(number);
}

void FakeNode::fire_entries(const Inode& directory) {
  if (directory.is_watched_for_entries) fire(directory.watch_number);
}

void FakeNode::fire(int watch_number) {
  if (watch_number == 0 || std::find(fired_.begin(), fired_.end(), watch_number) != fired_.end()) return;
  fired_.push_back(watch_number);
}

std::vector<int> FakeNode::take_fired_watches() {
  return std::exchange(fired_, {});
}

int FakeNode::ask(std::string_view call, const std::string& path, bool before) const {
  if (!hook) return 0;
  const Fault fault = hook(call, path, before);
  switch (fault.what) {
    case Fault::What::None:
      return 0;
    case Fault::What::Errno:
      return fault.errno_value;
    case Fault::What::Crash:
      throw FakeCrash{};
    case Fault::What::Hang:
      throw FakeHang{};
  }
  return 0;
}

}  // namespace mooring::kernel::fake
