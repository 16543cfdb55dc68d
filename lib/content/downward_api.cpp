#include "content/downward_api.h"

#include <algorithm>

#include "base/quote.h"
#include "content/go_quote.h"

namespace mooring {
namespace {

using TextMap = std::map<std::string, std::string>;

Error invalid_reference(std::string message) {
  Error error;
  error.kind = ErrorKind::Final;
  error.reason = "InvalidReference";
  error.message = std::move(message);
  return error;
}

/// key="value" lines, sorted by key, without a newline at the end.
std::string map_text(const TextMap& map) {
  std::string out;
  for (const auto& [key, value] : map) {
    if (!out.empty()) out += '\n';
    out += key + "=" + go_quoted(value);
  }
  return out;
}

/// The key of "metadata.labels['key']"; nullopt if the path is none of this map's.
std::optional<std::string> subscript(std::string_view path, std::string_view map) {
  if (!path.starts_with(map)) return std::nullopt;
  path.remove_prefix(map.size());
  if (path.size() < 5 || !path.starts_with("['") || !path.ends_with("']")) return std::nullopt;
  return std::string(path.substr(2, path.size() - 4));
}

std::string value_or_nothing(const TextMap& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? std::string() : found->second;
}

}  // namespace

Result<std::string> field_text(const manifest::Pod& pod, const std::string& field_path) {
  if (field_path == "metadata.name") return pod.key.name.str();
  if (field_path == "metadata.namespace") return pod.key.name_space.str();
  if (field_path == "metadata.uid") return pod.uid.str();
  if (field_path == "metadata.labels") return map_text(pod.labels);
  if (field_path == "metadata.annotations") return map_text(pod.annotations);
  if (const auto key = subscript(field_path, "metadata.labels")) return value_or_nothing(pod.labels, *key);
  if (const auto key = subscript(field_path, "metadata.annotations")) {
    return value_or_nothing(pod.annotations, *key);
  }
  return invalid_reference("unsupported fieldPath " + quoted(field_path));
}

Result<std::string> resource_text(const ContentRequest& request,
                                  const manifest::ResourceReference& reference) {
  const auto& containers = request.pod.containers;
  const auto container = std::find_if(containers.begin(), containers.end(), [&](const auto& c) {
    return c.name.str() == reference.container_name;
  });
  if (container == containers.end()) {
    return invalid_reference("the pod has no container " + quoted(reference.container_name) +
                             " whose resources could be told");
  }
  const std::size_t dot = reference.resource.find('.');
  const std::string kind = reference.resource.substr(0, dot);
  const std::string name = dot == std::string::npos ? std::string() : reference.resource.substr(dot + 1);
  const bool is_limit = kind == "limits";
  if ((!is_limit && kind != "requests") || name.empty()) {
    return invalid_reference("unsupported resource " + quoted(reference.resource));
  }
  const auto& amounts = is_limit ? container->limits : container->requests;
  Quantity amount;
  if (const auto found = amounts.find(name); found != amounts.end()) {
    amount = found->second;
  } else if (const auto whole = request.allocatable.find(name);
             is_limit && whole != request.allocatable.end()) {
    amount = whole->second;  // Without a limit it may use all that the node has for pods.
  }
  return std::to_string(amount.divided_rounded_up(reference.divisor));
}

}  // namespace mooring
