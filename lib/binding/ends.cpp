#include <algorithm>

#include "binding/draft.h"
#include "binding/words.h"

// What the ended work on a volume makes of it. An end that comes again, or for what the row asks for no
// more, changes nothing.

namespace mooring {
namespace {

using State = LedgerVolume::State;
using Kind = VolumeWorkEnd::Kind;

/// The row with what its driver said. It is bound in the same change: no pod ever uses a volume of which the
/// driver's name for it is not on the disk. False if the driver did not say enough.
bool take_what_was_made(const Draft& draft, LedgerVolume& row, const VolumeWorkEnd& end) {
  const Provisioner* provisioner = draft.world().provisioners.find(row.provisioner);
  if (provisioner == nullptr) return !end.made;
  ProvisionedVolume said{*row.volume, row.parameters};
  if (end.made) said = provisioner->with_made(std::move(said), *end.made);
  if (!provisioner->is_known(said)) return false;
  if (!end.made) return true;
  row.volume = std::make_shared<const manifest::PersistentVolume>(std::move(said.volume));
  row.parameters = std::move(said.parameters);
  return true;
}

/// The claim asks for what its volume was made for. Its manifest may have asked for something else while
/// nobody could make that; it is followed from here on, as that of any bound claim.
void keep_what_was_made(manifest::PersistentVolumeClaim& claim, const LedgerVolume& row) {
  const manifest::PersistentVolume& volume = *row.volume;
  if (volume.capacity < claim.request) claim.request = volume.capacity;
  claim.volume_mode = volume.volume_mode;
  if (!std::includes(volume.access_modes.begin(), volume.access_modes.end(), claim.access_modes.begin(),
                     claim.access_modes.end()))
    claim.access_modes = volume.access_modes;
  if (claim.storage_class != volume.storage_class) {
    claim.storage_class = volume.storage_class;
    claim.annotations.erase("volume.beta.kubernetes.io/storage-class");
  }
  const bool is_copy = row.parameters.contains("snapshot") || row.parameters.contains("volume");
  if (!is_copy) claim.data_source.reset();
}

void take_made(Draft& draft, const ObjectName& name, const LedgerVolume& row, const VolumeWorkEnd& end) {
  if (row.state != State::Provisioning) return;
  const ObjectKey claim = row.volume->claim->key;
  const LedgerClaim* claim_row = draft.find(claim);
  // What a damaged ledger says is not mended by inventing a claim.
  if (claim_row == nullptr || claim_row->claim.uid != row.volume->claim->uid || claim_row->volume != name) {
    release(draft, name);
    return;
  }
  LedgerVolume made = row;
  if (!take_what_was_made(draft, made, end)) return;
  LedgerVolume& volume = draft.change(name);
  volume = std::move(made);
  volume.state = State::Bound;
  volume.made_capacity = volume.volume->capacity;
  volume.message.clear();
  LedgerClaim& owner = draft.change(claim);
  owner.is_bound = true;
  owner.capacity = volume.volume->capacity;
  keep_what_was_made(owner.claim, volume);
  draft.tell(false, "ProvisioningSucceeded", event_object(claim),
             "the volume " + name.str() + " was made by " + volume.provisioner);
}

void take_grown(Draft& draft, const ObjectName& name, const LedgerVolume& row, const VolumeWorkEnd& end) {
  if (row.state != State::Bound || !(end.capacity > row.made_capacity)) return;
  LedgerVolume& volume = draft.change(name);
  const bool is_all = !(volume.volume->capacity > end.capacity);
  volume.made_capacity = end.capacity;
  // What a driver was not asked for is left to the node.
  VolumeWorkEnd said = end;
  if (!said.made && is_of_driver(row)) said.made = CsiExpansion{0, true};
  static_cast<void>(take_what_was_made(draft, volume, said));
  // A driver may give more than it was asked for.
  if (is_all) volume.made_capacity = volume.volume->capacity;
  volume.message.clear();
}

void take_impossible(Draft& draft, const ObjectName& name, const LedgerVolume& row,
                     const std::string& message) {
  const bool can_be_growing =
      row.state == State::Bound && row.volume->capacity > row.made_capacity && !row.provisioner.empty();
  if (row.state == State::Provisioning || can_be_growing) {
    if (row.message == message) return;
    const ObjectKey claim = row.volume->claim->key;
    const bool is_growing = row.state == State::Bound;
    draft.change(name).message = message;
    draft.tell(true, is_growing ? "VolumeResizeFailed" : "ProvisioningFailed", event_object(claim),
               "volume " + name.str() + ": " + message);
  } else if (row.state == State::Deleting || row.state == State::Recycling) {
    const bool is_recycling = row.state == State::Recycling;
    LedgerVolume& volume = draft.change(name);
    volume.state = State::Failed;
    volume.message = message;
    draft.tell(true, is_recycling ? "VolumeFailedRecycle" : "VolumeFailedDelete", event_object(name),
               message);
  }
}

}  // namespace

void take_ends(Draft& draft) {
  for (const auto& [name, end] : draft.world().ends) {
    const LedgerVolume* row = draft.find(name);
    if (row == nullptr) continue;
    switch (end.kind) {
      case Kind::Made:
        take_made(draft, name, *row, end);
        break;
      case Kind::Grown:
        take_grown(draft, name, *row, end);
        break;
      case Kind::Impossible:
        take_impossible(draft, name, *row, end.message);
        break;
      case Kind::Removed:
        if (row->state != State::Deleting) break;
        draft.drop(name);
        draft.tell(false, "VolumeDeleted", event_object(name), "what was made for it is removed");
        break;
      case Kind::Emptied:
        if (row->state != State::Recycling) break;
        draft.drop(name);
        draft.tell(false, "VolumeRecycled", event_object(name), "it is empty, and free for the next claim");
        break;
    }
  }
}

}  // namespace mooring
