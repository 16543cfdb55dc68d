// What others do below the root directory: their mounts and files are never touched, what they took away is
// made again, and as soon as they are out of the way Mooring goes on by itself.

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>

#include "node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;

/// The next try is at least 3.2 seconds away after so many failures, so that only an event can be quicker.
constexpr int many_attempts = 4;
constexpr Millis at_once{2'500};

void bind_mount(const std::string& source, const std::string& target) {
  EXPECT_EQ(mount(source.c_str(), target.c_str(), nullptr, MS_BIND, nullptr), 0) << target;
}

class Foreign : public ::testing::Test {
 protected:
  Foreign() {
    node_.start();
    node_.write("web.yaml", text_);
    EXPECT_TRUE(node_.becomes_ready("web"));
    uid_ = node_.ctl().uid("web");
    fs::create_directory(host_);
    write_in_place(host_ + "/file", "of the host");
  }

  std::string path(const std::string& volume) const { return node_.volume_path(uid_, "empty-dir", volume); }
  int attempts(const std::string& volume) const {
    const Json found = node_.ctl().volume("web", volume);
    return found.is_null() ? 0 : found.value("attempts", 0);
  }
  /// The pod's manifest goes, and the teardown of one volume is held up by what is mounted at `at`.
  void expect_held_by(const std::string& volume, const std::string& at) {
    node_.remove("web.yaml");
    EXPECT_TRUE(node_.gets_reason("web", volume, "MountedBelow"));
    EXPECT_NE(node_.ctl().message("web", volume).find(at), std::string::npos)
        << node_.ctl().message("web", volume);
    EXPECT_EQ(node_.ctl().phase("web", volume), "Unpublishing");
    EXPECT_NE(node_.ctl()({"explain", "pod/web"}).out.find(at), std::string::npos);
    EXPECT_TRUE(node_.eventually([&] { return attempts(volume) >= many_attempts; }));
  }
  void expect_gone_at_once() {
    EXPECT_TRUE(node_.eventually([&] { return !is_there(node_.root() + "/pods/" + uid_); }, at_once))
        << node_.ctl().pod("web").dump(2);
    EXPECT_TRUE(node_.becomes_gone("web"));
    EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
  }

  const std::string text_ = pod_text("web", {{"data", empty_dir}, {"memory", memory_dir}});
  Node node_;
  const std::string host_ = node_.dir() + "/host";
  std::string uid_;
};

TEST_F(Foreign, AMountInsideAVolumeHoldsItsTeardownUntilItGoes) {
  const std::string inside = path("data") + "/deep/inside";
  fs::create_directories(inside);
  mount_tmpfs(inside, "");
  write_in_place(inside + "/file", "not Mooring's");
  write_in_place(path("data") + "/own", "of the pod");
  expect_held_by("data", inside);
  EXPECT_EQ(read_file(inside + "/file"), "not Mooring's");
  EXPECT_EQ(read_file(path("data") + "/own"), "of the pod") << "a volume goes whole or not at all";
  EXPECT_FALSE(is_there(path("memory"))) << "one volume holds up no other";
  unmount(inside);
  expect_gone_at_once();
}

// A bind of the same file system has the same device number: only the mount tells that it is not of the
// volume.
TEST_F(Foreign, ABindOfAHostDirectoryIsNotEmptied) {
  const std::string inside = path("data") + "/bound";
  fs::create_directory(inside);
  bind_mount(host_, inside);
  EXPECT_EQ(read_file(inside + "/file"), "of the host");
  expect_held_by("data", inside);
  unmount(inside);
  expect_gone_at_once();
  EXPECT_EQ(read_file(host_ + "/file"), "of the host");
}

TEST_F(Foreign, ABindOfAFileIsNotRemoved) {
  const std::string inside = path("data") + "/bound-file";
  write_in_place(inside, "");
  bind_mount(host_ + "/file", inside);
  expect_held_by("data", inside);
  EXPECT_EQ(read_file(inside), "of the host");
  unmount(inside);
  expect_gone_at_once();
  EXPECT_EQ(read_file(host_ + "/file"), "of the host");
}

TEST_F(Foreign, AMountInsideAMemoryVolumeHoldsItsTeardownUntilItGoes) {
  const std::string inside = path("memory") + "/inside";
  fs::create_directory(inside);
  mount_tmpfs(inside, "");
  write_in_place(inside + "/file", "not Mooring's");
  expect_held_by("memory", inside);
  EXPECT_EQ(read_file(inside + "/file"), "not Mooring's");
  EXPECT_EQ(mounts_at(path("memory")).size(), 1U);
  unmount(inside);
  expect_gone_at_once();
}

TEST_F(Foreign, AMountOnADirectoryVolumeHoldsItsTeardownUntilItGoes) {
  write_in_place(path("data") + "/own", "of the pod");
  mount_tmpfs(path("data"), "");
  write_in_place(path("data") + "/file", "not Mooring's");
  expect_held_by("data", path("data"));
  EXPECT_EQ(read_file(path("data") + "/file"), "not Mooring's");
  unmount(path("data"));
  expect_gone_at_once();
}

// Both are a tmpfs: only their number tells.
TEST_F(Foreign, AMountOnAMemoryVolumeHoldsItsTeardownUntilItGoes) {
  mount_tmpfs(path("memory"), "");
  write_in_place(path("memory") + "/file", "not Mooring's");
  expect_held_by("memory", path("memory"));
  EXPECT_EQ(mounts_at(path("memory")).size(), 2U);
  EXPECT_EQ(read_file(path("memory") + "/file"), "not Mooring's");
  unmount(path("memory"));
  expect_gone_at_once();
}

TEST_F(Foreign, APodThatReturnsWhileItIsHeldKeepsItsData) {
  const std::string inside = path("data") + "/inside";
  fs::create_directory(inside);
  mount_tmpfs(inside, "");
  write_in_place(path("data") + "/own", "of the pod");
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.gets_reason("web", "data", "MountedBelow"));
  node_.write("web.yaml", text_);
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_EQ(read_file(path("data") + "/own"), "of the pod");
  EXPECT_EQ(node_.ctl().reason("web", "data"), "");
  unmount(inside);
  EXPECT_TRUE(node_.stays([&] { return read_file(path("data") + "/own") == "of the pod"; }, Millis(200)));
}

