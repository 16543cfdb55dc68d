#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "actual/record.h"
#include "base/ids.h"
#include "base/quantity.h"
#include "base/result.h"
#include "base/time.h"
#include "binding/ledger.h"
#include "core/flex_drivers.h"
#include "driver/registration.h"
#include "facts/mount_table.h"
#include "manifest/objects.h"
#include "plugin/node.h"
#include "plugin/registry.h"
#include "provision/provisioner.h"
#include "status/status.h"
#include "step/step.h"

namespace mooring {

/// How the core behaves; all fixed for its life.
struct CoreOptions {
  NodeInfo node;           ///< Name, labels, allocatable resources, absolute root directory.
  std::uint64_t seed = 1;  ///< Of the jitter.
  Duration backoff_first = std::chrono::milliseconds(500);
  Duration backoff_longest = std::chrono::seconds(122);
  std::uint32_t local_deadline_ms = 10'000;
  std::uint32_t own_deadline_ms = 120'000;
  std::uint32_t trash_deadline_ms = 3'600'000;
  /// Of a mount from a server, which may not be there: then it says so and tries again.
  std::uint32_t mount_deadline_ms = 30'000;
  /// How long an unmount of a server's file system may wait before it may use force
  /// (mooring.io/unmount-policy); and as long again before the next harder way.
  std::uint32_t unmount_deadline_ms = 30'000;
  /// Of a stage: a check of a large file system takes its time, and ending it half way helps nobody.
  std::uint32_t stage_deadline_ms = 3'600'000;
  /// Of a measurement by statfs(2), and by a walk through a directory.
  std::uint32_t usage_deadline_ms = 10'000;
  std::uint32_t walk_deadline_ms = 60'000;
  Duration usage_age_longest = std::chrono::seconds(60);  ///< Older numbers are measured anew when asked for.
  std::size_t measuring_max = 4;  ///< Measurements at a time that may have to wait for a disk or a server.
  std::size_t events_kept = 1000;
  /// How often a volume of a driver with requiresRepublish is published again, and half as long again at
  /// most: as often as a kubelet syncs a pod (syncFrequency; pod_workers.go,
  /// workerResyncIntervalJitterFactor).
  Duration republish_interval = std::chrono::seconds(60);
  /// How long after a volume, claim or class was written nothing is made by the built-in class: a volume for
  /// the claim may be in the next file.
  Duration manifests_quiet = std::chrono::milliseconds(500);
  std::vector<NfsExport> nfs_exports;         ///< Where NFS provisioners make volumes.
  std::uint32_t flex_timeout_ms = 120'000;    ///< Of a FlexVolume driver's `init`.
  std::vector<NamedDriver> csi_drivers = {};  ///< That the configuration names.
  /// Of asking a driver what it is: six calls of 10 s.
  std::uint32_t driver_deadline_ms = 65'000;
  std::size_t driver_calls_max = 8;  ///< Calls of one driver's controller at a time.
};

// What happens to the core. Each is a fact that the shell has come to know; none is a command to touch the
// node.

/// One manifest file was read (again).
struct FileParsed {
  manifest::ParsedFile file;
};
/// One manifest file could not be read; what it held stays.
struct FileUnreadable {
  std::string file;
  std::string message;
};
/// One manifest file is gone for certain (ENOENT under its directory, which was readable).
struct FileGone {
  std::string file;
};
/// All directories were listed and every file was either parsed or reported unreadable; `files` is the whole
/// listing: a file that is known and not in it is gone. Until the first of these, nothing is torn down.
struct ListingCompleted {
  std::vector<std::string> files;
};
/// A directory could not be listed whole: nothing of it counts as gone.
struct ListingFailed {
  std::string directory;
  std::string message;
};
/// The records of the run directory, read at start. Comes before everything else, once.
struct RecordsRead {
  std::vector<PodRecord> records;
  std::vector<std::string> unreadable;
  std::vector<DeviceRecord> devices = {};
};
/// The mount table of the workers' namespace, whole and newer than the one before, or that one once more:
/// then nothing has changed up to now.
struct MountsRead {
  std::shared_ptr<const MountTable> table;
};
/// An operation ended.
struct OperationEnded {
  Outcome outcome;
};
/// An operation is past its deadline and its worker cannot be ended; an OperationEnded follows if it ever
/// does.
struct OperationStuck {
  OperationId id{};
  std::int32_t worker_pid = 0;
};
/// How far a long operation is.
struct OperationProgress {
  OperationId id{};
  std::string text;
};
/// No worker can be started, or none that was can serve, and why; empty: one can again.
struct WorkersFailing {
  std::string why;
};
/// Something about the node that people should know; told once, changes nothing.
struct NodeWarned {
  Error warning;
};
/// A record could not be written: the operations that waited for it were not started.
struct RecordFailed {
  PodUid pod;
  Error error;
};
/// The same of a device's record.
struct DeviceRecordFailed {
  VolumeKey device;
  Error error;
};
/// The kernel told of a block device that appeared, changed or went.
struct DevicesChanged {};
/// The ledger of claims and volumes as it is on disk: once at start, and anew after a transaction of which
/// nobody knows if it was written, or why it cannot be told just now. Until it was read no claim is bound,
/// and none is taken for gone.
struct LedgerRead {
  Result<Ledger> ledger;
};
/// A transaction is on disk, for good.
struct LedgerWritten {
  std::uint64_t sequence = 0;
};
/// A block device is gone from the node, by its number.
struct DeviceRemoved {
  DeviceNumber device;
};
/// The kernel found errors in the file system on a device, and what it says of them.
struct FileSystemFailing {
  DeviceNumber device;
  std::string message;
};
/// Something changed under an inotify watch that WatchHostPath made.
struct WatchFired {
  int watch = 0;
};
/// A runtime is about to start a container of a pod: the parts of volumes that it mounts (subPath) are to be
/// looked at once more, and made if they were left to this moment.
struct ContainerAsked {
  PodUid pod;
  ContainerName container;
};
/// Somebody asks to try again now what waits for its backoff; an empty pod means all.
struct RetryRequested {
  std::optional<ObjectKey> pod;
};
/// Somebody asks how full volumes are: those are measured whose numbers are old. Nothing of a pod: of all.
struct UsageAsked {
  std::optional<PodUid> pod;
};
/// All programs of FlexVolume drivers that are on the node now.
struct FlexProgramsListed {
  std::vector<FlexProgramFact> programs;
};
/// All sockets that are in the registry of drivers (`<root>/plugins_registry`) now.
struct RegistrySockets {
  std::vector<RegistrySocket> sockets;
};
/// The time of next_wake() has come.
struct TimerFired {};

using Event = std::variant<FileParsed, FileUnreadable, FileGone, ListingCompleted, ListingFailed, RecordsRead,
                           MountsRead, OperationEnded, OperationStuck, OperationProgress, WorkersFailing,
                           NodeWarned, RecordFailed, DeviceRecordFailed, LedgerRead, LedgerWritten,
                           DevicesChanged, DeviceRemoved, FileSystemFailing, WatchFired, RetryRequested,
                           ContainerAsked, UsageAsked, FlexProgramsListed, RegistrySockets, TimerFired>;

struct PodIdentity {
  PodUid uid;
  ObjectKey key;
};

/// Changes of the ledger that are written all together, and told of by LedgerWritten, or else by LedgerRead.
/// Never more than one at a time.
struct LedgerTransaction {
  std::uint64_t sequence = 0;  ///< From 1, each one more than the one before.
  LedgerChanges changes;
};

/// What the shell must do, in this order: write the records, remove the records, start the operations, tell
/// the world.
struct Effects {
  std::vector<PodRecord> records_to_write;
  std::vector<PodUid> records_to_remove;
  std::vector<DeviceRecord> device_records_to_write;
  std::vector<VolumeKey> device_records_to_remove;
  std::optional<LedgerTransaction> ledger;
  /// The devices whose file systems are staged now, if they are others than before: the shell listens for
  /// their errors.
  std::optional<std::set<DeviceNumber>> file_systems_to_watch;
  std::vector<Operation> operations;        ///< In the order in which they are to be started.
  std::vector<int> watches_to_remove;       ///< Watches that are needed no more.
  bool devices_changed = false;             ///< What devices() says may differ from before...
  bool drivers_changed = false;             ///< ...and likewise drivers()...
  bool snapshots_changed = false;           ///< ...and snapshots().
  std::vector<ObjectKey> changed_claims;    ///< Whose ClaimStatus differs from before, or is gone...
  std::vector<ObjectName> changed_volumes;  ///< ...and likewise PersistentVolumeStatus.
  std::vector<PodUid> changed_pods;         ///< Whose PodStatus may differ from before (or is gone).
  std::vector<PodIdentity> pods_ready;      ///< That became ready now.
  std::vector<PodIdentity> pods_gone;       ///< That are torn down wholly now.
  std::vector<StatusEvent> events;          ///< New lines of the log.
};

/// The core: objects, desired and actual state, plans, status. Pure: same options and same events at the same
/// times give the same effects; it has no clock, no I/O and no globals, and its work is in what changed.
///
///     event ─▶ handle() ─▶ store, actual ─▶ dirty pods ─▶ planner ─▶ take_effects()
class Core {
 public:
  Core(CoreOptions options, const PluginRegistry& plugins);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  void handle(Event event, Instant now);
  /// Plans what the events so far ask for and hands out all effects since the last call.
  Effects take_effects(Instant now);
  /// When TimerFired is due; nullopt: never.
  std::optional<MonotonicTime> next_wake() const;

