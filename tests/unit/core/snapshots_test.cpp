// Snapshots of volumes of CSI drivers, in the core: cut, asked for again, restored from and deleted
// (decision 0032).

#include "snapshots_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

TEST_F(CoreSnapshots, are_cut_when_the_request_is_on_disk_and_not_before) {
  shell_.write_text("sk.yaml", class_yaml());
  shell_.is_ledger_slow = true;
  shell_.write_text("s.yaml", snapshot_yaml());
  EXPECT_THAT(shell_.doing(), IsEmpty());
  EXPECT_EQ(snapshot().phase, "Pending");
  shell_.end_writing();
  shell_.is_ledger_slow = false;
  ASSERT_THAT(shell_.doing(), ElementsAre(cut_s));
  const auto steps = steps_of<CreateCsiSnapshot>(shell_);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].volume.handle, "vol-1");
  EXPECT_EQ(steps[0].volume.socket, "/run/d.sock");
  EXPECT_EQ(shell_.in_flight[0].lane, Lane::Own);
  shell_.end(cut_s, cut());
  const VolumeSnapshotStatus status = snapshot();
  EXPECT_EQ(status.phase, "Ready");
  EXPECT_EQ(status.claim, "data");
  EXPECT_EQ(status.handle, "snap-1");
  EXPECT_EQ(status.restore_size, "1073741824");
  EXPECT_EQ(status.creation_time, "2026-01-01T00:00:00Z");
  EXPECT_EQ(status.driver, driver_name);
  EXPECT_EQ(status.deletion_policy, "Delete");
  EXPECT_EQ(status.reason, "");
  EXPECT_EQ(shell_.count("SnapshotReady volumesnapshot/default/s"), 1);
  EXPECT_THAT(shell_.doing(), IsEmpty());
}

TEST_F(CoreSnapshots, that_are_not_ready_are_asked_for_again_by_their_name_ever_less_often) {
  ask();
  const auto first = steps_of<CreateCsiSnapshot>(shell_);
  shell_.end(cut_s, cut(false));
  EXPECT_EQ(snapshot().phase, "Pending");
  EXPECT_EQ(snapshot().reason, "SnapshotNotReady");
  EXPECT_EQ(snapshot().handle, "snap-1");
  EXPECT_THAT(shell_.doing(), IsEmpty());
  const Duration pause = shell_.wake();
  EXPECT_GT(pause, 100ms);
  EXPECT_EQ(steps_of<CreateCsiSnapshot>(shell_), first);
  shell_.end(cut_s, cut(false));
  EXPECT_EQ(snapshot().attempts, 0U) << "that is no failure";
  EXPECT_THAT(shell_.core.node_status().problems, IsEmpty());
  EXPECT_GT(shell_.wake(), pause);
  shell_.end(cut_s, cut());
  EXPECT_EQ(snapshot().phase, "Ready");
  EXPECT_EQ(shell_.count("SnapshotCreated volumesnapshot/default/s"), 1);
}

TEST_F(CoreSnapshots, whose_answer_is_lost_are_asked_for_with_the_same_request) {
  ask();
  const auto first = steps_of<CreateCsiSnapshot>(shell_);
  shell_.fail(cut_s, worker_lost());
  EXPECT_EQ(snapshot().reason, "WorkerLost");
  EXPECT_EQ(snapshot().attempts, 1U);
  EXPECT_TRUE(snapshot().next_retry);
  shell_.wake();
  EXPECT_EQ(steps_of<CreateCsiSnapshot>(shell_), first);
  shell_.end(cut_s, cut());
  EXPECT_EQ(snapshot().phase, "Ready");
}

TEST_F(CoreSnapshots, are_asked_for_by_the_same_name_after_a_restart) {
  ask();
  const auto first = steps_of<CreateCsiSnapshot>(shell_);
  Shell again;
  restart(again);
  write_all(again);
  EXPECT_EQ(snapshot(again).reason, "DriverNotRegistered");
  put_driver(again, able_driver());
  EXPECT_EQ(steps_of<CreateCsiSnapshot>(again), first);
}

