#include <algorithm>

#include "kernel/fake/fake_kernel.h"
#include "node.h"

namespace mooring::kernel::contract {
namespace {

void must(int error) {
  ASSERT_EQ(error, 0) << errno_text(error);
}

class FakeContractNode final : public Node {
 public:
  FakeContractNode() : kernel_("/tmp/node/root") {
    must(kernel_.mount_foreign("/tmp/node", "tmpfs", "contract"));
    must(kernel_.put_directory("/tmp/node/root"));
    must(kernel_.put_directory("/tmp/node/host"));
    kernel_.reopen_root();
    must(kernel_.put_file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n"));
    must(kernel_.put_char_device("/dev/null"));
  }

  Kernel ports() override { return kernel_.ports(); }
  std::string base() const override { return "/tmp/node"; }
  void put_file(const std::string& path, const std::string& content) override {
    must(kernel_.put_file(path, content));
  }
  void put_directory(const std::string& path) override { must(kernel_.put_directory(path)); }
  void put_symlink(const std::string& path, const std::string& target) override {
    must(kernel_.put_symlink(path, target));
  }
  void put_fifo(const std::string& path) override { must(kernel_.put_fifo(path)); }
  void put_socket(const std::string& path) override { must(kernel_.put_socket(path)); }
  void set_mode(const std::string& path, std::uint32_t mode) override { must(kernel_.set_mode(path, mode)); }
  void remove(const std::string& path) override { must(kernel_.remove_all(path)); }
  void mount_foreign(const std::string& path) override {
    must(kernel_.mount_foreign(path, "tmpfs", "foreign"));
  }
  void bind_foreign(const std::string& source, const std::string& path) override {
    must(kernel_.bind_foreign(source, path));
  }
  void unmount_foreign(const std::string& path) override { must(kernel_.unmount_foreign(path)); }
  void open(const std::string& path) override {
    open_ = path;
    must(is_device() ? kernel_.disks().mark_open(path) : kernel_.mark_open(path));
  }
  void close() override {
    must(is_device() ? kernel_.disks().mark_closed(open_) : kernel_.mark_closed(open_));
  }
  void set_read_only(bool is_read_only) override { must(kernel_.set_read_only(base(), is_read_only)); }
  void limit_space(std::uint64_t bytes) override { must(kernel_.set_space(base(), bytes)); }
  void limit_inodes() override { must(kernel_.set_inodes(base(), 0)); }
  bool exists(const std::string& path) const override { return kernel_.exists(path); }
  std::string read(const std::string& path) const override { return kernel_.read(path); }
  void put_data(const std::string& image, std::uint64_t offset) override {
    DeviceContent content;
    content.data_offset = offset;
    must(kernel_.disks().put_content(image, content));
  }
  void copy_image(const std::string& from, const std::string& to) override {
    must(kernel_.put_file(to, ""));
    must(kernel_.disks().copy(from, to));
  }
  std::string attach_foreign(const std::string& image) override {
    const std::vector<std::string> before = kernel_.disks().nodes();
    must(kernel_.disks().attach_foreign(image));
    for (const std::string& node : kernel_.disks().nodes()) {
      if (std::find(before.begin(), before.end(), node) == before.end()) return node;
    }
    return {};
  }
  void detach_foreign(const std::string& device) override { must(kernel_.disks().detach_foreign(device)); }
  void mount_device(const std::string& device, const std::string& path, const std::string&) override {
    must(kernel_.mount_device(path, device));
  }
  bool has_tools(const std::string&) const override { return true; }
  bool can_grow_online(const std::string&) const override { return true; }
  std::set<int> fired() override {
    const std::vector<int> fired = kernel_.take_fired_watches();
    return {fired.begin(), fired.end()};
  }

 private:
  bool is_device() const { return open_.starts_with("/dev/"); }

  FakeKernel kernel_;
  std::string open_;
};

}  // namespace

std::unique_ptr<Node> make_fake_node() {
  return std::make_unique<FakeContractNode>();
}

std::string name_of(const ::testing::TestParamInfo<NodeKind>& info) {
  switch (info.param) {
    case NodeKind::Fake:
      return "Fake";
    case NodeKind::Linux:
      return "Linux";
    case NodeKind::LinuxWithoutStatmount:
      break;
  }
  return "LinuxWithoutStatmount";
}

}  // namespace mooring::kernel::contract
