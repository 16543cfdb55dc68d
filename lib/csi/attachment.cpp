#include "csi/attachment.h"

#include <nlohmann/json.hpp>

namespace mooring::csi {
namespace {

using nlohmann::json;

constexpr int stamp_version = 1;

/// The text at `key`; nullopt: there is something else.
std::optional<std::string> text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return std::string();
  if (!found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

}  // namespace

std::string encode_attachment(const CsiAttachment& attachment) {
  json object{{"version", stamp_version},
              {"driver", attachment.driver.str()},
              {"handle", attachment.handle},
              {"nodeId", attachment.node_id},
              {"staged", attachment.staged_path}};
  if (attachment.secret)
    object["secret"] = {{"namespace", attachment.secret->name_space.str()},
                        {"name", attachment.secret->name.str()}};
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<CsiAttachment> decode_attachment(std::string_view bytes) {
  if (bytes.size() > attachment_size_max) return std::nullopt;
  const json object = json::parse(bytes, nullptr, false);
  if (!object.is_object() || object.value("version", json()) != json(stamp_version)) return std::nullopt;
  const auto driver = text_of(object, "driver");
  const auto handle = text_of(object, "handle");
  const auto node_id = text_of(object, "nodeId");
  const auto staged = text_of(object, "staged");
  if (!driver || !handle || !node_id || !staged) return std::nullopt;
  if (driver->empty() || handle->empty() || node_id->empty()) return std::nullopt;
  CsiAttachment attachment{DriverName(*driver), *handle, *node_id, std::nullopt, *staged};
  const auto secret = object.find("secret");
  if (secret == object.end()) return attachment;
  if (!secret->is_object()) return std::nullopt;
  const auto name_space = text_of(*secret, "namespace");
  const auto name = text_of(*secret, "name");
  if (!name_space || !name || name->empty()) return std::nullopt;
  attachment.secret = ObjectKey{Namespace(*name_space), ObjectName(*name)};
  return attachment;
}

}  // namespace mooring::csi
