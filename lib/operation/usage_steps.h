#pragma once

#include "kernel/kernel.h"
#include "step/step.h"

namespace mooring {

// How the steps that limit and measure are done. The first two answer true if they changed something.

Result<bool> limit_directory(const LimitDirectory& step, kernel::Kernel kernel);
Result<bool> unlimit_directory(const UnlimitDirectory& step, kernel::Kernel kernel);
Result<void> measure_usage(const MeasureUsage& step, kernel::Kernel kernel, Outcome& outcome);
Result<void> measure_directory(const MeasureDirectory& step, kernel::Kernel kernel, Outcome& outcome);

}  // namespace mooring
