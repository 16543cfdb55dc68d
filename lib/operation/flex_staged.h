#pragma once

#include <vector>

#include "base/result.h"
#include "facts/csi_controller.h"
#include "kernel/files.h"

namespace mooring {

/// Every volume of a FlexVolume driver that was attached to this node, or was to be, as its directory for the
/// node says (layout::flex_staged()): after a reboot no record tells of them, and nothing is mounted. Each as
/// an attachment of which nobody knows any more than that: its driver, its place, and the last part of that
/// (layout::VolumeElement) as its handle. What is not of the layout, or cannot be read, is
/// passed over: no pod waits for any of it.
/// Error: the directory of all drivers is there and cannot be listed.
Result<std::vector<CsiAttachment>> find_staged_flex(kernel::Files& files);

}  // namespace mooring
