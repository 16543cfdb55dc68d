#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/quantity.h"
#include "binding/ledger_snapshot.h"
#include "manifest/objects.h"
#include "provision/provisioner.h"

namespace mooring {

/// A claim that exists. It begins when its manifest is seen first (or its pod's, or its StatefulSet's), and
/// ends when its manifest is gone and no pod has it any more.
struct LedgerClaim {
  /// As it was last accepted, its uid never empty: the manifest's, or one that was drawn for it.
  manifest::PersistentVolumeClaim claim;
  ObjectName volume;              ///< What it has, or what is being made for it; empty: nothing.
  bool is_bound = false;          ///< False with a volume: that is still being made.
  bool was_chosen = false;        ///< Mooring chose the volume (pv.kubernetes.io/bound-by-controller).
  Quantity capacity;              ///< status.capacity: what its users can rely on now.
  bool is_being_deleted = false;  ///< Its manifest is gone; pods that have it are waited for.
  /// It was bound in a cluster, and its volume is not there, or another claim's. Without a volume here: until
  /// that comes back.
  bool is_lost = false;

  friend bool operator==(const LedgerClaim&, const LedgerClaim&) = default;
};

/// A volume that is, was or will be some claim's. One that nobody ever had is in the manifests alone
/// (phase Available).
///
///     Provisioning ──made──▶ Bound ──claim gone──▶ Released ──Delete──▶ Deleting ──removed──▶ (no row)
///          │                                           │ ▲ └─Recycle──▶ Recycling ──emptied──▶ (no row)
///          └──────────────claim gone───────────────────┼─┼──────────▶ Deleting
///                                        nobody can do it └──▶ Failed
struct LedgerVolume {
  /// Available: it was provisioned, and somebody gave it free for the next claim; it has no claimRef.
  enum class State : std::uint8_t { Provisioning, Available, Bound, Released, Deleting, Recycling, Failed };
  /// As the manifest said last, or as it was provisioned. Its claimRef is the claim that has it, with uid.
  std::shared_ptr<const manifest::PersistentVolume> volume;
  State state = State::Bound;
  bool was_chosen = false;  ///< Mooring chose the claim: the claimRef is not the manifest's.
  std::string provisioner;  ///< Who made it; empty: its manifest is its only origin.
  std::map<std::string, std::string> parameters;  ///< See ProvisionedVolume.
  Quantity made_capacity;  ///< What it was made, or grown, for. Of provisioned volumes.
  /// Why it is Failed; or, of one that is Provisioning or Bound, why nobody can make or grow it: then that is
  /// not tried again until what is asked for changes.
  std::string message;

  /// True if the two say the same; the volumes by what they say, not by where they are.
  friend bool operator==(const LedgerVolume& one, const LedgerVolume& other);
};

/// True if a CSI driver made it, or is to: what is to be done about it waits for that driver.
bool is_of_driver(const LedgerVolume& row);

/// All that is remembered of claims, volumes and snapshots across restarts and reboots.
///
/// Invariant: a volume row that is Provisioning or Bound and the claim row that its claimRef names point at
/// each other, by uid. So no volume is two claims', and no claim has two volumes.
struct Ledger {
  std::map<ObjectKey, LedgerClaim> claims;
  std::map<ObjectName, LedgerVolume> volumes;
  LedgerSnapshots snapshots;

  const LedgerClaim* find(const ObjectKey& claim) const;
  const LedgerVolume* find(const ObjectName& volume) const;
};

/// What is written at once: all of it, or nothing.
struct LedgerChanges {
  std::map<ObjectKey, std::optional<LedgerClaim>> claims;     ///< nullopt: the row goes.
  std::map<ObjectName, std::optional<LedgerVolume>> volumes;  ///< Likewise.
  std::map<ObjectName, std::optional<LedgerSnapshot>> snapshots;
  bool empty() const { return claims.empty() && volumes.empty() && snapshots.empty(); }
};

/// The ledger after the changes.
void apply(Ledger& ledger, const LedgerChanges& changes);

/// What is wrong with the invariant; empty: nothing.
std::vector<std::string> broken_rules(const Ledger& ledger);

}  // namespace mooring
