#include "provision/snapshot_class.h"

#include <string_view>
#include <utility>

#include "base/quote.h"
#include "manifest/names.h"
#include "provision/csi_provisioner.h"

namespace mooring {
namespace {

constexpr std::string_view reserved = "csi.storage.k8s.io/";
constexpr std::string_view secret_name = "csi.storage.k8s.io/snapshotter-secret-name";
constexpr std::string_view secret_namespace = "csi.storage.k8s.io/snapshotter-secret-namespace";
constexpr std::string_view list_secret = "csi.storage.k8s.io/snapshotter-list-secret-";

using Values = std::map<std::string, std::string>;

Error invalid(const manifest::VolumeSnapshotClass& snapshot_class, const std::string& what,
              std::string remedy) {
  return refusal("InvalidParameters",
                 "VolumeSnapshotClass " + quoted_if_needed(snapshot_class.name.str()) + ": " + what,
                 std::move(remedy));
}

/// The text with what stands for something; nullopt: something in it stands for nothing.
std::optional<std::string> filled(std::string_view text, const Values& values) {
  std::string out;
  while (!text.empty()) {
    if (text.front() != '$') {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    const std::size_t end = text.find('}');
    if (!text.starts_with("${") || end == std::string_view::npos) return std::nullopt;
    const auto value = values.find(std::string(text.substr(2, end - 2)));
    if (value == values.end()) return std::nullopt;
    out += value->second;
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace

Result<SnapshotClass> read_snapshot_class(const manifest::VolumeSnapshotClass& snapshot_class,
                                          const ObjectKey& snapshot, const ObjectName& content) {
  SnapshotClass found;
  std::string name;
  std::string name_space;
  for (const auto& [key, value] : snapshot_class.parameters) {
    if (key == secret_name) {
      name = value;
    } else if (key == secret_namespace) {
      name_space = value;
    } else if (!key.starts_with(reserved)) {
      found.parameters[key] = value;
    } else if (!key.starts_with(list_secret)) {
      return invalid(snapshot_class, "the parameter " + quoted(key) + " is unknown",
                     "parameters of this prefix are not the driver's: correct it, or leave it out");
    }
  }
  const auto extra = snapshot_class.annotations.find(extra_create_metadata);
  if (extra != snapshot_class.annotations.end() && extra->second == "true") {
    found.parameters[std::string(reserved) + "volumesnapshot/name"] = snapshot.name.str();
    found.parameters[std::string(reserved) + "volumesnapshot/namespace"] = snapshot.name_space.str();
    found.parameters[std::string(reserved) + "volumesnapshotcontent/name"] = content.str();
  }
  if (name.empty() && name_space.empty()) return found;
  if (name.empty() || name_space.empty())
    return invalid(snapshot_class, "it has only one of its secret's name and namespace", "write both");
  Values values{{"volumesnapshotcontent.name", content.str()},
                {"volumesnapshot.namespace", snapshot.name_space.str()}};
  const auto full_space = filled(name_space, values);
  values["volumesnapshot.name"] = snapshot.name.str();
  const auto full_name = filled(name, values);
  if (!full_name || !full_space) {
    return invalid(snapshot_class,
                   "in " + quoted(full_space ? name : name_space) + " something stands for nothing",
                   "there are ${volumesnapshotcontent.name}, ${volumesnapshot.namespace}, and for the name "
                   "${volumesnapshot.name}");
  }
  if (!manifest::is_dns_label(*full_space) || !manifest::is_dns_subdomain(*full_name))
    return invalid(snapshot_class, quoted(*full_space + "/" + *full_name) + " can be no secret's name",
                   "correct it");
  found.secret = ObjectKey{Namespace(*full_space), ObjectName(*full_name)};
  return found;
}

}  // namespace mooring
