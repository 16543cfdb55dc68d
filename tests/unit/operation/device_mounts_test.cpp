// File systems of devices, mounted once for the node: mounting, growing, unmounting.

#include "device_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Staged : testing::Test {
  Staged() { node.put_data(disk_node); }

  std::string path(const std::string& below = "") const {
    return node.root(staged_path) + (below.empty() ? "" : "/" + below);
  }
  std::vector<std::string> mounted() const { return node.mounted_at(path()); }
  const MountFact fact() const {
    for (const MountFact& fact : node.fake.mount_facts()) {
      if (fact.mount_point == path()) return fact;
    }
    ADD_FAILURE() << "nothing is mounted";
    return {};
  }

  DeviceNode node;
  const MountDevice mount = mount_of(disk);
};

TEST_F(Staged, a_device_is_mounted_once) {
  EXPECT_TRUE(node.run_well({mount}).changed);
  EXPECT_EQ(node.fake.read(path("file")), "data");
  EXPECT_EQ(node.fake.status(node.root("plugins/block.mooring.io/mounts"))->mode, 0750u);
  EXPECT_FALSE(node.run_well({mount}).changed);
  EXPECT_THAT(mounted(), ElementsAre("ext4"));
}

TEST_F(Staged, a_btrfs_which_has_a_number_of_its_own_is_recognised_too) {
  node.put_data(disk_node, "btrfs");
  MountDevice step = mount;
  step.type = "btrfs";
  node.run_well({step});
  EXPECT_FALSE(node.run_well({step}).changed);
  EXPECT_TRUE(node.run_well({unmount_staged}).changed);
}

TEST_F(Staged, mount_options_are_given_on_and_none_is_added) {
  MountDevice step = mount;
  step.options = {"noatime", "data=journal"};
  node.run_well({step});
  EXPECT_THAT(fact().super_options + "," + fact().options, HasSubstr("noatime,data=journal"));
}

TEST_F(Staged, read_only_is_read_only) {
  MountDevice step = mount;
  step.read_only = true;
  node.run_well({step});
  EXPECT_TRUE(fact().is_read_only());
  EXPECT_FALSE(node.run_well({step}).changed);
  EXPECT_THAT(fact().super_options, testing::Not(HasSubstr("noload"))) << "its log is to be replayed";
}

TEST_F(Staged, a_log_is_not_replayed_on_a_device_that_cannot_be_written_to) {
  const std::vector<std::pair<std::string, std::string>> options{{"ext3", "noload"},
                                                                 {"ext4", "noload"},
                                                                 {"xfs", "norecovery"},
                                                                 {"btrfs", "rescue=nologreplay"},
                                                                 {"ext2", ""}};
  for (const auto& [type, option] : options) {
    node.disks().set_read_only(disk_node, false);
    node.put_data(disk_node, type);
    node.disks().set_read_only(disk_node, true);
    MountDevice step = mount;
    step.type = type;
    EXPECT_EQ(node.run_badly({step}).reason, "DeviceReadOnly");
    EXPECT_THAT(mounted(), IsEmpty());
    step.read_only = true;
    node.run_well({step});
    EXPECT_THAT(fact().super_options, HasSubstr(option)) << type;
    node.run_well({unmount_staged});
    step.read_only = false;
    step.options = {"ro"};
    node.run_well({step});
    node.run_well({unmount_staged});
  }
}

TEST_F(Staged, what_is_mounted_writable_does_not_do_for_a_read_only_volume) {
  node.run_well({mount});
  MountDevice step = mount;
  step.read_only = true;
  EXPECT_EQ(node.run_badly({step}).reason, "MountedOtherwise");
}

TEST_F(Staged, what_is_mounted_read_only_does_not_do_for_a_writable_volume) {
  MountDevice step = mount;
  step.read_only = true;
  node.run_well({step});
  EXPECT_EQ(node.run_badly({mount}).reason, "MountedOtherwise");
  EXPECT_THAT(mounted(), ElementsAre("ext4"));
}

