// Attaching, detaching and checking devices.

#include "device_fixture.h"

namespace mooring {
namespace {

using kernel::CheckResult;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Devices : testing::Test {
  DeviceNode node;
  const AttachDevice attach_image{image, 64 * mebibyte, false};
};

TEST_F(Devices, a_disk_is_attached_when_it_is_there) {
  EXPECT_FALSE(node.run_well({AttachDevice{disk, std::nullopt, false}}).changed);
  node.disks().remove_device(disk_node);
  const Error error = node.run_badly({AttachDevice{disk, std::nullopt, false}});
  EXPECT_EQ(error.reason, "DeviceMissing");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
}

TEST_F(Devices, an_image_is_made_once_and_attached_once) {
  EXPECT_TRUE(node.run_well({attach_image}).changed);
  EXPECT_EQ(node.disks().size_bytes(image_path), 64 * mebibyte);
  EXPECT_FALSE(node.run_well({attach_image}).changed);
  EXPECT_EQ(node.disks().loop_count(), 1u);
}

TEST_F(Devices, an_image_that_is_there_is_left_as_it_is) {
  node.fake.put_file(image_path, std::string(4096, 'x'));
  node.run_well({attach_image});
  EXPECT_EQ(node.disks().size_bytes(image_path), 4096u);
}

TEST_F(Devices, an_image_without_a_size_must_be_there) {
  EXPECT_EQ(node.run_badly({AttachDevice{image, std::nullopt, false}}).reason, "ImageMissing");
  EXPECT_FALSE(node.fake.exists(image_path));
}

TEST_F(Devices, what_is_no_file_is_refused_as_an_image_before_anything_is_done_to_it) {
  for (const bool is_device : {true, false}) {
    node.fake.remove_all(image_path);
    if (is_device) node.fake.put_symlink(image_path, disk_node);
    if (!is_device) node.fake.put_directory(image_path);
    const Error error = node.run_badly({AttachDevice{image, 64 * mebibyte, false}, format_of(image)});
    EXPECT_EQ(error.reason, "NotAnImage");
    EXPECT_EQ(error.kind, ErrorKind::Final);
    EXPECT_THAT(error.remedy, testing::HasSubstr(is_device ? "`device`" : "file"));
    EXPECT_EQ(node.disks().loop_count(), 0u);
    EXPECT_EQ(node.disks().formats(disk_node), 0u);
  }
}

TEST_F(Devices, an_image_that_was_made_once_is_never_made_again) {
  AttachDevice attach = attach_image;
  attach.stamp = "plugins/kubernetes.io/block/images/data";
  EXPECT_TRUE(node.run_well({attach}).changed);
  EXPECT_FALSE(node.run_well({attach}).changed);
  node.run_well({DetachDevice{image}});
  node.run_well({attach});  // It is there.
  node.run_well({DetachDevice{image}});
  node.fake.remove_all(image_path);
  const Error error = node.run_badly({attach});
  EXPECT_EQ(error.reason, "ImageMissing");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_FALSE(node.fake.exists(image_path));
}

TEST_F(Devices, a_name_that_leads_to_no_device_of_its_own_can_be_let_go) {
  const DeviceName no_device{DeviceName::Kind::Path, "/dev/null"};
  node.fake.put_char_device("/dev/null");
  EXPECT_NE(node.run_badly({AttachDevice{no_device, std::nullopt, false}}).reason, "");
  EXPECT_FALSE(node.run_well({DetachDevice{no_device}}).changed);
}

TEST_F(Devices, why_an_image_cannot_be_made_is_told) {
  node.fail_call("make_image", ENOSPC, true);
  EXPECT_EQ(node.run_badly({attach_image}).errno_value, ENOSPC);
}

TEST_F(Devices, an_image_that_is_attached_otherwise_is_refused) {
  node.run_well({attach_image});
  EXPECT_EQ(node.run_badly({AttachDevice{image, std::nullopt, true}}).reason, "AttachedOtherwise");
}

TEST_F(Devices, an_error_of_attaching_is_a_hint) {
  node.fail_call("make_image", EIO, false);
  EXPECT_TRUE(node.run_well({attach_image}).changed);
  node.heal();
  node.run_well({DetachDevice{image}});
  node.fail_call("attach_image", EIO, false);
  EXPECT_TRUE(node.run_well({attach_image}).changed);
  EXPECT_EQ(node.disks().loop_count(), 1u);
}

TEST_F(Devices, an_image_of_several_loop_devices_is_not_attached_once_more) {
  node.run_well({attach_image});
  node.disks().attach_foreign(image_path);
  EXPECT_EQ(node.run_badly({attach_image}).reason, "DeviceAmbiguous");
  EXPECT_EQ(node.disks().loop_count(), 2u);
}

TEST_F(Devices, an_image_is_detached_once) {
  node.run_well({attach_image});
  EXPECT_TRUE(node.run_well({DetachDevice{image}}).changed);
  EXPECT_EQ(node.disks().loop_count(), 0u);
  EXPECT_FALSE(node.run_well({DetachDevice{image}}).changed);
}

TEST_F(Devices, an_image_that_was_removed_is_detached) {
  node.run_well({attach_image});
  node.fake.remove_all(image_path);
  EXPECT_TRUE(node.run_well({DetachDevice{image}}).changed);
  EXPECT_EQ(node.disks().loop_count(), 0u);
}

TEST_F(Devices, an_error_of_detaching_is_a_hint) {
  node.run_well({attach_image});
  node.fail_call("detach_image", EIO, false);
  EXPECT_TRUE(node.run_well({DetachDevice{image}}).changed);
  node.heal();
  node.run_well({attach_image});
  node.fail_call("detach_image", EIO, true);
  EXPECT_EQ(node.run_badly({DetachDevice{image}}).errno_value, EIO);
  EXPECT_EQ(node.disks().loop_count(), 1u);
}

TEST_F(Devices, what_is_held_is_not_detached_and_its_holder_is_named) {
  node.run_well({attach_image});
  const std::string loop = node.disks().node_of_image(image_path);
  node.disks().hold(loop, {4711, "qemu", "vm.service", "", "has it open"});
  const Error error = node.run_badly({DetachDevice{image}});
  EXPECT_EQ(error.reason, "DeviceBusy");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_THAT(error.message, HasSubstr("qemu"));
  EXPECT_THAT(error.message, HasSubstr("vm.service"));
  EXPECT_EQ(node.disks().loop_count(), 1u);
}

TEST_F(Devices, what_is_mounted_is_not_detached) {
  node.put_data(disk_node);
  node.fake.put_directory("/mnt/other");
  node.fake.mount_device("/mnt/other", disk_node);
  EXPECT_EQ(node.run_badly({DetachDevice{disk}}).reason, "DeviceBusy");
}

TEST_F(Devices, what_is_bound_as_a_raw_device_is_not_detached) {
  node.fake.put_file("/mnt/raw", "");
  node.fake.bind_foreign(disk_node, "/mnt/raw");
  const Error error = node.run_badly({DetachDevice{disk}});
  EXPECT_EQ(error.reason, "DeviceBusy");
  EXPECT_THAT(error.message, HasSubstr("/mnt/raw"));
}

TEST_F(Devices, a_disk_that_is_gone_or_unused_is_detached) {
  EXPECT_FALSE(node.run_well({DetachDevice{disk}}).changed);
  node.disks().remove_device(disk_node);
  EXPECT_FALSE(node.run_well({DetachDevice{disk}}).changed);
}

TEST_F(Devices, that_a_device_cannot_be_looked_for_is_not_that_it_is_gone) {
  node.fail_call("find", EIO, true);
  EXPECT_EQ(node.run_badly({DetachDevice{disk}}).errno_value, EIO);
  EXPECT_EQ(node.run_badly({AttachDevice{disk, std::nullopt, false}}).errno_value, EIO);
  EXPECT_EQ(node.run_badly({attach_image}).errno_value, EIO);
}

struct Check : testing::Test {
  Check() { node.put_data(disk_node); }
  void set_health(CheckResult health) { node.disks().set_health(disk_node, health); }

