#include "kernel/device_errors.h"

#include <cerrno>

#include "kernel/errors.h"

namespace mooring::kernel {
namespace {

Error error_of(ErrorKind kind, const char* reason, std::string message, std::string path,
               std::string remedy = {}) {
  Error error;
  error.kind = kind;
  error.reason = reason;
  error.message = std::move(message);
  error.path = std::move(path);
  error.remedy = std::move(remedy);
  return error;
}

const char* reason_of(int errno_value) {
  switch (errno_value) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
    case ENOMEDIUM:
      return "DeviceMissing";
    case EBUSY:
      return "DeviceBusy";
    case EROFS:
      return "DeviceReadOnly";
    case EIO:
      return "InputOutputError";
    case EACCES:
    case EPERM:
      return "PermissionDenied";
    default:
      return "DeviceError";
  }
}

std::string with_output(std::string message, const std::string& output) {
  return output.empty() ? message : std::move(message) + ": " + output;
}

}  // namespace

Error device_error(std::string_view what, const std::string& node, int errno_value) {
  const std::string named = std::string(what) + " " + node;
  Error error = system_error(ErrorKind::Transient, reason_of(errno_value), named, node, errno_value);
  if (errno_value == EIO) error.remedy = "look at the kernel's log: the disk is failing, or gone";
  if (errno_value == EROFS) error.remedy = "ask for the volume read-only, or make the device writable";
  if (errno_value == EACCES || errno_value == EPERM)
    error.remedy = "the worker must be root, and its unit must allow the device (DeviceAllow=)";
  return error;
}

Error image_error(std::string_view what, const std::string& path, int errno_value) {
  Error error = file_error(std::string(what) + " " + path, path, errno_value);
  if (errno_value != ENOENT) return error;
  error.reason = "ImageMissing";
  error.remedy = "make the file, or give the volume a size so that Mooring makes it";
  return error;
}

Error device_missing(const DeviceName& name) {
  const bool is_image = name.kind == DeviceName::Kind::Image;
  Error error =
      error_of(ErrorKind::Transient, "DeviceMissing",
               is_image ? "no loop device has the " + name.text() : "there is no " + name.text(), name.value);
  if (name.kind == DeviceName::Kind::Path) error.message = "there is no device " + name.value;
  if (!is_image) error.remedy = "attach the device; Mooring goes on when it is there (see lsblk -f)";
  return error;
}

Error device_ambiguous(const DeviceName& name, const std::vector<std::string>& nodes) {
  std::string list;
  for (const std::string& node : nodes)
    list += (list.empty() ? "" : ", ") + node;
  return error_of(
      ErrorKind::Transient, "DeviceAmbiguous", name.text() + " means several devices: " + list, name.value,
      name.kind == DeviceName::Kind::Image
          ? "detach all but one: losetup -d"
          : "name the device by /dev/disk/by-id, or detach the copies, or give them another UUID");
}

Error device_changed(const DeviceFacts& device, const std::string& difference) {
  return error_of(ErrorKind::Transient, "DeviceChanged",
                  device.node + " is not the device that was found: " + difference, device.node);
}

Error device_busy(const std::string& node) {
  Error error = device_error("somebody still uses", node, EBUSY);
  error.remedy = "see who has it: lsblk " + node + ", fuser -v " + node;
  return error;
}

Error device_locked(const std::string& node) {
  Error error = device_error("another program works on", node, EWOULDBLOCK);
  error.reason = "DeviceLocked";
  error.remedy = "lslocks names it; Mooring tries again";
  return error;
}

Error not_a_device(const std::string& path, const std::string& leads_to) {
  const std::string where = leads_to == path ? std::string() : ": it leads to " + leads_to;
  return error_of(ErrorKind::Final, "NotADevice", path + " is no path of a device below /dev" + where, path,
                  "name the device by a path below /dev, such as one in /dev/disk/by-id");
}

Error not_a_block_device(const std::string& path) {
  return error_of(ErrorKind::Final, "NotABlockDevice", path + " is not a block device", path,
                  "name a disk, a partition or a logical volume");
}

Error not_an_image(const std::string& path) {
  return error_of(ErrorKind::Final, "NotAnImage", path + " is neither a regular file nor a block device",
                  path, "name the file of an image");
}

Error attached_otherwise(const std::string& path, const std::string& how) {
  return error_of(ErrorKind::Transient, "AttachedOtherwise", "image " + path + " is attached already, " + how,
                  path, "detach it (losetup -d) if nobody needs it so");
}

Error format_failed(const std::string& node, const std::string& type, const std::string& output) {
  return error_of(ErrorKind::Uncertain, "FormatFailed",
                  with_output("cannot make the " + type + " on " + node, output), node);
}

Error format_tool_missing(const std::string& type) {
  return error_of(ErrorKind::Final, "FormatToolMissing", "mkfs." + type + " is not installed", {},
                  "install " + std::string(tools_package(type)));
}

Error grow_tool_missing(const std::string& type, const std::string& program) {
  return error_of(ErrorKind::Final, "GrowToolMissing", program + " is not installed", {},
                  "install " + std::string(tools_package(type)));
}

Error cannot_format(const std::string& type) {
  return error_of(ErrorKind::Final, "CannotFormat", "Mooring cannot make a file system of the type " + type,
                  {}, "make it by hand, or ask for ext4, xfs or btrfs");
}

Error cannot_grow(const std::string& type) {
  return error_of(ErrorKind::Final, "CannotGrow", "Mooring cannot grow a file system of the type " + type, {},
                  "grow it by hand if it can be grown");
}

Error grow_failed(const std::string& node, const std::string& type, const std::string& output) {
  return error_of(ErrorKind::Uncertain, "GrowFailed",
                  with_output("cannot grow the " + type + " on " + node, output), node);
}

Error device_not_mounted(const std::string& node, const std::string& path) {
  return error_of(ErrorKind::Transient, "NotMounted", node + " is not mounted at " + path, path);
}

std::string identity_difference(const DeviceFacts& found, const DeviceFacts& now) {
  const auto numbers = [](const DeviceFacts& device) {
    return std::to_string(device.device_major) + ":" + std::to_string(device.device_minor);
  };
  if (numbers(found) != numbers(now)) return "its number was " + numbers(found) + " and is " + numbers(now);
  if (found.sequence != 0 && now.sequence != 0 && found.sequence != now.sequence)
    return "it was attached anew since";
  if (found.wwid != now.wwid) return "its WWID was '" + found.wwid + "' and is '" + now.wwid + "'";
  if (found.size_bytes != now.size_bytes) {
    return "its size was " + std::to_string(found.size_bytes) + " bytes and is " +
           std::to_string(now.size_bytes);
  }
  return {};
}

std::string_view tools_package(std::string_view type) {
  if (type == "ext4" || type == "ext3" || type == "ext2") return "e2fsprogs";
  if (type == "xfs") return "xfsprogs";
  if (type == "btrfs") return "btrfs-progs";
  return {};
}

}  // namespace mooring::kernel
