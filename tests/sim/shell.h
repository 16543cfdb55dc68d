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

namespace mooring::sim {

/// What a fault does to the next calls.
struct FaultRates {
  std::uint64_t errno_one_in = 0;   ///< 0: never.
  std::uint64_t crash_one_in = 0;   ///< The worker ends in the middle.
  std::uint64_t hang_one_in = 0;    ///< The worker never comes back.
  std::uint64_t record_one_in = 0;  ///< A record cannot be written.
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
  /// True if something of the pod was done that the core was not told of.
  bool has_news_of(const PodUid& pod) const;

  /// Does one thing of a worker: runs an operation, or tells an outcome. False if there is nothing to do.
  bool work(Instant now);
  bool has_work() const { return !queue_.empty() || !teardown_.empty() || !done_.empty(); }
  /// The stuck worker, if there is one, ends after all.
  bool end_stuck(Instant now);
  std::size_t stuck() const { return stuck_.size(); }

  /// The run directory is on a tmpfs: a reboot empties it.
  void lose_records() { records_.clear(); }
  const std::map<std::string, std::string>& records() const { return records_; }

  FaultRates faults;
  std::uint64_t operations_run = 0;
  std::uint64_t pods_became_ready = 0;

 private:
  void dispatch(Instant now);
  void do_effects(Effects effects, Instant now);
  void run(Operation operation, Instant now);
  kernel::Fault fault(std::string_view call, bool before);
  Outcome lost(OperationId id) const;

  kernel::FakeKernel& kernel_;
  Random& random_;
  std::function<void(const std::string&)> trace_;
  PluginRegistry plugins_;
  std::unique_ptr<Core> core_;
  std::map<std::string, std::string> records_;  ///< By uid: the bytes on disk.
  std::vector<Operation> queue_;
  std::deque<Operation> teardown_;
  std::vector<Outcome> done_;
  std::map<std::uint64_t, PodUid> pods_;  ///< Of operations that the core was not told the end of.
  std::vector<OperationId> stuck_;
  std::vector<MountFact> told_mounts_;
  std::uint64_t told_mounts_made_ = 0;
  bool has_told_mounts_ = false;
};

}  // namespace mooring::sim
