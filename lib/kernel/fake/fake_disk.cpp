#include "kernel/fake/fake_disk.h"

namespace mooring::kernel::fake {
namespace {

/// Where the first byte of a superblock is that is not zero.
std::uint64_t first_byte_of(const std::string& type) {
  if (type == "btrfs") return 65536;
  return type.starts_with("ext") ? 1024 : 0;
}

std::shared_ptr<FileSystem> empty_file_system(const std::string& type) {
  // Its numbers are those of the device that shows it: see FakeDisks::show().
  return std::make_shared<FileSystem>(type, "", 0, 0, 0755);
}

void copy_tree(const Inode& from, Inode& to) {
  for (const auto& [name, inode] : from.children) {
    to.file_system->add(to, name, inode->type, inode->mode, inode->content);
    Inode& made = *to.child(name);
    made.group = inode->group;
    copy_tree(*inode, made);
  }
}

}  // namespace

Disk disk_of_bytes(const std::string& bytes) {
  Disk disk;
  disk.size_bytes = bytes.size();
  const std::size_t data = bytes.find_first_not_of('\0');
  if (data != std::string::npos) disk.content.data_offset = data;
  return disk;
}

void make_file_system(Disk& disk, const std::string& type, const std::string& uuid,
                      const std::string& label) {
  disk.content = DeviceContent();
  disk.content.signature = Signature{Signature::Usage::FileSystem, type, uuid, label, false};
  disk.content.data_offset = first_byte_of(type);
  disk.file_system = empty_file_system(type);
  disk.file_system->bytes_max = disk.size_bytes;
  disk.file_system_bytes = disk.size_bytes;
  disk.health = CheckResult::Clean;
}

Disk copy_of(const Disk& disk) {
  Disk copy = disk;
  if (disk.file_system == nullptr) return copy;
  copy.file_system = empty_file_system(disk.file_system->type);
  copy_tree(*disk.file_system->root, *copy.file_system->root);
  copy.file_system->bytes_max = disk.file_system->bytes_max;
  return copy;
}

}  // namespace mooring::kernel::fake
