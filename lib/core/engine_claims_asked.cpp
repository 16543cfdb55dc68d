#include <utility>

#include "binding/words.h"
#include "core/engine.h"

namespace mooring {
/// True of what is to be removed or emptied, and cannot be.
bool Core::Engine::may_forget(const ObjectName& name, const LedgerVolume& row) const {
  const auto work = volume_work_.find(name);
  const bool is_going =
      row.state == LedgerVolume::State::Deleting || row.state == LedgerVolume::State::Recycling;
  return is_going && work != volume_work_.end() && work->second.failure && work->second.doing == Doing::None;
}

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
    if (row->state != State::Released && row->state != State::Failed && !(forget && may_forget(name, *row)))
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
  if (!is_left && !(forget && row != nullptr && may_forget(name, *row))) {
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

}  // namespace mooring
