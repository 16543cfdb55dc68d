#include "desired/desired_state.h"

#include <set>

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
  std::set<VolumeName> names;
  for (const manifest::Container& container : pod.containers) {
    for (const manifest::VolumeMount& mount : container.mounts)
      names.insert(mount.name);
    for (const manifest::VolumeDevice& device : container.devices)
      names.insert(device.name);
  }
  std::vector<const manifest::Volume*> used;
  used.reserve(names.size());
  for (const manifest::Volume& volume : pod.volumes) {
    if (names.contains(volume.name)) used.push_back(&volume);
  }
  return used;
}

const manifest::Volume* DesiredPod::find_used(const VolumeName& name) const {
  const auto found = used_by_name.find(name);
  return found == used_by_name.end() ? nullptr : found->second;
}

const DesiredPod* DesiredState::find(const PodUid& uid) const {
  const auto found = pods_.find(uid);
  return found == pods_.end() ? nullptr : &found->second;
}

void DesiredState::put(DesiredPod pod) {
  const PodUid uid = pod.pod->uid;
  pod.used = used_volumes(*pod.pod);
  pod.used_by_name.clear();
  for (const manifest::Volume* volume : pod.used)
    pod.used_by_name.emplace(volume->name, volume);
  pods_[uid] = std::move(pod);
}

void DesiredState::erase(const PodUid& uid) {
  pods_.erase(uid);
}

}  // namespace mooring
