#include "documents.h"

namespace mooring::ctl {
namespace {

constexpr const char* api_version = "mooring.io/v1";

/// With the names of the kubelet's summary.
Json usage_json(const VolumeUsage& usage) {
  Json json;
  if (!usage.stale.empty()) json["stale"] = usage.stale;
  if (usage.unknown_since) json["unknownSince"] = rfc3339(*usage.unknown_since);
  if (!usage.is_known) return json;
  json["time"] = rfc3339(usage.measured);
  json["capacityBytes"] = usage.capacity_bytes;
  if (usage.used_bytes) json["usedBytes"] = *usage.used_bytes;
  json["availableBytes"] = usage.available_bytes;
  if (usage.inodes != 0) json["inodes"] = usage.inodes;
  if (usage.inodes_used) json["inodesUsed"] = *usage.inodes_used;
  if (usage.inodes != 0) json["inodesFree"] = usage.inodes_free;
  return json;
}

void append_state(Json& json, const VolumeStatus& volume) {
  json["plugin"] = volume.plugin.str();
  json["phase"] = std::string(to_string(volume.phase));
  json["path"] = volume.path;
  if (!volume.reason.empty()) json["reason"] = volume.reason;
  if (!volume.message.empty()) json["message"] = volume.message;
  if (volume.since.since_epoch > Duration::zero()) json["since"] = rfc3339(volume.since);
  json["attempts"] = volume.attempts;
  if (volume.next_retry) json["nextRetry"] = rfc3339(*volume.next_retry);
  if (!volume.claim.empty()) json["persistentVolumeClaim"] = volume.claim;
  if (volume.usage) json["usage"] = usage_json(*volume.usage);
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

bool is_document(const Options& options) {
  return options.format == Format::Json || options.format == Format::Yaml;
}

void print_items(const Options& options, const std::string& kind, Json items, bool is_one) {
  if (is_one && items.size() == 1) return print_document(object_json(kind, items[0]), options.format);
  print_document(list_json(kind + "List", std::move(items)), options.format);
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
