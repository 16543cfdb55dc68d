#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "kernel/fake/fake_kernel.h"
#include "manifests.h"
#include "shell.h"

namespace mooring::sim {

/// One simulated life of a node: users, other programs and faults act at random, by a seed, and after every
/// step the invariants are checked. At the end all faults stop, and everything must come to be as the
/// manifests say.
class Simulation {
 public:
  explicit Simulation(std::uint64_t seed);

  /// The first invariant that was broken, in words; nullopt: all held.
  std::optional<std::string> run();

  const std::vector<std::string>& trace() const { return trace_; }
  std::uint64_t operations_run() const { return shell_.operations_run; }
  std::uint64_t pods_became_ready() const { return shell_.pods_became_ready; }
  std::uint64_t crashes() const { return crashes_; }

 private:
  /// A file that somebody put into a volume, and that must stay while the pod is asked for.
  struct Marker {
    std::string pod;
    std::string volume;
    std::string path;
    bool is_in_memory = false;
  };

  void step();
  void user_acts();
  void node_acts();
  void disturb();
  void write_pod();
  void remove_pod();
  void restart();
  void reboot();
  void read_manifests(bool fails);
  void put_marker();
  void change_object();
  void put_foreign_mount();
  void tell(const std::string& file);
  void forget_markers(const std::string& pod);
  void forget_unnamed(const PodSpec& pod);
  void advance(Duration duration);
  Instant now() const { return {MonotonicTime{time_}, WallTime{time_}}; }
  void note(const std::string& line) { trace_.push_back(line); }

  // checks.cpp
  std::optional<std::string> check() const;
  std::optional<std::string> check_markers() const;
  std::optional<std::string> check_foreign() const;
  std::optional<std::string> check_mounts() const;
  std::optional<std::string> check_status() const;
  std::optional<std::string> check_contents() const;
  std::optional<std::string> check_content_end(const PodSpec& pod) const;
  std::optional<std::string> settle();
  std::optional<std::string> check_end();
  void note_status();
  void empty_hidden_directories();
  std::string volume_path(const std::string& pod, const std::string& volume, Kind kind = Kind::Disk) const;

  Random random_;
  std::vector<std::string> trace_;
  kernel::FakeKernel kernel_;
  mutable Shell shell_;
  Duration time_ = std::chrono::seconds(1);
  std::map<std::string, PodSpec> pods_;           ///< What the manifests say, by file.
  std::map<std::string, std::uint64_t> objects_;  ///< Numbers of ConfigMaps and Secrets, by name.
  std::set<std::string> broken_;                  ///< Files that cannot be parsed just now.
  std::set<std::string> edited_;                  ///< Pods whose manifest was changed while they lived.
  std::set<std::string> rebooted_;                ///< Pods that were not seen ready since the last reboot.
  std::vector<Marker> markers_;
  std::map<std::string, std::string> foreign_;  ///< Mount points of others, and the file in them.
  std::set<std::string> open_;                  ///< Paths that somebody holds open.
  bool is_listing_known_ = false;               ///< The present core was told a whole listing.
  std::uint64_t starts_ = 0;
  std::uint64_t crashes_ = 0;
  std::uint64_t numbers_ = 0;
};

}  // namespace mooring::sim
