// Publishing and unpublishing volumes of CSI drivers (kubelet-behaviours 15.2 to 15.4).

#include "csi_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CsiPublish : public testing::Test {
 protected:
  CsiNode& node() { return node_; }
  FakeKernel& fake() { return node_.fake; }
  bool exists(const std::string& relative) { return fake().exists(node_.root(relative)); }

 private:
  CsiNode node_;
};

constexpr CallCode not_final[] = {CallCode::Cancelled, CallCode::DeadlineExceeded, CallCode::Unavailable,
                                  CallCode::ResourceExhausted, CallCode::Aborted};
constexpr CallCode final_codes[] = {
    CallCode::Unknown,       CallCode::InvalidArgument,  CallCode::NotFound,
    CallCode::AlreadyExists, CallCode::PermissionDenied, CallCode::FailedPrecondition,
    CallCode::OutOfRange,    CallCode::Unimplemented,    CallCode::Internal,
    CallCode::DataLoss,      CallCode::Unauthenticated};

TEST_F(CsiPublish, kb_15_3_the_driver_is_told_what_to_do) {
  PublishCsiVolume publish = csi_publish();
  publish.read_only = true;
  publish.publish_context = {{"devicePath", "/dev/x"}};
  publish.volume_context = {{"share", "a"}};
  node().mounts_read_only = true;
  EXPECT_TRUE(node().run_well({publish}).changed);
  EXPECT_THAT(node().called(), ElementsAre("NodePublishVolume"));
  EXPECT_EQ(node().last_call().socket, "/run/d.sock");
  EXPECT_EQ(node().last_call().method, "csi.v1.Node/NodePublishVolume");
  EXPECT_EQ(node().last_call().deadline_ms, 1000u);
  const nlohmann::json expected{
      {"volume_id", "vol#1"},
      {"publish_context", {{"devicePath", "/dev/x"}}},
      {"staging_target_path", node().root(csi_staged)},
      {"target_path", node().root(csi_target)},
      {"volume_capability",
       {{"mount", {{"fs_type", "ext4"}}}, {"access_mode", {{"mode", "SINGLE_NODE_WRITER"}}}}},
      {"readonly", true},
      {"secrets", {{"password", "hunter2"}}},
      {"volume_context", {{"share", "a"}}}};
  EXPECT_EQ(node().last_request(), expected);
}

TEST_F(CsiPublish, kb_15_2_the_data_is_there_before_the_call_and_the_driver_makes_the_target) {
  bool was_asked = false;
  fake().drivers().set_on_call([&](const kernel::DriverCall&) {
    was_asked = true;
    EXPECT_EQ(fake().read(node().root(csi_target_data)), csi_data_text);
    EXPECT_EQ(fake().status(node().root(csi_pod_directory))->mode, 0750u);
    EXPECT_FALSE(exists(csi_target));
    return kernel::DriverAnswer{CallCode::Internal, "no", ""};
  });
  node().run_badly({csi_publish()});
  EXPECT_TRUE(was_asked);
}

TEST_F(CsiPublish, kb_15_3_comes_and_goes) {
  node().run_well({csi_publish()});
  EXPECT_TRUE(node().is_mounted(csi_target));
  node().called();
  EXPECT_TRUE(node().run_well({csi_unpublish()}).changed);
  EXPECT_THAT(node().called(), ElementsAre("NodeUnpublishVolume"));
  EXPECT_EQ(node().last_request(),
            nlohmann::json({{"volume_id", "vol#1"}, {"target_path", node().root(csi_target)}}));
  EXPECT_FALSE(exists(csi_pod_directory));
  EXPECT_FALSE(node().run_well({csi_unpublish()}).changed);
  EXPECT_THAT(node().called(), IsEmpty());
}

TEST_F(CsiPublish, a_repetition_asks_the_driver_again_and_changes_nothing_else) {
  node().run_well({csi_publish()});
  const auto before = node().picture();
  node().run_well({csi_publish()});
  EXPECT_EQ(node().picture(), before);
  EXPECT_THAT(node().called(), ElementsAre("NodePublishVolume", "NodePublishVolume"));
}

TEST_F(CsiPublish, kb_15_4_what_is_not_final_keeps_directory_and_data) {
  for (const CallCode code : not_final) {
    SCOPED_TRACE(static_cast<int>(code));
    node().expect("NodePublishVolume", code);
    const Error error = node().run_badly({csi_publish()});
    EXPECT_EQ(error.kind, ErrorKind::Uncertain);
    EXPECT_EQ(error.reason, "PublishFailed");
    EXPECT_TRUE(exists(csi_target_data));
    node().called();
    // So the way down is gone, whatever the driver came to do.
    node().run_well({csi_unpublish()});
    EXPECT_THAT(node().called(), ElementsAre("NodeUnpublishVolume"));
    EXPECT_FALSE(exists(csi_pod_directory));
  }
}

