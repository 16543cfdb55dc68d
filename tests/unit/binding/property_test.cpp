// Random lives of a node: manifests come and go, pods use claims, work ends, writes are lost. What must be
// true after each step, whatever happened.

#include <cstdlib>
#include <iterator>
#include <set>
#include <utility>

#include "binding_fixture.h"
#include "manifest/encode.h"

namespace mooring {
namespace {

using testing::IsEmpty;
using State = LedgerVolume::State;
using Kind = VolumeWorkEnd::Kind;

/// Writes manifests by chance, each in a file of its own.
class Writer {
 public:
  explicit Writer(std::uint64_t seed) : random(seed) {}

  std::string some_manifest() {
    switch (random.below(8)) {
      case 0:
      case 1:
        return some_volume();
      case 2:
        return some_class();
      case 3:
        return some_pod();
      case 4:
        return some_set();
      default:
        return some_claim();
    }
  }

  /// The manifest with a mistake: most leave no doubt which object it is, some do.
  std::string broken(std::string text) {
    if (random.chance(4)) return "kind: [\n";
    const std::size_t at = text.find("spec:");
    return at == std::string::npos ? text + "reclaimPolicy: 7\n" : text.substr(0, at) + "spec: 7\n---\n";
  }

  Random random;

 private:
  std::string name_of(const char* letters, std::uint64_t count) {
    return letters + std::to_string(random.below(count));
  }
  std::string pick(const std::vector<std::string>& from) { return from.at(random.below(from.size())); }
  std::string some_size() { return std::to_string(1 + random.below(3)) + "Gi"; }

  std::string some_claim() {
    std::string spec = pick({"", "", "  storageClassName: null\n", "  storageClassName: k0\n",
                             "  storageClassName: k1\n", "  storageClassName: k2\n"});
    if (random.chance(4)) spec += "  volumeName: " + name_of("pv", 4) + "\n";
    if (random.chance(8)) spec += "  selector: {matchLabels: {a: b}}\n";
    if (random.chance(8)) spec += "  volumeMode: Block\n";
    std::string metadata = random.chance(4) ? ", uid: " + name_of("u", 3) : "";
    if (random.chance(12)) metadata += ", deletionTimestamp: \"2026-01-01T00:00:00Z\"";
    metadata += pick({"", "", "", ", annotations: {pv.kubernetes.io/bind-completed: \"yes\"}",
                      ", annotations: {volume.beta.kubernetes.io/storage-class: k0}"});
    return sized(claim(pick({"c0", "c1", "c2", "data-db-0", "web0-tmp"}), spec, metadata), some_size());
  }
  std::string some_volume() {
    std::string spec = "  persistentVolumeReclaimPolicy: " + pick({"Retain", "Delete", "Recycle"}) + "\n";
    if (random.chance(2)) spec += "  storageClassName: " + pick({"k0", "k1", "Not_A_Class"}) + "\n";
    if (random.chance(3)) {
      spec += "  claimRef: {name: " + name_of("c", 3) +
              (random.chance(3) ? ", uid: " + name_of("u", 3) : "") + "}\n";
    }
    if (random.chance(10)) spec += "  volumeMode: Block\n";
    if (random.chance(2)) spec += "  hostPath: {path: /srv/" + name_of("p", 3) + "}\n";
    if (random.chance(6) && spec.find("hostPath") == std::string::npos)
      spec += "  csi: {driver: block.mooring.io, volumeHandle: h}\n";
    return sized(persistent(name_of("pv", 4), spec, random.chance(3) ? ", labels: {a: b}" : ""), some_size());
  }
  std::string some_class() {
    std::string more = random.chance(2) ? waits : "";
    if (random.chance(2)) more += "allowVolumeExpansion: true\n";
    if (random.chance(4)) more += "reclaimPolicy: Retain\n";
    if (random.chance(3)) more += "parameters: {path: /srv/" + name_of("v", 2) + "}\n";
    more += "provisioner: " +
            pick({"directory.mooring.io", "block.mooring.io", "kubernetes.io/no-provisioner", "x.io/y"}) +
            "\n";
    return storage_class(name_of("k", 3), more, random.chance(5) ? is_default : "");
  }
  std::string some_pod() {
    std::vector<std::string> claims;
    for (const char* name : {"c0", "c1", "c2"}) {
      if (random.chance(2)) claims.emplace_back(name);
    }
    std::string text = pod_of(name_of("web", 2), claims, random.chance(3) ? ", uid: " + name_of("p", 2) : "");
    if (random.chance(2)) {
      text =
          text_replaced(text, "  volumes:\n",
                        "  volumes:\n  - {name: tmp, ephemeral: {volumeClaimTemplate: {spec: {accessModes: "
                        "[ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}}\n");
    }
    return text;
  }
  std::string some_set() {
    return "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n  replicas: " +
           std::to_string(random.below(3)) + "\n  persistentVolumeClaimRetentionPolicy: {" +
           pick({"", "whenDeleted: Delete", "whenScaled: Delete"}) +
           "}\n  template: {spec: {containers: [{name: c}]}}\n  volumeClaimTemplates:\n  - metadata: {name: "
           "data}\n    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: " +
           some_size() + "}}}\n---\n";
  }
};

std::string text_of(const LedgerChanges& changes) {
  std::string text;
  for (const auto& [key, row] : changes.claims) {
    text += "\n" + key.text() + ": " +
            (row ? manifest::encode(row->claim) + " volume " + row->volume.str() : "gone");
  }
  for (const auto& [name, row] : changes.volumes) {
    text +=
        "\n" + name.str() + ": " +
        (row ? std::to_string(static_cast<int>(row->state)) + " " + manifest::encode(*row->volume) : "gone");
  }
  return text;
}

/// A node's life, and what was seen in it.
struct Life : Binding {
  void edit(Writer& writer) {
    const std::string file = "f" + std::to_string(writer.random.below(14));
    if (writer.random.chance(3)) {
      files.erase(file);
      store.remove(file);
      return;
    }
    std::string text = writer.some_manifest();
    if (writer.random.chance(8)) {
      // Somebody pastes, and slips: into what was good, or alone.
      const std::string slip = writer.broken(writer.some_manifest());
      text = writer.random.chance(2) ? text + slip : slip;
      to_mend.insert(file);
    }
    put(file, text);
  }