TEST_F(Foreign, AMemoryVolumeThatSomebodyUnmountsIsMadeAgainAndSaid) {
  write_in_place(path("memory") + "/content", "x");
  node_.bus().process();
  node_.bus().forget_signals();
  unmount(path("memory"));
  EXPECT_TRUE(node_.eventually([&] { return node_.bus().has_event("MountVanished", "memory"); }));
  EXPECT_TRUE(node_.eventually([&] { return mounts_at(path("memory")).size() == 1; }));
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_TRUE(names_in(path("memory")).empty());
  EXPECT_EQ(mode_of(path("memory")), 01777U);
  EXPECT_TRUE(node_.eventually([&] { return node_.bus().ready() == std::vector<std::string>{"web"}; }))
      << "who waits for the pod is not told that it is ready again";
}

TEST_F(Foreign, ABusyMemoryVolumeIsReportedAndGoesWhenItIsFree) {
  write_in_place(path("memory") + "/content", "x");
  Process user({"tail", "-f", path("memory") + "/content"}, {node_.dir() + "/tail", {}});
  // Only once the file is open does it keep the volume busy.
  ASSERT_TRUE(node_.eventually([&] { return read_file(node_.dir() + "/tail") == "x"; }));
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.gets_reason("web", "memory", "Busy"));
  EXPECT_NE(node_.ctl().message("web", "memory").find("kubernetes.io~empty-dir/memory"), std::string::npos);
  EXPECT_TRUE(node_.eventually([&] { return node_.ctl().volume("web", "memory").contains("nextRetry"); }));
  EXPECT_EQ(read_file(path("memory") + "/content"), "x") << "unmounted lazily or by force";
  EXPECT_EQ(mounts_at(path("memory")).size(), 1U);
  EXPECT_FALSE(user.wait(Millis(0)).has_value());
  user.kill();
  EXPECT_TRUE(node_.becomes_gone("web"));
  EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
}

