#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>

#include "csi_snapshots.h"
#include "driver_mood.h"
#include "kernel/drivers.h"

namespace mooring::sim {

/// The controller of a CSI driver, which is elsewhere and sees no reboot of this node: what volumes and
/// snapshots there are, and where each volume is attached. It knows what must never be asked of it; what it
/// answers is another matter.
class CsiControllerTruth {
 public:
  CsiControllerTruth(std::string driver, bool attaches, Random& random,
                     std::function<void(const std::string&)> trace);

  bool attaches() const { return attaches_; }
  Result<kernel::DriverAnswer> call(const std::string& method, const std::string& text,
                                    const DriverMood& mood, bool is_hung);
  /// What callers have given up is done now, or never.
  void drop_late(bool does_it);

  struct Volume {
    std::string name;  ///< As it was asked for: the same name is the same volume.
    std::uint64_t bytes = 0;
    bool is_deleted = false;
    bool is_said = false;  ///< Somebody was told that it is attached, and nobody has detached it since.
    std::set<std::string> nodes{};  ///< That it is attached to...
    std::set<std::string> asked{};  ///< ...and that it was ever asked to be.
    std::string source{};           ///< Snapshot or volume that it was made from; empty: nothing.
  };
  /// By handle, also what is deleted.
  const std::map<std::string, Volume>& volumes() const { return volumes_; }
  const Volume* find(const std::string& handle) const;

  std::function<void(const std::string& handle)> on_made;
  /// What the node has of the volume; empty: nothing.
  std::function<std::string(const std::string& handle)> use_on_node;
  /// Why it must not be deleted; empty: it may.
  std::function<std::string(const std::string& handle, const Volume& volume)> why_kept;
  /// Why there must be no volume of that name from that snapshot or volume; empty: there may.
  std::function<std::string(const std::string& name, const std::string& source)> why_not_copied;

  CsiSnapshotTruth& snapshots() { return snapshots_; }
  const CsiSnapshotTruth& snapshots() const { return snapshots_; }

  const std::string& broken() const { return broken_; }

 private:
  struct Late {
    std::string method, text;
  };
  void check(const std::string& method, const nlohmann::json& request);
  void check_cut(const nlohmann::json& request);
  void check_copy(const nlohmann::json& request);
  void check_removal(const std::string& handle, const Volume& volume);
  std::string key_of(const nlohmann::json& request) const;
  kernel::DriverAnswer perform(const std::string& method, const std::string& text);
  kernel::DriverAnswer create(const nlohmann::json& request);
  std::optional<std::uint64_t> bytes_of(const std::string& source) const;
  kernel::DriverAnswer cut(const nlohmann::json& request);
  kernel::DriverAnswer publish(const std::string& handle, const std::string& node);
  bool has(const std::string& method, const std::string& name) const;
  kernel::DriverAnswer refusal_of(const std::string& method, const std::string& name);
  std::string handle_of(const std::string& name) const;
  void accuse(const std::string& method, const std::string& handle, const std::string& what);
  bool happens(std::uint64_t one_in) { return one_in != 0 && random_.chance(one_in); }

  std::string driver_;
  bool attaches_;
  bool looks_at_source_first_;  ///< Without its source it finds not even the volume that it has made.
  Random& random_;
  std::function<void(const std::string&)> trace_;
  std::map<std::string, Volume> volumes_;
  CsiSnapshotTruth snapshots_;
  std::map<std::string, Late> late_;  ///< What it is still at, by key_of().
  std::string broken_;
};

}  // namespace mooring::sim
