#include "base/quote.h"
#include "binding/draft.h"

// What there is to say of claims that nothing else was said of.

namespace mooring {
namespace {

using State = LedgerVolume::State;

std::string names_of(const std::vector<const manifest::Pod*>& pods) {
  std::string text;
  for (const manifest::Pod* pod : pods)
    text += (text.empty() ? "the pod " : ", ") + pod->key.text();
  return text.empty() ? "some pod" : text;
}

BindingCondition unread() {
  return {"ManifestsUnread", "the manifests are still being read",
          "wait; if it lasts, `mooringctl status` names what cannot be read", false};
}

/// Whose a claim is, if it is a pod's own.
std::string owner_text(const manifest::ClaimOwner& owner) {
  if (owner.kind != manifest::ClaimOwner::Kind::Pod) return "no pod's own";
  return "that of the pod " + owner.key.text() + " with the uid " + quoted(owner.uid);
}

struct EndOfClaim {
  std::string cause;
  std::string remedy;
};

EndOfClaim why_it_ends(const Draft& draft, const manifest::PersistentVolumeClaim& claim) {
  const auto manifest = draft.objects().find_claim(claim.key);
  if (manifest == nullptr) return {"its manifest is gone", "put the manifest back"};
  if (manifest->is_being_deleted)
    return {"its manifest has a deletionTimestamp", "write it anew without deletionTimestamp"};
  if (!manifest->uid.empty() && manifest->uid != claim.uid) {
    return {"its manifest has the metadata.uid " + quoted(manifest->uid) + " instead of its own, " +
                quoted(claim.uid) + ", and asks for another claim of its name",
            "write the uid " + quoted(claim.uid) + " again"};
  }
  if (owner_text(manifest->owner) != owner_text(claim.owner)) {
    return {"the claim that is asked for now is " + owner_text(manifest->owner) + ", and this one is " +
                owner_text(claim.owner),
            "put back what asked for this one"};
  }
  return {"its manifest was gone, and is there again", "wait"};
}

void describe_making(Draft& draft, const ObjectKey& key, const LedgerClaim& row) {
  const LedgerVolume* volume = draft.find(row.volume);
  if (volume == nullptr) return;
  if (!volume->message.empty()) {
    draft.say(key, {"ProvisioningFailed", "volume " + row.volume.str() + ": " + volume->message,
                    "change the claim or its class", true});
  } else if (draft.world().provisioners.find(volume->provisioner) == nullptr && is_of_driver(*volume)) {
    draft.say(key,
              {"DriverNotRegistered",
               "volume " + row.volume.str() + " is to be made by the driver " + quoted(volume->provisioner) +
                   ", which is not registered on this node now",
               "start the driver with its node-driver-registrar; Mooring goes on by itself then", false});
  } else if (draft.world().provisioners.find(volume->provisioner) == nullptr) {
    draft.say(key, {"ExternalProvisioning",
                    "volume " + row.volume.str() + " is to be made by the provisioner " +
                        quoted(volume->provisioner) + ", which is not configured any more",
                    "configure it again (nfsProvisioners), or remove the claim", true});
  } else {
    draft.say(key, {"Provisioning", "volume " + row.volume.str() + " is being made by " + volume->provisioner,
                    "", false});
  }
}

void describe_row(Draft& draft, const ObjectKey& key, const LedgerClaim& row, const ClaimUsers& users) {
  if (row.is_being_deleted) {
    const EndOfClaim why = why_it_ends(draft, row.claim);
    draft.say(key, {"ClaimBeingDeleted",
                    why.cause + "; it stays while " + names_of(users.that_may_use(row.claim)) + " uses it",
                    "remove the pods that use it, or " + why.remedy, false});
  } else if (row.is_lost) {
    draft.say(key,
              {"ClaimLost", "its PersistentVolume is gone, or another claim's", "make the claim anew", true});
  } else if (!row.is_bound && !row.volume.empty()) {
    describe_making(draft, key, row);
  } else if (!row.is_bound && !draft.world().is_complete) {
    draft.say(key, unread());
  }
}

}  // namespace

void describe_claims(Draft& draft, const ClaimUsers& users) {
  for (const ObjectKey& key : draft.claims())
    describe_row(draft, key, *draft.find(key), users);
  for (const ObjectKey& key : draft.objects().claims()) {
    if (draft.find(key) != nullptr) continue;
    const auto manifest = draft.objects().find_claim(key);
    if (manifest != nullptr && manifest->is_being_deleted) {
      draft.say(key, {"ClaimBeingDeleted", "its manifest has a deletionTimestamp",
                      "write it anew without deletionTimestamp", false});
    } else if (!draft.world().is_complete) {
      draft.say(key, unread());
    }
  }
}

}  // namespace mooring
