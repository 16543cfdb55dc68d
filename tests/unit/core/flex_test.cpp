#include <gmock/gmock.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string share = "flexVolume: {driver: example.com/share}";
const DriverName driver("example.com/share");
const std::string ask = "ask FlexVolume driver example.com/share";

FlexProgramsListed listed(std::uint64_t inode = 1) {
  return {{{driver, "/flex/example.com~share/share", 8, inode, 100, 1}}};
}

Outcome probed(bool attach) {
  Outcome outcome;
  outcome.flex_probe = FlexProbe{attach, true, false, true, true};
  return outcome;
}

class FlexCore : public testing::Test {
 protected:
  FlexCore() { shell.start(); }
  void install(bool attach = false) {
    shell.feed(listed());
    shell.end(ask, probed(attach));
  }
  /// The key of the one device that is there.
  std::string device() const {
    const auto devices = shell.core.devices();
    return devices.size() == 1 ? devices[0].key : "no device, or several";
  }

  Shell shell;
};

TEST_F(FlexCore, kb_16_a_driver_that_is_seen_is_asked_and_can_be_used_then) {
  shell.feed(listed());
  EXPECT_THAT(shell.doing(), ElementsAre(ask));
  EXPECT_EQ(shell.in_flight[0].lane, Lane::Own);
  shell.write("web", {{"v", share}});
  EXPECT_EQ(shell.volume("web", "v").reason, "DriverNotFound");
  shell.end(ask, probed(false));
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/v"));
  shell.finish();
  EXPECT_THAT(shell.ready, ElementsAre("web"));
  EXPECT_EQ(shell.count("DriverReady driver/example.com/share"), 1);
}

TEST_F(FlexCore, kb_16_a_volume_waits_for_its_driver_and_says_where_that_belongs) {
  shell.write("web", {{"v", share}});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  const VolumeStatus status = shell.volume("web", "v");
  EXPECT_EQ(status.reason, "DriverNotFound");
  EXPECT_THAT(status.action, HasSubstr("example.com~share/share"));
  install();
  EXPECT_TRUE(shell.is_in_flight("publish default/web/v"));
}

TEST_F(FlexCore, a_driver_whose_init_fails_is_told_of_once_and_asked_again) {
  shell.feed(listed());
  shell.fail(ask, error_of(ErrorKind::Transient, "DriverFailed", "init command failed"));
  EXPECT_EQ(shell.count("DriverFailed driver/example.com/share"), 1);
  shell.wake();
  shell.fail(ask, error_of(ErrorKind::Transient, "DriverFailed", "init command failed"));
  EXPECT_EQ(shell.count("DriverFailed driver/example.com/share"), 1);
  shell.wake();
  shell.end(ask, probed(false));
  EXPECT_EQ(shell.count("DriverReady driver/example.com/share"), 1);
}

TEST_F(FlexCore, kb_16_a_driver_that_attaches_does_so_once_for_all_pods) {
  install(true);
  shell.write("web", {{"v", share}});
  shell.write("db", {{"v", share}});
  ASSERT_THAT(steps_of<StageFlexVolume>(shell), SizeIs(1));
  const std::string key = device();
  EXPECT_THAT(shell.doing(), ElementsAre("attach " + key));
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Attaching);
  shell.end("attach " + key);
  EXPECT_THAT(shell.doing(), SizeIs(1)) << "a driver gets one call for a volume at a time";
  shell.finish();
  EXPECT_THAT(shell.ready, testing::UnorderedElementsAre("web", "db"));
  shell.remove("web");
  shell.finish();
  EXPECT_THAT(shell.gone, ElementsAre("web"));
  EXPECT_EQ(device(), key) << "the other one has it still";
  shell.remove("db");
  shell.end("unpublish default/db/v");
  EXPECT_THAT(steps_of<UnstageFlexVolume>(shell), SizeIs(1));
  shell.finish();
  EXPECT_THAT(shell.core.devices(), IsEmpty());
  EXPECT_THAT(shell.device_records, IsEmpty());
}

