#include "driver.h"

#include <fstream>

namespace mooring::mock_csi {
namespace {

using nlohmann::json;

/// [{"rpc": {"type": "..."}}, ...]
json rpc_capabilities(const std::set<std::string>& types) {
  json out = json::array();
  for (const std::string& type : types)
    out.push_back({{"rpc", {{"type", type}}}});
  return {{"capabilities", out}};
}

}  // namespace

std::int64_t number_in(const json& message, const char* name) {
  if (!message.is_object() || !message.contains(name)) return 0;
  const json& value = message[name];
  return value.is_string() ? std::stoll(value.get<std::string>()) : value.get<std::int64_t>();
}

std::string text_in(const json& message, const char* name) {
  return message.is_object() ? message.value(name, std::string()) : std::string();
}

bool is_file_name(const std::string& text) {
  return !text.empty() && text.front() != '.' && text.find('/') == std::string::npos && text.size() < 200;
}

json read_json(const std::filesystem::path& file) {
  std::ifstream in(file);
  return in ? json::parse(in, nullptr, /*allow_exceptions=*/false) : json();
}

void write_json(const std::filesystem::path& file, const json& value) {
  const std::filesystem::path other = file.string() + ".new";
  std::ofstream(other) << value.dump();
  std::filesystem::rename(other, file);
}

Reply Driver::handle(const std::string& method, const json& request) {
  const std::lock_guard lock(mutex_);
  const std::size_t slash = method.find('/');
  const std::string service = method.substr(0, slash);
  const std::string call = method.substr(slash + 1);
  std::filesystem::create_directories(options_.data / "volumes");
  std::filesystem::create_directories(options_.data / "snapshots");
  for (const char* id : {"volume_id", "snapshot_id", "source_volume_id"}) {
    const std::string text = text_in(request, id);
    if (!text.empty() && !is_file_name(text))
      return {CallCode::InvalidArgument, std::string(id) + " is no file name", {}};
  }
  if (service == "csi.v1.Identity") return identity(call, request);
  if (service == "csi.v1.Node" && call == "NodeGetCapabilities")
    return {CallCode::Ok, "", rpc_capabilities(options_.node_capabilities)};
  if (service == "csi.v1.Node") return node(call, request);
  const bool has_controller = options_.plugin_capabilities.count("CONTROLLER_SERVICE") != 0;
  if (service == "csi.v1.Controller" && has_controller && call == "ControllerGetCapabilities")
    return {CallCode::Ok, "", rpc_capabilities(options_.controller_capabilities)};
  if (service == "csi.v1.Controller" && has_controller) return controller(call, request);
  if (service == "pluginregistration.Registration") return registration(call, request);
  return {CallCode::Unimplemented, "unknown service " + service, {}};
}

Reply Driver::identity(const std::string& call, const json&) const {
  if (call == "GetPluginInfo")
    return {CallCode::Ok, "", {{"name", options_.name}, {"vendor_version", options_.version}}};
  if (call == "Probe") return {CallCode::Ok, "", {{"ready", true}}};
  json all = json::array();
  for (const std::string& type : options_.plugin_capabilities)
    all.push_back({{"service", {{"type", type}}}});
  if (!options_.expansion.empty()) all.push_back({{"volume_expansion", {{"type", options_.expansion}}}});
  return {CallCode::Ok, "", {{"capabilities", all}}};
}

Reply Driver::registration(const std::string& call, const json&) const {
  if (call != "GetInfo") return {};
  return {CallCode::Ok,
          "",
          {{"type", options_.registration_type},
           {"name", options_.name},
           {"endpoint", options_.endpoint},
           {"supported_versions", options_.supported_versions}}};
}

}  // namespace mooring::mock_csi