  NodeStatus node_status() const;
  std::vector<PodUid> pods() const;  ///< Sorted by namespace and name.
  std::optional<PodUid> find_pod(const ObjectKey& key) const;
  std::optional<PodStatus> pod_status(const PodUid& uid) const;
  /// The mounts of a pod's containers (all, or one by name); an error if the pod is not ready ("NotReady") or
  /// unknown, if a part of a volume cannot be had (why), is being looked at just now ("Preparing") or is made
  /// only when its container is asked for by name ("NotPrepared").
  Result<std::vector<ContainerMount>> container_mounts(const PodUid& uid,
                                                       const ContainerName& container) const;
  /// True if a container of the pod mounts parts of volumes (see ContainerAsked).
  bool has_parts(const PodUid& uid, const ContainerName& container) const;
  /// What the pod asks of a container's process, ready or not. `container` empty: that of the pod's only
  /// container, or of a pod with several what it says for all of them.
  Result<ContainerSecurity> container_security(const PodUid& uid, const ContainerName& container) const;
  /// The raw devices of a pod's containers (all, or one by name), errors as of container_mounts(); besides,
  /// "InvalidDevicePath" if a container is to have one at a path that is not absolute, and
  /// "SpecChangeIgnored" if the live pod has the volume as a directory. Whether a device is still there is
  /// for who uses its link.
  Result<std::vector<ContainerDevice>> container_devices(const PodUid& uid,
                                                         const ContainerName& container) const;
  /// What pods share of their volumes, sorted by key.
  std::vector<DeviceStatus> devices() const;
  /// Drivers outside that registered, or that the configuration names, sorted by socket.
  std::vector<DriverStatus> drivers() const;
  std::vector<ClaimStatus> claims() const;  ///< Sorted by namespace and name.
  std::optional<ClaimStatus> claim_status(const ObjectKey& key) const;
  std::vector<PersistentVolumeStatus> persistent_volumes() const;  ///< Sorted by name.
  std::vector<StorageClassStatus> storage_classes() const;  ///< Sorted by name; the built-in one among them.
  /// Those of the manifests, and what is left of others: kept, or being deleted. Sorted by namespace, name
  /// and content.
  std::vector<VolumeSnapshotStatus> snapshots() const;
  /// The volumes that were looked at for a claim, and why each was not taken. Costs all there is.
  std::vector<ClaimCandidate> explain_claim(const ObjectKey& key) const;
  /// Deletes a claim that no manifest holds any more. Final errors: "NoSuchClaim"; "ClaimInManifest", which
  /// names the manifest that is to be removed instead.
  Result<void> delete_claim(const ObjectKey& key, Instant now);
  /// Makes a Released or Failed volume free for the next claim, its data as it is; with `forget` nothing is
  /// remembered of one that was provisioned and has no manifest, and its data stays. Final errors:
  /// "NoSuchVolume", "VolumeNotReleased", and "VolumeInManifest" of `forget`.
  Result<void> release_volume(const ObjectName& name, bool forget, Instant now);
  /// Remembers nothing more of what is left of snapshots of that name: of those that were kept, and of those
  /// that are to be deleted and cannot be. Their drivers are not asked for anything. Final errors:
  /// "NoSuchSnapshot"; "SnapshotNotReleased", if nothing of it is left so.
  Result<void> forget_snapshots(const ObjectKey& key, Instant now);
  /// True while what UsageAsked asked for is being measured; what hangs is not waited for.
  bool is_measuring() const;
  std::vector<StatusEvent> events_since(std::uint64_t sequence) const;
  /// True once the node was looked at and a complete listing was taken in: a pod that is not known then is
  /// neither asked for nor there.
  bool knows_all() const;
  /// True once a complete listing was taken in and everything it asked for has been started or ended.
  bool is_settled() const;

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace mooring
