// Users of claims, and what containers do with their volumes.

#include <algorithm>

#include "claim_simulation.h"

namespace mooring::sim {
namespace {

constexpr std::uint64_t steps = 260;
/// One life in so many begins with a hundred claims and sixty volumes that are there at once.
constexpr std::uint64_t crowded_one_in = 20;

constexpr const char* classes = R"(
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
provisioner: directory.mooring.io
allowVolumeExpansion: true
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: kept}
provisioner: directory.mooring.io
reclaimPolicy: Retain
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: image}
provisioner: block.mooring.io
volumeBindingMode: WaitForFirstConsumer
allowVolumeExpansion: true
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: manual}
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
)";

/// "-": the claim names no class, and gets the one that is built in.
constexpr const char* class_names[] = {"fast", "kept", "image", "manual", "-"};

std::string static_text(std::uint64_t number) {
  constexpr const char* policies[] = {"Retain", "Recycle", "Delete"};
  const std::string name = "static" + std::to_string(number);
  return "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: " + name +
         "}\nspec:\n  capacity: {storage: " + std::to_string(1 + number) +
         "Gi}\n  accessModes: [ReadWriteOnce]\n"
         "  storageClassName: manual\n  persistentVolumeReclaimPolicy: " +
         policies[number % 3] + "\n  hostPath: {path: /srv/" + name + "}\n";
}

std::string volume_of(const std::string& claim, std::size_t number) {
  const std::string name = "v" + std::to_string(number);
  if (!claim.empty()) return "  - {name: " + name + ", persistentVolumeClaim: {claimName: " + claim + "}}\n";
  return "  - {name: " + name +
         ", ephemeral: {volumeClaimTemplate: {spec: {storageClassName: fast, accessModes: [ReadWriteOnce], "
         "resources: {requests: {storage: 1Gi}}}}}}\n";
}

}  // namespace

ClaimSimulation::ClaimSimulation(std::uint64_t seed) : World(seed, steps) {
  const bool is_crowded = random_.chance(crowded_one_in);
  if (is_crowded) {
    claims_max_ = 100;
    pods_max_ = 12;
    statics_max_ = 60;
  }
  for (std::uint64_t number = 0; number < statics_max_; ++number) {
    kernel_.put_directory("/srv/static" + std::to_string(number));
    statics_.insert("static" + std::to_string(number) + ".yaml");
  }
  for (std::uint64_t number = 0; is_crowded && number < claims_max_; ++number)
    claims_["c" + std::to_string(number) + ".yaml"] = draw_claim();
  if (random_.chance(2)) shell_.faults.errno_one_in = 20 + random_.below(150);
  if (random_.chance(2)) shell_.faults.crash_one_in = 40 + random_.below(300);
  if (random_.chance(3)) shell_.faults.hang_one_in = 100 + random_.below(300);
  if (random_.chance(3)) shell_.faults.record_one_in = 8;
  if (random_.chance(2)) shell_.ledger().failure_one_in = 2 + random_.below(8);
}

