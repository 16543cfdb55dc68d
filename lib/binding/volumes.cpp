#include <memory>

#include "base/quote.h"
#include "binding/draft.h"
#include "binding/words.h"

// How volumes that are or were some claim's follow their manifests, and what becomes of them when the claim
// is gone (kubelet-behaviours 18.5).

namespace mooring {
namespace {

using manifest::PersistentVolume;
using manifest::ReclaimPolicy;
using State = LedgerVolume::State;
using Manifest = std::shared_ptr<const PersistentVolume>;

constexpr const char* not_ours_to_delete =
    "its reclaim policy is Delete, but Mooring did not make what is in it, and removes no such data";

std::string no_deleter(const std::string& provisioner) {
  return "no provisioner " + quoted(provisioner) + " is configured, which made it and can remove it";
}

/// False for what no manifest may say: a whole node is not emptied.
bool may_have(const PersistentVolume& volume, ReclaimPolicy policy) {
  const auto* host = std::get_if<manifest::HostPathSource>(&volume.source);
  return policy != ReclaimPolicy::Recycle || host == nullptr || host->path != "/";
}

/// The manifest, with what cannot change while a claim has the volume as it was. Its source and affinity may:
/// people correct what they wrote, and pods that have the volume keep what they have. Adds the fields that
/// the manifest would change to `ignored`.
PersistentVolume with_fixed_fields(const PersistentVolume& known, const PersistentVolume& manifest,
                                   std::string& ignored) {
  PersistentVolume accepted = manifest;
  const auto ignore = [&](const char* field) {
    ignored += (ignored.empty() ? "" : ", ") + std::string(field);
  };
  if (manifest.volume_mode != known.volume_mode) {
    ignore("spec.volumeMode");
    accepted.volume_mode = known.volume_mode;
  }
  if (manifest.capacity < known.capacity) {
    ignore("spec.capacity, which can not be less than previous value");
    accepted.capacity = known.capacity;
  }
  if (manifest.claim && (manifest.claim->key != known.claim->key)) ignore("spec.claimRef");
  accepted.claim = known.claim;
  return accepted;
}

void follow_bound(Draft& draft, const ObjectName& name, const LedgerVolume& row) {
  if (!row.provisioner.empty()) return;
  const Manifest manifest = draft.objects().find_persistent_volume(name);
  if (manifest == nullptr) {
    if (draft.objects().may_hold_volume(name)) return;
    draft.say(name,
              {"VolumeBeingDeleted",
               "its manifest is gone; it stays while the claim " + row.volume->claim->key.text() + " has it",
               "remove the claim, or put the manifest back", false});
    return;
  }
  std::string ignored;
  PersistentVolume accepted = with_fixed_fields(*row.volume, *manifest, ignored);
  const bool was_chosen = !manifest->claim || manifest->claim->key != row.volume->claim->key;
  if (!ignored.empty()) {
    draft.say(name,
              {"SpecChangeIgnored",
               "its manifest says something else in " + ignored + ", which cannot change while the claim " +
                   row.volume->claim->key.text() + " has it; it stays as it was",
               "write the manifest as it was, or make another PersistentVolume", true});
  }
  if (accepted == *row.volume && was_chosen == row.was_chosen) return;
  LedgerVolume& next = draft.change(name);
  next.volume = std::make_shared<const PersistentVolume>(std::move(accepted));
  next.was_chosen = was_chosen;
}

/// True if the manifest's claimRef is no more what it was while the claim had the volume: somebody gave it
/// free, or to another claim.
bool is_given_away(const Draft& draft, const LedgerVolume& row, const PersistentVolume& manifest) {
  const manifest::ClaimReference& before = *row.volume->claim;
  if (row.was_chosen) return manifest.claim.has_value();
  if (!manifest.claim || manifest.claim->key != before.key) return true;
  if (manifest.claim->uid.empty() || manifest.claim->uid == before.uid) return false;
  const auto claim = draft.objects().find_claim(before.key);
  return claim != nullptr && claim->uid == manifest.claim->uid;
}

void set_state(Draft& draft, const ObjectName& name, State state, const std::string& message) {
  LedgerVolume& row = draft.change(name);
  row.state = state;
  row.message = message;
}

void fail(Draft& draft, const ObjectName& name, const char* reason, const std::string& message) {
  if (draft.find(name)->state == State::Failed && draft.find(name)->message == message) return;
  set_state(draft, name, State::Failed, message);
  draft.tell(true, reason, event_object(name), message);
}

void reclaim_by_deleting(Draft& draft, const ObjectName& name, const LedgerVolume& row) {
  if (row.provisioner.empty()) {
    fail(draft, name, "VolumeFailedDelete", not_ours_to_delete);
    return;
  }
  const std::string missing = no_deleter(row.provisioner);
  if (row.state == State::Failed && row.message != missing) return;
  // A driver may come at any time, and is waited for.
  if (draft.world().provisioners.find(row.provisioner) == nullptr && !is_of_driver(row)) {
    fail(draft, name, "VolumeFailedDelete", missing);
  } else {
    set_state(draft, name, State::Deleting, {});
  }
}

void reclaim_by_recycling(Draft& draft, const ObjectName& name, const LedgerVolume& row) {
  if (row.state == State::Failed && row.message != not_ours_to_delete) return;
  const auto work = recycle(*row.volume);
  if (work) {
    set_state(draft, name, State::Recycling, {});
  } else {
    fail(draft, name, "VolumeFailedRecycle", work.error().message);
  }
}

/// It is nobody's any more. What something still uses stays known until then.
void let_go(Draft& draft, const ObjectName& name) {
  if (!draft.world().volumes_in_use.contains(name)) {
    draft.drop(name);
  } else if (draft.find(name)->state != State::Released) {
    set_state(draft, name, State::Released, {});
  }
}

/// No claim has it any more. Until its emptying has ended, what its manifest says now counts.
void reclaim(Draft& draft, const ObjectName& name) {
  const bool is_recycling = draft.find(name)->state == State::Recycling;
  if (!is_recycling && draft.world().volumes_in_use.contains(name)) return;
  if (draft.find(name)->provisioner.empty()) {
    const Manifest manifest = draft.objects().find_persistent_volume(name);
    if (manifest == nullptr) {
      // When the manifest comes back it is another volume, and nobody's.
      if (!draft.objects().may_hold_volume(name)) let_go(draft, name);
      return;
    }
    if (is_given_away(draft, *draft.find(name), *manifest)) {
      let_go(draft, name);
      return;
    }
    const PersistentVolume& known = *draft.find(name)->volume;
    if (known.reclaim_policy != manifest->reclaim_policy && may_have(known, manifest->reclaim_policy)) {
      auto next = std::make_shared<PersistentVolume>(known);
      next->reclaim_policy = manifest->reclaim_policy;
      draft.change(name).volume = std::move(next);
    }
  }
  const LedgerVolume row = *draft.find(name);
  switch (row.volume->reclaim_policy) {
    case ReclaimPolicy::Retain:
      if (row.state != State::Released) set_state(draft, name, State::Released, {});
      break;
    case ReclaimPolicy::Delete:
      reclaim_by_deleting(draft, name, row);
      break;
    case ReclaimPolicy::Recycle:
      if (!is_recycling) reclaim_by_recycling(draft, name, row);
      break;
  }
}

std::string release_advice(const LedgerVolume& row) {
  const std::string command = "`mooringctl release pv/" + row.volume->name.str() + "`";
  const std::string advice = command + " gives it to the next claim, with what it holds";
  if (row.provisioner.empty()) return advice + "; so does taking its manifest away and putting it back";
  return advice + "; with --forget it is only taken off the list, and its data stays where it is";
}

void describe(Draft& draft, const ObjectName& name, const LedgerVolume& row) {
  const std::string claim = row.volume->claim->key.text();
  const bool is_recycled = row.volume->reclaim_policy == ReclaimPolicy::Recycle;
  switch (row.state) {
    case State::Released:
      if (row.volume->reclaim_policy != ReclaimPolicy::Retain) {
        draft.say(name,
                  {"Released",
                   "its claim " + claim + " is gone; when nothing on this node uses it any more it is " +
                       (is_recycled ? "emptied" : "removed"),
                   "", false});
        break;
      }
      draft.say(name, {"Released",
                       "its claim " + claim + " is gone; what it holds is kept, and no other claim gets it",
                       release_advice(row), false});
      break;
    case State::Failed:
      draft.say(name, {is_recycled ? "VolumeFailedRecycle" : "VolumeFailedDelete", row.message,
                       "mend the cause, or see to what it holds; " + release_advice(row), true});
      break;
    case State::Deleting:
      draft.say(name, {"Deleting", "its claim " + claim + " is gone; what was made for it is being removed",
                       "", false});
      break;
    case State::Recycling:
      draft.say(name, {"Recycling", "its claim " + claim + " is gone; it is being emptied", "", false});
      break;
    case State::Provisioning:
      if (!row.message.empty()) draft.say(name, {"ProvisioningFailed", row.message, "", true});
      break;
    case State::Available:
      break;
    case State::Bound:
      if (!row.message.empty()) draft.say(name, {"VolumeResizeFailed", row.message, "", true});
      break;
  }
}

}  // namespace

void follow_volumes(Draft& draft) {
  for (const ObjectName& name : draft.volumes()) {
    const LedgerVolume& row = *draft.find(name);
    // A manifest that came to be of what was given free is all there is to know of it from then on.
    if (row.state == State::Available && draft.objects().find_persistent_volume(name) != nullptr) {
      draft.drop(name);
      continue;
    }
    if (row.volume == nullptr || !row.volume->claim) continue;
    if (row.state == State::Bound) {
      follow_bound(draft, name, row);
    } else if (row.state == State::Released || row.state == State::Failed || row.state == State::Recycling) {
      reclaim(draft, name);
    }
  }
}

void describe_volumes(Draft& draft) {
  for (const ObjectName& name : draft.volumes()) {
    const LedgerVolume& row = *draft.find(name);
    if (row.volume != nullptr && row.volume->claim) describe(draft, name, row);
  }
}

}  // namespace mooring
