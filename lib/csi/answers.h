#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "facts/csi.h"
#include "facts/device.h"

namespace mooring::csi {

// What drivers answer, as JSON with the names of the .proto. A driver may answer anything: each function
// takes what it understands, has bounds, and says "BadAnswer" (Transient) to what is no answer at all.
// Unknown fields and capabilities of later versions are passed over.

/// Of Node/NodeGetVolumeStats. `usage` is nullopt if the driver tells no bytes.
struct StatsAnswer {
  std::optional<FileSystemUsage> usage;
  std::optional<CsiCondition> condition;
};
Result<StatsAnswer> volume_stats(std::string_view response);

/// Of Node/NodeExpandVolume: the size that it has now; 0: the driver does not say.
Result<std::uint64_t> expanded_bytes(std::string_view response);

}  // namespace mooring::csi
