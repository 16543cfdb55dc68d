#pragma once

#include <functional>

#include "kernel/kernel.h"
#include "step/step.h"

namespace mooring {

/// How far a long step is, in words. Told only of one that gets on: who hears nothing may take it for stuck.
using TellProgress = std::function<void(const std::string& progress)>;

/// Who waits for a step. Either may be empty.
struct Waiting {
  std::function<bool()> may_go_on;  ///< Asked about twice a second; false ends the step ("Stopped").
  TellProgress tell;
};

/// Does a ChangeGroup; adds to `outcome` what was changed and what could not be.
Result<void> change_group(const ChangeGroup& step, kernel::Kernel kernel, const Waiting& waiting,
                          Outcome& outcome);

/// Does a MapGroup.
Result<void> map_group(const MapGroup& step, kernel::Kernel kernel, const Waiting& waiting, Outcome& outcome);

/// True for a bind of the directory `path`, below the root directory, on itself.
bool is_bind_of_itself(const MountFact& mounted, const std::string& path);

}  // namespace mooring
