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
/// controllers of CSI drivers, cut, and restored from what was cut. Those are as unkind as in the world
/// "drivers", and outlive the node's reboots.
class ControllerSimulation final : public World {
 public:
  explicit ControllerSimulation(std::uint64_t seed);

 private:
  static constexpr std::uint64_t claims_max = 5;
  static constexpr std::uint64_t pods_max = 3;
  static constexpr std::uint64_t snapshots_max = 3;
  static constexpr std::uint64_t contents_max = 2;

  struct Claim {
    std::string storage_class;
    std::uint64_t mebibytes = 64;
    std::string snapshot{};  ///< What it is to be restored from, by name; empty: nothing.
    std::string copied{};    ///< Likewise the claim that it is to be a copy of.
    bool is_copy() const { return !snapshot.empty() || !copied.empty(); }
  };
  struct Snapshot {
    std::string claim;           ///< By name.
    std::string snapshot_class;  ///< Empty: it names none.
    std::string uid;             ///< Empty: its manifest has none.
    std::string content;         ///< What it is instead, by name; empty: it is cut of the claim.
  };
  /// A VolumeSnapshotContent of what there is already.
  struct Content {
    std::size_t driver = 0;
    std::string handle;
    std::string snapshot;  ///< Whose it is, by name.
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

  // controllers_snapshots.cpp
  std::string snapshot_class_texts(std::size_t driver) const;
  std::string text_of(const std::string& name, const Snapshot& snapshot) const;
  std::string text_of(const std::string& name, const Content& content) const;
  void snapshot_acts();
  void write_snapshot();
  void write_restored();
  void write_content();
  std::string random_class_for(const std::string& claim);
  Content random_content();

  // controllers_snapshots_checks.cpp
  void watch_snapshots(CsiControllerTruth& controller);
  std::optional<std::string> check_snapshots();
  std::optional<std::string> check_snapshot_rows() const;
  std::string why_cut(const std::string& volume) const;
  std::string why_snapshot_kept(const std::string& id, const CsiSnapshotTruth::Snapshot& snapshot) const;
  std::string why_not_copied(const std::string& volume, const std::string& id) const;
  std::string why_copied(const std::string& handle) const;
  std::optional<VolumeSnapshotStatus> snapshot_status(const std::string& name) const;
  std::optional<std::string> snapshot_difference(const std::string& name, const Snapshot& snapshot) const;
  bool may_be_restored(const Claim& claim) const;
  bool may_be_cloned(const Claim& claim) const;
  std::optional<std::string> check_copied(const std::string& name) const;
  std::optional<std::string> lost_snapshot(bool is_all_gone) const;

  // controllers_checks.cpp
  std::optional<std::string> check() override;
  std::optional<std::string> check_ready();
  std::optional<std::string> check_names();
  std::optional<std::string> check_secrets() const;
  std::string why_kept(const std::string& handle, const CsiControllerTruth::Volume& volume) const;
  std::optional<std::string> settle() override;
  std::optional<std::string> settle_with_all();
  std::optional<std::string> settle_without();
  void put_right();
  std::optional<std::string> difference();
  std::optional<std::string> difference_of(const std::string& name, const Claim& claim);
  bool can_be_bound(const std::string& name) const;
  std::optional<std::string> leftover() const;
  std::optional<std::string> lost_volume(bool is_all_gone) const;
  void note_status() override;

  PodUid uid_of(const std::string& file) const;
  /// The ledger's row of what the claim has; nullptr: nothing.
  const LedgerVolume* row_of(const std::string& claim) const;

  std::vector<Driver> drivers_;
  std::map<std::string, Claim> claims_;  ///< What the manifests say, by file...
  std::map<std::string, Pod> pods_;      ///< ...and likewise...
  std::map<std::string, Snapshot> snapshots_;
  std::map<std::string, Content> contents_;
  std::set<std::string> told_snapshots_;  ///< Handles that a content ever told of.
  std::set<std::string> bound_;           ///< Names of volumes that a claim ever had.
  std::optional<std::vector<RegistrySocket>> told_sockets_;
};

}  // namespace mooring::sim
