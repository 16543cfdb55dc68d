// What the disk alone tells of staged volumes, as after a reboot.

#include "csi_shared_fixture.h"

namespace mooring {
namespace {

using namespace csi_shared;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

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
  /// Of the pod's volume: what the file beside it says.
  static CsiAttachment in_pod(const DriverName& driver, const std::string& handle) {
    return {driver, handle, {}, std::nullopt, layout::csi_target(uid_of("web"), VolumeDirectory("pv"))};
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

TEST_F(CsiStaged, after_a_reboot_a_volume_that_the_disk_names_holds_up_no_other) {
  TreeFacts tree = left_with_pod();
  tree.attachments.push_back(in_pod(DriverName("e.example.com"), "x"));
  start("", tree);
  EXPECT_THAT(shell.doing(), UnorderedElementsAre("unpublish default/web/pv", unstage));
  shell.end(unstage);
  shell.finish();
  EXPECT_FALSE(device());
}

TEST_F(CsiStaged, after_a_reboot_a_volume_that_the_disk_names_goes_first_however_often_that_fails) {
  TreeFacts tree = left_with_pod();
  tree.attachments.push_back(in_pod(volume().driver, volume().handle));
  start("", tree);
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(shell.doing(), ElementsAre("unpublish default/web/pv"));
    shell.fail("unpublish default/web/pv", error_of(ErrorKind::Uncertain, "DeadlineExceeded"));
    while (shell.in_flight.empty())
      shell.wake();
  }
  shell.end("unpublish default/web/pv");
  while (!shell.is_in_flight(unstage))
    shell.wake();
}

TEST_F(CsiStaged, after_a_reboot_one_that_nothing_names_holds_up_others_until_it_fails) {
  start("", left_with_pod());
  ASSERT_THAT(shell.doing(), ElementsAre("unpublish default/web/pv"));
  shell.fail("unpublish default/web/pv", error_of(ErrorKind::Uncertain, "DeadlineExceeded"));
  while (!shell.is_in_flight(unstage))
    shell.wake();
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
