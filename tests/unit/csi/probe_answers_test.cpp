// What drivers answer when they are asked what they are: as the protocol says, and as they please.

#include "csi/probe_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace mooring::csi {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ProbeAnswers, of_a_registration) {
  const auto info = read_registration(
      R"({"type":"CSIPlugin","name":"d","endpoint":"/run/d.sock","supported_versions":["1.0.0","0.3"],"later":1})");
  ASSERT_TRUE(info);
  EXPECT_EQ(info.value().type, "CSIPlugin");
  EXPECT_EQ(info.value().name, "d");
  EXPECT_EQ(info.value().endpoint, "/run/d.sock");
  EXPECT_THAT(info.value().versions, ElementsAre("1.0.0", "0.3"));
}

TEST(ProbeAnswers, of_a_plugin) {
  const auto info = read_plugin_info(R"({"name":"d","vendor_version":"v1\nx","manifest":{"a":"b"}})");
  ASSERT_TRUE(info);
  EXPECT_EQ(info.value().name, "d");
  EXPECT_EQ(info.value().vendor_version, "v1 x");
}

TEST(ProbeAnswers, of_what_a_plugin_can_do) {
  const auto found = read_plugin_capabilities(
      R"({"capabilities":[{"service":{"type":"CONTROLLER_SERVICE"}},{"service":{"type":"VOLUME_ACCESSIBILITY_CONSTRAINTS"}},
          {"volume_expansion":{"type":"ONLINE"}}]})");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found.value().controller_service);
  EXPECT_TRUE(found.value().expands_online);
  EXPECT_FALSE(read_plugin_capabilities(R"({"capabilities":[{"volume_expansion":{"type":"OFFLINE"}}]})")
                   .value()
                   .expands_online);
  EXPECT_FALSE(read_plugin_capabilities("{}").value().controller_service);
}

TEST(ProbeAnswers, of_a_node) {
  const auto info = read_node_info(
      R"({"node_id":"n1","max_volumes_per_node":"128","accessible_topology":{"segments":{"zone":"a","rack":""}}})");
  ASSERT_TRUE(info);
  EXPECT_EQ(info.value().node_id, "n1");
  EXPECT_EQ(info.value().volumes_max, 128);
  EXPECT_EQ(info.value().topology, (std::map<std::string, std::string>{{"zone", "a"}, {"rack", ""}}));
}

TEST(ProbeAnswers, a_number_of_volumes_is_taken_in_any_form_and_never_below_zero) {
  const std::pair<const char*, std::int64_t> cases[] = {
      {"\"7\"", 7}, {"7", 7},   {"-1", 0},     {"\"-1\"", 0}, {"\"many\"", 0},
      {"null", 0},  {"[7]", 0}, {"\"7 \"", 0}, {"1.5", 0},    {"18446744073709551615", INT64_MAX}};
  for (const auto& [text, expected] : cases) {
    const auto info = read_node_info(std::string(R"({"node_id":"n","max_volumes_per_node":)") + text + "}");
    ASSERT_TRUE(info) << text;
    EXPECT_EQ(info.value().volumes_max, expected) << text;
  }
}

TEST(ProbeAnswers, a_node_needs_its_id) {
  for (const std::string& response :
       {std::string("{}"), std::string(), std::string(R"({"node_id":""})"), std::string(R"({"node_id":7})"),
        std::string(R"({"node_id":"a\nb"})"), R"({"node_id":")" + std::string(257, 'x') + "\"}"}) {
    const auto info = read_node_info(response);
    ASSERT_FALSE(info) << response;
    EXPECT_EQ(info.error().reason, "NoNodeId");
    EXPECT_EQ(info.error().kind, ErrorKind::Transient);
  }
}

TEST(ProbeAnswers, of_what_a_node_can_do) {
  const std::pair<const char*, bool CsiNodeCapabilities::*> cases[] = {
      {"\"STAGE_UNSTAGE_VOLUME\"", &CsiNodeCapabilities::stage_unstage},
      {"\"GET_VOLUME_STATS\"", &CsiNodeCapabilities::volume_stats},
      {"\"EXPAND_VOLUME\"", &CsiNodeCapabilities::expand},
      {"\"VOLUME_CONDITION\"", &CsiNodeCapabilities::volume_condition},
      {"\"SINGLE_NODE_MULTI_WRITER\"", &CsiNodeCapabilities::single_node_multi_writer},
      {"\"VOLUME_MOUNT_GROUP\"", &CsiNodeCapabilities::volume_mount_group},
      {"1", &CsiNodeCapabilities::stage_unstage},
      {"6", &CsiNodeCapabilities::volume_mount_group}};
  for (const auto& [type, flag] : cases) {
    const auto found =
        read_node_capabilities(std::string(R"({"capabilities":[{"rpc":{"type":)") + type + "}}]}");
    ASSERT_TRUE(found) << type;
    CsiNodeCapabilities expected;
    expected.*flag = true;
    EXPECT_EQ(found.value(), expected) << type;
  }
}

