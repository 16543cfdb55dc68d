// What failed is tried again: when, and what brings it forward.

#include <gmock/gmock.h>

#include <set>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string publish = "publish default/web/v";
const std::string watch = "watch for default/web/v";
const Error no_space = error_of(ErrorKind::Transient, "NoSpace", "the disk is full");
const Error not_there = error_of(ErrorKind::Transient, "HostPathCheckFailed", "nothing is there");

void expect_about(Duration got, Duration expected) {
  EXPECT_GE(got, expected * 8 / 10);
  EXPECT_LE(got, expected * 12 / 10 + 1us);
}

TEST(Retry, kb_5_2_pauses_start_at_half_a_second_double_and_end_at_122_seconds) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  Duration expected = 500ms;
  for (std::uint32_t attempt = 1; attempt <= 10; ++attempt) {
    shell.fail(publish, no_space);
    ASSERT_THAT(shell.in_flight, IsEmpty());
    EXPECT_EQ(shell.volume("web", "v").attempts, attempt);
    expect_about(shell.wake(), expected);
    ASSERT_THAT(shell.doing(), ElementsAre(publish));
    expected = std::min<Duration>(expected * 2, 122s);
  }
  // The same failure is told once.
  EXPECT_EQ(shell.count("FailedMount pod/default/web"), 1);
}

TEST(Retry, failures_of_one_cause_do_not_come_back_in_step) {
  Shell shell;
  shell.start();
  std::set<Duration> pauses;
  for (int i = 0; i < 20; ++i) {
    const std::string name = "p" + std::to_string(i);
    shell.write(name, {{"v", disk}});
    shell.fail("publish default/" + name + "/v", no_space);
    pauses.insert(shell.volume(name, "v").next_retry.value().since_epoch);
  }
  EXPECT_GT(pauses.size(), 10u);
}

TEST(Retry, the_status_says_when) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  EXPECT_FALSE(shell.volume("web", "v").next_retry);
  shell.fail(publish, no_space);
  const auto next = shell.volume("web", "v").next_retry;
  ASSERT_TRUE(next);
  EXPECT_EQ(*next, shell.now().wall + (*shell.core.next_wake() - shell.now().monotonic));
  shell.wake();
  EXPECT_FALSE(shell.volume("web", "v").next_retry);
}

TEST(Retry, a_timer_that_fires_too_early_starts_nothing) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.fail(publish, no_space);
  shell.feed(TimerFired{});
  EXPECT_TRUE(is_nothing(shell.last));
  EXPECT_TRUE(shell.core.next_wake());
}

TEST(Retry, success_forgets_the_failures) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", memory}});
  for (int i = 0; i < 4; ++i) {
    shell.fail(publish, no_space);
    shell.wake();
  }
  shell.end(publish);
  EXPECT_EQ(shell.volume("web", "v").attempts, 0u);
  EXPECT_FALSE(shell.core.next_wake());
  shell.show_mounts({});  // It vanished: published again.
  shell.fail(publish, no_space);
  expect_about(shell.wake(), 500ms);
}

TEST(Retry, a_final_error_waits_longest_at_once) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", memory}});
  shell.fail(publish, error_of(ErrorKind::Final, "DirectoryNotEmpty"));
  expect_about(shell.wake(), 122s);
}

TEST(Retry, kb_5_2_a_failing_publish_does_not_delay_its_unpublish) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.fail(publish, no_space);
  shell.remove("web");
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/web/v"));
}

TEST(Retry, a_failing_unpublish_is_tried_again_with_pauses_of_its_own) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.finish();
  shell.remove("web");
  const Error busy = error_of(ErrorKind::Transient, "Busy", "a process uses it");
  shell.fail("unpublish default/web/v", busy);
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Unpublishing);
  EXPECT_EQ(shell.volume("web", "v").reason, "Busy");
  EXPECT_EQ(shell.count("FailedUnMount pod/default/web"), 1);
  expect_about(shell.wake(), 500ms);
  shell.fail("unpublish default/web/v", busy);
  expect_about(shell.wake(), 1s);
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/web/v"));
}

TEST(Retry, a_directory_that_could_not_be_removed_is_tried_again_and_says_why) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.finish();
  shell.remove("web");
  shell.end("unpublish default/web/v");
  shell.fail("remove the directory of default/web", error_of(ErrorKind::Transient, "NotEmpty", "holds x"));
  EXPECT_EQ(shell.pod("web").message, "holds x");
  EXPECT_EQ(shell.count("FailedCleanup pod/default/web"), 1);
  expect_about(shell.wake(), 500ms);
  EXPECT_THAT(shell.doing(), ElementsAre("remove the directory of default/web"));
}

TEST(Retry, what_held_up_the_removal_of_a_directory_is_forgotten_when_the_pod_returns) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.finish();
  shell.remove("web");
  shell.end("unpublish default/web/v");
  for (int i = 0; i < 8; ++i) {
    shell.fail("remove the directory of default/web", error_of(ErrorKind::Transient, "NotEmpty", "holds x"));
    shell.wake();
  }
  shell.fail("remove the directory of default/web", error_of(ErrorKind::Transient, "NotEmpty", "holds x"));
  shell.write("web", {{"v", disk}});
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_EQ(shell.pod("web").message, "");
  shell.remove("web");
  shell.end("unpublish default/web/v");
  EXPECT_THAT(shell.doing(), ElementsAre("remove the directory of default/web"));
}

