#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/result.h"
#include "kernel/files.h"
#include "kernel/linux/descriptor.h"

namespace mooring::kernel {

/// Where the look-up of a path of the node starts, and how it may go on.
struct HostLookup {
  Descriptor base;
  std::string relative;  ///< "." for the base itself.
  std::uint64_t resolve = 0;
  bool is_confined = false;
};

/// Opens the mount point that the location is confined to, or "/".
Result<HostLookup> start_host_lookup(const HostLocation& location);

/// Opens `relative` from the look-up's base; an empty Descriptor leaves errno.
Descriptor open_host(const HostLookup& lookup, const std::string& relative, int flags, mode_t mode = 0);

}  // namespace mooring::kernel
