// What a probe answers to the bytes of all that must never be formatted. The fake has no bytes.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <vector>

#include "devices_fixture.h"
#include "kernel/linux/descriptor.h"
#include "kernel/linux/helper.h"
#include "loops.h"

namespace mooring::kernel::contract {
namespace {

const std::string uuid = test_uuid(5);

/// CRC-32 with the polynomial of Ethernet: LVM2's labels and the headers of GPT have it.
std::uint32_t crc(const char* bytes, std::size_t size, std::uint32_t value) {
  for (std::size_t i = 0; i < size; ++i) {
    value ^= static_cast<std::uint8_t>(bytes[i]);
    for (int bit = 0; bit < 8; ++bit)
      value = (value >> 1U) ^ ((value & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return value;
}

template <class Number>
void put(std::vector<char>& bytes, std::size_t offset, Number number) {
  std::memcpy(bytes.data() + offset, &number, sizeof number);
}

void put_text(std::vector<char>& bytes, std::size_t offset, std::string_view text) {
  std::memcpy(bytes.data() + offset, text.data(), text.size());
}

class LinuxOnlyDevices : public ::testing::Test {
 protected:
  Devices& devices() { return node_->ports().devices; }
  std::string image(const std::string& name = "image") { return node_->host(name); }
  DeviceFacts attached(std::uint64_t size_bytes = 32 * mebibyte, const std::string& name = "image") {
    EXPECT_TRUE(succeeds(devices().make_image(image(name), size_bytes)));
    const auto device = devices().attach_image(image(name), false);
    EXPECT_TRUE(succeeds(device));
    return device ? device.value() : DeviceFacts();
  }
  static void write(const DeviceFacts& device, std::uint64_t offset, const std::vector<char>& bytes) {
    const Descriptor file(open(device.node.c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)),
              static_cast<ssize_t>(bytes.size()));
    ASSERT_EQ(fsync(file.get()), 0);
  }
  static std::vector<char> read(const DeviceFacts& device, std::uint64_t offset, std::size_t size) {
    std::vector<char> bytes(size);
    const Descriptor file(open(device.node.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(pread(file.get(), bytes.data(), size, static_cast<off_t>(offset)), static_cast<ssize_t>(size));
    return bytes;
  }
  DeviceContent probe(const DeviceFacts& device) {
    const auto content = devices().probe(device);
    EXPECT_TRUE(succeeds(content));
    return content ? content.value() : DeviceContent();
  }
  /// False, and the test is skipped, without the program.
  static bool run(const DeviceFacts& device, std::vector<std::string> words) {
    words.front() = find_program(words.front());
    if (words.front().empty()) return false;
    words.push_back(device.node);
    const auto end = run_helper(words);
    EXPECT_TRUE(succeeds(end));
    EXPECT_TRUE(end && end.value().is_success()) << (end ? end.value().text() : "");
    return true;
  }
  void format(const DeviceFacts& device, const std::string& type) {
    ASSERT_TRUE(succeeds(devices().format(device, {type, uuid})));
  }
  bool has_tools(const std::string& type) const { return node_->has_tools(type); }
  std::unique_ptr<Node> node_ = make_linux_node(true);
};

/// The label of an LVM2 physical volume, in the second sector.
std::vector<char> lvm2_label(std::uint32_t checksum_error) {
  std::vector<char> label(512);
  put_text(label, 0, "LABELONE");
  put<std::uint64_t>(label, 8, 1);
  put<std::uint32_t>(label, 20, 32);
  put_text(label, 24, "LVM2 001");
  put_text(label, 32, "abcdefABCDEFabcdefABCDEFabcdefAB");
  constexpr std::uint32_t seed = 0xf597a6cf;
  put<std::uint32_t>(label, 16, crc(label.data() + 20, label.size() - 20, seed) ^ checksum_error);
  return label;
}

/// A header of a GUID partition table without entries, whose own place is `at`.
std::vector<char> gpt_header(std::uint64_t at, std::uint64_t other, std::uint64_t entries,
                             std::uint64_t last) {
  std::vector<char> header(512);
  const std::vector<char> no_entries(std::size_t{128} * 128);
  put_text(header, 0, "EFI PART");
  put<std::uint32_t>(header, 8, 0x00010000);
  put<std::uint32_t>(header, 12, 92);
  put<std::uint64_t>(header, 24, at);
  put<std::uint64_t>(header, 32, other);
  put<std::uint64_t>(header, 40, 34);
  put<std::uint64_t>(header, 48, last - 33);
  put_text(header, 56, "0123456789abcdef");
  put<std::uint64_t>(header, 72, entries);
  put<std::uint32_t>(header, 80, 128);
  put<std::uint32_t>(header, 84, 128);
  put<std::uint32_t>(header, 88, ~crc(no_entries.data(), no_entries.size(), ~0U));
  put<std::uint32_t>(header, 16, ~crc(header.data(), 92, ~0U));
  return header;
}

std::vector<char> master_boot_record(char type) {
  std::vector<char> record(512);
  record[446 + 4] = type;
  put<std::uint32_t>(record, 446 + 8, type == 0 ? 0 : 1);
  put<std::uint32_t>(record, 446 + 12, type == 0 ? 0 : 2048);
  put<std::uint32_t>(record, 440, 0x12345678);
  put<std::uint16_t>(record, 510, 0xaa55);
  return record;
}

TEST_F(LinuxOnlyDevices, EveryFileSystemIsRecognised) {
  const DeviceFacts device = attached(320 * mebibyte);
  for (const std::string type : {"ext2", "ext3", "ext4", "xfs", "btrfs"}) {
    if (!has_tools(type)) continue;
    format(device, type);
    EXPECT_EQ(probe(device).signature->type, type);
  }
}

TEST_F(LinuxOnlyDevices, AVfatIsAFileSystem) {
  const DeviceFacts device = attached();
  if (!run(device, {"mkfs.vfat", "-i", "12345678"})) GTEST_SKIP() << "no dosfstools";
  const DeviceContent content = probe(device);
  ASSERT_TRUE(content.signature);
  EXPECT_EQ(content.signature->type, "vfat");
  EXPECT_EQ(content.signature->uuid, "1234-5678");
  EXPECT_EQ(content.signature->usage, Signature::Usage::FileSystem);
}

TEST_F(LinuxOnlyDevices, SwapIsSomethingElse) {
  const DeviceFacts device = attached();
  ASSERT_TRUE(run(device, {"mkswap"}));
  const DeviceContent content = probe(device);
  ASSERT_TRUE(content.signature);
  EXPECT_EQ(content.signature->type, "swap");
  EXPECT_EQ(content.signature->usage, Signature::Usage::Other);
}

TEST_F(LinuxOnlyDevices, LuksIsCrypto) {
  for (const char version : {'\1', '\2'}) {
    const DeviceFacts device = attached();
    std::vector<char> header(4096);
    put_text(header, 0, "LUKS\xba\xbe");
    header[7] = version;
    put_text(header, 168, uuid);
    write(device, 0, header);
    const DeviceContent content = probe(device);
    ASSERT_TRUE(content.signature);
    EXPECT_EQ(content.signature->type, "crypto_LUKS");
    EXPECT_EQ(content.signature->usage, Signature::Usage::Crypto);
    ASSERT_TRUE(devices().detach_image(image()).value());
    node_->remove(image());
  }
}

TEST_F(LinuxOnlyDevices, AnLvm2MemberIsRaidAlsoWithABadChecksum) {
  const DeviceFacts device = attached();
  write(device, 512, lvm2_label(0));
  const DeviceContent good = probe(device);
  ASSERT_TRUE(good.signature);
  EXPECT_EQ(good.signature->type, "LVM2_member");
  EXPECT_EQ(good.signature->usage, Signature::Usage::Raid);
  EXPECT_FALSE(good.signature->has_bad_checksum);
  write(device, 512, lvm2_label(1));
  const DeviceContent bad = probe(device);
  ASSERT_TRUE(bad.signature);
  EXPECT_EQ(bad.signature->type, "LVM2_member");
  EXPECT_TRUE(bad.signature->has_bad_checksum);
}

TEST_F(LinuxOnlyDevices, AMemberOfALinuxRaidIsRaid) {
  const DeviceFacts device = attached();
  std::vector<char> superblock(512);
  put<std::uint32_t>(superblock, 0, 0xa92b4efc);
  put<std::uint32_t>(superblock, 4, 1);
  put_text(superblock, 16, "0123456789abcdef");
  put<std::uint64_t>(superblock, 144, 8);
  write(device, 4096, superblock);
  const DeviceContent content = probe(device);
  ASSERT_TRUE(content.signature);
  EXPECT_EQ(content.signature->type, "linux_raid_member");
  EXPECT_EQ(content.signature->usage, Signature::Usage::Raid);
}

TEST_F(LinuxOnlyDevices, APartitionTableIsSeenWithAndWithoutPartitions) {
  for (const char type : {'\0', '\x83'}) {
    const DeviceFacts device = attached();
    write(device, 0, master_boot_record(type));
    const DeviceContent content = probe(device);
    EXPECT_EQ(content.partition_table, "dos");
    EXPECT_FALSE(content.signature);
    EXPECT_EQ(content.data_offset, 440U);
    ASSERT_TRUE(devices().detach_image(image()).value());
    node_->remove(image());
  }
}

TEST_F(LinuxOnlyDevices, AGptIsSeenAndIsDataStillWhenItsHeadIsGone) {
  const DeviceFacts device = attached();
  const std::uint64_t last = device.size_bytes / 512 - 1;
  write(device, 0, master_boot_record('\xee'));
  write(device, 512, gpt_header(1, last, 2, last));
  write(device, last * 512, gpt_header(last, 1, last - 32, last));
  EXPECT_EQ(probe(device).partition_table, "gpt");
  write(device, 0, std::vector<char>(mebibyte));
  const DeviceContent headless = probe(device);
  EXPECT_FALSE(headless.signature);
  EXPECT_EQ(headless.data_offset, last * 512);
}

TEST_F(LinuxOnlyDevices, AFileSystemWithoutItsHeadIsNotBlank) {
  const DeviceFacts device = attached(320 * mebibyte);
  for (const std::string type : {"ext4", "xfs", "btrfs"}) {
    if (!has_tools(type)) continue;
    SCOPED_TRACE(type);
    format(device, type);
    write(device, 0, std::vector<char>(mebibyte));
    const DeviceContent content = probe(device);
    EXPECT_TRUE(content.data_offset);
    EXPECT_GE(content.data_offset.value_or(0), mebibyte);
  }
}

TEST_F(LinuxOnlyDevices, AnExt4BehindABootSectorIsBoth) {
  const DeviceFacts device = attached();
  format(device, "ext4");
  write(device, 0, master_boot_record('\x83'));
  const DeviceContent content = probe(device);
  ASSERT_TRUE(content.signature);
  EXPECT_EQ(content.signature->type, "ext4");
  EXPECT_EQ(content.partition_table, "dos");
}

TEST_F(LinuxOnlyDevices, TwoFileSystemsAtOnceAreAmbivalent) {
  if (!has_tools("xfs")) GTEST_SKIP() << "no xfsprogs";
  const DeviceFacts other = attached(320 * mebibyte, "other");
  format(other, "ext4");
  const DeviceFacts device = attached(320 * mebibyte);
  format(device, "xfs");
  write(device, 1024, read(other, 1024, 1024));
  const DeviceContent content = probe(device);
  EXPECT_TRUE(content.is_ambivalent);
  EXPECT_FALSE(content.signature);
  EXPECT_TRUE(content.data_offset);
}

TEST_F(LinuxOnlyDevices, UnknownBytesAreDataWithoutASignature) {
  const DeviceFacts device = attached();
  std::vector<char> bytes(mebibyte);
  std::uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24U);
  }
  write(device, 0, bytes);
  const DeviceContent content = probe(device);
  EXPECT_FALSE(content.signature);
  EXPECT_EQ(content.partition_table, "");
  EXPECT_TRUE(content.data_offset);
}

TEST_F(LinuxOnlyDevices, AReadErrorIsNotABlankDevice) {
  const DeviceFacts device = attached(64 * mebibyte);
  // What lies behind the end of its file cannot be read.
  ASSERT_EQ(truncate(image().c_str(), 16 * mebibyte), 0);
  const DeviceContent content = probe(device);
  EXPECT_EQ(content.read_errno, EIO);
  EXPECT_GE(content.read_offset, 16 * mebibyte);
  EXPECT_FALSE(content.signature);
  EXPECT_LT(content.looked_at_bytes, device.size_bytes);
}

TEST_F(LinuxOnlyDevices, AHugeSparseImageIsLookedAtInNoTime) {
  const DeviceFacts device = attached(std::uint64_t{8} << 40U);
  DeviceContent blank;
  blank.looked_at_bytes = device.size_bytes;
  EXPECT_EQ(probe(device), blank);
  node_->put_data(image(), device.size_bytes - 1);
  EXPECT_EQ(probe(device).data_offset, device.size_bytes - 1);
}

TEST_F(LinuxOnlyDevices, ADeviceWithoutAFileIsSampled) {
  const DeviceFacts below = attached(std::uint64_t{1} << 40U);
  // A loop device on a loop device: what the upper one reads has no holes to tell of.
  const auto device = devices().attach_image(below.node, false);
  ASSERT_TRUE(succeeds(device));
  const DeviceContent blank = probe(device.value());
  EXPECT_FALSE(blank.data_offset);
  EXPECT_GE(blank.looked_at_bytes, 32 * mebibyte);
  EXPECT_LT(blank.looked_at_bytes, 64 * mebibyte);
  for (const std::uint64_t offset : {std::uint64_t{64} * mebibyte, below.size_bytes - 1}) {
    write(below, offset, {'x'});
    EXPECT_EQ(probe(device.value()).data_offset, offset);
    write(below, offset, {'\0'});
  }
  EXPECT_TRUE(devices().detach_image(below.node).value());
}

TEST_F(LinuxOnlyDevices, APartOfAnImageIsNotTheImage) {
  ASSERT_TRUE(succeeds(devices().make_image(image(), 32 * mebibyte)));
  const std::string part = attach_loop(image(), mebibyte);
  EXPECT_TRUE(fails(devices().find({DeviceName::Kind::Image, image()}), "DeviceMissing", 0));
  const auto attached = devices().attach_image(image(), false);
  EXPECT_TRUE(fails(attached, "AttachedOtherwise", 0));
  EXPECT_THAT(attached.error().message, ::testing::HasSubstr(part));
}

TEST_F(LinuxOnlyDevices, ALoopDeviceStaysWhenItsWorkerEnds) {
  const DeviceFacts device = attached();
  const std::string folder = "/sys/block/" + device.node.substr(5);
  std::string autoclear;
  std::string block_bytes;
  std::ifstream(folder + "/loop/autoclear") >> autoclear;
  std::ifstream(folder + "/queue/logical_block_size") >> block_bytes;
  EXPECT_EQ(autoclear, "0");
  EXPECT_EQ(block_bytes, "512");
}

TEST_F(LinuxOnlyDevices, APathThatLeadsOutOfDevIsRefused) {
  ASSERT_TRUE(succeeds(devices().make_image(image(), mebibyte)));
  const Descriptor file(open(image().c_str(), O_RDONLY | O_CLOEXEC));
  const std::string path = "/dev/fd/" + std::to_string(file.get());
  const auto found = devices().find({DeviceName::Kind::Path, path});
  EXPECT_TRUE(fails(found, "NotADevice", 0, ErrorKind::Final));
  EXPECT_THAT(found.error().message, ::testing::HasSubstr(image()));
}

TEST_F(LinuxOnlyDevices, FsckRepairsWhatItMayAndSaysWhatItMayNot) {
  const DeviceFacts device = attached();
  format(device, "ext4");
  const auto damage = [&](const char* request) {
    if (!run(device, {"debugfs", "-w", "-R", request})) return false;
    return run(device, {"debugfs", "-w", "-R", "set_super_value state 0"});
  };
  if (!damage("set_super_value free_inodes_count 7")) GTEST_SKIP() << "no debugfs";
  EXPECT_EQ(devices().check(device, "ext4").value().result, CheckResult::Repaired);
  EXPECT_EQ(devices().check(device, "ext4").value().result, CheckResult::Clean);
  ASSERT_TRUE(damage("clri <2>"));
  const CheckReport broken = devices().check(device, "ext4").value();
  EXPECT_EQ(broken.result, CheckResult::Broken);
  EXPECT_THAT(broken.output, ::testing::HasSubstr("UNEXPECTED INCONSISTENCY"));
  write(device, 0, std::vector<char>(mebibyte));
  EXPECT_EQ(devices().check(device, "ext4").value().result, CheckResult::Unknown);
}

}  // namespace
}  // namespace mooring::kernel::contract
