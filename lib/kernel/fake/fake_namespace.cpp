// The mounts of FakeNode.

#include <algorithm>
#include <cerrno>

#include "kernel/fake/fake_node.h"

namespace mooring::kernel::fake {

Mount* FakeNode::mounted_on(const Location& at) const {
  if (at.inode->mounts_on == 0) return nullptr;
  for (const auto& mount : mounts_) {
    if (mount->parent == at.mount && mount->point == at.inode) return mount.get();
  }
  return nullptr;  // Mounted on, but through another mount of the same file system.
}

void FakeNode::cross_mounts(Location& at) const {
  while (Mount* above = mounted_on(at))
    at = {above, above->root};
}

std::shared_ptr<FileSystem> FakeNode::new_file_system(const std::string& type, const std::string& source,
                                                      std::uint32_t root_mode) {
  return std::make_shared<FileSystem>(type, source, 0, next_device_minor_++, root_mode);
}

int FakeNode::attach(std::vector<std::unique_ptr<Mount>> tree, const Location& directory,
                     const std::string& name) {
  Location target;
  if (name.empty()) return ENOENT;
  if (const int error = find(directory, name, target)) return error;
  // move_mount answers EINVAL where mount(2) answers ENOTDIR.
  if (target.inode->is_directory() != tree.front()->root->is_directory()) return EINVAL;
  if (target.inode->is_removed) return ENOENT;
  tree.front()->parent = target.mount;
  tree.front()->point = target.inode;
  for (auto& mount : tree) {
    mount->id = next_mount_id_++;
    ++mount->point->mounts_on;
    mounts_.push_back(std::move(mount));
  }
  return 0;
}

int FakeNode::mount(const std::shared_ptr<FileSystem>& file_system, const Location& directory,
                    const std::string& name, bool is_read_only) {
  std::vector<std::unique_ptr<Mount>> tree;
  tree.push_back(std::make_unique<Mount>());
  tree.front()->is_read_only = is_read_only;
  tree.front()->file_system = file_system;
  tree.front()->root = file_system->root;
  return attach(std::move(tree), directory, name);
}

int FakeNode::bind(const Location& source, bool is_recursive, bool is_read_only, const Location& directory,
                   const std::string& name) {
  const auto is_below_source = [&](const Inode* inode) {
    while (inode != nullptr && inode != source.inode.get())
      inode = inode->parent;
    return inode != nullptr;
  };
  std::vector<std::unique_ptr<Mount>> tree;
  std::map<const Mount*, Mount*> copies;
  const auto copy = [&](const Mount& original) {
    tree.push_back(std::make_unique<Mount>(original));
    Mount* made = tree.back().get();
    made->is_read_only = original.is_read_only || is_read_only;
    copies[&original] = made;
    return made;
  };
  copy(*source.mount)->root = source.inode;
  // Parents come before their children in the order of ids.
  for (const auto& mount : mounts_) {
    if (!is_recursive || mount->parent == nullptr || !copies.contains(mount->parent)) continue;
    if (mount->parent == source.mount && !is_below_source(mount->point.get())) continue;
    if (mount.get() == source.mount) continue;
    Mount* parent = copies[mount->parent];
    copy(*mount)->parent = parent;
  }
  return attach(std::move(tree), directory, name);
}

std::uint32_t Mount::mapped(std::uint32_t group) const {
  if (!groups) return group;
  return group == groups->on_disk ? groups->shown : group == groups->shown ? groups->on_disk : group;
}

int FakeNode::bind_open(const Location& source, const std::optional<GroupSwap>& groups,
                        const Location& directory, const std::string& name) {
  std::vector<std::unique_ptr<Mount>> tree;
  tree.push_back(std::make_unique<Mount>(*source.mount));
  tree.front()->root = source.inode;
  if (groups) tree.front()->groups = groups;
  return attach(std::move(tree), directory, name);
}

std::vector<Location> FakeNode::mounts_below(const Location& directory, const std::string& name,
                                             std::uint32_t kept) const {
  std::vector<Location> below;
  Location top;
  if (find(directory, name, top, false) != 0) return below;
  const std::shared_ptr<Inode> point = directory.inode->child(name);
  std::set<const Mount*> inside;
  std::uint32_t stacked = 0;
  for (const auto& mount : mounts_) {  // Parents come before their children.
    if (mount->parent == nullptr) continue;
    const Inode* at = mount->point.get();
    bool is_inside = inside.contains(mount->parent);
    while (!is_inside && mount->parent == directory.mount && at != nullptr) {
      is_inside = at == point.get();
      at = at->parent;
    }
    if (!is_inside) continue;
    inside.insert(mount.get());
    const bool is_on_volume =
        mount->point == point || (inside.contains(mount->parent) && mount->point == mount->parent->root);
    if (is_on_volume && ++stacked <= kept) continue;
    below.push_back({mount.get(), mount->root});
  }
  return below;
}

bool FakeNode::is_busy(const Mount& mount) const {
  const auto pin = pins_.find(mount.id);
  if (pin != pins_.end() && pin->second > 0) return true;
  return std::any_of(mounts_.begin(), mounts_.end(),
                     [&](const auto& other) { return other->parent == &mount; });
}

bool FakeNode::is_mounted(const FileSystem& file_system) const {
  return std::any_of(mounts_.begin(), mounts_.end(),
                     [&](const auto& mount) { return mount->file_system.get() == &file_system; });
}

void FakeNode::wait_for_end(const FileSystem& file_system) const {
  if (!answers(file_system) && !is_mounted(file_system)) throw FakeHang{};
}

bool FakeNode::answers(const FileSystem& file_system) const {
  const auto found = sources.find(file_system.source);
  return found == sources.end() || found->second.file_system.get() != &file_system || found->second.answers;
}

void FakeNode::abort_users(const Location& location) {
  pins_.erase(location.mount->id);
}

int FakeNode::unmount(const Location& location) {
  Mount* mount = location.mount;
  if (!location.is_mount_root() || mount->parent == nullptr) return EINVAL;
  if (is_busy(*mount)) return EBUSY;
  const std::shared_ptr<FileSystem> file_system = mount->file_system;
  --mount->point->mounts_on;
  std::erase_if(mounts_, [&](const auto& other) { return other.get() == mount; });
  end_file_system(file_system);
  return 0;
}

int FakeNode::detach(const Location& location) {
  if (!location.is_mount_root() || location.mount->parent == nullptr) return EINVAL;
  std::set<const Mount*> leaving{location.mount};
  for (const auto& mount : mounts_) {  // Parents come before their children.
    if (leaving.contains(mount->parent)) leaving.insert(mount.get());
  }
  std::vector<std::unique_ptr<Mount>> left;
  std::vector<std::shared_ptr<FileSystem>> ended;
  for (auto& mount : mounts_) {
    if (!leaving.contains(mount.get())) {
      left.push_back(std::move(mount));
      continue;
    }
    --mount->point->mounts_on;
    ended.push_back(mount->file_system);
    // Whoever still has a file of it open stays there.
    detached_.push_back(std::move(mount));
  }
  mounts_ = std::move(left);
  for (const auto& file_system : ended)
    end_file_system(file_system);
  return 0;
}

void FakeNode::end_file_system(const std::shared_ptr<FileSystem>& file_system) {
  if (is_mounted(*file_system)) return;
  // The file system ends: its watches tell so (IN_UNMOUNT) and end with it.
  std::vector<int> ended;
  for (const auto& [number, inode] : watches_) {
    if (inode->file_system == file_system.get()) ended.push_back(number);
  }
  for (const int number : ended) {
    fire(number);
    remove_watch(number);
  }
}

std::string FakeNode::path_of(const Location& location) const {
  std::string path;
  const Inode* inode = location.inode.get();
  for (const Mount* mount = location.mount;; inode = mount->point.get(), mount = mount->parent) {
    for (; inode != mount->root.get() && inode->parent != nullptr; inode = inode->parent)
      path.insert(0, "/" + inode->name);
    if (mount->parent == nullptr) return path.empty() ? "/" : path;
  }
}

MountFact FakeNode::fact_of(const Mount& mount) const {
  const FileSystem& file_system = *mount.file_system;
  MountFact fact;
  fact.id = mount.id;
  fact.parent_id = mount.parent == nullptr ? 1 : mount.parent->id;
  fact.device_major = file_system.device_major;
  fact.device_minor = file_system.device_minor;
  fact.root = mount.root->path_inside();
  fact.mount_point = mount.parent == nullptr ? "/" : path_of({mount.parent, mount.point});
  fact.options = mount.is_read_only ? "ro,relatime" : "rw,relatime";
  if (mount.groups) fact.options += ",idmapped";
  fact.type = file_system.type;
  fact.source = file_system.source;
  fact.super_options = file_system.is_read_only ? "ro" : "rw";
  if (!file_system.options.empty()) fact.super_options += "," + file_system.options;
  return fact;
}

std::vector<MountFact> FakeNode::facts() const {
  std::vector<MountFact> facts;
  for (const auto& mount : mounts_)
    facts.push_back(fact_of(*mount));
  return facts;
}

void FakeNode::reboot() {
  for (const auto& mount : mounts_) {
    if (mount->point != nullptr) --mount->point->mounts_on;
  }
  mounts_.resize(1);
  detached_.clear();
  pins_.clear();
  for (const auto& [number, inode] : watches_)
    inode->watch_number = 0;
  watches_.clear();
  fired_.clear();
  next_watch_ = 1;  // Another inotify instance counts anew.
}

}  // namespace mooring::kernel::fake
