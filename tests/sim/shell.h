#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "core/core.h"
#include "kernel/fake/fake_kernel.h"
#include "ledger_disk.h"

namespace mooring::sim {

/// What a fault does to the next calls.
struct FaultRates {
  std::uint64_t errno_one_in = 0;   ///< 0: never.
  std::uint64_t crash_one_in = 0;   ///< The worker ends in the middle.
  std::uint64_t hang_one_in = 0;    ///< The worker never comes back.
  std::uint64_t record_one_in = 0;  ///< A record cannot be written.
  std::uint64_t format_one_in = 0;  ///< The worker ends when a file system is made half way.
};

/// An operation whose worker does not come back.
struct StuckOperation {
  OperationId id{};
  Lane lane = Lane::Own;
  std::string what;  ///< Operation::what.
};

/// What mooringd and its workers are around the core, on the fake node and without a clock of their own:
/// feeds events, does effects, runs operations in any order that real workers could, loses some.
class Shell {
 public:
  Shell(kernel::FakeKernel& kernel, Random& random, std::function<void(const std::string&)> trace);

  /// A new mooringd. Its first events: what is in the run directory.
  void start(Instant now, std::uint64_t seed);
  /// kill -9, at once; what its workers had is not done any more.
  void kill();
  bool is_running() const { return core_ != nullptr; }
  Core& core() { return *core_; }

  void feed(Event event, Instant now);
  /// Lets the core know the mount table as it is, if it changed since it last did.
  void tell_mounts(Instant now);
  bool are_mounts_stale() const;
  /// True if an operation ended since the core last had the table: what it did is to be seen there, and may
  /// have been undone already. mooringd reads it once more then, and so does tell_mounts().
  bool are_mounts_to_confirm() const { return are_mounts_to_confirm_; }
  /// Lets the core know that devices came, changed or went, if some did since it was last told, as the kernel
  /// tells mooringd. False if none did.
  bool tell_devices(Instant now);
  /// True if something of the pod was done that the core was not told of.
  bool has_news_of(const PodUid& pod) const;

  /// Does one thing of a worker: runs an operation, or tells an outcome. False if there is nothing to do.
  bool work(Instant now);
  bool has_work() const {
    return !queue_.empty() || !teardown_.empty() || !done_.empty() || ledger_.has_work();
  }
  /// The stuck worker, if there is one, ends after all.
  bool end_stuck(Instant now);
  /// Those end that did what cannot wait for anything outside of the node.
  void end_stuck_local(Instant now);
  /// Those end of which that is true.
  void end_stuck_if(const std::function<bool(const StuckOperation&)>& ends, Instant now);
  const std::vector<StuckOperation>& stuck() const { return stuck_; }

  /// The run directory is on a tmpfs: a reboot empties it.
  void lose_records();
  const std::map<std::string, std::string>& records() const { return records_; }
  const std::map<std::string, std::string>& device_records() const { return device_records_; }

  LedgerDisk& ledger() { return ledger_; }

  FaultRates faults;
  /// Sees each call of a port that any operation makes, before anything can go wrong with it.
  std::function<void(std::string_view call, const std::string& path, bool before)> observer;
  /// Sees each operation that the core starts, and whose end it is told.
  std::function<void(const Operation&)> on_started;
  std::function<void(OperationId)> on_ended;
  /// Operations that waited for a server by themselves, and not by a fault.
  std::vector<StuckOperation> waited_for_server;
  std::uint64_t operations_run = 0;
  std::uint64_t pods_became_ready = 0;

 private:
  void dispatch(Instant now);
  void do_effects(Effects effects, Instant now);
  void run(Operation operation, Instant now);
  kernel::Fault fault(std::string_view call, bool before);
  Outcome lost(OperationId id) const;
  void write_records(Effects& effects, std::vector<Event>& consequences);
  std::vector<DeviceFacts> device_facts() const;

  kernel::FakeKernel& kernel_;
  Random& random_;
  std::function<void(const std::string&)> trace_;
  PluginRegistry plugins_;
  std::unique_ptr<Core> core_;
  std::map<std::string, std::string> records_;         ///< By uid: the bytes on disk.
  std::map<std::string, std::string> device_records_;  ///< Likewise, by key.
  LedgerDisk ledger_;
  std::vector<Operation> queue_;
  std::deque<Operation> teardown_;
  std::vector<Outcome> done_;
  std::map<std::uint64_t, PodUid> pods_;  ///< Of operations that the core was not told the end of.
  std::vector<StuckOperation> stuck_;
  bool is_hang_a_fault_ = false;  ///< Of the last hang.
  std::vector<MountFact> told_mounts_;
  std::shared_ptr<const MountTable> told_table_;
  bool are_mounts_to_confirm_ = false;
  std::uint64_t told_mounts_made_ = 0;
  bool has_told_mounts_ = false;
  std::vector<DeviceFacts> told_devices_;
};

}  // namespace mooring::sim
