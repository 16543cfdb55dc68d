#include "status/event_log.h"

namespace mooring {

const StatusEvent& EventLog::add(StatusEvent event) {
  event.sequence = ++last_sequence_;
  events_.push_back(std::move(event));
  if (events_.size() > kept_max_) events_.pop_front();
  return events_.back();
}

std::vector<StatusEvent> EventLog::since(std::uint64_t sequence) const {
  std::vector<StatusEvent> found;
  for (const StatusEvent& event : events_) {
    if (event.sequence > sequence) found.push_back(event);
  }
  return found;
}

}  // namespace mooring
