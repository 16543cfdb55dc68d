#pragma once

#include <string>
#include <string_view>

namespace mooring {

/// How the store tells objects apart: "kind/namespace/name", the namespace empty for those that have none.
inline std::string identity_text(std::string_view kind, std::string_view name_space, std::string_view name) {
  std::string text;
  text.reserve(kind.size() + name_space.size() + name.size() + 2);
  return text.append(kind).append("/").append(name_space).append("/").append(name);
}

}  // namespace mooring
