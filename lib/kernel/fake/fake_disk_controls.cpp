// What other programs and people do with the devices of the fake node.

#include <algorithm>
#include <cerrno>

#include "kernel/fake/fake_disks.h"

namespace mooring::kernel::fake {
namespace {

void list_below(const Inode& directory, const std::string& prefix, std::vector<std::string>& out) {
  for (const auto& [name, inode] : directory.children) {
    out.push_back(prefix + name);
    list_below(*inode, prefix + name + "/", out);
  }
}

}  // namespace

int FakeDisks::resize_device(const std::string& node, std::uint64_t size_bytes) {
  BlockDevice* device = device_at(node);
  if (device == nullptr || device->is_loop()) return ENOENT;
  device->facts.size_bytes = device->disk->size_bytes = size_bytes;
  return 0;
}

int FakeDisks::set_read_only(const std::string& node, bool is_read_only) {
  BlockDevice* device = device_at(node);
  if (device == nullptr) return ENOENT;
  device->facts.is_read_only = is_read_only;
  show(*device);
  return 0;
}

int FakeDisks::at_disk(const std::string& path, const std::function<void(Disk&)>& change) {
  const Walk walked = node_.walk(node_.start(), path, {});
  if (walked.error != 0) return walked.error;
  const std::shared_ptr<Disk> disk = disk_of(*walked.found.inode);
  if (disk == nullptr) return EINVAL;
  change(*disk);
  show_all();
  return 0;
}

int FakeDisks::put_content(const std::string& path, const DeviceContent& content) {
  return at_disk(path, [&](Disk& disk) {
    disk.content = content;
    disk.file_system.reset();
  });
}

int FakeDisks::set_answer(const std::string& path, const DeviceContent& content) {
  return at_disk(path, [&](Disk& disk) { disk.content = content; });
}

int FakeDisks::put_file_system(const std::string& path, const std::string& type, const std::string& uuid,
                               const std::string& label) {
  return at_disk(path, [&](Disk& disk) { make_file_system(disk, type, uuid, label); });
}

int FakeDisks::copy(const std::string& from, const std::string& to) {
  const Disk* source = existing_disk(from);
  if (source == nullptr) return ENOENT;
  const Walk walked = node_.walk(node_.start(), to, {});
  const bool is_file = walked.error == 0 && walked.found.inode->type == FileType::Regular;
  return at_disk(to, [&](Disk& disk) {
    const std::uint64_t size_bytes = is_file ? source->size_bytes : disk.size_bytes;
    disk = copy_of(*source);
    disk.size_bytes = size_bytes;
    disk.formats = 0;
  });
}

int FakeDisks::set_health(const std::string& path, CheckResult health) {
  return at_disk(path, [&](Disk& disk) { disk.health = health; });
}

int FakeDisks::hold(const std::string& node, const DeviceHolder& holder) {
  BlockDevice* device = device_at(node);
  if (device == nullptr) return ENOENT;
  if (!is_free(*device)) return EBUSY;
  device->holders.push_back(holder);
  show(*device);
  return 0;
}

int FakeDisks::release(const std::string& node) {
  BlockDevice* device = device_at(node);
  if (device == nullptr || device->holders.empty()) return ENOENT;
  device->holders.clear();
  show(*device);
  return 0;
}

int FakeDisks::mark_open(const std::string& node) {
  BlockDevice* device = device_at(node);
  if (device == nullptr) return ENXIO;
  ++device->openers;
  return 0;
}

int FakeDisks::mark_closed(const std::string& node) {
  BlockDevice* device = device_at(node);
  if (device == nullptr || device->openers == 0) return EBADF;
  --device->openers;
  return 0;
}

int FakeDisks::attach_foreign(const std::string& path, bool is_read_only) {
  const Walk walked = node_.walk(node_.start(), path, {});
  if (walked.error != 0) return walked.error;
  if (walked.found.inode->type != FileType::Regular) return EINVAL;
  attach(walked.found, path, is_read_only, false);
  return 0;
}

int FakeDisks::detach_foreign(const std::string& node) {
  BlockDevice* device = device_at(node);
  if (device == nullptr || !device->is_loop()) return ENXIO;
  if (!is_free(*device) || device->openers > 0) return EBUSY;
  detach(node);
  return 0;
}

const Disk* FakeDisks::existing_disk(const std::string& path) const {
  const Walk walked = node_.walk(node_.start(), path, {});
  if (walked.error != 0) return nullptr;
  const Inode& inode = *walked.found.inode;
  if (inode.type == FileType::Regular) return inode.disk.get();
  for (const auto& [node, device] : devices_) {
    if (node == path) return device.disk.get();
  }
  return nullptr;
}

std::optional<DeviceContent> FakeDisks::content(const std::string& path) const {
  const Disk* disk = existing_disk(path);
  return disk == nullptr ? std::nullopt : std::optional(disk->content);
}

std::uint64_t FakeDisks::size_bytes(const std::string& path) const {
  const Disk* disk = existing_disk(path);
  return disk == nullptr ? 0 : disk->size_bytes;
}

std::uint32_t FakeDisks::formats(const std::string& path) const {
  const Disk* disk = existing_disk(path);
  return disk == nullptr ? 0 : disk->formats;
}

std::size_t FakeDisks::loop_count() const {
  return static_cast<std::size_t>(
      std::count_if(devices_.begin(), devices_.end(), [](const auto& at) { return at.second.is_loop(); }));
}

std::string FakeDisks::node_of_image(const std::string& path) const {
  const Walk walked = node_.walk(node_.start(), path, {});
  if (walked.error != 0) return {};
  for (const auto& [node, device] : devices_) {
    if (device.backing == walked.found.inode) return node;
  }
  return {};
}

std::vector<std::string> FakeDisks::nodes() const {
  std::vector<std::string> nodes;
  for (const auto& [node, device] : devices_)
    nodes.push_back(node);
  return nodes;
}

std::vector<std::string> FakeDisks::files_on(const std::string& path) const {
  std::vector<std::string> files;
  const Disk* disk = existing_disk(path);
  if (disk != nullptr && disk->file_system != nullptr) list_below(*disk->file_system->root, "", files);
  std::sort(files.begin(), files.end());
  return files;
}

std::optional<std::string> FakeDisks::read_on(const std::string& path, const std::string& file) const {
  const Disk* disk = existing_disk(path);
  if (disk == nullptr || disk->file_system == nullptr) return std::nullopt;
  std::shared_ptr<Inode> at = disk->file_system->root;
  for (std::size_t begin = 0; at != nullptr && begin <= file.size();) {
    const std::size_t end = std::min(file.find('/', begin), file.size());
    at = at->child(file.substr(begin, end - begin));
    begin = end + 1;
  }
  return at == nullptr ? std::nullopt : std::optional(at->content);
}

}  // namespace mooring::kernel::fake
