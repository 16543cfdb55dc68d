#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/core.h"
#include "manifest/parse.h"
#include "plugin/registry.h"
#include "step/layout.h"

namespace mooring {

using namespace std::chrono_literals;

inline const std::string root_dir = "/var/lib/mooring";
inline const PluginName empty_dir("kubernetes.io/empty-dir");

inline ObjectKey key_of(const std::string& pod) {
  return {Namespace("default"), ObjectName(pod)};
}
inline PodUid uid_of(const std::string& pod) {
  return derived_pod_uid(Namespace("default"), ObjectName(pod));
}
inline std::string volume_path(const std::string& pod, const std::string& volume) {
  return root_dir + "/" + layout::volume(uid_of(pod), empty_dir, VolumeDirectory(volume));
}

using Sources = std::vector<std::pair<std::string, std::string>>;  ///< A volume's name, its source in YAML.

/// A pod with these volumes, all mounted by its one container; `spec` is put before them.
inline std::string pod_yaml(const std::string& name, const Sources& volumes, const std::string& spec = "") {
  std::string mounts;
  std::string sources;
  for (const auto& [volume, source] : volumes) {
    mounts.append("{name: ").append(volume).append(", mountPath: /").append(volume).append("},");
    sources.append("  - {name: ").append(volume).append(", ").append(source).append("}\n");
  }
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec:\n" + spec +
         "  containers: [{name: main, volumeMounts: [" + mounts + "]}]\n" +
         (sources.empty() ? "" : "  volumes:\n" + sources);
}

inline PodRecord record_of(const std::string& pod, const std::vector<VolumeRecord>& volumes) {
  return {uid_of(pod), Namespace("default"), ObjectName(pod), volumes};
}
inline VolumeRecord volume_record(const std::string& volume, const std::string& shape = "directory") {
  return {VolumeName(volume), empty_dir, VolumeDirectory(volume), shape};
}
/// A pod's directory as a scan finds it, with its stamp and these volumes.
inline FoundPod found_pod(const std::string& pod, const std::vector<std::string>& volumes,
                          bool are_mounts = false) {
  FoundPod found{uid_of(pod), true, Namespace("default"), ObjectName(pod), {}, {}};
  for (const std::string& volume : volumes)
    found.volumes.push_back({empty_dir, VolumeDirectory(volume), are_mounts});
  return found;
}

inline Error error_of(ErrorKind kind, const std::string& reason, const std::string& message = "it broke") {
  Error error;
  error.kind = kind;
  error.reason = reason;
  error.message = message;
  error.remedy = "mend it";
  return error;
}
inline Error worker_lost() {
  return error_of(ErrorKind::Uncertain, "WorkerLost", "the worker was lost");
}

inline CoreOptions core_options(std::uint64_t seed = 1) {
  CoreOptions options;
  options.node.name = NodeName("node");
  options.node.root_dir = root_dir;
  options.seed = seed;
  options.manifests_quiet = Duration::zero();  // A test's manifests are whole.
  return options;
}

/// The core as its shell drives it: each event is followed by a look at the effects. The clock moves only by
/// advance() and wake().
class Shell {
 public:
  explicit Shell(CoreOptions options = core_options())
      : plugins(built_in_plugins()), core(std::move(options), plugins) {}

  /// Through the gates, up to the whole listing of `files`, on a node that holds nothing.
  void start(const std::vector<std::string>& files = {}) {
    adopt({}, {});
    list(files);
  }
  /// The records, the mount table, and the scan with what it found.
  void adopt(std::vector<PodRecord> known, TreeFacts tree) {
    feed(RecordsRead{std::move(known), {}});
    show_mounts();
    end_scan(std::move(tree));
  }
  void end_scan(TreeFacts tree) {
    Outcome outcome;
    outcome.tree = std::move(tree);
    end("read the tree below the root directory", std::move(outcome));
  }
  void list(std::vector<std::string> files) {
    std::sort(files.begin(), files.end());
    feed(ListingCompleted{std::move(files)});
  }
  /// The manifest file `<pod>.yaml` is there with these volumes.
  void write(const std::string& pod, const Sources& volumes, const std::string& spec = "") {
    write_text(pod + ".yaml", pod_yaml(pod, volumes, spec));
  }
  void write_text(const std::string& file, const std::string& text) {
    feed(FileParsed{manifest::parse_file(text, file)});
  }
  void remove(const std::string& pod) { feed(FileGone{pod + ".yaml"}); }

