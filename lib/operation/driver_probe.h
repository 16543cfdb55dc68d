#pragma once

#include "base/result.h"
#include "kernel/drivers.h"
#include "step/step.h"

namespace mooring {

// How drivers outside are asked what they are. Each call has a deadline of its own, so that a driver that
// answers one and hangs in the next is told of as what it is.

/// GetInfo of a registration, then GetPluginInfo, GetPluginCapabilities, NodeGetInfo, NodeGetCapabilities and
/// ControllerGetCapabilities of the driver. Errors: see ProbeCsiDriver.
Result<void> probe_csi_driver(const ProbeCsiDriver& step, kernel::Drivers& drivers, Outcome& outcome);
/// NotifyRegistrationStatus. Errors are of the call: "DriverNotAnswering", "DriverRefused".
Result<void> notify_registration(const NotifyRegistration& step, kernel::Drivers& drivers);

}  // namespace mooring
