#pragma once

#include <string>

#include "kernel/files.h"

namespace mooring::kernel {

/// Adds up what the directory that is open as `directory` and all below it hold, by descriptors: follows no
/// link, enters no mount, counts a file with several names once. What goes away meanwhile is left out. A tree
/// deeper than there are descriptors ends it ("TooManyFiles" or "FileError"). `path` is for errors.
Result<DirectoryUsage> walk_usage(int directory, const std::string& path);

/// True if nothing is in it.
Result<bool> is_empty_directory(int directory, const std::string& path);

}  // namespace mooring::kernel
