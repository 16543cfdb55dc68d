#pragma once

#include <chrono>
#include <string>

#include "process.h"

namespace mooring::bench {

/// Ends the program with a message: a bench that went wrong has no numbers.
[[noreturn]] void give_up(const std::string& why);

double milliseconds(std::chrono::nanoseconds duration);

/// Where a daemon that is measured lives: everything lies below `base`.
struct Places {
  std::string base, daemon, manifests, root, run, host, bus;
};

/// Makes the directories, the tmpfs of the run directory, and the configuration of a bus. `base`/prepared is
/// for files that are renamed into the manifests.
Places make_places(const std::string& base, const std::string& daemon);

/// A bus of its own; it listens when this returns.
Process start_bus(const Places& places);

Process start_daemon(const Places& places);

void write_file(const std::string& path, const std::string& content);

/// The lines of the mount table that name something below `path`.
std::string mounts_below(const std::string& path);

}  // namespace mooring::bench
