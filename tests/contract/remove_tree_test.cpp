#include <gmock/gmock.h>

#include "node.h"

namespace mooring::kernel::contract {
namespace {

using ::testing::StartsWith;

class RemoveTreeContract : public Contract {
 protected:
  void expect_mounted_below(const std::string& tree, const std::string& mount) {
    const Result<void> removed = files().remove_tree(tree);
    EXPECT_TRUE(fails(removed, "MountedBelow", EBUSY));
    if (removed) return;
    EXPECT_EQ(removed.error().path, mount);
    EXPECT_FALSE(removed.error().remedy.empty());
  }
};

std::string deep_path(int levels) {
  std::string path = "deep";
  for (int level = 1; level < levels; ++level)
    path += "/d";
  return path;
}

TEST_P(RemoveTreeContract, RemovesAllOfItAndNothingElse) {
  node().put_file(node().root("tree/a/b/file"), "1");
  node().put_file(node().root("tree/a/file"), "2");
  node().put_directory(node().root("tree/empty"));
  node().put_fifo(node().root("tree/fifo"));
  node().put_socket(node().root("tree/socket"));
  node().put_file(node().root("other/file"), "3");
  EXPECT_TRUE(succeeds(files().remove_tree("tree")));
  EXPECT_FALSE(node().exists(node().root("tree")));
  EXPECT_EQ(node().read(node().root("other/file")), "3");
  EXPECT_TRUE(succeeds(files().remove_tree("tree")));
  EXPECT_TRUE(succeeds(files().remove_tree("absent/deeper")));
  EXPECT_TRUE(succeeds(files().remove_tree("other/file")));
  EXPECT_FALSE(node().exists(node().root("other/file")));
}

TEST_P(RemoveTreeContract, RemovesManyFiles) {
  for (int i = 0; i < 500; ++i)
    node().put_file(node().root("tree/" + std::to_string(i) + "/file"), "");
  EXPECT_TRUE(succeeds(files().remove_tree("tree")));
  EXPECT_FALSE(node().exists(node().root("tree")));
}

TEST_P(RemoveTreeContract, RemovesADeepTree) {
  ASSERT_TRUE(succeeds(files().make_directory(deep_path(300), 0750)));
  ASSERT_TRUE(succeeds(files().create_file(deep_path(300) + "/file", "x", 0600)));
  EXPECT_TRUE(succeeds(files().remove_tree("deep")));
  EXPECT_FALSE(node().exists(node().root("deep")));
}

TEST_P(RemoveTreeContract, FollowsNoLink) {
  node().put_file(node().host("data/file"), "keep");
  node().put_directory(node().root("tree/below"));
  node().put_symlink(node().root("tree/link"), node().host("data"));
  node().put_symlink(node().root("tree/below/file"), node().host("data/file"));
  node().put_symlink(node().root("tree/below/dangling"), "nowhere");
  node().put_symlink(node().root("top"), node().host("data"));
  EXPECT_TRUE(succeeds(files().remove_tree("tree")));
  EXPECT_TRUE(succeeds(files().remove_tree("top")));
  EXPECT_FALSE(node().exists(node().root("tree")));
  EXPECT_FALSE(node().exists(node().root("top")));
  EXPECT_EQ(node().read(node().host("data/file")), "keep");
}

TEST_P(RemoveTreeContract, OpensUpDirectoriesWithoutPermissions) {
  node().put_file(node().root("tree/closed/file"), "");
  node().set_mode(node().root("tree/closed"), 0);
  node().set_mode(node().root("tree"), 0);
  EXPECT_TRUE(succeeds(files().remove_tree("tree")));
  EXPECT_FALSE(node().exists(node().root("tree")));
}

TEST_P(RemoveTreeContract, StopsAtAForeignMount) {
  node().put_directory(node().root("tree/a/mount"));
  node().mount_foreign(node().root("tree/a/mount"));
  node().put_file(node().root("tree/a/mount/file"), "keep");
  expect_mounted_below("tree", "tree/a/mount");
  EXPECT_EQ(node().read(node().root("tree/a/mount/file")), "keep");
  node().unmount_foreign(node().root("tree/a/mount"));
  EXPECT_TRUE(succeeds(files().remove_tree("tree")));
}

TEST_P(RemoveTreeContract, StopsAtABindOfTheSameFileSystem) {
  node().put_file(node().host("data/file"), "keep");
  node().put_directory(node().root("tree/mount"));
  node().bind_foreign(node().host("data"), node().root("tree/mount"));
  expect_mounted_below("tree", "tree/mount");
  EXPECT_EQ(node().read(node().host("data/file")), "keep");
}

TEST_P(RemoveTreeContract, StopsAtABoundFile) {
  node().put_file(node().host("file"), "keep");
  node().put_file(node().root("tree/file"), "below");
  node().bind_foreign(node().host("file"), node().root("tree/file"));
  expect_mounted_below("tree", "tree/file");
  expect_mounted_below("tree/file", "tree/file");
  EXPECT_EQ(node().read(node().host("file")), "keep");
  node().unmount_foreign(node().root("tree/file"));
  EXPECT_EQ(node().read(node().root("tree/file")), "below");
}

TEST_P(RemoveTreeContract, RemovesNothingFromAMountThatIsItself) {
  node().put_directory(node().root("mount"));
  node().mount_foreign(node().root("mount"));
  node().put_file(node().root("mount/file"), "keep");
  expect_mounted_below("mount", "mount");
  EXPECT_EQ(node().read(node().root("mount/file")), "keep");
}

TEST_P(RemoveTreeContract, KeepsWhatIsInAMountFarDown) {
  ASSERT_TRUE(succeeds(files().make_directory(deep_path(150), 0750)));
  node().mount_foreign(node().root(deep_path(150)));
  node().put_file(node().root(deep_path(150) + "/file"), "keep");
  const Result<void> removed = files().remove_tree("deep");
  ASSERT_TRUE(fails(removed, "MountedBelow", EBUSY));
  // Directories on the way may have been renamed: the error names where the mount is now.
  EXPECT_THAT(removed.error().path, StartsWith("deep/"));
  EXPECT_EQ(node().read(node().base() + "/root/" + removed.error().path + "/file"), "keep");
  node().unmount_foreign(node().root(removed.error().path));
  EXPECT_TRUE(succeeds(files().remove_tree("deep")));
  EXPECT_FALSE(node().exists(node().root("deep")));
}

INSTANTIATE_TEST_SUITE_P(Ports, RemoveTreeContract, ::testing::Values(NodeKind::Fake, NodeKind::Linux),
                         name_of);

}  // namespace
}  // namespace mooring::kernel::contract
