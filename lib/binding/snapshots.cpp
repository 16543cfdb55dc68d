#include "binding/snapshots.h"

#include <algorithm>
#include <utility>

#include "base/quote.h"
#include "binding/copies.h"
#include "binding/uids.h"
#include "provision/snapshot_class.h"

namespace mooring {
namespace {

using manifest::VolumeSnapshot;
using manifest::VolumeSnapshotClass;
using State = LedgerSnapshot::State;
using Kind = SnapshotWorkEnd::Kind;

std::string event_object(const ObjectKey& key) {
  return "volumesnapshot/" + key.text();
}

/// What a snapshot is to be cut of.
struct Origin {
  ObjectName volume;
  std::string handle;
  DriverName driver;
};

/// One plan, put together.
class Planner {
 public:
  Planner(const SnapshotWorld& world, Random& random)
      : rows_(world.ledger.snapshots), world_(world), random_(random) {}

  SnapshotPlan run() && {
    for (const auto& [name, end] : world_.ends)
      take_end(name, end);
    for (const auto& [name, row] : rows_)
      follow_manifest(name);
    for (const ObjectKey& key : world_.objects.snapshots())
      look_at(*world_.objects.find_snapshot(key));
    std::erase_if(plan_.changes, [&](const auto& change) {
      const auto before = rows_.find(change.first);
      return change.second && before != rows_.end() && before->second == *change.second;
    });
    return std::move(plan_);
  }

 private:
  /// nullptr: there is no such row, or it goes.
  const LedgerSnapshot* find(const ObjectName& name) const {
    if (const auto change = plan_.changes.find(name); change != plan_.changes.end())
      return change->second ? &*change->second : nullptr;
    const auto row = rows_.find(name);
    return row == rows_.end() ? nullptr : &row->second;
  }
  LedgerSnapshot& change(const ObjectName& name) {
    const auto [found, is_new] = plan_.changes.try_emplace(name);
    if (is_new) found->second = rows_.at(name);
    return *found->second;
  }
  void tell(bool warning, const char* reason, const ObjectKey& key, std::string message) {
    plan_.events.push_back({warning, reason, event_object(key), std::move(message)});
  }
  void say(const ObjectKey& key, BindingCondition condition) {
    plan_.snapshots.try_emplace(key, std::move(condition));
  }

  void take_end(const ObjectName& name, const SnapshotWorkEnd& end) {
    const LedgerSnapshot* row = find(name);
    if (row == nullptr) return;
    if (end.kind == Kind::Removed && row->state == State::Deleting) {
      tell(false, "SnapshotDeleted", row->snapshot, "what was cut for it is deleted");
      plan_.changes[name] = std::nullopt;
    } else if (end.kind == Kind::Impossible && row->state == State::Making) {
      if (row->message == end.message) return;
      change(name).message = end.message;
      tell(true, "SnapshotCreationFailed", row->snapshot, end.message);
    } else if (end.kind == Kind::Made && row->state == State::Making) {
      take_made(name, end.made);
    }
  }

  void take_made(const ObjectName& name, const CsiSnapshot& made) {
    LedgerSnapshot& row = change(name);
    const bool is_new = row.handle.empty();
    row.handle = made.id;
    row.creation_time = made.creation_time;
    if (made.size_bytes <= static_cast<std::uint64_t>(INT64_MAX))
      row.restore_size = Quantity::from_integer(static_cast<std::int64_t>(made.size_bytes));
    row.message.clear();
    if (is_new) tell(false, "SnapshotCreated", row.snapshot, "driver " + row.driver.str() + " has cut it");
    if (!made.is_ready) return;
    row.state = State::Ready;
    tell(false, "SnapshotReady", row.snapshot, "it is ready to use");
  }

  /// The manifest that the row is of; nullptr: it is gone, or another one of that name.
  std::shared_ptr<const VolumeSnapshot> manifest_of(const LedgerSnapshot& row) const {
    auto manifest = world_.objects.find_snapshot(row.snapshot);
    return manifest != nullptr && is_of(row, *manifest) ? manifest : nullptr;
  }

  bool is_being_restored(const LedgerSnapshot& row) const {
    const CsiContentSource source{CsiContentSource::Kind::Snapshot, row.handle};
    const auto& volumes = world_.ledger.volumes;
    return std::any_of(volumes.begin(), volumes.end(), [&](const auto& volume) {
      return volume.second.provisioner == row.driver.str() && source_in_use(volume.second) == source;
    });
  }

