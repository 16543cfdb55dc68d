#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actual/record.h"
#include "base/ids.h"
#include "base/quantity.h"
#include "base/time.h"
#include "facts/mount_table.h"
#include "manifest/objects.h"
#include "plugin/node.h"
#include "plugin/registry.h"
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
  std::size_t events_kept = 1000;
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
/// The time of next_wake() has come.
struct TimerFired {};

using Event = std::variant<FileParsed, FileUnreadable, FileGone, ListingCompleted, ListingFailed, RecordsRead,
                           MountsRead, OperationEnded, OperationStuck, OperationProgress, WorkersFailing,
                           NodeWarned, RecordFailed, WatchFired, RetryRequested, ContainerAsked, TimerFired>;

struct PodIdentity {
  PodUid uid;
  ObjectKey key;
};

/// What the shell must do, in this order: write the records, remove the records, start the operations, tell
/// the world.
struct Effects {
  std::vector<PodRecord> records_to_write;
  std::vector<PodUid> records_to_remove;
  std::vector<Operation> operations;    ///< In the order in which they are to be started.
  std::vector<int> watches_to_remove;   ///< Watches that are needed no more.
  std::vector<PodUid> changed_pods;     ///< Whose PodStatus may differ from before (or is gone).
  std::vector<PodIdentity> pods_ready;  ///< That became ready now.
  std::vector<PodIdentity> pods_gone;   ///< That are torn down wholly now.
  std::vector<StatusEvent> events;      ///< New lines of the log.
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
