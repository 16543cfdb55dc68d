// What the bus is told of objects: signals first, details later (docs/decisions/0013).

#include <utility>

#include "daemon/bus_objects.h"
#include "daemon/bus_service.h"

namespace mooring {
namespace {

using boost::system::error_code;

/// Details wait while there is work, but not for longer than this.
constexpr auto details_pause = std::chrono::milliseconds(20);
constexpr std::size_t details_max = 64;  ///< Of each kind of object, at a time.

}  // namespace

void BusService::announce_all() {
  for (const PodUid& uid : core_.pods())
    undetailed_.insert(uid);
  for (const ClaimStatus& claim : core_.claims())
    undetailed_claims_.insert({claim.name_space, claim.name});
  for (const PersistentVolumeStatus& volume : core_.persistent_volumes())
    undetailed_volumes_.insert(volume.name);
  schedule_details();
}

void BusService::forget_announced() {
  announced_.clear();
  announced_claims_.clear();
  announced_volumes_.clear();
}

bool BusService::has_details() const {
  return !undetailed_.empty() || !undetailed_claims_.empty() || !undetailed_volumes_.empty();
}

void BusService::schedule_details() {
  if (std::exchange(is_details_set_, true)) return;
  details_timer_.expires_after(details_pause);
  details_timer_.async_wait([this](error_code cancelled) {
    is_details_set_ = false;
    if (!cancelled) send_details();
  });
}

void BusService::send_details() {
  if (!connection_ || is_lost_) {
    later_events_.clear();
    undetailed_claims_.clear();
    undetailed_volumes_.clear();
    return undetailed_.clear();
  }
  if (callbacks_.is_busy()) return schedule_details();
  for (const StatusEvent& event : std::exchange(later_events_, {}))
    send_event(event);
  for (std::size_t i = 0; i < details_max && !undetailed_.empty(); ++i) {
    const PodUid uid = undetailed_.extract(undetailed_.begin()).value();
    send_details_of(uid);
  }
  for (std::size_t i = 0; i < details_max && !undetailed_claims_.empty(); ++i)
    send_claim(undetailed_claims_.extract(undetailed_claims_.begin()).value());
  for (std::size_t i = 0; i < details_max && !undetailed_volumes_.empty(); ++i)
    send_volume(undetailed_volumes_.extract(undetailed_volumes_.begin()).value());
  if (has_details()) schedule_details();
  connection_->kick();
}

/// InterfacesAdded, PropertiesChanged and InterfacesRemoved for one pod and its volumes.
void BusService::send_details_of(const PodUid& uid) {
  sd_bus* bus = connection_->get();
  const PodStatus* pod = status_of(uid);
  const auto known = announced_.find(uid);
  std::set<VolumeName> now;
  if (pod != nullptr) {
    for (const VolumeStatus& volume : pod->volumes)
      now.insert(volume.name);
  }
  if (known != announced_.end()) {
    for (const VolumeName& name : known->second) {
      if (now.contains(name)) continue;
      sd_bus_emit_interfaces_removed(bus, volume_path(uid, name).c_str(), volume_interface, nullptr);
    }
  }
  if (pod == nullptr) {
    if (known == announced_.end()) return;
    sd_bus_emit_interfaces_removed(bus, pod_path(uid).c_str(), pod_interface, nullptr);
    announced_.erase(known);
    return;
  }
  const std::string path = pod_path(uid);
  if (known == announced_.end()) {
    sd_bus_emit_interfaces_added(bus, path.c_str(), pod_interface, nullptr);
  } else {
    sd_bus_emit_properties_changed(bus, path.c_str(), pod_interface, "Ready", "Deleting", "Origin", "Message",
                                   "Volumes", nullptr);
  }
  for (const VolumeName& name : now) {
    const std::string volume = volume_path(uid, name);
    if (known == announced_.end() || !known->second.contains(name)) {
      sd_bus_emit_interfaces_added(bus, volume.c_str(), volume_interface, nullptr);
    } else {
      sd_bus_emit_properties_changed(bus, volume.c_str(), volume_interface, "Plugin", "Phase", "Path",
                                     "Reason", "Message", "Action", "Since", "Attempts", "NextRetry",
                                     nullptr);
    }
  }
  announced_[uid] = std::move(now);
}

/// The same for a claim.
void BusService::send_claim(const ObjectKey& key) {
  sd_bus* bus = connection_->get();
  const std::string path = claim_path(key);
  if (claim_at(key) == nullptr) {
    if (announced_claims_.erase(key) > 0)
      sd_bus_emit_interfaces_removed(bus, path.c_str(), claim_interface, nullptr);
  } else if (announced_claims_.insert(key).second) {
    sd_bus_emit_interfaces_added(bus, path.c_str(), claim_interface, nullptr);
  } else {
    sd_bus_emit_properties_changed(bus, path.c_str(), claim_interface, "UID", "Phase", "Volume", "Capacity",
                                   "Request", "AccessModes", "VolumeMode", "StorageClass", "Origin", "Owner",
                                   "Reason", "Message", "Action", "Users", "Attempts", "NextRetry", nullptr);
  }
}

/// The same for a PersistentVolume.
void BusService::send_volume(const ObjectName& name) {
  sd_bus* bus = connection_->get();
  const std::string path = persistent_volume_path(name);
  if (persistent_volume_at(name) == nullptr) {
    if (announced_volumes_.erase(name) > 0)
      sd_bus_emit_interfaces_removed(bus, path.c_str(), persistent_volume_interface, nullptr);
  } else if (announced_volumes_.insert(name).second) {
    sd_bus_emit_interfaces_added(bus, path.c_str(), persistent_volume_interface, nullptr);
  } else {
    sd_bus_emit_properties_changed(bus, path.c_str(), persistent_volume_interface, "Phase", "Capacity",
                                   "AccessModes", "VolumeMode", "ReclaimPolicy", "StorageClass", "Claim",
                                   "Plugin", "Source", "Provisioner", "MountOptions", "Origin", "Reason",
                                   "Message", "Action", "Attempts", "NextRetry", nullptr);
  }
}

}  // namespace mooring
