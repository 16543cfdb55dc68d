#pragma once

#include <systemd/sd-bus.h>

#include <cstdint>
#include <string>

#include "base/time.h"
#include "status/status.h"

namespace mooring {

// How values look on the bus. Each append gives a negative errno if sd-bus refuses.

/// Microseconds since 1970, as all times on the bus.
std::uint64_t micros(WallTime time);

/// Strings on the bus are UTF-8; a path of other bytes is shown with escapes rather than not at all.
std::string bus_text(const std::string& text);

int append_text(sd_bus_message* reply, const std::string& text);
/// {sv} with a string.
int append_entry(sd_bus_message* reply, const char* key, const std::string& value);
/// a{sv} of one mount.
int append_mount(sd_bus_message* reply, const ContainerMount& mount);
/// a{sv} of what a container's process is asked for; what is not given is left out.
int append_security(sd_bus_message* reply, const ContainerSecurity& security);

}  // namespace mooring
