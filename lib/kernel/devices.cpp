#include "kernel/devices.h"

#include <strings.h>

namespace mooring::kernel {

std::string DeviceHolder::text() const {
  std::string who = pid == 0 ? name : name + " (pid " + std::to_string(pid) + ")";
  if (!container.empty()) who += ", container " + container;
  if (!unit.empty()) who += ", unit " + unit;
  return how.empty() ? who : who + " " + how;
}

bool is_same_uuid(std::string_view a, std::string_view b) {
  return !a.empty() && a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace mooring::kernel
