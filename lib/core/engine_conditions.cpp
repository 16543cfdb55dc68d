#include <utility>

#include "core/engine.h"
#include "step/csi_layout.h"

namespace mooring {
namespace {

Failure device_vanished() {
  return {"DeviceVanished", "its device is gone from the node",
          "bring the device back; pods that use the volume must be ended before it can be had again"};
}

}  // namespace

/// The number of the device that is staged; nullopt: nothing is.
std::optional<DeviceNumber> Core::Engine::number_of(const ActualDevice& device) const {
  if (device.state != DeviceState::Staged || device.staged_path.empty()) return std::nullopt;
  const MountFact* staged = mounts_->top_at(options_.node.root_dir + "/" + device.staged_path);
  if (staged == nullptr) return std::nullopt;
  return DeviceNumber{staged->device_major, staged->device_minor};
}

/// Lets the shell listen for errors of all that is staged, and of nothing else.
void Core::Engine::watch_file_systems() {
  std::set<DeviceNumber> staged;
  for (const auto& [key, device] : actual_.devices()) {
    if (const auto number = number_of(device)) staged.insert(*number);
  }
  if (staged == watched_file_systems_) return;
  watched_file_systems_ = staged;
  effects_.file_systems_to_watch = std::move(staged);
}

void Core::Engine::on(DeviceRemoved& event, Instant now) {
  note_condition(event.device, device_vanished(), true, now);
}

void Core::Engine::on(FileSystemFailing& event, Instant now) {
  note_condition(event.device,
                 {"FileSystemErrors", "the kernel found errors in its file system: " + event.message,
                  "end the pods that use it: it is checked before it is mounted again"},
                 false, now);
}

void Core::Engine::note_condition(const DeviceNumber& number, Failure condition, bool is_lost, Instant now) {
  for (const auto& [key, device] : actual_.devices()) {
    if (number_of(device) == number) note_condition_of(key, condition, is_lost, now);
  }
}

/// What cannot be mended under the pods that have it is told; it is checked and mended on its next way up.
void Core::Engine::note_condition_of(const VolumeKey& key, const Failure& condition, bool is_lost,
                                     Instant now) {
  DeviceWork& work = device_work_.at(key);
  if (work.condition && work.condition->message == condition.message) return;
  log(now, true, "VolumeConditionAbnormal", "device/" + key.str(), condition.message);
  work.condition = std::make_unique<Failure>(condition);
  work.is_lost = work.is_lost || is_lost;
  dirty_devices_.insert(key);
  for (const PodVolumeKey& user : work.users)
    dirty_.insert(user.pod);
}

/// Has what an earlier run staged looked at, once: that its device went meanwhile, nobody told.
void Core::Engine::prove_device(ActualDevice& device, Instant now) {
  device_work_.at(device.key).is_unproven = false;
  if (device.state != DeviceState::Staged || device.is_uncertain) return;
  const Plugin* plugin = plugins_.by_name(device.plugin);
  Stage look{{}, Lane::Own};
  if (plugin != nullptr) look.up = plugin->prove({device.key, device.name, device.staged_path, drivers_});
  start_on_device(device, Doing::Prove, "prove", std::move(look), now);
}

/// A look that failed proves nothing: what is staged then counts as before.
void Core::Engine::proof_ended(ActualDevice& device, const Outcome& outcome, Instant now) {
  if (!outcome.error) return;
  if (outcome.error->reason == "DeviceVanished")
    return note_condition_of(device.key, device_vanished(), true, now);
  if (outcome.error->reason != "ForeignMount") return;
  // On its way up the same is found, and told until somebody mends it.
  device.is_uncertain = true;
  log(now, true, "ForeignMount", "device/" + device.key.str(), outcome.error->text());
}

/// True for a volume that is meant to be written to, and that the kernel has read-only.
bool Core::Engine::is_read_only_by_others(const PodUid& uid, const ActualVolume& volume,
                                          const VolumeWork& work, const MountTable& mounts) const {
  const Plugin* plugin = plugins_.by_name(volume.plugin);
  if (!volume.is_mount || work.read_only || plugin == nullptr || plugin->support().always_read_only)
    return false;
  const MountFact* top =
      mounts.top_at(options_.node.root_dir + "/" + layout::mount_place(uid, volume.plugin, volume.directory));
  return top != nullptr && top->is_read_only();
}

/// Tells when a volume turns read-only behind Mooring's back (an error of its disk, or somebody's remount),
/// and when it is writable again.
void Core::Engine::note_read_only(const PodUid& uid, const ActualVolume& volume, const VolumeWork& work,
                                  const MountTable& before, Instant now) {
  const bool is_now = is_read_only_by_others(uid, volume, work, *mounts_);
  if (is_now == is_read_only_by_others(uid, volume, work, before)) return;
  log(now, is_now, is_now ? "VolumeConditionAbnormal" : "VolumeConditionNormal",
      "pod/" + actual_.find(uid)->key.text(),
      "volume " + volume.name.str() + (is_now ? " turned read-only" : " is writable again"));
}

}  // namespace mooring
