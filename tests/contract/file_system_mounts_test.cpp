// Mounts of what a source names, on both kernels.

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "kernel/fake/fake_kernel.h"
#include "kernel/linux/descriptor.h"
#include "node.h"

namespace mooring::kernel::contract {
namespace {

/// A node with a device on it that has an ext4.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual Kernel ports() = 0;
  virtual std::string root(const std::string& below) const = 0;
  virtual std::string device() const = 0;
  virtual void put_directory(const std::string& path) = 0;
  virtual void put_file(const std::string& path) = 0;
  virtual void put_symlink(const std::string& path, const std::string& target) = 0;
  virtual bool exists(const std::string& path) const = 0;
  virtual void open(const std::string& path) = 0;
  virtual void close() = 0;
};

void must(int error) {
  ASSERT_EQ(error, 0) << errno_text(error);
}

class FakeDisk final : public Disk {
 public:
  FakeDisk() : kernel_("/tmp/node/root") { kernel_.put_server("/dev/loop7", "ext4"); }
  Kernel ports() override { return kernel_.ports(); }
  std::string root(const std::string& below) const override { return "/tmp/node/root/" + below; }
  std::string device() const override { return "/dev/loop7"; }
  void put_directory(const std::string& path) override { must(kernel_.put_directory(path)); }
  void put_file(const std::string& path) override { must(kernel_.put_file(path, "content")); }
  void put_symlink(const std::string& path, const std::string& target) override {
    must(kernel_.put_symlink(path, target));
  }
  bool exists(const std::string& path) const override { return kernel_.exists(path); }
  void open(const std::string& path) override {
    must(kernel_.mark_open(path));
    open_ = path;
  }
  void close() override { must(kernel_.mark_closed(open_)); }

