#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "csi_controller.h"
#include "csi_driver.h"
#include "world.h"

namespace mooring::sim {

/// One simulated life of a node on which the volumes of claims are made, attached, grown and deleted by the
/// controllers of CSI drivers. Those are as unkind as in the world "drivers", and outlive the node's reboots.
class ControllerSimulation final : public World {
 public:
  explicit ControllerSimulation(std::uint64_t seed);

 private:
  struct Claim {
    std::string storage_class;
    std::uint64_t mebibytes = 64;
  };
  struct Pod {
    std::vector<std::string> claims;  ///< By name.
  };
  struct Driver {
    std::unique_ptr<CsiControllerTruth> controller;
    std::unique_ptr<CsiDriverTruth> node;
  };

  // controllers.cpp
  void step() override;
  std::vector<std::string> files() const override;
  std::string text_of(const std::string& file) const override;
  void user_acts();
  void write_claim();
  void write_pod();
  void remove(const std::string& file);
  void node_acts();
  void change(CsiDriverTruth& driver);
  void daemon_started() override;
  void node_rebooted() override;
  bool go_on() override;
  bool tell_drivers();
  Result<kernel::DriverAnswer> answer(const kernel::DriverCall& call);

  // controllers_checks.cpp
  std::optional<std::string> check() override;
  std::optional<std::string> check_ready();
  std::optional<std::string> check_names();
  std::optional<std::string> check_secrets() const;
  std::string why_kept(const CsiControllerTruth::Volume& volume) const;
  std::optional<std::string> settle() override;
  std::optional<std::string> settle_with_all();
  std::optional<std::string> settle_without();
  void put_right();
  std::optional<std::string> difference();
  std::optional<std::string> difference_of(const std::string& name, const Claim& claim);
  std::optional<std::string> leftover() const;
  std::optional<std::string> lost_volume(bool is_all_gone) const;
  void note_status() override;

  PodUid uid_of(const std::string& file) const;
  /// The ledger's row of what the claim has; nullptr: nothing.
  const LedgerVolume* row_of(const std::string& claim) const;

  std::vector<Driver> drivers_;
  std::map<std::string, Claim> claims_;  ///< What the manifests say, by file...
  std::map<std::string, Pod> pods_;      ///< ...and likewise.
  std::set<std::string> bound_;          ///< Names of volumes that a claim ever had.
  std::optional<std::vector<RegistrySocket>> told_sockets_;
};

}  // namespace mooring::sim
