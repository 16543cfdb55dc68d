// Limits of directories and how much they hold, on both kernels. On a real one with project quotas the limits
// themselves are proven in a guest (tests/vm).

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/fake/fake_kernel.h"
#include "kernel/project_ids.h"
#include "node.h"

namespace mooring::kernel::contract {
namespace {

class DirectoryLimits : public Contract {
 protected:
  void SetUp() override { node().put_directory(node().root("volume")); }
  DirectoryUsage usage() {
    const auto usage = files().directory_usage("volume");
    EXPECT_TRUE(succeeds(usage));
    return usage ? usage.value() : DirectoryUsage();
  }
};

TEST_P(DirectoryLimits, AFileSystemWithoutProjectQuotasHasNone) {
  const auto limited = files().limit_directory("volume", 1U << 20U);
  ASSERT_TRUE(succeeds(limited));
  EXPECT_FALSE(limited.value());
  const auto lifted = files().unlimit_directory("volume");
  ASSERT_TRUE(succeeds(lifted));
  EXPECT_FALSE(lifted.value());
  EXPECT_FALSE(usage().is_enforced);
}

TEST_P(DirectoryLimits, WhatIsNotThereHasNoLimitToLiftAndCannotBeMeasured) {
  EXPECT_TRUE(fails(files().limit_directory("absent", 1), "NotFound", ENOENT));
  EXPECT_TRUE(fails(files().directory_usage("absent"), "NotFound", ENOENT));
  const auto lifted = files().unlimit_directory("absent/deeper");
  ASSERT_TRUE(succeeds(lifted));
  EXPECT_FALSE(lifted.value());
  node().put_file(node().root("file"), "x");
  EXPECT_TRUE(fails(files().directory_usage("file"), "NotADirectory", ENOTDIR));
}

TEST_P(DirectoryLimits, UsageIsWhatItsFilesTake) {
  const DirectoryUsage empty = usage();
  EXPECT_EQ(empty.inodes_used, 1U);
  node().put_file(node().root("volume/a"), std::string(5000, 'x'));
  node().put_file(node().root("volume/below/deeper/b"), "x");
  const DirectoryUsage full = usage();
  EXPECT_EQ(full.inodes_used, 5U);
  EXPECT_EQ(full.used_bytes - empty.used_bytes, 3U * 4096U);
}

TEST_P(DirectoryLimits, UsageEndsAtMountsAndFollowsNoLink) {
  node().put_file(node().host("large"), std::string(20'000, 'x'));
  node().put_symlink(node().root("volume/link"), node().host(""));
  node().put_directory(node().root("volume/mounted"));
  const DirectoryUsage before = usage();
  node().mount_foreign(node().root("volume/mounted"));
  node().put_file(node().root("volume/mounted/file"), std::string(20'000, 'x'));
  const DirectoryUsage after = usage();
  EXPECT_EQ(after.used_bytes, before.used_bytes);
  EXPECT_EQ(after.inodes_used, before.inodes_used - 1) << "the mount point";
  node().unmount_foreign(node().root("volume/mounted"));
}

TEST_P(DirectoryLimits, UsageIsOfWhatIsMountedOnTheDirectoryItself) {
  node().put_file(node().root("volume/hidden"), std::string(20'000, 'x'));
  node().mount_foreign(node().root("volume"));
  EXPECT_EQ(usage().inodes_used, 1U);
  node().unmount_foreign(node().root("volume"));
}

TEST(DirectoryLimitsLinux, AFileOfSeveralNamesCountsOnceAndADeepTreeCounts) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const auto node = make_linux_node(true);
  const std::string volume = node->root("volume");
  node->put_file(volume + "/a", std::string(5000, 'x'));
  ASSERT_EQ(link((volume + "/a").c_str(), (volume + "/b").c_str()), 0);
  auto usage = node->ports().files.directory_usage("volume");
  ASSERT_TRUE(succeeds(usage));
  EXPECT_EQ(usage.value().inodes_used, 2U);
  int at = ::open(volume.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (int depth = 0; depth < 2000; ++depth) {
    ASSERT_EQ(mkdirat(at, "d", 0755), 0);
    const int below = openat(at, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
    ::close(at);
    at = below;
  }
  ::close(at);
  usage = node->ports().files.directory_usage("volume");
  ASSERT_TRUE(succeeds(usage)) << "a chain costs two descriptors, however long it is";
  EXPECT_EQ(usage.value().inodes_used, 2002U);
}

TEST(DirectoryLimitsFake, ALimitHoldsUntilItIsLifted) {
  FakeKernel kernel("/var/lib/root");
  Files& files = kernel.ports().files;
  ASSERT_EQ(kernel.set_project_quotas("/", true), 0);
  ASSERT_TRUE(succeeds(files.make_directory("volume", 0777)));
  EXPECT_TRUE(files.limit_directory("volume", 3U * 4096U).value());
  EXPECT_FALSE(files.limit_directory("volume", 3U * 4096U).value());
  EXPECT_EQ(kernel.put_file("/var/lib/root/volume/a", std::string(5000, 'x')), 0);
  EXPECT_EQ(kernel.put_file("/var/lib/root/volume/b", "x"), EDQUOT);
  EXPECT_EQ(files.directory_usage("volume").value(), (DirectoryUsage{3U * 4096U, 2, true}));
  EXPECT_TRUE(files.unlimit_directory("volume").value());
  EXPECT_EQ(kernel.put_file("/var/lib/root/volume/b", "x"), 0);
  EXPECT_FALSE(files.directory_usage("volume").value().is_enforced);
}

TEST(ProjectIds, AreBeyondThoseOfPeopleTheSameEachTimeAndApart) {
  EXPECT_GE(project_candidate("pods/u1/v", 0), own_project_first);
  EXPECT_EQ(project_candidate("pods/u1/v", 0), project_candidate("pods/u1/v", 0));
  EXPECT_NE(project_candidate("pods/u1/v", 0), project_candidate("pods/u1/w", 0));
  EXPECT_NE(project_candidate("pods/u1/v", 0), project_candidate("pods/u1/v", 1));
  EXPECT_TRUE(is_own_project(project_candidate("pods/u1/v", 63)));
  EXPECT_FALSE(is_own_project(own_project_first - 1));
  EXPECT_FALSE(is_own_project(0));
  EXPECT_FALSE(is_own_project(own_project_first + own_projects));
}

INSTANTIATE_TEST_SUITE_P(Ports, DirectoryLimits, ::testing::Values(NodeKind::Fake, NodeKind::Linux), name_of);

}  // namespace
}  // namespace mooring::kernel::contract