TEST_F(Foreign, ABusyVolumeHoldsUpNoOtherPod) {
  write_in_place(path("memory") + "/content", "x");
  Process user({"tail", "-f", path("memory") + "/content"}, {node_.dir() + "/tail", {}});
  ASSERT_TRUE(node_.eventually([&] { return read_file(node_.dir() + "/tail") == "x"; }));
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.gets_reason("web", "memory", "Busy"));
  node_.write("db.yaml", pod_text("db", {{"memory", memory_dir}}));
  EXPECT_TRUE(node_.becomes_ready("db"));
  node_.remove("db.yaml");
  EXPECT_TRUE(node_.becomes_gone("db"));
  EXPECT_EQ(mounts_at(path("memory")).size(), 1U);
  user.kill();
  EXPECT_TRUE(node_.becomes_gone("web"));
}

// A container can put any link into its volume.
TEST_F(Foreign, NoLinkInAVolumeIsFollowed) {
  fs::create_directories(path("data") + "/a/b");
  fs::create_symlink(host_, path("data") + "/directory");
  fs::create_symlink(host_ + "/file", path("data") + "/a/file");
  fs::create_symlink("../../../../../../../../../..", path("data") + "/a/b/up");
  fs::create_hard_link(host_ + "/file", path("data") + "/a/hard");
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.becomes_gone("web"));
  EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
  EXPECT_EQ(read_file(host_ + "/file"), "of the host");
  EXPECT_EQ(fs::hard_link_count(host_ + "/file"), 1U);
}

TEST_F(Foreign, ALinkInThePlaceOfAVolumeIsNotFollowed) {
  fs::remove(path("data"));
  fs::create_symlink(host_, path("data"));
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.eventually([&] { return !is_there(path("memory")); }));
  EXPECT_TRUE(node_.eventually([&] { return !node_.ctl().message("web", "data").empty(); }));
  EXPECT_EQ(read_file(host_ + "/file"), "of the host");
  fs::remove(path("data"));
  EXPECT_EQ(node_.ctl()({"retry"}).status, 0);
  EXPECT_TRUE(node_.becomes_gone("web"));
  EXPECT_EQ(read_file(host_ + "/file"), "of the host");
}

// The way to the volume goes through a link: what lies behind it is not Mooring's.
TEST_F(Foreign, ALinkOnTheWayToAVolumeIsNotFollowed) {
  const std::string volumes = fs::path(path("data")).parent_path();
  fs::create_directory(host_ + "/data");
  write_in_place(host_ + "/data/file", "of the host");
  fs::rename(volumes, node_.dir() + "/aside");  // With the tmpfs in it.
  fs::create_symlink(host_, volumes);
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.eventually([&] { return !node_.ctl().message("web", "data").empty(); }));
  EXPECT_TRUE(node_.stays([&] { return read_file(host_ + "/data/file") == "of the host"; }, Millis(300)));
  EXPECT_NE(node_.ctl().pod("web"), Json());
}

// What waits for its removal may have a mount in it too, made in the last moment or by hand.
TEST_F(Foreign, AMountInTheTrashIsNotEmptied) {
  EXPECT_EQ(node_.stop(), 0);
  const std::string left = node_.root() + "/trash/left";
  fs::create_directories(left + "/a/inside");
  mount_tmpfs(left + "/a/inside", "");
  write_in_place(left + "/a/inside/file", "not Mooring's");
  node_.start();
  EXPECT_TRUE(node_.gets_problem(left + "/a/inside"));
  EXPECT_TRUE(node_.gets_problem("trash/left: "));
  EXPECT_EQ(read_file(left + "/a/inside/file"), "not Mooring's");
  unmount(left + "/a/inside");
  EXPECT_EQ(node_.ctl()({"retry"}).status, 0);
  EXPECT_TRUE(node_.eventually([&] { return !is_there(left); }));
  EXPECT_TRUE(node_.loses_problem("trash/left"));
}

TEST_F(Foreign, AFileThatSomebodyPutIntoAPodsDirectoryStaysAndIsNamed) {
  const std::string file = node_.root() + "/pods/" + uid_ + "/note";
  write_in_place(file, "not Mooring's");
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.eventually([&] {
    return node_.ctl()({"explain", "pod/web"}).out.find("note") != std::string::npos;
  })) << node_.ctl()({"explain", "pod/web"}).out;
  EXPECT_EQ(read_file(file), "not Mooring's");
  fs::remove(file);
  EXPECT_EQ(node_.ctl()({"retry"}).status, 0);
  EXPECT_TRUE(node_.becomes_gone("web"));
}

}  // namespace
}  // namespace mooring::integration
