// Attaching in the core: by the driver's controller or by somebody else, kept track of whatever happens.

#include "csi_shared_fixture.h"

namespace mooring {
namespace {

using namespace csi_shared;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST_F(CsiAttach, kb_15_3_is_attached_before_it_is_staged_and_the_node_is_told_the_answer) {
  start();
  shell.write("web", claim_volume);
  ASSERT_THAT(shell.doing(), ElementsAre(attach));
  EXPECT_EQ(shell.in_flight[0].lane, Lane::Own);
  EXPECT_GT(shell.in_flight[0].deadline_ms, 240'000u);
  EXPECT_EQ(only<PublishCsiController>().node_id, "n1");
  EXPECT_EQ(shell.pod("web").volumes.at(0).phase, Phase::Attaching);
  shell.end(attach, answer("/dev/x"));
  ASSERT_THAT(shell.doing(), ElementsAre(stage));
  EXPECT_THAT(only<StageCsiVolume>().publish_context, ElementsAre(Pair("device", "/dev/x")));
  EXPECT_FALSE(only<StageCsiVolume>().may_be_there);
  shell.end(stage);
  EXPECT_FALSE(only<PublishCsiVolume>().may_be_there);
  EXPECT_THAT(only<PublishCsiVolume>().publish_context, ElementsAre(Pair("device", "/dev/x")));
  shell.end(publish("web"));
  EXPECT_TRUE(shell.pod("web").ready);
  ASSERT_TRUE(device());
  EXPECT_TRUE(device()->in_use);
}

TEST_F(CsiAttach, kb_15_3_what_one_pod_may_do_is_not_what_the_volume_is_attached_for) {
  knows_read_only = true;
  start();
  shell.write("reader", {{"v", "persistentVolumeClaim: {claimName: claim, readOnly: true}"}});
  EXPECT_FALSE(only<PublishCsiController>().read_only) << "others may write to it";
  attach_and_stage();
  EXPECT_TRUE(only<PublishCsiVolume>().read_only);
  shell.end(publish("reader"));
  shell.write("writer", claim_volume);
  EXPECT_FALSE(only<PublishCsiVolume>().read_only);
  shell.end(publish("writer"));
  EXPECT_TRUE(shell.pod("writer").ready);
}

TEST_F(CsiAttach, kb_15_3_read_only_of_the_volume_is_for_whoever_attaches_it_alone) {
  knows_read_only = true;
  start(", readOnly: true");
  shell.write("web", claim_volume);
  EXPECT_TRUE(only<PublishCsiController>().read_only);
  attach_and_stage();
  EXPECT_FALSE(only<PublishCsiVolume>().read_only);
  shell.end(publish("web"));
  const auto mounts = shell.core.container_mounts(uid_of("web"), ContainerName("main"));
  ASSERT_TRUE(mounts);
  EXPECT_FALSE(mounts.value().at(0).read_only);
}

TEST_F(CsiAttach, is_detached_after_it_was_unstaged) {
  start();
  make_ready("web");
  shell.remove("web");
  shell.end(unpublish("web"));
  ASSERT_TRUE(shell.is_in_flight(unstage));
  EXPECT_THAT(steps_of<UnpublishCsiController>(shell), IsEmpty());
  shell.end(unstage);
  ASSERT_TRUE(shell.is_in_flight(detach));
  EXPECT_EQ(only<UnpublishCsiController>().node_id, "n1");
  shell.finish();
  EXPECT_FALSE(device());
  EXPECT_THAT(shell.device_records, IsEmpty());
}

TEST_F(CsiAttach, a_pod_that_comes_between_unstaging_and_detaching_finds_it_attached) {
  start();
  make_ready("web");
  shell.remove("web");
  shell.end(unpublish("web"));
  shell.write("two", claim_volume);
  shell.end(unstage);
  ASSERT_TRUE(shell.is_in_flight(stage));
  EXPECT_THAT(only<StageCsiVolume>().publish_context, ElementsAre(Pair("device", "/dev/x")));
}

TEST_F(CsiAttach, kb_15_4_what_is_not_certain_is_repeated_before_anything_else) {
  start();
  shell.write("web", claim_volume);
  shell.fail(attach, error_of(ErrorKind::Uncertain, "ControllerPublishFailed"));
  EXPECT_THAT(shell.doing(), IsEmpty());
  EXPECT_EQ(shell.volume("web", "v").reason, "ControllerPublishFailed");
  shell.wake();
  EXPECT_THAT(shell.doing(), ElementsAre(attach));
}

TEST_F(CsiAttach, kb_15_4_what_is_not_certain_is_detached_if_its_pod_is_gone) {
  start();
  shell.write("web", claim_volume);
  shell.fail(attach, error_of(ErrorKind::Uncertain, "ControllerPublishFailed"));
  shell.remove("web");
  shell.end(unstage);
  ASSERT_TRUE(shell.is_in_flight(detach));
  EXPECT_EQ(only<UnpublishCsiController>().volume.handle, "h");
}

TEST_F(CsiAttach, after_a_certain_no_there_is_nothing_to_detach) {
  start();
  shell.write("web", claim_volume);
  shell.fail(attach, error_of(ErrorKind::Transient, "ControllerPublishFailed"));
  shell.remove("web");
  while (!shell.in_flight.empty()) {
    EXPECT_THAT(steps_of<UnpublishCsiController>(shell), IsEmpty());
    shell.end(shell.in_flight.front().what);
  }
  EXPECT_FALSE(device());
}

TEST_F(CsiAttach, a_certain_no_after_an_uncertain_answer_leaves_it_to_be_detached) {
  start();
  shell.write("web", claim_volume);
  shell.fail(attach, error_of(ErrorKind::Uncertain, "ControllerPublishFailed"));
  shell.wake();
  shell.fail(attach, error_of(ErrorKind::Transient, "ControllerPublishFailed"));
  shell.remove("web");
  shell.end(unstage);
  EXPECT_EQ(steps_of<UnpublishCsiController>(shell).size(), 1u);
}

TEST_F(CsiAttach, a_reboot_does_not_make_forget_what_was_attached) {
  TreeFacts tree;
  tree.attachments = {stamp()};
  start("", tree);
  shell.end(unstage);
  ASSERT_TRUE(shell.is_in_flight(detach));
  EXPECT_EQ(only<UnpublishCsiController>().node_id, "n1");
  EXPECT_EQ(only<UnstageCsiVolume>().path, stamp().staged_path);
  shell.finish();
  EXPECT_FALSE(device());
}

TEST_F(CsiAttach, a_reboot_does_not_make_forget_what_a_manifest_asked_for_before_the_disk_was_looked_at) {
  Shell earlier(options_of(false));
  earlier.write_text("storage.yaml", storage_yaml());
  earlier.start({"storage.yaml"});
  shell.ledger = earlier.ledger;
  shell.write("web", claim_volume);
  shell.write_text("storage.yaml", storage_yaml());
  shell.feed(RecordsRead{});
  shell.show_mounts();
  shell.list({"storage.yaml", "web.yaml"});
  shell.end(asking, driver());
  TreeFacts tree;
  tree.attachments = {stamp()};
  shell.remove("web");
  shell.end_scan(tree);
  shell.end(unstage);
  ASSERT_TRUE(shell.is_in_flight(detach));
  EXPECT_EQ(only<UnpublishCsiController>().volume.handle, "h");
}

TEST_F(CsiAttach, after_a_reboot_what_pods_may_have_of_it_goes_first) {
  TreeFacts tree;
  tree.attachments = {stamp()};
  FoundPod pod{uid_of("web"), true, Namespace("default"), ObjectName("web"), {}, {}};
  pod.volumes.push_back({PluginName("kubernetes.io/csi"), VolumeDirectory("pv"), false});
  tree.pods = {pod};
  start("", tree);
  ASSERT_THAT(shell.doing(), ElementsAre("unpublish default/web/pv"));
  shell.end("unpublish default/web/pv");
  if (!shell.is_in_flight(unstage)) shell.wake();
  EXPECT_TRUE(shell.is_in_flight(unstage));
}

TEST_F(CsiAttach, after_a_reboot_a_volume_of_a_driver_that_is_gone_holds_up_no_other) {
  TreeFacts tree;
  tree.attachments = {stamp()};
  FoundPod pod{uid_of("web"), true, Namespace("default"), ObjectName("web"), {}, {}};
  pod.volumes.push_back({PluginName("kubernetes.io/csi"), VolumeDirectory("pv"), false});
  tree.pods = {pod};
  start("", tree);
  shell.fail("unpublish default/web/pv", error_of(ErrorKind::Transient, "DriverNotRegistered"));
  shell.advance(2s);
  EXPECT_TRUE(shell.is_in_flight(unstage));
}

TEST_F(CsiAttach, what_was_staged_and_not_surely_unstaged_is_said_to_be_there_when_it_is_staged_again) {
  start();
  make_ready("web");
  shell.remove("web");
  shell.end(unpublish("web"));
  shell.fail(unstage, error_of(ErrorKind::Uncertain, "UnstageFailed"));
  shell.write("db", claim_volume);
  if (shell.is_in_flight(attach)) shell.end(attach, answer("/dev/x"));
  ASSERT_TRUE(shell.is_in_flight(stage));
  EXPECT_TRUE(only<StageCsiVolume>().may_be_there);
}

TEST_F(CsiAttach, what_was_unstaged_and_never_attached_is_attached_before_it_is_staged) {
  shell.write_text("storage.yaml", storage_yaml());
  shell.write("web", claim_volume);
  DeviceRecord record;  // Written before an earlier run would have attached it.
  record.key = layout::csi_key({DriverName("d.example.com"), "h"});
  record.plugin = layout::csi_plugin();
  record.device = {DeviceName::Kind::Csi, "d.example.com^h"};
  record.staged_path = layout::csi_staged(DriverName("d.example.com"), "h");
  shell.feed(RecordsRead{{}, {}, {record}});
  shell.show_mounts();
  shell.end_scan({});
  shell.list({"storage.yaml", "web.yaml"});
  // Before the driver is there nobody knows that it is wanted.
  ASSERT_TRUE(shell.is_in_flight(unstage));
  shell.end(asking, driver());
  shell.end(unstage);
  EXPECT_THAT(steps_of<StageCsiVolume>(shell), IsEmpty());
  ASSERT_TRUE(shell.is_in_flight(attach));
  attach_and_stage();
  EXPECT_TRUE(shell.is_in_flight(publish("web")));
}

TEST_F(CsiAttach, after_a_restart_the_controller_is_asked_again_and_gives_the_answer_again) {
  TreeFacts tree;
  tree.attachments = {stamp()};
  shell.write("web", claim_volume);
  start("", tree, {"storage.yaml", "web.yaml"});
  // Before the driver was there nobody could know that it is wanted.
  if (shell.is_in_flight(unstage)) shell.end(unstage);
  ASSERT_TRUE(shell.is_in_flight(attach));
  attach_and_stage("/dev/y");
  EXPECT_THAT(only<PublishCsiVolume>().publish_context, ElementsAre(Pair("device", "/dev/y")));
}

TEST_F(CsiAttach, while_a_pod_has_it_the_node_keeps_the_name_that_it_was_attached_by) {
  const std::string staged = root_dir + "/" + stamp().staged_path;
  const std::string target = root_dir + "/" + layout::csi_target(uid_of("web"), VolumeDirectory("pv"));
  start();
  make_ready("web");
  shell.show_mounts({{staged, "ext4"}, {target, "ext4"}});
  // The driver starts again, and calls the node by another name.
  shell.advance(61s);
  Outcome renamed = driver();
  renamed.csi_driver->node_id = "n2";
  shell.end(asking, renamed);
  // Somebody unmounts what is staged: it goes up once more.
  shell.show_mounts({{target, "ext4"}});
  ASSERT_TRUE(shell.is_in_flight(attach));
  EXPECT_EQ(only<PublishCsiController>().node_id, "n1");
  attach_and_stage();
  shell.remove("web");
  shell.end(unpublish("web"));
  shell.end(unstage);
  EXPECT_EQ(only<UnpublishCsiController>().node_id, "n1");
  shell.end(detach);
  shell.write("web", claim_volume);
  EXPECT_EQ(only<PublishCsiController>().node_id, "n2");
}

TEST_F(CsiAttach, while_a_pod_may_have_it_the_node_keeps_the_name_that_it_was_attached_by) {
  start();
  shell.write("web", claim_volume);
  attach_and_stage();
  shell.show_mounts({{root_dir + "/" + stamp().staged_path, "ext4"}});
  shell.fail(publish("web"), error_of(ErrorKind::Uncertain, "NodePublishFailed"));
  // The driver starts again, and calls the node by another name; and somebody unmounts what is staged.
  shell.advance(61s);
  Outcome renamed = driver();
  renamed.csi_driver->node_id = "n2";
  shell.end(asking, renamed);
  shell.show_mounts();
  shell.fail(publish("web"), error_of(ErrorKind::Uncertain, "NodePublishFailed"));
  ASSERT_TRUE(shell.is_in_flight(attach));
  EXPECT_EQ(only<PublishCsiController>().node_id, "n1");
}

/// The stage fails like that, and then the driver starts again, and calls the node by another name.
class CsiAttachRenamed : public CsiAttach,
                         public testing::WithParamInterface<std::pair<ErrorKind, const char*>> {};

TEST_P(CsiAttachRenamed, kb_15_while_it_may_be_staged_the_node_keeps_the_name_that_it_was_attached_by) {
  start();
  shell.write("web", claim_volume);
  shell.end(attach, answer("/dev/x"));
  shell.fail(stage, error_of(GetParam().first, GetParam().second));
  shell.advance(61s);
  Outcome renamed = driver();
  renamed.csi_driver->node_id = "n2";
  shell.end(asking, renamed);
  shell.end(attach, answer("/dev/x"));
  shell.fail(stage, error_of(GetParam().first, GetParam().second));
  shell.wake();
  ASSERT_TRUE(shell.is_in_flight(attach));
  EXPECT_EQ(only<PublishCsiController>().node_id, "n1");
}
INSTANTIATE_TEST_SUITE_P(ThatLeaveItStaged, CsiAttachRenamed,
                         testing::Values(std::pair{ErrorKind::Uncertain, "StageFailed"},
                                         std::pair{ErrorKind::Transient, "ExpandFailed"}));

TEST_F(CsiAttach, a_detach_that_fails_is_tried_with_growing_pauses) {
  start();
  make_ready("web");
  shell.remove("web");
  shell.end(unpublish("web"));
  shell.end("remove the directory of default/web");
  Duration last{};
  for (int i = 0; i < 5; ++i) {
    shell.end(unstage);
    if (!shell.is_in_flight(detach)) shell.wake();
    ASSERT_TRUE(shell.is_in_flight(detach)) << i;
    shell.fail(detach, error_of(ErrorKind::Transient, "ControllerUnpublishFailed"));
    ASSERT_THAT(shell.doing(), IsEmpty());
    last = shell.wake();
  }
  EXPECT_GT(last, 4s);
  EXPECT_EQ(shell.count("FailedDetachVolume device/" + key), 1);
}

TEST_F(CsiAttach, a_secret_that_is_gone_holds_up_the_detach_and_is_in_no_record) {
  start(", controllerPublishSecretRef: {namespace: default, name: s}");
  shell.write_text("secret.yaml",
                   "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: swordfish}\n");
  make_ready("web");
  shell.feed(FileGone{"secret.yaml"});
  shell.remove("web");
  shell.end(unpublish("web"));
  shell.end("remove the directory of default/web");
  shell.end(unstage);
  EXPECT_THAT(shell.doing(), IsEmpty());
  ASSERT_TRUE(device());
  EXPECT_EQ(device()->reason, "SecretNotFound");
  shell.write_text("secret.yaml",
                   "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: swordfish}\n");
  shell.wake();
  ASSERT_TRUE(shell.is_in_flight(detach));
  EXPECT_EQ(only<UnpublishCsiController>().secrets.at("k").expose_secret(), "swordfish");
}

TEST_F(CsiAttach, a_driver_that_needs_none_is_staged_at_once_and_not_in_use) {
  start();
  shell.write_text("driver.yaml",
                   "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: d.example.com}\n"
                   "spec: {attachRequired: false}\n");
  shell.write("web", claim_volume);
  EXPECT_THAT(shell.doing(), ElementsAre(stage));
  ASSERT_TRUE(device());
  EXPECT_FALSE(device()->in_use);
}

}  // namespace
}  // namespace mooring
