// Finding devices, images and their loop devices.

#include "kernel/fake/fake_devices.h"

#include <algorithm>
#include <cerrno>

#include "kernel/device_errors.h"
#include "kernel/errors.h"

namespace mooring::kernel::fake {
namespace {

/// The path that a look-up ended at, as /proc/self/fd shows it.
std::string path_of(const FakeNode& node, const Location& location) {
  const std::string mount_point = node.fact_of(*location.mount).mount_point;
  std::string inside = location.inode->path_inside();
  const std::string root = location.mount->root->path_inside();
  if (root != "/" && inside.starts_with(root)) inside.erase(0, root.size());
  return (mount_point == "/" ? "" : mount_point) + (inside == "/" ? "" : inside);
}

Result<DeviceFacts> the_only(const DeviceName& name, const std::vector<const BlockDevice*>& found) {
  if (found.empty()) return device_missing(name);
  if (found.size() == 1) return found.front()->facts;
  std::vector<std::string> nodes;
  for (const BlockDevice* device : found)
    nodes.push_back(device->facts.node);
  return device_ambiguous(name, nodes);
}

}  // namespace

Result<DeviceFacts> FakeDevices::find(const DeviceName& name) {
  return between_faults<DeviceFacts>(
      disks_.node(), "find", name.value, [&] { return find_now(name); },
      [&](int error) { return device_error("cannot look for", name.value, error); });
}

Result<DeviceFacts> FakeDevices::find_path(const DeviceName& name) {
  if (!name.value.starts_with("/dev/")) return not_a_device(name.value, name.value);
  const Walk walked = disks_.node().walk(disks_.node().start(), name.value, {});
  if (walked.error == ENOENT || walked.error == ENOTDIR) return device_missing(name);
  if (walked.error != 0) return device_error("cannot look for", name.value, walked.error);
  const std::string path = path_of(disks_.node(), walked.found);
  if (!path.starts_with("/dev/")) return not_a_device(name.value, path);
  if (walked.found.inode->type != FileType::BlockDevice) return not_a_block_device(name.value);
  const BlockDevice* device = disks_.device_of(*walked.found.inode);
  if (device == nullptr || device->facts.size_bytes == 0) return device_missing(name);
  return device->facts;
}

Result<DeviceFacts> FakeDevices::find_now(const DeviceName& name) {
  if (name.kind == DeviceName::Kind::Path) return find_path(name);
  if (name.kind == DeviceName::Kind::Csi) return device_missing(name);
  std::vector<const BlockDevice*> found;
  if (name.kind == DeviceName::Kind::Image) {
    const Walk walked = disks_.node().walk(disks_.node().start(), name.value, {});
    if (walked.error != 0) return device_missing(name);
    for (const BlockDevice* loop : disks_.loops_of(*walked.found.inode))
      found.push_back(loop);
    return the_only(name, found);
  }
  for (const auto& [node, device] : disks_.devices()) {
    // A loop device that shows another device: that one is meant.
    if (device.is_loop() && device.backing->type == FileType::BlockDevice) continue;
    const DeviceContent& content = device.disk->content;
    const bool is_readable = content.read_errno == 0 && !content.is_ambivalent &&
                             content.signature.has_value() &&
                             content.signature->usage == Signature::Usage::FileSystem;
    const bool is_it = name.kind == DeviceName::Kind::Wwid
                           ? !name.value.empty() && device.facts.wwid == name.value
                       : name.kind == DeviceName::Kind::Uuid
                           ? is_readable && is_same_uuid(content.signature->uuid, name.value)
                           : is_readable && !name.value.empty() && content.signature->label == name.value;
    if (is_it) found.push_back(&device);
  }
  return the_only(name, found);
}

Result<BlockDevice*> FakeDevices::open(const DeviceFacts& device) {
  BlockDevice* found = disks_.device_at(device.node);
  if (found == nullptr) {
    const Walk walked = disks_.node().walk(disks_.node().start(), device.node, {});
    // The node of a loop device stays when its file goes.
    return device_error("cannot open", device.node, walked.error == 0 ? ENOMEDIUM : ENOENT);
  }
  const std::string difference = identity_difference(device, found->facts);
  if (!difference.empty()) return device_changed(device, difference);
  return found;
}

Result<bool> FakeDevices::make_image(const std::string& path, std::uint64_t size_bytes) {
  return between_faults<bool>(
      disks_.node(), "make_image", path, [&] { return make_image_now(path, size_bytes); },
      [&](int error) { return file_error("cannot make the image " + path, path, error); });
}

Result<bool> FakeDevices::make_image_now(const std::string& path, std::uint64_t size_bytes) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return file_error("cannot make the image " + path, path, EINVAL);
  FakeNode& node = disks_.node();
  const Walk parent = node.walk(node.start(), slash == 0 ? "/" : path.substr(0, slash), {});
  if (parent.error != 0) return file_error("cannot make the image " + path, path, parent.error);
  const std::string name = path.substr(slash + 1);
  const int error = node.make(parent.found, name, FileType::Regular, 0600);
  if (error == EEXIST) return false;
  if (error != 0) return file_error("cannot make the image " + path, path, error);
  Inode& file = *parent.found.inode->child(name);
  file.disk = std::make_shared<Disk>();
  file.disk->size_bytes = size_bytes;
  return true;
}

