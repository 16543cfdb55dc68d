#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actual/actual_state.h"
#include "base/ids.h"
#include "base/quantity.h"
#include "base/time.h"
#include "binding/binder.h"
#include "core/core.h"
#include "desired/recipe.h"
#include "plan/backoff.h"
#include "status/status.h"
#include "step/step.h"

namespace mooring {

/// What is being done on something; None: nothing is in flight.
enum class Doing : std::uint8_t {
  None,
  Publish,
  Unpublish,
  Watch,
  RemoveDirectory,
  Scan,
  EmptyTrash,
  Attach,
  Stage,
  Grow,
  Unstage,
  Detach,
  Prove,
  Measure,
  MakeVolume,
  RemoveVolume,
  RecycleVolume,
  GrowVolume,
  MakeSnapshot,
  RemoveSnapshot,
  ProbeDriver,
  AskDriver,  ///< A driver outside is asked what it is, or told what became of its registration.
};

/// Why something is not as it should be, for people.
struct Failure {
  std::string reason;
  std::string message;
  std::string action;
};

/// True of what is no more than a driver that is not there now, or has no controller: it is waited for.
bool waits_for_driver(const Failure& failure);

/// The work on one volume of one pod: what is in flight, what failed, when to try again.
struct VolumeWork {
  VolumeName name;
  Doing doing = Doing::None;
  Phase phase = Phase::Pending;
  std::optional<std::string> wanted_shape;  ///< Of the recipe, once it was asked for; empty: it has none.
  bool may_be_half_made = false;            ///< Likewise: see Recipe.
  VolumeKey wanted_device = {};             ///< Likewise: its DeviceRecipe::key; empty: it shares nothing.
  bool is_refused = false;                  ///< The plugin refuses it as it is written.
  bool is_unconfined = false;               ///< Its look-up left its mount: it needs a worker of its own.
  bool is_blocked =
      false;  ///< A foreign mount below holds up its removal; a change of the table tries again.
  bool watch_is_fresh = false;  ///< `watches` were set after the last change that they told of.
  std::vector<int> watches;     ///< inotify watches for the path that is missing.
  std::int32_t stuck_pid = 0;   ///< The worker that cannot be ended; 0: none.
  Backoff backoff;
  std::optional<MonotonicTime> removed_since;  ///< When its removal was first begun.
  std::optional<MonotonicTime> last_hurry;     ///< When the watch last brought a try forward.
  WallTime since;                              ///< Of the phase.
  std::unique_ptr<Failure> failure;
  /// Of a volume whose content follows objects: what it holds (Recipe::content) as far as this run knows.
  std::string content;
  bool is_content_stale = true;  ///< Its objects or its pod changed since the content was compared last.
  bool is_outdated = false;      ///< It is published, and is to hold something else now.
  bool is_republished = false;   ///< Of the recipe: it is published again and again...
  std::optional<MonotonicTime> republish_at;  ///< ...next at this time; nullopt: this run did not do so yet.
  std::unique_ptr<Failure> refresh_failure;   ///< Why a published volume could not be given new content.
  std::map<std::string, std::string> wanted_sub_paths;  ///< Of the last recipe that could be made...
  std::set<std::string> late_sub_paths;                 ///< ...and likewise.
  std::unique_ptr<Failure> parts_problem;               ///< Why nobody can tell which parts are to be bound.
  std::set<ContainerName> asked;                        ///< Containers with parts that a runtime asked for.
  bool is_asked = false;      ///< The parts are to be looked at, because a container is about to start.
  bool is_answering = false;  ///< What is in flight looks at them.
  bool read_only = false;     ///< Of the recipe: no container writes to it.
  std::optional<Quantity> size_limit;          ///< Likewise: what it may hold at most.
  std::string progress;                        ///< How far what is in flight is; empty: it told nothing.
  std::optional<MonotonicTime> progress_told;  ///< When an event last told of it.
  std::string
      warning;  ///< What is not as it should be with a published volume that can be used all the same.
  bool is_refreshing = false;  ///< What is in flight only gives it new content: it stays ready.
};

/// The work on one pod.
struct PodWork {
  std::vector<VolumeWork> volumes;
  Doing directory_doing = Doing::None;
  Backoff directory_backoff;
  std::unique_ptr<Failure> directory_failure;
  bool was_ready = false;
  std::optional<MonotonicTime> timer;  ///< When it is to be planned again.

