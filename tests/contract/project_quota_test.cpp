// Limits by project quotas on the real kernel. Most machines that build have none, and most file systems are
// mounted without; the tests say so and are skipped.

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "kernel/linux/linux_kernel.h"
#include "node.h"

namespace mooring::kernel::contract {
namespace {

constexpr std::uint64_t mebi = 1U << 20U;

/// A new file system with project quotas, in the private mount namespace that main() has made.
class ProjectQuota : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    std::string name = (std::filesystem::temp_directory_path() / "mooring-quota.XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    base_ = name;
    const std::string image = base_ + "/image";
    std::ofstream(image).close();
    std::filesystem::resize_file(image, 400 * mebi);
    const std::string make = GetParam() == "xfs" ? "mkfs.xfs -q " : "mkfs.ext4 -q -O quota,project ";
    if (system((make + image + " >/dev/null 2>&1").c_str()) != 0)
      GTEST_SKIP() << "cannot make an " << GetParam();
    ASSERT_EQ(mkdir(root().c_str(), 0755), 0);
    if (system(("mount -n -o loop,prjquota " + image + " " + root() + " >/dev/null 2>&1").c_str()) != 0)
      GTEST_SKIP() << "this kernel mounts no " << GetParam() << " with project quotas";
    is_mounted_ = true;
    kernel_ = LinuxKernel::open(root(), -1).value();
    ASSERT_TRUE(succeeds(files().make_directory("volume", 0777)));
  }
  void TearDown() override {
    kernel_.reset();
    if (is_mounted_) umount2(root().c_str(), MNT_DETACH);
    if (!base_.empty()) std::filesystem::remove_all(base_);
  }

  std::string root() const { return base_ + "/root"; }
  Files& files() { return kernel_->ports().files; }
  Mounts& mounts() { return kernel_->ports().mounts; }
  /// What happens to a user without privileges who writes this much into a new file of the volume: 0 or an
  /// errno.
  int write_as_nobody(const std::string& name, std::uint64_t size_bytes) {
    const Descriptor volume(::open((root() + "/volume").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const pid_t child = fork();
    if (child == 0) {
      if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0) _exit(255);
      const int file = openat(volume.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
      const std::string block(64 * 1024, 'x');
      for (std::uint64_t done = 0; done < size_bytes; done += block.size()) {
        if (::write(file, block.data(), block.size()) < 0) _exit(errno);
      }
      _exit(fsync(file) == 0 ? 0 : errno);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  }
  int refusal() const { return GetParam() == "xfs" ? ENOSPC : EDQUOT; }

 private:
  std::string base_;
  bool is_mounted_ = false;
  std::unique_ptr<LinuxKernel> kernel_;
};

TEST_P(ProjectQuota, ALimitIsKeptToldAndLifted) {
  EXPECT_TRUE(files().limit_directory("volume", 10 * mebi).value());
  EXPECT_FALSE(files().limit_directory("volume", 10 * mebi).value()) << "the same once more";
  EXPECT_EQ(write_as_nobody("fits", 5 * mebi), 0);
  EXPECT_EQ(write_as_nobody("large", 10 * mebi), refusal());
  const auto used = files().directory_usage("volume");
  ASSERT_TRUE(succeeds(used));
  EXPECT_TRUE(used.value().is_enforced);
  EXPECT_EQ(used.value().inodes_used, 3U);
  EXPECT_GE(used.value().used_bytes, 5 * mebi);
  EXPECT_LE(used.value().used_bytes, 10 * mebi);
  const auto told = mounts().usage("volume");
  ASSERT_TRUE(succeeds(told));
  EXPECT_EQ(told.value().capacity_bytes, 10 * mebi) << "statfs(2) tells of the project";
  EXPECT_TRUE(files().unlimit_directory("volume").value());
  EXPECT_FALSE(files().unlimit_directory("volume").value());
  EXPECT_EQ(write_as_nobody("now", 10 * mebi), 0);
  EXPECT_FALSE(files().directory_usage("volume").value().is_enforced);
}

TEST_P(ProjectQuota, WhatHoldsFilesAlreadyGetsNone) {
  EXPECT_EQ(write_as_nobody("old", mebi), 0);
  EXPECT_FALSE(files().limit_directory("volume", 10 * mebi).value());
}

TEST_P(ProjectQuota, ADirectoryInTheTrashKeepsItsProjectAndTheNextOneGetsAnother) {
  EXPECT_TRUE(files().limit_directory("volume", 10 * mebi).value());
  EXPECT_EQ(write_as_nobody("file", 5 * mebi), 0);
  EXPECT_TRUE(files().unlimit_directory("volume").value());
  ASSERT_TRUE(succeeds(files().rename("volume", "trash")));
  ASSERT_TRUE(succeeds(files().make_directory("volume", 0777)));
  EXPECT_TRUE(files().limit_directory("volume", 10 * mebi).value());
  EXPECT_EQ(files().directory_usage("volume").value().inodes_used, 1U);
}

INSTANTIATE_TEST_SUITE_P(Linux, ProjectQuota, ::testing::Values("ext4", "xfs"),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace mooring::kernel::contract
