// Users of claims whose volumes are made by drivers, and what becomes of the drivers meanwhile.

#include <algorithm>

#include "controller_simulation.h"
#include "driver_volumes.h"

namespace mooring::sim {
namespace {

constexpr std::uint64_t steps = 500;

std::string class_text(const std::string& name, const std::string& driver, bool is_kept, bool waits) {
  const std::string prefix = "  csi.storage.k8s.io/";
  std::string secrets;
  for (const char* call : {"provisioner", "controller-publish", "controller-expand", "node-stage"})
    secrets += prefix + call + "-secret-name: token\n" + prefix + call + "-secret-namespace: default\n";
  return "---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: " + name +
         "}\nprovisioner: " + driver +
         "\nallowVolumeExpansion: true\nreclaimPolicy: " + (is_kept ? "Retain" : "Delete") +
         "\nvolumeBindingMode: " + (waits ? "WaitForFirstConsumer" : "Immediate") + "\nparameters:\n" +
         prefix + "fstype: ext4\n" + secrets;
}

std::string name_of(const std::string& file) {
  return file.substr(0, file.find('.'));
}

}  // namespace

ControllerSimulation::ControllerSimulation(std::uint64_t seed) : World(seed, steps) {
  const auto tell = [this](const std::string& line) { note(line); };
  for (std::size_t i = 0; i < 2; ++i) {
    const bool attaches = i == 0 || random_.chance(2);
    Driver& driver = drivers_.emplace_back();
    driver.controller = std::make_unique<CsiControllerTruth>(csi_name(i), attaches, random_, tell);
    driver.node = std::make_unique<CsiDriverTruth>(csi_name(i), random_.chance(2), kernel_, random_, tell);
    driver.node->set_controller(*driver.controller);
    driver.controller->why_kept = [this](const auto& handle, const auto& volume) {
      return why_kept(handle, volume);
    };
    watch_snapshots(*driver.controller);
    driver.node->mood = random_mood(random_);
  }
  kernel_.drivers().set_on_call([this](const kernel::DriverCall& call) { return answer(call); });
  if (random_.chance(3)) shell_.faults.errno_one_in = 20 + random_.below(150);
  if (random_.chance(3)) shell_.faults.crash_one_in = 40 + random_.below(300);
  if (random_.chance(4)) shell_.faults.hang_one_in = 100 + random_.below(300);
  if (random_.chance(4)) shell_.faults.record_one_in = 8;
  if (random_.chance(2)) shell_.ledger().failure_one_in = 2 + random_.below(8);
}

PodUid ControllerSimulation::uid_of(const std::string& file) const {
  return derived_pod_uid(Namespace("default"), ObjectName(name_of(file)));
}

void ControllerSimulation::step() {
  advance(std::chrono::microseconds(random_.below(2000)));
  kernel_.drivers().calls.clear();
  switch (random_.below(18)) {
    case 0:
    case 1:
    case 2:
      return user_acts();
    case 3:
      return node_acts();
    case 4:
      return advance(std::chrono::milliseconds(random_.below(20'000)));
    case 5:
      shell_.tell_mounts(now());
      return;
    case 6:
      tell_drivers();
      return;
    case 7:
      for (const Driver& driver : drivers_) {
        if (random_.chance(2)) driver.node->finish();
      }
      return;
    default:
      shell_.work(now());
      return;
  }
}

std::vector<std::string> ControllerSimulation::files() const {
  std::vector<std::string> all{"objects.yaml"};
  for (const auto& [file, claim] : claims_)
    all.push_back(file);
  for (const auto& [file, pod] : pods_)
    all.push_back(file);
  for (const auto& [file, snapshot] : snapshots_)
    all.push_back(file);
  for (const auto& [file, content] : contents_)
    all.push_back(file);
  std::sort(all.begin(), all.end());
  return all;
}

std::string ControllerSimulation::text_of(const std::string& file) const {
  if (file == "objects.yaml") {
    std::string text =
        std::string("apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {token: ") +
        driver_secret + "}\n";
    for (std::size_t i = 0; i < drivers_.size(); ++i) {
      const std::string& driver = drivers_[i].node->name();
      const std::string number = std::to_string(i);
      text += "---\napiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: " + driver +
              "}\nspec: {attachRequired: " + (drivers_[i].controller->attaches() ? "true" : "false") + "}\n";
      text += class_text("fast" + number, driver, false, false) +
              class_text("kept" + number, driver, true, false) +
              class_text("late" + number, driver, false, true) + snapshot_class_texts(i);
    }
    return text;
  }
  if (const auto snapshot = snapshots_.find(file); snapshot != snapshots_.end())
    return text_of(name_of(file), snapshot->second);
  if (const auto content = contents_.find(file); content != contents_.end())
    return text_of(name_of(file), content->second);
  if (const auto claim = claims_.find(file); claim != claims_.end()) {
    const std::string source =
        claim->second.copied.empty()
            ? "  dataSource: {apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: " +
                  claim->second.snapshot + "}\n"
            : "  dataSource: {kind: PersistentVolumeClaim, name: " + claim->second.copied + "}\n";
    return "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: " + name_of(file) +
           "}\nspec:\n  storageClassName: " + claim->second.storage_class +
           "\n  accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: " +
           std::to_string(claim->second.mebibytes) + "Mi}}\n" + (claim->second.is_copy() ? source : "");
  }
  const auto pod = pods_.find(file);
  if (pod == pods_.end()) return {};
  std::string mounts;
  std::string volumes;
  for (const std::string& claim : pod->second.claims) {
    mounts += "{name: my-" + claim + ", mountPath: /" + claim + "},";
    volumes += "  - {name: my-" + claim + ", persistentVolumeClaim: {claimName: " + claim + "}}\n";
  }
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name_of(file) +
         "}\nspec:\n  containers: [{name: main, volumeMounts: [" + mounts + "]}]\n  volumes:\n" + volumes;
}

void ControllerSimulation::user_acts() {
  const auto any_of = [&](const auto& files) {
    return std::next(files.begin(), static_cast<long>(random_.below(files.size())))->first;
  };
  switch (random_.below(15)) {
    case 0:
    case 1:
    case 2:
      return write_claim();
    case 3:
    case 4:
    case 5:
      return write_pod();
    case 6:
      if (!claims_.empty()) remove(any_of(claims_));
      return;
    case 7:
      if (!pods_.empty()) remove(any_of(pods_));
      return;
    case 8:
      return restart();
    case 9:
      note("user: retry");
      return shell_.feed(RetryRequested{}, now());
    default:
      return snapshot_acts();
  }
}

/// A new claim, or more for one that is there.
void ControllerSimulation::write_claim() {
  constexpr const char* kinds[] = {"fast", "kept", "late"};
  const std::string file = "c" + std::to_string(random_.below(claims_max)) + ".yaml";
  const auto known = claims_.find(file);
  if (known != claims_.end()) {
    known->second.mebibytes += 32;
  } else {
    Claim& claim = claims_[file];
    claim.storage_class =
        kinds[random_.below(std::size(kinds))] + std::to_string(random_.below(drivers_.size()));
    if (random_.chance(3)) claim.snapshot = "s" + std::to_string(random_.below(snapshots_max));
  }
  note("user: writes " + file + "\n" + text_of(file));
  tell(file);
}

void ControllerSimulation::write_pod() {
  const std::string file = "p" + std::to_string(random_.below(pods_max)) + ".yaml";
  if (pods_.contains(file)) return;
  std::set<std::string> claims;
  for (std::uint64_t left = 1 + random_.below(2); left != 0; --left)
    claims.insert("c" + std::to_string(random_.below(claims_max)));
  pods_[file].claims.assign(claims.begin(), claims.end());
  note("user: writes " + file + "\n" + text_of(file));
  tell(file);
}

void ControllerSimulation::remove(const std::string& file) {
  const std::string gone = file;
  note("user: removes " + gone);
  claims_.erase(gone);
  pods_.erase(gone);
  snapshots_.erase(gone);
  contents_.erase(gone);
  tell(gone);
}

void ControllerSimulation::node_acts() {
  switch (random_.below(8)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return change(*drivers_[random_.below(drivers_.size())].node);
    case 4:
      if (random_.chance(2)) return reboot();
      return;
    case 5:
      if (!is_listing_known_) read_manifests(false);
      return;
    default:
      shell_.end_stuck(now());
      return;
  }
}

void ControllerSimulation::change(CsiDriverTruth& driver) {
  const auto tell = [&](const char* what) { note("driver " + driver.name() + " " + what); };
  switch (random_.below(8)) {
    case 0:
      tell("stops");
      return driver.stop();
    case 1:
    case 2:
      if (driver.is_up && driver.is_registered) return;
      if (!driver.is_up) driver.start();
      driver.is_registered = true;
      return tell("is there");
    case 3:
      tell("crashes and starts again");
      driver.stop();
      return driver.start();
    case 4:
      tell("goes from the registry");
      driver.is_registered = false;
      return;
    case 5:
      tell(driver.is_hung() ? "goes on" : "hangs");
      return driver.hang(!driver.is_hung() && driver.is_up);
    case 6:
      tell("is in another mood");
      driver.mood = random_mood(random_);
      return;
    default:
      driver.mood = {};
      return tell("is kind");
  }
}

void ControllerSimulation::daemon_started() {
  told_sockets_.reset();
  if (random_.chance(2)) tell_drivers();
}

void ControllerSimulation::node_rebooted() {
  for (const Driver& driver : drivers_) {
    driver.node->node_rebooted();
    driver.node->is_up = !random_.chance(3);
  }
}

bool ControllerSimulation::go_on() {
  kernel_.drivers().calls.clear();
  if (tell_drivers()) return true;
  return World::go_on();
}

bool ControllerSimulation::tell_drivers() {
  if (!shell_.is_running()) return false;
  std::vector<RegistrySocket> sockets;
  for (const Driver& driver : drivers_) {
    if (driver.node->is_registered)
      sockets.push_back({driver.node->registry_socket(), driver.node->identity()});
  }
  if (told_sockets_ == sockets) return false;
  told_sockets_ = sockets;
  shell_.feed(RegistrySockets{sockets}, now());
  return true;
}

Result<kernel::DriverAnswer> ControllerSimulation::answer(const kernel::DriverCall& call) {
  for (const Driver& driver : drivers_) {
    if (!driver.node->is_up) continue;
    const bool is_its_registry = driver.node->is_registered && call.socket == driver.node->registry_socket();
    if (is_its_registry || call.socket == driver.node->socket()) return driver.node->call(call);
  }
  return kernel::DriverAnswer{CallCode::Unavailable, "nobody listens on " + call.socket, ""};
}

}  // namespace mooring::sim
