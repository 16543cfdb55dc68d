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
#include "binding/binder.h"
#include "binding/resolve.h"
#include "core/core.h"
#include "core/registrar.h"
#include "core/snapshot_work.h"
#include "core/work.h"
#include "desired/desired_state.h"
#include "objects/store.h"
#include "plan/planner.h"
#include "status/event_log.h"

namespace mooring {

/// The core's inside. One file for each thing that happens to it, named below.
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
  Result<std::vector<ContainerDevice>> container_devices(const PodUid& uid,
                                                         const ContainerName& container) const;
  std::vector<DeviceStatus> devices() const;
  std::vector<DriverStatus> drivers() const;
  std::vector<ClaimStatus> claims() const;
  std::optional<ClaimStatus> claim_status(const ObjectKey& key) const;
  std::vector<PersistentVolumeStatus> persistent_volumes() const;
  std::vector<StorageClassStatus> storage_classes() const;
  std::vector<VolumeSnapshotStatus> snapshots() const;
  std::vector<ClaimCandidate> explain_claim(const ObjectKey& key) const;
  Result<void> delete_claim(const ObjectKey& key, Instant now);
  Result<void> release_volume(const ObjectName& name, bool forget, Instant now);
  Result<void> forget_snapshots(const ObjectKey& key, Instant now);
  std::vector<StatusEvent> events_since(std::uint64_t sequence) const { return log_.since(sequence); }
  bool knows_all() const;
  bool is_settled() const;
  bool is_measuring() const;

 private:
  enum class Adoption : std::uint8_t { Waiting, Scanning, Adopted };
  /// Kept: not as the manifest says now, but the pod lives, so it stays.
  enum class Fate : std::uint8_t { Wanted, Kept, Unwanted };

  // engine_manifests.cpp: files, listings → store → desired pods
  void on(FileParsed& event, Instant now);
  void on(FileUnreadable& event, Instant now);
  void on(FileGone& event, Instant now);
  void on(ListingCompleted& event, Instant now);
  void on(ListingFailed& event, Instant now);
  void take_in(const StoreChanges& changes, Instant now);
  void update_desired(const PodUid& uid);

  // engine_adoption.cpp: records, scan, mount table → actual state
  void on(RecordsRead& event, Instant now);
  void on(MountsRead& event, Instant now);
  void start_scan(Instant now);
  void adopt(const TreeFacts& tree, Instant now);
  void request_scan(Instant now);
  void verify_tree(const TreeFacts& tree, Instant now);
  void verify_mounts(const PodUid& uid, const MountTable& before, Instant now);
  void settle_mount(const PodUid& uid, ActualVolume& volume);
  bool is_of_device(const MountFact& mount, const ActualVolume& volume) const;
  bool settle_found(const PodUid& uid, ActualVolume& volume, const Shape& shape);

  // engine_operations.cpp: what became of operations
  void on(OperationEnded& event, Instant now);
  void on(OperationStuck& event, Instant now);
  void on(OperationProgress& event, Instant now);
  void on(WorkersFailing& event, Instant now);
  void on(NodeWarned& event, Instant now);
  void on(RecordFailed& event, Instant now);
  void on(WatchFired& event, Instant now);
  void on(RetryRequested& event, Instant now);
  void on(TimerFired& event, Instant now);
  Error of_server(const ActualVolume& volume, Error error) const;
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

  // engine_content.cpp: changed objects and pods → volumes whose content follows them
  void note_content_users(const PodUid& uid, const manifest::Pod* pod);
  void content_changed(const std::set<ObjectReference>& objects);
  void compare_content(const DesiredPod& desired, const ActualVolume& volume, VolumeWork& work, Instant now);
  void secret_came();
  void keep_content(const DesiredPod& desired, VolumeWork& work, const Error& error, Instant now);
  bool waits_for_objects(const manifest::Pod& pod, const VolumeName& name) const;

