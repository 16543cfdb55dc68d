#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "facts/csi_controller.h"

namespace mooring::csi {

/// What is longer is no stamp of an attachment.
inline constexpr std::size_t attachment_size_max = 64 * 1024;

/// The stamp of a volume that Mooring had attached by its driver's controller (layout::csi_attachment). It
/// lies below the root directory, and not among the records of the run directory: a volume stays attached
/// when the node reboots.
///
///     {"version":1,"driver":"d","handle":"h","nodeId":"n1","staged":"plugins/...",
///      "secret":{"namespace":"storage","name":"login"}}
std::string encode_attachment(const CsiAttachment& attachment);
/// nullopt for what is no whole stamp of this version.
std::optional<CsiAttachment> decode_attachment(std::string_view bytes);

}  // namespace mooring::csi
