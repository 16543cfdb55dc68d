#include "actual/actual_state.h"

#include <algorithm>

#include "base/quote.h"

namespace mooring {

ActualVolume* ActualPod::find(const VolumeName& name) {
  const auto found =
      std::find_if(volumes.begin(), volumes.end(), [&](const auto& v) { return v.name == name; });
  return found == volumes.end() ? nullptr : &*found;
}

const ActualVolume* ActualPod::find(const VolumeName& name) const {
  const auto found =
      std::find_if(volumes.begin(), volumes.end(), [&](const auto& v) { return v.name == name; });
  return found == volumes.end() ? nullptr : &*found;
}

ActualPod* ActualState::find(const PodUid& uid) {
  const auto found = pods_.find(uid);
  return found == pods_.end() ? nullptr : &found->second;
}

const ActualPod* ActualState::find(const PodUid& uid) const {
  const auto found = pods_.find(uid);
  return found == pods_.end() ? nullptr : &found->second;
}

ActualPod& ActualState::ensure(const PodUid& uid, const ObjectKey& key) {
  ActualPod& pod = pods_[uid];
  if (pod.key.name.empty()) pod.key = key;
  return pod;
}

ActualDevice* ActualState::find_device(const VolumeKey& key) {
  const auto found = devices_.find(key);
  return found == devices_.end() ? nullptr : &found->second;
}

const ActualDevice* ActualState::find_device(const VolumeKey& key) const {
  const auto found = devices_.find(key);
  return found == devices_.end() ? nullptr : &found->second;
}

ActualDevice& ActualState::ensure_device(const VolumeKey& key) {
  ActualDevice& device = devices_[key];
  device.key = key;
  return device;
}

void ActualState::adopt_devices(const std::vector<DeviceRecord>& records, const MountTable& mounts,
                                const std::string& root_dir) {
  for (const DeviceRecord& record : records) {
    ActualDevice& device = ensure_device(record.key);
    device.plugin = record.plugin;
    device.name = record.device;
    device.staged_path = record.staged_path;
    device.capacity_bytes = record.capacity_bytes;
    device.is_recorded = true;
    const bool is_mounted =
        !record.staged_path.empty() && mounts.top_at(root_dir + "/" + record.staged_path) != nullptr;
    device.state = is_mounted ? DeviceState::Staged : DeviceState::Detached;
    // Of a driver's volume the mount alone proves nothing: the driver is asked, which changes nothing.
    device.may_be_staged = true;
    device.is_uncertain = !is_mounted || record.device.kind == DeviceName::Kind::Csi;
  }
}

std::vector<std::string> ActualState::adopt(const std::vector<PodRecord>& records, const TreeFacts& tree) {
  // Pods whose manifests were read first are known by now, but nothing was done for them yet: what records
  // and disk tell is all there is.
  for (auto& [uid, pod] : pods_)
    pod.volumes.clear();
  for (const PodRecord& record : records) {
    ActualPod& pod = ensure(record.uid, {record.name_space, record.name});
    pod.is_recorded = true;
    pod.directory_may_exist = true;
    for (const VolumeRecord& volume : record.volumes) {
      ActualVolume& adopted = pod.volumes.emplace_back();
      adopted.name = volume.name;
      adopted.plugin = volume.plugin;
      adopted.directory = volume.directory;
      adopted.shape = volume.shape;
      adopted.is_shared = volume.is_shared;
      adopted.is_incomplete = volume.is_incomplete;
      adopted.device = volume.device;
      adopted.unmount_policy = volume.unmount_policy;
      adopted.state = PublishState::Uncertain;
      adopted.may_be_published = true;
      adopted.is_recorded = true;
    }
  }
  std::vector<std::string> strangers;
  for (const FoundPod& found : tree.pods) {
    const bool is_empty = found.volumes.empty() && found.strangers.empty();
    if (!found.has_stamp && !is_empty) {
      // The stamp comes first and goes last, so what is in a directory without one is somebody else's,
      // whatever record or manifest has its uid.
      strangers.push_back("pods/" + found.uid.str() +
                          " was not made by Mooring (it holds data and has no stamp); it is left alone");
      continue;
    }
    const ObjectName name = found.name.empty() ? ObjectName(found.uid.str()) : found.name;
    ActualPod& pod = ensure(found.uid, {found.name_space, name});
    pod.directory_may_exist = true;
    for (const FoundVolume& volume : found.volumes) {
      const auto known = std::find_if(pod.volumes.begin(), pod.volumes.end(), [&](const ActualVolume& v) {
        return v.directory == volume.directory && v.plugin == volume.plugin;
      });
      const Found what = volume.is_mount_root ? Found::Mount : Found::Directory;
      if (known != pod.volumes.end()) {
        known->found = what;
      } else {
        ActualVolume& adopted = pod.volumes.emplace_back();
        adopted.name = VolumeName(volume.directory.str());
        adopted.plugin = volume.plugin;
        adopted.directory = volume.directory;
        adopted.state = PublishState::Uncertain;
        adopted.may_be_published = true;
        adopted.found = what;
        adopted.is_incomplete = true;  // Nobody knows.
      }
    }
  }
  return strangers;
}

PodRecord make_record(const PodUid& uid, const ActualPod& pod) {
  PodRecord record{uid, pod.key.name_space, pod.key.name, {}};
  for (const ActualVolume& volume : pod.volumes) {
    if (!volume.directory.empty())
      record.volumes.push_back({volume.name, volume.plugin, volume.directory, volume.shape, volume.is_shared,
                                volume.is_incomplete, volume.device, volume.unmount_policy});
  }
  return record;
}

DeviceRecord make_record(const ActualDevice& device) {
  return {device.key, device.plugin, device.name, device.staged_path, device.capacity_bytes};
}

namespace {

/// "<root>/pods/<uid>/..." → uid; empty if `path` is no such path.
std::string_view pod_of(std::string_view path, const std::string& prefix) {
  if (!path.starts_with(prefix)) return {};
  path.remove_prefix(prefix.size());
  return path.substr(0, path.find('/'));
}

bool same_mount(const MountFact* a, const MountFact* b) {
  return a->mount_point == b->mount_point && a->id == b->id && a->type == b->type &&
         a->options == b->options && a->super_options == b->super_options;
}

}  // namespace

std::vector<PodUid> pods_with_changed_mounts(const MountTable& before, const MountTable& after,
                                             const std::string& root_dir) {
  const std::string pods_dir = root_dir == "/" ? "/pods" : root_dir + "/pods";
  const std::vector<const MountFact*> old_mounts = before.below(pods_dir);
  const std::vector<const MountFact*> new_mounts = after.below(pods_dir);
  std::vector<PodUid> pods;
  const auto touch = [&](const MountFact* fact) {
    const std::string_view uid = pod_of(fact->mount_point, pods_dir + "/");
    if (!uid.empty() && (pods.empty() || pods.back().str() != uid)) pods.emplace_back(uid);
  };
  // Both lists are sorted by mount point: one walk finds what only one of them has.
  auto a = old_mounts.begin();
  auto b = new_mounts.begin();
  while (a != old_mounts.end() || b != new_mounts.end()) {
    if (b == new_mounts.end() || (a != old_mounts.end() && (*a)->mount_point < (*b)->mount_point)) {
      touch(*a++);
    } else if (a == old_mounts.end() || (*b)->mount_point < (*a)->mount_point) {
      touch(*b++);
    } else {
      if (!same_mount(*a, *b)) touch(*a);
      ++a;
      ++b;
    }
  }
  std::sort(pods.begin(), pods.end());
  pods.erase(std::unique(pods.begin(), pods.end()), pods.end());
  return pods;
}

}  // namespace mooring
