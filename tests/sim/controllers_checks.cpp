// What must hold of volumes that controllers make, after every step and in the end.

#include <algorithm>

#include "controller_simulation.h"
#include "driver_volumes.h"
#include "step/csi_layout.h"

namespace mooring::sim {
namespace {

constexpr int rounds = 6000;

const manifest::CsiSource* source_of(const LedgerVolume& row) {
  return row.volume == nullptr ? nullptr : std::get_if<manifest::CsiSource>(&row.volume->source);
}

bool is_retained(const LedgerVolume& row) {
  return row.volume->reclaim_policy == manifest::ReclaimPolicy::Retain;
}

}  // namespace

const LedgerVolume* ControllerSimulation::row_of(const std::string& claim) const {
  const Ledger& ledger = shell_.ledger().ledger();
  const LedgerClaim* found = ledger.find(ObjectKey{Namespace("default"), ObjectName(claim)});
  return found == nullptr || found->volume.empty() ? nullptr : ledger.find(found->volume);
}

std::string ControllerSimulation::why_kept(const std::string& handle,
                                           const CsiControllerTruth::Volume& volume) const {
  for (const std::string& why : {why_cut(handle), why_copied(handle)}) {
    if (!why.empty()) return why;
  }
  const LedgerVolume* row = shell_.ledger().ledger().find(ObjectName(volume.name));
  if (row == nullptr) return {};
  if (row->state == LedgerVolume::State::Bound) return "which a claim has";
  // What no claim ever had holds nothing of anybody's, whatever its class says.
  return is_retained(*row) && bound_.contains(volume.name) ? "which is to be retained" : "";
}

std::optional<std::string> ControllerSimulation::check() {
  if (!shell_.ledger().broken().empty()) return shell_.ledger().broken();
  for (const Driver& driver : drivers_) {
    if (!driver.controller->broken().empty()) return driver.controller->broken();
    if (!driver.node->broken().empty()) return driver.node->broken();
  }
  for (const auto& broken : {check_names(), check_ready(), check_snapshots()}) {
    if (broken) return broken;
  }
  return std::nullopt;
}

/// What a claim has was made for it, and is there.
std::optional<std::string> ControllerSimulation::check_names() {
  for (const auto& [name, row] : shell_.ledger().ledger().volumes) {
    const manifest::CsiSource* source = source_of(row);
    if (row.state != LedgerVolume::State::Bound || source == nullptr) continue;
    bound_.insert(name.str());
    for (const Driver& driver : drivers_) {
      if (driver.node->name() != source->driver) continue;
      const CsiControllerTruth::Volume* volume = driver.controller->find(source->volume_handle);
      if (volume == nullptr) return name.str() + " is bound, and its driver never made it";
      if (volume->is_deleted) return name.str() + " is bound, and is deleted";
      if (volume->name != name.str()) return name.str() + " is what was made for " + volume->name;
    }
  }
  return std::nullopt;
}

/// Who is told that a pod is ready finds what the driver published.
std::optional<std::string> ControllerSimulation::check_ready() {
  if (!shell_.is_running()) return std::nullopt;
  const bool is_table_known = !shell_.are_mounts_stale() && !shell_.are_mounts_to_confirm();
  for (const PodUid& uid : shell_.core().pods()) {
    const auto status = shell_.core().pod_status(uid);
    if (!status) continue;
    for (const VolumeStatus& volume : status->volumes) {
      const std::string name = status->name.str() + "/" + volume.name.str();
      if (volume.phase != Phase::Ready && (volume.reason.empty() || volume.message.empty()))
        return "a volume does not say why it is not ready: " + name;
      if (!status->ready || status->deleting || !is_table_known) continue;
      if (volume.phase == Phase::Unpublishing) continue;  // The pod does not ask for it any more.
      const bool is_published = std::any_of(drivers_.begin(), drivers_.end(), [&](const Driver& driver) {
        return std::any_of(driver.node->handles.begin(), driver.node->handles.end(),
                           [&](const std::string& handle) {
                             const CsiDriverTruth::Volume* truth = driver.node->find(handle);
                             return truth != nullptr && truth->published.contains(volume.path);
                           });
      });
      if (!is_published) return "a volume is said to be ready, and no driver published it: " + name;
    }
  }
  return std::nullopt;
}

std::optional<std::string> ControllerSimulation::check_secrets() const {
  const auto is_told = [](const std::string& text) { return text.find(driver_secret) != std::string::npos; };
  if (std::any_of(trace_.begin(), trace_.end(), is_told)) return "a secret is in the log";
  for (const auto* records : {&shell_.records(), &shell_.device_records()}) {
    for (const auto& [name, bytes] : *records) {
      if (is_told(bytes)) return "a secret is in the record " + name;
    }
  }
  return std::nullopt;
}

std::optional<std::string> ControllerSimulation::settle() {
  put_right();
  for (const auto& settle : {&ControllerSimulation::settle_with_all, &ControllerSimulation::settle_without}) {
    auto broken = (this->*settle)();
    if (!broken) broken = check_secrets();
    if (broken) {
      note_status();
      return broken;
    }
  }
  return std::nullopt;
}

void ControllerSimulation::put_right() {
  note("all faults stop, and drivers are kind");
  shell_.faults = {};
  shell_.ledger().failure_one_in = 0;
  for (const Driver& driver : drivers_) {
    driver.node->mood = {};
    driver.node->hang(false);
    if (!driver.node->is_up) driver.node->start();
    driver.node->is_registered = true;
    driver.node->finish();
  }
  while (shell_.end_stuck(now())) {
  }
  read_manifests(false);
}

std::optional<std::string> ControllerSimulation::settle_with_all() {
  auto left = difference();
  for (int round = 0; round < rounds && left; ++round) {
    if (auto broken = check()) return broken;
    if (!go_on()) break;
    left = difference();
  }
  if (left) return *left + " in the end";
  if (auto lost = lost_volume(false)) return lost;
  return lost_snapshot(false);
}

/// What is not yet as the manifests say; nullopt: all is.
std::optional<std::string> ControllerSimulation::difference() {
  if (shell_.are_mounts_stale()) return "the core does not know the mount table";
  for (const auto& [file, claim] : claims_) {
    if (auto left = difference_of(file.substr(0, file.find('.')), claim)) return left;
  }
  for (const auto& [file, snapshot] : snapshots_) {
    if (auto left = snapshot_difference(file.substr(0, file.find('.')), snapshot)) return left;
  }
  for (const auto& [file, pod] : pods_) {
    const auto status = shell_.core().pod_status(uid_of(file));
    if (!status) return file + " is not known";
    const bool may_be_ready = std::all_of(pod.claims.begin(), pod.claims.end(), [&](const auto& claim) {
      const LedgerVolume* row = row_of(claim);
      return claims_.contains(claim + ".yaml") && row != nullptr && row->state == LedgerVolume::State::Bound;
    });
    const bool is_otherwise =
        std::any_of(status->volumes.begin(), status->volumes.end(),
                    [](const VolumeStatus& volume) { return volume.reason == "SpecChangeIgnored"; });
    if (may_be_ready && !is_otherwise && !status->ready) return file + " is not ready";
  }
  return std::nullopt;
}

std::optional<std::string> ControllerSimulation::difference_of(const std::string& name, const Claim& claim) {
  const auto status = shell_.core().claim_status({Namespace("default"), ObjectName(name)});
  if (!status) return name + " is not known";
  const LedgerVolume* row = row_of(name);
  if (status->phase == "Lost") return std::nullopt;
  const bool is_used = std::any_of(pods_.begin(), pods_.end(), [&](const auto& pod) {
    const auto& claims = pod.second.claims;
    // A pod gets all of its volumes or none: nothing is made for one that names a claim that is not there, or
    // that cannot be restored.
    const bool has_all =
        std::all_of(claims.begin(), claims.end(), [&](const auto& other) { return can_be_bound(other); });
    return has_all && std::find(claims.begin(), claims.end(), name) != claims.end();
  });
  if (claim.storage_class.starts_with("late") && !is_used) return std::nullopt;
  if (status->phase != "Bound" && claim.is_copy() && !may_be_restored(claim)) return std::nullopt;
  if (status->phase != "Bound")
    return name + " is not bound: " + status->phase + " " + status->reason + ": " + status->message;
  if (row == nullptr) return name + " is bound, and has no row";
  const manifest::CsiSource* source = source_of(*row);
  if (source == nullptr) return name + " is bound to something else";
  for (const Driver& driver : drivers_) {
    if (driver.node->name() != source->driver) continue;
    const CsiControllerTruth::Volume* volume = driver.controller->find(source->volume_handle);
    if (volume == nullptr || volume->bytes < claim.mebibytes << 20U)
      return name + " is not as large as it is to be";
  }
  return claim.is_copy() ? check_copied(name) : std::nullopt;
}

bool ControllerSimulation::can_be_bound(const std::string& name) const {
  const auto claim = claims_.find(name + ".yaml");
  if (claim == claims_.end()) return false;
  const LedgerVolume* row = row_of(name);
  const bool is_bound = row != nullptr && row->state == LedgerVolume::State::Bound;
  return is_bound || !claim->second.is_copy() || may_be_restored(claim->second);
}

std::optional<std::string> ControllerSimulation::settle_without() {
  note("everything is taken away");
  while (!pods_.empty())
    remove(pods_.begin()->first);
  const bool claims_first = random_.chance(2);
  while (claims_first && !claims_.empty())
    remove(claims_.begin()->first);
  while (!snapshots_.empty())
    remove(snapshots_.begin()->first);
  while (!contents_.empty())
    remove(contents_.begin()->first);
  while (!claims_.empty())
    remove(claims_.begin()->first);
  for (int round = 0; round < rounds; ++round) {
    if (auto broken = check()) return broken;
    if (!go_on()) break;
  }
  if (shell_.core().next_wake()) return "the core does not come to rest";
  return leftover();
}

/// No driver has a volume that the ledger knows nothing of; in the end none but those to be retained.
std::optional<std::string> ControllerSimulation::lost_volume(bool is_all_gone) const {
  const Ledger& ledger = shell_.ledger().ledger();
  std::map<std::string, std::string> claims;
  for (const Driver& driver : drivers_) {
    for (const auto& [handle, volume] : driver.controller->volumes()) {
      if (volume.is_deleted) continue;
      const LedgerVolume* row = ledger.find(ObjectName(volume.name));
      if (row == nullptr) return handle + " (" + volume.name + ") was made, and nobody knows of it any more";
      if (is_all_gone && !is_retained(*row)) return handle + " (" + volume.name + ") was not deleted";
      if (!row->volume->claim || row->state != LedgerVolume::State::Bound) continue;
      const auto [other, is_new] = claims.emplace(row->volume->claim->uid, handle);
      if (!is_new) return handle + " and " + other->second + " are of one claim";
    }
  }
  return std::nullopt;
}

/// What is left when nobody asks for anything; nullopt: only what is to be retained.
std::optional<std::string> ControllerSimulation::leftover() const {
  for (const Driver& driver : drivers_) {
    if (!driver.node->leftover().empty()) return driver.node->name() + ": " + driver.node->leftover();
    for (const auto& [handle, volume] : driver.controller->volumes()) {
      if (!volume.nodes.empty()) return handle + " is still attached to " + *volume.nodes.begin();
    }
  }
  for (const auto& lost : {lost_volume(true), lost_snapshot(true)}) {
    if (lost) return lost;
  }
  const Ledger& ledger = shell_.ledger().ledger();
  if (!ledger.claims.empty()) return "a claim is left: " + ledger.claims.begin()->first.text();
  for (const auto& [name, row] : ledger.volumes) {
    if (!is_retained(row)) return "a volume is left: " + name.str() + " " + row.message;
  }
  if (!shell_.records().empty()) return "a record is left: " + shell_.records().begin()->first;
  if (!shell_.device_records().empty()) return "a record is left: " + shell_.device_records().begin()->first;
  if (!shell_.core().devices().empty()) return "a device is left: " + shell_.core().devices().front().key;
  const std::string stamps = kernel_.root_dir() + "/" + layout::csi_attachments();
  for (const std::string& line : kernel_.tree_listing(stamps)) {
    // What a crash left of a stamp that was being written is none, and is written over.
    if (line.find("/.") == std::string::npos) return "a stamp is left: " + line;
  }
  return std::nullopt;
}

void ControllerSimulation::note_status() {
  for (const ClaimStatus& claim : shell_.core().claims())
    note("claim " + claim.name.str() + " " + claim.phase + " " + claim.volume + " " + claim.reason + " " +
         claim.message);
  for (const PersistentVolumeStatus& volume : shell_.core().persistent_volumes())
    note("volume " + volume.name.str() + " " + volume.phase + " " + volume.claim + " " + volume.reason + " " +
         volume.message);
  for (const Driver& driver : drivers_) {
    for (const auto& [handle, volume] : driver.controller->volumes())
      note("truth " + handle + " " + volume.name + (volume.is_deleted ? " deleted" : ""));
    for (const auto& [id, snapshot] : driver.controller->snapshots().all())
      note("truth " + id + " " + snapshot.name + " of " + snapshot.volume +
           (snapshot.is_deleted ? " deleted" : "") + (snapshot.is_ready() ? " ready" : ""));
  }
  for (const VolumeSnapshotStatus& snapshot : shell_.core().snapshots())
    note("snapshot " + snapshot.name.str() + " " + snapshot.phase + " " + snapshot.content + " " +
         snapshot.handle + " " + snapshot.reason + " " + snapshot.message);
  World::note_status();
}

}  // namespace mooring::sim
