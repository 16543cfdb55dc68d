// What controller services answer: as the protocol says, and as they please.

#include "csi/controller_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace mooring::csi {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

std::string volume_with(const std::string& fields) {
  return R"({"volume":{"volume_id":"v",)" + fields + "}}";
}

TEST(ControllerAnswers, of_a_created_volume) {
  const auto volume = created_volume(volume_with(
      R"("capacity_bytes":"1073741824","volume_context":{"share":"a"},"later":1,
         "content_source":{"snapshot":{"snapshot_id":"s"}},
         "accessible_topology":[{"segments":{"zone":"a"}},{"segments":{}}])"));
  ASSERT_TRUE(volume);
  EXPECT_EQ(
      volume.value(),
      (CsiCreatedVolume{
          "v", {{"share", "a"}}, 1u << 30, {CsiContentSource::Kind::Snapshot, "s"}, {{{"zone", "a"}}, {}}}));
  const auto clone = created_volume(volume_with(R"("content_source":{"volume":{"volume_id":"w"}})"));
  ASSERT_TRUE(clone);
  EXPECT_EQ(clone.value().source, (CsiContentSource{CsiContentSource::Kind::Volume, "w"}));
  EXPECT_EQ(clone.value().capacity_bytes, 0u);
}

TEST(ControllerAnswers, a_volume_without_a_usable_id_is_asked_for_again) {
  const std::string cases[] = {"",
                               "{}",
                               "[]",
                               "null",
                               "{\"volume\":7}",
                               R"({"volume":{"volume_id":""}})",
                               R"({"volume":{"volume_id":7}})",
                               R"({"volume":{"volume_id":"a\nb"}})",
                               R"({"volume":{"volume_id":")" + std::string(1025, 'x') + "\"}}",
                               R"({"volume":{"volume_id":"v"})",
                               "\xff\xfe",
                               std::string(2 << 20, ' ') + R"({"volume":{"volume_id":"v"}})"};
  for (const std::string& response : cases) {
    const auto volume = created_volume(response);
    ASSERT_FALSE(volume) << response.substr(0, 80);
    EXPECT_EQ(volume.error().reason, "BadAnswer");
    EXPECT_EQ(volume.error().kind, ErrorKind::Uncertain);
  }
  EXPECT_TRUE(created_volume(R"({"volume":{"volume_id":")" + std::string(1024, 'x') + "\"}}"));
}

TEST(ControllerAnswers, a_context_is_whole_or_nothing_and_no_error_shows_it) {
  std::string many;
  for (int i = 0; i < 257; ++i)
    many += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + R"(":"secret")";
  const std::string cases[] = {R"("volume_context":["secret"])",
                               R"("volume_context":{"a":"secret\u0000"})",
                               R"("volume_context":{"\u0000":"secret"})",
                               R"("volume_context":{"a":"secret","b":1})",
                               R"("volume_context":"secret")",
                               R"("volume_context":{)" + many + "}",
                               R"("volume_context":{"a":")" + std::string(65 * 1024, 's') + "\"}"};
  for (const std::string& fields : cases) {
    const auto volume = created_volume(volume_with(fields));
    ASSERT_FALSE(volume) << fields.substr(0, 80);
    EXPECT_EQ(volume.error().kind, ErrorKind::Uncertain);
    EXPECT_THAT(volume.error().text(), HasSubstr("volume_context"));
    EXPECT_THAT(volume.error().text(), Not(HasSubstr("secret")));
  }
  EXPECT_TRUE(created_volume(volume_with(R"("volume_context":null)")));
}

TEST(ControllerAnswers, places_have_bounds) {
  std::string places = "{}";
  for (int i = 0; i < 256; ++i)
    places += ",{}";
  EXPECT_FALSE(created_volume(volume_with(R"("accessible_topology":[)" + places + "]")));
  EXPECT_FALSE(created_volume(volume_with(R"("accessible_topology":[{"segments":{"zone":1}}])")));
}

TEST(ControllerAnswers, an_amount_is_taken_in_any_form_and_never_below_zero) {
  const std::pair<const char*, std::uint64_t> cases[] = {{"\"7\"", 7},  {"7", 7},     {"-1", 0},
                                                         {"\"-1\"", 0}, {"\"x\"", 0}, {"null", 0},
                                                         {"\"7 \"", 0}, {"1.5", 0},   {"[7]", 0}};
  for (const auto& [text, expected] : cases) {
    const auto volume = created_volume(volume_with(std::string("\"capacity_bytes\":") + text));
    ASSERT_TRUE(volume) << text;
    EXPECT_EQ(volume.value().capacity_bytes, expected) << text;
  }
}

