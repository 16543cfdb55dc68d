// Volumes that have to be attached: by the controller of a real driver, or by somebody else who says so in a
// manifest (kubelet-behaviours 8, 10, 15).

#include <gmock/gmock.h>

#include <filesystem>

#include "csi_node.h"
#include "host.h"

namespace mooring::integration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::vector<std::string> attaches{"--controller-capabilities", "PUBLISH_UNPUBLISH_VOLUME"};

/// A node with the driver a.example.com, which has to attach its volumes.
class CsiAttach : public CsiNode {
 protected:
  CsiAttach() : attacher_("a.example.com", make_dir("attacher"), registry(), attaches) {}

  void begin() {
    attacher_.start();
    node_.start();
    ASSERT_TRUE(node_.eventually([&] { return is_registered("a.example.com"); })) << node_.log();
  }
  void let_others_attach() const {
    write_in_place(node_.dir() + "/mooringd.yaml", "enableControllerAttachDetach: true\n");
  }
  void write_attached(const std::string& name, const std::string& more = "") const {
    node_.write(name + "-storage.yaml",
                storage_text(name, "csi: {driver: a.example.com, volumeHandle: h-" + name + more + "}"));
  }
  void write_driver(const std::string& spec) const {
    node_.write("driver.yaml",
                "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: a.example.com}\nspec: {" +
                    spec + "}\n");
  }
  void write_attachment(const std::string& volume, const std::string& status) const {
    node_.write(
        "va.yaml",
        "apiVersion: storage.k8s.io/v1\nkind: VolumeAttachment\nmetadata: {name: va}\nspec: {attacher: "
        "a.example.com, nodeName: node, source: {persistentVolumeName: " +
            volume + "}}\nstatus: {" + status + "}\n");
  }
  /// The stamps of what was attached.
  std::vector<std::string> stamps() const {
    return names_in(node_.root() + "/plugins/kubernetes.io/csi/attached");
  }
  /// What `mooringctl get devices` says is in use.
  std::vector<std::string> in_use() const {
    std::vector<std::string> names;
    const Json devices = node_.ctl().json({"get", "devices"});
    for (const Json& item : devices.value("items", Json::array())) {
      if (item.value("inUse", false)) names.push_back(item["metadata"]["name"]);
    }
    return names;
  }
  bool was_called(const std::string& method, std::size_t count = 1) const {
    return attacher_.calls_of(method).size() >= count;
  }
  /// All went in order, and nothing is left to be detached.
  void expect_detached_in_the_end() {
    expect_all_gone();
    EXPECT_TRUE(node_.eventually([&] { return stamps().empty(); })) << node_.log();
    const std::vector<std::string> calls = attacher_.calls();
    ASSERT_FALSE(calls.empty());
    EXPECT_EQ(calls.back(), "ControllerUnpublishVolume");
    // While anything of the volume is on the node it stays attached.
    bool is_attached = false;
    bool is_staged = false;
    for (const std::string& call : calls) {
      if (call == "ControllerPublishVolume") is_attached = true;
      if (call == "NodeStageVolume" || call == "NodePublishVolume") {
        EXPECT_TRUE(is_attached) << call;
      }
      if (call == "NodeStageVolume") is_staged = true;
      if (call == "NodeUnstageVolume") is_staged = false;
      if (call != "ControllerUnpublishVolume") continue;
      EXPECT_FALSE(is_staged);
      is_attached = false;
    }
    EXPECT_FALSE(is_attached);
  }

  MockCsi attacher_;
};

TEST_F(CsiAttach, AVolumeIsAttachedBeforeItIsStagedAndDetachedAfterItWasUnstaged) {
  begin();
  node_.write("secret.yaml",
              "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {password: hunter2}\n");
  write_attached("data", ", controllerPublishSecretRef: {namespace: default, name: login}");
  make_ready("one", "data");
  make_ready("two", "data");
  EXPECT_THAT(in_use(), ElementsAre("kubernetes.io/csi/a.example.com^h-data"));
  ASSERT_EQ(stamps().size(), 1u);
  EXPECT_THAT(read_file(node_.root() + "/plugins/kubernetes.io/csi/attached/" + stamps().at(0)),
              Not(HasSubstr("hunter2")));
  expect_gone("one");
  expect_gone("two");
  expect_detached_in_the_end();
  EXPECT_THAT(attacher_.calls(),
              ElementsAre("ControllerPublishVolume", "NodeStageVolume", "NodeExpandVolume",
                          "NodePublishVolume", "NodePublishVolume", "NodeUnpublishVolume",
                          "NodeUnpublishVolume", "NodeUnstageVolume", "ControllerUnpublishVolume"));
  const Json attach = attacher_.calls_of("ControllerPublishVolume").at(0);
  EXPECT_EQ(attach["volume_id"], "h-data");
  EXPECT_EQ(attach["node_id"], "node-1");
  EXPECT_EQ(attach["secrets"]["password"], "hunter2");
  for (const char* method : {"NodeStageVolume", "NodePublishVolume"})
    EXPECT_EQ(attacher_.calls_of(method).at(0)["publish_context"]["device-path"], "/dev/mock/h-data")
        << method;
  const Json detach = attacher_.calls_of("ControllerUnpublishVolume").at(0);
  EXPECT_EQ(detach["node_id"], "node-1");
  EXPECT_EQ(detach["secrets"]["password"], "hunter2");
  EXPECT_THAT(node_.log(), Not(HasSubstr("hunter2")));
}

