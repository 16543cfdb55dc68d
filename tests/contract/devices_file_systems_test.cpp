// File systems on devices: made, found, checked, grown.

#include "devices_fixture.h"

namespace mooring::kernel::contract {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using Kind = DeviceName::Kind;

const std::string first_uuid = test_uuid(3);
const std::string second_uuid = test_uuid(4);

class DeviceFileSystemsContract : public DevicesContract {
 protected:
  static std::uint64_t smallest(const std::string& type) {
    return (type == "xfs" ? 300 : type == "btrfs" ? 128 : 32) * mebibyte;
  }
  bool formatted(const DeviceFacts& device, const std::string& type, const std::string& uuid = first_uuid) {
    const auto result = devices().format(device, {type, uuid});
    EXPECT_TRUE(succeeds(result));
    return static_cast<bool>(result);
  }
};

TEST_P(DeviceFileSystemsContract, ANewImageIsBlankAndWasLookedAtWhole) {
  const DeviceFacts device = attached();
  DeviceContent blank;
  blank.looked_at_bytes = device.size_bytes;
  EXPECT_EQ(probe(device), blank);
}

TEST_P(DeviceFileSystemsContract, AnyByteOfAnImageIsData) {
  const std::uint64_t size_bytes = 4096 * mebibyte;
  const std::uint64_t offset = size_bytes / 2 + 5 * mebibyte + 12345;
  ASSERT_TRUE(succeeds(devices().make_image(image(), size_bytes)));
  node().put_data(image(), offset);
  const DeviceContent content = probe(attach());
  EXPECT_FALSE(content.signature);
  EXPECT_EQ(content.data_offset, offset);
}

TEST_P(DeviceFileSystemsContract, AFileSystemIsMadeAndFound) {
  for (const std::string type : {"ext2", "ext3", "ext4", "xfs", "btrfs"}) {
    SCOPED_TRACE(type);
    if (!node().has_tools(type)) continue;
    const DeviceFacts device = attached(type, smallest(type));
    ASSERT_TRUE(formatted(device, type));
    const DeviceContent content = probe(device);
    ASSERT_TRUE(content.signature);
    EXPECT_EQ(content.signature->type, type);
    EXPECT_EQ(content.signature->usage, Signature::Usage::FileSystem);
    EXPECT_EQ(content.signature->uuid, first_uuid);
    EXPECT_FALSE(content.signature->has_bad_checksum);
    EXPECT_TRUE(content.data_offset);
    EXPECT_FALSE(content.is_ambivalent);
    EXPECT_EQ(content.partition_table, "");
    EXPECT_EQ(content.read_errno, 0);
    EXPECT_EQ(find(Kind::Uuid, first_uuid).value(), device);
    EXPECT_EQ(find(Kind::Uuid, "5A1B7C3E" + first_uuid.substr(8)).value(), device);
    EXPECT_TRUE(devices().detach_image(image(type)).value());
  }
}

TEST_P(DeviceFileSystemsContract, AMountedDeviceIsNobodyElses) {
  const DeviceFacts device = attached("image", 32 * mebibyte);
  ASSERT_TRUE(formatted(device, "ext4"));
  const std::string path = mount(device, "ext4");
  EXPECT_FALSE(is_free(device));
  EXPECT_TRUE(fails(devices().format(device, {"ext4", second_uuid}), "DeviceBusy", EBUSY));
  EXPECT_TRUE(fails(devices().check(device, "ext4"), "DeviceBusy", EBUSY));
  EXPECT_TRUE(fails(devices().detach_image(image()), "DeviceBusy", EBUSY));
  EXPECT_THAT(holders(device), Contains("a mount has it at " + path));
  node().put_file(path + "/file", "kept");
  node().unmount_foreign(path);
  EXPECT_TRUE(is_free(device));
  EXPECT_EQ(probe(device).signature->uuid, first_uuid);
  ASSERT_TRUE(devices().detach_image(image()).value());
  mount(attach(), "ext4");
  EXPECT_EQ(node().read(path + "/file"), "kept");
  node().unmount_foreign(path);
}

TEST_P(DeviceFileSystemsContract, FormattingAgainMakesAnEmptyFileSystem) {
  const DeviceFacts device = attached("image", 32 * mebibyte);
  const auto lock = devices().lock(device);  // As whoever formats holds it.
  ASSERT_TRUE(formatted(device, "ext4"));
  const std::string path = mount(device, "ext4");
  node().put_file(path + "/file", "lost");
  node().unmount_foreign(path);
  ASSERT_TRUE(formatted(device, "ext4", second_uuid));
  mount(device, "ext4");
  EXPECT_FALSE(node().exists(path + "/file"));
  node().unmount_foreign(path);
  EXPECT_TRUE(fails(find(Kind::Uuid, first_uuid), "DeviceMissing", 0));
}

TEST_P(DeviceFileSystemsContract, EveryTypeIsMadeOverAnyOther) {
  if (!node().has_tools("xfs") || !node().has_tools("btrfs")) GTEST_SKIP() << "no xfsprogs or btrfs-progs";
  const DeviceFacts device = attached("image", 320 * mebibyte);
  for (const std::string type : {"xfs", "btrfs", "ext4", "btrfs", "xfs", "ext4", "xfs"}) {
    const auto lock = devices().lock(device);
    ASSERT_TRUE(formatted(device, type)) << type;
    EXPECT_EQ(probe(device).signature->type, type);
  }
}

TEST_P(DeviceFileSystemsContract, ACloneMakesAUuidAmbiguous) {
  const DeviceFacts device = attached("image", 32 * mebibyte);
  ASSERT_TRUE(formatted(device, "ext4"));
  node().copy_image(image(), image("clone"));
  EXPECT_EQ(find(Kind::Uuid, first_uuid).value(), device);
  const DeviceFacts clone = attach("clone");
  const auto found = find(Kind::Uuid, first_uuid);
  EXPECT_TRUE(fails(found, "DeviceAmbiguous", 0));
  EXPECT_THAT(found.error().message, HasSubstr(device.node));
  EXPECT_THAT(found.error().message, HasSubstr(clone.node));
}

TEST_P(DeviceFileSystemsContract, AReadOnlyDeviceIsNotWrittenTo) {
  const DeviceFacts device = attached("image", 32 * mebibyte, true);
  EXPECT_TRUE(device.is_read_only);
  EXPECT_TRUE(fails(devices().format(device, {"ext4", first_uuid}), "DeviceReadOnly", EROFS));
  EXPECT_TRUE(fails(devices().check(device, "ext4"), "DeviceReadOnly", EROFS));
  EXPECT_FALSE(probe(device).data_offset);
  EXPECT_TRUE(is_free(device));
}

TEST_P(DeviceFileSystemsContract, WhatCannotBeMadeIsNotMade) {
  const DeviceFacts device = attached("image", 8192);
  EXPECT_TRUE(fails(devices().format(device, {"ntfs", first_uuid}), "CannotFormat", 0, ErrorKind::Final));
  const auto too_small = devices().format(device, {"ext4", first_uuid});
  EXPECT_TRUE(fails(too_small, "FormatFailed", 0, ErrorKind::Uncertain));
  EXPECT_THAT(too_small.error().message, HasSubstr(device.node));
}

TEST_P(DeviceFileSystemsContract, AGoodFileSystemIsClean) {
  const DeviceFacts device = attached("image", 32 * mebibyte);
  ASSERT_TRUE(formatted(device, "ext4"));
  EXPECT_EQ(devices().check(device, "ext4").value().result, CheckResult::Clean);
  EXPECT_EQ(devices().check(device, "xfs").value().result, CheckResult::Clean);
  EXPECT_EQ(devices().check(device, "ntfs").value().result, CheckResult::NoTool);
}

TEST_P(DeviceFileSystemsContract, AMountedFileSystemGrowsToItsDeviceOnce) {
  for (const std::string type : {"ext4", "xfs", "btrfs"}) {
    SCOPED_TRACE(type);
    if (!node().has_tools(type)) continue;
    const DeviceFacts small = attached(type, smallest(type));
    ASSERT_TRUE(formatted(small, type));
    const std::string path = mount(small, type);
    EXPECT_FALSE(devices().grow_file_system(small, type, path).value());
    ASSERT_TRUE(devices().grow_image(image(type), 2 * smallest(type)).value());
    EXPECT_TRUE(fails(devices().grow_file_system(small, type, path), "DeviceChanged", 0));
    const DeviceFacts large = again(small);
    const auto grown = devices().grow_file_system(large, type, path);
    if (node().can_grow_online(type)) {
      ASSERT_TRUE(succeeds(grown));
      EXPECT_TRUE(grown.value());
      EXPECT_FALSE(devices().grow_file_system(large, type, path).value());
    } else {
      EXPECT_TRUE(fails(grown, "GrowFailed", 0, ErrorKind::Uncertain));
    }
    node().unmount_foreign(path);
    EXPECT_TRUE(fails(devices().grow_file_system(large, type, path), "NotMounted", 0));
    EXPECT_TRUE(devices().detach_image(image(type)).value());
  }
}

TEST_P(DeviceFileSystemsContract, WhatIsMountedElsewhereDoesNotGrow) {
  const DeviceFacts device = attached("image", 32 * mebibyte);
  EXPECT_TRUE(fails(devices().grow_file_system(device, "vfat", "/"), "CannotGrow", 0, ErrorKind::Final));
  EXPECT_TRUE(fails(devices().grow_file_system(device, "ext4", "/"), "NotMounted", 0));
  EXPECT_TRUE(fails(devices().grow_file_system(device, "btrfs", node().base()), "NotMounted", 0));
  EXPECT_TRUE(fails(devices().grow_file_system(device, "xfs", node().host("absent")), "NotMounted", 0));
}

INSTANTIATE_TEST_SUITE_P(Ports, DeviceFileSystemsContract, ::testing::Values(NodeKind::Fake, NodeKind::Linux),
                         name_of);

}  // namespace
}  // namespace mooring::kernel::contract
