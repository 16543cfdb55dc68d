#pragma once

#include <string>

#include "base/result.h"
#include "facts/device.h"
#include "facts/mount_table.h"
#include "kernel/kernel.h"

namespace mooring {

// What the steps on devices ask before they change anything.

/// An error that may go away by itself, or when somebody does what the remedy says.
Error obstacle(std::string reason, std::string message, std::string path, std::string remedy);

/// "DeviceChanged" unless the name still means the device that was found: to be asked right before each
/// write. Between two steps, and between two calls, a name may come to mean another one.
Result<void> check_unchanged(const DeviceName& name, const DeviceFacts& found, kernel::Devices& devices);

/// "DeviceBusy", with all who are known to have it, unless nobody does.
Result<void> check_free(const DeviceFacts& device, kernel::Devices& devices);

/// The error, with all who are known to have the device.
Error with_holders(Error error, const DeviceFacts& device, kernel::Devices& devices);

/// Final, "DeviceReadOnly": it is to be written to, and cannot be.
Error read_only_device(const DeviceName& name, const DeviceFacts& device);

/// True for an error of a name that leads to no device of its own.
bool names_no_device(const Error& error);

/// True if what is mounted is the whole file system of the device.
bool is_mount_of(const MountFact& mounted, const DeviceFacts& device);

/// Removes the directory if it is empty; "NotEmpty", with what is in it, if not: that is nobody's to remove.
/// True if it was there.
Result<bool> remove_if_empty(const std::string& path, kernel::Files& files);

}  // namespace mooring
