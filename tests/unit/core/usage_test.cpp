// How full volumes are, and which hold more than they may: kubelet-behaviours 20.

#include <gmock/gmock.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::uint64_t mebi = 1U << 20U;
const std::string limited = "emptyDir: {sizeLimit: 10Mi}";

std::string measure(const std::string& pod, const std::string& volume) {
  return "measure " + layout::volume(uid_of(pod), empty_dir, VolumeDirectory(volume));
}

Outcome usage(std::uint64_t used_mebi, bool is_enforced = false) {
  Outcome outcome;
  outcome.usage = FileSystemUsage{100 * mebi, used_mebi * mebi, (100 - used_mebi) * mebi, 1000, 10, 990};
  outcome.is_enforced = is_enforced;
  return outcome;
}

class UsageTest : public ::testing::Test {
 protected:
  UsageTest() { shell_.start(); }

  /// Pods with a volume "v" of this source, published; those in memory are in the mount table.
  void publish(const std::vector<std::string>& pods, const std::string& source) {
    std::map<std::string, std::string> mounts;
    for (const std::string& pod : pods) {
      shell_.write(pod, {{"v", source}});
      if (source == memory) mounts[volume_path(pod, "v")] = "tmpfs";
    }
    shell_.finish();
    shell_.show_mounts(mounts);
    shell_.finish();
  }
  void ask(std::optional<PodUid> pod = std::nullopt) { shell_.feed(UsageAsked{std::move(pod)}); }
  std::optional<VolumeUsage> usage_of(const std::string& pod) { return shell_.volume(pod, "v").usage; }

  Shell shell_;
};

TEST_F(UsageTest, nothing_is_measured_that_nobody_asks_for) {
  publish({"web"}, memory);
  EXPECT_THAT(shell_.doing(), IsEmpty());
  EXPECT_FALSE(shell_.core.next_wake());
  EXPECT_FALSE(usage_of("web"));
}

