#include "operation/stamp.h"

#include <gtest/gtest.h>

namespace mooring {
namespace {

const Stamp stamp{PodUid("u1"), Namespace("default"), ObjectName("web")};

TEST(Stamp, is_read_as_it_was_written) {
  EXPECT_EQ(encode_stamp(stamp), R"({"version":1,"uid":"u1","namespace":"default","name":"web"})"
                                 "\n");
  EXPECT_EQ(decode_stamp(encode_stamp(stamp)), stamp);
}

TEST(Stamp, any_name_comes_through) {
  for (const std::string name : {"", "a\"b", "back\\slash", "new\nline", "tab\t", "ä", "\x01"}) {
    const Stamp odd{PodUid(name), Namespace(name), ObjectName(name)};
    EXPECT_EQ(decode_stamp(encode_stamp(odd)), odd) << name;
  }
}

TEST(Stamp, one_that_a_crash_cut_short_is_none) {
  const std::string whole = encode_stamp(stamp);
  for (std::size_t size = 0; size + 1 < whole.size(); ++size)
    EXPECT_FALSE(decode_stamp(whole.substr(0, size))) << size;
}

TEST(Stamp, what_is_no_stamp_of_this_version_is_none) {
  for (const std::string text :
       {"", "null", "[]", "1", "\"x\"", "{}", R"({"version":1})",
        R"({"version":2,"uid":"u1","namespace":"default","name":"web"})",
        R"({"version":"1","uid":"u1","namespace":"default","name":"web"})",
        R"({"version":1.5,"uid":"u1","namespace":"default","name":"web"})",
        R"({"uid":"u1","namespace":"default","name":"web"})",
        R"({"version":1,"namespace":"default","name":"web"})", R"({"version":1,"uid":"u1","name":"web"})",
        R"({"version":1,"uid":"u1","namespace":"default"})",
        R"({"version":1,"uid":1,"namespace":"default","name":"web"})",
        R"({"version":1,"uid":"u1","namespace":null,"name":"web"})",
        R"({"version":1,"uid":"u1","namespace":"default","name":["web"]})",
        "{\"version\":1,\"uid\":\"\xff\",\"namespace\":\"default\",\"name\":\"web\"}",
        R"({"version":1,"uid":"u1","namespace":"default","name":"web"} x)"}) {
    EXPECT_FALSE(decode_stamp(text)) << text;
  }
}

TEST(Stamp, a_deep_one_does_no_harm) {
  EXPECT_FALSE(decode_stamp(std::string(100'000, '[')));
}

}  // namespace
}  // namespace mooring
