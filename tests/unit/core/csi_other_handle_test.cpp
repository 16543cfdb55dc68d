// A claim's volume whose manifest comes to name another volume of the driver, while a pod has the first one
// (kubelet-behaviours 2.5, 2.6).

#include "csi_shared_fixture.h"

namespace mooring {
namespace {

using namespace csi_shared;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const std::string other_key = "kubernetes.io/csi/d.example.com^other";
const std::string staged = layout::csi_staged(DriverName("d.example.com"), "h");

class CsiOtherHandle : public CsiAttach {
 protected:
  static std::string target() { return layout::csi_target(uid_of("web"), VolumeDirectory("pv")); }
  static std::map<std::string, std::string> both_mounted() {
    return {{root_dir + "/" + staged, "ext4"}, {root_dir + "/" + target(), "ext4"}};
  }
  void name_other() { shell.write_text("storage.yaml", storage_yaml("", "other")); }
  void put_driver_object(const std::string& spec) {
    shell.write_text(
        "driver.yaml",
        "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: d.example.com}\nspec: {" + spec +
            "}\n");
  }
  /// What an earlier run left, of which `shape` is what the pod's volume was made as.
  void restart(const std::map<std::string, std::string>& mounts, const std::string& shape) {
    Shell earlier(options_of(false));
    earlier.write_text("storage.yaml", storage_yaml());
    earlier.start({"storage.yaml"});
    shell.ledger = earlier.ledger;
    name_other();
    put_driver_object("attachRequired: false");
    shell.write("web", claim_volume);
    VolumeRecord volume{VolumeName("v"), layout::csi_plugin(), VolumeDirectory("pv"), shape};
    volume.device = VolumeKey(key);
    const DeviceRecord device{
        VolumeKey(key), layout::csi_plugin(), {DeviceName::Kind::Csi, "d.example.com^h"}, staged, 1U << 30U};
    FoundPod found{uid_of("web"), true, Namespace("default"), ObjectName("web"), {}, {}};
    if (shape != "device") found.volumes.push_back({layout::csi_plugin(), VolumeDirectory("pv"), false});
    shell.feed(RecordsRead{{record_of("web", {volume})}, {}, {device}});
    shell.show_mounts(mounts);
    shell.end_scan({{found}, {}});
    shell.list({"storage.yaml", "driver.yaml", "web.yaml"});
    shell.end(asking, driver());
  }
  void expect_down_by_its_own_name() {
    shell.remove("web");
    shell.end(unpublish("web"));
    ASSERT_TRUE(shell.is_in_flight(unstage));
    EXPECT_EQ(only<UnstageCsiVolume>().volume.handle, "h");
    shell.finish();
    EXPECT_THAT(shell.core.devices(), IsEmpty());
  }
};

TEST_F(CsiOtherHandle, kb_2_5_a_live_pod_keeps_what_it_has_and_says_so) {
  put_driver_object("attachRequired: false, requiresRepublish: true");
  start("", {}, {"storage.yaml", "driver.yaml"});
  shell.write("web", claim_volume);
  shell.end(stage);
  shell.end(publish("web"));
  shell.show_mounts(both_mounted());
  name_other();
  EXPECT_EQ(shell.volume("web", "v").reason, "SpecChangeIgnored");
  EXPECT_TRUE(shell.pod("web").ready);
  shell.advance(120s);
  EXPECT_THAT(steps_of<PublishCsiVolume>(shell), IsEmpty())
      << "the driver is never told the one's name in the other's place";
  expect_down_by_its_own_name();
}

TEST_F(CsiOtherHandle, kb_2_5_the_next_pod_has_the_other_one) {
  put_driver_object("attachRequired: false");
  start("", {}, {"storage.yaml", "driver.yaml"});
  shell.write("web", claim_volume);
  shell.end(stage);
  shell.end(publish("web"));
  name_other();
  shell.write("next", claim_volume);
  ASSERT_THAT(shell.doing(), ElementsAre("stage " + other_key));
  EXPECT_EQ(only<StageCsiVolume>().volume.handle, "other");
  shell.end("stage " + other_key);
  EXPECT_EQ(only<PublishCsiVolume>().volume.handle, "other");
  shell.end(publish("next"));
  EXPECT_TRUE(shell.pod("next").ready);
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST_F(CsiOtherHandle, what_no_pod_surely_has_is_made_as_it_is_named_now) {
  put_driver_object("attachRequired: false");
  start("", {}, {"storage.yaml", "driver.yaml"});
  shell.write("web", claim_volume);
  shell.end(stage);
  shell.fail(publish("web"), error_of(ErrorKind::Uncertain, "PublishFailed"));
  name_other();
  // What was tried before that is written down is tried with the name that it had.
  ASSERT_THAT(shell.doing(), ElementsAre(publish("web")));
  EXPECT_EQ(only<PublishCsiVolume>().volume.handle, "h");
  shell.fail(publish("web"), error_of(ErrorKind::Uncertain, "PublishFailed"));
  for (int i = 0; i < 4 && shell.doing().empty(); ++i)
    shell.wake();
  ASSERT_THAT(shell.doing(), ElementsAre(unpublish("web")));
  EXPECT_EQ(only<UnpublishCsiVolume>().volume.handle, "h");
  shell.end(unpublish("web"));
  for (int i = 0; i < 8 && !shell.pod("web").ready; ++i) {
    if (shell.doing().empty()) shell.wake();
    if (!shell.doing().empty()) shell.end(shell.doing().front());
  }
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Ready);
  const auto devices = shell.core.devices();
  ASSERT_THAT(devices, SizeIs(1));
  EXPECT_EQ(devices[0].key, other_key);
}

TEST_F(CsiOtherHandle, after_a_restart_a_live_pod_keeps_what_it_has_too) {
  restart(both_mounted(), "csi:d.example.com");
  EXPECT_THAT(shell.doing(), IsEmpty());
  EXPECT_EQ(shell.volume("web", "v").reason, "SpecChangeIgnored");
  EXPECT_TRUE(shell.pod("web").ready);
  expect_down_by_its_own_name();
}

TEST_F(CsiOtherHandle, after_a_restart_a_raw_device_that_is_bound_stays_too) {
  restart({{root_dir + "/" + layout::csi_block_map(VolumeDirectory("pv")) + "/" + uid_of("web").str(),
            "devtmpfs"}},
          "device");
  EXPECT_THAT(shell.doing(), IsEmpty());
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST_F(CsiOtherHandle, after_a_restart_what_is_not_mounted_any_more_is_made_as_it_is_named_now) {
  restart({}, "csi:d.example.com");
  ASSERT_THAT(shell.doing(), ElementsAre(unpublish("web")));
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
  const auto devices = shell.core.devices();
  ASSERT_THAT(devices, SizeIs(1));
  EXPECT_EQ(devices[0].key, other_key);
}

}  // namespace
}  // namespace mooring
