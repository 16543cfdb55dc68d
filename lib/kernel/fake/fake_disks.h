#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kernel/fake/fake_disk.h"
#include "kernel/fake/fake_node.h"

namespace mooring::kernel::fake {

/// The block devices of the fake node: disks that a test plugs in, and loop devices. The controls are what
/// other programs, people and the hardware do; they ask no hook and answer 0 or an errno. A `path` is the
/// node of a device or the file of an image; an image may be attached or not.
class FakeDisks {
 public:
  explicit FakeDisks(FakeNode& node) : node_(node) {}

  // Hardware.

  /// Plugs in a blank disk. Its node appears, with its parents; it stays over a reboot.
  int put_device(const std::string& node, std::uint64_t size_bytes, const std::string& wwid = {});
  /// Unplugs it: its node is gone, what is mounted from it stays and answers EIO.
  int remove_device(const std::string& node);
  /// Plugs what remove_device took in again, under this name; it is another attachment. What is mounted of
  /// it still stays dead.
  int restore_device(const std::string& node, const std::string& as_node);
  /// Two disks change places, as after a reboot: each has the other's node from now on.
  int swap_devices(const std::string& a, const std::string& b);
  int resize_device(const std::string& node, std::uint64_t size_bytes);
  int set_read_only(const std::string& node, bool is_read_only);

  // What is on them.

  /// Overwrites the first bytes: what was there is lost, and a probe answers this.
  int put_content(const std::string& path, const DeviceContent& content);
  /// A probe answers this, but what is there stays: bad sectors, damage.
  int set_answer(const std::string& path, const DeviceContent& content);
  int put_blank(const std::string& path) { return put_content(path, {}); }
  /// As another program's mkfs.
  int put_file_system(const std::string& path, const std::string& type, const std::string& uuid,
                      const std::string& label = {});
  /// dd: the same content with the same UUID on a second device or image, which is there.
  int copy(const std::string& from, const std::string& to);
  /// What the next check of it finds; Repaired is Clean after it.
  int set_health(const std::string& path, CheckResult health);

  // Other programs.

  /// Somebody opens it exclusively, until release() or a reboot.
  int hold(const std::string& node, const DeviceHolder& holder);
  int release(const std::string& node);
  /// Somebody opens the node as any file, or closes it again.
  int mark_open(const std::string& node);
  int mark_closed(const std::string& node);
  /// A loop device that is not Mooring's.
  int attach_foreign(const std::string& path, bool is_read_only = false);
  /// losetup -d.
  int detach_foreign(const std::string& node);
  /// The types whose programs are installed.
  void set_tools(std::set<std::string> types) { tools_ = std::move(types); }

  // What is there.

  std::optional<DeviceContent> content(const std::string& path) const;
  std::uint64_t size_bytes(const std::string& path) const;
  std::uint32_t formats(const std::string& path) const;
  /// How many loop devices have something attached, those of others included.
  std::size_t loop_count() const;
  /// The node that has the image; empty: it is not attached.
  std::string node_of_image(const std::string& path) const;
  std::vector<std::string> nodes() const;
  /// Every path below the file system's root, sorted, mounted or not.
  std::vector<std::string> files_on(const std::string& path) const;
  /// The content of a file in the file system on it.
  std::optional<std::string> read_on(const std::string& path, const std::string& file) const;

  // What the port is made of.

  BlockDevice* device_at(const std::string& node);
  BlockDevice* device_of(const Inode& inode);
  /// All devices in the order of their nodes.
  std::map<std::string, BlockDevice>& devices() { return devices_; }
  /// The loop devices of a file, by its inode.
  std::vector<BlockDevice*> loops_of(const Inode& inode);
  BlockDevice& attach(const Location& file, const std::string& path, bool is_read_only, bool is_own);
  void detach(const std::string& node);
  /// The disk of a regular file or a device's node; made of the file's bytes if nobody asked before.
  std::shared_ptr<Disk> disk_of(Inode& inode);
  /// Says what mounting the device's node finds now.
  void show(const BlockDevice& device);
  bool is_free(const BlockDevice& device) const;
  bool has_tool(const std::string& type) const { return tools_.contains(type); }
  FakeNode& node() { return node_; }
  const FakeNode& node() const { return node_; }

  /// Loop devices and holders end; disks stay.
  void reboot();

 private:
  int put_node(const std::string& node, std::uint32_t number_major, std::uint32_t number_minor);
  void remove_node(const std::string& node);
  int at_disk(const std::string& path, const std::function<void(Disk&)>& change);
  const Disk* existing_disk(const std::string& path) const;
  void show_all();

  FakeNode& node_;
  std::map<std::string, BlockDevice> devices_;
  std::map<std::string, BlockDevice> unplugged_;
  std::set<std::string> tools_{"btrfs", "ext2", "ext3", "ext4", "xfs"};
  std::uint64_t next_sequence_ = 1;
  std::uint32_t next_minor_ = 0;
};

}  // namespace mooring::kernel::fake