TEST_F(CoreSnapshots, whose_manifest_went_while_nobody_looked_are_deleted_by_their_name) {
  ask();
  Shell again;
  restart(again);
  put_driver(again, able_driver());
  again.write_text("k.yaml", fast_class());
  EXPECT_THAT(steps_of<DeleteCsiSnapshot>(again), IsEmpty()) << "the manifests were not read whole yet";
  write_all(again, false);
  for (const std::string& what : again.doing())
    if (what == cut_s) again.end(cut_s, cut());
  const auto steps = steps_of<DeleteCsiSnapshot>(again);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].request.name, "snapshot-" + shell_.ledger.snapshots.begin()->second.uid);
  again.end(delete_s);
  EXPECT_THAT(again.ledger.snapshots, IsEmpty());
  EXPECT_THAT(again.core.snapshots(), IsEmpty());
}

TEST_F(CoreSnapshots, go_with_their_manifest_or_are_kept_as_their_class_says) {
  make_ready();
  shell_.feed(FileGone{"s.yaml"});
  ASSERT_THAT(shell_.doing(), ElementsAre(delete_s));
  EXPECT_EQ(steps_of<DeleteCsiSnapshot>(shell_).at(0).snapshot_id, "snap-1");
  EXPECT_EQ(snapshot().phase, "Deleting");
  shell_.end(delete_s);
  EXPECT_THAT(shell_.core.snapshots(), IsEmpty());
  EXPECT_EQ(shell_.count("SnapshotDeleted volumesnapshot/default/s"), 1);
  make_ready("Retain");
  shell_.feed(FileGone{"s.yaml"});
  EXPECT_THAT(shell_.doing(), IsEmpty());
  EXPECT_EQ(snapshot().phase, "Released");
  EXPECT_EQ(snapshot().handle, "snap-1");
  EXPECT_THAT(snapshot().action, HasSubstr("VolumeSnapshotContent"));
  shell_.write_text("sc.yaml", content_yaml("snap-1"));
  EXPECT_THAT(shell_.ledger.snapshots, IsEmpty()) << "a manifest tells of it now";
}

TEST_F(CoreSnapshots, of_a_driver_that_is_gone_wait_for_it_and_are_deleted_then) {
  make_ready();
  drop_driver();
  shell_.feed(FileGone{"s.yaml"});
  EXPECT_THAT(shell_.doing(), IsEmpty());
  EXPECT_EQ(snapshot().phase, "Deleting");
  EXPECT_EQ(snapshot().reason, "DriverNotRegistered");
  EXPECT_EQ(shell_.count("SnapshotDeleteError volumesnapshot/default/s"), 0);
  put_driver(able_driver(), 2);
  ASSERT_THAT(shell_.doing(), ElementsAre(delete_s)) << "at once";
  shell_.end(delete_s);
  EXPECT_THAT(shell_.ledger.snapshots, IsEmpty());
}

TEST_F(CoreSnapshots, that_cannot_be_deleted_say_so_and_are_tried_again) {
  make_ready();
  shell_.feed(FileGone{"s.yaml"});
  shell_.fail(delete_s, error_of(ErrorKind::Final, "DeleteSnapshotFailed", "it is busy"));
  EXPECT_THAT(snapshot().message, HasSubstr("it is busy"));
  EXPECT_EQ(shell_.count("SnapshotDeleteError volumesnapshot/default/s"), 1);
  EXPECT_THAT(shell_.core.node_status().problems, SizeIs(1));
  shell_.wake();
  shell_.end(delete_s);
  EXPECT_THAT(shell_.core.snapshots(), IsEmpty());
  EXPECT_THAT(shell_.core.node_status().problems, IsEmpty());
}

TEST_F(CoreSnapshots, that_a_driver_refuses_say_why_and_are_asked_for_now_and_then) {
  ask();
  const Error refused = error_of(ErrorKind::Final, "CreateSnapshotFailed", "no such tier");
  shell_.fail(cut_s, refused);
  EXPECT_THAT(snapshot().message, HasSubstr("no such tier"));
  EXPECT_EQ(shell_.count("SnapshotCreationFailed volumesnapshot/default/s"), 1);
  EXPECT_THAT(shell_.doing(), IsEmpty()) << "not at once";
  EXPECT_GT(shell_.wake(), 60s);
  shell_.fail(cut_s, refused);
  EXPECT_EQ(shell_.count("SnapshotCreationFailed volumesnapshot/default/s"), 1);
  shell_.feed(RetryRequested{});
  shell_.end(cut_s, cut());
  EXPECT_EQ(snapshot().phase, "Ready");
  EXPECT_EQ(snapshot().reason, "");
}

