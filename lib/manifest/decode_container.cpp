#include <algorithm>
#include <set>

#include "base/quote.h"
#include "manifest/decode.h"
#include "manifest/names.h"

namespace mooring::manifest {
namespace {

VolumeMount decode_mount(const Field& field, bool is_privileged) {
  field.known_keys(
      {"name", "mountPath", "readOnly", "recursiveReadOnly", "subPath", "subPathExpr", "mountPropagation"});
  VolumeMount mount;
  mount.name = VolumeName(field["name"].text());
  mount.mount_path = field["mountPath"].text();
  mount.read_only = field["readOnly"].boolean();
  mount.sub_path = field["subPath"].text();
  mount.sub_path_expression = field["subPathExpr"].text();
  field["name"].require();
  field["mountPath"].require();
  mount.propagation = decode_choice<MountPropagation>(field["mountPropagation"],
                                                      {{"None", MountPropagation::None},
                                                       {"HostToContainer", MountPropagation::HostToContainer},
                                                       {"Bidirectional", MountPropagation::Bidirectional}},
                                                      MountPropagation::None);
  mount.recursive_read_only = decode_choice<RecursiveReadOnly>(field["recursiveReadOnly"],
                                                               {{"Disabled", RecursiveReadOnly::Disabled},
                                                                {"IfPossible", RecursiveReadOnly::IfPossible},
                                                                {"Enabled", RecursiveReadOnly::Enabled}},
                                                               RecursiveReadOnly::Disabled);
  if (mount.propagation == MountPropagation::Bidirectional && !is_privileged) {
    field["mountPropagation"].error_unless_more_follows(
        "Bidirectional mount propagation needs securityContext.privileged: true");
  }
  if (mount.recursive_read_only != RecursiveReadOnly::Disabled &&
      (!mount.read_only || mount.propagation != MountPropagation::None)) {
    field["recursiveReadOnly"].error_unless_more_follows("needs readOnly: true and no mount propagation");
  }
  for (const char* key : {"subPath", "subPathExpr"}) {
    const std::string path = field[key].text();
    if (path.starts_with('/') || has_parent_element(path))
      field[key].error("must be a relative path without `..` elements");
  }
  if (!mount.sub_path.empty() && !mount.sub_path_expression.empty()) {
    field["subPathExpr"].error("subPath and subPathExpr exclude each other");
  }
  return mount;
}

void decode_mounts(const Field& field, const std::vector<Volume>& volumes, Container& container) {
  const auto is_known = [&](const VolumeName& name) {
    return std::any_of(volumes.begin(), volumes.end(), [&](const Volume& v) { return v.name == name; });
  };
  std::set<std::string> paths;
  for (const Field& item : field["volumeMounts"].items()) {
    VolumeMount mount = decode_mount(item, container.privileged);
    if (!mount.name.empty() && !is_known(mount.name))
      item["name"].error_unless_more_follows("no volume of the pod is named " + quoted(mount.name.str()));
    if (!mount.mount_path.empty() && !paths.insert(mount.mount_path).second)
      item["mountPath"].error("must be unique");
    container.mounts.push_back(std::move(mount));
  }
  for (const Field& item : field["volumeDevices"].items()) {
    VolumeDevice device{VolumeName(item["name"].text()), item["devicePath"].text()};
    item["devicePath"].require();
    if (has_parent_element(device.device_path)) item["devicePath"].error("must not contain '..'");
    if (!device.device_path.empty() && !paths.insert(device.device_path).second) {
      item["devicePath"].error("must be unique and not a mountPath");
    }
    const auto volume =
        std::find_if(volumes.begin(), volumes.end(), [&](const Volume& v) { return v.name == device.name; });
    if (item["name"].require() && volume == volumes.end()) {
      item["name"].error_unless_more_follows("no volume of the pod is named " + quoted(device.name.str()));
    } else if (volume != volumes.end()) {
      const bool can = std::holds_alternative<ClaimSource>(volume->source) ||
                       std::holds_alternative<EphemeralSource>(volume->source);
      if (!can) item["name"].error("only a volume of a persistentVolumeClaim can be a block device");
    }
    for (const VolumeMount& mount : container.mounts) {
      if (mount.name == device.name) item["name"].error("is in volumeMounts too");
    }
    container.devices.push_back(std::move(device));
  }
}

std::map<std::string, Quantity> decode_resources(const Field& field) {
  std::map<std::string, Quantity> out;
  for (const auto& [name, value] : field.entries()) {
    const auto quantity = value.quantity();
    if (!quantity) continue;
    if (quantity->is_negative()) value.error("must not be negative");
    out.emplace(name, *quantity);
  }
  return out;
}

Container decode_container(const Field& field, ContainerKind kind, const std::vector<Volume>& volumes) {
  Container container;
  container.kind = kind;
  const Field name = field["name"];
  container.name = ContainerName(name.text());
  if (name.require() && !is_dns_label(container.name.str())) name.error("is not a DNS-1123 label");
  container.privileged = field["securityContext"]["privileged"].boolean();
  container.run_as_user = field["securityContext"]["runAsUser"].integer();
  container.selinux = decode_selinux(field["securityContext"]["seLinuxOptions"]);
  container.limits = decode_resources(field["resources"]["limits"]);
  container.requests = decode_resources(field["resources"]["requests"]);
  for (const auto& [resource, limit] : container.limits)
    container.requests.try_emplace(resource, limit);
  decode_environment(field, container);
  decode_mounts(field, volumes, container);
  return container;
}

}  // namespace

std::vector<Container> decode_containers(const Field& spec, const std::vector<Volume>& volumes) {
  std::vector<Container> containers;
  std::set<std::string> names;
  const std::pair<const char*, ContainerKind> lists[] = {{"initContainers", ContainerKind::Init},
                                                         {"containers", ContainerKind::Regular},
                                                         {"ephemeralContainers", ContainerKind::Ephemeral}};
  for (const auto& [key, kind] : lists) {
    for (const Field& item : spec[key].items()) {
      containers.push_back(decode_container(item, kind, volumes));
      const std::string& name = containers.back().name.str();
      if (!name.empty() && !names.insert(name).second)
        item["name"].error("container " + quoted(name) + " is there twice");
    }
  }
  const bool has_regular = std::any_of(containers.begin(), containers.end(),
                                       [](const Container& c) { return c.kind == ContainerKind::Regular; });
  if (!has_regular) spec["containers"].error("must have at least one container");
  return containers;
}

}  // namespace mooring::manifest
