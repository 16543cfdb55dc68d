#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/secret_bytes.h"
#include "facts/csi.h"

namespace mooring::csi {

// The requests of a CSI driver's node service, as JSON with the names of the .proto (CSI 1.9,
// https://github.com/container-storage-interface/spec). What is empty is left out, as protobuf does. A
// request may hold secrets, and so is one as a whole; it is written into memory that is never moved, and so
// leaves no copy behind.

using Context = std::map<std::string, std::string>;
using Secrets = std::map<std::string, SecretBytes>;

inline constexpr const char* stage_method = "csi.v1.Node/NodeStageVolume";
inline constexpr const char* unstage_method = "csi.v1.Node/NodeUnstageVolume";
inline constexpr const char* publish_method = "csi.v1.Node/NodePublishVolume";
inline constexpr const char* unpublish_method = "csi.v1.Node/NodeUnpublishVolume";
inline constexpr const char* expand_method = "csi.v1.Node/NodeExpandVolume";
inline constexpr const char* stats_method = "csi.v1.Node/NodeGetVolumeStats";

/// Under which a driver finds the tokens of the pod's service account, in the volume's context or among the
/// secrets (CSIDriver tokenRequests, serviceAccountTokenInSecrets; kubelet-behaviours 15.3): JSON,
/// `{"<audience>": {"token": ..., "expirationTimestamp": ...}}`.
inline constexpr const char* tokens_key = "csi.storage.k8s.io/serviceAccount.tokens";

/// How long a driver has for one call (kubelet-behaviours 15.3).
inline constexpr std::uint32_t call_deadline_ms = 120'000;

/// NodeStageVolumeRequest. Paths are absolute, here and below.
struct StageRequest {
  const std::string& volume_id;
  const Context& publish_context;
  const std::string& staging_target_path;
  const CsiCapability& capability;
  const Secrets& secrets;
  const Context& volume_context;
};
/// NodePublishVolumeRequest.
struct PublishRequest {
  const std::string& volume_id;
  const Context& publish_context;
  const std::string& staging_target_path;  ///< Empty: the driver does not stage.
  const std::string& target_path;
  const CsiCapability& capability;
  bool read_only = false;
  const Secrets& secrets;
  const Context& volume_context;
  const SecretBytes* tokens =
      nullptr;  ///< Goes into the volume context as `tokens_key`; nullptr, empty: none.
};
/// NodeExpandVolumeRequest.
struct ExpandRequest {
  const std::string& volume_id;
  const std::string& volume_path;
  std::uint64_t required_bytes = 0;
  const std::string& staging_target_path;
  const CsiCapability& capability;
  const Secrets& secrets;
};

SecretBytes stage_request(const StageRequest& request);
SecretBytes unstage_request(std::string_view volume_id, std::string_view staging_target_path);
SecretBytes publish_request(const PublishRequest& request);
SecretBytes unpublish_request(std::string_view volume_id, std::string_view target_path);
SecretBytes expand_request(const ExpandRequest& request);
SecretBytes stats_request(std::string_view volume_id, std::string_view volume_path,
                          std::string_view staging_target_path);

/// What a driver is told of the pod if it asks for that (podInfoOnMount), put into its volume context.
struct PodInfo {
  std::string_view name;
  std::string_view name_space;
  std::string_view uid;
  std::string_view service_account;
  bool is_ephemeral = false;
};
void add_pod_info(const PodInfo& pod, Context& context);

}  // namespace mooring::csi
