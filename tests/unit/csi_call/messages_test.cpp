#include "csi_call/messages.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mooring::csi_call {
namespace {

using nlohmann::json;

Method method(const std::string& name) {
  const auto found = find_method(name);
  EXPECT_TRUE(found) << name;
  return found.value_or(Method());
}

TEST(Messages, KnowTheMethodsOfTheSpecification) {
  std::vector<std::string> names;
  for (const Method& one : all_methods())
    names.push_back(one.name);
  EXPECT_THAT(
      names,
      ::testing::UnorderedElementsAre(
          "csi.v1.Identity/GetPluginInfo", "csi.v1.Identity/GetPluginCapabilities", "csi.v1.Identity/Probe",
          "csi.v1.Controller/CreateVolume", "csi.v1.Controller/DeleteVolume",
          "csi.v1.Controller/ControllerPublishVolume", "csi.v1.Controller/ControllerUnpublishVolume",
          "csi.v1.Controller/ValidateVolumeCapabilities", "csi.v1.Controller/ListVolumes",
          "csi.v1.Controller/GetCapacity", "csi.v1.Controller/ControllerGetCapabilities",
          "csi.v1.Controller/CreateSnapshot", "csi.v1.Controller/DeleteSnapshot",
          "csi.v1.Controller/ListSnapshots", "csi.v1.Controller/ControllerExpandVolume",
          "csi.v1.Controller/ControllerGetVolume", "csi.v1.Controller/ControllerModifyVolume",
          "csi.v1.Node/NodeStageVolume", "csi.v1.Node/NodeUnstageVolume", "csi.v1.Node/NodePublishVolume",
          "csi.v1.Node/NodeUnpublishVolume", "csi.v1.Node/NodeGetVolumeStats", "csi.v1.Node/NodeExpandVolume",
          "csi.v1.Node/NodeGetCapabilities", "csi.v1.Node/NodeGetInfo",
          "pluginregistration.Registration/GetInfo",
          "pluginregistration.Registration/NotifyRegistrationStatus"));
  EXPECT_FALSE(find_method("csi.v1.Node"));
  EXPECT_FALSE(find_method("csi.v1.Node/"));
  EXPECT_FALSE(find_method("/csi.v1.Node/NodeGetInfo"));
}

/// Bytes that were written by hand after the specification's numbers, not by what is tested.
struct Bytes {
  const char* name;
  bool is_request;
  const char* json;
  std::string wire;
};

TEST(Messages, HaveTheNumbersOfTheSpecification) {
  using namespace std::string_literals;
  const std::vector<Bytes> all{
      {"csi.v1.Node/NodePublishVolume", true,
       R"({"volume_id":"v","publish_context":{"a":"b"},"staging_target_path":"s","target_path":"t","readonly":true,
           "secrets":{"k":"x"},"volume_context":{"c":"d"}})",
       "\x0a\x01v\x12\x06\x0a\x01"
       "a\x12\x01"
       "b\x1a\x01s\x22\x01t\x30\x01\x3a\x06\x0a\x01k\x12\x01x\x42\x06\x0a\x01"
       "c\x12\x01"
       "d"s},
      {"csi.v1.Node/NodeStageVolume", true,
       R"({"volume_id":"v","staging_target_path":"s","secrets":{"k":"x"},"volume_capability":
           {"mount":{"fs_type":"f","mount_flags":["o"],"volume_mount_group":"9"},
            "access_mode":{"mode":"SINGLE_NODE_MULTI_WRITER"}}})",
       "\x0a\x01v\x1a\x01s\x22\x0f\x12\x09\x0a\x01"
       "f\x12\x01o\x1a\x01"
       "9\x1a\x02\x08\x07\x2a\x06\x0a\x01k\x12\x01x"s},
      {"csi.v1.Node/NodeExpandVolume", true,
       R"({"volume_id":"v","volume_path":"p","capacity_range":{"required_bytes":"1","limit_bytes":2},
           "staging_target_path":"s","volume_capability":{"block":{}},"secrets":{"k":"x"}})",
       "\x0a\x01v\x12\x01p\x1a\x04\x08\x01\x10\x02\x22\x01s\x2a\x02\x0a\x00\x32\x06\x0a\x01k\x12\x01x"s},
      {"csi.v1.Node/NodeGetVolumeStats", true,
       R"({"volume_id":"v","volume_path":"p","staging_target_path":"s"})", "\x0a\x01v\x12\x01p\x1a\x01s"s},
      {"csi.v1.Node/NodeGetVolumeStats", false,
       R"({"usage":[{"available":"1","total":"2","used":"3","unit":"INODES"}],
           "volume_condition":{"abnormal":true,"message":"m"}})",
       "\x0a\x08\x08\x01\x10\x02\x18\x03\x20\x02\x12\x05\x08\x01\x12\x01m"s},
      {"csi.v1.Node/NodeGetCapabilities", false,
       R"({"capabilities":[{"rpc":{"type":"VOLUME_MOUNT_GROUP"}}]})", "\x0a\x04\x0a\x02\x08\x06"s},
      {"csi.v1.Node/NodeGetInfo", false,
       R"({"node_id":"n","max_volumes_per_node":"5","accessible_topology":{"segments":{"z":"1"}}})",
       "\x0a\x01n\x10\x05\x1a\x08\x0a\x06\x0a\x01z\x12\x01"
       "1"s},
      {"csi.v1.Identity/GetPluginCapabilities", false,
       R"({"capabilities":[{"service":{"type":"CONTROLLER_SERVICE"}},{"volume_expansion":{"type":"ONLINE"}}]})",
       "\x0a\x04\x0a\x02\x08\x01\x0a\x04\x12\x02\x08\x01"s},
      {"csi.v1.Identity/Probe", false, R"({"ready":false})", "\x0a\x00"s},
      {"csi.v1.Controller/CreateVolume", true,
       R"({"name":"n","capacity_range":{"required_bytes":"1"},"parameters":{"a":"b"},"secrets":{"k":"x"},
           "volume_content_source":{"volume":{"volume_id":"w"}},
           "accessibility_requirements":{"requisite":[{}],"preferred":[{}]},"mutable_parameters":{"c":"d"}})",
       "\x0a\x01n\x12\x02\x08\x01\x22\x06\x0a\x01"
       "a\x12\x01"
       "b\x2a\x06\x0a\x01k\x12\x01x\x32\x05\x12\x03\x0a\x01w\x3a\x04\x0a\x00\x12\x00\x42\x06\x0a\x01"
       "c\x12\x01"
       "d"s},
      {"csi.v1.Controller/CreateVolume", false,
       R"({"volume":{"capacity_bytes":"7","volume_id":"v","volume_context":{},
           "content_source":{"snapshot":{"snapshot_id":"s"}},"accessible_topology":[]}})",
       "\x0a\x0c\x08\x07\x12\x01v\x22\x05\x0a\x03\x0a\x01s"s},
      {"csi.v1.Controller/ControllerExpandVolume", false,
       R"({"capacity_bytes":"7","node_expansion_required":true})", "\x08\x07\x10\x01"s},
      {"csi.v1.Controller/CreateSnapshot", false,
       R"({"snapshot":{"size_bytes":"7","snapshot_id":"s","source_volume_id":"v",
           "creation_time":"1970-01-01T00:00:05Z","ready_to_use":true,"group_snapshot_id":""}})",
       "\x0a\x0e\x08\x07\x12\x01s\x1a\x01v\x22\x02\x08\x05\x28\x01"s},
      {"pluginregistration.Registration/GetInfo", false,
       R"({"type":"CSIPlugin","name":"n","endpoint":"e","supported_versions":["1"]})",
       "\x0a\x09"
       "CSIPlugin\x12\x01n\x1a\x01"
       "e\x22\x01"
       "1"s},
      {"pluginregistration.Registration/NotifyRegistrationStatus", true,
       R"({"plugin_registered":true,"error":"e"})",
       "\x08\x01\x12\x01"
       "e"s},
  };
  for (const Bytes& one : all) {
    const Method found = method(one.name);
    const auto& type = one.is_request ? *found.request : *found.response;
    const auto wire = to_wire(type, one.json);
    ASSERT_TRUE(wire) << one.name;
    EXPECT_EQ(wire->expose_secret(), one.wire) << one.name;
    const auto back = to_json(type, one.wire);
    ASSERT_TRUE(back) << one.name;
    EXPECT_TRUE(to_wire(type, *back).value_or(SecretBytes()) == *wire) << *back;
    if (one.is_request) continue;
    EXPECT_EQ(json::parse(*back), json::parse(one.json)) << one.name;
  }
}

