#pragma once

#include <cstdint>
#include <string>

namespace mooring::kernel::contract {

// Loop devices by bare system calls, as other programs make them.

/// Attaches the image from this offset on; the node. Ends the program if that fails.
std::string attach_loop(const std::string& image, std::uint64_t offset);
/// Detaches the loop devices of all files below the directory, or lets the last who has one open do it.
void detach_loops_below(const std::string& directory);

}  // namespace mooring::kernel::contract
