#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/result.h"
#include "facts/device.h"
#include "kernel/linux/descriptor.h"

namespace mooring::kernel {

/// A block device's folder in sysfs: "/sys/dev/block/7:3".
std::string sysfs_of(dev_t number);
/// One attribute of sysfs without its newline; empty if there is none.
std::string read_attribute(const std::string& path);
/// The kernel's own name of a device's node, "/dev/loop3"; empty if there is no such device.
std::string node_of(dev_t number);
/// The whole disk that a partition is of; the number itself for anything else.
dev_t disk_of(dev_t number);

/// What sysfs calls the wwid of a SCSI disk or an NVMe; of a partition its disk's. Empty: it has none.
std::string wwid_of(dev_t number);

/// What the kernel says of the block device that is open. The errno in an error is the kernel's.
Result<DeviceFacts> facts_of(int device, const std::string& node);

/// Opens the node and makes sure that it still leads to the device that was found, "DeviceChanged" else. As
/// long as it is open the kernel gives its number to no other device. With O_EXCL "DeviceBusy" if somebody
/// has it.
Result<Descriptor> open_device(const DeviceFacts& device, int flags);

}  // namespace mooring::kernel
