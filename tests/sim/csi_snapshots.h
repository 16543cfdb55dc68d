#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/random.h"
#include "kernel/drivers.h"

namespace mooring::sim {

/// The snapshots that the controller of a CSI driver has cut. As the specification has it, the same name of
/// the same volume is the same snapshot, a cut one may take a while to become ready, and to delete what is
/// not there is well. Who breaks a rule is found out by `accuse`.
class CsiSnapshotTruth {
 public:
  struct Snapshot {
    std::string name;    ///< As it was asked for; of foreign ones empty.
    std::string volume;  ///< By handle.
    std::uint64_t bytes = 0;
    std::uint64_t asks_to_ready = 0;  ///< How often it is asked for until it is ready to use.
    bool is_deleted = false;
    bool is_foreign = false;  ///< Somebody else had it cut, by the driver's own means.

    bool is_ready() const { return asks_to_ready == 0; }
  };

  /// `accuse(method, id, what)`.
  CsiSnapshotTruth(std::string driver, Random& random,
                   std::function<void(const char*, const std::string&, const std::string&)> accuse)
      : driver_(std::move(driver)), random_(random), accuse_(std::move(accuse)) {}

  /// By id, also what is deleted.
  const std::map<std::string, Snapshot>& all() const { return snapshots_; }
  const Snapshot* find(const std::string& id) const;
  /// Of the one of that name that there is; empty: there is none.
  std::string id_of(const std::string& name) const;

  /// CreateSnapshot of a volume that there is.
  kernel::DriverAnswer create(const std::string& name, const std::string& volume, std::uint64_t bytes);
  /// True if it is there and not ready yet; it will be, if that is asked often enough.
  bool is_still_cut(const std::string& id);
  /// What must hold when DeleteSnapshot is asked for, whatever comes of it.
  void check_removal(const std::string& id);
  kernel::DriverAnswer remove(const std::string& id);
  /// Somebody has one cut, and tells nobody; its id.
  std::string add_foreign(std::uint64_t bytes);

  /// Why there must not be a new one of that name; empty: there may.
  std::function<std::string(const std::string& name, const std::string& volume)> why_not_cut;
  /// Why it must not be deleted; empty: it may.
  std::function<std::string(const std::string& id, const Snapshot& snapshot)> why_kept;

 private:
  std::string next_id() const { return driver_ + "/s" + std::to_string(snapshots_.size()); }

  std::string driver_;
  Random& random_;
  std::function<void(const char*, const std::string&, const std::string&)> accuse_;
  std::map<std::string, Snapshot> snapshots_;
};

}  // namespace mooring::sim
