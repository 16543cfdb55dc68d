#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/quantity.h"
#include "manifest/origin.h"

namespace mooring::manifest {

struct EmptyDirSource {
  enum class Medium : std::uint8_t { Default, Memory, HugePages };
  Medium medium = Medium::Default;
  std::optional<Quantity> huge_page_size;  ///< Of "HugePages-2Mi"; nullopt for plain "HugePages".
  std::optional<Quantity> size_limit;
};

struct HostPathSource {
  std::string path;
  std::string type;  ///< "" or one of the seven names; validated.
};

struct NfsSource {
  std::string server;
  std::string path;
  bool read_only = false;
};

struct KeyToPath {
  std::string key;
  std::string path;
  std::optional<std::uint32_t> mode;
};

struct ConfigMapSource {
  std::string name;
  std::vector<KeyToPath> items;
  std::uint32_t default_mode = 0644;
  bool optional = false;
};

struct SecretSource {
  std::string secret_name;
  std::vector<KeyToPath> items;
  std::uint32_t default_mode = 0644;
  bool optional = false;
};

struct FieldReference {
  std::string field_path;
};

struct ResourceReference {
  std::string container_name;
  std::string resource;
  Quantity divisor = Quantity::from_integer(1);
};

struct DownwardApiItem {
  std::string path;
  std::variant<FieldReference, ResourceReference> value;
  std::optional<std::uint32_t> mode;
};

struct DownwardApiSource {
  std::vector<DownwardApiItem> items;
  std::uint32_t default_mode = 0644;
};

struct ServiceAccountTokenProjection {
  std::string path;
  std::string audience;
  std::int64_t expiration_seconds = 3600;
};

/// A projection that is understood well enough to be refused by name ("clusterTrustBundle",
/// "podCertificate").
struct OtherProjection {
  std::string kind;
};

using Projection = std::variant<ConfigMapSource, SecretSource, DownwardApiSource,
                                ServiceAccountTokenProjection, OtherProjection>;

struct ProjectedSource {
  std::vector<Projection> sources;
  std::uint32_t default_mode = 0644;
};

struct ClaimSource {
  std::string claim_name;
  bool read_only = false;
};

struct CsiSource {
  std::string driver;
  std::string file_system_type;
  bool read_only = false;
  std::map<std::string, std::string> attributes;
  std::string publish_secret_name;
};

struct FlexVolumeSource {
  std::string driver;
  std::string file_system_type;
  bool read_only = false;
  std::map<std::string, std::string> options;
  std::string secret_name;
};

/// A source that is valid Kubernetes and has no plugin here yet: "iscsi", "rbd", "image", "ephemeral"...
struct OtherSource {
  std::string kind;  ///< The key under which the source stands in the manifest.
};

using VolumeSource =
    std::variant<EmptyDirSource, HostPathSource, NfsSource, ConfigMapSource, SecretSource, DownwardApiSource,
                 ProjectedSource, ClaimSource, CsiSource, FlexVolumeSource, OtherSource>;

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

struct EnvironmentVariable {
  std::string name;
  std::string value;
  std::string field_path;  ///< Of valueFrom.fieldRef; empty otherwise.
};

struct Container {
  ContainerName name;
  ContainerKind kind = ContainerKind::Regular;
  std::vector<VolumeMount> mounts;
  std::vector<VolumeDevice> devices;
  std::vector<EnvironmentVariable> environment;
  std::map<std::string, Quantity> limits;
  std::map<std::string, Quantity>
      requests;  ///< A resource without a request has its limit here (defaulting).
  std::optional<std::int64_t> run_as_user;
  bool privileged = false;
};

enum class GroupChangePolicy : std::uint8_t { Always, OnRootMismatch };

struct PodSecurity {
  std::optional<std::int64_t> fs_group;
  GroupChangePolicy fs_group_change_policy = GroupChangePolicy::Always;
  std::optional<std::int64_t> run_as_user;
  std::vector<std::int64_t> supplemental_groups;
  std::string selinux_level;  ///< "user:role:type:level" as far as given; empty: none.
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
