#include "kernel/linux/linux_devices.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>

#include "kernel/device_errors.h"
#include "kernel/linux/block_device.h"
#include "kernel/linux/device_holders.h"

// Who may use a device. Finding it, its content, images and the programs for file systems are in files of
// their own.

namespace mooring::kernel {
namespace {

class LinuxDeviceLock final : public DeviceLock {
 public:
  LinuxDeviceLock(Descriptor device, Descriptor disk) : device_(std::move(device)), disk_(std::move(disk)) {}

 private:
  Descriptor device_;
  Descriptor disk_;  ///< Of a partition.
};

Result<void> take_lock(int device, int how, const std::string& node) {
  if (flock(device, how | LOCK_NB) == 0) return success();
  if (errno == EWOULDBLOCK) return device_locked(node);
  return device_error("cannot lock", node, errno);
}

}  // namespace

Result<std::unique_ptr<DeviceLock>> LinuxDevices::lock(const DeviceFacts& device) {
  MOORING_TRY(Descriptor opened, open_device(device, O_RDONLY));
  MOORING_TRY(take_lock(opened.get(), LOCK_EX, device.node));
  // A partition may go when somebody writes another table to its disk, which they lock for that. Shared,
  // because other partitions of the disk are other volumes' affair, and udev's.
  Descriptor disk;
  const dev_t number = makedev(device.device_major, device.device_minor);
  if (const dev_t whole = disk_of(number); whole != number) {
    const std::string node = node_of(whole);
    disk.reset(open(node.c_str(), O_RDONLY | O_CLOEXEC));
    if (!disk) return device_error("cannot open", node, errno);
    MOORING_TRY(take_lock(disk.get(), LOCK_SH, node));
  }
  return std::unique_ptr<DeviceLock>(new LinuxDeviceLock(std::move(opened), std::move(disk)));
}

Result<bool> LinuxDevices::is_free(const DeviceFacts& device) {
  const Result<Descriptor> opened = open_device(device, O_RDONLY | O_EXCL);
  if (opened) return true;
  if (opened.error().errno_value == EBUSY) return false;
  return opened.error();
}

Result<std::vector<DeviceHolder>> LinuxDevices::holders(const DeviceFacts& device) {
  MOORING_TRY(const Descriptor opened, open_device(device, O_RDONLY));
  return find_holders(device);
}

}  // namespace mooring::kernel
