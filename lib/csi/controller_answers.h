#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "facts/csi_controller.h"

namespace mooring::csi {

// What a controller service answers with Ok, as JSON with the names of the .proto. A driver may answer
// anything. What the answer must have and has not, or has beyond all bounds (1 MiB in all; 1 KiB for an id,
// without control characters; 64 KiB and 256 entries for a context), is Uncertain, "BadAnswer": what was
// asked for may be there all the same, and is asked for again with the same name. Unknown fields are passed
// over. No error says anything of what a context holds: it may be secret.

/// Of CreateVolume. It must name a volume_id.
Result<CsiCreatedVolume> created_volume(std::string_view response);

/// Why a volume is not what was asked for, and must be deleted again (external-provisioner): it is smaller,
/// or it does not say that it was made from its source, and may be empty in place of a copy. Empty: it is.
std::string why_unfit(const CsiVolumeRequest& request, const CsiCreatedVolume& volume);

/// Of ControllerPublishVolume.
Result<CsiPublishContext> publish_context(std::string_view response);

/// Of ControllerExpandVolume. A driver that does not say how large the volume is now says 0.
Result<CsiExpansion> controller_expansion(std::string_view response);

/// Of CreateSnapshot. It must name a snapshot_id.
Result<CsiSnapshot> created_snapshot(std::string_view response);

}  // namespace mooring::csi
