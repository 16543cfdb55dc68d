#include "kernel/linux/device_holders.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include "base/quote.h"
#include "facts/mount_table.h"
#include "kernel/linux/block_device.h"
#include "kernel/linux/descriptor.h"
#include "kernel/linux/loop_device.h"

namespace mooring::kernel {
namespace {

using Folder = std::unique_ptr<DIR, int (*)(DIR*)>;

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  const Folder folder(opendir(path.c_str()), &closedir);
  while (const dirent* entry = folder ? readdir(folder.get()) : nullptr) {
    const std::string name = static_cast<const char*>(entry->d_name);
    if (name != "." && name != "..") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string link_text(const std::string& path) {
  std::array<char, 4096> buffer{};
  const ssize_t size = readlink(path.c_str(), buffer.data(), buffer.size());
  return {buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

std::string read_whole(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// Looks through /proc once.
class Search {
 public:
  explicit Search(const DeviceFacts& device)
      : node_(device.node), number_(makedev(device.device_major, device.device_minor)) {
    superblocks_.insert(number_);
    own_namespace_ = link_text("/proc/self/ns/mnt");
  }

  std::vector<DeviceHolder> run() {
    find_devices_on_it();
    find_swap();
    for (const std::string& name : names_in("/proc")) {
      if (name.find_first_not_of("0123456789") == std::string::npos) pids_.push_back(std::stoi(name));
    }
    std::sort(pids_.begin(), pids_.end());
    // The mounts of all namespaces first: a file of btrfs is known by the mount that it was opened in.
    for (const int pid : pids_)
      read_mounts(pid);
    for (const int pid : pids_)
      read_files(pid);
    return std::move(holders_);
  }

 private:
  static std::string of(int pid, const char* what) { return "/proc/" + std::to_string(pid) + "/" + what; }

  void find_devices_on_it() {
    for (const std::string& name : names_in(sysfs_of(number_) + "/holders"))
      holders_.push_back({0, name, "", "", "is a device on it"});
    for (const LoopDevice& loop : list_loops()) {
      if (loop.info.lo_rdevice == number_)
        holders_.push_back({0, loop.node, "", "", "is a loop device on it"});
    }
  }

  void find_swap() {
    std::istringstream lines(read_whole("/proc/swaps"));
    std::string line;
    std::getline(lines, line);  // The headings.
    while (std::getline(lines, line)) {
      const std::string path = decode_octal_escapes(line.substr(0, line.find(' ')));
      struct stat status {};
      if (stat(path.c_str(), &status) == 0 && S_ISBLK(status.st_mode) && status.st_rdev == number_)
        holders_.push_back({0, "the kernel", "", "", "swaps to it"});
    }
  }

  DeviceHolder holder(int pid, std::string how) const {
    const CgroupOwner owner = cgroup_owner(read_whole(of(pid, "cgroup")));
    return {pid, read_attribute(of(pid, "comm")), owner.unit, owner.container, std::move(how)};
  }

  /// The mounts of the device in the namespace of the process, once for each namespace.
  void read_mounts(int pid) {
    const std::string space = link_text(of(pid, "ns/mnt"));
    if (space.empty() || !namespaces_.insert(space).second) return;
    std::istringstream lines(read_whole(of(pid, "mountinfo")));
    std::string line;
    while (std::getline(lines, line)) {
      MountFact fact;
      if (!parse_mountinfo_line(line, fact)) continue;
      if (!is_local_file_system(fact.type)) remote_.insert(fact.id);
      const dev_t superblock = makedev(fact.device_major, fact.device_minor);
      // A btrfs has a number of its own; its source names the device.
      if (superblock != number_ && !(fact.type == "btrfs" && fact.source == node_)) continue;
      superblocks_.insert(superblock);
      mounts_.insert(fact.id);
      if (space == own_namespace_) {
        holders_.push_back({0, "a mount", "", "", "has it at " + fact.mount_point});
      } else {
        holders_.push_back(
            holder(pid, "has it mounted at " + fact.mount_point + " in another mount namespace"));
      }
    }
  }

  /// The mount that a file was opened in, which asks nobody; 0: not known.
  static std::uint64_t mount_of(int pid, const std::string& descriptor) {
    const std::string lines = read_whole(of(pid, "fdinfo/") + descriptor);
    constexpr std::string_view key = "mnt_id:";
    const std::size_t at = lines.find(key);
    return at == std::string::npos ? 0 : std::strtoull(lines.c_str() + at + key.size(), nullptr, 10);
  }

  bool is_open_on_it(int pid, const std::string& descriptor) const {
    const std::uint64_t mount = mount_of(pid, descriptor);
    if (mounts_.contains(mount)) return true;
    // The server may be dead. What is mounted nowhere any more is looked at.
    return !remote_.contains(mount) && is_on_it(of(pid, "fd/") + descriptor);
  }

  /// By what the kernel has of the file.
  bool is_on_it(const std::string& path) const {
    struct statx status {};
    const int flags = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT;
    if (statx(AT_FDCWD, path.c_str(), flags, STATX_TYPE | STATX_MNT_ID, &status) != 0) return false;
    if (S_ISBLK(status.stx_mode) && makedev(status.stx_rdev_major, status.stx_rdev_minor) == number_)
      return true;
    if (superblocks_.contains(makedev(status.stx_dev_major, status.stx_dev_minor))) return true;
    return (status.stx_mask & STATX_MNT_ID) != 0 && mounts_.contains(status.stx_mnt_id);
  }

  /// One line for each process: its first file says enough.
  void read_files(int pid) {
    if (pid == getpid()) return;
    for (const std::string& name : names_in(of(pid, "fd"))) {
      if (!is_open_on_it(pid, name)) continue;
      holders_.push_back(holder(pid, "has " + link_text(of(pid, "fd/") + name) + " open"));
      return;
    }
    for (const char* name : {"cwd", "root", "exe"}) {
      if (!is_on_it(of(pid, name))) continue;
      holders_.push_back(holder(pid, "has " + link_text(of(pid, name)) + " as its " + name));
      return;
    }
    read_maps(pid);
  }

  /// Files that were closed after they were mapped: libraries. "start-end rwxp offset dev inode path".
  void read_maps(int pid) {
    std::istringstream lines(read_whole(of(pid, "maps")));
    std::string line;
    while (std::getline(lines, line)) {
      std::istringstream fields(line);
      std::string skipped;
      std::string device;
      std::string path;
      fields >> skipped >> skipped >> skipped >> device >> skipped;
      std::getline(fields >> std::ws, path);
      unsigned file_major = 0;
      unsigned file_minor = 0;
      if (std::sscanf(device.c_str(), "%x:%x", &file_major, &file_minor) != 2) continue;
      if (!superblocks_.contains(makedev(file_major, file_minor))) continue;
      holders_.push_back(holder(pid, "has " + path + " mapped"));
      return;
    }
  }

  std::string node_;
  dev_t number_;
  std::string own_namespace_;
  std::vector<int> pids_;
  std::set<std::string> namespaces_;
  std::set<dev_t> superblocks_;     ///< The device's own number, and those of file systems that have another.
  std::set<std::uint64_t> mounts_;  ///< Ids, which are the kernel's and not a namespace's.
  std::set<std::uint64_t> remote_;  ///< Mounts of servers and of FUSE.
  std::vector<DeviceHolder> holders_;
};

}  // namespace

std::vector<DeviceHolder> find_holders(const DeviceFacts& device) {
  return Search(device).run();
}

}  // namespace mooring::kernel
