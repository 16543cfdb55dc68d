// File systems on images: made once, mounted once for the node, bound for each pod, grown, and let go in
// order.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "block_node.h"

namespace mooring::integration {
namespace {

std::uint64_t size_of_file_system(const std::string& path) {
  struct statvfs status {};
  return statvfs(path.c_str(), &status) == 0 ? status.f_blocks * status.f_frsize : 0;
}

class Block : public BlockNode {
 protected:
  /// A pod writes a file, goes, and everything of the volume with it but the image; the next pod has the
  /// file.
  void expect_kept_for_the_next_pod(const std::string& type, const std::string& size) {
    if (!has_program("mkfs." + type)) GTEST_SKIP() << "no mkfs." << type;
    write_block(sized(size), type);
    make_ready("writer");
    EXPECT_EQ(mounts_at(staged()).at(0).type, type);
    EXPECT_EQ(disks_.loops_of(image()).size(), 1U);
    write_in_place(path_in("writer", "file"), "kept");
    const std::string uuid = tag_of(disks_.loops_of(image()).at(0), "UUID");
    EXPECT_NE(uuid, "");
    EXPECT_NE(stamp().find("\"complete\":true"), std::string::npos) << stamp();
    EXPECT_NE(stamp().find(uuid), std::string::npos) << stamp();
    expect_gone("writer");
    expect_all_gone();
    make_ready("reader");
    EXPECT_EQ(read_file(path_in("reader", "file")), "kept");
    EXPECT_EQ(tag_of(disks_.loops_of(image()).at(0), "UUID"), uuid);
    expect_gone("reader");
    expect_all_gone();
  }
  bool has_grown_to(const std::string& path, std::uint64_t size_bytes) {
    // What a file system needs for itself: less than a quarter.
    return node_.eventually([&] { return size_of_file_system(path) > size_bytes / 4 * 3; });
  }
};

TEST_F(Block, AnExt4IsMadeOnceAndKeptForTheNextPod) {
  expect_kept_for_the_next_pod("ext4", "64Mi");
}

TEST_F(Block, AnXfsIsMadeOnceAndKeptForTheNextPod) {
  expect_kept_for_the_next_pod("xfs", "300Mi");
}

TEST_F(Block, ABtrfsIsMadeOnceAndKeptForTheNextPod) {
  expect_kept_for_the_next_pod("btrfs", "128Mi");
}

TEST_F(Block, TwoPodsShareOneFileSystemAndTheLastLetsItGo) {
  write_block(sized());
  make_ready("one");
  make_ready("two");
  write_in_place(path_in("one", "file"), "of one");
  EXPECT_EQ(read_file(path_in("two", "file")), "of one");
  EXPECT_EQ(mounts_at(staged()).size(), 1U);
  EXPECT_EQ(disks_.loops_of(image()).size(), 1U);
  expect_gone("one");
  EXPECT_EQ(read_file(path_in("two", "file")), "of one");
  EXPECT_EQ(mounts_at(staged()).size(), 1U);
  expect_gone("two");
  expect_all_gone();
}

TEST_F(Block, APodThatAsksReadOnlyCannotWriteAndAnotherCan) {
  write_block(sized());
  make_ready("writer");
  write_pod("reader", "data", true);
  ASSERT_TRUE(node_.becomes_ready("reader"));
  write_in_place(path_in("writer", "file"), "x");
  EXPECT_EQ(read_file(path_in("reader", "file")), "x");
  EXPECT_LT(open(path_in("reader", "other").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), 0);
  EXPECT_EQ(errno, EROFS);
}

TEST_F(Block, AVolumeThatIsReadOnlyIsNotWrittenToAtAll) {
  disks_.make_formatted("data", "ext4", 64 * mebibyte);
  const std::string before = digest_of(image());
  write_storage("data", block_source("data", sized(), "ext4", true));
  make_ready("reader");
  EXPECT_LT(open(path_in("reader", "file").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), 0);
  EXPECT_EQ(errno, EROFS);
  expect_gone("reader");
  expect_all_gone();
  EXPECT_EQ(digest_of(image()), before);
}

TEST_F(Block, APodsOwnVolumeIsMadeAndLetGoWithIt) {
  const std::string source =
      "csi: {driver: block.mooring.io, fsType: ext4, volumeAttributes: {" + sized() + "}}";
  node_.write("web.yaml", pod_text("web", {{"v", source}}));
  ASSERT_TRUE(node_.becomes_ready("web")) << node_.ctl()({"explain", "pod/web"}).out;
  write_in_place(path_in("web", "file"), "kept");
  EXPECT_EQ(disks_.loops_of(image()).size(), 1U);
  expect_gone("web");
  expect_all_gone();
  EXPECT_EQ(tag_of(image(), "TYPE"), "ext4");  // The image was named by its owner, and stays.
}

TEST_F(Block, PartsAndGroupsAreThoseOfAnyVolume) {
  write_block(sized());
  node_.write("web.yaml",
              "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext: {fsGroup: 4711}\n"
              "  containers:\n  - name: c\n    volumeMounts:\n"
              "    - {name: v, mountPath: /v}\n    - {name: v, mountPath: /part, subPath: a/b}\n  volumes:\n"
              "  - name: v\n    " +
                  claim_source("data") + "\n");
  ASSERT_TRUE(node_.becomes_ready("web")) << node_.ctl()({"explain", "pod/web"}).out;
  const std::string part = node_.root() + "/pods/" + node_.ctl().uid("web") + "/volume-subpaths/v/c/1";
  write_in_place(part + "/file", "of the part");
  EXPECT_EQ(read_file(path_in("web", "a/b/file")), "of the part");
  for (const std::string& path : {path_in("web", ""), part}) {
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0) << path;
    EXPECT_EQ(status.st_gid, 4711U) << path;
    EXPECT_NE(status.st_mode & S_ISGID, 0U) << path;
  }
  expect_gone("web");
  expect_all_gone();
}

TEST_F(Block, AVolumeOfAnotherNodeIsRefused) {
  Storage elsewhere;
  elsewhere.more =
      "  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: "
      "[{key: kubernetes.io/hostname, operator: In, values: [other]}]}]}}\n";
  write_block(sized(), "ext4", elsewhere);
  write_pod("web");
  EXPECT_TRUE(node_.gets_reason("web", "v", "NodeAffinityMismatch"));
  EXPECT_FALSE(is_there(image()));
  write_block(sized());
  EXPECT_TRUE(node_.becomes_ready("web"));
}

// ---- Growing.

TEST_F(Block, AnXfsGrowsWithItsCapacityUnderItsPod) {
  if (!has_program("mkfs.xfs")) GTEST_SKIP() << "no xfsprogs";
  Storage storage;
  storage.capacity = "300Mi";
  write_block(sized("300Mi"), "xfs", storage);
  make_ready("web");
  write_in_place(path_in("web", "file"), "kept");
  storage.capacity = "500Mi";
  write_block(sized("300Mi"), "xfs", storage);
  EXPECT_TRUE(has_grown_to(node_.ctl().path("web", "v"), 500 * mebibyte)) << node_.ctl()({"events"}).out;
  EXPECT_TRUE(node_.eventually([&] { return node_.bus().has_event("FileSystemResizeSuccessful", ""); }));
  EXPECT_EQ(read_file(path_in("web", "file")), "kept");
  EXPECT_TRUE(node_.ctl().is_ready("web"));
}

TEST_F(Block, AnExt4GrowsWithItsCapacityUnderItsPod) {
  if (!has_resource_capability()) GTEST_SKIP() << "an ext4 grows online only with CAP_SYS_RESOURCE";
  write_block(sized());
  make_ready("web");
  Storage storage;
  storage.capacity = "128Mi";
  write_block(sized(), "ext4", storage);
  EXPECT_TRUE(has_grown_to(node_.ctl().path("web", "v"), 128 * mebibyte)) << node_.ctl()({"events"}).out;
}

TEST_F(Block, AVolumeIsNeverMadeSmaller) {
  Storage storage;
  storage.capacity = "128Mi";
  write_block("image: " + image() + ", size: 32Mi", "ext4", storage);
  make_ready("web");
  const std::uint64_t size = size_of_file_system(node_.ctl().path("web", "v"));
  storage.capacity = "64Mi";
  write_block("image: " + image() + ", size: 32Mi", "ext4", storage);
  EXPECT_TRUE(node_.eventually(
      [&] { return node_.bus().has_event("SpecChangeIgnored", "can not be less than previous value"); }));
  EXPECT_EQ(size_of_file_system(node_.ctl().path("web", "v")), size);
  EXPECT_TRUE(node_.ctl().is_ready("web"));
}

// ---- What others do to it.

TEST_F(Block, AFileSystemInUseIsNotUnmountedAndItsUserIsNamed) {
  write_block(sized());
  make_ready("web");
  write_in_place(path_in("web", "file"), "x");
  const int file = open((staged() + "/file").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  expect_gone("web");
  const std::string who = "(pid " + std::to_string(getpid()) + ")";
  EXPECT_TRUE(node_.eventually([&] { return node_.log().find(who) != std::string::npos; }));
  EXPECT_EQ(mounts_at(staged()).size(), 1U);
  EXPECT_EQ(disks_.loops_of(image()).size(), 1U);
  close(file);
  expect_all_gone();
}

TEST_F(Block, APodThatComesBackWhileItsFileSystemIsInUseHasIt) {
  write_block(sized());
  make_ready("web");
  write_in_place(path_in("web", "file"), "x");
  const int file = open((staged() + "/file").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  expect_gone("web");
  EXPECT_TRUE(node_.eventually([&] { return node_.log().find("FailedUnMount") != std::string::npos; }));
  make_ready("next");
  EXPECT_EQ(read_file(path_in("next", "file")), "x");
  EXPECT_EQ(mounts_at(staged()).size(), 1U);
  EXPECT_EQ(disks_.loops_of(image()).size(), 1U);
  close(file);
}

TEST_F(Block, AMountForTheNodeThatOthersRemoveIsMadeAgain) {
  write_block(sized());
  make_ready("web");
  write_in_place(path_in("web", "file"), "kept");
  unmount(staged());
  EXPECT_TRUE(node_.eventually([&] { return mounts_at(staged()).size() == 1; }));
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_TRUE(node_.bus().has_event("MountVanished", staged()));
  EXPECT_EQ(read_file(staged() + "/file"), "kept");
  EXPECT_EQ(read_file(path_in("web", "file")), "kept");
  expect_gone("web");
  expect_all_gone();
}

TEST_F(Block, AKilledMooringdAndItsSuccessorChangeNoMountAndNoDevice) {
  write_block(sized());
  make_ready("web");
  write_in_place(path_in("web", "file"), "kept");
  const std::vector<std::string> mounts = mount_lines(node_.root());
  const std::vector<std::string> loops = disks_.loops_of(image());
  node_.kill();
  node_.start();
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_EQ(mount_lines(node_.root()), mounts);
  EXPECT_EQ(disks_.loops_of(image()), loops);
  node_.kill();
  node_.remove("web.yaml");  // While nobody looks.
  node_.start();
  expect_all_gone();
}

TEST_F(Block, ANodeThatStartsAnewHasItsVolumesAgain) {
  write_block(sized());
  make_ready("web");
  write_in_place(path_in("web", "file"), "kept");
  node_.kill();
  unmount_all(node_.root());
  for (const Loop& loop : disks_.loops())
    disks_.detach(loop.node);
  for (const char* directory : {"/pods", "/devices"}) {
    for (const std::string& name : names_in(node_.run_dir() + directory))
      unlink((node_.run_dir() + directory + "/" + name).c_str());
  }
  node_.start();
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_EQ(read_file(path_in("web", "file")), "kept");
  EXPECT_EQ(disks_.loops_of(image()).size(), 1U);
  expect_gone("web");
  expect_all_gone();
}

}  // namespace
}  // namespace mooring::integration
