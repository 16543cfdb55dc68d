#pragma once

#include <string>
#include <vector>

#include "base/random.h"

namespace mooring::fuzz {

/// One of the seeds with a few random changes: bits, bytes, ranges removed, doubled or taken from another
/// seed, an end cut off. The same generator gives the same text.
std::string mutated(const std::vector<std::string>& seeds, Random& random);

}  // namespace mooring::fuzz
