#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "manifest/field.h"
#include "manifest/objects.h"

namespace mooring::manifest {

// One function a kind: a document's field → the object, with Kubernetes' defaults and validation. What is
// wrong is noted in the field's context; the object counts only if no error was noted.

std::optional<Object> decode_pod_object(const Field& document);
std::optional<Object> decode_workload(const Field& document, Workload::Kind kind);
std::optional<Object> decode_config_map(const Field& document);
std::optional<Object> decode_secret(const Field& document);
std::optional<Object> decode_persistent_volume(const Field& document);
std::optional<Object> decode_claim_object(const Field& document);
std::optional<Object> decode_storage_class(const Field& document);
std::optional<Object> decode_csi_driver(const Field& document);
std::optional<Object> decode_volume_attachment(const Field& document);
std::optional<Object> decode_volume_snapshot(const Field& document);
std::optional<Object> decode_snapshot_class(const Field& document);
std::optional<Object> decode_snapshot_content(const Field& document);

// Parts that several kinds share.

/// metadata.name and metadata.namespace (default: "default"), both validated.
ObjectKey decode_key(const Field& metadata, bool name_is_required = true);
/// metadata.labels or metadata.annotations: bare scalars are taken as their text.
std::map<std::string, std::string> decode_labels(const Field& field);
/// A pod's metadata and spec, without its name: a pod of its own, or a workload's template.
void decode_pod_body(const Field& metadata, const Field& spec, const Field& status,
                     std::vector<Volume> volumes, Pod& pod);
/// seLinuxOptions, of a pod or of a container.
SelinuxOptions decode_selinux(const Field& field);
std::vector<Volume> decode_volumes(const Field& volumes);
std::vector<Container> decode_containers(const Field& spec, const std::vector<Volume>& volumes);
/// env and envFrom of a container, into it.
void decode_environment(const Field& field, Container& container);
/// resourceFieldRef; the container's name may be absent.
ResourceReference decode_resource_reference(const Field& field);
PersistentVolumeClaim decode_claim(const Field& document);
/// The `ephemeral` source of a pod's volume; its template is validated as a claim is.
EphemeralSource decode_ephemeral(const Field& field);

// Sources that stand in pods and in PersistentVolumes alike.

HostPathSource decode_host_path(const Field& field);
NfsSource decode_nfs(const Field& field);
CsiSource decode_csi(const Field& field);
/// The same of a PersistentVolume: with its handle, and with secrets that name their namespaces.
CsiSource decode_persistent_csi(const Field& field);
/// dataSourceRef of a claim's spec, or else its dataSource; nullopt: it has none that counts.
std::optional<DataSource> decode_data_source(const Field& spec);
/// True for a name that a CSI driver may have (the specification's GetPluginInfo: a domain name, at most 63).
bool is_driver_name(std::string_view text);
/// Warns of what stands in an object's metadata and is none of Kubernetes' fields.
void warn_of_unknown_metadata(const Field& metadata);
FlexVolumeSource decode_flex_volume(const Field& field);

/// The one of `names` that equals the field's text, by its index; an error and `otherwise` for anything else.
template <class E>
E decode_choice(const Field& field, std::initializer_list<std::pair<std::string_view, E>> names,
                E otherwise) {
  if (!field.exists()) return otherwise;
  const std::string text = field.text();
  std::string all;
  for (const auto& [name, value] : names) {
    if (name == text) return value;
    all += (all.empty() ? "" : ", ") + (name.empty() ? std::string("\"\"") : std::string(name));
  }
  field.error("\"" + text + "\" is not one of " + all);
  return otherwise;
}

}  // namespace mooring::manifest