  /// What was kept is no concern of the ledger any more when a manifest tells of it.
  void take_over(const ObjectName& name, const LedgerSnapshot& row) {
    for (const ObjectName& content : world_.objects.snapshot_contents()) {
      const auto manifest = world_.objects.find_snapshot_content(content);
      if (manifest->driver != row.driver.str() || manifest->snapshot_handle != row.handle) continue;
      tell(false, "SnapshotTakenOver", row.snapshot,
           "the VolumeSnapshotContent " + content.str() + " of the manifests has what was kept of it");
      plan_.changes[name] = std::nullopt;
      return;
    }
  }

  /// What no manifest asks for any more goes, as its policy says.
  void follow_manifest(const ObjectName& name) {
    const LedgerSnapshot* row = find(name);
    if (row == nullptr) return;
    if (row->state == State::Released) return take_over(name, *row);
    if (!is_live(*row) || manifest_of(*row) != nullptr) return;
    const bool may_be_hidden = world_.objects.find_snapshot(row->snapshot) == nullptr &&
                               world_.objects.may_hold_snapshot(row->snapshot);
    if (!world_.is_complete || may_be_hidden) return;
    if (row->state == State::Ready && is_being_restored(*row)) return;
    // Of what nobody knows the name of, nobody could have any use.
    const bool is_kept = row->is_retained && !row->handle.empty();
    LedgerSnapshot& next = change(name);
    next.state = is_kept ? State::Released : State::Deleting;
    next.message.clear();
    tell(false, is_kept ? "SnapshotRetained" : "SnapshotDeleting", next.snapshot,
         is_kept ? "its manifest is gone; what driver " + next.driver.str() + " calls " +
                       quoted_if_needed(next.handle) + " is kept, as its class says"
                 : "its manifest is gone; what was cut for it is being deleted");
  }

  /// The row of a manifest; nullptr: it has none yet.
  const LedgerSnapshot* row_of(const VolumeSnapshot& manifest) const {
    for (const auto& [name, row] : rows_) {
      const LedgerSnapshot* now = find(name);
      if (now != nullptr && is_live(*now) && is_of(*now, manifest)) return now;
    }
    return nullptr;
  }

  void look_at(const VolumeSnapshot& manifest) {
    if (manifest.is_being_deleted) return;
    if (const LedgerSnapshot* row = row_of(manifest)) return describe(*row);
    if (!world_.is_complete) return;
    if (!manifest.content.empty() || content_of(world_.objects, manifest) != nullptr) {
      const auto found = usable_snapshot(world_.ledger, world_.objects, manifest);
      if (!found) complain(manifest, found.error());
      return;
    }
    Result<LedgerSnapshot> fresh = begun(manifest);
    if (!fresh) return complain(manifest, fresh.error());
    const ObjectName name = content_name(fresh.value());
    if (const LedgerSnapshot* before = find(name)) {
      return say(manifest.key, {"SnapshotContentExists",
                                "what was cut for an earlier snapshot of its uid is " +
                                    std::string(before->state == State::Deleting ? "being deleted" : "kept"),
                                "wait, or give it another metadata.uid", false});
    }
    tell(false, "CreatingSnapshot", manifest.key,
         "driver " + fresh.value().driver.str() + " is to cut it of " + fresh.value().volume.str());
    describe(fresh.value());
    plan_.changes[name] = std::move(fresh).value();
  }

  /// What is waited for is no warning.
  void complain(const VolumeSnapshot& manifest, const Error& error) {
    const bool is_waiting = error.reason == "ClaimNotBound" || error.reason == "DriverNotRegistered";
    std::string message = error.reason.starts_with("SnapshotContent") || error.reason == "SnapshotNotReady"
                              ? "snapshot " + manifest.key.text() + ", " + error.message
                              : error.message;
    say(manifest.key, {error.reason, std::move(message), error.remedy, !is_waiting});
  }

  void describe(const LedgerSnapshot& row) {
    if (row.state == State::Ready) return;
    if (!row.message.empty()) {
      say(row.snapshot, {"SnapshotCreationFailed", row.message, "correct the snapshot's class", true});
    } else if (row.handle.empty()) {
      say(row.snapshot, {"CreatingSnapshot", "driver " + row.driver.str() + " is to cut it", "", false});
    } else {
      say(row.snapshot, {"SnapshotNotReady", "it is cut, and its driver still works on it", "", false});
    }
  }

  static Error refused(const VolumeSnapshot& manifest, std::string reason, const std::string& what,
                       std::string remedy) {
    return refusal(std::move(reason), "snapshot " + manifest.key.text() + ": " + what, std::move(remedy));
  }

