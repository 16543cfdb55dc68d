#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actual/actual_state.h"
#include "base/random.h"
#include "core/core.h"
#include "core/work.h"
#include "desired/desired_state.h"
#include "objects/store.h"
#include "plan/planner.h"
#include "status/event_log.h"

namespace mooring {

/// Why something that was asked of the core cannot be told now.
Error status_error(std::string reason, std::string message, std::string remedy = {});

/// The core's inside. One file for each thing that happens to it:
///   engine_manifests.cpp   files, listings → store → desired pods
///   engine_adoption.cpp    records, scan, mount table → actual state
///   engine_operations.cpp  what became of operations
///   engine_content.cpp     changed objects and pods → volumes whose content follows them
///   engine_parts.cpp       parts of volumes (subPath) that containers mount
///   engine_plan.cpp        dirty pods → plans → operations
///   engine_status.cpp      what people and programs see
///
/// Gates (DESIGN: tear nothing down before everything was read):
///   Waiting ──records and mounts read──▶ Scanning ──scan ended well──▶ Adopted (set-up allowed)
///   Adopted and a complete listing taken in, none failing since          (teardown allowed)
class Core::Engine {
 public:
  Engine(CoreOptions options, const PluginRegistry& plugins);

  void handle(Event event, Instant now);
  Effects take_effects(Instant now);
  std::optional<MonotonicTime> next_wake() const;

  NodeStatus node_status() const;
  std::vector<PodUid> pods() const;
  std::optional<PodUid> find_pod(const ObjectKey& key) const;
  std::optional<PodStatus> pod_status(const PodUid& uid) const;
  Result<std::vector<ContainerMount>> container_mounts(const PodUid& uid,
                                                       const ContainerName& container) const;
  bool has_parts(const PodUid& uid, const ContainerName& container) const;
  Result<ContainerSecurity> container_security(const PodUid& uid, const ContainerName& container) const;
  std::vector<StatusEvent> events_since(std::uint64_t sequence) const { return log_.since(sequence); }
  bool knows_all() const { return adoption_ == Adoption::Adopted && listing_is_complete_; }
  bool is_settled() const;

 private:
  enum class Adoption : std::uint8_t { Waiting, Scanning, Adopted };
  /// Kept: not as the manifest says now, but the pod lives, so it stays.
  enum class Fate : std::uint8_t { Wanted, Kept, Unwanted };

  // engine_manifests.cpp
  void on(FileParsed& event, Instant now);
  void on(FileUnreadable& event, Instant now);
  void on(FileGone& event, Instant now);
  void on(ListingCompleted& event, Instant now);
  void on(ListingFailed& event, Instant now);
  void take_in(const StoreChanges& changes, Instant now);
  void update_desired(const PodUid& uid);

  // engine_adoption.cpp
  void on(RecordsRead& event, Instant now);
  void on(MountsRead& event, Instant now);
  void start_scan(Instant now);
  void adopt(const TreeFacts& tree, Instant now);
  void request_scan(Instant now);
  void verify_tree(const TreeFacts& tree, Instant now);
  void verify_mounts(const PodUid& uid, Instant now);
  void settle_mount(const PodUid& uid, ActualVolume& volume);
  bool settle_found(const PodUid& uid, ActualVolume& volume, const Shape& shape);

  // engine_operations.cpp
  void on(OperationEnded& event, Instant now);
  void on(OperationStuck& event, Instant now);
  void on(OperationProgress& event, Instant now);
  void on(WorkersFailing& event, Instant now);
  void on(NodeWarned& event, Instant now);
  void on(RecordFailed& event, Instant now);
  void on(WatchFired& event, Instant now);
  void on(RetryRequested& event, Instant now);
  void on(TimerFired& event, Instant now);
  void publish_ended(const InFlight& what, Outcome& outcome, Instant now);
  void unpublish_ended(const InFlight& what, Outcome& outcome, Instant now);
  void watch_ended(const InFlight& what, const Outcome& outcome, Instant now);
  void directory_ended(const InFlight& what, Outcome& outcome, Instant now);
  void scan_ended(Outcome& outcome, Instant now);
  void add_trash(const std::string& name);
  void trash_ended(const InFlight& what, Outcome& outcome, Instant now);
  void take_warnings(const PodUid& uid, VolumeWork& work, const Outcome& outcome, Instant now);
  void fail(const PodUid& uid, VolumeWork& work, const Error& error, Instant now);
  void drop_watch(const PodUid& uid, VolumeWork& work);
  void release_watch(int watch, const PodVolumeKey& user);

  // engine_content.cpp
  void note_content_users(const PodUid& uid, const manifest::Pod* pod);
  static std::set<ObjectReference> objects_of_volume(const manifest::Pod& pod,
                                                     const manifest::Volume& volume);
  void content_changed(const std::set<ObjectReference>& objects);
  void compare_content(const DesiredPod& desired, const ActualVolume& volume, VolumeWork& work, Instant now);
  bool waits_for_objects(const manifest::Pod& pod, const VolumeName& name) const;

