#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"
#include "facts/csi.h"
#include "facts/driver_name.h"

namespace mooring::csi {

// Names that whoever calls CSI drivers computes the same way (kubelet-behaviours 15.2). All are pure.

/// The handle of a volume that stands in a pod: "csi-" and the SHA-256 of the pod's uid and the volume's
/// name, one after the other.
std::string inline_handle(const PodUid& pod, const VolumeName& volume);
/// The name of a VolumeAttachment: "csi-" and the SHA-256 of handle, driver and node.
std::string attachment_id(std::string_view handle, const DriverName& driver, const NodeName& node);

/// As the protocol spells it: "SINGLE_NODE_WRITER".
std::string_view to_string(CsiAccessMode mode);

/// The access mode of a manifest, as the field's name in the PersistentVolume has it.
enum class ClaimedAccess : std::uint8_t { ReadWriteOnce, ReadOnlyMany, ReadWriteMany, ReadWriteOncePod };
/// What a driver is asked for (kubelet-behaviours 15.3). `has_multi_writer`: it can
/// SINGLE_NODE_MULTI_WRITER, and so knows the two modes that it tells apart by that.
CsiAccessMode access_mode(ClaimedAccess access, bool has_multi_writer);

}  // namespace mooring::csi
