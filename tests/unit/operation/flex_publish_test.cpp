#include "flex_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string place = "pods/u1/volumes/example.com~share/v";
const std::string flex_staged = "plugins/kubernetes.io/flexvolume/example.com/share/mounts/v";

class FlexPublish : public testing::Test {
 protected:
  FlexPublish() { node.run_well({make_pod}); }

  PublishFlexVolume publish(const std::string& staged = {}) const {
    return {node.program,
            {"v", "ext4", false, {{"share", "server:/x"}}},
            {uid, Namespace("default"), ObjectName("web"), "builder", 2000, {{"key", SecretBytes("s3cret")}}},
            place,
            staged};
  }
  UnpublishFlexVolume unpublish() const { return {node.program, place}; }
  std::vector<std::string> mounted() const { return node.mounted_at(path); }

  FlexNode node;
  const std::string path = node.root(place);
};

TEST_F(FlexPublish, kb_16_mount_is_called_with_the_directory_and_all_that_it_is_told) {
  node.acts["mount"] = [&](const std::vector<std::string>& arguments) {
    EXPECT_EQ(node.fake.status(arguments.at(1))->mode, 0750U) << "made before the call";
    EXPECT_EQ(node.fake.mount_foreign(arguments.at(1), "nfs4", "server:/share"), 0);
    return FlexNode::said(success_text);
  };
  EXPECT_TRUE(node.run_well({publish()}).changed);
  EXPECT_THAT(node.calls, ElementsAre("mount " + path + " JSON"));
  EXPECT_EQ(
      node.arguments_of["mount"].at(2),
      R"({"kubernetes.io/fsType":"ext4","kubernetes.io/mounterArgs.FsGroup":"2000",)"
      R"("kubernetes.io/pod.name":"web","kubernetes.io/pod.namespace":"default",)"
      R"("kubernetes.io/pod.uid":"u1","kubernetes.io/pvOrVolumeName":"v","kubernetes.io/readwrite":"rw",)"
      R"("kubernetes.io/secret/key":"czNjcmV0","kubernetes.io/serviceAccount.name":"builder",)"
      R"("share":"server:/x"})");
  EXPECT_THAT(mounted(), ElementsAre("nfs4"));
}

TEST_F(FlexPublish, kb_16_what_is_a_mount_point_already_is_not_mounted_again) {
  node.mounts("mount");
  node.run_well({publish()});
  node.take_calls();
  EXPECT_FALSE(node.run_well({publish()}).changed);
  EXPECT_THAT(node.calls, IsEmpty());
}

TEST_F(FlexPublish, kb_16_a_driver_may_write_into_the_directory_instead_of_mounting) {
  node.acts["mount"] = [&](const std::vector<std::string>& arguments) {
    EXPECT_EQ(node.fake.put_file(arguments.at(1) + "/file", "x"), 0);
    return FlexNode::said(success_text);
  };
  node.run_well({publish()});
  EXPECT_TRUE(node.fake.exists(path + "/file"));
  // Nobody can tell whether it is there, so the driver is asked again.
  node.run_well({publish()});
  EXPECT_THAT(node.calls, ElementsAre("mount " + path + " JSON", "mount " + path + " JSON"));
}

TEST_F(FlexPublish, kb_16_a_failing_mount_leaves_no_directory) {
  node.answers("mount", failure_text, 1);
  const Error error = node.run_badly({publish()});
  EXPECT_EQ(error.reason, "DriverFailed");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_THAT(error.message, HasSubstr("mount command failed, status: Failure, reason: no such share"));
  EXPECT_FALSE(node.fake.exists(path));
}

TEST_F(FlexPublish, what_a_failed_mount_left_mounted_is_not_taken_for_the_volume) {
  node.mounts("mount", failure_text, 1);
  EXPECT_EQ(node.run_badly({publish()}).reason, "DriverFailed");
  EXPECT_THAT(mounted(), IsEmpty());
  EXPECT_FALSE(node.fake.exists(path));
}

