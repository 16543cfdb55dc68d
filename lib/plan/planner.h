#pragma once

#include <optional>
#include <vector>

#include "actual/actual_state.h"
#include "base/ids.h"
#include "base/time.h"

namespace mooring {

/// All that planning needs to know of one volume of a pod.
struct VolumeView {
  VolumeName name;
  bool is_wanted = false;
  PublishState state = PublishState::Absent;
  bool is_busy = false;      ///< An operation on it is in flight: nothing else is started on it.
  bool is_refused = false;   ///< Its plugin refuses it as it is written; only a change of the pod helps.
  bool is_outdated = false;  ///< Published, and is to hold something else: it is published again.
  std::optional<MonotonicTime> not_before;
};

struct PodView {
  bool is_wanted = false;
  bool directory_may_exist = false;
  bool directory_is_busy = false;
  std::optional<MonotonicTime> directory_not_before;
  std::vector<VolumeView> volumes;
};

/// What is allowed at all now.
struct PlanGate {
  MonotonicTime now;
  bool may_set_up = false;     ///< What an earlier run left has been taken in.
  bool may_tear_down = false;  ///< And the manifests were read whole: what is not wanted is truly not wanted.
};

/// What to start for one pod, now; and when to look again if nothing happens before.
struct PodPlan {
  std::vector<VolumeName> publish;
  std::vector<VolumeName> unpublish;
  bool remove_directory = false;
  bool is_gone = false;  ///< Nothing is left of it: it can be forgotten.
  std::optional<MonotonicTime> look_again;
};

/// The planner: a pure function of what is wanted, what is, what is in flight, and the time.
///
///   wanted, not Published or outdated          → publish      (when not busy, not refused, and its time has
///   come) not wanted, not Absent                     → unpublish    (likewise; only when teardown is
///   allowed) pod not wanted, all volumes Absent         → remove the pod's directory pod not wanted, nothing
///   left               → gone
///
/// Volumes are independent of each other: a failing one delays no other (kubelet-behaviours 2.2). While the
/// pod's directory is being removed nothing is published into it.
PodPlan plan_pod(const PodView& pod, const PlanGate& gate);

/// All that planning needs to know of what pods share of a volume.
struct DeviceView {
  bool is_wanted = false;  ///< A pod that is to have the volume waits for it or has it.
  bool is_needed = false;  ///< A pod has the volume, or may have.
  DeviceState state = DeviceState::Detached;
  bool is_uncertain = false;
  bool has_stage = false;    ///< It is mounted for the node, and not only attached.
  bool is_outdated = false;  ///< Staged, and is to be larger.
  bool is_busy = false;
  std::optional<MonotonicTime> not_before;
};

enum class DeviceMove : std::uint8_t { None, Attach, Stage, Grow, Unstage, Detach, Forget };

struct DevicePlan {
  DeviceMove move = DeviceMove::None;
  std::optional<MonotonicTime> look_again;
};

/// The next move of a device; one at a time, so that nothing is done to it from two sides:
///
///     wanted       Detached or uncertain → Attach, Attached → Stage, outdated → Grow
///     not wanted, not needed by any pod any more (never before: it would be taken from under it)
///                  Staged or uncertain → Unstage, Attached → Detach, Detached → Forget
DevicePlan plan_device(const DeviceView& device, const PlanGate& gate);

}  // namespace mooring
