#pragma once

#include <string>
#include <string_view>

#include "manifest/objects.h"

namespace mooring::manifest {

/// Limits that keep a hostile or broken file from taking the memory or the time of the agent.
struct Limits {
  std::size_t file_bytes_max = 16u * 1024 * 1024;
  std::size_t document_bytes_max = 4u * 1024 * 1024;  ///< A Secret of 1 MiB is longer in base64.
  std::size_t depth_max = 64;
  std::size_t alias_nodes_max = 10'000;  ///< Nodes that expanding aliases may add to one document.
};

/// Parses the YAML (or JSON) documents of one file into objects, with Kubernetes' scalar rules, defaults and
/// validation. Never fails as a whole: what is wrong is in the answer, and a bad document harms no other.
/// `file` is only a name, for the messages.
ParsedFile parse_file(std::string_view bytes, const std::string& file, const Limits& limits = {});

}  // namespace mooring::manifest
