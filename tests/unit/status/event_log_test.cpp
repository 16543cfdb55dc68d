#include "status/event_log.h"

#include <gtest/gtest.h>

namespace mooring {
namespace {

StatusEvent event(const std::string& message) {
  StatusEvent made;
  made.message = message;
  return made;
}

TEST(EventLog, numbers_events_from_one_and_keeps_them_in_order) {
  EventLog log(10);
  EXPECT_EQ(log.add(event("a")).sequence, 1u);
  const StatusEvent& second = log.add(event("b"));
  EXPECT_EQ(second.sequence, 2u);
  EXPECT_EQ(second.message, "b");
  const std::vector<StatusEvent> all = log.since(0);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].message, "a");
  EXPECT_EQ(all[1].message, "b");
}

TEST(EventLog, overwrites_a_number_that_the_caller_gave) {
  EventLog log(10);
  StatusEvent forged = event("a");
  forged.sequence = 99;
  EXPECT_EQ(log.add(forged).sequence, 1u);
}

TEST(EventLog, keeps_the_newest_and_never_reuses_a_number) {
  EventLog log(3);
  for (int i = 1; i <= 100; ++i) {
    log.add(event(std::to_string(i)));
    EXPECT_LE(log.since(0).size(), 3u);
  }
  const std::vector<StatusEvent> kept = log.since(0);
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(kept[0].sequence, 98u);
  EXPECT_EQ(kept[0].message, "98");
  EXPECT_EQ(kept[2].sequence, 100u);
}

TEST(EventLog, a_log_of_one_keeps_the_last) {
  EventLog log(1);
  log.add(event("a"));
  EXPECT_EQ(log.add(event("b")).message, "b");
  ASSERT_EQ(log.since(0).size(), 1u);
  EXPECT_EQ(log.since(0)[0].sequence, 2u);
}

TEST(EventLog, since_gives_what_is_newer_than_the_number) {
  EventLog log(5);
  EXPECT_TRUE(log.since(0).empty());
  for (int i = 0; i < 4; ++i)
    log.add(event("e"));
  EXPECT_EQ(log.since(0).size(), 4u);
  EXPECT_EQ(log.since(3).size(), 1u);
  EXPECT_EQ(log.since(3)[0].sequence, 4u);
  EXPECT_TRUE(log.since(4).empty());
  EXPECT_TRUE(log.since(1000).empty());
}

TEST(Phase, has_the_name_that_the_status_shows) {
  EXPECT_EQ(to_string(Phase::Pending), "Pending");
  EXPECT_EQ(to_string(Phase::Attaching), "Attaching");
  EXPECT_EQ(to_string(Phase::Staging), "Staging");
  EXPECT_EQ(to_string(Phase::Publishing), "Publishing");
  EXPECT_EQ(to_string(Phase::Ready), "Ready");
  EXPECT_EQ(to_string(Phase::Unpublishing), "Unpublishing");
  EXPECT_EQ(to_string(Phase::Unstaging), "Unstaging");
  EXPECT_EQ(to_string(Phase::Detaching), "Detaching");
  EXPECT_EQ(to_string(Phase::Stuck), "Stuck");
}

}  // namespace
}  // namespace mooring
