#include "client/decode.h"

#include <algorithm>
#include <array>
#include <utility>

#include "client/bus.h"
#include "client/reader.h"

namespace mooring::bus {
namespace {

/// A phase that this client does not know is one that is not Ready.
Phase phase_from(std::string_view name) {
  constexpr std::array all{Phase::Pending,    Phase::Attaching, Phase::Staging,
                           Phase::Publishing, Phase::Ready,     Phase::Unpublishing,
                           Phase::Unstaging,  Phase::Detaching, Phase::Stuck};
  const auto found =
      std::find_if(all.begin(), all.end(), [&](Phase phase) { return to_string(phase) == name; });
  return found == all.end() ? Phase::Pending : *found;
}

std::optional<VolumeUsage> usage_from(const Properties& properties) {
  const auto number = [&](std::string_view name) { return get<std::uint64_t>(properties, name); };
  VolumeUsage usage;
  usage.is_known = properties.contains("Usage.capacityBytes");
  usage.stale = text_of(properties, "Usage.stale");
  if (properties.contains("Usage.unknownSince"))
    usage.unknown_since = wall_time(number("Usage.unknownSince"));
  if (!usage.is_known) return usage.stale.empty() ? std::nullopt : std::optional(usage);
  usage.capacity_bytes = number("Usage.capacityBytes");
  usage.available_bytes = number("Usage.availableBytes");
  usage.inodes = number("Usage.inodes");
  usage.inodes_free = number("Usage.inodesFree");
  if (properties.contains("Usage.usedBytes")) usage.used_bytes = number("Usage.usedBytes");
  if (properties.contains("Usage.inodesUsed")) usage.inodes_used = number("Usage.inodesUsed");
  usage.measured = wall_time(number("Usage.time"));
  return usage;
}

VolumeStatus volume_from(const Properties& properties) {
  VolumeStatus volume;
  volume.name = VolumeName(text_of(properties, "Name"));
  volume.plugin = PluginName(text_of(properties, "Plugin"));
  volume.phase = phase_from(text_of(properties, "Phase"));
  volume.path = text_of(properties, "Path");
  volume.reason = text_of(properties, "Reason");
  volume.message = text_of(properties, "Message");
  volume.action = text_of(properties, "Action");
  volume.since = wall_time(get<std::uint64_t>(properties, "Since"));
  volume.attempts = get<std::uint32_t>(properties, "Attempts");
  volume.next_retry = time_of(properties, "NextRetry");
  volume.claim = text_of(properties, "Claim");
  volume.usage = usage_from(properties);
  return volume;
}

PodStatus pod_from(const Properties& properties) {
  PodStatus pod;
  pod.name_space = Namespace(text_of(properties, "Namespace"));
  pod.name = ObjectName(text_of(properties, "Name"));
  pod.uid = PodUid(text_of(properties, "UID"));
  pod.ready = get<bool>(properties, "Ready");
  pod.deleting = get<bool>(properties, "Deleting");
  pod.origin = text_of(properties, "Origin");
  pod.message = text_of(properties, "Message");
  return pod;
}

ContainerMount mount_from(const Properties& properties) {
  ContainerMount mount;
  mount.container = ContainerName(text_of(properties, "container"));
  mount.volume = VolumeName(text_of(properties, "volume"));
  mount.source = text_of(properties, "source");
  mount.destination = text_of(properties, "destination");
  mount.read_only = get<bool>(properties, "readOnly");
  mount.recursive_read_only = get<bool>(properties, "recursiveReadOnly");
  mount.recursive_read_only_required = get<bool>(properties, "recursiveReadOnlyRequired");
  mount.selinux_relabel = get<bool>(properties, "selinuxRelabel");
  mount.propagation = text_of(properties, "propagation");
  return mount;
}

ContainerDevice container_device_from(const Properties& properties) {
  return {ContainerName(text_of(properties, "container")), VolumeName(text_of(properties, "volume")),
          text_of(properties, "source"), text_of(properties, "destination"),
          text_of(properties, "permissions")};
}

DeviceStatus device_from(const Properties& properties) {
  DeviceStatus device;
  device.key = text_of(properties, "key");
  device.plugin = text_of(properties, "plugin");
  device.device = text_of(properties, "device");
  device.path = text_of(properties, "path");
  device.phase = phase_from(text_of(properties, "phase"));
  device.reason = text_of(properties, "reason");
  device.message = text_of(properties, "message");
  device.action = text_of(properties, "action");
  device.attempts = get<std::uint32_t>(properties, "attempts");
  device.next_retry = time_of(properties, "nextRetry");
  device.users = get<std::vector<std::string>>(properties, "users");
  device.in_use = get<bool>(properties, "inUse");
  return device;
}

DriverStatus driver_from(const Properties& properties) {
  DriverStatus driver;
  const std::pair<const char*, std::string*> texts[] = {
      {"kind", &driver.kind},         {"name", &driver.name},
      {"state", &driver.state},       {"socket", &driver.socket},
      {"endpoint", &driver.endpoint}, {"version", &driver.version},
      {"nodeID", &driver.node_id},    {"vendorVersion", &driver.vendor_version},
      {"reason", &driver.reason},     {"message", &driver.message},
      {"action", &driver.action}};
  for (const auto& [key, text] : texts)
    *text = text_of(properties, key);
  for (const std::string& label : get<std::vector<std::string>>(properties, "topology")) {
    const std::size_t equals = label.find('=');
    if (equals != std::string::npos)
      driver.topology.emplace(label.substr(0, equals), label.substr(equals + 1));
  }
  driver.volumes_max = get<std::int64_t>(properties, "volumesMax");
  driver.capabilities = get<std::vector<std::string>>(properties, "capabilities");
  driver.notes = get<std::vector<std::string>>(properties, "notes");
  driver.attempts = get<std::uint32_t>(properties, "attempts");
  driver.next_retry = time_of(properties, "nextRetry");
  return driver;
}

/// Puts each volume into its pod: first those that the pod lists, in its order.
std::vector<PodStatus> join(const std::map<std::string, Properties>& pods,
                            const std::map<std::string, Properties>& volumes) {
  std::map<std::string, std::map<std::string, const Properties*>> volumes_of;
  for (const auto& [path, properties] : volumes)
    volumes_of[text_of(properties, "Pod")].emplace(path, &properties);
  std::vector<PodStatus> all;
  all.reserve(pods.size());
  for (const auto& [path, properties] : pods) {
    PodStatus& pod = all.emplace_back(pod_from(properties));
    auto& mine = volumes_of[path];
    for (const std::string& volume : get<std::vector<std::string>>(properties, "Volumes")) {
      const auto found = mine.find(volume);
      if (found == mine.end()) continue;
      pod.volumes.push_back(volume_from(*found->second));
      mine.erase(found);
    }
    for (const auto& [volume, rest] : mine)
      pod.volumes.push_back(volume_from(*rest));
  }
  std::sort(all.begin(), all.end(), [](const PodStatus& a, const PodStatus& b) {
    return std::tie(a.name_space, a.name, a.uid) < std::tie(b.name_space, b.name, b.uid);
  });
  return all;
}

}  // namespace

Result<Properties> decode_properties(sd_bus_message* message) {
  Reader reader(message);
  Properties properties = reader.properties();
  if (!reader.is_good()) return reader.error();
  return properties;
}

Result<std::vector<ContainerMount>> decode_mounts(sd_bus_message* message) {
  return decode_list(message, mount_from);
}

Result<std::vector<ContainerDevice>> decode_devices(sd_bus_message* message) {
  return decode_list(message, container_device_from);
}

Result<std::vector<DeviceStatus>> decode_device_list(sd_bus_message* message) {
  return decode_list(message, device_from);
}

Result<std::vector<DriverStatus>> decode_drivers(sd_bus_message* message) {
  return decode_list(message, driver_from);
}

Result<ContainerSecurity> decode_security(sd_bus_message* message) {
  Reader reader(message);
  const Properties properties = reader.properties();
  if (!reader.is_good()) return reader.error();
  ContainerSecurity security;
  security.supplemental_groups = get<std::vector<std::int64_t>>(properties, "supplementalGroups");
  if (properties.contains("fsGroup")) security.fs_group = get<std::int64_t>(properties, "fsGroup");
  security.selinux_user = text_of(properties, "seLinuxUser");
  security.selinux_role = text_of(properties, "seLinuxRole");
  security.selinux_type = text_of(properties, "seLinuxType");
  security.selinux_level = text_of(properties, "seLinuxLevel");
  return security;
}

Result<std::vector<StatusEvent>> decode_events(sd_bus_message* message) {
  Reader reader(message);
  std::vector<StatusEvent> events;
  if (reader.enter('a', "(ttbsss)")) {
    while (reader.enter('r', "ttbsss")) {
      events.push_back(reader.event_fields());
      reader.leave();
    }
    reader.leave();
  }
  if (!reader.is_good()) return reader.error();
  return events;
}

Result<StatusEvent> decode_event(sd_bus_message* message) {
  Reader reader(message);
  StatusEvent event;
  if (reader.enter('r', "ttbsss")) {
    event = reader.event_fields();
    reader.leave();
  }
  if (!reader.is_good()) return reader.error();
  return event;
}

Result<std::vector<PodStatus>> decode_pods(sd_bus_message* message) {
  Reader reader(message);
  std::map<std::string, Properties> pods;
  std::map<std::string, Properties> volumes;
  if (reader.enter('a', "{oa{sa{sv}}}")) {
    while (reader.enter('e', "oa{sa{sv}}")) {
      const std::string path = reader.text('o');
      if (reader.enter('a', "{sa{sv}}")) {
        while (reader.enter('e', "sa{sv}")) {
          const std::string interface = reader.text();
          Properties properties = reader.properties();
          if (interface == pod_interface)
            pods.emplace(path, std::move(properties));
          else if (interface == volume_interface)
            volumes.emplace(path, std::move(properties));
          reader.leave();
        }
        reader.leave();
      }
      reader.leave();
    }
    reader.leave();
  }
  if (!reader.is_good()) return reader.error();
  return join(pods, volumes);
}

NodeStatus node_from(const Properties& properties) {
  NodeStatus node;
  node.node_name = text_of(properties, "NodeName");
  node.pods = get<std::uint32_t>(properties, "Pods");
  node.pods_ready = get<std::uint32_t>(properties, "PodsReady");
  node.volumes = get<std::uint32_t>(properties, "Volumes");
  node.volumes_ready = get<std::uint32_t>(properties, "VolumesReady");
  node.workers_stuck = get<std::uint32_t>(properties, "WorkersStuck");
  node.manifests_complete = get<bool>(properties, "ManifestsComplete");
  node.problems = get<std::vector<std::string>>(properties, "Problems");
  return node;
}

DaemonInfo daemon_from(const Properties& properties) {
  return {text_of(properties, "Version"), text_of(properties, "RootDirectory")};
}

}  // namespace mooring::bus
