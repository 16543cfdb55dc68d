// What is on a device that nobody proved blank: it is refused with its reason, and not one byte of it is
// changed.

#include "block_node.h"

namespace mooring::integration {
namespace {

class FormatGuard : public BlockNode {
 protected:
  /// A volume on the image, which may be formatted if it is blank, is refused, and the image stays as it is.
  void expect_refused(const std::string& reason, const std::string& part_of_message,
                      const std::string& type = "ext4") {
    expect_refused_as(sized(), type, reason, part_of_message);
  }
  /// What mooringctl says that a person can do.
  std::string action(const std::string& pod) const {
    return node_.ctl().json({"explain", "pod/" + pod}).at("volumes").at(0).value("action", "");
  }
  void expect_refused_as(const std::string& attributes, const std::string& type, const std::string& reason,
                         const std::string& part_of_message) {
    const std::string before = digest_of(image());
    write_block(attributes, type);
    write_pod("web");
    EXPECT_TRUE(node_.gets_reason("web", "v", reason)) << what_is_there();
    const std::string message = node_.ctl().message("web", "v");
    EXPECT_NE(message.find(part_of_message), std::string::npos) << message;
    EXPECT_NE(action("web"), "");
    EXPECT_TRUE(mounts_at(staged()).empty());
    expect_gone("web");
    expect_all_gone();
    EXPECT_EQ(digest_of(image()), before);
    EXPECT_EQ(stamp(), "(none)");
  }
};

TEST_F(FormatGuard, LuksIsRefused) {
  std::string header(4096, '\0');
  header.replace(0, 6, "LUKS\xba\xbe");
  header[7] = '\2';
  header.replace(168, 36, "01234567-89ab-cdef-0123-456789abcdef");
  Disks::put(disks_.make("data", 64 * mebibyte), 0, header);
  expect_refused("DeviceNotBlank", "crypto_LUKS");
}

TEST_F(FormatGuard, SwapIsRefused) {
  disks_.make("data", 64 * mebibyte);
  ASSERT_EQ(run({"mkswap", image()}).status, 0);
  expect_refused("DeviceNotBlank", "swap");
}

TEST_F(FormatGuard, APartitionTableIsRefused) {
  std::string sector(512, '\0');
  // One Linux partition from sector 2048 on, 64 Ki sectors long.
  sector.replace(446, 16,
                 std::string("\x00\x00\x02\x00\x83\x00\x02\x00\x00\x08\x00\x00\x00\x00\x01\x00", 16));
  sector.replace(510, 2, "\x55\xaa");
  Disks::put(disks_.make("data", 64 * mebibyte), 0, sector);
  expect_refused("DeviceHasPartitions", "dos");
}

TEST_F(FormatGuard, AnotherFileSystemIsRefused) {
  disks_.make_formatted("data", "ext4", 64 * mebibyte);
  expect_refused("FilesystemMismatch", "it already contains ext4", "xfs");
}

TEST_F(FormatGuard, TwoFileSystemsAtOnceAreRefused) {
  if (!has_program("mkfs.xfs")) GTEST_SKIP() << "no xfsprogs";
  disks_.make_formatted("data", "xfs", 300 * mebibyte);
  disks_.make_formatted("other", "ext4", 300 * mebibyte);
  // The superblock of an ext4 lies behind that of an xfs.
  Disks::put(image(), 1024, read_file(image("other")).substr(1024, 1024));
  expect_refused("DeviceAmbivalent", "more than one format");
}

TEST_F(FormatGuard, UnknownDataIsRefusedWhereverItIs) {
  Disks::put(disks_.make("data", 64 * mebibyte), 37 * mebibyte + 5, "somebody's");
  expect_refused("DeviceNotBlank", "unknown data at byte " + std::to_string(37 * mebibyte + 5));
}

TEST_F(FormatGuard, AFileSystemWithoutItsHeadIsNotBlank) {
  disks_.make_formatted("data", "ext4", 64 * mebibyte);
  Disks::put(image(), 0, std::string(mebibyte, '\0'));
  expect_refused("DeviceNotBlank", "unknown data");
}

TEST_F(FormatGuard, ABlankImageIsNotFormattedUnlessItsVolumeSaysSo) {
  disks_.make("data", 64 * mebibyte);
  expect_refused_as("image: " + image(), "ext4", "FormatForbidden", "has no file system");
  write_block("image: " + image() + ", format: IfBlank");
  make_ready("next");  // Its owner said so now.
}

TEST_F(FormatGuard, AnImageThatNobodyMadeIsNamed) {
  write_block("image: " + image());
  write_pod("web");
  EXPECT_TRUE(node_.gets_reason("web", "v", "ImageMissing"));
  EXPECT_NE(node_.ctl().message("web", "v").find(image()), std::string::npos);
  EXPECT_FALSE(is_there(image()));
}

TEST_F(FormatGuard, AVolumeThatWasFormattedOnceIsNeverFormattedAgain) {
  write_block(sized());
  make_ready("web");
  expect_gone("web");
  expect_all_gone();
  const std::string stamped = stamp();
  ASSERT_NE(stamped.find("\"complete\":true"), std::string::npos) << stamped;
  disks_.make("data", 64 * mebibyte);  // Somebody's mistake: the image is new, and blank.
  const std::string before = digest_of(image());
  write_pod("next");
  EXPECT_TRUE(node_.gets_reason("next", "v", "FormattedBefore"));
  EXPECT_NE(action("next").find("formatted/data"), std::string::npos) << action("next");
  expect_gone("next");
  expect_all_gone();
  EXPECT_EQ(digest_of(image()), before);
  EXPECT_EQ(stamp(), stamped);
}

TEST_F(FormatGuard, AFileSystemThatIsThereIsUsedAndStampedWhoeverMadeIt) {
  disks_.make_formatted("data", "ext4", 64 * mebibyte);
  const std::string seed = hash_seed_of(image());
  write_block(sized());
  make_ready("web");
  EXPECT_NE(stamp().find("\"complete\":true"), std::string::npos) << stamp();
  expect_gone("web");
  expect_all_gone();
  EXPECT_EQ(hash_seed_of(image()), seed);
}

TEST_F(FormatGuard, ABlankVolumeThatIsReadOnlyIsNotFormatted) {
  disks_.make("data", 64 * mebibyte);
  const std::string before = digest_of(image());
  write_storage("data", block_source("data", sized(), "ext4", true));
  write_pod("web");
  EXPECT_TRUE(node_.gets_reason("web", "v", "UnformattedReadOnly"));
  expect_gone("web");
  expect_all_gone();
  EXPECT_EQ(digest_of(image()), before);
}

}  // namespace
}  // namespace mooring::integration
