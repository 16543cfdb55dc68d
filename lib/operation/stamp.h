#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace mooring {

/// The proof, in a pod's directory, that Mooring made it: it outlives a reboot, which run records do not.
///
///     {"version":1,"uid":"...","namespace":"default","name":"web"}
struct Stamp {
  PodUid uid;
  Namespace name_space;
  ObjectName name;
  friend bool operator==(const Stamp&, const Stamp&) = default;
};

inline constexpr std::size_t stamp_size_max = 4096;

std::string encode_stamp(const Stamp& stamp);
/// nullopt for anything that encode_stamp() did not write.
std::optional<Stamp> decode_stamp(std::string_view bytes);

}  // namespace mooring
