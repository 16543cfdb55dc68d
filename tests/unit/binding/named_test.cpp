// kubelet-behaviours 18.2 and 18.4: claims that say which volume they want, or that had one in a cluster.

#include "binding_fixture.h"

namespace mooring {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string names_pv = "  volumeName: pv\n";
const std::string completed = ", annotations: {pv.kubernetes.io/bind-completed: \"yes\"}";

TEST_F(Binding, kb_18_2_a_volume_that_is_not_there_is_waited_for) {
  read(claim("c", names_pv));
  EXPECT_EQ(volume_of("c"), "VolumeNotFound");
  EXPECT_THAT(condition("c").message, StartsWith("failed to fetch PV \"pv\""));
  read(persistent("pv"), "pv.yaml");
  EXPECT_EQ(volume_of("c"), "pv");
  EXPECT_FALSE(find("c")->was_chosen) << "the claim chose it";
  EXPECT_TRUE(find_volume("pv")->was_chosen) << "the volume did not choose the claim";
}

TEST_F(Binding, kb_18_2_an_unclaimed_volume_must_fit_the_claim_that_names_it) {
  struct Case {
    const char* name;
    std::string volume;
    std::string of_claim;
    std::string differs;  ///< In the message; empty: it fits.
  };
  const std::string pv = persistent("pv");
  const std::string c = claim("c", names_pv);
  const std::string one = "[ReadWriteOnce]";
  for (const Case& each : {
           Case{"same", pv, c, ""},
           Case{"larger", sized(pv, "1025Mi"), c, ""},
           Case{"decimal is less", sized(pv, "1G"), c, "1G is less than the request 1Gi"},
           Case{"class", persistent("pv", "  storageClassName: fast\n"), c, "storageClassName"},
           Case{"class of the claim", pv, claim("c", names_pv + "  storageClassName: x\n"), "\"x\""},
           Case{"no class is an empty class", pv, claim("c", names_pv + "  storageClassName: null\n"), ""},
           Case{"mode", persistent("pv", "  volumeMode: Block\n"), c, "volumeMode is Block"},
           Case{"more access modes", text_replaced(pv, one, "[ReadWriteOnce, ReadWriteMany]"), c, ""},
           Case{"other access modes", text_replaced(pv, one, "[ReadWriteMany]"), c, "ReadWriteOnce"},
           Case{"deletion", persistent("pv", "", ", deletionTimestamp: \"2026-01-01T00:00:00Z\""), c,
                "being deleted"},
           Case{"a selector does not count", pv, claim("c", names_pv + "  selector: {matchLabels: {a: b}}\n"),
                ""},
           Case{"nor the node",
                persistent("pv",
                           "  nodeAffinity: {required: {nodeSelectorTerms: [{matchFields: [{key: "
                           "metadata.name, operator: In, values: [n2]}]}]}}\n"),
                c, ""},
       }) {
    ledger = {};
    read(each.volume + each.of_claim);
    if (each.differs.empty()) {
      EXPECT_EQ(volume_of("c"), "pv") << each.name;
      continue;
    }
    EXPECT_EQ(volume_of("c"), "VolumeMismatch") << each.name;
    EXPECT_THAT(condition("c").message, AllOf(StartsWith("PV \"pv\""), HasSubstr(each.differs))) << each.name;
    EXPECT_NE(condition("c").action, "") << each.name;
  }
}

TEST_F(Binding, kb_18_2_all_that_differs_is_told_at_once) {
  read(persistent("pv", "  volumeMode: Block\n  storageClassName: fast\n") +
       sized(claim("c", names_pv), "2Gi"));
  settle();
  EXPECT_THAT(condition("c").message, AllOf(HasSubstr("capacity"), HasSubstr("storageClassName"),
                                            HasSubstr("volumeMode"), Not(HasSubstr("access mode"))));
}

TEST_F(Binding, kb_18_2_a_volume_and_a_claim_that_name_each_other_are_bound_whatever_else_they_say) {
  read(persistent("pv", "  claimRef: {name: c}\n  storageClassName: fast\n") +
       sized(claim("c", names_pv), "2Gi"));
  EXPECT_EQ(volume_of("c"), "pv");
}

TEST_F(Binding, kb_18_2_a_volume_that_names_another_claim_is_not_this_ones) {
  read(persistent("pv", "  claimRef: {name: other}\n") + claim("c", names_pv));
  EXPECT_EQ(volume_of("c"), "FailedBinding");
  EXPECT_THAT(condition("c").message, HasSubstr("default/other"));
  read(persistent("pv", "  claimRef: {name: c, uid: u1}\n") + claim("c", names_pv, ", uid: u2"));
  EXPECT_EQ(volume_of("c"), "FailedBinding");
  EXPECT_THAT(condition("c").message, AllOf(HasSubstr("\"u1\""), HasSubstr("\"u2\"")));
}

TEST_F(Binding, kb_18_2_of_two_claims_that_name_a_volume_the_first_has_it_and_keeps_it) {
  read(claim("b", names_pv) + claim("c", names_pv) + persistent("pv"));
  EXPECT_EQ(volume_of("b"), "pv");
  EXPECT_EQ(volume_of("c"), "FailedBinding");
  EXPECT_THAT(condition("c").message, HasSubstr("already bound to the claim default/b"));
  read(claim("a", names_pv), "a.yaml");
  EXPECT_EQ(volume_of("a"), "FailedBinding");
  EXPECT_EQ(volume_of("b"), "pv") << "what is bound stays bound";
}

TEST_F(Binding, kb_18_2_who_names_a_volume_comes_before_who_takes_what_there_is) {
  read(claim("a") + claim("z", names_pv) + persistent("pv"));
  EXPECT_EQ(volume_of("z"), "pv");
  EXPECT_EQ(volume_of("a"), "FailedBinding");
}

TEST_F(Binding, kb_18_4_a_claim_that_was_bound_and_its_volume_are_bound_here_too) {
  read(persistent("pv", "  claimRef: {name: c, uid: u1}\n") + claim("c", names_pv, completed + ", uid: u1"));
  EXPECT_EQ(volume_of("c"), "pv");
  ledger = {};
  read(persistent("pv") + claim("c", names_pv, completed));
  EXPECT_EQ(volume_of("c"), "pv") << "an unclaimed one is bound again";
}

TEST_F(Binding, kb_18_4_a_claim_whose_volume_is_gone_is_lost_until_it_comes_back) {
  read(claim("c", names_pv, completed));
  settle();
  EXPECT_THAT(events(), ElementsAre("Warning ClaimLost persistentvolumeclaim/default/c"));
  EXPECT_TRUE(find("c")->is_lost);
  EXPECT_EQ(condition("c").reason, "ClaimLost");
  read(persistent("pv", "  claimRef: {name: c}\n"), "pv.yaml");
  EXPECT_EQ(volume_of("c"), "pv");
  EXPECT_FALSE(find("c")->is_lost);
}

TEST_F(Binding, kb_18_4_a_claim_that_was_bound_and_names_nothing_is_lost) {
  read(persistent("pv") + claim("c", "", completed));
  EXPECT_EQ(volume_of("c"), "ClaimLost");
}

TEST_F(Binding, kb_18_4_a_claim_whose_volume_is_anothers_is_misbound) {
  read(persistent("pv", "  claimRef: {name: c, uid: u1}\n") + claim("c", names_pv, completed + ", uid: u2"));
  EXPECT_EQ(volume_of("c"), "ClaimMisbound");
  EXPECT_TRUE(find("c")->is_lost);
  ledger = {};
  read(persistent("pv", "  claimRef: {name: c}\n") + claim("c") + claim("d", names_pv, completed));
  EXPECT_EQ(volume_of("c"), "pv");
  EXPECT_EQ(volume_of("d"), "ClaimMisbound");
}

TEST_F(Binding, kb_18_4_a_bound_pair_stays_when_the_manifests_no_more_fit) {
  read(persistent("pv", "", ", labels: {app: nfs}") + claim("c", "  selector: {matchLabels: {app: nfs}}\n"));
  EXPECT_EQ(volume_of("c"), "pv");
  read(persistent("pv", "  storageClassName: slow\n") + persistent("pv2", "", ", labels: {app: nfs}") +
       claim("c", "  selector: {matchLabels: {app: nfs}}\n"));
  EXPECT_EQ(volume_of("c"), "pv");
}

TEST_F(Binding, a_volume_that_may_be_in_a_broken_manifest_is_not_lost) {
  read(claim("c", names_pv, completed));
  store.apply(manifest::parse_file(text_replaced(persistent("pv"), "1Gi", "none"), "pv.yaml"));
  EXPECT_EQ(volume_of("c"), "ManifestUnreadable");
  EXPECT_FALSE(find("c")->is_lost);
}

}  // namespace
}  // namespace mooring
