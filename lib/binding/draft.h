#pragma once

#include <memory>
#include <string>
#include <vector>

#include "binding/binder.h"

namespace mooring {

/// The ledger as it will be while a plan is made: what is written down, with the changes so far over it, and
/// what there is to say. Costs what is changed, not what exists.
class Draft {
 public:
  /// All outlive it.
  Draft(const Ledger& ledger, const BindingWorld& world, Random& random)
      : ledger_(ledger), world_(world), random_(random) {}

  const BindingWorld& world() const { return world_; }
  const ObjectStore& objects() const { return world_.objects; }
  /// As it is written down, without the changes; snapshots are planned apart (plan_snapshots()).
  const Ledger& ledger() const { return ledger_; }

  /// nullptr: there is no such row. Right until the row is changed or dropped.
  const LedgerClaim* find(const ObjectKey& claim) const;
  const LedgerVolume* find(const ObjectName& volume) const;
  /// The row, which is there, for changing. The reference is right until the row is dropped.
  LedgerClaim& change(const ObjectKey& claim);
  LedgerVolume& change(const ObjectName& volume);
  void put(const ObjectKey& claim, LedgerClaim row);
  void put(const ObjectName& volume, LedgerVolume row);
  void drop(const ObjectKey& claim) { plan_.changes.claims[claim] = std::nullopt; }
  void drop(const ObjectName& volume) { plan_.changes.volumes[volume] = std::nullopt; }
  /// The keys of all rows, sorted.
  std::vector<ObjectKey> claims() const;
  std::vector<ObjectName> volumes() const;

  /// What is said first of a claim or volume stays.
  void say(const ObjectKey& claim, BindingCondition condition);
  void say(const ObjectName& volume, BindingCondition condition);
  bool is_said_of(const ObjectKey& claim) const { return plan_.claims.contains(claim); }
  void tell(bool warning, std::string reason, std::string object, std::string message);
  /// What tells one making of a volume from another of the same name.
  std::string drawn_token() { return std::to_string(random_.next()); }

  /// The plan, without changes that change nothing.
  BindingPlan finish() &&;

 private:
  const Ledger& ledger_;
  const BindingWorld& world_;
  Random& random_;
  BindingPlan plan_;
};

/// The pods that name each claim.
class ClaimUsers {
 public:
  explicit ClaimUsers(const std::vector<const manifest::Pod*>& pods);

  /// The pods whose volumes name the claim, or would make it; in the order of the world.
  const std::vector<const manifest::Pod*>& of(const ObjectKey& claim) const;
  /// False if the pod would make a claim of that name for itself, and this one is another's.
  static bool may_use(const manifest::Pod& pod, const manifest::PersistentVolumeClaim& claim);
  /// The pods that the claim is for: not those that would make one of that name and find another's.
  std::vector<const manifest::Pod*> that_may_use(const manifest::PersistentVolumeClaim& claim) const;

 private:
  std::map<ObjectKey, std::vector<const manifest::Pod*>> pods_;
};

/// Makes the pair one in both rows. `volume` is the manifest's, and has no row, or one that is Available.
void bind(Draft& draft, const ObjectKey& claim, const manifest::PersistentVolume& volume);
/// The claim is gone, its row too: what it had is Released, or to be removed if it was still being made.
void release(Draft& draft, const ObjectName& volume);

// The parts of plan_bindings(), in their order.

/// What the ended work on volumes made of them.
void take_ends(Draft& draft);
/// Claims begin, follow their manifests, and end. `random`: for their uids.
void follow_claims(Draft& draft, const ClaimUsers& users, Random& random);
/// Volumes follow their manifests; those that no claim has any more are reclaimed.
void follow_volumes(Draft& draft);
/// Claims get volumes that are there, or that will be made.
void find_volumes(Draft& draft, const ClaimUsers& users);
/// Claims and their volumes grow.
void grow_claims(Draft& draft);
/// What there is to say besides.
void describe_claims(Draft& draft, const ClaimUsers& users);
void describe_volumes(Draft& draft);

}  // namespace mooring
