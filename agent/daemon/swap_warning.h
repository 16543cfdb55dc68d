#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"

namespace mooring {

/// What the node says about its swap.
struct SwapFacts {
  std::string kernel_release;         ///< Of uname(2): "6.1.0-18-amd64".
  std::optional<std::string> swaps;   ///< What /proc/swaps holds; nullopt: it cannot be read.
  std::uint64_t swap_size_bytes = 0;  ///< Of sysinfo(2); counts only where /proc/swaps cannot be read.
};

/// Asks the node. Where the service may see processes only (ProcSubset=pid) there is no /proc/swaps.
SwapFacts read_swap_facts();

/// "SecretsMaySwap", with its remedy, if Secrets may come to a disk: they live in tmpfs, whose pages are
/// swapped out unless it is mounted with noswap (Linux 6.4), and swap other than in memory (zram) is on.
/// nullopt: they cannot.
std::optional<Error> swap_warning(const SwapFacts& facts);

}  // namespace mooring
