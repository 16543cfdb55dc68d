// Users of snapshots in the world of controllers.

#include <algorithm>

#include "controller_simulation.h"
#include "driver_volumes.h"

namespace mooring::sim {
namespace {

constexpr const char* group = "apiVersion: snapshot.storage.k8s.io/v1\n";

std::string random_name(const char* kind, std::uint64_t bound, Random& random) {
  return kind + std::to_string(random.below(bound));
}

}  // namespace

/// One whose snapshots go with their objects, which is the driver's default, and one whose snapshots stay.
std::string ControllerSimulation::snapshot_class_texts(std::size_t driver) const {
  const auto text = [&](const std::string& kind, const char* policy, const char* is_default) {
    return std::string("---\n") + group + "kind: VolumeSnapshotClass\nmetadata:\n  name: " + kind +
           std::to_string(driver) + "\n  annotations: {snapshot.storage.kubernetes.io/is-default-class: \"" +
           is_default + "\"}\ndriver: " + csi_name(driver) + "\ndeletionPolicy: " + policy +
           "\nparameters:\n  csi.storage.k8s.io/snapshotter-secret-name: token\n"
           "  csi.storage.k8s.io/snapshotter-secret-namespace: default\n";
  };
  return text("cut", "Delete", "true") + text("keep", "Retain", "false");
}

std::string ControllerSimulation::text_of(const std::string& name, const Snapshot& snapshot) const {
  const std::string source = snapshot.content.empty() ? "persistentVolumeClaimName: " + snapshot.claim
                                                      : "volumeSnapshotContentName: " + snapshot.content;
  return std::string(group) + "kind: VolumeSnapshot\nmetadata: {name: " + name +
         (snapshot.uid.empty() ? "" : ", uid: " + snapshot.uid) + "}\nspec:\n  source: {" + source + "}\n" +
         (snapshot.snapshot_class.empty() ? ""
                                          : "  volumeSnapshotClassName: " + snapshot.snapshot_class + "\n");
}

std::string ControllerSimulation::text_of(const std::string& name, const Content& content) const {
  return std::string(group) + "kind: VolumeSnapshotContent\nmetadata: {name: " + name +
         "}\nspec:\n  deletionPolicy: Delete\n  driver: " + csi_name(content.driver) +
         "\n  source: {snapshotHandle: " + content.handle +
         "}\n  volumeSnapshotRef: {name: " + content.snapshot + ", namespace: default}\n";
}

void ControllerSimulation::snapshot_acts() {
  const auto any_of = [&](const auto& files) {
    return std::next(files.begin(), static_cast<long>(random_.below(files.size())))->first;
  };
  switch (random_.below(8)) {
    case 0:
    case 1:
    case 2:
      return write_snapshot();
    case 3:
      if (!snapshots_.empty()) remove(any_of(snapshots_));
      return;
    case 4:
      if (!contents_.empty()) remove(any_of(contents_));
      return;
    case 5:
      return write_content();
    default:
      return write_restored();
  }
}

/// A claim that is restored from what there is, or a copy of what that is of, mostly by its driver and with
/// room for it.
void ControllerSimulation::write_restored() {
  if (snapshots_.empty()) return;
  const auto source = std::next(snapshots_.begin(), static_cast<long>(random_.below(snapshots_.size())));
  const std::string file = random_name("c", claims_max, random_) + ".yaml";
  if (claims_.contains(file)) return;
  std::string driver = std::to_string(random_.below(drivers_.size()));
  const auto content = contents_.find(source->second.content + ".yaml");
  if (content != contents_.end()) driver = std::to_string(content->second.driver);
  if (const auto origin = claims_.find(source->second.claim + ".yaml"); origin != claims_.end())
    driver = origin->second.storage_class.substr(4);
  Claim& claim = claims_[file];
  claim.storage_class = (random_.chance(3) ? "late" : "fast") + driver;
  claim.mebibytes = 64 + 32 * random_.below(4);
  const bool is_clone = random_.chance(3) && !source->second.claim.empty();
  (is_clone ? claim.copied : claim.snapshot) =
      is_clone ? source->second.claim : source->first.substr(0, source->first.find('.'));
  note("user: writes " + file + "\n" + text_of(file));
  tell(file);
}

std::string ControllerSimulation::random_class_for(const std::string& claim) {
  const auto known = claims_.find(claim + ".yaml");
  std::string driver = std::to_string(random_.below(drivers_.size()));
  if (known != claims_.end() && !random_.chance(8)) driver = known->second.storage_class.substr(4);
  const char* kinds[] = {"", "cut", "keep"};
  const std::string kind = kinds[random_.below(3)];
  return kind.empty() ? kind : kind + driver;
}

/// A new one, or another class or claim for one that is there.
void ControllerSimulation::write_snapshot() {
  const std::string name = random_name("s", snapshots_max, random_);
  const std::string file = name + ".yaml";
  const bool is_new = !snapshots_.contains(file);
  Snapshot& snapshot = snapshots_[file];
  if (is_new || random_.chance(2)) {
    snapshot.claim = random_name("c", claims_max, random_);
    const bool is_known = !claims_.empty() && !random_.chance(4);
    if (is_known) {
      const auto any = std::next(claims_.begin(), static_cast<long>(random_.below(claims_.size())));
      snapshot.claim = any->first.substr(0, any->first.find('.'));
    }
  }
  snapshot.snapshot_class = random_class_for(snapshot.claim);
  if (is_new && random_.chance(4)) snapshot.uid = "uid-of-" + name;
  for (const auto& [other, content] : contents_) {
    if (is_new && content.snapshot == name && random_.chance(2))
      snapshot.content = other.substr(0, other.find('.'));
  }
  note("user: writes " + file + "\n" + text_of(file));
  tell(file);
}

/// What was retained, or what nobody here had cut.
ControllerSimulation::Content ControllerSimulation::random_content() {
  Content content{random_.below(drivers_.size()), {}, random_name("s", snapshots_max, random_)};
  for (const auto& [name, row] : shell_.ledger().ledger().snapshots) {
    if (row.state != LedgerSnapshot::State::Released || !random_.chance(2)) continue;
    content.driver = row.driver.str() == csi_name(0) ? 0 : 1;
    content.handle = row.handle;
    return content;
  }
  content.handle = drivers_[content.driver].controller->snapshots().add_foreign(std::uint64_t{32} << 20U);
  return content;
}

void ControllerSimulation::write_content() {
  const std::string name = random_name("k", contents_max, random_);
  const std::string file = name + ".yaml";
  if (contents_.contains(file)) return;
  const Content content = random_content();
  contents_[file] = content;
  told_snapshots_.insert(content.handle);
  note("user: writes " + file + "\n" + text_of(file));
  tell(file);
  const std::string snapshot = content.snapshot + ".yaml";
  if (snapshots_.contains(snapshot)) return;
  snapshots_[snapshot].content = name;
  note("user: writes " + snapshot + "\n" + text_of(snapshot));
  tell(snapshot);
}

}  // namespace mooring::sim
