#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "binding/ledger.h"
#include "objects/store.h"
#include "provision/provisioner.h"

namespace mooring {

/// What became of the work on a volume that the ledger asks for (Provisioning, Deleting, Recycling, growing).
struct VolumeWorkEnd {
  enum class Kind : std::uint8_t { Made, Removed, Emptied, Grown, Impossible };
  Kind kind = Kind::Made;
  Quantity capacity;                           ///< Of Grown: what it has now.
  std::string message;                         ///< Of Impossible: why nobody can ever do it.
  std::optional<CsiMade> made = std::nullopt;  ///< Of Made and Grown by a driver: what only that could say.
};

/// What is looked at besides the ledger.
struct BindingWorld {
  const ObjectStore& objects;
  const Provisioners& provisioners;
  NodeName node;
  std::map<std::string, std::string> node_labels;
  std::string root_dir;
  /// Every manifest was read whole: what is not there, and may not be in one that is broken, is gone.
  bool is_complete = false;
  /// Pods that are to run on this node and name claims, sorted by namespace and name: the consumers of
  /// WaitForFirstConsumer, and users that protect claims.
  std::vector<const manifest::Pod*> pods;
  std::set<ObjectKey> claims_in_use;    ///< Some pod has it, or may have; the manifests may know it no more.
  std::set<ObjectName> volumes_in_use;  ///< Likewise: published, staged, attached, or on the way.
  std::map<ObjectName, VolumeWorkEnd> ends;
  /// How large what is staged of a volume is; of volumes whose file system grows by itself on the node.
  std::map<ObjectName, std::uint64_t> staged_bytes;
  /// No volume or class was written a moment ago. Until then nothing is made by the class that is built in:
  /// manifests that belong together come one after the other.
  bool is_quiet = true;
};

/// What there is to say of a claim or volume that is not simply as it was asked for.
struct BindingCondition {
  std::string reason;   ///< One CamelCase word, Kubernetes' where it has one ("WaitForFirstConsumer").
  std::string message;  ///< One line.
  std::string action;   ///< What a person can do; may be empty.
  bool is_warning = true;
  friend bool operator==(const BindingCondition&, const BindingCondition&) = default;
};

/// A line for the event log, told when the changes are durable.
struct BindingEvent {
  bool warning = false;
  std::string reason;
  std::string object;  ///< "persistentvolumeclaim/default/data", "persistentvolume/pv-1".
  std::string message;
};

struct BindingPlan {
  LedgerChanges changes;
  std::vector<BindingEvent> events;
  /// All that there is to say, not only what is new.
  std::map<ObjectKey, BindingCondition> claims;
  std::map<ObjectName, BindingCondition> volumes;
};

/// What is to be written next, and what is to be said (kubelet-behaviours 1, 2.3, 18, 19; docs/claims.md). A
/// function of its arguments: `random` is for uids of new claims alone. With the changes applied and the same
/// world it has nothing more to change, but for what waits for the ends of work.
BindingPlan plan_bindings(const Ledger& ledger, const BindingWorld& world, Random& random);

/// One volume that was looked at for a claim, and why it was not taken; empty: it would be.
struct CandidateVolume {
  ObjectName volume;
  std::string why_not;
};
/// All volumes, in the order in which they are looked at. For people: costs all there is.
std::vector<CandidateVolume> candidates_for(const ObjectKey& claim, const Ledger& ledger,
                                            const BindingWorld& world);

/// The class of that name, the built-in one too; nullptr: there is none. An empty name: the class of claims
/// that say none, which is the default of the manifests (of several the first by name), or else the built-in
/// one, for a claim that no volume without a class fits.
std::shared_ptr<const manifest::StorageClass> find_class(const ObjectStore& objects, const std::string& name);

}  // namespace mooring
