#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mooring::manifest {

/// Where an object was read.
struct Origin {
  std::string file;
  std::uint32_t line = 0;  ///< From 1; 0: unknown.
  std::uint32_t column = 0;

  /// "web.yaml:12:3".
  std::string text() const;
  friend bool operator==(const Origin&, const Origin&) = default;
};

/// Something wrong, or odd, in a manifest.
struct Diagnostic {
  enum class Severity : std::uint8_t { Warning, Error };
  Severity severity = Severity::Error;
  Origin where;
  std::string field;    ///< "spec.volumes[2].hostPath.type"; empty: the document as a whole.
  std::string message;  ///< What is wrong and what would be right.

  /// "web.yaml:12:3: error: spec.volumes[2].hostPath.type: ...".
  std::string text() const;
  friend bool operator==(const Diagnostic&, const Diagnostic&) = default;
};

}  // namespace mooring::manifest
