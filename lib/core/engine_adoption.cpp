#include <algorithm>

#include "binding/resolve.h"
#include "core/engine.h"
#include "step/csi_layout.h"

namespace mooring {

void Core::Engine::on(RecordsRead& event, Instant now) {
  if (records_are_read_) return;
  records_are_read_ = true;
  records_ = std::move(event.records);
  device_records_ = std::move(event.devices);
  for (const std::string& line : event.unreadable)
    log(now, true, "BadRecord", "node", line);
}

void Core::Engine::on(MountsRead& event, Instant now) {
  const std::shared_ptr<const MountTable> before = std::exchange(mounts_, std::move(event.table));
  const bool is_new = before != mounts_;
  are_devices_touched_ = are_devices_touched_ || is_new;
  if (is_new) unmounted_.clear();
  if (adoption_ == Adoption::Waiting) {
    if (records_are_read_) adoption_ = Adoption::Scanning;
    return;
  }
  std::set<PodUid> touched;
  touched.swap(unconfirmed_);
  if (is_new) {
    for (PodUid& uid : pods_with_changed_mounts(*before, *mounts_, options_.node.root_dir))
      touched.insert(std::move(uid));
  }
  for (const PodUid& uid : touched)
    verify_mounts(uid, *before, now);
  if (is_new || !unconfirmed_devices_.empty()) verify_devices(*before, now);
}

void Core::Engine::start_scan(Instant now) {
  scanned_at_ = now.monotonic;
  Operation operation;
  operation.lane = Lane::Local;
  operation.deadline_ms = options_.own_deadline_ms;
  operation.what = "read the tree below the root directory";
  operation.steps = {ScanTree{}};
  start(std::move(operation), InFlight{Doing::Scan, {}, {}, {}, false, {}, {}});
  scan_is_in_flight_ = true;
}

/// Has what is published as a directory looked at: no event tells if one of them vanished.
void Core::Engine::request_scan(Instant now) {
  if (adoption_ != Adoption::Adopted || scan_is_in_flight_) return;
  to_verify_.clear();
  for (const auto& [uid, pod] : actual_.pods()) {
    for (const ActualVolume& volume : pod.volumes) {
      if (volume.state == PublishState::Published && volume.shape == "directory")
        to_verify_.insert({uid, volume.name});
    }
  }
  if (!to_verify_.empty()) start_scan(now);
}

void Core::Engine::verify_tree(const TreeFacts& tree, Instant now) {
  for (const FoundPod& pod : tree.pods) {
    const ActualPod* actual = actual_.find(pod.uid);
    if (actual == nullptr) continue;
    for (const FoundVolume& found : pod.volumes) {
      for (const ActualVolume& volume : actual->volumes) {
        if (volume.plugin == found.plugin && volume.directory == found.directory)
          to_verify_.erase({pod.uid, volume.name});
      }
    }
  }
  for (const PodVolumeKey& key : std::exchange(to_verify_, {})) {
    ActualPod* actual = actual_.find(key.pod);
    ActualVolume* volume = actual == nullptr ? nullptr : actual->find(key.volume);
    const auto work = work_.find(key.pod);
    if (volume == nullptr || volume->state != PublishState::Published || work == work_.end()) continue;
    if (const VolumeWork* known = work->second.find(key.volume);
        known == nullptr || known->doing != Doing::None)
      continue;
    volume->state = PublishState::Uncertain;
    log(now, true, "DirectoryVanished", "pod/" + actual->key.text(),
        "the directory of volume " + key.volume.str() + " is not there any more; it is made again, empty");
    dirty_.insert(key.pod);
  }
}

void Core::Engine::scan_ended(Outcome& outcome, Instant now) {
  scan_is_in_flight_ = false;
  if (adoption_ == Adoption::Adopted) {
    if (!outcome.error && outcome.tree) verify_tree(*outcome.tree, now);
    return;
  }
  if (outcome.error || !outcome.tree) {
    const std::string why = outcome.error ? outcome.error->text() : "the worker's answer holds no tree";
    scan_problem_ = "the root directory cannot be read, nothing is mounted or removed until it can: " + why;
    log(now, true, "RootUnreadable", "node", scan_problem_);
    scan_backoff_.failed(now.monotonic, {options_.backoff_first, options_.backoff_longest}, random_);
    return;
  }
  scan_problem_.clear();
  scan_backoff_.reset();
  adopt(*outcome.tree, now);
}

void Core::Engine::adopt(const TreeFacts& tree, Instant now) {
  strangers_ = actual_.adopt(records_, tree);
  for (const std::string& line : strangers_)
    log(now, true, "ForeignDirectory", "node", line);
  records_.clear();
  records_.shrink_to_fit();
  adopt_devices(tree);
  for (const std::string& name : tree.trash)
    trash_.try_emplace(name);
  adoption_ = Adoption::Adopted;
  are_claims_touched_ = true;
  const auto adopted = std::count_if(actual_.pods().begin(), actual_.pods().end(),
                                     [](const auto& pod) { return pod.second.directory_may_exist; });
  if (adopted != 0) {
    log(now, false, "Adopted", "node",
        "took over " + std::to_string(adopted) + (adopted == 1 ? " pod" : " pods") +
            " of an earlier run, as records and kernel show them");
  }
  // What is as its record says is published, whatever the manifest says now.
  for (const auto& [uid, pod] : actual_.pods()) {
    for (ActualVolume& volume : actual_.find(uid)->volumes)
      if (!volume.is_incomplete) settle_found(uid, volume, volume.shape);
  }
  for (const auto& [uid, pod] : actual_.pods()) {
    if (store_.find_pod(uid) == nullptr) unseen_.insert(uid);
    PodWork& work = work_[uid];
    for (const ActualVolume& volume : pod.volumes)
      work.ensure(volume.name, now.wall);
    dirty_.insert(uid);
  }
  for (const PodUid& uid : store_.pods())
    dirty_.insert(uid);
}

namespace {

/// True for a mount of the shape. The kernel gives NFS of version 4 a name of its own.
bool is_mount_of(const MountFact& mount, const Shape& shape) {
  return "mount:" + mount.type == shape || (mount.type == "nfs4" && shape == "mount:nfs");
}

}  // namespace

/// If the kernel shows of a volume that was found just what `shape` says, it is published and no step is
/// done.
bool Core::Engine::settle_found(const PodUid& uid, ActualVolume& volume, const Shape& shape) {
  const bool is_bind = shape == "bind";
  const bool is_bound = shape == "bound";
  const bool is_mount = is_bind || is_bound || shape.starts_with("mount:");
  if ((!is_mount && shape != "directory") || volume.found != (is_mount ? Found::Mount : Found::Directory))
    return false;
  if (is_mount) {
    const std::string path = layout::volume(uid, volume.plugin, volume.directory);
    const MountFact* top = mounts_->top_at(options_.node.root_dir + "/" + path);
    if (top == nullptr) return false;
    if (is_bound && !is_of_device(*top, volume)) return false;
    if (!is_bound && (is_bind ? !top->root.ends_with("/" + path) : !is_mount_of(*top, shape))) return false;
  }
  volume.found = Found::Nothing;
  volume.is_incomplete = false;
  volume.is_mount = is_mount;
  volume.state = PublishState::Published;
  volume.shape = shape;
  const std::string& root = options_.node.root_dir;
  for (const MountFact* mount : mounts_->below(root + "/" + layout::sub_paths(uid, volume.name)))
    volume.sub_paths.emplace(mount->mount_point.substr(root.size() + 1), std::string());
  return true;
}

/// True for a mount of just the file system that is staged for the volume; of one that shares nothing for
/// any.
bool Core::Engine::is_of_device(const MountFact& mount, const ActualVolume& volume) const {
  if (volume.device.empty()) return true;
  const ActualDevice* device = actual_.find_device(volume.device);
  if (device == nullptr || device->staged_path.empty()) return false;
  const MountFact* staged = mounts_->top_at(options_.node.root_dir + "/" + device->staged_path);
  return staged != nullptr && staged->device_major == mount.device_major &&
         staged->device_minor == mount.device_minor;
}

/// A claim's volume that only the disk knows is called what its directory is called, which is the
/// PersistentVolume's name: when the pod and the claim are known, it gets the pod's name for it. Else one
/// would be removed while the other is made, in one place.
void Core::Engine::name_found_volume(const DesiredPod& desired, const manifest::Volume& volume,
                                     ActualPod& actual, PodWork& work) const {
  if (!claim_of(*desired.pod, volume)) return;
  const auto is_idle = [&](const VolumeName& name) {
    const VolumeWork* known = work.find(name);
    return known == nullptr || known->doing == Doing::None;
  };
  const auto is_nameless = [&](const ActualVolume& found) {
    return found.name.str() == found.directory.str() && found.shape.empty() && found.device.empty() &&
           found.state == PublishState::Uncertain && desired.find_used(found.name) == nullptr &&
           is_idle(found.name);
  };
  if (std::none_of(actual.volumes.begin(), actual.volumes.end(), is_nameless)) return;
  const ActualVolume* known = actual.find(volume.name);
  if (known != nullptr && (known->state != PublishState::Absent || !is_idle(volume.name))) return;
  // Whether it fits the node is no question here: it is there, and the labels may come with a driver.
  const std::optional<VolumeDirectory> directory = resolved_directory(*desired.pod, volume, ledger_);
  const PluginName plugin = plugin_of(*desired.pod, volume, nullptr);
  const auto found = std::find_if(actual.volumes.begin(), actual.volumes.end(), [&](const ActualVolume& one) {
    return is_nameless(one) && one.plugin == plugin && directory == one.directory;
  });
  if (found == actual.volumes.end()) return;
  std::erase_if(work.volumes, [&](const VolumeWork& one) { return one.name == found->name; });
  if (VolumeWork* volume_work = work.find(volume.name)) volume_work->wanted_shape.reset();
  ActualVolume named = std::move(*found);
  actual.volumes.erase(found);
  std::erase_if(actual.volumes, [&](const ActualVolume& one) { return one.name == volume.name; });
  named.name = volume.name;
  named.is_recorded = false;
  actual.volumes.push_back(std::move(named));
}

/// True while what is in the volume's place is being removed under another name.
bool is_place_being_cleared(const ActualPod& actual, const ActualVolume& volume, const PodWork& work,
                            const VolumeDirectory& directory) {
  return std::any_of(actual.volumes.begin(), actual.volumes.end(), [&](const ActualVolume& other) {
    const VolumeWork* other_work = work.find(other.name);
    return other.name != volume.name && other.plugin == volume.plugin && !directory.empty() &&
           other.directory == directory && other_work != nullptr && other_work->doing == Doing::Unpublish;
  });
}

/// If a mount that was found is of a kind that the plugin's removal unmounts, the volume is published as
/// that, whatever the manifest says now.
void Core::Engine::settle_mount(const PodUid& uid, ActualVolume& volume) {
  const Plugin* plugin = plugins_.by_name(volume.plugin);
  if (plugin == nullptr || volume.found != Found::Mount) return;
  for (const Step& step : plugin->removal({uid, volume.directory, options_.node, volume.shape, volume.device,
                                           UnmountPolicy::Force, 0, volume.plugin, drivers_})) {
    if (std::holds_alternative<UnmountNetwork>(step) && settle_found(uid, volume, "mount:nfs")) return;
    const auto* unmount = std::get_if<Unmount>(&step);
    if (unmount == nullptr) continue;
    if (unmount->types.empty() && settle_found(uid, volume, "bound")) return;
    for (const std::string& type : unmount->types) {
      if (settle_found(uid, volume, type == "bind" ? type : "mount:" + type)) return;
    }
  }
}

/// The mounts below a pod changed: what is published as a mount must still be one, and what was held up by a
/// foreign mount is tried again.
void Core::Engine::verify_mounts(const PodUid& uid, const MountTable& before, Instant now) {
  ActualPod* actual = actual_.find(uid);
  const auto work = work_.find(uid);
  if (actual == nullptr || work == work_.end()) return;
  for (ActualVolume& volume : actual->volumes) {
    VolumeWork& volume_work = work->second.ensure(volume.name, now.wall);
    if (volume_work.is_blocked) volume_work.backoff.hurry();
    verify_parts(*actual, volume, volume_work, now);
    if (!volume.is_mount || volume.state != PublishState::Published ||
        (volume_work.doing != Doing::None && !volume_work.is_refreshing))
      continue;
    const std::string path =
        options_.node.root_dir + "/" + layout::mount_place(uid, volume.plugin, volume.directory);
    if (mounts_->top_at(path) != nullptr) {
      note_read_only(uid, volume, volume_work, before, now);
      continue;
    }
    volume.state = PublishState::Uncertain;
    volume_work.is_refreshing = false;
    if (desired_of(uid) == nullptr) continue;
    log(now, true, "MountVanished", "pod/" + actual->key.text(),
        "the mount of volume " + volume.name.str() + " was removed behind Mooring's back; it is made again" +
            (volume.shape.starts_with("mount:") ? ", empty" : ""));
  }
  dirty_.insert(uid);
}

std::vector<std::string> Core::Engine::foreign_mounts() const {
  std::vector<std::string> lines;
  if (adoption_ != Adoption::Adopted) return lines;
  const std::string& root = options_.node.root_dir;
  for (const MountFact* fact : mounts_->below(root)) {
    if (unmounted_.contains(fact->mount_point)) continue;
    const std::string_view relative = std::string_view(fact->mount_point).substr(root.size() + 1);
    const bool is_staged =
        std::any_of(actual_.devices().begin(), actual_.devices().end(), [&](const auto& entry) {
          return !entry.second.staged_path.empty() && entry.second.staged_path == relative;
        });
    if (is_staged) continue;
    if (const auto part = layout::parse_sub_path(relative); part && actual_.find(part->pod) != nullptr)
      continue;
    const auto target = layout::parse_csi_target(relative);
    const auto parsed = target ? target : layout::parse_volume(relative);
    const ActualPod* pod = parsed ? actual_.find(parsed->pod) : nullptr;
    const bool is_known =
        pod != nullptr && std::any_of(pod->volumes.begin(), pod->volumes.end(), [&](const auto& v) {
          return v.directory == parsed->directory && v.plugin == parsed->plugin;
        });
    if (!is_known) {
      lines.push_back(fact->mount_point + ": a mount (" + fact->type + " from " + fact->source +
                      ") that Mooring did not make; it is left alone");
    }
  }
  return lines;
}

}  // namespace mooring
