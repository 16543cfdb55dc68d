#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/secret_bytes.h"
#include "manifest/driver_objects.h"
#include "manifest/pod.h"

namespace mooring::manifest {

struct ConfigMap {
  ObjectKey key;
  Origin origin;
  std::map<std::string, std::string> data;  ///< data and binaryData (decoded) together.
  bool immutable = false;
};

struct Secret {
  ObjectKey key;
  Origin origin;
  std::string type;
  std::map<std::string, SecretBytes> data;  ///< data (decoded) with stringData over it.
  bool immutable = false;
};

enum class VolumeMode : std::uint8_t { Filesystem, Block };
enum class ReclaimPolicy : std::uint8_t { Retain, Delete, Recycle };
enum class AccessMode : std::uint8_t { ReadWriteOnce, ReadOnlyMany, ReadWriteMany, ReadWriteOncePod };
enum class BindingMode : std::uint8_t { Immediate, WaitForFirstConsumer };

/// A hostPath, nfs, local, csi, flexVolume or other source: the decoder lets no other into a
/// PersistentVolume.
using PersistentSource = VolumeSource;

struct SelectorRequirement {
  std::string key;
  std::string operation;  ///< In, NotIn, Exists, DoesNotExist; of nodes also Gt, Lt.
  std::vector<std::string> values;
  friend bool operator==(const SelectorRequirement&, const SelectorRequirement&) = default;
};
/// All of the requirements; a term that has none fits no node.
struct NodeSelectorTerm {
  std::vector<SelectorRequirement> expressions;  ///< matchExpressions: of the node's labels.
  std::vector<SelectorRequirement> fields;       ///< matchFields: metadata.name, In or NotIn one name.
  friend bool operator==(const NodeSelectorTerm&, const NodeSelectorTerm&) = default;
};
/// Any of the terms.
struct NodeAffinity {
  std::vector<NodeSelectorTerm> terms;
  friend bool operator==(const NodeAffinity&, const NodeAffinity&) = default;
};

struct ClaimReference {
  ObjectKey key;
  std::string uid;
  friend bool operator==(const ClaimReference&, const ClaimReference&) = default;
};

struct PersistentVolume {
  ObjectName name;
  Origin origin;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  Quantity capacity;
  std::set<AccessMode> access_modes;
  /// The one that is written first, which a CSI driver is asked for, if it is not the first of the set.
  std::optional<AccessMode> first_access_mode = std::nullopt;
  VolumeMode volume_mode = VolumeMode::Filesystem;
  ReclaimPolicy reclaim_policy = ReclaimPolicy::Retain;
  std::string storage_class;
  std::vector<std::string> mount_options;
  std::optional<NodeAffinity> node_affinity;
  std::optional<ClaimReference> claim;
  PersistentSource source;
  bool is_being_deleted = false;  ///< metadata.deletionTimestamp is set.
};

/// Who made a claim, and when it goes with that.
struct ClaimOwner {
  enum class Kind : std::uint8_t {
    None,         ///< A manifest of its own.
    StatefulSet,  ///< A template: it stays when its pod goes, unless the policy says otherwise.
    Pod,          ///< An ephemeral volume: it goes with its pod.
  };
  Kind kind = Kind::None;
  ObjectKey key;                     ///< The owner's.
  std::string uid;                   ///< Of a pod.
  bool delete_when_deleted = false;  ///< persistentVolumeClaimRetentionPolicy.whenDeleted: Delete.
  bool delete_when_scaled = false;   ///< .whenScaled: Delete.
  friend bool operator==(const ClaimOwner&, const ClaimOwner&) = default;
};

/// What a new volume is to hold from the beginning (spec.dataSource, spec.dataSourceRef).
struct DataSource {
  std::string api_group;  ///< Empty: the core group.
  std::string kind;
  std::string name;
  std::string name_space;  ///< Of dataSourceRef alone; empty: the claim's own.
  bool is_claim() const { return api_group.empty() && kind == "PersistentVolumeClaim"; }
  bool is_snapshot() const { return api_group == "snapshot.storage.k8s.io" && kind == "VolumeSnapshot"; }
  friend bool operator==(const DataSource&, const DataSource&) = default;
};

struct PersistentVolumeClaim {
  ObjectKey key;
  Origin origin;
  std::string uid;  ///< Empty if the manifest has none; else fit to be part of an object's name.
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::set<AccessMode> access_modes;
  /// As of a PersistentVolume: what is made for the claim has the same order.
  std::optional<AccessMode> first_access_mode = std::nullopt;
  VolumeMode volume_mode = VolumeMode::Filesystem;
  Quantity request;
  std::optional<std::string> storage_class;  ///< nullopt: the default class; "" is no class.
  std::string volume_name;
  std::map<std::string, std::string> match_labels;
  std::vector<SelectorRequirement> match_expressions;
  bool has_selector = false;
  bool is_being_deleted = false;  ///< metadata.deletionTimestamp is set: no pod may start on it.
  ClaimOwner owner = {};
  std::optional<DataSource> data_source = std::nullopt;
};

/// The modes with the one first that was written first; nullopt, or one that is not among them: as the set
/// has them.
std::vector<AccessMode> in_order(const std::set<AccessMode>& modes, std::optional<AccessMode> first);

/// True if the two say the same, wherever they stand.
bool operator==(const PersistentVolume& one, const PersistentVolume& other);
bool operator==(const PersistentVolumeClaim& one, const PersistentVolumeClaim& other);

struct StorageClass {
  ObjectName name;
  Origin origin;
  std::map<std::string, std::string> annotations;
  std::string provisioner;
  std::map<std::string, std::string> parameters;
  ReclaimPolicy reclaim_policy = ReclaimPolicy::Delete;
  BindingMode binding_mode = BindingMode::Immediate;
  bool allow_volume_expansion = false;
  std::vector<std::string> mount_options;
  bool is_default = false;
};
/// Likewise.
bool operator==(const StorageClass& one, const StorageClass& other);

/// Deployment, StatefulSet, DaemonSet or Job: a template and how many pods it makes.
struct Workload {
  enum class Kind : std::uint8_t { Deployment, StatefulSet, DaemonSet, Job };
  Kind kind = Kind::Deployment;
  ObjectKey key;
  std::string uid;
  Origin origin;
  std::int64_t replicas = 1;       ///< Deployment, StatefulSet: replicas; Job: parallelism (≤ completions).
  std::int64_t first_ordinal = 0;  ///< StatefulSet spec.ordinals.start.
  bool suspended = false;          ///< Job spec.suspend: no pods.
  Pod pod_template;                ///< key.name and uid are set when it is expanded.
  std::vector<PersistentVolumeClaim> claim_templates;
  /// StatefulSet spec.persistentVolumeClaimRetentionPolicy, whenDeleted and whenScaled: true for Delete.
  bool delete_claims_when_deleted = false;
  bool delete_claims_when_scaled = false;
};

using Object =
    std::variant<std::shared_ptr<const Pod>, std::shared_ptr<const Workload>,
                 std::shared_ptr<const ConfigMap>, std::shared_ptr<const Secret>,
                 std::shared_ptr<const PersistentVolume>, std::shared_ptr<const PersistentVolumeClaim>,
                 std::shared_ptr<const StorageClass>, std::shared_ptr<const CsiDriverObject>,
                 std::shared_ptr<const VolumeAttachment>, std::shared_ptr<const VolumeSnapshot>,
                 std::shared_ptr<const VolumeSnapshotClass>, std::shared_ptr<const VolumeSnapshotContent>>;

/// A document that could not be used, as far as it can be told which object it would have been.
struct BrokenDocument {
  Origin origin;
  std::string kind;              ///< Empty if unknown.
  std::optional<ObjectKey> key;  ///< Valid, and of a kind that Mooring reads; nullopt if unknown.
  std::string message;           ///< The first error, for the object's status.
};

/// What one file held.
struct ParsedFile {
  std::string file;
  std::vector<Object> objects;
  std::vector<BrokenDocument> broken;
  std::vector<std::string> ignored_kinds;  ///< "v1/Service", each once.
  std::vector<Diagnostic> diagnostics;
  /// False if documents may be missing that the writer meant to be there: the file is empty or only comments,
  /// what is broken may be any object (no valid kind and name can be told, or two of them), or the last
  /// document is broken in a way that a cut-off file is. Then nothing that the file held before may be taken
  /// for deleted.
  bool is_whole = true;
  /// Nothing but comments, which looks like a file that is being written; alone it is no mistake.
  bool is_only_comments = false;
};

}  // namespace mooring::manifest
