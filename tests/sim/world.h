#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "kernel/fake/fake_kernel.h"
#include "shell.h"

namespace mooring::sim {

/// One simulated life of a node: users, other programs and faults act at random, by a seed, and after every
/// step the invariants are checked. At the end all faults stop, and everything must come to be as the
/// manifests say. What lives there, and what must hold, each world says for itself.
class World {
 public:
  virtual ~World() = default;

  /// The first invariant that was broken, in words; nullopt: all held.
  std::optional<std::string> run();

  const std::vector<std::string>& trace() const { return trace_; }
  std::uint64_t operations_run() const { return shell_.operations_run; }
  std::uint64_t pods_became_ready() const { return shell_.pods_became_ready; }

 protected:
  World(std::uint64_t seed, std::uint64_t steps);

  virtual void step() = 0;
  virtual std::optional<std::string> check() = 0;
  /// The end of the life; check() is its own affair.
  virtual std::optional<std::string> settle() = 0;
  virtual std::vector<std::string> files() const = 0;  ///< Manifests that are there, sorted.
  /// What a manifest holds; empty: it is not there.
  virtual std::string text_of(const std::string& file) const = 0;
  virtual void node_rebooted() {}
  /// mooringd is there anew, and knows nothing of what only its watches tell.
  virtual void daemon_started() {}
  /// Adds all there is to know to the trace.
  virtual void note_status();

  void tell(const std::string& file);
  /// kill -9 (or the first start), and another start; with luck its manifests can be read.
  void restart();
  void reboot();
  void read_manifests(bool fails);
  void advance(Duration duration);
  /// Lets one thing happen, or time pass to the next; false: nothing will ever happen.
  virtual bool go_on();
  void tell_watches();
  Instant now() const { return {MonotonicTime{time_}, WallTime{time_}}; }
  void note(const std::string& line) { trace_.push_back(line); }

  Random random_;
  std::vector<std::string> trace_;
  kernel::FakeKernel kernel_;
  mutable Shell shell_;
  Duration time_ = std::chrono::seconds(1);
  bool is_listing_known_ = false;

 private:
  std::uint64_t steps_;
  std::uint64_t starts_ = 0;
};

}  // namespace mooring::sim
