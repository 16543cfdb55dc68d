// Claims that StatefulSets' templates and pods' ephemeral volumes make, and when they end.

#include "binding_fixture.h"

namespace mooring {
namespace {

using testing::HasSubstr;
using State = LedgerVolume::State;

std::string stateful_set(int replicas, const std::string& policy = "") {
  return "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n  replicas: " +
         std::to_string(replicas) + "\n  persistentVolumeClaimRetentionPolicy: {" + policy +
         "}\n  template: {spec: {containers: [{name: c}]}}\n  volumeClaimTemplates:\n  - metadata: {name: "
         "data}\n    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n---\n";
}

std::string ephemeral_pod(const std::string& metadata = "") {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: web" + metadata +
         "}\nspec:\n  containers: [{name: c}]\n  volumes: [{name: tmp, ephemeral: {volumeClaimTemplate: "
         "{spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}}]\n---\n";
}

struct Owners : Binding {
  Result<ResolvedVolume> resolve_first(const manifest::Pod& pod) {
    return resolve_volume(pod, pod.volumes.at(0), {ledger, last.claims}, NodeName("n1"), labels);
  }
  std::shared_ptr<const manifest::Pod> pod_in_store() { return store.find_pod(store.pods().at(0))->pod; }
};

TEST_F(Owners, a_stateful_sets_claims_outlive_its_scaling_and_return_to_their_pods) {
  read(stateful_set(2), "set.yaml");
  settle();
  make_volume_of("data-db-0");
  make_volume_of("data-db-1");
  const LedgerClaim before = *find("data-db-1");
  read(stateful_set(1), "set.yaml");
  settle();
  ASSERT_NE(find("data-db-1"), nullptr);
  EXPECT_EQ(*find("data-db-1"), before);
  store.remove("set.yaml");
  settle();
  EXPECT_EQ(*find("data-db-1"), before) << "nor does it go with the set";
  read(stateful_set(3), "set.yaml");
  settle();
  EXPECT_EQ(find("data-db-1")->claim.uid, before.claim.uid);
  EXPECT_EQ(find("data-db-1")->volume, before.volume);
}

TEST_F(Owners, the_policy_says_when_a_stateful_sets_claims_end) {
  struct Case {
    const char* policy;
    bool ends_when_scaled;
    bool ends_when_deleted;
  };
  for (const Case& c : {Case{"", false, false}, Case{"whenScaled: Delete", true, false},
                        Case{"whenDeleted: Delete", false, true},
                        Case{"whenScaled: Delete, whenDeleted: Delete", true, true}}) {
    ledger = {};
    read(stateful_set(2, c.policy), "set.yaml");
    settle();
    read(stateful_set(1, c.policy), "set.yaml");
    settle();
    EXPECT_EQ(find("data-db-1") == nullptr, c.ends_when_scaled) << c.policy;
    EXPECT_NE(find("data-db-0"), nullptr) << c.policy;
    store.remove("set.yaml");
    settle();
    EXPECT_EQ(find("data-db-0") == nullptr, c.ends_when_deleted) << c.policy;
  }
}

TEST_F(Owners, the_policy_that_counts_is_the_one_that_the_stateful_set_has_now) {
  read(stateful_set(3, "whenScaled: Delete"), "set.yaml");
  settle();
  make_volume_of("data-db-2");
  read(stateful_set(2, "whenScaled: Retain, whenDeleted: Delete"), "set.yaml");
  settle();
  ASSERT_NE(find("data-db-2"), nullptr) << "one save took the policy back and scaled";
  EXPECT_FALSE(find("data-db-2")->claim.owner.delete_when_scaled);
  EXPECT_TRUE(find("data-db-2")->claim.owner.delete_when_deleted);
  read(stateful_set(2, "whenDeleted: Retain"), "set.yaml");
  settle();
  store.remove("set.yaml");
  settle();
  EXPECT_NE(find("data-db-2"), nullptr) << "the last policy counts, also of what was kept";
  read(stateful_set(2, "whenScaled: Delete"), "set.yaml");
  settle();
  EXPECT_EQ(find("data-db-2"), nullptr);
}

TEST_F(Owners, a_stateful_set_that_cannot_be_read_is_not_gone) {
  read(stateful_set(1, "whenDeleted: Delete"), "set.yaml");
  settle();
  ObjectStore other;
  other.apply(
      manifest::parse_file(text_replaced(stateful_set(1), "replicas: 1", "replicas: many"), "set.yaml"));
  store = other;
  settle();
  EXPECT_NE(find("data-db-0"), nullptr);
}

TEST_F(Owners, kb_13_9_an_ephemeral_claim_ends_with_its_pod_when_nothing_of_that_is_left) {
  read(ephemeral_pod());
  settle();
  ASSERT_NE(find("web-tmp"), nullptr);
  const ObjectName volume = find("web-tmp")->volume;
  make_volume_of("web-tmp");
  const auto pod = pod_in_store();
  ASSERT_TRUE(resolve_first(*pod)) << resolve_first(*pod).error().text();
  claims_in_use.insert(claim_key("web-tmp"));
  store.remove("f.yaml");
  settle();
  EXPECT_TRUE(find("web-tmp")->is_being_deleted);
  claims_in_use.clear();
  settle();
  EXPECT_EQ(find("web-tmp"), nullptr);
  EXPECT_EQ(find_volume(volume.str())->state, State::Deleting);
}

TEST_F(Owners, kb_2_3_a_pod_waits_for_its_own_claim_while_another_has_the_name) {
  read(persistent("pv"), "pv.yaml");
  read(claim("web-tmp"), "c.yaml");
  EXPECT_EQ(volume_of("web-tmp"), "pv");
  read(ephemeral_pod(), "pod.yaml");
  settle();
  const auto pod = pod_in_store();
  const auto resolved = resolve_first(*pod);
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().reason, "NotTheEphemeralClaim");
  EXPECT_THAT(resolved.error().message, HasSubstr("was not created for pod default/web"));
  store.remove("c.yaml");
  settle();
  EXPECT_EQ(find("web-tmp")->claim.owner.kind, manifest::ClaimOwner::Kind::Pod)
      << "the pod does not hold what is not its own";
  EXPECT_EQ(find_volume("pv")->state, State::Released);
  make_volume_of("web-tmp");
  EXPECT_TRUE(resolve_first(*pod));
}

TEST_F(Owners, a_claim_that_ends_for_the_next_pods_says_whose_it_was) {
  read(ephemeral_pod(", uid: p1"));
  settle();
  claims_in_use.insert(claim_key("web-tmp"));
  read(ephemeral_pod(", uid: p2"));
  settle();
  EXPECT_EQ(condition("web-tmp").reason, "ClaimBeingDeleted");
  EXPECT_THAT(condition("web-tmp").message,
              testing::AllOf(HasSubstr("the pod default/web with the uid \"p2\""),
                             HasSubstr("the pod default/web with the uid \"p1\"")));
}

TEST_F(Owners, kb_2_3_the_claim_of_a_pod_is_not_the_next_pods_of_that_name) {
  read(ephemeral_pod(", uid: p1"));
  settle();
  make_volume_of("web-tmp");
  const LedgerClaim before = *find("web-tmp");
  claims_in_use.insert(claim_key("web-tmp"));
  read(ephemeral_pod(", uid: p2"));
  settle();
  EXPECT_TRUE(find("web-tmp")->is_being_deleted);
  EXPECT_EQ(resolve_first(*pod_in_store()).error().reason, "NotTheEphemeralClaim");
  claims_in_use.clear();
  settle();
  EXPECT_NE(find("web-tmp")->claim.uid, before.claim.uid);
  EXPECT_EQ(find("web-tmp")->claim.owner.uid, "p2");
  EXPECT_EQ(ledger.find(before.volume)->state, State::Deleting);
}

}  // namespace
}  // namespace mooring