  void put(const std::string& file, const std::string& text) {
    files[file] = text;
    store.apply(manifest::parse_file(text, file));
  }

  /// Files cannot be read for a while, and are written anew when they were broken.
  void break_and_mend(Writer& writer) {
    for (const std::string& file : std::exchange(to_mend, {})) {
      if (!files.contains(file)) continue;
      if (!writer.random.chance(3)) {
        to_mend.insert(file);
      } else {
        put(file, writer.random.chance(2) ? writer.some_manifest() : "# nothing\n");
      }
    }
    for (const std::string& file : std::exchange(unreadable, {})) {
      if (files.contains(file)) put(file, files.at(file));
    }
    if (files.empty() || !writer.random.chance(8)) return;
    const auto file = std::next(files.begin(), static_cast<int>(writer.random.below(files.size())));
    store.mark_unreadable(file->first, "EACCES: Permission denied");
    unreadable.insert(file->first);
  }

  /// As `mooringctl release` does.
  void release_some(Random& chance) {
    for (auto row = ledger.volumes.begin(); row != ledger.volumes.end();) {
      const auto one = row++;
      const State state = one->second.state;
      if ((state != State::Released && state != State::Failed) || !chance.chance(8)) continue;
      if (store.find_persistent_volume(one->first) != nullptr) {
        ledger.volumes.erase(one);
        continue;
      }
      auto free = std::make_shared<manifest::PersistentVolume>(*one->second.volume);
      free->claim.reset();
      one->second.volume = std::move(free);
      one->second.state = State::Available;
      one->second.message.clear();
    }
  }

  void use_and_leave(Random& chance) {
    claims_in_use.clear();
    volumes_in_use.clear();
    staged_bytes.clear();
    for (const auto& [key, row] : ledger.claims) {
      if (chance.chance(4)) claims_in_use.insert(key);
    }
    for (const auto& [name, row] : ledger.volumes) {
      if (chance.chance(4)) volumes_in_use.insert(name);
      if (chance.chance(3)) staged_bytes[name] = (1 + chance.below(4)) << 30;
    }
  }

