#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mooring {

/// VolumeCapability.AccessMode.Mode (CSI 1.9).
enum class CsiAccessMode : std::uint8_t {
  SingleNodeWriter,
  SingleNodeReaderOnly,
  MultiNodeReaderOnly,
  MultiNodeSingleWriter,
  MultiNodeMultiWriter,
  SingleNodeSingleWriter,
  SingleNodeMultiWriter,
};

/// What a CSI volume is asked for as (VolumeCapability).
struct CsiCapability {
  bool is_block = false;  ///< A raw device; then the next three say nothing.
  std::string fs_type;    ///< Empty: the driver's own choice.
  std::vector<std::string> mount_flags;
  std::string volume_mount_group;  ///< A gid, if the driver sees to the pod's group itself.
  CsiAccessMode access_mode = CsiAccessMode::SingleNodeWriter;
  friend bool operator==(const CsiCapability&, const CsiCapability&) = default;
};

/// What a driver says about the health of a volume (VolumeCondition).
struct CsiCondition {
  bool is_abnormal = false;
  std::string message;  ///< The driver's words, bounded and cleaned.
  friend bool operator==(const CsiCondition&, const CsiCondition&) = default;
};

}  // namespace mooring