 private:
  FakeKernel kernel_;
  std::string open_;
};

/// An ext4 in a file of the node's own tmpfs, on a loop device that the kernel detaches with its last user.
class LinuxDisk final : public Disk {
 public:
  LinuxDisk() : node_(make_linux_node(true)) {
    const std::string image = node_->host("image");
    constexpr off_t image_bytes = 8 << 20;
    const Descriptor file(::open(image.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    must(ftruncate(file.get(), image_bytes) == 0 ? 0 : errno);
    must(system(("mkfs.ext4 -q -F " + image).c_str()));
    const Descriptor control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    loop_config config{};
    config.fd = static_cast<__u32>(file.get());
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    for (int tries = 0; tries < 32; ++tries) {  // Another one may take the number in between.
      device_ = "/dev/loop" + std::to_string(ioctl(control.get(), LOOP_CTL_GET_FREE));
      loop_.reset(::open(device_.c_str(), O_RDWR | O_CLOEXEC));
      if (loop_ && ioctl(loop_.get(), LOOP_CONFIGURE, &config) == 0) return;
      if (loop_ && errno != EBUSY) break;
    }
    loop_.reset();
  }
  bool has_device() const { return static_cast<bool>(loop_); }
  Kernel ports() override { return node_->ports(); }
  std::string root(const std::string& below) const override { return node_->root(below); }
  std::string device() const override { return device_; }
  void put_directory(const std::string& path) override { node_->put_directory(path); }
  void put_file(const std::string& path) override { node_->put_file(path, "content"); }
  void put_symlink(const std::string& path, const std::string& target) override {
    node_->put_symlink(path, target);
  }
  bool exists(const std::string& path) const override { return node_->exists(path); }
  void open(const std::string& path) override { node_->open(path); }
  void close() override { node_->close(); }

 private:
  std::unique_ptr<Node> node_;
  std::string device_;
  Descriptor loop_;
};

class FileSystemMounts : public ::testing::TestWithParam<NodeKind> {
 protected:
  void SetUp() override {
    if (GetParam() == NodeKind::Fake) {
      disk_ = std::make_unique<FakeDisk>();
      return;
    }
    if (std::system("command -v mkfs.ext4 >/dev/null") != 0) GTEST_SKIP() << "no mkfs.ext4";
    auto disk = std::make_unique<LinuxDisk>();
    if (!disk->has_device()) GTEST_SKIP() << "no loop devices here";
    disk_ = std::move(disk);
  }
  Disk& disk() { return *disk_; }
  Mounts& mounts() { return disk_->ports().mounts; }
  FileSystemMount request(const std::string& target) const {
    FileSystemMount request;
    request.source = disk_->device();
    request.type = "ext4";
    request.target = target;
    return request;
  }
  void mount(const std::string& target) {
    disk_->put_directory(disk_->root(target));
    ASSERT_TRUE(succeeds(mounts().mount_file_system(request(target))));
  }
  std::optional<MountFact> listed(const std::string& target) {
    const auto fact = mounts().listed_at(target);
    EXPECT_TRUE(succeeds(fact));
    return fact ? fact.value() : std::nullopt;
  }

 private:
  std::unique_ptr<Disk> disk_;
};

TEST_P(FileSystemMounts, MountsADevice) {
  mount("a/volume");
  const auto fact = listed("a/volume");
  ASSERT_TRUE(fact);
  EXPECT_EQ(fact->type, "ext4");
  EXPECT_EQ(fact->source, disk().device());
  EXPECT_EQ(fact->root, "/");
  EXPECT_EQ(fact->mount_point, disk().root("a/volume"));
  EXPECT_FALSE(fact->is_read_only());
  disk().put_file(disk().root("a/volume/file"));
}

TEST_P(FileSystemMounts, AReadOnlyOneIsReadOnlyWhateverItsOptionsSay) {
  disk().put_directory(disk().root("volume"));
  FileSystemMount read_only = request("volume");
  read_only.options = {"rw", "nosuid"};
  read_only.is_read_only = true;
  ASSERT_TRUE(succeeds(mounts().mount_file_system(read_only)));
  ASSERT_TRUE(listed("volume"));
  EXPECT_TRUE(listed("volume")->is_read_only());
}

TEST_P(FileSystemMounts, WhatOnlyFstabKnowsIsNoOption) {
  disk().put_directory(disk().root("volume"));
  FileSystemMount with_options = request("volume");
  with_options.options = {"x-systemd.automount", "_netdev", "nofail", "defaults", "noatime"};
  ASSERT_TRUE(succeeds(mounts().mount_file_system(with_options)));
  EXPECT_TRUE(listed("volume"));
}

TEST_P(FileSystemMounts, OneDeviceMountedTwiceIsOneFileSystem) {
  mount("first");
  mount("second");
  disk().put_file(disk().root("first/file"));
  EXPECT_TRUE(disk().exists(disk().root("second/file")));
  EXPECT_EQ(listed("first")->device_minor, listed("second")->device_minor);
}

TEST_P(FileSystemMounts, ItIsNotMountedTwiceInOnePlace) {
  mount("volume");
  EXPECT_TRUE(fails(mounts().mount_file_system(request("volume")), "MountFailed", EBUSY));
}

TEST_P(FileSystemMounts, AnErrorOfTheKernelIsTold) {
  disk().put_directory(disk().root("volume"));
  FileSystemMount wrong = request("volume");
  wrong.type = "xfs";
  EXPECT_TRUE(fails(mounts().mount_file_system(wrong), "MountFailed", EINVAL));
  wrong.type = "nosuchfs";
  EXPECT_TRUE(fails(mounts().mount_file_system(wrong), "MountFailed", ENODEV, ErrorKind::Final));
  FileSystemMount absent = request("volume");
  absent.source = "/dev/mooring-absent";
  EXPECT_TRUE(fails(mounts().mount_file_system(absent), "MountFailed", ENOENT));
  EXPECT_FALSE(listed("volume"));
}

TEST_P(FileSystemMounts, ItNeedsADirectoryThatIsThere) {
  disk().put_file(disk().root("file"));
  disk().put_directory(disk().root("directory"));
  disk().put_symlink(disk().root("link"), disk().root("directory"));
  EXPECT_TRUE(fails(mounts().mount_file_system(request("absent")), "MountFailed", ENOENT));
  EXPECT_TRUE(fails(mounts().mount_file_system(request("file")), "MountFailed", ENOTDIR));
  EXPECT_TRUE(fails(mounts().mount_file_system(request("link")), "MountFailed", ENOTDIR));
  EXPECT_TRUE(fails(mounts().mount_file_system(request("link/below")), "SymbolicLink", ELOOP));
  EXPECT_FALSE(listed("directory"));
}

TEST_P(FileSystemMounts, AnOptionThatAsksForSomethingElseIsRefused) {
  mount("volume");
  for (const char* option : {"remount", "bind", "rbind", "move", "loop", "loop=/dev/loop9", "offset=4096"}) {
    FileSystemMount other = request("volume");
    other.options = {option};
    EXPECT_TRUE(fails(mounts().mount_file_system(other), "InvalidMountOptions", 0, ErrorKind::Final))
        << option;
  }
}

TEST_P(FileSystemMounts, UnmountsWithoutALook) {
  for (const UnmountForce force : {UnmountForce::None, UnmountForce::Abort, UnmountForce::Detach}) {
    mount("volume");
    EXPECT_TRUE(succeeds(mounts().unmount_unseen("volume", force)));
    EXPECT_FALSE(listed("volume"));
    EXPECT_TRUE(fails(mounts().unmount_unseen("volume", force), "NotMounted", EINVAL));
  }
  EXPECT_TRUE(fails(mounts().unmount_unseen("absent", UnmountForce::None), "UnmountFailed", ENOENT));
}

TEST_P(FileSystemMounts, TheUppermostIsUnmountedFirst) {
  mount("volume");
  ASSERT_TRUE(succeeds(mounts().mount_tmpfs("volume", {})));
  EXPECT_EQ(listed("volume")->type, "tmpfs");
  EXPECT_TRUE(succeeds(mounts().unmount_unseen("volume", UnmountForce::Detach)));
  EXPECT_EQ(listed("volume")->type, "ext4");
}

TEST_P(FileSystemMounts, OnlyDetachingTakesAwayWhatIsInUse) {
  mount("volume");
  disk().put_file(disk().root("volume/file"));
  disk().open(disk().root("volume/file"));
  EXPECT_TRUE(fails(mounts().unmount_unseen("volume", UnmountForce::None), "Busy", EBUSY));
  EXPECT_TRUE(fails(mounts().unmount_unseen("volume", UnmountForce::Abort), "Busy", EBUSY));
  EXPECT_TRUE(fails(mounts().unmount_unseen("volume", UnmountForce::None), "Busy", EBUSY));
  EXPECT_TRUE(listed("volume"));
  EXPECT_TRUE(succeeds(mounts().unmount_unseen("volume", UnmountForce::Detach)));
  EXPECT_FALSE(listed("volume"));
  disk().close();
}

TEST_P(FileSystemMounts, DetachingTakesAlongWhatIsMountedInIt) {
  mount("volume");
  disk().put_directory(disk().root("volume/inner"));
  disk().put_directory(disk().root("elsewhere"));
  ASSERT_TRUE(succeeds(mounts().mount_tmpfs("elsewhere", {})));
  ASSERT_TRUE(succeeds(mounts().bind({disk().root("elsewhere"), "volume", false, false})));
  EXPECT_TRUE(succeeds(mounts().unmount_unseen("volume", UnmountForce::None)));
  EXPECT_TRUE(succeeds(mounts().unmount_unseen("volume", UnmountForce::Detach)));
  EXPECT_FALSE(listed("volume"));
  EXPECT_TRUE(listed("elsewhere"));
  EXPECT_FALSE(disk().exists(disk().root("volume/inner")));
}

TEST_P(FileSystemMounts, TheTableTellsWhatIsMountedAtAPlace) {
  disk().put_directory(disk().root("plain"));
  EXPECT_FALSE(listed("plain"));
  EXPECT_FALSE(listed("absent"));
  EXPECT_FALSE(listed("absent/deeper"));
  mount("with a blank");
  EXPECT_TRUE(listed("with a blank"));
  EXPECT_FALSE(listed("with"));
  for (const char* target : {"with a blank", "absent/deeper", ""}) {
    const auto path = mounts().listed_path(target);
    ASSERT_TRUE(succeeds(path));
    EXPECT_EQ(path.value(), disk().root(target));
  }
}

TEST_P(FileSystemMounts, UsageIsThatOfTheFileSystemThere) {
  disk().put_directory(disk().root("small"));
  ASSERT_TRUE(succeeds(mounts().mount_tmpfs("small", {1U << 20U, 01777})));
  const auto before = mounts().usage("small");
  ASSERT_TRUE(succeeds(before));
  EXPECT_EQ(before.value().capacity_bytes, 1U << 20U);
  EXPECT_EQ(before.value().used_bytes, 0U);
  EXPECT_EQ(before.value().available_bytes, 1U << 20U);
  disk().put_file(disk().root("small/file"));
  const auto after = mounts().usage("small");
  ASSERT_TRUE(succeeds(after));
  EXPECT_EQ(after.value().used_bytes, 4096U);
  EXPECT_EQ(after.value().available_bytes, (1U << 20U) - 4096U);
  EXPECT_EQ(after.value().inodes_used, before.value().inodes_used + 1);
  EXPECT_EQ(after.value().inodes, after.value().inodes_used + after.value().inodes_free);
  EXPECT_TRUE(fails(mounts().usage("absent"), "NotFound", ENOENT));
}

INSTANTIATE_TEST_SUITE_P(Ports, FileSystemMounts, ::testing::Values(NodeKind::Fake, NodeKind::Linux),
                         name_of);

}  // namespace
}  // namespace mooring::kernel::contract
