#include "plan/planner.h"

#include <algorithm>

namespace mooring {
namespace {

void look_again_at(PodPlan& plan, MonotonicTime when) {
  plan.look_again = plan.look_again ? std::min(*plan.look_again, when) : when;
}

/// True if the time has come; else remembers when it will.
bool is_due(PodPlan& plan, const std::optional<MonotonicTime>& not_before, MonotonicTime now) {
  if (!not_before || *not_before <= now) return true;
  look_again_at(plan, *not_before);
  return false;
}

}  // namespace

PodPlan plan_pod(const PodView& pod, const PlanGate& gate) {
  PodPlan plan;
  bool all_absent = true;
  for (const VolumeView& volume : pod.volumes) {
    const bool is_absent = volume.state == PublishState::Absent && !volume.is_busy;
    if (!is_absent || volume.is_wanted) all_absent = false;
    if (volume.is_busy || pod.directory_is_busy) continue;
    if (volume.is_wanted) {
      const bool is_done = volume.state == PublishState::Published && !volume.is_outdated;
      if (is_done || volume.is_refused || !gate.may_set_up) continue;
      if (is_due(plan, volume.not_before, gate.now)) plan.publish.push_back(volume.name);
    } else if (volume.state != PublishState::Absent && gate.may_tear_down) {
      if (is_due(plan, volume.not_before, gate.now)) plan.unpublish.push_back(volume.name);
    }
  }
  if (pod.is_wanted || !all_absent || pod.directory_is_busy || !gate.may_tear_down) return plan;
  if (!pod.directory_may_exist) {
    plan.is_gone = true;
  } else if (is_due(plan, pod.directory_not_before, gate.now)) {
    plan.remove_directory = true;
  }
  return plan;
}

}  // namespace mooring
