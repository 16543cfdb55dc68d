#pragma once

#include <functional>

#include "kernel/kernel.h"
#include "operation/ownership.h"
#include "step/step.h"

namespace mooring {

/// Does the steps of `operation` in order on the kernel; the first that fails ends it. Re-reads the kernel
/// rather than believe a return code: after a mount or unmount the target's own state decides. Takes no
/// locks, keeps no state: what it knows of the node it reads. `may_go_on` is asked before each step; false
/// ends the operation ("CoreGone"): nobody waits for it any more, and somebody else may be at work in its
/// place. A long step asks too, about twice a second ("Stopped"). `tell` hears how far a long step is, as
/// often, but only if it got on since the last time.
Outcome execute(const Operation& operation, kernel::Kernel kernel,
                const std::function<bool()>& may_go_on = {}, const TellProgress& tell = {});

}  // namespace mooring
