// CSI drivers: a real driver on a real socket, called by a real worker (kubelet-behaviours 15).

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>

#include "csi_node.h"

namespace mooring::integration {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

using Csi = CsiNode;

TEST_F(Csi, AVolumeIsStagedOncePublishedForEachPodAndLetGoInOrder) {
  start();
  write_volume("data", ", fsType: ext4, volumeAttributes: {share: a}");
  make_ready("one", "data");
  make_ready("two", "data");
  write_in_place(node_.ctl().path("one", "v") + "/file", "kept");
  EXPECT_EQ(read_file(node_.ctl().path("two", "v") + "/file"), "kept");
  EXPECT_EQ(driver_.content("h-data", "file"), "kept");
  expect_gone("one");
  expect_gone("two");
  expect_all_gone();
  EXPECT_EQ(driver_.content("h-data", "file"), "kept");
  EXPECT_THAT(driver_.calls(),
              ElementsAre("NodeStageVolume", "NodeExpandVolume", "NodePublishVolume", "NodePublishVolume",
                          "NodeUnpublishVolume", "NodeUnpublishVolume", "NodeUnstageVolume"));
  const Json stage = driver_.calls_of("NodeStageVolume").at(0);
  EXPECT_EQ(stage["volume_id"], "h-data");
  EXPECT_EQ(stage["volume_context"]["share"], "a");
  EXPECT_EQ(stage["volume_capability"]["mount"]["fs_type"], "ext4");
  EXPECT_EQ(stage["volume_capability"]["access_mode"]["mode"], "SINGLE_NODE_WRITER");
  const Json publish = driver_.calls_of("NodePublishVolume").at(0);
  EXPECT_EQ(publish["staging_target_path"], stage["staging_target_path"]);
  EXPECT_THAT(publish["target_path"].get<std::string>(),
              testing::EndsWith("/volumes/kubernetes.io~csi/data/mount"));
}

TEST_F(Csi, WhoRegistersIsToldThatTheDriverIsRegistered) {
  start();
  EXPECT_TRUE(node_.eventually([&] { return !driver_.calls_of("NotifyRegistrationStatus").empty(); }));
  EXPECT_EQ(driver_.calls_of("NotifyRegistrationStatus").at(0)["plugin_registered"], true);
}

TEST_F(Csi, ADriverThatTheConfigurationNamesNeedsNoRegistration) {
  MockCsi quiet("quiet.example.com", make_dir("quiet"));
  quiet.start();
  write_in_place(node_.dir() + "/mooringd.yaml", "csiDrivers:\n- {socket: " + quiet.socket() + "}\n");
  node_.start();
  EXPECT_TRUE(node_.eventually([&] { return is_registered("quiet.example.com"); })) << node_.log();
  node_.write("q-storage.yaml", storage_text("q", "csi: {driver: quiet.example.com, volumeHandle: h-q}"));
  make_ready("one", "q");
  expect_gone("one");
  expect_all_gone();
}

TEST_F(Csi, AVolumeOfAPodItselfIsPublishedAloneAndItsDriverToldOfThePod) {
  MockCsi own("own.example.com", make_dir("own"), registry(), {"--node-capabilities", "GET_VOLUME_STATS"});
  own.start();
  node_.start();
  ASSERT_TRUE(node_.eventually([&] { return is_registered("own.example.com"); })) << node_.log();
  node_.write("one.yaml",
              pod_text("one", {{"v", "csi: {driver: own.example.com, volumeAttributes: {fs: tmpfs}}"}}));
  // A driver has such volumes only if its CSIDriver object says so.
  ASSERT_TRUE(node_.gets_reason("one", "v", "LifecycleUnsupported")) << explain("one");
  node_.write("driver.yaml",
              "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: own.example.com}\n"
              "spec: {attachRequired: false, podInfoOnMount: true, volumeLifecycleModes: [Ephemeral]}\n");
  ASSERT_TRUE(node_.becomes_ready("one")) << explain("one") << node_.log();
  expect_gone("one");
  expect_all_gone();
  EXPECT_THAT(own.calls(), ElementsAre("NodePublishVolume", "NodeUnpublishVolume"));
  const Json context = own.calls_of("NodePublishVolume").at(0)["volume_context"];
  EXPECT_EQ(context["csi.storage.k8s.io/pod.name"], "one");
  EXPECT_EQ(context["csi.storage.k8s.io/ephemeral"], "true");
}

TEST_F(Csi, AHungDriverDelaysOnlyItsOwnVolumes) {
  MockCsi other("e.example.com", make_dir("other"), registry());
  other.start();
  start();
  ASSERT_TRUE(node_.eventually([&] { return is_registered("e.example.com"); }));
  driver_.set_script(R"({"NodeStageVolume": {"delay_ms": 600000}})");
  write_volume("slow");
  write_pod("slow", "slow");
  ASSERT_TRUE(node_.eventually([&] { return !driver_.calls_of("NodeStageVolume").empty(); }));
  node_.write("fast-storage.yaml",
              storage_text("fast", "csi: {driver: e.example.com, volumeHandle: h-fast}"));
  make_ready("fast", "fast");
  node_.write("empty.yaml", pod_text("empty", {{"v", empty_dir}}));
  EXPECT_TRUE(node_.becomes_ready("empty"));
  expect_gone("fast");
  expect_gone("empty");
  EXPECT_FALSE(node_.ctl().is_ready("slow"));
}

TEST_F(Csi, APublishWhoseReplyIsLostIsUndoneThoughThePodIsGone) {
  start();
  write_volume("data");
  driver_.set_script(R"({"NodePublishVolume": {"lose_reply": true}})");
  write_pod("one", "data");
  ASSERT_TRUE(node_.gets_reason("one", "v", "PublishFailed")) << explain("one") << node_.log();
  expect_gone("one");
  expect_all_gone();
  EXPECT_THAT(driver_.calls(), Contains("NodeUnpublishVolume"));
}

TEST_F(Csi, AnErrorThatIsFinalLeavesNothingAndIsToldInTheDriversWords) {
  start();
  write_volume("data");
  driver_.set_script(R"({"NodePublishVolume": {"code": "INVALID_ARGUMENT", "message": "no such share"}})");
  write_pod("one", "data");
  ASSERT_TRUE(node_.gets_reason("one", "v", "PublishFailed")) << explain("one") << node_.log();
  EXPECT_THAT(node_.ctl().message("one", "v"), HasSubstr("no such share"));
  const std::string uid = node_.ctl().uid("one");
  EXPECT_FALSE(is_there(node_.root() + "/pods/" + uid + "/volumes/kubernetes.io~csi/data"));
  driver_.set_script("{}");
  node_.ctl()({"retry"});
  EXPECT_TRUE(node_.becomes_ready("one")) << explain("one");
  expect_gone("one");
  expect_all_gone();
}

TEST_F(Csi, GarbageOfAMebibyteIsNoAnswerAndHurtsNobody) {
  start();
  write_volume("data");
  driver_.set_script(R"({"NodePublishVolume": [{"garbage_bytes": 1048576}]})");
  write_pod("one", "data");
  EXPECT_TRUE(node_.becomes_ready("one")) << explain("one") << node_.log();
  expect_gone("one");
  expect_all_gone();
}

TEST_F(Csi, ADriverThatCrashesInACallIsAskedAgainWhenItIsBack) {
  start();
  write_volume("data");
  driver_.set_script(R"({"NodeStageVolume": [{"crash": "after"}]})");
  write_pod("one", "data");
  ASSERT_TRUE(node_.eventually([&] { return !driver_.calls_of("NodeStageVolume").empty(); }));
  driver_.kill();
  driver_.set_script("{}");
  driver_.start();
  EXPECT_TRUE(node_.becomes_ready("one", Millis(60'000))) << explain("one") << node_.log();
  expect_gone("one");
  expect_all_gone();
}

TEST_F(Csi, VolumesOfADriverThatIsGoneWaitForItAndGoWhenItIsBack) {
  start();
  write_volume("data");
  make_ready("one", "data");
  driver_.kill();
  std::filesystem::remove(driver_.registration());
  std::filesystem::remove(driver_.socket());
  EXPECT_TRUE(node_.eventually([&] { return !is_registered(); })) << node_.log();
  EXPECT_TRUE(node_.ctl().is_ready("one"));
  node_.remove("one.yaml");
  EXPECT_TRUE(node_.gets_reason("one", "v", "DriverNotRegistered")) << explain("one") << node_.log();
  driver_.start();
  EXPECT_TRUE(node_.becomes_gone("one", Millis(60'000))) << explain("one") << node_.log();
  expect_all_gone();
  EXPECT_THAT(driver_.calls(), Contains("NodeUnstageVolume"));
}

TEST_F(Csi, KilledBetweenUnpublishAndUnstageItUnstagesInItsNextLife) {
  start();
  write_volume("data");
  make_ready("one", "data");
  driver_.set_script(R"({"NodeUnstageVolume": [{"delay_ms": 600000, "does_it": false}]})");
  node_.remove("one.yaml");
  ASSERT_TRUE(node_.eventually([&] { return !driver_.calls_of("NodeUnstageVolume").empty(); }));
  node_.kill();
  node_.start();
  expect_all_gone();
  EXPECT_GE(driver_.calls_of("NodeUnstageVolume").size(), 2U);
  EXPECT_EQ(driver_.calls_of("NodeUnpublishVolume").size(), 1U);
}

TEST_F(Csi, ATruncatedVolDataHurtsNothing) {
  start();
  write_volume("data");
  make_ready("one", "data");
  const std::string uid = node_.ctl().uid("one");
  const std::string data = node_.root() + "/pods/" + uid + "/volumes/kubernetes.io~csi/data/vol_data.json";
  ASSERT_TRUE(is_there(data));
  node_.kill();
  write_in_place(data, "{\"driverName\":\"d.exam");
  node_.start();
  EXPECT_TRUE(node_.becomes_ready("one")) << explain("one") << node_.log();
  expect_gone("one");
  expect_all_gone();
  EXPECT_EQ(driver_.calls_of("NodeUnpublishVolume").at(0)["volume_id"], "h-data");
}

TEST_F(Csi, ARawVolumeIsADeviceOfThePod) {
  const Disks disks;
  const std::string image = disks.make("raw", 8 * mebibyte);
  const std::string device = disks.attach(image);
  start();
  Storage storage;
  storage.mode = "Block";
  write_volume("raw", ", volumeAttributes: {device: " + device + "}", storage);
  node_.write("one.yaml", raw_pod_text("one", "raw"));
  ASSERT_TRUE(node_.becomes_ready("one")) << explain("one") << node_.log();
  expect_gone("one");
  expect_all_gone();
}

TEST_F(Csi, SecretsGoToTheDriverAndNowhereElse) {
  start();
  node_.write("secret.yaml",
              "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: default}\n"
              "stringData: {password: tell-nobody-7}\n");
  write_volume("data",
               ", nodeStageSecretRef: {name: s, namespace: default},"
               " nodePublishSecretRef: {name: s, namespace: default}");
  driver_.set_script(R"({"NodePublishVolume": [{"code": "INTERNAL", "message": "bad tell-nobody-7"}]})");
  write_pod("one", "data");
  EXPECT_TRUE(node_.becomes_ready("one")) << explain("one");
  EXPECT_EQ(driver_.calls_of("NodeStageVolume").at(0)["secrets"]["password"], "tell-nobody-7");
  EXPECT_EQ(driver_.calls_of("NodePublishVolume").at(0)["secrets"]["password"], "tell-nobody-7");
  for (const std::string& name : names_in(node_.run_dir() + "/pods"))
    EXPECT_THAT(read_file(node_.run_dir() + "/pods/" + name), testing::Not(HasSubstr("tell-nobody-7")));
  for (const std::string& name : names_in(node_.run_dir() + "/devices"))
    EXPECT_THAT(read_file(node_.run_dir() + "/devices/" + name), testing::Not(HasSubstr("tell-nobody-7")));
  expect_gone("one");
  expect_all_gone();
  EXPECT_THAT(node_.log(), testing::Not(HasSubstr("tell-nobody-7")));
}

}  // namespace
}  // namespace mooring::integration
