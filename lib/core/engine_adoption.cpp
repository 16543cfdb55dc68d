#include <algorithm>

#include "core/engine.h"
#include "step/layout.h"

namespace mooring {

void Core::Engine::on(RecordsRead& event, Instant now) {
  if (records_are_read_) return;
  records_are_read_ = true;
  records_ = std::move(event.records);
  for (const std::string& line : event.unreadable)
    log(now, true, "BadRecord", "node", line);
}

void Core::Engine::on(MountsRead& event, Instant now) {
  const std::shared_ptr<const MountTable> before = std::exchange(mounts_, std::move(event.table));
  const bool is_new = before != mounts_;
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
    verify_mounts(uid, now);
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
  for (const std::string& name : tree.trash)
    trash_.try_emplace(name);
  adoption_ = Adoption::Adopted;
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

/// If the kernel shows of a volume that was found just what `shape` says, it is published and no step is
/// done.
bool Core::Engine::settle_found(const PodUid& uid, ActualVolume& volume, const Shape& shape) {
  const bool is_bind = shape == "bind";
  const bool is_mount = is_bind || shape.starts_with("mount:");
  if ((!is_mount && shape != "directory") || volume.found != (is_mount ? Found::Mount : Found::Directory))
    return false;
  if (is_mount) {
    const std::string path = layout::volume(uid, volume.plugin, volume.directory);
    const MountFact* top = mounts_->top_at(options_.node.root_dir + "/" + path);
    if (top == nullptr) return false;
    if (is_bind ? !top->root.ends_with("/" + path) : "mount:" + top->type != shape) return false;
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

/// If a mount that was found is of a kind that the plugin's removal unmounts, the volume is published as
/// that, whatever the manifest says now.
void Core::Engine::settle_mount(const PodUid& uid, ActualVolume& volume) {
  const Plugin* plugin = plugins_.by_name(volume.plugin);
  if (plugin == nullptr || volume.found != Found::Mount) return;
  for (const Step& step : plugin->removal({uid, volume.directory, options_.node})) {
    const auto* unmount = std::get_if<Unmount>(&step);
    if (unmount == nullptr) continue;
    for (const std::string& type : unmount->types) {
      if (settle_found(uid, volume, type == "bind" ? type : "mount:" + type)) return;
    }
  }
}

/// The mounts below a pod changed: what is published as a mount must still be one, and what was held up by a
/// foreign mount is tried again.
void Core::Engine::verify_mounts(const PodUid& uid, Instant now) {
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
        options_.node.root_dir + "/" + layout::volume(uid, volume.plugin, volume.directory);
    if (mounts_->top_at(path) != nullptr) continue;
    volume.state = PublishState::Uncertain;
    volume_work.is_refreshing = false;
    if (desired_of(uid) == nullptr) continue;
    log(now, true, "MountVanished", "pod/" + actual->key.text(),
        "the mount of volume " + volume.name.str() + " was removed behind Mooring's back; it is made again" +
            (volume.shape == "bind" ? "" : ", empty"));
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
    if (const auto part = layout::parse_sub_path(relative); part && actual_.find(part->pod) != nullptr)
      continue;
    const auto parsed = layout::parse_volume(relative);
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
