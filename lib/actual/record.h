#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "facts/device.h"
#include "step/device_steps.h"

namespace mooring {

/// What may exist on the node for one pod: written to `<run dir>/pods/<uid>.json` before the first step for
/// the pod, removed after the last. On a tmpfs, so it lives exactly as long as mounts do. No secret is ever
/// in it.
///
///     {"version":1,"uid":"...","namespace":"default","name":"web",
///      "volumes":[{"name":"cache","plugin":"kubernetes.io/empty-dir","directory":"cache",
///                  "shape":"directory","shared":true}]}
struct VolumeRecord {
  VolumeName name;
  PluginName plugin;
  VolumeDirectory directory;
  std::string shape = {};                               ///< See ActualVolume; may be empty.
  bool is_shared = false;                               ///< See ActualVolume.
  bool is_incomplete = false;                           ///< See ActualVolume.
  VolumeKey device = {};                                ///< See ActualVolume.
  UnmountPolicy unmount_policy = UnmountPolicy::Force;  ///< See ActualVolume.
  friend bool operator==(const VolumeRecord&, const VolumeRecord&) = default;
};

struct PodRecord {
  PodUid uid;
  Namespace name_space;
  ObjectName name;
  std::vector<VolumeRecord> volumes;
  friend bool operator==(const PodRecord&, const PodRecord&) = default;
};

std::string encode_record(const PodRecord& record);
/// Final, "BadRecord" for anything but a record of this version.
Result<PodRecord> decode_record(std::string_view bytes);

/// What may exist on the node of a volume that pods share: written to `<run dir>/devices/<key>.json` before
/// it is attached, removed after it is detached.
///
///     {"version":1,"volume":"kubernetes.io/block/data","plugin":"kubernetes.io/block",
///      "device":{"kind":"image","name":"/srv/data.img"},"staged":"plugins/kubernetes.io/block/mounts/data"}
struct DeviceRecord {
  VolumeKey key;
  PluginName plugin;
  DeviceName device;
  std::string staged_path = {};      ///< See DeviceRecipe.
  std::uint64_t capacity_bytes = 0;  ///< What it was staged for, once it was.
  friend bool operator==(const DeviceRecord&, const DeviceRecord&) = default;
};

std::string encode_device_record(const DeviceRecord& record);
/// Final, "BadRecord" for anything but a device's record of this version.
Result<DeviceRecord> decode_device_record(std::string_view bytes);

}  // namespace mooring
