#include <algorithm>
#include <set>
#include <utility>

#include "base/quote.h"
#include "binding/classes.h"
#include "binding/draft.h"
#include "binding/matching.h"
#include "binding/provisioning.h"
#include "binding/resolve.h"
#include "binding/words.h"

// Which volume each claim gets that has none (kubelet-behaviours 18.1, 18.2, 18.4, 18.6, 18.7).

namespace mooring {
namespace {

using manifest::PersistentVolume;
using manifest::PersistentVolumeClaim;

constexpr const char* bind_completed = "pv.kubernetes.io/bind-completed";

/// What a claim is to get: a volume that is there, or one that is to be made.
struct Choice {
  ObjectKey claim;
  std::shared_ptr<const PersistentVolume> volume;
  std::optional<LedgerVolume> made;
};

class Finder {
 public:
  Finder(Draft& draft, const ClaimUsers& users)
      : draft_(draft), users_(users), classes_(draft.objects()), free_(draft) {}

  void find_all(const std::vector<ObjectKey>& pending) {
    // Who names a volume comes before those who take what there is: so no order of names decides that.
    for (const ObjectKey& key : pending) {
      if (is_named(key)) find_named(key);
    }
    for (const ObjectKey& key : pending) {
      if (is_without_volume(key) && !is_named(key)) take_claimed(key);
    }
    for (const ObjectKey& key : pending) {
      if (!is_without_volume(key) || is_named(key) || draft_.is_said_of(key)) continue;
      if (!classes_.of(draft_.find(key)->claim).waits_for_consumer()) {
        find_now(key);
        continue;
      }
      const auto users = users_.that_may_use(draft_.find(key)->claim);
      if (users.empty()) wait_for_consumer(key);
    }
    for (const manifest::Pod* pod : draft_.world().pods)
      find_for_pod(*pod, pending);
    // Why a claim has not what it names is known when the others have what they get.
    is_last_look_ = true;
    for (const ObjectKey& key : pending) {
      if (is_without_volume(key) && is_named(key)) find_named(key);
    }
  }

 private:
  bool is_without_volume(const ObjectKey& key) const {
    const LedgerClaim* row = draft_.find(key);
    return row != nullptr && row->volume.empty() && !row->is_being_deleted;
  }
  bool is_named(const ObjectKey& key) const {
    const PersistentVolumeClaim& claim = draft_.find(key)->claim;
    return !claim.volume_name.empty() || claim.annotations.contains(bind_completed);
  }

  void wait(const ObjectKey& key, std::string reason, std::string message, std::string action,
            bool is_warning = true) {
    if (is_named(key) && !is_last_look_) return;
    draft_.say(key, {std::move(reason), std::move(message), std::move(action), is_warning});
  }
  void wait_for_consumer(const ObjectKey& key) {
    wait(key, "WaitForFirstConsumer", "it gets its volume when a pod on this node uses it first",
         "let a pod name it", false);
  }

  /// It had a volume in the cluster that it comes from, and that is not there (18.4). When it comes back the
  /// claim is bound after all.
  void lose(const ObjectKey& key, const char* reason, const std::string& message) {
    if (!is_last_look_) return;
    if (!draft_.find(key)->is_lost) {
      draft_.change(key).is_lost = true;
      draft_.tell(true, reason, event_object(key), message);
    }
    wait(key, reason, message,
         "put the PersistentVolume's manifest back, or write the claim without the annotation " +
             std::string(bind_completed));
  }

  /// spec.volumeName says which (18.2).
  void find_named(const ObjectKey& key) {
    const PersistentVolumeClaim& claim = draft_.find(key)->claim;
    const bool was_bound = claim.annotations.contains(bind_completed);
    if (claim.volume_name.empty()) {
      lose(key, "ClaimLost", "it was bound, and has lost its reference to the PersistentVolume");
      return;
    }
    const ObjectName name(claim.volume_name);
    auto volume = draft_.objects().find_persistent_volume(name);
    const LedgerVolume* row = draft_.find(name);
    if (row != nullptr && row->state == LedgerVolume::State::Available)
      volume = std::exchange(row, nullptr)->volume;
    if (row != nullptr) {
      find_taken(key, name, *row, was_bound);
    } else if (volume == nullptr) {
      find_missing(key, name, was_bound);
    } else if (!volume->claim) {
      const std::string mismatch =
          mismatch_of({claim, classes_.of(claim).name}, *volume, Look::Named, draft_.world());
      if (mismatch.empty()) {
        bind(draft_, key, *volume);
      } else {
        wait(key, "VolumeMismatch", "PV " + quoted(name.str()) + " does not fit it: " + mismatch,
             "change the claim or the PersistentVolume so that they fit");
      }
    } else if (is_reference_to(*volume->claim, key, written_uid(draft_.objects(), claim))) {
      bind(draft_, key, *volume);
    } else {
      find_others(key, *volume, was_bound);
    }
  }

