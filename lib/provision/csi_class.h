#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "manifest/objects.h"

namespace mooring {

/// What a StorageClass of a CSI driver says about one volume (external-provisioner's reserved parameters,
/// https://kubernetes-csi.github.io/docs/secrets-and-credentials-storage-class.html).
struct CsiClass {
  std::string fs_type;                            ///< csi.storage.k8s.io/fstype; empty: it says none.
  std::map<std::string, std::string> parameters;  ///< For the driver: all that are not reserved.
  // Secrets, each with its namespace; nullopt: none. They need not be there.
  std::optional<ObjectKey> provisioner_secret;
  std::optional<ObjectKey> controller_publish_secret;
  std::optional<ObjectKey> node_stage_secret;
  std::optional<ObjectKey> node_publish_secret;
  std::optional<ObjectKey> controller_expand_secret;
  std::optional<ObjectKey> node_expand_secret;
};

/// Reads it. A secret's name may be made of ${pv.name}, ${pvc.name}, ${pvc.namespace} and
/// ${pvc.annotations['KEY']}, its namespace of ${pv.name} and ${pvc.namespace} alone: the other two are the
/// claim's to choose, and would lead to anybody's secrets. A call without a secret of its own has that of
/// csi.storage.k8s.io/secret-name and secret-namespace. The old keys (csiProvisionerSecretName and so on,
/// fstype) count too, and go on to the driver.
/// Errors, final until the claim or the class changes: "InvalidParameters", for half of a secret, a value
/// that makes no name, one thing said by two keys, and a reserved key that nobody knows.
Result<CsiClass> read_csi_class(const manifest::StorageClass& storage_class,
                                const manifest::PersistentVolumeClaim& claim, const ObjectName& volume);

}  // namespace mooring
