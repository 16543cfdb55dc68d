#pragma once

#include <string>

#include "csi/errors.h"
#include "csi/volume_data.h"
#include "kernel/kernel.h"
#include "step/step.h"

namespace mooring {

// What the steps on volumes of CSI drivers have in common: the call, and what lies around a volume on disk.

/// Calls the driver. Whatever it answers is an answer; an error is of the call itself, or
/// "DriverNotRegistered".
Result<kernel::DriverAnswer> call_csi(const CsiVolume& volume, const char* method, SecretBytes request,
                                      kernel::Drivers& drivers);

/// The absolute path of a relative one, as a driver is told it; empty for none.
Result<std::string> told_path(const std::string& relative, kernel::Mounts& mounts);

/// Writes vol_data.json; one that says something else, or nothing whole, is replaced. True if it was written.
Result<bool> put_volume_data(const std::string& path, const std::string& text, kernel::Files& files);
/// What it says; an empty one if it is not there, or not whole. Never an error: nothing depends on it.
csi::VolumeData read_volume_data(const std::string& path, kernel::Files& files);

/// What lies around a volume on disk.
struct CsiPlace {
  std::string path;  ///< Where the driver mounts.
  std::string data;  ///< vol_data.json; empty: none.
  /// The directory of `path` (and maybe `data`) goes too; not if others may have something in it.
  std::string directory;
};
/// Transient, "StillMounted": something is mounted at the path, whatever the driver says.
Result<void> check_not_mounted(const CsiPlace& place, const std::string& said, kernel::Mounts& mounts);
/// Removes what the driver mounted on or left there, the data and the directory, in this order: none of it
/// with anything in it ("NotEmpty"). Nothing may be mounted there. True if anything was there.
Result<bool> remove_place(const CsiPlace& place, kernel::Files& files);
/// After a final error of the way up: the same, but for what is mounted after all. What cannot be removed is
/// left for the way down; the driver's error is what counts.
void clean_up(const CsiPlace& place, kernel::Kernel kernel);

}  // namespace mooring
