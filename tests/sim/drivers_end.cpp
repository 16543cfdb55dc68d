// The end of a life: drivers become kind, and everything must come to be as the manifests say, beside drivers
// that hang or are gone, with all drivers, and without pods.

#include <algorithm>

#include "driver_simulation.h"
#include "step/layout.h"

namespace mooring::sim {
namespace {

constexpr int rounds = 6000;

}  // namespace

std::optional<std::string> DriverSimulation::settle() {
  for (const auto& settle : {&DriverSimulation::settle_beside_missing, &DriverSimulation::settle_with_all,
                             &DriverSimulation::settle_without_pods}) {
    auto broken = (this->*settle)();
    if (!broken) broken = check_secrets();
    if (broken) {
      note_status();
      return broken;
    }
  }
  return std::nullopt;
}

/// Faults stop, and drivers are kind; one of each may hang or be gone.
void DriverSimulation::put_right() {
  note("all faults stop");
  shell_.faults = {};
  kernel_.set_space(kernel_.root_dir(), std::nullopt);
  const std::size_t missing_csi = random_.below(csi_.size() + 1);
  for (std::size_t i = 0; i < csi_.size(); ++i) {
    CsiDriverTruth& driver = *csi_[i];
    driver.mood = {};
    if (i == missing_csi) {
      driver.hang(driver.is_up && random_.chance(2));
      if (!driver.is_hung()) driver.is_registered = false;
      note("driver " + driver.name() + (driver.is_hung() ? " hangs" : " is gone"));
      continue;
    }
    driver.hang(false);
    if (!driver.is_up) driver.start();
    driver.is_registered = true;
    driver.finish();
  }
  for (std::size_t i = 0; i < flex_.size(); ++i) {
    flex_[i]->mood = {};
    flex_[i]->hang(random_.chance(3));
    flex_[i]->is_there = flex_[i]->is_hung() || !random_.chance(3);
    note("driver " + flex_[i]->name() +
         (flex_[i]->is_hung()  ? " hangs"
          : flex_[i]->is_there ? " is kind"
                               : " is gone"));
  }
  for (DriverVolume& volume : volumes_)
    volume.is_written = true;
  shell_.end_stuck_local(now());
  end_answered_probes();
  read_manifests(false);
}

/// Who asked a driver what it is waits for a socket or a program, and for no longer than they do: a socket
/// that is closed is an answer, and a program that ends is one too. Its next question is answered.
void DriverSimulation::end_answered_probes() {
  const auto hangs = [&](const Step& step) {
    const auto* csi = std::get_if<ProbeCsiDriver>(&step);
    const auto* told = std::get_if<NotifyRegistration>(&step);
    const auto* flex = std::get_if<ProbeFlexDriver>(&step);
    const std::string socket = csi != nullptr ? csi->socket : told != nullptr ? told->socket : std::string();
    return std::any_of(csi_.begin(), csi_.end(),
                       [&](const auto& driver) {
                         return driver->is_hung() && driver->registry_socket() == socket;
                       }) ||
           std::any_of(flex_.begin(), flex_.end(), [&](const auto& driver) {
             return driver->is_hung() && flex != nullptr && driver->program() == flex->program.program;
           });
  };
  const auto is_probe = [](const Step& step) {
    return std::holds_alternative<ProbeCsiDriver>(step) || std::holds_alternative<NotifyRegistration>(step) ||
           std::holds_alternative<ProbeFlexDriver>(step);
  };
  shell_.end_stuck_if(
      [&](const StuckOperation& stuck) {
        const auto operation = in_flight_.find(static_cast<std::uint64_t>(stuck.id));
        if (operation == in_flight_.end()) return false;
        const auto& steps = operation->second.steps;
        return std::any_of(steps.begin(), steps.end(), is_probe) &&
               std::none_of(steps.begin(), steps.end(), hangs);
      },
      now());
}

/// While a driver hangs or is gone, volumes of all others are made.
std::optional<std::string> DriverSimulation::settle_beside_missing() {
  put_right();
  for (int round = 0; round < rounds; ++round) {
    if (auto broken = check()) return broken;
    if (!difference(true)) return std::nullopt;
    if (!go_on()) break;
  }
  return *difference(true) + ", beside what hangs or is gone";
}

std::optional<std::string> DriverSimulation::settle_with_all() {
  note("all drivers answer");
  for (const auto& driver : csi_) {
    driver->hang(false);
    if (!driver->is_up) driver->start();
    driver->is_registered = true;
    driver->finish();
  }
  for (const auto& driver : flex_) {
    driver->hang(false);
    driver->is_there = true;
  }
  while (shell_.end_stuck(now())) {
  }
  auto left = difference(false);
  for (int round = 0; round < rounds && left; ++round) {
    if (auto broken = check()) return broken;
    if (!go_on()) break;
    left = difference(false);
  }
  if (left) return *left + " in the end";
  // What is as it should be stays so.
  constexpr int rounds_more = 30;
  for (int round = 0; round < rounds_more && go_on(); ++round) {
    if (auto broken = check()) return broken;
    if (shell_.are_mounts_stale()) continue;
    if ((left = difference(false))) return *left + ", and was";
  }
  return std::nullopt;
}

std::optional<std::string> DriverSimulation::settle_without_pods() {
  while (!pods_.empty())
    remove_pod(pods_.begin()->first);
  for (int round = 0; round < rounds; ++round) {
    if (auto broken = check()) return broken;
    if (!go_on()) break;
  }
  if (shell_.core().next_wake()) return "the core does not come to rest";
  return leftover();
}

/// True if the volume waits for a driver that hangs or is gone, or for a worker that does not come back.
bool DriverSimulation::is_held_up(const DriverPod& pod, const DriverPodVolume& volume) const {
  std::string name;
  if (const CsiDriverTruth* csi = csi_of(volume)) {
    if (!csi->is_up || csi->is_hung() || !csi->is_registered) return true;
    name = csi->name();
  } else if (const FlexDriverTruth* flex = flex_of(volume)) {
    if (!flex->is_there || flex->is_hung()) return true;
    name = flex->name();
  }
  return std::any_of(shell_.stuck().begin(), shell_.stuck().end(), [&](const StuckOperation& stuck) {
    if (stuck.what.ends_with("default/" + pod.name + "/" + volume.name)) return true;
    return !name.empty() && in_the_works_.contains(static_cast<std::uint64_t>(stuck.id));
  });
}

/// What is not yet as the manifests say; nullopt: all is.
std::optional<std::string> DriverSimulation::difference(bool leaves_out_missing) {
  if (shell_.are_mounts_stale()) return "the core does not know the mount table";
  for (const auto& [file, pod] : pods_) {
    const auto status = shell_.core().pod_status(uid_of(pod));
    for (const DriverPodVolume& volume : pod.volumes) {
      const std::string name = pod.name + "/" + volume.name;
      if (leaves_out_missing && is_held_up(pod, volume)) continue;
      if (!status) return pod.name + " is not known";
      const auto found = std::find_if(status->volumes.begin(), status->volumes.end(),
                                      [&](const VolumeStatus& one) { return one.name.str() == volume.name; });
      if (found == status->volumes.end()) return name + " is not known";
      if (found->phase != Phase::Ready) return name + " is not ready: " + found->message;
    }
  }
  return std::nullopt;
}

/// What is left when no pod is; nullopt: nothing.
std::optional<std::string> DriverSimulation::leftover() const {
  for (const auto& driver : csi_) {
    if (!driver->leftover().empty()) return driver->name() + ": " + driver->leftover();
  }
  for (const auto& driver : flex_) {
    if (!driver->leftover().empty()) return driver->name() + ": " + driver->leftover();
  }
  const std::string root = kernel_.root_dir() + "/";
  for (const MountFact& fact : kernel_.mount_facts()) {
    if (fact.mount_point.starts_with(root)) return "a mount is left: " + fact.mount_point;
  }
  if (!shell_.records().empty()) return "a record is left: " + shell_.records().begin()->first;
  if (!shell_.device_records().empty()) return "a record is left: " + shell_.device_records().begin()->first;
  if (!shell_.core().devices().empty()) return "a device is left: " + shell_.core().devices().front().key;
  for (const std::string& line : kernel_.tree_listing(kernel_.root_dir())) {
    const std::string relative = line.substr(root.size(), line.find(' ') - root.size());
    // A reboot unmounts what was staged and leaves no record of it: the directories are used again.
    const bool is_place =
        relative.starts_with("plugins/kubernetes.io/csi/") && line.find(" file ") != std::string::npos;
    if ((is_place && !was_rebooted_) || relative.starts_with("pods/") || relative.starts_with("trash/"))
      return "something is left: " + line;
  }
  return std::nullopt;
}

}  // namespace mooring::sim
