#include <algorithm>

#include "core/attachments.h"
#include "core/engine.h"
#include "plugin/csi_objects.h"
#include "step/csi_layout.h"

namespace mooring {

void Core::Engine::on(OperationEnded& event, Instant now) {
  const auto found = in_flight_.find(static_cast<std::uint64_t>(event.outcome.id));
  if (found == in_flight_.end()) return;  // Told twice: the first word counted.
  const InFlight what = std::move(found->second);
  in_flight_.erase(found);
  stuck_.erase(static_cast<std::uint64_t>(event.outcome.id));
  note_unsupported(event.outcome);
  switch (what.doing) {
    case Doing::Publish:
      return publish_ended(what, event.outcome, now);
    case Doing::Unpublish:
      return unpublish_ended(what, event.outcome, now);
    case Doing::Watch:
      return watch_ended(what, event.outcome, now);
    case Doing::RemoveDirectory:
      return directory_ended(what, event.outcome, now);
    case Doing::Scan:
      return scan_ended(event.outcome, now);
    case Doing::EmptyTrash:
      return trash_ended(what, event.outcome, now);
    case Doing::Attach:
    case Doing::Stage:
    case Doing::Grow:
    case Doing::Unstage:
    case Doing::Detach:
    case Doing::Prove:
      return device_ended(what, event.outcome, now);
    case Doing::ProbeDriver:
      return flex_probe_ended(what, event.outcome, now);
    case Doing::Measure:
      return measure_ended(what, event.outcome, now);
    case Doing::MakeVolume:
    case Doing::RemoveVolume:
    case Doing::RecycleVolume:
    case Doing::GrowVolume:
      return volume_work_ended(what, event.outcome, now);
    case Doing::MakeSnapshot:
    case Doing::RemoveSnapshot:
      return snapshot_work_ended(what, event.outcome, now);
    case Doing::AskDriver:
      return driver_work_ended(what, event.outcome, now);
    case Doing::None:
      return;
  }
}

/// Remembers why the volume is not as it should be and when to try again.
void Core::Engine::fail(const PodUid& uid, VolumeWork& work, const Error& error, Instant now) {
  std::string message = error.step.empty() ? error.message : error.step + ": " + error.message;
  const bool is_new = !work.failure || work.failure->message != message;
  work.failure = std::make_unique<Failure>(Failure{error.reason, std::move(message), error.remedy});
  // A worker that died may have taken down bystanders of its batch: the first time they go again at once.
  if (error.reason == "WorkerLost" && work.backoff.attempts() == 0) {
    work.backoff.failed_until(now.monotonic);
  } else {
    BackoffOptions options{options_.backoff_first, options_.backoff_longest};
    if (error.kind == ErrorKind::Final) options.first = options.longest;
    work.backoff.failed(now.monotonic, options, random_);
  }
  dirty_.insert(uid);
  if (!is_new) return;
  const ActualPod* actual = actual_.find(uid);
  const std::string object = actual == nullptr ? "pod/" + uid.str() : "pod/" + actual->key.text();
  log(now, true, work.phase == Phase::Unpublishing ? "FailedUnMount" : "FailedMount", object,
      "volume " + work.name.str() + ": " + error.text());
}

/// What a volume's worker did not live to tell, when all it may have waited for is a server.
Error Core::Engine::of_server(const ActualVolume& volume, Error error) const {
  const Plugin* plugin = plugins_.by_name(volume.plugin);
  if (error.reason != "WorkerLost" || plugin == nullptr || plugin->removal_lane() != Lane::Own) return error;
  error.reason = "ServerNotAnswering";
  error.message = "its server did not answer in time: " + error.message;
  error.remedy = "bring the server back, or see to the network between; Mooring tries again by itself";
  return error;
}

void Core::Engine::publish_ended(const InFlight& what, Outcome& outcome, Instant now) {
  ActualVolume* volume = actual_.find(what.pod)->find(what.volume);
  VolumeWork& work = *work_.at(what.pod).find(what.volume);
  work.doing = Doing::None;
  work.stuck_pid = 0;
  plan_again(what.pod, volume->device);
  work.progress.clear();
  work.progress_told.reset();
  const bool was_answering = std::exchange(work.is_answering, false);
  if (!outcome.error) {
    volume->state = PublishState::Published;
    volume->may_be_published = true;
    volume->is_mount = what.is_mount;
    if (std::exchange(volume->is_incomplete, false)) volume->is_recorded = false;
    for (const auto& [target, path] : what.sub_paths)
      volume->sub_paths[target] = path;
    if (!work.is_refreshing) take_warnings(what.pod, work, outcome, now);
    work.content = what.content;
    work.is_outdated = false;
    work.is_refreshing = false;
    if (work.is_republished) republish_later(work, now);
    work.refresh_failure.reset();
    if (what.is_mount || !what.sub_paths.empty()) unconfirmed_.insert(what.pod);
    work.backoff.reset();
    work.failure.reset();
    drop_watch(what.pod, work);
    ActualDevice* grown = was_asked_to_grow(outcome) ? actual_.find_device(volume->device) : nullptr;
    if (grown != nullptr) take_growth(*grown, outcome);
    return;
  }
  const bool needs_own_worker = outcome.error->reason == "NeedsOwnWorker";
  if ((outcome.error->reason == "LeavesMount" || needs_own_worker) && !work.is_unconfined) {
    work.is_unconfined = true;  // Not a failure: it is done again by a worker of its own.
    work.is_refreshing = false;
    work.is_asked = work.is_asked || was_answering;
    if (needs_own_worker) volume->state = PublishState::Uncertain;
    return;
  }
  if (std::exchange(work.is_refreshing, false)) {
    work.content.clear();  // It holds what it held or what it was to hold, whole; it is tried again.
    work.failure = std::move(work.refresh_failure);  // So that the same is not told again.
    fail(what.pod, work, *outcome.error, now);
    work.refresh_failure = std::move(work.failure);
    if (!unconfirmed_.contains(what.pod)) verify_parts(*actual_.find(what.pod), *volume, work, now);
    return;
  }
  // Whatever a failed step may have left is found again by unpublishing, which may be done to anything. In a
  // directory that is not Mooring's nothing was made, and nothing is to be removed.
  const bool is_foreign = outcome.error->reason == "ForeignDirectory";
  ActualDevice* device = actual_.find_device(volume->device);
  if (outcome.error->reason == "NotStaged" && device != nullptr && device->staged_path.empty()) {
    device->is_uncertain = true;  // What no table tells of: it has to be staged again.
    dirty_devices_.insert(device->key);
  }
  if (is_foreign) actual_.find(what.pod)->directory_may_exist = false;
  volume->state = volume->directory.empty() || is_foreign ? PublishState::Absent : PublishState::Uncertain;
  fail(what.pod, work, of_server(*volume, *outcome.error), now);
  const DesiredPod* desired = desired_of(what.pod);
  if (desired == nullptr || work.watch_is_fresh) return;
  const Result<Recipe> recipe = recipe_of(*desired->pod, what.volume);
  if (recipe && !recipe.value().watch_path.empty()) {
    start_watch(what.pod, *actual_.find(what.pod), work, recipe.value());
  }
}

/// What could not be done and keeps nobody from using the volume is told all the same.
void Core::Engine::take_warnings(const PodUid& uid, VolumeWork& work, const Outcome& outcome, Instant now) {
  work.warning.clear();
  for (const std::string& warning : outcome.warnings) {
    work.warning += (work.warning.empty() ? "" : "; ") + warning;
    log(now, true, "OwnershipIncomplete", "pod/" + actual_.find(uid)->key.text(),
        "volume " + work.name.str() + ": " + warning);
  }
}

void Core::Engine::on(OperationProgress& event, Instant now) {
  // What takes long is told of when it has taken this long, and then each minute.
  constexpr Duration quiet_at_first = std::chrono::seconds(30);
  constexpr Duration quiet_later = std::chrono::minutes(1);
  const auto found = in_flight_.find(static_cast<std::uint64_t>(event.id));
  if (found == in_flight_.end()) return;
  const InFlight& what = found->second;
  const auto pod = work_.find(what.pod);
  VolumeWork* work = pod == work_.end() ? nullptr : pod->second.find(what.volume);
  if (work == nullptr) return;
  if (!work->progress_told) work->progress_told = now.monotonic + (quiet_at_first - quiet_later);
  work->progress = std::move(event.text);
  dirty_.insert(what.pod);
  if (now.monotonic - *work->progress_told < quiet_later) return;
  work->progress_told = now.monotonic;
  log(now, true, "VolumeOwnershipSlow", "pod/" + actual_.find(what.pod)->key.text(),
      "volume " + work->name.str() + ": " + work->progress);
}

void Core::Engine::start_watch(const PodUid& uid, const ActualPod& actual, VolumeWork& work,
                               const Recipe& recipe) {
  WatchHostPath step;
  step.path = recipe.watch_path;
  Operation operation;
  operation.lane = work.is_unconfined ? Lane::Own : recipe.publish.lane;
  operation.deadline_ms = operation.lane == Lane::Own ? options_.own_deadline_ms : options_.local_deadline_ms;
  if (!work.is_unconfined) {
    for (const Step& up : recipe.publish.up) {
      if (const auto* check = std::get_if<CheckHostPath>(&up)) step.confined_to = check->confined_to;
    }
  }
  operation.what = "watch for " + volume_label(actual.key, work.name);
  operation.steps = {std::move(step)};
  work.doing = Doing::Watch;
  start(std::move(operation), InFlight{Doing::Watch, uid, work.name, {}, false, {}, {}});
}

void Core::Engine::watch_ended(const InFlight& what, const Outcome& outcome, Instant) {
  VolumeWork& work = *work_.at(what.pod).find(what.volume);
  work.doing = Doing::None;
  work.stuck_pid = 0;
  dirty_.insert(what.pod);
  if (outcome.error || outcome.watches.empty()) return;  // The backoff alone brings it back.
  const std::vector<int> before = std::exchange(work.watches, outcome.watches);
  for (const int watch : work.watches)
    watches_[watch].insert({what.pod, what.volume});
  for (const int watch : before) {
    if (std::find(work.watches.begin(), work.watches.end(), watch) == work.watches.end())
      release_watch(watch, {what.pod, what.volume});
  }
  // It may have appeared before the watch stood: one more try now, and from then on the watch tells.
  work.watch_is_fresh = true;
  work.backoff.hurry();
}

void Core::Engine::drop_watch(const PodUid& uid, VolumeWork& work) {
  work.watch_is_fresh = false;
  for (const int watch : std::exchange(work.watches, {}))
    release_watch(watch, {uid, work.name});
}

void Core::Engine::release_watch(int watch, const PodVolumeKey& user) {
  const auto users = watches_.find(watch);
  if (users == watches_.end()) return;
  users->second.erase(user);
  if (!users->second.empty()) return;
  effects_.watches_to_remove.push_back(watch);
  watches_.erase(users);
}

void Core::Engine::on(WatchFired& event, Instant now) {
  constexpr Duration storm_pause = std::chrono::milliseconds(50);
  const auto users = watches_.find(event.watch);
  if (users == watches_.end()) return;
  for (const PodVolumeKey& key : users->second) {
    PodWork& pod = work_.at(key.pod);
    VolumeWork& work = *pod.find(key.volume);
    work.watch_is_fresh = false;
    // A busy directory may tell of a thousand things that do not matter: the first is acted on at once, the
    // next after a pause.
    const auto last = pod.find(key.volume)->last_hurry;
    if (last && now.monotonic - *last < storm_pause) {
      work.backoff.postpone(*last + storm_pause);
    } else {
      work.backoff.hurry();
      work.last_hurry = now.monotonic;
    }
    dirty_.insert(key.pod);
  }
}

void Core::Engine::unpublish_ended(const InFlight& what, Outcome& outcome, Instant now) {
  ActualVolume* volume = actual_.find(what.pod)->find(what.volume);
  VolumeWork& work = *work_.at(what.pod).find(what.volume);
  work.doing = Doing::None;
  work.stuck_pid = 0;
  plan_again(what.pod, volume->device);
  if (!outcome.trash_entry.empty()) add_trash(outcome.trash_entry);
  if (outcome.error &&
      outcome.error->reason == "ForeignDirectory") {  // So nothing of the volume is Mooring's.
    log(now, true, "ForeignDirectory", "pod/" + actual_.find(what.pod)->key.text(), outcome.error->text());
    outcome.error.reset();
  }
  if (outcome.error) {
    // A worker that was lost may have moved the directory aside, and could not tell under what name.
    if (outcome.error->kind == ErrorKind::Uncertain && !what.trash_name.empty()) add_trash(what.trash_name);
    volume->state = PublishState::Uncertain;
    fail(what.pod, work, of_server(*volume, *outcome.error), now);
    return;
  }
  if (volume->is_mount || volume->shape == flex_shape)
    unmounted_.insert(options_.node.root_dir + "/" +
                      layout::mount_place(what.pod, volume->plugin, volume->directory));
  work.removed_since.reset();
  let_go(volume->directory);
  forget_measurement(layout::mount_place(what.pod, volume->plugin, volume->directory));
  volume->state = PublishState::Absent;
  volume->may_be_published = false;
  volume->claim = {};
  volume->shape.clear();
  volume->is_mount = false;
  volume->is_shared = false;
  volume->is_incomplete = false;
  volume->sub_paths.clear();
  work.backoff.reset();
  work.failure.reset();
}

void Core::Engine::directory_ended(const InFlight& what, Outcome& outcome, Instant now) {
  ActualPod* actual = actual_.find(what.pod);
  PodWork& work = work_.at(what.pod);
  work.directory_doing = Doing::None;
  dirty_.insert(what.pod);
  if (!outcome.error || outcome.error->reason == "ForeignDirectory") {
    actual->directory_may_exist = false;
    work.directory_backoff.reset();
    work.directory_failure.reset();
    return;
  }
  const Error& error = *outcome.error;
  if (!work.directory_failure || work.directory_failure->message != error.message) {
    log(now, true, "FailedCleanup", "pod/" + actual->key.text(), error.text());
  }
  work.directory_failure = std::make_unique<Failure>(Failure{error.reason, error.message, error.remedy});
  work.directory_backoff.failed(now.monotonic, {options_.backoff_first, options_.backoff_longest}, random_);
}

void Core::Engine::add_trash(const std::string& name) {
  const auto [trash, is_new] = trash_.try_emplace(name);
  if (!is_new) trash->second.is_again = trash->second.is_busy;
}

void Core::Engine::trash_ended(const InFlight& what, Outcome& outcome, Instant now) {
  const auto trash = trash_.find(what.trash_name);
  trash->second.is_busy = false;
  if (!outcome.error) {
    if (!std::exchange(trash->second.is_again, false)) trash_.erase(trash);
    return;
  }
  if (trash->second.message != outcome.error->message) {
    log(now, true, "FailedCleanup", "node", outcome.error->text());
  }
  trash->second.message = outcome.error->message;
  trash->second.backoff.failed(now.monotonic, {options_.backoff_first, options_.backoff_longest}, random_);
}

void Core::Engine::on(OperationStuck& event, Instant now) {
  const auto found = in_flight_.find(static_cast<std::uint64_t>(event.id));
  if (found == in_flight_.end()) return;
  const InFlight& what = found->second;
  stuck_[static_cast<std::uint64_t>(event.id)] = {what.doing, what.pod, event.worker_pid};
  const std::string text = stuck_text(event.worker_pid);
  const ActualPod* actual = actual_.find(what.pod);
  log(now, true, "WorkerStuck", actual == nullptr ? "node" : "pod/" + actual->key.text(), text);
  if (what.doing == Doing::Measure) measure_is_stuck(what, static_cast<std::uint64_t>(event.id), text, now);
  if (what.doing == Doing::EmptyTrash) trash_.at(what.trash_name).message = text;
  if (const auto device = device_work_.find(what.device); device != device_work_.end()) {
    device->second.stuck_pid = event.worker_pid;
    for (const PodVolumeKey& user : device->second.users)
      dirty_.insert(user.pod);
  }
  are_claims_to_be_told_ |= snapshot_work_.note_stuck(what.persistent, event.worker_pid);
  if (const auto claimed = volume_work_.find(what.persistent); claimed != volume_work_.end()) {
    claimed->second.stuck_pid = event.worker_pid;
    are_claims_to_be_told_ = true;
  }
  const auto pod = work_.find(what.pod);
  if (pod == work_.end()) return;
  if (VolumeWork* work = pod->second.find(what.volume)) work->stuck_pid = event.worker_pid;
  dirty_.insert(what.pod);
}

void Core::Engine::on(WorkersFailing& event, Instant now) {
  if (event.why == workers_problem_) return;
  workers_problem_ = event.why.empty() ? std::string() : "no worker can serve: " + event.why;
  if (!workers_problem_.empty()) log(now, true, "WorkersFailing", "node", workers_problem_);
  for (const auto& [uid, work] : work_) {  // What waits for a worker says so.
    if (!work.was_ready) dirty_.insert(uid);
  }
}

void Core::Engine::on(NodeWarned& event, Instant now) {
  log(now, true, event.warning.reason, "node", event.warning.text());
}

void Core::Engine::on(RecordFailed& event, Instant now) {
  ActualPod* actual = actual_.find(event.pod);
  if (actual == nullptr) return;
  log(now, true, "RecordFailed", "pod/" + actual->key.text(), event.error.text());
  for (ActualVolume& volume : actual->volumes)
    volume.is_recorded = false;
}

}  // namespace mooring
