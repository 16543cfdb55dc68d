#include <algorithm>

#include "binding/resolve.h"
#include "core/engine.h"
#include "plugin/common_options.h"
#include "step/csi_layout.h"
#include "step/layout.h"

namespace mooring {

Result<Recipe> Core::Engine::recipe_of(const manifest::Pod& pod, const VolumeName& name) const {
  const auto volume =
      std::find_if(pod.volumes.begin(), pod.volumes.end(), [&](const auto& v) { return v.name == name; });
  if (volume == pod.volumes.end()) {
    Error error;
    error.reason = "NoSuchVolume";
    error.message = "pod " + pod.key.text() + " has no volume " + name.str();
    return error;
  }
  const ActualPod* actual = actual_.find(pod.uid);
  const ActualVolume* there = actual == nullptr ? nullptr : actual->find(name);
  const bool is_live = there != nullptr && there->state != PublishState::Absent;
  MOORING_TRY(const ResolvedVolume resolved,
              resolve_volume(pod, *volume, claims_view(is_live), options_.node.name, node_labels_));
  const manifest::VolumeSource& source = resolved.volume.source;
  const Plugin* plugin = plugins_.for_source(source);
  if (plugin == nullptr) {
    Error error;
    error.reason = "NoPlugin";
    error.message = "no volume plugin matched: volume " + name.str() + " is of the kind " +
                    manifest::plugin_name(source).str() + ", for which this Mooring has no plugin";
    error.remedy = "use a kind that `mooringctl get plugins` lists";
    return error;
  }
  RecipeRequest request{.pod = pod,
                        .volume = resolved.volume,
                        .node = options_.node,
                        .objects = store_,
                        .mounts = *mounts_,
                        .drivers = drivers_};
  request.directory = resolved.directory;
  request.read_only = resolved.read_only;
  request.mode = resolved.mode;
  request.persistent = resolved.persistent.get();
  request.mount_options = resolved.mount_options;
  if (const auto pod_work = work_.find(pod.uid); pod_work != work_.end()) {
    if (const VolumeWork* work = pod_work->second.find(name)) request.asked = work->asked;
  }
  if (resolved.mode == manifest::VolumeMode::Block && !plugin->support().block_mode) {
    return refusal("BlockModeUnsupported",
                   "volume " + name.str() +
                       " is asked for as a device (volumeMode: Block), and volumes of the kind " +
                       plugin->name().str() + " are none",
                   "name it in volumeMounts, with volumeMode: Filesystem");
  }
  MOORING_TRY(Recipe recipe, plugin->recipe(request));
  recipe.read_only = resolved.read_only;
  return with_common_options(std::move(recipe), request, plugin->support());
}

/// The plugin of a volume as it is written now; of a claim that cannot be told, the one that its volume was
/// made by.
PluginName Core::Engine::plugin_of(const manifest::Pod& pod, const manifest::Volume& volume,
                                   const ActualVolume* known) const {
  if (std::optional<PluginName> plugin = resolved_plugin(pod, volume, ledger_)) return *std::move(plugin);
  return known != nullptr ? known->plugin : manifest::plugin_name(volume.source);
}

/// The recipe of a volume; made once while a pod is being planned.
Result<Recipe> Core::Engine::recipe_in_plan(const manifest::Pod& pod, const VolumeName& name) {
  const auto made =
      std::find_if(made_.begin(), made_.end(), [&](const auto& entry) { return entry.first == name; });
  if (made != made_.end()) {
    Recipe recipe = std::move(made->second);
    made_.erase(made);
    return recipe;
  }
  return recipe_of(pod, name);
}

/// The pod that is to be made under this uid; nullptr while what another pod of the same uid left is still
/// there, which is never handed over: it may hold that one's data.
const DesiredPod* Core::Engine::desired_of(const PodUid& uid) const {
  const DesiredPod* desired = desired_.find(uid);
  if (desired == nullptr) return nullptr;
  const ActualPod* actual = actual_.find(uid);
  if (actual == nullptr || actual->key == desired->pod->key) return desired;
  const auto is_there = [](const ActualVolume& volume) { return volume.state != PublishState::Absent; };
  const bool is_clear =
      !actual->directory_may_exist && std::none_of(actual->volumes.begin(), actual->volumes.end(), is_there);
  const auto work = work_.find(uid);
  const auto is_busy = [](const VolumeWork& volume) { return volume.doing != Doing::None; };
  const bool is_idle =
      work == work_.end() || std::none_of(work->second.volumes.begin(), work->second.volumes.end(), is_busy);
  return is_clear && is_idle ? desired : nullptr;
}

void Core::Engine::plan(const PodUid& uid, Instant now) {
  const DesiredPod* desired = desired_of(uid);
  ActualPod* actual = actual_.find(uid);
  if (desired == nullptr && actual == nullptr) return;
  if (desired != nullptr && actual != nullptr && actual->key != desired->pod->key)
    return forget(uid, now);  // Nothing of the other pod is left; this one is planned next.
  if (actual == nullptr) actual = &actual_.ensure(uid, desired->pod->key);
  PodWork& work = work_[uid];
  made_.clear();
  sync_volumes(uid, desired, *actual, work, now);
  const PlanGate pod_gate = gate_of(uid, now.monotonic);
  if (gate(now.monotonic).may_tear_down && !pod_gate.may_tear_down) held_.insert(uid);
  const PodPlan pod_plan = plan_pod(view_of(uid, desired, *actual, work), pod_gate);
  if (pod_plan.is_gone) return forget(uid, now);
  set_timer(uid, work, with_republishing(work, pod_plan.look_again, now.monotonic));
  for (const VolumeName& name : pod_plan.unpublish)
    start_unpublish(uid, name, now);
  for (const VolumeName& name : pod_plan.publish)
    start_publish(uid, *desired, name, now);
  if (pod_plan.remove_directory) start_remove_directory(uid, now);
  made_.clear();  // They may hold secrets, and are right for this moment only.
  record(uid, *actual);
  update_phases(uid, now);
  watch_limits(uid, now);
  for (const ActualVolume& volume : actual->volumes) {
    if (!volume.device.empty()) dirty_devices_.insert(volume.device);
  }
}

namespace {

/// True if a driver's volume is another one than its manifest names now: published again it would be told
/// one's name in the other's place. What Mooring mounts itself is compared with the mount table instead.
bool is_of_other_device(const ActualVolume& volume, const VolumeWork& work) {
  return volume.plugin == layout::csi_plugin() && !volume.device.empty() && work.wanted_shape &&
         !work.wanted_shape->empty() && volume.device != work.wanted_device;
}

/// What an earlier run published of such a volume stays while it is mounted: a container may be using it.
void keep_other_device(const PodUid& uid, ActualVolume& volume, const VolumeWork& work,
                       const MountTable& mounts, const std::string& root_dir) {
  if (volume.state != PublishState::Uncertain || volume.is_incomplete || volume.is_condemned) return;
  if (!is_of_other_device(volume, work) || work.doing != Doing::None || work.backoff.attempts() != 0) return;
  const auto is_mounted = [&](const std::string& path) {
    return mounts.top_at(root_dir + "/" + path) != nullptr;
  };
  const bool is_mount = is_mounted(layout::csi_target(uid, volume.directory));
  if (!is_mount && !is_mounted(layout::csi_block_map(volume.directory) + "/" + uid.str())) return;
  volume.state = PublishState::Published;
  volume.is_mount = is_mount;
  volume.found = Found::Nothing;
}

}  // namespace

/// Makes actual and work know every used volume, and forgets those that are neither wanted nor there.
void Core::Engine::sync_volumes(const PodUid& uid, const DesiredPod* desired, ActualPod& actual,
                                PodWork& work, Instant now) {
  if (desired != nullptr) {
    for (const manifest::Volume* volume : desired->used) {
      name_found_volume(*desired, *volume, actual, work);
      VolumeWork& volume_work = work.ensure(volume->name, now.wall);
      ActualVolume* known = actual.find(volume->name);
      const PluginName plugin = plugin_of(*desired->pod, *volume, known);
      if (known == nullptr) {
        known = &actual.volumes.emplace_back();
        known->name = volume->name;
        known->plugin = plugin;
      }
      if (known->plugin != plugin && known->state == PublishState::Absent &&
          volume_work.doing == Doing::None) {
        leave_device(uid, *known);
        *known = ActualVolume{};
        known->name = volume->name;
        known->plugin = plugin;
      }
      const bool is_free = known->state == PublishState::Absent && volume_work.doing == Doing::None;
      if (is_free && is_of_other_device(*known, volume_work)) volume_work.wanted_shape.reset();
      if (!volume_work.wanted_shape) {
        Result<Recipe> recipe = recipe_of(*desired->pod, volume->name);
        volume_work.wanted_shape = recipe ? recipe.value().shape() : Shape();
        volume_work.wanted_device =
            recipe && recipe.value().device ? recipe.value().device->key : VolumeKey();
        if (recipe) volume_work.read_only = recipe.value().read_only;
        if (recipe) volume_work.size_limit = recipe.value().size_limit;
        if (recipe) volume_work.is_republished = recipe.value().is_republished;
        volume_work.may_be_half_made = recipe && recipe.value().may_be_half_made();
        note_parts(*desired->pod, volume_work, recipe);
        if (recipe && known->plugin == plugin && !volume_work.is_refused)
          use_device(uid, *known, recipe.value());
        const bool is_shared = recipe && recipe.value().is_shared && known->plugin == plugin;
        if (is_shared && !known->is_shared) {  // Also of what was there before.
          known->is_shared = true;
          known->is_recorded = false;
        }
        if (recipe) made_.emplace_back(volume->name, std::move(recipe).value());
      }
      keep_other_device(uid, *known, volume_work, *mounts_, options_.node.root_dir);
      if (known->plugin == plugin && known->state == PublishState::Uncertain &&
          known->found != Found::Nothing) {
        // No record tells what it was made as, or it is not that any more: if it is what is asked for, it
        // stays, and is recorded as that; else publishing it looks at what is there.
        const bool is_whole = !volume_work.may_be_half_made || !known->is_incomplete;
        known->shape.clear();
        known->is_recorded = false;
        if (is_whole && !settle_found(uid, *known, *volume_work.wanted_shape)) settle_mount(uid, *known);
        known->found = Found::Nothing;
      }
      if (fate_of(desired, *known, volume_work) != Fate::Wanted) continue;
      known->is_condemned = false;
      compare_content(*desired, *known, volume_work, now);
      note_republish(*desired, *known, volume_work, now);
      require_parts(*known, volume_work);
      if (waits_for_objects(*desired->pod, volume->name)) content_waiting_.insert(uid);
    }
  }
  const auto is_over = [&](const ActualVolume& volume) {
    const VolumeWork* volume_work = work.find(volume.name);
    if (volume.state != PublishState::Absent || (volume_work != nullptr && volume_work->doing != Doing::None))
      return false;
    return desired == nullptr || desired->find_used(volume.name) == nullptr;
  };
  for (const ActualVolume& volume : actual.volumes) {
    if (!is_over(volume)) continue;
    leave_device(uid, volume);
    if (VolumeWork* volume_work = work.find(volume.name)) drop_watch(uid, *volume_work);
    std::erase_if(work.volumes, [&](const VolumeWork& w) { return w.name == volume.name; });
  }
  std::erase_if(actual.volumes,
                [&](const ActualVolume& volume) { return work.find(volume.name) == nullptr; });
}

/// What is to become of a volume that is known. While its pod is wanted, what was published stays: the
/// manifest may ask for another kind, or not name the volume at all, and a container may be using it
/// (kubelet-behaviours 2.5, 2.6).
Core::Engine::Fate Core::Engine::fate_of(const DesiredPod* desired, const ActualVolume& volume,
                                         const VolumeWork& work) const {
  if (desired == nullptr) return Fate::Unwanted;
  const manifest::Volume* used = desired->find_used(volume.name);
  const bool is_used = used != nullptr && plugin_of(*desired->pod, *used, &volume) == volume.plugin;
  const bool is_there = volume.state != PublishState::Absent || work.doing != Doing::None;
  const auto& shape = work.wanted_shape;
  const bool is_of_other_shape =
      is_there && shape && !shape->empty() && !volume.shape.empty() && *shape != volume.shape;
  const bool is_of_other = is_of_other_shape || (is_there && is_of_other_device(volume, work));
  const bool is_of_other_claim = is_used && is_there && is_another_claims(*desired->pod, *used, volume);
  if (is_used && !is_of_other && !is_of_other_claim) return Fate::Wanted;
  // Nothing is on the node that could be lost, or nobody can be using what is there.
  const bool is_harmless = volume.directory.empty() || volume.state != PublishState::Published;
  return is_harmless || volume.is_condemned ? Fate::Unwanted : Fate::Kept;
}

PodView Core::Engine::view_of(const PodUid&, const DesiredPod* desired, const ActualPod& actual,
                              const PodWork& work) const {
  PodView view;
  view.is_wanted = desired != nullptr;
  view.directory_may_exist = actual.directory_may_exist;
  view.directory_is_busy = work.directory_doing != Doing::None;
  view.directory_not_before = work.directory_backoff.not_before();
  for (const ActualVolume& volume : actual.volumes) {
    const VolumeWork& volume_work = *work.find(volume.name);
    const Fate fate = fate_of(desired, volume, volume_work);
    // Of one that an earlier run left, whose driver is gone, say, no recipe can be made, and so none of its
    // device: nobody waits for that, and trying it says why.
    const bool has_no_recipe = volume_work.wanted_shape && volume_work.wanted_shape->empty();
    const bool waits = fate == Fate::Wanted && (waits_for_objects(*desired->pod, volume.name) ||
                                                (!has_no_recipe && !is_device_ready(volume)));
    view.volumes.push_back({volume.name, fate != Fate::Unwanted, volume.state,
                            volume_work.doing != Doing::None, volume_work.is_refused || waits,
                            fate == Fate::Wanted && volume_work.is_outdated,
                            volume_work.backoff.not_before()});
  }
  return view;
}

/// Writes the pod's record anew if the node may come to hold something that it does not name.
void Core::Engine::record(const PodUid& uid, ActualPod& actual) {
  const bool is_complete =
      std::all_of(actual.volumes.begin(), actual.volumes.end(),
                  [](const ActualVolume& v) { return v.is_recorded || v.directory.empty(); });
  const bool has_directories = actual.directory_may_exist;
  if (!has_directories || (actual.is_recorded && is_complete)) return;
  effects_.records_to_write.push_back(make_record(uid, actual));
  actual.is_recorded = true;
  for (ActualVolume& volume : actual.volumes)
    volume.is_recorded = !volume.directory.empty();
}

void Core::Engine::forget(const PodUid& uid, Instant now) {
  const ActualPod& actual = *actual_.find(uid);
  if (actual.is_recorded) effects_.records_to_remove.push_back(uid);
  effects_.pods_gone.push_back({uid, actual.key});
  log(now, false, "PodGone", "pod/" + actual.key.text(), "everything of the pod is removed");
  PodWork& work = work_.at(uid);
  for (const ActualVolume& volume : actual.volumes)
    leave_device(uid, volume);
  for (VolumeWork& volume : work.volumes)
    drop_watch(uid, volume);
  set_timer(uid, work, std::nullopt);
  work_.erase(uid);
  actual_.erase(uid);
  unconfirmed_.erase(uid);
  unseen_.erase(uid);
  held_.erase(uid);
  const DesiredPod* next = desired_.find(uid);
  note_claim_users(uid, next == nullptr ? nullptr : next->pod.get());
  if (desired_.find(uid) != nullptr) dirty_.insert(uid);  // Another pod of the same uid waited for its end.
}

}  // namespace mooring
