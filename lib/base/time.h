#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace mooring {

using Duration = std::chrono::nanoseconds;

/// Time since some fixed moment; never goes back. The core gets it as an argument and never asks for it.
struct MonotonicTime {
  Duration since_start{0};

  friend auto operator<=>(const MonotonicTime&, const MonotonicTime&) = default;
  friend MonotonicTime operator+(MonotonicTime time, Duration duration) {
    return {time.since_start + duration};
  }
  friend Duration operator-(MonotonicTime a, MonotonicTime b) { return a.since_start - b.since_start; }
};

/// Nanoseconds since 1970-01-01T00:00:00Z, for people only: nothing is decided by it.
struct WallTime {
  Duration since_epoch{0};

  friend auto operator<=>(const WallTime&, const WallTime&) = default;
  friend WallTime operator+(WallTime time, Duration duration) { return {time.since_epoch + duration}; }
};

/// Both clocks, read at one moment.
struct Instant {
  MonotonicTime monotonic;
  WallTime wall;
};

/// RFC 3339 in UTC with milliseconds: "2026-03-01T12:00:00.250Z".
std::string rfc3339(WallTime time);

/// "3m12s", "18s", "250ms", "2h5m": at most two units, for people.
std::string human_duration(Duration duration);

}  // namespace mooring
