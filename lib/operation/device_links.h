#pragma once

#include <string>

#include "base/error.h"
#include "base/ids.h"
#include "kernel/files.h"

namespace mooring {

// The links by which runtimes find the raw devices of pods, and the files that devices' nodes are bound on.

std::string parent_of(const std::string& path);

/// True for a file such as a device's node is bound on.
bool is_empty_file(const kernel::FileStatus& status);

/// Final, "ForeignFile": something stands where `wanted` belongs.
Error something_else(const std::string& path, const std::string& wanted);

/// Makes `link` lead to `place`, whatever it led to before, with the directories above it. Both are relative
/// to the root directory, and so is the way between them: it leads there also for whoever sees the root
/// directory at another place. True if it did not before. "ForeignFile".
Result<bool> link_device(const std::string& link, const std::string& place, kernel::Files& files);

/// Removes the link. True if it was there. "ForeignFile" for anything but a link.
Result<bool> unlink_device(const std::string& link, kernel::Files& files);

/// Where a link of link_device() leads, relative to the root directory; empty: it is somebody else's, or of
/// another pod.
std::string place_by_link(const std::string& link, const std::string& target, const PodUid& pod);

/// Removes a directory of the layout, unless others still have something in it. True if it was removed.
Result<bool> remove_unless_shared(const std::string& path, kernel::Files& files);

}  // namespace mooring
