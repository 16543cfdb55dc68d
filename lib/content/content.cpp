#include "content/content.h"

#include <utility>

#include "base/quote.h"
#include "content/downward_api.h"

namespace mooring {
namespace {

ObjectKey key_of(const ContentRequest& request, const std::string& name) {
  return {request.pod.key.name_space, ObjectName(name)};
}

Result<std::string> checked_path(const std::string& path) {
  if (auto clean = clean_content_path(path)) return std::move(*clean);
  return refusal("InvalidPath", "a file of the volume cannot have the path " + quoted(path),
                 "use a relative path without `..`, whose first element does not start with `..`");
}

const std::string& bytes_of(const std::string& value) {
  return value;
}
const std::string& bytes_of(const SecretBytes& value) {
  return value.expose_secret();
}

/// The files of an object's data: all keys, or those that the items name.
template <class Data>
Result<Content> files_of(const Data& data, const std::vector<manifest::KeyToPath>& items,
                         std::uint32_t default_mode, bool is_optional, const std::string& kind) {
  Content content;
  if (items.empty()) {
    for (const auto& [key, value] : data) {
      MOORING_TRY(std::string path, checked_path(key));
      content[std::move(path)] = {SecretBytes(bytes_of(value)), default_mode};
    }
    return content;
  }
  for (const manifest::KeyToPath& item : items) {
    const auto found = data.find(item.key);
    if (found == data.end()) {
      if (is_optional) continue;
      return refusal("KeyNotFound", kind + " references non-existent config key: " + item.key,
                     "add the key, or set optional: true");
    }
    MOORING_TRY(std::string path, checked_path(item.path));
    content[std::move(path)] = {SecretBytes(bytes_of(found->second)), item.mode.value_or(default_mode)};
  }
  return content;
}

Result<Content> content_of_projection(const manifest::Projection& projection, std::uint32_t default_mode,
                                      const ContentRequest& request) {
  if (const auto* token = std::get_if<manifest::ServiceAccountTokenProjection>(&projection)) {
    return refusal("UnsupportedSource",
                   "serviceAccountToken (" + token->path +
                       ") cannot be made: tokens are issued by a Kubernetes API server, and there is none",
                   "take the source out, or set automountServiceAccountToken: false");
  }
  if (const auto* other = std::get_if<manifest::OtherProjection>(&projection)) {
    return refusal(
        "UnsupportedSource",
        other->kind + " cannot be made: it is issued by a Kubernetes API server, and there is none",
        "take the source out; a certificate can be put into a Secret or ConfigMap");
  }
  const auto with_mode = [&](auto source) {
    source.default_mode = default_mode;
    return content_of(source, request);
  };
  if (const auto* map = std::get_if<manifest::ConfigMapSource>(&projection)) return with_mode(*map);
  if (const auto* secret = std::get_if<manifest::SecretSource>(&projection)) return with_mode(*secret);
  return with_mode(std::get<manifest::DownwardApiSource>(projection));
}

}  // namespace

Result<Content> content_of(const manifest::ConfigMapSource& source, const ContentRequest& request) {
  const ObjectKey key = key_of(request, source.name);
  const auto map = request.objects.find_config_map(key);
  if (map) return files_of(map->data, source.items, source.default_mode, source.optional, "configmap");
  if (source.optional) return Content();
  return refusal("ConfigMapNotFound", "configmap " + quoted(key.text()) + " not found",
                 "put a manifest of it beside the pod's; Mooring goes on by itself then");
}

Result<Content> content_of(const manifest::SecretSource& source, const ContentRequest& request) {
  const ObjectKey key = key_of(request, source.secret_name);
  const auto secret = request.objects.find_secret(key);
  if (secret) {
    Result<Content> content =
        files_of(secret->data, source.items, source.default_mode, source.optional, "secret");
    if (!content && content.error().reason == "KeyNotFound") {
      std::string& message = content.error().message;
      message.replace(message.find("config key"), 10, "secret key");
    }
    return content;
  }
  if (source.optional) return Content();
  return refusal("SecretNotFound", "secret " + quoted(key.text()) + " not found",
                 "put a manifest of it beside the pod's; Mooring goes on by itself then");
}

Result<Content> content_of(const manifest::DownwardApiSource& source, const ContentRequest& request) {
  Content content;
  for (const manifest::DownwardApiItem& item : source.items) {
    MOORING_TRY(std::string path, checked_path(item.path));
    const auto* field = std::get_if<manifest::FieldReference>(&item.value);
    MOORING_TRY(std::string text,
                field != nullptr ? field_text(request.pod, field->field_path)
                                 : resource_text(request, std::get<manifest::ResourceReference>(item.value)));
    content[std::move(path)] = {SecretBytes(std::move(text)), item.mode.value_or(source.default_mode)};
  }
  return content;
}

Result<Content> content_of(const manifest::ProjectedSource& source, const ContentRequest& request) {
  Content content;
  std::optional<Error> failure;
  for (const manifest::Projection& projection : source.sources) {
    Result<Content> part = content_of_projection(projection, source.default_mode, request);
    if (!part) {
      if (failure) {
        failure->message += "; " + part.error().message;
      } else {
        failure = part.error();
      }
      continue;
    }
    for (auto& [path, file] : part.value())
      content.insert_or_assign(path, std::move(file));
  }
  if (failure) return std::move(*failure);
  return content;
}

namespace {

/// Gathers the objects of each kind of source.
struct ObjectGatherer {
  const Namespace& name_space;
  std::set<ObjectReference> found;

  void operator()(const manifest::ConfigMapSource& source) {
    found.insert({ObjectReference::Kind::ConfigMap, {name_space, ObjectName(source.name)}});
  }
  void operator()(const manifest::SecretSource& source) {
    found.insert({ObjectReference::Kind::Secret, {name_space, ObjectName(source.secret_name)}});
  }
  void operator()(const manifest::ClaimSource& source) {
    found.insert({ObjectReference::Kind::Claim, {name_space, ObjectName(source.claim_name)}});
  }
  void operator()(const manifest::ProjectedSource& source) {
    for (const manifest::Projection& projection : source.sources)
      std::visit([this](const auto& part) { (*this)(part); }, projection);
  }
  /// What its driver is told when it mounts the volume.
  void operator()(const manifest::FlexVolumeSource& source) {
    if (source.secret_name.empty()) return;
    found.insert({ObjectReference::Kind::Secret, {name_space, ObjectName(source.secret_name)}});
  }
  template <class Other>
  void operator()(const Other&) {}
};

}  // namespace

std::set<ObjectReference> objects_of(const manifest::VolumeSource& source, const Namespace& name_space) {
  ObjectGatherer gatherer{name_space, {}};
  std::visit([&](const auto& part) { gatherer(part); }, source);
  return std::move(gatherer.found);
}

}  // namespace mooring
