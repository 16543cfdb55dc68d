#pragma once

#include <map>

#include "base/result.h"
#include "binding/ledger.h"
#include "driver/drivers.h"
#include "objects/store.h"
#include "provision/provisioner.h"

namespace mooring {

/// Puts what the steps of a driver lack into work on a volume, when it is started: where the driver listens
/// now, and what its secret says now. Work of no driver stays as it is.
/// Errors, Transient: "DriverNotRegistered"; "SecretMissing", if the secret is in no manifest. Final:
/// "SecretNotText". The volume waits for either.
Result<void> equip_for_driver(ProvisionWork& work, const std::map<DriverName, CsiDriver>& drivers,
                              const ObjectStore& objects);

/// Why nothing can be done about a volume that a driver made, or is to make, and that no provisioner is there
/// for now. Transient: "DriverNotRegistered"; "DriverHasNoController" of one that is registered.
Error why_not_by_driver(const LedgerVolume& row, const Provisioners& provisioners);

/// Errors, Transient, if the driver cannot be asked for snapshots as it is registered now:
/// "DriverHasNoController"; "SnapshotUnsupported".
Result<void> can_cut_snapshots(const CsiDriver& driver);

/// True while nobody can tell what the CSI driver of a volume wants of it: no CSIDriver object was read that
/// says so, and it may be in a manifest that was not read yet (`all_read` is false) or never well. Without
/// the object it would be attached, told of no pod and given its group as the defaults say; a kubelet waits
/// for its list of them too (KubeletVolumeHost, WaitForCacheSync()). `source`: of the
/// volume; nullptr, or not of a driver outside: false.
bool waits_for_csi_driver_object(const manifest::VolumeSource* source, const ObjectStore& objects,
                                 bool all_read);
/// Why nothing is attached or staged as long as that is so; Transient, "WaitingForManifests".
Error waits_for_manifests();

}  // namespace mooring
