#pragma once

#include "kernel/files.h"
#include "kernel/mounts.h"

namespace mooring::kernel {

/// The ports that operations work on; both refer to one node and one root directory.
struct Kernel {
  Files& files;
  Mounts& mounts;
};

}  // namespace mooring::kernel
