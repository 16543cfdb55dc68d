#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/secret_bytes.h"
#include "csi/requests.h"
#include "facts/csi_controller.h"

namespace mooring::csi {

// The requests of a CSI driver's controller service, written as those of its node service are
// (csi/requests.h).

inline constexpr const char* create_volume_method = "csi.v1.Controller/CreateVolume";
inline constexpr const char* delete_volume_method = "csi.v1.Controller/DeleteVolume";
inline constexpr const char* controller_publish_method = "csi.v1.Controller/ControllerPublishVolume";
inline constexpr const char* controller_unpublish_method = "csi.v1.Controller/ControllerUnpublishVolume";
inline constexpr const char* controller_expand_method = "csi.v1.Controller/ControllerExpandVolume";
inline constexpr const char* create_snapshot_method = "csi.v1.Controller/CreateSnapshot";
inline constexpr const char* delete_snapshot_method = "csi.v1.Controller/DeleteSnapshot";

/// ControllerPublishVolumeRequest.
struct ControllerPublishRequest {
  const std::string& volume_id;
  const std::string& node_id;  ///< What the driver itself calls the node (NodeGetInfo).
  const CsiCapability& capability;
  bool read_only = false;
  const Secrets& secrets;
  const Context& volume_context;
};
/// ControllerExpandVolumeRequest.
struct ControllerExpandRequest {
  const std::string& volume_id;
  std::uint64_t required_bytes = 0;
  const CsiCapability& capability;
  const Secrets& secrets;
};
/// CreateSnapshotRequest. The same name is the same snapshot.
struct SnapshotRequest {
  const std::string& source_volume_id;
  const std::string& name;
  const Secrets& secrets;
  const Context& parameters;
};

/// CreateVolumeRequest.
SecretBytes create_volume_request(const CsiVolumeRequest& request, const Secrets& secrets);
SecretBytes delete_volume_request(std::string_view volume_id, const Secrets& secrets);
SecretBytes controller_publish_request(const ControllerPublishRequest& request);
SecretBytes controller_unpublish_request(std::string_view volume_id, std::string_view node_id,
                                         const Secrets& secrets);
SecretBytes controller_expand_request(const ControllerExpandRequest& request);
SecretBytes create_snapshot_request(const SnapshotRequest& request);
SecretBytes delete_snapshot_request(std::string_view snapshot_id, const Secrets& secrets);

}  // namespace mooring::csi