TEST_F(Staged, what_turned_read_only_after_an_error_is_what_was_asked_for) {
  node.run_well({mount});
  node.fake.set_read_only(path(), true);
  EXPECT_FALSE(node.run_well({mount}).changed);
}

TEST_F(Staged, a_mount_that_falls_back_to_read_only_is_not_kept) {
  // As mount(8) does; here somebody else mounts it so at just that moment.
  node.at_call("mount_file_system", false, [&] {
    node.fake.unmount_foreign(path());
    EXPECT_TRUE(node.fake.ports().mounts.mount_file_system({disk_node, "ext4", staged_path, {}, true}));
  });
  EXPECT_EQ(node.run_badly({mount}).reason, "MountedOtherwise");
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(Staged, something_else_that_is_mounted_there_is_left_alone) {
  node.disks().put_device("/dev/sdc", 64 * mebibyte);
  node.put_data("/dev/sdc");
  node.fake.put_directory(path());
  node.fake.mount_device(path(), "/dev/sdc");
  EXPECT_EQ(node.run_badly({mount}).reason, "ForeignMount");
  node.fake.unmount_foreign(path());
  node.fake.mount_foreign(path(), "tmpfs", "tmpfs");
  EXPECT_EQ(node.run_badly({mount}).reason, "ForeignMount");
  EXPECT_THAT(mounted(), ElementsAre("tmpfs"));
}

TEST_F(Staged, a_part_of_the_file_system_is_not_the_file_system) {
  node.fake.put_directory("/mnt/other");
  node.fake.mount_device("/mnt/other", disk_node);
  node.fake.put_directory("/mnt/other/part");
  node.fake.put_directory(path());
  node.fake.bind_foreign("/mnt/other/part", path());
  EXPECT_EQ(node.run_badly({mount}).reason, "ForeignMount");
}

TEST_F(Staged, data_is_never_covered_by_a_mount) {
  node.fake.put_file(path("forgotten"), "x");
  const Error error = node.run_badly({mount});
  EXPECT_EQ(error.reason, "DirectoryNotEmpty");
  EXPECT_THAT(error.message, HasSubstr("forgotten"));
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(Staged, kb_9_4_another_type_is_an_error_that_names_both_and_the_cause) {
  MountDevice step = mount;
  step.type = "xfs";
  const Error error = node.run_badly({step});
  EXPECT_EQ(error.reason, "FilesystemMismatch");
  EXPECT_EQ(error.kind, ErrorKind::Final);
  EXPECT_THAT(error.message,
              HasSubstr(R"(failed to mount the volume as "xfs", it already contains ext4. Mount error: )"));
  EXPECT_TRUE(node.has_data(disk_node));
}

TEST_F(Staged, any_other_failure_is_told_as_it_is) {
  node.fail_call("mount_file_system", EIO, true);
  EXPECT_EQ(node.run_badly({mount}).errno_value, EIO);
  node.fail_call("listed_at", EIO, true);
  EXPECT_EQ(node.run_badly({mount}).errno_value, EIO);
  node.heal();
  node.disks().remove_device(disk_node);
  EXPECT_EQ(node.run_badly({mount}).reason, "DeviceMissing");
}

TEST_F(Staged, an_error_of_the_mount_is_a_hint) {
  node.fail_call("mount_file_system", EIO, false);
  EXPECT_TRUE(node.run_well({mount}).changed);
  EXPECT_THAT(mounted(), ElementsAre("ext4"));
}

TEST_F(Staged, a_mount_that_is_gone_at_once_is_not_a_success) {
  node.at_call("mount_file_system", false, [&] { node.fake.unmount_foreign(path()); });
  const Error error = node.run_badly({mount});
  EXPECT_EQ(error.reason, "MountFailed");
  EXPECT_EQ(error.kind, ErrorKind::Uncertain);
}

TEST_F(Staged, another_device_that_takes_the_node_is_not_kept_mounted) {
  node.disks().put_device("/dev/sdc", 64 * mebibyte, "naa.6");
  node.put_data("/dev/sdc", "ext4", "d-2");
  node.at_call("list", false, [&] { node.disks().swap_devices(disk_node, "/dev/sdc"); });
  EXPECT_EQ(node.run_badly({mount}).reason, "DeviceChanged");
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(Staged, what_somebody_mounts_there_meanwhile_is_left_alone) {
  node.fake.set_hook([&, is_done = false](std::string_view call, const std::string&, bool before) mutable {
    if (call != "mount_file_system" || !before || is_done) return Fault::none();
    is_done = true;
    node.fake.mount_foreign(path(), "tmpfs", "tmpfs");
    return Fault::error(EBUSY);
  });
  EXPECT_EQ(node.run_badly({mount}).reason, "ForeignMount");
  EXPECT_THAT(mounted(), ElementsAre("tmpfs"));
}

TEST_F(Staged, is_unmounted_with_its_directory) {
  node.run_well({mount});
  EXPECT_TRUE(node.run_well({unmount_staged}).changed);
  EXPECT_FALSE(node.fake.exists(path()));
  EXPECT_FALSE(node.run_well({unmount_staged}).changed);
  EXPECT_TRUE(node.has_data(disk_node));
}

TEST_F(Staged, kb_9_3_a_directory_that_is_left_over_is_removed_if_it_is_empty) {
  node.fake.put_directory(path());
  EXPECT_TRUE(node.run_well({unmount_staged}).changed);
  EXPECT_FALSE(node.fake.exists(path()));
  node.fake.put_file(path("data"), "x");
  const Error error = node.run_badly({unmount_staged});
  EXPECT_EQ(error.reason, "NotEmpty");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_EQ(node.fake.read(path("data")), "x");
}

TEST_F(Staged, is_not_unmounted_while_a_pod_has_it) {
  node.run_well({mount});
  node.fake.put_directory(path("sub"));
  node.fake.put_directory(node.volume);
  node.fake.bind_foreign(path("sub"), node.volume);
  const Error error = node.run_badly({unmount_staged});
  EXPECT_EQ(error.reason, "StillMounted");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_THAT(error.message, HasSubstr(node.volume));
  EXPECT_THAT(mounted(), ElementsAre("ext4"));
  node.fake.unmount_foreign(node.volume);
  node.run_well({unmount_staged});
}

TEST_F(Staged, who_keeps_it_busy_is_named) {
  node.run_well({mount});
  node.fake.mark_open(path("file"));
  const Error error = node.run_badly({unmount_staged});
  EXPECT_EQ(error.reason, "Busy");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_THAT(error.message, HasSubstr("program"));
  EXPECT_THAT(mounted(), ElementsAre("ext4"));
}

TEST_F(Staged, what_is_not_of_a_device_is_not_unmounted) {
  node.fake.put_directory(path());
  node.fake.mount_foreign(path(), "tmpfs", "tmpfs");
  EXPECT_EQ(node.run_badly({unmount_staged}).reason, "ForeignMount");
  EXPECT_THAT(mounted(), ElementsAre("tmpfs"));
}

TEST_F(Staged, what_lies_under_the_mount_is_told) {
  node.fake.put_directory(path());
  node.fake.mount_foreign(path(), "tmpfs", "tmpfs");
  node.fake.mount_device(path(), disk_node);
  EXPECT_EQ(node.run_badly({unmount_staged}).reason, "MountedBelow");
  EXPECT_THAT(mounted(), ElementsAre("tmpfs"));
}

TEST_F(Staged, an_error_of_unmounting_is_a_hint) {
  node.run_well({mount});
  node.fail_call("unmount", EIO, false);
  EXPECT_TRUE(node.run_well({unmount_staged}).changed);
  node.heal();
  node.run_well({mount});
  node.fail_call("unmount", EIO, true);
  EXPECT_EQ(node.run_badly({unmount_staged}).errno_value, EIO);
}

TEST_F(Staged, a_device_that_vanished_can_still_be_unmounted) {
  node.run_well({mount});
  node.disks().remove_device(disk_node);
  node.run_well({unmount_staged});
  EXPECT_THAT(mounted(), IsEmpty());
}

struct Grow : testing::Test {
  Grow() { node.run_well({AttachDevice{image, 64 * mebibyte, false}, format_of(image), mount_of(image)}); }
  DeviceNode node;
  const GrowFileSystem grow{image, staged_path, "ext4", 128 * mebibyte};

  std::uint64_t capacity() { return node.fake.ports().mounts.usage(staged_path).value().capacity_bytes; }
};

TEST_F(Grow, an_image_and_its_file_system_grow_together) {
  EXPECT_TRUE(node.run_well({grow}).changed);
  EXPECT_EQ(node.disks().size_bytes(image_path), 128 * mebibyte);
  EXPECT_EQ(capacity(), 128 * mebibyte);
  EXPECT_FALSE(node.run_well({grow}).changed);
}

TEST_F(Grow, nothing_is_ever_made_smaller) {
  GrowFileSystem smaller = grow;
  smaller.image_size_bytes = 32 * mebibyte;
  EXPECT_FALSE(node.run_well({smaller}).changed);
  EXPECT_EQ(node.disks().size_bytes(image_path), 64 * mebibyte);
  smaller.image_size_bytes.reset();
  EXPECT_FALSE(node.run_well({smaller}).changed);
}

TEST_F(Grow, a_disk_that_became_larger_gets_a_larger_file_system) {
  node.run_well({unmount_image});
  FormatDevice format = format_of(disk);
  format.stamp = layout::format_stamp(block, layout::VolumeElement("disk"));
  node.run_well({format, mount_of(disk)});
  EXPECT_EQ(capacity(), 64 * mebibyte);
  node.disks().resize_device(disk_node, 256 * mebibyte);
  EXPECT_TRUE(node.run_well({GrowFileSystem{disk, staged_path, "ext4", std::nullopt}}).changed);
  EXPECT_EQ(capacity(), 256 * mebibyte);
}

TEST_F(Grow, only_what_is_mounted_there_grows) {
  GrowFileSystem other = grow;
  other.device = disk;
  EXPECT_EQ(node.run_badly({other}).reason, "ForeignMount");
  other = grow;
  other.type = "xfs";
  EXPECT_EQ(node.run_badly({other}).reason, "ForeignMount");
  node.run_well({unmount_image});
  const Error error = node.run_badly({grow});
  EXPECT_EQ(error.reason, "NotMounted");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_EQ(node.disks().size_bytes(image_path), 64 * mebibyte) << "nothing is written on the image alone";
}

TEST_F(Grow, a_raw_device_grows_by_its_image_alone) {
  const GrowFileSystem raw{image, {}, {}, 128 * mebibyte};
  EXPECT_TRUE(node.run_well({raw}).changed);
  EXPECT_EQ(node.disks().size_bytes(image_path), 128 * mebibyte);
  EXPECT_EQ(capacity(), 64 * mebibyte);
  EXPECT_FALSE(node.run_well({raw}).changed);
  EXPECT_FALSE(node.run_well({GrowFileSystem{disk, {}, {}, std::nullopt}}).changed);
}

TEST_F(Grow, what_failed_half_way_is_done_by_the_next_try) {
  node.fail_call("grow_file_system", EIO, true);
  EXPECT_EQ(node.run_badly({grow}).reason, "GrowFailed");
  node.heal();
  EXPECT_TRUE(node.run_well({grow}).changed);
  EXPECT_EQ(capacity(), 128 * mebibyte);
}

TEST_F(Grow, a_type_that_cannot_grow_is_refused) {
  node.run_well({unmount_image});
  node.disks().put_file_system(image_path, "vfat", "v-1");
  MountDevice mount = mount_of(image);
  mount.type = "vfat";
  node.run_well({mount});
  GrowFileSystem vfat = grow;
  vfat.type = "vfat";
  EXPECT_EQ(node.run_badly({vfat}).reason, "CannotGrow");
}

}  // namespace
}  // namespace mooring
