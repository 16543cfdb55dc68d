#include <sys/statvfs.h>

#include "driver.h"

namespace mooring::mock_csi {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::int64_t capacity_default = 1024LL * 1024 * 1024;

/// Volume as the specification has it, from what stands beside its content.
json volume_of(const std::string& id, const json& description) {
  json volume{{"volume_id", id},
              {"capacity_bytes", std::to_string(number_in(description, "capacity_bytes"))}};
  if (description.contains("volume_context")) volume["volume_context"] = description["volume_context"];
  if (description.contains("content_source")) volume["content_source"] = description["content_source"];
  return volume;
}

json snapshot_of(const std::string& id, const json& description) {
  return {{"snapshot_id", id},
          {"source_volume_id", text_in(description, "source_volume_id")},
          {"creation_time", "2026-01-01T00:00:00Z"},
          {"ready_to_use", true},
          {"size_bytes", std::to_string(number_in(description, "size_bytes"))}};
}

json object_in(const json& message, const char* name) {
  return message.contains(name) && message[name].is_object() ? message[name] : json::object();
}

/// All descriptions in a directory: id and content.
std::vector<std::pair<std::string, json>> descriptions_in(const fs::path& directory) {
  std::vector<std::pair<std::string, json>> all;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".json") all.emplace_back(entry.path().stem(), read_json(entry.path()));
  }
  return all;
}

}  // namespace

Reply Driver::controller(const std::string& call, const json& request) {
  if (call == "CreateVolume") return create_volume(request);
  if (call == "DeleteVolume") return delete_volume(request);
  if (call == "ListVolumes") return list_volumes();
  if (call == "GetCapacity") return capacity();
  if (call == "CreateSnapshot") return create_snapshot(request);
  if (call == "DeleteSnapshot") return delete_snapshot(request);
  if (call == "ListSnapshots") return list_snapshots(request);
  if (call == "ControllerExpandVolume") return expand_volume(request);
  if (call == "ControllerGetVolume") return get_volume(request);
  if (call == "ControllerModifyVolume" || call == "ControllerUnpublishVolume") return {};
  if (call == "ControllerPublishVolume") {
    if (text_in(request, "node_id") != options_.node_id) return {CallCode::NotFound, "no such node", {}};
    return {CallCode::Ok,
            "",
            {{"publish_context", {{"device-path", "/dev/mock/" + text_in(request, "volume_id")}}}}};
  }
  if (call == "ValidateVolumeCapabilities")
    return {CallCode::Ok, "", {{"confirmed", {{"volume_capabilities", request["volume_capabilities"]}}}}};
  return {CallCode::Unimplemented, "unknown method " + call, {}};
}

