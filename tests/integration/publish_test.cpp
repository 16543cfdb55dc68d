// What a pod's local volumes are like when they are ready.

#include <gtest/gtest.h>
#include <sys/statvfs.h>

#include <filesystem>

#include "node.h"

namespace mooring::integration {
namespace {

class Publish : public ::testing::Test {
 protected:
  Publish() : node_(NodeOptions{.umask = 077}) {
    std::filesystem::create_directory(node_.dir() + "/host");
    write_in_place(node_.dir() + "/host/file", "of the host");
    node_.start();
    const std::string host = node_.dir() + "/host/";
    std::string text = pod_text("web", {{"default", empty_dir},
                                        {"memory", memory_dir},
                                        {"unchecked", host_path(host + "nothing")},
                                        {"directory", host_path(host + ".", "Directory")},
                                        {"file", host_path(host + "file", "File")},
                                        {"made-directory", host_path(host + "a/b", "DirectoryOrCreate")},
                                        {"made-file", host_path(host + "made", "FileOrCreate")}});
    text.replace(text.find("{name: web}"), 11, "{name: web, uid: 0b5c7a52-0000-4000-8000-000000000001}");
    node_.write("web.yaml", text);
    EXPECT_TRUE(node_.becomes_ready("web"));
  }

  Node node_;
  const std::string uid_ = "0b5c7a52-0000-4000-8000-000000000001";
};

TEST_F(Publish, VolumesLieWhereTheContractSays) {
  EXPECT_EQ(node_.ctl().uid("web"), uid_);
  EXPECT_EQ(node_.ctl().path("web", "default"), node_.volume_path(uid_, "empty-dir", "default"));
  EXPECT_EQ(node_.ctl().path("web", "memory"), node_.volume_path(uid_, "empty-dir", "memory"));
  EXPECT_EQ(node_.ctl().path("web", "file"), node_.dir() + "/host/file");
  EXPECT_TRUE(std::filesystem::is_directory(node_.volume_path(uid_, "empty-dir", "default")));
}

TEST_F(Publish, ModesDoNotDependOnTheUmask) {
  EXPECT_EQ(mode_of(node_.volume_path(uid_, "empty-dir", "default")), 0777U);
  EXPECT_EQ(mode_of(node_.volume_path(uid_, "empty-dir", "memory")), 01777U);
  EXPECT_EQ(mode_of(node_.dir() + "/host/a"), 0755U);
  EXPECT_EQ(mode_of(node_.dir() + "/host/a/b"), 0755U);
  EXPECT_EQ(mode_of(node_.dir() + "/host/made"), 0644U);
}

TEST_F(Publish, MemoryIsATmpfsOfTheLimitsSize) {
  const std::string path = node_.volume_path(uid_, "empty-dir", "memory");
  const auto mounts = mounts_at(path);
  ASSERT_EQ(mounts.size(), 1U);
  EXPECT_EQ(mounts.front().type, "tmpfs");
  struct statvfs file_system {};
  ASSERT_EQ(statvfs(path.c_str(), &file_system), 0);
  EXPECT_EQ(file_system.f_blocks * file_system.f_frsize, 1024U * 1024U);
}

TEST_F(Publish, NothingElseIsMountedOrMade) {
  EXPECT_EQ(mounts_below(node_.root()).size(), 1U);
  EXPECT_FALSE(is_there(node_.dir() + "/host/nothing"));
  EXPECT_EQ(read_file(node_.dir() + "/host/file"), "of the host");
  EXPECT_EQ(names_in(node_.root() + "/pods"), std::vector<std::string>{uid_});
}

TEST_F(Publish, GetPodsFollowsTheContract) {
  const Json list = node_.ctl().json({"get", "pods"});
  EXPECT_EQ(list.at("apiVersion"), "mooring.io/v1");
  EXPECT_EQ(list.at("kind"), "PodList");
  ASSERT_EQ(list.at("items").size(), 1U);
  const Json& pod = list.at("items").at(0);
  EXPECT_EQ(pod.at("metadata"), Json({{"namespace", "default"}, {"name", "web"}, {"uid", uid_}}));
  EXPECT_EQ(pod.at("ready"), true);
  ASSERT_EQ(pod.at("volumes").size(), 7U);
  for (const Json& volume : pod.at("volumes")) {
    EXPECT_TRUE(volume.at("name").is_string());
    const std::string plugin = volume.at("plugin");
    EXPECT_TRUE(plugin == "kubernetes.io/empty-dir" || plugin == "kubernetes.io/host-path") << plugin;
    EXPECT_EQ(volume.at("phase"), "Ready");
    EXPECT_TRUE(volume.at("path").get<std::string>().starts_with("/"));
    EXPECT_EQ(volume.at("attempts"), 0);
    EXPECT_EQ(volume.at("since").get<std::string>().find('T'), 10U);
    EXPECT_FALSE(volume.contains("nextRetry"));
  }
}

TEST_F(Publish, RenderGivesTheMountsOfAContainerAsJson) {
  const Ran ran = node_.ctl()({"render", "pod/web", "-c", "c", "--runtime=oci"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const Json mounts = Json::parse(ran.out);
  ASSERT_EQ(mounts.size(), 7U);
  for (const Json& mount : mounts) {
    if (mount.at("destination") != "/memory") continue;
    EXPECT_EQ(mount.at("type"), "bind");
    EXPECT_EQ(mount.at("source"), node_.volume_path(uid_, "empty-dir", "memory"));
    EXPECT_EQ(mount.at("options"), Json({"rbind", "rw", "rprivate"}));
  }
}

TEST_F(Publish, GetContainerMountsAnswersForOneContainerAndForAll) {
  std::string error;
  EXPECT_EQ(node_.bus().container_mounts("web", "c", error), 7) << error;
  EXPECT_EQ(node_.bus().container_mounts("web", "", error), 7) << error;
  EXPECT_EQ(node_.bus().container_mounts("web", "other", error), -1);
  EXPECT_EQ(error, "NoSuchContainer");
  EXPECT_EQ(node_.bus().container_mounts("other", "c", error), -1);
  EXPECT_EQ(error, "NoSuchPod");
}

TEST_F(Publish, APodWithoutItsManifestLeavesNothing) {
  write_in_place(node_.volume_path(uid_, "empty-dir", "default") + "/content", "x");
  write_in_place(node_.volume_path(uid_, "empty-dir", "memory") + "/content", "x");
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.becomes_gone("web"));
  EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
  EXPECT_EQ(read_file(node_.dir() + "/host/file"), "of the host");
  EXPECT_TRUE(is_there(node_.dir() + "/host/a/b"));
}

TEST_F(Publish, SignalsTellReadyAndGoneOnce) {
  node_.write("other.yaml", pod_text("other", {{"data", empty_dir}}));
  EXPECT_TRUE(node_.eventually([&] { return node_.bus().ready().size() == 2; }));
  node_.remove("other.yaml");
  EXPECT_TRUE(node_.eventually([&] { return !node_.bus().gone().empty(); }));
  EXPECT_EQ(node_.bus().ready(), (std::vector<std::string>{"web", "other"}));
  EXPECT_EQ(node_.bus().gone(), std::vector<std::string>{"other"});
}

TEST(RealManifests, EmptyDirPodBecomesReadyUnmodified) {
  Node node;
  node.start();
  node.write("pod.yaml", read_file(std::string(MANIFESTS_DIR) + "/volume-emptyDir.yaml"));
  EXPECT_TRUE(node.becomes_ready("emptydir-pod"));
  const Ran ran = node.ctl()({"render", "pod/emptydir-pod", "-c", "c2", "--runtime=oci"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(Json::parse(ran.out).at(0).at("destination"), "/path2");
}

TEST(RealManifests, HostPathPodWaitsForItsDirectoryWithTheReason) {
  Node node;
  node.start();
  node.write("pod.yaml", read_file(std::string(MANIFESTS_DIR) + "/volume-hostPath.yaml"));
  if (is_there("/data")) {  // The machine's own; it is only looked at.
    EXPECT_EQ(node.becomes_ready("hostpath-pod", Millis(2'000)), std::filesystem::is_directory("/data"));
    return;
  }
  EXPECT_TRUE(node.gets_reason("hostpath-pod", "data-volume", "HostPathCheckFailed"));
  EXPECT_NE(node.ctl().message("hostpath-pod", "data-volume").find("check that /data is a Directory"),
            std::string::npos);
  EXPECT_FALSE(is_there("/data"));
}

}  // namespace
}  // namespace mooring::integration
