#pragma once

#include <map>
#include <string>

#include "facts/driver_name.h"

namespace mooring {

// Steps that ask drivers outside what they are. None of them changes the node.

/// Asks who listens on a socket, and what it can do (kubelet-behaviours 15.1). The outcome carries the
/// driver. Final errors: it is none that can be used, and why (driver/registration.h). Transient ones: it
/// does not answer, or does not know its node yet ("NoNodeId").
struct ProbeCsiDriver {
  std::string socket;           ///< Absolute.
  bool is_registration = true;  ///< A socket of the registry, that names the driver's own; else it is that.
  DriverName expected = {};     ///< Another one is refused ("OtherDriver"); empty: whatever it is.
  /// Where the controllers of drivers listen that have them elsewhere (the configuration), by driver.
  std::map<std::string, std::string> controllers = {};
  friend bool operator==(const ProbeCsiDriver&, const ProbeCsiDriver&) = default;
};

/// Tells who listens on a socket of the registry what became of its registration.
struct NotifyRegistration {
  std::string socket;
  bool is_registered = false;
  std::string error;  ///< Why it was refused.
  friend bool operator==(const NotifyRegistration&, const NotifyRegistration&) = default;
};

}  // namespace mooring
