#pragma once

#include <optional>

#include "facts/mount_table.h"
#include "kernel/kernel.h"
#include "step/step.h"

namespace mooring {

// How the steps on devices and on file systems of devices are done. Each answers true if it changed
// something.

Result<bool> attach_device(const AttachDevice& step, kernel::Kernel kernel);
Result<bool> detach_device(const DetachDevice& step, kernel::Kernel kernel);
Result<bool> format_device(const FormatDevice& step, kernel::Kernel kernel);
Result<bool> check_file_system(const CheckFileSystem& step, kernel::Kernel kernel, Outcome& outcome);
Result<bool> mount_device(const MountDevice& step, kernel::Kernel kernel);
Result<bool> grow_file_system(const GrowFileSystem& step, kernel::Kernel kernel);
Result<void> prove_staged(const ProveStaged& step, kernel::Kernel kernel);
Result<bool> unmount_device(const UnmountDevice& step, kernel::Kernel kernel);
Result<bool> map_device(const MapDevice& step, kernel::Kernel kernel);
Result<bool> unmap_device(const UnmapDevice& step, kernel::Kernel kernel);

/// What is staged at the source of a bind; nullopt: the source is no place where volumes are staged. Without
/// its mount such a place is an empty directory, and what a pod wrote there would be lost to its volume:
/// "NotStaged".
Result<std::optional<MountFact>> staged_for(const BindMount& step, kernel::Kernel kernel);
/// After the bind: "NotStaged", and the bind is gone, if somebody unmounted it between the look and the bind.
Result<void> check_staged(const BindMount& step, const MountFact& staged, kernel::Mounts& mounts);

/// Removes the links to raw devices that nobody knows of any more, because the node rebooted and the pod did
/// not come back. A link to what is still bound stays.
Result<bool> remove_left_device_links(const PodUid& pod, kernel::Kernel kernel);

}  // namespace mooring
