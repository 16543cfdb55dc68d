// Mounts that pass between the node and containers, and what is mounted below a volume that is only read.

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <algorithm>
#include <filesystem>

#include "crun.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;

const ContainerOptions privileged{0, true, "rshared"};
const ContainerOptions follows{0, false, "rslave"};

/// The root directory is on a shared mount, as on most nodes, but nothing of it reaches the machine.
class Propagation : public ::testing::Test {
 protected:
  Propagation() {
    share(node_.root());
    share(host_);
    node_.start();
  }
  static void share(const std::string& directory) {
    fs::create_directories(directory);
    EXPECT_EQ(mount(directory.c_str(), directory.c_str(), nullptr, MS_BIND, nullptr), 0);
    EXPECT_EQ(mount(nullptr, directory.c_str(), nullptr, MS_SHARED, nullptr), 0);
  }
  void want(const std::string& mounts, const std::string& volume) {
    node_.write("web.yaml",
                "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n"
                "  - name: main\n    securityContext: {privileged: true}\n    volumeMounts:\n" +
                    mounts + "  volumes:\n  - name: data\n    " + volume + "\n");
    ASSERT_TRUE(node_.becomes_ready("web")) << node_.ctl()({"explain", "pod/web"}).out;
    volume_ = node_.ctl().path("web", "data");
  }
  void share_volume(const std::string& volume) {
    want("    - {name: data, mountPath: /data, mountPropagation: Bidirectional}\n", volume);
  }
  /// A container mounts something in its volume, and the node sees it.
  void leave_a_mount() {
    crun_.start("web", "main", privileged);
    crun_.expect_done("main",
                      "mkdir -p /data/left/deep && mount -t tmpfs left /data/left && mkdir /data/left/deep"
                      " && mount -t tmpfs deep /data/left/deep && echo -n x > /data/left/file");
    EXPECT_EQ(read_file(volume_ + "/left/file"), "x");
    ASSERT_EQ(mounts_below(volume_ + "/left").size(), 2U);
  }
  void expect_nothing_left() {
    EXPECT_TRUE(node_.becomes_gone("web", Millis(5'000))) << node_.ctl()({"explain", "pod/web"}).out;
    EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }, Millis(5'000)));
    EXPECT_EQ(mounts_below(node_.root()).size(), 1U) << "the root directory's own";
  }

  Node node_;
  Crun crun_{node_};
  const std::string host_ = node_.dir() + "/host";
  std::string volume_;
};

TEST_F(Propagation, WhatAContainerLeftMountedIsUnmountedWithItsPod) {
  for (const char* volume : {empty_dir, memory_dir}) {
    SCOPED_TRACE(volume);
    share_volume(volume);
    leave_a_mount();
    crun_.end("main");
    EXPECT_EQ(mounts_below(volume_ + "/left").size(), 2U) << "it outlives its container";
    node_.remove("web.yaml");
    expect_nothing_left();
  }
}

TEST_F(Propagation, WhatARunningContainerHasMountedIsUnmountedToo) {
  share_volume(empty_dir);
  leave_a_mount();
  node_.remove("web.yaml");
  expect_nothing_left();
}

TEST_F(Propagation, WhatAContainerMountedOverItsVolumeIsUnmountedAndTheVolumeRemoved) {
  for (const char* volume : {empty_dir, memory_dir}) {
    SCOPED_TRACE(volume);
    share_volume(volume);
    write_in_place(volume_ + "/content", "x");
    const std::size_t before = mounts_at(volume_).size();
    crun_.start("web", "main", privileged);
    crun_.expect_done("main", "mount -t tmpfs over /data");
    ASSERT_EQ(mounts_at(volume_).size(), before + 1);
    crun_.end("main");
    node_.remove("web.yaml");
    expect_nothing_left();
  }
}

TEST_F(Propagation, WhatWasLeftIsUnmountedByTheNextMooringd) {
  share_volume(memory_dir);
  leave_a_mount();
  crun_.end("main");
  node_.kill();
  node_.remove("web.yaml");
  node_.start();
  expect_nothing_left();
}

TEST_F(Propagation, WhatIsLeftInANodesDirectoryIsTheNodes) {
  fs::create_directories(host_ + "/data");
  share_volume(host_path(host_ + "/data", "Directory"));
  leave_a_mount();
  crun_.end("main");
  node_.remove("web.yaml");
  expect_nothing_left();
  EXPECT_EQ(mounts_below(host_ + "/data").size(), 2U);
}

TEST_F(Propagation, WhatAPartsContainerLeftIsUnmountedWithItsPod) {
  want("    - {name: data, mountPath: /data, subPath: part, mountPropagation: Bidirectional}\n", empty_dir);
  crun_.start("web", "main", privileged);
  crun_.expect_done("main", "mkdir /data/left && mount -t tmpfs left /data/left");
  EXPECT_EQ(mounts_at(volume_ + "/part/left").size(), 1U) << "a part is a peer of its volume";
  crun_.end("main");
  node_.remove("web.yaml");
  expect_nothing_left();
}

TEST_F(Propagation, WhatAPartOfANodesDirectoryGotStaysThere) {
  fs::create_directories(host_ + "/data/part");
  want("    - {name: data, mountPath: /data, subPath: part, mountPropagation: Bidirectional}\n",
       host_path(host_ + "/data", "Directory"));
  crun_.start("web", "main", privileged);
  crun_.expect_done("main", "mkdir /data/left && mount -t tmpfs left /data/left");
  crun_.end("main");
  node_.remove("web.yaml");
  expect_nothing_left();
  EXPECT_EQ(mounts_at(host_ + "/data/part/left").size(), 1U);
}

TEST_F(Propagation, WhatTheNodeMountsBelowAPartOfItsDirectoryDoesNotHoldThePod) {
  fs::create_directories(host_ + "/data/part/later");
  want("    - {name: data, mountPath: /data, subPath: part}\n", host_path(host_ + "/data", "Directory"));
  mount_tmpfs(host_ + "/data/part/later", "");
  node_.remove("web.yaml");
  expect_nothing_left();
  EXPECT_EQ(mounts_at(host_ + "/data/part/later").size(), 1U);
}

TEST_F(Propagation, OnlyWhoAsksForItSeesWhatTheNodeMountsLater) {
  want(
      "    - {name: data, mountPath: /follows, mountPropagation: HostToContainer}\n"
      "    - {name: data, mountPath: /shares, mountPropagation: Bidirectional}\n"
      "    - {name: data, mountPath: /stays}\n",
      empty_dir);
  fs::create_directory(volume_ + "/later");
  crun_.start("web", "main", privileged);
  crun_.start("web", "main", follows, "unprivileged");
  mount_tmpfs(volume_ + "/later", "");
  write_in_place(volume_ + "/later/file", "x");
  for (const char* container : {"main", "unprivileged"}) {
    SCOPED_TRACE(container);
    EXPECT_EQ(crun_.output(container, "ls /follows/later"), "file\n");
    EXPECT_EQ(crun_.output(container, "ls /stays/later"), "");
  }
  EXPECT_EQ(crun_.output("main", "ls /shares/later"), "file\n");
  unmount(volume_ + "/later");
  EXPECT_EQ(crun_.output("main", "ls /follows/later"), "");
}

TEST_F(Propagation, WhatAFollowerMountsStaysItsOwn) {
  want("    - {name: data, mountPath: /data, mountPropagation: HostToContainer}\n", empty_dir);
  crun_.start("web", "main", ContainerOptions{0, true, "rslave"});
  crun_.expect_done("main", "mkdir /data/own && mount -t tmpfs own /data/own && echo x > /data/own/file");
  EXPECT_TRUE(mounts_below(volume_).empty());
  EXPECT_TRUE(is_there(volume_ + "/own"));
  EXPECT_FALSE(is_there(volume_ + "/own/file"));
}

TEST_F(Propagation, ReadOnlyIsRecursiveOnlyWhereThatIsAskedFor) {
  fs::create_directories(host_ + "/below");
  mount_tmpfs(host_ + "/below", "");
  want(
      "    - {name: data, mountPath: /plain, readOnly: true}\n"
      "    - {name: data, mountPath: /all, readOnly: true, recursiveReadOnly: Enabled}\n"
      "    - {name: data, mountPath: /if, readOnly: true, recursiveReadOnly: IfPossible}\n",
      host_path(host_, "Directory"));
  crun_.start("web", "main");
  crun_.expect_done("main", "echo -n x > /plain/below/file");
  EXPECT_EQ(read_file(host_ + "/below/file"), "x");
  for (const char* script : {"echo y > /plain/new", "echo y > /all/new", "echo y > /all/below/file",
                             "rm /all/below/file", "echo y > /if/new", "echo y > /if/below/file"})
    crun_.expect_refused("main", script, "Read-only file system");
  EXPECT_EQ(crun_.output("main", "cat /all/below/file"), "x");
}

}  // namespace
}  // namespace mooring::integration
