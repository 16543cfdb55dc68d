#pragma once

#include "base/result.h"
#include "kernel/files.h"
#include "step/step.h"

namespace mooring {

/// Does the step below `files`. True if anything was changed. Errors are those of the port; besides
/// "ForeignContent" (Final) if something that Mooring did not make is where its link or a directory belongs.
/// After an error the version that `..data` names is as it was, or the new one whole.
Result<bool> publish_files(const PublishFiles& step, kernel::Files& files);

}  // namespace mooring
