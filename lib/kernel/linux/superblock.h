#pragma once

#include <optional>
#include <string>

#include "facts/device.h"

namespace mooring::kernel {

/// What libblkid makes of a device's superblocks and partition table.
struct Recognised {
  std::optional<Signature> signature;
  std::string partition_table;
  bool is_ambivalent = false;
  int read_errno = 0;
};

/// Looks at an open device. `with_partitions`: for partition tables too; a device that has none but one is
/// not recognised otherwise.
Recognised recognise(int device, bool with_partitions);

}  // namespace mooring::kernel
