#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "facts/driver_name.h"

namespace mooring::csi {

inline constexpr std::string_view volume_data_name = "vol_data.json";
/// What is longer is none.
inline constexpr std::size_t volume_data_size_max = 64 * 1024;

/// What lies beside a volume of a CSI driver, for drivers and tools that expect it (kubelet-behaviours 15.2),
/// and for a node whose records are gone. Mooring itself does what its records say: a file that is missing
/// or cut short hurts nothing.
///
///     {"attachmentID":"csi-...","driverName":"d","nodeName":"n1","specVolID":"pv","volumeHandle":"h",
///      "volumeLifecycleMode":"Persistent"}
struct VolumeData {
  DriverName driver;
  std::string volume_handle;
  // Of a pod's volume only; empty of what is staged.
  VolumeDirectory directory = {};   ///< specVolID.
  NodeName node = {};               ///< nodeName.
  std::string attachment_id = {};   ///< attachmentID.
  std::string lifecycle_mode = {};  ///< "Persistent" or "Ephemeral".
  friend bool operator==(const VolumeData&, const VolumeData&) = default;
};

std::string encode_volume_data(const VolumeData& data);
/// nullopt for what does not say driver and handle. Whatever else it says counts if it is a text.
std::optional<VolumeData> decode_volume_data(std::string_view bytes);

}  // namespace mooring::csi
