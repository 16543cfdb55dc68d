#include "plan/planner.h"

#include <gtest/gtest.h>

#include <set>

#include "plan/backoff.h"

namespace mooring {
namespace {

using namespace std::chrono_literals;

constexpr MonotonicTime now{1000s};
const PlanGate open_gate{now, true, true};

VolumeView volume(bool wanted, PublishState state) {
  VolumeView view;
  view.name = VolumeName("v");
  view.is_wanted = wanted;
  view.state = state;
  return view;
}

PodView pod_with(bool wanted, std::vector<VolumeView> volumes) {
  PodView view;
  view.is_wanted = wanted;
  view.directory_may_exist = true;
  view.volumes = std::move(volumes);
  return view;
}

TEST(Planner, what_is_wanted_and_not_surely_there_is_published) {
  for (const PublishState state : {PublishState::Absent, PublishState::Uncertain}) {
    EXPECT_EQ(plan_pod(pod_with(true, {volume(true, state)}), open_gate).publish.size(), 1u);
  }
  const PodPlan plan = plan_pod(pod_with(true, {volume(true, PublishState::Published)}), open_gate);
  EXPECT_TRUE(plan.publish.empty());
  EXPECT_TRUE(plan.unpublish.empty());
  EXPECT_FALSE(plan.is_gone);
}

TEST(Planner, what_is_not_wanted_and_not_surely_gone_is_unpublished) {
  for (const PublishState state : {PublishState::Published, PublishState::Uncertain}) {
    for (const bool pod_wanted : {true, false}) {
      const PodPlan plan = plan_pod(pod_with(pod_wanted, {volume(false, state)}), open_gate);
      EXPECT_EQ(plan.unpublish.size(), 1u);
      EXPECT_FALSE(plan.remove_directory);
    }
  }
}

TEST(Planner, nothing_is_torn_down_before_the_gate_opens) {
  const PlanGate half{now, true, false};
  const PodPlan plan = plan_pod(pod_with(false, {volume(false, PublishState::Published)}), half);
  EXPECT_TRUE(plan.unpublish.empty());
  const PodPlan empty = plan_pod(pod_with(false, {}), half);
  EXPECT_FALSE(empty.remove_directory);
  EXPECT_FALSE(empty.is_gone);
}

TEST(Planner, nothing_is_set_up_before_adoption) {
  const PlanGate closed{now, false, false};
  EXPECT_TRUE(plan_pod(pod_with(true, {volume(true, PublishState::Absent)}), closed).publish.empty());
}

TEST(Planner, a_busy_or_refused_volume_is_left_alone) {
  VolumeView busy = volume(true, PublishState::Absent);
  busy.is_busy = true;
  VolumeView refused = volume(true, PublishState::Absent);
  refused.is_refused = true;
  const PodPlan plan = plan_pod(pod_with(true, {busy, refused}), open_gate);
  EXPECT_TRUE(plan.publish.empty());
  EXPECT_FALSE(plan.look_again);
}

TEST(Planner, a_failed_volume_waits_for_its_time_and_delays_no_other) {
  VolumeView failed = volume(true, PublishState::Uncertain);
  failed.not_before = now + 5s;
  VolumeView other = volume(true, PublishState::Absent);
  other.name = VolumeName("other");
  const PodPlan plan = plan_pod(pod_with(true, {failed, other}), open_gate);
  EXPECT_EQ(plan.publish, std::vector<VolumeName>{VolumeName("other")});
  EXPECT_EQ(plan.look_again, now + 5s);
  const PodPlan later = plan_pod(pod_with(true, {failed, other}), {now + 5s, true, true});
  EXPECT_EQ(later.publish.size(), 2u);
}

TEST(Planner, the_directory_goes_after_the_last_volume_and_then_the_pod_is_gone) {
  EXPECT_FALSE(
      plan_pod(pod_with(false, {volume(false, PublishState::Uncertain)}), open_gate).remove_directory);
  EXPECT_TRUE(plan_pod(pod_with(false, {volume(false, PublishState::Absent)}), open_gate).remove_directory);
  PodView bare = pod_with(false, {});
  bare.directory_may_exist = false;
  EXPECT_TRUE(plan_pod(bare, open_gate).is_gone);
  bare.is_wanted = true;
  EXPECT_FALSE(plan_pod(bare, open_gate).is_gone);
}

TEST(Planner, nothing_is_published_into_a_directory_that_is_being_removed) {
  PodView view = pod_with(true, {volume(true, PublishState::Absent)});
  view.directory_is_busy = true;
  EXPECT_TRUE(plan_pod(view, open_gate).publish.empty());
}

TEST(Planner, a_directory_that_could_not_be_removed_waits_for_its_time) {
  PodView view = pod_with(false, {});
  view.directory_not_before = now + 1s;
  const PodPlan plan = plan_pod(view, open_gate);
  EXPECT_FALSE(plan.remove_directory);
  EXPECT_EQ(plan.look_again, now + 1s);
}

TEST(Backoff, kb_5_2_starts_at_half_a_second_doubles_and_is_capped_with_jitter) {
  Random random(7);
  Backoff backoff;
  const BackoffOptions options;
  Duration expected = 500ms;
  for (int attempt = 1; attempt <= 12; ++attempt) {
    backoff.failed(now, options, random);
    const Duration delay = *backoff.not_before() - now;
    EXPECT_GE(delay, expected * 8 / 10);
    EXPECT_LE(delay, expected * 12 / 10 + 1us);
    EXPECT_EQ(backoff.attempts(), static_cast<std::uint32_t>(attempt));
    expected = std::min<Duration>(expected * 2, 122s);
  }
}

TEST(Backoff, jitter_spreads_failures_of_one_cause) {
  Random random(7);
  std::set<Duration> delays;
  for (int i = 0; i < 20; ++i) {
    Backoff backoff;
    backoff.failed(now, {}, random);
    delays.insert(*backoff.not_before() - now);
  }
  EXPECT_GT(delays.size(), 10u);
}

TEST(Backoff, hurry_makes_the_next_try_due_and_keeps_the_count) {
  Random random(7);
  Backoff backoff;
  backoff.failed(now, {}, random);
  backoff.hurry();
  EXPECT_FALSE(backoff.not_before());
  EXPECT_EQ(backoff.attempts(), 1u);
  backoff.reset();
  EXPECT_EQ(backoff.attempts(), 0u);
}

}  // namespace
}  // namespace mooring
