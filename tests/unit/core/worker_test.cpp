// Outcomes that are bad, late, lost, or never come.

#include <gmock/gmock.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string publish = "publish default/web/v";
const std::string unpublish = "unpublish default/web/v";

TEST(Worker, kb_3_an_uncertain_publish_counts_as_not_there_and_is_done_again_from_its_first_step) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", memory}});
  const std::vector<Step> steps = shell.in_flight.at(0).steps;
  shell.fail(publish, error_of(ErrorKind::Uncertain, "TimedOut"));
  EXPECT_FALSE(shell.pod("web").ready);
  shell.wake();
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_EQ(shell.in_flight[0].steps, steps);
}

TEST(Worker, kb_3_an_uncertain_publish_counts_as_there_when_the_pod_goes) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", memory}});
  shell.remove("web");
  shell.fail(publish, error_of(ErrorKind::Uncertain, "TimedOut"));
  shell.advance(1s);
  ASSERT_THAT(shell.doing(), ElementsAre(unpublish));
  shell.finish();
  EXPECT_THAT(shell.gone, ElementsAre("web"));
}

TEST(Worker, any_failed_publish_is_cleaned_up_after) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", memory}});
  shell.fail(publish, error_of(ErrorKind::Final, "MountFailed"));
  shell.remove("web");
  EXPECT_THAT(shell.doing(), ElementsAre(unpublish));
}

TEST(Worker, a_lost_worker_is_tried_again_at_once_the_first_time_and_with_a_pause_then) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.fail(publish, worker_lost());
  EXPECT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_EQ(shell.volume("web", "v").reason, "WorkerLost");
  shell.fail(publish, worker_lost());
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_GT(shell.wake(), 100ms);
  EXPECT_THAT(shell.doing(), ElementsAre(publish));
  shell.end(publish);
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST(Worker, a_lost_worker_costs_only_what_it_had) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.write("db", {{"v", disk}});
  shell.fail(publish, worker_lost());
  shell.end("publish default/db/v");
  EXPECT_THAT(shell.ready, ElementsAre("db"));
}

TEST(Worker, a_lost_unpublish_is_done_again_and_what_it_may_have_moved_aside_is_removed) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.finish();
  shell.remove("web");
  const std::string trash = std::get<DiscardDirectory>(shell.in_flight.at(0).steps.back()).trash_name;
  shell.fail(unpublish, worker_lost());
  EXPECT_THAT(shell.doing(), ElementsAre(unpublish, "remove trash/" + trash));
  shell.finish();
  EXPECT_THAT(shell.gone, ElementsAre("web"));
}

TEST(Worker, what_was_moved_aside_is_removed_after_the_pod_is_gone) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.finish();
  shell.remove("web");
  Outcome outcome;
  outcome.trash_entry = "some.1";
  shell.end(unpublish, outcome);
  EXPECT_THAT(shell.doing(), ElementsAre("remove the directory of default/web", "remove trash/some.1"));
  shell.end("remove the directory of default/web");
  EXPECT_THAT(shell.gone, ElementsAre("web"));
  EXPECT_THAT(shell.doing(), ElementsAre("remove trash/some.1"));
}

TEST(Worker, an_outcome_that_is_told_twice_or_of_nothing_changes_nothing) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  Outcome outcome;
  outcome.id = shell.in_flight.at(0).id;
  shell.end(publish);
  outcome.error = worker_lost();
  shell.feed(OperationEnded{outcome});
  EXPECT_TRUE(is_nothing(shell.last));
  outcome.id = OperationId{4711};
  shell.feed(OperationEnded{outcome});
  shell.feed(OperationStuck{outcome.id, 99});
  EXPECT_TRUE(is_nothing(shell.last));
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST(Worker, past_its_deadline_only_its_volume_is_stuck_and_all_others_go_on) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", "hostPath: {path: /data, type: Directory}"}, {"w", disk}});
  shell.write("db", {{"v", disk}});
  shell.feed(OperationStuck{shell.in_flight.at(0).id, 4711});
  const VolumeStatus stuck = shell.volume("web", "v");
  EXPECT_EQ(stuck.phase, Phase::Stuck);
  EXPECT_EQ(stuck.reason, "WorkerStuck");
  EXPECT_THAT(stuck.message, HasSubstr("4711"));
  EXPECT_NE(stuck.action, "");
  EXPECT_FALSE(stuck.next_retry);
  EXPECT_EQ(shell.core.node_status().workers_stuck, 1u);
  shell.end("publish default/web/w");
  shell.end("publish default/db/v");
  EXPECT_EQ(shell.volume("web", "w").phase, Phase::Ready);
  EXPECT_THAT(shell.ready, ElementsAre("db"));
  EXPECT_FALSE(shell.core.next_wake());
}

