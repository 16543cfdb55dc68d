#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "csi_driver.h"
#include "driver_volumes.h"
#include "flex_driver.h"
#include "world.h"

namespace mooring::sim {

/// One simulated life of a node whose volumes are made by drivers outside: CSI drivers that stage and that do
/// not, FlexVolume drivers that attach, that mount and that write. All of them refuse, lose answers, hang,
/// crash, go, come back as others, and are late; and each knows in what order it may be called.
class DriverSimulation final : public World {
 public:
  explicit DriverSimulation(std::uint64_t seed);

 private:
  // drivers.cpp: what users do
  void put_drivers();
  void put_volumes();
  void step() override;
  std::vector<std::string> files() const override;
  std::string text_of(const std::string& file) const override;
  void user_acts();
  void write_pod();
  void remove_pod(std::string file);
  void change_volume();
  void put_files();

  // drivers_node.cpp: what drivers, the node and other programs do
  void daemon_started() override;
  void node_rebooted() override;
  bool go_on() override;
  void node_acts();
  void change_csi(CsiDriverTruth& driver);
  void change_flex(FlexDriverTruth& driver);
  void disturb();
  void cut_files_short();
  /// Lets the core know which drivers are there, if that changed since it last did.
  bool tell_drivers();
  Result<kernel::DriverAnswer> answer(const kernel::DriverCall& call);
  Result<kernel::ProgramAnswer> answer(const kernel::ProgramCall& call);

  // drivers_checks.cpp
  void see_start(const Operation& operation);
  void see_end(OperationId id);
  std::optional<std::string> check() override;
  std::optional<std::string> check_drivers() const;
  std::optional<std::string> check_files() const;
  std::optional<std::string> check_mounts() const;
  std::optional<std::string> check_status();
  std::optional<std::string> check_ready(const DriverPod& pod, const VolumeStatus& volume) const;
  std::optional<std::string> check_waits();
  std::optional<std::string> check_secrets() const;
  bool is_wanted(const std::string& volume) const;
  bool is_shared(const std::string& volume) const;

  // drivers_end.cpp
  std::optional<std::string> settle() override;
  std::optional<std::string> settle_beside_missing();
  std::optional<std::string> settle_with_all();
  std::optional<std::string> settle_without_pods();
  void put_right();
  void end_answered_probes();
  bool is_held_up(const DriverPod& pod, const DriverPodVolume& volume) const;
  std::optional<std::string> difference(bool leaves_out_missing);
  std::optional<std::string> leftover() const;

  const DriverVolume* find(std::string_view name) const;
  PodUid uid_of(const DriverPod& pod) const;
  CsiDriverTruth* csi_of(const DriverPodVolume& volume) const;
  FlexDriverTruth* flex_of(const DriverPodVolume& volume) const;
  /// Where the driver publishes it, absolute.
  std::string target_of(const DriverPod& pod, const DriverPodVolume& volume) const;
  /// The file system of the volume; nullptr: it has none.
  std::string source_of(const DriverPod& pod, const DriverPodVolume& volume) const;

  std::vector<std::unique_ptr<CsiDriverTruth>> csi_;
  std::vector<std::unique_ptr<FlexDriverTruth>> flex_;
  std::vector<DriverVolume> volumes_;
  std::map<std::string, DriverPod> pods_;                        ///< What the manifests say, by file.
  std::map<std::string, std::set<std::string>> written_;         ///< What pods wrote, by source.
  std::map<std::uint64_t, Operation> in_flight_;                 ///< That were started and did not end yet.
  std::map<std::uint64_t, std::set<std::string>> in_the_works_;  ///< Their volumes.
  std::set<std::string> flex_paths_;  ///< Where FlexVolumes were published since the node started.
  std::optional<DriverPod> leaving_;  ///< The core is just being told that it is gone.
  std::string broken_;
  std::size_t waits_seen_ = 0;
  std::optional<std::vector<RegistrySocket>> told_sockets_;
  std::optional<std::vector<FlexProgramFact>> told_programs_;
  bool was_rebooted_ = false;
  std::uint64_t numbers_ = 0;
};

}  // namespace mooring::sim