  /// The mount table is this now: "/" and below it what is given, by mount point and type.
  void show_mounts(const std::map<std::string, std::string>& mounts = {}) {
    std::vector<MountFact> facts;
    const auto add = [&](const std::string& point, const std::string& type, std::uint64_t id) {
      MountFact fact;
      fact.id = id;
      fact.mount_point = point;
      fact.type = type;
      fact.source = "some-" + type;
      facts.push_back(std::move(fact));
    };
    add("/", "ext4", 1);
    for (const auto& [point, type] : mounts)
      add(point, type, facts.size() + 1);
    feed(MountsRead{std::make_shared<const MountTable>(MountTable::from_facts(std::move(facts)))});
  }

  void feed(Event event) {
    const bool is_first = std::holds_alternative<RecordsRead>(event);
    core.handle(std::move(event), now());
    if (is_first) core.handle(LedgerRead{ledger}, now());
    take();
  }
  void take() {
    last = core.take_effects(now());
    in_flight.insert(in_flight.end(), last.operations.begin(), last.operations.end());
    for (const PodIdentity& pod : last.pods_ready)
      ready.push_back(pod.key.name.str());
    for (const PodIdentity& pod : last.pods_gone)
      gone.push_back(pod.key.name.str());
    for (const PodRecord& record : last.records_to_write)
      records[record.uid] = record;
    for (const PodUid& uid : last.records_to_remove)
      records.erase(uid);
    for (const DeviceRecord& record : last.device_records_to_write)
      device_records[record.key] = record;
    for (const VolumeKey& key : last.device_records_to_remove)
      device_records.erase(key);
    for (const StatusEvent& event : last.events)
      log.push_back(event.reason + " " + event.object);
    if (last.ledger) writing = last.ledger;
    if (writing && !is_ledger_slow) end_writing();
  }
  /// What is being written is on disk.
  void end_writing() {
    const LedgerTransaction transaction = *std::exchange(writing, std::nullopt);
    apply(ledger, transaction.changes);
    EXPECT_EQ(broken_rules(ledger), std::vector<std::string>{});
    const Effects before = std::move(last);
    feed(LedgerWritten{transaction.sequence});
    last = joined(before, std::move(last));
  }
  /// What a test sees as one answer.
  static Effects joined(const Effects& before, Effects after) {
    const auto join = [](const auto& first, auto& second) {
      second.insert(second.begin(), first.begin(), first.end());
    };
    join(before.records_to_write, after.records_to_write);
    join(before.records_to_remove, after.records_to_remove);
    join(before.operations, after.operations);
    join(before.changed_pods, after.changed_pods);
    join(before.changed_claims, after.changed_claims);
    join(before.changed_volumes, after.changed_volumes);
    join(before.pods_ready, after.pods_ready);
    join(before.pods_gone, after.pods_gone);
    join(before.events, after.events);
    after.snapshots_changed = after.snapshots_changed || before.snapshots_changed;
    return after;
  }

