// CSIDriver objects are waited for: what a driver wants of its volumes is not guessed (kubelet-behaviours
// 15).

#include <gmock/gmock.h>

#include "core/driver_work.h"
#include "core_fixture.h"
#include "step/csi_layout.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const DriverName driver_name("d.example.com");
const std::string key = "kubernetes.io/csi/d.example.com^h";
const std::string attach = "attach " + key;
const std::string stage = "stage " + key;
const std::string publish = "publish default/web/v";
const std::string broken = "{{{{\n";
/// Says what it is, and no more: claims are bound beside it.
const std::string broken_driver =
    "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: d.example.com}\nspec: {podInfoOnMount: "
    "perhaps}\n";
const Sources inline_volume{{"v", "csi: {driver: d.example.com}"}};
const Sources claim_volume{{"v", "persistentVolumeClaim: {claimName: claim}"}};
const std::string storage_yaml =
    "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: pv}\nspec:\n"
    "  capacity: {storage: 1Gi}\n  accessModes: [ReadWriteMany]\n"
    "  claimRef: {namespace: default, name: claim}\n"
    "  csi: {driver: d.example.com, volumeHandle: h}\n---\n"
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: claim}\nspec:\n"
    "  accessModes: [ReadWriteMany]\n  volumeName: pv\n  storageClassName: ''\n"
    "  resources: {requests: {storage: 1Gi}}\n";

CoreOptions options() {
  CoreOptions options = core_options();
  options.csi_drivers = {{driver_name, "/run/d.sock"}};
  return options;
}

class CsiDriverObjects : public testing::Test {
 protected:
  /// Up to the driver's registration; no listing yet.
  void start() { start(shell, {}); }
  static void start(Shell& shell, TreeFacts tree) {
    shell.adopt({}, std::move(tree));
    Outcome outcome;
    CsiDriver& driver = outcome.csi_driver.emplace();
    driver.name = driver_name;
    driver.socket = "/run/d.sock";
    driver.version = "1.0";
    driver.node_id = "n1";
    driver.node.stage_unstage = true;
    driver.controller.emplace().publish_unpublish_volume = true;
    shell.end("ask the driver at /run/d.sock", std::move(outcome));
  }
  void write_driver(const std::string& spec) {
    shell.write_text("driver.yaml",
                     "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: d.example.com}\n"
                     "spec: {" +
                         spec + "}\n");
  }

  Shell shell{options()};
};

TEST_F(CsiDriverObjects, a_pods_own_volume_waits_for_the_object_and_is_published_as_it_says) {
  start();
  shell.write("web", inline_volume);
  EXPECT_THAT(shell.doing(), IsEmpty());
  EXPECT_EQ(shell.volume("web", "v").reason, "WaitingForManifests");
  write_driver("podInfoOnMount: true, volumeLifecycleModes: [Ephemeral]");
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  const auto context = steps_of<PublishCsiVolume>(shell).at(0).volume_context;
  EXPECT_EQ(context.at("csi.storage.k8s.io/pod.name"), "web");
}

TEST_F(CsiDriverObjects, once_all_was_read_there_is_none) {
  start();
  shell.write("web", inline_volume);
  shell.list({"web.yaml"});
  EXPECT_THAT(shell.doing(), IsEmpty());
  EXPECT_EQ(shell.volume("web", "v").reason, "LifecycleUnsupported");
}

TEST_F(CsiDriverObjects, a_persistent_volume_is_not_attached_while_its_object_may_say_that_it_need_not_be) {
  start();
  shell.write_text("storage.yaml", storage_yaml);
  shell.list({"storage.yaml", "odd.yaml"});
  shell.write_text("odd.yaml", broken);
  shell.write("web", claim_volume);
  EXPECT_THAT(shell.doing(), IsEmpty());
  EXPECT_EQ(shell.volume("web", "v").reason, "WaitingForManifests");
  write_driver("attachRequired: false");
  EXPECT_THAT(shell.doing(), ElementsAre(stage));
  EXPECT_NE(shell.volume("web", "v").reason, "WaitingForManifests");
}

TEST_F(CsiDriverObjects, a_broken_manifest_that_goes_holds_none) {
  start();
  shell.write_text("storage.yaml", storage_yaml);
  shell.write_text("odd.yaml", broken_driver);
  shell.write("web", claim_volume);
  shell.list({"storage.yaml", "odd.yaml", "web.yaml"});
  EXPECT_THAT(shell.doing(), IsEmpty());
  EXPECT_EQ(shell.volume("web", "v").reason, "WaitingForManifests");
  shell.feed(FileGone{"odd.yaml"});
  EXPECT_THAT(shell.doing(), ElementsAre(attach));
}

TEST_F(CsiDriverObjects, the_whole_listing_is_enough_for_a_driver_without_an_object) {
  start();
  shell.write_text("storage.yaml", storage_yaml);
  shell.write("web", claim_volume);
  EXPECT_THAT(shell.doing(), IsEmpty());
  EXPECT_EQ(shell.count("WaitingForManifests device/" + key), 0) << "each start begins so";
  shell.list({"storage.yaml", "web.yaml"});
  EXPECT_THAT(shell.doing(), ElementsAre(attach));
}

TEST_F(CsiDriverObjects, what_an_earlier_run_attached_stays_while_the_object_is_waited_for) {
  start();
  shell.write_text("storage.yaml", storage_yaml);
  shell.list({"storage.yaml"});
  Shell next{options()};
  next.ledger = shell.ledger;  // The claim is bound.
  TreeFacts tree;
  tree.attachments = {{driver_name, "h", "n1", std::nullopt, layout::csi_staged(driver_name, "h")}};
  start(next, std::move(tree));
  next.write_text("storage.yaml", storage_yaml);
  next.write_text("odd.yaml", broken_driver);
  next.write("web", claim_volume);
  next.list({"storage.yaml", "odd.yaml", "web.yaml"});
  EXPECT_THAT(next.doing(), IsEmpty());
  next.feed(FileGone{"odd.yaml"});
  EXPECT_THAT(next.doing(), ElementsAre(attach));
}

// A file that breaks later takes nothing away: what it held still counts.
TEST_F(CsiDriverObjects, an_object_that_was_read_counts_though_its_file_is_broken_now) {
  start();
  write_driver("attachRequired: false");
  shell.write_text("storage.yaml", storage_yaml);
  shell.list({"storage.yaml", "driver.yaml"});
  shell.write_text("driver.yaml", broken);
  shell.write("web", claim_volume);
  EXPECT_THAT(shell.doing(), ElementsAre(stage));
}

TEST(WaitsForCsiDriverObject, only_volumes_of_drivers_outside_do) {
  const ObjectStore nothing;
  manifest::CsiSource csi;
  csi.driver = "d.example.com";
  manifest::VolumeSource source = csi;
  EXPECT_TRUE(waits_for_csi_driver_object(&source, nothing, false));
  EXPECT_FALSE(waits_for_csi_driver_object(&source, nothing, true));
  csi.driver = "block.mooring.io";
  source = csi;
  EXPECT_FALSE(waits_for_csi_driver_object(&source, nothing, false));
  source = manifest::EmptyDirSource();
  EXPECT_FALSE(waits_for_csi_driver_object(&source, nothing, false));
  EXPECT_FALSE(waits_for_csi_driver_object(nullptr, nothing, false));
}

}  // namespace
}  // namespace mooring
