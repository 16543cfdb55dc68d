// What a pod's security context asks for arrives in the words of each runtime, by way of the bus.

#include <gtest/gtest.h>

#include <filesystem>

#include "node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// "whole" gives the type and the level of its label itself; "strict" insists on what Podman cannot do.
constexpr const char* text =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n"
    "  securityContext: {fsGroup: 2000, supplementalGroups: [7, 2000],"
    " seLinuxOptions: {user: u, role: r, level: s0}}\n"
    "  containers:\n"
    "  - name: whole\n    securityContext: {seLinuxOptions: {type: t, level: 's0:c1,c2'}}\n    "
    "volumeMounts:\n"
    "    - {name: disk, mountPath: /disk}\n"
    "    - {name: node, mountPath: /node, readOnly: true, recursiveReadOnly: IfPossible}\n"
    "  - name: strict\n    volumeMounts:\n"
    "    - {name: node, mountPath: /node, readOnly: true, recursiveReadOnly: Enabled}\n"
    "  volumes:\n  - {name: disk, emptyDir: {}}\n  - name: node\n    ";

class RenderTest : public ::testing::Test {
 protected:
  RenderTest() : source_(node_.dir() + "/host") {
    fs::create_directories(source_);
    node_.start();
    node_.write("web.yaml", text + host_path(source_, "Directory") + "\n");
    EXPECT_TRUE(node_.becomes_ready("web"));
  }
  Ran render(const std::string& container, const std::string& runtime, const Words& more = {}) const {
    Words words{"render", "pod/web", "-c", container, "--runtime=" + runtime};
    words.insert(words.end(), more.begin(), more.end());
    return node_.ctl()(words);
  }
  Json json(const std::string& container, const std::string& runtime, const Words& more = {}) const {
    const Ran ran = render(container, runtime, more);
    EXPECT_EQ(ran.status, 0) << ran.err;
    return Json::parse(ran.out, nullptr, /*allow_exceptions=*/false);
  }

  Node node_;
  std::string source_;
};

TEST_F(RenderTest, OciHasRecursiveMountsAndAProcess) {
  EXPECT_EQ(json("whole", "oci").at(1).at("options"), Json({"rbind", "rro", "rprivate"}));
  EXPECT_EQ(json("strict", "oci").at(0).at("options"), Json({"rbind", "rro", "rprivate"}));
  EXPECT_EQ(json("whole", "oci", {"--process"}),
            Json::parse(R"({"process": {"user": {"additionalGids": [2000, 7]},
                            "selinuxLabel": "u:r:t:s0:c1,c2"}})"));
  const Ran part = render("strict", "oci", {"--process"});
  EXPECT_EQ(Json::parse(part.out), Json::parse(R"({"process": {"user": {"additionalGids": [2000, 7]}}})"));
  EXPECT_TRUE(has(part.err, "SELinux")) << part.err;
}

TEST_F(RenderTest, CriHasTheNamesOfTheProtocol) {
  const Json mounts = json("whole", "cri");
  EXPECT_EQ(mounts.at(0).value("selinux_relabel", false), true);
  EXPECT_EQ(mounts.at(0).value("recursive_read_only", false), false);
  EXPECT_EQ(mounts.at(1).value("selinux_relabel", false), false) << "the node's own files keep their labels";
  EXPECT_EQ(mounts.at(1).value("recursive_read_only", false), true);
  EXPECT_EQ(json("strict", "cri", {"--process"}),
            Json::parse(R"({"security_context": {"supplemental_groups": [2000, 7],
                            "selinux_options": {"user": "u", "role": "r", "level": "s0"}}})"));
}

TEST_F(RenderTest, PodmanSaysWhatItCannotDoAndRefusesWhatIsRequired) {
  const std::string disk = node_.ctl().path("web", "disk");
  const Ran whole = render("whole", "podman");
  EXPECT_EQ(whole.status, 0);
  EXPECT_EQ(whole.out, "--mount type=bind,source=" + disk +
                           ",destination=/disk,bind-propagation=rprivate,relabel=private\n"
                           "--mount type=bind,source=" +
                           source_ +
                           ",destination=/node,ro=true,bind-propagation=rprivate\n"
                           "--group-add 2000\n--group-add 7\n"
                           "--security-opt label=user:u\n--security-opt label=role:r\n"
                           "--security-opt label=type:t\n--security-opt label=level:s0:c1,c2\n");
  EXPECT_TRUE(has(whole.err, "recursiveReadOnly")) << whole.err;
  const Ran strict = render("strict", "podman");
  EXPECT_EQ(strict.status, 1);
  EXPECT_EQ(strict.out, "");
  EXPECT_TRUE(has(strict.err, "Enabled") && has(strict.err, "/node")) << strict.err;
}

TEST_F(RenderTest, NspawnTakesAWholeLabelAndNoGroups) {
  const Ran whole = render("whole", "nspawn");
  EXPECT_EQ(whole.status, 0);
  EXPECT_EQ(whole.out, "--bind=" + node_.ctl().path("web", "disk") + ":/disk\n--bind-ro=" + source_ +
                           ":/node\n--selinux-context=u:r:t:s0:c1,c2\n");
  EXPECT_TRUE(has(whole.err, "supplemental groups: 2000, 7")) << whole.err;
}

TEST_F(RenderTest, AProcessIsForThoseRuntimesThatKeepItApart) {
  EXPECT_EQ(render("whole", "podman", {"--process"}).status, 2);
  EXPECT_EQ(render("whole", "nspawn", {"--process"}).status, 2);
  EXPECT_EQ(render("none", "oci", {"--process"}).status, 4);
}

TEST_F(RenderTest, AProcessIsMergedIntoABundleAsTheManualSays) {
  const std::string config = node_.dir() + "/config.json";
  const std::string process = node_.dir() + "/process.json";
  write_in_place(config, R"({"process": {"cwd": "/", "user": {"uid": 1, "gid": 1}}, "mounts": []})");
  write_in_place(process, render("whole", "oci", {"--process"}).out);
  const Ran merged = run({"jq", "--slurpfile", "p", process, ". * $p[0]", config});
  ASSERT_EQ(merged.status, 0) << merged.err;
  EXPECT_EQ(Json::parse(merged.out).at("process"),
            Json::parse(R"({"cwd": "/", "user": {"uid": 1, "gid": 1, "additionalGids": [2000, 7]},
                            "selinuxLabel": "u:r:t:s0:c1,c2"})"));
}

}  // namespace
}  // namespace mooring::integration
