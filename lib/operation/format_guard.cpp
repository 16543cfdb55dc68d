#include "operation/format_guard.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "base/quote.h"

// Read it from the top: each line is one reason to keep away from a device, and what is left at the end is
// proven. tests/unit/operation holds this file to a test for every branch.

namespace mooring {
namespace {

struct Question {
  const FormatDevice& step;
  const DeviceFacts& device;
  const DeviceContent& content;
  const std::optional<FormatStamp>& stamp;
};

using Answer = Result<FormatDecision>;

/// What Mooring makes. Others are only used if they are there.
constexpr std::array<std::string_view, 5> types_made{"btrfs", "ext2", "ext3", "ext4", "xfs"};

/// What the look must have covered at least: where every known format keeps its superblock, or all of it.
constexpr std::uint64_t looked_at_bytes_min = 1ULL << 20U;

/// "/dev/disk/by-id/... (/dev/sdb)".
std::string name_of(const Question& asked) {
  const std::string name = asked.step.device.text();
  if (name == asked.device.node) return name;
  return name + " (" + asked.device.node + ")";
}

Error unreadable(std::string message) {
  Error error = refusal("DeviceUnreadable", std::move(message),
                        "look at the kernel's log: the device or the way to it is failing");
  error.kind = ErrorKind::Transient;
  return error;
}

Error not_blank(const Question& asked, const std::string& found) {
  return refusal(
      "DeviceNotBlank", name_of(asked) + " holds " + found + ": it is not formatted",
      "name another device, or erase this one (wipefs -a, blkdiscard) if nobody needs what is on it");
}

/// What stops every use of the device, whatever is recognised on it.
std::optional<Error> reason_not_to_touch(const Question& asked) {
  const DeviceContent& content = asked.content;
  // What could not be read could be anything: neither "blank" nor "ext4" may be believed.
  if (content.read_errno != 0) {
    return unreadable("cannot read " + name_of(asked) + " at byte " + std::to_string(content.read_offset) +
                      ": " + errno_text(content.read_errno));
  }
  // A drive without a medium, or one that was torn off.
  if (asked.device.size_bytes == 0) return unreadable(name_of(asked) + " has no size");
  // Two formats claim it. Mounting it as either can destroy the other.
  if (content.is_ambivalent) {
    return refusal("DeviceAmbivalent", name_of(asked) + " has the signatures of more than one format",
                   "see both by `wipefs`, and erase the one that is left over");
  }
  // A whole disk with partitions, also beside a file system: somebody's other volumes are in there.
  if (!content.partition_table.empty()) {
    return refusal(
        "DeviceHasPartitions",
        name_of(asked) + " holds unknown data, probably partitions (" + content.partition_table + ")",
        "name one of its partitions, or erase the table (wipefs -a) if nobody needs what is on it");
  }
  return std::nullopt;
}

/// Something is recognised: it is used if it is just what is asked for, and never written over.
Answer decide_recognised(const Question& asked, const Signature& signature) {
  // LUKS, LVM, RAID, swap: what is inside is not to be seen from here, and is data.
  if (signature.usage != Signature::Usage::FileSystem) return not_blank(asked, signature.type);
  // It was a file system, and what it says of itself is not true any more.
  if (signature.has_bad_checksum) {
    return refusal(
        "FilesystemDamaged",
        "the superblock of the " + signature.type + " on " + name_of(asked) + " has a bad checksum",
        "save what is on it (dd), and repair it by hand with its own fsck");
  }
  // Another one is somebody's data, however empty.
  if (signature.type != asked.step.type) {
    return refusal("FilesystemMismatch",
                   "failed to mount the volume as " + quoted(asked.step.type) + ", it already contains " +
                       signature.type + " (" + name_of(asked) + ")",
                   "set fsType to " + signature.type +
                       ", or erase the device (wipefs -a) if nobody needs what is on it");
  }
  // Whoever made it, a file system has been here now. Were the stamp left incomplete, it would one day permit
  // to format over what is left of this one.
  if (asked.stamp && !asked.stamp->is_complete) return FormatDecision::CompleteStamp;
  return FormatDecision::Use;
}

/// True for names that stay with the thing. A node name, such as /dev/sdb, means another device after a boot.
bool stays_with_device(const DeviceName& name) {
  switch (name.kind) {
    case DeviceName::Kind::Image:
    case DeviceName::Kind::Wwid:
      return true;
    default:
      return name.value.starts_with("/dev/disk/by-id/") || name.value.starts_with("/dev/disk/by-partuuid/");
  }
}

/// True if nothing speaks against it that the stamp was written for this device.
bool may_be_of(const FormatStamp& stamp, const Question& asked) {
  if (stamp.size_bytes != asked.device.size_bytes) return false;
  if (stamp.wwid != asked.device.wwid) return false;
  return stamp.device == asked.step.device.text();
}

/// True if the stamp was certainly written for this device, and formatting it never ended: what is on it is
/// Mooring's own.
bool is_left_unfinished(const FormatStamp& stamp, const Question& asked) {
  if (stamp.is_complete) return false;
  if (!may_be_of(stamp, asked)) return false;
  return !asked.device.wwid.empty() || stays_with_device(asked.step.device);
}

/// What stops formatting a device on which nothing is recognised, whatever is or is not on it.
std::optional<Error> reason_not_to_format(const Question& asked) {
  const std::string name = name_of(asked);
  // It had a file system. That it looks blank now means that the data is gone, or that this is another
  // device; a new and empty file system would hide either.
  if (asked.stamp && asked.stamp->is_complete) {
    return refusal("FormattedBefore",
                   "the volume had a file system (" + asked.stamp->type + ", UUID " + asked.stamp->uuid +
                       ", on " + asked.stamp->device + "), and " + name +
                       " has none: its data is gone, or this is another device",
                   "find the device; if the volume may be formatted again, remove " + asked.step.stamp);
  }
  // Formatting began elsewhere: which of the two devices is the volume's?
  if (asked.stamp && !may_be_of(*asked.stamp, asked)) {
    return refusal("FormattedBefore",
                   "formatting of the volume began on another device (" + asked.stamp->device + ", " +
                       std::to_string(asked.stamp->size_bytes) + " bytes), and " + name + " is not it",
                   "find the device; if this one may be formatted, remove " + asked.step.stamp);
  }
  // The device cannot be written, or the volume is not to be.
  if (asked.device.is_read_only || asked.step.read_only) {
    return refusal("UnformattedReadOnly",
                   "cannot mount unformatted disk " + name + " as we are manipulating it in read-only mode",
                   "let the volume be writable once, or put a file system on it by hand");
  }
  // Nobody said that it may be.
  if (asked.step.policy == FormatPolicy::Never) {
    return refusal("FormatForbidden",
                   name + " has no file system, and its volume does not say that it may get one",
                   "write `format: IfBlank` into the volume's attributes, or make the file system by hand");
  }
  // No mkfs of it here; and a file system that cannot be repaired and grown is none to begin with.
  if (std::find(types_made.begin(), types_made.end(), asked.step.type) == types_made.end()) {
    return refusal(
        "UnsupportedFileSystem",
        name + " has no file system, and Mooring makes no " + asked.step.type + " (but ext4, xfs, btrfs)",
        "set fsType to one of these, or make the file system by hand");
  }
  return std::nullopt;
}

/// Nothing is recognised. That is not "blank": a file system whose head was overwritten looks like this too.
Answer decide_unrecognised(const Question& asked) {
  const std::optional<std::uint64_t>& data = asked.content.data_offset;
  const bool is_unfinished = asked.stamp && is_left_unfinished(*asked.stamp, asked);
  if (data && !is_unfinished) {
    Error error = not_blank(asked, "unknown data at byte " + std::to_string(*data));
    // For whoever wonders why a formatting that was cut off is not just done again.
    if (asked.stamp && !asked.stamp->is_complete) {
      error.message += " (formatting the volume began once, but nothing proves that it was on this device)";
    }
    return error;
  }
  // That no data was seen proves something only if somebody looked.
  if (!data && asked.content.looked_at_bytes < std::min(asked.device.size_bytes, looked_at_bytes_min)) {
    return unreadable("only " + std::to_string(asked.content.looked_at_bytes) + " bytes of " +
                      name_of(asked) + " were looked at, which does not prove it blank");
  }
  if (auto error = reason_not_to_format(asked)) return *std::move(error);
  if (data) return FormatDecision::FormatAgain;
  return FormatDecision::Format;
}

}  // namespace

Result<FormatDecision> decide_format(const FormatDevice& step, const DeviceFacts& device,
                                     const DeviceContent& content, const std::optional<FormatStamp>& stamp) {
  const Question asked{step, device, content, stamp};
  if (auto error = reason_not_to_touch(asked)) return *std::move(error);
  if (content.signature) return decide_recognised(asked, *content.signature);
  return decide_unrecognised(asked);
}

}  // namespace mooring
