#include "csi_snapshots.h"

#include <algorithm>

#include "csi/controller_requests.h"
#include "driver_json.h"

namespace mooring::sim {

using kernel::DriverAnswer;

const CsiSnapshotTruth::Snapshot* CsiSnapshotTruth::find(const std::string& id) const {
  const auto found = snapshots_.find(id);
  return found == snapshots_.end() ? nullptr : &found->second;
}

std::string CsiSnapshotTruth::id_of(const std::string& name) const {
  const auto found = std::find_if(snapshots_.begin(), snapshots_.end(), [&](const auto& entry) {
    const Snapshot& snapshot = entry.second;
    return snapshot.name == name && !snapshot.is_deleted && !snapshot.is_foreign;
  });
  return found == snapshots_.end() ? std::string() : found->first;
}

DriverAnswer CsiSnapshotTruth::create(const std::string& name, const std::string& volume,
                                      std::uint64_t bytes) {
  std::string id = id_of(name);
  if (id.empty()) {
    if (const std::string why = why_not_cut(name, volume); !why.empty())
      accuse_(csi::create_snapshot_method, name, why);
    id = next_id();
    snapshots_[id] = {name, volume, bytes, random_.chance(2) ? random_.below(4) : 0};
  }
  Snapshot& snapshot = snapshots_[id];
  if (snapshot.volume != volume)
    return {CallCode::AlreadyExists, "there is a snapshot of this name, of another volume", ""};
  const bool is_ready = snapshot.is_ready();
  if (!is_ready) --snapshot.asks_to_ready;
  return ok({{"snapshot",
              {{"snapshot_id", id},
               {"source_volume_id", volume},
               {"size_bytes", snapshot.bytes},
               {"creation_time", "2026-11-21T09:30:00Z"},
               {"ready_to_use", is_ready}}}});
}

bool CsiSnapshotTruth::is_still_cut(const std::string& id) {
  const auto found = snapshots_.find(id);
  if (found == snapshots_.end() || found->second.is_ready()) return false;
  --found->second.asks_to_ready;
  return true;
}

void CsiSnapshotTruth::check_removal(const std::string& id) {
  const Snapshot* snapshot = find(id);
  if (snapshot == nullptr) return accuse_(csi::delete_snapshot_method, id, "which it never cut");
  if (snapshot->is_deleted) return;  // The answer was lost.
  const std::string why = snapshot->is_foreign ? "which somebody else had cut" : why_kept(id, *snapshot);
  if (!why.empty()) accuse_(csi::delete_snapshot_method, id, why);
}

DriverAnswer CsiSnapshotTruth::remove(const std::string& id) {
  if (const auto found = snapshots_.find(id); found != snapshots_.end()) found->second.is_deleted = true;
  return ok(nlohmann::json::object());
}

std::string CsiSnapshotTruth::add_foreign(std::uint64_t bytes) {
  const std::string id = next_id();
  snapshots_[id] = {{}, {}, bytes, 0, false, true};
  return id;
}

}  // namespace mooring::sim
