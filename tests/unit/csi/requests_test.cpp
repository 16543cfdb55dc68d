// What a driver is sent (kubelet-behaviours 15.3, 15.7), with the names of the .proto.

#include "csi/requests.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mooring::csi {
namespace {

using nlohmann::json;

const std::string id = "vol-1";
const std::string staged = "/k/globalmount";
const std::string target = "/k/mount";
const Context none;
const Secrets no_secrets;

json parsed(const SecretBytes& request) {
  return json::parse(request.expose_secret());
}

CsiCapability mount_capability() {
  CsiCapability capability;
  capability.fs_type = "ext4";
  capability.mount_flags = {"noatime", "ro"};
  return capability;
}

TEST(CsiRequests, kb_15_3_stage) {
  const Context publish{{"devicePath", "/dev/x"}};
  const Context attributes{{"a", "b"}, {"empty", ""}};
  const Secrets secrets{{"password", SecretBytes("p\"\\\n\x01 ü")}};
  const CsiCapability capability = mount_capability();
  const json expected{
      {"volume_id", id},
      {"publish_context", {{"devicePath", "/dev/x"}}},
      {"staging_target_path", staged},
      {"volume_capability",
       {{"mount", {{"fs_type", "ext4"}, {"mount_flags", {"noatime", "ro"}}}},
        {"access_mode", {{"mode", "SINGLE_NODE_WRITER"}}}}},
      {"secrets", {{"password", "p\"\\\n\x01 ü"}}},
      {"volume_context", {{"a", "b"}, {"empty", ""}}},
  };
  EXPECT_EQ(parsed(stage_request({id, publish, staged, capability, secrets, attributes})), expected);
}

TEST(CsiRequests, kb_15_3_publish) {
  const CsiCapability capability;
  const json expected{
      {"volume_id", id},
      {"target_path", target},
      {"volume_capability", {{"mount", json::object()}, {"access_mode", {{"mode", "SINGLE_NODE_WRITER"}}}}},
      {"readonly", true}};
  // Without the capability to stage there is no staging path, and what is empty is not sent.
  EXPECT_EQ(parsed(publish_request({id, none, "", target, capability, true, no_secrets, none})), expected);
  const json other = parsed(publish_request({id, none, staged, target, capability, false, no_secrets, none}));
  EXPECT_EQ(other["staging_target_path"], staged);
  EXPECT_FALSE(other.contains("readonly"));
}

TEST(CsiRequests, kb_15_3_tokens_go_into_the_volume_context) {
  const CsiCapability capability;
  const Context attributes{{"a", "b"}};
  const SecretBytes tokens(R"({"vault":{"token":"t"}})");
  PublishRequest request{id, none, "", target, capability, false, no_secrets, attributes, &tokens};
  EXPECT_EQ(parsed(publish_request(request))["volume_context"],
            json({{"a", "b"}, {tokens_key, R"({"vault":{"token":"t"}})"}}));
  const SecretBytes nothing;
  request.tokens = &nothing;
  EXPECT_EQ(parsed(publish_request(request))["volume_context"], json({{"a", "b"}}));
}

TEST(CsiRequests, kb_15_5_a_raw_device_has_no_type_and_no_flags) {
  CsiCapability capability = mount_capability();
  capability.is_block = true;
  capability.volume_mount_group = "2000";
  capability.access_mode = CsiAccessMode::MultiNodeMultiWriter;
  const json request =
      parsed(publish_request({id, none, staged, target, capability, false, no_secrets, none}));
  const json expected{{"block", json::object()}, {"access_mode", {{"mode", "MULTI_NODE_MULTI_WRITER"}}}};
  EXPECT_EQ(request["volume_capability"], expected);
}

TEST(CsiRequests, kb_15_6_the_group_goes_into_the_capability) {
  CsiCapability capability;
  capability.volume_mount_group = "2000";
  const json request = parsed(stage_request({id, none, staged, capability, no_secrets, none}));
  EXPECT_EQ(request["volume_capability"]["mount"], json({{"volume_mount_group", "2000"}}));
}

TEST(CsiRequests, kb_15_3_the_way_down_needs_no_more_than_id_and_path) {
  EXPECT_EQ(parsed(unpublish_request(id, target)), json({{"volume_id", id}, {"target_path", target}}));
  EXPECT_EQ(parsed(unstage_request(id, staged)), json({{"volume_id", id}, {"staging_target_path", staged}}));
}

TEST(CsiRequests, kb_15_7_expand_and_stats) {
  const CsiCapability capability;
  const Secrets secrets{{"k", SecretBytes("v")}};
  const json request =
      parsed(expand_request({id, target, 18446744073709551615U, staged, capability, secrets}));
  EXPECT_EQ(request["capacity_range"], json({{"required_bytes", "18446744073709551615"}}));
  EXPECT_EQ(request["volume_path"], target);
  EXPECT_EQ(request["staging_target_path"], staged);
  EXPECT_EQ(request["secrets"], json({{"k", "v"}}));
  EXPECT_TRUE(request.contains("volume_capability"));
  EXPECT_FALSE(parsed(expand_request({id, target, 0, "", capability, secrets})).contains("capacity_range"));
  EXPECT_EQ(parsed(stats_request(id, target, staged)),
            json({{"volume_id", id}, {"volume_path", target}, {"staging_target_path", staged}}));
}

TEST(CsiRequests, kb_15_3_pod_info) {
  Context context{{"share", "x"}};
  add_pod_info({"web", "shop", "u-1", "default", true}, context);
  const Context expected{{"share", "x"},
                         {"csi.storage.k8s.io/pod.name", "web"},
                         {"csi.storage.k8s.io/pod.namespace", "shop"},
                         {"csi.storage.k8s.io/pod.uid", "u-1"},
                         {"csi.storage.k8s.io/serviceAccount.name", "default"},
                         {"csi.storage.k8s.io/ephemeral", "true"}};
  EXPECT_EQ(context, expected);
  add_pod_info({"web", "shop", "u-1", "default", false}, context);
  EXPECT_EQ(context.at("csi.storage.k8s.io/ephemeral"), "false");
}

TEST(CsiRequests, a_request_is_written_into_memory_that_is_never_moved) {
  const Secrets secrets{{"password", SecretBytes(std::string(5000, '"'))}};
  const CsiCapability capability;
  const SecretBytes request = stage_request({id, none, staged, capability, secrets, none});
  EXPECT_EQ(parsed(request)["secrets"]["password"], std::string(5000, '"'));
}

}  // namespace
}  // namespace mooring::csi
