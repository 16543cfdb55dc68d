// Staging, expanding and measuring volumes of CSI drivers (kubelet-behaviours 15.3, 15.4, 15.7).

#include "csi_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CsiStage : public testing::Test {
 protected:
  CsiNode& node() { return node_; }
  FakeKernel& fake() { return node_.fake; }
  bool exists(const std::string& relative) { return fake().exists(node_.root(relative)); }
  const std::string place = csi_staged.substr(0, csi_staged.rfind('/'));

 private:
  CsiNode node_;
};

TEST_F(CsiStage, kb_15_3_stages_and_unstages) {
  fake().drivers().calls.clear();
  node().run_well({csi_stage()});
  EXPECT_THAT(node().called(), ElementsAre("NodeStageVolume"));
  const nlohmann::json expected{
      {"volume_id", "vol#1"},
      {"staging_target_path", node().root(csi_staged)},
      {"volume_capability",
       {{"mount", {{"fs_type", "ext4"}}}, {"access_mode", {{"mode", "SINGLE_NODE_WRITER"}}}}},
      {"secrets", {{"password", "hunter2"}}},
      {"volume_context", {{"share", "a"}}}};
  EXPECT_EQ(node().last_request(), expected);
  EXPECT_EQ(fake().read(node().root(csi_staged_data)), csi_data_text);
  EXPECT_TRUE(node().is_mounted(csi_staged));
  node().run_well({csi_unstage()});
  EXPECT_THAT(node().called(), ElementsAre("NodeUnstageVolume"));
  EXPECT_EQ(node().last_request(),
            nlohmann::json({{"volume_id", "vol#1"}, {"staging_target_path", node().root(csi_staged)}}));
  EXPECT_FALSE(exists(place));
  EXPECT_FALSE(node().run_well({csi_unstage()}).changed);
  EXPECT_THAT(node().called(), IsEmpty());
}

TEST_F(CsiStage, kb_15_3_without_the_capability_directory_and_data_are_made_and_nobody_is_asked) {
  StageCsiVolume stage = csi_stage();
  stage.calls_driver = false;
  stage.volume.socket.clear();
  EXPECT_TRUE(node().run_well({stage}).changed);
  EXPECT_FALSE(node().run_well({stage}).changed);
  EXPECT_EQ(fake().status(node().root(csi_staged))->mode, 0750u);
  EXPECT_TRUE(exists(csi_staged_data));
  UnstageCsiVolume unstage = csi_unstage();
  unstage.calls_driver = false;
  unstage.volume.socket.clear();
  node().run_well({unstage});
  EXPECT_FALSE(exists(place));
  EXPECT_THAT(node().called(), IsEmpty());
}

TEST_F(CsiStage, a_driver_that_stages_without_a_mount_is_believed) {
  node().mounts = false;
  node().run_well({csi_stage()});
  node().run_well({csi_unstage()});
  EXPECT_THAT(node().called(), ElementsAre("NodeStageVolume", "NodeUnstageVolume"));
}

TEST_F(CsiStage, what_was_staged_once_is_unstaged_though_the_driver_refuses_to_stage_it_again) {
  node().mounts = false;  // Nothing but the driver's word tells that it is staged.
  node().run_well({csi_stage()});
  StageCsiVolume again = csi_stage();
  again.may_be_there = true;
  node().expect("NodeStageVolume", CallCode::Internal);
  node().run_badly({again});
  EXPECT_TRUE(exists(csi_staged_data));
  node().called();
  node().run_well({csi_unstage()});
  EXPECT_THAT(node().called(), ElementsAre("NodeUnstageVolume"));
}

TEST_F(CsiStage, kb_15_3_a_repetition_asks_again) {
  node().run_well({csi_stage()});
  const auto before = node().picture();
  node().run_well({csi_stage()});
  EXPECT_EQ(node().picture(), before);
  EXPECT_THAT(node().called(), ElementsAre("NodeStageVolume", "NodeStageVolume"));
}