  /// Ends the operation in flight that is called so.
  void end(const std::string& what, Outcome outcome = {}) {
    const auto found = std::find_if(in_flight.begin(), in_flight.end(),
                                    [&](const Operation& operation) { return operation.what == what; });
    if (found == in_flight.end()) {
      ADD_FAILURE() << "not in flight: " << what;
      return;
    }
    outcome.id = found->id;
    in_flight.erase(found);
    feed(OperationEnded{std::move(outcome)});
  }
  void fail(const std::string& what, Error error) {
    Outcome outcome;
    outcome.error = std::move(error);
    end(what, std::move(outcome));
  }
  /// Ends all that is in flight well, and what follows from it.
  void finish() {
    while (!in_flight.empty())
      end(in_flight.front().what);
  }
  bool is_in_flight(const std::string& what) const {
    return std::any_of(in_flight.begin(), in_flight.end(), [&](const auto& o) { return o.what == what; });
  }
  /// What is in flight, in the order of its start.
  std::vector<std::string> doing() const {
    std::vector<std::string> names;
    for (const Operation& operation : in_flight)
      names.push_back(operation.what);
    return names;
  }

  void advance(Duration duration) {
    time += duration;
    const auto wake = core.next_wake();
    if (wake && *wake <= now().monotonic) feed(TimerFired{});
  }
  /// Goes to the time that the core asked for; how long that was.
  Duration wake() {
    const auto when = core.next_wake();
    if (!when) {
      ADD_FAILURE() << "the core asked for no wake-up";
      return {};
    }
    const Duration duration = *when - now().monotonic;
    advance(std::max(duration, Duration::zero()));
    return duration;
  }

  PodStatus pod(const std::string& name) const {
    const auto status = core.pod_status(uid_of(name));
    if (!status) ADD_FAILURE() << "no status of pod " << name;
    return status.value_or(PodStatus());
  }
  VolumeStatus volume(const std::string& pod_name, const std::string& name) const {
    for (const VolumeStatus& status : pod(pod_name).volumes) {
      if (status.name.str() == name) return status;
    }
    ADD_FAILURE() << "pod " << pod_name << " has no volume " << name;
    return {};
  }
  bool is_known(const std::string& pod_name) const { return core.pod_status(uid_of(pod_name)).has_value(); }
  long count(const std::string& line) const { return std::count(log.begin(), log.end(), line); }
  Instant now() const { return {MonotonicTime{time}, WallTime{time + 1'000'000h}}; }

  PluginRegistry plugins;
  Core core;
  Duration time = 1000s;
  Effects last;                      ///< Of the last event.
  std::vector<Operation> in_flight;  ///< Started and not ended.
  std::vector<std::string> ready;    ///< Pods that were told to be ready, each time.
  std::vector<std::string> gone;
  Ledger ledger;  ///< What is on disk.
  std::optional<LedgerTransaction> writing;
  bool is_ledger_slow = false;                       ///< What is written waits for end_writing().
  std::map<PodUid, PodRecord> records;               ///< What the run directory holds...
  std::map<VolumeKey, DeviceRecord> device_records;  ///< ...and likewise.
  std::vector<std::string> log;                      ///< "Reason object" of each line.
};

/// The steps of one kind in all that is in flight.
template <class Wanted>
std::vector<Wanted> steps_of(const Shell& shell) {
  std::vector<Wanted> found;
  for (const Operation& operation : shell.in_flight) {
    for (const Step& step : operation.steps) {
      if (const auto* wanted = std::get_if<Wanted>(&step)) found.push_back(*wanted);
    }
  }
  return found;
}
/// What the first mount of the container "main" of the pod "web" has as its source, or the reason why not.
inline std::string source_of(const Shell& shell) {
  const auto mounts = shell.core.container_mounts(uid_of("web"), ContainerName("main"));
  return mounts ? mounts.value().at(0).source : mounts.error().reason;
}

/// True if an answer asks for nothing to be done and has nothing to tell.
inline bool is_nothing(const Effects& effects) {
  return effects.records_to_write.empty() && effects.records_to_remove.empty() &&
         effects.operations.empty() && effects.watches_to_remove.empty() && effects.changed_pods.empty() &&
         effects.pods_ready.empty() && effects.pods_gone.empty() && effects.events.empty();
}

inline const std::string disk = "emptyDir: {}";
inline const std::string memory = "emptyDir: {medium: Memory, sizeLimit: 1Mi}";

}  // namespace mooring
