#pragma once

#include "kernel/devices.h"
#include "kernel/drivers.h"
#include "kernel/files.h"
#include "kernel/mounts.h"

namespace mooring::kernel {

/// The ports that operations work on; all refer to one node and one root directory.
struct Kernel {
  Files& files;
  Mounts& mounts;
  Devices& devices;
  Drivers& drivers;
};

}  // namespace mooring::kernel
