#include <algorithm>

#include "base/quote.h"
#include "core/attachments.h"
#include "core/engine.h"

namespace mooring {

std::string doing_text(Doing doing) {
  switch (doing) {
    case Doing::Attach:
      return "being attached";
    case Doing::Stage:
      return "being checked and mounted";
    case Doing::Grow:
      return "being made larger";
    case Doing::Unstage:
      return "being unmounted";
    case Doing::Detach:
      return "being detached";
    default:
      return {};
  }
}

std::vector<DeviceStatus> Core::Engine::devices() const {
  std::vector<DeviceStatus> out;
  for (const auto& [key, device] : actual_.devices()) {
    const DeviceWork& work = device_work_.at(key);
    DeviceStatus status;
    status.key = key.str();
    status.plugin = device.plugin.str();
    status.device = device.name.value.empty() ? std::string() : device.name.text();
    if (!device.staged_path.empty()) status.path = options_.node.root_dir + "/" + device.staged_path;
    status.phase = device_phase(device, work);
    if (work.doing == Doing::None && is_device_left(key, work))  // What comes next.
      status.phase =
          device.is_uncertain || device.state == DeviceState::Staged ? Phase::Unstaging : Phase::Detaching;
    status.message = work.failure ? work.failure->message : doing_text(work.doing);
    if (!work.failure && !work.warning.empty()) {
      status.reason = work.warning_reason();
      status.message = work.warning;
    }
    if (const Failure* what = work.failure ? work.failure.get() : work.condition.get()) {
      status.reason = what->reason;
      status.message = what->message;
      status.action = what->action;
    }
    for (const PodVolumeKey& user : work.users) {
      if (const ActualPod* pod = actual_.find(user.pod))
        status.users.push_back(volume_label(pod->key, user.volume));
    }
    status.in_use = is_in_use(device, store_);
    status.attempts = work.backoff.attempts();
    if (const auto when = work.backoff.not_before(); when && work.failure && work.doing == Doing::None)
      status.next_retry = last_now_.wall + std::max(*when - last_now_.monotonic, Duration::zero());
    out.push_back(std::move(status));
  }
  return out;
}

/// Where it stands; for a pod that waits for it, that is where the pod's volume stands too.
Phase device_phase(const ActualDevice& device, const DeviceWork& work) {
  if (work.stuck_pid != 0) return Phase::Stuck;
  switch (work.doing) {
    case Doing::Attach:
      return Phase::Attaching;
    case Doing::Stage:
      return Phase::Staging;
    case Doing::Unstage:
      return Phase::Unstaging;
    case Doing::Detach:
      return Phase::Detaching;
    default:
      break;
  }
  if (device.is_ready()) return Phase::Ready;
  return device.is_uncertain || device.state == DeviceState::Detached ? Phase::Attaching : Phase::Staging;
}

/// True if no pod wants it, and none has it: it is on its way down.
bool Core::Engine::is_device_left(const VolumeKey& key, const DeviceWork& work) const {
  return !is_device_needed(key, work) && !recipe_of_device(key, work);
}

/// Devices that are in nobody's way but the next user's, and of which no pod tells.
std::vector<std::string> Core::Engine::device_problems() const {
  std::vector<std::string> lines;
  for (const auto& [key, work] : device_work_) {
    const bool has_failed = work.failure && !work.failed_going_up;
    if ((!has_failed && work.stuck_pid == 0) || !is_device_left(key, work)) continue;
    lines.push_back("device " + key.str() + ": no pod has it any more, and it cannot be taken down: " +
                    (work.stuck_pid != 0 ? stuck_text(work.stuck_pid) : work.failure->message));
  }
  return lines;
}

Result<std::vector<ContainerDevice>> Core::Engine::container_devices(const PodUid& uid,
                                                                     const ContainerName& container) const {
  MOORING_TRY(const DesiredPod* desired, ready_pod(uid));
  const std::string pod_name = desired->pod->key.text();
  const ActualPod& actual = *actual_.find(uid);
  const PodWork& work = work_.at(uid);
  std::vector<ContainerDevice> devices;
  bool is_known = container.empty();
  for (const manifest::Container& c : desired->pod->containers) {
    if (!container.empty() && c.name != container) continue;
    is_known = true;
    for (const manifest::VolumeDevice& device : c.devices) {
      const std::string what = "the device of volume " + device.name.str() + " for container " +
                               c.name.str() + " of pod " + pod_name;
      if (!device.device_path.starts_with('/')) {
        Error error = status_error(
            "InvalidDevicePath",
            what + " is asked for at " + quoted(device.device_path) + ", which is not an absolute path",
            "give devicePath from / on: /dev/NAME");
        error.kind = ErrorKind::Final;
        return error;
      }
      const ActualVolume* volume = actual.find(device.name);
      if (volume == nullptr || volume->shape != "device") {
        return status_error("SpecChangeIgnored",
                            what + " cannot be had: the live pod has the volume as a directory",
                            "remove the pod's manifest and put it back, if nothing uses the volume");
      }
      const VolumeWork* volume_work = work.find(device.name);
      const bool is_read_only = volume_work != nullptr && volume_work->read_only;
      devices.push_back({c.name, device.name, path_of(uid, desired, volume, device.name), device.device_path,
                         is_read_only ? "r" : "mrw"});
    }
  }
  if (!is_known)
    return status_error("NoSuchContainer", "pod " + pod_name + " has no container " + container.str());
  return devices;
}

}  // namespace mooring
