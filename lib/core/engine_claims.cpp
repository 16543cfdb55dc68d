#include <algorithm>
#include <utility>

#include "binding/words.h"
#include "core/engine.h"

namespace mooring {
namespace {

/// True if the work that ended is still to be written down.
bool is_awaited(const LedgerVolume& row, const VolumeWorkEnd& end) {
  using State = LedgerVolume::State;
  switch (end.kind) {
    case VolumeWorkEnd::Kind::Made:
      return row.state == State::Provisioning;
    case VolumeWorkEnd::Kind::Removed:
      return row.state == State::Deleting;
    case VolumeWorkEnd::Kind::Emptied:
      return row.state == State::Recycling;
    case VolumeWorkEnd::Kind::Grown:
      return row.state == State::Bound && row.made_capacity < end.capacity;
    case VolumeWorkEnd::Kind::Impossible:
      return row.message.empty() && (row.state == State::Provisioning || row.state == State::Bound);
  }
  return false;
}

}  // namespace

void Core::Engine::on(LedgerRead& event, Instant now) {
  // Whatever was being written is either in what was read or nowhere, and is planned again.
  writing_.reset();
  are_claims_touched_ = true;
  are_claims_to_be_told_ = true;
  if (!event.ledger) {
    const Error& error = event.ledger.error();
    if (!ledger_problem_ || ledger_problem_->message != error.message)
      log(now, true, error.reason, "node", error.text());
    ledger_problem_ = Failure{error.reason, error.message, error.remedy};
    is_ledger_read_ = false;  // What was read before stays in use; nothing new is decided.
    return;
  }
  ledger_problem_.reset();
  for (const std::string& line : broken_rules(event.ledger.value()))
    log(now, true, "LedgerInconsistent", "node", line);
  LedgerChanges changes;  // Whose pods are to be looked at again: all of both.
  for (const auto& [key, row] : ledger_.claims)
    changes.claims[key];
  for (const auto& [key, row] : event.ledger.value().claims)
    changes.claims[key];
  for (const auto& [name, row] : ledger_.volumes)
    changes.volumes[name];  // What is not there any more has no work either.
  for (const auto& [name, row] : ledger_.snapshots)
    changes.snapshots[name];
  ledger_ = std::move(event.ledger).value();
  is_ledger_read_ = true;
  was_ledger_read_ = true;
  for (const auto& [name, row] : ledger_.volumes)
    changes.volumes[name] = row;
  for (const auto& [name, row] : ledger_.snapshots)
    changes.snapshots[name] = row;
  ledger_changed(changes);
  dirty_.merge(content_waiting_);  // Those of claims that nobody has.
}

void Core::Engine::on(LedgerWritten& event, Instant now) {
  if (!writing_ || writing_->transaction.sequence != event.sequence) return;
  const Writing written = std::move(*writing_);
  writing_.reset();
  apply(ledger_, written.transaction.changes);
  if (written.is_asked) {
    for (const auto& [key, row] : written.transaction.changes.claims)
      asked_.deletions.erase(key);
    for (const auto& [name, row] : written.transaction.changes.volumes) {
      asked_.releases.erase(name);
      asked_.tries.erase(name);
    }
    for (const auto& [name, row] : written.transaction.changes.snapshots)
      asked_.snapshots.erase(name);
  }
  for (const BindingEvent& line : written.events)
    log(now, line.warning, line.reason, line.object, line.message);
  ledger_changed(written.transaction.changes);
}

/// Whoever depends on rows that are others now is looked at again.
void Core::Engine::ledger_changed(const LedgerChanges& changes) {
  are_claims_touched_ = true;
  are_claims_to_be_told_ = true;
  std::set<ObjectReference> objects;
  for (const auto& [key, row] : changes.claims)
    objects.insert({ObjectReference::Kind::Claim, key});
  for (const auto& [name, row] : changes.volumes) {
    if (row && row->volume->claim) objects.insert({ObjectReference::Kind::Claim, row->volume->claim->key});
    note_volume_work(name);
    const auto end = volume_ends_.find(name);
    const LedgerVolume* now_there = ledger_.find(name);
    if (end != volume_ends_.end() && (now_there == nullptr || !is_awaited(*now_there, end->second)))
      volume_ends_.erase(end);
  }
  for (const auto& [name, row] : changes.snapshots)
    snapshot_work_.follow(name, ledger_);
  content_changed(objects);
}

/// A pod's volume is gone: what waits for its users may go on.
void Core::Engine::let_go(const VolumeDirectory& directory) {
  const LedgerVolume* row = ledger_.find(ObjectName(directory.str()));
  if (row == nullptr) return;
  if (waits_for_users_) are_claims_touched_ = true;
  if (row->volume->claim) hurry_next_holder(row->volume->claim->key);
}

/// Whoever waits for a claim that one pod alone may have is looked at now.
void Core::Engine::hurry_next_holder(const ObjectKey& claim) {
  const LedgerClaim* row = ledger_.find(claim);
  if (row != nullptr && row->claim.access_modes.contains(manifest::AccessMode::ReadWriteOncePod))
    content_changed({{ObjectReference::Kind::Claim, claim}});
}

/// Decides what is bound, made and let go of, as far as that can be told now, and has it written. Nothing of
/// it counts before it is.
void Core::Engine::bind_claims(Instant now) {
  if (quiet_at_ && *quiet_at_ <= now.monotonic) {
    quiet_at_.reset();
    are_claims_touched_ = true;
  }
  if (!are_claims_touched_ || !is_ledger_read_ || writing_) return;
  if (LedgerChanges asked = asked_changes(); !asked.empty())
    return write_ledger(std::move(asked), {}, true);  // All is looked at again when that is written.
  asked_ = {};
  are_claims_touched_ = false;
  are_claims_to_be_told_ = true;
  const BindingWorld world = binding_world();
  BindingPlan plan = plan_bindings(ledger_, world, random_);
  plan_snapshots(plan, world, now);
  if (!world.is_complete) plan.claims.clear();  // That all wait for manifests is said by them.
  note_conditions(plan, now);
  if (!plan.changes.empty()) write_ledger(std::move(plan.changes), std::move(plan.events), false);
}

void Core::Engine::write_ledger(LedgerChanges changes, std::vector<BindingEvent> events, bool is_asked) {
  writing_ = Writing{{++last_transaction_, std::move(changes)}, std::move(events), is_asked};
  effects_.ledger = writing_->transaction;
}

/// Tells what is new of what there is to say, and has pods that wait for a claim say it too.
void Core::Engine::note_conditions(BindingPlan& plan, Instant now) {
  std::set<ObjectReference> concerned;
  for (const auto& [key, condition] : plan.claims) {
    const auto before = claim_conditions_.find(key);
    if (before != claim_conditions_.end() && before->second == condition) continue;
    log(now, condition.is_warning, condition.reason, event_object(key), condition.message);
    concerned.insert({ObjectReference::Kind::Claim, key});
  }
  for (const auto& [key, condition] : claim_conditions_) {
    if (!plan.claims.contains(key)) concerned.insert({ObjectReference::Kind::Claim, key});
  }
  for (const auto& [name, condition] : plan.volumes) {
    const auto before = volume_conditions_.find(name);
    if (before != volume_conditions_.end() && before->second == condition) continue;
    log(now, condition.is_warning, condition.reason, event_object(name), condition.message);
  }
  const auto is_leaving = [](const auto& entry) { return entry.second.is_being_deleted; };
  const auto is_in_motion = [](const auto& entry) {
    return entry.second.state != LedgerVolume::State::Bound &&
           entry.second.state != LedgerVolume::State::Failed;
  };
  waits_for_users_ = !plan.changes.empty() || !plan.claims.empty() ||
                     std::any_of(ledger_.claims.begin(), ledger_.claims.end(), is_leaving) ||
                     std::any_of(ledger_.volumes.begin(), ledger_.volumes.end(), is_in_motion);
  claim_conditions_ = std::move(plan.claims);
  volume_conditions_ = std::move(plan.volumes);
  content_changed(concerned);
}

/// Remembers which claims the pod has volumes of; nullptr: it is wholly gone.
void Core::Engine::note_claim_users(const PodUid& uid, const manifest::Pod* pod) {
  std::set<ObjectKey> claims;
  if (pod != nullptr) {
    for (const manifest::Volume* volume : used_volumes(*pod)) {
      if (auto claim = claim_of(*pod, *volume)) claims.insert(std::move(*claim));
    }
    // What it had under another manifest it may have still.
    if (actual_.find(uid) != nullptr) {
      const auto before = pod_claims_.find(uid);
      if (before != pod_claims_.end()) claims.insert(before->second.begin(), before->second.end());
    }
  }
  if (const auto before = pod_claims_.find(uid); before != pod_claims_.end()) {
    for (const ObjectKey& claim : before->second) {
      const auto pods = claim_pods_.find(claim);
      pods->second.erase(uid);
      if (pods->second.empty()) claim_pods_.erase(pods);
    }
    const std::set<ObjectKey> left = std::move(before->second);
    pod_claims_.erase(before);
    are_claims_touched_ = true;
    for (const ObjectKey& claim : left)
      hurry_next_holder(claim);
  }
  if (claims.empty()) return;
  are_claims_touched_ = true;
  for (const ObjectKey& claim : claims)
    claim_pods_[claim].insert(uid);
  pod_claims_.emplace(uid, std::move(claims));
}

/// True while nobody has decided yet what the claim has: it is not looked at, or that is being written.
bool Core::Engine::is_claim_open(const ObjectKey& claim) const {
  if (!is_ledger_read_ || (writing_ && writing_->transaction.changes.claims.contains(claim))) return true;
  const LedgerClaim* row = ledger_.find(claim);
  const bool is_decided =
      (row != nullptr && (row->is_bound || row->is_lost)) || claim_conditions_.contains(claim);
  if (is_decided) return false;
  if (store_.may_hold({ObjectReference::Kind::Claim, claim})) return true;
  return row != nullptr || store_.find_claim(claim) != nullptr;
}

/// True if what is there of a pod's volume belongs to another claim than the one that the pod names now.
bool Core::Engine::is_another_claims(const manifest::Pod& pod, const manifest::Volume& wanted,
                                     const ActualVolume& there) const {
  const std::optional<ObjectKey> claim = claim_of(pod, wanted);
  if (!there.claim.name.empty()) return claim != there.claim;
  const LedgerVolume* row =
      there.directory.empty() ? nullptr : ledger_.find(ObjectName(there.directory.str()));
  return claim && row != nullptr && manifest::plugin_name(row->volume->source) == there.plugin &&
         row->volume->claim && row->volume->claim->key != *claim;
}

/// True if what is there is of another claim than the pod names now. Who starts with it would write one's
/// data into the other's volume.
bool Core::Engine::holds_another_claim(const DesiredPod* desired, const ActualVolume& there) const {
  const manifest::Volume* used = desired == nullptr ? nullptr : desired->find_used(there.name);
  return used != nullptr && is_another_claims(*desired->pod, *used, there);
}

/// True while nobody can tell if what an earlier run left is of the claim that the pod names now.
bool Core::Engine::waits_for_ledger(const DesiredPod* desired, const VolumeName& name) const {
  const manifest::Volume* used = desired == nullptr ? nullptr : desired->find_used(name);
  return !was_ledger_read_ && !ledger_problem_ && used != nullptr &&
         claim_of(*desired->pod, *used).has_value();
}

/// Of a claim that one pod alone may have (ReadWriteOncePod): another pod that has it, also one whose
/// manifest was not read yet; nullptr: none.
const ActualPod* Core::Engine::other_holder(const PodUid& uid, const ObjectKey& claim) const {
  const LedgerClaim* row = ledger_.find(claim);
  const LedgerVolume* volume = row == nullptr ? nullptr : ledger_.find(row->volume);
  if (volume == nullptr || !row->claim.access_modes.contains(manifest::AccessMode::ReadWriteOncePod))
    return nullptr;
  for (const auto& [other, pod] : actual_.pods()) {
    const auto work = work_.find(other);
    if (other == uid || work == work_.end()) continue;
    if (has_volume_of(pod, &work->second, *volume->volume)) return &pod;
    const DesiredPod* desired = desired_of(other);
    if (desired == nullptr) continue;
    // A path of the node has no directory of its own.
    for (const ActualVolume& one : pod.volumes) {
      const VolumeWork* doing = work->second.find(one.name);
      const manifest::Volume* used = desired->find_used(one.name);
      const bool is_there =
          one.state != PublishState::Absent || (doing != nullptr && doing->doing != Doing::None);
      if (is_there && used != nullptr && claim_of(*desired->pod, *used) == claim) return &pod;
    }
  }
  return nullptr;
}

}  // namespace mooring
