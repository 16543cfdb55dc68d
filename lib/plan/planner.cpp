#include "plan/planner.h"

#include <algorithm>

namespace mooring {
namespace {

template <class Plan>
void look_again_at(Plan& plan, MonotonicTime when) {
  plan.look_again = plan.look_again ? std::min(*plan.look_again, when) : when;
}

/// True if the time has come; else remembers when it will.
template <class Plan>
bool is_due(Plan& plan, const std::optional<MonotonicTime>& not_before, MonotonicTime now) {
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

namespace {

DeviceMove move_up(const DeviceView& device) {
  if (device.is_uncertain || device.state == DeviceState::Detached) return DeviceMove::Attach;
  if (device.state == DeviceState::Attached && device.has_stage) return DeviceMove::Stage;
  return device.is_outdated ? DeviceMove::Grow : DeviceMove::None;
}

DeviceMove move_down(const DeviceView& device) {
  if (device.is_uncertain || device.state == DeviceState::Staged) return DeviceMove::Unstage;
  return device.state == DeviceState::Attached ? DeviceMove::Detach : DeviceMove::Forget;
}

}  // namespace

DevicePlan plan_device(const DeviceView& device, const PlanGate& gate) {
  DevicePlan plan;
  if (device.is_busy) return plan;
  DeviceMove move = DeviceMove::None;
  if (device.is_wanted && gate.may_set_up) {
    move = move_up(device);
  } else if (!device.is_wanted && !device.is_needed && gate.may_tear_down) {
    move = move_down(device);
  }
  if (move == DeviceMove::None) return plan;
  if (move == DeviceMove::Forget || is_due(plan, device.not_before, gate.now)) plan.move = move;
  return plan;
}

}  // namespace mooring
