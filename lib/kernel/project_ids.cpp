#include "kernel/project_ids.h"

namespace mooring::kernel {

std::uint32_t project_candidate(std::string_view path, std::uint32_t attempt) {
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a
  for (const char c : path)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  hash ^= hash >> 32U;
  return own_project_first + static_cast<std::uint32_t>((hash + attempt) % own_projects);
}

}  // namespace mooring::kernel
