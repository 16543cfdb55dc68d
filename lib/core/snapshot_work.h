#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "base/time.h"
#include "binding/snapshots.h"
#include "core/core.h"
#include "core/work.h"

namespace mooring {

/// The calls that the ledger's snapshots ask their drivers for: which are due, in flight and failed, and what
/// became of those of which the ledger does not know yet. All else is the engine's.
///
///     row asks for it ──due──▶ in flight ──ended well──▶ end, which is planned and written down
///                      ▲           │
///                      └──backoff──┘ failed; or cut, and not ready to use: the same is asked again
class SnapshotWork {
 public:
  /// What is looked at. All of it is right for one call.
  struct World {
    const Ledger& ledger;
    const ObjectStore& objects;
    const std::map<DriverName, CsiDriver>& drivers;  ///< Those that are registered now.
    Instant now;
    Random& random;
  };
  /// A call that is to be started.
  struct Call {
    Doing doing = Doing::None;
    ObjectName row;
    Operation operation;
  };
  using Events = std::vector<BindingEvent>;

  /// `options` outlives it.
  explicit SnapshotWork(const CoreOptions& options) : options_(options) {}

  /// The row is another now, or gone: what it asks for is begun, what it asks for no more is forgotten.
  void follow(const ObjectName& name, const Ledger& ledger);
  /// What is due now, as far as the drivers are not at as many calls as they may: `calls` has those, of
  /// volumes too, and is raised. What cannot be begun fails, which `events` tell of.
  std::vector<Call> take_due(const World& world, std::map<DriverName, std::size_t>& calls, Events& events);
  /// What became of a call that take_due() handed out. True if there is an end that is to be planned.
  bool ended(const ObjectName& name, Doing did, Outcome& outcome, const World& world, Events& events);
  /// Its worker cannot be ended. False: there is no such row.
  bool note_stuck(const ObjectName& name, std::int32_t worker_pid);

  /// Ends that no plan has changed a row for have nothing to say.
  void keep_ends(const std::map<ObjectName, std::optional<LedgerSnapshot>>& changes);
  /// By the rows' names; see SnapshotWorld.
  const std::map<ObjectName, SnapshotWorkEnd>& ends() const { return ends_; }

  /// Tries at once what waits for one of these, or failed with it as it was.
  void hurry(const std::set<DriverName>& drivers, const std::set<ObjectReference>& objects);
  /// Somebody asks to try now what waits for its backoff.
  void hurry_all();
  /// Adds how many calls each driver is at.
  void count_calls(std::map<DriverName, std::size_t>& calls) const;
  /// When, after `now`, take_due() will have something; nullopt: never, as far as is known. What is due and
  /// was not taken waits for something else than the clock.
  std::optional<MonotonicTime> next_wake(MonotonicTime now) const;
  /// nullptr: the row asks for nothing.
  const ClaimedVolumeWork* find(const ObjectName& name) const;

 private:
  Result<ProvisionWork> work_for(const LedgerSnapshot& row, const World& world) const;
  void fail(const LedgerSnapshot& row, ClaimedVolumeWork& work, const Error& error, const World& world,
            Events& events);

  const CoreOptions& options_;
  std::map<ObjectName, ClaimedVolumeWork> work_;
  std::map<ObjectName, SnapshotWorkEnd> ends_;
};

/// What there is to say of snapshots besides.
struct SnapshotsTold {
  std::map<ObjectKey, BindingCondition> conditions;
  std::vector<VolumeSnapshotStatus> statuses;  ///< As the shell was told last.
};

}  // namespace mooring