TEST_F(CsiStage, kb_15_4_errors) {
  const std::pair<CallCode, bool> codes[] = {{CallCode::Cancelled, true},
                                             {CallCode::DeadlineExceeded, true},
                                             {CallCode::Unavailable, true},
                                             {CallCode::ResourceExhausted, true},
                                             {CallCode::Aborted, true},
                                             {CallCode::Internal, false},
                                             {CallCode::FailedPrecondition, false},
                                             {CallCode::InvalidArgument, false},
                                             {CallCode::Unknown, false}};
  for (const auto& [code, keeps] : codes) {
    SCOPED_TRACE(static_cast<int>(code));
    node().expect("NodeStageVolume", code);
    const Error error = node().run_badly({csi_stage()});
    EXPECT_EQ(error.kind == ErrorKind::Uncertain, keeps);
    EXPECT_EQ(error.reason, "StageFailed");
    EXPECT_EQ(exists(csi_staged_data), keeps);
    EXPECT_EQ(exists(place), keeps);
    node().called();
    node().run_well({csi_unstage()});
    EXPECT_EQ(node().called().size(), keeps ? 1u : 0u);
    EXPECT_FALSE(exists(place));
  }
}

TEST_F(CsiStage, what_is_still_mounted_after_an_unstage_stays) {
  node().run_well({csi_stage()});
  node().mounts = false;
  EXPECT_EQ(node().run_badly({csi_unstage()}).reason, "StillMounted");
  EXPECT_TRUE(exists(csi_staged_data));
  node().mounts = true;
  node().expect("NodeUnstageVolume", CallCode::Internal);
  EXPECT_EQ(node().run_badly({csi_unstage()}).reason, "UnstageFailed");
  EXPECT_TRUE(exists(csi_staged_data));
  node().run_well({csi_unstage()});
}

TEST_F(CsiStage, data_in_an_unmounted_staging_directory_stays) {
  node().run_well({csi_stage()});
  fake().unmount_foreign(node().root(csi_staged));
  fake().put_file(node().root(csi_staged) + "/data", "of somebody");
  EXPECT_EQ(node().run_badly({csi_unstage()}).reason, "NotEmpty");
  EXPECT_EQ(fake().read(node().root(csi_staged) + "/data"), "of somebody");
}

TEST_F(CsiStage, a_driver_that_is_not_registered_is_asked_when_it_is_back) {
  StageCsiVolume stage = csi_stage();
  stage.volume.socket.clear();
  EXPECT_EQ(node().run_badly({stage}).reason, "DriverNotRegistered");
  EXPECT_FALSE(exists(place));
  node().run_well({csi_stage()});
  UnstageCsiVolume unstage = csi_unstage();
  unstage.volume.socket.clear();
  EXPECT_EQ(node().run_badly({unstage}).reason, "DriverNotRegistered");
  EXPECT_TRUE(node().is_mounted(csi_staged));
}

TEST_F(CsiStage, killed_between_unpublish_and_unstage_nothing_is_left_for_ever) {
  node().run_well({csi_stage(), csi_publish()});
  node().run_well({csi_unpublish()});
  // The next run does both again: what is done already costs no call.
  node().called();
  node().run_well({csi_unpublish(), csi_unstage()});
  EXPECT_THAT(node().called(), ElementsAre("NodeUnstageVolume"));
  EXPECT_FALSE(exists(place));
}

class CsiExpand : public CsiStage {
 protected:
  static ExpandCsiVolume expand() {
    ExpandCsiVolume step;
    step.volume = csi_volume;
    step.path = csi_staged;
    step.staged_path = csi_staged;
    step.required_bytes = 4096;
    step.secrets = {{"key", SecretBytes("hunter2")}};
    return step;
  }
};

TEST_F(CsiExpand, kb_15_7_the_driver_is_told_the_size) {
  node().run_well({expand()});
  EXPECT_THAT(node().called(), ElementsAre("NodeExpandVolume"));
  const nlohmann::json expected{
      {"volume_id", "vol#1"},
      {"volume_path", node().root(csi_staged)},
      {"staging_target_path", node().root(csi_staged)},
      {"capacity_range", {{"required_bytes", "4096"}}},
      {"volume_capability",
       {{"mount", nlohmann::json::object()}, {"access_mode", {{"mode", "SINGLE_NODE_WRITER"}}}}},
      {"secrets", {{"key", "hunter2"}}}};
  EXPECT_EQ(node().last_request(), expected);
}

