#include "kernel/fake/fake_disks.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>

namespace mooring::kernel::fake {
namespace {

constexpr std::uint32_t disk_major = 8;
constexpr std::uint32_t loop_major = 7;
constexpr std::uint32_t minors_of_a_disk = 16;
constexpr std::uint64_t sector_bytes = 512;

bool is_mountable(const Disk& disk) {
  return disk.file_system != nullptr && disk.content.read_errno == 0 && !disk.content.is_ambivalent;
}

}  // namespace

int FakeDisks::put_node(const std::string& node, std::uint32_t number_major, std::uint32_t number_minor) {
  for (std::size_t slash = node.find('/', 1);; slash = node.find('/', slash + 1)) {
    const std::size_t start = node.rfind('/', slash == std::string::npos ? slash : slash - 1);
    const Walk parent = node_.walk(node_.start(), start == 0 ? "/" : node.substr(0, start), {});
    if (parent.error != 0) return parent.error;
    const bool is_last = slash == std::string::npos;
    const std::string name = node.substr(start + 1, is_last ? slash : slash - start - 1);
    const int error = node_.make(parent.found, name, is_last ? FileType::BlockDevice : FileType::Directory,
                                 is_last ? 0660 : 0755);
    if (error != 0 && error != EEXIST) return error;
    if (!is_last) continue;
    Inode& inode = *parent.found.inode->child(name);
    if (inode.type != FileType::BlockDevice) return EEXIST;
    inode.device_number = makedev(number_major, number_minor);
    return 0;
  }
}

void FakeDisks::remove_node(const std::string& node) {
  const std::size_t slash = node.rfind('/');
  const Walk parent = node_.walk(node_.start(), node.substr(0, slash), {});
  if (parent.error == 0) node_.remove(parent.found, node.substr(slash + 1), false);
}

int FakeDisks::put_device(const std::string& node, std::uint64_t size_bytes, const std::string& wwid) {
  if (devices_.contains(node)) return EEXIST;
  BlockDevice device;
  device.facts = {node, disk_major, next_minor_, size_bytes, next_sequence_++, wwid, false};
  next_minor_ += minors_of_a_disk;
  device.disk = std::make_shared<Disk>();
  device.disk->size_bytes = size_bytes;
  if (const int error = put_node(node, device.facts.device_major, device.facts.device_minor)) return error;
  show(devices_[node] = std::move(device));
  return 0;
}

int FakeDisks::remove_device(const std::string& node) {
  const auto found = devices_.find(node);
  if (found == devices_.end() || found->second.is_loop()) return ENOENT;
  BlockDevice& device = found->second;
  if (device.disk->file_system != nullptr && node_.is_mounted(*device.disk->file_system)) {
    device.disk->file_system->has_failed = true;
  }
  device.holders.clear();
  device.openers = 0;
  unplugged_[node] = std::move(device);
  devices_.erase(found);
  node_.sources.erase(node);
  remove_node(node);
  return 0;
}

int FakeDisks::restore_device(const std::string& node, const std::string& as_node) {
  const auto found = unplugged_.find(node);
  if (found == unplugged_.end()) return ENOENT;
  if (devices_.contains(as_node)) return EEXIST;
  BlockDevice device = std::move(found->second);
  unplugged_.erase(found);
  device.facts.node = as_node;
  device.facts.device_minor = next_minor_;
  device.facts.sequence = next_sequence_++;
  next_minor_ += minors_of_a_disk;
  if (device.disk->file_system != nullptr && device.disk->file_system->has_failed) {
    // What is mounted keeps the dead superblock; the disk shows its content anew.
    *device.disk = copy_of(*device.disk);
  }
  if (const int error = put_node(as_node, device.facts.device_major, device.facts.device_minor)) return error;
  show(devices_[as_node] = std::move(device));
  return 0;
}

int FakeDisks::swap_devices(const std::string& a, const std::string& b) {
  BlockDevice* first = device_at(a);
  BlockDevice* second = device_at(b);
  if (first == nullptr || second == nullptr || first->is_loop() || second->is_loop()) return ENOENT;
  std::swap(first->disk, second->disk);
  std::swap(first->facts.wwid, second->facts.wwid);
  std::swap(first->facts.size_bytes, second->facts.size_bytes);
  std::swap(first->facts.is_read_only, second->facts.is_read_only);
  std::swap(first->holders, second->holders);
  first->facts.sequence = next_sequence_++;
  second->facts.sequence = next_sequence_++;
  show(*first);
  show(*second);
  return 0;
}

BlockDevice* FakeDisks::device_at(const std::string& node) {
  const auto found = devices_.find(node);
  return found == devices_.end() ? nullptr : &found->second;
}

BlockDevice* FakeDisks::device_of(const Inode& inode) {
  if (inode.type != FileType::BlockDevice) return nullptr;
  for (auto& [node, device] : devices_) {
    if (makedev(device.facts.device_major, device.facts.device_minor) == inode.device_number) return &device;
  }
  return nullptr;
}

std::vector<BlockDevice*> FakeDisks::loops_of(const Inode& inode) {
  std::vector<BlockDevice*> found;
  for (auto& [node, device] : devices_) {
    if (device.backing.get() == &inode) found.push_back(&device);
  }
  return found;
}

BlockDevice& FakeDisks::attach(const Location& file, const std::string& path, bool is_read_only,
                               bool is_own) {
  std::uint32_t number = 0;
  while (devices_.contains("/dev/loop" + std::to_string(number)))
    ++number;
  const std::string node = "/dev/loop" + std::to_string(number);
  BlockDevice device;
  device.disk = disk_of(*file.inode);
  device.facts = {node, loop_major, number, 0, next_sequence_++, "", is_read_only};
  device.facts.size_bytes = device.disk->size_bytes / sector_bytes * sector_bytes;
  device.backing = file.inode;
  device.backing_path = path;
  device.backing_mount = file.mount->id;
  device.is_own = is_own;
  ++node_.pins()[file.mount->id];
  put_node(node, loop_major, number);
  BlockDevice& attached = devices_[node] = std::move(device);
  show(attached);
  return attached;
}

void FakeDisks::detach(const std::string& node) {
  const auto found = devices_.find(node);
  --node_.pins()[found->second.backing_mount];
  devices_.erase(found);  // Its node stays in /dev, as on Linux.
  node_.sources.erase(node);
}

std::shared_ptr<Disk> FakeDisks::disk_of(Inode& inode) {
  if (const BlockDevice* device = device_of(inode)) return device->disk;
  if (inode.type != FileType::Regular) return nullptr;
  if (inode.disk == nullptr) inode.disk = std::make_shared<Disk>(disk_of_bytes(inode.content));
  return inode.disk;
}

void FakeDisks::show(const BlockDevice& device) {
  // What is mounted from a loop device on a disk is no affair of this fake.
  if (device.is_loop() && device.backing->type == FileType::BlockDevice) return;
  const std::shared_ptr<FileSystem>& file_system = device.disk->file_system;
  if (!is_mountable(*device.disk)) {
    node_.sources.erase(device.facts.node);
    return;
  }
  node_.sources[device.facts.node] = MountSource{file_system, true, !device.holders.empty()};
  if (node_.is_mounted(*file_system)) return;
  file_system->source = device.facts.node;
  file_system->is_read_only = device.facts.is_read_only;
  if (file_system->type != "btrfs") {
    file_system->device_major = device.facts.device_major;
    file_system->device_minor = device.facts.device_minor;
  } else if (file_system->device_minor == 0) {  // It has a number of its own.
    file_system->device_minor = node_.new_file_system("btrfs", "", 0)->device_minor;
  }
}

void FakeDisks::show_all() {
  for (const auto& [node, device] : devices_)
    show(device);
}

bool FakeDisks::is_free(const BlockDevice& device) const {
  const auto& file_system = device.disk->file_system;
  return device.holders.empty() && (file_system == nullptr || !node_.is_mounted(*file_system));
}

void FakeDisks::reboot() {
  std::vector<std::string> loops;
  for (auto& [node, device] : devices_) {
    device.holders.clear();
    device.openers = 0;
    device.lock.reset();
    device.facts.sequence = next_sequence_++;
    if (device.disk->file_system != nullptr) device.disk->file_system->has_failed = false;
    if (device.is_loop()) loops.push_back(node);
  }
  for (const std::string& node : loops) {
    devices_.erase(node);
    node_.sources.erase(node);
    remove_node(node);
  }
  show_all();
}

}  // namespace mooring::kernel::fake
