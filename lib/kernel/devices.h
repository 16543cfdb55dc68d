#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "facts/device.h"

namespace mooring::kernel {

/// Keeps a device to one writer: others that ask for it fail until this is destroyed (flock(2) on the
/// device's node, as systemd-udevd and others do: https://systemd.io/BLOCK_DEVICE_LOCKING). It ends with the
/// process.
class DeviceLock {
 public:
  virtual ~DeviceLock() = default;
};

struct FormatOptions {
  std::string type;  ///< "ext4", "ext3", "ext2", "xfs" or "btrfs".
  std::string uuid;  ///< What the new file system is to be called.
};

enum class CheckResult : std::uint8_t {
  Clean,
  Repaired,
  Unknown,  ///< The checker failed in a way that says nothing about the file system; `output` tells.
  Broken,   ///< It has errors that nobody corrected.
  NoTool,   ///< There is no checker for the type here.
};

struct CheckReport {
  CheckResult result = CheckResult::Clean;
  std::string output;  ///< The checker's last lines.
};

/// Somebody who keeps a device from being let go.
struct DeviceHolder {
  std::int32_t pid = 0;      ///< 0: no process: a mount, a device on top of it, swap.
  std::string name;          ///< Of the process, or of the device on top ("dm-3"), or "a mount".
  std::string unit;          ///< systemd unit by its cgroup; empty: none.
  std::string container;     ///< The container's id by its cgroup; empty: none.
  std::string how;           ///< "has /path open", "has it mounted at /path in another mount namespace"...
  std::string text() const;  ///< All of it on one line.

  friend bool operator==(const DeviceHolder&, const DeviceHolder&) = default;
};

/// UUIDs are the same in either case: a vfat's is of capitals.
bool is_same_uuid(std::string_view a, std::string_view b);

/// Block devices. Every call may wait for a disk, so all are for workers of their own. A call that takes
/// DeviceFacts opens the node anew and compares: another device there now is "DeviceChanged" (Transient), and
/// nothing is done. Errors are Transient unless said, with errno.
class Devices {
 public:
  virtual ~Devices() = default;

  /// The device that the name means now. A UUID and a label are read from the devices that udev says have
  /// them, and that it does not know; from every device of the node if that finds none. Image: the
  /// loop device that has the file at its path. None: "DeviceMissing". Several with one UUID, label or WWID
  /// (a clone): "DeviceAmbiguous", which names them. Not a block device: Final, "NotABlockDevice". A
  /// partition or a whole disk alike. What is below /dev but not under its control (a path that leads out of
  /// /dev, for Kind::Path) is Final, "NotADevice". Without a medium, such as a loop device that has no file:
  /// "DeviceMissing". A device that another one stands on (a member of a RAID or of a multipath), and a loop
  /// device on a device, are not what a UUID or a label means.
  virtual Result<DeviceFacts> find(const DeviceName& name) = 0;

  /// Makes a sparse file of this size with 0600 whose directory is there (links in its path are followed).
  /// False if something is there, which is left alone. It appears with its full size or not at all, on disk.
  virtual Result<bool> make_image(const std::string& path, std::uint64_t size_bytes) = 0;
  /// Attaches the regular file, or the block device, by a loop device (LOOP_CONFIGURE, Linux 5.8) with direct
  /// I/O where the file system can, unless one has it already: that one stays. A different `read_only`, or a
  /// part of the file only, or several: Transient, "AttachedOtherwise". No file: "ImageMissing". Something
  /// else: Final, "NotAnImage".
  virtual Result<DeviceFacts> attach_image(const std::string& path, bool read_only) = 0;
  /// Detaches the loop device of the file, at once and not at its last close. False if attach_image attached
  /// none: one of somebody else's stays. In use, if only by a descriptor: "DeviceBusy". Also when the file
  /// was removed.
  virtual Result<bool> detach_image(const std::string& path) = 0;
  /// Makes the file larger and lets its loop devices know. True if it, or one of them, was smaller; never
  /// makes it smaller.
  virtual Result<bool> grow_image(const std::string& path, std::uint64_t size_bytes) = 0;

  /// "DeviceLocked" if somebody has it.
  virtual Result<std::unique_ptr<DeviceLock>> lock(const DeviceFacts& device) = 0;
  /// Looks at the content: libblkid's superblocks and partitions with checksums, and head, tail and samples
  /// by itself. A read error is an answer (DeviceContent::read_errno), not an error.
  virtual Result<DeviceContent> probe(const DeviceFacts& device) = 0;
  /// True if nobody has the device open exclusively: no mount in any namespace, no device on top
  /// (open(2) O_EXCL of a block device).
  virtual Result<bool> is_free(const DeviceFacts& device) = 0;
  /// Who has it, as far as /proc and /sys tell: processes with files open on what is mounted from it or on
  /// the node itself, other mount namespaces, devices on top. Not a proof that there are no others.
  virtual Result<std::vector<DeviceHolder>> holders(const DeviceFacts& device) = 0;

  /// Makes a new file system over whatever is there: whoever calls has proven that nothing is. Uncertain,
  /// with the program's words, if it failed ("FormatFailed"); Final, "FormatToolMissing", with the package to
  /// install, or "CannotFormat" for another type. Nothing is touched if it is not free ("DeviceBusy") or
  /// cannot be written to ("DeviceReadOnly").
  virtual Result<void> format(const DeviceFacts& device, const FormatOptions& options) = 0;
  /// Checks a file system that is not mounted and repairs what can be repaired without a question (fsck -a).
  /// xfs and btrfs are Clean unasked: mounting them is their check, and it replays their logs (fsck.xfs(8)).
  /// Not free: "DeviceBusy". Not to be written to: "DeviceReadOnly".
  virtual Result<CheckReport> check(const DeviceFacts& device, const std::string& type) = 0;
  /// Makes the file system, which is mounted at the absolute path, as large as its device. True if it grew.
  /// ext2/3/4, xfs, btrfs; another type: Final, "CannotGrow"; a program
  /// that is not installed: Final, "GrowToolMissing". Uncertain, with the program's words, if it
  /// failed
  /// ("GrowFailed"). The device is not what is mounted there: "NotMounted".
  virtual Result<bool> grow_file_system(const DeviceFacts& device, const std::string& type,
                                        const std::string& mounted_at) = 0;
};

}  // namespace mooring::kernel
