#include <utility>

#include "core/engine.h"
#include "step/csi_layout.h"

// What the drivers of volumes say of them: how full they are, and how well (NodeGetVolumeStats,
// kubelet-behaviours 15.7). A driver may hang, so each has a queue of its own, of one call at a time, and
// what one does not answer for one volume it is not asked for the next ones.

namespace mooring {

/// How the volume's driver is asked, if it can be. While a driver is not registered its volumes are asked for
/// as before, which tells that it is not there: the file system of a driver is no answer for it.
void Core::Engine::ask_driver(const PodUid& uid, const ActualVolume& volume, UsageTarget& target) const {
  const Plugin* plugin = plugins_.by_name(volume.plugin);
  if (plugin == nullptr || volume.plugin != layout::csi_plugin()) return;
  auto asks = plugin->measurement({.pod = uid,
                                   .directory = volume.directory,
                                   .node = options_.node,
                                   .shape = volume.shape,
                                   .device = volume.device,
                                   .plugin = volume.plugin,
                                   .drivers = drivers_});
  if (!asks) {
    const auto known = measurements_.find(target.path);
    if (known == measurements_.end() || !known->second.asks ||
        drivers_.find_csi(known->second.asks->volume.driver) != nullptr)
      return;
    asks = known->second.asks;
    asks->volume.socket.clear();
  }
  const CsiDriver* driver = drivers_.find_csi(asks->volume.driver);
  target.tells_condition = driver != nullptr && driver->node.volume_condition;
  target.key = target.path;
  target.asks = std::move(asks);
}

/// Who does not answer for one volume is not asked for the others that wait: they would wait in vain, one
/// after the other.
void Core::Engine::driver_is_silent(const MeasureLine& line, const std::string& problem, Instant now) {
  if (line.first != MeasurePlace::Driver) return;
  MeasureQueue& queue = measure_queues_[line];
  queue.is_silent = true;
  for (const std::string& waiting : std::exchange(queue.waiting, {})) {
    const auto found = measurements_.find(waiting);
    if (found == measurements_.end() || !std::exchange(found->second.is_waiting, false)) continue;
    Measurement& other = found->second;
    other.tried = now;
    other.problem = "not asked, as its driver did not answer for another volume: " + problem;
    if (!other.failing_since) other.failing_since = now.wall;
    if (!other.watched.pod.empty()) measure_later(waiting, other, now.monotonic + options_.usage_age_longest);
  }
}

void Core::Engine::driver_answered(const MeasureLine& line, const std::string& key, Outcome& outcome,
                                   Instant now) {
  Measurement& known = measurements_.at(key);
  const std::string reason = outcome.error ? outcome.error->reason : std::string();
  if (reason == "DriverNotAnswering" || reason == "DriverNotRegistered" || reason == "WorkerLost") {
    driver_is_silent(line, known.problem, now);
  } else if (line.first == MeasurePlace::Driver) {
    measure_queues_[line].is_silent = false;
  }
  const CsiDriver* driver = known.asks ? drivers_.find_csi(known.asks->volume.driver) : nullptr;
  if (driver == nullptr || !driver->node.volume_condition) outcome.condition.reset();  // It does not say so.
  if (!outcome.error) compare_condition(known, std::move(outcome.condition), now);
  if (!known.watched.pod.empty()) measure_later(key, known, now.monotonic + options_.usage_age_longest);
}

/// Tells once that a volume is not well, in the words of its driver, and that it is again.
void Core::Engine::compare_condition(Measurement& known, std::optional<CsiCondition> condition, Instant now) {
  const auto before = std::exchange(known.condition, std::move(condition));
  known.condition_told = now.wall;
  const ActualPod* actual = actual_.find(known.watched.pod);
  if (known.condition == before || actual == nullptr) return;
  const bool was_abnormal = before && before->is_abnormal;
  const bool is_abnormal = known.condition && known.condition->is_abnormal;
  dirty_.insert(known.watched.pod);
  if (!is_abnormal && !was_abnormal) return;
  log(now, is_abnormal, is_abnormal ? "VolumeConditionAbnormal" : "VolumeConditionNormal",
      "pod/" + actual->key.text(),
      "volume " + known.watched.volume.str() +
          (is_abnormal ? ": its driver says: " + known.condition->message
                       : " is well again, says its driver"));
}

/// What its driver said last of a volume, since it is what it is now; nullptr: nothing.
const CsiCondition* Core::Engine::condition_of(const PodUid& uid, const ActualVolume& volume,
                                               const VolumeWork& work) const {
  if (measurements_.empty() || volume.plugin != layout::csi_plugin()) return nullptr;
  const auto found = measurements_.find(layout::mount_place(uid, volume.plugin, volume.directory));
  if (found == measurements_.end()) return nullptr;
  const Measurement& known = found->second;
  return known.condition && known.condition_told >= work.since ? &*known.condition : nullptr;
}

}  // namespace mooring
