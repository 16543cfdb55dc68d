#include <fmt/format.h>

#include <optional>

#include "ask.h"
#include "base/quote.h"
#include "claims.h"
#include "commands.h"
#include "details.h"
#include "devices.h"
#include "documents.h"
#include "drivers.h"
#include "output.h"
#include "storage.h"
#include "tables.h"

namespace mooring::ctl {
namespace {

/// What is wrong with the node beyond its pods, a line each.
std::vector<std::string> node_problems(const NodeStatus& node) {
  std::vector<std::string> lines;
  if (!node.manifests_complete)
    lines.emplace_back("the manifests have not been read whole; nothing is torn down until they are");
  if (node.workers_stuck == 1) lines.emplace_back("1 worker cannot be ended; its volume is held");
  if (node.workers_stuck > 1)
    lines.push_back(fmt::format("{} workers cannot be ended; their volumes are held", node.workers_stuck));
  lines.insert(lines.end(), node.problems.begin(), node.problems.end());
  return lines;
}

void print_status_text(const Options& options, const NodeStatus& node, const std::vector<PodStatus>& pods,
                       const Storage& storage) {
  const bool is_fine = node.pods == node.pods_ready && node.volumes == node.volumes_ready;
  const std::string counts = fmt::format("{} of {} pods ready, {} of {} volumes ready", node.pods_ready,
                                         node.pods, node.volumes_ready, node.volumes);
  answer("node " + clean(node.node_name) + ": " + (is_fine ? paint_good(counts) : paint_bad(counts)) + "\n");
  if (!storage.claims.empty()) answer(claim_counts(storage.claims) + "\n");
  for (const std::string& line : node_problems(node))
    answer(paint_bad("problem:") + " " + clean(line) + "\n");
  std::vector<PodStatus> shown = pods;
  if (options.only_exceptions) std::erase_if(shown, [](const PodStatus& pod) { return pod.ready; });
  if (!shown.empty()) answer("\n" + pod_table(shown, true, options.format == Format::Wide));
  const std::string troubles = trouble_table(pods);
  if (!troubles.empty()) answer("\n" + troubles);
  const std::string storage_troubles =
      storage_trouble_table(storage.claims, storage.volumes, storage.snapshots);
  if (!storage_troubles.empty()) answer("\n" + storage_troubles);
}

Json status_document(const Options& options, const NodeStatus& node, const std::vector<PodStatus>& pods,
                     const Storage& storage) {
  Json json = object_json("NodeStatus", node_json(node));
  json["claims"] = claim_counts_json(storage.claims);
  json["items"] = Json::array();
  for (const PodStatus& pod : pods) {
    if (!options.only_exceptions || !pod.ready) json["items"].push_back(full_pod_json(pod));
  }
  return json;
}

ExitStatus print_status(Client& client, const Options& options) {
  const Result<NodeStatus> node = client.node();
  if (!node) return fail(node.error());
  const Result<std::vector<PodStatus>> pods = ask_pods(client, options, Scope::Node);
  if (!pods) return fail(pods.error());
  const Storage storage = ask_storage(client, options, Scope::Node);
  if (options.format == Format::Table || options.format == Format::Wide) {
    print_status_text(options, node.value(), pods.value(), storage);
  } else {
    print_document(status_document(options, node.value(), pods.value(), storage), options.format);
  }
  bool is_as_desired = node_problems(node.value()).empty() &&
                       storage_trouble_table(storage.claims, storage.volumes, storage.snapshots).empty();
  for (const PodStatus& pod : pods.value())
    is_as_desired = is_as_desired && pod.ready;
  return is_as_desired ? ExitStatus::Ok : ExitStatus::NotInDesiredState;
}

ExitStatus describe_plugin(const Options& options) {
  const PluginRegistry plugins = built_in_plugins();
  const Plugin* plugin = plugins.by_name(PluginName(options.name));
  if (plugin == nullptr) return fail(no_such("plugin", options.name));
  const Format format = options.format == Format::Json ? Format::Json : Format::Yaml;
  print_document(object_json("Plugin", plugin_json(*plugin)), format);
  return ExitStatus::Ok;
}

ExitStatus describe_device(const Options& options) {
  const auto client = connect(options);
  if (!client) return fail(client.error());
  const Result<std::vector<DeviceStatus>> devices = client.value()->devices();
  if (!devices) return fail(devices.error());
  for (const DeviceStatus& device : devices.value()) {
    if (device.key != options.name) continue;
    if (options.format == Format::Json || options.format == Format::Yaml) {
      print_document(object_json("Device", device_json(device)), options.format);
      return ExitStatus::Ok;
    }
    const auto events = client.value()->events_since(0);
    if (!events) return fail(events.error());
    const std::string log = event_details(events.value(), "device/" + device.key, 20);
    answer(device_details(device) + (log.empty() ? "" : "\nevents:\n" + log));
    return ExitStatus::Ok;
  }
  return fail(no_such("device", options.name));
}

std::string describe_text(const PodStatus& pod, const std::optional<VolumeStatus>& volume,
                          const std::vector<StatusEvent>& events, const std::vector<DeviceStatus>& devices) {
  if (volume) return volume_details(pod, *volume) + device_field(devices, pod, *volume);
  std::string out = pod_details(pod);
  for (const VolumeStatus& each : pod.volumes)
    out += "\n" + volume_details(pod, each) + device_field(devices, pod, each);
  const std::string log = event_details(events, "pod/" + pod.name_space.str() + "/" + pod.name.str(), 20);
  if (!log.empty()) out += "\nevents:\n" + log;
  return out;
}

}  // namespace

ExitStatus run_status(const Options& options) {
  const auto client = connect(options);
  if (!client) return fail(client.error());
  return once_or_watch(*client.value(), options, [&] { return print_status(*client.value(), options); });
}

ExitStatus run_describe(const Options& options) {
  const std::optional<Kind> kind = kind_of(options.kind);
  const std::size_t slash = options.kind.find('/');
  if (options.name.empty() && slash != std::string::npos) {  // describe pod/web
    Options apart = options;
    apart.kind = options.kind.substr(0, slash);
    apart.name = options.kind.substr(slash + 1);
    return run_describe(apart);
  }
  if (!kind) return fail(usage_error("\"" + options.kind + "\" is not a kind; " + kinds_text()));
  if (options.name.empty()) return fail(usage_error("describe needs a name"));
  if (*kind == Kind::Plugins) return describe_plugin(options);
  if (*kind == Kind::Devices) return describe_device(options);
  if (*kind == Kind::Drivers) return describe_driver(options);
  if (is_storage(*kind)) return describe_storage(options, *kind);
  if (*kind != Kind::Pods && *kind != Kind::Volumes) return fail(no_such(options.kind, options.name));
  const auto reference = parse_pod_reference(options, "pod/" + options.name, *kind == Kind::Volumes);
  if (!reference) return fail(reference.error());
  if (*kind == Kind::Volumes && reference.value().volume.empty())
    return fail(usage_error("a volume is named as POD/VOLUME"));
  const auto client = connect(options);
  if (!client) return fail(client.error());
  ask_usage(*client.value(), reference.value().key);
  const Result<PodStatus> pod = ask_pod(*client.value(), reference.value().key);
  if (!pod) return fail(pod.error());
  std::optional<VolumeStatus> volume;
  if (*kind == Kind::Volumes) {
    const Result<VolumeStatus> found = find_volume(pod.value(), reference.value().volume);
    if (!found) return fail(found.error());
    volume = found.value();
  }
  if (options.format == Format::Json || options.format == Format::Yaml) {
    print_document(volume ? object_json("Volume", volume_object_json(pod.value(), *volume))
                          : object_json("Pod", full_pod_json(pod.value())),
                   options.format);
    return ExitStatus::Ok;
  }
  const auto events = client.value()->events_since(0);
  if (!events) return fail(events.error());
  answer(describe_text(pod.value(), volume, events.value(), ask_volume_devices(*client.value())));
  return ExitStatus::Ok;
}

ExitStatus run_dump(const Options& options) {
  const auto client = connect(options);
  if (!client) return fail(client.error());
  const auto daemon = client.value()->daemon();
  if (!daemon) return fail(daemon.error());
  const auto node = client.value()->node();
  if (!node) return fail(node.error());
  const auto pods = client.value()->pods();
  if (!pods) return fail(pods.error());
  const auto devices = client.value()->devices();
  if (!devices) return fail(devices.error());
  const auto events = client.value()->events_since(0);
  if (!events) return fail(events.error());
  Json json = object_json("Dump", Json::object());
  json["time"] = rfc3339(now_wall());
  json["version"] = daemon.value().version;
  json["clientVersion"] = MOORING_VERSION;
  json["rootDirectory"] = daemon.value().root_directory;
  json["node"] = node_json(node.value());
  json["pods"] = Json::array();
  for (const PodStatus& pod : pods.value())
    json["pods"].push_back(full_pod_json(pod));
  json["devices"] = Json::array();
  for (const DeviceStatus& device : devices.value())
    json["devices"].push_back(device_json(device));
  json["drivers"] = Json::array();
  const auto drivers = client.value()->drivers();
  if (!drivers) return fail(drivers.error());
  for (const DriverStatus& driver : drivers.value())
    json["drivers"].push_back(driver_json(driver));
  append_storage(json, *client.value());
  json["events"] = Json::array();
  for (const StatusEvent& event : events.value())
    json["events"].push_back(event_json(event));
  print_document(json, options.format == Format::Yaml ? Format::Yaml : Format::Json);
  return ExitStatus::Ok;
}

ExitStatus run_version(const Options& options) {
  const auto client = connect(options);
  const auto daemon = client ? client.value()->daemon() : Result<DaemonInfo>(client.error());
  if (options.format == Format::Json || options.format == Format::Yaml) {
    Json json{{"client", MOORING_VERSION}};
    if (daemon) json["daemon"] = daemon.value().version;
    print_document(json, options.format);
    return ExitStatus::Ok;
  }
  answer(std::string("mooringctl ") + MOORING_VERSION + "\n");
  answer("mooringd " + (daemon ? clean(daemon.value().version) : "not reached") + "\n");
  return ExitStatus::Ok;
}

}  // namespace mooring::ctl
