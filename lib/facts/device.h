#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mooring {

/// How a block device is asked for. Node names (/dev/sdb) move between boots; the others stay with the thing.
struct DeviceName {
  enum class Kind : std::uint8_t {
    Path,   ///< Any path below /dev, links followed: "/dev/disk/by-id/wwn-0x5000c500a0b1c2d3".
    Uuid,   ///< Of the file system on it.
    Label,  ///< Likewise.
    Wwid,   ///< What sysfs calls the device's wwid: "naa.5000c500a0b1c2d3", "eui.0025385b71b0a3c4".
    Image,  ///< A regular file of the node, attached by a loop device.
    Csi,    ///< A volume of a CSI driver, "driver^handle": no device of the node's, whatever it is on.
  };
  Kind kind = Kind::Path;
  std::string value;

  /// "uuid 6c1f...", for messages.
  std::string text() const;
  friend bool operator==(const DeviceName&, const DeviceName&) = default;
  friend auto operator<=>(const DeviceName&, const DeviceName&) = default;
};

/// A block device's number (makedev(3)); used again for another device when this one is gone.
struct DeviceNumber {
  std::uint32_t major_number = 0;
  std::uint32_t minor_number = 0;

  friend bool operator==(const DeviceNumber&, const DeviceNumber&) = default;
  friend auto operator<=>(const DeviceNumber&, const DeviceNumber&) = default;
};

/// A block device as the kernel shows it at one moment. What was found once is compared with what is there
/// before anything is written: a node name may mean another device a moment later.
struct DeviceFacts {
  std::string node;  ///< The kernel's own name: "/dev/loop3".
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t sequence = 0;  ///< diskseq (Linux 5.15): never the same for two attachments; 0: not known.
  std::string wwid;            ///< Empty: it has none.
  bool is_read_only = false;

  friend bool operator==(const DeviceFacts&, const DeviceFacts&) = default;
};

/// One thing that was recognised on a device.
struct Signature {
  enum class Usage : std::uint8_t { FileSystem, Raid, Crypto, Other };
  Usage usage = Usage::Other;
  std::string type;  ///< As libblkid names it: "ext4", "crypto_LUKS", "LVM2_member", "swap".
  std::string uuid;
  std::string label;
  bool has_bad_checksum = false;

  friend bool operator==(const Signature&, const Signature&) = default;
};

/// What a look at a device's content found. "Nothing was recognised" is not "there is nothing": only the last
/// three fields together prove a blank device.
struct DeviceContent {
  std::optional<Signature> signature;
  std::string partition_table;  ///< "gpt", "dos"...; empty: none was recognised.
  bool is_ambivalent = false;   ///< Two kinds of content claim it; neither is in `signature`.
  int read_errno = 0;           ///< Reading it failed somewhere; then nothing else here is proof of absence.
  std::uint64_t read_offset = 0;  ///< Where it failed.
  /// The first byte that is not zero, of all that was looked at: head, tail and samples between, or every
  /// allocated byte of an image.
  std::optional<std::uint64_t> data_offset;
  std::uint64_t looked_at_bytes = 0;  ///< How much was read to say so, holes of an image included.

  friend bool operator==(const DeviceContent&, const DeviceContent&) = default;
};

/// How much there is and how much is left, of a mounted file system (statfs(2)).
struct FileSystemUsage {
  std::uint64_t capacity_bytes = 0;
  std::uint64_t used_bytes = 0;
  std::uint64_t available_bytes = 0;  ///< To users without privileges.
  std::uint64_t inodes = 0;           ///< 0: it does not count them.
  std::uint64_t inodes_used = 0;
  std::uint64_t inodes_free = 0;

  friend bool operator==(const FileSystemUsage&, const FileSystemUsage&) = default;
};

}  // namespace mooring
