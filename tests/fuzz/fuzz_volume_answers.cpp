#include <cstdint>

#include "entries.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mooring::fuzz::require_nothing_found(
      mooring::fuzz::check_volume_answers({reinterpret_cast<const char*>(data), size}));
  return 0;
}
