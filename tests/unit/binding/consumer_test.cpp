// kubelet-behaviours 18.6: claims that wait for the first pod that uses them.

#include "binding_fixture.h"

namespace mooring {
namespace {

using testing::HasSubstr;
using State = LedgerVolume::State;

const std::string fast = "  storageClassName: fast\n";

struct Consumer : Binding {
  Consumer() { read(storage_class("fast", waits), "sc.yaml"); }
  /// Volumes of a class that nothing is made by.
  void only_volumes_that_are_there() {
    read(storage_class("fast", "provisioner: kubernetes.io/no-provisioner\n" + waits), "sc.yaml");
  }
};

TEST_F(Consumer, kb_18_6_a_claim_waits_for_a_pod) {
  read(persistent("pv", fast) + claim("c", fast));
  EXPECT_EQ(volume_of("c"), "WaitForFirstConsumer");
  EXPECT_FALSE(condition("c").is_warning);
  read(pod_of("web", {"c"}), "pod.yaml");
  EXPECT_EQ(volume_of("c"), "pv");
  store.remove("pod.yaml");
  EXPECT_EQ(volume_of("c"), "pv") << "what is bound stays bound";
}

TEST_F(Consumer, kb_18_6_a_volume_is_made_when_a_pod_comes) {
  read(claim("c", fast));
  EXPECT_EQ(volume_of("c"), "WaitForFirstConsumer");
  read(pod_of("web", {"c"}), "pod.yaml");
  EXPECT_EQ(volume_of("c").substr(0, 6), "making");
}

TEST_F(Consumer, kb_18_6_volumes_are_those_of_the_pods_node) {
  only_volumes_that_are_there();
  const std::string node =
      "  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: disk, operator: In, "
      "values: [ssd]}]}]}}\n";
  read(persistent("pv", fast + node) + claim("c", fast) + pod_of("web", {"c"}));
  EXPECT_EQ(volume_of("c"), "FailedBinding");
  labels["disk"] = "ssd";
  EXPECT_EQ(volume_of("c"), "pv");
}

TEST_F(Consumer, kb_18_6_a_pre_bound_volume_waits_for_nobody) {
  read(persistent("pv", fast + "  claimRef: {name: c}\n") + claim("c", fast));
  EXPECT_EQ(volume_of("c"), "pv");
  ledger = {};
  read(persistent("pv", fast) + claim("c", fast + "  volumeName: pv\n"));
  EXPECT_EQ(volume_of("c"), "pv");
}

TEST_F(Consumer, kb_18_6_two_claims_of_one_pod_get_two_volumes) {
  only_volumes_that_are_there();
  read(sized(persistent("pv-1", fast), "2Gi") + sized(persistent("pv-2", fast), "3Gi") +
       sized(claim("large", fast), "2Gi") + claim("small", fast) + pod_of("web", {"large", "small"}));
  EXPECT_EQ(volume_of("small"), "pv-1") << "the smallest request chooses first";
  EXPECT_EQ(volume_of("large"), "pv-2");
}

TEST_F(Consumer, kb_18_6_all_claims_of_the_pod_or_none) {
  only_volumes_that_are_there();
  read(persistent("pv-1", fast) + claim("a", fast) + claim("b", fast) + pod_of("web", {"a", "b"}));
  EXPECT_EQ(volume_of("a"), "WaitForFirstConsumer");
  EXPECT_THAT(condition("a").message, HasSubstr("default/b"));
  EXPECT_EQ(volume_of("b"), "FailedBinding");
  EXPECT_TRUE(ledger.volumes.empty());
  read(persistent("pv-2", fast), "pv2.yaml");
  EXPECT_EQ(volume_of("a"), "pv-1");
  EXPECT_EQ(volume_of("b"), "pv-2");
}

TEST_F(Consumer, kb_18_6_a_claim_that_is_not_there_holds_the_others) {
  read(persistent("pv", fast) + claim("a", fast) + pod_of("web", {"a", "missing"}));
  EXPECT_EQ(volume_of("a"), "WaitForFirstConsumer");
  EXPECT_THAT(condition("a").message, HasSubstr("default/missing is not there"));
}

TEST_F(Consumer, kb_18_6_a_claim_that_waits_for_nobody_must_have_its_volume_first) {
  read(storage_class("now") + claim("now", "  storageClassName: now\n") + persistent("pv", fast) +
       claim("later", fast) + pod_of("web", {"later", "now"}));
  EXPECT_EQ(volume_of("later"), "WaitForFirstConsumer");
  make_volume_of("now");
  EXPECT_EQ(volume_of("later"), "pv");
}

TEST_F(Consumer, kb_18_6_volumes_that_are_there_come_first_then_what_is_made) {
  read(persistent("pv", fast) + claim("a", fast) + claim("b", fast) + pod_of("web", {"a", "b"}));
  EXPECT_EQ(volume_of("a"), "pv");
  EXPECT_EQ(volume_of("b").substr(0, 6), "making");
  EXPECT_EQ(find_volume("pv")->state, State::Bound);
}

TEST_F(Consumer, kb_18_6_another_pod_may_be_the_first) {
  only_volumes_that_are_there();
  read(persistent("pv", fast) + claim("a", fast) + claim("b", fast) + pod_of("first", {"a", "b"}) +
       pod_of("second", {"b"}));
  EXPECT_EQ(volume_of("b"), "pv") << "the pod that needs no more than what is there";
  EXPECT_EQ(volume_of("a"), "FailedBinding");
}

TEST_F(Consumer, kb_18_6_a_pod_is_no_consumer_of_what_only_has_the_name_of_its_own_claim) {
  read(persistent("pv", fast) + claim("web-tmp", fast) + claim("other", fast) +
       text_replaced(pod_of("web", {"other"}), "  volumes:\n",
                     "  volumes:\n  - {name: tmp, ephemeral: {volumeClaimTemplate: {spec: {accessModes: "
                     "[ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}}\n"));
  EXPECT_EQ(volume_of("web-tmp"), "WaitForFirstConsumer");
  EXPECT_EQ(volume_of("other"), "WaitForFirstConsumer");
  EXPECT_THAT(condition("other").message, HasSubstr("default/web-tmp is not the pod's own"));
}

TEST_F(Consumer, kb_18_6_pods_of_other_namespaces_are_no_consumers) {
  read(persistent("pv", fast) + claim("c", fast) + pod_of("web", {"c"}, ", namespace: other"));
  EXPECT_EQ(volume_of("c"), "WaitForFirstConsumer");
}

}  // namespace
}  // namespace mooring
