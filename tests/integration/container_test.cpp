// What mooringctl renders works in real containers: crun runs them with the mounts as they are given.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;

/// Where a program is; empty if it is not in PATH.
std::string program(const std::string& name) {
  std::string path = run({"sh", "-c", "command -v " + name}).out;
  while (path.ends_with('\n'))
    path.pop_back();
  return path;
}

/// A pod whose two containers see the same volumes, the second one cannot write to them.
constexpr const char* text =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n"
    "  - name: writer\n    volumeMounts:\n"
    "    - {name: disk, mountPath: /disk}\n    - {name: memory, mountPath: /memory}\n"
    "    - {name: node, mountPath: /node}\n    - {name: config, mountPath: /config, readOnly: true}\n"
    "  - name: reader\n    volumeMounts:\n"
    "    - {name: disk, mountPath: /d, readOnly: true}\n    - {name: memory, mountPath: /m, readOnly: true}\n"
    "    - {name: node, mountPath: /n, readOnly: true}\n"
    "  volumes:\n  - {name: disk, emptyDir: {}}\n  - {name: memory, emptyDir: {medium: Memory, sizeLimit: "
    "1Mi}}\n";

class Containers : public ::testing::Test {
 protected:
  void SetUp() override {
    busybox_ = program("busybox");
    if (busybox_.empty()) GTEST_SKIP() << "busybox is not installed";
    use_one_cgroup_version();
    fs::create_directories(node_.dir() + "/host/data");
    write_in_place(node_.dir() + "/host/data/of-the-node", "content of the node");
    write_in_place(node_.dir() + "/host/config", "setting");
    make_root_file_system();
    node_.start();
    node_.write("web.yaml", std::string(text) + "  - name: node\n    " +
                                host_path(node_.dir() + "/host/data", "Directory") +
                                "\n  - name: config\n    " + host_path(node_.dir() + "/host/config", "File") +
                                "\n");
    ASSERT_TRUE(node_.becomes_ready("web"));
  }

  /// crun refuses a mix of both; in this namespace there is only the first then.
  static void use_one_cgroup_version() {
    const std::vector<Mount> mounts = mounts_below("");
    const auto is_first = [](const Mount& mount) { return mount.type == "cgroup"; };
    if (std::none_of(mounts.begin(), mounts.end(), is_first)) return;
    for (const Mount& mount : mounts) {
      if (mount.type == "cgroup2") unmount(mount.point);
    }
  }

  void TearDown() override {
    for (const std::string& name : started_)
      crun({"delete", "--force", name});
  }

  void make_root_file_system() {
    for (const char* directory : {"bin", "dev", "proc", "sys", "disk", "memory", "node", "d", "m", "n"})
      fs::create_directories(node_.dir() + "/rootfs/" + directory);
    write_in_place(node_.dir() + "/rootfs/config", "");
    fs::copy_file(busybox_, node_.dir() + "/rootfs/bin/busybox");
    for (const char* applet : {"sh", "cat", "ls", "rm", "sleep", "stat", "dd"})
      fs::create_symlink("busybox", node_.dir() + "/rootfs/bin/" + applet);
  }

  Ran crun(std::vector<std::string> words) const {
    words.insert(words.begin(), {"crun", "--root", node_.dir() + "/crun", "--cgroup-manager=disabled"});
    return run(words);
  }

  /// The mounts of a container as mooringctl gives them.
  Json mounts_of(const std::string& container) const {
    const Ran ran = node_.ctl()({"render", "pod/web", "-c", container, "--runtime=oci"});
    EXPECT_EQ(ran.status, 0) << ran.err;
    return Json::parse(ran.out, nullptr, /*allow_exceptions=*/false);
  }

  /// Starts a container that sleeps; its standard streams are of no use to anybody.
  void start(const std::string& container) {
    const std::string bundle = node_.dir() + "/bundles/" + container;
    fs::create_directories(bundle);
    const Ran made = run({"crun", "spec", "--bundle", bundle});
    ASSERT_EQ(made.status, 0) << made.err;
    Json config = Json::parse(read_file(bundle + "/config.json"));
    config["process"]["terminal"] = false;
    config["process"]["args"] = {"sleep", "86400"};
    config["root"] = {{"path", node_.dir() + "/rootfs"}, {"readonly", true}};
    for (const Json& mount : mounts_of(container))
      config["mounts"].push_back(mount);
    write_in_place(bundle + "/config.json", config.dump());
    const std::string log = node_.dir() + "/crun.log";
    Process starter({"crun", "--root", node_.dir() + "/crun", "--cgroup-manager=disabled", "run", "--detach",
                     "--bundle", bundle, container},
                    {log, {}});
    started_.push_back(container);
    ASSERT_EQ(starter.wait(default_limit), 0) << read_file(log);
  }

