// What a pod's security context asks for arrives in the words of each runtime, by way of the bus.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "crun.h"
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

/// Lets go of the loop devices of all files below a directory, and before them of the loop devices on those.
void detach_loops_below(const std::string& directory) {
  std::istringstream list(run({"losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE"}).out);
  Words own;
  std::vector<std::pair<std::string, std::string>> others;
  for (std::string name, file, line; std::getline(list, line);) {
    std::istringstream(line) >> name >> file;
    if (file.starts_with(directory + "/")) {
      own.push_back(name);
    } else {
      others.emplace_back(name, file);
    }
  }
  for (const auto& [name, file] : others) {
    if (std::find(own.begin(), own.end(), file) != own.end()) run({"losetup", "--detach", name});
  }
  for (const std::string& name : own)
    run({"losetup", "--detach", name});
}

/// The pod "raw" on an image: "disk" has it as a device, "none" has nothing.
class RenderDeviceTest : public RenderTest {
 protected:
  RenderDeviceTest() {
    const std::string storage =
        "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: pv}\nspec:\n  capacity: {storage: 8Mi}\n"
        "  accessModes: [ReadWriteOnce]\n  volumeMode: Block\n"
        "  claimRef: {namespace: default, name: claim}\n"
        "  csi: {driver: block.mooring.io, volumeHandle: data, volumeAttributes: {size: 8Mi, image: " +
        node_.dir() + "/data.img}}\n---\n";
    const std::string claim =
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: claim}\nspec:\n"
        "  accessModes: [ReadWriteOnce]\n  volumeMode: Block\n  volumeName: pv\n  storageClassName: ''\n"
        "  resources: {requests: {storage: 8Mi}}\n";
    node_.write("storage.yaml", storage + claim);
    node_.write("raw.yaml",
                "apiVersion: v1\nkind: Pod\nmetadata: {name: raw}\nspec:\n  containers:\n"
                "  - {name: disk, volumeDevices: [{name: v, devicePath: /dev/xvda}]}\n  - {name: none}\n"
                "  volumes: [{name: v, persistentVolumeClaim: {claimName: claim}}]\n");
    EXPECT_TRUE(node_.becomes_ready("raw"));
    link_ = node_.ctl().path("raw", "v");
    EXPECT_EQ(::stat(link_.c_str(), &status_), 0) << link_;
  }
  ~RenderDeviceTest() override {
    node_.kill();
    unmount_all(node_.root());
    detach_loops_below(node_.dir());
  }
  Ran raw(const Words& words) const {
    Words all{"render", "pod/raw"};
    all.insert(all.end(), words.begin(), words.end());
    return node_.ctl()(all);
  }
  std::string answer(const Words& words) const {
    const Ran ran = node_.ctl()(words);
    EXPECT_EQ(ran.status, 0) << ran.err;
    return ran.out;
  }
  std::string numbers() const {
    return std::to_string(major(status_.st_rdev)) + ":" + std::to_string(minor(status_.st_rdev));
  }

  std::string link_;
  struct stat status_ {};
};

TEST_F(RenderDeviceTest, EachRuntimeGetsTheDeviceInItsOwnWords) {
  const Json bundle = Json::parse(raw({"--runtime=oci", "--devices"}).out).at("linux");
  const Json& node = bundle.at("devices").at(0);
  EXPECT_EQ(node.at("path"), "/dev/xvda");
  EXPECT_EQ(node.at("type"), "b");
  EXPECT_EQ(node.at("major"), major(status_.st_rdev));
  EXPECT_EQ(node.at("minor"), minor(status_.st_rdev));
  EXPECT_EQ(node.at("fileMode"), status_.st_mode & 0777);
  EXPECT_EQ(bundle.at("resources").at("devices").at(0).at("access"), "rwm");
  EXPECT_EQ(Json::parse(raw({"--runtime=cri", "--devices"}).out),
            Json::array({{{"container_path", "/dev/xvda"}, {"host_path", link_}, {"permissions", "rwm"}}}));
  EXPECT_EQ(raw({"--runtime=podman"}).out, "--device " + link_ + ":/dev/xvda:rwm\n");
  EXPECT_EQ(raw({"--runtime=nspawn"}).out,
            "--bind=" + link_ + ":/dev/xvda\n'--property=DeviceAllow=/dev/block/" + numbers() + " rwm'\n");
  EXPECT_EQ(raw({"-c", "none", "--runtime=podman"}).out, "");
  const Ran mounts = raw({"--runtime=oci"});
  EXPECT_EQ(Json::parse(mounts.out), Json::array());
  EXPECT_TRUE(has(mounts.err, "--devices")) << mounts.err;
  EXPECT_EQ(raw({"--runtime=oci", "--devices", "--process"}).status, 2);
  EXPECT_EQ(raw({"--runtime=podman", "--devices"}).status, 2);
}

