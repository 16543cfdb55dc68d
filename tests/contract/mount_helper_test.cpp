// How the real kernel's mounts run the helper of a type (/sbin/mount.nfs and its like).

#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "kernel/linux/descriptor.h"
#include "node.h"

namespace mooring::kernel::contract {
namespace {

using ::testing::HasSubstr;

/// A helper of our own in /sbin, which only this test's mount namespace sees.
class LinuxOnlyMountHelper : public ::testing::Test {
 protected:
  void SetUp() override {
    node_ = make_linux_node(true);
    node_->put_directory(node_->host("upper"));
    node_->put_directory(node_->host("work"));
    node_->put_directory(node_->root("volume"));
    const std::string layers =
        "lowerdir=/usr/sbin,upperdir=" + node_->host("upper") + ",workdir=" + node_->host("work");
    if (::mount("overlay", "/usr/sbin", "overlay", 0, layers.c_str()) != 0) GTEST_SKIP() << "no overlayfs";
    is_mounted_ = true;
  }
  void TearDown() override {
    if (is_mounted_) umount2("/usr/sbin", MNT_DETACH);
  }
  void put_helper(const std::string& script) {
    node_->put_file("/usr/sbin/mount.mooringtest", "#!/bin/sh\n" + script);
    node_->set_mode("/usr/sbin/mount.mooringtest", 0755);
  }
  Result<void> mount() {
    FileSystemMount request;
    request.source = "server:/export";
    request.type = "mooringtest";
    request.target = "volume";
    request.options = {"hard", "x-test", "timeo=5"};
    request.is_read_only = true;
    return node_->ports().mounts.mount_file_system(request);
  }
  Node& node() { return *node_; }

 private:
  std::unique_ptr<Node> node_;
  bool is_mounted_ = false;
};

TEST_F(LinuxOnlyMountHelper, ItIsRunAsMountRunsIt) {
  put_helper("echo \"$@\" >" + node().host("arguments") + "; exec mount -t tmpfs \"$1\" \"$2\"");
  ASSERT_TRUE(succeeds(mount()));
  EXPECT_EQ(node().read(node().host("arguments")),
            "server:/export " + node().root("volume") + " -n -o hard,timeo=5,ro\n");
  const auto fact = node().ports().mounts.listed_at("volume");
  ASSERT_TRUE(succeeds(fact));
  ASSERT_TRUE(fact.value());
  EXPECT_EQ(fact.value()->source, "server:/export");
}

TEST_F(LinuxOnlyMountHelper, ItsWordsAreTheErrors) {
  put_helper("echo 'mount.mooringtest: Connection refused' >&2; exit 32");
  const auto mounted = mount();
  EXPECT_TRUE(fails(mounted, "MountFailed", 0));
  EXPECT_THAT(mounted.error().message, HasSubstr("server:/export"));
  EXPECT_THAT(mounted.error().message, HasSubstr("mount.mooringtest: Connection refused"));
}

TEST_F(LinuxOnlyMountHelper, OneThatSaysNothingIsAnErrorToo) {
  put_helper("exit 32");
  EXPECT_THAT(mount().error().message, HasSubstr("/sbin/mount.mooringtest ended with status 32"));
  put_helper("kill -9 $$");
  EXPECT_THAT(mount().error().message, HasSubstr("was ended by signal 9"));
}

TEST_F(LinuxOnlyMountHelper, ItEndsWithItsWorker) {
  node().put_fifo(node().host("started"));
  node().put_fifo(node().host("never"));
  put_helper("echo $$ >" + node().host("started") + "; exec cat " + node().host("never"));
  const pid_t worker = fork();
  if (worker == 0) {
    static_cast<void>(mount());
    _exit(0);
  }
  pid_t helper = 0;
  std::ifstream(node().host("started")) >> helper;  // Waits for it.
  ASSERT_GT(helper, 0);
  const Descriptor process(static_cast<int>(syscall(SYS_pidfd_open, helper, 0)));
  ASSERT_TRUE(process);
  ASSERT_EQ(kill(worker, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(waitpid(worker, &status, 0), worker);
  pollfd ended{process.get(), POLLIN, 0};
  constexpr int patience_ms = 10'000;
  EXPECT_EQ(poll(&ended, 1, patience_ms), 1);
  kill(helper, SIGKILL);
}

TEST_F(LinuxOnlyMountHelper, AMissingOneIsNamedWithItsPackage) {
  if (std::filesystem::exists("/sbin/mount.cifs")) GTEST_SKIP() << "this machine has the helper";
  FileSystemMount share;
  share.source = "//server/share";
  share.type = "cifs";
  share.target = "volume";
  const auto mounted = node().ports().mounts.mount_file_system(share);
  EXPECT_TRUE(fails(mounted, "MountHelperMissing", 0, ErrorKind::Final));
  EXPECT_THAT(mounted.error().message, HasSubstr("Required binary /sbin/mount.cifs is missing"));
  EXPECT_THAT(mounted.error().remedy, HasSubstr("cifs-utils"));
}

}  // namespace
}  // namespace mooring::kernel::contract
