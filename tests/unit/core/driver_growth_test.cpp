// Volumes of CSI drivers that grow and are copied: whose turn it is, the controller's or the node's.

#include <gmock/gmock.h>

#include "driver_claims_fixture.h"

namespace mooring {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(DriverClaims, a_claim_has_its_new_size_when_the_driver_said_so_if_the_node_has_no_part) {
  start_with();
  put_driver(able_driver());
  bind_claim();
  shell_.write_text("c.yaml", claim_yaml("data", "2Gi"));
  const auto steps = steps_of<ExpandCsiController>(shell_);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].volume.handle, "vol-1");
  EXPECT_EQ(steps[0].required_bytes, 2ULL << 30);
  EXPECT_EQ(claim().capacity, "1Gi");
  shell_.end(doing("grow pv/"), grown(2ULL << 30, false));
  EXPECT_EQ(claim().capacity, "2Gi");
  EXPECT_EQ(shell_.count("VolumeResizeSuccessful persistentvolumeclaim/default/data"), 1);
}

TEST_F(DriverClaims, the_node_is_not_asked_where_the_driver_says_that_it_has_no_part) {
  start_with();
  put_driver(able_driver());
  bind_claim_of_pod();
  shell_.write_text("c.yaml", claim_yaml("data", "2Gi"));
  shell_.end(doing("grow pv/"), grown(2ULL << 30, false));
  EXPECT_THAT(steps_of<ExpandCsiVolume>(shell_), IsEmpty());
  EXPECT_EQ(claim().capacity, "2Gi");
  EXPECT_TRUE(shell_.pod("web").ready);
}

TEST_F(DriverClaims, a_claim_has_its_new_size_when_the_node_has_done_its_part) {
  start_with();
  put_driver(able_driver());
  bind_claim();
  shell_.write_text("c.yaml", claim_yaml("data", "2Gi"));
  shell_.end(doing("grow pv/"), grown(2ULL << 30, true));
  EXPECT_EQ(claim().capacity, "1Gi");
  EXPECT_EQ(claim().reason, "FileSystemResizePending");
  shell_.write("web", {{"data", of_claim("data")}});
  const auto expansions = steps_of<ExpandCsiVolume>(shell_);
  ASSERT_THAT(expansions, SizeIs(1));
  EXPECT_EQ(expansions[0].required_bytes, 2ULL << 30);
  EXPECT_FALSE(expansions[0].may_be_refused) << "somebody waits for it";
  shell_.end(doing("stage "));
  EXPECT_EQ(claim().capacity, "2Gi");
  EXPECT_EQ(claim().reason, "");
}

TEST_F(DriverClaims, what_a_pod_has_grows_when_the_driver_has_made_the_volume_larger_and_not_before) {
  start_with();
  put_driver(able_driver());
  bind_claim_of_pod();
  shell_.write_text("c.yaml", claim_yaml("data", "2Gi"));
  EXPECT_THAT(steps_of<ExpandCsiVolume>(shell_), IsEmpty()) << "the driver has not done its part";
  ASSERT_NE(doing("grow pv/"), "");
  shell_.end(doing("grow pv/"), grown(2ULL << 30, true));
  EXPECT_EQ(claim().capacity, "1Gi");
  const auto expansions = steps_of<ExpandCsiVolume>(shell_);
  ASSERT_THAT(expansions, SizeIs(1));
  EXPECT_EQ(expansions[0].required_bytes, 2ULL << 30);
  shell_.end(doing("grow "));
  EXPECT_EQ(claim().capacity, "2Gi");
}

Outcome expanded(CallCode code) {
  Outcome outcome;
  outcome.csi_calls = {{DriverName(driver_name), "csi.v1.Node/NodeExpandVolume", code, 1}};
  return outcome;
}

/// What the driver says to a growth of a volume that is in use.
Outcome too_busy() {
  Outcome outcome = expanded(CallCode::FailedPrecondition);
  outcome.warnings = {"the volume is in use and stays as large as it is: busy"};
  return outcome;
}

