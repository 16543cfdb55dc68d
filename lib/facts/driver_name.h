#pragma once

#include "base/ids.h"

namespace mooring {

using DriverName = Id<struct DriverNameTag>;  ///< Of a driver outside: "nfs.csi.k8s.io", "vendor/driver".

}  // namespace mooring
