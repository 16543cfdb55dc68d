#include <utility>

#include "binding/copies.h"
#include "core/engine.h"

// Volumes that the controllers of CSI drivers make, and what is waited for with them (decision 0032).

namespace mooring {

bool waits_for_driver(const Failure& failure) {
  return failure.reason == "DriverNotRegistered" || failure.reason == "DriverHasNoController";
}

/// Takes in which drivers there are now. What waited for one, or failed with it as it was, is tried at once.
void Core::Engine::follow_drivers() {
  const std::map<DriverName, CsiDriver> before =
      std::exchange(drivers_.csi, std::map<DriverName, CsiDriver>(registrar_.drivers()));
  std::set<DriverName> others;
  for (const auto& [name, driver] : drivers_.csi) {
    const auto known = before.find(name);
    if (known == before.end() || known->second != driver) others.insert(name);
  }
  std::map<std::string, std::string> labels = options_.node.labels;
  for (const auto& [name, driver] : drivers_.csi)
    labels.insert(driver.topology.begin(), driver.topology.end());  // Who wrote labels knows better.
  if (node_labels_ != labels) are_claims_touched_ = true;
  node_labels_ = std::move(labels);
  const bool matters_to_snapshots = before != drivers_.csi && !store_.snapshots().empty();
  if (provisioners_.follow_drivers(drivers_.csi) || matters_to_snapshots) are_claims_touched_ = true;
  hurry_volume_work(others, {});
}

/// Tries at once what waits for one of these, or failed with it as it was.
void Core::Engine::hurry_volume_work(const std::set<DriverName>& drivers,
                                     const std::set<ObjectReference>& objects) {
  for (auto& [name, work] : volume_work_) {
    if (work.doing != Doing::None || !work.failure) continue;
    const bool is_met = drivers.contains(work.driver) ||
                        (work.secret && objects.contains({ObjectReference::Kind::Secret, *work.secret}));
    if (is_met) work.backoff.hurry();
  }
  snapshot_work_.hurry(drivers, objects);
}

/// How much work each driver is at.
std::map<DriverName, std::size_t> Core::Engine::driver_calls() const {
  std::map<DriverName, std::size_t> calls;
  for (const auto& [name, work] : volume_work_) {
    if (work.doing != Doing::None && !work.driver.empty()) ++calls[work.driver];
  }
  snapshot_work_.count_calls(calls);
  return calls;
}

/// What is being copied, or cut, stays until that is done.
void Core::Engine::add_copied_volumes(std::set<ObjectName>& in_use) const {
  in_use.merge(volumes_being_cut(ledger_.snapshots));
  std::set<std::pair<std::string, std::string>> copied;  // Driver and handle.
  for (const auto& [name, row] : ledger_.volumes) {
    if (CsiContentSource source = source_in_use(row); source.kind == CsiContentSource::Kind::Volume)
      copied.emplace(row.provisioner, std::move(source.id));
  }
  if (copied.empty()) return;
  for (const auto& [name, row] : ledger_.volumes) {
    const auto* csi = std::get_if<manifest::CsiSource>(&row.volume->source);
    if (csi != nullptr && copied.contains({csi->driver, csi->volume_handle})) in_use.insert(name);
  }
}

}  // namespace mooring
