#include <optional>
#include <set>

#include "base/quote.h"
#include "binding/draft.h"
#include "binding/uids.h"
#include "binding/words.h"

// How claims begin, follow their manifests, and end (kubelet-behaviours 18.5, 1.2).

namespace mooring {
namespace {

using manifest::ClaimOwner;
using manifest::PersistentVolumeClaim;
using State = LedgerVolume::State;

/// False if the manifest asks for another claim of the same name: with another uid, or another pod's.
bool is_same_claim(const PersistentVolumeClaim& known, const PersistentVolumeClaim& manifest) {
  if (!manifest.uid.empty() && manifest.uid != known.uid) return false;
  const bool is_of_pod =
      known.owner.kind == ClaimOwner::Kind::Pod || manifest.owner.kind == ClaimOwner::Kind::Pod;
  return !is_of_pod || (known.owner.kind == manifest.owner.kind && known.owner.key == manifest.owner.key &&
                        known.owner.uid == manifest.owner.uid);
}

/// True if nothing but its request and what people write about it may change any more: it has a volume, or
/// one is being made for it that can be made.
bool is_fixed(const Draft& draft, const LedgerClaim& row) {
  if (row.volume.empty()) return false;
  const LedgerVolume* volume = draft.find(row.volume);
  return volume == nullptr || volume->state != State::Provisioning || volume->message.empty();
}

/// The older annotation says the class too, and before the field: the two must not contradict each other.
void keep_class(const PersistentVolumeClaim& known, PersistentVolumeClaim& accepted) {
  constexpr const char* annotation = "volume.beta.kubernetes.io/storage-class";
  accepted.storage_class = known.storage_class;
  const auto before = known.annotations.find(annotation);
  if (before == known.annotations.end()) {
    accepted.annotations.erase(annotation);
  } else {
    accepted.annotations[annotation] = before->second;
  }
}

/// What the claim of the row keeps, whatever its manifest says now. Adds the changed fields to `ignored`.
PersistentVolumeClaim with_fixed_fields(const LedgerClaim& row, const PersistentVolumeClaim& manifest,
                                        std::string& ignored) {
  PersistentVolumeClaim accepted = manifest;
  const PersistentVolumeClaim& known = row.claim;
  const auto ignore = [&](const char* field) {
    ignored += (ignored.empty() ? "" : ", ") + std::string(field);
  };
  accepted.request = known.request;
  if (manifest.access_modes != known.access_modes) {
    ignore("spec.accessModes");
    accepted.access_modes = known.access_modes;
  }
  // Their order was never checked, and earlier versions did not write it down: nobody is told that it stays.
  accepted.first_access_mode = known.first_access_mode;
  if (manifest.volume_mode != known.volume_mode) {
    ignore("spec.volumeMode");
    accepted.volume_mode = known.volume_mode;
  }
  if (!manifest.volume_name.empty() && manifest.volume_name != row.volume.str()) {
    ignore("spec.volumeName");
    accepted.volume_name = known.volume_name;
  }
  // What it would be made from is what it was made from, if that was anything.
  if (manifest.data_source != known.data_source) {
    ignore("spec.dataSource");
    accepted.data_source = known.data_source;
  }
  // A manifest without a class is content with the default that it was given.
  if (manifest.storage_class != known.storage_class) {
    const bool is_same =
        manifest.storage_class && *manifest.storage_class == known.storage_class.value_or("");
    if (manifest.storage_class && !is_same) ignore("spec.storageClassName");
    if (!is_same) keep_class(known, accepted);
  }
  return accepted;
}

class Follower {
 public:
  Follower(Draft& draft, const ClaimUsers& users, Random& random)
      : draft_(draft), users_(users), random_(random) {}

  /// The claim that there is, if there is one.
  void follow(const ObjectKey& key) {
    const LedgerClaim* row = draft_.find(key);
    if (row == nullptr) return;
    const auto manifest = draft_.objects().find_claim(key);
    const bool is_asked_for = manifest != nullptr && !manifest->is_being_deleted;
    if (is_asked_for && is_same_claim(row->claim, *manifest)) {
      accept(*row, *manifest);
      return;
    }
    if (manifest == nullptr) row = with_present_policy(key, row);
    if (manifest == nullptr && draft_.objects().may_hold_claim(key)) return;
    // One whose deletion was asked for goes, whatever its owner's policy is.
    if (manifest == nullptr && !row->is_being_deleted && is_kept(*row)) return;
    if (is_used(row->claim)) {
      if (!row->is_being_deleted) draft_.change(key).is_being_deleted = true;
      return;
    }
    end(key, *row);
  }

