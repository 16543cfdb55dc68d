#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "facts/device.h"

namespace mooring::kernel {

// What the calls of kernel/devices.h that failed say, the same of the real kernel and of the fake one.

/// Of a call on a device's node, with the reason that its errno stands for: "DeviceMissing" (ENOENT, ENXIO,
/// ENODEV, ENOMEDIUM), "DeviceBusy", "DeviceReadOnly", "InputOutputError", "PermissionDenied", else
/// "DeviceError".
Error device_error(std::string_view what, const std::string& node, int errno_value);
/// Of a call on the file of an image: "ImageMissing" for ENOENT, else as file_error().
Error image_error(std::string_view what, const std::string& path, int errno_value);

Error device_missing(const DeviceName& name);
/// `nodes`: those that the name means, two at least.
Error device_ambiguous(const DeviceName& name, const std::vector<std::string>& nodes);
/// `difference`: what is not as it was found, "its size was 4096 bytes and is 8192".
Error device_changed(const DeviceFacts& device, const std::string& difference);
Error device_busy(const std::string& node);
Error device_locked(const std::string& node);
Error not_a_device(const std::string& path, const std::string& leads_to);
Error not_a_block_device(const std::string& path);
Error not_an_image(const std::string& path);
/// `how`: "read-only as /dev/loop3".
Error attached_otherwise(const std::string& path, const std::string& how);

Error format_failed(const std::string& node, const std::string& type, const std::string& output);
Error format_tool_missing(const std::string& type);
/// "GrowToolMissing", Final: `program` grows file systems of the type.
Error grow_tool_missing(const std::string& type, const std::string& program);
Error cannot_format(const std::string& type);
Error cannot_grow(const std::string& type);
Error grow_failed(const std::string& node, const std::string& type, const std::string& output);
Error device_not_mounted(const std::string& node, const std::string& path);

/// How one device differs from what it was when it was found, for device_changed(); empty: in nothing that
/// tells two devices apart. What either does not know is not compared.
std::string identity_difference(const DeviceFacts& found, const DeviceFacts& now);

/// The Debian package that makes, checks and grows file systems of the type; empty: Mooring knows none.
std::string_view tools_package(std::string_view type);

}  // namespace mooring::kernel