  // engine_parts.cpp
  void on(ContainerAsked& event, Instant now);
  static void note_parts(const manifest::Pod& pod, VolumeWork& work, const Result<Recipe>& recipe);
  static bool has_all_parts(const manifest::Pod& pod, const ActualVolume& volume, const VolumeWork& work);
  static void require_parts(const ActualVolume& volume, VolumeWork& work);
  void verify_parts(const ActualPod& pod, ActualVolume& volume, const VolumeWork& work, Instant now);
  Result<std::string> source_of(const PodUid& uid, const DesiredPod& desired,
                                const manifest::Container& container,
                                const manifest::VolumeMount& mount) const;

  // engine_plan.cpp
  const DesiredPod* desired_of(const PodUid& uid) const;
  void plan(const PodUid& uid, Instant now);
  void sync_volumes(const PodUid& uid, const DesiredPod* desired, ActualPod& actual, PodWork& work,
                    Instant now);
  PodView view_of(const PodUid& uid, const DesiredPod* desired, const ActualPod& actual,
                  const PodWork& work) const;
  Fate fate_of(const DesiredPod* desired, const ActualVolume& volume, const VolumeWork& work) const;
  void start_publish(const PodUid& uid, const DesiredPod& desired, const VolumeName& name, Instant now);
  void start_unpublish(const PodUid& uid, const VolumeName& name, Instant now);
  void start_watch(const PodUid& uid, const ActualPod& actual, VolumeWork& work, const Recipe& recipe);
  void start_remove_directory(const PodUid& uid, Instant now);
  void start_trash(Instant now);
  void forget(const PodUid& uid, Instant now);
  void record(const PodUid& uid, ActualPod& actual);
  void update_phases(const PodUid& uid, Instant now);
  void set_timer(const PodUid& uid, PodWork& work, std::optional<MonotonicTime> when);
  void start(Operation operation, InFlight what);
  Result<Recipe> recipe_of(const manifest::Pod& pod, const VolumeName& name) const;
  Result<Recipe> recipe_in_plan(const manifest::Pod& pod, const VolumeName& name);
  PlanGate gate(MonotonicTime now) const;
  PlanGate gate_of(const PodUid& uid, MonotonicTime now) const;
  std::string volume_label(const ObjectKey& key, const VolumeName& name) const;

  // engine_status.cpp
  VolumeStatus volume_status(const PodUid& uid, const DesiredPod* desired, const ActualPod* actual,
                             const VolumeWork& work, Instant now) const;
  std::string path_of(const PodUid& uid, const DesiredPod* desired, const ActualVolume* volume,
                      const VolumeName& name) const;
  std::vector<std::string> foreign_mounts() const;
  void log(Instant now, bool warning, std::string reason, std::string object, std::string message);

  CoreOptions options_;
  const PluginRegistry& plugins_;
  Random random_;
  Instant last_now_;

  ObjectStore store_;
  DesiredState desired_;
  ActualState actual_;
  std::map<PodUid, PodWork> work_;
  std::map<std::string, TrashWork> trash_;
  std::unordered_map<std::uint64_t, InFlight> in_flight_;  ///< Looked up by id only; never iterated.
  std::map<std::uint64_t, StuckOperation> stuck_;          ///< Of in_flight_: whose worker cannot be ended.
  std::map<int, std::set<PodVolumeKey>> watches_;
  std::uint64_t last_operation_ = 0;
  std::string workers_problem_;  ///< Why no worker can serve; empty: one can.

  Adoption adoption_ = Adoption::Waiting;
  std::vector<PodRecord> records_;
  bool records_are_read_ = false;
  Backoff scan_backoff_;
  bool scan_is_in_flight_ = false;
  std::optional<MonotonicTime> scanned_at_;  ///< When the tree was read last, or is to be.
  std::set<PodVolumeKey> to_verify_;         ///< Directories that were published when the scan began.
  std::string scan_problem_;
  std::shared_ptr<const MountTable> mounts_;
  std::set<PodUid> unseen_;          ///< Adopted, and named by no manifest that this run has read.
  std::set<PodUid> held_;            ///< Not torn down because a broken manifest may ask for them.
  std::set<std::string> unmounted_;  ///< Mount points of volumes that were removed since the last reading.
  std::set<PodUid> unconfirmed_;     ///< Published since the last reading of the table.

  bool listing_is_complete_ = false;
  std::map<std::string, std::string> failing_directories_;
  std::map<PodUid, std::string> not_desired_;  ///< Stored pods that do not count, and why.
  std::vector<std::string> strangers_;

  std::map<ObjectReference, std::set<PodUid>> content_users_;    ///< Desired pods that use an object...
  std::map<PodUid, std::set<ObjectReference>> content_used_by_;  ///< ...and the way back.

  std::set<PodUid> content_waiting_;  ///< See waits_for_objects().

  std::vector<std::pair<VolumeName, Recipe>> made_;  ///< Recipes of the pod that is being planned.
  std::set<PodUid> dirty_;
  std::set<std::pair<MonotonicTime, PodUid>> timers_;
  EventLog log_;
  Effects effects_;
};

}  // namespace mooring