Reply Driver::create_volume(const json& request) {
  const std::string id = text_in(request, "name");
  if (!is_file_name(id)) return {CallCode::InvalidArgument, "name is no file name", {}};
  const std::int64_t wanted = number_in(object_in(request, "capacity_range"), "required_bytes");
  const fs::path volume = volume_path(id);
  const fs::path file = volume.string() + ".json";
  if (const json known = read_json(file); known.is_object()) {
    if (number_in(known, "capacity_bytes") < wanted)
      return {CallCode::AlreadyExists, "a smaller volume has this name", {}};
    return {CallCode::Ok, "", {{"volume", volume_of(id, known)}}};
  }
  json description{{"capacity_bytes", std::to_string(wanted != 0 ? wanted : capacity_default)},
                   {"volume_context", object_in(request, "parameters")}};
  fs::path source;
  if (const json from = object_in(request, "volume_content_source"); !from.empty()) {
    source = from.contains("snapshot") ? snapshot_path(text_in(from["snapshot"], "snapshot_id"))
                                       : volume_path(text_in(object_in(from, "volume"), "volume_id"));
    if (!fs::exists(source)) return {CallCode::NotFound, "the source is not there", {}};
    description["content_source"] = from;
  }
  fs::create_directories(volume);
  if (!source.empty())
    fs::copy(source, volume, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  write_json(file, description);
  return {CallCode::Ok, "", {{"volume", volume_of(id, description)}}};
}

Reply Driver::delete_volume(const json& request) {
  const std::string id = text_in(request, "volume_id");
  if (id.empty()) return {CallCode::InvalidArgument, "no volume_id", {}};
  const fs::path volume = volume_path(id);
  fs::remove_all(volume);
  fs::remove(volume.string() + ".block");
  fs::remove(volume.string() + ".json");
  return {};
}

Reply Driver::list_volumes() const {
  json entries = json::array();
  for (const auto& [id, description] : descriptions_in(options_.data / "volumes"))
    entries.push_back({{"volume", volume_of(id, description)}});
  return {CallCode::Ok, "", {{"entries", entries}}};
}

Reply Driver::get_volume(const json& request) const {
  const std::string id = text_in(request, "volume_id");
  const json description = read_json(volume_path(id).string() + ".json");
  if (!description.is_object()) return {CallCode::NotFound, "no such volume", {}};
  return {CallCode::Ok,
          "",
          {{"volume", volume_of(id, description)},
           {"status", {{"volume_condition", {{"abnormal", false}, {"message", "all is well"}}}}}}};
}

Reply Driver::expand_volume(const json& request) {
  const std::string id = text_in(request, "volume_id");
  const fs::path file = volume_path(id).string() + ".json";
  json description = read_json(file);
  if (!description.is_object()) return {CallCode::NotFound, "no such volume", {}};
  const std::int64_t wanted = number_in(object_in(request, "capacity_range"), "required_bytes");
  const std::int64_t size = std::max(wanted, number_in(description, "capacity_bytes"));
  description["capacity_bytes"] = std::to_string(size);
  write_json(file, description);
  const bool is_node_asked = options_.node_capabilities.count("EXPAND_VOLUME") != 0;
  return {CallCode::Ok,
          "",
          {{"capacity_bytes", std::to_string(size)}, {"node_expansion_required", is_node_asked}}};
}

Reply Driver::capacity() const {
  struct statvfs space {};
  if (statvfs(options_.data.c_str(), &space) != 0) return {CallCode::Internal, "statvfs failed", {}};
  return {CallCode::Ok, "", {{"available_capacity", std::to_string(space.f_bavail * space.f_frsize)}}};
}

Reply Driver::create_snapshot(const json& request) {
  const std::string id = text_in(request, "name");
  const std::string of = text_in(request, "source_volume_id");
  if (!is_file_name(id)) return {CallCode::InvalidArgument, "name is no file name", {}};
  const fs::path snapshot = snapshot_path(id);
  const fs::path file = snapshot.string() + ".json";
  if (const json known = read_json(file); known.is_object()) {
    if (text_in(known, "source_volume_id") != of)
      return {CallCode::AlreadyExists, "a snapshot of another volume has this name", {}};
    return {CallCode::Ok, "", {{"snapshot", snapshot_of(id, known)}}};
  }
  if (!fs::exists(volume_path(of))) return {CallCode::NotFound, "no such volume", {}};
  fs::create_directories(snapshot);
  fs::copy(volume_path(of), snapshot, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  const json source = read_json(volume_path(of).string() + ".json");
  const json description{{"source_volume_id", of},
                         {"size_bytes", std::to_string(number_in(source, "capacity_bytes"))}};
  write_json(file, description);
  return {CallCode::Ok, "", {{"snapshot", snapshot_of(id, description)}}};
}

Reply Driver::delete_snapshot(const json& request) {
  const std::string id = text_in(request, "snapshot_id");
  if (id.empty()) return {CallCode::InvalidArgument, "no snapshot_id", {}};
  fs::remove_all(snapshot_path(id));
  fs::remove(snapshot_path(id).string() + ".json");
  return {};
}

Reply Driver::list_snapshots(const json& request) const {
  json entries = json::array();
  for (const auto& [id, description] : descriptions_in(options_.data / "snapshots")) {
    const std::string wanted = text_in(request, "snapshot_id");
    const std::string of = text_in(request, "source_volume_id");
    const bool is_meant =
        (wanted.empty() || wanted == id) && (of.empty() || of == text_in(description, "source_volume_id"));
    if (is_meant) entries.push_back({{"snapshot", snapshot_of(id, description)}});
  }
  return {CallCode::Ok, "", {{"entries", entries}}};
}

}  // namespace mooring::mock_csi
