#include "daemon/own_queue.h"

#include <algorithm>
#include <utility>

#include "step/asked_driver.h"

namespace mooring {

OwnQueue::OwnQueue(std::size_t workers_max) : workers_max_(workers_max) {}

void OwnQueue::push(Operation operation) {
  std::optional<DriverName> driver = asked_driver(operation.steps);
  lines_[std::move(driver)].waiting.push_back({++last_number_, std::move(operation)});
  ++size_;
}

bool OwnQueue::may_have_another(const Lines::value_type& entry) const {
  const auto& [driver, line] = entry;
  const std::size_t free = workers_max_ - workers_;
  if (!driver || free == 0) return free > 0;
  return line.workers < std::max<std::size_t>(free / 2, 1);
}

/// The line of the operation that has waited longest and may have a worker; end(): none may.
OwnQueue::Lines::const_iterator OwnQueue::next() const {
  auto first = lines_.end();
  for (auto line = lines_.begin(); line != lines_.end(); ++line) {
    if (line->second.waiting.empty() || !may_have_another(*line)) continue;
    const bool is_older =
        first == lines_.end() || line->second.waiting.front().number < first->second.waiting.front().number;
    if (is_older) first = line;
  }
  return first;
}

bool OwnQueue::has_next() const {
  return next() != lines_.end();
}

std::optional<OwnQueue::Taken> OwnQueue::take() {
  const auto found = next();
  if (found == lines_.end()) return std::nullopt;
  Line& line = lines_.at(found->first);
  Taken taken{std::move(line.waiting.front().operation), found->first};
  line.waiting.pop_front();
  ++line.workers;
  ++workers_;
  --size_;
  return taken;
}

void OwnQueue::release(const std::optional<DriverName>& driver) {
  const auto found = lines_.find(driver);
  if (found == lines_.end() || found->second.workers == 0) return;
  --found->second.workers;
  --workers_;
  if (found->second.workers == 0 && found->second.waiting.empty()) lines_.erase(found);
}

}  // namespace mooring
