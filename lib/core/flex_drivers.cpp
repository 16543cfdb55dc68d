#include "core/flex_drivers.h"

#include <algorithm>
#include <set>
#include <utility>

namespace mooring {

bool FlexDrivers::on_listed(const std::vector<FlexProgramFact>& programs, MonotonicTime) {
  std::set<DriverName> there;
  for (const FlexProgramFact& program : programs) {
    there.insert(program.driver);
    const auto [entry, is_new] = known_.try_emplace(program.driver);
    Known& known = entry->second;
    if (!is_new && known.is_there && known.program == program) continue;
    known.program = program;
    known.is_there = true;
    known.is_due = true;
    known.backoff.reset();  // Another program fails for reasons of its own.
  }
  bool is_changed = false;
  for (auto entry = known_.begin(); entry != known_.end();) {
    if (there.contains(entry->first)) {
      ++entry;
      continue;
    }
    is_changed = usable_.erase(entry->first) != 0 || is_changed;
    entry->second.is_there = false;
    entry->second.is_due = false;
    entry->second.problem.reset();
    entry = entry->second.is_asked ? std::next(entry) : known_.erase(entry);
  }
  return is_changed;
}

/// When it may be asked, if it is to be; the start of time: at once.
std::optional<MonotonicTime> FlexDrivers::due_at(const Known& known) {
  if (!known.is_due || known.is_asked) return std::nullopt;
  MonotonicTime when;
  if (known.asked_at) when = *known.asked_at + probe_pause;
  const auto backoff = known.backoff.not_before();
  return backoff && *backoff > when ? *backoff : when;
}

std::vector<FlexProgramFact> FlexDrivers::take_due(MonotonicTime now) {
  std::vector<FlexProgramFact> due;
  for (auto& [driver, known] : known_) {
    const auto when = due_at(known);
    if (!when || *when > now) continue;
    known.is_due = false;
    known.is_asked = true;
    known.asked = known.program;
    known.asked_at = now;
    due.push_back(known.program);
  }
  return due;
}

bool FlexDrivers::on_probed(const DriverName& driver, const Result<FlexCapabilities>& answer,
                            MonotonicTime now, const BackoffOptions& backoff, Random& random) {
  const auto entry = known_.find(driver);
  if (entry == known_.end() || !std::exchange(entry->second.is_asked, false)) return false;
  Known& known = entry->second;
  if (!known.is_there) {
    known_.erase(entry);
    return false;
  }
  if (known.asked != known.program) return false;  // It is due again already.
  if (answer) {
    known.backoff.reset();
    known.problem.reset();
    usable_[driver] = {driver, known.program.program, answer.value(), {}};
    return true;
  }
  known.problem = answer.error();
  known.is_due = true;
  known.backoff.failed(now, backoff, random);
  return usable_.erase(driver) != 0;
}

void FlexDrivers::on_used(const DriverName& driver, std::uint64_t last_operation) {
  const auto known = known_.find(driver);
  if (known != known_.end()) known->second.used_since = last_operation;
}

bool FlexDrivers::on_unsupported(const DriverName& driver, const std::string& command,
                                 std::uint64_t operation) {
  const auto known = known_.find(driver);
  if (known == known_.end() || operation <= known->second.used_since) return false;
  const auto found = usable_.find(driver);
  return found != usable_.end() && found->second.unsupported.insert(command).second;
}

std::size_t FlexDrivers::asked() const {
  return static_cast<std::size_t>(
      std::count_if(known_.begin(), known_.end(), [](const auto& entry) { return entry.second.is_asked; }));
}

void FlexDrivers::hurry() {
  for (auto& [driver, known] : known_)
    known.backoff.hurry();
}

std::optional<MonotonicTime> FlexDrivers::next_wake() const {
  std::optional<MonotonicTime> next;
  for (const auto& [driver, known] : known_) {
    const auto when = due_at(known);
    if (when && (!next || *when < *next)) next = when;
  }
  return next;
}

const Error* FlexDrivers::problem_of(const DriverName& driver) const {
  const auto found = known_.find(driver);
  return found == known_.end() || !found->second.problem ? nullptr : &*found->second.problem;
}

std::vector<FlexDrivers::View> FlexDrivers::all() const {
  std::vector<View> out;
  for (const auto& [name, known] : known_) {
    if (!known.is_there) continue;
    const auto usable = usable_.find(name);
    View view{known.program, usable == usable_.end() ? nullptr : &usable->second,
              known.problem ? &*known.problem : nullptr, known.backoff.attempts(), std::nullopt};
    if (known.problem && !known.is_asked) view.next_try = known.backoff.not_before();
    out.push_back(view);
  }
  return out;
}

}  // namespace mooring
