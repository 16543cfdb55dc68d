#pragma once

#include "driver/drivers.h"
#include "provision/provisioner.h"

namespace mooring {

/// Has volumes made by a CSI driver that has a controller service on this node, for the classes that name the
/// driver (external-provisioner).
///
/// The driver knows a volume by its name (pvc-<uid>) until it has said its handle. So the request is kept
/// with the volume, whole and as it was first made, in `parameters`: whoever repeats it asks for the same
/// volume, whatever became of the claim, the class or the driver's abilities meanwhile.
///
///     bytes                      the capacity that was asked for first
///     multiWriter                "true": the driver knows SINGLE_NODE_MULTI_WRITER
///     parameter/KEY              parameters of the class, for the driver
///     topology/KEY               where the volume must be reachable from: this node
///     snapshot, volume           what it is made from, as the driver names it
///     secret                     namespace/name of the secret of CreateVolume and DeleteVolume
///     node                       this node
///     handle                     what the driver calls it; not there until the driver has said so
///
/// All else is in the PersistentVolume, whose volumeHandle is the volume's name until the driver has said it.
class CsiProvisioner : public Provisioner {
 public:
  explicit CsiProvisioner(CsiDriver driver);

  const std::string& name() const override;
  /// Besides the errors of all: "DataSourceUnsupported" if the driver makes no copies of that.
  Result<ProvisionedVolume> provision(const ProvisionRequest& request) const override;
  ProvisionWork make(const ProvisionedVolume& volume) const override;
  /// A volume of unknown handle is asked for again first: it may be there.
  ProvisionWork remove(const ProvisionedVolume& volume) const override;
  /// No steps if the driver leaves growing to the node.
  ProvisionWork grow(const ProvisionedVolume& volume) const override;
  /// Handle, attributes and capacity as the driver says; what it leaves to the node when it made it larger
  /// (facts/csi_growth.h); and this node alone if the driver names places,
  /// since places are not among the labels that nodes have here.
  ProvisionedVolume with_made(ProvisionedVolume volume, const CsiMade& made) const override;
  /// Once the driver has said the handle.
  bool is_known(const ProvisionedVolume& volume) const override;

 private:
  CsiDriver driver_;
};

/// The annotation of a StorageClass by which the driver is also told whose a volume is: the parameters
/// csi.storage.k8s.io/pvc/name, pvc/namespace and pv/name. As --extra-create-metadata of
/// external-provisioner; not all drivers bear parameters that they do not know. Of a VolumeSnapshotClass see
/// read_snapshot_class().
inline constexpr const char* extra_create_metadata = "mooring.io/extra-create-metadata";

/// The annotations of a PersistentVolume that say which secret its deletion needs; empty: none.
inline constexpr const char* deletion_secret_name = "volume.kubernetes.io/provisioner-deletion-secret-name";
inline constexpr const char* deletion_secret_namespace =
    "volume.kubernetes.io/provisioner-deletion-secret-namespace";

}  // namespace mooring
