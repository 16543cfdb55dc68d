// What must hold at every moment, whatever drivers do.

#include <algorithm>
#include <variant>

#include "driver_simulation.h"
#include "step/layout.h"

namespace mooring::sim {
namespace {

std::string last_part(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

/// The volume that a step asks its driver for; empty: none.
struct VolumeOf {
  static std::string of(const CsiVolume& volume) {
    return volume.handle.empty() ? std::string() : volume.driver.str() + "^" + volume.handle;
  }
  static std::string of(const FlexProgram& program, const std::string& name) {
    return program.driver.str() + "^" + name;
  }
  std::string operator()(const StageCsiVolume& s) const { return s.calls_driver ? of(s.volume) : ""; }
  std::string operator()(const UnstageCsiVolume& s) const { return s.calls_driver ? of(s.volume) : ""; }
  std::string operator()(const PublishCsiVolume& s) const { return of(s.volume); }
  std::string operator()(const UnpublishCsiVolume& s) const { return of(s.volume); }
  std::string operator()(const ExpandCsiVolume& s) const { return of(s.volume); }
  std::string operator()(const StageFlexVolume& s) const { return of(s.program, s.volume.name); }
  std::string operator()(const UnstageFlexVolume& s) const { return of(s.program, s.volume_name); }
  std::string operator()(const GrowFlexVolume& s) const { return of(s.program, s.volume.name); }
  std::string operator()(const PublishFlexVolume& s) const { return of(s.program, s.volume.name); }
  std::string operator()(const UnpublishFlexVolume& s) const { return of(s.program, last_part(s.path)); }
  template <class Other>
  std::string operator()(const Other&) const {
    return {};
  }
};

bool makes_something(const Step& step) {
  return std::holds_alternative<StageCsiVolume>(step) || std::holds_alternative<PublishCsiVolume>(step) ||
         std::holds_alternative<StageFlexVolume>(step) || std::holds_alternative<PublishFlexVolume>(step);
}

bool may_wait_for_driver(const Step& step) {
  return std::holds_alternative<ProbeCsiDriver>(step) || std::holds_alternative<NotifyRegistration>(step) ||
         std::holds_alternative<ProbeFlexDriver>(step) || std::holds_alternative<MeasureCsiVolume>(step) ||
         std::holds_alternative<MeasureUsage>(step) || std::holds_alternative<UnpublishCsiVolume>(step) ||
         !std::visit(VolumeOf(), step).empty();
}

}  // namespace

/// True if a pod that a manifest asks for has the volume.
bool DriverSimulation::is_wanted(const std::string& volume) const {
  const auto has_it = [&](const DriverPod& pod) {
    return std::any_of(pod.volumes.begin(), pod.volumes.end(), [&](const DriverPodVolume& one) {
      const DriverVolume* claimed = find(one.claim);
      if (const CsiDriverTruth* driver = csi_of(one); driver != nullptr && claimed != nullptr)
        return driver->source(claimed->handle()) == volume;
      if (csi_of(one) != nullptr) return source_of(pod, one) == volume;
      const FlexDriverTruth* flex = flex_of(one);
      return flex != nullptr && flex->source(one.directory()) == volume;
    });
  };
  if (leaving_ && has_it(*leaving_)) return true;
  return std::any_of(pods_.begin(), pods_.end(), [&](const auto& pod) { return has_it(pod.second); });
}

/// False for volumes of drivers that attach nothing: what each pod has of them is its own.
bool DriverSimulation::is_shared(const std::string& volume) const {
  return std::none_of(flex_.begin(), flex_.end(), [&](const auto& driver) {
    return driver->kind() != FlexDriverTruth::Kind::Attaches && volume.starts_with(driver->name() + "^");
  });
}

void DriverSimulation::see_start(const Operation& operation) {
  const auto id = static_cast<std::uint64_t>(operation.id);
  std::set<std::string> volumes;
  for (const Step& step : operation.steps) {
    const std::string volume = std::visit(VolumeOf(), step);
    if (volume.empty()) continue;
    if (const auto* publish = std::get_if<PublishFlexVolume>(&step)) flex_paths_.insert(publish->path);
    // A reboot takes the records along: of a pod that is gone too nobody knows what it had in common with
    // others. Nothing is mounted there any more, and the driver is told no name, but a path.
    const auto* unpublish = std::get_if<UnpublishFlexVolume>(&step);
    if (unpublish != nullptr && !flex_paths_.contains(unpublish->path)) continue;
    volumes.insert(volume);
    if (makes_something(step) && !is_wanted(volume) && broken_.empty())
      broken_ = "nobody wants " + volume + ", and it is to be made: " + operation.what;
  }
  for (const auto& [other, theirs] : in_the_works_) {
    for (const std::string& volume : volumes) {
      if (theirs.contains(volume) && is_shared(volume) && broken_.empty())
        broken_ =
            "two are at volume " + volume + " at once: " + in_flight_.at(other).what + ", " + operation.what;
    }
  }
  in_flight_[id] = operation;
  if (!volumes.empty()) in_the_works_[id] = std::move(volumes);
}

void DriverSimulation::see_end(OperationId id) {
  in_flight_.erase(static_cast<std::uint64_t>(id));
  in_the_works_.erase(static_cast<std::uint64_t>(id));
}

std::optional<std::string> DriverSimulation::check() {
  for (const auto& broken : {check_drivers(), check_files(), check_mounts(), check_status(), check_waits()}) {
    if (broken) return broken;
  }
  return std::nullopt;
}

/// No driver was called as it must not be.
std::optional<std::string> DriverSimulation::check_drivers() const {
  if (!broken_.empty()) return broken_;
  for (const auto& driver : csi_) {
    if (!driver->broken().empty()) return driver->broken();
  }
  for (const auto& driver : flex_) {
    if (!driver->broken().empty()) return driver->broken();
  }
  return std::nullopt;
}

/// What pods wrote is where they wrote it: nothing was removed through a mount.
std::optional<std::string> DriverSimulation::check_files() const {
  for (const auto& [source, names] : written_) {
    const auto& root = kernel_.source(source)->file_system->root;
    for (const std::string& name : names) {
      if (root->child(name) == nullptr) return "a file in " + source + " is lost: " + name;
    }
  }
  return std::nullopt;
}

std::optional<std::string> DriverSimulation::check_mounts() const {
  std::set<std::string> seen;
  for (const MountFact& fact : kernel_.mount_facts()) {
    if (!fact.mount_point.starts_with(kernel_.root_dir() + "/")) continue;
    if (!seen.insert(fact.mount_point).second) return "two mounts at one place: " + fact.mount_point;
  }
  return std::nullopt;
}

/// A pod is ready when it has every volume; what is not ready says why.
std::optional<std::string> DriverSimulation::check_status() {
  for (const PodUid& uid : shell_.core().pods()) {
    const auto status = shell_.core().pod_status(uid);
    if (!status) continue;
    const auto pod = pods_.find(status->name.str() + ".yaml");
    for (const VolumeStatus& volume : status->volumes) {
      const std::string name = status->name.str() + "/" + volume.name.str();
      if (volume.phase != Phase::Ready && (volume.reason.empty() || volume.message.empty()))
        return "a volume does not say why it is not ready: " + name;
      if (!status->ready || pod == pods_.end()) continue;
      const auto& wanted = pod->second.volumes;
      if (std::none_of(wanted.begin(), wanted.end(),
                       [&](const DriverPodVolume& one) { return one.name == volume.name.str(); }))
        continue;
      if (volume.phase != Phase::Ready) return "a pod is ready and its volume is not: " + name;
      // Between the end of an operation and the table that is read after it, somebody may have unmounted.
      if (shell_.are_mounts_stale() || shell_.are_mounts_to_confirm()) continue;
      if (auto broken = check_ready(pod->second, volume)) return broken;
    }
  }
  return std::nullopt;
}

/// Who is told that a pod is ready finds what the driver mounted.
std::optional<std::string> DriverSimulation::check_ready(const DriverPod& pod,
                                                         const VolumeStatus& volume) const {
  const auto wanted = std::find_if(pod.volumes.begin(), pod.volumes.end(),
                                   [&](const DriverPodVolume& one) { return one.name == volume.name.str(); });
  const std::string name = pod.name + "/" + volume.name.str();
  const std::string target = target_of(pod, *wanted);
  const CsiDriverTruth* driver = csi_of(*wanted);
  if (const FlexDriverTruth* flex = flex_of(*wanted)) {
    if (!flex->is_published(target))
      return "a volume is said to be ready, and its driver made nothing: " + name;
    return std::nullopt;
  }
  if (driver == nullptr) return std::nullopt;
  const bool is_mounted = DriverMounts(const_cast<kernel::FakeKernel&>(kernel_)).is_mounted(target);
  if (!is_mounted) return "a volume is said to be ready and is not mounted: " + name;
  const DriverVolume* claimed = find(wanted->claim);
  const std::string handle =
      claimed != nullptr ? claimed->handle() : source_of(pod, *wanted).substr(driver->name().size() + 1);
  const CsiDriverTruth::Volume* truth = driver->find(handle);
  if (truth == nullptr || !truth->published.contains(target))
    return "a volume is said to be ready, and its driver did not publish it: " + name;
  if (claimed == nullptr || !claimed->is_raw) return std::nullopt;
  const auto there = kernel_.status(volume.path);
  if (!there || there->type != kernel::FileType::BlockDevice)
    return "a raw device is said to be ready and is not there: " + name;
  return std::nullopt;
}

/// Who waits for a driver is a worker of its own, at work for that driver.
std::optional<std::string> DriverSimulation::check_waits() {
  for (; waits_seen_ < shell_.waited_for_server.size(); ++waits_seen_) {
    const StuckOperation& stuck = shell_.waited_for_server[waits_seen_];
    if (stuck.lane != Lane::Own) return "what all wait for waited for a driver: " + stuck.what;
    const auto operation = in_flight_.find(static_cast<std::uint64_t>(stuck.id));
    if (operation == in_flight_.end()) continue;
    const auto& steps = operation->second.steps;
    if (std::none_of(steps.begin(), steps.end(), may_wait_for_driver))
      return "what is no driver's waited for one: " + stuck.what;
  }
  return std::nullopt;
}

std::optional<std::string> DriverSimulation::check_secrets() const {
  const auto is_told = [](const std::string& text) { return text.find(driver_secret) != std::string::npos; };
  if (std::any_of(trace_.begin(), trace_.end(), is_told)) return "a secret is in the log";
  for (const auto* records : {&shell_.records(), &shell_.device_records()}) {
    for (const auto& [name, bytes] : *records) {
      if (is_told(bytes)) return "a secret is in the record " + name;
    }
  }
  for (const DriverStatus& driver : shell_.core().drivers()) {
    if (is_told(driver.message)) return "a secret is in the status of driver " + driver.name;
  }
  for (const PodUid& uid : shell_.core().pods()) {
    const auto status = shell_.core().pod_status(uid);
    if (!status) continue;
    for (const VolumeStatus& volume : status->volumes) {
      if (is_told(volume.message)) return "a secret is in the status of volume " + volume.name.str();
    }
  }
  return std::nullopt;
}

}  // namespace mooring::sim
