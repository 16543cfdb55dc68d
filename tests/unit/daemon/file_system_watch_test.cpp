// Errors of a real ext4 on a loop device, in a mount namespace of this process.

#include "daemon/file_system_watch.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "kernel/linux/linux_devices.h"

namespace mooring {
namespace {

constexpr std::uint64_t image_bytes = 32ULL << 20U;

class FileSystemWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      GTEST_SKIP() << "needs root";
    }
    std::string name = (std::filesystem::temp_directory_path() / "mooring-watch.XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    ASSERT_TRUE(devices_.make_image(image(), image_bytes));
    const auto device = devices_.attach_image(image(), false);
    if (!device) GTEST_SKIP() << device.error().text();
    device_ = device.value();
    ASSERT_TRUE(devices_.format(device_, {"ext4", "5a1b7c3e-0000-4000-8000-000000000021"}));
    mounted_ = directory_ + "/mounted";
    std::filesystem::create_directory(mounted_);
    ASSERT_EQ(mount(device_.node.c_str(), mounted_.c_str(), "ext4", 0, "errors=continue"), 0);
  }
  void TearDown() override {
    if (directory_.empty()) return;
    if (!mounted_.empty()) umount2(mounted_.c_str(), MNT_DETACH);
    (void)devices_.detach_image(image());
    std::filesystem::remove_all(directory_);
  }
  std::string image() const { return directory_ + "/image"; }
  DeviceNumber number() const { return {device_.device_major, device_.device_minor}; }
  /// Has the kernel find an error. False if it has no such switch.
  bool make_error() const {
    const std::string name = device_.node.substr(device_.node.rfind('/') + 1);
    std::ofstream file("/sys/fs/ext4/" + name + "/trigger_fs_error");
    file << "by a test" << std::flush;
    return file.good();
  }

  kernel::LinuxDevices devices_;
  DeviceFacts device_;
  std::string directory_;
  std::string mounted_;
  boost::asio::io_context loop_;
  std::vector<std::string> told_;
  FileSystemWatch watch_{loop_,
                         [this](DeviceNumber, const std::string& message) { told_.push_back(message); }};
};

TEST_F(FileSystemWatchTest, tells_of_an_error_once) {
  watch_.watch({number()});
  EXPECT_TRUE(told_.empty());
  if (!make_error()) GTEST_SKIP() << "the kernel makes no errors";
  // At most: the kernel wakes it, and may do so before it has counted the error.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (told_.empty() && std::chrono::steady_clock::now() < until)
    loop_.run_one_until(until);
  loop_.poll();
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_TRUE(told_[0].starts_with("1 error")) << told_[0];
}

TEST_F(FileSystemWatchTest, does_not_spin_when_its_file_system_is_gone) {
  watch_.watch({number()});
  if (!make_error()) GTEST_SKIP() << "the kernel makes no errors";
  ASSERT_EQ(umount2(mounted_.c_str(), 0), 0);
  ASSERT_FALSE(std::filesystem::exists("/sys/fs/ext4/" + device_.node.substr(5)));
  // The file that is open now wakes whoever waits for it, each time.
  int wakes = 0;
  for (int i = 0; i < 100; ++i)
    wakes += static_cast<int>(loop_.poll_one());
  EXPECT_LE(wakes, 3);
  loop_.restart();
  EXPECT_EQ(loop_.poll(), 0u);
  EXPECT_TRUE(told_.empty());
}

TEST_F(FileSystemWatchTest, forgets_what_is_not_to_be_watched_any_more) {
  watch_.watch({number()});
  watch_.watch({});
  make_error();
  loop_.poll();
  EXPECT_TRUE(told_.empty());
}

}  // namespace
}  // namespace mooring