  DeviceNode node;
};

TEST_F(Check, kb_9_4_a_clean_file_system_is_left_alone) {
  const Outcome outcome = node.run_well({check_disk});
  EXPECT_FALSE(outcome.changed);
  EXPECT_THAT(outcome.warnings, IsEmpty());
}

TEST_F(Check, kb_9_4_what_was_corrected_is_a_warning) {
  set_health(CheckResult::Repaired);
  const Outcome outcome = node.run_well({check_disk});
  EXPECT_TRUE(outcome.changed);
  EXPECT_THAT(outcome.warnings, ElementsAre(HasSubstr("corrected: what fsck says")));
  EXPECT_THAT(node.run_well({check_disk}).warnings, IsEmpty());
}

TEST_F(Check, kb_9_4_what_could_not_be_corrected_is_an_error) {
  set_health(CheckResult::Broken);
  const Error error = node.run_badly({check_disk});
  EXPECT_EQ(error.reason, "HasFilesystemErrors");
  EXPECT_EQ(error.kind, ErrorKind::Final);
  EXPECT_THAT(error.message,
              HasSubstr("'fsck' found errors on device /dev/sdb but could not correct them: what fsck says"));
}

TEST_F(Check, kb_9_4_a_checker_that_fails_or_is_missing_is_a_warning) {
  set_health(CheckResult::Unknown);
  EXPECT_THAT(node.run_well({check_disk}).warnings, ElementsAre(HasSubstr("what fsck says")));
  node.disks().set_tools({});
  EXPECT_THAT(node.run_well({check_disk}).warnings, ElementsAre(HasSubstr("no program")));
}

TEST_F(Check, what_is_mounted_there_is_not_checked) {
  set_health(CheckResult::Broken);
  node.run_well({mount_of(disk)});
  EXPECT_FALSE(node.run_well({check_disk}).changed);
}

TEST_F(Check, what_a_pod_has_was_checked_and_is_mounted_for_the_node_again) {
  node.run_well({mount_of(disk)});
  const std::string volume =
      layout::volume(PodUid("f658adbe-d5b6-53e6-8854-b6c177518e21"), block, VolumeDirectory("pv"));
  node.run_well(
      {MakeDirectory{volume, layout::private_mode}, BindMount{node.root(staged_path), volume, false, false}});
  EXPECT_EQ(node.fake.unmount_foreign(node.root(staged_path)), 0);
  set_health(CheckResult::Broken);
  EXPECT_FALSE(node.run_well({check_disk}).changed);
  node.run_well({mount_of(disk)});
}

TEST_F(Check, what_is_in_use_elsewhere_is_not_repaired_below_it) {
  set_health(CheckResult::Repaired);
  node.fake.put_directory("/mnt/other");
  node.fake.mount_device("/mnt/other", disk_node);
  EXPECT_EQ(node.run_badly({check_disk}).reason, "DeviceBusy");
  node.fake.unmount_foreign("/mnt/other");
  node.disks().hold(disk_node, {12, "dd", "", "", "has it open"});
  EXPECT_THAT(node.run_badly({check_disk}).message, HasSubstr("dd"));
}

TEST_F(Check, what_a_pod_has_is_not_checked_and_does_not_wait_for_the_pod) {
  node.run_well({mount_of(disk)});
  const std::string path = node.root(layout::volume(uid, block, VolumeDirectory("pv")));
  node.fake.put_directory(path);
  node.fake.bind_foreign(node.root(staged_path), path);
  node.fake.unmount_foreign(node.root(staged_path));
  set_health(CheckResult::Repaired);
  EXPECT_FALSE(node.run_well({check_disk}).changed);
  EXPECT_EQ(node.disks().formats(disk_node), 0u);
  EXPECT_TRUE(node.run_well({mount_of(disk)}).changed);
}

TEST_F(Check, what_cannot_be_written_to_is_not_checked) {
  set_health(CheckResult::Broken);
  node.disks().set_read_only(disk_node, true);
  EXPECT_THAT(node.run_well({check_disk}).warnings, IsEmpty());
}

TEST_F(Check, what_is_locked_is_left_to_who_locked_it) {
  const auto found = node.fake.ports().devices.find(disk);
  const auto lock = node.fake.ports().devices.lock(found.value());
  EXPECT_EQ(node.run_badly({check_disk}).reason, "DeviceLocked");
}

TEST_F(Check, what_the_name_does_not_mean_any_more_is_not_repaired) {
  node.put_by_id(disk_node);
  node.disks().put_device("/dev/sdc", 64 * mebibyte, "naa.6");
  set_health(CheckResult::Repaired);
  node.at_call("is_free", false, [&] { node.put_by_id("/dev/sdc"); });
  EXPECT_EQ(node.run_badly({CheckFileSystem{by_id, staged_path, "ext4"}}).reason, "DeviceChanged");
}

TEST_F(Check, another_device_of_the_same_name_is_not_repaired) {
  node.disks().put_device("/dev/sdc", 64 * mebibyte, "naa.6");
  node.put_data("/dev/sdc", "ext4", "d-2");
  node.disks().set_health("/dev/sdc", CheckResult::Repaired);
  node.at_call("is_free", false, [&] { node.disks().swap_devices(disk_node, "/dev/sdc"); });
  EXPECT_EQ(node.run_badly({check_disk}).reason, "DeviceChanged");
}

}  // namespace
}  // namespace mooring
