#pragma once

#include "base/result.h"
#include "facts/tree_facts.h"
#include "kernel/kernel.h"

namespace mooring {

/// Reads what is below the root directory: the pods' directories with their stamps and volumes, the
/// trash, and what drivers outside attached and staged. A directory that cannot be read ends it with its
/// error: half a scan would be taken for the whole. What is mounted is told by the mount table: to look at a
/// volume would be to ask its server, which may be gone, and every pod of the node waits for this scan.
Result<TreeFacts> scan_tree(kernel::Kernel kernel);

}  // namespace mooring
