#include "status/render.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mooring {
namespace {

using nlohmann::json;

ContainerMount mount(std::string source, std::string destination, bool read_only = false,
                     std::string propagation = "private") {
  ContainerMount made;
  made.container = ContainerName("c");
  made.volume = VolumeName("v");
  made.source = std::move(source);
  made.destination = std::move(destination);
  made.read_only = read_only;
  made.propagation = std::move(propagation);
  return made;
}

/// What the pod asks for when it asks for everything.
ContainerSecurity whole_security() {
  ContainerSecurity security;
  security.fs_group = 2000;
  security.supplemental_groups = {2000, 7};
  security.selinux_user = "system_u";
  security.selinux_role = "system_r";
  security.selinux_type = "container_t";
  security.selinux_level = "s0:c1,c2";
  return security;
}

ContainerSecurity only_level() {
  ContainerSecurity security;
  security.selinux_level = "s0:c1,c2";
  return security;
}

ContainerMount recursive(ContainerMount made, bool is_required = false) {
  made.read_only = true;
  made.recursive_read_only = true;
  made.recursive_read_only_required = is_required;
  return made;
}

ContainerMount relabelled(ContainerMount made) {
  made.selinux_relabel = true;
  return made;
}

std::string podman(const std::vector<ContainerMount>& mounts, const ContainerSecurity& security = {}) {
  const Result<std::string> rendered = render_podman(mounts, security);
  EXPECT_TRUE(rendered);
  return rendered ? rendered.value() : "";
}

TEST(RenderOci, a_mount_is_a_recursive_bind_with_access_and_propagation) {
  const json array = json::parse(render_oci({mount("/a", "/b"), mount("/c", "/d", true, "rslave")}));
  const json expected = json::parse(R"([
    {"destination": "/b", "type": "bind", "source": "/a", "options": ["rbind", "rw", "rprivate"]},
    {"destination": "/d", "type": "bind", "source": "/c", "options": ["rbind", "ro", "rslave"]}])");
  EXPECT_EQ(array, expected);
}

TEST(RenderOci, bidirectional_is_rshared) {
  const json array = json::parse(render_oci({mount("/a", "/b", false, "rshared")}));
  EXPECT_EQ(array[0]["options"], json({"rbind", "rw", "rshared"}));
}

TEST(RenderOci, rro_stands_in_the_place_of_ro_required_or_not) {
  const json array =
      json::parse(render_oci({recursive(mount("/a", "/b")), recursive(mount("/a", "/c"), true)}));
  EXPECT_EQ(array[0]["options"], json({"rbind", "rro", "rprivate"}));
  EXPECT_EQ(array[1]["options"], json({"rbind", "rro", "rprivate"}));
}

TEST(RenderOci, a_relabelled_mount_is_as_any_other) {
  EXPECT_EQ(render_oci({relabelled(mount("/a", "/b"))}), render_oci({mount("/a", "/b")}));
}

TEST(RenderOciProcess, gives_the_groups_and_the_label) {
  EXPECT_EQ(json::parse(render_oci_process(whole_security())), json::parse(R"({"process": {
    "user": {"additionalGids": [2000, 7]}, "selinuxLabel": "system_u:system_r:container_t:s0:c1,c2"}})"));
  EXPECT_TRUE(render_oci_process_leaves_out(whole_security()).empty());
}

TEST(RenderOciProcess, gives_only_what_is_asked_for) {
  EXPECT_EQ(json::parse(render_oci_process({})), json::parse(R"({"process": {}})"));
  EXPECT_TRUE(render_oci_process_leaves_out({}).empty());
}

TEST(RenderOciProcess, leaves_out_a_label_that_is_not_whole_and_tells_it) {
  EXPECT_EQ(json::parse(render_oci_process(only_level())), json::parse(R"({"process": {}})"));
  EXPECT_EQ(render_oci_process_leaves_out(only_level()).size(), 1u);
}

TEST(SelinuxLabel, is_there_only_if_all_four_parts_are) {
  EXPECT_EQ(selinux_label(whole_security()), "system_u:system_r:container_t:s0:c1,c2");
  for (std::string ContainerSecurity::*part :
       {&ContainerSecurity::selinux_user, &ContainerSecurity::selinux_role, &ContainerSecurity::selinux_type,
        &ContainerSecurity::selinux_level}) {
    ContainerSecurity security = whole_security();
    security.*part = "";
    EXPECT_EQ(selinux_label(security), std::nullopt);
  }
}

TEST(RenderOci, no_mounts_are_an_empty_array) {
  EXPECT_EQ(json::parse(render_oci({})), json::array());
}