TEST(Retry, trash_that_could_not_be_removed_is_a_problem_and_is_tried_again) {
  Shell shell;
  shell.adopt({}, {{}, {"a"}});
  shell.fail("remove trash/a", error_of(ErrorKind::Transient, "MountedBelow", "something is mounted in it"));
  EXPECT_THAT(shell.core.node_status().problems, ElementsAre(HasSubstr("something is mounted in it")));
  expect_about(shell.wake(), 500ms);
  shell.end("remove trash/a");
  EXPECT_THAT(shell.core.node_status().problems, IsEmpty());
  EXPECT_FALSE(shell.core.next_wake());
}

TEST(Retry, on_request_it_is_tried_at_once_for_one_pod_or_for_all) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.write("db", {{"v", disk}});
  shell.fail(publish, no_space);
  shell.fail("publish default/db/v", no_space);
  shell.feed(RetryRequested{key_of("web")});
  EXPECT_THAT(shell.doing(), ElementsAre(publish));
  shell.feed(RetryRequested{});
  EXPECT_THAT(shell.doing(), ElementsAre(publish, "publish default/db/v"));
  shell.fail(publish, no_space);
  EXPECT_EQ(shell.volume("web", "v").attempts, 2u);
}

TEST(Retry, a_changed_manifest_is_tried_at_once) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", memory}});
  shell.fail(publish, error_of(ErrorKind::Final, "MountFailed"));
  shell.write("web", {{"v", "emptyDir: {medium: Memory, sizeLimit: 2Mi}"}});
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_EQ(std::get<MountTmpfs>(shell.in_flight[0].steps.back()).size_bytes, 2u << 20U);
}

TEST(Retry, kb_5_2_what_was_missing_is_tried_as_soon_as_it_appears) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", "hostPath: {path: /data/x, type: File}"}});
  shell.fail(publish, not_there);
  ASSERT_THAT(shell.doing(), ElementsAre(watch));
  EXPECT_THAT(shell.in_flight[0].steps, ElementsAre(Step(WatchHostPath{"/data/x", "/"})));
  Outcome watched;
  watched.watches = {7};
  shell.end(watch, watched);
  // It may have appeared before the watch stood: one more look.
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  shell.fail(publish, not_there);
  ASSERT_THAT(shell.in_flight, IsEmpty());
  shell.feed(WatchFired{7});
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  shell.end(publish);
  EXPECT_THAT(shell.ready, ElementsAre("web"));
  EXPECT_THAT(shell.last.watches_to_remove, ElementsAre(7));
  EXPECT_FALSE(shell.core.next_wake());
}

TEST(Retry, a_busy_directory_brings_a_try_forward_at_most_once_in_50_ms) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", "hostPath: {path: /data/x, type: File}"}});
  shell.fail(publish, not_there);
  Outcome watched;
  watched.watches = {7};
  shell.end(watch, watched);
  const auto look = [&] {
    shell.fail(publish, not_there);
    if (shell.is_in_flight(watch)) shell.end(watch, watched);
    if (shell.is_in_flight(publish)) shell.fail(publish, not_there);
  };
  look();
  shell.feed(WatchFired{7});
  look();
  shell.advance(1ms);
  shell.feed(WatchFired{7});
  shell.feed(WatchFired{7});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_EQ(shell.wake(), 49ms);
  EXPECT_THAT(shell.doing(), ElementsAre(publish));
}

TEST(Retry, a_watch_goes_with_its_pod) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", "hostPath: {path: /data/x, type: File}"}});
  shell.fail(publish, not_there);
  Outcome watched;
  watched.watches = {7};
  shell.end(watch, watched);
  shell.fail(publish, not_there);
  shell.remove("web");
  EXPECT_THAT(shell.last.watches_to_remove, ElementsAre(7));
  EXPECT_THAT(shell.gone, ElementsAre("web"));
  shell.feed(WatchFired{7});
  EXPECT_TRUE(is_nothing(shell.last));
}

TEST(Retry, a_watch_that_two_volumes_share_goes_with_the_last_of_them) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", "hostPath: {path: /data/x, type: File}"}});
  shell.write("db", {{"v", "hostPath: {path: /data/y, type: File}"}});
  Outcome watched;
  watched.watches = {7};
  for (const std::string pod : {"web", "db"}) {
    shell.fail("publish default/" + pod + "/v", not_there);
    shell.end("watch for default/" + pod + "/v", watched);
    shell.fail("publish default/" + pod + "/v", not_there);
  }
  shell.feed(WatchFired{7});
  shell.end(publish);
  EXPECT_THAT(shell.last.watches_to_remove, IsEmpty());
  shell.end("publish default/db/v");
  EXPECT_THAT(shell.last.watches_to_remove, ElementsAre(7));
}

TEST(Retry, a_look_up_that_leaves_its_mount_is_done_again_by_a_worker_of_its_own_and_is_no_failure) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", "hostPath: {path: /link/x, type: Directory}"}});
  ASSERT_EQ(shell.in_flight.at(0).lane, Lane::Local);
  EXPECT_EQ(std::get<CheckHostPath>(shell.in_flight[0].steps[0]).confined_to, "/");
  shell.fail(publish, error_of(ErrorKind::Transient, "LeavesMount"));
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_EQ(shell.in_flight[0].lane, Lane::Own);
  EXPECT_FALSE(std::get<CheckHostPath>(shell.in_flight[0].steps[0]).confined_to);
  EXPECT_EQ(shell.volume("web", "v").attempts, 0u);
  EXPECT_EQ(shell.count("FailedMount pod/default/web"), 0);
}

}  // namespace
}  // namespace mooring
