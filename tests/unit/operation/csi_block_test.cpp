// Raw devices of CSI drivers (kubelet-behaviours 15.5).

#include "csi_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string target = layout::csi_block_target(csi_directory, uid);
const std::string place = layout::csi_block_map(csi_directory) + "/" + uid.str();
const std::string link_path = layout::device(uid, csi_name, csi_directory);

PublishCsiVolume publish_device() {
  PublishCsiVolume publish = csi_publish();
  publish.path = target;
  publish.data.clear();
  publish.capability = {};
  publish.capability.is_block = true;
  publish.map = CsiDeviceMap{place, link_path};
  return publish;
}
UnpublishCsiVolume unpublish_device() {
  return {csi_volume, target, "", CsiDeviceMap{place, link_path}, {}};
}
StageCsiVolume stage_device() {
  StageCsiVolume stage = csi_stage();
  stage.path = layout::csi_block_staged(csi_directory);
  stage.data = layout::csi_block_data(csi_directory);
  stage.capability = {};
  stage.capability.is_block = true;
  return stage;
}

/// As the plugin says it.
std::vector<Step> unstage_device() {
  const std::string bound = layout::csi_block_map(csi_directory);
  const std::string published = layout::csi_block_published(csi_directory);
  return {UnstageCsiVolume{csi_volume, layout::csi_block_staged(csi_directory),
                           layout::csi_block_data(csi_directory), true, published, bound},
          RemoveDirectory{bound}, RemoveDirectory{published},
          RemoveDirectory{layout::csi_block_root(csi_directory)}};
}

class CsiBlock : public testing::Test {
 protected:
  CsiBlock() { node_.fake.put_block_device("/dev/sdx"); }
  CsiNode& node() { return node_; }
  FakeKernel& fake() { return node_.fake; }
  bool exists(const std::string& relative) { return fake().exists(node_.root(relative)); }

 private:
  CsiNode node_;
};

TEST_F(CsiBlock, kb_15_5_is_published_bound_and_linked) {
  node().run_well({publish_device()});
  EXPECT_THAT(node().called(), ElementsAre("NodePublishVolume"));
  EXPECT_EQ(node().last_request()["target_path"], node().root(target));
  EXPECT_EQ(fake().status(node().root(link_path))->type, kernel::FileType::BlockDevice);
  EXPECT_TRUE(node().is_mounted(place));
  const auto before = node().picture();
  node().run_well({publish_device()});
  EXPECT_EQ(node().picture(), before);
}

TEST_F(CsiBlock, kb_15_5_goes_without_a_trace) {
  node().run_well({stage_device(), publish_device()});
  EXPECT_TRUE(exists(layout::csi_block_data(csi_directory)));
  node().called();
  node().run_well({unpublish_device()});
  node().run_well(unstage_device());
  EXPECT_THAT(node().called(), ElementsAre("NodeUnpublishVolume", "NodeUnstageVolume"));
  EXPECT_FALSE(exists(layout::csi_block_root(csi_directory)));
  EXPECT_FALSE(exists(layout::csi_block_published(csi_directory)));
  EXPECT_FALSE(exists(layout::csi_block_staged(csi_directory)));
  EXPECT_FALSE(exists(layout::devices(uid)));
}

TEST_F(CsiBlock, a_pod_goes_and_another_keeps_the_device) {
  const PodUid other("u2");
  PublishCsiVolume second = publish_device();
  second.path = layout::csi_block_target(csi_directory, other);
  second.map = CsiDeviceMap{layout::csi_block_map(csi_directory) + "/" + other.str(),
                            layout::device(other, csi_name, csi_directory)};
  node().run_well({publish_device(), second});
  node().run_well({unpublish_device()});
  EXPECT_FALSE(exists(target));
  EXPECT_FALSE(exists(place));
  EXPECT_TRUE(node().is_mounted(second.map->place));
  EXPECT_EQ(fake().status(node().root(second.map->link))->type, kernel::FileType::BlockDevice);
}

