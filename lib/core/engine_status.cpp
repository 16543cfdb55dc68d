#include <algorithm>
#include <set>

#include "core/engine.h"
#include "step/csi_layout.h"

namespace mooring {
namespace {

std::string_view propagation_name(manifest::MountPropagation propagation) {
  switch (propagation) {
    case manifest::MountPropagation::None:
      return "private";
    case manifest::MountPropagation::HostToContainer:
      return "rslave";
    case manifest::MountPropagation::Bidirectional:
      return "rshared";
  }
  return "private";
}

/// Who may write through a mount, and whether its files are given the container's label there: once for each
/// volume, and not where that would write to a volume that is read-only as a whole (kubelet-behaviours 10.2).
void set_access(ContainerMount& out, const manifest::VolumeMount& mount, bool volume_is_read_only,
                const PluginSupport& support, bool is_first_of_volume) {
  out.read_only = mount.read_only || support.always_read_only || volume_is_read_only;
  // Not what is read-only only as a volume: what is mounted below it is no part of that.
  out.recursive_read_only =
      mount.read_only && mount.recursive_read_only != manifest::RecursiveReadOnly::Disabled;
  out.recursive_read_only_required =
      out.recursive_read_only && mount.recursive_read_only == manifest::RecursiveReadOnly::Enabled;
  out.selinux_relabel = support.selinux_relabel && !volume_is_read_only && is_first_of_volume;
}

/// The name of the claim that a volume is of; empty: of none.
std::string claim_name(const manifest::Pod& pod, const VolumeName& name) {
  for (const manifest::Volume& volume : pod.volumes) {
    if (volume.name != name) continue;
    const auto claim = claim_of(pod, volume);
    return claim ? claim->name.str() : std::string();
  }
  return {};
}

}  // namespace

Error status_error(std::string reason, std::string message, std::string remedy) {
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = std::move(reason);
  error.message = std::move(message);
  error.remedy = std::move(remedy);
  return error;
}

/// Derives every volume's phase anew, remembers since when it holds, and tells the first time that the pod is
/// ready.
void Core::Engine::update_phases(const PodUid& uid, Instant now) {
  const DesiredPod* desired = desired_of(uid);
  const ActualPod& actual = *actual_.find(uid);
  PodWork& work = work_.at(uid);
  bool all_ready = desired != nullptr;
  for (VolumeWork& volume : work.volumes) {
    const ActualVolume* there = actual.find(volume.name);
    const bool wanted = there != nullptr && fate_of(desired, *there, volume) != Fate::Unwanted;
    Phase phase = Phase::Pending;
    if (volume.stuck_pid != 0) {
      phase = Phase::Stuck;
    } else if (!wanted) {
      phase = Phase::Unpublishing;
    } else if (there->state == PublishState::Published &&
               (volume.doing == Doing::None || volume.is_refreshing) &&
               !holds_another_claim(desired, *there) && !waits_for_ledger(desired, volume.name) &&
               (desired == nullptr || fate_of(desired, *there, volume) == Fate::Kept ||
                has_all_parts(*desired->pod, *there, volume))) {
      phase = Phase::Ready;
    } else if (!volume.is_refused && !is_device_ready(*there) && device_work_.contains(there->device)) {
      phase = device_phase(*actual_.find_device(there->device), device_work_.at(there->device));
      // Those that have it may keep it; a volume that waits for it is not there.
      if (phase == Phase::Ready) phase = Phase::Staging;
    } else if (!volume.is_refused &&
               (volume.doing != Doing::None || volume.failure || volume.refresh_failure)) {
      phase = Phase::Publishing;
    }
    if (phase != Phase::Ready && desired != nullptr && desired->find_used(volume.name) != nullptr)
      all_ready = false;
    if (phase == volume.phase) continue;
    volume.phase = phase;
    volume.since = now.wall;
  }
  if (all_ready && !work.was_ready) {
    effects_.pods_ready.push_back({uid, actual.key});
    log(now, false, "PodReady", "pod/" + actual.key.text(),
        std::to_string(desired->used.size()) +
            (desired->used.size() == 1 ? " volume is ready" : " volumes are ready"));
  }
  work.was_ready = all_ready;
}

std::string Core::Engine::path_of(const PodUid& uid, const DesiredPod* desired, const ActualVolume* volume,
                                  const VolumeName& name) const {
  if (volume != nullptr && !volume->directory.empty()) {
    const bool is_device = volume->shape == "device";
    return options_.node.root_dir + "/" +
           (is_device ? layout::device(uid, volume->plugin, volume->directory)
                      : layout::mount_place(uid, volume->plugin, volume->directory));
  }
  if (desired == nullptr) return {};
  const Result<Recipe> recipe = recipe_of(*desired->pod, name);
  return recipe ? recipe.value().path : std::string();
}

VolumeStatus Core::Engine::volume_status(const PodUid& uid, const DesiredPod* desired,
                                         const ActualPod* actual, const VolumeWork& work, Instant now) const {
  VolumeStatus status;
  const ActualVolume* volume = actual == nullptr ? nullptr : actual->find(work.name);
  status.name = work.name;
  if (volume != nullptr) status.plugin = volume->plugin;
  status.phase = work.phase;
  status.since = work.since;
  status.path = path_of(uid, desired, volume, work.name);
  status.attempts = work.backoff.attempts();
  if (desired != nullptr) status.claim = claim_name(*desired->pod, work.name);
  if (volume != nullptr && work.phase == Phase::Ready) status.usage = usage_of(uid, *volume, work);
  if (work.phase == Phase::Ready) {
    if (const auto* condition = volume == nullptr ? nullptr : condition_of(uid, *volume, work))
      status.is_abnormal = condition->is_abnormal;
    if (volume != nullptr && fate_of(desired, *volume, work) == Fate::Kept) {
      status.reason = "SpecChangeIgnored";
      status.message =
          "the manifest asks for something else now; the volume stays as it is until the pod goes";
      status.action = "remove the pod's manifest and put it back, if nothing uses the volume";
    } else if (work.refresh_failure) {
      status.reason = work.refresh_failure->reason;
      status.message = work.refresh_failure->message;
      status.action = work.refresh_failure->action;
    } else if (const auto device = device_work_.find(volume->device);
               device != device_work_.end() &&
               (device->second.failure || device->second.condition || !device->second.warning.empty())) {
      // It can be used as it is; what is asked for besides cannot be had.
      const Failure* failure = device->second.condition.get();
      if (failure == nullptr) failure = device->second.failure.get();
      status.reason = failure != nullptr ? failure->reason : device->second.warning_reason();
      status.message = failure != nullptr ? failure->message : device->second.warning;
      if (failure != nullptr) status.action = failure->action;
    } else if (volume != nullptr && status.is_abnormal.value_or(false)) {
      status.reason = "VolumeConditionAbnormal";
      status.message = "its driver says: " + condition_of(uid, *volume, work)->message;
      status.action = "see the driver's log, and mend what it names";
    } else if (volume != nullptr && is_read_only_by_others(uid, *volume, work, *mounts_)) {
      status.reason = "ReadOnly";
      status.message = "it was asked for as writable, and the kernel has it read-only now";
      status.action = "look at the kernel's log for errors of its file system";
    } else if (volume != nullptr && is_over_limit(uid, *volume, work)) {
      status.reason = "SizeLimitExceeded";
      status.message = limit_text(work);
      status.action = "remove data from the volume, or raise its limit; Mooring ends no pod for it";
    } else if (!work.warning.empty()) {
      status.reason = "OwnershipIncomplete";
      status.message = work.warning;
    }
    return status;
  }
  if (volume != nullptr && work.stuck_pid == 0 && volume->state == PublishState::Published &&
      holds_another_claim(desired, *volume)) {
    status.reason = "SpecChangeIgnored";
    status.message =
        "it is the volume of another claim than the manifest names now, from before; the pod must "
        "not start with it, and what may still use it keeps it";
    status.action = "remove the pod's manifest, and put it back when the pod is gone";
    return status;
  }
  const DeviceWork* device = nullptr;
  if (volume != nullptr && desired != nullptr && !work.is_refused && !is_device_ready(*volume)) {
    const auto found = device_work_.find(volume->device);
    if (found != device_work_.end()) device = &found->second;
  }
  if (const std::int32_t pid = device != nullptr ? device->stuck_pid : work.stuck_pid; pid != 0) {
    status.reason = "WorkerStuck";
    status.message = stuck_text(pid);
    status.action = "bring the server or device back that the volume lies on";
  } else if (device != nullptr && device->failure) {
    status.reason = device->failure->reason;
    status.message = device->failure->message;
    status.action = device->failure->action;
    status.attempts = device->backoff.attempts();
    if (const auto when = device->backoff.not_before(); when && device->doing == Doing::None)
      status.next_retry = now.wall + std::max(*when - now.monotonic, Duration::zero());
    return status;
  } else if (device != nullptr) {
    status.reason = std::string(to_string(work.phase));
    status.message =
        device->doing == Doing::None ? "waits for its device" : "its device is " + doing_text(device->doing);
  } else if (work.phase == Phase::Pending && desired != nullptr && adoption_ == Adoption::Adopted &&
             explain_unbound_claim(status, *desired->pod, work.name)) {
  } else if (work.failure) {
    status.reason = work.failure->reason;
    status.message = work.failure->message;
    status.action = work.failure->action;
  } else if (work.refresh_failure) {
    status.reason = work.refresh_failure->reason;
    status.message = work.refresh_failure->message;
    status.action = work.refresh_failure->action;
  } else if (work.phase == Phase::Pending && desired != nullptr && adoption_ == Adoption::Adopted &&
             waits_for_objects(*desired->pod, work.name)) {
    status.reason = "WaitingForManifests";
    status.message = "waits for an object that may be in a manifest that was not read yet, or cannot be read";
    status.action = "see `mooringctl status` for manifests with errors";
  } else if (work.phase == Phase::Pending) {
    status.reason = adoption_ == Adoption::Adopted ? "Waiting" : "Adopting";
    status.message = !scan_problem_.empty()      ? scan_problem_
                     : !workers_problem_.empty() ? workers_problem_
                                                 : "waits until what an earlier run left is taken in";
  } else {
    status.reason = std::string(to_string(work.phase));
    status.message = work.phase == Phase::Unpublishing && !gate_of(uid, now.monotonic).may_tear_down
                         ? "waits until all manifests were read whole; nothing is torn down before"
                     : !workers_problem_.empty() ? workers_problem_
                     : !work.progress.empty()    ? work.progress
                                                 : "in progress";
  }
  if (const auto when = work.backoff.not_before(); when && work.doing == Doing::None && !work.is_refused) {
    status.next_retry = now.wall + std::max(*when - now.monotonic, Duration::zero());
  }
  return status;
}

std::optional<PodStatus> Core::Engine::pod_status(const PodUid& uid) const {
  const DesiredPod* desired = desired_of(uid);
  const ActualPod* actual = actual_.find(uid);
  if (desired == nullptr && actual == nullptr) return std::nullopt;
  PodStatus status;
  const ObjectKey& key = desired != nullptr ? desired->pod->key : actual->key;
  status.name_space = key.name_space;
  status.name = key.name;
  status.uid = uid;
  status.deleting = desired == nullptr;
  if (desired != nullptr) {
    status.origin = desired->pod->origin.text();
    status.message = desired->note;
  }
  const auto work = work_.find(uid);
  if (work == work_.end()) return status;
  status.ready = work->second.was_ready;
  if (work->second.directory_failure) status.message = work->second.directory_failure->message;
  for (const auto& [id, stuck] : stuck_) {
    if (stuck.pod == uid && stuck.doing == Doing::RemoveDirectory)
      status.message = stuck_text(stuck.worker_pid);
  }
  for (const VolumeWork& volume : work->second.volumes) {
    status.volumes.push_back(volume_status(uid, desired, actual, volume, last_now_));
  }
  return status;
}

std::vector<PodUid> Core::Engine::pods() const {
  // Of one name there may be two for a while: one that goes, and one with another uid that comes.
  std::set<std::pair<ObjectKey, PodUid>> sorted;
  for (const auto& [uid, pod] : actual_.pods())
    sorted.emplace(pod.key, uid);
  for (const PodUid& uid : dirty_) {
    if (const DesiredPod* desired = desired_of(uid)) sorted.emplace(desired->pod->key, uid);
  }
  std::vector<PodUid> uids;
  uids.reserve(sorted.size());
  for (const auto& [key, uid] : sorted)
    uids.push_back(uid);
  return uids;
}

/// The pod of that name: the one that is asked for, if there is one, else one that goes.
std::optional<PodUid> Core::Engine::find_pod(const ObjectKey& key) const {
  const PodUid derived = derived_pod_uid(key.name_space, key.name);
  const ActualPod* actual = actual_.find(derived);
  if (actual != nullptr && actual->key == key && desired_of(derived) != nullptr) return derived;
  std::optional<PodUid> going;
  for (const auto& [uid, pod] : actual_.pods()) {
    if (pod.key != key) continue;
    if (desired_of(uid) != nullptr) return uid;
    going = uid;
  }
  return going;
}

/// The pod, if its containers may be started now.
Result<const DesiredPod*> Core::Engine::ready_pod(const PodUid& uid) const {
  const DesiredPod* desired = desired_of(uid);
  const auto work = work_.find(uid);
  if (desired == nullptr || work == work_.end())
    return status_error("NoSuchPod", "no manifest asks for this pod");
  if (work->second.was_ready) return desired;
  return status_error("NotReady",
                      "pod " + desired->pod->key.text() + " is not ready: see `mooringctl explain`");
}

Result<std::vector<ContainerMount>> Core::Engine::container_mounts(const PodUid& uid,
                                                                   const ContainerName& container) const {
  MOORING_TRY(const DesiredPod* desired, ready_pod(uid));
  const PodWork& work = work_.at(uid);
  const std::string pod_name = desired->pod->key.text();
  std::vector<ContainerMount> mounts;
  bool is_known = container.empty();
  const ActualPod& actual = *actual_.find(uid);
  std::set<std::string> seen;  ///< Volumes and parts of them.
  for (const manifest::Container& c : desired->pod->containers) {
    const bool is_asked = container.empty() || c.name == container;
    is_known = is_known || is_asked;
    for (const manifest::VolumeMount& mount : c.mounts) {
      const bool is_first_of_volume =
          seen.insert(mount.name.str() + "/" + mount.sub_path + mount.sub_path_expression).second;
      if (!is_asked) continue;
      const ActualVolume* volume = actual.find(mount.name);
      ContainerMount out;
      out.container = c.name;
      out.volume = mount.name;
      MOORING_TRY(out.source, source_of(uid, *desired, c, mount));
      out.destination = mount.mount_path.starts_with('/') ? mount.mount_path : "/" + mount.mount_path;
      const Plugin* plugin = volume == nullptr ? nullptr : plugins_.by_name(volume->plugin);
      const VolumeWork* volume_work = work.find(mount.name);
      set_access(out, mount, volume_work != nullptr && volume_work->read_only,
                 plugin == nullptr ? PluginSupport() : plugin->support(), is_first_of_volume);
      out.propagation = std::string(propagation_name(mount.propagation));
      mounts.push_back(std::move(out));
    }
  }
  if (!is_known) {
    return status_error("NoSuchContainer", "pod " + pod_name + " has no container " + container.str());
  }
  return mounts;
}

NodeStatus Core::Engine::node_status() const {
  NodeStatus status;
  status.node_name = options_.node.name.str();
  for (const auto& [uid, work] : work_) {
    ++status.pods;
    if (work.was_ready) ++status.pods_ready;
    for (const VolumeWork& volume : work.volumes) {
      ++status.volumes;
      if (volume.phase == Phase::Ready) ++status.volumes_ready;
    }
  }
  status.workers_stuck = static_cast<std::uint32_t>(stuck_.size());
  status.manifests_complete = listing_is_complete_ && failing_directories_.empty();
  for (const auto& [directory, message] : failing_directories_)
    status.problems.push_back(directory + ": " + message);
  if (!workers_problem_.empty()) status.problems.push_back(workers_problem_);
  if (!scan_problem_.empty()) status.problems.push_back(scan_problem_);
  for (const auto& [id, stuck] : stuck_) {
    if (stuck.doing == Doing::Scan)
      status.problems.push_back("the root directory cannot be read: " + stuck_text(stuck.worker_pid));
  }
  const auto append = [&](const std::vector<std::string>& lines) {
    status.problems.insert(status.problems.end(), lines.begin(), lines.end());
  };
  append(store_.problems());
  append(claim_problems());
  append(strangers_);
  append(foreign_mounts());
  append(device_problems());
  for (const auto& [name, trash] : trash_) {
    if (!trash.message.empty()) status.problems.push_back("trash/" + name + ": " + trash.message);
  }
  for (const auto& [uid, why] : not_desired_)
    status.problems.push_back(why);
  return status;
}

void Core::Engine::log(Instant now, bool warning, std::string reason, std::string object,
                       std::string message) {
  StatusEvent event{0, now.wall, warning, std::move(reason), std::move(object), std::move(message)};
  effects_.events.push_back(log_.add(std::move(event)));
}

}  // namespace mooring
