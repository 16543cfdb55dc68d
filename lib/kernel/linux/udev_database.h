#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace mooring::kernel {

/// What systemd-udevd found on a block device when it last changed; its links in /dev/disk are made of this.
struct UdevEntry {
  std::string uuid;           ///< Of the file system (ID_FS_UUID_ENC); empty: none was found.
  std::string label;          ///< Likewise (ID_FS_LABEL_ENC).
  std::string disk_sequence;  ///< Of the link in /dev/disk/by-diskseq; empty: it has none.

  friend bool operator==(const UdevEntry&, const UdevEntry&) = default;
};

/// Parses an entry of udev's database (/run/udev/data/b8:16): a line for each link ("S:disk/by-uuid/...") and
/// each property ("E:ID_FS_UUID_ENC=..."), with what is not to be in a path as "\x20".
UdevEntry parse_udev_entry(std::string_view text);

/// The entry of the device; reading it waits for no disk. nullopt: udev does not know the device, or knows
/// another one that had its number before.
std::optional<UdevEntry> udev_entry(dev_t number);

}  // namespace mooring::kernel
