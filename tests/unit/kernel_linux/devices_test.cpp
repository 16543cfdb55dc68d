#include <gmock/gmock.h>

#include "kernel/device_errors.h"
#include "kernel/linux/blank_look.h"
#include "kernel/linux/device_holders.h"
#include "kernel/linux/helper.h"

namespace mooring::kernel {
namespace {

using ::testing::ElementsAre;

constexpr std::uint64_t mebibyte = 1024 * 1024;

TEST(RangesToLookAt, a_small_device_is_looked_at_whole) {
  EXPECT_THAT(ranges_to_look_at(512), ElementsAre(ByteRange{0, 512}));
  EXPECT_THAT(ranges_to_look_at(32 * mebibyte), ElementsAre(ByteRange{0, 32 * mebibyte}));
  EXPECT_TRUE(ranges_to_look_at(0).empty());
}

TEST(RangesToLookAt, a_large_one_at_its_edges_and_at_samples) {
  const std::uint64_t size_bytes = 1024 * 1024 * mebibyte + 512;
  const std::vector<ByteRange> ranges = ranges_to_look_at(size_bytes);
  EXPECT_EQ(ranges.size(), 2 + 3 + 64U);
  EXPECT_EQ(ranges.front(), (ByteRange{0, 16 * mebibyte}));
  EXPECT_LE(ranges.back().begin, size_bytes - 16 * mebibyte);
  EXPECT_EQ(ranges.back().end, size_bytes);
  const auto is_seen = [&](std::uint64_t offset) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](const ByteRange& range) { return range.begin <= offset && offset < range.end; });
  };
  for (const std::uint64_t place : {64 * mebibyte, 128 * mebibyte, 256 * 1024 * mebibyte, size_bytes - 1})
    EXPECT_TRUE(is_seen(place)) << place;
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    EXPECT_GT(ranges[i].begin, ranges[i - 1].end);
    EXPECT_EQ(ranges[i].begin % 4096, 0U);
  }
}

TEST(CgroupOwner, a_service_and_a_session) {
  EXPECT_EQ(cgroup_owner("0::/system.slice/ssh.service\n"), (CgroupOwner{"ssh.service", ""}));
  EXPECT_EQ(cgroup_owner("12:cpu:/x\n1:name=systemd:/user.slice/user-1000.slice/session-3.scope\n0::/\n"),
            (CgroupOwner{"session-3.scope", ""}));
  EXPECT_EQ(cgroup_owner("0::/\n"), CgroupOwner());
  EXPECT_EQ(cgroup_owner("nonsense"), CgroupOwner());
  EXPECT_EQ(cgroup_owner(""), CgroupOwner());
}

TEST(CgroupOwner, containers_of_each_runtime) {
  const std::string id(64, 'a');
  for (const std::string& name : {"docker-" + id, "libpod-" + id, "cri-containerd-" + id, "crio-" + id}) {
    EXPECT_EQ(cgroup_owner("0::/machine.slice/" + name + ".scope/container\n"),
              (CgroupOwner{name + ".scope", id}));
  }
  EXPECT_EQ(cgroup_owner("4:memory:/docker/" + id + "\n0::/\n"), (CgroupOwner{"", id}));
  EXPECT_EQ(cgroup_owner("0::/system.slice/crun-web.scope\n"), (CgroupOwner{"crun-web.scope", "web"}));
  EXPECT_EQ(cgroup_owner("0::/machine.slice/libpod-conmon-" + id + ".scope\n").container, "");
  EXPECT_EQ(cgroup_owner("0::/" + std::string(64, 'g') + "\n").container, "");
}

TEST(LastLines, blank_ones_do_not_count) {
  EXPECT_EQ(last_lines("a\n\n  b \r\nc\n\n", 2, "; "), "b; c");
  EXPECT_EQ(last_lines("one", 3, "; "), "one");
  EXPECT_EQ(last_lines("\n \n", 3, "; "), "");
}

TEST(IdentityDifference, what_tells_two_devices_apart) {
  const DeviceFacts device{"/dev/sdb", 8, 16, 4096, 7, "naa.1", false};
  EXPECT_EQ(identity_difference(device, device), "");
  DeviceFacts other = device;
  other.is_read_only = true;
  other.sequence = 0;  // An older kernel does not tell.
  EXPECT_EQ(identity_difference(device, other), "");
  other.sequence = 8;
  EXPECT_EQ(identity_difference(device, other), "it was attached anew since");
  other = device;
  other.size_bytes = 8192;
  EXPECT_EQ(identity_difference(device, other), "its size was 4096 bytes and is 8192");
  other = device;
  other.wwid = "naa.2";
  EXPECT_EQ(identity_difference(device, other), "its WWID was 'naa.1' and is 'naa.2'");
  other = device;
  other.device_minor = 32;
  EXPECT_EQ(identity_difference(device, other), "its number was 8:16 and is 8:32");
}

}  // namespace
}  // namespace mooring::kernel
