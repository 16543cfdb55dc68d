#include "manifest/kinds.h"

#include <algorithm>
#include <array>

#include "base/quote.h"
#include "manifest/decode.h"

namespace mooring::manifest {
namespace {

/// A kind that Mooring reads, by its API group (empty: the core group) and name.
struct ReadKind {
  std::string_view group;
  std::string_view kind;
  std::optional<Object> (*decode)(const Field&);
};

template <Workload::Kind K>
std::optional<Object> decode_workload_of(const Field& document) {
  return decode_workload(document, K);
}

constexpr std::array<ReadKind, 17> read_kinds{{
    {"", "Pod", decode_pod_object},
    {"", "ConfigMap", decode_config_map},
    {"", "Secret", decode_secret},
    {"", "PersistentVolume", decode_persistent_volume},
    {"", "PersistentVolumeClaim", decode_claim_object},
    {"storage.k8s.io", "StorageClass", decode_storage_class},
    {"storage.k8s.io", "CSIDriver", decode_csi_driver},
    {"storage.k8s.io", "VolumeAttachment", decode_volume_attachment},
    {"snapshot.storage.k8s.io", "VolumeSnapshot", decode_volume_snapshot},
    {"snapshot.storage.k8s.io", "VolumeSnapshotClass", decode_snapshot_class},
    {"snapshot.storage.k8s.io", "VolumeSnapshotContent", decode_snapshot_content},
    {"apps", "Deployment", decode_workload_of<Workload::Kind::Deployment>},
    {"apps", "StatefulSet", decode_workload_of<Workload::Kind::StatefulSet>},
    {"apps", "DaemonSet", decode_workload_of<Workload::Kind::DaemonSet>},
    {"extensions", "Deployment", decode_workload_of<Workload::Kind::Deployment>},
    {"extensions", "DaemonSet", decode_workload_of<Workload::Kind::DaemonSet>},
    {"batch", "Job", decode_workload_of<Workload::Kind::Job>},
}};

/// Kinds of Kubernetes itself that Mooring has no use for (the API reference of 1.34, and what earlier
/// versions had).
constexpr std::array<std::string_view, 64> ignored_kinds{"APIService",
                                                         "Binding",
                                                         "CSINode",
                                                         "CSIStorageCapacity",
                                                         "CertificateSigningRequest",
                                                         "ClusterRole",
                                                         "ClusterRoleBinding",
                                                         "ClusterTrustBundle",
                                                         "ComponentStatus",
                                                         "ControllerRevision",
                                                         "CronJob",
                                                         "CustomResourceDefinition",
                                                         "DeviceClass",
                                                         "Endpoints",
                                                         "EndpointSlice",
                                                         "Event",
                                                         "Eviction",
                                                         "FlowSchema",
                                                         "HorizontalPodAutoscaler",
                                                         "IPAddress",
                                                         "Ingress",
                                                         "IngressClass",
                                                         "Lease",
                                                         "LeaseCandidate",
                                                         "LimitRange",
                                                         "LocalSubjectAccessReview",
                                                         "MutatingAdmissionPolicy",
                                                         "MutatingAdmissionPolicyBinding",
                                                         "MutatingWebhookConfiguration",
                                                         "Namespace",
                                                         "NetworkPolicy",
                                                         "Node",
                                                         "PodCertificateRequest",
                                                         "PodDisruptionBudget",
                                                         "PodPreset",
                                                         "PodSecurityPolicy",
                                                         "PodTemplate",
                                                         "PriorityClass",
                                                         "PriorityLevelConfiguration",
                                                         "ReplicaSet",
                                                         "ReplicationController",
                                                         "ResourceClaim",
                                                         "ResourceClaimTemplate",
                                                         "ResourceQuota",
                                                         "ResourceSlice",
                                                         "Role",
                                                         "RoleBinding",
                                                         "RuntimeClass",
                                                         "Scale",
                                                         "SelfSubjectAccessReview",
                                                         "SelfSubjectReview",
                                                         "SelfSubjectRulesReview",
                                                         "Service",
                                                         "ServiceAccount",
                                                         "ServiceCIDR",
                                                         "StorageVersion",
                                                         "StorageVersionMigration",
                                                         "SubjectAccessReview",
                                                         "TokenRequest",
                                                         "TokenReview",
                                                         "ValidatingAdmissionPolicy",
                                                         "ValidatingAdmissionPolicyBinding",
                                                         "ValidatingWebhookConfiguration",
                                                         "VolumeAttributesClass"};

/// A group that only custom resources are in.
bool is_custom_group(std::string_view group) {
  return group.find('.') != std::string_view::npos &&
         std::none_of(read_kinds.begin(), read_kinds.end(),
                      [&](const ReadKind& k) { return k.group == group; });
}

/// Custom resources of these names exist (OpenKruise's StatefulSet, Volcano's Job).
bool is_workload(std::string_view kind) {
  return kind == "Deployment" || kind == "StatefulSet" || kind == "DaemonSet" || kind == "Job";
}

}  // namespace

bool is_read_kind(std::string_view kind) {
  return std::any_of(read_kinds.begin(), read_kinds.end(), [&](const ReadKind& k) { return k.kind == kind; });
}

KindRule rule_for(std::string_view api_version, std::string_view kind) {
  const std::size_t slash = api_version.find('/');
  const std::string_view group =
      slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
  const ReadKind* namesake = nullptr;
  for (const ReadKind& known : read_kinds) {
    if (known.kind != kind) continue;
    if (known.group == group) return {known.decode, {}, false, false};
    if (namesake == nullptr) namesake = &known;
  }
  if (namesake != nullptr) {
    if (is_workload(kind) && is_custom_group(group) && !group.ends_with(".k8s.io")) return {};
    const std::string right = namesake->group.empty() ? "v1" : std::string(namesake->group) + "/v1";
    return {nullptr, "must be " + right + " for a " + std::string(kind) + ", and is " + quoted(api_version),
            true, false};
  }
  if (std::find(ignored_kinds.begin(), ignored_kinds.end(), kind) != ignored_kinds.end())
    return {nullptr, {}, false, true};
  if (is_custom_group(group)) return {};
  return {nullptr, "there is no kind " + quoted(kind) + " in " + quoted(api_version), false, false};
}

}  // namespace mooring::manifest