TEST_F(DriverClaims, kb_15_7_what_is_in_use_and_did_not_grow_is_not_told_as_grown) {
  start_with();
  put_driver(able_driver());
  bind_claim_of_pod();
  shell_.write_text("c.yaml", claim_yaml("data", "2Gi"));
  shell_.end(doing("grow pv/"), grown(2ULL << 30, true));
  shell_.end(doing("grow "), too_busy());
  EXPECT_EQ(claim().capacity, "1Gi");
  EXPECT_EQ(claim().reason, "FileSystemResizePending");
  EXPECT_EQ(shell_.count("FileSystemResizeSuccessful persistentvolumeclaim/default/data"), 0);
  EXPECT_EQ(shell_.volume("web", "data").reason, "VolumeInUse");
  EXPECT_TRUE(shell_.pod("web").ready);
  shell_.advance(1h);
  EXPECT_THAT(steps_of<ExpandCsiVolume>(shell_), IsEmpty()) << "it is not asked again";
}

TEST_F(DriverClaims, kb_15_7_what_was_in_use_grows_when_it_is_staged_the_next_time) {
  start_with();
  put_driver(able_driver());
  bind_claim();
  shell_.write_text("c.yaml", claim_yaml("data", "2Gi"));
  shell_.end(doing("grow pv/"), grown(2ULL << 30, true));
  shell_.write("web", {{"data", of_claim("data")}});
  shell_.end(doing("stage "), too_busy());
  EXPECT_EQ(claim().capacity, "1Gi");
  shell_.end(doing("publish "));
  EXPECT_TRUE(shell_.pod("web").ready);
  shell_.remove("web");
  shell_.finish();
  shell_.write("next", {{"data", of_claim("data")}});
  ASSERT_THAT(steps_of<ExpandCsiVolume>(shell_), SizeIs(1));
  EXPECT_FALSE(steps_of<ExpandCsiVolume>(shell_)[0].may_be_refused) << "somebody waits for it still";
  shell_.end(doing("stage "));
  EXPECT_EQ(claim().capacity, "2Gi");
  EXPECT_EQ(claim().reason, "");
}

/// Who only reads asks for no size, and shares the volume with who does.
class SharedGrowth : public DriverClaims, public testing::WithParamInterface<const char*> {
 protected:
  void write_reader() {
    shell_.write(GetParam(), {{"data", "persistentVolumeClaim: {claimName: data, readOnly: true}"}});
  }
  void write_writer() { shell_.write("m", {{"data", of_claim("data")}}); }
};

TEST_P(SharedGrowth, a_pod_that_writes_comes_after_one_that_reads_and_the_volume_grows_once) {
  start_with();
  put_driver(able_driver());
  bind_claim();
  write_reader();
  shell_.end(doing("stage "));
  shell_.end(doing("publish "));
  write_writer();
  shell_.end(doing("publish default/m"));
  shell_.end(doing("grow "));  // Nobody has asked its driver before.
  EXPECT_TRUE(shell_.pod("m").ready);
  EXPECT_THAT(shell_.doing(), IsEmpty());
  EXPECT_EQ(shell_.count("FileSystemResizeSuccessful device/kubernetes.io/csi/d.example.com^vol-1"), 1);
}

TEST_P(SharedGrowth, a_pod_that_reads_comes_after_one_that_writes_and_the_volume_grows_with_its_claim) {
  start_with();
  put_driver(able_driver());
  bind_claim();
  write_writer();
  shell_.end(doing("stage "));
  shell_.end(doing("publish "));
  write_reader();
  shell_.end(doing("publish "));
  EXPECT_EQ(shell_.count("VolumeShrinkRefused device/kubernetes.io/csi/d.example.com^vol-1"), 0);
  shell_.write_text("c.yaml", claim_yaml("data", "2Gi"));
  shell_.end(doing("grow pv/"), grown(2ULL << 30, true));
  ASSERT_THAT(steps_of<ExpandCsiVolume>(shell_), SizeIs(1));
  shell_.end(doing("grow "), expanded(CallCode::Ok));
  EXPECT_EQ(claim().capacity, "2Gi");
  EXPECT_THAT(shell_.doing(), IsEmpty());
}