TEST(RenderOci, a_path_with_quotes_newlines_and_backslashes_is_still_json) {
  const std::string odd = "/a\"b\\c\nd\te";
  EXPECT_EQ(json::parse(render_oci({mount(odd, "/x")}))[0]["source"], odd);
}

TEST(RenderOci, a_path_that_is_not_utf8_is_still_json) {
  EXPECT_TRUE(json::accept(render_oci({mount("/a\xff", "/x")})));
}

TEST(RenderPodman, plain_paths_need_no_quotes) {
  EXPECT_EQ(podman({mount("/a", "/b", true, "rslave")}),
            "--mount type=bind,source=/a,destination=/b,ro=true,bind-propagation=rslave\n");
}

TEST(RenderPodman, a_writable_mount_says_nothing_of_ro) {
  EXPECT_EQ(podman({mount("/a", "/b")}),
            "--mount type=bind,source=/a,destination=/b,bind-propagation=rprivate\n");
}

TEST(RenderPodman, a_comma_makes_a_csv_field_and_the_shell_keeps_its_quotes) {
  EXPECT_EQ(podman({mount("/a,b", "/c")}),
            "--mount 'type=bind,\"source=/a,b\",destination=/c,bind-propagation=rprivate'\n");
}

TEST(RenderPodman, a_quote_is_doubled) {
  EXPECT_EQ(podman({mount("/a", "/c\"d")}),
            "--mount 'type=bind,source=/a,\"destination=/c\"\"d\",bind-propagation=rprivate'\n");
}

TEST(RenderPodman, a_blank_is_for_the_shell_only) {
  EXPECT_EQ(podman({mount("/a b", "/c")}),
            "--mount 'type=bind,source=/a b,destination=/c,bind-propagation=rprivate'\n");
}

TEST(RenderPodman, a_line_for_each_mount_and_nothing_for_none) {
  EXPECT_EQ(podman({}), "");
  EXPECT_EQ(podman({mount("/a", "/b"), mount("/c", "/d")}),
            "--mount type=bind,source=/a,destination=/b,bind-propagation=rprivate\n"
            "--mount type=bind,source=/c,destination=/d,bind-propagation=rprivate\n");
}

TEST(RenderPodman, propagation_is_by_its_recursive_name) {
  EXPECT_EQ(podman({mount("/a", "/b", false, "rshared")}),
            "--mount type=bind,source=/a,destination=/b,bind-propagation=rshared\n");
}

TEST(RenderPodman, a_recursion_that_is_required_is_an_error_that_names_the_mount) {
  const auto rendered = render_podman({recursive(mount("/a", "/b"), true)}, {});
  ASSERT_FALSE(rendered);
  EXPECT_EQ(rendered.error().reason, "RecursiveReadOnlyUnavailable");
  EXPECT_NE(rendered.error().message.find("/b"), std::string::npos) << rendered.error().message;
}

TEST(RenderPodman, a_recursion_if_possible_is_plain_ro_and_told) {
  EXPECT_EQ(podman({recursive(mount("/a", "/b"))}), podman({mount("/a", "/b", true)}));
  EXPECT_EQ(render_podman_leaves_out({recursive(mount("/a", "/b")), mount("/a", "/c", true)}).size(), 1u);
}

TEST(RenderPodman, groups_and_label_are_flags_after_the_mounts) {
  EXPECT_EQ(podman({relabelled(mount("/a", "/b"))}, whole_security()),
            "--mount type=bind,source=/a,destination=/b,bind-propagation=rprivate,relabel=private\n"
            "--group-add 2000\n--group-add 7\n"
            "--security-opt label=user:system_u\n--security-opt label=role:system_r\n"
            "--security-opt label=type:container_t\n--security-opt label=level:s0:c1,c2\n");
}

TEST(RenderPodman, a_part_of_a_label_is_given_as_it_is) {
  EXPECT_EQ(podman({}, only_level()), "--security-opt label=level:s0:c1,c2\n");
}

TEST(RenderPodman, relabelling_needs_a_pod_that_says_something_of_selinux_and_a_level_to_be_private) {
  EXPECT_EQ(podman({relabelled(mount("/a", "/b"))}), podman({mount("/a", "/b")}));
  ContainerSecurity only_type;
  only_type.selinux_type = "t";
  EXPECT_EQ(podman({relabelled(mount("/a", "/b"))}, only_type),
            "--mount type=bind,source=/a,destination=/b,bind-propagation=rprivate,relabel=shared\n"
            "--security-opt label=type:t\n");
  EXPECT_EQ(podman({mount("/a", "/b")}, only_type),
            "--mount type=bind,source=/a,destination=/b,bind-propagation=rprivate\n"
            "--security-opt label=type:t\n");
}

