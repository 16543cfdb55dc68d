#pragma once

#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "node.h"

namespace mooring::kernel::contract {

inline constexpr std::uint64_t mebibyte = 1024 * 1024;

/// One of this process: others on the machine may test at the same time, and a UUID is found wherever it is.
inline std::string test_uuid(int number) {
  std::array<char, 64> text{};
  snprintf(text.data(), text.size(), "5a1b7c3e-%04x-4%03x-8000-%012x", static_cast<unsigned>(getpid()) >> 12U,
           static_cast<unsigned>(getpid()) & 0xfffU, static_cast<unsigned>(number));
  return text.data();
}

class DevicesContract : public Contract {
 protected:
  std::string image(const std::string& name = "image") { return node().host(name); }
  /// A new image that is attached.
  DeviceFacts attached(const std::string& name = "image", std::uint64_t size_bytes = 16 * mebibyte,
                       bool read_only = false) {
    EXPECT_TRUE(succeeds(devices().make_image(image(name), size_bytes)));
    return attach(name, read_only);
  }
  DeviceFacts attach(const std::string& name = "image", bool read_only = false) {
    const auto device = devices().attach_image(image(name), read_only);
    EXPECT_TRUE(succeeds(device));
    return device ? device.value() : DeviceFacts();
  }
  DeviceContent probe(const DeviceFacts& device) {
    const auto content = devices().probe(device);
    EXPECT_TRUE(succeeds(content));
    return content ? content.value() : DeviceContent();
  }
  bool is_free(const DeviceFacts& device) {
    const auto answer = devices().is_free(device);
    EXPECT_TRUE(succeeds(answer));
    return answer && answer.value();
  }
  /// The texts of all.
  std::vector<std::string> holders(const DeviceFacts& device) {
    const auto answer = devices().holders(device);
    EXPECT_TRUE(succeeds(answer));
    std::vector<std::string> texts;
    if (!answer) return texts;
    for (const DeviceHolder& holder : answer.value())
      texts.push_back(holder.text());
    return texts;
  }
  Result<DeviceFacts> find(DeviceName::Kind kind, const std::string& value) {
    return devices().find({kind, value});
  }
  /// What was detached is no device any more; its node may be another program's by now.
  void expect_gone(const DeviceFacts& device) {
    const auto found = find(DeviceName::Kind::Path, device.node);
    if (!found) {
      EXPECT_TRUE(fails(found, "DeviceMissing", 0));
      EXPECT_TRUE(fails(devices().probe(device), "DeviceMissing", ENOMEDIUM));
    } else {
      EXPECT_NE(found.value().sequence, device.sequence);
    }
  }
  /// The facts after something was changed.
  DeviceFacts again(const DeviceFacts& device) {
    const auto found = find(DeviceName::Kind::Path, device.node);
    EXPECT_TRUE(succeeds(found));
    return found ? found.value() : DeviceFacts();
  }
  std::string mount(const DeviceFacts& device, const std::string& type) {
    const std::string path = node().root("mounted");
    node().put_directory(path);
    node().mount_device(device.node, path, type);
    return path;
  }
};

}  // namespace mooring::kernel::contract
