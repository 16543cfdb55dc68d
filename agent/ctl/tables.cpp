#include "tables.h"

#include <fmt/format.h>

#include <map>

#include "ask.h"
#include "base/quote.h"
#include "output.h"

namespace mooring::ctl {
namespace {

std::string volume_counts(const PodStatus& pod) {
  return fmt::format("{}/{}", count_ready(pod), pod.volumes.size());
}

std::string pod_state(const PodStatus& pod) {
  const std::string trouble = first_trouble(pod);
  if (pod.deleting) return trouble.empty() ? "being removed" : "being removed, " + trouble;
  return trouble;
}

}  // namespace

std::optional<Kind> kind_of(const std::string& word) {
  static const std::map<std::string, Kind> words{
      {"pod", Kind::Pods},
      {"pods", Kind::Pods},
      {"po", Kind::Pods},
      {"volume", Kind::Volumes},
      {"volumes", Kind::Volumes},
      {"vol", Kind::Volumes},
      {"event", Kind::Events},
      {"events", Kind::Events},
      {"ev", Kind::Events},
      {"plugin", Kind::Plugins},
      {"plugins", Kind::Plugins},
      {"pv", Kind::PersistentVolumes},
      {"persistentvolume", Kind::PersistentVolumes},
      {"persistentvolumes", Kind::PersistentVolumes},
      {"pvc", Kind::Claims},
      {"persistentvolumeclaim", Kind::Claims},
      {"persistentvolumeclaims", Kind::Claims},
      {"sc", Kind::Classes},
      {"storageclass", Kind::Classes},
      {"storageclasses", Kind::Classes},
      {"vs", Kind::Snapshots},
      {"volumesnapshot", Kind::Snapshots},
      {"volumesnapshots", Kind::Snapshots},
      {"device", Kind::Devices},
      {"devices", Kind::Devices},
      {"driver", Kind::Drivers},
      {"drivers", Kind::Drivers},
  };
  const auto found = words.find(word);
  return found == words.end() ? std::nullopt : std::optional(found->second);
}

std::string kinds_text() {
  return "kinds are pods, volumes, events, plugins, pv, pvc, sc, volumesnapshots, devices and drivers";
}

std::string pod_table(const std::vector<PodStatus>& pods, bool with_namespace, bool is_wide) {
  std::vector<std::string> head;
  if (with_namespace) head.emplace_back("NAMESPACE");
  head.insert(head.end(), {"POD", "READY", "VOLUMES", "STATE"});
  if (is_wide) head.insert(head.end(), {"UID", "MANIFEST", "NOTE"});
  Table table(head);
  for (const PodStatus& pod : pods) {
    std::vector<std::string> cells;
    if (with_namespace) cells.push_back(pod.name_space.str());
    const std::size_t painted = cells.size() + 1;
    cells.insert(cells.end(), {pod.name.str(), pod.ready ? "yes" : "no", volume_counts(pod), pod_state(pod)});
    if (is_wide) cells.insert(cells.end(), {pod.uid.str(), pod.origin, pod.message});
    table.row(std::move(cells), painted, pod.ready ? Phase::Ready : Phase::Pending);
  }
  return table.text();
}

std::string volume_table(const std::vector<PodStatus>& pods, bool with_namespace, bool is_wide) {
  std::vector<std::string> head;
  if (with_namespace) head.emplace_back("NAMESPACE");
  head.insert(head.end(), {"POD", "VOLUME", "PLUGIN", "PHASE", "REASON", "SINCE", "NEXT TRY"});
  if (is_wide) head.insert(head.end(), {"TRIES", "SIZE", "USED", "AVAIL", "PATH", "MESSAGE"});
  Table table(head);
  for (const PodStatus& pod : pods) {
    for (const VolumeStatus& volume : pod.volumes) {
      std::vector<std::string> cells;
      if (with_namespace) cells.push_back(pod.name_space.str());
      const std::size_t painted = cells.size() + 3;
      cells.insert(cells.end(), {pod.name.str(), volume.name.str(), volume.plugin.str(),
                                 std::string(to_string(volume.phase)), volume.reason, age(volume.since),
                                 next_try(volume)});
      if (is_wide) {
        cells.push_back(std::to_string(volume.attempts));
        const VolumeUsage* usage = volume.usage && volume.usage->is_known ? &*volume.usage : nullptr;
        cells.push_back(usage == nullptr ? "-" : size_text(usage->capacity_bytes));
        cells.push_back(usage == nullptr ? "-" : size_text(usage->used_bytes));
        cells.push_back(usage == nullptr ? "-" : size_text(usage->available_bytes));
        cells.insert(cells.end(), {volume.path, volume.message});
      }
      table.row(std::move(cells), painted, volume.phase);
    }
  }
  return table.text();
}

std::string trouble_table(const std::vector<PodStatus>& pods) {
  Table table({"NOT READY", "PHASE", "SINCE", "NEXT TRY", "CAUSE"});
  for (const PodStatus& pod : pods) {
    for (const VolumeStatus& volume : pod.volumes) {
      if (volume.phase == Phase::Ready) continue;
      table.row({pod.name_space.str() + "/" + pod.name.str() + "/" + volume.name.str(),
                 std::string(to_string(volume.phase)), age(volume.since), next_try(volume),
                 volume.message.empty() ? volume.reason : volume.reason + ": " + volume.message},
                1, volume.phase);
    }
  }
  return table.is_empty() ? std::string() : table.text();
}

std::string event_table(const std::vector<StatusEvent>& events) {
  Table table({"TIME", "TYPE", "REASON", "OBJECT", "MESSAGE"});
  for (const StatusEvent& event : events) {
    table.row({rfc3339(event.time), event.warning ? "Warning" : "Normal", event.reason, event.object,
               event.message},
              1, event.warning ? Phase::Pending : Phase::Ready);
  }
  return table.text();
}

std::string event_line(const StatusEvent& event) {
  const std::string type = event.warning ? "Warning" : "Normal ";
  return fmt::format("{}  {}  {}  {}  {}\n", rfc3339(event.time),
                     paint(event.warning ? Phase::Pending : Phase::Ready, type), clean(event.reason),
                     clean(event.object), clean(event.message));
}

}  // namespace mooring::ctl
