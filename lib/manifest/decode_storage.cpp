#include <algorithm>
#include <array>

#include "base/quote.h"
#include "manifest/decode.h"
#include "manifest/names.h"

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

std::vector<SelectorRequirement> decode_requirements(const Field& field) {
  constexpr std::array<std::string_view, 6> operations{"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"};
  std::vector<SelectorRequirement> out;
  for (const Field& item : field.items()) {
    SelectorRequirement requirement{item["key"].text(), item["operator"].text(), item["values"].text_list()};
    item["key"].require();
    if (std::find(operations.begin(), operations.end(), requirement.operation) == operations.end()) {
      item["operator"].error(quoted(requirement.operation) +
                             " is not one of In, NotIn, Exists, DoesNotExist, Gt, Lt");
    }
    out.push_back(std::move(requirement));
  }
  return out;
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
      field["volumeHandle"].require();
      source = PersistentCsiSource{decode_csi(field), field["volumeHandle"].text()};
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

}  // namespace

std::optional<Object> decode_persistent_volume(const Field& document) {
  auto volume = std::make_shared<PersistentVolume>();
  const Field metadata = document["metadata"];
  metadata.known_keys({"name", "labels", "annotations", "uid", "namespace", "creationTimestamp",
                       "resourceVersion", "finalizers", "ownerReferences", "generation", "managedFields",
                       "deletionTimestamp"});
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
  volume->volume_mode = decode_volume_mode(spec["volumeMode"]);
  volume->reclaim_policy =
      decode_reclaim_policy(spec["persistentVolumeReclaimPolicy"], ReclaimPolicy::Retain);
  volume->storage_class = decode_class(metadata, spec);
  volume->mount_options = spec["mountOptions"].text_list();
  const Field affinity = spec["nodeAffinity"]["required"]["nodeSelectorTerms"];
  if (affinity.exists()) {
    volume->node_affinity.emplace();
    for (const Field& term : affinity.items()) {
      volume->node_affinity->terms.push_back(decode_requirements(term["matchExpressions"]));
    }
  }
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
  claim.key = decode_key(metadata);
  claim.origin = document.origin();
  claim.uid = metadata["uid"].text();
  claim.labels = decode_labels(metadata["labels"]);
  claim.annotations = decode_labels(metadata["annotations"]);
  const Field spec = document["spec"];
  claim.access_modes = decode_access_modes(spec["accessModes"]);
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
  claim.has_selector = spec["selector"].exists();
  claim.match_labels = spec["selector"]["matchLabels"].text_map(true);
  claim.match_expressions = decode_requirements(spec["selector"]["matchExpressions"]);
  return claim;
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
