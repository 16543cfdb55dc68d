#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mooring::manifest {

/// Decodes standard base64 (RFC 4648, section 4) with its padding; line breaks are skipped, as Go's decoder
/// does. nullopt for anything else.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace mooring::manifest