TEST_F(CsiBlock, what_is_no_device_is_refused_and_goes_the_usual_way_down) {
  fake().drivers().set_on_call([&](const kernel::DriverCall&) {
    fake().put_file(node().root(target), "not a device");
    return kernel::DriverAnswer{CallCode::Ok, "", ""};
  });
  EXPECT_EQ(node().run_badly({publish_device()}).reason, "NotADevice");
  EXPECT_FALSE(exists(place));
  // What the driver leaves is not thrown away with data in it.
  EXPECT_EQ(node().run_badly({unpublish_device()}).reason, "NotEmpty");
}

TEST_F(CsiBlock, a_driver_that_says_ok_and_publishes_nothing_is_not_believed) {
  node().mounts = false;
  EXPECT_EQ(node().run_badly({publish_device()}).reason, "NotADevice");
}

TEST_F(CsiBlock, something_foreign_in_the_place_is_left_alone) {
  node().run_well({publish_device()});
  fake().unmount_foreign(node().root(place));
  fake().put_file("/srv/other", "");
  fake().bind_foreign("/srv/other", node().root(place));
  EXPECT_EQ(node().run_badly({publish_device()}).reason, "ForeignMount");
}

TEST_F(CsiBlock, kb_15_4_a_final_error_leaves_nothing) {
  node().expect("NodePublishVolume", CallCode::Internal);
  node().run_badly({publish_device()});
  EXPECT_FALSE(exists(layout::csi_block_published(csi_directory)));
  node().called();
  node().run_well({unpublish_device()});
  EXPECT_THAT(node().called(), IsEmpty());
}

TEST_F(CsiBlock, what_a_reboot_left_of_a_pod_that_is_gone_goes_before_the_device) {
  node().run_well({make_pod, stage_device(), publish_device()});
  fake().reboot();
  node().run_well({RemovePodDirectory{uid}});
  node().called();
  node().run_well(unstage_device());
  EXPECT_THAT(node().called(), ElementsAre("NodeUnpublishVolume", "NodeUnstageVolume"));
  EXPECT_FALSE(exists(layout::csi_block_root(csi_directory)));
  EXPECT_FALSE(exists(layout::csi_block_published(csi_directory)));
  EXPECT_FALSE(exists(layout::csi_block_staged(csi_directory)));
  node().run_well(unstage_device());
  EXPECT_THAT(node().called(), IsEmpty());
}

TEST_F(CsiBlock, a_device_that_a_pod_has_is_not_unstaged) {
  node().run_well({stage_device(), publish_device()});
  node().called();
  EXPECT_EQ(node().run_badly(unstage_device()).reason, "StillMounted");
  // Not bound, and published all the same.
  fake().unmount_foreign(node().root(place));
  EXPECT_EQ(node().run_badly(unstage_device()).reason, "StillMounted");
  EXPECT_THAT(node().called(), IsEmpty());
  EXPECT_TRUE(node().is_mounted(target));
}

TEST_F(CsiBlock, what_the_driver_does_not_unpublish_stays_and_so_does_the_device) {
  node().run_well({make_pod, stage_device(), publish_device()});
  fake().reboot();
  node().called();
  node().expect("NodeUnpublishVolume", CallCode::Internal);
  node().run_badly(unstage_device());
  EXPECT_THAT(node().called(), ElementsAre("NodeUnpublishVolume"));
  EXPECT_TRUE(exists(target));
  fake().put_file(node().root(target), "data");
  node().leaves_directory = true;
  EXPECT_EQ(node().run_badly(unstage_device()).reason, "NotEmpty");
}

TEST_F(CsiBlock, a_link_to_what_is_gone_goes_with_its_pod) {
  node().run_well({make_pod, publish_device()});
  fake().reboot();
  node().run_well({RemovePodDirectory{uid}});
  EXPECT_FALSE(exists(layout::pod(uid)));
}

}  // namespace
}  // namespace mooring
