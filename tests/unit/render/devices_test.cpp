// Raw devices in the words of each runtime.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "status/render.h"

namespace mooring {
namespace {

using nlohmann::json;

FoundDevice device(std::string source, std::string destination, std::string permissions = "mrw") {
  FoundDevice found;
  found.device = {ContainerName("c"), VolumeName("v"), std::move(source), std::move(destination),
                  std::move(permissions)};
  found.device_major = 7;
  found.device_minor = 3;
  found.mode = 0660;
  found.group = 6;
  return found;
}

std::string podman(const std::vector<FoundDevice>& devices) {
  const Result<std::string> rendered = render_podman_devices(devices);
  EXPECT_TRUE(rendered);
  return rendered ? rendered.value() : "";
}

TEST(RenderOciDevices, kb_14_are_nodes_with_the_numbers_and_rules_that_allow_them) {
  EXPECT_EQ(json::parse(render_oci_devices({device("/l", "/dev/xvda")})), json::parse(R"({"linux": {
    "devices": [{"path": "/dev/xvda", "type": "b", "major": 7, "minor": 3, "fileMode": 432, "uid": 0, "gid": 6}],
    "resources": {"devices": [{"allow": true, "type": "b", "major": 7, "minor": 3, "access": "rwm"}]}}})"));
}

TEST(RenderOciDevices, that_are_read_only_can_be_written_to_neither_by_rule_nor_by_mode) {
  const json linux_part = json::parse(render_oci_devices({device("/l", "/dev/xvda", "r")}))["linux"];
  EXPECT_EQ(linux_part["resources"]["devices"][0]["access"], "r");
  EXPECT_EQ(linux_part["devices"][0]["fileMode"], 0440);
}

TEST(RenderOciDevices, none_are_empty_lists) {
  EXPECT_EQ(json::parse(render_oci_devices({})),
            json::parse(R"({"linux": {"devices": [], "resources": {"devices": []}}})"));
}

TEST(RenderPodmanDevices, kb_14_are_a_flag_each) {
  EXPECT_EQ(podman({device("/l", "/dev/xvda"), device("/m", "/dev/xvdb", "r")}),
            "--device /l:/dev/xvda:rwm\n--device /m:/dev/xvdb:r\n");
  EXPECT_EQ(podman({}), "");
}

TEST(RenderPodmanDevices, a_blank_is_for_the_shell_only) {
  EXPECT_EQ(podman({device("/l l", "/dev/x")}), "--device '/l l:/dev/x:rwm'\n");
}

TEST(RenderPodmanDevices, a_path_that_podman_would_take_apart_is_an_error_that_names_it) {
  for (const FoundDevice& odd : {device("/l:l", "/dev/x"), device("/l", "/dev/x:y")}) {
    const auto rendered = render_podman_devices({odd});
    ASSERT_FALSE(rendered);
    EXPECT_EQ(rendered.error().reason, "DevicePathUnavailable");
    EXPECT_NE(rendered.error().message.find(':'), std::string::npos);
  }
}

TEST(RenderNspawnDevices, kb_14_are_bound_and_allowed_by_their_numbers) {
  EXPECT_EQ(render_nspawn_devices({device("/l", "/dev/xvda")}),
            "--bind=/l:/dev/xvda\n'--property=DeviceAllow=/dev/block/7:3 rwm'\n");
  EXPECT_EQ(render_nspawn_devices({device("/l:l", "/dev/xvda", "r")}),
            "'--bind-ro=/l\\:l:/dev/xvda'\n'--property=DeviceAllow=/dev/block/7:3 r'\n");
  EXPECT_EQ(render_nspawn_devices({}), "");
}

TEST(RenderCriDevices, kb_14_have_the_names_of_the_protocol) {
  EXPECT_EQ(json::parse(render_cri_devices({device("/l", "/dev/xvda"), device("/m", "/dev/xvdb", "r")})),
            json::parse(R"([{"container_path": "/dev/xvda", "host_path": "/l", "permissions": "rwm"},
                            {"container_path": "/dev/xvdb", "host_path": "/m", "permissions": "r"}])"));
  EXPECT_EQ(json::parse(render_cri_devices({})), json::array());
}

}  // namespace
}  // namespace mooring
