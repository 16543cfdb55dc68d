#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "binding/resolve.h"
#include "core/attachments.h"
#include "core/driver_work.h"
#include "core/engine.h"

namespace mooring {

void Core::Engine::plan_device_of(const VolumeKey& key, Instant now) {
  ActualDevice* device = actual_.find_device(key);
  if (device == nullptr) return;
  DeviceWork& work = device_work_[key];
  const bool is_busy = work.doing != Doing::None || is_taken(key);
  std::optional<DeviceRecipe> recipe;
  if (!is_busy) recipe = recipe_of_device(key, work);
  DeviceView view;
  view.is_wanted = recipe.has_value();
  const bool is_held =
      !is_busy && !recipe && may_have_nameless_users(*device) && has_nameless_volume(*device, actual_, work_);
  view.is_needed = is_device_needed(key, work) || is_held;
  // What was taken down meanwhile has nothing left to prove, and goes up as any other.
  if (device->state != DeviceState::Staged || device->is_uncertain) work.is_unproven = false;
  if (!is_busy && work.is_unproven && (view.is_wanted || view.is_needed)) return prove_device(*device, now);
  view.state = device->state;
  view.is_uncertain = device->is_uncertain;
  view.is_busy = is_busy;
  view.not_before = work.backoff.not_before();
  view.is_outdated = device->is_ready() && recipe && device->capacity_bytes < recipe->capacity_bytes &&
                     work.too_busy_for_bytes != recipe->capacity_bytes &&
                     has_place_to_grow(*recipe, work, actual_);
  view.has_stage = recipe && !recipe->staged_path.empty();
  if (recipe && lacks_answer(*device, *recipe)) view.is_uncertain = true;
  // What was asked for otherwise goes first, when no pod has it any more.
  if (recipe && !is_just(*device, *recipe)) view.is_wanted = false;
  if (work.is_lost) view.is_wanted = false;
  // What delayed the way up must not delay the way down, nor the other way round.
  if (work.failure && work.failed_going_up != view.is_wanted) view.not_before.reset();
  const DevicePlan plan = plan_device(view, gate(now.monotonic));
  const bool needs_attachment = plan.move == DeviceMove::Attach || plan.move == DeviceMove::Stage;
  if (needs_attachment && recipe->waits_for) return wait_for_attachment(*device, work, *recipe, now);
  if (needs_attachment && work.failure && work.failure->reason.starts_with("WaitingFor"))
    work.failure.reset();
  constexpr Duration hold_time = std::chrono::seconds(1);
  set_device_timer(key, work, is_held ? std::optional(now.monotonic + hold_time) : plan.look_again);
  switch (plan.move) {
    case DeviceMove::Attach:
      if (device->name != recipe->device || device->staged_path != recipe->staged_path)
        device->is_recorded = false;
      device->name = recipe->device;
      device->staged_path = recipe->staged_path;
      work.staging_capacity_bytes = recipe->capacity_bytes;
      keep_node(*device, work, actual_, recipe->attach);
      note_attach(*device, work, recipe->attach);
      return start_on_device(*device, Doing::Attach, "attach", std::move(recipe->attach), now);
    case DeviceMove::Stage:
      work.staging_capacity_bytes =
          grows_when_published(*recipe) ? device->capacity_bytes : recipe->capacity_bytes;
      add_publish_context(device, recipe->stage.up);
      note_staged(*device, recipe->stage.up);
      return start_on_device(*device, Doing::Stage, "stage", std::move(recipe->stage), now);
    case DeviceMove::Grow:
      work.staging_capacity_bytes = recipe->capacity_bytes;
      return start_on_device(*device, Doing::Grow, "grow", std::move(recipe->grow), now);
    case DeviceMove::Unstage:
    case DeviceMove::Detach:
      return take_device_down(*device, plan.move, now);
    case DeviceMove::Forget:
      return forget_device(key);
    case DeviceMove::None:
      return;
  }
}

void Core::Engine::take_device_down(ActualDevice& device, DeviceMove move, Instant now) {
  const bool is_unstage = move == DeviceMove::Unstage;
  const Plugin* plugin = plugins_.by_name(device.plugin);
  const DeviceRemains remains{device.key,         device.name,
                              device.staged_path, drivers_,
                              options_.node.name, device.attachment ? &*device.attachment : nullptr};
  Stage down{{}, Lane::Own};
  if (plugin != nullptr) down.up = is_unstage ? plugin->unstage(remains) : plugin->detach(remains);
  if (const Result<void> equipped = add_detach_secrets(device, store_, down.up); !equipped) {
    dirty_devices_.insert(device.key);
    return fail_device(device, device_work_.at(device.key), Doing::Detach, equipped.error(), now);
  }
  // From here on no pod may have it until it went all the way down, and up again.
  device.is_uncertain = true;
  start_on_device(device, is_unstage ? Doing::Unstage : Doing::Detach, is_unstage ? "unstage" : "detach",
                  std::move(down), now);
}

void Core::Engine::start_on_device(ActualDevice& device, Doing doing, const char* what, Stage stage,
                                   Instant now) {
  DeviceWork& work = device_work_.at(device.key);
  work.doing = doing;
  if (stage.up.empty()) {  // There is nothing to do on the node.
    Outcome outcome;
    return device_ended(InFlight{doing, {}, {}, {}, false, {}, {}, device.key}, outcome, now);
  }
  Operation operation;
  operation.lane = stage.lane;
  operation.deadline_ms = doing == Doing::Stage ? options_.stage_deadline_ms : options_.own_deadline_ms;
  operation.what = std::string(what) + " " + device.key.str();
  operation.device = device.key;
  operation.steps = std::move(stage.up);
  record_device(device);
  for (const PodVolumeKey& user : work.users)
    dirty_.insert(user.pod);  // Their phase.
  start(std::move(operation), InFlight{doing, {}, {}, {}, false, {}, {}, device.key});
}

/// Writes the device's record anew if the node may come to hold something that it does not name.
void Core::Engine::record_device(ActualDevice& device) {
  if (device.is_recorded) return;
  effects_.device_records_to_write.push_back(make_record(device));
  device.is_recorded = true;
}

void Core::Engine::take_growth(ActualDevice& device, const Outcome& outcome) {
  note_growth(device, device_work_.at(device.key), outcome);
  device.is_recorded = false;
  if (waits_for_users_) are_claims_touched_ = true;  // A claim may wait for its volume's growth.
  record_device(device);
}

void Core::Engine::device_ended(const InFlight& what, Outcome& outcome, Instant now) {
  ActualDevice& device = *actual_.find_device(what.device);
  DeviceWork& work = device_work_.at(what.device);
  const Doing did = std::exchange(work.doing, Doing::None);
  work.stuck_pid = 0;
  dirty_devices_.insert(what.device);
  for (const PodVolumeKey& user : work.users)
    dirty_.insert(user.pod);
  if (did == Doing::Prove) return proof_ended(device, outcome, now);
  if (did == Doing::Attach) attach_ended(device, work, outcome);
  if (outcome.error) {
    // Growing changes nothing that pods rely on: they keep it as it is. Of anything else nobody knows how far
    // it came; and what is not mounted, though the table showed it before, has to be staged again.
    if (did != Doing::Grow || outcome.error->reason == "NotMounted") device.is_uncertain = true;
    if (did == Doing::Stage && leaves_staged(*outcome.error)) device.may_be_staged = true;
    return fail_device(device, work, did, *outcome.error, now);
  }
  for (const std::string& warning : outcome.warnings)
    log(now, true, "DeviceWarning", "device/" + device.key.str(), warning);
  const bool is_mended = !(did == Doing::Attach && work.failed_staging) &&
                         !(did == Doing::Unstage && work.failed_detaching && !work.failed_going_up);
  if (is_mended || !work.failure) {
    work.backoff.reset();
    work.failure.reset();
  }
  if (did != Doing::Grow) work.condition.reset();
  device.is_uncertain = false;
  switch (did) {
    case Doing::Attach:
      device.state = DeviceState::Attached;
      if (device.staged_path.empty()) device.capacity_bytes = work.staging_capacity_bytes;
      break;
    case Doing::Stage:
    case Doing::Grow:
      if (!device.staged_path.empty()) device.state = DeviceState::Staged;
      device.may_be_staged = true;
      take_growth(device, outcome);
      unconfirmed_devices_.insert(device.key);
      if (did == Doing::Grow && work.too_busy_for_bytes == 0)
        log(now, false, "FileSystemResizeSuccessful", "device/" + device.key.str(),
            "the file system is as large as it is to be");
      break;
    case Doing::Unstage:
      device.state = DeviceState::Attached;
      device.may_be_staged = false;
      if (!device.staged_path.empty()) unmounted_.insert(options_.node.root_dir + "/" + device.staged_path);
      break;
    default:
      device.state = DeviceState::Detached;
      device.attachment.reset();
      device.publish_context.reset();
      break;
  }
}

void Core::Engine::fail_device(const ActualDevice& device, DeviceWork& work, Doing did, const Error& error,
                               Instant now) {
  std::string message = error.step.empty() ? error.message : error.step + ": " + error.message;
  const bool is_new = !work.failure || work.failure->message != message;
  work.failure = std::make_unique<Failure>(Failure{error.reason, std::move(message), error.remedy});
  work.failed_going_up = did == Doing::Attach || did == Doing::Stage || did == Doing::Grow;
  work.failed_staging = did == Doing::Stage;
  work.failed_detaching = did == Doing::Detach;
  BackoffOptions options{options_.backoff_first, options_.backoff_longest};
  if (error.kind == ErrorKind::Final) options.first = options.longest;
  work.backoff.failed(now.monotonic, options, random_);
  if (!is_new) return;
  const char* reason = did == Doing::Attach   ? "FailedAttachVolume"
                       : did == Doing::Stage  ? "FailedMount"
                       : did == Doing::Grow   ? "FileSystemResizeFailed"
                       : did == Doing::Detach ? "FailedDetachVolume"
                                              : "FailedUnMount";
  log(now, true, reason, "device/" + device.key.str(), error.text());
}

void Core::Engine::forget_device(const VolumeKey& key) {
  const ActualDevice& device = *actual_.find_device(key);
  if (device.is_recorded) effects_.device_records_to_remove.push_back(key);
  DeviceWork& work = device_work_.at(key);
  set_device_timer(key, work, std::nullopt);
  for (const PodVolumeKey& user : work.users) {  // If they come to want it again, they say so anew.
    const auto pod_work = work_.find(user.pod);
    ActualPod* pod = actual_.find(user.pod);
    if (ActualVolume* volume = pod == nullptr ? nullptr : pod->find(user.volume)) volume->device = {};
    VolumeWork* volume_work = pod_work == work_.end() ? nullptr : pod_work->second.find(user.volume);
    if (volume_work != nullptr) volume_work->wanted_shape.reset();
    dirty_.insert(user.pod);
  }
  device_work_.erase(key);
  if (waits_for_users_) are_claims_touched_ = true;
  unconfirmed_devices_.erase(key);
  actual_.erase_device(key);
}

void Core::Engine::set_device_timer(const VolumeKey& key, DeviceWork& work,
                                    std::optional<MonotonicTime> when) {
  if (work.timer) device_timers_.erase({*work.timer, key});
  work.timer = when;
  if (when) device_timers_.insert({*when, key});
}

/// A device appeared, changed or went: what waits for one is tried again now.
void Core::Engine::on(DevicesChanged&, Instant now) {
  constexpr Duration storm_pause = std::chrono::milliseconds(50);
  // What failed in another way is not mended by an event, and may have caused it: whoever closes a device
  // that was open for writing makes udev tell of a change.
  constexpr std::array<std::string_view, 5> mendable{"DeviceMissing", "DeviceAmbiguous", "DeviceChanged",
                                                     "DeviceLocked", "ImageMissing"};
  for (auto& [key, work] : device_work_) {
    if (!work.failure || work.doing != Doing::None) continue;
    if (std::find(mendable.begin(), mendable.end(), work.failure->reason) == mendable.end()) continue;
    if (work.last_hurry && now.monotonic - *work.last_hurry < storm_pause) {
      work.backoff.postpone(*work.last_hurry + storm_pause);
    } else {
      work.backoff.hurry();
      work.last_hurry = now.monotonic;
    }
    dirty_devices_.insert(key);
  }
}

void Core::Engine::on(DeviceRecordFailed& event, Instant now) {
  ActualDevice* device = actual_.find_device(event.device);
  if (device == nullptr) return;
  log(now, true, "RecordFailed", "device/" + event.device.str(), event.error.text());
  device->is_recorded = false;
}

/// What is staged must still be mounted.
void Core::Engine::verify_devices(const MountTable& before, Instant now) {
  std::set<VolumeKey> unconfirmed;
  unconfirmed.swap(unconfirmed_devices_);
  for (const auto& [key, known] : actual_.devices()) {
    const std::string path = options_.node.root_dir + "/" + known.staged_path;
    const MountFact* now_there = mounts_->top_at(path);
    const MountFact* was_there = before.top_at(path);
    DeviceWork& work = device_work_[key];
    if (work.failure && work.failure->reason == "ForeignMount" && was_there != nullptr &&
        (now_there == nullptr || now_there->id != was_there->id)) {
      work.backoff.hurry();
      dirty_devices_.insert(key);
    }
    if (known.state != DeviceState::Staged || known.is_uncertain) continue;
    if (now_there != nullptr || (!unconfirmed.contains(key) && was_there == nullptr)) continue;
    if (work.doing == Doing::Grow) continue;  // Its end tells more.
    // A driver may stage without a mount: only one that was there can vanish.
    if (known.name.kind == DeviceName::Kind::Csi && was_there == nullptr) continue;
    ActualDevice& device = *actual_.find_device(key);
    device.is_uncertain = true;
    dirty_devices_.insert(key);
    for (const PodVolumeKey& user : work.users)
      dirty_.insert(user.pod);
    log(now, true, "MountVanished", "device/" + key.str(),
        "the mount at " + path + " was removed behind Mooring's back; it is made again");
  }
}

/// Takes in what an earlier run attached and staged, and which of the pods' volumes use it.
void Core::Engine::adopt_devices(const TreeFacts& tree) {
  actual_.adopt_devices(device_records_, *mounts_, options_.node.root_dir);
  device_records_.clear();
  adopt_attachments(tree.attachments, *mounts_, options_.node.root_dir, actual_);
  for (const auto& [key, device] : actual_.devices()) {
    DeviceWork& work = device_work_[key];
    work.is_unproven = device.state == DeviceState::Staged;
    dirty_devices_.insert(key);
  }
  for (const auto& [uid, pod] : actual_.pods()) {
    for (const ActualVolume& volume : pod.volumes) {
      if (volume.device.empty()) continue;
      ActualDevice& device = actual_.ensure_device(volume.device);
      // Its record is lost: what there is of it is found by attaching it again. Manifests may have been read
      // before, and have asked for it.
      if (!device.is_recorded && !device.is_uncertain) {
        device.plugin = volume.plugin;
        device.is_uncertain = true;
      }
      device_work_[volume.device].users.insert({uid, volume.name});
    }
  }
}

}  // namespace mooring
