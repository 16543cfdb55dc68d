#include "csi/volume_data.h"

#include <nlohmann/json.hpp>

namespace mooring::csi {
namespace {

std::string text_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::string encode_volume_data(const VolumeData& data) {
  nlohmann::json object = nlohmann::json::object();
  const auto put = [&](const char* key, const std::string& value) {
    if (!value.empty()) object[key] = value;
  };
  put("attachmentID", data.attachment_id);
  put("driverName", data.driver.str());
  put("nodeName", data.node.str());
  put("specVolID", data.directory.str());
  put("volumeHandle", data.volume_handle);
  put("volumeLifecycleMode", data.lifecycle_mode);
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<VolumeData> decode_volume_data(std::string_view bytes) {
  if (bytes.size() > volume_data_size_max) return std::nullopt;
  const nlohmann::json object = nlohmann::json::parse(bytes, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  VolumeData data;
  data.driver = DriverName(text_of(object, "driverName"));
  data.volume_handle = text_of(object, "volumeHandle");
  if (data.driver.empty() || data.volume_handle.empty()) return std::nullopt;
  data.directory = VolumeDirectory(text_of(object, "specVolID"));
  data.node = NodeName(text_of(object, "nodeName"));
  data.attachment_id = text_of(object, "attachmentID");
  data.lifecycle_mode = text_of(object, "volumeLifecycleMode");
  return data;
}

}  // namespace mooring::csi