TEST_F(CsiExpand, kb_15_7_in_use_is_a_warning) {
  node().expect("NodeExpandVolume", CallCode::FailedPrecondition);
  const Outcome outcome = node().run_well({expand()});
  EXPECT_THAT(outcome.warnings, ElementsAre(HasSubstr("in use")));
  // By this the core knows that nothing has grown.
  ASSERT_EQ(outcome.csi_calls.size(), 1u);
  EXPECT_EQ(outcome.csi_calls[0].method, "csi.v1.Node/NodeExpandVolume");
  EXPECT_EQ(outcome.csi_calls[0].code, CallCode::FailedPrecondition);
}

TEST_F(CsiExpand, kb_15_7_errors_of_who_asked_for_it_and_of_who_did_not) {
  node().expect("NodeExpandVolume", CallCode::Internal);
  EXPECT_EQ(node().run_badly({expand()}).reason, "ExpandFailed");
  ExpandCsiVolume unasked = expand();
  unasked.may_be_refused = true;
  node().expect("NodeExpandVolume", CallCode::Internal);
  EXPECT_THAT(node().run_well({unasked}).warnings, ElementsAre(HasSubstr("as large as it is")));
  node().expect("NodeExpandVolume", CallCode::Unavailable);
  EXPECT_EQ(node().run_badly({unasked}).kind, ErrorKind::Uncertain);
}

TEST_F(CsiExpand, kb_15_7_without_the_capability_nobody_is_asked) {
  ExpandCsiVolume step = expand();
  step.is_supported = false;
  EXPECT_EQ(node().run_badly({step}).reason, "ExpandUnsupported");
  EXPECT_THAT(node().called(), IsEmpty());
}

TEST_F(CsiStage, kb_15_7_stats) {
  node().response = R"({"usage":[{"unit":"BYTES","total":"100","used":"40","available":"60"}],
                        "volume_condition":{"abnormal":true,"message":"sick"}})";
  const Outcome outcome = node().run_well({MeasureCsiVolume{csi_volume, csi_target, csi_staged}});
  EXPECT_THAT(node().called(), ElementsAre("NodeGetVolumeStats"));
  EXPECT_EQ(node().last_request(), nlohmann::json({{"volume_id", "vol#1"},
                                                   {"volume_path", node().root(csi_target)},
                                                   {"staging_target_path", node().root(csi_staged)}}));
  ASSERT_TRUE(outcome.usage);
  EXPECT_EQ(outcome.usage->used_bytes, 40u);
  EXPECT_EQ(outcome.condition, (CsiCondition{true, "sick"}));
  node().response = "garbage";
  EXPECT_EQ(node().run_badly({MeasureCsiVolume{csi_volume, csi_target, ""}}).reason, "BadAnswer");
  node().expect("NodeGetVolumeStats", CallCode::DeadlineExceeded);
  const Error silent = node().run_badly({MeasureCsiVolume{csi_volume, csi_target, ""}});
  EXPECT_EQ(silent.kind, ErrorKind::Transient);
  EXPECT_EQ(silent.reason, "DriverNotAnswering");
  node().expect("NodeGetVolumeStats", CallCode::NotFound);
  EXPECT_EQ(node().run_badly({MeasureCsiVolume{csi_volume, csi_target, ""}}).reason, "StatsFailed");
}

TEST_F(CsiStage, kb_15_7_each_call_is_told_of_with_its_code) {
  node().expect("NodeGetVolumeStats", CallCode::NotFound);
  Operation operation;
  operation.steps = {MeasureCsiVolume{csi_volume, csi_target, ""}};
  const Outcome failed = execute(operation, node().fake.ports());
  ASSERT_EQ(failed.csi_calls.size(), 1u);
  EXPECT_EQ(failed.csi_calls[0],
            (CsiCallFact{csi_driver, "csi.v1.Node/NodeGetVolumeStats", CallCode::NotFound, 0}));
}

}  // namespace
}  // namespace mooring
