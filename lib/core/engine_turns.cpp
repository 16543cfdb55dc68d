#include <algorithm>

#include "core/engine.h"

namespace mooring {
namespace {

bool takes_turns(const ActualDevice* device, const PluginRegistry& plugins) {
  const Plugin* plugin = device == nullptr ? nullptr : plugins.by_name(device->plugin);
  return plugin != nullptr && plugin->has_one_operation_at_a_time();
}

}  // namespace

/// True if an operation is at the volume, of a plugin that has one at a time.
bool Core::Engine::is_taken(const VolumeKey& key) const {
  const ActualDevice* device = actual_.find_device(key);
  const auto work = device_work_.find(key);
  if (work == device_work_.end() || !takes_turns(device, plugins_)) return false;
  if (work->second.doing != Doing::None) return true;
  return std::any_of(work->second.users.begin(), work->second.users.end(), [&](const PodVolumeKey& user) {
    const auto pod = work_.find(user.pod);
    const VolumeWork* volume = pod == work_.end() ? nullptr : pod->second.find(user.volume);
    return volume != nullptr && volume->doing != Doing::None;
  });
}

/// An operation of the pod ended: it may go on, and so may who waited for the turn at what they share.
void Core::Engine::plan_again(const PodUid& uid, const VolumeKey& shared) {
  dirty_.insert(uid);
  const auto work = device_work_.find(shared);
  if (work == device_work_.end() || !takes_turns(actual_.find_device(shared), plugins_)) return;
  for (const PodVolumeKey& user : work->second.users)
    dirty_.insert(user.pod);
}

void Core::Engine::on(RetryRequested& event, Instant now) {
  if (!event.pod || find_pod(*event.pod)) request_scan(now);
  for (auto& [uid, pod] : work_) {
    const ActualPod* actual = actual_.find(uid);
    if (event.pod && (actual == nullptr || actual->key != *event.pod)) continue;
    pod.directory_backoff.hurry();
    for (VolumeWork& volume : pod.volumes) {
      volume.is_refused = false;
      volume.backoff.hurry();
    }
    dirty_.insert(uid);
  }
  for (auto& [key, work] : device_work_) {
    work.backoff.hurry();
    dirty_devices_.insert(key);
  }
  if (event.pod) return;
  for (auto& [name, work] : volume_work_)
    work.backoff.hurry();
  snapshot_work_.hurry_all();
  for (const auto& [name, row] : ledger_.volumes) {
    if (!row.message.empty()) asked_.tries.insert(name);
  }
  are_claims_touched_ = are_claims_touched_ || !asked_.tries.empty();
  scan_backoff_.hurry();
  flex_drivers_.hurry();
  registrar_.hurry();
  for (auto& [name, trash] : trash_)
    trash.backoff.hurry();
}

}  // namespace mooring
