#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "binding/resolve.h"
#include "core/attachments.h"
#include "core/driver_work.h"
#include "core/engine.h"

// Volumes of pods that have a device, or are to (ActualDevice).

namespace mooring {

/// Makes the volume a user of the device that its recipe names. What is published stays with the device that
/// it has. Of what was found on disk alone, as after a reboot, nobody knows that it has one.
void Core::Engine::use_device(const PodUid& uid, ActualVolume& volume, const Recipe& recipe) {
  const VolumeKey wanted = recipe.device ? recipe.device->key : VolumeKey();
  const bool is_unknown = volume.state == PublishState::Uncertain && volume.device.empty();
  if (volume.device != wanted && (volume.state == PublishState::Absent || is_unknown)) {
    leave_device(uid, volume);
    volume.device = wanted;
    volume.is_recorded = false;
  }
  if (wanted.empty() || volume.device != wanted) return;
  ActualDevice& device = actual_.ensure_device(wanted);
  if (device.plugin.empty()) device.plugin = volume.plugin;
  DeviceWork& work = device_work_[wanted];
  work.users.insert({uid, volume.name});
  note_capacity(device, {uid, volume.name}, recipe.device->capacity_bytes);
  dirty_devices_.insert(wanted);
}

/// Only ever larger: what a file system holds may be anywhere in it. Users may differ: who only reads asks
/// for nothing, and two PersistentVolumes may name one device.
void Core::Engine::note_capacity(const ActualDevice& device, const PodVolumeKey& user,
                                 std::uint64_t capacity_bytes) {
  if (capacity_bytes == 0) return;
  DeviceWork& work = device_work_.at(device.key);
  const bool is_known = std::any_of(work.wanted_bytes.begin(), work.wanted_bytes.end(),
                                    [&](const auto& wanted) { return wanted.second == capacity_bytes; });
  work.wanted_bytes[user] = capacity_bytes;
  if (is_known) return;
  work.backoff.hurry();
  work.warning.clear();
  work.too_busy_for_bytes = 0;
  if (capacity_bytes >= device.capacity_bytes || device.state == DeviceState::Detached) return;
  work.warning = "it is asked for with " + std::to_string(capacity_bytes) + " bytes, and has " +
                 std::to_string(device.capacity_bytes) + ": a volume is never made smaller";
  log(last_now_, true, "VolumeShrinkRefused", "device/" + device.key.str(), work.warning);
}

void Core::Engine::leave_device(const PodUid& uid, const ActualVolume& volume) {
  const auto work = device_work_.find(volume.device);
  if (work == device_work_.end()) return;
  work->second.users.erase({uid, volume.name});
  work->second.wanted_bytes.erase({uid, volume.name});
  dirty_devices_.insert(volume.device);
}

/// True if the device is what the recipe asks for, as far as anything of it is there.
bool is_just(const ActualDevice& device, const DeviceRecipe& recipe) {
  const bool is_clean = device.state == DeviceState::Detached && !device.is_uncertain;
  if (is_clean || device.name.value.empty()) return true;
  return device.name == recipe.device && device.staged_path == recipe.staged_path;
}

/// True if nothing that pods share of the volume keeps it from being published.
bool Core::Engine::is_device_ready(const ActualVolume& volume) const {
  if (volume.device.empty()) return true;
  const ActualDevice* device = actual_.find_device(volume.device);
  const auto work = device_work_.find(volume.device);
  if (device == nullptr || !device->is_ready()) return false;
  if (work == device_work_.end()) return true;
  // What an earlier run staged is given to a pod when it was looked at.
  return !work->second.is_lost && !work->second.is_unproven && work->second.doing != Doing::Prove;
}

namespace {

bool is_published(const ActualState& actual, const PodVolumeKey& user, const VolumeKey& device) {
  const ActualPod* pod = actual.find(user.pod);
  const ActualVolume* volume = pod == nullptr ? nullptr : pod->find(user.volume);
  return volume != nullptr && volume->device == device && volume->state == PublishState::Published;
}

/// The call that makes larger what a pod has; nullptr: it is made larger where it is staged, or not at all.
const ExpandCsiVolume* growth_in_pod(const DeviceRecipe& recipe) {
  for (const Step& step : recipe.grow.up) {
    const auto* expand = std::get_if<ExpandCsiVolume>(&step);
    if (expand != nullptr && expand->staged_path.empty()) return expand;
  }
  return nullptr;
}

}  // namespace

bool grows_when_published(const DeviceRecipe& recipe) {
  const ExpandCsiVolume* expand = growth_in_pod(recipe);
  return expand != nullptr && expand->is_supported;
}

bool has_place_to_grow(const DeviceRecipe& recipe, const DeviceWork& work, const ActualState& actual) {
  return growth_in_pod(recipe) == nullptr ||
         std::any_of(work.users.begin(), work.users.end(),
                     [&](const PodVolumeKey& user) { return is_published(actual, user, recipe.key); });
}

/// How the device comes to be, as the first pod says that wants it and whose recipe can be made, those first
/// that have it, and of several the one that wants it largest; nullopt: no such pod.
std::optional<DeviceRecipe> Core::Engine::recipe_of_device(const VolumeKey& key,
                                                           const DeviceWork& work) const {
  std::vector<PodVolumeKey> users(work.users.begin(), work.users.end());
  std::stable_partition(users.begin(), users.end(),
                        [&](const PodVolumeKey& user) { return is_published(actual_, user, key); });
  const std::uint64_t largest_bytes = std::accumulate(
      work.wanted_bytes.begin(), work.wanted_bytes.end(), std::uint64_t{0},
      [](std::uint64_t so_far, const auto& wanted) { return std::max(so_far, wanted.second); });
  std::optional<DeviceRecipe> best;
  for (const PodVolumeKey& user : users) {
    std::optional<DeviceRecipe> recipe = recipe_by(user, key);
    if (!recipe || (best && recipe->capacity_bytes <= best->capacity_bytes)) continue;
    best = std::move(recipe);
    if (best->capacity_bytes >= largest_bytes) break;
  }
  return best;
}

/// How the device comes to be, as this user of it says; nullopt: it does not want it, or cannot have it.
std::optional<DeviceRecipe> Core::Engine::recipe_by(const PodVolumeKey& user, const VolumeKey& key) const {
  const DesiredPod* desired = desired_of(user.pod);
  const ActualPod* pod = actual_.find(user.pod);
  const auto pod_work = work_.find(user.pod);
  if (desired == nullptr || pod == nullptr || pod_work == work_.end()) return std::nullopt;
  const ActualVolume* volume = pod->find(user.volume);
  const VolumeWork* volume_work = pod_work->second.find(user.volume);
  if (volume == nullptr || volume->device != key || volume_work == nullptr || volume_work->is_refused)
    return std::nullopt;
  if (fate_of(desired, *volume, *volume_work) != Fate::Wanted) return std::nullopt;
  Result<Recipe> made = recipe_of(*desired->pod, user.volume);
  if (!made || !made.value().device || made.value().device->key != key)
    return std::nullopt;  // Its pod says why.
  std::optional<DeviceRecipe> recipe = std::move(made).value().device;
  const bool all_read = listing_is_complete_ && failing_directories_.empty();
  const manifest::VolumeSource* source =
      resolved_source(*desired->pod, *desired->find_used(user.volume), ledger_);
  if (waits_for_csi_driver_object(source, store_, all_read)) recipe->waits_for = waits_for_manifests();
  return recipe;
}

/// True if a pod has the volume, or may have.
/// Of one that is lost, only what is surely there counts: what nobody knows of cannot be mended before it is
/// up again, and what is bound of it after all is seen by its unstaging.
bool Core::Engine::is_device_needed(const VolumeKey& key, const DeviceWork& work) const {
  return std::any_of(work.users.begin(), work.users.end(), [&](const PodVolumeKey& user) {
    const ActualPod* pod = actual_.find(user.pod);
    const ActualVolume* volume = pod == nullptr ? nullptr : pod->find(user.volume);
    if (volume == nullptr || volume->device != key) return false;
    const auto pod_work = work_.find(user.pod);
    const VolumeWork* volume_work = pod_work == work_.end() ? nullptr : pod_work->second.find(user.volume);
    const bool may_be_there =
        work.is_lost ? volume->state == PublishState::Published : volume->state != PublishState::Absent;
    return may_be_there || (volume_work != nullptr && volume_work->doing != Doing::None);
  });
}

}  // namespace mooring
