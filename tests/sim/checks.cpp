#include <algorithm>

#include "simulation.h"
#include "step/layout.h"

namespace mooring::sim {
namespace {

PodUid uid_of(const std::string& pod) {
  return derived_pod_uid(Namespace("default"), ObjectName(pod));
}

}  // namespace

std::string Simulation::volume_path(const std::string& pod, const std::string& volume, Kind kind) const {
  const char* plugin = kind == Kind::ConfigMap ? "kubernetes.io/configmap"
                       : kind == Kind::Secret  ? "kubernetes.io/secret"
                                               : "kubernetes.io/empty-dir";
  return kernel_.root_dir() + "/" + layout::volume(uid_of(pod), PluginName(plugin), VolumeDirectory(volume));
}

std::optional<std::string> Simulation::check() {
  if (!shell_.ledger().broken().empty()) return shell_.ledger().broken();
  for (const auto& broken :
       {check_markers(), check_foreign(), check_mounts(), check_status(), check_contents(), check_parts()}) {
    if (broken) return broken;
  }
  return std::nullopt;
}

/// No byte that a container wrote is lost while a manifest asks for its pod.
std::optional<std::string> Simulation::check_markers() const {
  for (const Marker& marker : markers_) {
    if (!kernel_.exists(marker.path)) return "data of a wanted volume is lost: " + marker.path;
  }
  return std::nullopt;
}

/// Nothing that is not Mooring's is ever removed.
std::optional<std::string> Simulation::check_foreign() const {
  for (const auto& [path, content] : foreign_) {
    if (kernel_.read(path + "/precious") != content)
      return "a foreign mount was emptied or unmounted: " + path;
  }
  for (int i = 0; i < 3; ++i) {
    const std::string path = "/host/there" + std::to_string(i) + "/precious";
    if (!kernel_.exists(path)) return "a hostPath lost its content: " + path;
  }
  return std::nullopt;
}

/// At most one mount of Mooring's at a place.
std::optional<std::string> Simulation::check_mounts() const {
  std::map<std::string, int> counts;
  for (const MountFact& fact : kernel_.mount_facts()) {
    const bool is_ours = fact.type == "tmpfs" || fact.type == "hugetlbfs";
    if (is_ours && ++counts[fact.mount_point] > 1) return "two mounts at one place: " + fact.mount_point;
  }
  return std::nullopt;
}

/// A ready pod has every volume; what is not ready says why, and what comes next.
std::optional<std::string> Simulation::check_status() const {
  if (!shell_.is_running()) return std::nullopt;
  for (const PodUid& uid : shell_.core().pods()) {
    const auto status = shell_.core().pod_status(uid);
    if (!status) continue;
    for (const VolumeStatus& volume : status->volumes) {
      const std::string name = status->name.str() + "/" + volume.name.str();
      if (volume.phase != Phase::Ready) {
        const auto spec = pods_.find(status->name.str() + ".yaml");
        const bool is_wanted = spec != pods_.end() && !broken_.contains(spec->first) &&
                               !edited_.contains(status->name.str()) &&
                               std::any_of(spec->second.volumes.begin(), spec->second.volumes.end(),
                                           [&](const VolumeSpec& v) { return v.name == volume.name.str(); });
        if (status->ready && is_wanted) return "a pod is ready and its volume is not: " + name;
        if (volume.reason.empty() || volume.message.empty())
          return "a volume does not say why it is not ready: " + name;
        continue;
      }
      if (!status->ready || shell_.are_mounts_stale() || volume.plugin.str() != "kubernetes.io/empty-dir")
        continue;
      if (!kernel_.exists(volume.path))
        return "a volume is said to be ready and is not there: " + volume.path;
    }
  }
  return std::nullopt;
}

/// Whoever reads a configuration volume sees all of one version, whatever was interrupted, and never less
/// than that once it was there.
std::optional<std::string> Simulation::check_contents() const {
  for (const auto& [file, pod] : pods_) {
    for (const VolumeSpec& volume : pod.volumes) {
      if (volume.kind != Kind::ConfigMap && volume.kind != Kind::Secret) continue;
      const std::string data = volume_path(pod.name, volume.name, volume.kind) + "/..data";
      if (!kernel_.exists(data)) continue;
      const bool is_nested = kernel_.exists(data + "/d");  // As it was made.
      const std::string below = data + (is_nested ? "/d" : "");
      const std::string one = kernel_.read(below + "/one");
      const std::string two = kernel_.read(below + "/two");
      const std::string odd = kernel_.read(below + "/odd");
      const bool is_odd = !is_nested && !one.empty() && (one.back() - '0') % 2 == 1;
      if (one != two || odd != (is_odd ? one : ""))
        return "a version is not whole: " + data + " " + one + " " + two;
    }
  }
  return std::nullopt;
}

/// In the end each configuration volume holds what its object says, and nothing else.
std::optional<std::string> Simulation::check_content_end(const PodSpec& pod) const {
  for (const VolumeSpec& volume : pod.volumes) {
    if (volume.kind != Kind::ConfigMap && volume.kind != Kind::Secret) continue;
    const std::string path = volume_path(pod.name, volume.name, volume.kind);
    const std::string wanted = std::to_string(objects_.at(volume.object));
    const std::string below = volume.is_nested ? "/d" : "";
    for (const std::string& name : {below + "/one", below + "/two", "/..data" + below + "/one"}) {
      if (kernel_.read(path + name) != wanted)
        return path + name + " is " + kernel_.read(path + name) + " in the end, and should be " + wanted;
    }
    if (kernel_.exists(path + "/odd") != (!volume.is_nested && objects_.at(volume.object) % 2 == 1))
      return path + "/odd is a leftover";
    std::size_t versions = 0;
    for (const std::string& line : kernel_.tree_listing(path)) {
      if (line.find("..data_tmp") != std::string::npos) return "a leftover in the end: " + line;
      const std::string rest = line.substr(path.size() + 1);
      const std::string name = rest.substr(0, rest.find(' '));
      if (layout::is_content_version(name)) ++versions;
    }
    if (versions != 1) return path + " has " + std::to_string(versions) + " versions in the end";
  }
  return std::nullopt;
}

/// All faults stop, and time goes by.
std::optional<std::string> Simulation::settle() {
  note("all faults stop");
  shell_.faults = {};
  for (const std::string& path : open_)
    kernel_.mark_closed(path);
  open_.clear();
  kernel_.set_space(kernel_.root_dir(), std::nullopt);
  kernel_.set_read_only(kernel_.root_dir(), false);
  while (!foreign_.empty()) {
    kernel_.unmount_foreign(foreign_.begin()->first);
    foreign_.erase(foreign_.begin());
  }
  for (const auto& [path, mount] : shared_) {
    if (mount.may_be_foreign && kernel_.read(path + "/precious") == mount.source)
      kernel_.unmount_foreign(path);
  }
  for (int i = 0; i < 3; ++i)
    kernel_.put_file("/host/late" + std::to_string(i) + "/file", "late");
  broken_.clear();
  for (auto& [file, pod] : pods_) {  // People correct what was refused.
    for (VolumeSpec& volume : pod.volumes) {
      if (volume.kind == Kind::HostBad) volume.kind = Kind::Disk;
    }
  }
  while (shell_.end_stuck(now())) {
  }
  for (const char* name : {"c0", "c1", "s0", "s1"}) {  // Nobody waits for ever.
    broken_.erase(std::string(name) + ".yaml");
    if (!objects_.contains(name)) write_object(name);
  }
  put_parts_right();
  read_manifests(false);
  constexpr int rounds = 4000;
  for (int round = 0; round < rounds; ++round) {
    if (auto broken = check()) {
      note_status();
      return broken;
    }
    if (!shell_.has_work() && !shell_.are_mounts_stale()) empty_hidden_directories();
    if (go_on()) continue;
    auto broken = check_end();
    if (broken) note_status();
    return broken;
  }
  note_status();
  return "the core does not come to rest";
}

/// A volume that was written on disk and is asked for in memory later (after a reboot, say) is not hidden
/// under a mount: somebody has to move its data away.
void Simulation::empty_hidden_directories() {
  for (const PodUid& uid : shell_.core().pods()) {
    const auto status = shell_.core().pod_status(uid);
    if (!status) continue;
    for (const VolumeStatus& volume : status->volumes) {
      if (volume.reason != "DirectoryNotEmpty") continue;
      if (shared_.erase(volume.path + "/sub") != 0) kernel_.unmount_foreign(volume.path + "/sub");
      note("somebody empties " + volume.path);
      kernel_.remove_all(volume.path);
      std::erase_if(markers_,
                    [&](const Marker& marker) { return marker.path.starts_with(volume.path + "/"); });
    }
  }
}

/// In the end the node is just what the manifests say.
std::optional<std::string> Simulation::check_end() {
  std::set<std::string> wanted;
  for (const auto& [file, pod] : pods_) {
    const PodUid uid = uid_of(pod.name);
    wanted.insert(uid.str());
    const auto status = shell_.core().pod_status(uid);
    if (!status) return "a pod is not known in the end: " + pod.name;
    if (!status->ready) {
      for (const VolumeStatus& volume : status->volumes)
        note("  " + volume.name.str() + " " + std::string(to_string(volume.phase)) + " " + volume.message);
      return "a pod is not ready in the end: " + pod.name;
    }
    const auto wanted_mounts =
        std::count_if(pod.volumes.begin(), pod.volumes.end(), [&spec = pod](const auto& v) {
          return v.kind == Kind::Memory || v.kind == Kind::HugePages || v.kind == Kind::Secret ||
                 spec.is_mapped(v);
        });
    if (!edited_.contains(pod.name)) {
      if (auto broken = check_content_end(pod)) return broken;
      if (auto broken = check_parts_end(pod)) return broken;
    }
    const std::string below = kernel_.root_dir() + "/pods/" + uid.str() + "/";
    const auto facts = kernel_.mount_facts();
    const auto mounts = std::count_if(facts.begin(), facts.end(), [&](const MountFact& fact) {
      return fact.mount_point.starts_with(below + "volumes/") && !shared_.contains(fact.mount_point);
    });
    const auto parts = std::count_if(facts.begin(), facts.end(), [&](const MountFact& fact) {
      return fact.mount_point.starts_with(below + "volume-subpaths/");
    });
    if (!edited_.contains(pod.name) && parts != static_cast<std::ptrdiff_t>(pod.parts.size()))
      return pod.name + " has " + std::to_string(parts) + " parts in the end";
    // What a pod had before its manifest was changed stays with it.
    if (edited_.contains(pod.name) ? mounts > 4 : mounts != wanted_mounts) {
      return pod.name + " has " + std::to_string(mounts) + " mounts in the end, and asks for " +
             std::to_string(wanted_mounts);
    }
  }
  for (const MountFact& fact : kernel_.mount_facts()) {
    const std::string pods = kernel_.root_dir() + "/pods/";
    if (!fact.mount_point.starts_with(kernel_.root_dir() + "/")) continue;
    const std::string rest = fact.mount_point.substr(std::min(pods.size(), fact.mount_point.size()));
    if (!wanted.contains(rest.substr(0, rest.find('/')))) return "a mount is left: " + fact.mount_point;
  }
  const std::string prefix = kernel_.root_dir() + "/pods/";
  for (const std::string& line : kernel_.tree_listing(kernel_.root_dir())) {
    if (line.starts_with(kernel_.root_dir() + "/trash/")) return "the trash is not empty in the end: " + line;
    if (!line.starts_with(prefix)) continue;
    const std::string rest = line.substr(prefix.size());
    const std::string uid = rest.substr(0, rest.find_first_of("/ "));
    if (!wanted.contains(uid)) return "something of a removed pod is left: " + line;
  }
  for (const auto& [uid, bytes] : shell_.records()) {
    if (!wanted.contains(uid)) return "a record of a removed pod is left: " + uid;
  }
  return check_sources();
}

}  // namespace mooring::sim