void ClaimSimulation::step() {
  advance(std::chrono::microseconds(random_.below(2000)));
  switch (random_.below(16)) {
    case 0:
    case 1:
    case 2:
      return user_acts();
    case 3:
      return put_files();
    case 4:
      return advance(std::chrono::milliseconds(random_.below(20'000)));
    case 5:
      shell_.tell_mounts(now());
      shell_.tell_devices(now());
      return tell_watches();
    case 6:
      if (random_.chance(3)) return random_.chance(4) ? reboot() : restart();
      if (!is_listing_known_) read_manifests(false);
      return;
    case 7:
      shell_.end_stuck(now());
      return;
    default:
      shell_.work(now());
      return;
  }
}

std::vector<std::string> ClaimSimulation::files() const {
  std::vector<std::string> all{"classes.yaml"};
  for (const auto& [file, claim] : claims_)
    all.push_back(file);
  for (const auto& [file, pod] : pods_)
    all.push_back(file);
  all.insert(all.end(), statics_.begin(), statics_.end());
  std::sort(all.begin(), all.end());
  return all;
}

/// What the file holds; empty: it is not there.
std::string ClaimSimulation::text_of(const std::string& file) const {
  const std::string name = file.substr(0, file.find('.'));
  if (file == "classes.yaml") return classes;
  if (statics_.contains(file)) return static_text(std::stoull(name.substr(6)));
  if (const auto claim = claims_.find(file); claim != claims_.end()) {
    const std::string storage_class =
        claim->second.storage_class == "-" ? "" : "  storageClassName: " + claim->second.storage_class + "\n";
    return "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: " + name + "}\nspec:\n" +
           storage_class + "  accessModes: [" +
           (claim->second.is_of_one_pod ? "ReadWriteOncePod" : "ReadWriteOnce") +
           "]\n  resources: {requests: {storage: " + std::to_string(claim->second.gibibytes) + "Gi}}\n";
  }
  const auto pod = pods_.find(file);
  if (pod == pods_.end()) return {};
  std::string mounts;
  std::string volumes;
  for (std::size_t i = 0; i < pod->second.claims.size(); ++i) {
    mounts += "{name: v" + std::to_string(i) + ", mountPath: /v" + std::to_string(i) + "},";
    volumes += volume_of(pod->second.claims[i], i);
  }
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
         "}\nspec:\n  containers: [{name: main, volumeMounts: [" + mounts + "]}]\n  volumes:\n" + volumes;
}

void ClaimSimulation::user_acts() {
  switch (random_.below(10)) {
    case 0:
    case 1:
    case 2:
      return write_claim();
    case 3:
    case 4:
    case 5:
      return write_pod();
    case 6:
      if (!claims_.empty())
        remove(std::next(claims_.begin(), static_cast<long>(random_.below(claims_.size())))->first);
      return;
    case 7:
      if (!pods_.empty())
        remove(std::next(pods_.begin(), static_cast<long>(random_.below(pods_.size())))->first);
      return;
    case 8:
      return change_static();
    default:
      note("user: retry");
      return shell_.feed(RetryRequested{}, now());
  }
}

ClaimSimulation::Claim ClaimSimulation::draw_claim() {
  const std::string storage_class = class_names[random_.below(std::size(class_names))];
  const std::uint64_t gibibytes = 1 + random_.below(3);
  return {storage_class, gibibytes, random_.chance(4)};
}

/// A new claim, or more for one that is there.
void ClaimSimulation::write_claim() {
  const std::string name = "c" + std::to_string(random_.below(claims_max_));
  const std::string file = name + ".yaml";
  const auto known = claims_.find(file);
  if (known != claims_.end()) {
    known->second.gibibytes += random_.below(3);
  } else {
    claims_[file] = draw_claim();
  }
  note("user: writes " + file + "\n" + text_of(file));
  tell(file);
}

void ClaimSimulation::write_pod() {
  const std::string file = "p" + std::to_string(random_.below(pods_max_)) + ".yaml";
  if (pods_.contains(file)) return;
  Pod pod;
  for (std::uint64_t left = 1 + random_.below(2); left != 0; --left)
    pod.claims.push_back(random_.chance(4) ? "" : "c" + std::to_string(random_.below(claims_max_)));
  if (pod.claims.size() == 2 && pod.claims[0] == pod.claims[1]) pod.claims.pop_back();
  pods_[file] = std::move(pod);
  note("user: writes " + file + "\n" + text_of(file));
  tell(file);
}

void ClaimSimulation::remove(const std::string& file) {
  const std::string gone = file;
  note("user: removes " + gone);
  claims_.erase(gone);
  pods_.erase(gone);
  std::erase_if(kept_, [&](const auto& entry) { return entry.second == gone; });
  tell(gone);
}

void ClaimSimulation::change_static() {
  const std::string file = "static" + std::to_string(random_.below(statics_max_)) + ".yaml";
  if (statics_.erase(file) == 0) statics_.insert(file);
  reused_.insert(file.substr(0, file.find('.')));
  note("user: " + file + (statics_.contains(file) ? " is there again" : " is taken away"));
  tell(file);
}

/// Containers write into the volumes that they were given, each file named after the claim that it is of.
void ClaimSimulation::put_files() {
  if (!shell_.is_running() || shell_.are_mounts_stale()) return;
  for (const auto& [file, pod] : pods_) {
    const ObjectKey key{Namespace("default"), ObjectName(file.substr(0, file.find('.')))};
    const auto status = shell_.core().pod_status(derived_pod_uid(key.name_space, key.name));
    if (!status || !status->ready) continue;
    for (const VolumeStatus& volume : status->volumes) {
      const auto claim = shell_.core().claim_status({Namespace("default"), ObjectName(volume.claim)});
      if (!claim || claim->uid.empty()) continue;
      const std::string path = volume.path + "/owner-" + claim->uid;
      if (kernel_.put_file(path, claim->uid) != 0) continue;
      written_.insert(claim->uid);
      // What is in a directory of the node can be looked at whenever one likes.
      const std::string place = kernel_.root_dir() + "/volumes/" + claim->volume + "/owner-" + claim->uid;
      const std::string claim_file = volume.claim + ".yaml";
      if (kernel_.exists(place) && claims_.contains(claim_file)) kept_[place] = claim_file;
    }
  }
}

}  // namespace mooring::sim