TEST_F(CsiAttach, ADriverThatNeedsNoAttachmentIsNotAskedForOne) {
  begin();
  write_driver("attachRequired: false");
  write_attached("data");
  make_ready("one", "data");
  EXPECT_THAT(in_use(), ElementsAre());
  expect_gone("one");
  expect_all_gone();
  EXPECT_FALSE(was_called("ControllerPublishVolume"));
  EXPECT_FALSE(was_called("ControllerUnpublishVolume"));
}

TEST_F(CsiAttach, AControllerOnASocketOfItsOwnIsAskedThere) {
  MockCsi controller("a.example.com", make_dir("controller"), {}, attaches);
  controller.start();
  write_in_place(node_.dir() + "/mooringd.yaml",
                 "csiDrivers:\n- {name: a.example.com, controllerSocket: " + controller.socket() + "}\n");
  begin();
  write_attached("data");
  make_ready("one", "data");
  expect_gone("one");
  expect_all_gone();
  EXPECT_TRUE(node_.eventually([&] { return stamps().empty(); }));
  EXPECT_THAT(controller.calls(), ElementsAre("ControllerPublishVolume", "ControllerUnpublishVolume"));
  EXPECT_FALSE(was_called("ControllerPublishVolume"));
}

TEST_F(CsiAttach, AnAttachWhoseReplyIsLostIsRepeated) {
  begin();
  write_attached("data");
  attacher_.set_script(R"({"ControllerPublishVolume": [{"lose_reply": true}]})");
  make_ready("one", "data");
  EXPECT_TRUE(was_called("ControllerPublishVolume", 2));
  expect_gone("one");
  expect_detached_in_the_end();
}

TEST_F(CsiAttach, AnAttachWhoseReplyIsLostIsUndoneThoughThePodIsGone) {
  begin();
  write_attached("data");
  attacher_.set_script(R"({"ControllerPublishVolume": {"lose_reply": true}})");
  write_pod("one", "data");
  ASSERT_TRUE(node_.gets_reason("one", "v", "ControllerPublishFailed")) << explain("one") << node_.log();
  expect_gone("one");
  expect_all_gone();
  EXPECT_TRUE(was_called("ControllerUnpublishVolume"));
  EXPECT_FALSE(was_called("NodeStageVolume"));
  EXPECT_TRUE(stamps().empty());
}

TEST_F(CsiAttach, AnAttachThatIsRefusedIsToldInTheDriversWordsAndLeavesNothingToDetach) {
  begin();
  write_attached("data");
  attacher_.set_script(R"({"ControllerPublishVolume": {"code": "NOT_FOUND", "message": "no such volume"}})");
  write_pod("one", "data");
  ASSERT_TRUE(node_.gets_reason("one", "v", "ControllerPublishFailed")) << explain("one") << node_.log();
  EXPECT_THAT(node_.ctl().message("one", "v"), HasSubstr("no such volume"));
  EXPECT_TRUE(stamps().empty());
  expect_gone("one");
  expect_all_gone();
  EXPECT_FALSE(was_called("ControllerUnpublishVolume"));
}

TEST_F(CsiAttach, KilledBetweenAttachAndStageItIsDetachedInTheEnd) {
  begin();
  write_attached("data");
  attacher_.set_script(R"({"NodeStageVolume": {"delay_ms": 600000, "does_it": false}})");
  write_pod("one", "data");
  ASSERT_TRUE(node_.eventually([&] { return was_called("NodeStageVolume"); })) << node_.log();
  node_.kill();
  node_.remove("one.yaml");
  attacher_.set_script("{}");
  node_.start();
  EXPECT_TRUE(node_.eventually([&] { return was_called("ControllerUnpublishVolume"); })) << node_.log();
  expect_detached_in_the_end();
}

