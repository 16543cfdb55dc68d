#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernel/linux/descriptor.h"

namespace mooring::kernel {

/// What the kernel tells of a device: it came, it went, something about it changed.
struct Uevent {
  std::string action;       ///< "add", "remove", "change"...
  std::string subsystem;    ///< "block".
  std::string node;         ///< "/dev/loop3"; empty: it has none.
  bool is_of_udev = false;  ///< Sent once more by udev, which has made its links by then (/dev/disk/by-id).
  std::map<std::string, std::string> properties;  ///< All of them, those above included.

  friend bool operator==(const Uevent&, const Uevent&) = default;
};

struct UeventBatch {
  std::vector<Uevent> events;
  /// The kernel had to drop some: look at everything.
  bool is_incomplete = false;
};

/// One message, of the kernel ("add@/devices/...") or of udev ("libudev"); nullopt for anything else.
std::optional<Uevent> parse_uevent(std::string_view message);

/// A socket that becomes readable when the kernel or udev tells something. Needs no privilege. udev is heard
/// in its own network namespace only, and the kernel in all of the initial user namespace (Linux 4.18).
/// Transient, "UeventsUnavailable".
Result<Descriptor> open_uevents();

/// All that is there, without waiting. Only what the kernel itself sent, or root: any user may send to the
/// socket of another process.
UeventBatch read_uevents(int socket);

}  // namespace mooring::kernel
