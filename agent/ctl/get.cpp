#include <optional>

#include "ask.h"
#include "base/quote.h"
#include "commands.h"
#include "devices.h"
#include "documents.h"
#include "drivers.h"
#include "output.h"
#include "storage.h"
#include "tables.h"

namespace mooring::ctl {
namespace {

void say_if_empty(const Options& options, bool is_empty, const std::string& what) {
  if (!is_empty) return;
  const bool is_all = is_about_all(options, Scope::One);
  message("there are no " + what + (is_all ? "" : " in the namespace " + options.name_space));
}

ExitStatus get_pods(const Options& options, std::vector<PodStatus> pods) {
  if (!options.name.empty()) {
    std::erase_if(pods, [&](const PodStatus& pod) { return pod.name.str() != options.name; });
    if (pods.empty()) return fail(no_such("pod", options.name));
  }
  if (is_document(options)) {
    Json items = Json::array();
    for (const PodStatus& pod : pods)
      items.push_back(pod_json(pod));
    print_items(options, "Pod", std::move(items), !options.name.empty());
  } else if (options.format == Format::Name) {
    for (const PodStatus& pod : pods)
      answer("pod/" + clean(pod.name.str()) + "\n");
  } else if (pods.empty()) {
    say_if_empty(options, true, "pods");
  } else {
    answer(pod_table(pods, options.all_namespaces, options.format == Format::Wide));
  }
  return ExitStatus::Ok;
}

/// Leaves only the volumes that NAME names: those of POD, or POD/VOLUME.
void keep_named_volumes(const Options& options, std::vector<PodStatus>& pods) {
  const std::size_t slash = options.name.find('/');
  const std::string pod_name = options.name.substr(0, slash);
  std::erase_if(pods, [&](const PodStatus& pod) { return pod.name.str() != pod_name; });
  if (slash == std::string::npos) return;
  const std::string name = options.name.substr(slash + 1);
  for (PodStatus& pod : pods)
    std::erase_if(pod.volumes, [&](const VolumeStatus& volume) { return volume.name.str() != name; });
  std::erase_if(pods, [](const PodStatus& pod) { return pod.volumes.empty(); });
}

ExitStatus get_volumes(const Options& options, std::vector<PodStatus> pods) {
  if (!options.name.empty()) {
    keep_named_volumes(options, pods);
    if (pods.empty()) return fail(no_such("volume", options.name));
  }
  Json items = Json::array();
  std::string names;
  for (const PodStatus& pod : pods) {
    for (const VolumeStatus& volume : pod.volumes) {
      items.push_back(volume_object_json(pod, volume));
      names += "volume/" + clean(pod.name.str() + "/" + volume.name.str()) + "\n";
    }
  }
  const bool is_one = options.name.find('/') != std::string::npos;
  if (is_document(options)) {
    print_items(options, "Volume", std::move(items), is_one);
  } else if (options.format == Format::Name) {
    answer(names);
  } else if (items.empty()) {
    say_if_empty(options, true, "volumes");
  } else {
    answer(volume_table(pods, options.all_namespaces, options.format == Format::Wide));
  }
  return ExitStatus::Ok;
}

ExitStatus get_plugins(const Options& options) {
  const PluginRegistry plugins = built_in_plugins();
  Json items = Json::array();
  Table table({"PLUGIN", "SUPPORTS"});
  std::string names;
  for (const auto& plugin : plugins.all()) {
    if (!options.name.empty() && plugin->name().str() != options.name) continue;
    items.push_back(plugin_json(*plugin));
    std::string supports;
    for (const auto& [feature, is_there] : items.back()["supports"].items()) {
      if (is_there.get<bool>()) supports += (supports.empty() ? "" : ", ") + feature;
    }
    table.row({plugin->name().str(), supports});
    names += "plugin/" + plugin->name().str() + "\n";
  }
  if (items.empty()) return fail(no_such("plugin", options.name));
  if (is_document(options)) {
    print_items(options, "Plugin", std::move(items), !options.name.empty());
  } else {
    answer(options.format == Format::Name ? names : table.text());
  }
  return ExitStatus::Ok;
}

ExitStatus print_devices(const Options& options, std::vector<DeviceStatus> devices) {
  if (!options.name.empty()) {
    std::erase_if(devices, [&](const DeviceStatus& device) { return device.key != options.name; });
    if (devices.empty()) return fail(no_such("device", options.name));
  }
  if (is_document(options)) {
    Json items = Json::array();
    for (const DeviceStatus& device : devices)
      items.push_back(device_json(device));
    print_items(options, "Device", std::move(items), !options.name.empty());
  } else if (options.format == Format::Name) {
    for (const DeviceStatus& device : devices)
      answer("device/" + clean(device.key) + "\n");
  } else if (devices.empty()) {
    message("there are no devices");
  } else {
    answer(device_table(devices, options.format == Format::Wide));
  }
  return ExitStatus::Ok;
}

ExitStatus get_devices(const Options& options) {
  const auto client = connect(options);
  if (!client) return fail(client.error());
  return once_or_watch(*client.value(), options, [&] {
    Result<std::vector<DeviceStatus>> devices = client.value()->devices();
    return devices ? print_devices(options, std::move(devices).value()) : fail(devices.error());
  });
}

ExitStatus get_from_daemon(const Options& options, Kind kind) {
  const auto client = connect(options);
  if (!client) return fail(client.error());
  return once_or_watch(*client.value(), options, [&] {
    if (kind == Kind::Volumes && (is_document(options) || options.format == Format::Wide))
      ask_usage(*client.value(), {});
    Result<std::vector<PodStatus>> pods = ask_pods(*client.value(), options, Scope::One);
    if (!pods) return fail(pods.error());
    return kind == Kind::Pods ? get_pods(options, std::move(pods).value())
                              : get_volumes(options, std::move(pods).value());
  });
}

}  // namespace

ExitStatus run_get(const Options& options) {
  const std::size_t slash = options.kind.find('/');
  if (options.name.empty() && slash != std::string::npos) {  // get pod/web
    Options apart = options;
    apart.kind = options.kind.substr(0, slash);
    apart.name = options.kind.substr(slash + 1);
    return run_get(apart);
  }
  const std::optional<Kind> kind = kind_of(options.kind);
  if (!kind) return fail(usage_error("\"" + options.kind + "\" is not a kind; " + kinds_text()));
  switch (*kind) {
    case Kind::Pods:
    case Kind::Volumes:
      return get_from_daemon(options, *kind);
    case Kind::Events: {
      Options events = options;
      events.follow = options.watch;
      return run_events(events);
    }
    case Kind::Plugins:
      return get_plugins(options);
    case Kind::PersistentVolumes:
    case Kind::Claims:
    case Kind::Classes:
    case Kind::Snapshots:
      return get_storage(options, *kind);
    case Kind::Devices:
      return get_devices(options);
    case Kind::Drivers:
      return get_drivers(options);
  }
  return ExitStatus::Usage;
}

}  // namespace mooring::ctl
