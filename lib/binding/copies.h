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

}  // namespace mooring