// Before and after the other pod, in the order in which they are looked at.
INSTANTIATE_TEST_SUITE_P(Readers, SharedGrowth, testing::Values("a", "b", "d", "v", "w", "z"));

/// Its driver stages nothing: a volume grows where a pod has it.
class UnstagedClaims : public DriverClaims {
 protected:
  /// A claim, whose volume the driver has made larger since.
  void grow_claim() {
    start_with();
    CsiDriver driver = able_driver();
    driver.node.stage_unstage = false;
    put_driver(driver);
    bind_claim();
    shell_.write_text("c.yaml", claim_yaml("data", "2Gi"));
    shell_.end(doing("grow pv/"), grown(2ULL << 30, true));
  }
  void expect_pending() {
    EXPECT_EQ(claim().capacity, "1Gi");
    EXPECT_EQ(claim().reason, "FileSystemResizePending");
  }
};

TEST_F(UnstagedClaims, kb_15_7_a_claim_has_its_new_size_when_a_pod_has_it_and_the_node_did_its_part) {
  grow_claim();
  shell_.write("web", {{"data", of_claim("data")}});
  shell_.end(doing("stage "));
  expect_pending();
  shell_.end(doing("publish "), expanded(CallCode::Ok));
  EXPECT_EQ(claim().capacity, "2Gi");
  EXPECT_THAT(steps_of<ExpandCsiVolume>(shell_), IsEmpty()) << "it is grown once";
}

TEST_F(UnstagedClaims, kb_15_7_what_is_in_use_when_it_is_published_is_not_told_as_grown) {
  grow_claim();
  shell_.write("web", {{"data", of_claim("data")}});
  shell_.end(doing("stage "));
  shell_.end(doing("publish "), too_busy());
  EXPECT_TRUE(shell_.pod("web").ready);
  expect_pending();
  shell_.advance(1h);
  EXPECT_THAT(steps_of<ExpandCsiVolume>(shell_), IsEmpty()) << "it is not asked again";
  shell_.remove("web");
  shell_.finish();
  shell_.write("next", {{"data", of_claim("data")}});
  shell_.end(doing("stage "));
  shell_.end(doing("publish "), expanded(CallCode::Ok));
  EXPECT_EQ(claim().capacity, "2Gi");
}

TEST_F(UnstagedClaims, is_not_grown_while_no_pod_has_it) {
  grow_claim();
  shell_.write("web", {{"data", of_claim("data")}});
  shell_.end(doing("stage "));
  shell_.fail(doing("publish "), error_of(ErrorKind::Transient, "NodePublishFailed"));
  EXPECT_EQ(doing("grow "), "");
  shell_.wake();
  EXPECT_EQ(doing("grow "), "");
  ASSERT_NE(doing("publish "), "");
  shell_.end(doing("publish "), expanded(CallCode::Ok));
  EXPECT_EQ(claim().capacity, "2Gi");
}

TEST_F(UnstagedClaims, grows_in_a_pod_that_has_it) {
  start_with();
  CsiDriver driver = able_driver();
  driver.node.stage_unstage = false;
  put_driver(driver);
  bind_claim();
  shell_.write("web", {{"data", of_claim("data")}});
  shell_.end(doing("stage "));
  shell_.end(doing("publish "), expanded(CallCode::Ok));
  shell_.write_text("c.yaml", claim_yaml("data", "2Gi"));
  shell_.end(doing("grow pv/"), grown(2ULL << 30, true));
  expect_pending();
  ASSERT_THAT(steps_of<ExpandCsiVolume>(shell_), SizeIs(1));
  EXPECT_EQ(steps_of<ExpandCsiVolume>(shell_)[0].staged_path, "");
  shell_.end(doing("grow "), expanded(CallCode::Ok));
  EXPECT_EQ(claim().capacity, "2Gi");
}

