#include "operation/device_checks.h"

#include <cerrno>

#include "kernel/device_errors.h"

namespace mooring {

Error obstacle(std::string reason, std::string message, std::string path, std::string remedy) {
  Error error = refusal(std::move(reason), std::move(message), std::move(remedy));
  error.kind = ErrorKind::Transient;
  error.path = std::move(path);
  return error;
}

Result<void> check_unchanged(const DeviceName& name, const DeviceFacts& found, kernel::Devices& devices) {
  MOORING_TRY(const DeviceFacts now, devices.find(name));
  if (now.node != found.node) return kernel::device_changed(found, name.text() + " is " + now.node + " now");
  const std::string difference = kernel::identity_difference(found, now);
  if (!difference.empty()) return kernel::device_changed(found, difference);
  return success();
}

Error with_holders(Error error, const DeviceFacts& device, kernel::Devices& devices) {
  const auto holders = devices.holders(device);
  if (!holders || holders.value().empty()) return error;
  const char* separator = ": ";
  for (const kernel::DeviceHolder& holder : holders.value()) {
    error.message += separator + holder.text();
    separator = "; ";
  }
  error.remedy = "end who uses it; Mooring goes on by itself then";
  return error;
}

Result<void> check_free(const DeviceFacts& device, kernel::Devices& devices) {
  MOORING_TRY(const bool is_free, devices.is_free(device));
  if (is_free) return success();
  return with_holders(kernel::device_busy(device.node), device, devices);
}

Error read_only_device(const DeviceName& name, const DeviceFacts& device) {
  Error error =
      refusal("DeviceReadOnly", name.text() + " cannot be written to, and its volume is not read-only",
              "make the volume read-only, or see why the device is (blockdev --getro)");
  error.path = device.node;
  return error;
}

bool names_no_device(const Error& error) {
  return error.reason == "DeviceMissing" || error.reason == "DeviceAmbiguous" ||
         error.reason == "NotABlockDevice" || error.reason == "NotADevice";
}

bool is_mount_of(const MountFact& mounted, const DeviceFacts& device) {
  // A btrfs may lie on several devices, so the kernel gives it a number of its own; its root is whatever
  // subvolume is the default.
  if (mounted.type == "btrfs") return mounted.source == device.node;
  return mounted.device_major == device.device_major && mounted.device_minor == device.device_minor &&
         mounted.root == "/";
}

Result<bool> remove_if_empty(const std::string& path, kernel::Files& files) {
  MOORING_TRY(const auto there, files.status(path));
  if (!there) return false;
  const Result<void> removed = files.remove_directory(path);
  if (removed) return true;
  if (removed.error().errno_value != ENOTEMPTY) {
    // The return code is a hint: what lies there now decides.
    const auto now = files.status(path);
    if (now && !now.value()) return true;
    return removed.error();
  }
  std::string names;
  if (const auto entries = files.list(path)) {
    for (const auto& entry : entries.value())
      names += (names.empty() ? "" : ", ") + entry.name;
  }
  return obstacle("NotEmpty", "the directory holds what Mooring did not make (" + names + "), which stays",
                  path, "look at it, and remove it if nobody needs it");
}

}  // namespace mooring