  VolumeWork* find(const VolumeName& name);
  const VolumeWork* find(const VolumeName& name) const;
  /// The work on a volume, new if there is none yet.
  VolumeWork& ensure(const VolumeName& name, WallTime now);
};

/// The work on what pods share of a volume.
struct DeviceWork {
  Doing doing = Doing::None;
  std::set<PodVolumeKey> users;                        ///< Volumes of pods that have it, or are to.
  std::map<PodVolumeKey, std::uint64_t> wanted_bytes;  ///< As users' recipes said last; none: as it is.
  std::uint64_t staging_capacity_bytes = 0;            ///< As it was when what is in flight began.
  std::uint64_t too_busy_for_bytes = 0;  ///< What it cannot grow to while it is used; 0: nothing said so.
  std::string warning;                   ///< What is asked for and is not done, though it is ready.
  Backoff backoff;
  std::optional<MonotonicTime> timer;       ///< When it is to be planned again.
  std::optional<MonotonicTime> last_hurry;  ///< When the kernel's word last brought a try forward.
  std::unique_ptr<Failure> failure;
  bool failed_going_up = false;  ///< Which way `failure` came about...
  bool failed_staging = false;  ///< ...and that it did so in the stage, which attaching anew does not mend...
  bool failed_detaching = false;  ///< ...or in the detach, which unstaging once more does not.
  bool was_attached = false;      ///< Or may have been, before the attach that is in flight.
  /// What the kernel told of it since it was staged: it is there, and does not work as it should.
  std::unique_ptr<Failure> condition;
  bool is_lost = false;        ///< Its device is gone: down first, when no pod has it, and then up again.
  bool is_unproven = false;    ///< An earlier run staged it, and nobody looked at it since.
  std::int32_t stuck_pid = 0;  ///< The worker that cannot be ended; 0: none.

