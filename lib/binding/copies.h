#pragma once

#include <string>

#include "base/result.h"
#include "binding/draft.h"
#include "facts/csi_controller.h"

namespace mooring {

/// What a new volume for the claim is made from, as its driver names it; Nothing: the claim asks for no copy.
/// The rules are external-provisioner's (getSnapshotSource, getPVCSource): the copied claim is bound, of the
/// same namespace, driver and volumeMode, and no larger; the snapshot is there, ready, of the same driver,
/// and its restoreSize no larger. Error: "DataSourceUnavailable", which says what is amiss. It holds until
/// something else is there.
Result<CsiContentSource> content_source_of(const Draft& draft, const manifest::PersistentVolumeClaim& claim,
                                           const std::string& driver);

/// What the driver may still be asked to make the row's volume from: it stays until that is over. Also of one
/// that is to be deleted and whose handle nobody knows, as the same request is made once more then; a driver
/// that misses the source may say that there is nothing, and have the volume. Nothing: it is made, or no
/// copy.
CsiContentSource source_in_use(const LedgerVolume& row);

}  // namespace mooring
