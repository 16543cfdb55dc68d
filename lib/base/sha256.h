#pragma once

#include <string>
#include <string_view>

namespace mooring {

/// SHA-256 of the bytes (FIPS 180-4), as 64 lower-case hexadecimal digits. For names that others compute the
/// same way; not for anything that is to stay secret.
std::string sha256_hex(std::string_view bytes);

}  // namespace mooring
