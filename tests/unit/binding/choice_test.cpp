// kubelet-behaviours 18.1, line by line: which of the volumes that are there a claim gets.

#include "binding_fixture.h"

namespace mooring {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string one = "accessModes: [ReadWriteOnce]";
const std::string two = "accessModes: [ReadWriteOnce, ReadWriteMany]";

TEST_F(Binding, kb_18_1_the_smallest_volume_that_is_large_enough) {
  read(sized(persistent("large"), "9Gi") + sized(persistent("small"), "512Mi") +
       sized(persistent("fits"), "2Gi") + claim("c"));
  EXPECT_EQ(volume_of("c"), "fits");
  EXPECT_EQ(find("c")->capacity, quantity("2Gi")) << "what the volume has, not what was asked for";
  EXPECT_TRUE(find("c")->was_chosen);
  EXPECT_TRUE(find_volume("fits")->was_chosen);
  EXPECT_EQ(find_volume("fits")->volume->claim->key, claim_key("c"));
  EXPECT_EQ(find_volume("fits")->volume->claim->uid, find("c")->claim.uid);
  EXPECT_EQ(find_volume("large"), nullptr) << "nobody's volumes are in the manifests alone";
}

TEST_F(Binding, kb_18_1_few_access_modes_come_before_a_small_size) {
  read(sized(persistent("plain"), "9Gi") + text_replaced(persistent("shared"), one, two) + claim("c"));
  EXPECT_EQ(volume_of("c"), "plain");
  read(sized(persistent("plain"), "9Gi") + text_replaced(persistent("shared"), one, two) + claim("c") +
       text_replaced(claim("d"), one, "accessModes: [ReadWriteMany]"));
  EXPECT_EQ(volume_of("d"), "shared") << "a set of modes that holds what is asked for";
}

TEST_F(Binding, kb_18_1_the_access_modes_hold_all_that_is_asked_for) {
  read(persistent("pv") + text_replaced(claim("c"), one, two));
  EXPECT_EQ(volume_of("c"), "FailedBinding");
}

TEST_F(Binding, kb_18_1_of_equal_volumes_the_first_by_name) {
  read(persistent("pv-b") + persistent("pv-a") + persistent("pv-c") + claim("c"));
  EXPECT_EQ(volume_of("c"), "pv-a");
}

TEST_F(Binding, kb_18_1_sizes_are_compared_exactly) {
  read(sized(persistent("pv"), "1G") + claim("c"));
  EXPECT_EQ(volume_of("c"), "FailedBinding") << "1G is less than 1Gi";
  read(sized(persistent("pv"), "800E") + sized(claim("c"), "800E"));
  EXPECT_EQ(volume_of("c"), "pv");
}

TEST_F(Binding, kb_18_1_volumes_that_do_not_fit_are_passed_by) {
  struct Case {
    const char* name;
    std::string volume;
    std::string of_claim;
    bool fits;
  };
  const std::string wants = "  selector: {matchLabels: {app: nfs}}\n";
  const auto expression = [](const std::string& text) {
    return "  selector: {matchExpressions: [" + text + "]}\n";
  };
  const std::string labelled = ", labels: {app: nfs}";
  const std::string node =
      "  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: "
      "kubernetes.io/hostname, operator: In, values: [N]}]}]}}\n";
  for (const Case& c : {
           Case{"same", persistent("pv"), claim("c"), true},
           Case{"mode", persistent("pv", "  volumeMode: Block\n"), claim("c"), false},
           Case{"both block", persistent("pv", "  volumeMode: Block\n"), claim("c", "  volumeMode: Block\n"),
                true},
           Case{"deletion", persistent("pv", "", ", deletionTimestamp: \"2026-01-01T00:00:00Z\""), claim("c"),
                false},
           Case{"another's", persistent("pv", "  claimRef: {name: other}\n"), claim("c"), false},
           Case{"another namespace's", persistent("pv", "  claimRef: {namespace: x, name: c}\n"), claim("c"),
                false},
           Case{"another uid's", persistent("pv", "  claimRef: {name: c, uid: u1}\n"),
                claim("c", "", ", uid: u2"), false},
           Case{"class of the volume", persistent("pv", "  storageClassName: fast\n"), claim("c"), false},
           Case{"class of both", persistent("pv", "  storageClassName: fast\n"),
                claim("c", "  storageClassName: fast\n"), true},
           Case{"class by annotation",
                persistent("pv", "  storageClassName: slow\n",
                           ", annotations: {volume.beta.kubernetes.io/storage-class: fast}"),
                claim("c", "  storageClassName: fast\n"), true},
           Case{"selector", persistent("pv", "", labelled), claim("c", wants), true},
           Case{"selector, other label", persistent("pv", "", ", labels: {app: db}"), claim("c", wants),
                false},
           Case{"selector, no label", persistent("pv"), claim("c", wants), false},
           Case{"In", persistent("pv", "", labelled),
                claim("c", expression("{key: app, operator: In, values: [a, nfs]}")), true},
           Case{"not In", persistent("pv", "", labelled),
                claim("c", expression("{key: app, operator: In, values: [a]}")), false},
           Case{"NotIn", persistent("pv", "", labelled),
                claim("c", expression("{key: app, operator: NotIn, values: [nfs]}")), false},
           Case{"NotIn without the label", persistent("pv"),
                claim("c", expression("{key: app, operator: NotIn, values: [nfs]}")), true},
           Case{"Exists", persistent("pv", "", labelled),
                claim("c", expression("{key: app, operator: Exists}")), true},
           Case{"DoesNotExist", persistent("pv", "", labelled),
                claim("c", expression("{key: app, operator: DoesNotExist}")), false},
           Case{"this node", persistent("pv", text_replaced(node, "[N]", "[n1]")), claim("c"), true},
           Case{"another node", persistent("pv", text_replaced(node, "[N]", "[n2]")), claim("c"), false},
       }) {
    ledger = {};
    read(c.volume + c.of_claim);
    EXPECT_EQ(volume_of("c") == "pv", c.fits) << c.name;
  }
}

TEST_F(Binding, kb_18_1_a_volume_that_names_the_claim_is_chosen_at_once) {
  read(persistent("pv-a") +
       sized(persistent("pv-b", "  claimRef: {name: c}\n  storageClassName: fast\n"), "9Gi") +
       claim("c", "  selector: {matchLabels: {app: nfs}}\n"));
  EXPECT_EQ(volume_of("c"), "pv-b") << "whatever its class, labels and size";
  EXPECT_FALSE(find_volume("pv-b")->was_chosen) << "somebody wrote the claimRef";
}

TEST_F(Binding, kb_18_1_a_volume_that_names_the_claim_by_its_uid) {
  read(persistent("pv", "  claimRef: {name: c, uid: u1}\n") + claim("c", "", ", uid: u1"));
  EXPECT_EQ(volume_of("c"), "pv");
  ledger = {};
  read(persistent("pv", "  claimRef: {name: c, uid: u1}\n") + claim("c"));
  EXPECT_EQ(volume_of("c"), "pv") << "nobody wrote a uid of the claim that it could contradict";
}

TEST_F(Binding, kb_18_1_a_volume_that_names_the_claim_must_fit_all_the_same) {
  read(persistent("pv", "  claimRef: {name: c}\n") + sized(claim("c"), "2Gi"));
  EXPECT_EQ(volume_of("c"), "FailedBinding");
  EXPECT_THAT(condition("c").message, HasSubstr("PV \"pv\" names this claim, but does not fit it: its "
                                                "capacity 1Gi is less than the request 2Gi"));
  read(persistent("pv", "  claimRef: {name: c}\n") + sized(persistent("other"), "3Gi") +
       sized(claim("c"), "2Gi"));
  EXPECT_EQ(volume_of("c"), "other");
}

TEST_F(Binding, kb_18_1_no_two_claims_get_one_volume) {
  read(persistent("pv-1") + sized(persistent("pv-2"), "5Gi") + claim("a") + claim("b") + claim("c"));
  EXPECT_EQ(volume_of("a"), "pv-1");
  EXPECT_EQ(volume_of("b"), "pv-2");
  EXPECT_EQ(volume_of("c"), "FailedBinding");
  EXPECT_EQ(condition("c").message,
            "no persistent volumes available for this claim and no storage class is set");
  EXPECT_THAT(condition("c").action, HasSubstr("PersistentVolume"));
}

TEST_F(Binding, kb_18_1_a_volume_that_comes_later_is_found) {
  read(claim("c"), "c.yaml");
  EXPECT_EQ(volume_of("c"), "FailedBinding");
  const std::string uid = find("c")->claim.uid;
  EXPECT_THAT(uid,
              testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  read(persistent("pv"), "pv.yaml");
  EXPECT_EQ(volume_of("c"), "pv");
  EXPECT_EQ(find("c")->claim.uid, uid);
  EXPECT_THAT(events(), ElementsAre("Normal Bound persistentvolumeclaim/default/c"));
  settle();
  EXPECT_THAT(events(), IsEmpty()) << "told once";
}

TEST_F(Binding, kb_18_3_both_halves_are_in_one_change) {
  read(persistent("pv") + claim("c"));
  const BindingPlan plan = plan_bindings(ledger, world(), random);
  ASSERT_EQ(plan.changes.claims.size(), 1u);
  ASSERT_EQ(plan.changes.volumes.size(), 1u);
  EXPECT_TRUE(plan.changes.claims.at(claim_key("c"))->is_bound);
  EXPECT_EQ(plan.changes.volumes.at(ObjectName("pv"))->state, LedgerVolume::State::Bound);
  ASSERT_EQ(plan.events.size(), 1u);
  EXPECT_EQ(plan.events[0].object, "persistentvolumeclaim/default/c");
}

TEST_F(Binding, two_claims_of_one_uid_are_not_both_begun) {
  read(claim("a", "", ", uid: u1") + claim("b", "", ", uid: u1") + persistent("pv") + persistent("pv2"));
  EXPECT_EQ(volume_of("a"), "pv");
  EXPECT_EQ(volume_of("b"), "DuplicateUid");
  EXPECT_EQ(find("b"), nullptr);
  read(claim("b", "", ", uid: u1") + persistent("pv") + persistent("pv2"));
  EXPECT_EQ(volume_of("b"), "pv2");
}

TEST_F(Binding, nothing_is_decided_before_all_manifests_were_read) {
  is_complete = false;
  read(persistent("pv") + claim("c") + claim("gone"), "f.yaml");
  EXPECT_EQ(volume_of("c"), "ManifestsUnread");
  EXPECT_TRUE(last.changes.empty());
  is_complete = true;
  EXPECT_EQ(volume_of("c"), "pv");
  is_complete = false;
  store.remove("f.yaml");
  settle();
  EXPECT_TRUE(find("c")->is_bound);
  EXPECT_FALSE(find("c")->is_being_deleted);
  EXPECT_EQ(condition("gone").reason, "ManifestsUnread");
}

}  // namespace
}  // namespace mooring
