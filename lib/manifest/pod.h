#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/quantity.h"
#include "manifest/origin.h"

namespace mooring::manifest {

struct PersistentVolumeClaim;

struct EmptyDirSource {
  enum class Medium : std::uint8_t { Default, Memory, HugePages };
  Medium medium = Medium::Default;
  std::optional<Quantity> huge_page_size;  ///< Of "HugePages-2Mi"; nullopt for plain "HugePages".
  std::optional<Quantity> size_limit;
  friend bool operator==(const EmptyDirSource&, const EmptyDirSource&) = default;
};

struct HostPathSource {
  std::string path;
  std::string type;  ///< "" or one of the seven names; validated.
  friend bool operator==(const HostPathSource&, const HostPathSource&) = default;
};

struct NfsSource {
  std::string server;
  std::string path;
  bool read_only = false;
  friend bool operator==(const NfsSource&, const NfsSource&) = default;
};

struct KeyToPath {
  std::string key;
  std::string path;
  std::optional<std::uint32_t> mode;
  friend bool operator==(const KeyToPath&, const KeyToPath&) = default;
};

struct ConfigMapSource {
  std::string name;
  std::vector<KeyToPath> items;
  std::uint32_t default_mode = 0644;
  bool optional = false;
  friend bool operator==(const ConfigMapSource&, const ConfigMapSource&) = default;
};

struct SecretSource {
  std::string secret_name;
  std::vector<KeyToPath> items;
  std::uint32_t default_mode = 0644;
  bool optional = false;
  friend bool operator==(const SecretSource&, const SecretSource&) = default;
};

struct FieldReference {
  std::string field_path;
  friend bool operator==(const FieldReference&, const FieldReference&) = default;
};

struct ResourceReference {
  std::string container_name;
  std::string resource;
  Quantity divisor = Quantity::from_integer(1);
  friend bool operator==(const ResourceReference&, const ResourceReference&) = default;
};

struct DownwardApiItem {
  std::string path;
  std::variant<FieldReference, ResourceReference> value;
  std::optional<std::uint32_t> mode;
  friend bool operator==(const DownwardApiItem&, const DownwardApiItem&) = default;
};

struct DownwardApiSource {
  std::vector<DownwardApiItem> items;
  std::uint32_t default_mode = 0644;
  friend bool operator==(const DownwardApiSource&, const DownwardApiSource&) = default;
};

struct ServiceAccountTokenProjection {
  std::string path;
  std::string audience;
  std::int64_t expiration_seconds = 3600;
  friend bool operator==(const ServiceAccountTokenProjection&,
                         const ServiceAccountTokenProjection&) = default;
};

/// A projection that is understood well enough to be refused by name ("clusterTrustBundle",
/// "podCertificate").
struct OtherProjection {
  std::string kind;
  friend bool operator==(const OtherProjection&, const OtherProjection&) = default;
};

using Projection = std::variant<ConfigMapSource, SecretSource, DownwardApiSource,
                                ServiceAccountTokenProjection, OtherProjection>;

struct ProjectedSource {
  std::vector<Projection> sources;
  std::uint32_t default_mode = 0644;
  friend bool operator==(const ProjectedSource&, const ProjectedSource&) = default;
};

struct ClaimSource {
  std::string claim_name;
  bool read_only = false;
  friend bool operator==(const ClaimSource&, const ClaimSource&) = default;
};

struct CsiSource {
  std::string driver;
  std::string file_system_type;
  bool read_only = false;
  std::map<std::string, std::string> attributes;
  std::string publish_secret_name;  ///< nodePublishSecretRef; of one that stands in a pod, in its namespace.
  std::string volume_handle;        ///< Of a PersistentVolume; empty for one that stands in a pod.
  // Of a PersistentVolume alone, each with its own namespace.
  std::optional<ObjectKey> controller_publish_secret = std::nullopt;
  std::optional<ObjectKey> node_stage_secret = std::nullopt;
  std::optional<ObjectKey> node_publish_secret = std::nullopt;
  std::optional<ObjectKey> node_expand_secret = std::nullopt;
  std::optional<ObjectKey> controller_expand_secret = std::nullopt;
  friend bool operator==(const CsiSource&, const CsiSource&) = default;
};

struct FlexVolumeSource {
  std::string driver;
  std::string file_system_type;
  bool read_only = false;
  std::map<std::string, std::string> options;
  std::string secret_name;
  std::string secret_namespace = {};  ///< Of a PersistentVolume's; empty: the pod's.
  friend bool operator==(const FlexVolumeSource&, const FlexVolumeSource&) = default;
};

/// A source that is valid Kubernetes and has no plugin here yet: "iscsi", "rbd", "image"...
struct OtherSource {
  std::string kind;  ///< The key under which the source stands in the manifest.
  friend bool operator==(const OtherSource&, const OtherSource&) = default;
};

/// A directory or a block device of the node. Of a PersistentVolume only, never of a pod.
struct LocalSource {
  std::string path;
  std::string file_system_type;
  friend bool operator==(const LocalSource&, const LocalSource&) = default;
};

/// A claim that lives as long as the pod, made from a template: "<pod>-<volume>" (kubelet-behaviours 2.3).
struct EphemeralSource {
  std::shared_ptr<const PersistentVolumeClaim>
      claim_template;  ///< Never nullptr; its name counts for nothing.
  /// By what the templates say, not by where they are.
  friend bool operator==(const EphemeralSource& one, const EphemeralSource& other);
};

/// What a volume is. The place of a kind in this list is part of the names of a Deployment's pods (see
/// fingerprint.cpp): a new one goes to the end.
using VolumeSource = std::variant<EmptyDirSource, HostPathSource, NfsSource, ConfigMapSource, SecretSource,
                                  DownwardApiSource, ProjectedSource, ClaimSource, CsiSource,
                                  FlexVolumeSource, OtherSource, LocalSource, EphemeralSource>;

/// True if the source itself says readOnly: then no container writes to the volume, whatever its mount says.
bool is_read_only(const VolumeSource& source);

/// The CSI driver that is built in: its volumes are block devices of the node (plugin kubernetes.io/block).
inline constexpr std::string_view block_driver = "block.mooring.io";

/// The plugin's name of a source, "kubernetes.io/empty-dir" (DESIGN: on disk '/' becomes '~').
PluginName plugin_name(const VolumeSource& source);

struct Volume {
  VolumeName name;
  VolumeSource source;
};

enum class MountPropagation : std::uint8_t { None, HostToContainer, Bidirectional };
enum class RecursiveReadOnly : std::uint8_t { Disabled, IfPossible, Enabled };

struct VolumeMount {
  VolumeName name;
  std::string mount_path;  ///< As written; a relative one is made absolute when rendered.
  bool read_only = false;
  RecursiveReadOnly recursive_read_only = RecursiveReadOnly::Disabled;
  std::string sub_path;
  std::string sub_path_expression;
  MountPropagation propagation = MountPropagation::None;
};

struct VolumeDevice {
  VolumeName name;
  std::string device_path;
};

enum class ContainerKind : std::uint8_t { Init, Regular, Ephemeral };

struct ConfigMapKeyReference {
  std::string name;
  std::string key;
  bool optional = false;
};

struct SecretKeyReference {
  std::string name;
  std::string key;
  bool optional = false;
};

struct EnvironmentVariable {
  std::string name;
  std::string value;  ///< May refer to variables before it as $(NAME). Empty if there is a source.
  /// valueFrom. A resource without a container's name is of the variable's own container; OtherSource is one
  /// that is valid Kubernetes and cannot be read here ("fileKeyRef").
  std::variant<std::monostate, FieldReference, ResourceReference, ConfigMapKeyReference, SecretKeyReference,
               OtherSource>
      source;
};

/// An item of envFrom: each key of the object is a variable, its name the key behind the prefix.
struct EnvironmentSource {
  enum class Kind : std::uint8_t { ConfigMap, Secret };
  Kind kind = Kind::ConfigMap;
  std::string prefix;
  std::string name;
  bool optional = false;
};

/// What the pod asks for of an SELinux label; each part may be empty: the node's policy decides then.
struct SelinuxOptions {
  std::string user;
  std::string role;
  std::string type;
  std::string level;
};

struct Container {
  ContainerName name;
  ContainerKind kind = ContainerKind::Regular;
  std::vector<VolumeMount> mounts;
  std::vector<VolumeDevice> devices;
  std::vector<EnvironmentVariable> environment;
  std::vector<EnvironmentSource> environment_from;
  std::map<std::string, Quantity> limits;
  std::map<std::string, Quantity>
      requests;  ///< A resource without a request has its limit here (defaulting).
  std::optional<std::int64_t> run_as_user;
  bool privileged = false;
  SelinuxOptions selinux;  ///< Each part that is given stands before the pod's.
};

enum class GroupChangePolicy : std::uint8_t { Always, OnRootMismatch };
/// Merge: the groups that the image gives its user count too.
enum class SupplementalGroupsPolicy : std::uint8_t { Merge, Strict };
enum class SelinuxChangePolicy : std::uint8_t { MountOption, Recursive };

struct PodSecurity {
  std::optional<std::int64_t> fs_group;
  GroupChangePolicy fs_group_change_policy = GroupChangePolicy::Always;
  std::optional<std::int64_t> run_as_user;
  std::vector<std::int64_t> supplemental_groups;
  SupplementalGroupsPolicy supplemental_groups_policy = SupplementalGroupsPolicy::Merge;
  SelinuxOptions selinux;
  SelinuxChangePolicy selinux_change_policy = SelinuxChangePolicy::MountOption;
};

/// status.phase and deletionTimestamp decide whether a pod still counts (kubelet-behaviours 2.1).
struct Pod {
  ObjectKey key;
  PodUid uid;  ///< Never empty: derived_pod_uid() if the manifest has none.
  Origin origin;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::vector<Volume> volumes;
  std::vector<Container> containers;  ///< Init containers first, then regular, then ephemeral ones.
  PodSecurity security;
  std::string node_name;  ///< spec.nodeName; empty: any.
  std::map<std::string, std::string> node_selector;
  std::string service_account;
  bool host_users = true;
  bool is_terminated =
      false;          ///< status.phase is Succeeded or Failed, or it is being deleted and nothing runs.
  std::string owner;  ///< "StatefulSet default/web" for an expanded one; empty otherwise.
};

}  // namespace mooring::manifest