TEST(ProbeAnswers, of_what_a_controller_can_do) {
  const std::pair<const char*, bool CsiControllerCapabilities::*> cases[] = {
      {"\"CREATE_DELETE_VOLUME\"", &CsiControllerCapabilities::create_delete_volume},
      {"\"PUBLISH_UNPUBLISH_VOLUME\"", &CsiControllerCapabilities::publish_unpublish_volume},
      {"\"CREATE_DELETE_SNAPSHOT\"", &CsiControllerCapabilities::create_delete_snapshot},
      {"\"CLONE_VOLUME\"", &CsiControllerCapabilities::clone_volume},
      {"\"PUBLISH_READONLY\"", &CsiControllerCapabilities::publish_read_only},
      {"\"EXPAND_VOLUME\"", &CsiControllerCapabilities::expand_volume},
      {"\"SINGLE_NODE_MULTI_WRITER\"", &CsiControllerCapabilities::single_node_multi_writer}};
  for (const auto& [type, flag] : cases) {
    const auto found =
        read_controller_capabilities(std::string(R"({"capabilities":[{"rpc":{"type":)") + type + "}}]}");
    ASSERT_TRUE(found) << type;
    CsiControllerCapabilities expected;
    expected.*flag = true;
    EXPECT_EQ(found.value(), expected) << type;
  }
}

TEST(ProbeAnswers, what_is_of_another_type_counts_as_absent) {
  for (const char* response :
       {R"({"capabilities":7})", R"({"capabilities":{"rpc":{"type":"EXPAND_VOLUME"}}})",
        R"({"capabilities":[7,null,[]]})", R"({"capabilities":[{"rpc":"EXPAND_VOLUME"}]})",
        R"({"capabilities":[{"rpc":{"type":{}}}]})",
        R"({"capabilities":[{"rpc":{"type":"SOMETHING_LATER"}}]})"}) {
    const auto found = read_node_capabilities(response);
    ASSERT_TRUE(found) << response;
    EXPECT_EQ(found.value(), CsiNodeCapabilities()) << response;
  }
  const auto info = read_registration(R"({"type":[],"name":{},"endpoint":1,"supported_versions":"1.0"})");
  ASSERT_TRUE(info);
  EXPECT_EQ(info.value().name, "");
  EXPECT_TRUE(info.value().versions.empty());
}

TEST(ProbeAnswers, that_are_no_object_are_none) {
  for (const std::string& response :
       {std::string("["), std::string("[]"), std::string("7"), std::string("\"x\""), std::string("{\"a\":"),
        std::string("\xff\xfe"), std::string(1, '\0'), std::string(2'000'000, '['),
        std::string(2'000'000, ' ')}) {
    for (const bool is_refused : {!read_registration(response), !read_plugin_info(response),
                                  !read_plugin_capabilities(response), !read_node_info(response),
                                  !read_node_capabilities(response), !read_controller_capabilities(response)})
      EXPECT_TRUE(is_refused) << response.substr(0, 20);
    EXPECT_EQ(read_registration(response).error().reason, "BadAnswer");
    EXPECT_LT(read_registration(response).error().message.size(), 200u);
  }
}

TEST(ProbeAnswers, are_bounded) {
  std::string many = "{\"supported_versions\":[\"1.0.0\"";
  std::string segments = "{\"node_id\":\"n\",\"accessible_topology\":{\"segments\":{\"k\":\"v\"";
  for (int i = 0; i < 5000; ++i) {
    many += ",\"1." + std::to_string(i) + "\"";
    segments += ",\"k" + std::to_string(i) + "\":\"v\"";
  }
  EXPECT_EQ(read_registration(many + "]}").value().versions.size(), 64u);
  EXPECT_EQ(read_node_info(segments + "}}}").value().topology.size(), 64u);
  EXPECT_EQ(read_registration("{\"name\":\"" + std::string(100'000, 'x') + "\"}").value().name, "");
}

TEST(ProbeAnswers, of_any_bytes_are_read_without_harm) {
  const std::string whole =
      R"({"node_id":"n1","max_volumes_per_node":"128","accessible_topology":{"segments":{"zone":"a"}},"capabilities":[{"rpc":{"type":"EXPAND_VOLUME"}}],"supported_versions":["1.0.0"]})";
  Random random(20260302);
  for (int i = 0; i < 5000; ++i) {
    std::string response = whole;
    for (std::uint64_t n = random.below(4); n <= 4; ++n)
      response[random.below(response.size())] = static_cast<char>(random.below(256));
    response.resize(random.below(response.size() + 1));
    (void)read_registration(response);
    (void)read_node_capabilities(response);
    const auto info = read_node_info(response);
    if (info) {
      EXPECT_LE(info.value().node_id.size(), 256u);
    }
  }
}

TEST(RegistrationStatus, is_json_whatever_the_error_says) {
  EXPECT_EQ(registration_status(true, ""), R"({"plugin_registered":true,"error":""})");
  EXPECT_THAT(registration_status(false, "say \"no\"\n"), HasSubstr(R"("error":"say \"no\" ")"));
}

}  // namespace
}  // namespace mooring::csi
