// What the disk alone tells of staged volumes, as after a reboot.

#include "csi_shared_fixture.h"

namespace mooring {
namespace {

using namespace csi_shared;
using testing::ElementsAre;
using testing::IsEmpty;

/// Of a pod that did not come back after a reboot, of a volume that Mooring did not attach.
class CsiStaged : public CsiAttach {
 protected:
  static CsiAttachment volume() { return {stamp().driver, "h", {}, std::nullopt, stamp().staged_path}; }
  static TreeFacts left() {
    TreeFacts tree;
    tree.attachments = {volume()};
    return tree;
  }
  static TreeFacts left_with_pod() {
    TreeFacts tree = left();
    FoundPod pod{uid_of("web"), true, Namespace("default"), ObjectName("web"), {}, {}};
    pod.volumes.push_back({PluginName("kubernetes.io/csi"), VolumeDirectory("pv"), false});
    tree.pods = {pod};
    return tree;
  }
  void put_driver_that_does_not_attach() {
    shell.write_text("driver.yaml",
                     "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: d.example.com}\n"
                     "spec: {attachRequired: false}\n");
  }
};

TEST_F(CsiStaged, a_reboot_does_not_make_forget_what_was_staged) {
  start("", left());
  ASSERT_TRUE(shell.is_in_flight(unstage));
  EXPECT_EQ(only<UnstageCsiVolume>().path, volume().staged_path);
  EXPECT_EQ(only<UnstageCsiVolume>().volume.handle, "h");
  EXPECT_TRUE(only<UnstageCsiVolume>().calls_driver);
  shell.end(unstage);
  EXPECT_THAT(steps_of<UnpublishCsiController>(shell), IsEmpty()) << "nobody knows that it was attached";
  shell.finish();
  EXPECT_FALSE(device());
}

TEST_F(CsiStaged, after_a_reboot_what_pods_may_have_of_it_goes_first) {
  start("", left_with_pod());
  ASSERT_THAT(shell.doing(), ElementsAre("unpublish default/web/pv"));
  shell.end("unpublish default/web/pv");
  if (!shell.is_in_flight(unstage)) shell.wake();
  EXPECT_TRUE(shell.is_in_flight(unstage));
}

TEST_F(CsiStaged, after_a_reboot_a_pod_that_comes_back_has_it_staged_anew_and_never_unstaged) {
  Shell earlier(options_of(false));
  earlier.write_text("storage.yaml", storage_yaml());
  earlier.start({"storage.yaml"});
  shell.ledger = earlier.ledger;
  put_driver_that_does_not_attach();
  shell.write("web", claim_volume);
  shell.write_text("storage.yaml", storage_yaml());
  shell.feed(RecordsRead{});
  shell.show_mounts();
  shell.end_scan(left());
  shell.end(asking, driver());
  shell.list({"storage.yaml", "web.yaml", "driver.yaml"});
  EXPECT_THAT(shell.doing(), ElementsAre(stage));
  EXPECT_EQ(only<StageCsiVolume>().path, volume().staged_path);
  shell.end(stage);
  shell.end(publish("web"));
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_THAT(shell.doing(), IsEmpty());
}

TEST_F(CsiStaged, what_is_mounted_and_in_no_record_is_left_alone) {
  shell.feed(RecordsRead{});
  shell.show_mounts({{root_dir + "/" + volume().staged_path, "ext4"}});
  shell.end_scan(left());
  shell.list({});
  shell.end(asking, driver());
  EXPECT_THAT(shell.doing(), IsEmpty());
  EXPECT_FALSE(device());
}

TEST_F(CsiStaged, is_left_until_all_manifests_were_read) {
  shell.feed(RecordsRead{});
  shell.show_mounts();
  shell.end_scan(left());
  shell.end(asking, driver());
  EXPECT_THAT(shell.doing(), IsEmpty());
  shell.list({});
  EXPECT_THAT(shell.doing(), ElementsAre(unstage));
}

}  // namespace
}  // namespace mooring
