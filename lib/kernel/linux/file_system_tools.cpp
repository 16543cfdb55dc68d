// The programs that make, check and grow file systems.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "kernel/device_errors.h"
#include "kernel/linux/block_device.h"
#include "kernel/linux/file_system_size.h"
#include "kernel/linux/helper.h"
#include "kernel/linux/linux_devices.h"
#include "kernel/linux/superblock.h"

namespace mooring::kernel {
namespace {

constexpr std::size_t report_lines_max = 20;

bool is_ext(const std::string& type) {
  return type == "ext4" || type == "ext3" || type == "ext2";
}

/// The device's words for mkfs. None of them discards: a disk that was proven blank has nothing to give
/// back, and what was not looked at shall not be lost by that. All of them overwrite without a question,
/// which they could not ask: the proof was the caller's.
std::vector<std::string> format_words(const std::string& program, const DeviceFacts& device,
                                      const FormatOptions& options) {
  if (options.type == "xfs") {
    return {program, "-q", "-f", "-K", "-m", "uuid=" + options.uuid, device.node};
  }
  if (options.type == "btrfs") return {program, "-q", "-f", "-K", "-U", options.uuid, device.node};
  // -F: a whole disk is as good as a partition. -m 0: no part is kept for root, whose pods these are not.
  // Lazy: the inode tables are zeroed by the mounted file system. What the journal's place held before cannot
  // be taken for the journal's, where its blocks have checksums of the new UUID: that is ext4 alone.
  std::string extended = "nodiscard,lazy_itable_init=1";
  if (options.type == "ext4") extended += ",lazy_journal_init=1";
  return {program, "-q", "-F", "-m", "0", "-E", extended, "-U", options.uuid, device.node};
}

/// Opens the device for a program: pinned, and proven to be nobody else's at this moment. The program makes
/// sure once more by itself.
Result<Descriptor> open_free(const DeviceFacts& device) {
  { MOORING_TRY(const Descriptor exclusive, open_device(device, O_RDONLY | O_EXCL)); }
  return open_device(device, O_RDONLY);
}

/// mkfs.btrfs refuses a UUID that any device has, also the one that it is to overwrite, where an earlier try
/// may have left it. The superblocks of all file systems begin in the first part of a device.
Result<void> forget_uuid(const DeviceFacts& device, int pinned) {
  if (!recognise(pinned, false).signature) return success();
  MOORING_TRY(const Descriptor opened, open_device(device, O_WRONLY));
  const std::vector<char> zeros(std::min<std::uint64_t>(device.size_bytes, 1024 * 1024));
  for (std::size_t at = 0; at < zeros.size();) {
    const ssize_t put = pwrite(opened.get(), zeros.data() + at, zeros.size() - at, static_cast<off_t>(at));
    if (put <= 0) return format_failed(device.node, "btrfs", errno_text(errno));
    at += static_cast<std::size_t>(put);
  }
  if (fsync(opened.get()) != 0) return format_failed(device.node, "btrfs", errno_text(errno));
  return success();
}

CheckResult meaning_of_fsck(int status) {
  constexpr int corrected = 1 | 2;  // 2: and the node should be rebooted, which is for the root only.
  constexpr int uncorrected = 4;
  if (status == 0) return CheckResult::Clean;
  if (status < 0 || (status & ~(corrected | uncorrected)) != 0) return CheckResult::Unknown;
  return (status & uncorrected) != 0 ? CheckResult::Broken : CheckResult::Repaired;
}

std::vector<std::string> growth_words(const DeviceFacts& device, const std::string& type,
                                      const std::string& mounted_at, std::uint64_t device_id) {
  if (type == "xfs") return {"xfs_growfs", "-d", mounted_at};
  if (type == "btrfs")
    return {"btrfs", "filesystem", "resize", std::to_string(device_id) + ":max", mounted_at};
  return {"resize2fs", device.node};
}

}  // namespace

Result<void> LinuxDevices::format(const DeviceFacts& device, const FormatOptions& options) {
  if (tools_package(options.type).empty()) return cannot_format(options.type);
  const std::string program = find_program("mkfs." + options.type);
  if (program.empty()) return format_tool_missing(options.type);
  MOORING_TRY(const Descriptor pinned, open_free(device));
  MOORING_TRY(const DeviceFacts now, facts_of(pinned.get(), device.node));
  if (now.is_read_only) return device_error("cannot write to", device.node, EROFS);
  if (options.type == "btrfs") {
    MOORING_TRY(forget_uuid(device, pinned.get()));
  }
  const Result<HelperEnd> end = run_helper(format_words(program, device, options));
  if (!end) return format_failed(device.node, options.type, end.error().message);
  if (!end.value().is_success()) return format_failed(device.node, options.type, end.value().text());
  if (fsync(pinned.get()) != 0) return format_failed(device.node, options.type, errno_text(errno));
  // What the program said counts less than what is there.
  const Recognised made = recognise(pinned.get(), false);
  if (!made.signature || made.signature->type != options.type ||
      !is_same_uuid(made.signature->uuid, options.uuid)) {
    return format_failed(device.node, options.type,
                         "the program ended well, but the file system is not there");
  }
  return success();
}

Result<CheckReport> LinuxDevices::check(const DeviceFacts& device, const std::string& type) {
  MOORING_TRY(const Descriptor pinned, open_free(device));
  CheckReport report;
  // As fsck.xfs(8) and fsck.btrfs(8) do: a mount replays the log, and xfs_repair would refuse before.
  if (type == "xfs" || type == "btrfs") return report;
  const std::string program = is_ext(type) ? find_program("e2fsck") : std::string();
  if (program.empty()) {
    report.result = CheckResult::NoTool;
    return report;
  }
  MOORING_TRY(const DeviceFacts now, facts_of(pinned.get(), device.node));
  if (now.is_read_only) return device_error("cannot write to", device.node, EROFS);
  MOORING_TRY(const HelperEnd end, run_helper({program, "-p", device.node}));
  report.result = meaning_of_fsck(end.status);
  report.output = last_lines(end.output, report_lines_max, "\n");
  if (report.result == CheckResult::Unknown) report.output = end.text();
  return report;
}

Result<bool> LinuxDevices::grow_file_system(const DeviceFacts& device, const std::string& type,
                                            const std::string& mounted_at) {
  if (tools_package(type).empty()) return cannot_grow(type);
  MOORING_TRY(const Descriptor pinned, open_device(device, O_RDONLY));
  const auto before = file_system_size(pinned.get(), type, mounted_at);
  if (!before) return device_not_mounted(device.node, mounted_at);
  if (before->bytes + before->block_bytes > device.size_bytes) return false;
  std::vector<std::string> words = growth_words(device, type, mounted_at, before->device_id);
  const std::string program = find_program(words.front());
  if (program.empty()) return grow_tool_missing(type, words.front());
  words.front() = program;
  MOORING_TRY(const HelperEnd end, run_helper(words));
  if (!end.is_success()) return grow_failed(device.node, type, end.text());
  // Less than what the file system can use of it may be left over for ever: that is no failure.
  const auto after = file_system_size(pinned.get(), type, mounted_at);
  return after && after->bytes > before->bytes;
}

}  // namespace mooring::kernel
