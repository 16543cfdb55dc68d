#include "core/flex_drivers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mooring {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

const DriverName nfs("example.com/nfs");
const DriverName lvm("lvm");

FlexProgramFact program_of(const DriverName& driver, std::uint64_t inode = 1) {
  return {driver, "/flex/" + driver.str(), 8, inode, 100, 1};
}

class FlexDriversTest : public testing::Test {
 protected:
  void listed(const std::vector<FlexProgramFact>& programs) { drivers.on_listed(programs, now); }
  std::vector<FlexProgramFact> due() { return drivers.take_due(now); }
  bool succeeds(const DriverName& driver, FlexCapabilities can = {}) {
    return drivers.on_probed(driver, can, now, {}, random);
  }
  bool fails(const DriverName& driver) {
    return drivers.on_probed(driver, refusal("DriverFailed", "no"), now, {}, random);
  }
  void wait(Duration duration) { now = now + duration; }
  bool is_usable(const DriverName& driver) const { return drivers.usable().contains(driver); }
  /// Asked and answered well.
  void make_usable(const DriverName& driver) {
    listed({program_of(driver)});
    due();
    succeeds(driver);
  }

  FlexDrivers drivers;
  Random random{1};
  MonotonicTime now{seconds(1000)};
};

TEST_F(FlexDriversTest, kb_16_what_is_seen_is_asked_once_and_usable_when_it_answers) {
  listed({program_of(nfs), program_of(lvm)});
  EXPECT_TRUE(drivers.next_wake());
  EXPECT_THAT(due(), ElementsAre(program_of(nfs), program_of(lvm)));
  EXPECT_THAT(due(), IsEmpty());
  EXPECT_THAT(drivers.usable(), IsEmpty());
  EXPECT_TRUE(succeeds(nfs, {false, true, false, true, true}));
  EXPECT_FALSE(drivers.usable().at(nfs).capabilities.attach);
  EXPECT_EQ(drivers.usable().at(nfs).program, "/flex/example.com/nfs");
  EXPECT_FALSE(is_usable(lvm));
  wait(seconds(1000));
  listed({program_of(nfs), program_of(lvm)});
  EXPECT_THAT(due(), IsEmpty()) << "nothing of it changed";
  EXPECT_FALSE(drivers.next_wake());
}

TEST_F(FlexDriversTest, kb_16_a_program_that_is_gone_is_forgotten_at_once) {
  make_usable(nfs);
  EXPECT_TRUE(drivers.on_listed({}, now));
  EXPECT_FALSE(is_usable(nfs));
  EXPECT_FALSE(drivers.on_listed({}, now));
}

TEST_F(FlexDriversTest, kb_16_another_program_in_its_place_is_asked_anew) {
  make_usable(nfs);
  drivers.on_unsupported(nfs, "attach", 1);
  wait(seconds(10));
  std::vector<FlexProgramFact> others(4, program_of(nfs));
  others[0].inode = 2;
  others[1].modified_ns = 2;
  others[2].size_bytes = 2;
  others[3].device = 2;
  for (const FlexProgramFact& other : others) {
    listed({other});
    EXPECT_TRUE(is_usable(nfs)) << "as it was, until the new one answered";
    EXPECT_THAT(due(), ElementsAre(other));
    EXPECT_TRUE(succeeds(nfs));
    EXPECT_THAT(drivers.usable().at(nfs).unsupported, IsEmpty()) << "it may support more";
    wait(seconds(10));
  }
}

TEST_F(FlexDriversTest, however_often_it_is_replaced_it_is_asked_once_in_a_while) {
  make_usable(nfs);
  int asked = 0;
  for (std::uint64_t i = 2; i < 102; ++i) {
    listed({program_of(nfs, i)});
    const auto programs = due();
    asked += static_cast<int>(programs.size());
    if (!programs.empty()) succeeds(nfs);
    wait(milliseconds(50));
  }
  EXPECT_LE(asked, 6) << "in 5 s";
  EXPECT_GE(asked, 4);
  wait(*drivers.next_wake() - now);
  EXPECT_THAT(due(), ElementsAre(program_of(nfs, 101))) << "the last one is never left out";
}

