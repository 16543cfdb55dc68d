#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "kernel/kernel.h"

namespace mooring::kernel::contract {

/// A node to hold to the contract: the ports, and what other programs do on it. `base()` is a tmpfs of its
/// own that is empty but for the root directory "root" and an outside directory "host". All paths here are
/// absolute; controls end the test if they fail.
class Node {
 public:
  virtual ~Node() = default;
  virtual Kernel ports() = 0;
  virtual std::string base() const = 0;
  std::string root(const std::string& below) const { return base() + "/root/" + below; }
  std::string host(const std::string& below) const { return base() + "/host/" + below; }

  virtual void put_file(const std::string& path, const std::string& content) = 0;
  virtual void put_directory(const std::string& path) = 0;
  virtual void put_symlink(const std::string& path, const std::string& target) = 0;
  virtual void put_fifo(const std::string& path) = 0;
  virtual void put_socket(const std::string& path) = 0;
  virtual void set_mode(const std::string& path, std::uint32_t mode) = 0;
  virtual void remove(const std::string& path) = 0;         ///< A file or an empty directory.
  virtual void mount_foreign(const std::string& path) = 0;  ///< A tmpfs.
  virtual void bind_foreign(const std::string& source, const std::string& path) = 0;
  virtual void unmount_foreign(const std::string& path) = 0;
  virtual void open(const std::string& path) = 0;  ///< Keeps it open until close().
  virtual void close() = 0;
  virtual void set_read_only(bool is_read_only) = 0;  ///< The tmpfs of base().
  virtual void limit_space(std::uint64_t bytes) = 0;  ///< The tmpfs of base(): its whole size.
  virtual void limit_inodes() = 0;                    ///< The tmpfs of base(): no more inodes.
  virtual bool exists(const std::string& path) const = 0;
  virtual std::string read(const std::string& path) const = 0;

  // Devices. What they are controls of ends with the node.

  virtual void put_data(const std::string& image, std::uint64_t offset) = 0;  ///< One byte that is not zero.
  virtual void copy_image(const std::string& from, const std::string& to) = 0;
  /// The node of the new loop device.
  virtual std::string attach_foreign(const std::string& image) = 0;
  virtual void detach_foreign(const std::string& device) = 0;
  virtual void mount_device(const std::string& device, const std::string& path, const std::string& type) = 0;
  /// Whether there are programs for file systems of the type.
  virtual bool has_tools(const std::string& type) const = 0;
  /// Whether the kernel lets this process grow a mounted file system of the type.
  virtual bool can_grow_online(const std::string& type) const = 0;

  /// The watches that something happened in since the last call.
  virtual std::set<int> fired() = 0;
};

enum class NodeKind { Fake, Linux, LinuxWithoutStatmount };

std::unique_ptr<Node> make_fake_node();
std::unique_ptr<Node> make_linux_node(bool may_use_statmount);
std::string name_of(const ::testing::TestParamInfo<NodeKind>& info);

class Contract : public ::testing::TestWithParam<NodeKind> {
 protected:
  Contract()
      : node_(GetParam() == NodeKind::Fake ? make_fake_node()
                                           : make_linux_node(GetParam() == NodeKind::Linux)) {}
  Node& node() { return *node_; }
  Files& files() { return node_->ports().files; }
  Mounts& mounts() { return node_->ports().mounts; }
  Devices& devices() { return node_->ports().devices; }
  void bind(const std::string& source, const std::string& target, bool is_read_only = false,
            bool is_recursive = true) {
    const Result<void> bound = mounts().bind({source, target, is_read_only, is_recursive});
    ASSERT_TRUE(bound) << bound.error().text();
  }

 private:
  std::unique_ptr<Node> node_;
};

template <class Value>
::testing::AssertionResult succeeds(const Result<Value>& result) {
  if (result) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << result.error().reason << ": " << result.error().text();
}

template <class Value>
::testing::AssertionResult fails(const Result<Value>& result, const std::string& reason, int errno_value,
                                 ErrorKind kind = ErrorKind::Transient) {
  if (result) return ::testing::AssertionFailure() << "it succeeded";
  const Error& error = result.error();
  if (error.reason == reason && error.errno_value == errno_value && error.kind == kind) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure()
         << error.reason << " (" << to_string(error.kind) << "): " << error.text();
}

}  // namespace mooring::kernel::contract
