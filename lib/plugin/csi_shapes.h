#pragma once

#include <string_view>

namespace mooring {

/// How the shapes of volumes of CSI drivers begin (Recipe::shape): what records tell of them is read back
/// from that. Of an ephemeral and of a persistent one the driver's name follows.
constexpr std::string_view ephemeral_shape = "csi-ephemeral:";
constexpr std::string_view persistent_shape = "csi:";
/// The whole shape of a raw device.
constexpr std::string_view raw_shape = "device";

}  // namespace mooring
