#include <algorithm>

#include "core/engine.h"
#include "plugin/common_options.h"
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
  const Plugin* plugin = plugins_.for_source(volume->source);
  if (plugin == nullptr) {
    Error error;
    error.reason = "NoPlugin";
    error.message = "no volume plugin matched: volume " + name.str() + " is of the kind " +
                    manifest::plugin_name(volume->source).str() + ", for which this Mooring has no plugin";
    error.remedy = "use a kind that `mooringctl get plugins` lists";
    return error;
  }
  RecipeRequest request{pod, *volume, options_.node, store_, *mounts_};
  if (const auto pod_work = work_.find(pod.uid); pod_work != work_.end()) {
    if (const VolumeWork* work = pod_work->second.find(name)) request.asked = work->asked;
  }
  MOORING_TRY(Recipe recipe, plugin->recipe(request));
  return with_common_options(std::move(recipe), request, plugin->support());
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
  set_timer(uid, work, pod_plan.look_again);
  for (const VolumeName& name : pod_plan.unpublish)
    start_unpublish(uid, name, now);
  for (const VolumeName& name : pod_plan.publish)
    start_publish(uid, *desired, name, now);
  if (pod_plan.remove_directory) start_remove_directory(uid, now);
  made_.clear();  // They may hold secrets, and are right for this moment only.
  record(uid, *actual);
  update_phases(uid, now);
}

