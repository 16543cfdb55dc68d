#include <utility>

#include "base/quote.h"
#include "binding/words.h"
#include "core/engine.h"

namespace mooring {
namespace {

/// True if the last try of it failed, and nobody is at it now. `work` may be nullptr.
bool has_failed(const ClaimedVolumeWork* work) {
  return work != nullptr && work->failure && work->doing == Doing::None;
}

/// True of what is to be removed or emptied, and cannot be.
bool may_forget(const LedgerVolume& row, const ClaimedVolumeWork* work) {
  using State = LedgerVolume::State;
  return (row.state == State::Deleting || row.state == State::Recycling) && has_failed(work);
}

/// True of what is kept, or is to be deleted, and cannot be.
bool may_forget(const LedgerSnapshot& row, const ClaimedVolumeWork* work) {
  using State = LedgerSnapshot::State;
  return row.state == State::Released || (row.state == State::Deleting && has_failed(work));
}

const ClaimedVolumeWork* find(const std::map<ObjectName, ClaimedVolumeWork>& works, const ObjectName& name) {
  const auto work = works.find(name);
  return work == works.end() ? nullptr : &work->second;
}

/// What stays with its driver when the row is forgotten, and by which name somebody finds it there.
std::string what_stays(const LedgerSnapshot& row) {
  const std::string driver = "driver " + row.driver.str();
  if (row.handle.empty()) return driver + " may have a snapshot named snapshot-" + row.uid;
  return "what " + driver + " calls " + quoted_if_needed(row.handle) + " stays";
}

}  // namespace

/// What people asked for, as far as it is right for the rows of this moment.
LedgerChanges Core::Engine::asked_changes() const {
  using State = LedgerVolume::State;
  LedgerChanges changes;
  for (const ObjectKey& key : asked_.deletions) {
    const LedgerClaim* row = ledger_.find(key);
    if (row == nullptr || row->is_being_deleted || store_.find_claim(key) != nullptr) continue;
    LedgerClaim changed = *row;
    changed.is_being_deleted = true;
    changes.claims[key] = std::move(changed);
  }
  for (const auto& [name, forget] : asked_.releases) {
    const LedgerVolume* row = ledger_.find(name);
    if (row == nullptr) continue;
    if (row->state != State::Released && row->state != State::Failed &&
        !(forget && may_forget(*row, find(volume_work_, name))))
      continue;
    if (forget || store_.find_persistent_volume(name) != nullptr) {
      changes.volumes[name] = std::nullopt;
      continue;
    }
    LedgerVolume changed = *row;
    auto volume = std::make_shared<manifest::PersistentVolume>(*row->volume);
    volume->claim.reset();
    changed.volume = std::move(volume);
    changed.state = State::Available;
    changed.message.clear();
    changes.volumes[name] = std::move(changed);
  }
  for (const ObjectName& name : asked_.tries) {
    const LedgerVolume* row = ledger_.find(name);
    if (row == nullptr || row->message.empty() || changes.volumes.contains(name)) continue;
    if (row->state != State::Provisioning && row->state != State::Bound) continue;
    LedgerVolume changed = *row;
    changed.message.clear();
    changes.volumes[name] = std::move(changed);
  }
  for (const ObjectName& name : asked_.snapshots) {
    const auto row = ledger_.snapshots.find(name);
    if (row != ledger_.snapshots.end() && may_forget(row->second, snapshot_work_.find(name)))
      changes.snapshots[name] = std::nullopt;
  }
  return changes;
}

Result<void> Core::Engine::delete_claim(const ObjectKey& key, Instant now) {
  const LedgerClaim* row = ledger_.find(key);
  if (const auto claim = store_.find_claim(key)) {
    return refusal("ClaimInManifest",
                   "the claim " + key.text() + " is in the manifest " + claim->origin.text(),
                   "remove it there: a claim whose manifest is gone is deleted");
  }
  if (row == nullptr) return refusal("NoSuchClaim", "there is no claim " + key.text(), "");
  asked_.deletions.insert(key);
  are_claims_touched_ = true;
  log(now, false, "ClaimDeletionAsked", event_object(key), "it goes when no pod has it any more");
  return success();
}

Result<void> Core::Engine::release_volume(const ObjectName& name, bool forget, Instant now) {
  using State = LedgerVolume::State;
  const LedgerVolume* row = ledger_.find(name);
  const bool has_manifest = store_.find_persistent_volume(name) != nullptr;
  if (row == nullptr && !has_manifest)
    return refusal("NoSuchVolume", "there is no PersistentVolume " + name.str(), "");
  const bool is_left = row != nullptr && (row->state == State::Released || row->state == State::Failed);
  if (!is_left && !(forget && row != nullptr && may_forget(*row, find(volume_work_, name)))) {
    return refusal("VolumeNotReleased", "PersistentVolume " + name.str() + " is not Released or Failed",
                   "see `mooringctl get pv`; a volume that a claim has goes free when the claim is deleted");
  }
  if (forget && has_manifest) {
    return refusal("VolumeInManifest",
                   "PersistentVolume " + name.str() + " is in the manifest " +
                       store_.find_persistent_volume(name)->origin.text(),
                   "remove it there: then nothing is remembered of it");
  }
  asked_.releases[name] = forget;
  are_claims_touched_ = true;
  log(now, false, forget ? "VolumeForgotten" : "VolumeReleased", event_object(name),
      forget ? "it was forgotten as somebody asked; its data stays"
             : "it is free for the next claim as somebody asked; its data stays");
  return success();
}

Result<void> Core::Engine::forget_snapshots(const ObjectKey& key, Instant now) {
  bool is_known = store_.find_snapshot(key) != nullptr;
  bool is_any_left = false;
  for (const auto& [name, row] : ledger_.snapshots) {
    if (row.snapshot != key) continue;
    is_known = true;
    if (!may_forget(row, snapshot_work_.find(name))) continue;
    is_any_left = true;
    asked_.snapshots.insert(name);
    are_claims_touched_ = true;
    log(now, false, "SnapshotForgotten", event_object(row),
        "it was forgotten as somebody asked; " + what_stays(row));
  }
  if (is_any_left) return success();
  if (!is_known) return refusal("NoSuchSnapshot", "there is no VolumeSnapshot " + key.text(), "");
  return refusal("SnapshotNotReleased",
                 "VolumeSnapshot " + key.text() +
                     " is neither Released, nor Deleting with a driver that could not delete it",
                 "see `mooringctl get volumesnapshots`; one that is wanted no more goes with its manifest");
}

}  // namespace mooring
