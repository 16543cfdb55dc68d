#pragma once

#include "provision/provisioner.h"

namespace mooring {

/// A directory below an export for each claim, as an `nfs` volume; a site that uses
/// k8s-sigs.io/nfs-subdir-external-provisioner keeps its classes.
///
///     parameters:
///       pathPattern: ${.PVC.namespace}/${.PVC.name}  # below the export (path_pattern.h);
///                                                    # <namespace>-<claim>-<volume> if it gives nothing
///       onDelete: delete                             # or retain; counts before archiveOnDelete
///       archiveOnDelete: "true"                      # "true" if it is left out: the directory is renamed to
///                                                    # archived-<its last element>, right below the export
class NfsProvisioner final : public Provisioner {
 public:
  explicit NfsProvisioner(NfsExport from) : export_(std::move(from)) {}

  const std::string& name() const override { return export_.provisioner; }
  /// Besides: "InvalidExport" if the configuration names no server or no clean absolute path.
  Result<ProvisionedVolume> provision(const ProvisionRequest& request) const override;
  ProvisionWork make(const ProvisionedVolume& volume) const override;
  ProvisionWork remove(const ProvisionedVolume& volume) const override;
  ProvisionWork grow(const ProvisionedVolume& volume) const override;

 private:
  NfsExport export_;
};

}  // namespace mooring
