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
    return !seen.contains(entry.first) && !known.is_busy && known.limited.pod.empty();
  });
}

/// What is measured for a volume: the file system that it is, or is on; nullopt: nothing (a raw device, a
/// path of the node, or a mount that the table does not show yet).
std::optional<UsageTarget> Core::Engine::usage_target(const PodUid& uid, const ActualVolume& volume,
                                                      const VolumeWork& work) const {
  const bool is_directory = volume.shape == "directory" || volume.shape == "bind";
  if (volume.state != PublishState::Published || volume.directory.empty()) return std::nullopt;
  UsageTarget target;
  target.path = layout::mount_place(uid, volume.plugin, volume.directory);
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
      if (target->is_limited) known.limited = {uid, volume.name};
    }
    const bool is_fresh = known.tried &&
                          now.monotonic - known.tried->monotonic < options_.usage_age_longest &&
                          known.tried->wall >= work->since;
    if (!is_fresh) wait_for_measurement(target->key, known);
  }
}

/// Sees to it that what has a limit that the kernel may not keep is looked at again and again.
void Core::Engine::watch_limits(const PodUid& uid, Instant now) {
  const ActualPod* actual = actual_.find(uid);
  const auto pod = work_.find(uid);
  if (actual == nullptr || pod == work_.end()) return;
  for (const ActualVolume& volume : actual->volumes) {
    const VolumeWork* work = pod->second.find(volume.name);
    if (work == nullptr || !work->size_limit) continue;
    const auto target = usage_target(uid, volume, *work);
    if (!target || !target->is_limited) continue;
    Measurement& known = measurements_[target->key];
    if (!known.limited.pod.empty()) continue;
    known.path = target->path;
    known.limited = {uid, volume.name};
    measure_later(target->key, known, now.monotonic + options_.usage_age_longest);
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
  const MeasurePlace place = measurement.lane == Lane::Local ? MeasurePlace::Free
                             : is_slow                       ? MeasurePlace::Slow
                                                             : MeasurePlace::Usual;
  measurement.is_waiting = true;
  measure_queues_[place].waiting.push_back(key);
}

void Core::Engine::start_measuring(Instant now) {
  while (!measure_timers_.empty() && measure_timers_.begin()->first <= now.monotonic) {
    const std::string key = measure_timers_.begin()->second;
    measure_timers_.erase(measure_timers_.begin());
    Measurement& due = measurements_.at(key);
    due.timer.reset();
    if (is_still_limited(key, due)) {
      wait_for_measurement(key, due);
    } else {
      forget_measurement(key);
    }
  }
  if (measurements_.empty()) return;
  start_waiting(MeasurePlace::Free, SIZE_MAX, now);
  const std::size_t most = options_.measuring_max;
  // What may wait for a dead server, or through a large tree, leaves half of the places to the others.
  const std::size_t usual = std::min(most, measure_queues_[MeasurePlace::Usual].in_flight);
  start_waiting(MeasurePlace::Slow, std::min(std::max<std::size_t>(most / 2, 1), most - usual), now);
  const std::size_t slow = measure_queues_[MeasurePlace::Slow].in_flight;
  start_waiting(MeasurePlace::Usual, most - std::min(most, slow), now);
}

void Core::Engine::start_waiting(MeasurePlace place, std::size_t in_flight_max, Instant now) {
  MeasureQueue& queue = measure_queues_[place];
  while (queue.in_flight < in_flight_max && !queue.waiting.empty()) {
    const std::string key = std::move(queue.waiting.front());
    queue.waiting.pop_front();
    const auto found = measurements_.find(key);
    if (found == measurements_.end() || !found->second.is_waiting) continue;
    measure(key, found->second, place, now);
  }
}

void Core::Engine::measure(const std::string& key, Measurement& measurement, MeasurePlace place,
                           Instant now) {
  const bool is_limited = !measurement.limited.pod.empty();
  Operation operation;
  operation.lane = measurement.lane;
  operation.deadline_ms = is_limited ? options_.walk_deadline_ms : options_.usage_deadline_ms;
  operation.what = "measure " + measurement.path;
  if (is_limited) {
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
  measuring_.emplace(last_operation_, place);
  ++measure_queues_[place].in_flight;
}

bool Core::Engine::is_still_limited(const std::string& key, const Measurement& measurement) const {
  const ActualPod* actual = actual_.find(measurement.limited.pod);
  const auto pod = work_.find(measurement.limited.pod);
  const ActualVolume* volume = actual == nullptr ? nullptr : actual->find(measurement.limited.volume);
  const VolumeWork* work = pod == work_.end() ? nullptr : pod->second.find(measurement.limited.volume);
  if (volume == nullptr || work == nullptr) return false;
  const auto target = usage_target(measurement.limited.pod, *volume, *work);
  return target && target->is_limited && target->key == key;
}

void Core::Engine::measure_ended(const InFlight& what, Outcome& outcome, Instant now) {
  if (const auto place = measuring_.extract(static_cast<std::uint64_t>(outcome.id)))
    --measure_queues_[place.mapped()].in_flight;
  const auto found = measurements_.find(what.measured);
  if (found == measurements_.end() || !found->second.is_busy) return;  // Its volume is gone.
  Measurement& known = found->second;
  known.is_busy = false;
  if (outcome.usage && !outcome.error) {
    known.usage = outcome.usage;
    known.measured = now.wall;
    known.is_enforced = outcome.is_enforced;
    known.problem.clear();
  } else {
    known.problem = outcome.error ? outcome.error->text() : "the worker told no numbers";
  }
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
void Core::Engine::measure_is_stuck(const InFlight& what, std::uint64_t operation, const std::string& text) {
  if (const auto place = measuring_.find(operation); place != measuring_.end()) {
    --measure_queues_[place->second].in_flight;
    place->second = MeasurePlace::Stuck;
    ++measure_queues_[place->second].in_flight;
  }
  if (const auto found = measurements_.find(what.measured); found != measurements_.end())
    found->second.problem = text;
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
  if (!known.usage || known.measured < work.since) return std::nullopt;
  VolumeUsage usage;
  usage.capacity_bytes = known.usage->capacity_bytes;
  usage.available_bytes = known.usage->available_bytes;
  usage.inodes = known.usage->inodes;
  usage.inodes_free = known.usage->inodes_free;
  if (!target->shares_its_space) {
    usage.used_bytes = known.usage->used_bytes;
    usage.inodes_used = known.usage->inodes_used;
  }
  usage.measured = known.measured;
  usage.stale = known.problem;
  return usage;
}

bool Core::Engine::is_over_limit(const PodUid& uid, const ActualVolume& volume,
                                 const VolumeWork& work) const {
  if (!work.size_limit) return false;
  const auto found = measurements_.find(layout::mount_place(uid, volume.plugin, volume.directory));
  return found != measurements_.end() && found->second.is_over;
}

/// In the kubelet's words (kubelet-behaviours 20.2).
std::string Core::Engine::limit_text(const VolumeWork& work) {
  return "Usage of EmptyDir volume \"" + work.name.str() + "\" exceeds the limit \"" +
         work.size_limit->text() + "\".";
}

bool Core::Engine::is_measuring() const {
  return std::any_of(measure_queues_.begin(), measure_queues_.end(), [](const auto& entry) {
    return entry.first != MeasurePlace::Stuck &&
           (entry.second.in_flight != 0 || !entry.second.waiting.empty());
  });
}

}  // namespace mooring
