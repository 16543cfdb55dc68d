#pragma once

#include "kernel/devices.h"

namespace mooring::kernel {

/// Block devices on the real kernel.
class LinuxDevices final : public Devices {
 public:
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
};

}  // namespace mooring::kernel