/// Makes actual and work know every used volume, and forgets those that are neither wanted nor there.
void Core::Engine::sync_volumes(const PodUid& uid, const DesiredPod* desired, ActualPod& actual,
                                PodWork& work, Instant now) {
  if (desired != nullptr) {
    for (const manifest::Volume* volume : desired->used) {
      const PluginName plugin = manifest::plugin_name(volume->source);
      VolumeWork& volume_work = work.ensure(volume->name, now.wall);
      ActualVolume* known = actual.find(volume->name);
      if (known == nullptr) {
        known = &actual.volumes.emplace_back();
        known->name = volume->name;
        known->plugin = plugin;
      }
      if (known->plugin != plugin && known->state == PublishState::Absent &&
          volume_work.doing == Doing::None) {
        *known = ActualVolume{};
        known->name = volume->name;
        known->plugin = plugin;
      }
      if (!volume_work.wanted_shape) {
        Result<Recipe> recipe = recipe_of(*desired->pod, volume->name);
        volume_work.wanted_shape = recipe ? recipe.value().shape() : Shape();
        volume_work.may_be_half_made = recipe && recipe.value().may_be_half_made();
        note_parts(*desired->pod, volume_work, recipe);
        const bool is_shared = recipe && recipe.value().is_shared && known->plugin == plugin;
        if (is_shared && !known->is_shared) {  // Also of what was there before.
          known->is_shared = true;
          known->is_recorded = false;
        }
        if (recipe) made_.emplace_back(volume->name, std::move(recipe).value());
      }
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
  const bool is_used = used != nullptr && manifest::plugin_name(used->source) == volume.plugin;
  const bool is_there = volume.state != PublishState::Absent || work.doing != Doing::None;
  const auto& shape = work.wanted_shape;
  const bool is_of_other_shape =
      is_there && shape && !shape->empty() && !volume.shape.empty() && *shape != volume.shape;
  if (is_used && !is_of_other_shape) return Fate::Wanted;
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
    const bool waits = fate == Fate::Wanted && waits_for_objects(*desired->pod, volume.name);
    view.volumes.push_back({volume.name, fate != Fate::Unwanted, volume.state,
                            volume_work.doing != Doing::None, volume_work.is_refused || waits,
                            fate == Fate::Wanted && volume_work.is_outdated,
                            volume_work.backoff.not_before()});
  }
  return view;
}

void Core::Engine::start_publish(const PodUid& uid, const DesiredPod& desired, const VolumeName& name,
                                 Instant now) {
  ActualPod& actual = *actual_.find(uid);
  ActualVolume& volume = *actual.find(name);
  VolumeWork& work = *work_.at(uid).find(name);
  Result<Recipe> made = recipe_in_plan(*desired.pod, name);
  note_parts(*desired.pod, work, made);
  work.is_answering = std::exchange(work.is_asked, false) && made;
  if (!made) {
    if (volume.state == PublishState::Published) {  // compare_content() says why; what it holds stays.
      work.is_content_stale = true;
      work.is_outdated = false;
      return;
    }
    const Error& error = made.error();
    const bool is_new = !work.failure || work.failure->message != error.message;
    work.is_refused = true;
    work.failure = std::make_unique<Failure>(Failure{error.reason, error.message, error.remedy});
    if (is_new)
      log(now, true, "FailedMount", "pod/" + actual.key.text(), "volume " + name.str() + ": " + error.text());
    return;
  }
  Recipe& recipe = made.value();
  volume.directory = recipe.directory;
  volume.found = Found::Nothing;
  if (volume.shape != recipe.shape()) volume.is_recorded = false;
  volume.shape = recipe.shape();
  if (volume.state != PublishState::Published && recipe.may_be_half_made()) {
    volume.is_incomplete = true;
    volume.is_recorded = false;
  }
  if (recipe.is_shared && !volume.is_shared) {
    volume.is_shared = true;
    volume.is_recorded = false;
  }
  if (recipe.publish.up.empty()) {
    volume.state = PublishState::Published;
    work.is_answering = false;
    work.is_outdated = false;
    work.failure.reset();
    return;
  }
  if (!recipe.directory.empty() || !recipe.sub_paths.empty()) actual.directory_may_exist = true;
  Operation operation;
  operation.lane = recipe.publish.lane;
  operation.steps = std::move(recipe.publish.up);
  if (work.is_unconfined) {
    operation.lane = Lane::Own;
    for (Step& step : operation.steps) {
      if (auto* check = std::get_if<CheckHostPath>(&step)) check->confined_to.reset();
      if (auto* part = std::get_if<BindSubPath>(&step)) part->confined_to.reset();
      if (auto* change = std::get_if<ChangeGroup>(&step)) change->entries_max = 0;
      if (auto* map = std::get_if<MapGroup>(&step)) map->entries_max = 0;
    }
  }
  operation.deadline_ms = operation.lane == Lane::Own ? options_.own_deadline_ms : options_.local_deadline_ms;
  operation.what = "publish " + volume_label(actual.key, name);
  for (Step& step : operation.steps) {
    if (auto* files = std::get_if<PublishFiles>(&step)) files->version = layout::content_version(now.wall);
  }
  work.doing = Doing::Publish;
  work.is_refreshing = volume.state == PublishState::Published;
  // Ownership is a thing of the first time: what containers made of it since is theirs.
  if (work.is_refreshing)
    std::erase_if(operation.steps,
                  [](const Step& step) { return std::holds_alternative<ChangeGroup>(step); });
  for (Step& step : operation.steps) {
    if (auto* map = std::get_if<MapGroup>(&step)) map->bind_only = work.is_refreshing;
  }
  // What this run made itself a while ago is there; if not, the next try makes it again.
  if (work.is_refreshing && !work.content.empty()) {
    std::erase_if(operation.steps, [](const Step& step) {
      return std::holds_alternative<MakePodDirectory>(step) || std::holds_alternative<MakeDirectory>(step);
    });
  }
  work.is_content_stale = false;
  const bool is_mount = recipe.presence == Presence::Mount || recipe.presence == Presence::Bind;
  start(std::move(operation),
        InFlight{
            Doing::Publish, uid, name, {}, is_mount, std::move(recipe.content), std::move(recipe.sub_paths)});
}

void Core::Engine::start_unpublish(const PodUid& uid, const VolumeName& name, Instant now) {
  ActualPod& actual = *actual_.find(uid);
  ActualVolume& volume = *actual.find(name);
  VolumeWork& work = *work_.at(uid).find(name);
  work.is_blocked = false;
  if (volume.directory.empty()) {  // Nothing of it is ours.
    volume.state = PublishState::Absent;
    volume.shape.clear();
    dirty_.insert(uid);
    drop_watch(uid, work);
    return;
  }
  const std::string path =
      options_.node.root_dir + "/" + layout::volume(uid, volume.plugin, volume.directory);
  const std::vector<const MountFact*> below = mounts_->below(path);
  const bool may_be_mount =
      volume.is_mount || (volume.state == PublishState::Uncertain && volume.shape != "directory");
  const std::size_t own = may_be_mount ? 1 : 0;
  const MountFact* foreign = !below.empty() ? below.front() : nullptr;
  if (foreign == nullptr && mounts_->count_at(path) > own) foreign = mounts_->top_at(path);
  if (volume.is_shared) foreign = nullptr;  // Its containers may have left it: it is unmounted first.
  if (foreign != nullptr) {
    work.is_blocked = true;
    work.phase = Phase::Unpublishing;
    Error error;
    error.kind = ErrorKind::Transient;
    error.reason = "MountedBelow";
    error.message =
        "the volume is not removed, because something that Mooring did not make is mounted in it: " +
        foreign->mount_point + " (" + foreign->type + " from " + foreign->source + ")";
    error.path = foreign->mount_point;
    error.remedy = "unmount it; Mooring goes on by itself then";
    return fail(uid, work, error, now);
  }
  const Plugin* plugin = plugins_.by_name(volume.plugin);
  if (plugin == nullptr) {
    Error error;
    error.kind = ErrorKind::Final;
    error.reason = "NoPlugin";
    error.message = "an earlier run left a volume of the kind " + volume.plugin.str() +
                    ", for which this Mooring has no plugin";
    error.remedy = "remove " + path + " by hand";
    return fail(uid, work, error, now);
  }
  Operation operation;
  operation.lane = Lane::Teardown;
  operation.deadline_ms = options_.local_deadline_ms;
  operation.what = "unpublish " + volume_label(actual.key, name);
  operation.steps = plugin->removal({uid, volume.directory, options_.node});
  if (operation.steps.empty()) {
    volume.state = PublishState::Absent;
    volume.shape.clear();
    dirty_.insert(uid);
    return;
  }
  if (volume.is_shared) {
    UnmountLeftovers leftovers{layout::volume(uid, volume.plugin, volume.directory),
                               static_cast<std::uint32_t>(own)};
    operation.steps.insert(operation.steps.begin(), std::move(leftovers));
  }
  operation.steps.insert(operation.steps.begin(), ReleaseSubPaths{uid, volume.name});
  volume.found = Found::Nothing;  // What the scan saw is not true any more from here on.
  std::string trash_name;
  for (Step& step : operation.steps) {
    auto* discard = std::get_if<DiscardDirectory>(&step);
    if (discard == nullptr) continue;
    // A name that is never used twice: if the worker is lost, it is known what it may have left.
    discard->trash_name +=
        "." + std::to_string(options_.seed % 1'000'000'000) + "-" + std::to_string(last_operation_ + 1);
    trash_name = discard->trash_name;
  }
  work.doing = Doing::Unpublish;
  start(std::move(operation), InFlight{Doing::Unpublish, uid, name, std::move(trash_name), false, {}, {}});
}

void Core::Engine::start_remove_directory(const PodUid& uid, Instant) {
  Operation operation;
  operation.lane = Lane::Teardown;
  operation.deadline_ms = options_.local_deadline_ms;
  operation.what = "remove the directory of " + actual_.find(uid)->key.text();
  operation.steps = {RemovePodDirectory{uid}};
  work_.at(uid).directory_doing = Doing::RemoveDirectory;
  start(std::move(operation), InFlight{Doing::RemoveDirectory, uid, {}, {}, false, {}, {}});
}

void Core::Engine::start_trash(Instant now) {
  for (auto& [name, trash] : trash_) {
    const auto due = trash.backoff.not_before();
    if (trash.is_busy || (due && *due > now.monotonic)) continue;
    trash.is_busy = true;
    Operation operation;
    operation.lane = Lane::Own;
    operation.deadline_ms = options_.trash_deadline_ms;
    operation.what = "remove trash/" + name;
    operation.steps = {EmptyTrash{name}};
    start(std::move(operation), InFlight{Doing::EmptyTrash, {}, {}, name, false, {}, {}});
  }
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
  for (VolumeWork& volume : work.volumes)
    drop_watch(uid, volume);
  set_timer(uid, work, std::nullopt);
  work_.erase(uid);
  actual_.erase(uid);
  unconfirmed_.erase(uid);
  unseen_.erase(uid);
  held_.erase(uid);
  if (desired_.find(uid) != nullptr) dirty_.insert(uid);  // Another pod of the same uid waited for its end.
}

}  // namespace mooring