TEST(Worker, a_stuck_volume_is_held_and_nothing_more_is_started_on_it) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", "hostPath: {path: /data, type: Directory}"}});
  shell.feed(OperationStuck{shell.in_flight.at(0).id, 4711});
  shell.feed(RetryRequested{});
  shell.write("web", {{"v", "hostPath: {path: /other, type: Directory}"}});
  shell.remove("web");
  EXPECT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_THAT(shell.gone, IsEmpty());
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Stuck);
  shell.fail(publish, worker_lost());
  EXPECT_THAT(shell.gone, ElementsAre("web"));
  EXPECT_EQ(shell.core.node_status().workers_stuck, 0u);
}

TEST(Worker, a_stuck_worker_that_ends_after_all_gives_its_volume_back) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", "hostPath: {path: /data, type: DirectoryOrCreate}"}});
  shell.feed(OperationStuck{shell.in_flight.at(0).id, 4711});
  shell.fail(publish, worker_lost());
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Publishing);
  shell.end(publish);
  EXPECT_THAT(shell.ready, ElementsAre("web"));
}

TEST(Worker, what_may_hang_has_a_worker_of_its_own_and_a_longer_deadline) {
  Shell shell;
  shell.start();
  shell.show_mounts({{"/mnt/nfs", "nfs4"}});
  shell.write("web", {{"far", "hostPath: {path: /mnt/nfs/x, type: Directory}"}, {"v", disk}});
  ASSERT_THAT(shell.doing(), ElementsAre("publish default/web/far", publish));
  EXPECT_EQ(shell.in_flight[0].lane, Lane::Own);
  EXPECT_EQ(shell.in_flight[0].deadline_ms, core_options().own_deadline_ms);
  EXPECT_EQ(shell.in_flight[1].lane, Lane::Local);
  EXPECT_EQ(shell.in_flight[1].deadline_ms, core_options().local_deadline_ms);
}

TEST(Worker, one_operation_at_a_time_is_in_flight_for_a_volume) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.feed(RetryRequested{});
  shell.write("web", {{"v", disk}});
  shell.list({"web.yaml"});
  shell.show_mounts({{"/mnt", "ext4"}});
  shell.remove("web");
  shell.write("web", {{"v", disk}});
  EXPECT_THAT(shell.doing(), ElementsAre(publish));
}

TEST(Worker, a_record_that_cannot_be_written_is_written_before_anything_is_done_after_all) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  ASSERT_EQ(shell.last.records_to_write.size(), 1u);
  const Error error = error_of(ErrorKind::Transient, "RecordFailed", "no space");
  shell.core.handle(RecordFailed{uid_of("web"), error}, shell.now());
  shell.fail(publish, error);
  EXPECT_EQ(shell.volume("web", "v").reason, "RecordFailed");
  EXPECT_EQ(shell.count("RecordFailed pod/default/web"), 1);
  shell.feed(RecordFailed{uid_of("web"), error});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  shell.wake();
  EXPECT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_THAT(shell.last.records_to_write, ElementsAre(record_of("web", {volume_record("v")})));
}

TEST(Worker, a_stuck_one_is_logged_under_the_name_of_its_pod) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.feed(OperationStuck{shell.in_flight.at(0).id, 4711});
  EXPECT_EQ(shell.count("WorkerStuck pod/default/web"), 1);
}

TEST(Worker, a_stuck_removal_of_a_directory_is_told_of_by_its_pod) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.finish();
  shell.remove("web");
  shell.end(unpublish);
  ASSERT_THAT(shell.doing(), ElementsAre("remove the directory of default/web"));
  shell.feed(OperationStuck{shell.in_flight.at(0).id, 4711});
  EXPECT_THAT(shell.pod("web").message, HasSubstr("4711"));
  EXPECT_EQ(shell.core.node_status().workers_stuck, 1u);
}

TEST(Worker, a_stuck_scan_is_told_of_by_the_node) {
  Shell shell;
  shell.feed(RecordsRead{});
  shell.show_mounts();
  shell.feed(OperationStuck{shell.in_flight.at(0).id, 4711});
  EXPECT_EQ(shell.count("WorkerStuck node"), 1);
  EXPECT_THAT(shell.core.node_status().problems, ElementsAre(HasSubstr("4711")));
}

}  // namespace
}  // namespace mooring
