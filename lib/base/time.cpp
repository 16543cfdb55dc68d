#include "base/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace mooring {

std::string rfc3339(WallTime time) {
  using namespace std::chrono;
  const auto whole = floor<seconds>(time.since_epoch);
  const auto rest = duration_cast<milliseconds>(time.since_epoch - whole);
  const std::time_t seconds_since_epoch = whole.count();
  std::tm parts{};
  gmtime_r(&seconds_since_epoch, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, rest.count());
}

std::string human_duration(Duration duration) {
  using namespace std::chrono;
  if (duration < Duration::zero()) return "-" + human_duration(-std::max(duration, -Duration::max()));
  if (duration < 1ms) return fmt::format("{}us", duration_cast<microseconds>(duration).count());
  if (duration < 1s) return fmt::format("{}ms", duration_cast<milliseconds>(duration).count());
  const auto total = duration_cast<seconds>(duration).count();
  if (total < 60) return fmt::format("{}s", total);
  if (total < 3600) {
    return total % 60 == 0 ? fmt::format("{}m", total / 60) : fmt::format("{}m{}s", total / 60, total % 60);
  }
  if (total < 86400) {
    const auto minutes = total % 3600 / 60;
    return minutes == 0 ? fmt::format("{}h", total / 3600) : fmt::format("{}h{}m", total / 3600, minutes);
  }
  const auto hours = total % 86400 / 3600;
  return hours == 0 ? fmt::format("{}d", total / 86400) : fmt::format("{}d{}h", total / 86400, hours);
}

}  // namespace mooring
