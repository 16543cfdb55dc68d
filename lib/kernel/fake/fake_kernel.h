#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kernel/fake/fake_devices.h"
#include "kernel/fake/fake_disks.h"
#include "kernel/fake/fake_drivers.h"
#include "kernel/fake/fake_fault.h"
#include "kernel/fake/fake_files.h"
#include "kernel/fake/fake_mounts.h"
#include "kernel/fake/fake_node.h"
#include "kernel/kernel.h"

namespace mooring::kernel {

/// A node in memory: file systems, mounts, one namespace, with the semantics of Linux as a process with all
/// capabilities meets them, and the ports on it. Deterministic: no clock, no I/O, no order of hashes or of
/// addresses. tests/contract holds it to the real kernel. "/" is an "ext4"; paths below are absolute unless
/// said, and follow symbolic links as any process on the node would.
class FakeKernel {
 public:
  /// Makes the root directory, with its parents.
  explicit FakeKernel(std::string root_dir);
  FakeKernel(const FakeKernel&) = delete;  // The ports refer to it.
  FakeKernel& operator=(const FakeKernel&) = delete;

  Kernel ports() { return {files_, mounts_, devices_, drivers_}; }
  const std::string& root_dir() const { return root_dir_; }

  // Faults. A test's own controls below ask no hook.

  void set_hook(FaultHook hook) { node_.hook = std::move(hook); }
  /// Power off and on: every mount but "/" ends, with what was in memory only, the open files and the
  /// watches. The root directory is looked up anew, and made if it was in memory.
  void reboot();
  /// Looks the root directory up again, as a process does that starts: what has been mounted on it or above
  /// it since the last look-up counts from now on.
  void reopen_root();

  /// The watches that something happened in since the last call, in the order of their first event.
  std::vector<int> take_fired_watches() { return node_.take_fired_watches(); }
  void remove_watch(int number) { node_.remove_watch(number); }

  // What other programs do on the node. Answers are 0 or an errno. Missing parents are made with 0755.

  int put_file(const std::string& path, const std::string& content, std::uint32_t mode = 0644);
  int put_directory(const std::string& path, std::uint32_t mode = 0755);
  int put_symlink(const std::string& path, const std::string& target);
  int put_socket(const std::string& path);
  int put_fifo(const std::string& path);
  int put_char_device(const std::string& path);
  int put_block_device(const std::string& path);
  int set_mode(const std::string& path, std::uint32_t mode);
  /// rm -r that crosses mounts, as a careless program's; the mount points themselves stay (EBUSY).
  int remove_all(const std::string& path);
  /// Mounts a file system that is not Mooring's. One of a disk or a server (any type but tmpfs, ramfs,
  /// hugetlbfs) is the same again when the same source is mounted again.
  int mount_foreign(const std::string& path, const std::string& type, const std::string& source);
  int bind_foreign(const std::string& source, const std::string& path, bool is_read_only = false);
  int unmount_foreign(const std::string& path);
  /// The whole file system that `path` lies in, as after an I/O error with errors=remount-ro.
  int set_read_only(const std::string& path, bool is_read_only);
  /// How much can still be written to the file system that `path` lies in; nullopt: no limit.
  int set_space(const std::string& path, std::optional<std::uint64_t> free_bytes);
  int set_inodes(const std::string& path, std::optional<std::uint64_t> free_inodes);
  /// Switches project quotas of the file system at `path` on or off: mounted with prjquota, or not.
  int set_project_quotas(const std::string& path, bool is_on);
  /// Somebody opens `path`: the mount that it lies in is busy until mark_closed, or a reboot.
  int mark_open(const std::string& path);
  int mark_closed(const std::string& path);
  /// The sizes of huge pages that the kernel offers; none: it lacks hugetlbfs (ENODEV).
  void set_page_sizes(std::set<std::uint64_t> sizes_bytes) { node_.page_sizes = std::move(sizes_bytes); }

  /// A server with this file system, empty, and there whether it is mounted or not; mounted as `type`.
  void put_server(const std::string& source, const std::string& type = "nfs4");
  /// False: the server is gone, as under a hard mount. What mounts it, or looks up, reads or asks for
  /// anything in it where it is mounted, waits for ever (FakeHang), and so does an unmount, once it is done.
  void set_server_answers(const std::string& source, bool answers);
  /// False: /sbin/mount.TYPE is not installed.
  void set_mount_helper(const std::string& type, bool is_there);

  /// False: no file system here can be mounted idmapped.
  void set_can_map_groups(bool can_map) { node_.can_map_groups = can_map; }

  /// The node's disks and loop devices, and what other programs do with them.
  fake::FakeDisks& disks() { return disks_; }
  const fake::FakeDisks& disks() const { return disks_; }
  /// What mounting by this name finds; nullptr: nothing. A test may put servers in it.
  const fake::MountSource* source(const std::string& name) const;
  void put_source(const std::string& name, const fake::MountSource& source) { node_.sources[name] = source; }
  /// mount(8) by somebody else, of a device's file system.
  int mount_device(const std::string& path, const std::string& node);

  /// The drivers outside that this node has.
  FakeDrivers& drivers() { return drivers_; }

  // What is there.

  bool exists(const std::string& path) const;
  /// The content of a file; empty if there is none.
  std::string read(const std::string& path) const;
  /// What stat(2) tells; nullopt if there is nothing.
  std::optional<FileStatus> status(const std::string& path) const;
  /// All below `path` with what is mounted there, one "path type mode" a line ("/a/b directory 750"), sorted.
  std::vector<std::string> tree_listing(const std::string& path) const;
  std::vector<MountFact> mount_facts() const { return node_.facts(); }
  /// Grows with each mount that is made: the table may look as before when it was made and is gone.
  std::uint64_t mounts_made() const { return node_.next_mount_id(); }

 private:
  fake::Walk walk(const std::string& path, bool follows_last = true) const;
  int make_parents(const std::string& path, fake::Location& directory, std::string& name);
  int put(const std::string& path, FileType type, std::uint32_t mode, const std::string& content);
  int remove_below(const fake::Location& directory);

  std::string root_dir_;
  fake::FakeNode node_;
  fake::Location root_;
  fake::FakeFiles files_;
  fake::FakeMounts mounts_;
  fake::FakeDisks disks_;
  fake::FakeDevices devices_;
  FakeDrivers drivers_;
  std::map<std::string, std::shared_ptr<fake::FileSystem>> lasting_;  ///< By type and source.
  std::map<std::string, std::vector<std::uint64_t>> open_;  ///< The mounts' ids, by the path opened.
};

}  // namespace mooring::kernel