TEST_F(DriverClaims, the_node_grows_what_the_controller_cannot) {
  CsiDriver driver = able_driver();
  driver.controller->expand_volume = false;
  start_with();
  put_driver(driver);
  bind_claim_of_pod();
  shell_.write_text("c.yaml", claim_yaml("data", "2Gi"));
  EXPECT_THAT(steps_of<ExpandCsiController>(shell_), IsEmpty());
  EXPECT_THAT(steps_of<ExpandCsiVolume>(shell_), SizeIs(1));
  EXPECT_EQ(claim().capacity, "1Gi");
  shell_.end(doing("grow "));
  EXPECT_EQ(claim().capacity, "2Gi");
}

TEST_F(DriverClaims, a_refused_growth_leaves_the_volume_as_it_was_and_in_use) {
  start_with();
  put_driver(able_driver());
  bind_claim();
  shell_.write_text("c.yaml", claim_yaml("data", "2Gi"));
  shell_.fail(doing("grow pv/"), error_of(ErrorKind::Final, "ControllerExpandFailed", "too large"));
  EXPECT_EQ(claim().capacity, "1Gi");
  EXPECT_EQ(claim().phase, "Bound");
  EXPECT_THAT(claim().message, HasSubstr("too large"));
  shell_.write("web", {{"data", of_claim("data")}});
  const auto expansions = steps_of<ExpandCsiVolume>(shell_);
  ASSERT_THAT(expansions, SizeIs(1));
  EXPECT_EQ(expansions[0].required_bytes, 1ULL << 30);
}

TEST_F(DriverClaims, what_is_being_copied_stays_until_the_copy_is_there) {
  start_with();
  put_driver(able_driver());
  bind_claim();
  const std::string source = claim().volume;
  shell_.write_text("d.yaml",
                    claim_yaml("copy", "1Gi", "  dataSource: {kind: PersistentVolumeClaim, name: data}\n"));
  const auto steps = steps_of<CreateCsiVolume>(shell_);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].request.source.id, "vol-1");
  shell_.feed(FileGone{"c.yaml"});
  EXPECT_THAT(steps_of<DeleteCsiVolume>(shell_), IsEmpty());
  EXPECT_EQ(persistent(source).phase, "Bound");
  shell_.end(doing("provision pv/"), made("vol-2"));
  EXPECT_EQ(claim("copy").phase, "Bound");
  const auto deletions = steps_of<DeleteCsiVolume>(shell_);
  ASSERT_THAT(deletions, SizeIs(1));
  EXPECT_EQ(deletions[0].volume.handle, "vol-1");
}

TEST_F(DriverClaims, what_may_have_been_copied_stays_until_somebody_knows) {
  start_with();
  put_driver(able_driver());
  bind_claim();
  shell_.write_text("d.yaml",
                    claim_yaml("copy", "1Gi", "  dataSource: {kind: PersistentVolumeClaim, name: data}\n"));
  const std::string making = doing("provision pv/");
  shell_.feed(FileGone{"d.yaml"});
  shell_.feed(FileGone{"c.yaml"});
  shell_.fail(making, worker_lost());
  auto deletions = steps_of<DeleteCsiVolume>(shell_);
  ASSERT_THAT(deletions, SizeIs(1));
  EXPECT_EQ(deletions[0].volume.handle, "") << "of the copy, which is asked for once more";
  shell_.end(doing("delete pv/"));
  deletions = steps_of<DeleteCsiVolume>(shell_);
  ASSERT_THAT(deletions, SizeIs(1));
  EXPECT_EQ(deletions[0].volume.handle, "vol-1");
}

}  // namespace
}  // namespace mooring
