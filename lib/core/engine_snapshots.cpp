#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "core/engine.h"

// Snapshots of volumes of CSI drivers: planned with the claims, written down, cut and deleted (decision
// 0032).

namespace mooring {
namespace {

const char* policy_text(bool is_retained) {
  return is_retained ? "Retain" : "Delete";
}

/// Of what is to be cut, as the plan says it; that may be long before manifests tell whose it is.
void describe_making(VolumeSnapshotStatus& status, const LedgerSnapshot& row) {
  if (!row.message.empty()) {
    status.reason = "SnapshotCreationFailed";
    status.message = row.message;
    status.action = "correct the snapshot's class";
    return;
  }
  status.reason = row.handle.empty() ? "CreatingSnapshot" : "SnapshotNotReady";
  status.message = row.handle.empty() ? "driver " + row.driver.str() + " is to cut it"
                                      : "it is cut, and its driver still works on it";
}

/// What the row says of it.
void describe_row(VolumeSnapshotStatus& status, const LedgerSnapshot& row) {
  using State = LedgerSnapshot::State;
  status.name_space = row.snapshot.name_space;
  status.name = row.snapshot.name;
  status.uid = row.uid;
  status.phase = row.state == State::Making ? "Pending" : to_string(row.state);
  status.volume = row.volume.str();
  status.content = content_name(row).str();
  status.snapshot_class = row.snapshot_class;
  status.driver = row.driver.str();
  status.handle = row.handle;
  if (Quantity() < row.restore_size) status.restore_size = row.restore_size.text();
  status.creation_time = row.creation_time;
  status.deletion_policy = policy_text(row.is_retained);
  if (row.state == State::Making) describe_making(status, row);
  if (row.state == State::Deleting) {
    status.reason = "Deleting";
    status.message = "it waits for its turn";
  }
  if (row.state == State::Released) {
    status.reason = "Released";
    status.message = "its manifest is gone; the driver keeps it, as its class says";
    status.action =
        "to use it, put a VolumeSnapshotContent with its snapshotHandle there; to have it forgotten here, "
        "`mooringctl release volumesnapshot/NAME --forget`";
  }
}

void describe_content(VolumeSnapshotStatus& status, const manifest::VolumeSnapshotContent& content) {
  status.content = content.name.str();
  status.snapshot_class = content.snapshot_class;
  status.driver = content.driver;
  status.handle = content.snapshot_handle;
  if (content.restore_size) status.restore_size = content.restore_size->text();
  status.deletion_policy = policy_text(content.deletion_policy == manifest::SnapshotDeletionPolicy::Retain);
}

void describe_work(VolumeSnapshotStatus& status, const ClaimedVolumeWork& work, Instant now) {
  if (work.stuck_pid != 0) {
    status.reason = "WorkerStuck";
    status.message = stuck_text(work.stuck_pid);
    status.action = "see to the driver: it did not answer";
  } else if (work.failure) {
    status.attempts = work.backoff.attempts();
    status.reason = work.failure->reason;
    status.message = work.failure->message;
    status.action = work.failure->action;
    if (const auto when = work.backoff.not_before(); when && work.doing == Doing::None)
      status.next_retry = now.wall + std::max(*when - now.monotonic, Duration::zero());
  } else if (work.doing == Doing::RemoveSnapshot) {
    status.reason = "Deleting";
    status.message = "in progress";
  }
}

}  // namespace

/// Adds what is to become of snapshots to the plan of claims, which it follows: what that binds, makes and
/// lets go of is as good as done.
void Core::Engine::plan_snapshots(BindingPlan& plan, const BindingWorld& world, Instant now) {
  std::map<ObjectKey, BindingCondition> conditions;
  if (!ledger_.snapshots.empty() || !store_.snapshots().empty()) {
    Ledger next;
    if (!plan.changes.empty()) {
      next = ledger_;
      apply(next, plan.changes);
    }
    const Ledger& ledger = plan.changes.empty() ? ledger_ : next;
    SnapshotPlan cut = mooring::plan_snapshots(
        {store_, ledger, drivers_.csi, world.is_complete, snapshot_work_.ends()}, random_);
    snapshot_work_.keep_ends(cut.changes);
    plan.changes.snapshots = std::move(cut.changes);
    std::move(cut.events.begin(), cut.events.end(), std::back_inserter(plan.events));
    if (world.is_complete) conditions = std::move(cut.snapshots);
  }
  for (const auto& [key, condition] : conditions) {
    const auto before = told_snapshots_.conditions.find(key);
    if (before != told_snapshots_.conditions.end() && before->second == condition) continue;
    // What the plan tells of anyway is not told twice.
    const bool is_told =
        condition.reason == "CreatingSnapshot" || condition.reason == "SnapshotCreationFailed";
    if (!is_told)
      log(now, condition.is_warning, condition.reason, "volumesnapshot/" + key.text(), condition.message);
  }
  told_snapshots_.conditions = std::move(conditions);
}

void Core::Engine::start_snapshot_work(Instant now) {
  std::map<DriverName, std::size_t> calls = driver_calls();
  SnapshotWork::Events events;
  std::vector<SnapshotWork::Call> due =
      snapshot_work_.take_due({ledger_, store_, drivers_.csi, now, random_}, calls, events);
  are_claims_to_be_told_ = are_claims_to_be_told_ || !due.empty() || !events.empty();
  for (const BindingEvent& line : events)
    log(now, line.warning, line.reason, line.object, line.message);
  for (SnapshotWork::Call& call : due) {
    InFlight what;
    what.doing = call.doing;
    what.persistent = call.row;
    start(std::move(call.operation), std::move(what));
  }
}

void Core::Engine::snapshot_work_ended(const InFlight& what, Outcome& outcome, Instant now) {
  are_claims_to_be_told_ = true;
  SnapshotWork::Events events;
  const bool is_news = snapshot_work_.ended(what.persistent, what.doing, outcome,
                                            {ledger_, store_, drivers_.csi, now, random_}, events);
  if (is_news) are_claims_touched_ = true;
  for (const BindingEvent& line : events)
    log(now, line.warning, line.reason, line.object, line.message);
}

std::vector<VolumeSnapshotStatus> Core::Engine::snapshots() const {
  std::vector<VolumeSnapshotStatus> out;
  std::set<ObjectName> shown;
  const auto add_work = [&](VolumeSnapshotStatus& status, const ObjectName& name) {
    if (const ClaimedVolumeWork* work = snapshot_work_.find(name)) describe_work(status, *work, last_now_);
    shown.insert(name);
  };
  for (const ObjectKey& key : store_.snapshots()) {
    const auto manifest = store_.find_snapshot(key);
    VolumeSnapshotStatus& status = out.emplace_back();
    status.phase = "Pending";
    status.snapshot_class = manifest->snapshot_class.value_or(std::string());
    status.uid = manifest->uid;
    const LedgerSnapshot* row = row_of(ledger_.snapshots, *manifest);
    const bool is_its = row != nullptr && is_live(*row);
    if (is_its) describe_row(status, *row);
    if (const auto content = is_its ? nullptr : content_of(store_, *manifest))
      describe_content(status, *content);
    if (!is_its && usable_snapshot(ledger_, store_, *manifest)) status.phase = "Ready";
    status.name_space = key.name_space;
    status.name = key.name;
    status.claim = manifest->claim.str();
    status.origin = manifest->origin.text();
    if (const auto condition = told_snapshots_.conditions.find(key);
        condition != told_snapshots_.conditions.end()) {
      status.reason = condition->second.reason;
      status.message = condition->second.message;
      status.action = condition->second.action;
    }
    if (is_its) add_work(status, content_name(*row));
    if (status.phase == "Pending" && status.reason.empty()) {
      const bool is_complete = listing_is_complete_ && failing_directories_.empty();
      status.reason = is_complete ? "Waiting" : "WaitingForManifests";
      status.message =
          is_complete ? "it was not looked at yet" : "nothing is cut before all manifests were read whole";
    }
    if (status.phase == "Pending" && ledger_problem_) {  // Whatever was decided could not be written.
      status.reason = ledger_problem_->reason;
      status.message = ledger_problem_->message;
      status.action = ledger_problem_->action;
    }
  }
  for (const auto& [name, row] : ledger_.snapshots) {
    if (shown.contains(name)) continue;
    VolumeSnapshotStatus& status = out.emplace_back();
    describe_row(status, row);
    add_work(status, name);
  }
  std::sort(out.begin(), out.end(), [](const auto& one, const auto& other) {
    return std::tie(one.name_space, one.name, one.content) <
           std::tie(other.name_space, other.name, other.content);
  });
  return out;
}

}  // namespace mooring