TEST_F(FlexPublish, what_a_failed_mount_left_mounted_is_unmounted_by_the_driver) {
  node.mounts("mount", failure_text, 1);
  node.unmounts("unmount");
  EXPECT_EQ(node.run_badly({publish()}).kind, ErrorKind::Transient);
  EXPECT_THAT(node.take_calls(), ElementsAre("mount " + path + " JSON", "unmount " + path));
  EXPECT_THAT(mounted(), IsEmpty());
  EXPECT_FALSE(node.fake.exists(path));
}

TEST_F(FlexPublish, what_the_driver_cannot_unmount_after_a_failure_stays_until_it_can) {
  node.mounts("mount", failure_text, 1);
  node.hangs("unmount");
  EXPECT_EQ(node.run_badly({publish()}).kind, ErrorKind::Uncertain);
  EXPECT_THAT(mounted(), ElementsAre("nfs4"));
  node.unmounts("unmount");
  node.run_well({unpublish()});
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(FlexPublish, what_a_failed_mount_wrote_stays) {
  node.acts["mount"] = [&](const std::vector<std::string>& arguments) {
    EXPECT_EQ(node.fake.put_file(arguments.at(1) + "/file", "x"), 0);
    return FlexNode::said(failure_text);
  };
  node.run_badly({publish()});
  EXPECT_EQ(node.fake.read(path + "/file"), "x");
}

TEST_F(FlexPublish, of_a_driver_that_was_killed_nobody_knows_what_it_did) {
  node.hangs("mount");
  Error error = node.run_badly({publish()});
  EXPECT_EQ(error.reason, "DriverTimeout");
  EXPECT_EQ(error.kind, ErrorKind::Uncertain);
  EXPECT_EQ(error.path, place);
  // Also if it had mounted it already.
  node.hangs("mount", [&](const std::string& at) { node.fake.mount_foreign(at, "nfs4", "server:/share"); });
  error = node.run_badly({publish()});
  EXPECT_EQ(error.kind, ErrorKind::Uncertain);
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(FlexPublish, what_cannot_be_unmounted_after_a_failure_is_told_of) {
  node.acts["mount"] = [&](const std::vector<std::string>& arguments) {
    node.fake.mount_foreign(arguments.at(1), "nfs4", "server:/share");
    node.fake.mark_open(arguments.at(1));
    return FlexNode::said(failure_text);
  };
  const Error error = node.run_badly({publish()});
  EXPECT_EQ(error.kind, ErrorKind::Uncertain);
  EXPECT_THAT(error.message, HasSubstr("could not be unmounted"));
  EXPECT_THAT(mounted(), ElementsAre("nfs4"));
}

TEST_F(FlexPublish, kb_16_every_bad_answer_is_an_error_and_leaves_nothing) {
  struct Case {
    std::string output;
    int status;
    std::string reason;
  };
  const std::vector<Case> cases{{"", 0, "BadDriverAnswer"},
                                {"mounted", 0, "BadDriverAnswer"},
                                {"warning\n" + success_text, 0, "BadDriverAnswer"},
                                {success_text + " bye", 0, "BadDriverAnswer"},
                                {R"({"status":"ok"})", 0, "DriverFailed"},
                                {R"({"status":"Success","status":"Failure"})", 0, "DriverFailed"},
                                {success_text, 1, "DriverExitError"},
                                {std::string(1U << 20U, 'x'), 0, "BadDriverAnswer"}};
  for (const Case& one : cases) {
    node.mounts("mount", one.output, one.status);
    EXPECT_EQ(node.run_badly({publish()}).reason, one.reason) << one.output.substr(0, 80);
    EXPECT_FALSE(node.fake.exists(path));
  }
  node.acts["mount"] = [](const auto&) {
    kernel::ProgramAnswer answer;
    answer.is_too_long = true;
    return answer;
  };
  EXPECT_EQ(node.run_badly({publish()}).reason, "DriverAnswerTooLong");
}

TEST_F(FlexPublish, no_error_has_a_secret_in_it) {
  node.answers("mount", R"({"status":"Failure","message":"s3cret is wrong, czNjcmV0"})");
  const std::string text = node.run_badly({publish()}).text();
  EXPECT_THAT(text, Not(HasSubstr("s3cret")));
  EXPECT_THAT(text, Not(HasSubstr("czNjcmV0")));
}

TEST_F(FlexPublish, kb_16_by_default_what_is_staged_is_bound) {
  node.fake.put_directory(node.root(flex_staged), 0750);
  node.fake.mount_foreign(node.root(flex_staged), "nfs4", "server:/share");
  const Outcome outcome = node.run_well({publish(flex_staged)});
  EXPECT_THAT(mounted(), ElementsAre("nfs4"));
  EXPECT_THAT(outcome.flex_unsupported,
              ElementsAre(FlexUnsupported{DriverName("example.com/share"), "mount"}));
}

TEST_F(FlexPublish, an_empty_directory_is_never_bound_for_a_volume) {
  Error error = node.run_badly({publish(flex_staged)});
  EXPECT_EQ(error.reason, "NotStaged");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  node.fake.put_directory(node.root(flex_staged), 0750);
  EXPECT_EQ(node.run_badly({publish(flex_staged)}).reason, "NotStaged");
  EXPECT_FALSE(node.fake.exists(path));
  node.fake.put_file(node.root(flex_staged) + "/file", "x");
  node.run_well({publish(flex_staged)});
  EXPECT_TRUE(node.fake.exists(path + "/file"));
}

TEST_F(FlexPublish, a_driver_that_can_neither_mount_nor_attach_makes_no_volumes) {
  const Error error = node.run_badly({publish()});
  EXPECT_EQ(error.reason, "MountNotSupported");
  EXPECT_EQ(error.kind, ErrorKind::Final);
  EXPECT_FALSE(node.fake.exists(path));
}

TEST_F(FlexPublish, kb_16_what_is_known_not_to_be_supported_is_not_called) {
  node.program.unsupported = {"mount"};
  node.fake.put_directory(node.root(flex_staged), 0750);
  node.fake.mount_foreign(node.root(flex_staged), "nfs4", "server:/share");
  const Outcome outcome = node.run_well({publish(flex_staged)});
  EXPECT_THAT(node.calls, IsEmpty());
  EXPECT_THAT(outcome.flex_unsupported, IsEmpty());
}

TEST_F(FlexPublish, a_driver_that_is_gone_may_come_back) {
  node.is_missing = true;
  const Error error = node.run_badly({publish()});
  EXPECT_EQ(error.reason, "DriverMissing");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_EQ(error.path, node.program.program);
  EXPECT_FALSE(node.fake.exists(path));
}

TEST_F(FlexPublish, kb_16_unmount_of_a_path_that_is_missing_is_no_call) {
  EXPECT_FALSE(node.run_well({unpublish()}).changed);
  EXPECT_THAT(node.calls, IsEmpty());
}

TEST_F(FlexPublish, kb_16_unmount_is_called_whether_something_is_mounted_or_not) {
  node.mounts("mount");
  node.unmounts("unmount");
  node.run_well({publish()});
  node.take_calls();
  node.run_well({unpublish()});
  EXPECT_THAT(node.take_calls(), ElementsAre("unmount " + path));
  EXPECT_FALSE(node.fake.exists(path));
  node.fake.put_directory(path, 0750);
  node.run_well({unpublish()});
  EXPECT_THAT(node.take_calls(), ElementsAre("unmount " + path));
  EXPECT_FALSE(node.fake.exists(path));
}

TEST_F(FlexPublish, kb_16_a_driver_may_remove_the_directory_itself) {
  node.fake.put_directory(path, 0750);
  node.acts["unmount"] = [&](const std::vector<std::string>& arguments) {
    node.fake.remove_all(arguments.at(1));
    return FlexNode::said(success_text);
  };
  node.run_well({unpublish()});
  EXPECT_FALSE(node.fake.exists(path));
}

TEST_F(FlexPublish, kb_16_by_default_what_is_mounted_is_unmounted) {
  node.mounts("mount");
  node.run_well({publish()});
  const Outcome outcome = node.run_well({unpublish()});
  EXPECT_THAT(mounted(), IsEmpty());
  EXPECT_FALSE(node.fake.exists(path));
  EXPECT_THAT(outcome.flex_unsupported,
              ElementsAre(FlexUnsupported{DriverName("example.com/share"), "unmount"}));
}

TEST_F(FlexPublish, a_mount_whose_server_is_gone_is_unmounted_without_asking_it) {
  node.fake.put_server("server:/share");
  node.mounts("mount");
  node.run_well({publish()});
  node.fake.set_server_answers("server:/share", false);
  node.acts["unmount"] = [&](const std::vector<std::string>&) {
    node.fake.set_server_answers("server:/share", true);  // An unmount itself would wait.
    return FlexNode::said(unsupported_text);
  };
  node.run_well({unpublish()});
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(FlexPublish, what_a_driver_left_in_the_directory_is_never_removed) {
  node.fake.put_file(path + "/file", "x");
  node.answers("unmount", success_text);
  const Error error = node.run_badly({unpublish()});
  EXPECT_EQ(error.reason, "NotEmpty");
  EXPECT_THAT(error.message, HasSubstr("file"));
  EXPECT_EQ(node.fake.read(path + "/file"), "x");
}

TEST_F(FlexPublish, a_driver_that_says_it_unmounted_and_did_not_is_not_believed) {
  node.mounts("mount");
  node.run_well({publish()});
  node.answers("unmount", success_text);
  const Error error = node.run_badly({unpublish()});
  EXPECT_EQ(error.reason, "StillMounted");
  EXPECT_THAT(mounted(), ElementsAre("nfs4"));
}

TEST_F(FlexPublish, a_failing_unmount_is_tried_again_with_all_still_there) {
  node.mounts("mount");
  node.run_well({publish()});
  node.answers("unmount", R"({"status":"Failure","message":"busy"})", 1);
  EXPECT_THAT(node.run_badly({unpublish()}).message,
              HasSubstr("unmount command failed, status: Failure, reason: busy"));
  EXPECT_THAT(mounted(), ElementsAre("nfs4"));
  node.hangs("unmount");
  EXPECT_EQ(node.run_badly({unpublish()}).kind, ErrorKind::Uncertain);
  node.unmounts("unmount");
  node.run_well({unpublish()});
  EXPECT_FALSE(node.fake.exists(path));
}

TEST_F(FlexPublish, a_directory_that_is_not_moorings_is_left_alone) {
  const std::string foreign = "pods/u2/volumes/example.com~share/v";
  node.fake.put_file(node.root(foreign) + "/file", "x");
  const Error error = node.run_badly({UnpublishFlexVolume{node.program, foreign}});
  EXPECT_EQ(error.reason, "ForeignDirectory");
  EXPECT_THAT(node.calls, IsEmpty());
}

TEST_F(FlexPublish, kb_16_init_tells_what_the_driver_can_do) {
  node.answers("init", R"({"status":"Success","capabilities":{"attach":false,"supportsMetrics":true}})");
  EXPECT_EQ(node.run_well({ProbeFlexDriver{node.program}}).flex_probe,
            (FlexProbe{false, true, true, true, true}));
  EXPECT_THAT(node.calls, ElementsAre("init"));
  node.answers("init", unsupported_text);
  EXPECT_EQ(node.run_well({ProbeFlexDriver{node.program}}).flex_probe, FlexProbe());
  node.answers("init", failure_text, 1);
  const Outcome outcome = node.run({ProbeFlexDriver{node.program}});
  EXPECT_EQ(outcome.error->reason, "DriverFailed");
  EXPECT_FALSE(outcome.flex_probe);
}

}  // namespace
}  // namespace mooring