  // engine_republish.cpp: volumes that their drivers want published again and again
  void note_republish(const DesiredPod& desired, const ActualVolume& volume, VolumeWork& work, Instant now);
  void republish_later(VolumeWork& work, Instant now);

  // engine_parts.cpp: parts of volumes (subPath) that containers mount
  void on(ContainerAsked& event, Instant now);
  void verify_parts(const ActualPod& pod, ActualVolume& volume, const VolumeWork& work, Instant now);
  Result<std::string> source_of(const PodUid& uid, const DesiredPod& desired,
                                const manifest::Container& container,
                                const manifest::VolumeMount& mount) const;

  // engine_devices.cpp: what pods share of volumes: attached, staged, and the way down
  void on(DevicesChanged& event, Instant now);
  void on(DeviceRecordFailed& event, Instant now);
  void on(DeviceRemoved& event, Instant now);
  void on(FileSystemFailing& event, Instant now);
  void note_condition(const DeviceNumber& number, Failure condition, bool is_lost, Instant now);
  void note_condition_of(const VolumeKey& key, const Failure& condition, bool is_lost, Instant now);
  void prove_device(ActualDevice& device, Instant now);
  void proof_ended(ActualDevice& device, const Outcome& outcome, Instant now);
  std::optional<DeviceNumber> number_of(const ActualDevice& device) const;
  void watch_file_systems();
  void note_read_only(const PodUid& uid, const ActualVolume& volume, const VolumeWork& work,
                      const MountTable& before, Instant now);
  bool is_read_only_by_others(const PodUid& uid, const ActualVolume& volume, const VolumeWork& work,
                              const MountTable& mounts) const;
  void use_device(const PodUid& uid, ActualVolume& volume, const Recipe& recipe);
  void note_capacity(const ActualDevice& device, const PodVolumeKey& user, std::uint64_t capacity_bytes);
  void leave_device(const PodUid& uid, const ActualVolume& volume);
  bool is_device_ready(const ActualVolume& volume) const;
  std::optional<DeviceRecipe> recipe_of_device(const VolumeKey& key, const DeviceWork& work) const;
  std::optional<DeviceRecipe> recipe_by(const PodVolumeKey& user, const VolumeKey& key) const;
  bool is_taken(const VolumeKey& key) const;  // engine_turns.cpp
  void plan_again(const PodUid& uid, const VolumeKey& shared);
  bool is_device_needed(const VolumeKey& key, const DeviceWork& work) const;
  void plan_device_of(const VolumeKey& key, Instant now);
  void take_device_down(ActualDevice& device, DeviceMove move, Instant now);
  void start_on_device(ActualDevice& device, Doing doing, const char* what, Stage stage, Instant now);
  void record_device(ActualDevice& device);
  void take_growth(ActualDevice& device, const Outcome& outcome);
  void device_ended(const InFlight& what, Outcome& outcome, Instant now);
  void fail_device(const ActualDevice& device, DeviceWork& work, Doing did, const Error& error, Instant now);
  void forget_device(const VolumeKey& key);
  void set_device_timer(const VolumeKey& key, DeviceWork& work, std::optional<MonotonicTime> when);
  void wait_for_attachment(ActualDevice& device, DeviceWork& work, const DeviceRecipe& recipe, Instant now);
  void verify_devices(const MountTable& before, Instant now);
  void adopt_devices(const TreeFacts& tree);

  // engine_flex.cpp: FlexVolume drivers that come, go and are asked what they can do
  void on(FlexProgramsListed& event, Instant now);
  void allow_for_drivers(Operation& operation) const;
  void flex_drivers_changed();
  void start_flex_probes(Instant now);
  void flex_probe_ended(const InFlight& what, const Outcome& outcome, Instant now);
  void note_unsupported(const Outcome& outcome);
  void add_flex_drivers(std::vector<DriverStatus>& out) const;
  bool is_measurable_by_driver(const ActualVolume& volume, const std::string& path) const;

