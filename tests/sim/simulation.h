#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "manifests.h"
#include "world.h"

namespace mooring::sim {

/// Pods whose volumes are directories, mounts in memory, paths of the node and configuration, and parts of
/// them.
class Simulation final : public World {
 public:
  explicit Simulation(std::uint64_t seed);

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

  void step() override;
  std::vector<std::string> files() const override;
  std::string text_of(const std::string& file) const override;
  void node_rebooted() override;
  void user_acts();
  void node_acts();
  void disturb();
  void write_pod();
  void remove_pod();
  void put_marker();
  void change_object();
  void put_foreign_mount();
  void forget_markers(const std::string& pod);
  void forget_unnamed(const PodSpec& pod);

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
  std::optional<std::string> check() override;
  std::optional<std::string> check_markers() const;
  std::optional<std::string> check_foreign() const;
  std::optional<std::string> check_mounts() const;
  std::optional<std::string> check_status() const;
  std::optional<std::string> check_contents() const;
  std::optional<std::string> check_content_end(const PodSpec& pod) const;
  std::optional<std::string> settle() override;
  std::optional<std::string> check_end();
  void empty_hidden_directories();
  std::string volume_path(const std::string& pod, const std::string& volume, Kind kind = Kind::Disk) const;

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
  std::uint64_t numbers_ = 0;
};

}  // namespace mooring::sim
