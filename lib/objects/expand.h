#pragma once

#include <memory>
#include <vector>

#include "manifest/objects.h"

namespace mooring {

/// The pods that a workload makes on this one node, in order, named as Kubernetes names them:
///   StatefulSet web       → web-0, web-1, ... from spec.ordinals.start
///   Deployment web        → web-<hash of the template>-<five letters from the ordinal>
///   DaemonSet web         → web-<five letters>  (one: there is one node)
///   Job pi                → pi-<five letters>   (parallelism many; none while it is suspended)
/// The letters are derived from the workload and the ordinal, not drawn by chance, so that a restart finds
/// the same pods; where two ordinals have the same letters, the later one gets others. A Deployment whose
/// template changed makes pods of new names, as a roll-out does; a StatefulSet keeps its names.
std::vector<std::shared_ptr<const manifest::Pod>> expand(const manifest::Workload& workload);

/// The owner of the claims that the StatefulSet's templates make, with its retention policy.
manifest::ClaimOwner claim_owner(const manifest::Workload& stateful_set);

/// The claims that a StatefulSet's templates make for its pods, "<template>-<pod>", in order; none of other
/// workloads. They have the StatefulSet for their owner, with its retention policy.
std::vector<std::shared_ptr<const manifest::PersistentVolumeClaim>> expand_claims(
    const manifest::Workload& workload);

/// The claims of the pod's ephemeral volumes, "<pod>-<volume>", in order, with the pod for their owner
/// (kubelet-behaviours 2.3).
std::vector<std::shared_ptr<const manifest::PersistentVolumeClaim>> ephemeral_claims(
    const manifest::Pod& pod);

}  // namespace mooring
