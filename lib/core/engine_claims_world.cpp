#include <algorithm>

#include "core/engine.h"

namespace mooring {

BindingWorld Core::Engine::binding_world() const {
  const bool is_complete = listing_is_complete_ && failing_directories_.empty();
  BindingWorld world{store_,
                     provisioners_,
                     options_.node.name,
                     node_labels_,
                     options_.node.root_dir,
                     is_complete,
                     {},
                     {},
                     {},
                     volume_ends_,
                     {}};
  std::map<ObjectKey, const manifest::Pod*> pods;
  for (const auto& [uid, claims] : pod_claims_) {
    const DesiredPod* desired = desired_.find(uid);
    if (desired != nullptr) pods.emplace(desired->pod->key, desired->pod.get());
  }
  for (const auto& [key, pod] : pods)
    world.pods.push_back(pod);
  world.volumes_in_use = volumes_in_use();
  add_copied_volumes(world.volumes_in_use);
  // Before everything was adopted nobody knows what pods that are gone still have.
  if (adoption_ != Adoption::Adopted) {
    for (const auto& [key, row] : ledger_.claims)
      world.claims_in_use.insert(key);
    for (const auto& [name, row] : ledger_.volumes)
      world.volumes_in_use.insert(name);
  } else {
    world.claims_in_use = claims_in_use(world.volumes_in_use);
  }
  world.staged_bytes = staged_bytes();
  world.is_quiet = !quiet_at_;
  return world;
}

/// True if the pod has the volume, or may have.
bool Core::Engine::has_volume_of(const ActualPod& pod, const PodWork* work,
                                 const manifest::PersistentVolume& volume) const {
  const PluginName plugin = manifest::plugin_name(volume.source);
  return std::any_of(pod.volumes.begin(), pod.volumes.end(), [&](const ActualVolume& one) {
    if (one.plugin != plugin || one.directory.str() != volume.name.str()) return false;
    const VolumeWork* volume_work = work == nullptr ? nullptr : work->find(one.name);
    return one.state != PublishState::Absent || (volume_work != nullptr && volume_work->doing != Doing::None);
  });
}

/// The volumes of the ledger that some pod has, or that are attached or staged for one.
std::set<ObjectName> Core::Engine::volumes_in_use() const {
  std::set<ObjectName> names;
  for (const auto& [uid, pod] : actual_.pods()) {
    const auto work = work_.find(uid);
    for (const ActualVolume& one : pod.volumes) {
      const ObjectName name(one.directory.str());
      const LedgerVolume* row = ledger_.find(name);
      if (row != nullptr && has_volume_of(pod, work == work_.end() ? nullptr : &work->second, *row->volume))
        names.insert(name);
    }
  }
  for (const auto& [name, row] : ledger_.volumes) {
    const std::optional<VolumeKey> key = plugins_.device_of(*row.volume);
    if (key && actual_.find_device(*key) != nullptr) names.insert(name);
  }
  // What is being emptied is nobody's before that has ended.
  for (const auto& [name, work] : volume_work_) {
    if (work.doing == Doing::RecycleVolume) names.insert(name);
  }
  return names;
}

/// The claims of pods that go or were written anew, and are not wholly gone, and those whose volume is in
/// use. What a pod names that is to run is looked at with the pod.
std::set<ObjectKey> Core::Engine::claims_in_use(const std::set<ObjectName>& volumes) const {
  std::set<ObjectKey> claims;
  for (const auto& [key, pods] : claim_pods_) {
    const auto& claim = key;
    const bool is_left = std::any_of(pods.begin(), pods.end(), [&](const PodUid& uid) {
      const DesiredPod* desired = desired_.find(uid);
      if (desired == nullptr) return true;
      return std::none_of(desired->used.begin(), desired->used.end(), [&](const manifest::Volume* volume) {
        return claim_of(*desired->pod, *volume) == claim;
      });
    });
    if (is_left) claims.insert(key);
  }
  for (const ObjectName& name : volumes) {
    const LedgerVolume* row = ledger_.find(name);
    if (row != nullptr && row->volume->claim) claims.insert(row->volume->claim->key);
  }
  return claims;
}

std::map<ObjectName, std::uint64_t> Core::Engine::staged_bytes() const {
  std::map<ObjectName, std::uint64_t> sizes;
  for (const auto& [name, row] : ledger_.volumes) {
    const std::optional<VolumeKey> key = plugins_.device_of(*row.volume);
    const ActualDevice* device = key ? actual_.find_device(*key) : nullptr;
    if (device != nullptr && device->is_ready()) sizes.emplace(name, device->capacity_bytes);
  }
  return sizes;
}

}  // namespace mooring
