// Formatting on a node: what the guard permits is done once, and what it forbids is left as it is.

#include "device_fixture.h"

namespace mooring {
namespace {

using testing::HasSubstr;

struct Format : testing::Test {
  std::uint32_t formats(const std::string& path = disk_node) { return node.disks().formats(path); }
  /// It is refused, and the device is as it was.
  Error refused(const FormatDevice& step, const std::string& reason) {
    const auto before = node.disks().content(disk_node);
    const auto formats_before = formats();
    Error error = node.run_badly({step});
    EXPECT_EQ(error.reason, reason) << error.text();
    EXPECT_EQ(node.disks().content(disk_node), before);
    EXPECT_EQ(formats(), formats_before);
    return error;
  }
  void swap_with_data() {
    node.disks().put_device("/dev/sdc", 64 * mebibyte, "naa.6");
    node.put_data("/dev/sdc");
  }

  DeviceNode node;
  const FormatDevice format = format_of(disk);
};

TEST_F(Format, kb_9_4_a_blank_device_is_formatted_once_and_that_is_remembered) {
  EXPECT_TRUE(node.run_well({format}).changed);
  EXPECT_EQ(formats(), 1u);
  const auto stamp = node.stamp();
  ASSERT_TRUE(stamp);
  EXPECT_TRUE(stamp->is_complete);
  EXPECT_EQ(stamp->type, "ext4");
  EXPECT_EQ(stamp->uuid, node.disks().content(disk_node)->signature->uuid);
  EXPECT_EQ(stamp->device, disk_node);
  EXPECT_EQ(stamp->size_bytes, 64 * mebibyte);
  EXPECT_EQ(stamp->wwid, "naa.5");
  EXPECT_FALSE(node.run_well({format}).changed);
  EXPECT_EQ(formats(), 1u);
}

TEST_F(Format, two_volumes_get_two_uuids) {
  node.disks().put_device("/dev/sdc", 64 * mebibyte);
  node.run_well({format});
  FormatDevice other = format_of({DeviceName::Kind::Path, "/dev/sdc"});
  other.stamp = layout::format_stamp(block, layout::VolumeElement("other"));
  node.run_well({other});
  EXPECT_NE(node.disks().content(disk_node)->signature->uuid,
            node.disks().content("/dev/sdc")->signature->uuid);
}

TEST_F(Format, kb_9_4_a_file_system_with_data_is_used_and_never_formatted) {
  node.put_data(disk_node);
  node.run_well({format});
  EXPECT_EQ(formats(), 0u);
  EXPECT_TRUE(node.has_data(disk_node));
}

TEST_F(Format, a_volume_that_was_seen_with_a_file_system_is_never_formatted_later) {
  node.put_data(disk_node);
  EXPECT_TRUE(node.run_well({format}).changed);
  EXPECT_EQ(node.stamp()->uuid, "d-1");
  EXPECT_FALSE(node.run_well({format}).changed);
  node.disks().put_blank(disk_node);
  EXPECT_THAT(refused(format, "FormattedBefore").message, HasSubstr("d-1"));
}

TEST_F(Format, what_may_never_be_formatted_is_not_remembered) {
  node.put_data(disk_node);
  EXPECT_FALSE(node.run_well({format_of(disk, FormatPolicy::Never)}).changed);
  FormatDevice read_only = format;
  read_only.read_only = true;
  EXPECT_FALSE(node.run_well({read_only}).changed);
  EXPECT_FALSE(node.stamp());
}

TEST_F(Format, a_device_that_is_mounted_there_is_not_even_looked_at) {
  node.put_data(disk_node);
  node.run_well({mount_of(disk)});
  node.disks().set_answer(disk_node, {});
  EXPECT_FALSE(node.run_well({format}).changed);
  EXPECT_EQ(formats(), 0u);
}

TEST_F(Format, what_the_guard_refuses_is_left_as_it_is) {
  DeviceContent content;
  content.data_offset = 4096;
  node.disks().put_content(disk_node, content);
  refused(format, "DeviceNotBlank");
  content.partition_table = "gpt";
  node.disks().put_content(disk_node, content);
  refused(format, "DeviceHasPartitions");
  node.disks().put_file_system(disk_node, "xfs", "x-1");
  refused(format, "FilesystemMismatch");
  content = {};
  content.read_errno = EIO;
  node.disks().put_content(disk_node, content);
  refused(format, "DeviceUnreadable");
  node.disks().put_blank(disk_node);
  refused(format_of(disk, FormatPolicy::Never), "FormatForbidden");
  EXPECT_FALSE(node.stamp());
}

TEST_F(Format, a_blank_device_that_somebody_holds_is_not_formatted) {
  node.disks().hold(disk_node, {99, "postgres", "", "", "has it open"});
  EXPECT_THAT(refused(format, "DeviceBusy").message, HasSubstr("postgres"));
  EXPECT_FALSE(node.stamp());
}

TEST_F(Format, a_device_that_is_locked_is_not_formatted) {
  const auto found = node.fake.ports().devices.find(disk);
  const auto lock = node.fake.ports().devices.lock(found.value());
  refused(format, "DeviceLocked");
}

TEST_F(Format, what_takes_the_name_of_the_device_meanwhile_is_not_formatted) {
  swap_with_data();
  for (const char* call : {"probe", "is_free", "replace"}) {
    node.at_call(call, false, [&] { node.disks().swap_devices(disk_node, "/dev/sdc"); });
    EXPECT_EQ(node.run_badly({format}).reason, "DeviceChanged") << call;
    node.heal();
    EXPECT_TRUE(node.has_data(disk_node));
    EXPECT_EQ(formats("/dev/sdc"), 0u);
    EXPECT_FALSE(node.stamp()) << "nothing has begun";
    node.disks().swap_devices(disk_node, "/dev/sdc");
  }
}

TEST_F(Format, what_the_name_does_not_mean_any_more_is_not_formatted) {
  node.put_by_id(disk_node);
  node.disks().put_device("/dev/sdc", 64 * mebibyte, "naa.6");
  node.at_call("replace", false, [&] { node.put_by_id("/dev/sdc"); });
  EXPECT_EQ(node.run_badly({format_of(by_id)}).reason, "DeviceChanged");
  EXPECT_EQ(formats(), 0u);
  EXPECT_EQ(formats("/dev/sdc"), 0u);
}

TEST_F(Format, what_was_begun_gets_the_uuid_that_was_written_down) {
  const std::string uuid = "11111111-2222-3333-4444-555555555555";
  node.put_stamp({false, "xfs", uuid, disk_node, 64 * mebibyte, "naa.5"});
  node.run_well({format});
  EXPECT_EQ(node.disks().content(disk_node)->signature->uuid, uuid);
  EXPECT_EQ(node.stamp()->type, "ext4");
}

TEST_F(Format, what_is_half_made_stays_known_as_such_whatever_fails) {
  node.fail_call("format.half", EIO, true);
  node.run_badly({format});
  node.heal();
  node.disks().set_tools({});
  EXPECT_EQ(node.run_badly({format}).reason, "FormatToolMissing");
  node.disks().hold(disk_node, {99, "dd", "", "", "has it open"});
  EXPECT_EQ(node.run_badly({format}).reason, "DeviceBusy");
  node.disks().release(disk_node);
  node.disks().set_tools({"ext4"});
  node.run_well({format});
  EXPECT_EQ(formats(), 1u);
}

TEST_F(Format, what_somebody_writes_meanwhile_is_not_formatted_over_now_or_later) {
  DeviceContent raw;
  raw.data_offset = 1 << 20U;
  // Also if an earlier try was cut off before it began.
  for (const bool is_second_try : {false, true}) {
    node.disks().put_blank(disk_node);
    if (is_second_try) node.put_stamp({false, "ext4", "0001", disk_node, 64 * mebibyte, "naa.5"});
    // The last call before the second look; the stamp of an earlier try is not written again.
    node.at_call(is_second_try ? "is_free" : "replace", false,
                 [&] { node.disks().put_content(disk_node, raw); });
    EXPECT_EQ(node.run_badly({format}).reason, "DeviceChanged");
    node.heal();
    refused(format, "DeviceNotBlank");
    EXPECT_EQ(node.disks().content(disk_node)->data_offset, raw.data_offset);
  }
}

TEST_F(Format, an_error_of_mkfs_is_a_hint) {
  node.fail_call("format", EIO, false);
  EXPECT_TRUE(node.run_well({format}).changed);
  EXPECT_TRUE(node.stamp()->is_complete);
  EXPECT_EQ(formats(), 1u);
}

TEST_F(Format, a_mkfs_that_did_nothing_leaves_no_trace) {
  node.disks().set_tools({"xfs"});
  refused(format, "FormatToolMissing");
  EXPECT_FALSE(node.stamp());
  node.disks().set_tools({"ext4"});
  node.fail_call("format", EIO, true);
  refused(format, "FormatFailed");
  EXPECT_FALSE(node.stamp());
  node.heal();
  node.run_well({format});
  EXPECT_EQ(formats(), 1u);
}

TEST_F(Format, what_mkfs_left_half_made_is_formatted_again) {
  node.fail_call("format.half", EIO, true);
  EXPECT_EQ(node.run_badly({format}).reason, "FormatFailed");
  EXPECT_FALSE(node.stamp()->is_complete);
  const std::string uuid = node.stamp()->uuid;
  node.heal();
  node.run_well({format});
  EXPECT_EQ(formats(), 1u);
  EXPECT_EQ(node.stamp()->uuid, uuid);
}

TEST_F(Format, what_is_half_made_on_another_device_is_not_touched) {
  node.fail_call("format.half", EIO, true);
  node.run_badly({format});
  node.heal();
  node.disks().put_device("/dev/sdc", 64 * mebibyte, "naa.6");
  DeviceContent raw;
  raw.data_offset = 0;
  node.disks().put_content("/dev/sdc", raw);
  node.disks().swap_devices(disk_node, "/dev/sdc");
  refused(format, "DeviceNotBlank");
}

TEST_F(Format, a_stamp_that_was_not_completed_is_completed) {
  node.put_data(disk_node);
  node.put_stamp({false, "ext4", "0001", "/dev/other", 1, ""});
  EXPECT_TRUE(node.run_well({format_of(disk, FormatPolicy::Never)}).changed);
  EXPECT_TRUE(node.stamp()->is_complete);
  EXPECT_EQ(node.stamp()->uuid, "d-1");
  EXPECT_TRUE(node.has_data(disk_node));
}

TEST_F(Format, a_past_that_cannot_be_read_forbids_to_format_but_not_to_use) {
  for (const std::string& bytes : {std::string(), std::string("{"), std::string(5000, ' ')}) {
    node.disks().put_blank(disk_node);
    node.fake.remove_all(node.root(stamp_path));
    node.fake.put_file(node.root(stamp_path), bytes);
    const Error error = refused(format, "BadFormatStamp");
    EXPECT_EQ(error.kind, ErrorKind::Final);
    EXPECT_EQ(error.path, stamp_path);
    node.put_data(disk_node);
    EXPECT_FALSE(node.run_well({format_of(disk, FormatPolicy::Never)}).changed);
    EXPECT_TRUE(node.run_well({format}).changed);
    EXPECT_TRUE(node.has_data(disk_node));
    EXPECT_EQ(node.stamp()->uuid, "d-1");
  }
  node.fail_call("read_file", EIO, true);
  EXPECT_EQ(refused(format, "InputOutputError").kind, ErrorKind::Transient);
}

TEST_F(Format, without_a_stamp_nothing_is_formatted) {
  for (const char* call : {"make_directory", "write_file", "replace"}) {
    node.fail_call(call, ENOSPC, true);
    refused(format, "NoSpace");
  }
}

TEST_F(Format, an_image_is_formatted_and_keeps_its_data_over_all_that_comes) {
  const std::vector<Step> stage{AttachDevice{image, 64 * mebibyte, false}, format_of(image),
                                CheckFileSystem{image, staged_path, "ext4"}, mount_of(image)};
  node.run_well(stage);
  node.fake.put_file(node.root(staged_path) + "/file", "data");
  node.fake.reboot();
  node.run_well(stage);
  EXPECT_EQ(node.fake.read(node.root(staged_path) + "/file"), "data");
  node.run_well({unmount_image, DetachDevice{image}});
  node.run_well(stage);
  EXPECT_EQ(node.fake.read(node.root(staged_path) + "/file"), "data");
  EXPECT_EQ(node.disks().formats(image_path), 1u);
}

TEST_F(Format, an_image_that_was_lost_is_not_replaced_by_an_empty_one) {
  const std::vector<Step> stage{AttachDevice{image, 64 * mebibyte, false}, format_of(image), mount_of(image)};
  node.run_well(stage);
  node.run_well({unmount_image, DetachDevice{image}});
  node.fake.remove_all(image_path);
  EXPECT_EQ(node.run_badly(stage).reason, "FormattedBefore");
}

}  // namespace
}  // namespace mooring