TEST_F(UsageTest, the_answer_is_what_is_known_with_its_time) {
  publish({"web"}, memory);
  ask();
  EXPECT_THAT(shell_.doing(), ElementsAre(measure("web", "v")));
  ASSERT_EQ(steps_of<MeasureUsage>(shell_).size(), 1u);
  EXPECT_EQ(shell_.in_flight.at(0).lane, Lane::Local) << "memory never hangs";
  EXPECT_EQ(shell_.in_flight.at(0).deadline_ms, 10'000u);
  EXPECT_TRUE(shell_.core.is_measuring());
  EXPECT_TRUE(shell_.core.is_settled()) << "nobody waits for it";
  shell_.advance(1s);
  shell_.end(measure("web", "v"), usage(40));
  EXPECT_FALSE(shell_.core.is_measuring());
  const auto known = usage_of("web");
  ASSERT_TRUE(known);
  EXPECT_EQ(known->capacity_bytes, 100 * mebi);
  EXPECT_EQ(known->used_bytes, 40 * mebi);
  EXPECT_EQ(known->available_bytes, 60 * mebi);
  EXPECT_EQ(known->inodes, 1000u);
  EXPECT_EQ(known->inodes_used, 10u);
  EXPECT_EQ(known->inodes_free, 990u);
  EXPECT_EQ(known->measured, shell_.now().wall);
  EXPECT_EQ(known->stale, "");
}

TEST_F(UsageTest, it_is_measured_again_only_when_it_is_old) {
  publish({"web"}, memory);
  ask();
  shell_.end(measure("web", "v"), usage(1));
  shell_.advance(59s);
  ask();
  EXPECT_THAT(shell_.doing(), IsEmpty());
  shell_.advance(1s);
  ask(uid_of("web"));
  EXPECT_THAT(shell_.doing(), ElementsAre(measure("web", "v")));
  ask();
  EXPECT_EQ(shell_.in_flight.size(), 1u) << "it is in flight";
}

TEST_F(UsageTest, one_pod_may_be_asked_for) {
  publish({"a", "b"}, memory);
  ask(uid_of("b"));
  EXPECT_THAT(shell_.doing(), ElementsAre(measure("b", "v")));
  shell_.finish();
  ask(PodUid("unknown"));
  EXPECT_THAT(shell_.doing(), IsEmpty());
}

TEST_F(UsageTest, volumes_of_one_file_system_are_measured_once_and_say_nothing_of_what_is_theirs) {
  publish({"a", "b", "c"}, disk);
  ask();
  ASSERT_THAT(shell_.doing(), ElementsAre(testing::_));
  EXPECT_EQ(shell_.in_flight.at(0).lane, Lane::Own);
  shell_.end(shell_.in_flight.at(0).what, usage(40));
  for (const char* pod : {"a", "b", "c"}) {
    ASSERT_TRUE(usage_of(pod)) << pod;
    EXPECT_EQ(usage_of(pod)->capacity_bytes, 100 * mebi);
    EXPECT_EQ(usage_of(pod)->available_bytes, 60 * mebi);
    EXPECT_FALSE(usage_of(pod)->used_bytes);
    EXPECT_FALSE(usage_of(pod)->inodes_used);
  }
}

TEST_F(UsageTest, a_path_of_the_node_is_left_alone) {
  publish({"web"}, "hostPath: {path: /srv}");
  ask();
  EXPECT_THAT(shell_.doing(), IsEmpty());
  EXPECT_FALSE(shell_.core.is_measuring());
}

TEST_F(UsageTest, a_failure_keeps_the_last_numbers_and_says_why) {
  publish({"web"}, memory);
  ask();
  shell_.end(measure("web", "v"), usage(40));
  shell_.advance(60s);
  ask();
  shell_.fail(measure("web", "v"), worker_lost());
  ASSERT_TRUE(usage_of("web"));
  EXPECT_EQ(usage_of("web")->used_bytes, 40 * mebi);
  EXPECT_THAT(usage_of("web")->stale, testing::HasSubstr("the worker was lost"));
  EXPECT_EQ(shell_.volume("web", "v").phase, Phase::Ready);
  EXPECT_EQ(shell_.volume("web", "v").reason, "");
  ask();
  EXPECT_THAT(shell_.doing(), IsEmpty()) << "it was tried a moment ago";
  shell_.advance(60s);
  ask();
  shell_.end(measure("web", "v"), usage(50));
  EXPECT_EQ(usage_of("web")->stale, "");
}

TEST_F(UsageTest, what_hangs_is_not_asked_again_and_the_volume_stays_ready) {
  publish({"web"}, memory);
  ask();
  shell_.end(measure("web", "v"), usage(40));
  shell_.advance(60s);
  ask();
  shell_.feed(OperationStuck{shell_.in_flight.at(0).id, 77});
  EXPECT_FALSE(shell_.core.is_measuring()) << "it is not waited for";
  shell_.advance(600s);
  ask();
  EXPECT_EQ(shell_.in_flight.size(), 1u);
  EXPECT_THAT(usage_of("web")->stale, testing::HasSubstr("worker 77 cannot be ended"));
  EXPECT_EQ(shell_.volume("web", "v").phase, Phase::Ready);
  EXPECT_EQ(shell_.core.node_status().workers_stuck, 1u);
  shell_.fail(measure("web", "v"), worker_lost());
  EXPECT_EQ(shell_.core.node_status().workers_stuck, 0u);
  shell_.remove("web");
  shell_.finish();
  EXPECT_THAT(shell_.gone, ElementsAre("web"));
}

TEST_F(UsageTest, a_volume_is_removed_while_it_is_measured) {
  publish({"web"}, limited);
  ask();
  EXPECT_TRUE(shell_.is_in_flight(measure("web", "v")));
  shell_.remove("web");
  shell_.end("unpublish default/web/v");
  shell_.end("remove the directory of default/web");
  EXPECT_THAT(shell_.gone, ElementsAre("web"));
  shell_.end(measure("web", "v"), usage(40));
  EXPECT_FALSE(shell_.core.next_wake());
}

TEST_F(UsageTest, numbers_of_before_a_volume_was_made_are_not_its) {
  publish({"web"}, memory);
  ask();
  shell_.end(measure("web", "v"), usage(40));
  shell_.advance(1s);
  shell_.show_mounts();  // It vanished, and is made again.
  shell_.end("publish default/web/v");
  shell_.show_mounts({{volume_path("web", "v"), "tmpfs"}});
  EXPECT_EQ(shell_.volume("web", "v").phase, Phase::Ready);
  EXPECT_FALSE(usage_of("web"));
  ask();
  EXPECT_THAT(shell_.doing(), ElementsAre(measure("web", "v")));
}

TEST_F(UsageTest, at_most_a_few_are_measured_at_a_time_and_walks_leave_places) {
  publish({"a", "b", "c", "d", "e"}, limited);
  ask();
  EXPECT_EQ(shell_.in_flight.size(), 2u);
  EXPECT_EQ(steps_of<MeasureDirectory>(shell_).size(), 2u);
  EXPECT_EQ(shell_.in_flight.at(0).deadline_ms, 60'000u);
  publish({}, disk);
  EXPECT_FALSE(shell_.core.is_measuring());
}

TEST_F(UsageTest, kb_20_2_what_holds_more_than_its_limit_says_so_until_it_does_not) {
  publish({"web"}, limited);
  EXPECT_EQ(shell_.wake(), 60s);
  shell_.end(measure("web", "v"), usage(9));
  EXPECT_EQ(shell_.volume("web", "v").reason, "");
  EXPECT_EQ(usage_of("web")->used_bytes, 9 * mebi) << "one's own directory is known";
  EXPECT_EQ(shell_.wake(), 60s);
  shell_.end(measure("web", "v"), usage(11));
  const VolumeStatus over = shell_.volume("web", "v");
  EXPECT_EQ(over.phase, Phase::Ready);
  EXPECT_EQ(over.reason, "SizeLimitExceeded");
  EXPECT_EQ(over.message, "Usage of EmptyDir volume \"v\" exceeds the limit \"10Mi\".");
  EXPECT_NE(over.action, "");
  EXPECT_THAT(shell_.last.changed_pods, ElementsAre(uid_of("web")));
  EXPECT_TRUE(shell_.pod("web").ready);
  EXPECT_EQ(shell_.count("SizeLimitExceeded pod/default/web"), 1);
  shell_.wake();
  shell_.end(measure("web", "v"), usage(12));
  EXPECT_EQ(shell_.count("SizeLimitExceeded pod/default/web"), 1) << "told once";
  shell_.wake();
  shell_.end(measure("web", "v"), usage(10));
  EXPECT_EQ(shell_.volume("web", "v").reason, "");
  EXPECT_EQ(shell_.count("SizeLimitKept pod/default/web"), 1);
}

TEST_F(UsageTest, what_the_kernel_keeps_to_its_limit_is_not_watched) {
  publish({"web"}, limited);
  shell_.wake();
  shell_.fail(measure("web", "v"), worker_lost());
  shell_.wake();
  shell_.end(measure("web", "v"), usage(9, true));
  EXPECT_FALSE(shell_.core.next_wake());
}

TEST_F(UsageTest, a_volume_that_goes_is_not_watched_any_more) {
  publish({"web"}, limited);
  shell_.remove("web");
  shell_.finish();
  EXPECT_FALSE(shell_.core.next_wake());
}

TEST_F(UsageTest, the_claim_is_told) {
  shell_.write("web", {{"v", "persistentVolumeClaim: {claimName: data}"}});
  EXPECT_EQ(shell_.volume("web", "v").claim, "data");
  publish({"other"}, disk);
  EXPECT_EQ(shell_.volume("other", "v").claim, "");
}

}  // namespace
}  // namespace mooring
