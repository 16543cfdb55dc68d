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
#include "base/result.h"
#include "binding/binder.h"

namespace mooring {

// Snapshots of volumes that CSI drivers made (snapshot.storage.k8s.io/v1, as external-snapshotter has them):
// what is to be cut, what is there, and what is to be deleted. A VolumeSnapshot that a VolumeSnapshotContent
// of the manifests is for (pre-provisioned, or brought along from a cluster) has no row: nobody here makes or
// deletes anything for it.

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
  const Ledger& ledger;                            ///< With the rows of the snapshots.
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
SnapshotPlan plan_snapshots(const SnapshotWorld& world, Random& random);

/// What the row asks the driver for; no steps: nothing. What its steps lack (equip_for_driver) is not in it.
ProvisionWork work_of(const LedgerSnapshot& row);

/// True if the row was made for this manifest.
bool is_of(const LedgerSnapshot& row, const manifest::VolumeSnapshot& snapshot);
/// True if it is, or is to become, of use to its snapshot.
bool is_live(const LedgerSnapshot& row);
/// Of which events tell: "volumesnapshot/NS/NAME".
std::string event_object(const LedgerSnapshot& row);
/// The row that was made for the VolumeSnapshot, in whatever state; nullptr: there is none, or it was another
/// one's of that name.
const LedgerSnapshot* row_of(const LedgerSnapshots& rows, const manifest::VolumeSnapshot& snapshot);

/// The VolumeSnapshotContent of the manifests that the VolumeSnapshot has: the one that it names, or one that
/// names it. Each must name the other, as external-snapshotter wants it. nullptr: there is none.
std::shared_ptr<const manifest::VolumeSnapshotContent> content_of(const ObjectStore& objects,
                                                                  const manifest::VolumeSnapshot& snapshot);

/// A snapshot as its driver names it.
struct UsableSnapshot {
  DriverName driver;
  std::string handle;
  Quantity restore_size;  ///< The least that a volume of it needs; 0: not known.
};
/// What a VolumeSnapshot stands for, by its row or by its content. Errors, Transient, with a message that
/// goes on after the snapshot's name ("which ..."): "SnapshotContentMissing", "SnapshotNotReady".
Result<UsableSnapshot> usable_snapshot(const Ledger& ledger, const ObjectStore& objects,
                                       const manifest::VolumeSnapshot& snapshot);

/// The PersistentVolumes of which a snapshot is being cut: they stay until that is done.
std::set<ObjectName> volumes_being_cut(const LedgerSnapshots& rows);

}  // namespace mooring
