#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/client.h"
#include "output.h"
#include "status/status.h"

namespace mooring::ctl {

// What pods share of volumes. Devices are the node's: they are in no namespace.

std::string device_table(const std::vector<DeviceStatus>& devices, bool is_wide);
/// A paragraph on one for a person.
std::string device_details(const DeviceStatus& device);
Json device_json(const DeviceStatus& device);

/// The devices of volumes, for a paragraph on those; none if the daemon does not tell.
std::vector<DeviceStatus> ask_volume_devices(Client& client);
/// The line on the volume's device; empty if it has none.
std::string device_field(const std::vector<DeviceStatus>& devices, const PodStatus& pod,
                         const VolumeStatus& volume);

}  // namespace mooring::ctl