TEST(ControllerAnswers, csi_a_volume_that_is_not_what_was_asked_for_is_found_out) {
  const CsiContentSource nothing;
  const CsiContentSource snapshot{CsiContentSource::Kind::Snapshot, "s"};
  struct Case {
    std::uint64_t asked_bytes, made_bytes;
    CsiContentSource asked, made;
    const char* why;
  };
  const Case cases[] = {{10, 10, nothing, nothing, ""},
                        {10, 11, snapshot, snapshot, ""},
                        {10, 0, nothing, nothing, ""},  // It does not say.
                        {10, 9, nothing, nothing, "capacity 9 less than requested capacity 10"},
                        {10, 10, snapshot, nothing, "volume content source missing"}};
  for (const Case& c : cases) {
    const CsiVolumeRequest request{"n", c.asked_bytes, 0, {}, {}, c.asked, {}, {}};
    const std::string why = why_unfit(request, {"v", {}, c.made_bytes, c.made, {}});
    if (*c.why == '\0') {
      EXPECT_THAT(why, IsEmpty());
    } else {
      EXPECT_THAT(why, HasSubstr(c.why));
    }
  }
}

TEST(ControllerAnswers, of_what_the_node_is_told) {
  const auto context = publish_context(R"({"publish_context":{"device":"/dev/x"}})");
  ASSERT_TRUE(context);
  EXPECT_THAT(context.value().values, ElementsAre(Pair("device", "/dev/x")));
  EXPECT_TRUE(publish_context(""));
  EXPECT_FALSE(publish_context(R"({"publish_context":[]})"));
}

TEST(ControllerAnswers, of_an_expansion) {
  const auto grown = controller_expansion(R"({"capacity_bytes":"12","node_expansion_required":true})");
  ASSERT_TRUE(grown);
  EXPECT_EQ(grown.value(), (CsiExpansion{12, true}));
  EXPECT_EQ(controller_expansion("{}").value(), (CsiExpansion{0, false}));
  EXPECT_EQ(controller_expansion("garbage").error().kind, ErrorKind::Uncertain);
}

TEST(ControllerAnswers, of_a_snapshot) {
  const auto snapshot = created_snapshot(
      R"({"snapshot":{"size_bytes":"5","snapshot_id":"s","source_volume_id":"v",
          "creation_time":"2026-11-21T09:30:00.25Z","ready_to_use":true}})");
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot.value(), (CsiSnapshot{"s", "v", 5, "2026-11-21T09:30:00.25Z", true}));
  EXPECT_FALSE(created_snapshot("{}"));
  EXPECT_FALSE(created_snapshot(R"({"snapshot":{"ready_to_use":true}})"));
}

TEST(ControllerAnswers, a_time_that_is_none_is_not_said) {
  const std::pair<const char*, bool> cases[] = {{"2026-11-21T09:30:00Z", true},
                                                {"2026-11-21T09:30:00.123456789Z", true},
                                                {"2026-11-21T09:30:00", false},
                                                {"2026-11-21T09:30:00.Z", false},
                                                {"2026-11-21T09:30:00.1234567890Z", false},
                                                {"2026-11-21 09:30:00Z", false},
                                                {"2026-11-21T09:30:00+01:00Z", false},
                                                {"", false},
                                                {"yesterday", false}};
  for (const auto& [text, is_time] : cases) {
    const auto snapshot =
        created_snapshot(std::string(R"({"snapshot":{"snapshot_id":"s","creation_time":")") + text + "\"}}");
    ASSERT_TRUE(snapshot) << text;
    EXPECT_EQ(snapshot.value().creation_time, is_time ? text : "") << text;
  }
}

TEST(ControllerAnswers, whatever_a_driver_says_is_an_answer_or_an_error) {
  Random random(7);
  const std::string seeds[] = {
      volume_with(
          R"("capacity_bytes":"1","volume_context":{"a":"b"},"accessible_topology":[{"segments":{}}])"),
      R"({"snapshot":{"snapshot_id":"s","creation_time":"2026-11-21T09:30:00Z"}})",
      R"({"publish_context":{"a":"b"}})", R"({"capacity_bytes":"12"})"};
  for (int round = 0; round < 4000; ++round) {
    std::string text = seeds[random.below(4)];
    for (std::uint64_t i = 0, n = 1 + random.below(4); i < n; ++i)
      text[random.below(text.size())] = static_cast<char>(random.below(256));
    const auto volume = created_volume(text);
    if (volume) {
      EXPECT_FALSE(volume.value().id.empty());
    }
    const auto snapshot = created_snapshot(text);
    if (snapshot) {
      EXPECT_FALSE(snapshot.value().id.empty());
    }
    static_cast<void>(publish_context(text));
    static_cast<void>(controller_expansion(text));
  }
}

}  // namespace
}  // namespace mooring::csi