  void find_missing(const ObjectKey& key, const ObjectName& name, bool was_bound) {
    const std::string message = "failed to fetch PV " + quoted(name.str()) + ": no manifest has it";
    if (draft_.objects().may_hold_volume(name)) {
      wait(key, "ManifestUnreadable",
           "PV " + quoted(name.str()) + " may be in a manifest that cannot be read",
           "correct the manifests that `mooringctl status` names");
    } else if (was_bound) {
      lose(key, "ClaimLost", message);
    } else {
      wait(key, "VolumeNotFound", message,
           "put a manifest of it beside the claim's; Mooring goes on by itself then");
    }
  }

  void find_taken(const ObjectKey& key, const ObjectName& name, const LedgerVolume& row, bool was_bound) {
    const std::string other = row.volume->claim->key == key ? "an earlier claim of that name"
                                                            : "the claim " + row.volume->claim->key.text();
    const std::string message = "volume " + quoted(name.str()) + " is already " +
                                (row.state == LedgerVolume::State::Bound ? "bound to " : "kept for ") + other;
    if (was_bound) {
      lose(key, "ClaimMisbound", message);
    } else {
      wait(key, "FailedBinding", message, "name another PersistentVolume in the claim's spec.volumeName");
    }
  }

  void find_others(const ObjectKey& key, const PersistentVolume& volume, bool was_bound) {
    const manifest::ClaimReference& reference = *volume.claim;
    std::string message =
        "PV " + quoted(volume.name.str()) + ": its spec.claimRef names the claim " + reference.key.text();
    if (reference.key == key) {
      message = "PV " + quoted(volume.name.str()) + ": its spec.claimRef.uid " + quoted(reference.uid) +
                " is not the claim's uid " + quoted(written_uid(draft_.objects(), draft_.find(key)->claim));
    }
    if (was_bound) {
      lose(key, "ClaimMisbound", message);
    } else {
      wait(key, "FailedBinding", message,
           "name another PersistentVolume in the claim's spec.volumeName, or correct the PersistentVolume's "
           "spec.claimRef");
    }
  }

  /// A volume whose claimRef names the claim, whatever the class and whoever uses it.
  void take_claimed(const ObjectKey& key) {
    const auto volume = free_.claimed_by(draft_.find(key)->claim);
    if (volume != nullptr) bind(draft_, key, *volume);
  }

  /// What the claim is to get, or why nothing. `taken`: volumes that are promised to others.
  std::optional<Choice> choose(const ObjectKey& key, const std::set<ObjectName>& taken,
                               BindingCondition& why_not) const {
    const LedgerClaim& row = *draft_.find(key);
    const ClaimClass claim_class = classes_.of(row.claim);
    if (auto volume = free_.best_for({row.claim, claim_class.name}, taken))
      return Choice{key, std::move(volume), std::nullopt};
    const std::string misfit = free_.misfit_of(row.claim);
    if (claim_class.is_built_in && !misfit.empty() && !row.claim.has_selector) {
      why_not = {"VolumeMismatch", misfit, "change the claim or the PersistentVolume so that they fit", true};
      return std::nullopt;
    }
    if (claim_class.is_built_in && !row.claim.has_selector && !draft_.world().is_quiet) {
      why_not = {"Waiting", "a volume without a class may be written beside it; else one is made in a moment",
                 "", false};
      return std::nullopt;
    }
    Provision provision = provision_for(draft_, row, claim_class);
    if (provision.volume) return Choice{key, nullptr, std::move(provision.volume)};
    why_not = std::move(provision.why_not);
    if (!misfit.empty()) why_not.message += "; " + misfit;
    return std::nullopt;
  }