Result<DeviceFacts> FakeDevices::attach_image(const std::string& path, bool read_only) {
  return between_faults<DeviceFacts>(
      disks_.node(), "attach_image", path, [&] { return attach_now(path, read_only); },
      [&](int error) { return image_error("cannot attach the image", path, error); });
}

Result<DeviceFacts> FakeDevices::attach_now(const std::string& path, bool read_only) {
  const Walk walked = disks_.node().walk(disks_.node().start(), path, {});
  if (walked.error != 0) return image_error("cannot open the image", path, walked.error);
  const FileType type = walked.found.inode->type;
  if (type != FileType::Regular && type != FileType::BlockDevice) return not_an_image(path);
  const std::vector<BlockDevice*> loops = disks_.loops_of(*walked.found.inode);
  if (loops.size() > 1) return attached_otherwise(path, "more than once");
  if (loops.size() == 1) {
    const DeviceFacts& facts = loops.front()->facts;
    if (facts.is_read_only == read_only) return facts;
    return attached_otherwise(path, (facts.is_read_only ? "read-only as " : "writable as ") + facts.node);
  }
  if (type == FileType::BlockDevice) {
    const BlockDevice* device = disks_.device_of(*walked.found.inode);
    if (device == nullptr) return image_error("cannot open the image", path, ENXIO);
    if (device->facts.is_read_only && !read_only) return image_error("cannot open the image", path, EACCES);
  } else if (walked.found.is_read_only() && !read_only) {
    return image_error("cannot open the image", path, EROFS);
  }
  return disks_.attach(walked.found, path, read_only, true).facts;
}

Result<bool> FakeDevices::detach_image(const std::string& path) {
  return between_faults<bool>(
      disks_.node(), "detach_image", path, [&] { return detach_now(path); },
      [&](int error) { return image_error("cannot detach the image", path, error); });
}

Result<bool> FakeDevices::detach_now(const std::string& path) {
  const Walk walked = disks_.node().walk(disks_.node().start(), path, {});
  std::string node;
  for (const auto& [name, device] : disks_.devices()) {
    if (!device.is_loop() || !device.is_own) continue;
    const bool is_file = walked.error == 0 && device.backing == walked.found.inode;
    const bool was_file = device.backing->is_removed && device.backing_path == path;
    if (!is_file && !was_file) continue;
    const bool is_below_other = std::any_of(
        disks_.devices().begin(), disks_.devices().end(), [&, &below = device](const auto& other) {
          return other.second.is_loop() && disks_.device_of(*other.second.backing) == &below;
        });
    if (!disks_.is_free(device) || device.openers > 0 || is_below_other) return device_busy(name);
    node = name;
  }
  if (node.empty()) return false;
  disks_.detach(node);
  return true;
}

Result<bool> FakeDevices::grow_image(const std::string& path, std::uint64_t size_bytes) {
  return between_faults<bool>(
      disks_.node(), "grow_image", path, [&] { return grow_image_now(path, size_bytes); },
      [&](int error) { return image_error("cannot grow the image", path, error); });
}

Result<bool> FakeDevices::grow_image_now(const std::string& path, std::uint64_t size_bytes) {
  const Walk walked = disks_.node().walk(disks_.node().start(), path, {});
  if (walked.error != 0) return image_error("cannot open the image", path, walked.error);
  if (walked.found.inode->type != FileType::Regular) return not_an_image(path);
  const std::shared_ptr<Disk> disk = disks_.disk_of(*walked.found.inode);
  bool changed = disk->size_bytes < size_bytes;
  if (changed && walked.found.is_read_only()) return image_error("cannot open the image", path, EROFS);
  disk->size_bytes = std::max(disk->size_bytes, size_bytes);
  constexpr std::uint64_t sector_bytes = 512;
  for (BlockDevice* loop : disks_.loops_of(*walked.found.inode)) {
    const std::uint64_t size_now = disk->size_bytes / sector_bytes * sector_bytes;
    changed = changed || loop->facts.size_bytes != size_now;
    loop->facts.size_bytes = size_now;
  }
  return changed;
}

}  // namespace mooring::kernel::fake
