#pragma once

#include "kernel/kernel.h"
#include "step/step.h"

namespace mooring {

// How the steps on file systems of servers are done. Each answers true if it changed something.

Result<bool> mount_network(const MountNetwork& step, kernel::Kernel kernel);
Result<bool> unmount_network(const UnmountNetwork& step, kernel::Kernel kernel);

}  // namespace mooring
