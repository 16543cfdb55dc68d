#pragma once

#include "provision/provisioner.h"

namespace mooring {

/// directory.mooring.io: a directory of this node for each claim, as a `local` volume.
///
///     parameters:
///       path: /srv/volumes     # where the directories are made; <root directory>/volumes if it is left out
///       mode: "0770"           # 0777 if it is left out, so that a container that is not root can write
///
/// The class may have no mountOptions but ro. Where the file system has project quotas the directory holds
/// what the claim requests, and no more.
class DirectoryProvisioner final : public Provisioner {
 public:
  const std::string& name() const override;
  Result<ProvisionedVolume> provision(const ProvisionRequest& request) const override;
  ProvisionWork make(const ProvisionedVolume& volume) const override;
  ProvisionWork remove(const ProvisionedVolume& volume) const override;
  ProvisionWork grow(const ProvisionedVolume& volume) const override;
};

}  // namespace mooring