  // engine_claims.cpp: claims and volumes: what is bound, and written down
  void on(LedgerRead& event, Instant now);
  void on(LedgerWritten& event, Instant now);
  void bind_claims(Instant now);
  BindingWorld binding_world() const;
  bool has_volume_of(const ActualPod& pod, const PodWork* work,
                     const manifest::PersistentVolume& volume) const;
  std::set<ObjectName> volumes_in_use() const;
  std::set<ObjectKey> claims_in_use(const std::set<ObjectName>& volumes) const;
  std::map<ObjectName, std::uint64_t> staged_bytes() const;
  void write_ledger(LedgerChanges changes, std::vector<BindingEvent> events, bool is_asked);
  LedgerChanges asked_changes() const;
  void note_conditions(BindingPlan& plan, Instant now);
  void ledger_changed(const LedgerChanges& changes);
  void let_go(const VolumeDirectory& directory);
  void hurry_next_holder(const ObjectKey& claim);
  void note_claim_users(const PodUid& uid, const manifest::Pod* pod);
  bool is_claim_open(const ObjectKey& claim) const;
  bool is_another_claims(const manifest::Pod& pod, const manifest::Volume& wanted,
                         const ActualVolume& there) const;
  bool holds_another_claim(const DesiredPod* desired, const ActualVolume& there) const;
  bool waits_for_ledger(const DesiredPod* desired, const VolumeName& name) const;
  const ActualPod* other_holder(const PodUid& uid, const ObjectKey& claim) const;
  ClaimsView claims_view(bool is_live) const { return {ledger_, claim_conditions_, is_live}; }

  // engine_claims_work.cpp: volumes that are made, grown, emptied and removed
  Result<ProvisionWork> work_for(const LedgerVolume& row, Doing doing) const;
  void note_volume_work(const ObjectName& name);
  void start_volume_work(Instant now);
  void start_volume_work(const ObjectName& name, const LedgerVolume& row, ClaimedVolumeWork& work,
                         Instant now);
  void volume_work_ended(const InFlight& what, Outcome& outcome, Instant now);
  void fail_volume_work(const ObjectName& name, ClaimedVolumeWork& work, Doing did, const Error& error,
                        Instant now);

  // engine_claims_drivers.cpp: what drivers make, and what is waited for with them
  void follow_drivers();
  void hurry_volume_work(const std::set<DriverName>& drivers, const std::set<ObjectReference>& objects);
  std::map<DriverName, std::size_t> driver_calls() const;
  void add_copied_volumes(std::set<ObjectName>& in_use) const;

  // engine_snapshots.cpp: snapshots that drivers cut
  void plan_snapshots(BindingPlan& plan, const BindingWorld& world, Instant now);
  void start_snapshot_work(Instant now);
  void snapshot_work_ended(const InFlight& what, Outcome& outcome, Instant now);

  // engine_claims_status.cpp: what is to be said of claims, volumes and classes
  void fill_in(ClaimStatus& status, const LedgerClaim& row) const;
  void tell_claims();
  std::vector<std::string> users_of_claim(const ObjectKey& key, const LedgerClaim* row) const;
  bool explain_unbound_claim(VolumeStatus& status, const manifest::Pod& pod, const VolumeName& name) const;
  std::vector<std::string> claim_problems() const;

  // engine_devices_status.cpp: what is to be said of them
  bool is_device_left(const VolumeKey& key, const DeviceWork& work) const;
  std::vector<std::string> device_problems() const;

  // engine_plan.cpp: dirty pods → plans → what is to be started
  const DesiredPod* desired_of(const PodUid& uid) const;
  void plan(const PodUid& uid, Instant now);
  void sync_volumes(const PodUid& uid, const DesiredPod* desired, ActualPod& actual, PodWork& work,
                    Instant now);
  void name_found_volume(const DesiredPod& desired, const manifest::Volume& volume, ActualPod& actual,
                         PodWork& work) const;
  PodView view_of(const PodUid& uid, const DesiredPod* desired, const ActualPod& actual,
                  const PodWork& work) const;
  Fate fate_of(const DesiredPod* desired, const ActualVolume& volume, const VolumeWork& work) const;

