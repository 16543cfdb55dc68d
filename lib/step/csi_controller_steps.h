#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/secret_bytes.h"
#include "facts/csi_controller.h"
#include "step/csi_steps.h"

namespace mooring {

// Steps on volumes of CSI drivers where those keep them: each is a call of a driver's controller service, and
// nothing of this node is touched. An error is Transient or Final if the driver is surely not at it, and
// Uncertain if it may be (csi/controller_errors.h). Then the same step is repeated until the answer is
// certain: a driver knows what it is at by the name, or by the handle, which stays the same.

/// CreateVolume. `volume.handle` is empty: the outcome has it (CsiCreatedVolume), and until that is kept
/// somewhere the driver knows the volume by `request.name` alone. What is smaller than asked for, or is not
/// made from its source, is deleted again ("UnfitVolume"). Inverse: DeleteCsiVolume.
struct CreateCsiVolume {
  CsiVolume volume;
  CsiVolumeRequest request;
  std::map<std::string, SecretBytes> secrets;
  friend bool operator==(const CreateCsiVolume&, const CreateCsiVolume&) = default;
};

/// DeleteVolume. If nobody knows the handle, because an answer was lost or never waited for, CreateVolume is
/// repeated with `request` first, which says it; a driver that says that there can be no such volume has
/// nothing to delete.
struct DeleteCsiVolume {
  CsiVolume volume;
  CsiVolumeRequest request;  ///< As it was made; of no use if the handle is known.
  std::map<std::string, SecretBytes> secrets;
  friend bool operator==(const DeleteCsiVolume&, const DeleteCsiVolume&) = default;
};

/// ControllerPublishVolume: attaches the volume to a node. The outcome has what the node's calls are told
/// (CsiPublishContext). With a `stamp`, that is on disk before the driver is asked, and is what a later run
/// knows the attachment by, also after a reboot; it goes again if the driver is surely not at it and was not
/// before. Inverse: UnpublishCsiController.
struct PublishCsiController {
  CsiVolume volume;
  std::string node_id;  ///< What the driver itself calls the node.
  CsiCapability capability;
  bool read_only = false;  ///< Only for drivers that can (PUBLISH_READONLY).
  std::map<std::string, std::string> volume_context;
  std::map<std::string, SecretBytes> secrets;
  std::string stamp = {};                          ///< Relative; empty: none is kept.
  std::optional<ObjectKey> secret = std::nullopt;  ///< Where `secrets` are from, for the stamp.
  std::string staged_path = {};                    ///< Likewise: where it is to be staged.
  friend bool operator==(const PublishCsiController&, const PublishCsiController&) = default;
};

/// ControllerUnpublishVolume: only when nothing of the volume is left on the node. With a `stamp`, which is
/// removed after it; none there is success, without a call: the driver was never asked to attach.
struct UnpublishCsiController {
  CsiVolume volume;
  std::string node_id;
  std::map<std::string, SecretBytes> secrets;
  std::string stamp = {};
  friend bool operator==(const UnpublishCsiController&, const UnpublishCsiController&) = default;
};

/// ControllerExpandVolume. The outcome has the new size, and whether the node has its part to do
/// (CsiExpansion). No inverse.
struct ExpandCsiController {
  CsiVolume volume;
  std::uint64_t required_bytes = 0;
  CsiCapability capability;
  std::map<std::string, SecretBytes> secrets;
  friend bool operator==(const ExpandCsiController&, const ExpandCsiController&) = default;
};

/// A snapshot as it is asked for. The same name is the same snapshot.
struct CsiSnapshotRequest {
  std::string name;
  std::map<std::string, std::string> parameters;
  friend bool operator==(const CsiSnapshotRequest&, const CsiSnapshotRequest&) = default;
};

/// CreateSnapshot. The outcome has it (CsiSnapshot); while that is not ready the same step asks how far it
/// is. Inverse: DeleteCsiSnapshot.
struct CreateCsiSnapshot {
  CsiVolume volume;  ///< Of which.
  CsiSnapshotRequest request;
  std::map<std::string, SecretBytes> secrets;
  friend bool operator==(const CreateCsiSnapshot&, const CreateCsiSnapshot&) = default;
};

/// DeleteSnapshot. If nobody knows the snapshot's id, CreateSnapshot is repeated first, as of a volume.
struct DeleteCsiSnapshot {
  CsiVolume volume;         ///< Of which it was made; of no use, but for the driver, if the id is known.
  std::string snapshot_id;  ///< Empty: nobody knows it.
  CsiSnapshotRequest request;
  std::map<std::string, SecretBytes> secrets;
  friend bool operator==(const DeleteCsiSnapshot&, const DeleteCsiSnapshot&) = default;
};

}  // namespace mooring
