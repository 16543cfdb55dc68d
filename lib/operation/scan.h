#pragma once

#include "base/result.h"
#include "facts/tree_facts.h"
#include "kernel/files.h"

namespace mooring {

/// Reads what is below the root directory: the pods' directories with their stamps and volumes, and the
/// trash. A directory that cannot be read ends it with its error: half a scan would be taken for the whole.
Result<TreeFacts> scan_tree(kernel::Files& files);

}  // namespace mooring