  // engine_start.cpp: the operations of pods' volumes
  void refuse(const PodUid& uid, const ActualVolume& volume, VolumeWork& work, const Error& error,
              Instant now);
  Operation publish_operation(const VolumeWork& work, Recipe& recipe, Instant now) const;
  const MountFact* foreign_mount_in(const PodUid& uid, const ActualVolume& volume, std::uint32_t own) const;
  std::string name_trash(Operation& operation) const;
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
  PluginName plugin_of(const manifest::Pod& pod, const manifest::Volume& volume,
                       const ActualVolume* known) const;
  Result<Recipe> recipe_in_plan(const manifest::Pod& pod, const VolumeName& name);
  PlanGate gate(MonotonicTime now) const;
  PlanGate gate_of(const PodUid& uid, MonotonicTime now) const;

  // engine_drivers.cpp: drivers outside that register, come and go
  void on(RegistrySockets& event, Instant now);
  void start_driver_work(Instant now);
  void driver_work_ended(const InFlight& what, Outcome& outcome, Instant now);
  void take_driver_changes(Instant now);
  void drivers_changed();

  // engine_usage.cpp: how full volumes are, and which hold more than they may
  void on(UsageAsked& event, Instant now);
  std::optional<UsageTarget> usage_target(const PodUid& uid, const ActualVolume& volume,
                                          const VolumeWork& work) const;
  void ask_usage_of(const PodUid& uid, std::set<std::string>& seen, Instant now);
  void watch_limits(const PodUid& uid, Instant now);
  void measure_later(const std::string& key, Measurement& measurement, MonotonicTime when);
  void wait_for_measurement(const std::string& key, Measurement& measurement);
  void start_measuring(Instant now);
  void start_waiting(const MeasureLine& line, std::size_t in_flight_max, Instant now);
  void measure(const std::string& key, Measurement& measurement, const MeasureLine& line, Instant now);
  bool is_still_watched(const std::string& key, Measurement& measurement) const;
  void measure_ended(const InFlight& what, Outcome& outcome, Instant now);
  void compare_limit(Measurement& measurement, Instant now);
  void measure_is_stuck(const InFlight& what, std::uint64_t operation, const std::string& text, Instant now);
  void forget_measurement(const std::string& key);
  std::optional<VolumeUsage> usage_of(const PodUid& uid, const ActualVolume& volume,
                                      const VolumeWork& work) const;
  bool is_over_limit(const PodUid& uid, const ActualVolume& volume, const VolumeWork& work) const;

  // engine_health.cpp: what drivers say of volumes
  void ask_driver(const PodUid& uid, const ActualVolume& volume, UsageTarget& target) const;
  void driver_is_silent(const MeasureLine& line, const std::string& problem, Instant now);
  void driver_answered(const MeasureLine& line, const std::string& key, Outcome& outcome, Instant now);
  void compare_condition(Measurement& known, std::optional<CsiCondition> condition, Instant now);
  const CsiCondition* condition_of(const PodUid& uid, const ActualVolume& volume,
                                   const VolumeWork& work) const;

  // engine_status.cpp: what people and programs see
  VolumeStatus volume_status(const PodUid& uid, const DesiredPod* desired, const ActualPod* actual,
                             const VolumeWork& work, Instant now) const;
  std::string path_of(const PodUid& uid, const DesiredPod* desired, const ActualVolume* volume,
                      const VolumeName& name) const;
  Result<const DesiredPod*> ready_pod(const PodUid& uid) const;
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
  std::map<VolumeKey, DeviceWork> device_work_;
  DriverSet drivers_;  ///< Drivers outside that can be used now.
  std::map<std::string, std::string> node_labels_ = options_.node.labels;  ///< With drivers' topologies.
  FlexDrivers flex_drivers_;
  bool are_devices_touched_ = false;             ///< Since the shell was told last what to listen to.
  std::set<DeviceNumber> watched_file_systems_;  ///< As the shell was told last.
  std::map<std::string, TrashWork> trash_;
  std::unordered_map<std::uint64_t, InFlight> in_flight_;  ///< Looked up by id only; never iterated.
  std::map<std::uint64_t, StuckOperation> stuck_;          ///< Of in_flight_: whose worker cannot be ended.
  std::map<int, std::set<PodVolumeKey>> watches_;
  std::uint64_t last_operation_ = 0;
  std::string workers_problem_;  ///< Why no worker can serve; empty: one can.