TEST_F(CsiPublish, kb_15_4_what_is_final_removes_directory_and_data_and_asks_no_more) {
  for (const CallCode code : final_codes) {
    SCOPED_TRACE(static_cast<int>(code));
    node().expect("NodePublishVolume", code);
    const Error error = node().run_badly({csi_publish()});
    EXPECT_NE(error.kind, ErrorKind::Uncertain);
    EXPECT_FALSE(exists(csi_pod_directory));
    node().called();
    node().run_well({csi_unpublish()});
    EXPECT_THAT(node().called(), IsEmpty());
  }
}

TEST_F(CsiPublish, kb_15_4_a_final_error_after_another_one_clears) {
  node().expect("NodePublishVolume", CallCode::DeadlineExceeded);
  node().expect("NodePublishVolume", CallCode::Internal);
  node().run_badly({csi_publish()});
  EXPECT_TRUE(exists(csi_pod_directory));
  node().run_badly({csi_publish()});
  EXPECT_FALSE(exists(csi_pod_directory));
}

TEST_F(CsiPublish, what_a_pod_may_have_stays_though_the_driver_refuses_to_publish_it_again) {
  PublishCsiVolume again = csi_publish();
  again.may_be_there = true;
  node().expect("NodePublishVolume", CallCode::Internal);
  node().run_badly({again});
  EXPECT_TRUE(exists(csi_target_data));
  node().called();
  node().run_well({csi_unpublish()});
  EXPECT_THAT(node().called(), ElementsAre("NodeUnpublishVolume"));
}

TEST_F(CsiPublish, a_lost_answer_is_found_by_the_next_try) {
  node().expect("NodePublishVolume", CallCode::DeadlineExceeded, true);
  node().run_badly({csi_publish()});
  EXPECT_TRUE(node().is_mounted(csi_target));
  node().run_well({csi_publish()});
  EXPECT_TRUE(node().is_mounted(csi_target));
}

TEST_F(CsiPublish, what_is_mounted_after_a_final_error_stays_with_all_around_it) {
  node().expect("NodePublishVolume", CallCode::Internal, true);
  node().run_badly({csi_publish()});
  EXPECT_TRUE(node().is_mounted(csi_target));
  EXPECT_TRUE(exists(csi_target_data));
}

TEST_F(CsiPublish, a_driver_that_says_ok_and_mounts_nothing_is_not_believed) {
  node().mounts = false;
  const Error error = node().run_badly({csi_publish()});
  EXPECT_EQ(error.reason, "NotMounted");
  EXPECT_EQ(error.kind, ErrorKind::Uncertain);
  EXPECT_TRUE(exists(csi_target_data));
}

TEST_F(CsiPublish, what_is_writable_and_should_not_be_is_told) {
  PublishCsiVolume publish = csi_publish();
  publish.read_only = true;
  const Outcome outcome = node().run_well({publish});
  EXPECT_THAT(outcome.warnings, ElementsAre(HasSubstr("writable")));
  EXPECT_THAT(node().run_well({csi_publish()}).warnings, IsEmpty());
}

TEST_F(CsiPublish, what_the_driver_mounted_is_never_looked_at) {
  fake().put_server("server:/export", "nfs4");
  node().published_type = "nfs4";
  node().run_well({csi_publish()});
  fake().set_server_answers("server:/export", false);
  node().run_well({csi_publish()});
  // A driver that hangs with its server is one thing; who only looks would hang as well.
  node().expect("NodeUnpublishVolume", CallCode::DeadlineExceeded);
  EXPECT_EQ(node().run_badly({csi_unpublish()}).reason, "UnpublishFailed");
}

TEST_F(CsiPublish, kb_15_4_a_driver_that_is_not_registered) {
  PublishCsiVolume publish = csi_publish();
  publish.volume.socket.clear();
  const Error error = node().run_badly({publish});
  EXPECT_EQ(error.reason, "DriverNotRegistered");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_FALSE(exists(csi_pod_directory));
  node().run_well({csi_publish()});
  UnpublishCsiVolume unpublish = csi_unpublish();
  unpublish.volume.socket.clear();
  EXPECT_EQ(node().run_badly({unpublish}).reason, "DriverNotRegistered");
  EXPECT_TRUE(node().is_mounted(csi_target));
}

