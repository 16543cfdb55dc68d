#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "status/status.h"

namespace mooring {

/// The last events, in order; the oldest go when there are too many.
class EventLog {
 public:
  /// `kept_max` of 0 counts as 1.
  explicit EventLog(std::size_t kept_max) : kept_max_(std::max<std::size_t>(kept_max, 1)) {}

  /// Numbers the event and keeps it. Returns it as it is kept.
  const StatusEvent& add(StatusEvent event);
  /// Those with a number above `sequence`.
  std::vector<StatusEvent> since(std::uint64_t sequence) const;

 private:
  std::size_t kept_max_;
  std::uint64_t last_sequence_ = 0;
  std::deque<StatusEvent> events_;
};

}  // namespace mooring
