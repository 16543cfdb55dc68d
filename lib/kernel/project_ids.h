#pragma once

#include <cstdint>
#include <string_view>

namespace mooring::kernel {

// The numbers of projects (quotactl(2)) that Mooring gives to directories: none is written down anywhere but
// on the directory itself.

/// The first one, as the kubelet's; people count theirs from 1.
inline constexpr std::uint32_t own_project_first = 1'048'577;
inline constexpr std::uint32_t own_projects = 1U << 30U;
/// How many numbers are looked at before none counts as free.
inline constexpr std::uint32_t project_attempts_max = 64;

inline bool is_own_project(std::uint32_t project) {
  return project >= own_project_first && project - own_project_first < own_projects;
}

/// The number that the directory at `path` tries at its `attempt`, from 0: the same each time, and hardly
/// ever that of another path, so that two workers at a time do not take the same free one.
std::uint32_t project_candidate(std::string_view path, std::uint32_t attempt);

}  // namespace mooring::kernel
