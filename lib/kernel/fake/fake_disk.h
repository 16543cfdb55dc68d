#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernel/devices.h"
#include "kernel/fake/fake_tree.h"

namespace mooring::kernel::fake {

/// What is written on a disk or in an image file. It outlives the device that shows it: an image keeps it
/// while it is detached, a disk while it is unplugged or the node is off.
struct Disk {
  std::uint64_t size_bytes = 0;
  DeviceContent content;
  std::shared_ptr<FileSystem> file_system;  ///< What can be mounted; nullptr: nothing.
  std::uint64_t file_system_bytes = 0;      ///< How large that was made, or grown to.
  std::uint32_t formats = 0;                ///< How often a file system was made on it by the port.
  CheckResult health = CheckResult::Clean;  ///< What the next check finds.
};

/// A block device that the node has now.
struct BlockDevice {
  DeviceFacts facts;
  std::shared_ptr<Disk> disk;
  std::vector<DeviceHolder> holders;  ///< Who has it open exclusively.
  int openers = 0;                    ///< Who has it open, not exclusively.
  std::weak_ptr<int> lock;
  // Of a loop device:
  std::shared_ptr<Inode> backing;
  std::string backing_path;  ///< As it was given.
  std::uint64_t backing_mount = 0;
  bool is_own = false;  ///< The port attached it.

  bool is_loop() const { return backing != nullptr; }
};

/// What a file with these bytes holds as an image.
Disk disk_of_bytes(const std::string& bytes);
/// A file system as mkfs leaves it: nothing in it, as large as the disk.
void make_file_system(Disk& disk, const std::string& type, const std::string& uuid, const std::string& label);
/// A copy with all that is in it, as dd makes one.
Disk copy_of(const Disk& disk);

}  // namespace mooring::kernel::fake
