#pragma once

#include <string>
#include <vector>

#include "output.h"
#include "status/status.h"

namespace mooring::ctl {

// Claims, PersistentVolumes and StorageClasses for people and programs. Columns as kubectl has them, but for
// the age, which nobody knows here.

std::string claim_table(const std::vector<ClaimStatus>& claims, bool with_namespace, bool is_wide);
std::string persistent_volume_table(const std::vector<PersistentVolumeStatus>& volumes, bool is_wide);
std::string storage_class_table(const std::vector<StorageClassStatus>& classes, bool is_wide);
std::string snapshot_table(const std::vector<VolumeSnapshotStatus>& snapshots, bool with_namespace,
                           bool is_wide);
/// The volumes that were looked at for a claim, and why each was not taken.
std::string candidate_table(const std::vector<ClaimCandidate>& candidates);
/// Claims and volumes that are not as they should be, with their causes; empty if all are.
std::string storage_trouble_table(const std::vector<ClaimStatus>& claims,
                                  const std::vector<PersistentVolumeStatus>& volumes,
                                  const std::vector<VolumeSnapshotStatus>& snapshots);

/// "RWO,ROX,RWX,RWOP": as kubectl writes them, in its order.
std::string short_access_modes(const std::vector<std::string>& modes);

/// True unless it is bound, or waits for its first pod.
bool is_in_trouble(const ClaimStatus& claim);
bool is_in_trouble(const PersistentVolumeStatus& volume);
bool is_in_trouble(const VolumeSnapshotStatus& snapshot);

// A paragraph on one for a person.
std::string claim_details(const ClaimStatus& claim);
std::string persistent_volume_details(const PersistentVolumeStatus& volume);
std::string storage_class_details(const StorageClassStatus& storage_class);
std::string snapshot_details(const VolumeSnapshotStatus& snapshot);
/// What a person can do about a claim that is not bound. Never empty.
std::string claim_advice(const ClaimStatus& claim);
/// Of a volume of a pod: the line that says how its claim is and who tells more; empty if there is nothing to
/// say.
std::string claim_story(const ClaimStatus& claim);

// What -o json and -o yaml print. Part of the contract: fields are only ever added.
Json claim_json(const ClaimStatus& claim);
Json persistent_volume_json(const PersistentVolumeStatus& volume);
Json storage_class_json(const StorageClassStatus& storage_class);
Json snapshot_json(const VolumeSnapshotStatus& snapshot);
Json candidates_json(const std::vector<ClaimCandidate>& candidates);
/// {"total": 3, "bound": 1, "pending": 1, "lost": 1}.
Json claim_counts_json(const std::vector<ClaimStatus>& claims);
/// "1 of 3 claims bound, 1 pending, 1 lost".
std::string claim_counts(const std::vector<ClaimStatus>& claims);

}  // namespace mooring::ctl
