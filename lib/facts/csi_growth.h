#pragma once

namespace mooring {

// The annotation of a PersistentVolume that says what a CSI driver left to the node when it made the volume
// larger (node_expansion_required).

inline constexpr const char* node_expansion = "mooring.io/node-expansion";
/// The volume is as large as its capacity says when NodeExpandVolume has said so too.
inline constexpr const char* node_expansion_required = "required";
/// It is so already.
inline constexpr const char* node_expansion_done = "done";

}  // namespace mooring
