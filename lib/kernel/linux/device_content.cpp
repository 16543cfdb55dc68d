// What is on a device.

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>

#include "kernel/device_errors.h"
#include "kernel/linux/blank_look.h"
#include "kernel/linux/block_device.h"
#include "kernel/linux/linux_devices.h"
#include "kernel/linux/loop_device.h"
#include "kernel/linux/superblock.h"

namespace mooring::kernel {
namespace {

/// The parts of a loop device that its file has anything for. nullopt: it is no loop device, or its file
/// cannot be found or does not tell.
std::optional<std::vector<ByteRange>> ranges_of_image(int device, const DeviceFacts& facts) {
  loop_info64 info{};
  if (ioctl(device, LOOP_GET_STATUS64, &info) != 0 || info.lo_offset != 0) return std::nullopt;
  const std::string path =
      read_attribute(sysfs_of(makedev(facts.device_major, facts.device_minor)) + "/loop/backing_file");
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  if (status.st_dev != info.lo_device || status.st_ino != info.lo_inode) return std::nullopt;
  // A file that was cut short has no holes there: reading fails.
  if (static_cast<std::uint64_t>(status.st_size) < facts.size_bytes) return std::nullopt;
  return data_ranges(file.get(), facts.size_bytes);
}

}  // namespace

Result<DeviceContent> LinuxDevices::probe(const DeviceFacts& device) {
  MOORING_TRY(const Descriptor opened, open_device(device, O_RDONLY));
  // What another program wrote and the page cache still has must be on the device, or in its file, before
  // that is asked what it holds. Refused by some devices, which then have nothing to flush.
  ioctl(opened.get(), BLKFLSBUF, 0);
  const Recognised recognised = recognise(opened.get(), true);
  DeviceContent content;
  content.signature = recognised.signature;
  content.partition_table = recognised.partition_table;
  content.is_ambivalent = recognised.is_ambivalent;
  content.read_errno = recognised.read_errno;
  const auto of_image = ranges_of_image(opened.get(), device);
  const LookResult look = look_at(opened.get(), of_image ? *of_image : ranges_to_look_at(device.size_bytes));
  content.data_offset = look.data_offset;
  content.looked_at_bytes = look.looked_at_bytes;
  if (look.read_errno != 0) {
    content.read_errno = look.read_errno;
    content.read_offset = look.read_offset;
  } else if (of_image && !look.data_offset) {
    content.looked_at_bytes = device.size_bytes;
  }
  // Whether it was one device all the time.
  MOORING_TRY(const DeviceFacts now, facts_of(opened.get(), device.node));
  const std::string difference = identity_difference(device, now);
  if (!difference.empty()) return device_changed(device, difference);
  return content;
}

}  // namespace mooring::kernel
