// What must hold of claims after every step, and in the end.

#include <algorithm>

#include "claim_simulation.h"

namespace mooring::sim {
namespace {

constexpr int rounds = 6000;

}  // namespace

std::optional<std::string> ClaimSimulation::check() {
  if (!shell_.ledger().broken().empty()) return shell_.ledger().broken();
  for (const auto& broken : {check_kept(), check_ready(), check_single_users()}) {
    if (broken) return broken;
  }
  return std::nullopt;
}

/// What a pod wrote stays while its claim is asked for, whatever becomes of the pods.
std::optional<std::string> ClaimSimulation::check_kept() const {
  for (const auto& [path, file] : kept_) {
    if (!kernel_.exists(path)) return "data of the claim in " + file + " is lost: " + path;
  }
  return std::nullopt;
}

/// Who has a claim's volume finds what was written for it, and nothing of another claim's.
std::optional<std::string> ClaimSimulation::check_ready() {
  if (!shell_.is_running() || shell_.are_mounts_stale()) return std::nullopt;
  for (const PodUid& uid : shell_.core().pods()) {
    const auto status = shell_.core().pod_status(uid);
    if (!status) continue;
    for (const VolumeStatus& volume : status->volumes) {
      const std::string name = status->name.str() + "/" + volume.name.str();
      if (volume.phase != Phase::Ready && (volume.reason.empty() || volume.message.empty()))
        return "a volume does not say why it is not ready: " + name;
      if (!status->ready || status->deleting || volume.claim.empty()) continue;
      if (volume.reason == "SpecChangeIgnored") continue;
      const auto claim = shell_.core().claim_status({status->name_space, ObjectName(volume.claim)});
      if (!claim || claim->volume.empty()) return "a pod is ready, and its claim has no volume: " + name;
      for (const std::string& other : written_) {
        const bool is_there = kernel_.exists(volume.path + "/owner-" + other);
        if (other != claim->uid && is_there && !reused_.contains(claim->volume))
          return name + " shows what was written for another claim";
        if (other == claim->uid && !is_there) return name + " has lost what was written for its claim";
      }
    }
  }
  return std::nullopt;
}

/// A claim that is ReadWriteOncePod is in one pod's hands at most.
std::optional<std::string> ClaimSimulation::check_single_users() const {
  std::map<std::string, std::string> holders;
  for (const auto& [file, pod] : pods_) {
    const auto status = shell_.core().pod_status(
        derived_pod_uid(Namespace("default"), ObjectName(file.substr(0, file.find('.')))));
    if (!status || !status->ready) continue;
    for (const std::string& claim : pod.claims) {
      const auto row = shell_.core().claim_status({Namespace("default"), ObjectName(claim)});
      const bool is_single = row && row->access_modes == std::vector<std::string>{"ReadWriteOncePod"};
      if (!is_single || row->phase != "Bound") continue;
      const auto other = holders.emplace(claim, file).first;
      if (other->second != file) return claim + " is in the hands of " + other->second + " and " + file;
    }
  }
  return std::nullopt;
}

std::optional<std::string> ClaimSimulation::settle() {
  note("all faults stop");
  shell_.faults = {};
  shell_.ledger().failure_one_in = 0;
  while (shell_.end_stuck(now())) {
  }
  read_manifests(false);
  for (const auto& settle : {&ClaimSimulation::settle_with_all, &ClaimSimulation::settle_without}) {
    if (auto broken = (this->*settle)()) {
      note_status();
      return broken;
    }
  }
  return std::nullopt;
}

std::optional<std::string> ClaimSimulation::settle_with_all() {
  auto left = difference();
  for (int round = 0; round < rounds && left; ++round) {
    if (auto broken = check()) return broken;
    if (!go_on()) break;
    left = difference();
  }
  return left ? std::optional(*left + " in the end") : std::nullopt;
}

/// What is not yet as the manifests say; nullopt: all is.
std::optional<std::string> ClaimSimulation::difference() {
  if (shell_.are_mounts_stale()) return "the core does not know the mount table";
  for (const auto& [file, claim] : claims_) {
    const auto status =
        shell_.core().claim_status({Namespace("default"), ObjectName(file.substr(0, file.find('.')))});
    if (!status) return file + " is not known";
    if (status->phase != "Bound" && status->reason.empty()) return file + " does not say why it is not bound";
    const bool is_served = claim.storage_class != "manual" && claim.storage_class != "image";
    if (is_served && status->phase != "Bound" && status->phase != "Lost")
      return file + " is not bound: " + status->reason + ": " + status->message;
  }
  for (const auto& [file, pod] : pods_) {
    const auto status = shell_.core().pod_status(
        derived_pod_uid(Namespace("default"), ObjectName(file.substr(0, file.find('.')))));
    if (!status) return file + " is not known";
    bool may_be_ready = true;
    for (const std::string& name : pod.claims) {
      if (name.empty()) continue;
      const auto claim = claims_.find(name + ".yaml");
      const auto row = shell_.core().claim_status({Namespace("default"), ObjectName(name)});
      if (claim == claims_.end() || claim->second.storage_class == "manual" || !row || row->phase == "Lost" ||
          row->access_modes == std::vector<std::string>{"ReadWriteOncePod"})
        may_be_ready = false;
    }
    for (const VolumeStatus& volume : status->volumes) {
      if (volume.reason == "SpecChangeIgnored") may_be_ready = false;  // It was written anew behind its back.
    }
    if (may_be_ready && !status->ready) return file + " is not ready";
  }
  return std::nullopt;
}

std::optional<std::string> ClaimSimulation::settle_without() {
  while (!pods_.empty())
    remove(pods_.begin()->first);
  while (!claims_.empty())
    remove(claims_.begin()->first);
  for (int round = 0; round < rounds; ++round) {
    if (auto broken = check()) return broken;
    if (!go_on()) break;
  }
  if (shell_.core().next_wake()) return "the core does not come to rest";
  return leftover();
}

/// What is left when nobody asks for anything; nullopt: only what is to be retained.
std::optional<std::string> ClaimSimulation::leftover() const {
  const Ledger& ledger = shell_.ledger().ledger();
  if (!ledger.claims.empty()) return "a claim is left: " + ledger.claims.begin()->first.text();
  std::set<std::string> retained;
  for (const auto& [name, row] : ledger.volumes) {
    using State = LedgerVolume::State;
    const bool is_static = row.provisioner.empty();
    const bool is_retained = row.volume->reclaim_policy == manifest::ReclaimPolicy::Retain;
    if (row.state != State::Released && row.state != State::Failed) return "a volume is left: " + name.str();
    if (!is_static && !is_retained) return "a volume was not deleted: " + name.str();
    retained.insert(name.str());
  }
  const std::string place = kernel_.root_dir() + "/volumes/";
  for (const std::string& line : kernel_.tree_listing(kernel_.root_dir() + "/volumes")) {
    const std::string below = line.substr(place.size(), line.find(' ') - place.size());
    const std::string name = below.substr(0, below.find('/'));
    const std::string volume = name.ends_with(".img") ? name.substr(0, name.size() - 4) : name;
    if (!name.starts_with('.') && !retained.contains(volume)) return "something is left: " + line;
  }
  return std::nullopt;
}

void ClaimSimulation::note_status() {
  for (const ClaimStatus& claim : shell_.core().claims())
    note("claim " + claim.name.str() + " " + claim.phase + " " + claim.volume + " " + claim.reason + " " +
         claim.message);
  for (const PersistentVolumeStatus& volume : shell_.core().persistent_volumes())
    note("volume " + volume.name.str() + " " + volume.phase + " " + volume.claim + " " + volume.reason + " " +
         volume.message);
  World::note_status();
}

}  // namespace mooring::sim
