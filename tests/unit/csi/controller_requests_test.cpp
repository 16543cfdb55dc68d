// What a controller service is asked, as it is sent.

#include "csi/controller_requests.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mooring::csi {
namespace {

using nlohmann::json;

json read(const SecretBytes& request) {
  return json::parse(request.expose_secret());
}

const CsiCapability mount{false, "ext4", {"noatime"}, "", CsiAccessMode::SingleNodeWriter};
const CsiCapability block{true, "", {}, "", CsiAccessMode::MultiNodeMultiWriter};
const Secrets secrets{{"password", SecretBytes("x\"y\n")}};

TEST(ControllerRequests, create_volume_says_all_that_was_asked_for) {
  CsiVolumeRequest request{"pvc-1", 5'000'000'000'000, 7, {mount, block}, {{"type", "fast"}}, {}, {}, {}};
  request.source = {CsiContentSource::Kind::Snapshot, "snap-1"};
  request.requisite = {{{"zone", "a"}}, {{"zone", "b"}}};
  request.preferred = {{{"zone", "b"}}};
  EXPECT_EQ(read(create_volume_request(request, secrets)), json::parse(R"({
      "name": "pvc-1",
      "capacity_range": {"required_bytes": "5000000000000", "limit_bytes": "7"},
      "volume_capabilities": [
        {"mount": {"fs_type": "ext4", "mount_flags": ["noatime"]}, "access_mode": {"mode": "SINGLE_NODE_WRITER"}},
        {"block": {}, "access_mode": {"mode": "MULTI_NODE_MULTI_WRITER"}}],
      "parameters": {"type": "fast"},
      "secrets": {"password": "x\"y\n"},
      "volume_content_source": {"snapshot": {"snapshot_id": "snap-1"}},
      "accessibility_requirements": {
        "requisite": [{"segments": {"zone": "a"}}, {"segments": {"zone": "b"}}],
        "preferred": [{"segments": {"zone": "b"}}]}})"));
}

TEST(ControllerRequests, create_volume_leaves_out_what_nobody_asked_for) {
  EXPECT_EQ(read(create_volume_request({"pvc-1", 0, 0, {block}, {}, {}, {}, {}}, {})), json::parse(R"({
      "name": "pvc-1",
      "volume_capabilities": [{"block": {}, "access_mode": {"mode": "MULTI_NODE_MULTI_WRITER"}}]})"));
}

TEST(ControllerRequests, a_clone_names_its_volume) {
  CsiVolumeRequest request{"pvc-2", 0, 0, {}, {}, {CsiContentSource::Kind::Volume, "vol-1"}, {}, {}};
  EXPECT_EQ(read(create_volume_request(request, {}))["volume_content_source"],
            json::parse(R"({"volume": {"volume_id": "vol-1"}})"));
}

TEST(ControllerRequests, the_others_are_as_the_protocol_has_them) {
  const std::string volume = "vol-1";
  const std::string node = "n1";
  const std::string name = "snapshot-7";
  const Context context{{"a", "b"}};
  const Context nothing;
  const std::pair<SecretBytes, const char*> cases[] = {
      {delete_volume_request(volume, secrets),
       R"({"volume_id": "vol-1", "secrets": {"password": "x\"y\n"}})"},
      {delete_volume_request(volume, {}), R"({"volume_id": "vol-1"})"},
      {controller_publish_request({volume, node, mount, true, secrets, context}),
       R"({"volume_id": "vol-1", "node_id": "n1",
           "volume_capability": {"mount": {"fs_type": "ext4", "mount_flags": ["noatime"]},
                                 "access_mode": {"mode": "SINGLE_NODE_WRITER"}},
           "readonly": true, "secrets": {"password": "x\"y\n"}, "volume_context": {"a": "b"}})"},
      {controller_unpublish_request(volume, node, secrets),
       R"({"volume_id": "vol-1", "node_id": "n1", "secrets": {"password": "x\"y\n"}})"},
      {controller_expand_request({volume, 9'000'000'000, block, {}}),
       R"({"volume_id": "vol-1", "capacity_range": {"required_bytes": "9000000000"},
           "volume_capability": {"block": {}, "access_mode": {"mode": "MULTI_NODE_MULTI_WRITER"}}})"},
      {create_snapshot_request({volume, name, secrets, context}),
       R"({"source_volume_id": "vol-1", "name": "snapshot-7", "secrets": {"password": "x\"y\n"},
           "parameters": {"a": "b"}})"},
      {create_snapshot_request({volume, name, {}, nothing}),
       R"({"source_volume_id": "vol-1", "name": "snapshot-7"})"},
      {delete_snapshot_request("snap-1", secrets),
       R"({"snapshot_id": "snap-1", "secrets": {"password": "x\"y\n"}})"}};
  for (const auto& [request, expected] : cases)
    EXPECT_EQ(read(request), json::parse(expected)) << expected;
}

}  // namespace
}  // namespace mooring::csi
