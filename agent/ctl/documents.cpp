#include "documents.h"

namespace mooring::ctl {
namespace {

constexpr const char* api_version = "mooring.io/v1";

void append_state(Json& json, const VolumeStatus& volume) {
  json["plugin"] = volume.plugin.str();
  json["phase"] = std::string(to_string(volume.phase));
  json["path"] = volume.path;
  if (!volume.reason.empty()) json["reason"] = volume.reason;
  if (!volume.message.empty()) json["message"] = volume.message;
  if (volume.since.since_epoch > Duration::zero()) json["since"] = rfc3339(volume.since);
  json["attempts"] = volume.attempts;
  if (volume.next_retry) json["nextRetry"] = rfc3339(*volume.next_retry);
}

}  // namespace

Json volume_json(const VolumeStatus& volume) {
  Json json;
  json["name"] = volume.name.str();
  append_state(json, volume);
  return json;
}

Json volume_object_json(const PodStatus& pod, const VolumeStatus& volume) {
  Json json;
  json["metadata"] = {{"namespace", pod.name_space.str()},
                      {"name", volume.name.str()},
                      {"pod", pod.name.str()},
                      {"podUid", pod.uid.str()}};
  append_state(json, volume);
  return json;
}

Json pod_json(const PodStatus& pod) {
  Json json;
  json["metadata"] = {{"namespace", pod.name_space.str()}, {"name", pod.name.str()}, {"uid", pod.uid.str()}};
  json["ready"] = pod.ready;
  json["volumes"] = Json::array();
  for (const VolumeStatus& volume : pod.volumes)
    json["volumes"].push_back(volume_json(volume));
  if (pod.deleting) json["deleting"] = true;
  return json;
}

Json full_pod_json(const PodStatus& pod) {
  Json json = pod_json(pod);
  for (std::size_t i = 0; i < pod.volumes.size(); ++i) {
    if (!pod.volumes[i].action.empty()) json["volumes"][i]["action"] = pod.volumes[i].action;
  }
  if (!pod.origin.empty()) json["origin"] = pod.origin;
  if (!pod.message.empty()) json["message"] = pod.message;
  return json;
}

Json event_json(const StatusEvent& event) {
  Json json;
  json["sequence"] = event.sequence;
  json["time"] = rfc3339(event.time);
  json["type"] = event.warning ? "Warning" : "Normal";
  json["reason"] = event.reason;
  json["object"] = event.object;
  json["message"] = event.message;
  return json;
}

Json plugin_json(const Plugin& plugin) {
  const PluginSupport support = plugin.support();
  Json json;
  json["metadata"] = {{"name", plugin.name().str()}};
  json["supports"] = {{"readOnly", support.read_only}, {"mountOptions", support.mount_options},
                      {"fsGroup", support.fs_group},   {"blockMode", support.block_mode},
                      {"refresh", support.refresh},    {"selinuxRelabel", support.selinux_relabel}};
  return json;
}

Json node_json(const NodeStatus& node) {
  Json json;
  json["metadata"] = {{"name", node.node_name}};
  json["pods"] = {{"total", node.pods}, {"ready", node.pods_ready}};
  json["volumes"] = {{"total", node.volumes}, {"ready", node.volumes_ready}};
  json["workersStuck"] = node.workers_stuck;
  json["manifestsComplete"] = node.manifests_complete;
  json["problems"] = node.problems;
  return json;
}

Json list_json(const std::string& kind, Json items) {
  Json json;
  json["apiVersion"] = api_version;
  json["kind"] = kind;
  json["items"] = std::move(items);
  return json;
}

Json object_json(const std::string& kind, const Json& fields) {
  Json json;
  json["apiVersion"] = api_version;
  json["kind"] = kind;
  for (const auto& [key, value] : fields.items())
    json[key] = value;
  return json;
}

}  // namespace mooring::ctl
