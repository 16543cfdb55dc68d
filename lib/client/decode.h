#pragma once

#include <systemd/sd-bus.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "client/client.h"
#include "status/status.h"

namespace mooring::bus {

/// A property's value, of the types that the interface uses, but for a dictionary: its entries stand beside
/// it as "Name.key". monostate for any other, so that a newer daemon may tell more.
using Value = std::variant<std::monostate, std::string, bool, std::uint32_t, std::uint64_t, std::int64_t,
                           std::vector<std::string>, std::vector<std::int64_t>>;
using Properties = std::map<std::string, Value, std::less<>>;

/// a{sv} → the answer of Properties.GetAll.
Result<Properties> decode_properties(sd_bus_message* message);
/// aa{sv} → the answer of GetContainerMounts.
Result<std::vector<ContainerMount>> decode_mounts(sd_bus_message* message);
/// aa{sv} → the answer of GetContainerDevices.
Result<std::vector<ContainerDevice>> decode_devices(sd_bus_message* message);
/// aa{sv} → the answer of ListDevices.
Result<std::vector<DeviceStatus>> decode_device_list(sd_bus_message* message);
/// aa{sv} → the answer of ListDrivers.
Result<std::vector<DriverStatus>> decode_drivers(sd_bus_message* message);
/// aa{sv} → the answers of ListClaims, ListPersistentVolumes, ListStorageClasses, ListVolumeSnapshots and
/// ExplainClaim.
Result<std::vector<ClaimStatus>> decode_claims(sd_bus_message* message);
Result<std::vector<PersistentVolumeStatus>> decode_persistent_volumes(sd_bus_message* message);
Result<std::vector<StorageClassStatus>> decode_storage_classes(sd_bus_message* message);
Result<std::vector<VolumeSnapshotStatus>> decode_snapshots(sd_bus_message* message);
Result<std::vector<ClaimCandidate>> decode_candidates(sd_bus_message* message);
/// a{sv} → the answer of GetContainerSecurity.
Result<ContainerSecurity> decode_security(sd_bus_message* message);
/// a(ttbsss) → the answer of GetEvents.
Result<std::vector<StatusEvent>> decode_events(sd_bus_message* message);
/// (ttbsss) → the signal Event.
Result<StatusEvent> decode_event(sd_bus_message* message);
/// a{oa{sa{sv}}} → the answer of ObjectManager.GetManagedObjects.
Result<std::vector<PodStatus>> decode_pods(sd_bus_message* message);

NodeStatus node_from(const Properties& properties);
DaemonInfo daemon_from(const Properties& properties);

}  // namespace mooring::bus
