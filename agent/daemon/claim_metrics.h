#pragma once

#include <string>
#include <vector>

#include "status/status.h"

namespace mooring {

/// In which phase each claim and each PersistentVolume is, in Prometheus' text format by the names of
/// kube-state-metrics (kube_persistentvolumeclaim_*, kube_persistentvolume_*): one line for each phase of
/// Kubernetes, 1 for the one that it is in there. Besides how many are in each phase of Mooring's
/// (mooring_claims, mooring_persistent_volumes).
std::string claim_metrics(const std::vector<ClaimStatus>& claims,
                          const std::vector<PersistentVolumeStatus>& volumes);
/// How many VolumeSnapshots are in each phase, and by what they wait for (mooring_volume_snapshots).
std::string snapshot_metrics(const std::vector<VolumeSnapshotStatus>& snapshots);

}  // namespace mooring
