// What is left of snapshots, in the core: it is forgotten when somebody says so, and not before.

#include "snapshots_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class SnapshotsLeft : public CoreSnapshots {
 protected:
  Result<void> forget(const std::string& name = "s") {
    Result<void> forgotten =
        shell_.core.forget_snapshots({Namespace("default"), ObjectName(name)}, shell_.now());
    shell_.take();
    return forgotten;
  }
  /// Its answer was lost, its manifest is gone, and its driver cannot delete it.
  void fail_to_delete() {
    ask();
    shell_.fail(cut_s, worker_lost());
    shell_.feed(FileGone{"s.yaml"});
    shell_.fail(delete_s, error_of(ErrorKind::Final, "DeleteSnapshotFailed", "it is busy"));
  }
};

TEST_F(SnapshotsLeft, of_unknown_handle_hold_their_claim_until_somebody_has_them_forgotten) {
  fail_to_delete();
  const std::string uid = shell_.ledger.snapshots.begin()->second.uid;
  shell_.feed(FileGone{"c.yaml"});
  EXPECT_EQ(claim().phase, "Terminating");
  EXPECT_EQ(doing("delete pv/"), "");
  ASSERT_TRUE(forget());
  EXPECT_THAT(shell_.ledger.snapshots, IsEmpty());
  EXPECT_THAT(shell_.core.snapshots(), IsEmpty());
  EXPECT_NE(doing("delete pv/"), "") << "nothing is cut of it any more";
  EXPECT_FALSE(shell_.is_in_flight(delete_s));
  EXPECT_EQ(shell_.count("SnapshotForgotten volumesnapshot/default/s"), 1);
  const auto events = shell_.core.events_since(0);
  const auto told = std::find_if(events.begin(), events.end(), [](const StatusEvent& event) {
    return event.reason == "SnapshotForgotten";
  });
  ASSERT_NE(told, events.end());
  EXPECT_THAT(told->message, HasSubstr("snapshot-" + uid)) << "so that somebody finds it at its driver";
  EXPECT_THAT(shell_.core.node_status().problems, IsEmpty());
}

TEST_F(SnapshotsLeft, that_are_kept_are_forgotten_and_their_driver_is_not_asked) {
  make_ready("Retain");
  shell_.feed(FileGone{"s.yaml"});
  ASSERT_EQ(snapshot().phase, "Released");
  EXPECT_THAT(snapshot().action, HasSubstr("--forget"));
  ASSERT_TRUE(forget());
  EXPECT_THAT(shell_.ledger.snapshots, IsEmpty());
  EXPECT_THAT(shell_.doing(), IsEmpty());
}

TEST_F(SnapshotsLeft, stay_forgotten_after_a_restart) {
  fail_to_delete();
  ASSERT_TRUE(forget());
  Shell again;
  restart(again);
  put_driver(again, able_driver());
  write_all(again, false);
  EXPECT_THAT(again.core.snapshots(), IsEmpty());
  EXPECT_THAT(again.doing(), IsEmpty());
}

TEST_F(SnapshotsLeft, of_a_name_go_without_the_one_that_is_wanted_now) {
  make_ready("Retain");
  shell_.feed(FileGone{"s.yaml"});
  shell_.write_text("s.yaml", snapshot_yaml());
  shell_.end(cut_s, cut(true, "snap-2"));
  ASSERT_THAT(shell_.core.snapshots(), SizeIs(2));
  ASSERT_TRUE(forget());
  ASSERT_THAT(shell_.core.snapshots(), SizeIs(1));
  EXPECT_EQ(snapshot().handle, "snap-2");
  EXPECT_EQ(snapshot().phase, "Ready");
}

TEST_F(SnapshotsLeft, that_are_wanted_or_being_deleted_are_not_forgotten) {
  EXPECT_EQ(forget().error().reason, "NoSuchSnapshot");
  ask();
  EXPECT_EQ(forget().error().reason, "SnapshotNotReleased") << "it is being cut";
  shell_.fail(cut_s, error_of(ErrorKind::Final, "CreateSnapshotFailed", "no such tier"));
  EXPECT_EQ(forget().error().reason, "SnapshotNotReleased") << "its manifest is there";
  shell_.feed(RetryRequested{});
  shell_.end(cut_s, cut());
  EXPECT_EQ(forget().error().reason, "SnapshotNotReleased") << "it is ready";
  shell_.feed(FileGone{"s.yaml"});
  ASSERT_THAT(shell_.doing(), ElementsAre(delete_s));
  EXPECT_EQ(forget().error().reason, "SnapshotNotReleased") << "it may well be deleted";
  shell_.fail(delete_s, worker_lost());
  EXPECT_TRUE(forget());
  EXPECT_THAT(shell_.ledger.snapshots, IsEmpty());
}

TEST_F(SnapshotsLeft, whose_deletion_began_again_before_that_was_written_are_not_forgotten) {
  fail_to_delete();
  shell_.is_ledger_slow = true;
  shell_.write_text("s2.yaml", snapshot_yaml("s2"));  // Its row is being written.
  ASSERT_TRUE(forget());
  shell_.wake();
  ASSERT_TRUE(shell_.is_in_flight(delete_s));
  shell_.end_writing();
  shell_.is_ledger_slow = false;
  EXPECT_THAT(shell_.ledger.snapshots, SizeIs(2));
  shell_.end(delete_s);
  EXPECT_THAT(shell_.ledger.snapshots, SizeIs(1));
}

}  // namespace
}  // namespace mooring
