#pragma once

#include <string>

#include "base/random.h"

namespace mooring {

/// A uid (RFC 4122, version 4) for an object whose manifest has none.
std::string drawn_uid(Random& random);

}  // namespace mooring