  Adoption adoption_ = Adoption::Waiting;
  std::vector<PodRecord> records_;
  std::vector<DeviceRecord> device_records_;
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
  std::set<PodUid> unconfirmed_;     ///< Published since the last reading of the table...
  std::set<VolumeKey> unconfirmed_devices_;  ///< ...and staged.

  bool listing_is_complete_ = false;
  std::map<std::string, std::string> failing_directories_;
  std::map<PodUid, std::string> not_desired_;  ///< Stored pods that do not count, and why.
  std::vector<std::string> strangers_;

  std::map<ObjectReference, std::set<PodUid>> content_users_;    ///< Desired pods that use an object...
  std::map<PodUid, std::set<ObjectReference>> content_used_by_;  ///< ...and the way back.

  Provisioners provisioners_;
  Ledger ledger_;                   ///< As it is on disk; nothing else is relied on.
  std::optional<Writing> writing_;  ///< What may be on disk besides.
  std::uint64_t last_transaction_ = 0;
  bool is_ledger_read_ = false;
  bool was_ledger_read_ = false;           ///< Once in this run.
  std::optional<Failure> ledger_problem_;  ///< Why it cannot be read.
  bool are_claims_touched_ = true;         ///< Something changed since claims were bound last.
  std::optional<MonotonicTime> quiet_at_;  ///< When what was written last is no news any more.
  bool waits_for_users_ = false;           ///< Some row waits for its users to go, or to grow.
  bool are_claims_to_be_told_ = true;      ///< Likewise since the shell was told of them.
  std::map<ObjectKey, BindingCondition> claim_conditions_;
  std::map<ObjectName, BindingCondition> volume_conditions_;
  std::map<ObjectName, ClaimedVolumeWork> volume_work_;  ///< Of rows that ask for some.
  std::map<ObjectName, VolumeWorkEnd> volume_ends_;      ///< Of work that the ledger does not know of yet.
  ClaimsAsked asked_;
  std::map<PodUid, std::set<ObjectKey>> pod_claims_;  ///< Of pods that are, or are not wholly gone yet...
  std::map<ObjectKey, std::set<PodUid>> claim_pods_;  ///< ...and the way back.
  std::map<ObjectKey, ClaimStatus> told_claims_;      ///< As the shell was told last...
  std::map<ObjectName, PersistentVolumeStatus> told_volumes_;
  SnapshotWork snapshot_work_;
  SnapshotsTold told_snapshots_;
  Registrar registrar_;
  std::map<std::uint64_t, RegistrarWork> asking_drivers_;  ///< Operations in flight.
  std::set<PodUid> content_waiting_;                       ///< See waits_for_objects().
  std::set<PodUid> secrets_waiting_;                       ///< See needs_secret().
  std::vector<std::pair<VolumeName, Recipe>> made_;        ///< Recipes of the pod that is being planned.
  std::set<PodUid> dirty_;
  std::set<VolumeKey> dirty_devices_;
  std::set<std::pair<MonotonicTime, PodUid>> timers_;
  std::set<std::pair<MonotonicTime, VolumeKey>> device_timers_;
  std::map<std::string, Measurement> measurements_;
  std::map<MeasureLine, MeasureQueue> measure_queues_;
  std::map<std::uint64_t, MeasureLine> measuring_;  ///< Operations in flight.
  std::set<std::pair<MonotonicTime, std::string>> measure_timers_;
  EventLog log_;
  Effects effects_;
};

}  // namespace mooring
