#include <fcntl.h>
#include <linux/mount.h>
#include <poll.h>
#include <sys/inotify.h>
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
    umount2(base_.c_str(), MNT_DETACH);
    rmdir(base_.c_str());
  }

  Kernel ports() override {
    EXPECT_EQ(umask_, 0U);
    const Kernel ports = kernel_->ports();
    return mounts_ ? Kernel{ports.files, *mounts_} : ports;
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
