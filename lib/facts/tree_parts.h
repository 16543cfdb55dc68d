#pragma once

#include "facts/tree_facts.h"

namespace mooring {

/// Adds what a message had no room for and came in another one. Nothing of either is lost.
void add_part(TreeFacts& whole, TreeFacts part);

}  // namespace mooring
