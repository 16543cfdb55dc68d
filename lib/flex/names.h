#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "facts/driver_name.h"

namespace mooring::flex {

// What FlexVolume drivers are called, and where they are (kubelet-behaviours 16):
//
//     <flexvolume dir>/<vendor>~<driver>/<driver>     "vendor/driver"
//     <flexvolume dir>/<driver>/<driver>              "driver"

/// True for a name that a driver may have: one part or two with a slash between, each of them fit to be a
/// file's name, none with a dot in front and none with a "~".
bool is_driver_name(std::string_view name);

/// Whose directory this is, by its name; nullopt: no driver's. Names with a dot in front are being installed.
std::optional<DriverName> driver_of_directory(std::string_view directory);
/// The inverse.
std::string directory_of_driver(const DriverName& driver);

/// The name of the program in its directory: the last part of the driver's name.
std::string program_name_of(const DriverName& driver);
/// Where the program is.
std::string program_of(std::string_view flexvolume_dir, const DriverName& driver);

/// What is known of an entry of a driver's directory.
struct Entry {
  std::string_view directory;  ///< The name of the driver's directory.
  std::string_view name;
  bool is_regular = false;  ///< A regular file, links followed.
  unsigned mode = 0;        ///< Its permission bits.
};
/// The driver whose program the entry is; nullopt: it is none, or it is not executable (yet).
std::optional<DriverName> driver_of_entry(const Entry& entry);

}  // namespace mooring::flex