TEST_F(FlexCore, kb_16_what_is_not_supported_is_not_called_again_until_the_driver_is_replaced) {
  install();
  shell.write("web", {{"v", share}});
  Outcome outcome;
  outcome.flex_unsupported = {{driver, "unmount"}};
  shell.end("publish default/web/v", std::move(outcome));
  shell.remove("web");
  ASSERT_THAT(steps_of<UnpublishFlexVolume>(shell), SizeIs(1));
  EXPECT_THAT(steps_of<UnpublishFlexVolume>(shell)[0].program.unsupported, ElementsAre("unmount"));
  shell.finish();
  shell.advance(10s);
  shell.feed(listed(2));
  shell.end(ask, probed(false));
  shell.write("web", {{"v", share}});
  ASSERT_THAT(steps_of<PublishFlexVolume>(shell), SizeIs(1));
  EXPECT_THAT(steps_of<PublishFlexVolume>(shell)[0].program.unsupported, IsEmpty());
}

TEST_F(FlexCore, what_an_operation_that_failed_found_out_counts_too) {
  install();
  shell.write("web", {{"v", share}});
  Outcome outcome;
  outcome.error = error_of(ErrorKind::Final, "MountNotSupported");
  outcome.flex_unsupported = {{driver, "mount"}};
  shell.end("publish default/web/v", std::move(outcome));
  shell.wake();
  ASSERT_THAT(steps_of<PublishFlexVolume>(shell), SizeIs(1));
  EXPECT_THAT(steps_of<PublishFlexVolume>(shell)[0].program.unsupported, ElementsAre("mount"));
}

TEST_F(FlexCore, a_removed_driver_leaves_its_volumes_and_is_called_for_their_removal) {
  install();
  shell.write("web", {{"v", share}});
  shell.finish();
  shell.feed(FlexProgramsListed{});
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Ready);
  shell.remove("web");
  EXPECT_THAT(steps_of<UnpublishFlexVolume>(shell), SizeIs(1));
  shell.fail("unpublish default/web/v", error_of(ErrorKind::Transient, "DriverMissing"));
  EXPECT_THAT(shell.in_flight, IsEmpty());
  shell.advance(10s);
  shell.finish();
  EXPECT_THAT(shell.gone, ElementsAre("web"));
}

TEST_F(FlexCore, a_driver_that_comes_back_has_what_waited_for_it_tried_at_once) {
  install();
  shell.write("web", {{"v", share}});
  shell.fail("publish default/web/v", error_of(ErrorKind::Transient, "DriverMissing"));
  shell.feed(FlexProgramsListed{});
  shell.advance(1s);
  for (Operation& operation : shell.in_flight)
    ADD_FAILURE() << operation.what;
  shell.feed(listed(2));
  shell.end(ask, probed(false));
  EXPECT_TRUE(shell.is_in_flight("publish default/web/v"));
}

TEST_F(FlexCore, kb_16_a_driver_is_asked_to_unmount_whatever_is_mounted_in_what_it_mounted) {
  install();
  shell.write("web", {{"v", share}});
  shell.finish();
  const std::string path = root_dir + "/pods/" + uid_of("web").str() + "/volumes/example.com~share/v";
  EXPECT_EQ(shell.volume("web", "v").path, path);
  shell.show_mounts({{path, "nfs4"}, {path + "/in", "ext4"}});
  shell.remove("web");
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/web/v"));
}

TEST_F(FlexCore, what_is_mounted_in_the_nodes_own_directory_is_not_the_drivers) {
  install();
  shell.write("web", {{"v", share}});
  shell.finish();
  const std::string path = root_dir + "/pods/" + uid_of("web").str() + "/volumes/example.com~share/v";
  shell.show_mounts({{path + "/in", "ext4"}});
  shell.remove("web");
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_EQ(shell.volume("web", "v").reason, "MountedBelow");
  shell.show_mounts();
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/web/v"));
}

