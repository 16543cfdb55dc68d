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
/// Errors, Transient: "DriverNotRegistered"; "SecretMissing", if the secret is in no manifest. The volume
/// waits for either.
Result<void> equip_for_driver(ProvisionWork& work, const std::map<DriverName, CsiDriver>& drivers,
                              const ObjectStore& objects);

/// Why nothing can be done about a volume that a driver made, or is to make, and that no provisioner is there
/// for now. Transient: "DriverNotRegistered"; "DriverHasNoController" of one that is registered.
Error why_not_by_driver(const LedgerVolume& row, const Provisioners& provisioners);

/// Errors, Transient, if the driver cannot be asked for snapshots as it is registered now:
/// "DriverHasNoController"; "SnapshotUnsupported".
Result<void> can_cut_snapshots(const CsiDriver& driver);

}  // namespace mooring
