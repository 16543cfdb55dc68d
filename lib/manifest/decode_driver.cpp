#include <algorithm>
#include <array>
#include <cctype>

#include "base/quote.h"
#include "manifest/decode.h"
#include "manifest/names.h"

// Drivers outside: their volumes, and the objects that tell of them.

namespace mooring::manifest {
namespace {

/// A reference to a secret from an object that is in no namespace. Kubernetes refuses one that names none;
/// volumes that were written down by earlier versions have none.
std::optional<ObjectKey> decode_secret_reference(const Field& field) {
  if (!field.exists()) return std::nullopt;
  field.known_keys({"name", "namespace"});
  if (field["name"].require() && !is_dns_subdomain(field["name"].text()))
    field["name"].error("is not a valid object name");
  const std::string name_space = field["namespace"].text("default");
  if (!field["namespace"].exists()) field["namespace"].warning("is missing: \"default\" is taken");
  if (!is_dns_label(name_space)) field["namespace"].error("is not a valid namespace");
  return ObjectKey{Namespace(name_space), ObjectName(field["name"].text())};
}

DataSource decode_one_data_source(const Field& field) {
  field.known_keys({"apiGroup", "kind", "name", "namespace"});
  DataSource source{field["apiGroup"].text(), field["kind"].text(), field["name"].text(),
                    field["namespace"].text()};
  field["kind"].require();
  if (field["name"].require() && !is_dns_subdomain(source.name))
    field["name"].error("is not a valid object name");
  if (!source.name_space.empty() && !is_dns_label(source.name_space))
    field["namespace"].error("is not a valid namespace");
  if (source.api_group.empty() && !source.kind.empty() && source.kind != "PersistentVolumeClaim")
    field["kind"].error("must be PersistentVolumeClaim where there is no apiGroup");
  return source;
}

void require_driver(const Field& field) {
  if (field.require() && !is_driver_name(field.text()))
    field.error("is not a valid driver name (at most 63 characters)");
}

SnapshotDeletionPolicy decode_deletion_policy(const Field& field) {
  field.require();
  return decode_choice<SnapshotDeletionPolicy>(
      field, {{"Delete", SnapshotDeletionPolicy::Delete}, {"Retain", SnapshotDeletionPolicy::Retain}},
      SnapshotDeletionPolicy::Delete);
}

std::vector<TokenRequest> decode_token_requests(const Field& field) {
  constexpr std::int64_t shortest_seconds = 600;
  constexpr std::int64_t longest_seconds = std::int64_t{1} << 32;
  std::vector<TokenRequest> requests;
  std::set<std::string> audiences;
  for (const Field& item : field.items()) {
    item.known_keys({"audience", "expirationSeconds"});
    TokenRequest request{item["audience"].text(), item["expirationSeconds"].integer()};
    if (!audiences.insert(request.audience).second)
      item["audience"].error("the audience " + quoted(request.audience) + " is there twice");
    if (request.expiration_seconds &&
        (*request.expiration_seconds < shortest_seconds || *request.expiration_seconds > longest_seconds))
      item["expirationSeconds"].error("must be from 600 (ten minutes) to 2^32");
    requests.push_back(std::move(request));
  }
  return requests;
}

/// An object's name where a field names one.
ObjectName decode_reference(const Field& field) {
  const std::string name = field.text();
  if (!name.empty() && !is_dns_subdomain(name)) field.error("is not a valid object name");
  return ObjectName(name);
}

/// Notes an error unless just one of the two is there.
void require_one_of(const Field& parent, const char* one, const char* other) {
  if (parent[one].exists() == parent[other].exists())
    parent.error(std::string("exactly one of ") + one + " and " + other + " is required");
}

}  // namespace

bool is_driver_name(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower.size() <= 63 && is_dns_subdomain(lower);
}

CsiSource decode_csi(const Field& field) {
  CsiSource source{field["driver"].text(),
                   field["fsType"].text(),
                   field["readOnly"].boolean(),
                   field["volumeAttributes"].text_map(),
                   field["nodePublishSecretRef"]["name"].text(),
                   {}};
  require_driver(field["driver"]);
  return source;
}

CsiSource decode_persistent_csi(const Field& field) {
  field.known_keys({"driver", "volumeHandle", "readOnly", "fsType", "volumeAttributes",
                    "controllerPublishSecretRef", "nodeStageSecretRef", "nodePublishSecretRef",
                    "controllerExpandSecretRef", "nodeExpandSecretRef"});
  field["volumeHandle"].require();
  CsiSource source = decode_csi(field);
  source.volume_handle = field["volumeHandle"].text();
  source.controller_publish_secret = decode_secret_reference(field["controllerPublishSecretRef"]);
  source.node_stage_secret = decode_secret_reference(field["nodeStageSecretRef"]);
  source.node_publish_secret = decode_secret_reference(field["nodePublishSecretRef"]);
  source.node_expand_secret = decode_secret_reference(field["nodeExpandSecretRef"]);
  source.controller_expand_secret = decode_secret_reference(field["controllerExpandSecretRef"]);
  return source;
}

/// As the API server makes the two the same (persistentvolumeclaim/util.go, NormalizeDataSources): dataSource
/// may be a claim or a snapshot, and anything else in it is dropped; dataSourceRef may be anything.
std::optional<DataSource> decode_data_source(const Field& spec) {
  const Field old = spec["dataSource"];
  const Field reference = spec["dataSourceRef"];
  std::optional<DataSource> source;
  if (old.exists()) {
    source = decode_one_data_source(old);
    if (!source->is_claim() && !source->is_snapshot()) {
      old.warning(
          "has no effect: it may be a PersistentVolumeClaim or a VolumeSnapshot; anything else goes "
          "into dataSourceRef");
      source.reset();
    } else if (!std::exchange(source->name_space, {}).empty()) {
      old["namespace"].warning("unknown field: it has no effect; did you mean dataSourceRef?");
    }
  }
  if (!reference.exists()) return source;
  DataSource other = decode_one_data_source(reference);
  if (source && other.name_space.empty() && *source != other)
    reference.error("must be the same as dataSource");
  if (source && !other.name_space.empty()) old.error("must not stand beside a dataSourceRef of a namespace");
  return other;
}

std::optional<Object> decode_csi_driver(const Field& document) {
  auto driver = std::make_shared<CsiDriverObject>();
  const Field metadata = document["metadata"];
  warn_of_unknown_metadata(metadata);
  driver->name = decode_key(metadata).name;
  driver->origin = document.origin();
  require_driver(metadata["name"]);
  const Field spec = document["spec"];
  spec.known_keys({"attachRequired", "podInfoOnMount", "volumeLifecycleModes", "storageCapacity",
                   "fsGroupPolicy", "tokenRequests", "requiresRepublish", "seLinuxMount",
                   "nodeAllocatableUpdatePeriodSeconds", "serviceAccountTokenInSecrets"});
  driver->attach_required = spec["attachRequired"].boolean(true);
  driver->pod_info_on_mount = spec["podInfoOnMount"].boolean();
  std::set<VolumeLifecycle> lifecycles;
  for (const Field& item : spec["volumeLifecycleModes"].items())
    lifecycles.insert(decode_choice<VolumeLifecycle>(
        item, {{"Persistent", VolumeLifecycle::Persistent}, {"Ephemeral", VolumeLifecycle::Ephemeral}},
        VolumeLifecycle::Persistent));
  if (!lifecycles.empty()) driver->lifecycles = std::move(lifecycles);
  driver->fs_group_policy =
      decode_choice<FsGroupPolicy>(spec["fsGroupPolicy"],
                                   {{"ReadWriteOnceWithFSType", FsGroupPolicy::ReadWriteOnceWithFsType},
                                    {"File", FsGroupPolicy::File},
                                    {"None", FsGroupPolicy::None}},
                                   FsGroupPolicy::ReadWriteOnceWithFsType);
  driver->requires_republish = spec["requiresRepublish"].boolean();
  driver->selinux_mount = spec["seLinuxMount"].boolean();
  driver->token_in_secrets = spec["serviceAccountTokenInSecrets"].boolean();
  driver->token_requests = decode_token_requests(spec["tokenRequests"]);
  return std::shared_ptr<const CsiDriverObject>(std::move(driver));
}

std::optional<Object> decode_volume_attachment(const Field& document) {
  auto attachment = std::make_shared<VolumeAttachment>();
  const Field metadata = document["metadata"];
  warn_of_unknown_metadata(metadata);
  attachment->name = decode_key(metadata).name;
  attachment->origin = document.origin();
  attachment->is_being_deleted = metadata["deletionTimestamp"].exists();
  const Field spec = document["spec"];
  spec.known_keys({"attacher", "nodeName", "source"});
  attachment->attacher = spec["attacher"].text();
  require_driver(spec["attacher"]);
  spec["nodeName"].require();
  attachment->node = NodeName(spec["nodeName"].text());
  require_one_of(spec["source"], "persistentVolumeName", "inlineVolumeSpec");
  attachment->persistent_volume = decode_reference(spec["source"]["persistentVolumeName"]);
  const Field status = document["status"];
  status.known_keys({"attached", "attachmentMetadata", "attachError", "detachError"});
  attachment->is_attached = status["attached"].boolean();
  attachment->metadata = status["attachmentMetadata"].text_map();
  attachment->attach_error = status["attachError"]["message"].text();
  return std::shared_ptr<const VolumeAttachment>(std::move(attachment));
}

std::optional<Object> decode_volume_snapshot(const Field& document) {
  auto snapshot = std::make_shared<VolumeSnapshot>();
  const Field metadata = document["metadata"];
  warn_of_unknown_metadata(metadata);
  snapshot->key = decode_key(metadata);
  snapshot->origin = document.origin();
  snapshot->uid = metadata["uid"].text();
  // The snapshot that the driver makes is named after it.
  if (!snapshot->uid.empty() && !is_dns_label(snapshot->uid))
    metadata["uid"].error("may have only lower-case letters, digits and '-', at most 63");
  snapshot->annotations = decode_labels(metadata["annotations"]);
  snapshot->is_being_deleted = metadata["deletionTimestamp"].exists();
  const Field spec = document["spec"];
  spec.known_keys({"source", "volumeSnapshotClassName"});
  if (spec["volumeSnapshotClassName"].exists()) {
    snapshot->snapshot_class = spec["volumeSnapshotClassName"].text();
    if (!is_dns_subdomain(*snapshot->snapshot_class))
      spec["volumeSnapshotClassName"].error("is not a valid object name");
  }
  require_one_of(spec["source"], "persistentVolumeClaimName", "volumeSnapshotContentName");
  snapshot->claim = decode_reference(spec["source"]["persistentVolumeClaimName"]);
  snapshot->content = decode_reference(spec["source"]["volumeSnapshotContentName"]);
  return std::shared_ptr<const VolumeSnapshot>(std::move(snapshot));
}

std::optional<Object> decode_snapshot_class(const Field& document) {
  auto snapshot_class = std::make_shared<VolumeSnapshotClass>();
  const Field metadata = document["metadata"];
  warn_of_unknown_metadata(metadata);
  snapshot_class->name = decode_key(metadata).name;
  snapshot_class->origin = document.origin();
  snapshot_class->annotations = decode_labels(metadata["annotations"]);
  snapshot_class->driver = document["driver"].text();
  require_driver(document["driver"]);
  snapshot_class->deletion_policy = decode_deletion_policy(document["deletionPolicy"]);
  snapshot_class->parameters = document["parameters"].text_map();
  const auto is_default = snapshot_class->annotations.find("snapshot.storage.kubernetes.io/is-default-class");
  snapshot_class->is_default =
      is_default != snapshot_class->annotations.end() && is_default->second == "true";
  return std::shared_ptr<const VolumeSnapshotClass>(std::move(snapshot_class));
}

std::optional<Object> decode_snapshot_content(const Field& document) {
  auto content = std::make_shared<VolumeSnapshotContent>();
  const Field metadata = document["metadata"];
  warn_of_unknown_metadata(metadata);
  content->name = decode_key(metadata).name;
  content->origin = document.origin();
  content->annotations = decode_labels(metadata["annotations"]);
  content->is_being_deleted = metadata["deletionTimestamp"].exists();
  const Field spec = document["spec"];
  spec.known_keys({"volumeSnapshotRef", "deletionPolicy", "driver", "volumeSnapshotClassName", "source",
                   "sourceVolumeMode"});
  content->driver = spec["driver"].text();
  require_driver(spec["driver"]);
  content->deletion_policy = decode_deletion_policy(spec["deletionPolicy"]);
  content->snapshot_class = spec["volumeSnapshotClassName"].text();
  require_one_of(spec["source"], "volumeHandle", "snapshotHandle");
  content->volume_handle = spec["source"]["volumeHandle"].text();
  content->snapshot_handle = spec["source"]["snapshotHandle"].text();
  const Field snapshot = spec["volumeSnapshotRef"];
  content->snapshot = decode_key(snapshot);
  content->snapshot_uid = snapshot["uid"].text();
  const Field status = document["status"];
  // What was made of a volume has the handle of the snapshot in its status.
  if (content->snapshot_handle.empty()) content->snapshot_handle = status["snapshotHandle"].text();
  content->is_ready = status["readyToUse"].boolean();
  content->restore_size = status["restoreSize"].quantity();
  return std::shared_ptr<const VolumeSnapshotContent>(std::move(content));
}

}  // namespace mooring::manifest
