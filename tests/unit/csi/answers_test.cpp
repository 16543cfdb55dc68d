#include "csi/answers.h"

#include <gtest/gtest.h>

namespace mooring::csi {
namespace {

TEST(CsiAnswers, kb_15_7_stats) {
  const auto stats = volume_stats(R"({"usage":[
      {"unit":"BYTES","total":"100","used":"40","available":"60"},
      {"unit":"INODES","total":10,"used":4,"available":"-6"},{"unit":"SOMETHING"}],
      "volume_condition":{"abnormal":true,"message":"disk\nsick"}})");
  EXPECT_EQ(stats.value().usage, (FileSystemUsage{100, 40, 60, 10, 4, 0}));
  EXPECT_EQ(stats.value().condition, (CsiCondition{true, "disk sick"}));
  EXPECT_EQ(volume_stats("{}").value().usage, std::nullopt);
  EXPECT_EQ(volume_stats("{}").value().condition, std::nullopt);
  EXPECT_EQ(expanded_bytes(R"({"capacity_bytes":"2048"})").value(), 2048u);
  EXPECT_EQ(expanded_bytes("{}").value(), 0u);
}

TEST(CsiAnswers, garbage_is_no_answer) {
  const std::string garbage[] = {
      "x", "[]", "3", "\"text\"", "{", std::string(1U << 20U, '\xff'), std::string(100'000, '[')};
  for (const std::string& answer : garbage) {
    EXPECT_EQ(volume_stats(answer).error().reason, "BadAnswer");
    EXPECT_EQ(expanded_bytes(answer).error().reason, "BadAnswer");
  }
}

}  // namespace
}  // namespace mooring::csi
