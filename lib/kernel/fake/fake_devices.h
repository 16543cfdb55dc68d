#pragma once

#include "kernel/devices.h"
#include "kernel/fake/fake_disks.h"

namespace mooring::kernel::fake {

/// Block devices on the fake node.
class FakeDevices final : public Devices {
 public:
  explicit FakeDevices(FakeDisks& disks) : disks_(disks) {}

  Result<DeviceFacts> find(const DeviceName& name) override;
  Result<bool> make_image(const std::string& path, std::uint64_t size_bytes) override;
  Result<DeviceFacts> attach_image(const std::string& path, bool read_only) override;
  Result<bool> detach_image(const std::string& path) override;
  Result<bool> grow_image(const std::string& path, std::uint64_t size_bytes) override;
  Result<std::unique_ptr<DeviceLock>> lock(const DeviceFacts& device) override;
  Result<DeviceContent> probe(const DeviceFacts& device) override;
  Result<bool> is_free(const DeviceFacts& device) override;
  Result<std::vector<DeviceHolder>> holders(const DeviceFacts& device) override;
  Result<void> format(const DeviceFacts& device, const FormatOptions& options) override;
  Result<CheckReport> check(const DeviceFacts& device, const std::string& type) override;
  Result<bool> grow_file_system(const DeviceFacts& device, const std::string& type,
                                const std::string& mounted_at) override;

 private:
  /// open(2) of the node, and the look whether it is still the device that was found.
  Result<BlockDevice*> open(const DeviceFacts& device);
  Result<DeviceFacts> find_now(const DeviceName& name);
  Result<DeviceFacts> find_path(const DeviceName& name);
  Result<bool> make_image_now(const std::string& path, std::uint64_t size_bytes);
  Result<DeviceFacts> attach_now(const std::string& path, bool read_only);
  Result<bool> detach_now(const std::string& path);
  Result<bool> grow_image_now(const std::string& path, std::uint64_t size_bytes);
  Result<void> format_now(const DeviceFacts& device, const FormatOptions& options);
  Result<CheckReport> check_now(const DeviceFacts& device, const std::string& type);
  Result<bool> grow_now(const DeviceFacts& device, const std::string& type, const std::string& mounted_at);
  FakeDisks& disks_;
};

}  // namespace mooring::kernel::fake
