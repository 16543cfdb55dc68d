#include "rehearsal.h"

#include <utility>

#include "output.h"

namespace mooring::ctl {
namespace {

CoreOptions core_options(const NodeInfo& node) {
  CoreOptions options;
  options.node = node;
  return options;
}

/// Of a plan that has nothing more to change this is never reached.
constexpr int rounds_max = 100;

}  // namespace

MountTable bare_mounts() {
  MountFact root;
  root.id = 1;
  root.mount_point = "/";
  root.root = "/";
  root.type = "ext4";
  root.options = "rw";
  root.source = "none";
  return MountTable::from_facts({root});
}

ImaginedClaims imagine_claims(const ObjectStore& objects, const NodeInfo& node) {
  ImaginedClaims claims;
  const Provisioners provisioners;
  std::map<ObjectKey, const manifest::Pod*> by_key;
  for (const PodUid& uid : objects.pods()) {
    const StoredPod* stored = objects.find_pod(uid);
    if (stored != nullptr) by_key.emplace(stored->pod->key, stored->pod.get());
  }
  BindingWorld world{objects, provisioners, node.name, node.labels, node.root_dir, true, {}, {}, {}, {}, {}};
  for (const auto& [key, pod] : by_key)
    world.pods.push_back(pod);
  Random random(1);
  for (int round = 0; round < rounds_max; ++round) {
    BindingPlan plan = plan_bindings(claims.ledger, world, random);
    claims.conditions = std::move(plan.claims);
    if (plan.changes.empty()) break;
    apply(claims.ledger, plan.changes);
    world.ends.clear();
    for (const auto& [name, row] : claims.ledger.volumes) {
      if (row.state == LedgerVolume::State::Provisioning)
        world.ends[name] = {VolumeWorkEnd::Kind::Made, row.volume->capacity, {}};
    }
  }
  return claims;
}

Rehearsal::Rehearsal(const NodeInfo& node, const PluginRegistry& plugins)
    : core_(core_options(node), plugins), now_{MonotonicTime{}, now_wall()} {}

Effects Rehearsal::run(std::vector<manifest::ParsedFile> files) {
  core_.handle(RecordsRead{}, now_);
  core_.handle(LedgerRead{Ledger{}}, now_);
  core_.handle(MountsRead{std::make_shared<const MountTable>(bare_mounts())}, now_);
  for (const Operation& operation : core_.take_effects(now_).operations) {
    Outcome outcome;
    outcome.id = operation.id;
    outcome.steps_done = 1;
    outcome.tree = TreeFacts{};
    core_.handle(OperationEnded{std::move(outcome)}, now_);
  }
  ListingCompleted listing;
  for (manifest::ParsedFile& file : files) {
    listing.files.push_back(file.file);
    core_.handle(FileParsed{std::move(file)}, now_);
  }
  core_.handle(std::move(listing), now_);
  Effects all;
  take(all);
  return all;
}

/// What is to be done, with all that follows from claims that are bound.
void Rehearsal::take(Effects& all) {
  for (int round = 0; round < rounds_max; ++round) {
    Effects effects = core_.take_effects(now_);
    bool goes_on = false;
    if (effects.ledger) {
      core_.handle(LedgerWritten{effects.ledger->sequence}, now_);
      goes_on = true;
    }
    for (Operation& operation : effects.operations) {
      if (operation.pod.empty() && operation.device.empty()) {  // Of a volume that no pod has yet.
        Outcome outcome;
        outcome.id = operation.id;
        core_.handle(OperationEnded{std::move(outcome)}, now_);
        goes_on = true;
      }
      all.operations.push_back(std::move(operation));
    }
    if (!goes_on) return;
  }
}

}  // namespace mooring::ctl
