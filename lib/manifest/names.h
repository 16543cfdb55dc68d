#pragma once

#include <string_view>

namespace mooring::manifest {

/// DNS-1123 label (RFC 1123): `[a-z0-9]([-a-z0-9]*[a-z0-9])?`, at most 63 bytes.
bool is_dns_label(std::string_view text);
/// DNS-1123 subdomain: labels joined by dots, at most 253 bytes.
bool is_dns_subdomain(std::string_view text);
/// A key of a ConfigMap or Secret: `[-._a-zA-Z0-9]+`, at most 253 bytes, not "." or "..", not starting with
/// "..".
bool is_data_key(std::string_view text);
/// A pod's uid as one safe path element: `[a-zA-Z0-9-]+`, at most 63 bytes.
bool is_pod_uid(std::string_view text);
/// True if one of the path's elements is "..".
bool has_parent_element(std::string_view path);
/// A path that may be projected into a volume: relative, no ".." element, the first element not starting with
/// "..".
bool is_projected_path(std::string_view path);

}  // namespace mooring::manifest
