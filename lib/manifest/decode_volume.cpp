#include <algorithm>
#include <array>
#include <set>

#include "base/quote.h"
#include "manifest/decode.h"
#include "manifest/names.h"

namespace mooring::manifest {
namespace {

/// Sources that are Kubernetes' own but have no typed form here, and the plugin that each belongs to.
struct OtherKind {
  std::string_view key;
  std::string_view plugin;
};
constexpr std::array<OtherKind, 19> other_kinds{{{"awsElasticBlockStore", "kubernetes.io/aws-ebs"},
                                                 {"azureDisk", "kubernetes.io/azure-disk"},
                                                 {"azureFile", "kubernetes.io/azure-file"},
                                                 {"cephfs", "kubernetes.io/cephfs"},
                                                 {"cinder", "kubernetes.io/cinder"},
                                                 {"fc", "kubernetes.io/fc"},
                                                 {"flocker", "kubernetes.io/flocker"},
                                                 {"gcePersistentDisk", "kubernetes.io/gce-pd"},
                                                 {"gitRepo", "kubernetes.io/git-repo"},
                                                 {"glusterfs", "kubernetes.io/glusterfs"},
                                                 {"image", "kubernetes.io/image"},
                                                 {"iscsi", "kubernetes.io/iscsi"},
                                                 {"photonPersistentDisk", "kubernetes.io/photon-pd"},
                                                 {"portworxVolume", "kubernetes.io/portworx-volume"},
                                                 {"quobyte", "kubernetes.io/quobyte"},
                                                 {"rbd", "kubernetes.io/rbd"},
                                                 {"scaleIO", "kubernetes.io/scaleio"},
                                                 {"storageos", "kubernetes.io/storageos"},
                                                 {"vsphereVolume", "kubernetes.io/vsphere-volume"}}};

EmptyDirSource decode_empty_dir(const Field& field) {
  field.known_keys({"medium", "sizeLimit"});
  EmptyDirSource source;
  const std::string medium = field["medium"].text();
  constexpr std::string_view huge_pages = "HugePages";
  if (medium == "Memory") {
    source.medium = EmptyDirSource::Medium::Memory;
  } else if (medium.starts_with(huge_pages)) {
    source.medium = EmptyDirSource::Medium::HugePages;
    if (medium.size() > huge_pages.size()) {
      const Result<Quantity> size = medium[huge_pages.size()] == '-'
                                        ? Quantity::parse(medium.substr(huge_pages.size() + 1))
                                        : Quantity::parse("");
      if (size && size.value() > Quantity()) {
        source.huge_page_size = size.value();
      } else {
        field["medium"].error("unknown storage medium " + quoted(medium) +
                              ": a page size follows as in HugePages-2Mi");
      }
    }
  } else if (!medium.empty()) {
    field["medium"].error("unknown storage medium " + quoted(medium) +
                          ": use \"\", Memory, HugePages or HugePages-<size>");
  }
  source.size_limit = field["sizeLimit"].quantity();
  if (source.size_limit && source.size_limit->is_negative()) field["sizeLimit"].error("must not be negative");
  return source;
}

std::optional<std::uint32_t> decode_mode(const Field& field) {
  const std::optional<std::int64_t> mode = field.integer();
  if (!mode) return std::nullopt;
  if (*mode < 0 || *mode > 0777) {
    field.error("must be a file mode between 0 and 0777 (octal with a leading zero)");
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(*mode);
}

std::vector<KeyToPath> decode_items(const Field& field) {
  std::vector<KeyToPath> items;
  for (const Field& item : field.items()) {
    KeyToPath entry{item["key"].text(), item["path"].text(), decode_mode(item["mode"])};
    item["key"].require();
    if (item["path"].require() && !is_projected_path(entry.path)) {
      item["path"].error("must be a relative path without `..` elements, and not start with `..`");
    }
    items.push_back(std::move(entry));
  }
  return items;
}

ConfigMapSource decode_config_map_source(const Field& field) {
  if (field["name"].require() && !is_dns_subdomain(field["name"].text()))
    field["name"].error("is not a valid object name");
  return {field["name"].text(), decode_items(field["items"]),
          decode_mode(field["defaultMode"]).value_or(0644), field["optional"].boolean()};
}

SecretSource decode_secret_source(const Field& field, std::string_view name_key) {
  const Field name = field[name_key];
  if (name.require() && !is_dns_subdomain(name.text())) name.error("is not a valid object name");
  return {name.text(), decode_items(field["items"]), decode_mode(field["defaultMode"]).value_or(0644),
          field["optional"].boolean()};
}

bool is_volume_field_path(std::string_view path) {
  constexpr std::array<std::string_view, 5> plain{"metadata.name", "metadata.namespace", "metadata.uid",
                                                  "metadata.labels", "metadata.annotations"};
  if (std::find(plain.begin(), plain.end(), path) != plain.end()) return true;
  for (const std::string_view map : {"metadata.labels['", "metadata.annotations['"}) {
    if (path.starts_with(map) && path.ends_with("']") && path.size() > map.size() + 2) return true;
  }
  return false;
}

DownwardApiSource decode_downward_api(const Field& field) {
  DownwardApiSource source;
  source.default_mode = decode_mode(field["defaultMode"]).value_or(0644);
  for (const Field& item : field["items"].items()) {
    DownwardApiItem entry;
    entry.path = item["path"].text();
    if (item["path"].require() && !is_projected_path(entry.path)) {
      item["path"].error("must be a relative path without `..` elements, and not start with `..`");
    }
    entry.mode = decode_mode(item["mode"]);
    const Field field_ref = item["fieldRef"];
    const Field resource_ref = item["resourceFieldRef"];
    if (field_ref.exists() == resource_ref.exists()) {
      item.error("must have exactly one of fieldRef and resourceFieldRef");
    } else if (field_ref.exists()) {
      entry.value = FieldReference{field_ref["fieldPath"].text()};
      if (!is_volume_field_path(field_ref["fieldPath"].text())) {
        field_ref["fieldPath"].error("unsupported fieldPath " + quoted(field_ref["fieldPath"].text()));
      }
    } else {
      resource_ref["containerName"].require();
      entry.value = decode_resource_reference(resource_ref);
    }
    source.items.push_back(std::move(entry));
  }
  return source;
}

std::optional<Projection> decode_projection(const Field& source) {
  auto entries = source.entries();
  std::erase_if(entries, [](const auto& entry) { return entry.second.is_null(); });
  if (entries.size() != 1) {
    source.error("must name exactly one kind of source");
    return std::nullopt;
  }
  const auto& [key, field] = entries.front();
  if (key == "configMap") return decode_config_map_source(field);
  if (key == "secret") return decode_secret_source(field, "name");
  if (key == "downwardAPI") return decode_downward_api(field);
  if (key == "serviceAccountToken") {
    ServiceAccountTokenProjection token{field["path"].text(), field["audience"].text(),
                                        field["expirationSeconds"].integer().value_or(3600)};
    if (field["path"].require() && !is_projected_path(token.path))
      field["path"].error("must be a relative path without `..`");
    if (token.expiration_seconds < 600 || token.expiration_seconds > (std::int64_t{1} << 32)) {
      field["expirationSeconds"].error("must be between 600 and 2^32");
    }
    return token;
  }
  if (key == "clusterTrustBundle" || key == "podCertificate") return OtherProjection{key};
  field.error("unknown kind of projected source");
  return std::nullopt;
}

/// The paths that a projected source names explicitly; two that are equal are refused.
void check_projected_paths(const Field& field, const ProjectedSource& source) {
  std::set<std::string> seen;
  const auto add = [&](const std::string& path) {
    if (!seen.insert(path).second) field["sources"].error("conflicting duplicate paths: " + quoted(path));
  };
  for (const Projection& projection : source.sources) {
    if (const auto* map = std::get_if<ConfigMapSource>(&projection)) {
      for (const KeyToPath& item : map->items)
        add(item.path);
    } else if (const auto* secret = std::get_if<SecretSource>(&projection)) {
      for (const KeyToPath& item : secret->items)
        add(item.path);
    } else if (const auto* downward = std::get_if<DownwardApiSource>(&projection)) {
      for (const DownwardApiItem& item : downward->items)
        add(item.path);
    } else if (const auto* token = std::get_if<ServiceAccountTokenProjection>(&projection)) {
      add(token->path);
    }
  }
}

ProjectedSource decode_projected(const Field& field) {
  ProjectedSource source;
  source.default_mode = decode_mode(field["defaultMode"]).value_or(0644);
  for (const Field& item : field["sources"].items()) {
    if (auto projection = decode_projection(item)) source.sources.push_back(std::move(*projection));
  }
  check_projected_paths(field, source);
  return source;
}

std::optional<VolumeSource> decode_source(const std::string& key, const Field& field) {
  if (!field.is_mapping()) field.error("must be a mapping");
  if (key == "emptyDir") return decode_empty_dir(field);
  if (key == "hostPath") return decode_host_path(field);
  if (key == "nfs") return decode_nfs(field);
  if (key == "configMap") return decode_config_map_source(field);
  if (key == "secret") return decode_secret_source(field, "secretName");
  if (key == "downwardAPI") return decode_downward_api(field);
  if (key == "projected") return decode_projected(field);
  if (key == "persistentVolumeClaim") {
    field["claimName"].require();
    return ClaimSource{field["claimName"].text(), field["readOnly"].boolean()};
  }
  if (key == "csi") return decode_csi(field);
  if (key == "flexVolume") return decode_flex_volume(field);
  if (key == "ephemeral") return decode_ephemeral(field);
  const auto other =
      std::find_if(other_kinds.begin(), other_kinds.end(), [&](const auto& o) { return o.key == key; });
  if (other != other_kinds.end()) return OtherSource{key};
  field.error("unknown kind of volume " + quoted(key));
  return std::nullopt;
}

}  // namespace

bool is_read_only(const VolumeSource& source) {
  return std::visit(
      [](const auto& one) {
        if constexpr (requires { one.read_only; }) return one.read_only;
        return false;
      },
      source);
}

PluginName plugin_name(const VolumeSource& source) {
  constexpr std::array<std::string_view, 10> names{
      "kubernetes.io/empty-dir", "kubernetes.io/host-path",        "kubernetes.io/nfs",
      "kubernetes.io/configmap", "kubernetes.io/secret",           "kubernetes.io/downward-api",
      "kubernetes.io/projected", "kubernetes.io/persistent-claim", "kubernetes.io/csi",
      "kubernetes.io/flexvolume"};
  if (std::holds_alternative<LocalSource>(source)) return PluginName("kubernetes.io/local-volume");
  if (std::holds_alternative<EphemeralSource>(source)) return PluginName("kubernetes.io/ephemeral");
  const auto* csi = std::get_if<CsiSource>(&source);
  if (csi != nullptr && csi->driver == block_driver) return PluginName("kubernetes.io/block");
  if (const auto* flex = std::get_if<FlexVolumeSource>(&source)) {
    // Each driver is a plugin of its own, but none may pass for one that is built in.
    const bool is_taken = flex->driver.empty() || flex->driver == "kubernetes.io/block" ||
                          flex->driver == "kubernetes.io/local-volume" ||
                          flex->driver == "kubernetes.io/ephemeral" ||
                          std::find(names.begin(), names.end(), flex->driver) != names.end() ||
                          std::any_of(other_kinds.begin(), other_kinds.end(),
                                      [&](const auto& o) { return o.plugin == flex->driver; });
    if (!is_taken) return PluginName(flex->driver);
  }
  if (source.index() < names.size()) return PluginName(names[source.index()]);
  const std::string& kind = std::get<OtherSource>(source).kind;
  const auto other =
      std::find_if(other_kinds.begin(), other_kinds.end(), [&](const auto& o) { return o.key == kind; });
  return PluginName(other == other_kinds.end() ? "kubernetes.io/" + kind : std::string(other->plugin));
}

ResourceReference decode_resource_reference(const Field& field) {
  ResourceReference reference;
  reference.container_name = field["containerName"].text();
  reference.resource = field["resource"].text();
  std::string_view resource = reference.resource;
  const bool has_prefix = resource.starts_with("limits.") || resource.starts_with("requests.");
  if (has_prefix) resource.remove_prefix(resource.find('.') + 1);
  const bool is_known = has_prefix && (resource == "cpu" || resource == "memory" ||
                                       resource == "ephemeral-storage" || resource.starts_with("hugepages-"));
  if (field["resource"].require() && !is_known) {
    field["resource"].error(
        "must be limits or requests of cpu, memory, ephemeral-storage or hugepages-<size>");
  }
  if (const auto divisor = field["divisor"].quantity(); divisor && !divisor->is_zero()) {
    reference.divisor = *divisor;
    constexpr std::array<std::string_view, 13> sizes{"1",   "1k",  "1M",  "1G",  "1T",  "1P", "1E",
                                                     "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"};
    const bool is_valid = std::any_of(sizes.begin(), sizes.end(), [&](std::string_view s) {
      const Result<Quantity> size = Quantity::parse(s);
      return size.value() == *divisor && (resource != "cpu" || s == "1");
    });
    if (!is_valid && !(resource == "cpu" && *divisor == Quantity::parse("1m").value())) {
      field["divisor"].error(
          "is not a divisor of this resource: 1 or 1m for cpu, a power such as 1, 1k, 1Mi else");
    }
  }
  return reference;
}

HostPathSource decode_host_path(const Field& field) {
  field.known_keys({"path", "type"});
  HostPathSource source{field["path"].text(), field["type"].text()};
  if (field["path"].require() && has_parent_element(source.path))
    field["path"].error("must not contain '..'");
  constexpr std::array<std::string_view, 8> types{
      "", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice"};
  if (std::find(types.begin(), types.end(), source.type) == types.end()) {
    field["type"].error(
        quoted(source.type) +
        " is not one of \"\", DirectoryOrCreate, Directory, FileOrCreate, File, Socket, CharDevice, "
        "BlockDevice");
  }
  return source;
}

NfsSource decode_nfs(const Field& field) {
  field.known_keys({"server", "path", "readOnly"});
  field["server"].require();
  if (field["path"].require() && !field["path"].text().starts_with('/'))
    field["path"].error("must be absolute");
  return {field["server"].text(), field["path"].text(), field["readOnly"].boolean()};
}

FlexVolumeSource decode_flex_volume(const Field& field) {
  FlexVolumeSource source{field["driver"].text(),
                          field["fsType"].text(),
                          field["readOnly"].boolean(),
                          field["options"].text_map(),
                          field["secretRef"]["name"].text(),
                          field["secretRef"]["namespace"].text()};
  field["driver"].require();
  for (const auto& [key, value] : source.options) {
    const std::string name_space = key.substr(0, key.find('/'));
    if (name_space == "kubernetes.io" || name_space == "k8s.io" || name_space.ends_with(".kubernetes.io") ||
        name_space.ends_with(".k8s.io")) {
      field["options"].error("key " + quoted(key) + " is in a namespace that is reserved for Kubernetes");
    }
  }
  return source;
}

std::vector<Volume> decode_volumes(const Field& volumes) {
  std::vector<Volume> out;
  std::set<std::string> names;
  for (const Field& volume : volumes.items()) {
    const Field name_field = volume["name"];
    const std::string name = name_field.text();
    if (name_field.require()) {
      if (!is_dns_label(name))
        name_field.error(quoted(name) +
                         " is not a DNS-1123 label (lower-case letters, digits, '-'; at most 63)");
      if (!names.insert(name).second) name_field.error("volume " + quoted(name) + " is there twice");
    }
    std::optional<VolumeSource> source;
    std::string source_key;
    for (const auto& [key, field] : volume.entries()) {
      if (key == "name") continue;
      if (field.is_null()) continue;  // "hostPath: null" is no source, and no source at all is an emptyDir.
      if (!source_key.empty()) {
        volume.error("may not specify more than 1 volume type: " + source_key + " and " + key);
        break;
      }
      source_key = key;
      source = decode_source(key, field);
    }
    if (source_key.empty()) source = EmptyDirSource{};
    if (source) out.push_back({VolumeName(name), std::move(*source)});
  }
  return out;
}

}  // namespace mooring::manifest
