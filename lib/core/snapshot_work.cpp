#include "core/snapshot_work.h"

#include <utility>

#include "core/driver_work.h"

namespace mooring {
namespace {

using State = LedgerSnapshot::State;
using Kind = SnapshotWorkEnd::Kind;

/// What the row asks for.
Doing wanted_of(const LedgerSnapshot& row) {
  if (row.state == State::Making) return Doing::MakeSnapshot;
  return row.state == State::Deleting ? Doing::RemoveSnapshot : Doing::None;
}

const LedgerSnapshot* find_row(const Ledger& ledger, const ObjectName& name) {
  const auto found = ledger.snapshots.find(name);
  return found == ledger.snapshots.end() ? nullptr : &found->second;
}

/// True if what ended is still to be written down.
bool is_awaited(const LedgerSnapshot& row, const SnapshotWorkEnd& end) {
  if (end.kind == Kind::Removed) return row.state == State::Deleting;
  if (row.state != State::Making) return false;
  return end.kind == Kind::Made ? end.made.is_ready || row.handle != end.made.id : row.message != end.message;
}

}  // namespace

void SnapshotWork::follow(const ObjectName& name, const Ledger& ledger) {
  const LedgerSnapshot* row = find_row(ledger, name);
  if (const auto end = ends_.find(name);
      end != ends_.end() && (row == nullptr || !is_awaited(*row, end->second)))
    ends_.erase(end);
  if (row != nullptr && wanted_of(*row) != Doing::None) {
    ClaimedVolumeWork& wanted = work_[name];
    // That a driver has just refused it is no reason to ask again at once.
    const bool is_refused = !row->message.empty();
    if (wanted.doing == Doing::None && wanted.failure && !is_refused) wanted.backoff.hurry();
    return;
  }
  // What is in flight ends first: a row that comes back meanwhile must not begin beside it.
  const auto work = work_.find(name);
  if (work != work_.end() && work->second.doing == Doing::None) work_.erase(work);
}

Result<ProvisionWork> SnapshotWork::work_for(const LedgerSnapshot& row, const World& world) const {
  const auto driver = world.drivers.find(row.driver);
  if (driver != world.drivers.end()) {
    MOORING_TRY(can_cut_snapshots(driver->second));
  }
  ProvisionWork work = work_of(row);
  MOORING_TRY(equip_for_driver(work, world.drivers, world.objects));
  return work;
}

std::vector<SnapshotWork::Call> SnapshotWork::take_due(const World& world,
                                                       std::map<DriverName, std::size_t>& calls,
                                                       Events& events) {
  std::vector<Call> due;
  for (auto& [name, work] : work_) {
    const auto not_before = work.backoff.not_before();
    const LedgerSnapshot* row = find_row(world.ledger, name);
    const bool is_due = !not_before || *not_before <= world.now.monotonic;
    if (work.doing != Doing::None || !is_due || row == nullptr || ends_.contains(name)) continue;
    const Doing doing = wanted_of(*row);
    if (doing == Doing::None || calls[row->driver] >= options_.driver_calls_max) continue;
    work.driver = row->driver;
    work.secret = row->secret;
    Result<ProvisionWork> wanted = work_for(*row, world);
    if (!wanted) {
      fail(*row, work, wanted.error(), world, events);
      continue;
    }
    if (work.failure && (waits_for_driver(*work.failure) || work.failure->reason == "SecretMissing"))
      work.failure.reset();  // It waits for that no more.
    work.doing = doing;
    ++calls[row->driver];
    Call call{doing, name, {}};
    call.operation.lane = wanted.value().lane;
    call.operation.deadline_ms =
        doing == Doing::RemoveSnapshot ? options_.trash_deadline_ms : options_.own_deadline_ms;
    call.operation.what =
        std::string(doing == Doing::MakeSnapshot ? "cut" : "delete") + " snapshot " + row->snapshot.text();
    call.operation.steps = std::move(wanted.value().steps);
    due.push_back(std::move(call));
  }
  return due;
}

bool SnapshotWork::ended(const ObjectName& name, Doing did, Outcome& outcome, const World& world,
                         Events& events) {
  const auto found = work_.find(name);
  if (found == work_.end()) return false;
  ClaimedVolumeWork& work = found->second;
  work.doing = Doing::None;
  work.stuck_pid = 0;
  const LedgerSnapshot* row = find_row(world.ledger, name);
  if (row == nullptr || wanted_of(*row) != did) {  // Something else is asked for meanwhile.
    work.backoff.reset();
    work.failure.reset();
    follow(name, world.ledger);
    return false;
  }
  for (const std::string& warning : outcome.warnings)
    events.push_back({true, "SnapshotWarning", event_object(*row), warning});
  if (outcome.error) {
    fail(*row, work, *outcome.error, world, events);
    if (outcome.error->kind != ErrorKind::Final || did != Doing::MakeSnapshot) return false;
    ends_[name] = {Kind::Impossible, {}, outcome.error->text()};
    return true;
  }
  if (std::exchange(work.failure, nullptr) || did == Doing::RemoveSnapshot) work.backoff.reset();
  if (did == Doing::RemoveSnapshot) {
    ends_[name] = {Kind::Removed, {}, {}};
    return true;
  }
  const auto* made = outcome.csi_made ? std::get_if<CsiSnapshot>(&*outcome.csi_made) : nullptr;
  if (made == nullptr) {
    Error error = refusal("SnapshotUnknown", "what was cut was not told", "Mooring tries again by itself");
    error.kind = ErrorKind::Uncertain;
    fail(*row, work, error, world, events);
    return false;
  }
  // No failure, if it is not ready: it is asked how far it is, ever less often.
  if (!made->is_ready)
    work.backoff.failed(world.now.monotonic, {options_.backoff_first, options_.backoff_longest},
                        world.random);
  ends_[name] = {Kind::Made, *made, {}};
  return true;
}

void SnapshotWork::fail(const LedgerSnapshot& row, ClaimedVolumeWork& work, const Error& error,
                        const World& world, Events& events) {
  std::string message = error.step.empty() ? error.message : error.step + ": " + error.message;
  const bool is_new = !work.failure || work.failure->message != message;
  work.failure = std::make_unique<Failure>(Failure{error.reason, std::move(message), error.remedy});
  BackoffOptions options{options_.backoff_first, options_.backoff_longest};
  if (error.kind == ErrorKind::Final) options.first = options.longest;
  work.backoff.failed(world.now.monotonic, options, world.random);
  // What a driver refuses for certain is told when that is written down.
  const bool is_making = row.state == State::Making;
  if (!is_new || (is_making && error.kind == ErrorKind::Final)) return;
  const bool is_waiting = waits_for_driver(*work.failure);
  std::string reason = is_making ? "SnapshotCreationFailed" : "SnapshotDeleteError";
  if (is_waiting) reason = error.reason;
  events.push_back({!is_waiting, std::move(reason), event_object(row), error.text()});
}

bool SnapshotWork::note_stuck(const ObjectName& name, std::int32_t worker_pid) {
  const auto found = work_.find(name);
  if (found == work_.end()) return false;
  found->second.stuck_pid = worker_pid;
  return true;
}

void SnapshotWork::keep_ends(const std::map<ObjectName, std::optional<LedgerSnapshot>>& changes) {
  std::erase_if(ends_, [&](const auto& end) { return !changes.contains(end.first); });
}

void SnapshotWork::hurry(const std::set<DriverName>& drivers, const std::set<ObjectReference>& objects) {
  for (auto& [name, work] : work_) {
    if (work.doing != Doing::None || !work.failure) continue;
    const bool is_met = drivers.contains(work.driver) ||
                        (work.secret && objects.contains({ObjectReference::Kind::Secret, *work.secret}));
    if (is_met) work.backoff.hurry();
  }
}

void SnapshotWork::hurry_all() {
  for (auto& [name, work] : work_)
    work.backoff.hurry();
}

void SnapshotWork::count_calls(std::map<DriverName, std::size_t>& calls) const {
  for (const auto& [name, work] : work_) {
    if (work.doing != Doing::None) ++calls[work.driver];
  }
}

std::optional<MonotonicTime> SnapshotWork::next_wake(MonotonicTime now) const {
  std::optional<MonotonicTime> next;
  for (const auto& [name, work] : work_) {
    const auto when = work.backoff.not_before();
    // What is due and was not begun waits for something else than the clock.
    if (work.doing == Doing::None && when && *when > now && (!next || *when < *next)) next = when;
  }
  return next;
}

const ClaimedVolumeWork* SnapshotWork::find(const ObjectName& name) const {
  const auto found = work_.find(name);
  return found == work_.end() ? nullptr : &found->second;
}

}  // namespace mooring