TEST_F(FlexDriversTest, the_answer_of_a_program_that_was_replaced_meanwhile_counts_for_nothing) {
  listed({program_of(nfs, 1)});
  due();
  listed({program_of(nfs, 2)});
  EXPECT_THAT(due(), IsEmpty()) << "one question at a time";
  EXPECT_FALSE(succeeds(nfs));
  EXPECT_FALSE(is_usable(nfs));
  wait(FlexDrivers::probe_pause);
  EXPECT_THAT(due(), ElementsAre(program_of(nfs, 2)));
  EXPECT_TRUE(succeeds(nfs));
}

TEST_F(FlexDriversTest, the_answer_of_a_program_that_went_meanwhile_counts_for_nothing) {
  listed({program_of(nfs)});
  due();
  listed({});
  EXPECT_FALSE(succeeds(nfs));
  EXPECT_FALSE(is_usable(nfs));
  // One that came back while the question to the old one was out is asked for itself.
  listed({program_of(nfs)});
  due();
  listed({});
  listed({program_of(nfs, 2)});
  EXPECT_FALSE(succeeds(nfs));
  wait(FlexDrivers::probe_pause);
  EXPECT_THAT(due(), ElementsAre(program_of(nfs, 2)));
}

TEST_F(FlexDriversTest, kb_16_a_driver_whose_init_fails_cannot_be_used_and_is_asked_again_later) {
  listed({program_of(nfs)});
  due();
  EXPECT_FALSE(fails(nfs));
  ASSERT_NE(drivers.problem_of(nfs), nullptr);
  EXPECT_EQ(drivers.problem_of(nfs)->message, "no");
  Duration before{0};
  for (int i = 0; i < 12; ++i) {
    EXPECT_THAT(due(), IsEmpty());
    const Duration pause = *drivers.next_wake() - now;
    EXPECT_GE(pause, FlexDrivers::probe_pause / 2);
    EXPECT_LE(pause, seconds(150));
    before = std::max(before, pause);
    wait(pause);
    EXPECT_THAT(due(), ElementsAre(program_of(nfs)));
    fails(nfs);
  }
  EXPECT_GT(before, seconds(60)) << "ever more seldom";
  wait(seconds(200));
  due();
  EXPECT_TRUE(succeeds(nfs));
  EXPECT_EQ(drivers.problem_of(nfs), nullptr);
}

TEST_F(FlexDriversTest, a_failing_driver_is_asked_at_once_when_it_is_replaced_or_somebody_asks) {
  listed({program_of(nfs)});
  for (int i = 0; i < 8; ++i) {
    wait(seconds(200));
    due();
    fails(nfs);
  }
  wait(FlexDrivers::probe_pause);
  EXPECT_THAT(due(), IsEmpty());
  listed({program_of(nfs, 2)});
  EXPECT_THAT(due(), ElementsAre(program_of(nfs, 2)));
  fails(nfs);
  wait(FlexDrivers::probe_pause);
  drivers.hurry();
  EXPECT_THAT(due(), ElementsAre(program_of(nfs, 2)));
}

TEST_F(FlexDriversTest, a_driver_that_fails_after_it_was_replaced_is_usable_no_more) {
  make_usable(nfs);
  wait(seconds(10));
  listed({program_of(nfs, 2)});
  due();
  EXPECT_TRUE(fails(nfs));
  EXPECT_FALSE(is_usable(nfs));
}

TEST_F(FlexDriversTest, kb_16_what_is_not_supported_is_remembered_of_the_driver) {
  make_usable(nfs);
  EXPECT_TRUE(drivers.on_unsupported(nfs, "attach", 1));
  EXPECT_FALSE(drivers.on_unsupported(nfs, "attach", 1));
  EXPECT_FALSE(drivers.on_unsupported(lvm, "attach", 1)) << "nobody knows it";
  EXPECT_THAT(drivers.usable().at(nfs).unsupported, ElementsAre("attach"));
}

TEST_F(FlexDriversTest, an_answer_that_nobody_asked_for_changes_nothing) {
  EXPECT_FALSE(succeeds(nfs));
  make_usable(nfs);
  EXPECT_FALSE(fails(nfs));
  EXPECT_TRUE(is_usable(nfs));
}

}  // namespace
}  // namespace mooring
