// The ledger: what a change makes of it, and what is wrong with one that contradicts itself.

#include "binding_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using State = LedgerVolume::State;

LedgerClaim claim_row(const std::string& name, const std::string& uid, const std::string& volume = "") {
  LedgerClaim row;
  row.claim.key = claim_key(name);
  row.claim.uid = uid;
  row.volume = ObjectName(volume);
  row.is_bound = !volume.empty();
  return row;
}

LedgerVolume volume_row(const std::string& name, const std::string& claim_name, const std::string& uid,
                        State state = State::Bound) {
  auto volume = std::make_shared<manifest::PersistentVolume>();
  volume->name = ObjectName(name);
  volume->claim = manifest::ClaimReference{claim_key(claim_name), uid};
  LedgerVolume row;
  row.volume = std::move(volume);
  row.state = state;
  return row;
}

Ledger ledger_of(const std::vector<LedgerClaim>& claims, const std::vector<LedgerVolume>& volumes) {
  Ledger ledger;
  for (const LedgerClaim& row : claims)
    ledger.claims[row.claim.key] = row;
  for (const LedgerVolume& row : volumes)
    ledger.volumes[row.volume->name] = row;
  return ledger;
}

TEST(LedgerTest, changes_put_rows_and_take_them_away) {
  Ledger ledger = ledger_of({claim_row("a", "1", "pv")}, {volume_row("pv", "a", "1")});
  LedgerChanges changes;
  EXPECT_TRUE(changes.empty());
  changes.claims[claim_key("a")] = std::nullopt;
  changes.claims[claim_key("b")] = claim_row("b", "2");
  changes.volumes[ObjectName("pv")] = volume_row("pv", "a", "1", State::Released);
  changes.volumes[ObjectName("none")] = std::nullopt;
  EXPECT_FALSE(changes.empty());
  apply(ledger, changes);
  EXPECT_EQ(ledger.find(claim_key("a")), nullptr);
  ASSERT_NE(ledger.find(claim_key("b")), nullptr);
  EXPECT_EQ(ledger.find(claim_key("b"))->claim.uid, "2");
  EXPECT_EQ(ledger.find(ObjectName("pv"))->state, State::Released);
  EXPECT_EQ(ledger.volumes.size(), 1u);
}

TEST(LedgerTest, volumes_are_equal_by_what_they_say) {
  const LedgerVolume one = volume_row("pv", "a", "1");
  EXPECT_EQ(one, volume_row("pv", "a", "1"));
  EXPECT_FALSE(one == volume_row("pv", "a", "2"));
  EXPECT_FALSE(one == volume_row("pv", "a", "1", State::Failed));
  LedgerVolume other = one;
  other.message = "why";
  EXPECT_FALSE(one == other);
  EXPECT_EQ(LedgerVolume{}, LedgerVolume{});
  EXPECT_FALSE(one == LedgerVolume{});
}

TEST(LedgerTest, a_pair_that_points_at_each_other_is_right) {
  LedgerClaim making = claim_row("b", "2", "pv2");
  making.is_bound = false;
  LedgerClaim lost = claim_row("c", "3", "gone");
  lost.is_lost = true;
  EXPECT_THAT(
      broken_rules(ledger_of(
          {claim_row("a", "1", "pv"), making, lost, claim_row("d", "4")},
          {volume_row("pv", "a", "1"), volume_row("pv2", "b", "2", State::Provisioning),
           volume_row("pv3", "a", "0", State::Released), volume_row("pv4", "x", "9", State::Deleting)})),
      IsEmpty());
}

TEST(LedgerTest, what_is_wrong_is_named) {
  EXPECT_THAT(broken_rules(ledger_of({claim_row("a", "1", "pv")}, {})),
              ElementsAre("claim default/a has volume pv, which is not there"));
  EXPECT_THAT(broken_rules(ledger_of({}, {volume_row("pv", "a", "1")})),
              ElementsAre("volume pv is of claim default/a, which is not there"));
  EXPECT_THAT(broken_rules(ledger_of({claim_row("a", "2")}, {volume_row("pv", "a", "1")})),
              ElementsAre("volume pv is of claim default/a, which is another of that name"));
  EXPECT_THAT(broken_rules(ledger_of({claim_row("a", "1", "pv"), claim_row("b", "2", "pv")},
                                     {volume_row("pv", "a", "1")})),
              ElementsAre("claim default/b has volume pv, which is another claim's"));
  EXPECT_THAT(broken_rules(ledger_of({claim_row("a", "1", "pv")},
                                     {volume_row("pv", "a", "1"), volume_row("pv2", "a", "1")})),
              ElementsAre("volume pv2 is of claim default/a, which has another"));
  EXPECT_THAT(
      broken_rules(ledger_of({claim_row("a", "1", "pv")}, {volume_row("pv", "a", "1", State::Released)})),
      ElementsAre("claim default/a and volume pv are not in the same state"));
  EXPECT_THAT(broken_rules(ledger_of({claim_row("a", "")}, {})), ElementsAre("claim default/a has no uid"));
  EXPECT_THAT(broken_rules(ledger_of({claim_row("a", "1"), claim_row("b", "1")}, {})),
              ElementsAre("claim default/b has another claim's uid"));
}

}  // namespace
}  // namespace mooring
