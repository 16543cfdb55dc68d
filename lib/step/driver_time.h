#pragma once

#include <cstdint>
#include <vector>

#include "step/step.h"

namespace mooring {

/// How long drivers outside have for the calls of these steps, all together; 0: they make none. An operation
/// that ends sooner would be ended in the middle of one, and nobody would know what the driver said.
std::uint32_t driver_time_ms(const std::vector<Step>& steps);

}  // namespace mooring
