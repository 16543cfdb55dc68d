#pragma once

#include <vector>

#include "kernel/kernel.h"
#include "step/step.h"

namespace mooring {

// A volume that is attached by its driver's controller stays attached whatever becomes of Mooring, or of the
// node. So a stamp below the root directory says so before the driver is asked, and goes when the driver said
// that it is detached (step/csi_controller_steps.h). Each answers true if the driver was asked and said Ok.
// Errors: those of run_csi_controller(), and of the stamp's file.

/// If the stamp names another node id, which the driver called this node by before, the volume is detached
/// from that first.
Result<bool> attach_csi(const PublishCsiController& step, kernel::Kernel kernel, Outcome& outcome);
Result<bool> detach_csi(const UnpublishCsiController& step, kernel::Kernel kernel, Outcome& outcome);

/// All stamps that there are. One that cannot be read as a stamp is passed over: nothing is known by it.
Result<std::vector<CsiAttachment>> find_csi_attachments(kernel::Files& files);

}  // namespace mooring
