#pragma once

#include "kernel/kernel.h"
#include "operation/ownership.h"
#include "step/step.h"

namespace mooring {

// How the steps that make and remove volumes of claims are done (step/volume_steps.h). Each answers true if
// it changed something. What another making has left under the volume's name is a
// warning in `outcome`.

Result<bool> make_volume_directory(const MakeVolumeDirectory& step, kernel::Kernel kernel);
Result<bool> remove_volume_directory(const RemoveVolumeDirectory& step, kernel::Kernel kernel,
                                     Outcome& outcome);
Result<bool> set_aside_volume_directory(const SetAsideVolumeDirectory& step, kernel::Kernel kernel,
                                        Outcome& outcome);
Result<bool> empty_directory(const EmptyDirectory& step, kernel::Kernel kernel, const Waiting& waiting);
Result<bool> prepare_image(const PrepareImage& step, kernel::Kernel kernel);
Result<bool> remove_image(const RemoveImage& step, kernel::Kernel kernel, Outcome& outcome);

/// Of a LimitDirectory that has a base.
Result<bool> limit_volume_directory(const LimitDirectory& step, kernel::Kernel kernel);

}  // namespace mooring
