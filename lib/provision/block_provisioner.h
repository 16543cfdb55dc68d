#pragma once

#include "provision/provisioner.h"

namespace mooring {

/// block.mooring.io: an image with a file system of its own, or none (volumeMode Block), for each claim; a
/// `csi` volume of the driver of the same name (plugin/block.h), which makes the image when it is attached.
///
///     parameters:
///       path: /srv/images      # where the images are made; <root directory>/volumes if it is left out
///       fsType: ext4           # or xfs, btrfs; ext4 if it is left out; also as csi.storage.k8s.io/fstype
class BlockProvisioner final : public Provisioner {
 public:
  const std::string& name() const override;
  Result<ProvisionedVolume> provision(const ProvisionRequest& request) const override;
  ProvisionWork make(const ProvisionedVolume& volume) const override;
  ProvisionWork remove(const ProvisionedVolume& volume) const override;
  ProvisionWork grow(const ProvisionedVolume& volume) const override;
};

}  // namespace mooring
