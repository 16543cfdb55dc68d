#pragma once

#include <systemd/sd-bus.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "status/status.h"

namespace mooring {

// How values look on the bus. Each append gives a negative errno if sd-bus refuses.

/// Microseconds since 1970, as all times on the bus.
std::uint64_t micros(WallTime time);

/// Strings on the bus are UTF-8; a path of other bytes is shown with escapes rather than not at all.
std::string bus_text(const std::string& text);

int append_text(sd_bus_message* reply, const std::string& text);
/// as.
int append_texts(sd_bus_message* reply, const std::vector<std::string>& texts);
/// {sv} with a list of strings.
int append_texts_entry(sd_bus_message* reply, const char* key, const std::vector<std::string>& texts);
/// {sv} with a boolean.
int append_flag(sd_bus_message* reply, const char* key, bool value);
/// {sv} with a string.
int append_entry(sd_bus_message* reply, const char* key, const std::string& value);
/// a{sv} of one mount.
int append_mount(sd_bus_message* reply, const ContainerMount& mount);
/// a{sv} of how full a volume is; empty if nobody knows.
int append_usage(sd_bus_message* reply, const std::optional<VolumeUsage>& usage);
/// a{sv} of one raw device of a container.
int append_device(sd_bus_message* reply, const ContainerDevice& device);
/// a{sv} of what pods share of a volume.
int append_device_status(sd_bus_message* reply, const DeviceStatus& device);
/// a{sv} of a driver outside.
int append_driver_status(sd_bus_message* reply, const DriverStatus& driver);
/// a{sv} of a claim, a PersistentVolume, a class, and a volume that was looked at for a claim.
int append_claim(sd_bus_message* reply, const ClaimStatus& claim);
int append_persistent_volume(sd_bus_message* reply, const PersistentVolumeStatus& volume);
int append_storage_class(sd_bus_message* reply, const StorageClassStatus& storage_class);
int append_volume_snapshot(sd_bus_message* reply, const VolumeSnapshotStatus& snapshot);
int append_candidate(sd_bus_message* reply, const ClaimCandidate& candidate);
/// The value of one property of the objects for claims and PersistentVolumes; -ENOENT: it has none such.
int append_claim_property(sd_bus_message* reply, const ClaimStatus& claim, std::string_view name);
int append_persistent_volume_property(sd_bus_message* reply, const PersistentVolumeStatus& volume,
                                      std::string_view name);
/// a{sv} of what a container's process is asked for; what is not given is left out.
int append_security(sd_bus_message* reply, const ContainerSecurity& security);

}  // namespace mooring
