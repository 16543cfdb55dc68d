#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/quantity.h"
#include "base/random.h"
#include "binding/binder.h"

namespace mooring {

// Snapshots of volumes that CSI drivers made (snapshot.storage.k8s.io/v1, as external-snapshotter has them):
// what is to be cut, what is there, and what is to be deleted. A VolumeSnapshot that names a
// VolumeSnapshotContent of its own (pre-provisioned) has no row: nobody here makes or deletes anything for
// it.

/// A snapshot that Mooring had its driver cut, or will have. It is all that is needed to cut and to delete
/// it, without the VolumeSnapshot, its class or its claim, which may be gone by then.
///
///     Making ──cut, and ready to use──▶ Ready ──manifest gone, Delete──▶ Deleting ──deleted──▶ (no row)
///        │                                └─────manifest gone, Retain──▶ Released
///        └──manifest gone──▶ Deleting (Retain: Released, if the driver has said what it calls it)
struct LedgerSnapshot {
  enum class State : std::uint8_t { Making, Ready, Released, Deleting };
  ObjectKey snapshot;  ///< Whose it is...
  std::string uid;     ///< ...with the manifest's uid, or one that was drawn for it. Never empty.
  State state = State::Making;
  DriverName driver;
  ObjectName volume;                              ///< The PersistentVolume that it is of...
  std::string volume_handle;                      ///< ...as the driver names that.
  std::string snapshot_class;                     ///< Empty: of none.
  bool is_retained = false;                       ///< deletionPolicy Retain.
  std::map<std::string, std::string> parameters;  ///< As CreateSnapshot was first asked.
  std::optional<ObjectKey> secret;                ///< What the driver is told as secrets.
  std::string handle;         ///< What the driver calls it; empty: nobody knows, it may be there or not.
  Quantity restore_size;      ///< The least that a volume made from it needs; 0: the driver does not say.
  std::string creation_time;  ///< RFC 3339; empty: the driver does not say.
  std::string message;        ///< Why the driver refuses to cut it; empty: it does not.
  friend bool operator==(const LedgerSnapshot&, const LedgerSnapshot&) = default;
};

/// "snapcontent-<uid>": the name of the row, as that of the VolumeSnapshotContent in a cluster.
ObjectName content_name(const LedgerSnapshot& row);

using LedgerSnapshots = std::map<ObjectName, LedgerSnapshot>;

/// What became of the work on a snapshot.
struct SnapshotWorkEnd {
  enum class Kind : std::uint8_t { Made, Removed, Impossible };
  Kind kind = Kind::Made;
  CsiSnapshot made;     ///< Of Made. Not ready: it is asked for again.
  std::string message;  ///< Of Impossible.
};

/// What is looked at besides the rows.
struct SnapshotWorld {
  const ObjectStore& objects;
  const Ledger& ledger;
  const std::map<DriverName, CsiDriver>& drivers;  ///< Those that are registered now.
  bool is_complete = false;                        ///< As in BindingWorld.
  std::map<ObjectName, SnapshotWorkEnd> ends;      ///< By the rows' names.
};

struct SnapshotPlan {
  std::map<ObjectName, std::optional<LedgerSnapshot>> changes;  ///< nullopt: the row goes.
  std::vector<BindingEvent> events;  ///< Told when the changes are durable; of "volumesnapshot/NS/NAME".
  std::map<ObjectKey, BindingCondition> snapshots;  ///< All that there is to say.
};

/// What is to be written next, and what is to be said. A function of its arguments; `random` is for uids
/// alone. With the changes applied and the same world without ends it has nothing more to change.
SnapshotPlan plan_snapshots(const LedgerSnapshots& rows, const SnapshotWorld& world, Random& random);

/// What the row asks the driver for; no steps: nothing. What its steps lack (equip_for_driver) is not in it.
ProvisionWork work_of(const LedgerSnapshot& row);

/// The snapshot that a VolumeSnapshot stands for, as its driver names it.
struct UsableSnapshot {
  DriverName driver;
  std::string handle;
  Quantity restore_size;  ///< 0: not known.
};
/// nullopt: it has no row, or is not ready to use.
std::optional<UsableSnapshot> usable_snapshot(const LedgerSnapshots& rows, const ObjectKey& snapshot);

/// The PersistentVolumes of which a snapshot is being cut: they stay until that is done.
std::set<ObjectName> volumes_being_cut(const LedgerSnapshots& rows);

}  // namespace mooring
