#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "kernel/drivers.h"

namespace mooring::sim {

// How simulated drivers read requests and write answers.

/// Empty if it is not there.
inline std::string text_at(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? std::string() : found->get<std::string>();
}

/// capacity_range.required_bytes; 0: not said.
inline std::uint64_t required_bytes(const nlohmann::json& request) {
  const auto range = request.find("capacity_range");
  if (range == request.end()) return 0;
  const auto bytes = range->find("required_bytes");
  if (bytes == range->end()) return 0;
  return bytes->is_string() ? std::stoull(bytes->get<std::string>()) : bytes->get<std::uint64_t>();
}

/// volume_content_source: the id of a snapshot or of a volume; empty: neither.
inline std::string source_of(const nlohmann::json& request, bool is_snapshot) {
  const auto source = request.find("volume_content_source");
  if (source == request.end()) return {};
  const auto found = source->find(is_snapshot ? "snapshot" : "volume");
  return found == source->end() ? std::string() : text_at(*found, is_snapshot ? "snapshot_id" : "volume_id");
}

inline kernel::DriverAnswer ok(const nlohmann::json& response) {
  return {CallCode::Ok, "", response.dump()};
}

}  // namespace mooring::sim
