#include "desired/desired_state.h"

#include <algorithm>

namespace mooring {

const char* reason_not_desired(const manifest::Pod& pod, const NodeName& node,
                               const std::map<std::string, std::string>& node_labels) {
  if (pod.is_terminated) return "it has ended";
  if (!pod.node_name.empty() && pod.node_name != node.str()) return "its spec.nodeName is another node";
  for (const auto& [key, value] : pod.node_selector) {
    const auto label = node_labels.find(key);
    if (label == node_labels.end() || label->second != value)
      return "its spec.nodeSelector does not match this node";
  }
  return nullptr;
}

std::vector<const manifest::Volume*> used_volumes(const manifest::Pod& pod) {
  std::vector<const manifest::Volume*> used;
  used.reserve(pod.volumes.size());
  for (const manifest::Volume& volume : pod.volumes) {
    const bool is_used =
        std::any_of(pod.containers.begin(), pod.containers.end(), [&](const auto& container) {
          const auto names_it = [&](const auto& entry) { return entry.name == volume.name; };
          return std::any_of(container.mounts.begin(), container.mounts.end(), names_it) ||
                 std::any_of(container.devices.begin(), container.devices.end(), names_it);
        });
    if (is_used) used.push_back(&volume);
  }
  return used;
}

const DesiredPod* DesiredState::find(const PodUid& uid) const {
  const auto found = pods_.find(uid);
  return found == pods_.end() ? nullptr : &found->second;
}

void DesiredState::put(DesiredPod pod) {
  const PodUid uid = pod.pod->uid;
  pods_[uid] = std::move(pod);
}

void DesiredState::erase(const PodUid& uid) {
  pods_.erase(uid);
}

}  // namespace mooring
