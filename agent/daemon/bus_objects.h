#pragma once

#include <systemd/sd-bus.h>

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "status/status.h"

namespace mooring {

class BusService;

inline constexpr const char* bus_name = "io.mooring.VolumeManager1";
inline constexpr const char* bus_root = "/io/mooring/VolumeManager1";
inline constexpr const char* bus_pods = "/io/mooring/VolumeManager1/pod";
inline constexpr const char* bus_volumes = "/io/mooring/VolumeManager1/volume";
inline constexpr const char* bus_claims = "/io/mooring/VolumeManager1/claim";
inline constexpr const char* bus_persistent_volumes = "/io/mooring/VolumeManager1/persistent_volume";
inline constexpr const char* manager_interface = "io.mooring.VolumeManager1.Manager";
inline constexpr const char* pod_interface = "io.mooring.VolumeManager1.Pod";
inline constexpr const char* volume_interface = "io.mooring.VolumeManager1.Volume";
inline constexpr const char* claim_interface = "io.mooring.VolumeManager1.Claim";
inline constexpr const char* persistent_volume_interface = "io.mooring.VolumeManager1.PersistentVolume";

/// Object paths and back, elements escaped as sd_bus_path_encode(3) does.
std::string pod_path(const PodUid& uid);
std::string volume_path(const PodUid& uid, const VolumeName& name);
std::string claim_path(const ObjectKey& key);
std::string persistent_volume_path(const ObjectName& name);
std::optional<PodUid> parse_pod_path(const char* path);
std::optional<PodVolumeKey> parse_volume_path(const char* path);
std::optional<ObjectKey> parse_claim_path(const char* path);
std::optional<ObjectName> parse_persistent_volume_path(const char* path);

/// Appends "(ttbsss)": how the log's lines look on the bus.
int append_bus_event(sd_bus_message* message, const StatusEvent& event);

/// Registers the objects and methods on `bus` for `service`. A negative errno if sd-bus refuses.
int add_bus_objects(sd_bus* bus, BusService& service);
/// The same for claims and PersistentVolumes, and the manager's methods for them; add_bus_objects() calls it.
int add_bus_claims(sd_bus* bus, BusService& service);
/// The paths of all claims and PersistentVolumes.
void append_claim_paths(BusService& service, std::vector<std::string>& paths);

}  // namespace mooring