TEST(Messages, AFieldThatIsNotThereHasItsDefault) {
  const auto text = to_json(*method("csi.v1.Node/NodeGetInfo").response, "");
  ASSERT_TRUE(text);
  EXPECT_EQ(json::parse(*text), json({{"node_id", ""}, {"max_volumes_per_node", "0"}}));
}

TEST(Messages, AFieldOrAValueOfALaterVersionIsPassedOver) {
  // Field 99, and a capability that is not known.
  const auto text = to_json(*method("csi.v1.Node/NodeGetCapabilities").response,
                            "\x9a\x06\x01x\x0a\x04\x0a\x02\x08\x63\x0a\x04\x0a\x02\x08\x01");
  ASSERT_TRUE(text);
  EXPECT_EQ(json::parse(*text), json::parse(R"({"capabilities":[{"rpc":{"type":99}},
                                                {"rpc":{"type":"STAGE_UNSTAGE_VOLUME"}}]})"));
}

TEST(Messages, WhatIsNoMessageIsRefused) {
  const auto& type = *method("csi.v1.Node/NodePublishVolume").request;
  for (const char* text : {"", "{", "[]", "1", R"({"volume_idea":"v"})", R"({"readonly":"perhaps"})",
                           R"({"volume_id":{}})", R"({"volume_capability":{"block":{},"mount":{}}})"})
    EXPECT_FALSE(to_wire(type, text)) << text;
  for (const char* wire : {"\xff", "\x0a\x05v", "\x0a\x01\xff"})
    EXPECT_FALSE(to_json(type, wire)) << wire;
}

