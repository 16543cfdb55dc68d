// What is on a device, who has it, and the programs that make, check and grow file systems.

#include <algorithm>
#include <cerrno>

#include "kernel/device_errors.h"
#include "kernel/fake/fake_devices.h"

namespace mooring::kernel::fake {
namespace {

class FakeDeviceLock final : public DeviceLock {
 public:
  explicit FakeDeviceLock(std::shared_ptr<int> token) : token_(std::move(token)) {}

 private:
  std::shared_ptr<int> token_;
};

auto failing(const std::string& what, const std::string& node) {
  return [what, node](int error) { return device_error(what, node, error); };
}

constexpr std::uint64_t mebibyte = 1024 * 1024;

/// What mkfs refuses to go below.
std::uint64_t smallest(const std::string& type) {
  return type == "xfs" ? 300 * mebibyte : type == "btrfs" ? 109 * mebibyte : mebibyte / 16;
}

}  // namespace

Result<std::unique_ptr<DeviceLock>> FakeDevices::lock(const DeviceFacts& device) {
  using Answer = std::unique_ptr<DeviceLock>;
  const auto act = [&]() -> Result<Answer> {
    MOORING_TRY(BlockDevice* const found, open(device));
    if (!found->lock.expired()) return device_locked(device.node);
    auto token = std::make_shared<int>();
    found->lock = token;
    return Answer(std::make_unique<FakeDeviceLock>(std::move(token)));
  };
  return between_faults<Answer>(disks_.node(), "lock", device.node, act, failing("cannot lock", device.node));
}

Result<DeviceContent> FakeDevices::probe(const DeviceFacts& device) {
  const auto act = [&]() -> Result<DeviceContent> {
    MOORING_TRY(BlockDevice* const found, open(device));
    DeviceContent content = found->disk->content;
    if (content.looked_at_bytes == 0 && content.read_errno == 0) content.looked_at_bytes = device.size_bytes;
    return content;
  };
  return between_faults<DeviceContent>(disks_.node(), "probe", device.node, act,
                                       failing("cannot look at", device.node));
}

Result<bool> FakeDevices::is_free(const DeviceFacts& device) {
  const auto act = [&]() -> Result<bool> {
    MOORING_TRY(BlockDevice* const found, open(device));
    return disks_.is_free(*found);
  };
  return between_faults<bool>(disks_.node(), "is_free", device.node, act,
                              failing("cannot open", device.node));
}

Result<std::vector<DeviceHolder>> FakeDevices::holders(const DeviceFacts& device) {
  using Answer = std::vector<DeviceHolder>;
  const auto act = [&]() -> Result<Answer> {
    MOORING_TRY(BlockDevice* const found, open(device));
    Answer holders = found->holders;
    for (const auto& [node, other] : disks_.devices()) {
      if (other.is_loop() && disks_.device_of(*other.backing) == found)
        holders.push_back({0, other.facts.node, "", "", "is a loop device on it"});
    }
    if (found->openers > 0) holders.push_back({1000, "program", "", "", "has " + device.node + " open"});
    const auto& file_system = found->disk->file_system;
    if (file_system == nullptr) return holders;
    for (const MountFact& fact : disks_.node().facts()) {
      if (fact.source != file_system->source || fact.type != file_system->type) continue;
      holders.push_back({0, "a mount", "", "", "has it at " + fact.mount_point});
      const auto pinned = disks_.node().pins().find(fact.id);
      if (pinned != disks_.node().pins().end() && pinned->second > 0)
        holders.push_back({1000, "program", "", "", "has a file open in " + fact.mount_point});
    }
    return holders;
  };
  return between_faults<Answer>(disks_.node(), "holders", device.node, act,
                                failing("cannot see who has", device.node));
}

Result<void> FakeDevices::format(const DeviceFacts& device, const FormatOptions& options) {
  return between_faults<void>(
      disks_.node(), "format", device.node, [&] { return format_now(device, options); },
      [&](int error) { return format_failed(device.node, options.type, errno_text(error)); });
}

Result<void> FakeDevices::format_now(const DeviceFacts& device, const FormatOptions& options) {
  MOORING_TRY(BlockDevice* const found, open(device));
  if (tools_package(options.type).empty()) return cannot_format(options.type);
  if (!disks_.has_tool(options.type)) return format_tool_missing(options.type);
  if (found->facts.is_read_only) return device_error("cannot write to", device.node, EROFS);
  if (!disks_.is_free(*found)) return device_busy(device.node);
  if (found->facts.size_bytes < smallest(options.type))
    return format_failed(device.node, options.type, "the device is too small");
  Disk& disk = *found->disk;
  disk.content = DeviceContent();
  disk.content.data_offset = 0;
  disk.file_system.reset();
  disks_.show(*found);
  if (const int error = disks_.node().ask("format.half", device.node, true))
    return format_failed(device.node, options.type, errno_text(error));
  make_file_system(disk, options.type, options.uuid, "");
  disk.file_system_bytes = found->facts.size_bytes;
  disk.file_system->bytes_max = found->facts.size_bytes;
  ++disk.formats;
  disks_.show(*found);
  return success();
}

Result<CheckReport> FakeDevices::check(const DeviceFacts& device, const std::string& type) {
  return between_faults<CheckReport>(
      disks_.node(), "check", device.node, [&] { return check_now(device, type); },
      failing("cannot check", device.node));
}

Result<CheckReport> FakeDevices::check_now(const DeviceFacts& device, const std::string& type) {
  MOORING_TRY(BlockDevice* const found, open(device));
  if (!disks_.is_free(*found)) return device_busy(device.node);
  CheckReport report;
  // xfs and btrfs are checked by their mount.
  if (type == "xfs" || type == "btrfs") return report;
  if (tools_package(type).empty() || !disks_.has_tool(type)) {
    report.result = CheckResult::NoTool;
    return report;
  }
  if (found->facts.is_read_only) return device_error("cannot write to", device.node, EROFS);
  report.result = found->disk->health;
  if (report.result != CheckResult::Clean) report.output = "what fsck says";
  if (report.result == CheckResult::Repaired) found->disk->health = CheckResult::Clean;
  return report;
}

Result<bool> FakeDevices::grow_file_system(const DeviceFacts& device, const std::string& type,
                                           const std::string& mounted_at) {
  return between_faults<bool>(
      disks_.node(), "grow_file_system", device.node, [&] { return grow_now(device, type, mounted_at); },
      [&](int error) { return grow_failed(device.node, type, errno_text(error)); });
}

Result<bool> FakeDevices::grow_now(const DeviceFacts& device, const std::string& type,
                                   const std::string& mounted_at) {
  MOORING_TRY(BlockDevice* const found, open(device));
  if (tools_package(type).empty()) return cannot_grow(type);
  const Walk walked = disks_.node().walk(disks_.node().start(), mounted_at, {});
  Disk& disk = *found->disk;
  if (walked.error != 0 || !walked.found.is_mount_root() || disk.file_system == nullptr ||
      walked.found.mount->file_system != disk.file_system) {
    return device_not_mounted(device.node, mounted_at);
  }
  if (disk.file_system_bytes >= found->facts.size_bytes) return false;
  if (!disks_.has_tool(type))
    return grow_tool_missing(type, type == "xfs" ? "xfs_growfs" : type == "btrfs" ? "btrfs" : "resize2fs");
  if (disk.file_system->type != type) return grow_failed(device.node, type, "it is another file system");
  if (walked.found.is_read_only()) return grow_failed(device.node, type, errno_text(EROFS));
  disk.file_system_bytes = found->facts.size_bytes;
  disk.file_system->bytes_max = found->facts.size_bytes;
  return true;
}

}  // namespace mooring::kernel::fake