TEST_F(CoreSnapshots, wait_for_their_secret_which_is_told_to_nobody_else) {
  ask("Delete", snapshot_secret);
  EXPECT_EQ(snapshot().reason, "SecretMissing");
  EXPECT_THAT(shell_.doing(), IsEmpty());
  shell_.write_text("secret.yaml", secret_yaml);
  const auto steps = steps_of<CreateCsiSnapshot>(shell_);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].secrets.at("key").expose_secret(), "swordfish");
  shell_.end(cut_s, cut());
  shell_.feed(FileGone{"s.yaml"});
  EXPECT_EQ(steps_of<DeleteCsiSnapshot>(shell_).at(0).secrets.at("key").expose_secret(), "swordfish");
}

TEST_F(CoreSnapshots, of_a_driver_that_cuts_none_say_so) {
  CsiDriver driver = able_driver();
  driver.controller->create_delete_snapshot = false;
  put_driver(driver, 2);
  ask();
  EXPECT_EQ(snapshot().reason, "SnapshotUnsupported");
  EXPECT_EQ(shell_.count("SnapshotUnsupported volumesnapshot/default/s"), 1);
  EXPECT_THAT(shell_.ledger.snapshots, IsEmpty());
  put_driver(able_driver(), 3);
  EXPECT_THAT(shell_.doing(), ElementsAre(cut_s));
}

TEST_F(CoreSnapshots, keep_the_volume_that_they_are_cut_of_until_they_are) {
  ask();
  shell_.feed(FileGone{"c.yaml"});
  EXPECT_EQ(doing("delete pv/"), "");
  EXPECT_EQ(claim().phase, "Terminating");
  shell_.end(cut_s, cut());
  EXPECT_NE(doing("delete pv/"), "");
}

TEST_F(CoreSnapshots, make_claims_that_wait_until_they_are_ready) {
  ask();
  shell_.write_text("r.yaml", claim_yaml("restored", "1Gi", from_s));
  EXPECT_EQ(claim("restored").phase, "Pending");
  EXPECT_THAT(claim("restored").message, HasSubstr("not ready to use"));
  shell_.end(cut_s, cut());
  const auto steps = steps_of<CreateCsiVolume>(shell_);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].request.source, (CsiContentSource{CsiContentSource::Kind::Snapshot, "snap-1"}));
  shell_.end(doing("provision pv/"), made("vol-2", 1 << 30));
  EXPECT_EQ(claim("restored").phase, "Bound");
}

TEST_F(CoreSnapshots, make_no_claim_that_is_smaller_than_they_need) {
  ask();
  shell_.end(cut_s, cut(true, "snap-1", 2ULL << 30));
  shell_.write_text("r.yaml", claim_yaml("restored", "1Gi", from_s));
  EXPECT_EQ(doing("provision pv/"), "");
  EXPECT_THAT(claim("restored").message, HasSubstr("needs 2"));
}

TEST_F(CoreSnapshots, stay_while_a_claim_is_made_from_them) {
  make_ready();
  shell_.write_text("r.yaml", claim_yaml("restored", "1Gi", from_s));
  const std::string making = doing("provision pv/");
  ASSERT_NE(making, "");
  shell_.feed(FileGone{"s.yaml"});
  EXPECT_FALSE(shell_.is_in_flight(delete_s));
  shell_.end(making, made("vol-2", 1 << 30));
  EXPECT_EQ(claim("restored").phase, "Bound");
  EXPECT_TRUE(shell_.is_in_flight(delete_s));
}

TEST_F(CoreSnapshots, stay_while_nobody_knows_if_a_volume_was_made_from_them) {
  make_ready();
  shell_.write_text("r.yaml", claim_yaml("restored", "1Gi", from_s));
  const std::string making = doing("provision pv/");
  shell_.feed(FileGone{"r.yaml"});
  shell_.feed(FileGone{"s.yaml"});
  shell_.fail(making, worker_lost());
  const std::string deleting = doing("delete pv/");
  ASSERT_NE(deleting, "") << "it is asked for once more, to be deleted";
  EXPECT_FALSE(shell_.is_in_flight(delete_s));
  shell_.end(deleting);
  EXPECT_TRUE(shell_.is_in_flight(delete_s));
}

