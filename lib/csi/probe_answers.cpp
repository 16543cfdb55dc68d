#include "csi/probe_answers.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/quote.h"

namespace mooring::csi {
namespace {

using nlohmann::json;

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
  if (response.empty()) return json::object();  // A message all of whose fields are at their defaults.
  json parsed = json::parse(response.begin(), response.end(), nullptr, /*allow_exceptions=*/false);
  if (parsed.is_object()) return parsed;
  return bad_answer("BadAnswer", "the driver's answer is no JSON object");
}

/// nullptr if there is none.
const json* member(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::string text_of(const json* value) {
  if (value == nullptr || !value->is_string()) return {};
  const auto& text = value->get_ref<const std::string&>();
  return text.size() > text_bytes_max ? std::string() : text;
}

/// The elements of a list, as many as count.
template <class Take>
void each(const json* list, const Take& take) {
  if (list == nullptr || !list->is_array()) return;
  for (std::size_t i = 0; i < list->size() && i < items_max; ++i)
    take((*list)[i]);
}

/// A 64-bit number is a string in protobuf's JSON; a number is taken too.
std::int64_t number_of(const json* value) {
  if (value == nullptr) return 0;
  if (value->is_number_unsigned())
    return static_cast<std::int64_t>(std::min<std::uint64_t>(value->get<std::uint64_t>(), INT64_MAX));
  if (value->is_number_integer()) return value->get<std::int64_t>();
  if (!value->is_string()) return 0;
  const auto& text = value->get_ref<const std::string&>();
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size() ? number : 0;
}

/// capabilities[].rpc.type of the services: an enum's value is written by name, or by number if it has none.
struct Capability {
  std::string_view name;
  std::int64_t number;
  bool* flag;
};
template <std::size_t N>
void read_types(const json& object, const char* kind, const Capability (&known)[N]) {
  each(member(object, "capabilities"), [&](const json& item) {
    const json* of_kind = member(item, kind);
    const json* type = of_kind == nullptr ? nullptr : member(*of_kind, "type");
    if (type == nullptr) return;
    for (const Capability& one : known) {
      const bool is_it = type->is_string() ? type->get_ref<const std::string&>() == one.name
                                           : type->is_number_integer() && number_of(type) == one.number;
      if (is_it) *one.flag = true;
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
  each(member(object, "supported_versions"), [&](const json& item) {
    if (item.is_string()) info.versions.push_back(text_of(&item));
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
  info.volumes_max = std::max<std::int64_t>(number_of(member(object, "max_volumes_per_node")), 0);
  const json* topology = member(object, "accessible_topology");
  const json* segments = topology == nullptr ? nullptr : member(*topology, "segments");
  if (segments == nullptr || !segments->is_object()) return info;
  for (const auto& [key, value] : segments->items()) {
    const std::string text = text_of(&value);
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
