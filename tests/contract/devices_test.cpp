// Images, their loop devices, and what a name means.

#include "devices_fixture.h"

namespace mooring::kernel::contract {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using Kind = DeviceName::Kind;

TEST_P(DevicesContract, AnImageIsMadeOnceWithItsWholeSize) {
  const auto made = devices().make_image(image(), 16 * mebibyte);
  ASSERT_TRUE(succeeds(made));
  EXPECT_TRUE(made.value());
  const auto status = files().host_status({image(), std::nullopt});
  ASSERT_TRUE(succeeds(status));
  EXPECT_EQ(status.value()->size_bytes, 16 * mebibyte);
  EXPECT_EQ(status.value()->mode, 0600U);
  const auto again = devices().make_image(image(), 32 * mebibyte);
  ASSERT_TRUE(succeeds(again));
  EXPECT_FALSE(again.value());
  EXPECT_EQ(files().host_status({image(), std::nullopt}).value()->size_bytes, 16 * mebibyte);
}

TEST_P(DevicesContract, AnImageNeedsADirectoryAndMayBeReachedByALink) {
  EXPECT_TRUE(fails(devices().make_image(node().host("absent/image"), mebibyte), "NotFound", ENOENT));
  node().put_directory(node().host("real"));
  node().put_symlink(node().host("link"), "real");
  ASSERT_TRUE(succeeds(devices().make_image(node().host("link/image"), mebibyte)));
  EXPECT_TRUE(node().exists(node().host("real/image")));
  node().put_symlink(node().host("dangling"), "nothing");
  EXPECT_FALSE(devices().make_image(node().host("dangling"), mebibyte).value());
  EXPECT_FALSE(node().exists(node().host("nothing")));
}

TEST_P(DevicesContract, AnAttachedImageIsADevice) {
  const DeviceFacts device = attached();
  EXPECT_THAT(device.node, ::testing::StartsWith("/dev/loop"));
  EXPECT_EQ(device.device_major, 7U);
  EXPECT_EQ(device.size_bytes, 16 * mebibyte);
  EXPECT_FALSE(device.is_read_only);
  EXPECT_EQ(find(Kind::Image, image()).value(), device);
  EXPECT_EQ(find(Kind::Path, device.node).value(), device);
  EXPECT_TRUE(is_free(device));
  EXPECT_THAT(holders(device), Each(HasSubstr(" open")));  // By programs that look at every device.
}

TEST_P(DevicesContract, AnImageIsAttachedOnce) {
  const DeviceFacts device = attached();
  EXPECT_EQ(attach(), device);
  node().put_symlink(node().host("other"), image());
  EXPECT_EQ(attach("other"), device);
  EXPECT_TRUE(fails(devices().attach_image(image(), true), "AttachedOtherwise", 0));
  EXPECT_TRUE(devices().detach_image(node().host("other")).value());
  EXPECT_FALSE(devices().detach_image(image()).value());
}

TEST_P(DevicesContract, WhatIsNoImageIsNotAttached) {
  EXPECT_TRUE(fails(devices().attach_image(image(), false), "ImageMissing", ENOENT));
  node().put_directory(image());
  EXPECT_TRUE(fails(devices().attach_image(image(), false), "NotAnImage", 0, ErrorKind::Final));
  node().put_fifo(node().host("fifo"));
  EXPECT_TRUE(fails(devices().attach_image(node().host("fifo"), false), "NotAnImage", 0, ErrorKind::Final));
}

TEST_P(DevicesContract, AnImageOnAReadOnlyFileSystemIsAttachedReadOnlyOnly) {
  ASSERT_TRUE(succeeds(devices().make_image(image(), mebibyte)));
  node().set_read_only(true);
  EXPECT_TRUE(fails(devices().attach_image(image(), false), "ReadOnlyFileSystem", EROFS));
  EXPECT_TRUE(attach("image", true).is_read_only);
  node().set_read_only(false);
}

TEST_P(DevicesContract, ADetachedImageIsNoDevice) {
  const DeviceFacts device = attached();
  EXPECT_TRUE(devices().detach_image(image()).value());
  EXPECT_FALSE(devices().detach_image(image()).value());
  EXPECT_TRUE(fails(find(Kind::Image, image()), "DeviceMissing", 0));
  expect_gone(device);
  EXPECT_FALSE(devices().detach_image(node().host("absent")).value());
  EXPECT_TRUE(fails(find(Kind::Image, node().host("absent")), "DeviceMissing", 0));
}

TEST_P(DevicesContract, AnImageWhoseFileIsGoneIsDetachedAllTheSame) {
  const DeviceFacts device = attached();
  node().remove(image());
  EXPECT_TRUE(devices().detach_image(image()).value());
  expect_gone(device);
}

TEST_P(DevicesContract, AnotherFileInItsPlaceIsAnotherImage) {
  const DeviceFacts first = attached();
  node().remove(image());
  const DeviceFacts second = attached();
  EXPECT_NE(first.node, second.node);
  EXPECT_EQ(find(Kind::Image, image()).value(), second);
}

TEST_P(DevicesContract, AnOpenDeviceIsNotDetachedAndStaysWhenItIsClosed) {
  const DeviceFacts device = attached();
  node().open(device.node);
  EXPECT_TRUE(is_free(device));
  EXPECT_TRUE(fails(devices().detach_image(image()), "DeviceBusy", EBUSY));
  node().close();
  EXPECT_EQ(find(Kind::Image, image()).value(), device);
  EXPECT_TRUE(devices().detach_image(image()).value());
}

TEST_P(DevicesContract, ALoopDeviceOfSomebodyElseIsUsedAndStays) {
  ASSERT_TRUE(succeeds(devices().make_image(image(), mebibyte)));
  const std::string foreign = node().attach_foreign(image());
  EXPECT_EQ(attach().node, foreign);
  EXPECT_FALSE(devices().detach_image(image()).value());
  EXPECT_EQ(find(Kind::Image, image()).value().node, foreign);
  node().detach_foreign(foreign);
}

TEST_P(DevicesContract, TwoLoopDevicesOfOneImageAreOneTooMany) {
  const DeviceFacts own = attached();
  const std::string foreign = node().attach_foreign(image());
  EXPECT_TRUE(fails(devices().attach_image(image(), false), "AttachedOtherwise", 0));
  const auto found = find(Kind::Image, image());
  EXPECT_TRUE(fails(found, "DeviceAmbiguous", 0));
  EXPECT_THAT(found.error().message, HasSubstr(foreign));
  EXPECT_TRUE(devices().detach_image(image()).value());
  EXPECT_EQ(find(Kind::Image, image()).value().node, foreign);
  EXPECT_NE(own.node, foreign);
  node().detach_foreign(foreign);
}

TEST_P(DevicesContract, AnotherAttachmentIsAnotherDevice) {
  const DeviceFacts first = attached("first");
  ASSERT_TRUE(devices().detach_image(image("first")).value());
  const DeviceFacts second = attached("second");
  DeviceFacts old = first;
  old.node = second.node;  // Which it is, unless another program took that one.
  old.device_minor = second.device_minor;
  const auto probed = devices().probe(old);
  EXPECT_TRUE(fails(probed, "DeviceChanged", 0));
  EXPECT_TRUE(fails(devices().format(old, {"ext4", test_uuid(1)}), "DeviceChanged", 0));
  EXPECT_TRUE(fails(devices().lock(old), "DeviceChanged", 0));
  EXPECT_TRUE(fails(devices().is_free(old), "DeviceChanged", 0));
}

TEST_P(DevicesContract, AnImageGrowsAndNeverShrinks) {
  const DeviceFacts device = attached();
  EXPECT_TRUE(devices().grow_image(image(), 24 * mebibyte).value());
  EXPECT_EQ(again(device).size_bytes, 24 * mebibyte);
  EXPECT_FALSE(devices().grow_image(image(), 24 * mebibyte).value());
  EXPECT_FALSE(devices().grow_image(image(), 8 * mebibyte).value());
  EXPECT_EQ(again(device).size_bytes, 24 * mebibyte);
  EXPECT_TRUE(fails(devices().probe(device), "DeviceChanged", 0));
  EXPECT_TRUE(fails(devices().grow_image(node().host("absent"), mebibyte), "ImageMissing", ENOENT));
}

TEST_P(DevicesContract, ALockKeepsOthersAwayUntilItEnds) {
  const DeviceFacts device = attached();
  {
    const auto lock = devices().lock(device);
    ASSERT_TRUE(succeeds(lock));
    EXPECT_TRUE(fails(devices().lock(device), "DeviceLocked", EWOULDBLOCK));
    EXPECT_TRUE(succeeds(devices().probe(device)));
  }
  EXPECT_TRUE(succeeds(devices().lock(device)));
}

TEST_P(DevicesContract, ANameThatIsNoDeviceSaysSo) {
  EXPECT_TRUE(fails(find(Kind::Path, "/dev/mooring-absent"), "DeviceMissing", 0));
  EXPECT_TRUE(fails(find(Kind::Path, "/etc/passwd"), "NotADevice", 0, ErrorKind::Final));
  EXPECT_TRUE(fails(find(Kind::Path, "/dev/../etc"), "NotADevice", 0, ErrorKind::Final));
  EXPECT_TRUE(fails(find(Kind::Path, "/dev/null"), "NotABlockDevice", 0, ErrorKind::Final));
  EXPECT_TRUE(fails(find(Kind::Uuid, "00000000-dead-4000-8000-000000000000"), "DeviceMissing", 0));
  EXPECT_TRUE(fails(find(Kind::Label, "no such label"), "DeviceMissing", 0));
  EXPECT_TRUE(fails(find(Kind::Wwid, "naa.0000000000000000"), "DeviceMissing", 0));
  EXPECT_TRUE(fails(find(Kind::Wwid, ""), "DeviceMissing", 0));
  EXPECT_TRUE(fails(find(Kind::Label, ""), "DeviceMissing", 0));
}

TEST_P(DevicesContract, ALoopDeviceOnADeviceKeepsIt) {
  const DeviceFacts device = attached();
  node().put_file(node().root("node"), "");
  node().bind_foreign(device.node, node().root("node"));
  const auto kept = devices().attach_image(node().root("node"), false);
  ASSERT_TRUE(succeeds(kept));
  EXPECT_EQ(kept.value().size_bytes, device.size_bytes);
  EXPECT_EQ(find(Kind::Image, node().root("node")).value(), kept.value());
  EXPECT_TRUE(fails(devices().detach_image(image()), "DeviceBusy", EBUSY));
  EXPECT_THAT(holders(device), ::testing::Contains(kept.value().node + " is a loop device on it"));
  ASSERT_TRUE(succeeds(devices().format(device, {"ext4", test_uuid(2)})));
  EXPECT_EQ(find(Kind::Uuid, test_uuid(2)).value(), device);
  EXPECT_TRUE(devices().detach_image(node().root("node")).value());
  node().unmount_foreign(node().root("node"));
  EXPECT_TRUE(devices().detach_image(image()).value());
}

INSTANTIATE_TEST_SUITE_P(Ports, DevicesContract, ::testing::Values(NodeKind::Fake, NodeKind::Linux), name_of);

}  // namespace
}  // namespace mooring::kernel::contract