TEST(RenderPodman, a_label_from_a_manifest_is_one_word_for_the_shell) {
  ContainerSecurity odd;
  odd.selinux_type = "t; rm x";
  EXPECT_EQ(podman({}, odd), "--security-opt 'label=type:t; rm x'\n");
}

TEST(RenderNspawn, access_is_in_the_flag) {
  EXPECT_EQ(render_nspawn({mount("/a", "/b"), mount("/c", "/d", true)}, {}),
            "--bind=/a:/b\n--bind-ro=/c:/d\n");
}

TEST(RenderNspawn, colons_and_backslashes_are_escaped) {
  EXPECT_EQ(render_nspawn({mount("/a:b", "/c\\d")}, {}), "'--bind=/a\\:b:/c\\\\d'\n");
}

TEST(RenderNspawn, a_propagation_that_has_no_flag_is_told) {
  EXPECT_TRUE(render_nspawn_leaves_out({mount("/a", "/b")}, {}).empty());
  for (const std::string propagation : {"rslave", "rshared"}) {
    const auto lines = render_nspawn_leaves_out({mount("/a", "/b", false, propagation)}, {});
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0], "systemd-nspawn has no flag for the propagation \"" + propagation + "\" of /b");
  }
}

TEST(RenderNspawn, bind_ro_is_recursive_by_itself) {
  EXPECT_EQ(render_nspawn({recursive(mount("/a", "/b"), true)}, {}), "--bind-ro=/a:/b\n");
  EXPECT_TRUE(render_nspawn_leaves_out({recursive(mount("/a", "/b"), true)}, {}).empty());
}

TEST(RenderNspawn, a_whole_label_is_given_and_groups_and_relabelling_are_told) {
  EXPECT_EQ(render_nspawn({relabelled(mount("/a", "/b"))}, whole_security()),
            "--bind=/a:/b\n--selinux-context=system_u:system_r:container_t:s0:c1,c2\n");
  const auto lines = render_nspawn_leaves_out({relabelled(mount("/a", "/b"))}, whole_security());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[0].find("/a"), std::string::npos) << lines[0];
  EXPECT_EQ(lines[1], "systemd-nspawn has no flag for supplemental groups: 2000, 7");
}

TEST(RenderNspawn, a_label_that_is_not_whole_is_left_out_and_told) {
  EXPECT_EQ(render_nspawn({mount("/a", "/b")}, only_level()), "--bind=/a:/b\n");
  EXPECT_EQ(render_nspawn_leaves_out({mount("/a", "/b")}, only_level()).size(), 1u);
}

TEST(RenderNspawn, without_selinux_in_the_pod_nothing_is_said_of_relabelling) {
  EXPECT_TRUE(render_nspawn_leaves_out({relabelled(mount("/a", "/b"))}, {}).empty());
}

TEST(RenderCri, names_are_those_of_the_protocol) {
  const json array = json::parse(render_cri(
      {mount("/a", "/b"), mount("/c", "/d", true, "rslave"), mount("/e", "/f", false, "rshared")}));
  const json expected = json::parse(R"([
    {"container_path": "/b", "host_path": "/a", "readonly": false, "propagation": "PROPAGATION_PRIVATE"},
    {"container_path": "/d", "host_path": "/c", "readonly": true,
     "propagation": "PROPAGATION_HOST_TO_CONTAINER"},
    {"container_path": "/f", "host_path": "/e", "readonly": false,
     "propagation": "PROPAGATION_BIDIRECTIONAL"}])");
  EXPECT_EQ(array, expected);
}

TEST(RenderCri, recursion_and_relabelling_are_there_where_they_are_true) {
  const json array = json::parse(render_cri({relabelled(recursive(mount("/a", "/b"))), mount("/a", "/c")}));
  EXPECT_EQ(array[0], json::parse(R"({"container_path": "/b", "host_path": "/a", "readonly": true,
    "propagation": "PROPAGATION_PRIVATE", "recursive_read_only": true, "selinux_relabel": true})"));
  EXPECT_FALSE(array[1].contains("recursive_read_only"));
  EXPECT_FALSE(array[1].contains("selinux_relabel"));
}

TEST(RenderCriSecurity, gives_only_what_is_asked_for) {
  EXPECT_EQ(json::parse(render_cri_security(whole_security())), json::parse(R"({"security_context": {
    "supplemental_groups": [2000, 7], "selinux_options": {"user": "system_u", "role": "system_r",
    "type": "container_t", "level": "s0:c1,c2"}}})"));
  EXPECT_EQ(json::parse(render_cri_security(only_level())),
            json::parse(R"({"security_context": {"selinux_options": {"level": "s0:c1,c2"}}})"));
  EXPECT_EQ(json::parse(render_cri_security({})), json::parse(R"({"security_context": {}})"));
}

}  // namespace
}  // namespace mooring
