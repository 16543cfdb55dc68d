#pragma once

#include "plugin/device_volume.h"

namespace mooring {

/// Block devices and images of the node, as CSI volumes of the driver block.mooring.io: of a
/// PersistentVolume, or of the pod itself.
///
///     csi:
///       driver: block.mooring.io
///       volumeHandle: data-1           # what the volume is called on this node; not of a pod's own
///       fsType: ext4                   # ext4 if it is left out
///       readOnly: false
///       volumeAttributes:              # one of the first five
///         device: /dev/disk/by-id/...  # any path of a block device
///         uuid: ...                    # of the file system on it
///         label: ...
///         wwid: ...                    # as /sys/block/*/wwid has it
///         image: /srv/data.img         # a file, attached by a loop device
///         size: 10Gi                   # of an image: made, sparse, if it is not there; grows with the
///         capacity format: IfBlank              # or Never: the default, but for an image with a size
class BlockPlugin final : public DeviceVolumePlugin {
 public:
  PluginName name() const override;
  bool takes(const manifest::VolumeSource& source) const override;
  /// Besides the errors of what the pod asks for: "InvalidVolumeAttributes", "InvalidVolumeHandle".
  Result<Recipe> recipe(const RecipeRequest& request) const override;
};

}  // namespace mooring
