// What must hold of snapshots, after every step and in the end.

#include <algorithm>

#include "binding/snapshots.h"
#include "controller_simulation.h"

namespace mooring::sim {
namespace {

using State = LedgerSnapshot::State;

/// The row of what a driver calls by that name; nullptr: there is none on the disk.
const LedgerSnapshot* row_named(const Ledger& ledger, const std::string& name) {
  const std::string prefix = "snapshot-";
  if (!name.starts_with(prefix)) return nullptr;
  const auto found = ledger.snapshots.find(ObjectName("snapcontent-" + name.substr(prefix.size())));
  return found == ledger.snapshots.end() ? nullptr : &found->second;
}

std::string parameter(const LedgerVolume& row, const char* name) {
  const auto found = row.parameters.find(name);
  return found == row.parameters.end() ? std::string() : found->second;
}

}  // namespace

void ControllerSimulation::watch_snapshots(CsiControllerTruth& controller) {
  CsiSnapshotTruth& truth = controller.snapshots();
  truth.why_not_cut = [this](const std::string& name, const std::string& volume) -> std::string {
    const LedgerSnapshot* row = row_named(shell_.ledger().ledger(), name);
    if (row == nullptr) return "of which nothing is on the disk";
    return row->volume_handle == volume ? "" : "of another volume than is on the disk";
  };
  truth.why_kept = [this](const std::string& id, const auto& snapshot) {
    return why_snapshot_kept(id, snapshot);
  };
  controller.why_not_copied = [this](const std::string& volume, const std::string& id) {
    return why_not_copied(volume, id);
  };
}

/// Why the volume must not be deleted now: it is being cut.
std::string ControllerSimulation::why_cut(const std::string& volume) const {
  for (const auto& [name, row] : shell_.ledger().ledger().snapshots) {
    const bool is_asked_for =
        row.state == State::Making || (row.state == State::Deleting && row.handle.empty());
    if (is_asked_for && row.volume_handle == volume) return "which is to be cut for " + name.str();
  }
  return {};
}

std::string ControllerSimulation::why_snapshot_kept(const std::string& id,
                                                    const CsiSnapshotTruth::Snapshot& snapshot) const {
  if (told_snapshots_.contains(id)) return "which a content told of";
  const LedgerSnapshot* row = row_named(shell_.ledger().ledger(), snapshot.name);
  if (row == nullptr) return "of which nothing is on the disk";
  if (row->state != State::Deleting) return std::string("which is ") + to_string(row->state);
  // Of what nobody has heard the name of, nobody could have any use, whatever its class says.
  if (row->is_retained && !row->handle.empty()) return "which is to be retained";
  for (const auto& [name, volume] : shell_.ledger().ledger().volumes) {
    // Also of what is to be deleted: while nobody knows its handle it is asked for once more.
    const bool is_restoring = is_of_driver(volume) && parameter(volume, "handle").empty();
    if (is_restoring && parameter(volume, "snapshot") == id)
      return "from which " + name.str() + " is being restored";
  }
  return {};
}

/// Why the volume must not be deleted now: it is being copied.
std::string ControllerSimulation::why_copied(const std::string& handle) const {
  for (const auto& [name, volume] : shell_.ledger().ledger().volumes) {
    const bool is_open = is_of_driver(volume) && parameter(volume, "handle").empty();
    if (is_open && parameter(volume, "volume") == handle)
      return "of which " + name.str() + " is to be a copy";
  }
  return {};
}

/// What a claim gets is what its dataSource stands for.
std::string ControllerSimulation::why_not_copied(const std::string& volume, const std::string& id) const {
  const Ledger& ledger = shell_.ledger().ledger();
  const LedgerVolume* row = ledger.find(ObjectName(volume));
  if (row == nullptr) return "of which nothing is on the disk";
  if (parameter(*row, "snapshot") + parameter(*row, "volume") != id)
    return "which is to be made from something else";
  if (parameter(*row, "snapshot").empty()) return {};
  // What was retained before it was ready is, when a content tells of it, as ready as that says, and nobody
  // here asks for it any more: its driver refuses the restore until it is.
  const bool was_told = told_snapshots_.contains(id);  // The content may be gone since.
  for (const Driver& driver : drivers_) {
    const CsiSnapshotTruth::Snapshot* truth = driver.controller->snapshots().find(id);
    if (truth != nullptr && !truth->is_ready() && !was_told) return "from what is not ready to use";
  }
  const LedgerClaim* claim = row->volume->claim ? ledger.find(row->volume->claim->key) : nullptr;
  const bool is_its = claim != nullptr && claim->claim.uid == row->volume->claim->uid;
  if (!is_its || !claim->claim.data_source) return {};  // It is gone, or was written anew.
  const std::string& wanted = claim->claim.data_source->name;
  const bool is_told = std::any_of(contents_.begin(), contents_.end(), [&](const auto& content) {
    return content.second.handle == id && content.second.snapshot == wanted;
  });
  const bool is_cut = std::any_of(ledger.snapshots.begin(), ledger.snapshots.end(), [&](const auto& entry) {
    return entry.second.handle == id && entry.second.snapshot.name.str() == wanted;
  });
  return is_told || was_told || is_cut ? "" : "from another snapshot than " + wanted;
}

std::optional<std::string> ControllerSimulation::check_snapshots() {
  if (auto broken = check_snapshot_rows()) return broken;
  if (auto lost = lost_snapshot(false)) return lost;
  if (!shell_.is_running()) return std::nullopt;
  for (const VolumeSnapshotStatus& status : shell_.core().snapshots()) {
    if (status.phase != "Ready" && (status.reason.empty() || status.message.empty()))
      return "a snapshot does not say why it is not ready: " + status.name.str();
  }
  return std::nullopt;
}

/// What the disk says is so.
std::optional<std::string> ControllerSimulation::check_snapshot_rows() const {
  std::map<ObjectKey, ObjectName> live;
  for (const auto& [name, row] : shell_.ledger().ledger().snapshots) {
    if (is_live(row) && !live.emplace(row.snapshot, name).second)
      return row.snapshot.text() + " has two snapshots";
    if (row.is_retained != row.snapshot_class.starts_with("keep"))
      return name.str() + " has another policy than its class " + row.snapshot_class;
    if (!row.driver.str().starts_with("csi" + row.snapshot_class.substr(row.snapshot_class.size() - 1)))
      return name.str() + " is of the class " + row.snapshot_class + ", and of " + row.driver.str();
    if (row.state != State::Ready && row.state != State::Released) continue;
    for (const Driver& driver : drivers_) {
      if (driver.node->name() != row.driver.str()) continue;
      const CsiSnapshotTruth::Snapshot* truth = driver.controller->snapshots().find(row.handle);
      if (truth == nullptr || truth->is_deleted) return name.str() + " is there no more";
      if (truth->name != "snapshot-" + row.uid || truth->volume != row.volume_handle)
        return name.str() + " is what was cut for " + truth->name;
      if (row.state == State::Ready && !truth->is_ready())
        return name.str() + " is said to be ready, and is not";
    }
  }
  return std::nullopt;
}

/// No driver has a snapshot that the ledger knows nothing of; in the end none but those to be retained.
std::optional<std::string> ControllerSimulation::lost_snapshot(bool is_all_gone) const {
  for (const Driver& driver : drivers_) {
    std::set<std::string> names;
    for (const auto& [id, snapshot] : driver.controller->snapshots().all()) {
      if (snapshot.is_deleted || snapshot.is_foreign) continue;
      if (!names.insert(snapshot.name).second) return snapshot.name + " was cut twice";
      if (told_snapshots_.contains(id)) continue;
      const LedgerSnapshot* row = row_named(shell_.ledger().ledger(), snapshot.name);
      if (row == nullptr) return id + " (" + snapshot.name + ") was cut, and nobody knows of it any more";
      if (is_all_gone && row->state != State::Released)
        return id + " (" + snapshot.name + ") was not deleted";
    }
  }
  for (const auto& [name, row] : shell_.ledger().ledger().snapshots) {
    if (is_all_gone && (row.state != State::Released || !row.is_retained))
      return "a snapshot is left: " + name.str() + " " + row.message;
  }
  return std::nullopt;
}

/// Of what the manifests say; nullopt: the core knows of none.
std::optional<VolumeSnapshotStatus> ControllerSimulation::snapshot_status(const std::string& name) const {
  for (VolumeSnapshotStatus& status : shell_.core().snapshots()) {
    if (status.name.str() == name && !status.origin.empty()) return std::move(status);
  }
  return std::nullopt;
}

/// What is not yet as the manifest says.
std::optional<std::string> ControllerSimulation::snapshot_difference(const std::string& name,
                                                                     const Snapshot& snapshot) const {
  const auto status = snapshot_status(name);
  if (!status) return "the snapshot " + name + " is not known";
  if (status->phase == "Ready") return std::nullopt;
  const std::string what =
      "the snapshot " + name + " is not ready: " + status->reason + ": " + status->message;
  if (!snapshot.content.empty()) {
    const auto content = contents_.find(snapshot.content + ".yaml");
    const bool is_there = content != contents_.end() && content->second.snapshot == name;
    return is_there ? std::optional(what) : std::nullopt;
  }
  const auto& rows = shell_.ledger().ledger().snapshots;
  // What was retained for an earlier one of its uid stays, and the driver knows it by the name of that.
  const bool is_blocked = std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
    return !snapshot.uid.empty() && row.second.uid == snapshot.uid && row.second.state == State::Released;
  });
  if (is_blocked) return std::nullopt;
  const bool is_pending = std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
    return row.second.snapshot.name.str() == name && row.second.state == State::Making;
  });
  if (is_pending) return what;
  const auto claim = shell_.core().claim_status({Namespace("default"), ObjectName(snapshot.claim)});
  const LedgerVolume* volume = row_of(snapshot.claim);
  if (!claim || claim->phase != "Bound" || volume == nullptr) return std::nullopt;
  const std::string& its_class = snapshot.snapshot_class;
  for (std::size_t i = 0; i < drivers_.size(); ++i) {
    const bool is_of_other =
        its_class.ends_with(std::to_string(i)) && drivers_[i].node->name() != volume->provisioner;
    if (is_of_other) return std::nullopt;
  }
  return what;
}

