#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "world.h"

namespace mooring::sim {

/// One simulated life of a node on which claims come and go, and volumes are made for them: the ledger is
/// written late, or nobody knows if it was; mooringd is killed between any two steps; manifests cannot be
/// read for a while.
class ClaimSimulation final : public World {
 public:
  explicit ClaimSimulation(std::uint64_t seed);

 private:
  /// A manifest of a claim, as users wrote it last.
  struct Claim {
    std::string storage_class;  ///< "-": none is named.
    std::uint64_t gibibytes = 1;
    bool is_of_one_pod = false;  ///< ReadWriteOncePod.
  };
  struct Pod {
    std::vector<std::string> claims;  ///< By name; "": an ephemeral volume.
  };

  void step() override;
  void user_acts();
  Claim draw_claim();
  void write_claim();
  void write_pod();
  void remove(const std::string& file);
  void change_static();
  void put_files();
  std::string text_of(const std::string& file) const override;
  std::vector<std::string> files() const override;

  // claims_checks.cpp
  std::optional<std::string> check() override;
  std::optional<std::string> check_ready();
  std::optional<std::string> check_kept() const;
  std::optional<std::string> check_single_users() const;
  std::optional<std::string> settle() override;
  std::optional<std::string> settle_with_all();
  std::optional<std::string> settle_without();
  std::optional<std::string> difference();
  std::optional<std::string> leftover() const;
  void note_status() override;

  std::uint64_t claims_max_ = 6;
  std::uint64_t pods_max_ = 4;
  std::uint64_t statics_max_ = 4;
  std::map<std::string, Claim> claims_;      ///< What the manifests say, by file...
  std::map<std::string, Pod> pods_;          ///< ...and likewise.
  std::set<std::string> statics_;            ///< Files of PersistentVolumes that are there.
  std::map<std::string, std::string> kept_;  ///< Files that must stay: path, and the claim's file.
  std::set<std::string> reused_;             ///< PersistentVolumes that somebody gave free by hand.
  std::set<std::string> written_;            ///< Uids of claims whose volume a pod wrote to.
};

}  // namespace mooring::sim
