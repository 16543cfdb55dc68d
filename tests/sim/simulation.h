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

  /// What a container mounted in a volume that it shares with the node.
  struct SharedMount {
    std::string pod;
    std::string source;
    bool may_be_foreign = false;  ///< It was there before the volume was shared.
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

  // parts.cpp
  std::string path_of(const PodSpec& pod, const VolumeSpec& volume) const;
  std::string target_of(const PodSpec& pod, std::size_t part) const;
  void note_written(const PodSpec& pod);
  void write_object(const std::string& name);
  void disturb_parts();
  void replace_part();
  void put_shared_mount(const std::string& pod, const std::string& path);
  void put_part_marker(const PodSpec& pod);
  void put_parts_right();

  // checks_parts.cpp
  void note_devices(const std::vector<MountFact>& facts);
  bool is_inside(const MountFact& fact, const PodUid& pod, const std::string& volume,
                 const MountFact& disk) const;
  bool is_a_version(const std::string& object, const std::string& content) const;
  bool is_disturbed(const std::string& volume) const;
  std::optional<std::string> check_parts();
  std::optional<std::string> check_targets(const std::vector<MountFact>& facts) const;
  std::optional<std::string> check_ready_parts(const std::vector<MountFact>& facts) const;
  std::optional<std::string> check_host() const;
  std::optional<std::string> check_shared() const;
  std::optional<std::string> check_config_parts(const std::vector<MountFact>& facts) const;
  std::optional<std::string> check_config_groups() const;
  std::optional<std::string> check_parts_end(const PodSpec& pod) const;
  std::optional<std::string> check_sources();

  // checks.cpp
  std::optional<std::string> check();
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
  std::map<std::string, SharedMount> shared_;   ///< By mount point.
  std::set<std::string> ever_shared_;           ///< "pod/volume".
  std::vector<std::string> sources_;            ///< Of all that was ever mounted in a volume.
  std::set<std::string> disturbed_;             ///< Places of parts where somebody put something else.
  std::map<std::string, std::set<std::string>> history_;  ///< Contents that an object had, by its name.
  std::map<std::string, std::set<std::string>> devices_;  ///< In memory, by "uid/volume".
  std::map<std::string, std::set<std::string>> hosts_;    ///< hostPaths, by "pod/volume".
  bool is_listing_known_ = false;                         ///< The present core was told a whole listing.
  std::uint64_t starts_ = 0;
  std::uint64_t crashes_ = 0;
  std::uint64_t numbers_ = 0;
};

}  // namespace mooring::sim
