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
    must(kernel_.mark_open(path));
    open_ = path;
  }
  void close() override { must(kernel_.mark_closed(open_)); }
  void set_read_only(bool is_read_only) override { must(kernel_.set_read_only(base(), is_read_only)); }
  void limit_space(std::uint64_t bytes) override { must(kernel_.set_space(base(), bytes)); }
  void limit_inodes() override { must(kernel_.set_inodes(base(), 0)); }
  bool exists(const std::string& path) const override { return kernel_.exists(path); }
  std::string read(const std::string& path) const override { return kernel_.read(path); }
  std::set<int> fired() override {
    const std::vector<int> fired = kernel_.take_fired_watches();
    return {fired.begin(), fired.end()};
  }

 private:
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
