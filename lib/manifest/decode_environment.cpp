#include <algorithm>
#include <array>

#include "base/quote.h"
#include "manifest/decode.h"
#include "manifest/names.h"

namespace mooring::manifest {
namespace {

/// Printable ASCII without '=', which is what a later Kubernetes takes; an older one takes less.
bool is_environment_name(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~' && c != '='; });
}

bool is_environment_field_path(std::string_view path) {
  constexpr std::array<std::string_view, 9> plain{
      "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
      "status.hostIP", "status.hostIPs",     "status.podIP", "status.podIPs"};
  if (std::find(plain.begin(), plain.end(), path) != plain.end()) return true;
  constexpr std::array<std::string_view, 2> maps{"metadata.labels['", "metadata.annotations['"};
  return std::any_of(maps.begin(), maps.end(), [&](std::string_view map) {
    return path.starts_with(map) && path.ends_with("']") && path.size() > map.size() + 2;
  });
}

FieldReference decode_field_reference(const Field& field) {
  const Field path = field["fieldPath"];
  FieldReference reference{path.text()};
  if (path.require() && !is_environment_field_path(reference.field_path))
    path.error("unsupported fieldPath " + quoted(reference.field_path));
  return reference;
}

template <class Reference>
Reference decode_key_reference(const Field& field) {
  field["name"].require();
  Reference reference{field["name"].text(), field["key"].text(), field["optional"].boolean()};
  if (field["key"].require() && !is_data_key(reference.key)) field["key"].error("is not a valid key");
  return reference;
}

/// The entries of a mapping that are not null: null is read as absent.
std::vector<std::pair<std::string, Field>> given_entries(const Field& field) {
  auto entries = field.entries();
  std::erase_if(entries, [](const auto& entry) { return entry.second.is_null(); });
  return entries;
}

void decode_value_source(const Field& field, EnvironmentVariable& variable) {
  const auto entries = given_entries(field);
  if (field.is_mapping() && entries.empty())
    field.error("must specify one of fieldRef, resourceFieldRef, configMapKeyRef and secretKeyRef");
  if (entries.size() > 1) field.error("may not have more than one field specified at a time");
  if (!variable.value.empty()) field.error("may not be specified when `value` is not empty");
  if (entries.size() != 1) return;
  const auto& [key, source] = entries.front();
  if (!source.is_mapping()) {
    source.error("must be a mapping");
  } else if (key == "fieldRef") {
    variable.source = decode_field_reference(source);
  } else if (key == "resourceFieldRef") {
    variable.source = decode_resource_reference(source);
  } else if (key == "configMapKeyRef") {
    variable.source = decode_key_reference<ConfigMapKeyReference>(source);
  } else if (key == "secretKeyRef") {
    variable.source = decode_key_reference<SecretKeyReference>(source);
  } else if (key == "fileKeyRef") {
    variable.source = OtherSource{key};
  } else {
    source.error("unknown kind of source");
  }
}

EnvironmentSource decode_environment_source(const Field& item) {
  EnvironmentSource source;
  source.prefix = item["prefix"].text();
  if (!is_environment_name(source.prefix))
    item["prefix"].error("must be of printable ASCII characters other than '='");
  const Field map = item["configMapRef"];
  const Field secret = item["secretRef"];
  if (map.exists() && secret.exists()) item.error("may not have more than one field specified at a time");
  if (!map.exists() && !secret.exists()) item.error("must specify one of configMapRef and secretRef");
  source.kind = secret.exists() ? EnvironmentSource::Kind::Secret : EnvironmentSource::Kind::ConfigMap;
  const Field& object = secret.exists() ? secret : map;
  if (!object.exists()) return source;
  object["name"].require();
  source.name = object["name"].text();
  source.optional = object["optional"].boolean();
  return source;
}

}  // namespace

void decode_environment(const Field& field, Container& container) {
  for (const Field& item : field["envFrom"].items())
    container.environment_from.push_back(decode_environment_source(item));
  for (const Field& item : field["env"].items()) {
    EnvironmentVariable variable;
    variable.name = item["name"].text();
    variable.value = item["value"].text();
    if (item["name"].require() && !is_environment_name(variable.name))
      item["name"].error("must be of printable ASCII characters other than '='");
    if (const Field source = item["valueFrom"]; source.exists()) decode_value_source(source, variable);
    container.environment.push_back(std::move(variable));
  }
}

}  // namespace mooring::manifest
