#pragma once

#include <gmock/gmock.h>

#include "kernel/fake/fake_disks.h"
#include "operation/format_stamp.h"
#include "operation_fixture.h"

namespace mooring {

inline constexpr std::uint64_t mebibyte = 1ULL << 20U;
inline const std::string disk_node = "/dev/sdb";
/// A link of udev's to the disk (put_by_id), which may come to lead elsewhere.
inline const std::string by_id_path = "/dev/disk/by-id/wwn-5";
inline const DeviceName by_id{DeviceName::Kind::Path, by_id_path};
inline const std::string image_path = "/srv/images/data.img";
inline const DeviceName disk{DeviceName::Kind::Path, disk_node};
inline const DeviceName image{DeviceName::Kind::Image, image_path};
inline const PluginName block("block.mooring.io");
inline const layout::VolumeElement element("data");
inline const std::string staged_path = layout::staged(block, element);
inline const std::string stamp_path = layout::format_stamp(block, element);

inline FormatDevice format_of(const DeviceName& device, FormatPolicy policy = FormatPolicy::IfBlank) {
  return {device, staged_path, stamp_path, "ext4", policy, false};
}
inline MountDevice mount_of(const DeviceName& device) {
  return {device, staged_path, "ext4", {}, false};
}
inline const CheckFileSystem check_disk{disk, staged_path, "ext4"};
inline const UnmountDevice unmount_staged{staged_path, disk};
inline const UnmountDevice unmount_image{staged_path, image};

/// A node with a blank disk, and a directory for images.
class DeviceNode : public Node {
 public:
  DeviceNode() {
    fake.put_directory("/srv/images");
    disks().put_device(disk_node, 64 * mebibyte, "naa.5");
  }
  kernel::fake::FakeDisks& disks() { return fake.disks(); }

  /// A file system of somebody's with a file in it.
  void put_data(const std::string& node, const std::string& type = "ext4", const std::string& uuid = "d-1") {
    disks().put_file_system(node, type, uuid);
    fake.put_directory("/mnt/put");
    EXPECT_EQ(fake.mount_device("/mnt/put", node), 0);
    EXPECT_EQ(fake.put_file("/mnt/put/file", "data"), 0);
    EXPECT_EQ(fake.unmount_foreign("/mnt/put"), 0);
  }
  /// Makes the link lead to this node.
  void put_by_id(const std::string& node) {
    fake.remove_all(by_id_path);
    EXPECT_EQ(fake.put_symlink(by_id_path, node), 0);
  }
  bool has_data(const std::string& node) { return disks().read_on(node, "file") == "data"; }

  std::optional<FormatStamp> stamp() {
    const auto read = read_format_stamp(stamp_path, fake.ports().files);
    if (!read) {
      ADD_FAILURE() << read.error().text();
      return std::nullopt;
    }
    return read.value();
  }
  void put_stamp(const FormatStamp& stamp) {
    ASSERT_TRUE(write_format_stamp(stamp_path, stamp, fake.ports().files));
  }
  /// Calls `act` once, right before or after the first call of this name.
  void at_call(const std::string& name, bool before, std::function<void()> act) {
    fake.set_hook([=, is_done = std::make_shared<bool>(false)](std::string_view call, const std::string&,
                                                               bool is_before) {
      if (call == name && before == is_before && !*is_done) {
        *is_done = true;
        act();
      }
      return Fault::none();
    });
  }
};

}  // namespace mooring
