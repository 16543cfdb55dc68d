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
  EXPECT_EQ(render_podman({mount("/a", "/b", true, "rslave")}),
            "--mount type=bind,source=/a,destination=/b,ro=true,bind-propagation=rslave\n");
}

TEST(RenderPodman, a_writable_mount_says_nothing_of_ro) {
  EXPECT_EQ(render_podman({mount("/a", "/b")}),
            "--mount type=bind,source=/a,destination=/b,bind-propagation=rprivate\n");
}

TEST(RenderPodman, a_comma_makes_a_csv_field_and_the_shell_keeps_its_quotes) {
  EXPECT_EQ(render_podman({mount("/a,b", "/c")}),
            "--mount 'type=bind,\"source=/a,b\",destination=/c,bind-propagation=rprivate'\n");
}

TEST(RenderPodman, a_quote_is_doubled) {
  EXPECT_EQ(render_podman({mount("/a", "/c\"d")}),
            "--mount 'type=bind,source=/a,\"destination=/c\"\"d\",bind-propagation=rprivate'\n");
}

TEST(RenderPodman, a_blank_is_for_the_shell_only) {
  EXPECT_EQ(render_podman({mount("/a b", "/c")}),
            "--mount 'type=bind,source=/a b,destination=/c,bind-propagation=rprivate'\n");
}

TEST(RenderPodman, a_line_for_each_mount_and_nothing_for_none) {
  EXPECT_EQ(render_podman({}), "");
  EXPECT_EQ(render_podman({mount("/a", "/b"), mount("/c", "/d")}),
            "--mount type=bind,source=/a,destination=/b,bind-propagation=rprivate\n"
            "--mount type=bind,source=/c,destination=/d,bind-propagation=rprivate\n");
}

TEST(RenderNspawn, access_is_in_the_flag) {
  EXPECT_EQ(render_nspawn({mount("/a", "/b"), mount("/c", "/d", true)}), "--bind=/a:/b\n--bind-ro=/c:/d\n");
}

TEST(RenderNspawn, colons_and_backslashes_are_escaped) {
  EXPECT_EQ(render_nspawn({mount("/a:b", "/c\\d")}), "'--bind=/a\\:b:/c\\\\d'\n");
}

TEST(RenderNspawn, a_propagation_that_has_no_flag_is_known) {
  EXPECT_FALSE(nspawn_cannot_propagate(mount("/a", "/b")));
  EXPECT_TRUE(nspawn_cannot_propagate(mount("/a", "/b", false, "rslave")));
  EXPECT_TRUE(nspawn_cannot_propagate(mount("/a", "/b", false, "rshared")));
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

}  // namespace
}  // namespace mooring
