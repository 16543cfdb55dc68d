#pragma once

#include <string_view>

#include "manifest/objects.h"

namespace mooring::manifest {

// As Kubernetes writes them.

std::string_view to_string(VolumeMode mode);
std::string_view to_string(AccessMode mode);
std::string_view to_string(ReclaimPolicy policy);
std::string_view to_string(BindingMode mode);

}  // namespace mooring::manifest