  void end_some_work(Random& chance) {
    for (const auto& [name, row] : ledger.volumes) {
      if (!chance.chance(3)) continue;
      const bool is_impossible = chance.chance(5);
      const bool grows = row.state == State::Bound && row.volume->capacity > row.made_capacity;
      if (row.state == State::Provisioning) ends[name].kind = Kind::Made;
      if (row.state == State::Deleting) ends[name].kind = Kind::Removed;
      if (row.state == State::Recycling) ends[name].kind = Kind::Emptied;
      if (grows) ends[name] = {Kind::Grown, row.volume->capacity, ""};
      if (is_impossible && ends.contains(name)) ends[name] = {Kind::Impossible, {}, "it cannot be"};
      if (chance.chance(10)) ends[name].kind = Kind::Made;  // One that comes too late, or twice.
    }
  }

  /// What a plan may never do, whatever led to it.
  void check(const BindingPlan& plan, const Ledger& after) const {
    EXPECT_THAT(broken_rules(after), IsEmpty());
    for (const auto& [key, row] : ledger.claims) {
      const LedgerClaim* now = after.find(key);
      if (claims_in_use.contains(key)) {
        ASSERT_NE(now, nullptr) << key.text() << " is in use";
        EXPECT_EQ(now->claim.uid, row.claim.uid);
      }
      if (now == nullptr || now->claim.uid != row.claim.uid) continue;
      EXPECT_FALSE(now->capacity < row.capacity) << key.text() << " got smaller";
      if (row.is_bound) {
        EXPECT_TRUE(now->is_bound);
        EXPECT_EQ(now->volume, row.volume) << key.text() << " changed its volume";
      }
    }
    for (const auto& [name, change] : plan.changes.volumes) {
      const LedgerVolume* before = ledger.find(name);
      const State was = before == nullptr ? State::Bound : before->state;
      if (!change || before == nullptr || was == change->state) continue;
      const bool is_reclaimed = change->state == State::Deleting || change->state == State::Recycling;
      if (is_reclaimed && was != State::Provisioning) {
        EXPECT_FALSE(volumes_in_use.contains(name)) << name.str();
      }
      EXPECT_TRUE(change->state != State::Deleting || !change->provisioner.empty()) << name.str();
    }
    check_what_may_be_hidden(after);
    check_followed(after);
  }

  /// No claim ends, and no volume is made, while what would forbid that may be in what cannot be read.
  void check_what_may_be_hidden(const Ledger& after) const {
    for (const auto& [key, row] : ledger.claims) {
      const LedgerClaim* now = after.find(key);
      if (now != nullptr && now->claim.uid == row.claim.uid) continue;
      if (store.find_claim(key) != nullptr) continue;
      for (const auto& [file, text] : files) {
        EXPECT_EQ(text.find("Claim\nmetadata: {name: " + key.name.str()), std::string::npos) << file;
      }
      EXPECT_FALSE(store.may_hold_claim(key)) << key.text() << " may be in a manifest that is broken";
      if (row.claim.owner.kind != manifest::ClaimOwner::Kind::StatefulSet || row.is_being_deleted) continue;
      const auto* set = store.find_stateful_set(row.claim.owner.key);
      EXPECT_TRUE(set == nullptr ? row.claim.owner.delete_when_deleted : set->delete_when_scaled)
          << key.text() << " was to be kept";
    }
    for (const auto& [name, row] : after.volumes) {
      const bool is_begun = row.state == State::Provisioning && ledger.find(name) == nullptr;
      EXPECT_FALSE(is_begun && store.may_hold_some_volume()) << name.str();
    }
  }

  /// What is emptied is what its manifest wants emptied now.
  void check_followed(const Ledger& after) const {
    if (!is_complete) return;
    for (const auto& [name, row] : after.volumes) {
      if (row.state != State::Recycling) continue;
      const auto manifest = store.find_persistent_volume(name);
      EXPECT_TRUE(manifest != nullptr ? manifest->reclaim_policy == manifest::ReclaimPolicy::Recycle
                                      : store.may_hold_volume(name))
          << name.str();
    }
  }

