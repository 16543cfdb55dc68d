#include "operation/format_stamp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace mooring {
namespace {

TEST(FormatStamp, comes_back_as_it_was_written) {
  for (const FormatStamp& stamp :
       {FormatStamp{}, FormatStamp{true, "ext4", "u-1", "/dev/disk/by-id/a", 1ULL << 62U, "naa.5"},
        FormatStamp{false, "xfs", "", "a \"label\"\n\\", ~0ULL, "größe"}}) {
    const auto back = decode_format_stamp(encode_format_stamp(stamp));
    ASSERT_TRUE(back) << encode_format_stamp(stamp);
    EXPECT_EQ(back.value(), stamp);
  }
}

TEST(FormatStamp, is_what_its_header_draws) {
  EXPECT_EQ(
      encode_format_stamp({true, "ext4", "u-1", "/dev/sdb", 512, "naa.5"}),
      R"({"version":1,"complete":true,"type":"ext4","uuid":"u-1","device":"/dev/sdb","size":512,"wwid":"naa.5"})"
      "\n");
}

TEST(FormatStamp, that_is_anything_else_is_bad) {
  const std::string good = encode_format_stamp({true, "ext4", "u-1", "/dev/sdb", 512, "naa.5"});
  for (std::size_t size = 0; size + 1 < good.size(); ++size) {
    const auto cut = decode_format_stamp(std::string_view(good).substr(0, size));
    ASSERT_FALSE(cut) << size;
    EXPECT_EQ(cut.error().reason, "BadFormatStamp");
    EXPECT_EQ(cut.error().kind, ErrorKind::Final);
  }
  const std::vector<std::pair<std::string, std::string>> changes{{"\"version\":1", "\"version\":2"},
                                                                 {"\"version\":1", "\"version\":\"1\""},
                                                                 {"\"version\":1,", ""},
                                                                 {"true", "1"},
                                                                 {"\"complete\":true,", ""},
                                                                 {"512", "-1"},
                                                                 {"512", "1.5"},
                                                                 {"512", "\"512\""},
                                                                 {",\"size\":512", ""},
                                                                 {"\"ext4\"", "null"},
                                                                 {"\"u-1\"", "7"},
                                                                 {"\"naa.5\"", "[]"},
                                                                 {",\"wwid\":\"naa.5\"", ""},
                                                                 {"{", "[{"}};
  for (const auto& [from, to] : changes) {
    std::string bad = good;
    bad.replace(bad.find(from), from.size(), to);
    EXPECT_FALSE(decode_format_stamp(bad)) << bad;
  }
  EXPECT_FALSE(decode_format_stamp("[]"));
}

TEST(NewUuid, differs_for_whatever_tells_two_volumes_apart_and_is_the_same_for_the_same) {
  const FormatDevice step{{DeviceName::Kind::Path, "/dev/sdb"}, "p", "plugins/a/formatted/x", "ext4"};
  const DeviceFacts device{"/dev/sdb", 8, 16, 1024, 3, "naa.5", false};
  std::set<std::string> uuids{new_file_system_uuid(step, device)};
  EXPECT_TRUE(uuids.contains(new_file_system_uuid(step, device)));
  FormatDevice other_step = step;
  other_step.stamp += "y";
  EXPECT_TRUE(uuids.insert(new_file_system_uuid(other_step, device)).second);
  other_step = step;
  other_step.device.value = "/dev/sdc";
  EXPECT_TRUE(uuids.insert(new_file_system_uuid(other_step, device)).second);
  for (const auto change : {0, 1, 2}) {
    DeviceFacts other = device;
    if (change == 0) other.size_bytes = 2048;
    if (change == 1) other.sequence = 4;
    if (change == 2) other.wwid = "naa.6";
    EXPECT_TRUE(uuids.insert(new_file_system_uuid(step, other)).second);
  }
  for (const std::string& uuid : uuids) {
    ASSERT_EQ(uuid.size(), 36u);
    EXPECT_EQ(uuid[14], '5');
  }
}

}  // namespace
}  // namespace mooring
