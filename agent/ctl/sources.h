#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "manifest/objects.h"

namespace mooring::ctl {

/// What -f named, read and parsed.
struct Sources {
  std::vector<manifest::ParsedFile> files;  ///< Sorted by name, each once.
  std::vector<std::string> unreadable;      ///< A line each.
};

/// Reads files, directories (recursively, as the daemon does: *.yaml, *.yml and *.json, no hidden ones) and
/// "-" for the standard input. What cannot be read is in the answer and harms nothing else.
Sources read_sources(const std::vector<std::string>& names);

}  // namespace mooring::ctl