TEST_F(CsiPublish, a_call_that_was_lost_keeps_everything) {
  fake().drivers().set_on_call([](const kernel::DriverCall&) -> Result<kernel::DriverAnswer> {
    Error error = refusal("DriverCallLost", "the process that called ended");
    error.kind = ErrorKind::Uncertain;
    return error;
  });
  EXPECT_EQ(node().run_badly({csi_publish()}).reason, "DriverCallLost");
  EXPECT_TRUE(exists(csi_target_data));
}

TEST_F(CsiPublish, kb_15_3_still_mounted_after_a_success_deletes_nothing) {
  node().run_well({csi_publish()});
  node().mounts = false;
  const Error error = node().run_badly({csi_unpublish()});
  EXPECT_EQ(error.reason, "StillMounted");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_TRUE(node().is_mounted(csi_target));
  EXPECT_TRUE(exists(csi_target_data));
}

TEST_F(CsiPublish, an_error_on_the_way_down_keeps_everything) {
  for (const CallCode code : final_codes) {
    node().run_well({csi_publish()});
    node().expect("NodeUnpublishVolume", code, true);
    EXPECT_EQ(node().run_badly({csi_unpublish()}).reason, "UnpublishFailed");
    EXPECT_TRUE(exists(csi_target_data)) << static_cast<int>(code);
  }
}

TEST_F(CsiPublish, kb_15_3_the_target_that_the_driver_left_is_removed_if_it_is_empty) {
  node().leaves_directory = true;
  node().run_well({csi_publish()});
  node().run_well({csi_unpublish()});
  EXPECT_FALSE(exists(csi_pod_directory));
  node().run_well({csi_publish()});
  fake().unmount_foreign(node().root(csi_target));
  fake().put_file(node().root(csi_target) + "/data", "of a pod");
  EXPECT_EQ(node().run_badly({csi_unpublish()}).reason, "NotEmpty");
  EXPECT_EQ(fake().read(node().root(csi_target) + "/data"), "of a pod");
  EXPECT_TRUE(exists(csi_target_data));
}

TEST_F(CsiPublish, a_truncated_vol_data_hurts_nothing) {
  node().run_well({csi_publish()});
  fake().put_file(node().root(csi_target_data), "{\"driv");
  node().run_well({csi_publish()});
  EXPECT_EQ(fake().read(node().root(csi_target_data)), csi_data_text);
  fake().put_file(node().root(csi_target_data), "");
  fake().put_file(node().root(csi_pod_directory) + "/.vol_data.json.77.new", "{");
  node().run_well({csi_unpublish()});
  EXPECT_FALSE(exists(csi_pod_directory));
}

TEST_F(CsiPublish, kb_15_3_without_a_record_the_data_tells_whose_it_is) {
  node().run_well({csi_publish()});
  UnpublishCsiVolume unpublish{
      {}, csi_target, csi_target_data, std::nullopt, {{csi_driver.str(), "/run/d.sock"}}};
  node().called();
  node().run_well({unpublish});
  EXPECT_THAT(node().called(), ElementsAre("NodeUnpublishVolume"));
  EXPECT_EQ(node().last_request()["volume_id"], "vol#1");
  EXPECT_FALSE(exists(csi_pod_directory));
}

TEST_F(CsiPublish, what_nobody_knows_anything_of_goes_only_if_nothing_is_mounted) {
  const UnpublishCsiVolume unpublish{{}, csi_target, csi_target_data, std::nullopt, {}};
  node().run_well({csi_publish()});
  fake().put_file(node().root(csi_target_data), "{");
  EXPECT_EQ(node().run_badly({unpublish}).reason, "StillMounted");
  EXPECT_TRUE(exists(csi_target_data));
  fake().unmount_foreign(node().root(csi_target));
  node().called();
  node().run_well({unpublish});
  EXPECT_THAT(node().called(), IsEmpty());
  EXPECT_FALSE(exists(csi_pod_directory));
}

TEST_F(CsiPublish, no_error_and_no_file_holds_a_secret) {
  node().expect("NodePublishVolume", CallCode::DeadlineExceeded);
  const Error error = node().run_badly({csi_publish()});
  EXPECT_THAT(error.text() + error.step + error.path, Not(HasSubstr("hunter2")));
  EXPECT_THAT(fake().read(node().root(csi_target_data)), Not(HasSubstr("hunter2")));
}

TEST_F(CsiPublish, kb_15_4_a_group_that_cannot_be_given_after_the_publish_leaves_it_published) {
  node().fail_call("change_group", EIO, true);
  const Outcome outcome = node().run({csi_publish(), ChangeGroup{csi_target, 2000, false, false, 0}});
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.steps_done, 1u);
  EXPECT_TRUE(outcome.changed);
  EXPECT_TRUE(node().is_mounted(csi_target));
}

}  // namespace
}  // namespace mooring
