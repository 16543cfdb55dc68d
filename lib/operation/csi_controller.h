#pragma once

#include "kernel/drivers.h"
#include "step/step.h"

namespace mooring {

// The steps on the controller services of CSI drivers (step/csi_controller_steps.h). Each is one call of the
// driver, or two; what came of it is put into the outcome as soon as it is known, also if something after it
// fails. True: the driver was asked to change something, and said that it did. No error, warning or outcome
// holds a secret.

/// Errors: those of the driver (csi/controller_errors.h), "DriverNotRegistered", "BadAnswer" (Uncertain) and,
/// of a volume that is not what was asked for, "UnfitVolume": Transient if it was deleted again, Uncertain if
/// that is not sure.
Result<bool> run_csi_controller(const CreateCsiVolume& step, kernel::Drivers& drivers, Outcome& outcome);
/// What can be no volume is deleted without a call, with a warning.
Result<bool> run_csi_controller(const DeleteCsiVolume& step, kernel::Drivers& drivers, Outcome& outcome);
Result<bool> run_csi_controller(const PublishCsiController& step, kernel::Drivers& drivers, Outcome& outcome);
Result<bool> run_csi_controller(const UnpublishCsiController& step, kernel::Drivers& drivers,
                                Outcome& outcome);
/// "NotExpanded" (Transient): the driver said Ok, and that the volume is smaller than asked for all the same.
Result<bool> run_csi_controller(const ExpandCsiController& step, kernel::Drivers& drivers, Outcome& outcome);
Result<bool> run_csi_controller(const CreateCsiSnapshot& step, kernel::Drivers& drivers, Outcome& outcome);
Result<bool> run_csi_controller(const DeleteCsiSnapshot& step, kernel::Drivers& drivers, Outcome& outcome);

}  // namespace mooring
