#pragma once

#include <string>
#include <vector>

#include "facts/csi_controller.h"
#include "kernel/files.h"

namespace mooring {

/// The directories in a directory; none if it cannot be listed.
std::vector<kernel::DirectoryEntry> directories_in(const std::string& path, kernel::Files& files);

/// Every volume of a CSI driver that was staged on this node, or was to be, as the files beside their places
/// say (step/csi_layout.h): after a reboot no record tells of them, and nothing is mounted. Each as an
/// attachment of which nobody knows any more than that (CsiAttachment). What is not of the layout, or cannot
/// be read, is passed over: drivers may have things of their own there, and no pod waits for any of it.
/// Error: the directory of all drivers is there and cannot be listed.
Result<std::vector<CsiAttachment>> find_staged_csi(kernel::Files& files);

}  // namespace mooring
