#include <algorithm>
#include <utility>

#include "core/driver_work.h"
#include "core/engine.h"

namespace mooring {
namespace {

const char* verb_of(Doing doing) {
  switch (doing) {
    case Doing::MakeVolume:
      return "provision";
    case Doing::RemoveVolume:
      return "delete";
    case Doing::RecycleVolume:
      return "recycle";
    default:
      return "grow";
  }
}

/// Kubernetes' reasons of the events that tell of a failure.
const char* failure_of(Doing doing) {
  switch (doing) {
    case Doing::MakeVolume:
      return "ProvisioningFailed";
    case Doing::RemoveVolume:
      return "VolumeFailedDelete";
    case Doing::RecycleVolume:
      return "VolumeFailedRecycle";
    default:
      return "VolumeResizeFailed";
  }
}

VolumeWorkEnd::Kind end_of(Doing doing) {
  switch (doing) {
    case Doing::MakeVolume:
      return VolumeWorkEnd::Kind::Made;
    case Doing::RemoveVolume:
      return VolumeWorkEnd::Kind::Removed;
    case Doing::RecycleVolume:
      return VolumeWorkEnd::Kind::Emptied;
    default:
      return VolumeWorkEnd::Kind::Grown;
  }
}

}  // namespace

/// What the ledger asks for on the node; None: nothing.
Doing wanted_work(const LedgerVolume& row) {
  // Of what is being made or grown. What a driver refuses it may do when somebody has set it up otherwise: it
  // is asked again, at long intervals.
  const bool is_impossible = !row.message.empty();
  switch (row.state) {
    case LedgerVolume::State::Provisioning:
      return is_impossible && !is_of_driver(row) ? Doing::None : Doing::MakeVolume;
    case LedgerVolume::State::Deleting:
      return Doing::RemoveVolume;
    case LedgerVolume::State::Recycling:
      return Doing::RecycleVolume;
    case LedgerVolume::State::Bound:
      if (row.provisioner.empty() || !(row.made_capacity < row.volume->capacity)) return Doing::None;
      return is_impossible && !is_of_driver(row) ? Doing::None : Doing::GrowVolume;
    default:
      return Doing::None;
  }
}

Result<ProvisionWork> Core::Engine::work_for(const LedgerVolume& row, Doing doing) const {
  if (doing == Doing::RecycleVolume) return recycle(*row.volume);
  const Provisioner* provisioner = provisioners_.find(row.provisioner);
  if (provisioner == nullptr && is_of_driver(row)) return why_not_by_driver(row, provisioners_);
  if (provisioner == nullptr) {
    return refusal(
        "NoProvisioner",
        "the volume was made by the provisioner " + row.provisioner + ", which there is none of now",
        "bring it back in the configuration (nfsProvisioners)");
  }
  const ProvisionedVolume volume{*row.volume, row.parameters};
  if (doing == Doing::MakeVolume) return provisioner->make(volume);
  if (doing == Doing::RemoveVolume) return provisioner->remove(volume);
  return provisioner->grow(volume);
}

/// The row of the volume is another now: what it asks for is begun, what it asks for no more is forgotten.
void Core::Engine::note_volume_work(const ObjectName& name) {
  const LedgerVolume* row = ledger_.find(name);
  const auto work = volume_work_.find(name);
  if (row != nullptr && wanted_work(*row) != Doing::None) {
    ClaimedVolumeWork& wanted = volume_work_[name];
    // That a driver has just refused it is no reason to ask again at once.
    const bool is_refused = is_of_driver(*row) && !row->message.empty();
    if (wanted.doing == Doing::None && wanted.failure && !is_refused) wanted.backoff.hurry();
    return;
  }
  // What is in flight ends first: a row that comes back meanwhile must not begin beside it.
  if (work != volume_work_.end() && work->second.doing == Doing::None) volume_work_.erase(work);
}

void Core::Engine::start_volume_work(Instant now) {
  std::vector<ObjectName> due;
  for (const auto& [name, work] : volume_work_) {
    const auto not_before = work.backoff.not_before();
    const bool is_due = !not_before || *not_before <= now.monotonic;
    if (work.doing == Doing::None && is_due && !volume_ends_.contains(name)) due.push_back(name);
  }
  if (due.empty()) return;
  std::map<DriverName, std::size_t> calls = driver_calls();
  const std::set<ObjectName> used = volumes_in_use();
  for (const ObjectName& name : due) {
    const LedgerVolume* row = ledger_.find(name);
    if (row == nullptr || wanted_work(*row) == Doing::None) continue;
    // A pod may have come to have it while it was being written down that it goes.
    const bool is_removal =
        wanted_work(*row) == Doing::RemoveVolume || wanted_work(*row) == Doing::RecycleVolume;
    if (is_removal && used.contains(name)) continue;
    ClaimedVolumeWork& work = volume_work_.at(name);
    work.driver = is_of_driver(*row) ? DriverName(row->provisioner) : DriverName();
    // So that a driver that hangs leaves workers to all others; what waits begins when one of these ends.
    if (!work.driver.empty() && calls[work.driver] >= options_.driver_calls_max) continue;
    start_volume_work(name, *row, work, now);
    if (!work.driver.empty() && work.doing != Doing::None) ++calls[work.driver];
  }
}

void Core::Engine::start_volume_work(const ObjectName& name, const LedgerVolume& row, ClaimedVolumeWork& work,
                                     Instant now) {
  const Doing doing = wanted_work(row);
  Result<ProvisionWork> wanted = work_for(row, doing);
  work.secret = wanted ? wanted.value().secret : std::nullopt;
  are_claims_to_be_told_ = true;
  if (!wanted) return fail_volume_work(name, work, doing, wanted.error(), now);
  if (const auto equipped = equip_for_driver(wanted.value(), drivers_.csi, store_); !equipped)
    return fail_volume_work(name, work, doing, equipped.error(), now);
  if (work.failure && (waits_for_driver(*work.failure) || work.failure->reason == "SecretMissing"))
    work.failure.reset();  // It waits for that no more.
  InFlight what;
  what.doing = doing;
  what.persistent = name;
  work.doing = doing;
  work.capacity = row.volume->capacity;
  Operation operation;
  operation.lane = wanted.value().lane;
  const bool is_removal = doing == Doing::RemoveVolume || doing == Doing::RecycleVolume;
  operation.deadline_ms = is_removal ? options_.trash_deadline_ms : options_.own_deadline_ms;
  operation.what = std::string(verb_of(doing)) + " pv/" + name.str();
  operation.steps = std::move(wanted.value().steps);
  if (operation.steps.empty()) {
    Outcome outcome;
    return volume_work_ended(what, outcome, now);
  }
  start(std::move(operation), std::move(what));
}

void Core::Engine::volume_work_ended(const InFlight& what, Outcome& outcome, Instant now) {
  are_claims_to_be_told_ = true;
  const auto found = volume_work_.find(what.persistent);
  if (found == volume_work_.end()) return;
  ClaimedVolumeWork& work = found->second;
  const Doing did = std::exchange(work.doing, Doing::None);
  work.stuck_pid = 0;
  const LedgerVolume* row = ledger_.find(what.persistent);
  if (row == nullptr || wanted_work(*row) != did) {  // Something else is asked for meanwhile.
    note_volume_work(what.persistent);
    return;
  }
  for (const std::string& warning : outcome.warnings)
    log(now, true, "VolumeWarning", "persistentvolume/" + what.persistent.str(), warning);
  if (outcome.error) {
    fail_volume_work(what.persistent, work, did, *outcome.error, now);
    const bool is_final = outcome.error->kind == ErrorKind::Final && row->message.empty();
    if (is_final && (did == Doing::MakeVolume || did == Doing::GrowVolume)) {
      volume_ends_[what.persistent] = {VolumeWorkEnd::Kind::Impossible, {}, outcome.error->text()};
      are_claims_touched_ = true;
    }
    return;
  }
  work.backoff.reset();
  work.failure.reset();
  volume_ends_[what.persistent] = {end_of(did), work.capacity, {}, std::move(outcome.csi_made)};
  are_claims_touched_ = true;
}

void Core::Engine::fail_volume_work(const ObjectName& name, ClaimedVolumeWork& work, Doing did,
                                    const Error& error, Instant now) {
  std::string message = error.step.empty() ? error.message : error.step + ": " + error.message;
  const bool is_new = !work.failure || work.failure->message != message;
  work.failure = std::make_unique<Failure>(Failure{error.reason, std::move(message), error.remedy});
  BackoffOptions options{options_.backoff_first, options_.backoff_longest};
  if (error.kind == ErrorKind::Final) options.first = options.longest;
  work.backoff.failed(now.monotonic, options, random_);
  if (!is_new) return;
  // A driver that was not there yet is no failure: it is told of as what is waited for.
  const bool is_waiting = waits_for_driver(*work.failure);
  const std::string reason = is_waiting ? error.reason : failure_of(did);
  log(now, !is_waiting, reason, "persistentvolume/" + name.str(), error.text());
  const LedgerVolume* row = ledger_.find(name);
  // Of what can never be made larger the claim is told when that is written down.
  const bool is_claims =
      did == Doing::MakeVolume || (did == Doing::GrowVolume && error.kind != ErrorKind::Final);
  if (is_claims && row != nullptr && row->volume->claim) {
    log(now, !is_waiting, reason, "persistentvolumeclaim/" + row->volume->claim->key.text(), error.text());
    content_changed({{ObjectReference::Kind::Claim, row->volume->claim->key}});
  }
}

}  // namespace mooring