  /// A claim that is asked for, if there is none of that name.
  void begin(const ObjectKey& key) {
    if (draft_.find(key) != nullptr) return;
    const auto manifest = draft_.objects().find_claim(key);
    if (manifest != nullptr && !manifest->is_being_deleted) begin(*manifest);
  }

 private:
  void begin(const PersistentVolumeClaim& manifest) {
    if (!manifest.uid.empty() && !uids().insert(manifest.uid).second) {
      draft_.say(manifest.key,
                 {"DuplicateUid", "its metadata.uid " + quoted(manifest.uid) + " is that of another claim",
                  "take the uid out of one of the manifests", true});
      return;
    }
    LedgerClaim row;
    row.claim = manifest;
    if (row.claim.uid.empty()) row.claim.uid = drawn_uid(random_);
    draft_.put(manifest.key, std::move(row));
  }

  void accept(const LedgerClaim& row, const PersistentVolumeClaim& manifest) {
    const ObjectKey key = manifest.key;
    std::string ignored;
    PersistentVolumeClaim accepted =
        is_fixed(draft_, row) ? with_fixed_fields(row, manifest, ignored) : manifest;
    accepted.uid = row.claim.uid;
    if (!ignored.empty()) {
      draft_.say(key, {"SpecChangeIgnored",
                       "its manifest says something else in " + ignored +
                           ", which cannot change while it has a volume; it stays as it was",
                       "write the manifest as it was, or make another claim", true});
    }
    if (accepted == row.claim && !row.is_being_deleted) return;
    LedgerClaim& next = draft_.change(key);
    next.claim = std::move(accepted);
    next.is_being_deleted = false;
  }

  void end(const ObjectKey& key, const LedgerClaim& row) {
    const ObjectName volume = row.volume;
    draft_.drop(key);
    if (!volume.empty()) release(draft_, volume);
  }

  /// The row, changed if its StatefulSet has another retention policy now: that is for the claims of all its
  /// replicas, of those too that it has no more.
  const LedgerClaim* with_present_policy(const ObjectKey& key, const LedgerClaim* row) {
    if (row->claim.owner.kind != ClaimOwner::Kind::StatefulSet) return row;
    const ClaimOwner* owner = draft_.objects().find_stateful_set(row->claim.owner.key);
    if (owner == nullptr || *owner == row->claim.owner) return row;
    LedgerClaim& next = draft_.change(key);
    next.claim.owner = *owner;
    return &next;
  }

  /// No manifest has it, and it stays all the same: it is a StatefulSet's.
  bool is_kept(const LedgerClaim& row) const {
    const ObjectStore& objects = draft_.objects();
    const ClaimOwner& owner = row.claim.owner;
    if (owner.kind != ClaimOwner::Kind::StatefulSet) return false;
    if (objects.find_stateful_set(owner.key) != nullptr) return !owner.delete_when_scaled;
    return objects.may_hold_stateful_set(owner.key) || !owner.delete_when_deleted;
  }

  bool is_used(const PersistentVolumeClaim& claim) const {
    return draft_.world().claims_in_use.contains(claim.key) || !users_.that_may_use(claim).empty();
  }

  /// Of all rows that stay; looked together when the first manifest comes that says one.
  std::set<std::string>& uids() {
    if (!uids_) {
      uids_.emplace();
      for (const ObjectKey& key : draft_.claims())
        uids_->insert(draft_.find(key)->claim.uid);
    }
    return *uids_;
  }

  Draft& draft_;
  const ClaimUsers& users_;
  Random& random_;
  std::optional<std::set<std::string>> uids_;
};

}  // namespace

void follow_claims(Draft& draft, const ClaimUsers& users, Random& random) {
  Follower follower(draft, users, random);
  for (const ObjectKey& key : draft.claims())
    follower.follow(key);
  // After all that end: a name or uid may be free only now.
  for (const ObjectKey& key : draft.objects().claims())
    follower.begin(key);
}

}  // namespace mooring
