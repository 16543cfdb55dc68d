#pragma once

#include <optional>
#include <string>

#include "base/ids.h"
#include "step/layout.h"

namespace mooring {

/// What pods share of a volume that a FlexVolume driver attaches.
struct FlexDevice {
  PluginName plugin;  ///< The driver's name.
  layout::VolumeElement element;
  std::string volume;  ///< As the driver knows it: the name of the PersistentVolume, or the one in the pods.
};

/// Of the key of a device, "<driver>/<element>"; nullopt: it is none of a FlexVolume driver's.
std::optional<FlexDevice> parse_flex_key(const VolumeKey& key);

}  // namespace mooring
