#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "kernel/linux/lookup.h"
#include "node.h"

// Directories of the node outside the root directory, by the functions that work below it.

namespace mooring::kernel::contract {
namespace {

class InsideHostContract : public Contract {
 protected:
  std::unique_ptr<Files> inside(const std::string& path) {
    auto opened = files().inside_host(path);
    EXPECT_TRUE(succeeds(opened));
    return opened ? std::move(opened).value() : nullptr;
  }
};

TEST_P(InsideHostContract, WorksBelowADirectoryOfTheNode) {
  node().put_directory(node().host("base"));
  const auto base = inside(node().host("base"));
  ASSERT_NE(base, nullptr);
  ASSERT_TRUE(succeeds(base->make_directory("a/b", 0711)));
  ASSERT_TRUE(succeeds(base->create_file("a/b/file", "data", 0600)));
  ASSERT_TRUE(succeeds(base->flush(".")));
  EXPECT_EQ(node().read(node().host("base/a/b/file")), "data");
  ASSERT_TRUE(succeeds(base->rename("a", "c")));
  ASSERT_TRUE(succeeds(base->remove_tree("c")));
  EXPECT_FALSE(node().exists(node().host("base/c")));
  const auto left = base->list(".");
  ASSERT_TRUE(succeeds(left));
  EXPECT_TRUE(left.value().empty());
}

TEST_P(InsideHostContract, FollowsLinksOnTheWayThereAndNoneBelow) {
  node().put_directory(node().host("base/sub"));
  node().put_directory(node().host("elsewhere"));
  node().put_symlink(node().host("link"), node().host("base"));
  node().put_symlink(node().host("base/out"), node().host("elsewhere"));
  const auto base = inside(node().host("link"));
  ASSERT_NE(base, nullptr);
  EXPECT_EQ(base->own_path().value(), node().host("base"));
  EXPECT_TRUE(fails(base->make_directory("out/x", 0700), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(base->make_directory("out", 0700), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(base->remove_tree("../elsewhere"), "MountedBelow", EXDEV));
  EXPECT_TRUE(fails(base->make_directory("sub/../../x", 0700), "MountedBelow", EXDEV));
  EXPECT_TRUE(node().exists(node().host("elsewhere")));
}

TEST_P(InsideHostContract, CrossesNoMountBelow) {
  node().put_directory(node().host("base/mnt"));
  node().mount_foreign(node().host("base/mnt"));
  const auto base = inside(node().host("base"));
  ASSERT_NE(base, nullptr);
  EXPECT_TRUE(fails(base->make_directory("mnt/x", 0700), "MountedBelow", EXDEV));
  EXPECT_TRUE(fails(base->remove_tree("mnt"), "MountedBelow", EBUSY));
  EXPECT_TRUE(fails(base->rename("mnt", "other"), "MountedBelow", EBUSY));
  const auto mounted = inside(node().host("base/mnt"));
  ASSERT_NE(mounted, nullptr);
  ASSERT_TRUE(succeeds(mounted->make_directory("x", 0700)));
  EXPECT_EQ(mounted->own_path().value(), node().host("base/mnt"));
}

TEST_P(InsideHostContract, StaysWithTheDirectoryWhateverItsNameLeadsToLater) {
  node().put_directory(node().host("base"));
  const auto base = inside(node().host("base"));
  ASSERT_NE(base, nullptr);
  node().mount_foreign(node().host("base"));
  ASSERT_TRUE(succeeds(base->make_directory("x", 0700)));
  EXPECT_FALSE(node().exists(node().host("base/x")));
  node().unmount_foreign(node().host("base"));
  EXPECT_TRUE(node().exists(node().host("base/x")));
}

TEST_P(InsideHostContract, WhatIsNoDirectoryCannotBeOpened) {
  node().put_file(node().host("file"), "x");
  node().put_symlink(node().host("dangling"), node().host("none"));
  EXPECT_TRUE(fails(files().inside_host(node().host("none")), "NotFound", ENOENT));
  EXPECT_TRUE(fails(files().inside_host(node().host("dangling")), "NotFound", ENOENT));
  EXPECT_TRUE(fails(files().inside_host(node().host("file")), "NotADirectory", ENOTDIR));
}

TEST_P(InsideHostContract, ADirectoryThatWasRemovedHasNoPath) {
  node().put_directory(node().host("base"));
  const auto base = inside(node().host("base"));
  ASSERT_NE(base, nullptr);
  node().remove(node().host("base"));
  EXPECT_TRUE(fails(base->own_path(), "NotFound", ENOENT));
}

TEST_P(InsideHostContract, TheRootDirectoryAndWhatIsMountedInItHavePathsToo) {
  EXPECT_EQ(files().own_path().value() + "/", node().root(""));
  node().put_directory(node().root("mnt"));
  node().mount_foreign(node().root("mnt"));
  const auto mounted = files().inside("mnt");
  ASSERT_TRUE(succeeds(mounted));
  EXPECT_EQ(mounted.value()->own_path().value(), node().root("mnt"));
}

INSTANTIATE_TEST_SUITE_P(Ports, InsideHostContract,
                         ::testing::Values(NodeKind::Fake, NodeKind::Linux, NodeKind::LinuxWithoutStatmount),
                         name_of);

/// What is done where the file system does not know RENAME_NOREPLACE.
class UnflaggedRename : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "rename-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
    directory_ = ::open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    ASSERT_GE(directory_, 0);
  }
  void TearDown() override {
    ::close(directory_);
    static_cast<void>(std::system(("rm -r '" + path_ + "'").c_str()));
  }
  void put(const std::string& name) { std::ofstream(path_ + "/" + name) << name; }
  void make(const std::string& name) { ASSERT_EQ(mkdir((path_ + "/" + name).c_str(), 0700), 0); }
  int rename(const std::string& from, const std::string& to) {
    return rename_unflagged(directory_, from, directory_, to) ? 0 : errno;
  }
  std::string read(const std::string& name) {
    std::ifstream file(path_ + "/" + name);
    std::string text;
    file >> text;
    return text;
  }
  bool exists(const std::string& name) { return access((path_ + "/" + name).c_str(), F_OK) == 0; }

 private:
  std::string path_;
  int directory_ = -1;
};

TEST_F(UnflaggedRename, AFileReplacesNothing) {
  put("a");
  put("b");
  make("d");
  EXPECT_EQ(rename("a", "b"), EEXIST);
  EXPECT_EQ(rename("a", "d"), EEXIST);
  EXPECT_EQ(read("b"), "b");
  EXPECT_EQ(rename("a", "c"), 0);
  EXPECT_EQ(read("c"), "a");
  EXPECT_FALSE(exists("a"));
  EXPECT_EQ(rename("none", "x"), ENOENT);
}

TEST_F(UnflaggedRename, ADirectoryReplacesNothing) {
  make("a");
  put("a/file");
  make("empty");
  put("b");
  EXPECT_EQ(rename("a", "empty"), EEXIST);
  EXPECT_EQ(rename("a", "b"), EEXIST);
  EXPECT_EQ(rename("a", "c"), 0);
  EXPECT_TRUE(exists("c/file"));
  EXPECT_FALSE(exists("a"));
}

}  // namespace
}  // namespace mooring::kernel::contract
