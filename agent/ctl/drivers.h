#pragma once

#include <string>
#include <vector>

#include "commands.h"
#include "output.h"
#include "status/status.h"

namespace mooring::ctl {

// Drivers outside: they are the node's, in no namespace.

std::string driver_table(const std::vector<DriverStatus>& drivers, bool is_wide);
/// A paragraph on one for a person.
std::string driver_details(const DriverStatus& driver);
Json driver_json(const DriverStatus& driver);

/// `get drivers [NAME]` and `describe driver NAME`.
ExitStatus get_drivers(const Options& options);
ExitStatus describe_driver(const Options& options);

}  // namespace mooring::ctl
