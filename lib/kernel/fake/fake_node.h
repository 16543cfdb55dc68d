#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "facts/mount_table.h"
#include "kernel/fake/fake_fault.h"
#include "kernel/fake/fake_tree.h"
#include "kernel/mounts.h"

namespace mooring::kernel::fake {

/// One mount of the namespace. Its place in the tree is the entry `point` as seen through the mount `parent`.
struct Mount {
  std::uint64_t id = 0;
  Mount* parent = nullptr;
  std::shared_ptr<Inode> point;
  std::shared_ptr<Inode> root;
  std::shared_ptr<FileSystem> file_system;
  bool is_read_only = false;
  std::optional<GroupSwap> groups;  ///< It is an idmapped mount.

  /// A group on disk as it looks through the mount, and the way back.
  std::uint32_t mapped(std::uint32_t group) const;
};

/// What mounting by a name ("/dev/loop0", "server:/export") finds.
struct MountSource {
  std::shared_ptr<FileSystem> file_system;  ///< nullptr: nothing that could be mounted.
  bool answers = true;                      ///< False: a server that is gone; who asks it waits.
  bool is_held = false;                     ///< Somebody has the device exclusively: EBUSY.
};

/// A file as a look-up reaches it: the kernel's struct path.
struct Location {
  Mount* mount = nullptr;
  std::shared_ptr<Inode> inode;

  bool is_mount_root() const { return inode == mount->root; }
  bool is_read_only() const { return mount->is_read_only || mount->file_system->is_read_only; }
  friend bool operator==(const Location&, const Location&) = default;
};

/// How a look-up may go: the flags of openat2(2).
struct Lookup {
  bool is_beneath = false;
  bool refuses_links = false;
  bool refuses_crossing = false;
  bool follows_last = true;
  bool wants_directory = false;
  /// False: nothing mounted is asked whether what was looked up is still there, as for umount2(2). What tests
  /// do to the node never asks.
  bool asks_servers = true;
};

struct Walk {
  int error = 0;
  Location found;
  Location directory;   ///< For ENOENT at the last element: where it would be made...
  std::string missing;  ///< ...and its name; empty if the look-up ended earlier.
};

/// The node: file systems and one mount namespace, with the system calls that the ports are made of. A call
/// answers 0 or an errno, in the order of checks that Linux has.
class FakeNode {
 public:
  FakeNode();

  Location start() const { return {mounts_.front().get(), mounts_.front()->root}; }
  Walk walk(const Location& from, const std::string& path, const Lookup& how) const;
  /// The entry of a directory, following no link but going into what is mounted there, as statx does. Empty
  /// name: the directory itself. `asks_servers` as in Lookup.
  int find(const Location& directory, const std::string& name, Location& out, bool asks_servers = true) const;
  int make(const Location& directory, const std::string& name, FileType type, std::uint32_t mode,
           const std::string& content = {});
  int remove(const Location& directory, const std::string& name, bool is_directory);
  /// renameat2 with RENAME_NOREPLACE.
  int move(const Location& from, const std::string& from_name, const Location& to,
           const std::string& to_name);

  /// rename(2) of what is not a directory: what is at the other name is replaced.
  int replace(const Location& from, const std::string& from_name, const Location& to,
              const std::string& to_name);

  std::shared_ptr<FileSystem> new_file_system(const std::string& type, const std::string& source,
                                              std::uint32_t root_mode);
  /// Mounts on what `directory` has as `name`, above all that is mounted there.
  int mount(const std::shared_ptr<FileSystem>& file_system, const Location& directory,
            const std::string& name, bool is_read_only = false);
  int bind(const Location& source, bool is_recursive, bool is_read_only, const Location& directory,
           const std::string& name);
  /// Binds a file or directory alone, with other groups if that is asked for.
  int bind_open(const Location& source, const std::optional<GroupSwap>& groups, const Location& directory,
                const std::string& name);
  int unmount(const Location& location);
  /// What MNT_DETACH does: the mount leaves the namespace with all that is mounted in it, in use or not.
  int detach(const Location& location);
  /// What MNT_FORCE does before it unmounts: the calls that wait for the server fail, and whoever made them
  /// lets the file go.
  void abort_users(const Location& location);
  bool is_busy(const Mount& mount) const;
  bool is_mounted(const FileSystem& file_system) const;
  /// After an unmount, which waits for the server if the file system ends by it: the mount is out of the
  /// namespace by then.
  void wait_for_end(const FileSystem& file_system) const;
  /// False for a file system whose server is gone.
  bool answers(const FileSystem& file_system) const;
  /// The mounts below the entry `name` of a directory and above the first `kept` ones on it, the oldest
  /// first.
  std::vector<Location> mounts_below(const Location& directory, const std::string& name,
                                     std::uint32_t kept) const;
  /// Mounts that nothing may end: those with a file open in them, by id. Counted.
  std::map<std::uint64_t, int>& pins() { return pins_; }
  /// The fact of one mount, whole.
  MountFact fact_of(const Mount& mount) const;
  std::vector<MountFact> facts() const;
  /// The absolute path of a location, through its mount.
  std::string path_of(const Location& location) const;
  /// Grows with each mount that is made.
  std::uint64_t next_mount_id() const { return next_mount_id_; }
  /// All mounts end but the first; what is in memory only is gone, also the watches.
  void reboot();

  /// `of_entries`: tells of what is made, moved and removed in it, and not only of its own end.
  int add_watch(const std::shared_ptr<Inode>& directory, bool of_entries);
  void remove_watch(int number);
  std::vector<int> take_fired_watches();

  /// Asks the hook; 0 or the errno to answer. Throws FakeCrash and FakeHang.
  int ask(std::string_view call, const std::string& path, bool before) const;
  FaultHook hook;
  bool can_map_groups = true;
  std::map<std::string, MountSource> sources;
  std::set<std::string> missing_helpers;  ///< Types whose helper (/sbin/mount.TYPE) is not installed.
  std::set<std::uint64_t> page_sizes{2ULL << 20U, 1ULL << 30U};

 private:
  void cross_mounts(Location& at) const;
  Mount* mounted_on(const Location& at) const;
  int step_up(Location& at, const Location& from, const Lookup& how) const;
  int attach(std::vector<std::unique_ptr<Mount>> tree, const Location& directory, const std::string& name);
  void ask_server(const Location& at, const Lookup& how) const;
  void end_file_system(const std::shared_ptr<FileSystem>& file_system);
  void fire(int watch_number);
  void fire_entries(const Inode& directory);
  void end_watch(Inode& inode);

  std::vector<std::unique_ptr<Mount>> mounts_;    ///< In the order of their ids.
  std::vector<std::unique_ptr<Mount>> detached_;  ///< In no namespace, and maybe still in use.
  std::uint64_t next_mount_id_ = 21;
  std::uint32_t next_device_minor_ = 30;
  std::map<std::uint64_t, int> pins_;
  std::map<int, std::shared_ptr<Inode>> watches_;
  int next_watch_ = 1;
  std::vector<int> fired_;
};

/// Runs one call of a port between the two questions to the hook. `fail` makes the error of an errno.
template <class Value, class Act, class Fail>
Result<Value> between_faults(const FakeNode& node, std::string_view call, const std::string& path, Act act,
                             Fail fail) {
  if (const int error = node.ask(call, path, true)) return fail(error);
  Result<Value> result = act();
  if (const int error = node.ask(call, path, false)) return fail(error);
  return result;
}

}  // namespace mooring::kernel::fake