  /// What is written can be read again, and says the same.
  static void check_encoding(const LedgerChanges& changes) {
    for (const auto& change : changes.claims) {
      if (!change.second) continue;
      const LedgerClaim& row = *change.second;
      const auto file = manifest::parse_file(manifest::encode(row.claim), "db");
      ASSERT_EQ(file.objects.size(), 1u) << manifest::encode(row.claim);
      manifest::PersistentVolumeClaim read =
          *std::get<std::shared_ptr<const manifest::PersistentVolumeClaim>>(file.objects[0]);
      read.owner = row.claim.owner;
      EXPECT_TRUE(read == row.claim) << manifest::encode(row.claim);
    }
    for (const auto& change : changes.volumes) {
      if (!change.second) continue;
      const LedgerVolume& row = *change.second;
      const auto file = manifest::parse_file(manifest::encode(*row.volume), "db");
      ASSERT_EQ(file.objects.size(), 1u) << manifest::encode(*row.volume);
      EXPECT_TRUE(*std::get<std::shared_ptr<const manifest::PersistentVolume>>(file.objects[0]) ==
                  *row.volume)
          << manifest::encode(*row.volume);
    }
  }

  /// One step: what happened is planned, and written unless the node dies before that.
  void step(Random& chance) {
    is_complete = !chance.chance(8);
    const BindingPlan plan = plan_bindings(ledger, world(), random);
    Ledger after = ledger;
    apply(after, plan.changes);
    check(plan, after);
    if (chance.chance(6)) {
      ends.clear();  // Nobody knows of them after a crash.
      return;
    }
    ledger = after;
    check_encoding(plan.changes);
    ends.clear();
    const BindingPlan again = plan_bindings(ledger, world(), random);
    EXPECT_TRUE(again.changes.empty()) << "there is nothing to add" << text_of(again.changes);
    EXPECT_THAT(again.events, IsEmpty());
    for (const auto& [key, row] : ledger.claims) {
      EXPECT_TRUE(row.is_bound || again.claims.contains(key)) << key.text() << " does not say why";
    }
  }

  /// The same manifests, read in another order by a node that knows nothing.
  void check_order(Random& chance) {
    is_complete = true;
    std::vector<std::string> names;
    for (const auto& [name, text] : files)
      names.push_back(name);
    Ledger first;
    for (int order = 0; order < 3; ++order) {
      for (std::size_t i = names.size(); i > 1; --i)
        std::swap(names[i - 1], names[chance.below(i)]);
      store = ObjectStore();
      for (const std::string& name : names)
        store.apply(manifest::parse_file(files.at(name), name));
      Ledger found;
      Random same(7);
      claims_in_use.clear();
      volumes_in_use.clear();
      apply(found, plan_bindings(found, world(), same).changes);
      if (order == 0) first = found;
      EXPECT_TRUE(found.claims == first.claims && found.volumes == first.volumes);
    }
  }

  std::map<std::string, std::string> files;
  std::set<std::string> to_mend;
  std::set<std::string> unreadable;
};

TEST_F(Life, no_rule_is_broken_whatever_happens) {
  const char* more = std::getenv("MOORING_TEST_SEEDS");
  const std::uint64_t seeds = more == nullptr ? 60 : std::strtoull(more, nullptr, 10);
  std::map<State, std::size_t> seen;
  std::size_t bound = 0;
  std::size_t lost = 0;
  std::size_t kept = 0;
  for (std::uint64_t seed = 1; seed <= seeds && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Writer writer(seed);
    store = ObjectStore();
    ledger = {};
    ends.clear();
    files.clear();
    to_mend.clear();
    unreadable.clear();
    for (int i = 0; i < 120 && !HasFailure(); ++i) {
      SCOPED_TRACE(testing::Message() << "step " << i);
      break_and_mend(writer);
      edit(writer);
      release_some(writer.random);
      if (writer.random.chance(2)) use_and_leave(writer.random);
      end_some_work(writer.random);
      step(writer.random);
      for (const auto& [name, row] : ledger.volumes)
        ++seen[row.state];
      for (const auto& [key, row] : ledger.claims) {
        bound += row.is_bound ? 1 : 0;
        lost += row.is_lost ? 1 : 0;
        kept += row.is_being_deleted ? 1 : 0;
      }
    }
    check_order(writer.random);
  }
  for (const State state : {State::Provisioning, State::Bound, State::Available, State::Released,
                            State::Deleting, State::Recycling, State::Failed})
    EXPECT_GT(seen[state], 20u) << static_cast<int>(state);
  EXPECT_GT(bound, 1000u);
  EXPECT_GT(lost, 50u);
  EXPECT_GT(kept, 100u);
}

}  // namespace
}  // namespace mooring