  /// The reason that `warning` is told with.
  const char* warning_reason() const { return too_busy_for_bytes != 0 ? "VolumeInUse" : "ShrinkRefused"; }
};

/// The work that the ledger asks for on a volume: making, growing, removing, emptying it.
struct ClaimedVolumeWork {
  Doing doing = Doing::None;
  Quantity capacity;  ///< Of GrowVolume in flight: what it will have.
  Backoff backoff;
  std::unique_ptr<Failure> failure;
  std::int32_t stuck_pid = 0;  ///< The worker that cannot be ended; 0: none.
  // Of the last try: what is waited for.
  DriverName driver = {};                          ///< Who does it; empty: no driver.
  std::optional<ObjectKey> secret = std::nullopt;  ///< What the driver is told as secrets.
};

/// What people asked for, until it is written.
struct ClaimsAsked {
  std::set<ObjectKey> deletions;
  std::map<ObjectName, bool> releases;  ///< True: to be forgotten.
  std::set<ObjectName> tries;           ///< Volumes that could not be made or grown.
  std::set<ObjectName> snapshots;       ///< Rows of snapshots that are to be forgotten.
};

/// An operation that was started and has not ended.
struct InFlight {
  Doing doing = Doing::None;
  PodUid pod;
  VolumeName volume;                             ///< Empty: the pod's directory, or the node.
  std::string trash_name;                        ///< Of EmptyTrash; of Unpublish: what it would move aside.
  bool is_mount = false;                         ///< Of Publish: what the recipe said it will be.
  std::string content;                           ///< Of Publish: what the recipe said it will hold.
  std::map<std::string, std::string> sub_paths;  ///< Of Publish: the parts that it binds (Recipe).
  VolumeKey device = {};                         ///< What pods share that it is about; empty: nothing.
  std::string measured = {};                     ///< Of Measure: the key of the measurement.
  ObjectName persistent = {};                    ///< The PersistentVolume, or the row of a snapshot, that it
                                                 ///< makes, removes, ...
  DriverName driver = {};                        ///< Of ProbeDriver.
};

/// An operation whose worker waits in the kernel and cannot be ended.
struct StuckOperation {
  Doing doing = Doing::None;
  PodUid pod;  ///< Empty: the node's.
  std::int32_t worker_pid = 0;
};
std::string doing_text(Doing doing);
/// "namespace/pod/volume".
std::string volume_label(const ObjectKey& key, const VolumeName& name);
/// True if the device is what the recipe asks for, as far as anything of it is there.
bool is_just(const ActualDevice& device, const DeviceRecipe& recipe);
/// What people are told of it.
Phase device_phase(const ActualDevice& device, const DeviceWork& work);
/// Notes which parts of the volume containers mount (subPath).
void note_parts(const manifest::Pod& pod, VolumeWork& work, const Result<Recipe>& recipe);
/// True if the volume is published with all of them.
bool has_all_parts(const manifest::Pod& pod, const ActualVolume& volume, const VolumeWork& work);
/// Has the volume published again if one is missing.
void require_parts(const ActualVolume& volume, VolumeWork& work);
/// Why something that was asked of the core cannot be told now.
Error status_error(std::string reason, std::string message, std::string remedy = {});
/// True while something of another volume of the pod is where this one is to be.
bool is_place_being_cleared(const ActualPod& actual, const ActualVolume& volume, const PodWork& work,
                            const VolumeDirectory& directory);
/// What the ledger's row asks for.
Doing wanted_work(const LedgerVolume& row);
/// True of a volume that is refused for want of a Secret, or for what the Secret is.
bool needs_secret(const VolumeWork& work);
/// What there is to say of it.
std::string stuck_text(std::int32_t worker_pid);
/// What there is to say of a volume that holds too much.
std::string limit_text(const VolumeWork& work);
/// The earlier of `when` and the time after `now` when a volume of the pod is to be published again.
std::optional<MonotonicTime> with_republishing(const PodWork& work, std::optional<MonotonicTime> when,
                                               MonotonicTime now);

/// Where it is asked how full a volume is.
struct UsageTarget {
  std::string key;
  std::string path;  ///< Relative.
  Lane lane = Lane::Own;
  bool is_limited = false;        ///< It is the directory of one volume, which has a limit.
  bool shares_its_space = false;  ///< What is used of the file system is not the volume's.
  /// How the volume's driver is asked; nullopt: its file system is.
  std::optional<MeasureCsiVolume> asks = std::nullopt;
  bool tells_condition = false;  ///< The driver then also says how well the volume is.
};

/// How full something is: a file system, for all volumes on it, or one directory that has a limit.
struct Measurement {
  std::string path;  ///< Relative: where it is asked.
  Lane lane = Lane::Own;
  PodVolumeKey limited;  ///< The volume whose limit is watched; empty: it is a file system.
  PodVolumeKey watched;  ///< The volume whose condition is watched, which its driver tells; empty: none.
  std::optional<MeasureCsiVolume> asks;   ///< How its driver is asked; nullopt: no driver is.
  std::optional<CsiCondition> condition;  ///< What the driver said last of how it is...
  WallTime condition_told;                ///< ...and when.
  std::optional<FileSystemUsage> usage;
  WallTime measured;                      ///< When that was so.
  std::optional<Instant> tried;           ///< When it was last asked for.
  std::string problem;                    ///< Why the last try failed; empty: it did not.
  std::optional<WallTime> failing_since;  ///< When the first of those tries was that failed since it did not.
  bool is_waiting = false;                ///< For its turn (MeasureQueue).
  bool is_busy = false;
  bool is_enforced = false;            ///< The kernel keeps the limit.
  bool is_over = false;                ///< It holds more than its limit.
  std::optional<MonotonicTime> timer;  ///< When it is looked at again by itself.
};

/// A transaction of the ledger that is being written.
struct Writing {
  LedgerTransaction transaction;
  std::vector<BindingEvent> events;
  bool is_asked = false;  ///< It is what people asked for.
};

/// What a measurement takes a place of while it is in flight, so that what hangs leaves places to others.
enum class MeasurePlace : std::uint8_t {
  Free,    ///< None: it asks memory.
  Usual,   ///< One of a few.
  Slow,    ///< One of half of these: a walk, or what failed the last time.
  Driver,  ///< The only one of its driver, which may hang.
  Stuck,   ///< None any more: its worker cannot be ended.
};
/// Each driver has a queue of its own; of all else the name is empty.
using MeasureLine = std::pair<MeasurePlace, DriverName>;
struct MeasureQueue {
  std::deque<std::string> waiting;  ///< Keys of measurements; some may be gone by now.
  std::size_t in_flight = 0;
  bool is_silent = false;  ///< Of a driver: it did not answer the last time. Nobody waits for it.
};

/// One entry of the trash that waits to be removed.
struct TrashWork {
  bool is_busy = false;
  bool is_again = false;  ///< Something came to be under this name while it was being removed.
  Backoff backoff;
  std::string message;  ///< Why it could not be removed; empty: it was not tried, or is being.
};

}  // namespace mooring
