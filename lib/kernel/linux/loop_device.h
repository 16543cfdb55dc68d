#pragma once

#include <linux/loop.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "facts/device.h"
#include "kernel/linux/descriptor.h"

namespace mooring::kernel {

/// A loop device that has a file.
struct LoopDevice {
  std::string node;
  loop_info64 info{};
  std::string backing_path;  ///< As sysfs shows it; a removed file's ends in " (deleted)".

  bool is_read_only() const { return (info.lo_flags & LO_FLAGS_READ_ONLY) != 0; }
  /// It shows the whole file and not a part.
  bool is_whole() const { return info.lo_offset == 0 && info.lo_sizelimit == 0; }
  /// attach_loop() attached it...
  bool is_ours() const;
  /// ...as the image at this path.
  bool is_named(const std::string& path) const;
};

/// All that have a file now. One that comes or goes meanwhile may be missing.
std::vector<LoopDevice> list_loops();
/// Those of a file, by its device and inode and not by what its path looks like.
std::vector<LoopDevice> loops_of_file(dev_t device, ino_t inode);

/// Attaches an open file, or block device, as the image at `path`. Not detached at its last close: a worker
/// that ends must not end what it attached.
Result<DeviceFacts> attach_loop(int file, const std::string& path, bool is_read_only);

/// Detaches at once, or not at all: LOOP_CLR_FD of a device that somebody has open would only say that it is
/// to be detached later, which then happens whenever they close it. "DeviceBusy". False: it has another file
/// by now, or none.
Result<bool> detach_loop(const LoopDevice& loop);

}  // namespace mooring::kernel
