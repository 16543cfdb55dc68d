#include "csi/probe_answers.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/quote.h"
#include "csi/json_reader.h"

namespace mooring::csi {
namespace {

using json_reader::json;
using json_reader::member;

constexpr std::size_t answer_bytes_max = 1024 * 1024;
constexpr std::size_t items_max = 64;
constexpr std::size_t text_bytes_max = 1024;

Error bad_answer(std::string reason, std::string message) {
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = std::move(reason);
  error.message = std::move(message);
  error.remedy = "look at the driver's log; Mooring tries again by itself";
  return error;
}

Result<json> read_object(std::string_view response) {
  if (response.size() > answer_bytes_max)
    return bad_answer("BadAnswer",
                      "the driver's answer is too long (" + std::to_string(response.size()) + " bytes)");
  json object = json_reader::parsed(response);
  if (object.is_object()) return object;
  return bad_answer("BadAnswer", "the driver's answer is no JSON object");
}

std::string text_of(const json& value) {
  return json_reader::text(value, text_bytes_max);
}

/// capabilities[].rpc.type of the services: an enum's value is written by name, or by number if it has none.
struct Capability {
  std::string_view name;
  std::int64_t number;
  bool* flag;
};
template <std::size_t N>
void read_types(const json& object, const char* kind, const Capability (&known)[N]) {
  json_reader::each(member(object, "capabilities"), items_max, [&](const json& item) {
    const json& type = member(member(item, kind), "type");
    for (const Capability& one : known) {
      if (json_reader::is_named(type, one.name, one.number)) *one.flag = true;
    }
  });
}

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

}  // namespace

Result<RegistrationInfo> read_registration(std::string_view response) {
  MOORING_TRY(const json object, read_object(response));
  RegistrationInfo info;
  info.type = text_of(member(object, "type"));
  info.name = text_of(member(object, "name"));
  info.endpoint = text_of(member(object, "endpoint"));
  json_reader::each(member(object, "supported_versions"), items_max, [&](const json& item) {
    if (item.is_string()) info.versions.push_back(text_of(item));
  });
  return info;
}

Result<PluginIdentity> read_plugin_info(std::string_view response) {
  MOORING_TRY(const json object, read_object(response));
  return PluginIdentity{text_of(member(object, "name")),
                        driver_words(text_of(member(object, "vendor_version")))};
}

Result<PluginCapabilities> read_plugin_capabilities(std::string_view response) {
  MOORING_TRY(const json object, read_object(response));
  PluginCapabilities found;
  read_types(object, "service", {{"CONTROLLER_SERVICE", 1, &found.controller_service}});
  read_types(object, "volume_expansion", {{"ONLINE", 1, &found.expands_online}});
  return found;
}

Result<NodeIdentity> read_node_info(std::string_view response) {
  constexpr std::size_t node_id_bytes_max = 256;  // CSI 1.9, NodeGetInfoResponse.
  MOORING_TRY(const json object, read_object(response));
  NodeIdentity info;
  info.node_id = text_of(member(object, "node_id"));
  if (info.node_id.empty() || info.node_id.size() > node_id_bytes_max || has_control_characters(info.node_id))
    return bad_answer("NoNodeId", "the driver's answer to NodeGetInfo has no node_id of 1 to 256 characters");
  info.volumes_max = std::max<std::int64_t>(json_reader::number(member(object, "max_volumes_per_node")), 0);
  const json& segments = member(member(object, "accessible_topology"), "segments");
  if (!segments.is_object()) return info;
  for (const auto& [key, value] : segments.items()) {
    const std::string text = text_of(value);
    const bool is_right = !key.empty() && key.size() <= text_bytes_max && value.is_string() &&
                          !has_control_characters(key) && !has_control_characters(text);
    if (is_right && info.topology.size() < items_max) info.topology.emplace(key, text);
  }
  return info;
}

Result<CsiNodeCapabilities> read_node_capabilities(std::string_view response) {
  MOORING_TRY(const json object, read_object(response));
  CsiNodeCapabilities found;
  read_types(object, "rpc",
             {{"STAGE_UNSTAGE_VOLUME", 1, &found.stage_unstage},
              {"GET_VOLUME_STATS", 2, &found.volume_stats},
              {"EXPAND_VOLUME", 3, &found.expand},
              {"VOLUME_CONDITION", 4, &found.volume_condition},
              {"SINGLE_NODE_MULTI_WRITER", 5, &found.single_node_multi_writer},
              {"VOLUME_MOUNT_GROUP", 6, &found.volume_mount_group}});
  return found;
}

Result<CsiControllerCapabilities> read_controller_capabilities(std::string_view response) {
  MOORING_TRY(const json object, read_object(response));
  CsiControllerCapabilities found;
  read_types(object, "rpc",
             {{"CREATE_DELETE_VOLUME", 1, &found.create_delete_volume},
              {"PUBLISH_UNPUBLISH_VOLUME", 2, &found.publish_unpublish_volume},
              {"CREATE_DELETE_SNAPSHOT", 5, &found.create_delete_snapshot},
              {"CLONE_VOLUME", 7, &found.clone_volume},
              {"PUBLISH_READONLY", 8, &found.publish_read_only},
              {"EXPAND_VOLUME", 9, &found.expand_volume},
              {"SINGLE_NODE_MULTI_WRITER", 13, &found.single_node_multi_writer}});
  return found;
}

std::string registration_status(bool is_registered, std::string_view error) {
  return std::string("{\"plugin_registered\":") + (is_registered ? "true" : "false") +
         ",\"error\":" + json_string(driver_words(error)) + "}";
}

}  // namespace mooring::csi
