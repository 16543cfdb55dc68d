#include <algorithm>

#include "core/engine.h"
#include "plugin/common_options.h"
#include "step/layout.h"

namespace mooring {
namespace {

/// True if just this part is bound there, as far as it is known: of one that an earlier run bound it is not.
bool is_bound(const ActualVolume& volume, const std::string& target, const std::string& path) {
  const auto bound = volume.sub_paths.find(target);
  return bound != volume.sub_paths.end() && (bound->second.empty() || bound->second == path);
}

}  // namespace

/// The recipe tells which parts of a volume are to be bound; without one nobody can tell.
void note_parts(const manifest::Pod& pod, VolumeWork& work, const Result<Recipe>& recipe) {
  if (recipe) {
    work.wanted_sub_paths = recipe.value().sub_paths;
    work.late_sub_paths = recipe.value().late_sub_paths;
    work.parts_problem.reset();
  } else if (has_sub_paths(pod, work.name)) {
    const Error& error = recipe.error();
    work.parts_problem = std::make_unique<Failure>(Failure{error.reason, error.message, error.remedy});
  }
}

/// A volume is not ready without the parts that containers mount.
bool has_all_parts(const manifest::Pod& pod, const ActualVolume& volume, const VolumeWork& work) {
  if (work.parts_problem) {
    const std::vector<std::string> targets = sub_path_targets(pod, work.name);
    return std::all_of(targets.begin(), targets.end(),
                       [&](const std::string& target) { return volume.sub_paths.contains(target); });
  }
  return std::all_of(work.wanted_sub_paths.begin(), work.wanted_sub_paths.end(), [&](const auto& part) {
    return volume.sub_paths.contains(part.first) || work.late_sub_paths.contains(part.first);
  });
}

/// Has a published volume published once more if parts of it are missing, or somebody wants them looked at.
void require_parts(const ActualVolume& volume, VolumeWork& work) {
  if (volume.state != PublishState::Published || work.doing != Doing::None) return;
  if (work.parts_problem) {
    work.is_asked = false;
    return;
  }
  const bool are_bound =
      std::all_of(work.wanted_sub_paths.begin(), work.wanted_sub_paths.end(),
                  [&](const auto& part) { return is_bound(volume, part.first, part.second); });
  if (work.is_asked || !are_bound) work.is_outdated = true;
}

/// A part that is not mounted any more must be bound again before the next container can have it.
void Core::Engine::verify_parts(const ActualPod& pod, ActualVolume& volume, const VolumeWork& work,
                                Instant now) {
  if (volume.state != PublishState::Published || (work.doing != Doing::None && !work.is_refreshing)) return;
  const auto gone = std::erase_if(volume.sub_paths, [&](const auto& part) {
    return mounts_->top_at(options_.node.root_dir + "/" + part.first) == nullptr;
  });
  if (gone == 0 || work.is_refreshing) return;  // What is in flight may be at binding it again just now.
  log(now, true, "MountVanished", "pod/" + pod.key.text(),
      "a subPath mount of volume " + volume.name.str() +
          " was removed behind Mooring's back; it is made again");
}

bool Core::Engine::has_parts(const PodUid& uid, const ContainerName& container) const {
  const DesiredPod* desired = desired_of(uid);
  if (desired == nullptr) return false;
  return std::any_of(desired->pod->containers.begin(), desired->pod->containers.end(), [&](const auto& one) {
    return one.name == container && std::any_of(one.mounts.begin(), one.mounts.end(), [](const auto& mount) {
             return !mount.sub_path.empty() || !mount.sub_path_expression.empty();
           });
  });
}

void Core::Engine::on(ContainerAsked& event, Instant) {
  const DesiredPod* desired = desired_of(event.pod);
  const auto work = work_.find(event.pod);
  if (desired == nullptr || work == work_.end()) return;
  for (const manifest::Container& container : desired->pod->containers) {
    if (container.name != event.container) continue;
    for (const manifest::VolumeMount& mount : container.mounts) {
      VolumeWork* volume = work->second.find(mount.name);
      if (volume == nullptr || (mount.sub_path.empty() && mount.sub_path_expression.empty())) continue;
      volume->asked.insert(container.name);
      volume->is_asked = true;
      volume->is_content_stale = true;
      volume->backoff.hurry();
      dirty_.insert(event.pod);
    }
  }
}

/// What a container's mount takes as its source: the volume, or the part of it that was bound for the mount.
Result<std::string> Core::Engine::source_of(const PodUid& uid, const DesiredPod& desired,
                                            const manifest::Container& container,
                                            const manifest::VolumeMount& mount) const {
  const ActualVolume* volume = actual_.find(uid)->find(mount.name);
  if (mount.sub_path.empty() && mount.sub_path_expression.empty())
    return path_of(uid, &desired, volume, mount.name);
  const VolumeWork* work = work_.at(uid).find(mount.name);
  const std::string what = "the subPath of " + mount.mount_path + " of container " + container.name.str();
  if (volume == nullptr || work == nullptr) return status_error("NotReady", what + " is not there yet");
  if (fate_of(&desired, *volume, *work) == Fate::Kept) {
    return status_error("SpecChangeIgnored", what +
                                                 " cannot be had: the manifest asks for something else "
                                                 "than what the live pod has");
  }
  if (work->is_asked || work->is_answering || work->is_refreshing)
    return status_error("Preparing", what + " is being looked at");
  if (work->parts_problem) return status_error(work->parts_problem->reason, work->parts_problem->message);
  const auto index = static_cast<std::size_t>(&mount - container.mounts.data());
  const std::string target = layout::sub_path(uid, mount.name, container.name, index);
  const auto wanted = work->wanted_sub_paths.find(target);
  if (wanted != work->wanted_sub_paths.end()) {
    const bool is_right = is_bound(*volume, target, wanted->second);
    if (is_right && !work->refresh_failure) return options_.node.root_dir + "/" + target;
    if (!work->refresh_failure) return status_error("NotReady", what + " is not bound yet");
    return status_error(work->refresh_failure->reason, what + ": " + work->refresh_failure->message);
  }
  if (work->late_sub_paths.contains(target)) {
    return status_error("NotPrepared",
                        what +
                            " is made when its container is asked for by name, because an init container "
                            "may make it first",
                        "name the container (mooringctl render -c)");
  }
  return path_of(uid, &desired, volume, mount.name);  // It means the whole volume.
}

}  // namespace mooring
