#include <algorithm>

#include "binding/draft.h"
#include "binding/words.h"

// What the ended work on a volume makes of it. An end that comes again, or for what the row asks for no
// more, changes nothing.

namespace mooring {
namespace {

using State = LedgerVolume::State;
using Kind = VolumeWorkEnd::Kind;

void take_made(Draft& draft, const ObjectName& name, const LedgerVolume& row) {
  if (row.state != State::Provisioning) return;
  const ObjectKey claim = row.volume->claim->key;
  const LedgerClaim* claim_row = draft.find(claim);
  // What a damaged ledger says is not mended by inventing a claim.
  if (claim_row == nullptr || claim_row->claim.uid != row.volume->claim->uid || claim_row->volume != name) {
    release(draft, name);
    return;
  }
  LedgerVolume& volume = draft.change(name);
  volume.state = State::Bound;
  volume.made_capacity = volume.volume->capacity;
  volume.message.clear();
  LedgerClaim& owner = draft.change(claim);
  owner.is_bound = true;
  owner.capacity = volume.volume->capacity;
  draft.tell(false, "ProvisioningSucceeded", event_object(claim),
             "the volume " + name.str() + " was made by " + volume.provisioner);
}

void take_grown(Draft& draft, const ObjectName& name, const LedgerVolume& row, const Quantity& capacity) {
  if (row.state != State::Bound || !(capacity > row.made_capacity)) return;
  LedgerVolume& volume = draft.change(name);
  volume.made_capacity = capacity;
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
        take_made(draft, name, *row);
        break;
      case Kind::Grown:
        take_grown(draft, name, *row, end.capacity);
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
