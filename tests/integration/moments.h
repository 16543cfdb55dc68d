#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <atomic>
#include <functional>
#include <set>
#include <string>
#include <thread>

#include "node.h"

namespace mooring::integration {

/// Who ends at a moment.
enum class Victim {
  All,     ///< mooringd, its workers and what they started, before the call is done.
  Daemon,  ///< mooringd alone: its workers go on with what they are at.
  Caller,  ///< The worker, or its helper, that was to do the call: mooringd goes on.
};

/// For the names of tests.
std::string victim_name(const ::testing::TestParamInfo<Victim>& info);

/// A mooringd whose every call that changes the node (mounts, loop devices, names, what mkfs writes, what a
/// worker answers) is seen before the kernel does it, its workers' and their helpers' too. Counted from
/// begin() on, the one with the number `at` is the moment at which somebody is killed.
class Moments {
 public:
  /// Starts the node's mooringd, and waits until it is on the bus.
  Moments(Node& node, int at, Victim victim);
  /// Ends all that is watched.
  ~Moments();
  Moments(const Moments&) = delete;
  Moments& operator=(const Moments&) = delete;

  void begin() { is_counting_ = true; }
  /// True once somebody was killed.
  bool has_come() const { return has_come_; }
  /// The call that was not done.
  std::string call() const { return has_come_ ? call_ : "none"; }
  /// There is a mooringd again after this, if that is what was killed.
  void restart_if_killed();
  /// Waits for it, with whatever mooringd there is. The moment may come at any time, also right after this:
  /// a condition keeps what is needed of an answer, and nobody asks again.
  bool comes_to(const std::function<bool()>& condition);

 private:
  struct Call {
    pid_t caller;
    int number;
  };
  void watch();
  void serve(int listener);
  bool is_moment(const Call& call);
  void kill_victim(const Call& call);

  Node& node_;
  const int at_;
  const Victim victim_;
  pid_t daemon_ = -1;
  bool is_restarted_ = false;
  int count_ = 0;
  int writes_ = 0;
  std::string call_;
  std::set<pid_t> watched_;  ///< Workers and helpers.
  std::atomic<bool> is_started_ = false;
  std::atomic<bool> is_counting_ = false;
  std::atomic<bool> has_come_ = false;
  std::atomic<bool> is_over_ = false;
  std::thread thread_;
};

}  // namespace mooring::integration
