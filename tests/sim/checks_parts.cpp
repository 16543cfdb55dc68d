// The invariants of parts of volumes, of groups and of what containers leave mounted.

#include <algorithm>

#include "simulation.h"
#include "step/layout.h"

namespace mooring::sim {
namespace {

PodUid uid_of(const std::string& pod) {
  return derived_pod_uid(Namespace("default"), ObjectName(pod));
}

std::string device_of(const MountFact& fact) {
  return std::to_string(fact.device_major) + ":" + std::to_string(fact.device_minor);
}

const MountFact* top_at(const std::vector<MountFact>& facts, const std::string& path) {
  const auto found = std::find_if(facts.rbegin(), facts.rend(),
                                  [&](const MountFact& fact) { return fact.mount_point == path; });
  return found == facts.rend() ? nullptr : &*found;
}

}  // namespace

/// Remembers which file systems a volume was made of.
void Simulation::note_devices(const std::vector<MountFact>& facts) {
  const std::string pods = kernel_.root_dir() + "/";
  for (const MountFact& fact : facts) {
    if (!fact.mount_point.starts_with(pods)) continue;
    const auto volume = layout::parse_volume(std::string_view(fact.mount_point).substr(pods.size()));
    if (volume && (fact.type == "tmpfs" || fact.type == "hugetlbfs"))
      devices_[volume->pod.str() + "/" + volume->directory.str()].insert(device_of(fact));
  }
}

/// True if the file or directory that is mounted lies in the volume.
bool Simulation::is_inside(const MountFact& fact, const PodUid& pod, const std::string& volume,
                           const MountFact& disk) const {
  const std::string key = pod.str() + "/" + volume;
  const auto devices = devices_.find(key);
  if (devices != devices_.end() && devices->second.contains(device_of(fact))) return true;
  if (device_of(fact) != device_of(disk)) return false;
  const std::string volumes = kernel_.root_dir() + "/" + layout::volumes(pod) + "/";
  if (fact.root.starts_with(volumes)) {
    const std::size_t slash = fact.root.find('/', volumes.size());
    if (slash != std::string::npos && (fact.root.substr(slash) + "/").starts_with("/" + volume + "/"))
      return true;
  }
  return std::any_of(hosts_.begin(), hosts_.end(), [&](const auto& host) {
    return host.first.ends_with("/" + volume) && uid_of(host.first.substr(0, host.first.find('/'))) == pod &&
           std::any_of(host.second.begin(), host.second.end(),
                       [&](const std::string& path) { return fact.root.starts_with(path + "/"); });
  });
}

/// No container gets anything that lies outside of its volume, and nothing is stacked.
std::optional<std::string> Simulation::check_targets(const std::vector<MountFact>& facts) const {
  const std::string& root = kernel_.root_dir();
  std::set<std::string> seen;
  for (const MountFact& fact : facts) {
    if (!fact.mount_point.starts_with(root + "/")) continue;
    const bool is_foreign = fact.source.starts_with("/dev/foreign");
    if (!is_foreign && !seen.insert(fact.mount_point).second)
      return "two mounts at one place: " + fact.mount_point;
    const auto part = layout::parse_sub_path(std::string_view(fact.mount_point).substr(root.size() + 1));
    if (part && !is_inside(fact, part->pod, part->volume.str(), facts.front()))
      return fact.mount_point + " shows what is not in its volume: " + fact.source + " " + fact.root;
  }
  return std::nullopt;
}

/// Who is told that a pod is ready finds every part mounted.
std::optional<std::string> Simulation::check_ready_parts(const std::vector<MountFact>& facts) const {
  if (!shell_.is_running() || shell_.are_mounts_stale()) return std::nullopt;
  const std::string parts = "/volume-subpaths/";
  for (const auto& [file, pod] : pods_) {
    if (pod.parts.empty() || broken_.contains(file)) continue;
    const PodUid uid = uid_of(pod.name);
    const auto status = shell_.core().pod_status(uid);
    if (!status || !status->ready) continue;
    const bool is_edited = edited_.contains(pod.name);
    const auto mounts = shell_.core().container_mounts(uid, {});
    // A part that is being looked at, or that cannot be had for a reason, is no surprise to who asks for it.
    if (!mounts && !is_edited && mounts.error().reason == "NotReady")
      return pod.name + " is ready, and its mounts cannot be told: " + mounts.error().message;
    if (!mounts) continue;
    std::size_t found = 0;
    for (const ContainerMount& mount : mounts.value()) {
      if (mount.source.find(parts) == std::string::npos) continue;
      ++found;
      if (top_at(facts, mount.source) == nullptr)
        return pod.name + " is ready, and a part is not mounted: " + mount.source;
    }
    if (!is_edited && found != pod.parts.size())
      return pod.name + " is ready with " + std::to_string(found) + " parts";
  }
  return std::nullopt;
}

/// What is not in a volume keeps its group, its mode and its content.
std::optional<std::string> Simulation::check_host() const {
  std::vector<std::pair<std::string, std::uint32_t>> kept{{"/outside", 0751}, {"/outside/precious", 0604}};
  for (int i = 0; i < 3; ++i) {
    kept.emplace_back("/host/there" + std::to_string(i), 0755);
    kept.emplace_back("/host/there" + std::to_string(i) + "/precious", 0644);
  }
  for (const auto& [path, content] : foreign_)
    kept.emplace_back(path + "/precious", 0644);
  for (const auto& [path, mode] : kept) {
    const auto status = kernel_.status(path);
    if (!status) return "somebody else's file is gone: " + path;
    if (status->group != 0 || status->mode != mode) return "somebody else's file was given away: " + path;
  }
  if (kernel_.tree_listing("/outside").size() != 1) return "something was made outside of the volumes";
  return std::nullopt;
}

/// What a container mounted in a shared volume stays while its pod is asked for.
std::optional<std::string> Simulation::check_shared() const {
  for (const auto& [path, mount] : shared_) {
    if (!pods_.contains(mount.pod + ".yaml") || edited_.contains(mount.pod)) continue;
    if (kernel_.read(path + "/precious") != mount.source)
      return "what a container mounted in its volume is gone: " + path;
  }
  return std::nullopt;
}

bool Simulation::is_a_version(const std::string& object, const std::string& content) const {
  const auto known = history_.find(object);
  return known != history_.end() && known->second.contains(content);
}

/// Who mounts a file of a configuration volume reads a whole version of it, and one who has it live never
/// reads anything else in a directory either.
std::optional<std::string> Simulation::check_config_parts(const std::vector<MountFact>& facts) const {
  for (const auto& [file, pod] : pods_) {
    if (edited_.contains(pod.name)) continue;
    for (std::size_t i = 0; i < pod.parts.size(); ++i) {
      const PartSpec& part = pod.parts[i];
      const VolumeSpec& volume = *pod.find(part.volume);
      const std::string target = target_of(pod, i);
      if (!volume.is_content() || (part.path == "d" && !pod.is_live)) continue;
      if (top_at(facts, target) == nullptr) continue;
      for (const char* name : {"one", "two"}) {
        const std::string path = part.path == "d" ? target + "/" + name : target;
        const auto status = kernel_.status(path);
        if (!status || !is_a_version(volume.object, kernel_.read(path))) {
          if (is_disturbed(path_of(pod, volume))) continue;
          return path + " has content that no version had: " + kernel_.read(path);
        }
        if (pod.fs_group && (status->group != *pod.fs_group || (status->mode & 0440U) != 0440U))
          return path + " cannot be read by the pod's group";
      }
    }
  }
  return std::nullopt;
}

bool Simulation::is_disturbed(const std::string& volume) const {
  return std::any_of(disturbed_.begin(), disturbed_.end(),
                     [&](const std::string& path) { return path.starts_with(volume + "/"); });
}

/// The pod's group reads a configuration volume from the first moment that there is something to read.
std::optional<std::string> Simulation::check_config_groups() const {
  for (const auto& [file, pod] : pods_) {
    if (!pod.fs_group || edited_.contains(pod.name)) continue;
    for (const VolumeSpec& volume : pod.volumes) {
      if (!volume.is_content()) continue;
      const std::string path = path_of(pod, volume);
      const std::string data = path + "/..data" + (volume.is_nested ? "/d" : "");
      for (const std::string& seen : {data + "/one", data + "/two", data + "/odd", data, path}) {
        const auto status = kernel_.status(seen);
        if (!status || (seen == path && !kernel_.exists(path + "/..data"))) continue;
        if (status->group != *pod.fs_group || (status->mode & 0440U) != 0440U)
          return seen + " is seen, and cannot be read by the pod's group";
      }
    }
  }
  return std::nullopt;
}

std::optional<std::string> Simulation::check_parts() {
  const auto facts = kernel_.mount_facts();
  note_devices(facts);
  for (const auto& broken : {check_targets(facts), check_ready_parts(facts), check_host(), check_shared(),
                             check_config_parts(facts), check_config_groups()}) {
    if (broken) return broken;
  }
  return std::nullopt;
}

/// In the end each container has the part as it is now, and the pod's group has its volumes.
std::optional<std::string> Simulation::check_parts_end(const PodSpec& pod) const {
  const auto facts = kernel_.mount_facts();
  for (std::size_t i = 0; i < pod.parts.size(); ++i) {
    const PartSpec& part = pod.parts[i];
    const VolumeSpec& volume = *pod.find(part.volume);
    const std::string name = part.path == "d/one" ? "d~1one" : part.path;
    const bool is_live = pod.is_live && volume.is_content();
    const std::string wanted = path_of(pod, volume) + "/" + (is_live ? "..live/" + name : part.path);
    const auto there = kernel_.status(target_of(pod, i));
    const auto source = kernel_.status(wanted);
    if (top_at(facts, target_of(pod, i)) == nullptr)
      return "a part is not mounted in the end: " + target_of(pod, i);
    if (!there || !source || there->inode != source->inode || there->device != source->device)
      return target_of(pod, i) + " is not " + wanted + " in the end";
    if (pod.fs_group && volume.is_empty_dir() && there->group != *pod.fs_group)
      return wanted + " is not of the pod's group in the end";
    if (!volume.is_content()) continue;
    const std::string content = kernel_.read(target_of(pod, i) + (part.path == "d" ? "/one" : ""));
    if (content != std::to_string(objects_.at(volume.object)))
      return target_of(pod, i) + " is " + content + " in the end";
  }
  for (const VolumeSpec& volume : pod.volumes) {
    if (!pod.fs_group || !(volume.is_empty_dir() || volume.is_content())) continue;
    const std::string path = path_of(pod, volume);
    const auto status = kernel_.status(path);
    const std::uint32_t bits = volume.is_content() ? 02550 : 02770;
    if (!status || status->group != *pod.fs_group || (status->mode & bits) != bits)
      return path + " is not of the pod's group in the end";
  }
  return std::nullopt;
}

/// What was ever mounted in a volume holds its data wherever it is mounted next.
std::optional<std::string> Simulation::check_sources() {
  for (const std::string& source : sources_) {
    const std::string path = "/check";
    kernel_.put_directory(path);
    if (kernel_.mount_foreign(path, "ext4", source) != 0) return "cannot mount " + source;
    const std::string content = kernel_.read(path + "/precious");
    kernel_.unmount_foreign(path);
    if (content != source) return "the data of a foreign file system is lost: " + source;
  }
  return std::nullopt;
}

}  // namespace mooring::sim
