#include <fcntl.h>
#include <linux/loop.h>
#include <linux/mount.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "kernel/linux/linux_kernel.h"
#include "loops.h"
#include "node.h"

namespace mooring::kernel::contract {
namespace {

void must(int answer) {
  ASSERT_EQ(answer, 0) << errno_text(errno);
}

/// In the private mount namespace that main() has made.
class LinuxContractNode final : public Node {
 public:
  explicit LinuxContractNode(bool may_use_statmount) {
    std::string name = (std::filesystem::temp_directory_path() / "mooring-contract.XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    base_ = std::filesystem::canonical(name).string();
    must(::mount("contract", base_.c_str(), "tmpfs", 0, "mode=755"));
    must(mkdir((base_ + "/root").c_str(), 0755));
    must(mkdir((base_ + "/host").c_str(), 0755));
    inotify_.reset(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    umask(077);  // The kernel's open() must see to it.
    kernel_ = LinuxKernel::open(base_ + "/root", inotify_.get()).value();
    umask_ = umask(0);
    if (may_use_statmount) return;
    root_.reset(::open((base_ + "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    mounts_.emplace(root_.get(), false);
  }
  ~LinuxContractNode() override {
    open_.reset();
    root_.reset();
    kernel_.reset();
    end_devices();
    umount2(base_.c_str(), MNT_DETACH);
    rmdir(base_.c_str());
  }

  Kernel ports() override {
    EXPECT_EQ(umask_, 0U);
    const Kernel ports = kernel_->ports();
    return mounts_ ? Kernel{ports.files, *mounts_, ports.devices, ports.drivers} : ports;
  }
  std::string base() const override { return base_; }
  void put_file(const std::string& path, const std::string& content) override {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << content;
    must(chmod(path.c_str(), 0644));
  }
  void put_directory(const std::string& path) override { std::filesystem::create_directories(path); }
  void put_symlink(const std::string& path, const std::string& target) override {
    must(symlink(target.c_str(), path.c_str()));
  }
  void put_fifo(const std::string& path) override { must(mkfifo(path.c_str(), 0644)); }
  void put_socket(const std::string& path) override { must(mknod(path.c_str(), S_IFSOCK | 0666, 0)); }
  void set_mode(const std::string& path, std::uint32_t mode) override { must(chmod(path.c_str(), mode)); }
  void remove(const std::string& path) override { must(::remove(path.c_str())); }
  void mount_foreign(const std::string& path) override {
    must(::mount("foreign", path.c_str(), "tmpfs", 0, "mode=755"));
  }
  void bind_foreign(const std::string& source, const std::string& path) override {
    must(::mount(source.c_str(), path.c_str(), nullptr, MS_BIND | MS_REC, nullptr));
  }
  void unmount_foreign(const std::string& path) override { must(umount2(path.c_str(), 0)); }
  void open(const std::string& path) override {
    open_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(open_);
  }
  void close() override { open_.reset(); }
  void set_read_only(bool is_read_only) override {
    // The superblock only, as an I/O error does; mount(2) would change the mount too.
    const Descriptor context(static_cast<int>(syscall(SYS_fspick, AT_FDCWD, base_.c_str(), FSPICK_CLOEXEC)));
    const char* flag = is_read_only ? "ro" : "rw";
    must(static_cast<int>(syscall(SYS_fsconfig, context.get(), FSCONFIG_SET_FLAG, flag, nullptr, 0)));
    must(static_cast<int>(
        syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0)));
  }
  void limit_space(std::uint64_t bytes) override { remount("size=" + std::to_string(bytes)); }
  void limit_inodes() override {
    struct statfs space {};
    must(statfs(base_.c_str(), &space));
    remount("nr_inodes=" + std::to_string(space.f_files - space.f_ffree));
  }
  bool exists(const std::string& path) const override {
    struct stat status {};
    return lstat(path.c_str(), &status) == 0;
  }
  std::string read(const std::string& path) const override {
    std::ostringstream content;
    content << std::ifstream(path).rdbuf();
    return content.str();
  }
  void put_data(const std::string& image, std::uint64_t offset) override {
    const Descriptor file(::open(image.c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(pwrite(file.get(), "x", 1, static_cast<off_t>(offset)), 1);
  }
  void copy_image(const std::string& from, const std::string& to) override {
    std::filesystem::copy_file(from, to);
  }
  std::string attach_foreign(const std::string& image) override { return attach_loop(image, 0); }
  void detach_foreign(const std::string& device) override {
    const Descriptor loop(::open(device.c_str(), O_RDONLY | O_CLOEXEC));
    must(ioctl(loop.get(), LOOP_CLR_FD, 0));
  }
  void mount_device(const std::string& device, const std::string& path, const std::string& type) override {
    must(::mount(device.c_str(), path.c_str(), type.c_str(), 0, nullptr));
  }
  bool has_tools(const std::string& type) const override {
    return access(("/usr/sbin/mkfs." + type).c_str(), X_OK) == 0 ||
           access(("/sbin/mkfs." + type).c_str(), X_OK) == 0;
  }
  bool can_grow_online(const std::string& type) const override {
    // ext4 asks for CAP_SYS_RESOURCE, which a container's root may lack; the others for CAP_SYS_ADMIN.
    constexpr std::uint64_t resource = 1ULL << 24U;
    if (!type.starts_with("ext")) return true;
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("CapEff:")) return (std::stoull(line.substr(7), nullptr, 16) & resource) != 0;
    }
    return false;
  }
  std::set<int> fired() override {
    // The kernel queues an event before the call that caused it returns.
    std::set<int> watches;
    pollfd waiting{inotify_.get(), POLLIN, 0};
    alignas(inotify_event) std::array<char, 16384> buffer{};
    while (poll(&waiting, 1, 0) == 1) {
      const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
      for (ssize_t at = 0; at < got;) {
        const auto* event = static_cast<const inotify_event*>(static_cast<const void*>(buffer.data() + at));
        watches.insert(event->wd);
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      }
    }
    return watches;
  }

 private:
  /// The machine has the loop devices: none may stay, whatever the test did.
  void end_devices() {
    std::vector<std::string> mounts;
    std::ifstream table("/proc/self/mountinfo");
    for (std::string line; std::getline(table, line);) {
      MountFact fact;
      if (parse_mountinfo_line(line, fact) && fact.mount_point.starts_with(base_ + "/"))
        mounts.push_back(fact.mount_point);
    }
    for (auto mount = mounts.rbegin(); mount != mounts.rend(); ++mount)
      umount2(mount->c_str(), MNT_DETACH);
    detach_loops_below(base_);
  }
  void remount(const std::string& options) {
    must(::mount(nullptr, base_.c_str(), nullptr, MS_REMOUNT, options.c_str()));
  }

  std::string base_;
  Descriptor inotify_;
  Descriptor open_;
  Descriptor root_;
  std::unique_ptr<LinuxKernel> kernel_;
  std::optional<LinuxMounts> mounts_;
  mode_t umask_ = 0;
};

}  // namespace

std::unique_ptr<Node> make_linux_node(bool may_use_statmount) {
  return std::make_unique<LinuxContractNode>(may_use_statmount);
}

}  // namespace mooring::kernel::contract
