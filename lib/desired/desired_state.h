#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "manifest/objects.h"

namespace mooring {

/// A pod that is to have its volumes.
struct DesiredPod {
  std::shared_ptr<const manifest::Pod> pod;
  std::string note;  ///< What a person should know of its manifest; empty: nothing.
  std::vector<const manifest::Volume*> used = {};  ///< used_volumes() of the pod; set by DesiredState::put().

  /// The used volume of that name, or nullptr.
  const manifest::Volume* find_used(const VolumeName& name) const;
  std::map<VolumeName, const manifest::Volume*> used_by_name = {};  ///< Likewise.
};

/// Why a stored pod is not desired, or nullptr: it has ended, or belongs to another node
/// (kubelet-behaviours 2.1).
const char* reason_not_desired(const manifest::Pod& pod, const NodeName& node,
                               const std::map<std::string, std::string>& node_labels);

/// The volumes of a pod that count: those that a container of any kind names in volumeMounts or volumeDevices
/// (kubelet-behaviours 2.2), in the pod's order. A volume that nobody uses is never made.
std::vector<const manifest::Volume*> used_volumes(const manifest::Pod& pod);

/// The desired state of the world: which pods are to have their volumes. Changed pod by pod.
class DesiredState {
 public:
  /// nullptr if the pod is not desired.
  const DesiredPod* find(const PodUid& uid) const;
  void put(DesiredPod pod);
  void erase(const PodUid& uid);
  std::size_t size() const { return pods_.size(); }

 private:
  std::map<PodUid, DesiredPod> pods_;
};

}  // namespace mooring
