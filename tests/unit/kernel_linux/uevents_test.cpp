#include "kernel/linux/uevents.h"

#include <gmock/gmock.h>

namespace mooring::kernel {
namespace {

/// Text with zero bytes in it.
template <std::size_t size>
std::string bytes(const char (&text)[size]) {
  return {static_cast<const char*>(text), size - 1};
}

std::string of_udev(const std::string& properties, std::uint32_t offset = 40,
                    std::uint32_t size = 0xffffffff) {
  std::string message = bytes("libudev\0\xfe\xed\xca\xfe");
  const std::uint32_t header = 40;
  if (size == 0xffffffff) size = static_cast<std::uint32_t>(properties.size());
  for (const std::uint32_t number : {header, offset, size})
    message.append(static_cast<const char*>(static_cast<const void*>(&number)), sizeof number);
  message.resize(header, '\0');
  return message + properties;
}

TEST(Uevents, one_of_the_kernel) {
  const auto event = parse_uevent(
      bytes("change@/devices/virtual/block/loop3\0ACTION=change\0DEVPATH=/devices/virtual/block/loop3\0"
            "SUBSYSTEM=block\0MAJOR=7\0DEVNAME=loop3\0DEVTYPE=disk\0DISKSEQ=12\0"));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->action, "change");
  EXPECT_EQ(event->subsystem, "block");
  EXPECT_EQ(event->node, "/dev/loop3");
  EXPECT_FALSE(event->is_of_udev);
  EXPECT_EQ(event->properties.at("DISKSEQ"), "12");
  EXPECT_EQ(event->properties.size(), 7U);
}

TEST(Uevents, one_without_a_node) {
  const auto event = parse_uevent(bytes("add@/devices/x\0ACTION=add\0SUBSYSTEM=net\0"));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->node, "");
}

TEST(Uevents, one_of_udev) {
  const auto event = parse_uevent(of_udev(
      bytes("ACTION=add\0SUBSYSTEM=block\0DEVNAME=/dev/sdb\0DEVLINKS=/dev/disk/by-id/wwn-1 /dev/x\0")));
  ASSERT_TRUE(event);
  EXPECT_TRUE(event->is_of_udev);
  EXPECT_EQ(event->node, "/dev/sdb");
  EXPECT_EQ(event->properties.at("DEVLINKS"), "/dev/disk/by-id/wwn-1 /dev/x");
}

TEST(Uevents, a_value_may_hold_anything_and_a_word_without_a_name_is_none) {
  const auto event =
      parse_uevent(bytes("add@/x\0ACTION=add\0=lost\0alone\0SUBSYSTEM=a=b\0EMPTY=\0LAST=no zero"));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->subsystem, "a=b");
  EXPECT_EQ(event->properties.at("EMPTY"), "");
  EXPECT_EQ(event->properties.at("LAST"), "no zero");
  EXPECT_EQ(event->properties.size(), 4U);
}

TEST(Uevents, what_is_none) {
  EXPECT_FALSE(parse_uevent(""));
  EXPECT_FALSE(parse_uevent("add@/devices/x"));
  EXPECT_FALSE(parse_uevent(bytes("nonsense\0ACTION=add\0SUBSYSTEM=block\0")));
  EXPECT_FALSE(parse_uevent(bytes("add@/x\0SUBSYSTEM=block\0")));
  EXPECT_FALSE(parse_uevent(bytes("add@/x\0ACTION=add\0")));
  EXPECT_FALSE(parse_uevent(bytes("libudev\0")));
  const std::string good = bytes("ACTION=add\0SUBSYSTEM=block\0");
  EXPECT_TRUE(parse_uevent(of_udev(good)));
  EXPECT_FALSE(parse_uevent(of_udev(good, 8)));
  EXPECT_FALSE(parse_uevent(of_udev(good, 4000)));
  EXPECT_FALSE(parse_uevent(of_udev(good, 40, 4000)));
  EXPECT_FALSE(parse_uevent(of_udev(good, 0xffffffff, 2)));
  std::string other_magic = of_udev(good);
  other_magic[8] = '\0';
  EXPECT_FALSE(parse_uevent(other_magic));
}

}  // namespace
}  // namespace mooring::kernel
