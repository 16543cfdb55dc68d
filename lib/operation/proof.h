#pragma once

#include <string>

#include "base/ids.h"
#include "kernel/files.h"

namespace mooring {

// The proof that a pod's directory is Mooring's: its stamp, which comes first and goes last. Whoever takes
// another directory for its own removes its data one day. What is mounted there is not asked anything.

/// "ForeignDirectory" for a directory without a stamp that holds anything; one that was made a moment ago, or
/// is not there, is none.
Result<void> check_not_foreign(const PodUid& uid, kernel::Files& files);
/// The same for what lies in a pod's directory; anything else passes.
Result<void> check_not_foreign(const std::string& volume_path, kernel::Files& files);

/// Removes a directory that should be empty ("NotEmpty" else, with the names of what is in it). Absent is
/// success.
Result<void> remove_empty(const std::string& path, kernel::Files& files);

}  // namespace mooring
