#pragma once

#include <cstdint>
#include <string>

namespace mooring::bench {

/// Gives all below `top` the group, and its access as an ownership walk does: by as many threads and by the
/// system calls that no walk can do without, and no check of anything. A tree that is right already is only
/// looked at. The number of entries that were looked at.
std::uint64_t bare_group_walk(const std::string& top, std::uint32_t group, unsigned threads);

}  // namespace mooring::bench