  Result<Origin> origin_of(const VolumeSnapshot& manifest) const {
    const ObjectKey key{manifest.key.name_space, manifest.claim};
    const LedgerClaim* claim = world_.ledger.find(key);
    const bool has_volume =
        claim != nullptr && claim->is_bound && !claim->is_lost && !claim->is_being_deleted;
    const LedgerVolume* volume = has_volume ? world_.ledger.find(claim->volume) : nullptr;
    if (volume == nullptr) {
      return refused(manifest, "ClaimNotBound",
                     "the claim " + key.text() + (claim == nullptr ? " is not there" : " has no volume"),
                     "see to that claim; Mooring goes on by itself then");
    }
    const auto* csi = std::get_if<manifest::CsiSource>(&volume->volume->source);
    if (csi == nullptr || csi->driver == manifest::block_driver)
      return refused(manifest, "SnapshotUnsupported",
                     "the volume " + claim->volume.str() + " is not of a CSI driver", "");
    return Origin{claim->volume, csi->volume_handle, DriverName(csi->driver)};
  }

  /// The class that it names, or the default one of the driver; an error if there is none, or several.
  Result<std::shared_ptr<const VolumeSnapshotClass>> class_of(const VolumeSnapshot& manifest,
                                                              const DriverName& driver) const {
    if (manifest.snapshot_class) {
      auto named = world_.objects.find_snapshot_class(ObjectName(*manifest.snapshot_class));
      if (named == nullptr)
        return refused(manifest, "SnapshotClassNotFound",
                       "its class " + quoted(*manifest.snapshot_class) + " is not there",
                       "put a manifest of the VolumeSnapshotClass there");
      if (named->driver != driver.str())
        return refused(manifest, "SnapshotClassMismatch",
                       "its class is of the driver " + quoted(named->driver) + ", and its claim of " +
                           quoted(driver.str()),
                       "name a class of the claim's driver");
      return named;
    }
    std::shared_ptr<const VolumeSnapshotClass> found;
    for (const ObjectName& name : world_.objects.snapshot_classes()) {
      auto one = world_.objects.find_snapshot_class(name);
      if (!one->is_default || one->driver != driver.str()) continue;
      if (found != nullptr)
        return refused(manifest, "SnapshotClassAmbiguous",
                       "the driver " + quoted(driver.str()) +
                           " has two default classes: " + found->name.str() + " and " + one->name.str(),
                       "name one in spec.volumeSnapshotClassName");
      found = std::move(one);
    }
    if (found == nullptr)
      return refused(manifest, "SnapshotClassNotFound",
                     "it names no class, and the driver " + quoted(driver.str()) + " has no default one",
                     "name one in spec.volumeSnapshotClassName");
    return found;
  }

  Result<LedgerSnapshot> begun(const VolumeSnapshot& manifest) {
    MOORING_TRY(const Origin origin, origin_of(manifest));
    MOORING_TRY(const auto its_class, class_of(manifest, origin.driver));
    const auto driver = world_.drivers.find(origin.driver);
    if (driver == world_.drivers.end())
      return refused(
          manifest, "DriverNotRegistered",
          "driver name " + origin.driver.str() + " not found in the list of registered CSI drivers",
          "start the driver with its node-driver-registrar; Mooring goes on by itself then");
    if (!driver->second.controller || !driver->second.controller->create_delete_snapshot)
      return refused(manifest, "SnapshotUnsupported",
                     "driver " + origin.driver.str() + " cuts no snapshots on this node", "");
    LedgerSnapshot row;
    row.snapshot = manifest.key;
    row.uid = manifest.uid.empty() ? drawn_uid(random_) : manifest.uid;
    row.driver = origin.driver;
    row.volume = origin.volume;
    row.volume_handle = origin.handle;
    row.snapshot_class = its_class->name.str();
    row.is_retained = its_class->deletion_policy == manifest::SnapshotDeletionPolicy::Retain;
    MOORING_TRY(SnapshotClass said, read_snapshot_class(*its_class, manifest.key, content_name(row)));
    row.parameters = std::move(said.parameters);
    row.secret = std::move(said.secret);
    return row;
  }

  const LedgerSnapshots& rows_;
  const SnapshotWorld& world_;
  Random& random_;
  SnapshotPlan plan_;
};

}  // namespace

SnapshotPlan plan_snapshots(const SnapshotWorld& world, Random& random) {
  return Planner(world, random).run();
}

}  // namespace mooring
