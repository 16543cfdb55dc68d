#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace mooring::kernel {

/// How large a mounted file system believes its device to be.
struct FileSystemSize {
  std::uint64_t bytes = 0;
  std::uint64_t block_bytes = 0;  ///< It cannot grow by less.
  std::uint64_t device_id = 0;    ///< The device's number inside the file system; btrfs only.
};

/// Asks the file system of the type that is mounted at the path from the open device. ext keeps its
/// superblock in the device's own cache; the others are asked by their ioctls. nullopt: the device is not
/// what is mounted there.
std::optional<FileSystemSize> file_system_size(int device, const std::string& type,
                                               const std::string& mounted_at);

}  // namespace mooring::kernel