TEST_F(CsiAttach, KilledInTheMiddleOfTheAttachItIsDetachedInTheEnd) {
  begin();
  write_attached("data");
  attacher_.set_script(R"({"ControllerPublishVolume": {"delay_ms": 600000}})");
  write_pod("one", "data");
  ASSERT_TRUE(node_.eventually([&] { return was_called("ControllerPublishVolume"); })) << node_.log();
  node_.kill();
  node_.remove("one.yaml");
  attacher_.set_script("{}");
  node_.start();
  EXPECT_TRUE(node_.eventually([&] { return was_called("ControllerUnpublishVolume"); })) << node_.log();
  expect_detached_in_the_end();
}

TEST_F(CsiAttach, KilledBetweenUnstageAndDetachItIsDetachedInTheEnd) {
  begin();
  write_attached("data");
  make_ready("one", "data");
  attacher_.set_script(R"({"ControllerUnpublishVolume": {"delay_ms": 600000, "does_it": false}})");
  expect_gone("one");
  ASSERT_TRUE(node_.eventually([&] { return was_called("ControllerUnpublishVolume"); })) << node_.log();
  node_.kill();
  attacher_.set_script("{}");
  node_.start();
  EXPECT_TRUE(node_.eventually([&] { return was_called("ControllerUnpublishVolume", 2); })) << node_.log();
  expect_detached_in_the_end();
}

TEST_F(CsiAttach, AfterARebootWhatNobodyWantsIsDetached) {
  begin();
  write_attached("data");
  make_ready("one", "data");
  node_.kill();
  node_.remove("one.yaml");
  unmount_all(node_.root());  // As a reboot: no mount and no record is left.
  for (const char* directory : {"/pods", "/devices"}) {
    for (const std::string& name : names_in(node_.run_dir() + directory))
      std::filesystem::remove(node_.run_dir() + directory + "/" + name);
  }
  node_.start();
  EXPECT_TRUE(node_.eventually([&] { return was_called("ControllerUnpublishVolume"); })) << node_.log();
  expect_detached_in_the_end();
}

TEST_F(CsiAttach, AfterARestartTheAnswerIsThereForTheNextPod) {
  begin();
  write_attached("data");
  make_ready("one", "data");
  node_.kill();
  node_.start();
  ASSERT_TRUE(node_.becomes_ready("one")) << explain("one") << node_.log();
  make_ready("two", "data");
  EXPECT_EQ(attacher_.calls_of("NodePublishVolume").back()["publish_context"]["device-path"],
            "/dev/mock/h-data");
  EXPECT_FALSE(was_called("ControllerUnpublishVolume"));
  expect_gone("one");
  expect_gone("two");
  expect_detached_in_the_end();
}

TEST_F(CsiAttach, AHungControllerDelaysOnlyItsOwnVolumes) {
  driver_.start();
  begin();
  ASSERT_TRUE(node_.eventually([&] { return is_registered(); })) << node_.log();
  attacher_.set_script(R"({"ControllerPublishVolume": {"delay_ms": 600000}})");
  write_attached("slow");
  write_pod("slow", "slow");
  ASSERT_TRUE(node_.eventually([&] { return was_called("ControllerPublishVolume"); })) << node_.log();
  write_volume("fast");
  make_ready("fast", "fast");
  EXPECT_FALSE(node_.ctl().is_ready("slow"));
  expect_gone("fast");
}

TEST_F(CsiAttach, OthersAttachAndTheirWordIsWaitedFor) {
  let_others_attach();
  begin();
  write_attached("data");
  write_pod("one", "data");
  ASSERT_TRUE(node_.gets_reason("one", "v", "WaitingForAttachment")) << explain("one") << node_.log();
  EXPECT_THAT(in_use(), ElementsAre("kubernetes.io/csi/a.example.com^h-data"));
  write_attachment("data", "attached: false, attachError: {message: no room in the rack}");
  ASSERT_TRUE(node_.gets_reason("one", "v", "AttachFailed")) << explain("one");
  EXPECT_THAT(node_.ctl().message("one", "v"), HasSubstr("no room in the rack"));
  write_attachment("data", "attached: true, attachmentMetadata: {lun: '7'}");
  ASSERT_TRUE(node_.becomes_ready("one")) << explain("one") << node_.log();
  for (const char* method : {"NodeStageVolume", "NodePublishVolume"})
    EXPECT_EQ(attacher_.calls_of(method).at(0)["publish_context"]["lun"], "7") << method;
  expect_gone("one");
  expect_all_gone();
  EXPECT_TRUE(in_use().empty());
  EXPECT_FALSE(was_called("ControllerPublishVolume"));
  EXPECT_FALSE(was_called("ControllerUnpublishVolume"));
}

TEST_F(CsiAttach, WithOthersADriverThatNeedsNoAttachmentIsNotDelayed) {
  let_others_attach();
  begin();
  write_driver("attachRequired: false");
  write_attached("data");
  make_ready("one", "data");
  expect_gone("one");
  expect_all_gone();
}

}  // namespace
}  // namespace mooring::integration
