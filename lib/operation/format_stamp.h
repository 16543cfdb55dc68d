#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "facts/device.h"
#include "kernel/files.h"
#include "step/device_steps.h"

namespace mooring {

/// What is remembered for ever of a volume that was formatted, or was about to be: a small file that outlives
/// reboots, written before the first byte is and completed after the last.
///
///     {"version":1,"complete":true,"type":"ext4","uuid":"...","device":"/dev/disk/by-id/...","size":1073741824,
///      "wwid":"naa.5000c500a0b1c2d3"}
struct FormatStamp {
  bool is_complete = false;  ///< False: formatting began, and nobody knows if it ended.
  std::string type;
  std::string uuid;              ///< That the new file system was to have, or that was found.
  std::string device;            ///< What the device was asked for by: DeviceName::text().
  std::uint64_t size_bytes = 0;  ///< Of the device when formatting began...
  std::string wwid;              ///< ...and likewise; may be empty.
  friend bool operator==(const FormatStamp&, const FormatStamp&) = default;
};
std::string encode_format_stamp(const FormatStamp& stamp);
/// Final, "BadFormatStamp", for anything else: a volume whose past cannot be read is never formatted.
Result<FormatStamp> decode_format_stamp(std::string_view bytes);

/// nullopt: there is none. "BadFormatStamp" also for a file that is too large for one.
Result<std::optional<FormatStamp>> read_format_stamp(const std::string& path, kernel::Files& files);
/// Replaces the stamp, or makes it with its directory, at one moment.
Result<void> write_format_stamp(const std::string& path, const FormatStamp& stamp, kernel::Files& files);

/// The UUID of a new file system. It is written down before the file system is made, so that a later look can
/// tell whether the making ended; so it cannot be left to mkfs. And this room has no source of randomness: it
/// is derived (UUIDv5) from all that tells one volume from another, the place of its stamp first.
std::string new_file_system_uuid(const FormatDevice& step, const DeviceFacts& device);

}  // namespace mooring
