#include <algorithm>
#include <utility>

#include "core/engine.h"
#include "manifest/words.h"

namespace mooring {
namespace {

using manifest::AccessMode;

std::vector<std::string> access_modes_of(const std::set<AccessMode>& modes) {
  std::vector<std::string> names;
  for (const AccessMode mode : modes)
    names.emplace_back(manifest::to_string(mode));
  return names;
}

std::string owner_text(const manifest::ClaimOwner& owner) {
  switch (owner.kind) {
    case manifest::ClaimOwner::Kind::StatefulSet:
      return "StatefulSet " + owner.key.text();
    case manifest::ClaimOwner::Kind::Pod:
      return "Pod " + owner.key.text();
    case manifest::ClaimOwner::Kind::None:
      break;
  }
  return {};
}

void describe_claim(ClaimStatus& status, const manifest::PersistentVolumeClaim& claim) {
  status.name_space = claim.key.name_space;
  status.name = claim.key.name;
  status.uid = claim.uid;
  status.phase = "Pending";
  status.request = claim.request.text();
  status.access_modes = access_modes_of(claim.access_modes);
  status.volume_mode = manifest::to_string(claim.volume_mode);
  status.storage_class = claim.storage_class;
  status.owner = owner_text(claim.owner);
}

std::string source_text(const manifest::VolumeSource& source) {
  if (const auto* nfs = std::get_if<manifest::NfsSource>(&source))
    return "nfs " + nfs->server + ":" + nfs->path;
  if (const auto* path = std::get_if<manifest::HostPathSource>(&source)) return "hostPath " + path->path;
  if (const auto* local = std::get_if<manifest::LocalSource>(&source)) return "local " + local->path;
  if (const auto* csi = std::get_if<manifest::CsiSource>(&source)) {
    std::string text = "csi " + csi->driver + " " + csi->volume_handle;
    for (const char* key : {"image", "device", "uuid", "label", "wwid"}) {
      const auto found = csi->attributes.find(key);
      if (found != csi->attributes.end())
        text.append(" (").append(key).append(" ").append(found->second).append(")");
    }
    return text;
  }
  if (const auto* flex = std::get_if<manifest::FlexVolumeSource>(&source))
    return "flexVolume " + flex->driver;
  if (const auto* other = std::get_if<manifest::OtherSource>(&source)) return other->kind;
  return {};
}

std::string phase_of(const LedgerVolume& row, bool is_gone, bool has_failed) {
  using State = LedgerVolume::State;
  switch (row.state) {
    case State::Provisioning:
      return "Provisioning";
    case State::Available:
      return "Available";
    case State::Bound:
      return is_gone ? "Terminating" : "Bound";
    case State::Failed:
      return "Failed";
    case State::Deleting:
      return has_failed ? "Failed" : "Released";
    case State::Recycling:
    case State::Released:
      break;
  }
  return "Released";
}

PersistentVolumeStatus describe_volume(const manifest::PersistentVolume& volume) {
  PersistentVolumeStatus status;
  status.name = volume.name;
  status.phase = volume.claim ? "Pending" : "Available";
  status.capacity = volume.capacity.text();
  status.access_modes = access_modes_of(volume.access_modes);
  status.volume_mode = manifest::to_string(volume.volume_mode);
  status.reclaim_policy = manifest::to_string(volume.reclaim_policy);
  status.storage_class = volume.storage_class;
  if (volume.claim) status.claim = volume.claim->key.text();
  status.plugin = manifest::plugin_name(volume.source).str();
  status.source = source_text(volume.source);
  status.mount_options = volume.mount_options;
  return status;
}

template <class Status>
void take_condition(Status& status, const BindingCondition& condition) {
  status.reason = condition.reason;
  status.message = condition.message;
  status.action = condition.action;
}

template <class Status>
void take_work(Status& status, const ClaimedVolumeWork& work, Instant now) {
  status.attempts = work.backoff.attempts();
  if (work.stuck_pid != 0) {
    status.reason = "WorkerStuck";
    status.message = stuck_text(work.stuck_pid);
    status.action = "bring the server or device back that the volume lies on";
  } else if (work.failure) {
    status.reason = work.failure->reason;
    status.message = work.failure->message;
    status.action = work.failure->action;
    if (const auto when = work.backoff.not_before(); when && work.doing == Doing::None)
      status.next_retry = now.wall + std::max(*when - now.monotonic, Duration::zero());
  } else if (work.doing != Doing::None && status.reason.empty()) {
    status.reason = work.doing == Doing::MakeVolume      ? "Provisioning"
                    : work.doing == Doing::RemoveVolume  ? "Deleting"
                    : work.doing == Doing::RecycleVolume ? "Recycling"
                                                         : "Resizing";
    status.message = "in progress";
  }
}

}  // namespace

void Core::Engine::fill_in(ClaimStatus& status, const LedgerClaim& row) const {
  describe_claim(status, row.claim);
  status.volume = row.volume.str();
  if (row.is_bound) {
    status.capacity = row.capacity.text();
    status.phase = "Bound";
  }
  if (row.is_lost) status.phase = "Lost";
  if (row.is_being_deleted) {
    status.phase = "Terminating";
    status.reason = "Terminating";
    status.message = "its manifest is gone; it goes when no pod has it any more";
  }
}

std::optional<ClaimStatus> Core::Engine::claim_status(const ObjectKey& key) const {
  const LedgerClaim* row = ledger_.find(key);
  const auto manifest = store_.find_claim(key);
  if (row == nullptr && manifest == nullptr) return std::nullopt;
  ClaimStatus status;
  if (row != nullptr) {
    fill_in(status, *row);
  } else {
    describe_claim(status, *manifest);
  }
  if (manifest != nullptr) status.origin = manifest->origin.text();
  if (const auto condition = claim_conditions_.find(key); condition != claim_conditions_.end())
    take_condition(status, condition->second);
  if (const auto work = row == nullptr ? volume_work_.end() : volume_work_.find(row->volume);
      work != volume_work_.end())
    take_work(status, work->second, last_now_);
  if (status.phase == "Pending" && ledger_problem_) {  // Whatever was decided could not be written.
    status.reason = ledger_problem_->reason;
    status.message = ledger_problem_->message;
    status.action = ledger_problem_->action;
  } else if (status.phase == "Pending" && status.reason.empty()) {
    const bool is_complete = listing_is_complete_ && failing_directories_.empty();
    status.reason = is_complete ? "Waiting" : "WaitingForManifests";
    status.message =
        is_complete ? "it was not looked at yet" : "nothing is bound before all manifests were read whole";
  }
  status.users = users_of_claim(key, row);
  return status;
}

/// The pods that name the claim; and of one that is to go, those that have its volume, whatever they name
/// now.
std::vector<std::string> Core::Engine::users_of_claim(const ObjectKey& key, const LedgerClaim* row) const {
  std::set<std::string> users;
  if (const auto pods = claim_pods_.find(key); pods != claim_pods_.end()) {
    for (const PodUid& uid : pods->second) {
      const ActualPod* actual = actual_.find(uid);
      const DesiredPod* desired = desired_.find(uid);
      if (desired != nullptr || actual != nullptr)
        users.insert((desired != nullptr ? desired->pod->key : actual->key).text());
    }
  }
  const LedgerVolume* volume = row != nullptr && row->is_being_deleted ? ledger_.find(row->volume) : nullptr;
  if (volume != nullptr) {
    for (const auto& [uid, pod] : actual_.pods()) {
      const auto work = work_.find(uid);
      if (has_volume_of(pod, work == work_.end() ? nullptr : &work->second, *volume->volume))
        users.insert(pod.key.text());
    }
  }
  return {users.begin(), users.end()};
}

std::vector<ClaimStatus> Core::Engine::claims() const {
  std::set<ObjectKey> keys;
  for (const ObjectKey& key : store_.claims())
    keys.insert(key);
  for (const auto& [key, row] : ledger_.claims)
    keys.insert(key);
  std::vector<ClaimStatus> out;
  for (const ObjectKey& key : keys) {
    if (auto status = claim_status(key)) out.push_back(std::move(*status));
  }
  return out;
}

std::vector<PersistentVolumeStatus> Core::Engine::persistent_volumes() const {
  std::map<ObjectName, PersistentVolumeStatus> all;
  for (const ObjectName& name : store_.persistent_volumes()) {
    const auto volume = store_.find_persistent_volume(name);
    PersistentVolumeStatus& status = all[volume->name] = describe_volume(*volume);
    status.origin = volume->origin.text();
    if (status.phase == "Pending") status.phase = "Available";  // Of a claimRef whose claim is not there yet.
  }
  const bool is_all_read = listing_is_complete_ && failing_directories_.empty();
  for (const auto& [name, row] : ledger_.volumes) {
    const auto known = all.find(name);
    PersistentVolumeStatus status = describe_volume(*row.volume);
    if (known != all.end()) status.origin = known->second.origin;
    const auto work = volume_work_.find(name);
    const bool has_failed =
        work != volume_work_.end() && work->second.failure && !waits_for_driver(*work->second.failure);
    const bool is_gone =
        known == all.end() && row.provisioner.empty() && is_all_read && !store_.may_hold_volume(name);
    status.phase = phase_of(row, is_gone, has_failed);
    status.provisioner = row.provisioner;
    status.message = row.message;
    if (row.state == LedgerVolume::State::Failed) status.reason = "Failed";
    if (work != volume_work_.end()) take_work(status, work->second, last_now_);
    all[name] = std::move(status);
  }
  std::vector<PersistentVolumeStatus> out;
  for (auto& [name, status] : all) {
    const auto condition = volume_conditions_.find(name);
    if (condition != volume_conditions_.end() && status.attempts == 0)
      take_condition(status, condition->second);
    out.push_back(std::move(status));
  }
  return out;
}

std::vector<StorageClassStatus> Core::Engine::storage_classes() const {
  std::map<ObjectName, std::shared_ptr<const manifest::StorageClass>> all;
  for (const ObjectName& name : store_.storage_classes())
    all.emplace(name, store_.find_storage_class(name));
  const manifest::StorageClass& built_in = built_in_class();
  all.emplace(built_in.name, std::make_shared<const manifest::StorageClass>(built_in));
  const auto default_class = std::find_if(all.begin(), all.end(), [&](const auto& entry) {
    return entry.second->is_default && entry.first != built_in.name;
  });
  const ObjectName default_name = default_class == all.end() ? built_in.name : default_class->first;
  std::vector<StorageClassStatus> out;
  for (const auto& [name, one] : all) {
    StorageClassStatus status;
    status.name = name;
    status.provisioner = one->provisioner;
    status.reclaim_policy = manifest::to_string(one->reclaim_policy);
    status.binding_mode = manifest::to_string(one->binding_mode);
    status.allow_volume_expansion = one->allow_volume_expansion;
    status.is_default = name == default_name;
    status.parameters = one->parameters;
    status.mount_options = one->mount_options;
    if (store_.find_storage_class(name) != nullptr) status.origin = one->origin.text();
    const bool is_known =
        one->provisioner == "kubernetes.io/no-provisioner" || provisioners_.find(one->provisioner) != nullptr;
    if (const std::string why = provisioners_.why_not(one->provisioner); !is_known && !why.empty()) {
      status.message = "it is of " + why;
    } else if (!is_known) {
      status.message = "there is no provisioner " + one->provisioner + " on this node; there are:";
      for (const std::string& known : provisioners_.names())
        status.message += " " + known;
    }
    out.push_back(std::move(status));
  }
  return out;
}

std::vector<ClaimCandidate> Core::Engine::explain_claim(const ObjectKey& key) const {
  std::vector<ClaimCandidate> out;
  for (CandidateVolume& one : candidates_for(key, ledger_, binding_world()))
    out.push_back({one.volume.str(), std::move(one.why_not)});
  return out;
}

/// Why a volume waits for its claim; false: it does not, or there is none.
bool Core::Engine::explain_unbound_claim(VolumeStatus& status, const manifest::Pod& pod,
                                         const VolumeName& name) const {
  const auto volume =
      std::find_if(pod.volumes.begin(), pod.volumes.end(), [&](const auto& one) { return one.name == name; });
  const auto claim = volume == pod.volumes.end() ? std::nullopt : claim_of(pod, *volume);
  const LedgerClaim* row = claim ? ledger_.find(*claim) : nullptr;
  if (!claim || (row != nullptr && (row->is_bound || row->is_lost || row->is_being_deleted))) return false;
  const std::optional<ClaimStatus> known = claim_status(*claim);
  if (ledger_problem_) {
    status.reason = ledger_problem_->reason;
    status.message = ledger_problem_->message;
    status.action = ledger_problem_->action;
    return true;
  }
  if (!known) return false;
  status.reason = known->reason.empty() ? "ClaimNotBound" : known->reason;
  status.message = "PVC " + claim->text() + " is " + known->phase +
                   (known->message.empty() ? std::string() : ": " + known->message);
  status.action = known->action;
  return true;
}

std::vector<std::string> Core::Engine::claim_problems() const {
  std::vector<std::string> lines;
  if (ledger_problem_)
    lines.push_back("claims: " + ledger_problem_->message +
                    "; no claim is bound or let go of until it can be read");
  for (const auto& [name, row] : ledger_.volumes) {
    const auto work = volume_work_.find(name);
    const bool is_stuck = work != volume_work_.end() && work->second.stuck_pid != 0;
    const bool has_failed = work != volume_work_.end() && work->second.failure;
    if (row.state == LedgerVolume::State::Failed) {
      lines.push_back("pv/" + name.str() + ": " + row.message);
    } else if (is_stuck || has_failed) {
      lines.push_back("pv/" + name.str() + ": " +
                      (is_stuck ? stuck_text(work->second.stuck_pid) : work->second.failure->message));
    }
  }
  for (const auto& [name, row] : ledger_.snapshots) {
    const ClaimedVolumeWork* work = snapshot_work_.find(name);
    if (work == nullptr || (work->stuck_pid == 0 && !work->failure)) continue;
    lines.push_back(event_object(row) + ": " +
                    (work->stuck_pid != 0 ? stuck_text(work->stuck_pid) : work->failure->message));
  }
  return lines;
}

/// Lets the shell know whose status is another now than it was told last.
void Core::Engine::tell_claims() {
  if (!std::exchange(are_claims_to_be_told_, false)) return;
  std::map<ObjectKey, ClaimStatus> claims_now;
  for (ClaimStatus& status : claims()) {
    const ObjectKey key{status.name_space, status.name};
    const auto told = told_claims_.find(key);
    if (told == told_claims_.end() || told->second != status) effects_.changed_claims.push_back(key);
    claims_now.emplace(key, std::move(status));
  }
  for (const auto& [key, status] : told_claims_) {
    if (!claims_now.contains(key)) effects_.changed_claims.push_back(key);
  }
  told_claims_ = std::move(claims_now);
  std::map<ObjectName, PersistentVolumeStatus> volumes_now;
  for (PersistentVolumeStatus& status : persistent_volumes()) {
    const auto told = told_volumes_.find(status.name);
    if (told == told_volumes_.end() || told->second != status)
      effects_.changed_volumes.push_back(status.name);
    const ObjectName name = status.name;
    volumes_now.emplace(name, std::move(status));
  }
  for (const auto& [name, status] : told_volumes_) {
    if (!volumes_now.contains(name)) effects_.changed_volumes.push_back(name);
  }
  told_volumes_ = std::move(volumes_now);
  std::vector<VolumeSnapshotStatus> snapshots_now = snapshots();
  effects_.snapshots_changed = effects_.snapshots_changed || snapshots_now != told_snapshots_.statuses;
  told_snapshots_.statuses = std::move(snapshots_now);
}

}  // namespace mooring
