// Who uses a device, what its coming and going is told by, and the programs that work on it: the real kernel
// only.

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>

#include "devices_fixture.h"
#include "kernel/linux/descriptor.h"
#include "kernel/linux/helper.h"
#include "kernel/linux/uevents.h"

namespace mooring::kernel::contract {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

/// A child that has done something, and then waits until this object ends.
class Child {
 public:
  explicit Child(const std::function<void()>& work) {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      work();
      if (write(ends[1], "x", 1) != 1) _exit(1);
      while (true)
        pause();
    }
    char done = 0;
    EXPECT_EQ(read(ends[0], &done, 1), 1);
    close(ends[0]);
    close(ends[1]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { end(); }
  void end() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  std::string text() const { return "(pid " + std::to_string(pid_) + ")"; }

 private:
  pid_t pid_ = -1;
};

class LinuxOnlyDeviceUsers : public ::testing::Test {
 protected:
  Devices& devices() { return node_->ports().devices; }
  DeviceFacts attached() {
    EXPECT_TRUE(succeeds(devices().make_image(node_->host("image"), 32 * mebibyte)));
    const auto device = devices().attach_image(node_->host("image"), false);
    EXPECT_TRUE(succeeds(device));
    return device ? device.value() : DeviceFacts();
  }
  std::string mounted(const DeviceFacts& device, const std::string& type) {
    EXPECT_TRUE(succeeds(devices().format(device, {type, test_uuid(6)})));
    const std::string path = node_->root("mounted");
    node_->put_directory(path);
    node_->mount_device(device.node, path, type);
    node_->put_file(path + "/file", "content");
    return path;
  }
  std::vector<std::string> holders(const DeviceFacts& device) {
    std::vector<std::string> texts;
    const auto answer = devices().holders(device);
    EXPECT_TRUE(succeeds(answer));
    if (!answer) return texts;
    for (const DeviceHolder& holder : answer.value())
      texts.push_back(holder.text());
    return texts;
  }
  std::unique_ptr<Node> node_ = make_linux_node(true);
};

TEST_F(LinuxOnlyDeviceUsers, AProcessWithAnOpenFileIsNamed) {
  const DeviceFacts device = attached();
  const std::string path = mounted(device, "ext4");
  Child child([&] { static_cast<void>(open((path + "/file").c_str(), O_RDONLY)); });
  EXPECT_THAT(holders(device),
              Contains(AllOf(HasSubstr(child.text()), HasSubstr("has " + path + "/file open"))));
  const std::string who = child.text();
  child.end();
  node_->unmount_foreign(path);
  // Other programs on the machine may look at every device meanwhile.
  EXPECT_THAT(holders(device), Not(Contains(HasSubstr(who))));
}

TEST_F(LinuxOnlyDeviceUsers, AFileOfABtrfsIsKnownByItsMount) {
  if (!node_->has_tools("btrfs")) GTEST_SKIP() << "no btrfs-progs";
  EXPECT_TRUE(succeeds(devices().make_image(node_->host("image"), 128 * mebibyte)));
  const DeviceFacts device = devices().attach_image(node_->host("image"), false).value();
  const std::string path = mounted(device, "btrfs");
  Child child([&] { static_cast<void>(open((path + "/file").c_str(), O_RDONLY)); });
  EXPECT_THAT(holders(device), Contains(AllOf(HasSubstr(child.text()), HasSubstr("/file open"))));
  child.end();
  node_->unmount_foreign(path);
}

TEST_F(LinuxOnlyDeviceUsers, AProcessInADirectoryAndOneWithTheNodeAreNamed) {
  const DeviceFacts device = attached();
  const std::string path = mounted(device, "ext4");
  Child inside([&] { static_cast<void>(chdir(path.c_str())); });
  Child opener([&] { static_cast<void>(open(device.node.c_str(), O_RDONLY)); });
  const std::vector<std::string> found = holders(device);
  EXPECT_THAT(found, Contains(AllOf(HasSubstr(inside.text()), HasSubstr("as its cwd"))));
  EXPECT_THAT(found, Contains(AllOf(HasSubstr(opener.text()), HasSubstr("has " + device.node + " open"))));
  inside.end();
  opener.end();
  node_->unmount_foreign(path);
}

TEST_F(LinuxOnlyDeviceUsers, AMountInAnotherNamespaceKeepsTheDevice) {
  const DeviceFacts device = attached();
  const std::string path = mounted(device, "ext4");
  Child child([&] {
    if (unshare(CLONE_NEWNS) != 0) _exit(1);
    mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  });
  node_->unmount_foreign(path);
  EXPECT_FALSE(devices().is_free(device).value());
  EXPECT_TRUE(fails(devices().detach_image(node_->host("image")), "DeviceBusy", EBUSY));
  EXPECT_THAT(holders(device),
              Contains(AllOf(HasSubstr(child.text()), HasSubstr("in another mount namespace"))));
  child.end();
  EXPECT_TRUE(devices().is_free(device).value());
}

TEST_F(LinuxOnlyDeviceUsers, TheKernelTellsOfALoopDevice) {
  const auto socket = open_uevents();
  ASSERT_TRUE(succeeds(socket));
  const DeviceFacts device = attached();
  pollfd waiting{socket.value().get(), POLLIN, 0};
  bool is_told = false;
  while (!is_told && poll(&waiting, 1, 10'000) == 1) {
    for (const Uevent& event : read_uevents(socket.value().get()).events)
      is_told =
          is_told || (event.node == device.node && event.subsystem == "block" && event.action == "change");
  }
  EXPECT_TRUE(is_told);
}

TEST(LinuxOnlyHelper, SaysWhatTheProgramSaidAndHowItEnded) {
  const auto good = run_helper({"/bin/sh", "-c", "echo out; echo problem >&2; test -z \"$(cat)\"; pwd; env"});
  ASSERT_TRUE(succeeds(good));
  EXPECT_TRUE(good.value().is_success());
  EXPECT_THAT(good.value().output, ::testing::StartsWith("out\nproblem\n/\n"));
  EXPECT_THAT(good.value().output, HasSubstr("LC_ALL=C"));
  EXPECT_THAT(good.value().output, ::testing::Not(HasSubstr("HOME=")));
  const auto bad = run_helper({"/bin/sh", "-c", "echo no room; exit 3"});
  ASSERT_TRUE(succeeds(bad));
  EXPECT_EQ(bad.value().status, 3);
  EXPECT_EQ(bad.value().text(), "no room; exit status 3");
  const auto killed = run_helper({"/bin/sh", "-c", "kill -TERM $$"});
  ASSERT_TRUE(succeeds(killed));
  EXPECT_EQ(killed.value().text(), "killed by SIGTERM");
  EXPECT_TRUE(fails(run_helper({"/nowhere/program"}), "SpawnFailed", ENOENT));
}

TEST(LinuxOnlyHelper, KeepsTheEndOfALongOutputAndWaitsForNoChildLeftBehind) {
  const auto end = run_helper({"/bin/sh", "-c", "sleep 1000 & seq 1 100000; echo $!"});
  ASSERT_TRUE(succeeds(end));
  EXPECT_EQ(end.value().output.size(), 64U * 1024);
  const std::string left = last_lines(end.value().output, 1, "");
  EXPECT_EQ(kill(std::stoi(left), SIGKILL), 0);
  EXPECT_EQ(last_lines(end.value().output, 2, " "), "100000 " + left);
}

TEST(LinuxOnlyHelper, DiesWithWhoStartedIt) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const pid_t starter = fork();
  if (starter == 0) {
    // The program says that it runs, and then does nothing.
    const std::string words =
        "echo x > /proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(ends[1]) + "; exec sleep 1000";
    static_cast<void>(run_helper({"/bin/sh", "-c", words}));
    _exit(0);
  }
  char running = 0;
  EXPECT_EQ(read(ends[0], &running, 1), 1);
  kill(starter, SIGKILL);
  int status = 0;
  EXPECT_EQ(waitpid(starter, nullptr, 0), starter);
  EXPECT_GT(waitpid(-1, &status, 0), 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  close(ends[0]);
  close(ends[1]);
  prctl(PR_SET_CHILD_SUBREAPER, 0);
}

}  // namespace
}  // namespace mooring::kernel::contract
