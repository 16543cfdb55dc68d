#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "facts/device.h"
#include "kernel/devices.h"

namespace mooring::kernel {

/// Who a process belongs to by its control group.
struct CgroupOwner {
  std::string unit;       ///< "ssh.service", "session-3.scope"; empty: none.
  std::string container;  ///< The id, as container runtimes put it there; empty: none.
  friend bool operator==(const CgroupOwner&, const CgroupOwner&) = default;
};

/// Reads what /proc/PID/cgroup says. Containers are known by their long hexadecimal id, which docker, podman,
/// containerd and CRI-O use, and by the "libpod-", "crun-" and the like before any other.
CgroupOwner cgroup_owner(std::string_view cgroup);

/// See Devices::holders.
std::vector<DeviceHolder> find_holders(const DeviceFacts& device);

}  // namespace mooring::kernel
