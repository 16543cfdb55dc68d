// Which devices are read to find the one with a UUID or a label, when udev tells what it knows. Its database
// here is a tmpfs of this process's mount namespace.

#include <sys/mount.h>

#include <filesystem>
#include <fstream>

#include "devices_fixture.h"

namespace mooring::kernel::contract {
namespace {

using ::testing::HasSubstr;
using Kind = DeviceName::Kind;

const std::string uuid = test_uuid(11);
const std::string other_uuid = test_uuid(12);

class DevicesUdevContract : public DevicesContract {
 protected:
  void SetUp() override {
    ASSERT_EQ(::mount("udev", "/run", "tmpfs", 0, nullptr), 0);
    std::filesystem::create_directories("/run/udev/data");
    first_ = attached("image", 32 * mebibyte);
    ASSERT_TRUE(succeeds(devices().format(first_, {"ext4", uuid})));
    node().copy_image(image(), image("clone"));
    clone_ = attach("clone");
  }
  void TearDown() override { ::umount2("/run", MNT_DETACH); }

  static void know(const DeviceFacts& device, const std::string& lines) {
    std::ofstream("/run/udev/data/b" + std::to_string(device.device_major) + ":" +
                  std::to_string(device.device_minor))
        << "I:1\n"
        << lines;
  }
  static std::string says(const std::string& file_system) { return "E:ID_FS_UUID_ENC=" + file_system + "\n"; }

  DeviceFacts first_;
  DeviceFacts clone_;
};

TEST_P(DevicesUdevContract, WhatItSaysIsAnotherIsNotRead) {
  know(first_, says(uuid));
  know(clone_, says(other_uuid));
  EXPECT_EQ(find(Kind::Uuid, uuid).value(), first_);
}

TEST_P(DevicesUdevContract, TwoThatItKnowsAreAmbiguous) {
  know(first_, says(uuid));
  know(clone_, says(uuid));
  const auto found = find(Kind::Uuid, uuid);
  EXPECT_TRUE(fails(found, "DeviceAmbiguous", 0));
  EXPECT_THAT(found.error().message, HasSubstr(clone_.node));
}

TEST_P(DevicesUdevContract, WhatItDoesNotKnowIsRead) {
  know(first_, says(uuid));
  EXPECT_TRUE(fails(find(Kind::Uuid, uuid), "DeviceAmbiguous", 0));
  ASSERT_TRUE(devices().detach_image(image("clone")).value());
  EXPECT_EQ(find(Kind::Uuid, uuid).value(), first_);
}

TEST_P(DevicesUdevContract, WhatItSaidOfAnotherDeviceOfTheNumberCountsForNothing) {
  if (clone_.sequence == 0) GTEST_SKIP() << "the kernel does not number devices";
  know(first_, says(uuid));
  know(clone_, says(other_uuid) + "S:disk/by-diskseq/" + std::to_string(clone_.sequence + 1) + "\n");
  EXPECT_TRUE(fails(find(Kind::Uuid, uuid), "DeviceAmbiguous", 0));
  know(clone_, says(other_uuid) + "S:disk/by-diskseq/" + std::to_string(clone_.sequence) + "\n");
  EXPECT_EQ(find(Kind::Uuid, uuid).value(), first_);
}

TEST_P(DevicesUdevContract, IfItIsWrongAllAreRead) {
  ASSERT_TRUE(succeeds(devices().format(clone_, {"ext4", other_uuid})));
  know(first_, says(other_uuid));
  know(clone_, "");
  EXPECT_EQ(find(Kind::Uuid, other_uuid).value(), clone_);
  EXPECT_EQ(find(Kind::Uuid, uuid).value(), first_);
}

INSTANTIATE_TEST_SUITE_P(Ports, DevicesUdevContract, ::testing::Values(NodeKind::Linux), name_of);

}  // namespace
}  // namespace mooring::kernel::contract
