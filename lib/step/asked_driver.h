#pragma once

#include <optional>
#include <vector>

#include "facts/driver_name.h"
#include "step/step.h"

namespace mooring {

/// The driver outside that volumes wait for while these steps are done: whoever works on many of them at once
/// shares its places out by it. nullopt: they ask none. An empty name: which one it is shows only when the
/// steps are done (UnpublishCsiVolume of what no record tells of). What asks a driver who it is is not among
/// them: there is one such question at a time for each.
std::optional<DriverName> asked_driver(const std::vector<Step>& steps);

}  // namespace mooring
