#pragma once

#include "plugin/device_volume.h"

namespace mooring {

/// Kubernetes' local PersistentVolumes (kubelet-behaviours 13.4): a directory of the node, bound for each
/// pod, or a block device. A device is what lies below /dev, has an fsType, or is asked for as a device
/// (volumeMode: Block); anything else is a directory. A blank device is formatted, as in Kubernetes, unless
/// the annotation mooring.io/format of the PersistentVolume says Never.
class LocalPlugin final : public DeviceVolumePlugin {
 public:
  PluginName name() const override;
  bool takes(const manifest::VolumeSource& source) const override;
  /// Besides the errors of what the pod asks for: "InvalidLocalVolume", "MountOptionsUnsupported".
  Result<Recipe> recipe(const RecipeRequest& request) const override;
};

}  // namespace mooring