  void carry_out(Choice choice) {
    if (choice.volume != nullptr) {
      bind(draft_, choice.claim, *choice.volume);
    } else {
      begin_provisioning(draft_, choice.claim, *std::move(choice.made));
    }
  }

  void find_now(const ObjectKey& key) {
    BindingCondition why_not;
    if (auto choice = choose(key, {}, why_not)) {
      carry_out(*std::move(choice));
    } else {
      draft_.say(key, std::move(why_not));
    }
  }

  /// Why the pod cannot run for the sake of this claim, which waits for nobody; empty: it does not hinder it.
  std::string hindrance_of(const manifest::Pod& pod, const ObjectKey& key) const {
    const LedgerClaim* row = draft_.find(key);
    if (row == nullptr) return "the claim " + key.text() + " is not there";
    if (!ClaimUsers::may_use(pod, row->claim)) return "the claim " + key.text() + " is not the pod's own";
    if (row->is_being_deleted) return "the claim " + key.text() + " is being deleted";
    if (row->is_bound) return {};
    const bool waits = classes_.of(row->claim).waits_for_consumer();
    if (!row->volume.empty() && waits) return {};
    return "the claim " + key.text() + " has no volume yet";
  }

  /// All claims of the pod get volumes, or none of those that wait for it (18.6).
  void find_for_pod(const manifest::Pod& pod, const std::vector<ObjectKey>& pending) {
    std::vector<ObjectKey> waiting;
    std::string hindrance;
    for (const ObjectKey& key : claims_of(pod)) {
      const bool is_pending = std::binary_search(pending.begin(), pending.end(), key);
      if (is_pending && is_without_volume(key) && !is_named(key) &&
          ClaimUsers::may_use(pod, draft_.find(key)->claim) &&
          classes_.of(draft_.find(key)->claim).waits_for_consumer()) {
        waiting.push_back(key);
      } else if (hindrance.empty()) {
        hindrance = hindrance_of(pod, key);
      }
    }
    if (waiting.empty()) return;
    std::sort(waiting.begin(), waiting.end(), [&](const ObjectKey& one, const ObjectKey& other) {
      const Quantity& of_one = draft_.find(one)->claim.request;
      const Quantity& of_other = draft_.find(other)->claim.request;
      return of_one != of_other ? of_one < of_other : one < other;
    });
    std::vector<Choice> choices;
    std::set<ObjectName> taken;
    for (const ObjectKey& key : waiting) {
      BindingCondition why_not;
      if (auto choice = choose(key, taken, why_not)) {
        if (choice->volume != nullptr) taken.insert(choice->volume->name);
        choices.push_back(*std::move(choice));
      } else {
        draft_.say(key, why_not);
        if (hindrance.empty())
          hindrance = "the claim " + key.text() + " can have no volume: " + why_not.message;
      }
    }
    if (hindrance.empty()) {
      for (Choice& choice : choices)
        carry_out(std::move(choice));
      return;
    }
    for (const ObjectKey& key : waiting) {
      wait(key, "WaitForFirstConsumer",
           "the pod " + pod.key.text() + " that uses it gets all of its volumes or none: " + hindrance,
           "see to that claim", false);
    }
  }

  /// The claims that are the pod's to use, sorted, each once.
  std::set<ObjectKey> claims_of(const manifest::Pod& pod) const {
    std::set<ObjectKey> keys;
    for (const manifest::Volume& volume : pod.volumes) {
      if (auto key = claim_of(pod, volume)) keys.insert(*std::move(key));
    }
    return keys;
  }

  Draft& draft_;
  const ClaimUsers& users_;
  const ClaimClasses classes_;
  const FreeVolumes free_;
  bool is_last_look_ = false;
};

}  // namespace

void find_volumes(Draft& draft, const ClaimUsers& users) {
  std::vector<ObjectKey> pending;
  const ClaimClasses classes(draft.objects());
  for (const ObjectKey& key : draft.claims()) {
    give_up_failed(draft, key, classes);
    const LedgerClaim& row = *draft.find(key);
    if (row.volume.empty() && !row.is_being_deleted) pending.push_back(key);
  }
  if (!pending.empty()) Finder(draft, users).find_all(pending);
}

}  // namespace mooring
