#pragma once

#include <memory>
#include <string>

#include "kernel/kernel.h"
#include "kernel/linux/descriptor.h"
#include "kernel/linux/linux_files.h"
#include "kernel/linux/linux_mounts.h"

namespace mooring::kernel {

/// The real kernel's ports for one root directory.
class LinuxKernel {
 public:
  /// Opens the root directory (which must exist) and sets the umask of the process to 0, since modes are
  /// given exactly. `inotify` is borrowed; -1: watch_host fails. Transient, by errno.
  static Result<std::unique_ptr<LinuxKernel>> open(const std::string& root_dir, int inotify);

  Kernel ports() { return {files_, mounts_}; }
  /// The root directory as the kernel names it, links resolved: the prefix of what mountinfo shows below it.
  std::string resolved_root() const;

 private:
  LinuxKernel(Descriptor root, int inotify)
      : root_(std::move(root)), files_(root_.get(), inotify), mounts_(root_.get()) {}
  Descriptor root_;
  LinuxFiles files_;
  LinuxMounts mounts_;
};

}  // namespace mooring::kernel
