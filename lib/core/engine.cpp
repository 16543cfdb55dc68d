#include "core/engine.h"

#include <algorithm>
#include <utility>

namespace mooring {

VolumeWork* PodWork::find(const VolumeName& name) {
  const auto found =
      std::find_if(volumes.begin(), volumes.end(), [&](const auto& v) { return v.name == name; });
  return found == volumes.end() ? nullptr : &*found;
}

const VolumeWork* PodWork::find(const VolumeName& name) const {
  const auto found =
      std::find_if(volumes.begin(), volumes.end(), [&](const auto& v) { return v.name == name; });
  return found == volumes.end() ? nullptr : &*found;
}

VolumeWork& PodWork::ensure(const VolumeName& name, WallTime now) {
  if (VolumeWork* known = find(name)) return *known;
  VolumeWork& work = volumes.emplace_back();
  work.name = name;
  work.since = now;
  return work;
}

std::string stuck_text(std::int32_t worker_pid) {
  return "worker " + std::to_string(worker_pid) +
         " cannot be ended: it waits in the kernel; what it is at is held until it ends, all else goes on";
}

Core::Engine::Engine(CoreOptions options, const PluginRegistry& plugins)
    : options_(std::move(options)),
      plugins_(plugins),
      random_(options_.seed),
      mounts_(std::make_shared<const MountTable>()),
      provisioners_(options_.nfs_exports),
      snapshot_work_(options_),
      registrar_({{options_.backoff_first, options_.backoff_longest}}, options_.csi_drivers),
      log_(options_.events_kept) {}

void Core::Engine::handle(Event event, Instant now) {
  last_now_ = now;
  std::visit([&](auto& what) { on(what, now); }, event);
}

Effects Core::Engine::take_effects(Instant now) {
  last_now_ = now;
  start_driver_work(now);
  if (adoption_ == Adoption::Scanning && !scan_is_in_flight_ &&
      scan_backoff_.not_before().value_or(now.monotonic) <= now.monotonic) {
    start_scan(now);
  }
  if (adoption_ != Adoption::Waiting) start_flex_probes(now);
  bind_claims(now);
  // A plan may end something at once, which asks for another look at the same pod; each look has less to do.
  std::set<PodUid> changed;
  // Pods come before devices: what they want decides what becomes of those.
  while (!dirty_.empty() || !dirty_devices_.empty()) {
    if (dirty_.empty()) {
      const VolumeKey key = *dirty_devices_.begin();
      dirty_devices_.erase(dirty_devices_.begin());
      are_devices_touched_ = true;
      if (adoption_ == Adoption::Adopted) plan_device_of(key, now);
      effects_.devices_changed = true;
      continue;
    }
    const PodUid uid = *dirty_.begin();
    dirty_.erase(dirty_.begin());
    plan(uid, now);
    changed.insert(uid);
  }
  if (std::exchange(are_devices_touched_, false)) watch_file_systems();
  effects_.changed_pods.assign(changed.begin(), changed.end());
  bind_claims(now);  // What pods let go of may be free now.
  if (adoption_ == Adoption::Adopted) {
    start_volume_work(now);
    start_snapshot_work(now);
    bind_claims(now);  // What there was nothing to do for has ended already.
    start_trash(now);
    start_measuring(now);
  }
  tell_claims();
  Effects effects;
  std::swap(effects, effects_);
  return effects;
}

std::optional<MonotonicTime> Core::Engine::next_wake() const {
  std::optional<MonotonicTime> next;
  const auto consider = [&](const std::optional<MonotonicTime>& when) {
    if (when && (!next || *when < *next)) next = when;
  };
  if (!timers_.empty()) consider(timers_.begin()->first);
  if (!device_timers_.empty()) consider(device_timers_.begin()->first);
  if (adoption_ != Adoption::Waiting) consider(flex_drivers_.next_wake());
  if (!measure_timers_.empty()) consider(measure_timers_.begin()->first);
  if (adoption_ == Adoption::Scanning && !scan_is_in_flight_) consider(scan_backoff_.not_before());
  if (is_ledger_read_ && !writing_) consider(quiet_at_);
  consider(registrar_.next_wake());
  for (const auto& [name, work] : volume_work_) {
    if (adoption_ != Adoption::Adopted || work.doing != Doing::None) continue;
    // What is due and was not begun, as its driver is busy or its end is still to be written down, waits for
    // that and not for the clock, which would strike again and again meanwhile.
    const auto when = work.backoff.not_before();
    if (when && *when > last_now_.monotonic) consider(when);
  }
  if (adoption_ == Adoption::Adopted) consider(snapshot_work_.next_wake(last_now_.monotonic));
  for (const auto& [name, trash] : trash_) {
    if (!trash.is_busy) consider(trash.backoff.not_before());
  }
  return next;
}

void Core::Engine::on(TimerFired&, Instant now) {
  while (!timers_.empty() && timers_.begin()->first <= now.monotonic) {
    const PodUid uid = timers_.begin()->second;
    timers_.erase(timers_.begin());
    work_.at(uid).timer.reset();
    dirty_.insert(uid);
  }
  while (!device_timers_.empty() && device_timers_.begin()->first <= now.monotonic) {
    const VolumeKey key = device_timers_.begin()->second;
    device_timers_.erase(device_timers_.begin());
    device_work_.at(key).timer.reset();
    dirty_devices_.insert(key);
  }
}

void Core::Engine::set_timer(const PodUid& uid, PodWork& work, std::optional<MonotonicTime> when) {
  if (work.timer) timers_.erase({*work.timer, uid});
  work.timer = when;
  if (when) timers_.insert({*when, uid});
}

void Core::Engine::start(Operation operation, InFlight what) {
  operation.id = OperationId{++last_operation_};
  operation.pod = what.pod;
  allow_for_drivers(operation);
  in_flight_.emplace(last_operation_, std::move(what));
  effects_.operations.push_back(std::move(operation));
}

PlanGate Core::Engine::gate(MonotonicTime now) const {
  const bool is_adopted = adoption_ == Adoption::Adopted;
  return {now, is_adopted, is_adopted && listing_is_complete_ && failing_directories_.empty()};
}

/// A pod that no manifest asks for any more is not wanted only if none that could not be read may ask for it.
/// For one of an earlier run that may be any; for one whose manifest was read in this run only one that names
/// it (it was moved to another file, say, with a typing error).
PlanGate Core::Engine::gate_of(const PodUid& uid, MonotonicTime now) const {
  PlanGate pod_gate = gate(now);
  const ActualPod* actual = actual_.find(uid);
  if (actual == nullptr || store_.find_pod(uid) != nullptr) return pod_gate;
  const bool may_be_asked_for =
      unseen_.contains(uid) ? store_.may_ask_for(actual->key) : store_.is_named_by_broken(actual->key);
  if (may_be_asked_for) pod_gate.may_tear_down = false;
  return pod_gate;
}

std::string volume_label(const ObjectKey& key, const VolumeName& name) {
  return key.text() + "/" + name.str();
}

bool Core::Engine::knows_all() const {
  return adoption_ == Adoption::Adopted && listing_is_complete_ && (is_ledger_read_ || ledger_problem_);
}

bool Core::Engine::is_settled() const {
  return adoption_ == Adoption::Adopted && listing_is_complete_ && dirty_.empty() && dirty_devices_.empty() &&
         in_flight_.size() == measuring_.size() + asking_drivers_.size() + flex_drivers_.asked() &&
         !writing_ && (is_ledger_read_ ? !are_claims_touched_ : ledger_problem_.has_value());
}

}  // namespace mooring
