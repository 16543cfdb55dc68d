#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/quantity.h"

namespace mooring {

/// The node, as plugins and selectors see it.
struct NodeInfo {
  NodeName name;
  std::map<std::string, std::string> labels;
  std::map<std::string, Quantity> allocatable;  ///< "cpu", "memory", ...; a missing one is unknown.
  std::string root_dir;                         ///< Absolute, as containers' mounts name it.
};

}  // namespace mooring