TEST(Messages, AllSecretsAreMarkedAndFound) {
  int marked = 0;
  for (const Method& one : all_methods()) {
    const auto* field = one.request->FindFieldByName("secrets");
    if (field == nullptr) continue;
    ++marked;
    const auto wire = to_wire(*one.request, R"({"secrets":{"a":"first","b":"second"}})");
    ASSERT_TRUE(wire) << one.name;
    std::vector<std::string> found;
    for (const SecretBytes& secret : secrets_in(*one.request, wire->expose_secret()))
      found.push_back(secret.expose_secret());
    EXPECT_THAT(found, ::testing::UnorderedElementsAre("first", "second")) << one.name;
  }
  EXPECT_EQ(marked, 13);
  const auto& publish = *method("csi.v1.Node/NodePublishVolume").request;
  EXPECT_TRUE(
      secrets_in(publish, to_wire(publish, R"({"volume_context":{"a":"b"}})")->expose_secret()).empty());
}

TEST(CsiMessages, tokens_of_a_service_account_are_secrets_wherever_they_are_and_each_by_itself) {
  const auto& publish = *method("csi.v1.Node/NodePublishVolume").request;
  const std::string tokens = R"({"vault":{"token":"eyJhbGciOiJub25lIn0.payload.x"}})";
  const nlohmann::json request{
      {"volume_context", {{"a", "b"}, {"csi.storage.k8s.io/serviceAccount.tokens", tokens}}}};
  std::vector<std::string> found;
  for (const SecretBytes& secret : secrets_in(publish, to_wire(publish, request.dump())->expose_secret()))
    found.push_back(secret.expose_secret());
  EXPECT_THAT(found, ::testing::UnorderedElementsAre(tokens, "eyJhbGciOiJub25lIn0.payload.x"));
}

}  // namespace
}  // namespace mooring::csi_call