/// True if there is what it is to be a copy of, as large as it is to be.
bool ControllerSimulation::may_be_cloned(const Claim& claim) const {
  const LedgerVolume* row = row_of(claim.copied);
  if (row == nullptr || row->state != LedgerVolume::State::Bound || !claims_.contains(claim.copied + ".yaml"))
    return false;
  const Quantity wanted = Quantity::from_integer(static_cast<std::int64_t>(claim.mebibytes << 20U));
  const std::string number = claim.storage_class.substr(4);
  return row->provisioner.starts_with("csi" + number) && !(wanted < row->volume->capacity);
}

/// True if there is what it is to be restored from.
bool ControllerSimulation::may_be_restored(const Claim& claim) const {
  if (!claim.copied.empty()) return may_be_cloned(claim);
  const auto status = snapshot_status(claim.snapshot);
  if (!status || status->phase != "Ready") return false;
  const std::string number = claim.storage_class.substr(4);
  for (std::size_t i = 0; i < drivers_.size(); ++i) {
    if (number == std::to_string(i) && status->driver != drivers_[i].node->name()) return false;
  }
  const CsiSnapshotTruth::Snapshot* truth = nullptr;
  for (const Driver& driver : drivers_) {
    if (driver.node->name() == status->driver) truth = driver.controller->snapshots().find(status->handle);
  }
  const bool is_size_known = !status->restore_size.empty();
  return !is_size_known || truth == nullptr || truth->bytes <= claim.mebibytes << 20U;
}

/// What it was made from is what the disk says.
std::optional<std::string> ControllerSimulation::check_copied(const std::string& name) const {
  const LedgerVolume* row = row_of(name);
  const std::string from = parameter(*row, "snapshot") + parameter(*row, "volume");
  // A claim keeps the volume that it has, also if its manifest was written anew while it was in use.
  const LedgerClaim* its = shell_.ledger().ledger().find(ObjectKey{Namespace("default"), ObjectName(name)});
  if (its->claim.data_source && from.empty()) return name + " is said to be a copy, and is none";
  for (const Driver& driver : drivers_) {
    if (driver.node->name() != row->provisioner) continue;
    const CsiControllerTruth::Volume* volume = driver.controller->find(parameter(*row, "handle"));
    if (volume != nullptr && volume->source != from) return name + " is a copy of " + volume->source;
  }
  return std::nullopt;
}

}  // namespace mooring::sim