TEST_F(RenderDeviceTest, ADeviceThatIsMissingIsAnErrorAndNeverLeftOut) {
  fs::remove(link_);
  for (const Words& words : {Words{"--runtime=oci", "--devices"}, Words{"--runtime=cri", "--devices"},
                             Words{"--runtime=podman"}, Words{"--runtime=nspawn"}}) {
    const Ran ran = raw(words);
    EXPECT_EQ(ran.status, 1) << words[0];
    EXPECT_EQ(ran.out, "");
    EXPECT_TRUE(has(ran.err, link_) && has(ran.err, "volume v")) << ran.err;
  }
  write_in_place(link_, "no device");
  EXPECT_TRUE(has(raw({"--runtime=podman"}).err, "leads to no block device"));
}

TEST_F(RenderDeviceTest, ADeviceIsPutIntoABundleAsTheManualSays) {
  const std::string config = node_.dir() + "/config.json";
  const std::string devices = node_.dir() + "/devices.json";
  write_in_place(config, R"({"linux": {"resources": {"devices": [{"allow": false, "access": "rwm"}]}}})");
  write_in_place(devices, raw({"--runtime=oci", "--devices"}).out);
  const Ran merged = run({"jq", "--slurpfile", "d", devices,
                          ".linux.devices += $d[0].linux.devices"
                          " | .linux.resources.devices += $d[0].linux.resources.devices",
                          config});
  ASSERT_EQ(merged.status, 0) << merged.err;
  const Json result = Json::parse(merged.out).at("linux");
  EXPECT_EQ(result.at("devices").size(), 1U);
  ASSERT_EQ(result.at("resources").at("devices").size(), 2U);
  EXPECT_EQ(result.at("resources").at("devices").at(0).at("allow"), false);
}

TEST_F(RenderDeviceTest, ARealContainerReadsAndWritesItsDevice) {
  Crun crun(node_);
  crun.start("raw", "disk");
  crun.expect_done("disk", "echo hello | dd of=/dev/xvda conv=notrunc,fsync 2>&1");
  EXPECT_TRUE(read_file(node_.dir() + "/data.img").starts_with("hello\n"));
  EXPECT_EQ(crun.output("disk", "stat -c %t:%T /dev/xvda"), run({"stat", "-L", "-c", "%t:%T", link_}).out);
  crun.start("raw", "none");
  crun.expect_refused("none", "stat /dev/xvda", "No such file");
}

TEST_F(RenderDeviceTest, DevicesAreAKindOfTheirOwn) {
  const std::string key = "kubernetes.io/block/data";
  const std::string table = answer({"get", "devices"});
  EXPECT_TRUE(table.starts_with("NAME ")) << table;
  EXPECT_TRUE(has(table, key) && has(table, node_.dir() + "/data.img") && has(table, "default/raw/v"))
      << table;
  EXPECT_TRUE(has(answer({"get", "devices", "-o", "wide"}), "NEXT TRY"));
  EXPECT_EQ(answer({"get", "devices", "-o", "name"}), "device/" + key + "\n");
  const Json one = node_.ctl().json({"get", "device/" + key});
  EXPECT_EQ(one.at("kind"), "Device");
  EXPECT_EQ(one.at("phase"), "Ready");
  EXPECT_EQ(one.at("users"), Json({"default/raw/v"}));
  EXPECT_EQ(node_.ctl().json({"get", "devices"}).at("kind"), "DeviceList");
  EXPECT_EQ(node_.ctl().json({"dump"}).at("devices").size(), 1U);
  EXPECT_EQ(node_.ctl()({"get", "devices", "other"}).status, 4);
  EXPECT_EQ(node_.ctl()({"describe", "device", "other"}).status, 4);
  EXPECT_TRUE(has(answer({"describe", "device", key}), "users:      default/raw/v"));
  const std::string explained = answer({"explain", "pod/raw/v"});
  EXPECT_TRUE(has(explained, link_) && has(explained, node_.dir() + "/data.img (" + key + ")")) << explained;
  EXPECT_TRUE(has(answer({"explain", "pod/raw"}), "(" + key + ")"));
  EXPECT_TRUE(has(answer({"tree"}), "container disk as /dev/xvda"));
  node_.remove("raw.yaml");
  EXPECT_TRUE(node_.eventually([&] { return answer({"get", "devices", "-o", "name"}).empty(); }));
}

}  // namespace
}  // namespace mooring::integration
