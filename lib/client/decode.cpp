#include "client/decode.h"

#include <algorithm>
#include <array>
#include <utility>

#include "client/bus.h"

namespace mooring::bus {
namespace {

/// Reads a message; the first thing that is not as expected makes all later reading empty.
class Reader {
 public:
  explicit Reader(sd_bus_message* message) : message_(message) {}

  bool is_good() const { return result_ >= 0; }
  /// True if there was another container of this kind to enter.
  bool enter(char type, const char* contents) {
    return keep(sd_bus_message_enter_container(message_, type, contents));
  }
  void leave() { keep(sd_bus_message_exit_container(message_)); }
  template <class T>
  T number(char type) {
    T value{};
    keep(sd_bus_message_read_basic(message_, type, &value));
    return value;
  }
  bool boolean() { return number<int>('b') != 0; }
  std::string text(char type = 's') {
    const char* value = nullptr;
    return keep(sd_bus_message_read_basic(message_, type, &value)) ? std::string(value) : std::string();
  }
  Value variant();
  Properties properties();
  StatusEvent event_fields();
  Error error() const { return error_from_errno(result_, "the daemon's answer cannot be understood"); }

 private:
  bool keep(int result) {
    if (result_ < 0) return false;
    if (result < 0) result_ = result;
    return result > 0;
  }
  Value contents(std::string_view type);
  std::vector<std::string> list(char type);
  std::vector<std::int64_t> numbers();

  sd_bus_message* message_;
  int result_ = 0;
};

Value Reader::variant() {
  char type = 0;
  const char* inside = nullptr;
  if (!keep(sd_bus_message_peek_type(message_, &type, &inside)) || type != 'v') {
    keep(-EBADMSG);
    return {};
  }
  const std::string signature = inside;
  if (!enter('v', signature.c_str())) return {};
  Value value = contents(signature);
  leave();
  return value;
}

Value Reader::contents(std::string_view type) {
  if (type == "s" || type == "o") return text(type[0]);
  if (type == "b") return boolean();
  if (type == "u") return number<std::uint32_t>('u');
  if (type == "t") return number<std::uint64_t>('t');
  if (type == "x") return number<std::int64_t>('x');
  if (type == "as" || type == "ao") return list(type[1]);
  if (type == "ax") return numbers();
  keep(sd_bus_message_skip(message_, std::string(type).c_str()));
  return {};
}

std::vector<std::string> Reader::list(char type) {
  std::vector<std::string> items;
  const char contents[] = {type, '\0'};
  if (!enter('a', contents)) return items;
  const char* item = nullptr;
  while (keep(sd_bus_message_read_basic(message_, type, &item)))
    items.emplace_back(item);
  leave();
  return items;
}

std::vector<std::int64_t> Reader::numbers() {
  std::vector<std::int64_t> items;
  if (!enter('a', "x")) return items;
  std::int64_t item = 0;
  while (keep(sd_bus_message_read_basic(message_, 'x', &item)))
    items.push_back(item);
  leave();
  return items;
}

Properties Reader::properties() {
  Properties properties;
  if (!enter('a', "{sv}")) return properties;
  while (enter('e', "sv")) {
    std::string name = text();
    properties.insert_or_assign(std::move(name), variant());
    leave();
  }
  leave();
  return properties;
}

WallTime wall_time(std::uint64_t microseconds) {
  return {std::chrono::microseconds(static_cast<std::int64_t>(microseconds))};
}

StatusEvent Reader::event_fields() {
  StatusEvent event;
  event.sequence = number<std::uint64_t>('t');
  event.time = wall_time(number<std::uint64_t>('t'));
  event.warning = boolean();
  event.reason = text();
  event.object = text();
  event.message = text();
  return event;
}

template <class T>
T get(const Properties& properties, std::string_view name) {
  const auto found = properties.find(name);
  if (found == properties.end()) return {};
  const T* value = std::get_if<T>(&found->second);
  return value == nullptr ? T{} : *value;
}

std::string text_of(const Properties& properties, std::string_view name) {
  return get<std::string>(properties, name);
}

/// A phase that this client does not know is one that is not Ready.
Phase phase_from(std::string_view name) {
  constexpr std::array all{Phase::Pending,    Phase::Attaching, Phase::Staging,
                           Phase::Publishing, Phase::Ready,     Phase::Unpublishing,
                           Phase::Unstaging,  Phase::Detaching, Phase::Stuck};
  const auto found =
      std::find_if(all.begin(), all.end(), [&](Phase phase) { return to_string(phase) == name; });
  return found == all.end() ? Phase::Pending : *found;
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
  const auto next = get<std::uint64_t>(properties, "NextRetry");
  if (next != 0) volume.next_retry = wall_time(next);
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
  Reader reader(message);
  std::vector<ContainerMount> mounts;
  if (reader.enter('a', "a{sv}")) {
    while (reader.is_good() && sd_bus_message_at_end(message, 0) == 0) {
      const Properties properties = reader.properties();
      ContainerMount& mount = mounts.emplace_back();
      mount.container = ContainerName(text_of(properties, "container"));
      mount.volume = VolumeName(text_of(properties, "volume"));
      mount.source = text_of(properties, "source");
      mount.destination = text_of(properties, "destination");
      mount.read_only = get<bool>(properties, "readOnly");
      mount.recursive_read_only = get<bool>(properties, "recursiveReadOnly");
      mount.recursive_read_only_required = get<bool>(properties, "recursiveReadOnlyRequired");
      mount.selinux_relabel = get<bool>(properties, "selinuxRelabel");
      mount.propagation = text_of(properties, "propagation");
    }
    reader.leave();
  }
  if (!reader.is_good()) return reader.error();
  return mounts;
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
