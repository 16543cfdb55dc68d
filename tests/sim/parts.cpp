// What containers and others do to parts of volumes and to volumes that are shared with the node.

#include <algorithm>

#include "simulation.h"
#include "step/layout.h"

namespace mooring::sim {

std::string Simulation::path_of(const PodSpec& pod, const VolumeSpec& volume) const {
  return volume.host_path.empty() || !(volume.kind == Kind::HostDirectory || volume.kind == Kind::HostCreated)
             ? volume_path(pod.name, volume.name, volume.kind)
             : volume.host_path;
}

std::string Simulation::target_of(const PodSpec& pod, std::size_t part) const {
  const PodUid uid = derived_pod_uid(Namespace("default"), ObjectName(pod.name));
  return kernel_.root_dir() + "/" +
         layout::sub_path(uid, VolumeName(pod.parts[part].volume), ContainerName("side"), part);
}

/// Remembers what a written manifest allows from now on.
void Simulation::note_written(const PodSpec& pod) {
  for (const VolumeSpec& volume : pod.volumes) {
    if (volume.is_shared) {  // From now on Mooring may take what is mounted in it for its containers'.
      ever_shared_.insert(pod.name + "/" + volume.name);
      const std::string path = volume_path(pod.name, volume.name) + "/sub";
      const auto foreign = foreign_.find(path);
      if (foreign != foreign_.end()) {
        shared_[path] = {pod.name, foreign->second, true};
        foreign_.erase(foreign);
      }
    }
    if (!volume.host_path.empty()) hosts_[pod.name + "/" + volume.name].insert(volume.host_path);
  }
}

void Simulation::write_object(const std::string& name) {
  objects_[name] = ++numbers_;
  history_[name].insert(std::to_string(numbers_));
}

void Simulation::disturb_parts() {
  std::vector<std::string> targets;
  for (const MountFact& fact : kernel_.mount_facts()) {
    if (fact.mount_point.find("/volume-subpaths/") != std::string::npos) targets.push_back(fact.mount_point);
  }
  if (targets.empty() || random_.chance(2)) return replace_part();
  const std::string target = targets[random_.below(targets.size())];
  if (random_.chance(2)) {
    // The core tells a mount that vanished from one that is not in its table yet by the order of two events.
    const auto part = layout::parse_sub_path(std::string_view(target).substr(kernel_.root_dir().size() + 1));
    if (part && shell_.has_news_of(part->pod)) return;
    if (kernel_.unmount_foreign(target) == 0) note("node: unmounts " + target + " behind Mooring's back");
    return;
  }
  if (open_.contains(target) || kernel_.mark_open(target) != 0) return;
  open_.insert(target);
  note("node: keeps " + target + " busy");
}

/// A container puts something else where a part of a volume is, on the way to it, or in the way of a file
/// that Mooring makes.
void Simulation::replace_part() {
  if (pods_.empty()) return;
  const auto& pod = std::next(pods_.begin(), static_cast<long>(random_.below(pods_.size())))->second;
  if (pod.parts.empty()) return;
  const PartSpec& part = pod.parts[random_.below(pod.parts.size())];
  const VolumeSpec* volume = pod.find(part.volume);
  if (volume == nullptr || edited_.contains(pod.name)) return;
  std::string path = path_of(pod, *volume) + "/";
  const bool is_of_live = volume->is_content() && pod.is_live && random_.chance(2);
  if (is_of_live) {
    path += part.path == "d/one" ? "..live/d~1one" : "..live/" + part.path;
  } else {
    path += part.path.substr(0, part.path.find('/'));
  }
  if (!kernel_.exists(path) || kernel_.remove_all(path) != 0) return;
  std::erase_if(markers_, [&](const Marker& marker) { return marker.path.starts_with(path + "/"); });
  disturbed_.insert(path);
  switch (random_.below(5)) {
    case 0:
      kernel_.put_symlink(path, "/outside");
      return note("node: " + path + " leads out of its volume");
    case 1:
      kernel_.put_symlink(path, std::string("../../../../../../../../../outside/precious"));
      return note("node: " + path + " leads up and out of its volume");
    case 2:
      kernel_.put_symlink(path, "inner");
      return note("node: " + path + " is a link inside its volume");
    case 3:
      if (volume->is_content() && !is_of_live) return note("node: removes " + path);
      random_.chance(2) ? kernel_.put_file(path, "other") : kernel_.put_directory(path);
      return note("node: " + path + " is another file or directory");
    default:
      return note("node: removes " + path);
  }
}

/// Containers mount in what they share with the node.
void Simulation::put_shared_mount(const std::string& pod, const std::string& path) {
  const std::string source = "/dev/foreign" + std::to_string(++numbers_);
  if (kernel_.mount_foreign(path, "ext4", source) != 0) return;
  kernel_.put_file(path + "/precious", source);
  sources_.push_back(source);
  shared_[path] = {pod, source, false};
  note("container of " + pod + ": mounts " + source + " on " + path);
}

/// Parts are written to through what the container was given.
void Simulation::put_part_marker(const PodSpec& pod) {
  if (edited_.contains(pod.name)) return;
  const auto facts = kernel_.mount_facts();
  for (std::size_t i = 0; i < pod.parts.size(); ++i) {
    const VolumeSpec* volume = pod.find(pod.parts[i].volume);
    if (volume == nullptr || (volume->kind != Kind::Disk && volume->kind != Kind::Memory)) continue;
    const std::string target = target_of(pod, i);
    const std::string path = path_of(pod, *volume) + "/" + pod.parts[i].path;
    const bool is_disturbed =
        std::any_of(disturbed_.begin(), disturbed_.end(),
                    [&](const std::string& other) { return (path + "/").starts_with(other + "/"); });
    const bool is_bound = std::any_of(facts.begin(), facts.end(),
                                      [&](const MountFact& fact) { return fact.mount_point == target; });
    if (is_disturbed || !is_bound) continue;
    const std::string name = "/marker" + std::to_string(++numbers_);
    if (kernel_.put_file(target + name, "kept") == 0)
      markers_.push_back({pod.name, volume->name, path + name, volume->kind == Kind::Memory});
  }
}

/// Whoever put links and files where parts of volumes belong takes them away; nothing tells Mooring so, but
/// it looks again when it starts.
void Simulation::put_parts_right() {
  if (disturbed_.empty()) return;
  for (const std::string& path : disturbed_) {
    note("somebody removes " + path);
    kernel_.remove_all(path);
    std::erase_if(markers_, [&](const Marker& marker) { return marker.path.starts_with(path + "/"); });
  }
  disturbed_.clear();
  restart();
}

}  // namespace mooring::sim
