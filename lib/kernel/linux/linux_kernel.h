#pragma once

#include <memory>
#include <string>

#include "kernel/kernel.h"
#include "kernel/linux/descriptor.h"
#include "kernel/linux/linux_devices.h"
#include "kernel/linux/linux_drivers.h"
#include "kernel/linux/linux_files.h"
#include "kernel/linux/linux_mounts.h"

namespace mooring::kernel {

/// The real kernel's ports for one root directory.
class LinuxKernel {
 public:
  /// Opens the root directory (which must exist) and sets the umask of the process to 0, since modes are
  /// given exactly. `inotify` is borrowed; -1: watch_host fails. `flex_socket`: as of LinuxDrivers.
  /// Transient, by errno.
  static Result<std::unique_ptr<LinuxKernel>> open(const std::string& root_dir, int inotify,
                                                   const std::string& flex_socket = {});

  Kernel ports() { return {files_, mounts_, devices_, drivers_}; }
  /// True if the path that was opened leads to the directory `device`, `inode` now (and this is it), and not
  /// to one that was put in its place or mounted over it.
  bool is_in_place(std::uint64_t device, std::uint64_t inode) const;
  /// The root directory as the kernel names it, links resolved: the prefix of what mountinfo shows below it.
  std::string resolved_root() const;

 private:
  LinuxKernel(std::string path, Descriptor root, int inotify, std::string flex_socket)
      : path_(std::move(path)),
        root_(std::move(root)),
        files_(root_.get(), inotify),
        mounts_(root_.get()),
        drivers_(find_csi_program(), std::move(flex_socket)) {}
  std::string path_;
  Descriptor root_;
  LinuxFiles files_;
  LinuxMounts mounts_;
  LinuxDevices devices_;
  LinuxDrivers drivers_;
};

}  // namespace mooring::kernel
