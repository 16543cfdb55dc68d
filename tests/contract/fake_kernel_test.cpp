// What the fake can do besides the ports: faults, reboots, and the other programs of the node.

#include "kernel/fake/fake_kernel.h"

#include <gmock/gmock.h>

#include "node.h"

namespace mooring::kernel::contract {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FakeKernelTest : public ::testing::Test {
 protected:
  Files& files() { return kernel_.ports().files; }
  Mounts& mounts() { return kernel_.ports().mounts; }
  /// The hook answers `fault` to this question, and none to all others.
  void fault_at(const std::string& call, bool before, Fault fault, const std::string& path = {}) {
    kernel_.set_hook([=](std::string_view asked, const std::string& asked_path, bool is_before) {
      const bool is_it = asked == call && is_before == before && (path.empty() || path == asked_path);
      return is_it ? fault : Fault::none();
    });
  }
  FakeKernel kernel_{"/var/lib/root"};
};

TEST_F(FakeKernelTest, StartsWithTheRootDirectoryOnly) {
  EXPECT_THAT(kernel_.tree_listing("/"),
              ElementsAre("/var directory 755", "/var/lib directory 755", "/var/lib/root directory 755"));
  ASSERT_EQ(kernel_.mount_facts().size(), 1U);
  EXPECT_EQ(kernel_.mount_facts()[0].mount_point, "/");
  EXPECT_EQ(kernel_.mount_facts()[0].type, "ext4");
}

TEST_F(FakeKernelTest, AnErrorBeforeDoesNothing) {
  fault_at("make_directory", true, Fault::error(EIO));
  EXPECT_TRUE(fails(files().make_directory("d", 0750), "InputOutputError", EIO));
  EXPECT_FALSE(kernel_.exists("/var/lib/root/d"));
}

TEST_F(FakeKernelTest, AnErrorAfterHasDoneAll) {
  fault_at("make_directory", false, Fault::error(EIO));
  EXPECT_TRUE(fails(files().make_directory("d", 0750), "InputOutputError", EIO));
  EXPECT_TRUE(kernel_.exists("/var/lib/root/d"));
  fault_at("mount_tmpfs", false, Fault::error(EINTR));
  EXPECT_TRUE(fails(mounts().mount_tmpfs("d", {}), "MountFailed", EINTR));
  EXPECT_TRUE(mounts().at("d").value());
  fault_at("unmount", true, Fault::error(EBUSY));
  EXPECT_TRUE(fails(mounts().unmount("d"), "Busy", EBUSY));
}

TEST_F(FakeKernelTest, ACrashEndsTheProcessAndNotTheNode) {
  kernel_.put_file("/var/lib/root/tree/a", "");
  kernel_.put_file("/var/lib/root/tree/b", "");
  fault_at("remove_tree.entry", true, Fault::crash(), "tree/b");
  EXPECT_THROW((void)files().remove_tree("tree"), FakeCrash);
  EXPECT_FALSE(kernel_.exists("/var/lib/root/tree/a"));
  EXPECT_TRUE(kernel_.exists("/var/lib/root/tree/b"));
  kernel_.set_hook({});
  EXPECT_TRUE(succeeds(files().remove_tree("tree")));
  fault_at("rename", false, Fault::hang());
  kernel_.put_file("/var/lib/root/from", "");
  EXPECT_THROW((void)files().rename("from", "to"), FakeHang);
  EXPECT_TRUE(kernel_.exists("/var/lib/root/to"));
}

TEST_F(FakeKernelTest, TheHookIsAskedBeforeAndAfterEachCall) {
  std::vector<std::string> asked;
  kernel_.set_hook([&](std::string_view call, const std::string& path, bool before) {
    asked.push_back(std::string(call) + " " + path + (before ? " before" : " after"));
    return Fault::none();
  });
  (void)files().make_directory("a/b", 0750);
  (void)files().status("a");
  (void)mounts().bind({"/var", "a/b"});
  EXPECT_THAT(asked, ElementsAre("make_directory a/b before", "make_directory a/b after", "status a before",
                                 "status a after", "bind a/b before", "bind a/b after"));
}

TEST_F(FakeKernelTest, ARebootKeepsWhatIsOnDisks) {
  kernel_.put_file("/var/lib/root/file", "1");
  kernel_.put_directory("/var/lib/root/t");
  kernel_.put_directory("/mnt/disk");
  ASSERT_EQ(kernel_.mount_foreign("/mnt/disk", "xfs", "/dev/sdb"), 0);
  kernel_.put_file("/mnt/disk/data", "2");
  ASSERT_TRUE(succeeds(mounts().mount_tmpfs("t", {})));
  kernel_.put_file("/var/lib/root/t/memory", "3");
  ASSERT_EQ(kernel_.mark_open("/mnt/disk/data"), 0);
  ASSERT_TRUE(succeeds(files().watch_host({"/mnt/x", std::nullopt})));
  kernel_.reboot();
  EXPECT_EQ(kernel_.mount_facts().size(), 1U);
  EXPECT_EQ(kernel_.read("/var/lib/root/file"), "1");
  EXPECT_FALSE(kernel_.exists("/var/lib/root/t/memory"));
  EXPECT_FALSE(kernel_.exists("/mnt/disk/data"));
  kernel_.put_file("/mnt/y", "");
  EXPECT_THAT(kernel_.take_fired_watches(), IsEmpty());
  ASSERT_EQ(kernel_.mount_foreign("/mnt/disk", "xfs", "/dev/sdb"), 0);
  EXPECT_EQ(kernel_.read("/mnt/disk/data"), "2");
  EXPECT_EQ(kernel_.unmount_foreign("/mnt/disk"), 0);
  EXPECT_TRUE(succeeds(files().remove_directory("t")));
}

TEST_F(FakeKernelTest, ARemovedWatchTellsNothing) {
  const auto watch = files().watch_host({"/var/x", std::nullopt});
  ASSERT_TRUE(succeeds(watch));
  kernel_.put_file("/var/x", "");
  kernel_.put_file("/var/y", "");
  EXPECT_THAT(kernel_.take_fired_watches(), ElementsAre(watch.value().front()));
  kernel_.remove_watch(watch.value().front());
  kernel_.put_file("/var/z", "");
  EXPECT_THAT(kernel_.take_fired_watches(), IsEmpty());
  EXPECT_NE(files().watch_host({"/var/x", std::nullopt}).value().front(), watch.value().front());
}

TEST_F(FakeKernelTest, ADiskPaysForDirectories) {
  ASSERT_EQ(kernel_.set_space("/", 5000), 0);
  EXPECT_TRUE(succeeds(files().make_directory("a", 0750)));
  EXPECT_TRUE(fails(files().make_directory("b", 0750), "NoSpace", ENOSPC));
  EXPECT_TRUE(succeeds(files().create_file("empty", "", 0600)));
  EXPECT_TRUE(succeeds(files().remove_directory("a")));
  EXPECT_TRUE(succeeds(files().make_directory("b", 0750)));
  ASSERT_EQ(kernel_.set_space("/", std::nullopt), 0);
  EXPECT_TRUE(succeeds(files().make_directory("c/d/e", 0750)));
}

TEST_F(FakeKernelTest, AMountOverTheRootDirectoryCountsFromTheNextStart) {
  kernel_.put_file("/var/lib/root/file", "1");
  ASSERT_EQ(kernel_.mount_foreign("/var/lib/root", "ext4", "/dev/sdc"), 0);
  EXPECT_TRUE(files().status("file").value());
  kernel_.reopen_root();
  EXPECT_FALSE(files().status("file").value());
  EXPECT_EQ(kernel_.unmount_foreign("/var/lib/root"), EBUSY);
}

TEST_F(FakeKernelTest, AKernelWithoutHugePages) {
  kernel_.put_directory("/var/lib/root/h");
  kernel_.set_page_sizes({});
  EXPECT_TRUE(fails(mounts().mount_hugetlbfs("h", 2ULL << 20U), "MountFailed", ENODEV, ErrorKind::Final));
}

TEST_F(FakeKernelTest, RemoveAllLeavesMountPoints) {
  kernel_.put_directory("/d/mount");
  kernel_.put_file("/d/file", "");
  ASSERT_EQ(kernel_.mount_foreign("/d/mount", "nfs4", "server:/export"), 0);
  kernel_.put_file("/d/mount/data", "");
  EXPECT_EQ(kernel_.remove_all("/d"), EBUSY);
  EXPECT_FALSE(kernel_.exists("/d/file"));
  EXPECT_FALSE(kernel_.exists("/d/mount/data"));
  EXPECT_TRUE(kernel_.exists("/d/mount"));
}

}  // namespace
}  // namespace mooring::kernel::contract