TEST_F(FlexCore, kb_16_what_the_program_before_did_not_support_the_next_one_is_asked_for) {
  install();
  shell.write("web", {{"v", share}});
  ASSERT_TRUE(shell.is_in_flight("publish default/web/v"));
  shell.advance(10s);
  shell.feed(listed(2));
  shell.end(ask, probed(false));
  Outcome late;
  late.error = error_of(ErrorKind::Final, "MountNotSupported");
  late.flex_unsupported = {{driver, "mount"}};
  shell.end("publish default/web/v", std::move(late));
  while (shell.in_flight.empty())
    shell.wake();
  ASSERT_THAT(steps_of<PublishFlexVolume>(shell), SizeIs(1));
  EXPECT_THAT(steps_of<PublishFlexVolume>(shell)[0].program.unsupported, IsEmpty());
}

TEST_F(FlexCore, what_is_not_staged_any_more_is_staged_again) {
  install(true);
  shell.write("web", {{"v", share}});
  shell.end("attach " + device());
  shell.fail("publish default/web/v", error_of(ErrorKind::Transient, "NotStaged"));
  EXPECT_THAT(shell.doing(), ElementsAre("attach " + device()));
}

TEST_F(FlexCore, the_worker_outlives_the_deadlines_of_all_its_calls) {
  install(true);
  shell.write("web", {{"v", share}});
  EXPECT_GT(shell.in_flight[0].deadline_ms, 4 * 120'000U);
  shell.end("attach " + device());
  EXPECT_GT(shell.in_flight[0].deadline_ms, 120'000U);
  shell.finish();
  shell.remove("web");
  EXPECT_GT(shell.in_flight[0].deadline_ms, 120'000U);
}

TEST_F(FlexCore, kb_16_is_asked_how_full_it_is_only_if_the_driver_can_have_that) {
  const std::string path = root_dir + "/pods/" + uid_of("web").str() + "/volumes/example.com~share/v";
  for (const bool supports_metrics : {false, true}) {
    shell.advance(10s);
    shell.feed(listed(supports_metrics ? 2 : 1));
    Outcome outcome = probed(false);
    outcome.flex_probe->supports_metrics = supports_metrics;
    shell.end(ask, std::move(outcome));
    shell.write("web", {{"v", share}});
    shell.finish();
    shell.show_mounts({{path, "nfs4"}});
    shell.feed(UsageAsked{});
    EXPECT_THAT(steps_of<MeasureUsage>(shell), SizeIs(supports_metrics ? 1 : 0));
    shell.finish();
  }
}

TEST_F(FlexCore, a_secret_that_comes_later_lets_the_volume_be_made) {
  install();
  shell.write("web", {{"v", "flexVolume: {driver: example.com/share, secretRef: {name: key}}"}});
  EXPECT_EQ(shell.volume("web", "v").reason, "SecretNotFound");
  shell.write_text("key.yaml",
                   "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\ntype: example.com/share\n"
                   "stringData: {password: s3cret}\n");
  ASSERT_THAT(steps_of<PublishFlexVolume>(shell), SizeIs(1));
  EXPECT_THAT(steps_of<PublishFlexVolume>(shell)[0].pod.secrets, SizeIs(1));
}

TEST(FlexCoreStart, what_an_earlier_run_left_is_removed_by_its_driver) {
  Shell shell;
  VolumeRecord record{VolumeName("v"), PluginName("example.com/share"), VolumeDirectory("v"), flex_shape};
  FoundPod found{uid_of("web"), true, Namespace("default"), ObjectName("web"), {}, {}};
  found.volumes.push_back({PluginName("example.com/share"), VolumeDirectory("v"), true});
  TreeFacts tree;
  tree.pods.push_back(found);
  shell.adopt({record_of("web", {record})}, tree);
  shell.list({});
  const auto steps = steps_of<UnpublishFlexVolume>(shell);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].path, "pods/" + uid_of("web").str() + "/volumes/example.com~share/v");
  shell.finish();
  EXPECT_THAT(shell.gone, ElementsAre("web"));
}

TEST(FlexCoreStart, what_an_earlier_run_published_is_published_again_and_nothing_removed) {
  Shell shell;
  VolumeRecord record{VolumeName("v"), PluginName("example.com/share"), VolumeDirectory("v"), flex_shape};
  FoundPod found{uid_of("web"), true, Namespace("default"), ObjectName("web"), {}, {}};
  found.volumes.push_back({PluginName("example.com/share"), VolumeDirectory("v"), true});
  TreeFacts tree;
  tree.pods.push_back(found);
  shell.adopt({record_of("web", {record})}, tree);
  shell.write("web", {{"v", share}});
  shell.list({"web.yaml"});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  shell.feed(listed());
  shell.end(ask, probed(false));
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/v"));
  shell.finish();
  EXPECT_THAT(shell.ready, ElementsAre("web"));
}

TEST(FlexCoreStart, what_was_attached_by_an_earlier_run_goes_on_when_its_driver_comes) {
  Shell before;
  before.start();
  before.feed(listed());
  before.end(ask, probed(true));
  before.write("web", {{"v", share}});
  before.finish();
  ASSERT_THAT(before.ready, ElementsAre("web"));
  RecordsRead read;
  for (const auto& [uid, record] : before.records)
    read.records.push_back(record);
  for (const auto& [key, record] : before.device_records)
    read.devices.push_back(record);
  ASSERT_THAT(read.devices, SizeIs(1));
  Shell shell;
  shell.feed(std::move(read));
  shell.show_mounts();
  shell.end_scan({});
  shell.write("web", {{"v", share}});
  shell.list({"web.yaml"});
  shell.feed(listed());
  shell.end(ask, probed(true));
  shell.finish();
  EXPECT_THAT(shell.ready, ElementsAre("web"));
}

TEST_F(FlexCore, a_driver_whose_init_hangs_is_waited_for_by_nobody) {
  shell.feed(listed());
  ASSERT_THAT(shell.doing(), ElementsAre(ask));
  EXPECT_TRUE(shell.core.is_settled());
  shell.feed(FlexProgramsListed{});
  EXPECT_TRUE(shell.core.is_settled()) << "it is gone, and may still answer";
  shell.end(ask, probed(false));
  EXPECT_TRUE(shell.core.is_settled());
}

TEST_F(FlexCore, a_volume_of_a_claim_that_was_refused_for_want_of_a_secret_goes_on_when_it_comes) {
  install();
  shell.write_text("claim.yaml",
                   "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: pv}\nspec:\n"
                   "  capacity: {storage: 1Gi}\n  accessModes: [ReadWriteOnce]\n"
                   "  claimRef: {namespace: default, name: data}\n"
                   "  flexVolume: {driver: example.com/share, secretRef: {name: s, namespace: other}}\n---\n"
                   "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec:\n"
                   "  accessModes: [ReadWriteOnce]\n  storageClassName: ''\n  volumeName: pv\n"
                   "  resources: {requests: {storage: 1Gi}}\n");
  shell.write("web", {{"v", "persistentVolumeClaim: {claimName: data}"}});
  EXPECT_EQ(shell.volume("web", "v").reason, "SecretNotFound");
  EXPECT_THAT(shell.in_flight, IsEmpty());
  shell.write_text("secret.yaml",
                   "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: other}\ntype: other\n");
  EXPECT_EQ(shell.volume("web", "v").reason, "WrongSecretType");
  shell.write_text("secret.yaml",
                   "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: other}\n"
                   "type: example.com/share\n");
  EXPECT_TRUE(shell.is_in_flight("publish default/web/v"));
}

}  // namespace
}  // namespace mooring
