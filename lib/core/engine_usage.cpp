#include <algorithm>

#include "core/engine.h"
#include "step/csi_layout.h"

namespace mooring {
namespace {

/// True for file systems that only ever ask memory how full they are.
bool is_in_memory(const MountFact& mount) {
  return mount.type == "tmpfs" || mount.type == "hugetlbfs" || mount.type == "ramfs";
}

std::string device_text(const MountFact& mount) {
  return std::to_string(mount.device_major) + ":" + std::to_string(mount.device_minor);
}

}  // namespace

void Core::Engine::on(UsageAsked& event, Instant now) {
  if (adoption_ != Adoption::Adopted) return;
  std::set<std::string> seen;
  if (event.pod) return ask_usage_of(*event.pod, seen, now);
  for (const auto& [uid, pod] : actual_.pods())
    ask_usage_of(uid, seen, now);
  std::erase_if(measurements_, [&](const auto& entry) {
    const Measurement& known = entry.second;
    return !seen.contains(entry.first) && !known.is_busy && known.limited.pod.empty() &&
           known.watched.pod.empty();
  });
}

/// What is measured for a volume: what its driver tells of it, or the file system that it is, or is on;
/// nullopt: nothing (a raw device whose driver tells nothing, a path of the node, or a mount that the table
/// does not show yet).
std::optional<UsageTarget> Core::Engine::usage_target(const PodUid& uid, const ActualVolume& volume,
                                                      const VolumeWork& work) const {
  const bool is_directory = volume.shape == "directory" || volume.shape == "bind";
  if (volume.state != PublishState::Published || volume.directory.empty()) return std::nullopt;
  UsageTarget target;
  target.path = layout::mount_place(uid, volume.plugin, volume.directory);
  ask_driver(uid, volume, target);
  if (target.asks) return target;
  const bool is_mount = volume.is_mount || is_measurable_by_driver(volume, target.path);
  if (!is_directory && !is_mount) return std::nullopt;
  if (is_directory && work.size_limit) {
    target.key = target.path;
    target.is_limited = true;
    return target;
  }
  const std::string path = options_.node.root_dir + "/" + target.path;
  const MountFact* mount = is_mount ? mounts_->top_at(path) : mounts_->covering(path);
  if (mount == nullptr) return std::nullopt;
  target.shares_its_space = is_directory;
  const bool is_own_memory = !is_directory && is_in_memory(*mount);
  if (is_own_memory) target.lane = Lane::Local;
  // What is in memory is one volume's alone, and its numbers are another one's as soon as it is gone.
  target.key = is_own_memory ? target.path : device_text(*mount);
  return target;
}

/// Measures what is not known, or was measured too long ago or before the volume was what it is now.
void Core::Engine::ask_usage_of(const PodUid& uid, std::set<std::string>& seen, Instant now) {
  const ActualPod* actual = actual_.find(uid);
  const auto pod = work_.find(uid);
  if (actual == nullptr || pod == work_.end()) return;
  for (const ActualVolume& volume : actual->volumes) {
    const VolumeWork* work = pod->second.find(volume.name);
    const auto target = work == nullptr ? std::nullopt : usage_target(uid, volume, *work);
    if (!target) continue;
    Measurement& known = measurements_[target->key];
    const bool is_first = seen.insert(target->key).second;
    if (is_first && !known.is_busy) {
      known.path = target->path;
      known.lane = target->lane;
      known.asks = target->asks;
      if (target->is_limited) known.limited = {uid, volume.name};
    }
    const bool is_fresh = known.tried &&
                          now.monotonic - known.tried->monotonic < options_.usage_age_longest &&
                          known.tried->wall >= work->since;
    if (!is_fresh) wait_for_measurement(target->key, known);
  }
}

/// Sees to it that what has a limit that the kernel may not keep, and what has a driver that tells how well
/// it is, is looked at again and again.
void Core::Engine::watch_limits(const PodUid& uid, Instant now) {
  const ActualPod* actual = actual_.find(uid);
  const auto pod = work_.find(uid);
  if (actual == nullptr || pod == work_.end()) return;
  for (const ActualVolume& volume : actual->volumes) {
    const VolumeWork* work = pod->second.find(volume.name);
    if (work == nullptr || (!work->size_limit && volume.plugin != layout::csi_plugin())) continue;
    const auto target = usage_target(uid, volume, *work);
    if (!target || !(target->is_limited || target->tells_condition)) continue;
    Measurement& known = measurements_[target->key];
    PodVolumeKey& watched = target->is_limited ? known.limited : known.watched;
    if (!watched.pod.empty()) continue;
    known.path = target->path;
    known.lane = target->lane;
    known.asks = target->asks;
    watched = {uid, volume.name};
    // How well it is, nobody knows yet.
    measure_later(target->key, known,
                  target->tells_condition ? now.monotonic : now.monotonic + options_.usage_age_longest);
  }
}

void Core::Engine::measure_later(const std::string& key, Measurement& measurement, MonotonicTime when) {
  if (measurement.timer) measure_timers_.erase({*measurement.timer, key});
  measurement.timer = when;
  measure_timers_.insert({when, key});
}

void Core::Engine::wait_for_measurement(const std::string& key, Measurement& measurement) {
  if (measurement.is_busy || measurement.is_waiting) return;
  const bool is_slow = !measurement.limited.pod.empty() || !measurement.problem.empty();
  const MeasurePlace place = measurement.asks                  ? MeasurePlace::Driver
                             : measurement.lane == Lane::Local ? MeasurePlace::Free
                             : is_slow                         ? MeasurePlace::Slow
                                                               : MeasurePlace::Usual;
  measurement.is_waiting = true;
  measure_queues_[{place, measurement.asks ? measurement.asks->volume.driver : DriverName()}]
      .waiting.push_back(key);
}

void Core::Engine::start_measuring(Instant now) {
  while (!measure_timers_.empty() && measure_timers_.begin()->first <= now.monotonic) {
    const std::string key = measure_timers_.begin()->second;
    measure_timers_.erase(measure_timers_.begin());
    Measurement& due = measurements_.at(key);
    due.timer.reset();
    if (is_still_watched(key, due)) {
      wait_for_measurement(key, due);
    } else {
      forget_measurement(key);
    }
  }
  if (measurements_.empty()) return;
  const MeasureLine free{MeasurePlace::Free, {}};
  const MeasureLine usual{MeasurePlace::Usual, {}};
  const MeasureLine slow{MeasurePlace::Slow, {}};
  start_waiting(free, SIZE_MAX, now);
  const std::size_t most = options_.measuring_max;
  // What may wait for a dead server, or through a large tree, leaves half of the places to the others.
  const std::size_t usual_now = std::min(most, measure_queues_[usual].in_flight);
  start_waiting(slow, std::min(std::max<std::size_t>(most / 2, 1), most - usual_now), now);
  start_waiting(usual, most - std::min(most, measure_queues_[slow].in_flight), now);
  // One that hangs holds up nobody but itself.
  for (const auto& [line, queue] : measure_queues_) {
    if (line.first == MeasurePlace::Driver) start_waiting(line, 1, now);
  }
}

void Core::Engine::start_waiting(const MeasureLine& line, std::size_t in_flight_max, Instant now) {
  MeasureQueue& queue = measure_queues_[line];
  while (queue.in_flight < in_flight_max && !queue.waiting.empty()) {
    const std::string key = std::move(queue.waiting.front());
    queue.waiting.pop_front();
    const auto found = measurements_.find(key);
    if (found == measurements_.end() || !found->second.is_waiting) continue;
    measure(key, found->second, line, now);
  }
}

void Core::Engine::measure(const std::string& key, Measurement& measurement, const MeasureLine& line,
                           Instant now) {
  const bool is_limited = !measurement.limited.pod.empty();
  Operation operation;
  operation.lane = measurement.lane;
  operation.deadline_ms = is_limited ? options_.walk_deadline_ms : options_.usage_deadline_ms;
  operation.what = "measure " + measurement.path;
  if (measurement.asks) {
    // As long as a walk: a driver may do one.
    measurement.asks->volume.deadline_ms = options_.walk_deadline_ms;
    operation.steps.emplace_back(*measurement.asks);
  } else if (is_limited) {
    operation.steps.emplace_back(MeasureDirectory{measurement.path});
  } else {
    operation.steps.emplace_back(MeasureUsage{measurement.path});
  }
  measurement.is_waiting = false;
  measurement.is_busy = true;
  measurement.tried = now;
  // It is no pod's work: whatever becomes of it, the volume is as it is.
  InFlight what;
  what.doing = Doing::Measure;
  what.measured = key;
  start(std::move(operation), std::move(what));
  measuring_.emplace(last_operation_, line);
  ++measure_queues_[line].in_flight;
}

/// True if the volume still has what it is watched for; then it is asked as is right now.
bool Core::Engine::is_still_watched(const std::string& key, Measurement& measurement) const {
  const bool is_limited = !measurement.limited.pod.empty();
  const PodVolumeKey& watched = is_limited ? measurement.limited : measurement.watched;
  const ActualPod* actual = actual_.find(watched.pod);
  const auto pod = work_.find(watched.pod);
  const ActualVolume* volume = actual == nullptr ? nullptr : actual->find(watched.volume);
  const VolumeWork* work = pod == work_.end() ? nullptr : pod->second.find(watched.volume);
  if (volume == nullptr || work == nullptr) return false;
  const auto target = usage_target(watched.pod, *volume, *work);
  if (!target || target->key != key || !(is_limited ? target->is_limited : target->tells_condition))
    return false;
  measurement.asks = target->asks;
  return true;
}

void Core::Engine::measure_ended(const InFlight& what, Outcome& outcome, Instant now) {
  const auto place = measuring_.extract(static_cast<std::uint64_t>(outcome.id));
  if (place) --measure_queues_[place.mapped()].in_flight;
  const auto found = measurements_.find(what.measured);
  if (found == measurements_.end() || !found->second.is_busy) return;  // Its volume is gone.
  Measurement& known = found->second;
  known.is_busy = false;
  if (outcome.usage && !outcome.error) {
    known.usage = outcome.usage;
    known.measured = now.wall;
    known.is_enforced = outcome.is_enforced;
    known.problem.clear();
    known.failing_since.reset();
  } else {
    known.problem = outcome.error ? outcome.error->text() : "the worker told no numbers";
    if (!known.failing_since) known.failing_since = known.tried->wall;
  }
  if (known.asks) return driver_answered(place ? place.mapped() : MeasureLine(), what.measured, outcome, now);
  if (known.limited.pod.empty()) return;
  compare_limit(known, now);
  if (!known.is_enforced || !known.problem.empty())
    measure_later(what.measured, known, now.monotonic + options_.usage_age_longest);
}

/// Tells once that a volume holds more than it may, and that it does not any more.
void Core::Engine::compare_limit(Measurement& measurement, Instant now) {
  const auto pod = work_.find(measurement.limited.pod);
  const VolumeWork* work = pod == work_.end() ? nullptr : pod->second.find(measurement.limited.volume);
  if (work == nullptr || !work->size_limit || !measurement.usage) return;
  const auto limit_bytes = static_cast<std::uint64_t>(work->size_limit->rounded_up());
  const bool is_over = measurement.usage->used_bytes > limit_bytes;
  if (std::exchange(measurement.is_over, is_over) == is_over) return;
  dirty_.insert(measurement.limited.pod);
  const std::string object = "pod/" + actual_.find(measurement.limited.pod)->key.text();
  if (is_over) return log(now, true, "SizeLimitExceeded", object, limit_text(*work));
  log(now, false, "SizeLimitKept", object,
      "Usage of EmptyDir volume \"" + work->name.str() + "\" is within the limit again.");
}

/// It holds no place any more, and is not asked again while it hangs.
void Core::Engine::measure_is_stuck(const InFlight& what, std::uint64_t operation, const std::string& text,
                                    Instant now) {
  if (const auto place = measuring_.find(operation); place != measuring_.end()) {
    --measure_queues_[place->second].in_flight;
    driver_is_silent(std::exchange(place->second, {MeasurePlace::Stuck, {}}), text, now);
    ++measure_queues_[place->second].in_flight;
  }
  const auto found = measurements_.find(what.measured);
  if (found == measurements_.end()) return;
  found->second.problem = text;
  if (!found->second.failing_since) found->second.failing_since = found->second.tried->wall;
}

void Core::Engine::forget_measurement(const std::string& key) {
  const auto found = measurements_.find(key);
  if (found == measurements_.end()) return;
  if (found->second.timer) measure_timers_.erase({*found->second.timer, key});
  measurements_.erase(found);
}

std::optional<VolumeUsage> Core::Engine::usage_of(const PodUid& uid, const ActualVolume& volume,
                                                  const VolumeWork& work) const {
  if (measurements_.empty()) return std::nullopt;
  const auto target = usage_target(uid, volume, work);
  const auto found = target ? measurements_.find(target->key) : measurements_.end();
  if (found == measurements_.end()) return std::nullopt;
  const Measurement& known = found->second;
  VolumeUsage usage;
  usage.stale = known.problem;
  usage.unknown_since = known.failing_since;
  // Who takes longer than others is told of before its time is up.
  const bool is_late =
      known.is_busy && known.tried &&
      last_now_.monotonic - known.tried->monotonic >= std::chrono::milliseconds(options_.usage_deadline_ms);
  if (is_late && usage.stale.empty()) {
    usage.stale = "it was asked, and there is no answer yet";
    usage.unknown_since = known.tried->wall;
  }
  if (!known.usage || known.measured < work.since) {
    if (usage.stale.empty() || known.tried->wall < work.since) return std::nullopt;
    usage.is_known = false;
    return usage;
  }
  usage.capacity_bytes = known.usage->capacity_bytes;
  usage.available_bytes = known.usage->available_bytes;
  usage.inodes = known.usage->inodes;
  usage.inodes_free = known.usage->inodes_free;
  if (!target->shares_its_space) {
    usage.used_bytes = known.usage->used_bytes;
    usage.inodes_used = known.usage->inodes_used;
  }
  usage.measured = known.measured;
  return usage;
}

bool Core::Engine::is_over_limit(const PodUid& uid, const ActualVolume& volume,
                                 const VolumeWork& work) const {
  if (!work.size_limit) return false;
  const auto found = measurements_.find(layout::mount_place(uid, volume.plugin, volume.directory));
  return found != measurements_.end() && found->second.is_over;
}

/// In the kubelet's words (kubelet-behaviours 20.2).
std::string limit_text(const VolumeWork& work) {
  return "Usage of EmptyDir volume \"" + work.name.str() + "\" exceeds the limit \"" +
         work.size_limit->text() + "\".";
}

bool Core::Engine::is_measuring() const {
  return std::any_of(measure_queues_.begin(), measure_queues_.end(), [](const auto& entry) {
    return entry.first.first != MeasurePlace::Stuck && !entry.second.is_silent &&
           (entry.second.in_flight != 0 || !entry.second.waiting.empty());
  });
}

}  // namespace mooring
