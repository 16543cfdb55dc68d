#include <algorithm>
#include <array>

#include "base/quote.h"
#include "manifest/decode.h"
#include "manifest/names.h"
#include "manifest/words.h"

namespace mooring::manifest {
namespace {

std::set<AccessMode> decode_access_modes(const Field& field) {
  std::set<AccessMode> modes;
  for (const Field& item : field.items()) {
    modes.insert(decode_choice<AccessMode>(item,
                                           {{"ReadWriteOnce", AccessMode::ReadWriteOnce},
                                            {"ReadOnlyMany", AccessMode::ReadOnlyMany},
                                            {"ReadWriteMany", AccessMode::ReadWriteMany},
                                            {"ReadWriteOncePod", AccessMode::ReadWriteOncePod}},
                                           AccessMode::ReadWriteOnce));
  }
  if (modes.empty()) field.error("must name at least one access mode");
  if (modes.contains(AccessMode::ReadWriteOncePod) && modes.size() > 1)
    field.error("ReadWriteOncePod must stand alone");
  return modes;
}

/// The mode that is written first, if it is not the first of the set.
std::optional<AccessMode> decode_first_access_mode(const Field& field, const std::set<AccessMode>& modes) {
  for (const AccessMode mode : modes) {
    const bool is_usual = mode == *modes.begin();
    if (!is_usual && field.items().front().text() == to_string(mode)) return mode;
  }
  return std::nullopt;
}

VolumeMode decode_volume_mode(const Field& field) {
  return decode_choice<VolumeMode>(
      field, {{"Filesystem", VolumeMode::Filesystem}, {"Block", VolumeMode::Block}}, VolumeMode::Filesystem);
}

ReclaimPolicy decode_reclaim_policy(const Field& field, ReclaimPolicy otherwise) {
  return decode_choice<ReclaimPolicy>(field,
                                      {{"Retain", ReclaimPolicy::Retain},
                                       {"Delete", ReclaimPolicy::Delete},
                                       {"Recycle", ReclaimPolicy::Recycle}},
                                      otherwise);
}

/// Numbers are compared in what is asked of a node, not in what a claim asks of volumes.
enum class SelectorOf : std::uint8_t { Nodes, Volumes };

SelectorRequirement decode_requirement(const Field& item, SelectorOf selector) {
  constexpr std::array<std::string_view, 6> operations{"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"};
  const auto* end = selector == SelectorOf::Nodes ? operations.end() : operations.end() - 2;
  SelectorRequirement requirement{item["key"].text(), item["operator"].text(), item["values"].text_list()};
  item["key"].require();
  if (std::find(operations.begin(), end, requirement.operation) == end) {
    item["operator"].error(quoted(requirement.operation) + " is not one of In, NotIn, Exists, DoesNotExist" +
                           (selector == SelectorOf::Nodes ? ", Gt, Lt" : ""));
  }
  return requirement;
}

/// What no label can be held against: a requirement with too few or too many values.
void check_values(const Field& item, const SelectorRequirement& requirement) {
  const std::size_t count = requirement.values.size();
  if (requirement.operation == "In" || requirement.operation == "NotIn") {
    if (count == 0) item["values"].error("must not be empty for the operator " + requirement.operation);
  } else if (requirement.operation == "Exists" || requirement.operation == "DoesNotExist") {
    if (count != 0) item["values"].error("must be empty for the operator " + requirement.operation);
  } else if (requirement.operation == "Gt" || requirement.operation == "Lt") {
    if (count != 1) item["values"].error("must be one number for the operator " + requirement.operation);
  }
}

/// matchFields: a node has one field to go by, its name.
void check_node_field(const Field& item, const SelectorRequirement& requirement) {
  if (requirement.key != "metadata.name") item["key"].error("must be metadata.name");
  if (requirement.operation != "In" && requirement.operation != "NotIn") {
    item["operator"].error("must be In or NotIn for a field");
  } else if (requirement.values.size() != 1) {
    item["values"].error("must be one name");
  }
}

/// nodeAffinity.required of a PersistentVolume.
std::optional<NodeAffinity> decode_node_affinity(const Field& required) {
  const Field terms = required["nodeSelectorTerms"];
  if (!terms.exists()) return std::nullopt;
  NodeAffinity affinity;
  for (const Field& item : terms.items()) {
    NodeSelectorTerm term;
    for (const Field& expression : item["matchExpressions"].items()) {
      term.expressions.push_back(decode_requirement(expression, SelectorOf::Nodes));
      check_values(expression, term.expressions.back());
    }
    for (const Field& field : item["matchFields"].items()) {
      term.fields.push_back(decode_requirement(field, SelectorOf::Nodes));
      check_node_field(field, term.fields.back());
    }
    affinity.terms.push_back(std::move(term));
  }
  if (affinity.terms.empty()) terms.error("must have at least one term");
  return affinity;
}

std::string decode_class(const Field& metadata, const Field& spec) {
  const auto annotations = decode_labels(metadata["annotations"]);
  const auto beta = annotations.find("volume.beta.kubernetes.io/storage-class");
  return beta != annotations.end() ? beta->second : spec["storageClassName"].text();
}

std::optional<PersistentSource> decode_persistent_source(const Field& spec) {
  constexpr std::array<std::string_view, 10> not_sources{"capacity",
                                                         "accessModes",
                                                         "persistentVolumeReclaimPolicy",
                                                         "storageClassName",
                                                         "mountOptions",
                                                         "nodeAffinity",
                                                         "claimRef",
                                                         "volumeMode",
                                                         "volumeAttributesClassName",
                                                         "name"};
  std::optional<PersistentSource> source;
  std::string found;
  for (const auto& [key, field] : spec.entries()) {
    if (std::find(not_sources.begin(), not_sources.end(), key) != not_sources.end()) continue;
    if (field.is_null()) continue;
    if (!found.empty()) {
      spec.error("may not specify more than 1 volume type: " + found + " and " + key);
      return std::nullopt;
    }
    found = key;
    if (key == "hostPath") {
      source = decode_host_path(field);
    } else if (key == "nfs") {
      source = decode_nfs(field);
    } else if (key == "local") {
      if (field["path"].require() && has_parent_element(field["path"].text()))
        field["path"].error("must not contain '..'");
      source = LocalSource{field["path"].text(), field["fsType"].text()};
    } else if (key == "csi") {
      source = decode_persistent_csi(field);
    } else if (key == "flexVolume") {
      source = decode_flex_volume(field);
    } else if (plugin_name(OtherSource{key}).str() != "kubernetes.io/" + key || key == "rbd" ||
               key == "iscsi" || key == "fc" || key == "cephfs" || key == "glusterfs" || key == "cinder" ||
               key == "flocker" || key == "quobyte") {
      source = OtherSource{key};
    } else {
      field.error("unknown kind of volume " + quoted(key));
    }
  }
  if (found.empty()) spec.error("must specify a volume type");
  return source;
}

void decode_selector(const Field& selector, PersistentVolumeClaim& claim) {
  selector.known_keys({"matchLabels", "matchExpressions"});
  claim.has_selector = selector.exists();
  claim.match_labels = selector["matchLabels"].text_map(true);
  for (const Field& item : selector["matchExpressions"].items()) {
    claim.match_expressions.push_back(decode_requirement(item, SelectorOf::Volumes));
    check_values(item, claim.match_expressions.back());
  }
}

/// All of a claim but its name: one of its own, or a template.
void decode_claim_body(const Field& metadata, const Field& spec, PersistentVolumeClaim& claim) {
  claim.labels = decode_labels(metadata["labels"]);
  claim.annotations = decode_labels(metadata["annotations"]);
  spec.known_keys({"accessModes", "selector", "resources", "volumeName", "storageClassName", "volumeMode",
                   "dataSource", "dataSourceRef", "volumeAttributesClassName"});
  claim.access_modes = decode_access_modes(spec["accessModes"]);
  claim.first_access_mode = decode_first_access_mode(spec["accessModes"], claim.access_modes);
  claim.volume_mode = decode_volume_mode(spec["volumeMode"]);
  const Field request = spec["resources"]["requests"]["storage"];
  const auto quantity = request.quantity();
  if (!quantity || !(*quantity > Quantity())) {
    request.error("a storage request above zero is required");
  } else {
    claim.request = *quantity;
  }
  const bool has_beta = claim.annotations.contains("volume.beta.kubernetes.io/storage-class");
  if (has_beta || spec["storageClassName"].exists()) claim.storage_class = decode_class(metadata, spec);
  if (claim.storage_class && !claim.storage_class->empty() && !is_dns_subdomain(*claim.storage_class)) {
    spec["storageClassName"].error("is not a valid object name");
  }
  claim.volume_name = spec["volumeName"].text();
  decode_selector(spec["selector"], claim);
  claim.data_source = decode_data_source(spec);
}

}  // namespace

void warn_of_unknown_metadata(const Field& metadata) {
  metadata.known_keys({"name", "labels", "annotations", "uid", "namespace", "creationTimestamp",
                       "resourceVersion", "finalizers", "ownerReferences", "generation", "managedFields",
                       "deletionTimestamp", "deletionGracePeriodSeconds", "generateName", "selfLink"});
}

std::optional<Object> decode_persistent_volume(const Field& document) {
  auto volume = std::make_shared<PersistentVolume>();
  const Field metadata = document["metadata"];
  warn_of_unknown_metadata(metadata);
  volume->name = decode_key(metadata).name;
  volume->origin = document.origin();
  volume->labels = decode_labels(metadata["labels"]);
  volume->annotations = decode_labels(metadata["annotations"]);
  const Field spec = document["spec"];
  const auto capacity = spec["capacity"]["storage"].quantity();
  if (!capacity || !(*capacity > Quantity())) {
    spec["capacity"]["storage"].error("a capacity above zero is required");
  } else {
    volume->capacity = *capacity;
  }
  if (spec["capacity"].entries().size() > 1) spec["capacity"].error("may have only the resource storage");
  volume->access_modes = decode_access_modes(spec["accessModes"]);
  volume->first_access_mode = decode_first_access_mode(spec["accessModes"], volume->access_modes);
  volume->volume_mode = decode_volume_mode(spec["volumeMode"]);
  volume->reclaim_policy =
      decode_reclaim_policy(spec["persistentVolumeReclaimPolicy"], ReclaimPolicy::Retain);
  volume->storage_class = decode_class(metadata, spec);
  volume->mount_options = spec["mountOptions"].text_list();
  volume->node_affinity = decode_node_affinity(spec["nodeAffinity"]["required"]);
  volume->is_being_deleted = metadata["deletionTimestamp"].exists();
  const Field claim = spec["claimRef"];
  if (claim.exists()) volume->claim = ClaimReference{decode_key(claim), claim["uid"].text()};
  if (auto source = decode_persistent_source(spec)) volume->source = std::move(*source);
  if (std::holds_alternative<LocalSource>(volume->source) && !volume->node_affinity) {
    spec["nodeAffinity"].error("a local volume needs nodeAffinity.required");
  }
  const auto* host_path = std::get_if<HostPathSource>(&volume->source);
  if (host_path != nullptr && host_path->path == "/" && volume->reclaim_policy == ReclaimPolicy::Recycle) {
    spec["persistentVolumeReclaimPolicy"].error("Recycle is forbidden for the path /");
  }
  return std::shared_ptr<const PersistentVolume>(std::move(volume));
}

PersistentVolumeClaim decode_claim(const Field& document) {
  PersistentVolumeClaim claim;
  const Field metadata = document["metadata"];
  warn_of_unknown_metadata(metadata);
  claim.key = decode_key(metadata);
  claim.origin = document.origin();
  claim.uid = metadata["uid"].text();
  // The volume that is made for the claim is named after it, and so is its directory.
  if (!claim.uid.empty() && !is_dns_label(claim.uid))
    metadata["uid"].error("may have only lower-case letters, digits and '-', at most 63");
  decode_claim_body(metadata, document["spec"], claim);
  claim.is_being_deleted = metadata["deletionTimestamp"].exists();
  return claim;
}

EphemeralSource decode_ephemeral(const Field& field) {
  field.known_keys({"volumeClaimTemplate"});
  auto claim = std::make_shared<PersistentVolumeClaim>();
  const Field claim_template = field["volumeClaimTemplate"];
  if (!claim_template.exists()) {
    claim_template.error("is required");
    return {std::move(claim)};
  }
  claim->origin = claim_template.origin();
  claim_template.known_keys({"metadata", "spec"});
  const Field metadata = claim_template["metadata"];
  for (const auto& [key, value] : metadata.entries()) {
    if (key != "labels" && key != "annotations" && !value.is_null())
      value.error(
          "only labels and annotations may stand here: the claim has the pod's name and the volume's");
  }
  const Field spec = claim_template["spec"];
  if (!spec.exists()) {
    spec.error("is required");
  } else {
    decode_claim_body(metadata, spec, *claim);
  }
  return {std::move(claim)};
}

std::optional<Object> decode_claim_object(const Field& document) {
  return std::make_shared<const PersistentVolumeClaim>(decode_claim(document));
}

std::optional<Object> decode_storage_class(const Field& document) {
  auto storage = std::make_shared<StorageClass>();
  const Field metadata = document["metadata"];
  storage->name = decode_key(metadata).name;
  storage->origin = document.origin();
  storage->annotations = decode_labels(metadata["annotations"]);
  storage->provisioner = document["provisioner"].text();
  document["provisioner"].require();
  storage->parameters = document["parameters"].text_map();
  storage->reclaim_policy = decode_reclaim_policy(document["reclaimPolicy"], ReclaimPolicy::Delete);
  storage->binding_mode = decode_choice<BindingMode>(
      document["volumeBindingMode"],
      {{"Immediate", BindingMode::Immediate}, {"WaitForFirstConsumer", BindingMode::WaitForFirstConsumer}},
      BindingMode::Immediate);
  storage->allow_volume_expansion = document["allowVolumeExpansion"].boolean();
  storage->mount_options = document["mountOptions"].text_list();
  const auto is_default = storage->annotations.find("storageclass.kubernetes.io/is-default-class");
  storage->is_default = is_default != storage->annotations.end() && is_default->second == "true";
  return std::shared_ptr<const StorageClass>(std::move(storage));
}

}  // namespace mooring::manifest
