// Who gets the next worker of his own: a driver that hangs holds up its own volumes only.

#include "daemon/own_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace mooring {
namespace {

Operation operation_of(std::string what, Step step) {
  Operation operation;
  operation.lane = Lane::Own;
  operation.what = std::move(what);
  operation.steps = {std::move(step)};
  return operation;
}
Operation publish_of(const std::string& driver) {
  PublishCsiVolume step;
  step.volume.driver = DriverName(driver);
  return operation_of(driver, step);
}
Operation flex_publish_of(const std::string& driver) {
  PublishFlexVolume step;
  step.program.driver = DriverName(driver);
  return operation_of(driver, step);
}
Operation mount_of_a_server() {
  return operation_of("a server", MountNetwork());
}

class OwnQueueTest : public testing::Test {
 protected:
  void push(std::size_t count, const Operation& operation) {
    for (std::size_t i = 0; i < count; ++i)
      queue_.push(operation);
  }
  /// What all get a worker now, by name.
  std::vector<std::string> take_all() {
    std::vector<std::string> out;
    while (auto taken = queue_.take())
      out.push_back(taken->operation.what);
    return out;
  }
  static std::size_t count(const std::vector<std::string>& taken, const std::string& what) {
    return static_cast<std::size_t>(std::count(taken.begin(), taken.end(), what));
  }

  OwnQueue queue_{64};
};

TEST_F(OwnQueueTest, a_hung_driver_leaves_workers_to_all_others) {
  push(200, publish_of("hung.csi"));
  EXPECT_EQ(take_all().size(), 21U) << "a third of them";
  push(5, publish_of("well.csi"));
  push(10, mount_of_a_server());
  const auto taken = take_all();
  EXPECT_EQ(count(taken, "well.csi"), 5U);
  EXPECT_EQ(count(taken, "a server"), 10U);
  EXPECT_EQ(count(taken, "hung.csi"), 0U);
  EXPECT_EQ(queue_.size(), 179U);
}

TEST_F(OwnQueueTest, a_hung_flexvolume_driver_leaves_them_too) {
  push(200, flex_publish_of("vendor/hung"));
  EXPECT_EQ(take_all().size(), 21U);
  push(1, flex_publish_of("vendor/well"));
  EXPECT_EQ(take_all(), std::vector<std::string>{"vendor/well"});
}

TEST_F(OwnQueueTest, several_hung_drivers_do_not_have_all_of_them_either) {
  for (const char* driver : {"a", "b", "c", "d", "e", "f"})
    push(100, publish_of(driver));
  EXPECT_LT(take_all().size(), 60U);
  push(1, publish_of("well.csi"));
  push(1, mount_of_a_server());
  EXPECT_EQ(take_all(), (std::vector<std::string>{"well.csi", "a server"}));
}

// What no record tells of names no driver: it may be the same one for all of it.
TEST_F(OwnQueueTest, volumes_whose_driver_nobody_knows_share_their_workers) {
  Operation unknown = operation_of("unknown", UnpublishCsiVolume());
  push(200, unknown);
  EXPECT_EQ(take_all().size(), 21U);
  push(1, mount_of_a_server());
  EXPECT_EQ(take_all().size(), 1U);
}

TEST_F(OwnQueueTest, what_asks_no_driver_may_have_all_workers) {
  push(100, mount_of_a_server());
  EXPECT_EQ(take_all().size(), 64U);
  EXPECT_FALSE(queue_.has_next());
}

TEST_F(OwnQueueTest, a_driver_without_a_worker_gets_the_last_one) {
  push(63, mount_of_a_server());
  EXPECT_EQ(take_all().size(), 63U);
  push(2, publish_of("a.csi"));
  EXPECT_EQ(take_all(), std::vector<std::string>{"a.csi"});
}

TEST_F(OwnQueueTest, a_worker_that_ended_is_for_the_next_of_its_driver) {
  push(22, publish_of("a.csi"));
  take_all();
  EXPECT_FALSE(queue_.has_next());
  queue_.release(DriverName("a.csi"));
  EXPECT_TRUE(queue_.has_next());
  EXPECT_EQ(take_all(), std::vector<std::string>{"a.csi"});
  EXPECT_EQ(queue_.size(), 0U);
}

TEST_F(OwnQueueTest, all_workers_are_free_again_when_all_ended) {
  push(21, publish_of("a.csi"));
  push(4, mount_of_a_server());
  take_all();
  for (int i = 0; i < 21; ++i)
    queue_.release(DriverName("a.csi"));
  for (int i = 0; i < 4; ++i)
    queue_.release(std::nullopt);
  push(64, mount_of_a_server());
  EXPECT_EQ(take_all().size(), 64U);
}

TEST_F(OwnQueueTest, who_came_first_is_first) {
  queue_.push(publish_of("b"));
  queue_.push(mount_of_a_server());
  queue_.push(publish_of("a"));
  queue_.push(publish_of("b"));
  EXPECT_EQ(take_all(), (std::vector<std::string>{"b", "a server", "a", "b"}));
}

}  // namespace
}  // namespace mooring
