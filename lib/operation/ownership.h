#pragma once

#include <functional>

#include "kernel/kernel.h"
#include "step/step.h"

namespace mooring {

/// How far a long step is, in words.
using TellProgress = std::function<void(const std::string& progress)>;

/// Does a ChangeGroup; adds to `outcome` what was changed and what could not be.
Result<void> change_group(const ChangeGroup& step, kernel::Kernel kernel, const TellProgress& tell,
                          Outcome& outcome);

/// Does a MapGroup.
Result<void> map_group(const MapGroup& step, kernel::Kernel kernel, const TellProgress& tell,
                       Outcome& outcome);

/// True for a bind of the directory `path`, below the root directory, on itself.
bool is_bind_of_itself(const MountFact& mounted, const std::string& path);

}  // namespace mooring
