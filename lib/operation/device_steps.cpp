#include "operation/device_steps.h"

#include <algorithm>
#include <string_view>

#include "operation/device_checks.h"
#include "step/layout.h"

namespace mooring {
namespace {

bool is_missing(const Error& error) {
  return error.reason == "DeviceMissing";
}

/// Remembers for ever that the image of a volume is there, or was.
Result<void> stamp_image(const AttachDevice& step, kernel::Files& files) {
  constexpr std::uint32_t stamp_mode = 0640;
  if (step.stamp.empty()) return success();
  const std::string directory = step.stamp.substr(0, step.stamp.rfind('/'));
  MOORING_TRY(files.make_directory(directory, layout::private_mode));
  MOORING_TRY(const bool is_new, files.create_file(step.stamp, step.device.value + "\n", stamp_mode));
  if (!is_new) return success();
  MOORING_TRY(files.flush(step.stamp));
  return files.flush(directory);
}

/// Makes the image of a volume that never had one. One that is missing is not replaced by an empty one.
Result<bool> make_image(const AttachDevice& step, kernel::Kernel kernel) {
  if (!step.image_size_bytes) return false;
  MOORING_TRY(const bool is_made, kernel.devices.make_image(step.device.value, *step.image_size_bytes));
  return is_made;
}

Result<void> check_never_made(const AttachDevice& step, kernel::Kernel kernel) {
  if (step.stamp.empty() || !step.image_size_bytes) return success();
  MOORING_TRY(const auto stamp, kernel.files.status(step.stamp));
  if (!stamp) return success();
  MOORING_TRY(const auto image, kernel.files.host_status({step.device.value, std::nullopt}));
  if (image) return success();
  return obstacle("ImageMissing", "image " + step.device.value + " was made once, and is not there now",
                  step.device.value,
                  "mount the file system that it lies on; to have it made anew, empty, remove " + step.stamp +
                      " and the volume's format stamp below the root directory");
}

/// A loop device can be had of a disk too, and what may be formatted as an image may not be as a disk.
Result<void> check_is_file(const std::string& path, kernel::Files& files) {
  MOORING_TRY(const auto there, files.host_status({path, std::nullopt}));
  if (!there || there->type == kernel::FileType::Regular) return success();
  const bool is_device = there->type == kernel::FileType::BlockDevice;
  const bool is_directory = there->type == kernel::FileType::Directory;
  Error error = refusal("NotAnImage",
                        "image " + path + " is " +
                            (is_device      ? "a block device"
                             : is_directory ? "a directory"
                                            : "no regular file"),
                        is_device ? "name it by `device` instead of `image`" : "name the file of an image");
  error.path = path;
  return error;
}

/// An image stays attached as long as nobody detaches it, whichever process attached it.
Result<bool> attach_image(const AttachDevice& step, kernel::Kernel kernel) {
  MOORING_TRY(check_is_file(step.device.value, kernel.files));
  const auto before = kernel.devices.find(step.device);
  if (!before && !is_missing(before.error())) return before.error();
  Result<bool> made = false;
  if (!before) {
    MOORING_TRY(check_never_made(step, kernel));
    made = make_image(step, kernel);
  }
  // Also if making it failed: the return code is a hint, and whether there is a file shows now.
  const auto attached = kernel.devices.attach_image(step.device.value, step.read_only);
  const auto now = attached ? attached : kernel.devices.find(step.device);
  if (attached || (now && now.value().is_read_only == step.read_only)) {
    MOORING_TRY(stamp_image(step, kernel.files));
    return !attached || !before;
  }
  return made ? attached.error() : made.error();
}

/// True for a bind of the device's node, such as a raw device of a pod is (MapDevice).
bool is_bind_of_node(const MountFact& mount, const std::string& node) {
  const bool is_of_dev = mount.type == "devtmpfs" || mount.type == "tmpfs";
  return mount.root == node || (is_of_dev && "/dev" + mount.root == node);
}

/// A bind of the node does not open the device, so only the table tells of it.
Result<void> check_not_bound(const DeviceFacts& device, kernel::Mounts& mounts) {
  MOORING_TRY(const MountTable table, mounts.table());
  std::string places;
  for (const MountFact& mount : table.mounts()) {
    if (is_bind_of_node(mount, device.node)) places += (places.empty() ? "" : ", ") + mount.mount_point;
  }
  if (places.empty()) return success();
  return obstacle("DeviceBusy", device.node + " is still given to pods as a raw device at " + places,
                  device.node, "unmount these if no pod needs them; Mooring goes on by itself then");
}

/// Lets go what holds a raw device for its pods (raw_devices.cpp): it is left if a worker ended before it
/// could bind the device.
Result<void> end_hold(const std::string& node, kernel::Devices& devices) {
  const Result<bool> ended = devices.detach_image(node);
  // The return code is a hint: what is there now decides.
  if (ended || !devices.find({DeviceName::Kind::Image, node})) return success();
  return ended.error();
}

/// True if a pod has the file system. Then it was checked before that got it, and only its mount for the node
/// is gone; to wait until nobody has it would be to wait for the pod.
Result<bool> is_bound_for_pod(const DeviceFacts& device, kernel::Mounts& mounts) {
  MOORING_TRY(const MountTable table, mounts.table());
  for (const MountFact& mount : table.mounts()) {
    const std::size_t pods = mount.mount_point.rfind("/pods/");
    if (!is_mount_of(mount, device) || pods == std::string::npos) continue;
    const std::string relative = mount.mount_point.substr(pods + 1);
    if (!layout::parse_volume(relative)) continue;
    // A directory elsewhere may look just so.
    MOORING_TRY(const auto there, mounts.listed_at(relative));
    if (there && there->mount_point == mount.mount_point) return true;
  }
  return false;
}

/// What a checker found, as it counts for the volume. True if it changed the file system.
Result<bool> judge(const kernel::CheckReport& report, const CheckFileSystem& step, const DeviceFacts& device,
                   Outcome& outcome) {
  const std::string said = report.output.empty() ? "" : ": " + report.output;
  switch (report.result) {
    case kernel::CheckResult::Clean:
      return false;
    case kernel::CheckResult::Repaired:
      outcome.warnings.push_back("the " + step.type + " on " + device.node +
                                 " had errors, which were corrected" + said);
      return true;
    case kernel::CheckResult::Unknown:
      outcome.warnings.push_back("the check of the " + step.type + " on " + device.node + " failed" + said);
      return false;
    case kernel::CheckResult::NoTool:
      outcome.warnings.push_back("there is no program to check the " + step.type + " on " + device.node +
                                 said);
      return false;
    case kernel::CheckResult::Broken:
      break;
  }
  Error error = refusal("HasFilesystemErrors",
                        "'fsck' found errors on device " + device.node + " but could not correct them" + said,
                        "repair it by hand (fsck." + step.type + " " + device.node + "), best on a copy");
  error.path = device.node;
  return error;
}

}  // namespace

Result<bool> attach_device(const AttachDevice& step, kernel::Kernel kernel) {
  if (step.device.kind == DeviceName::Kind::Image) return attach_image(step, kernel);
  MOORING_TRY(kernel.devices.find(step.device));
  return false;
}

Result<bool> detach_device(const DetachDevice& step, kernel::Kernel kernel) {
  const bool is_image = step.device.kind == DeviceName::Kind::Image;
  const auto device = kernel.devices.find(step.device);
  if (!device && !is_image && names_no_device(device.error())) return false;
  if (!device && !is_missing(device.error())) return device.error();
  if (device) {
    MOORING_TRY(check_not_bound(device.value(), kernel.mounts));
    MOORING_TRY(end_hold(device.value().node, kernel.devices));
    MOORING_TRY(check_free(device.value(), kernel.devices));
  }
  if (!is_image) return false;
  // Also if no loop device was found: it may have that of an image that was removed.
  const Result<bool> detached = kernel.devices.detach_image(step.device.value);
  if (detached || !device) return detached;
  // The return code is a hint: what is there now decides.
  const auto now = kernel.devices.find(step.device);
  if (!now && is_missing(now.error())) return true;
  const Error& error = detached.error();
  return error.reason == "DeviceBusy" ? with_holders(error, device.value(), kernel.devices) : error;
}

Result<bool> check_file_system(const CheckFileSystem& step, kernel::Kernel kernel, Outcome& outcome) {
  MOORING_TRY(const auto mounted, kernel.mounts.listed_at(step.path));
  if (mounted) return false;
  MOORING_TRY(const DeviceFacts device, kernel.devices.find(step.device));
  if (device.is_read_only) return false;  // Nothing could be repaired.
  MOORING_TRY(const bool is_in_use, is_bound_for_pod(device, kernel.mounts));
  if (is_in_use) return false;
  MOORING_TRY(const auto lock, kernel.devices.lock(device));
  // A checker that repairs below a mounted file system destroys it.
  MOORING_TRY(check_free(device, kernel.devices));
  MOORING_TRY(check_unchanged(step.device, device, kernel.devices));
  MOORING_TRY(const kernel::CheckReport report, kernel.devices.check(device, step.type));
  return judge(report, step, device, outcome);
}

}  // namespace mooring
