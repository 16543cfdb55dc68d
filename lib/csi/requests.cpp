#include "csi/requests.h"

#include "csi/json_writer.h"

namespace mooring::csi {
namespace {

using json_writer::made;
using json_writer::Object;

template <class Out>
void write_capability(Object<Out>& object, const CsiCapability& capability) {
  json_writer::write_capability(object.begin("volume_capability"), capability);
}

}  // namespace

SecretBytes stage_request(const StageRequest& request) {
  return made([&](auto& object) {
    object.text("volume_id", request.volume_id);
    object.texts("publish_context", request.publish_context);
    object.text("staging_target_path", request.staging_target_path);
    write_capability(object, request.capability);
    object.secrets("secrets", request.secrets);
    object.texts("volume_context", request.volume_context);
  });
}

SecretBytes unstage_request(std::string_view volume_id, std::string_view staging_target_path) {
  return made([&](auto& object) {
    object.text("volume_id", volume_id);
    object.text("staging_target_path", staging_target_path);
  });
}

SecretBytes publish_request(const PublishRequest& request) {
  return made([&](auto& object) {
    object.text("volume_id", request.volume_id);
    object.texts("publish_context", request.publish_context);
    object.text("staging_target_path", request.staging_target_path);
    object.text("target_path", request.target_path);
    write_capability(object, request.capability);
    object.flag("readonly", request.read_only);
    object.secrets("secrets", request.secrets);
    const bool has_tokens = request.tokens != nullptr && !request.tokens->expose_secret().empty();
    if (!has_tokens) return object.texts("volume_context", request.volume_context);
    Object context(object.begin("volume_context"));
    for (const auto& [key, value] : request.volume_context)
      context.entry(key, value);
    context.entry(tokens_key, request.tokens->expose_secret());
  });
}

SecretBytes unpublish_request(std::string_view volume_id, std::string_view target_path) {
  return made([&](auto& object) {
    object.text("volume_id", volume_id);
    object.text("target_path", target_path);
  });
}

SecretBytes expand_request(const ExpandRequest& request) {
  return made([&](auto& object) {
    object.text("volume_id", request.volume_id);
    object.text("volume_path", request.volume_path);
    if (request.required_bytes != 0) {
      Object inner(object.begin("capacity_range"));
      inner.amount("required_bytes", request.required_bytes);
    }
    object.text("staging_target_path", request.staging_target_path);
    write_capability(object, request.capability);
    object.secrets("secrets", request.secrets);
  });
}

SecretBytes stats_request(std::string_view volume_id, std::string_view volume_path,
                          std::string_view staging_target_path) {
  return made([&](auto& object) {
    object.text("volume_id", volume_id);
    object.text("volume_path", volume_path);
    object.text("staging_target_path", staging_target_path);
  });
}

void add_pod_info(const PodInfo& pod, Context& context) {
  const std::string prefix = "csi.storage.k8s.io/";
  context[prefix + "pod.name"] = pod.name;
  context[prefix + "pod.namespace"] = pod.name_space;
  context[prefix + "pod.uid"] = pod.uid;
  context[prefix + "serviceAccount.name"] = pod.service_account;
  context[prefix + "ephemeral"] = pod.is_ephemeral ? "true" : "false";
}

}  // namespace mooring::csi
