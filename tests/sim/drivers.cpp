// Users of volumes that drivers make, and what containers do with them.

#include <algorithm>

#include "csi/names.h"
#include "driver_simulation.h"
#include "step/csi_layout.h"
#include "step/layout.h"

namespace mooring::sim {
namespace {

constexpr std::uint64_t steps = 320;
constexpr std::uint64_t pods_max = 4;
constexpr const char* objects_file = "objects.yaml";

std::string pod_name(std::uint64_t number) {
  return "p" + std::to_string(number);
}

}  // namespace

DriverSimulation::DriverSimulation(std::uint64_t seed) : World(seed, steps) {
  put_drivers();
  put_volumes();
  kernel_.drivers().set_on_call([this](const kernel::DriverCall& call) { return answer(call); });
  kernel_.drivers().set_on_run([this](const kernel::ProgramCall& call) { return answer(call); });
  shell_.on_started = [this](const Operation& operation) { see_start(operation); };
  shell_.on_ended = [this](OperationId id) { see_end(id); };
  if (random_.chance(3)) shell_.faults.errno_one_in = 20 + random_.below(150);
  if (random_.chance(3)) shell_.faults.crash_one_in = 40 + random_.below(300);
  if (random_.chance(4)) shell_.faults.hang_one_in = 100 + random_.below(300);
  if (random_.chance(4)) shell_.faults.record_one_in = 8;
}

void DriverSimulation::put_drivers() {
  const auto tell = [this](const std::string& line) { note(line); };
  const std::size_t csi_count = 2 + random_.below(2);
  for (std::size_t i = 0; i < csi_count; ++i) {
    csi_.push_back(
        std::make_unique<CsiDriverTruth>(csi_name(i), i == 0 || random_.chance(2), kernel_, random_, tell));
    csi_.back()->mood = random_mood(random_);
    csi_.back()->is_registered = !random_.chance(4);
  }
  using Kind = FlexDriverTruth::Kind;
  constexpr Kind kinds[] = {Kind::Attaches, Kind::Mounts, Kind::Writes};
  const std::size_t flex_count = 1 + random_.below(2);
  for (std::size_t i = 0; i < flex_count; ++i) {
    flex_.push_back(
        std::make_unique<FlexDriverTruth>(flex_name(i), kinds[random_.below(3)], kernel_, random_, tell));
    flex_.back()->mood = random_mood(random_);
  }
}

void DriverSimulation::put_volumes() {
  for (std::size_t i = 0; i < csi_.size(); ++i)
    add_random_volumes(volumes_, true, i, random_);
  for (std::size_t i = 0; i < flex_.size(); ++i)
    add_random_volumes(volumes_, false, i, random_);
  for (const DriverVolume& volume : volumes_) {
    note("there is\n" + manifest_of(volume));
    if (volume.is_csi) {
      csi_[volume.driver]->handles.insert(volume.handle());
    } else {
      flex_[volume.driver]->volumes_known.insert(volume.name);
    }
  }
  for (std::size_t i = 0; i < csi_.size(); ++i) {
    for (std::uint64_t pod = 0; pod < pods_max; ++pod)
      csi_[i]->handles.insert(
          csi::inline_handle(derived_pod_uid(Namespace("default"), ObjectName(pod_name(pod))),
                             VolumeName("inline" + std::to_string(i))));
    for (const std::string& handle : csi_[i]->handles)
      kernel_.put_server(csi_[i]->source(handle), DriverMounts::type);
  }
  for (std::size_t i = 0; i < flex_.size(); ++i) {
    flex_[i]->volumes_known.insert("flex" + std::to_string(i));
    for (const std::string& name : flex_[i]->volumes_known)
      kernel_.put_server(flex_[i]->source(name), DriverMounts::type);
  }
}

void DriverSimulation::step() {
  advance(std::chrono::microseconds(random_.below(2000)));
  kernel_.drivers().calls.clear();
  kernel_.drivers().runs.clear();
  switch (random_.below(18)) {
    case 0:
    case 1:
      return user_acts();
    case 2:
    case 3:
      return node_acts();
    case 4:
      return put_files();
    case 5:
      return advance(std::chrono::milliseconds(random_.below(20'000)));
    case 6:
      shell_.tell_mounts(now());
      return;
    case 7:
      tell_drivers();
      return;
    case 8:
      for (const auto& driver : csi_) {
        if (random_.chance(2)) driver->finish();
      }
      return;
    default:
      shell_.work(now());
      return;
  }
}

const DriverVolume* DriverSimulation::find(std::string_view name) const {
  const auto found = std::find_if(volumes_.begin(), volumes_.end(),
                                  [&](const DriverVolume& volume) { return volume.name == name; });
  return found == volumes_.end() ? nullptr : &*found;
}

PodUid DriverSimulation::uid_of(const DriverPod& pod) const {
  return derived_pod_uid(Namespace("default"), ObjectName(pod.name));
}

CsiDriverTruth* DriverSimulation::csi_of(const DriverPodVolume& volume) const {
  if (volume.kind == DriverPodVolume::Kind::CsiInline) return csi_[volume.driver].get();
  const DriverVolume* claimed = find(volume.claim);
  return claimed != nullptr && claimed->is_csi ? csi_[claimed->driver].get() : nullptr;
}

FlexDriverTruth* DriverSimulation::flex_of(const DriverPodVolume& volume) const {
  if (volume.kind == DriverPodVolume::Kind::FlexInline) return flex_[volume.driver].get();
  const DriverVolume* claimed = find(volume.claim);
  return claimed != nullptr && !claimed->is_csi ? flex_[claimed->driver].get() : nullptr;
}

std::string DriverSimulation::target_of(const DriverPod& pod, const DriverPodVolume& volume) const {
  const VolumeDirectory directory(volume.directory());
  const DriverVolume* claimed = find(volume.claim);
  const std::string root = kernel_.root_dir() + "/";
  if (claimed != nullptr && claimed->is_raw) return root + layout::csi_block_target(directory, uid_of(pod));
  if (csi_of(volume) != nullptr) return root + layout::csi_target(uid_of(pod), directory);
  const FlexDriverTruth* flex = flex_of(volume);
  return flex == nullptr ? std::string()
                         : root + layout::volume(uid_of(pod), PluginName(flex->name()), directory);
}

std::string DriverSimulation::source_of(const DriverPod& pod, const DriverPodVolume& volume) const {
  const DriverVolume* claimed = find(volume.claim);
  if (claimed != nullptr && claimed->is_raw) return {};
  if (const CsiDriverTruth* driver = csi_of(volume))
    return driver->source(claimed != nullptr ? claimed->handle()
                                             : csi::inline_handle(uid_of(pod), VolumeName(volume.name)));
  const FlexDriverTruth* flex = flex_of(volume);
  return flex == nullptr || flex->kind() == FlexDriverTruth::Kind::Writes ? std::string()
                                                                          : flex->source(volume.directory());
}

std::vector<std::string> DriverSimulation::files() const {
  std::vector<std::string> all{objects_file};
  for (const auto& [file, pod] : pods_)
    all.push_back(file);
  for (const DriverVolume& volume : volumes_) {
    if (volume.is_written) all.push_back(volume.name + ".yaml");
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::string DriverSimulation::text_of(const std::string& file) const {
  if (file == objects_file) return manifest_of_objects(csi_.size(), flex_.size());
  const auto pod = pods_.find(file);
  if (pod != pods_.end()) return manifest_of(pod->second, volumes_);
  const DriverVolume* volume = find(file.substr(0, file.find('.')));
  return volume != nullptr && volume->is_written ? manifest_of(*volume) : std::string();
}

void DriverSimulation::user_acts() {
  switch (random_.below(11)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return write_pod();
    case 4:
    case 5:
      if (!pods_.empty())
        remove_pod(std::next(pods_.begin(), static_cast<long>(random_.below(pods_.size())))->first);
      return;
    case 6:
      return change_volume();
    case 7:
      note("user: retry");
      return shell_.feed(RetryRequested{}, now());
    case 8:
      note("user: asks how full volumes are");
      return shell_.feed(UsageAsked{}, now());
    default:
      return restart();
  }
}

void DriverSimulation::write_pod() {
  const std::string name = pod_name(random_.below(pods_max));
  const std::string file = name + ".yaml";
  if (pods_.contains(file)) return;
  pods_[file] = random_driver_pod(name, volumes_, csi_.size(), flex_.size(), random_);
  note("user: writes " + file + "\n" + manifest_of(pods_[file], volumes_));
  tell(file);
}

/// By value: what names the pod goes with it.
void DriverSimulation::remove_pod(std::string file) {
  note("user: removes " + file);
  leaving_ = pods_.at(file);
  pods_.erase(file);
  tell(file);
  leaving_.reset();
}

/// A claim and its PersistentVolume are taken away for a while, or say a larger size.
void DriverSimulation::change_volume() {
  DriverVolume& volume = volumes_[random_.below(volumes_.size())];
  if (random_.chance(3)) {
    volume.is_written = !volume.is_written;
    note("user: " + volume.name + ".yaml is " + (volume.is_written ? "there again" : "taken away"));
  } else {
    volume.capacity_mebibytes += 32;
    note("user: " + volume.name + " is to have " + std::to_string(volume.capacity_mebibytes) + "Mi");
  }
  tell(volume.name + ".yaml");
}

/// A container writes into a volume that it was given.
void DriverSimulation::put_files() {
  if (!shell_.is_running() || shell_.are_mounts_stale()) return;
  for (const auto& [file, pod] : pods_) {
    const auto status = shell_.core().pod_status(uid_of(pod));
    if (!status || !status->ready) continue;
    for (const DriverPodVolume& volume : pod.volumes) {
      const std::string source = source_of(pod, volume);
      const std::string name = "file" + std::to_string(++numbers_);
      if (source.empty() || !kernel_.source(source)->answers) continue;
      if (kernel_.put_file(target_of(pod, volume) + "/" + name, name) == 0) written_[source].insert(name);
    }
  }
}

}  // namespace mooring::sim
