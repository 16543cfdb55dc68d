#include "simulation.h"

#include <algorithm>

namespace mooring::sim {
namespace {

constexpr const char* root_dir = "/var/lib/mooring";
constexpr std::uint64_t steps = 220;

}  // namespace

Simulation::Simulation(std::uint64_t seed) : World(seed, steps) {
  for (int i = 0; i < 3; ++i)
    kernel_.put_file("/host/there" + std::to_string(i) + "/precious", "host data");
  kernel_.put_file("/outside/precious", "somebody else's", 0604);
  kernel_.set_mode("/outside", 0751);
  kernel_.set_can_map_groups(random_.chance(2));
  if (random_.chance(2)) shell_.faults.errno_one_in = 20 + random_.below(100);
  if (random_.chance(2)) shell_.faults.crash_one_in = 40 + random_.below(200);
  if (random_.chance(3)) shell_.faults.hang_one_in = 60 + random_.below(200);
  if (random_.chance(3)) shell_.faults.record_one_in = 8;
}

void Simulation::step() {
  advance(std::chrono::microseconds(random_.below(2000)));
  switch (random_.below(16)) {
    case 0:
    case 1:
      return user_acts();
    case 2:
      return node_acts();
    case 3:
      return disturb();
    case 4:
      return put_marker();
    case 5:
      return advance(std::chrono::milliseconds(random_.below(5000)));
    case 6:
      if (shell_.is_running()) shell_.tell_mounts(now());
      for (const int watch : kernel_.take_fired_watches()) {
        if (shell_.is_running()) shell_.feed(WatchFired{watch}, now());
      }
      return;
    default:
      shell_.work(now());
      return;
  }
}

std::vector<std::string> Simulation::files() const {
  std::vector<std::string> all;
  for (const auto& [file, pod] : pods_)
    all.push_back(file);
  for (const auto& [name, number] : objects_)
    all.push_back(name + ".yaml");
  std::sort(all.begin(), all.end());
  return all;
}

std::string Simulation::text_of(const std::string& file) const {
  const auto pod = pods_.find(file);
  const auto object = objects_.find(file.substr(0, file.find('.')));
  if (pod == pods_.end() && object == objects_.end()) return {};
  const std::string text =
      pod != pods_.end() ? manifest_of(pod->second) : manifest_of_object(object->first, object->second);
  return broken_.contains(file) ? text.substr(0, text.size() / 2) + "\n  - {:" : text;
}

void Simulation::node_rebooted() {
  foreign_.clear();
  shared_.clear();
  open_.clear();
  std::erase_if(markers_, [](const Marker& marker) { return marker.is_in_memory; });
  for (const auto& [file, pod] : pods_) {
    forget_unnamed(pod);
    rebooted_.insert(pod.name);
  }
}

void Simulation::user_acts() {
  switch (random_.below(12)) {
    case 8:
    case 9:
    case 10:
      return change_object();
    case 0:
    case 1:
    case 2:
      return write_pod();
    case 3:
    case 4:
      return remove_pod();
    case 5: {  // A file is half written for a while.
      if (pods_.empty()) return;
      const std::string file =
          std::next(pods_.begin(), static_cast<long>(random_.below(pods_.size())))->first;
      if (!broken_.insert(file).second) broken_.erase(file);
      note("user: " + file + (broken_.contains(file) ? " is broken" : " is whole again"));
      return tell(file);
    }
    case 6: {  // A live pod's manifest is changed: what it has stays.
      if (pods_.empty()) return;
      auto& [file, pod] = *std::next(pods_.begin(), static_cast<long>(random_.below(pods_.size())));
      pod = random_pod(pod.name, random_);
      note_written(pod);
      edited_.insert(pod.name);
      if (rebooted_.contains(pod.name)) forget_unnamed(pod);
      note("user: edits " + file + "\n" + manifest_of(pod));
      return tell(file);
    }
    case 7:
      note("user: retry");
      if (shell_.is_running()) shell_.feed(RetryRequested{}, now());
      return;
    default:
      return restart();
  }
}

/// A ConfigMap or Secret is written, changed, broken or removed.
void Simulation::change_object() {
  const std::string name = (random_.chance(2) ? "c" : "s") + std::to_string(random_.below(2));
  const std::string file = name + ".yaml";
  if (random_.chance(5)) {
    objects_.erase(name);
    broken_.erase(file);
    note("user: removes " + file);
  } else if (random_.chance(6) && objects_.contains(name)) {
    if (!broken_.insert(file).second) broken_.erase(file);
    note("user: " + file + (broken_.contains(file) ? " is broken" : " is whole again"));
  } else {
    write_object(name);
    broken_.erase(file);
    note("user: writes " + file + " with " + std::to_string(numbers_));
  }
  tell(file);
}

void Simulation::write_pod() {
  const std::string name = "p" + std::to_string(random_.below(4));
  const std::string file = name + ".yaml";
  if (pods_.contains(file)) return;
  pods_[file] = random_pod(name, random_);
  note_written(pods_[file]);
  broken_.erase(file);
  // What an earlier pod of the name left may stay, as after an edit, if its going was never seen.
  const PodUid uid = derived_pod_uid(Namespace("default"), ObjectName(name));
  const bool is_known = shell_.is_running() && shell_.core().pod_status(uid).has_value();
  edited_.erase(name);
  if (is_known || kernel_.exists(std::string(root_dir) + "/pods/" + uid.str())) edited_.insert(name);
  // What the containers of the earlier pod mounted went with it, or may be taken for somebody else's.
  std::erase_if(shared_,
                [&](const auto& mount) { return mount.second.pod == name && !edited_.contains(name); });
  note("user: writes " + file + "\n" + manifest_of(pods_[file]));
  tell(file);
}

void Simulation::remove_pod() {
  if (pods_.empty()) return;
  const std::string file = std::next(pods_.begin(), static_cast<long>(random_.below(pods_.size())))->first;
  note("user: removes " + file);
  forget_markers(pods_[file].name);
  pods_.erase(file);
  broken_.erase(file);
  tell(file);
}

void Simulation::forget_markers(const std::string& pod) {
  std::erase_if(markers_, [&](const Marker& marker) { return marker.pod == pod; });
}

/// A reboot leaves no records and no containers: of what it finds, Mooring keeps what the manifest names.
void Simulation::forget_unnamed(const PodSpec& pod) {
  std::erase_if(markers_, [&](const Marker& marker) {
    return marker.pod == pod.name &&
           std::none_of(pod.volumes.begin(), pod.volumes.end(), [&](const VolumeSpec& volume) {
             return volume.name == marker.volume && volume.kind == Kind::Disk;
           });
  });
}

void Simulation::node_acts() {
  switch (random_.below(10)) {
    case 0:
    case 1:
      kernel_.put_file("/host/late" + std::to_string(random_.below(3)) + "/file", "late");
      return note("node: a late file appears");
    case 2:
      note("node: the disk is full");
      kernel_.set_space(root_dir, 0);
      return;
    case 3:
    case 4:
      kernel_.set_space(root_dir, std::nullopt);
      kernel_.set_read_only(root_dir, false);
      return;
    case 5:
      note("node: the disk is read-only");
      kernel_.set_read_only(root_dir, true);
      return;
    case 6:
      if (!is_listing_known_ && shell_.is_running()) read_manifests(false);
      return;
    case 7:
      if (random_.chance(6)) reboot();
      return;
    case 8:
      for (const std::string& path : open_)
        kernel_.mark_closed(path);
      open_.clear();
      return;
    default:
      if (shell_.is_running()) shell_.end_stuck(now());
      return;
  }
}

/// What other programs do to Mooring's own tree.
void Simulation::disturb() {
  if (random_.chance(3)) return disturb_parts();
  if (random_.chance(2)) return put_foreign_mount();
  if (!foreign_.empty() && random_.chance(2)) {
    const std::string path = foreign_.begin()->first;
    if (kernel_.unmount_foreign(path) != 0) return;
    note("node: unmounts " + path);
    foreign_.erase(path);
    return;
  }
  // Somebody unmounts what is Mooring's, or holds it open.
  if (markers_.empty()) return;
  const Marker marker = markers_[random_.below(markers_.size())];
  const std::string path = volume_path(marker.pod, marker.volume);
  if (random_.chance(2)) {
    if (!open_.contains(path) && kernel_.mark_open(path) == 0) open_.insert(path);
    return;
  }
  if (!marker.is_in_memory || foreign_.contains(path + "/sub") || shared_.contains(path + "/sub")) return;
  if (kernel_.unmount_foreign(path) != 0) return;
  note("node: unmounts " + path + " behind Mooring's back");
  std::erase_if(markers_, [&](const Marker& m) { return m.pod == marker.pod && m.volume == marker.volume; });
}

void Simulation::put_foreign_mount() {
  if (markers_.empty()) return;
  const Marker& marker = markers_[random_.below(markers_.size())];
  const std::string path = volume_path(marker.pod, marker.volume) + "/sub";
  if (foreign_.contains(path) || shared_.contains(path) || kernel_.put_directory(path) != 0) return;
  const auto pod = pods_.find(marker.pod + ".yaml");
  const VolumeSpec* spec = pod == pods_.end() ? nullptr : pod->second.find(marker.volume);
  const bool was_shared = ever_shared_.contains(marker.pod + "/" + marker.volume);
  if (was_shared && edited_.contains(marker.pod)) return;  // Nobody knows what it was made as.
  if (spec != nullptr && spec->is_shared) return put_shared_mount(marker.pod, path);
  const std::string source = "/dev/foreign" + std::to_string(++numbers_);
  if (kernel_.mount_foreign(path, "ext4", source) != 0) return;
  kernel_.put_file(path + "/precious", source);
  foreign_[path] = source;
  sources_.push_back(source);
  note("node: mounts " + source + " on " + path);
}

/// A container writes into the volumes that it was given, which need not be what the manifest asks for by
/// now.
void Simulation::put_marker() {
  if (!shell_.is_running() || pods_.empty()) return;
  const auto pod = std::next(pods_.begin(), static_cast<long>(random_.below(pods_.size())));
  const PodUid uid = derived_pod_uid(Namespace("default"), ObjectName(pod->second.name));
  const auto status = shell_.core().pod_status(uid);
  if (!status || !status->ready || shell_.are_mounts_stale()) return;
  rebooted_.erase(pod->second.name);
  if (random_.chance(3)) return shell_.feed(ContainerAsked{uid, ContainerName("side")}, now());
  const auto facts = kernel_.mount_facts();
  for (const VolumeStatus& volume : status->volumes) {
    if (volume.phase != Phase::Ready || volume.plugin.str() != "kubernetes.io/empty-dir") continue;
    const auto mount = std::find_if(facts.begin(), facts.end(),
                                    [&](const MountFact& fact) { return fact.mount_point == volume.path; });
    if (mount != facts.end() && mount->type == "hugetlbfs") continue;  // One cannot write there.
    const std::string path = volume.path + "/marker" + std::to_string(++numbers_);
    if (kernel_.put_file(path, "kept") != 0) continue;
    const bool is_in_memory = mount != facts.end() && mount->type == "tmpfs";
    markers_.push_back({pod->second.name, volume.name.str(), path, is_in_memory});
  }
  put_part_marker(pod->second);
}

}  // namespace mooring::sim