TEST_F(CoreSnapshots, that_are_there_already_are_used_and_neither_cut_nor_deleted) {
  shell_.write_text("s.yaml",
                    "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshot\nmetadata: {name: s}\n"
                    "spec: {source: {volumeSnapshotContentName: sc}}\n");
  EXPECT_EQ(snapshot().reason, "SnapshotContentMissing");
  EXPECT_EQ(snapshot().phase, "Pending");
  shell_.write_text("sc.yaml", content_yaml("snap-9"));
  EXPECT_EQ(snapshot().phase, "Ready");
  EXPECT_EQ(snapshot().content, "sc");
  EXPECT_EQ(snapshot().handle, "snap-9");
  shell_.write_text("r.yaml", claim_yaml("restored", "1Gi", from_s));
  EXPECT_EQ(steps_of<CreateCsiVolume>(shell_).at(0).request.source.id, "snap-9");
  shell_.end(doing("provision pv/"), made("vol-2", 1 << 30));
  shell_.feed(FileGone{"s.yaml"});
  shell_.feed(FileGone{"sc.yaml"});
  EXPECT_THAT(shell_.doing(), IsEmpty());
  EXPECT_THAT(shell_.core.snapshots(), IsEmpty());
}

TEST_F(CoreSnapshots, that_a_content_of_the_manifests_names_are_not_cut_once_more) {
  shell_.write_text("sc.yaml", content_yaml("snap-9"));
  ask();
  EXPECT_THAT(shell_.doing(), IsEmpty());
  EXPECT_EQ(snapshot().phase, "Ready");
}

TEST_F(CoreSnapshots, share_the_calls_of_their_driver_with_volumes) {
  shell_.write_text("sk.yaml", class_yaml());
  for (int i = 0; i < 20; ++i)
    shell_.write_text("s" + std::to_string(i) + ".yaml", snapshot_yaml("s" + std::to_string(i)));
  const std::size_t calls_max = CoreOptions().driver_calls_max;
  EXPECT_THAT(shell_.in_flight, SizeIs(calls_max));
  shell_.write_text("c2.yaml", claim_yaml("more"));
  EXPECT_THAT(shell_.in_flight, SizeIs(calls_max));
  shell_.end(shell_.in_flight.front().what, cut());
  EXPECT_THAT(shell_.in_flight, SizeIs(calls_max)) << "the next one begins";
}

TEST_F(CoreSnapshots, whose_manifest_was_not_read_yet_say_how_far_they_are) {
  ask();
  Shell first;
  restart(first);
  shell_.end(cut_s, cut(false));
  Shell second;
  restart(second);
  for (Shell* again : {&first, &second})
    put_driver(*again, able_driver());
  EXPECT_EQ(snapshot(first).reason, "CreatingSnapshot");
  EXPECT_THAT(snapshot(first).message, HasSubstr("d.example.com is to cut it"));
  EXPECT_EQ(snapshot(second).reason, "SnapshotNotReady");
  EXPECT_EQ(snapshot(second).phase, "Pending");
}

TEST_F(CoreSnapshots, are_told_of_as_they_change) {
  shell_.write_text("sk.yaml", class_yaml());
  EXPECT_FALSE(shell_.last.snapshots_changed);
  ask();
  shell_.end(cut_s, cut());
  EXPECT_TRUE(shell_.last.snapshots_changed);
  shell_.write("web", {{"scratch", disk}});
  EXPECT_FALSE(shell_.last.snapshots_changed);
}

TEST_F(CoreSnapshots, of_several_of_one_name_all_are_listed) {
  make_ready("Retain");
  shell_.feed(FileGone{"s.yaml"});
  shell_.write_text("s.yaml", snapshot_yaml());
  const auto all = shell_.core.snapshots();
  ASSERT_THAT(all, SizeIs(2));
  std::set<std::string> phases{all[0].phase, all[1].phase};
  EXPECT_THAT(phases, ElementsAre("Pending", "Released"));
  EXPECT_THAT(shell_.doing(), ElementsAre(cut_s));
}

TEST_F(CoreSnapshots, whose_ledger_cannot_be_written_are_not_cut) {
  shell_.write_text("sk.yaml", class_yaml());
  shell_.is_ledger_slow = true;
  shell_.write_text("s.yaml", snapshot_yaml());
  shell_.feed(LedgerRead{error_of(ErrorKind::Transient, "LedgerFailed", "no space")});
  EXPECT_THAT(shell_.doing(), IsEmpty());
  EXPECT_EQ(snapshot().reason, "LedgerFailed");
}

}  // namespace
}  // namespace mooring
