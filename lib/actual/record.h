#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

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
  std::string shape = {};      ///< See ActualVolume; may be empty.
  bool is_shared = false;      ///< See ActualVolume.
  bool is_incomplete = false;  ///< See ActualVolume.
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

}  // namespace mooring
