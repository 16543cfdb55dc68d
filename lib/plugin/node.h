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
  /// True: volumes are attached by somebody else, who says so by VolumeAttachments
  /// (enableControllerAttachDetach); false: by Mooring.
  bool others_attach = false;
};

}  // namespace mooring