  Ran inside(const std::string& container, const std::string& script) const {
    return crun({"exec", container, "sh", "-c", script});
  }
  void expect_done(const std::string& container, const std::string& script) const {
    const Ran ran = inside(container, script);
    EXPECT_EQ(ran.status, 0) << script << ": " << ran.err;
  }
  void expect_refused(const std::string& container, const std::string& script) const {
    const Ran ran = inside(container, script);
    EXPECT_NE(ran.status, 0) << script;
    EXPECT_NE(ran.err.find("Read-only file system"), std::string::npos) << script << ": " << ran.err;
  }

  Node node_;
  std::string busybox_;
  std::vector<std::string> started_;
};

TEST_F(Containers, WriteAndReadTheirVolumes) {
  start("writer");
  for (const char* volume : {"disk", "memory", "node"}) {
    SCOPED_TRACE(volume);
    expect_done("writer", std::string("echo -n written > /") + volume + "/file");
    EXPECT_EQ(inside("writer", std::string("cat /") + volume + "/file").out, "written");
    EXPECT_EQ(read_file(node_.ctl().path("web", volume) + "/file"), "written");
  }
  EXPECT_EQ(inside("writer", "cat /node/of-the-node").out, "content of the node");
  EXPECT_EQ(inside("writer", "cat /config").out, "setting");
  EXPECT_EQ(inside("writer", "stat -f -c %T /memory").out, "tmpfs\n");
}

TEST_F(Containers, OfOnePodShareItsVolumesAndReadOnlyMountsRefuseWrites) {
  start("writer");
  start("reader");
  for (const auto& [writers, readers] :
       {std::pair("/disk", "/d"), std::pair("/memory", "/m"), std::pair("/node", "/n")}) {
    SCOPED_TRACE(readers);
    expect_done("writer", std::string("echo -n shared > ") + writers + "/file");
    EXPECT_EQ(inside("reader", std::string("cat ") + readers + "/file").out, "shared");
    expect_refused("reader", std::string("echo x > ") + readers + "/file");
    expect_refused("reader", std::string("rm ") + readers + "/file");
    EXPECT_EQ(inside("writer", std::string("cat ") + writers + "/file").out, "shared");
  }
  expect_refused("writer", "echo x > /config");
  EXPECT_EQ(read_file(node_.dir() + "/host/config"), "setting");
}

TEST_F(Containers, CannotPutMoreIntoAVolumeInMemoryThanItsLimit) {
  start("writer");
  const Ran ran = inside("writer", "dd if=/dev/zero of=/memory/large bs=64k count=64");
  EXPECT_NE(ran.status, 0);
  EXPECT_NE(ran.err.find("No space left"), std::string::npos) << ran.err;
  expect_done("writer", "echo -n more > /disk/file");
}

TEST_F(Containers, KeepTheirVolumesWhenMooringdIsKilledAndStartsAgain) {
  start("writer");
  expect_done("writer", "echo -n before > /memory/file");
  const std::vector<std::string> before = mount_lines(node_.root());
  node_.kill();
  expect_done("writer", "echo -n between > /memory/file");
  node_.start();
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_EQ(mount_lines(node_.root()), before);
  EXPECT_EQ(inside("writer", "cat /memory/file").out, "between");
  start("reader");  // Of the same pod, with the mounts that the new mooringd gives.
  EXPECT_EQ(inside("reader", "cat /m/file").out, "between");
}

TEST_F(Containers, ThatEndedLetTheirPodGoWithoutATraceAndLeaveTheNodesFiles) {
  start("writer");
  expect_done("writer", "echo -n x > /disk/file; echo -n x > /node/file");
  EXPECT_EQ(crun({"delete", "--force", "writer"}).status, 0);
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.becomes_gone("web"));
  EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
  EXPECT_EQ(read_file(node_.dir() + "/host/data/file"), "x");
  EXPECT_EQ(read_file(node_.dir() + "/host/data/of-the-node"), "content of the node");
}

TEST_F(Containers, ThatStillRunDoNotHoldUpThePodOrKeepItsPlace) {
  start("writer");
  expect_done("writer", "echo -n mine > /memory/file");
  node_.remove("web.yaml");
  // A container has mounts of its own: nothing of the node's is busy because of them.
  EXPECT_TRUE(node_.becomes_gone("web"));
  EXPECT_EQ(inside("writer", "cat /memory/file").out, "mine");
  EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
}

}  // namespace
}  // namespace mooring::integration
