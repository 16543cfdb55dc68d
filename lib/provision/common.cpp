#include "provision/common.h"

#include <algorithm>
#include <set>

#include "base/quote.h"
#include "step/layout.h"
#include "step/reserved_paths.h"

namespace mooring {
namespace {}  // namespace

Error invalid_parameters(const manifest::StorageClass& storage_class, const std::string& what,
                         std::string remedy) {
  return refusal("InvalidParameters",
                 "StorageClass " + quoted_if_needed(storage_class.name.str()) + ": " + what,
                 std::move(remedy));
}

std::string parameter(const manifest::StorageClass& storage_class, std::string_view name) {
  const auto found = storage_class.parameters.find(std::string(name));
  return found == storage_class.parameters.end() ? std::string() : found->second;
}

Result<void> check_request(const ProvisionRequest& request, const std::vector<std::string_view>& known) {
  if (request.claim.has_selector) {
    return refusal("InvalidParameters",
                   "claim " + request.claim.key.text() + " has a selector, which no new volume can meet",
                   "leave spec.selector out, or make a PersistentVolume that it selects");
  }
  if (request.claim.request.rounded_up() <= 0) {
    return refusal("InvalidParameters", "claim " + request.claim.key.text() + " asks for no space",
                   "set spec.resources.requests.storage");
  }
  const auto& copied = request.claim.data_source;
  if (copied && request.source.kind == CsiContentSource::Kind::Nothing) {
    return refusal("DataSourceUnavailable",
                   "claim " + request.claim.key.text() + " asks for a copy of the " + copied->kind + " " +
                       quoted_if_needed(copied->name) + ", of which none can be made now",
                   "only CSI drivers copy, and only what they made: see to what is copied, or leave "
                   "spec.dataSource out");
  }
  const bool is_element = layout::is_path_element(request.volume.str());
  if (!is_element || !layout::escape_handle(request.volume.str())) {
    return refusal("InvalidPath",
                   "claim " + request.claim.key.text() + ": its volume would be called " +
                       quoted(request.volume.str()) + ", which cannot be the name of a directory",
                   "give the claim another metadata.uid, or none");
  }
  std::string names;
  for (const std::string_view name : known)
    names += (names.empty() ? "" : ", ") + std::string(name);
  for (const auto& [name, value] : request.storage_class.parameters) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return invalid_parameters(request.storage_class, "the parameter " + quoted(name) + " is unknown",
                              request.storage_class.provisioner + " knows " + names);
  }
  return success();
}

manifest::PersistentVolume new_volume(const ProvisionRequest& request, const std::string& provisioner) {
  manifest::PersistentVolume volume;
  volume.name = request.volume;
  volume.annotations["pv.kubernetes.io/provisioned-by"] = provisioner;
  volume.capacity = request.claim.request;
  volume.access_modes = request.claim.access_modes;
  volume.first_access_mode = request.claim.first_access_mode;
  volume.volume_mode = request.claim.volume_mode;
  volume.reclaim_policy = request.storage_class.reclaim_policy;
  volume.storage_class = request.storage_class.name.str();
  volume.mount_options = request.storage_class.mount_options;
  volume.claim = manifest::ClaimReference{request.claim.key, request.claim.uid};
  return volume;
}

manifest::NodeAffinity only_on(const NodeName& node) {
  manifest::NodeSelectorTerm term;
  term.fields.push_back({"metadata.name", "In", {node.str()}});
  return {{std::move(term)}};
}

Result<std::string> base_of(const ProvisionRequest& request) {
  const std::string own = request.root_dir + "/" + std::string(layout::provisioned);
  const auto given = request.storage_class.parameters.find("path");
  if (given == request.storage_class.parameters.end()) return own;
  const std::string& path = given->second;
  const auto invalid = [&](const std::string& what, std::string remedy) {
    return refusal("InvalidPath",
                   "StorageClass " + quoted_if_needed(request.storage_class.name.str()) + ": the path " +
                       quoted(path) + " " + what,
                   std::move(remedy));
  };
  if (!is_clean_absolute(path)) {
    return invalid("is not absolute, or has empty, `.` or `..` elements",
                   "write it from the slash on, without a slash at its end");
  }
  if (const std::string_view why = why_reserved(path); !why.empty())
    return invalid(std::string(why), "name a directory of its own for the volumes");
  if (path != own && (is_at_or_below(path, request.root_dir) || is_at_or_below(request.root_dir, path))) {
    return invalid("is in the way of the root directory " + request.root_dir,
                   "leave the parameter out for " + own + ", or name a directory elsewhere");
  }
  return path;
}

std::string remembered(const ProvisionedVolume& volume, const std::string& name) {
  const auto found = volume.parameters.find(name);
  return found == volume.parameters.end() ? std::string() : found->second;
}

ProvisionedVolume provisioned(manifest::PersistentVolume volume, const ProvisionRequest& request,
                              std::map<std::string, std::string> parameters) {
  if (!request.token.empty()) parameters[token_parameter] = request.token;
  return {std::move(volume), std::move(parameters)};
}

std::string token_of(const ProvisionedVolume& volume) {
  return remembered(volume, token_parameter);
}

std::uint64_t bytes_of(const Quantity& capacity) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(capacity.rounded_up(), 0));
}

std::string nfs_source(const std::string& server, const std::string& path) {
  const bool is_bare_ipv6 = server.find(':') != std::string::npos && !server.starts_with('[');
  return (is_bare_ipv6 ? "[" + server + "]" : server) + ":" + path;
}

std::vector<std::string> nfs_options(const std::vector<std::string>& options) {
  std::set<std::string> sorted(options.begin(), options.end());
  sorted.erase("");
  const auto has_retry = [](const std::string& option) { return option.starts_with("retry="); };
  if (std::none_of(sorted.begin(), sorted.end(), has_retry)) sorted.insert("retry=0");
  return {sorted.begin(), sorted.end()};
}

std::string base_memory(const std::string& base) {
  static const PluginName plugin("directory.mooring.io");
  return layout::base_stamp(plugin, base);
}

std::string export_memory(const std::string& source) {
  static const PluginName plugin("kubernetes.io/nfs");
  return layout::base_stamp(plugin, source);
}

std::string nfs_mount_place(const ObjectName& volume) {
  static const PluginName plugin("kubernetes.io/nfs");
  // A name that is too long for an element is none that Kubernetes has; the worker refuses the empty one.
  const auto element = layout::escape_handle(volume.str());
  return element ? layout::provisioner_mount(plugin, *element) : std::string();
}

}  // namespace mooring
