// What `explain` says of the volumes that were looked at for a claim.

#include "binding_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Candidates : Binding {
  std::vector<std::string> lines_of(const std::string& name) {
    std::vector<std::string> lines;
    for (const CandidateVolume& one : candidates_for(claim_key(name), ledger, world()))
      lines.push_back(one.volume.str() + ": " + (one.why_not.empty() ? "fits" : one.why_not));
    return lines;
  }
};

TEST_F(Candidates, all_volumes_in_the_order_in_which_they_are_looked_at) {
  read(claim("c") + sized(persistent("b"), "2Gi") + persistent("c") + sized(persistent("a"), "512Mi") +
       text_replaced(persistent("0zero"), "[ReadWriteOnce]", "[ReadWriteOnce, ReadOnlyMany]"));
  EXPECT_THAT(lines_of("c"), ElementsAre("a: its capacity 512Mi is less than the request 1Gi", "c: fits",
                                         "b: fits", "0zero: fits"));
  EXPECT_THAT(lines_of("none"), IsEmpty());
}

TEST_F(Candidates, whose_a_volume_is) {
  read(claim("a") + persistent("pv") + persistent("ref", "  claimRef: {name: x}\n"));
  ASSERT_EQ(volume_of("a"), "pv");
  read(claim("b"), "b.yaml");
  settle();
  EXPECT_THAT(lines_of("a"), ElementsAre("pv: fits", "ref: its spec.claimRef names the claim default/x"));
  EXPECT_THAT(lines_of("b"), ElementsAre("pv: it is bound to the claim default/a",
                                         "ref: its spec.claimRef names the claim default/x"));
  read(persistent("pv") + persistent("ref", "  claimRef: {name: x}\n"));
  settle();
  EXPECT_THAT(lines_of("b").at(0), "pv: it is kept for the claim default/a");
}

TEST_F(Candidates, a_volume_that_was_given_free_is_nobodys) {
  read(claim("a") + persistent("pv"));
  ASSERT_EQ(volume_of("a"), "pv");
  LedgerVolume row = *find_volume("pv");
  auto free = std::make_shared<manifest::PersistentVolume>(*row.volume);
  free->claim.reset();
  row.volume = std::move(free);
  row.state = LedgerVolume::State::Available;
  ledger = {};
  ledger.volumes[ObjectName("pv")] = row;
  store = ObjectStore();
  read(claim("b") + sized(claim("large"), "2Gi"));
  EXPECT_THAT(lines_of("b"), ElementsAre("pv: fits"));
  EXPECT_THAT(lines_of("large"), ElementsAre("pv: its capacity 1Gi is less than the request 2Gi"));
  settle();
  EXPECT_THAT(lines_of("large").at(0), HasSubstr("it is bound to the claim default/b"));
}

TEST_F(Candidates, labels_that_do_not_fit_are_named) {
  read(claim("c", "  selector: {matchLabels: {app: nfs}}\n") + persistent("none") +
       persistent("other", "", ", labels: {app: db}") + persistent("without", "", ", labels: {x: y}") +
       persistent("zfits", "", ", labels: {app: nfs}"));
  EXPECT_THAT(
      lines_of("c"),
      ElementsAre("none: it has no labels at all, and the claim's selector wants app=nfs",
                  "other: its label \"app\" is \"db\", and the claim's selector wants app=nfs",
                  "without: it has no label \"app\", and the claim's selector wants app=nfs", "zfits: fits"));
}

TEST_F(Candidates, a_claim_that_names_a_volume_wants_no_other) {
  read(claim("c", "  volumeName: b\n") + persistent("a") + persistent("b", "  storageClassName: x\n"));
  EXPECT_THAT(lines_of("c"), ElementsAre("a: the claim's spec.volumeName is \"b\"",
                                         "b: its storageClassName is \"x\", and the claim's is \"\""));
}

TEST_F(Candidates, a_volume_of_another_node) {
  read(claim("c") +
       persistent("pv",
                  "  nodeAffinity: {required: {nodeSelectorTerms: [{matchFields: [{key: metadata.name, "
                  "operator: In, values: [n2]}]}]}}\n"));
  EXPECT_THAT(lines_of("c"), ElementsAre("pv: its nodeAffinity does not fit this node, \"n1\""));
}

}  // namespace
}  // namespace mooring
