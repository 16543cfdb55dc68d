#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mooring::manifest {

// What a plain (unquoted) scalar means, by the rules that Kubernetes' own YAML reader goes by (YAML 1.1's, as
// go-yaml v2 and sigs.k8s.io/yaml implement them): `0644` is octal, `yes` is true, `~` is null.

bool is_null_scalar(std::string_view text);
std::optional<bool> to_boolean(std::string_view text);
/// Decimal, 0x, 0b, 0o and leading-zero octal, with an optional sign and underscores between digits; nullopt
/// for anything else and for what does not fit.
std::optional<std::int64_t> to_integer(std::string_view text);
/// True for what would be read as a floating-point number (also .inf and .nan).
bool is_float(std::string_view text);

}  // namespace mooring::manifest
