// Whether what is mounted for the node is what it is taken for.

#include "device_fixture.h"

namespace mooring {
namespace {

using testing::HasSubstr;

struct Proof : testing::Test {
  Proof() {
    node.put_data(disk_node);
    node.run_well({mount_of(disk)});
  }
  ProveStaged look(const DeviceName& device = disk) const { return {device, staged_path}; }
  std::string path() const { return node.root(staged_path); }

  DeviceNode node;
};

TEST_F(Proof, what_is_as_it_should_be_is_left_alone) {
  const auto before = node.picture();
  EXPECT_FALSE(node.run_well({look()}).changed);
  EXPECT_EQ(node.picture(), before);
}

TEST_F(Proof, a_device_that_vanished_is_told_of) {
  node.disks().remove_device(disk_node);
  const Error error = node.run_badly({look()});
  EXPECT_EQ(error.reason, "DeviceVanished");
  EXPECT_THAT(error.message, HasSubstr(disk_node));
  EXPECT_EQ(node.mounted_at(path()).size(), 1u) << "a pod may have it";
}

TEST_F(Proof, another_device_under_its_name_is_not_the_one_that_is_mounted) {
  node.disks().remove_device(disk_node);
  node.disks().put_device(disk_node, 64 * mebibyte, "naa.6");
  EXPECT_EQ(node.run_badly({look()}).reason, "DeviceVanished");
}

TEST_F(Proof, a_name_that_means_nothing_now_says_nothing_of_what_is_mounted) {
  EXPECT_FALSE(node.run_well({look(by_id)}).changed);
}

TEST_F(Proof, what_others_mounted_there_is_named) {
  node.disks().put_device("/dev/sdc", 64 * mebibyte, "naa.6");
  node.put_data("/dev/sdc", "ext4", "d-2");
  ASSERT_EQ(node.fake.mount_device(path(), "/dev/sdc"), 0);
  const Error error = node.run_badly({look()});
  EXPECT_EQ(error.reason, "ForeignMount");
  EXPECT_THAT(error.message, HasSubstr("/dev/sdc"));
}

TEST_F(Proof, nothing_is_mounted_to_prove_anything) {
  node.fake.unmount_foreign(path());
  EXPECT_EQ(node.run_badly({look()}).reason, "NotMounted");
  EXPECT_TRUE(node.mounted_at(path()).empty());
}

TEST_F(Proof, a_btrfs_is_alive_as_long_as_its_device_is) {
  node.run_well({unmount_staged});
  node.put_data(disk_node, "btrfs");
  MountDevice mount = mount_of(disk);
  mount.type = "btrfs";
  node.run_well({mount});
  EXPECT_FALSE(node.run_well({look()}).changed);
  node.disks().remove_device(disk_node);
  EXPECT_EQ(node.run_badly({look()}).reason, "DeviceVanished");
}

struct Unmounting : Proof {
  Unmounting() {
    node.disks().put_device(other_node, 64 * mebibyte, "naa.6");
    node.put_data(other_node, "ext4", "d-2");
  }
  void mount_other_on_top() { ASSERT_EQ(node.fake.mount_device(path(), other_node), 0); }
  std::size_t count() const { return node.mounted_at(path()).size(); }

  const std::string other_node = "/dev/sdc";
};

TEST_F(Unmounting, what_others_mounted_on_top_stays_and_is_named) {
  mount_other_on_top();
  // Also if the name means nothing now, or nobody knows one.
  for (const DeviceName& name : {disk, by_id, DeviceName()}) {
    const Error error = node.run_badly({UnmountDevice{staged_path, name}});
    EXPECT_EQ(error.reason, "ForeignMount") << name.text();
    EXPECT_THAT(error.message, HasSubstr(other_node));
    EXPECT_EQ(error.remedy, "unmount it");
    EXPECT_EQ(count(), 2u);
  }
  node.fake.unmount_foreign(path());
  EXPECT_TRUE(node.run_well({unmount_staged}).changed);
  EXPECT_EQ(count(), 0u);
}

TEST_F(Unmounting, what_others_mounted_in_its_place_stays) {
  node.fake.unmount_foreign(path());
  mount_other_on_top();
  EXPECT_EQ(node.run_badly({unmount_staged}).reason, "ForeignMount");
  EXPECT_EQ(count(), 1u);
}

TEST_F(Unmounting, a_device_that_vanished_is_unmounted_whatever_has_its_name_now) {
  for (const bool has_successor : {false, true}) {
    node.disks().remove_device(disk_node);
    if (has_successor) node.disks().put_device(disk_node, 64 * mebibyte, "naa.7");
    EXPECT_TRUE(node.run_well({unmount_staged}).changed) << has_successor;
    EXPECT_EQ(count(), 0u);
    if (has_successor) continue;
    node.disks().put_device(disk_node, 64 * mebibyte, "naa.8");
    node.put_data(disk_node, "ext4", "d-3");
    node.run_well({mount_of(disk)});
  }
}

TEST_F(Unmounting, a_name_that_means_nothing_now_keeps_nothing_mounted) {
  EXPECT_TRUE(node.run_well({UnmountDevice{staged_path, by_id}}).changed);
  EXPECT_EQ(count(), 0u);
}

}  // namespace
}  // namespace mooring
