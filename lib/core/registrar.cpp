#include "core/registrar.h"

#include <algorithm>
#include <utility>

namespace mooring {

Registrar::Registrar(const RegistrarOptions& options, const std::vector<NamedDriver>& configured)
    : options_(options) {
  for (const NamedDriver& driver : configured) {
    if (!driver.socket.empty()) entries_[driver.socket].expected = driver.name;
    if (!driver.controller_socket.empty()) controllers_[driver.name.str()] = driver.controller_socket;
  }
}

void Registrar::change(RegistrarChange::Kind kind, const DriverName& driver, const std::string& socket,
                       std::string message) {
  changes_.push_back({kind, driver, socket, std::move(message)});
}

/// The entry as of a socket that nobody looked at yet; what is in flight counts no more.
void Registrar::start_anew(Entry& entry) {
  Entry fresh;
  fresh.identity = entry.identity;
  fresh.expected = entry.expected;
  fresh.is_probing = entry.is_probing;
  fresh.probe_ticket = entry.probe_ticket;
  fresh.is_outdated = entry.is_probing;
  fresh.is_telling = entry.is_telling;
  fresh.tell_ticket = entry.tell_ticket;
  entry = std::move(fresh);
}

void Registrar::forget_registration(const std::string& socket, Entry& entry, const std::string& why) {
  if (!entry.is_registered()) return;
  const DriverName driver = entry.driver;
  drivers_.erase(driver);
  owners_.erase(driver);
  change(RegistrarChange::Kind::Gone, driver, socket, why);
}

/// Those that were refused because the name was another's are tried again.
void Registrar::revive(const DriverName& driver) {
  for (auto& [socket, entry] : entries_) {
    if (entry.state == State::Refused && entry.driver == driver) entry.backoff.reset();
  }
}

void Registrar::list(const std::vector<RegistrySocket>& sockets) {
  std::map<std::string, SocketIdentity> listed;
  for (const RegistrySocket& socket : sockets)
    listed.emplace(socket.path, socket.identity);
  std::vector<DriverName> freed;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    auto& [path, known] = *entry;
    if (known.is_configured() || known.is_gone || listed.contains(path)) {
      ++entry;
      continue;
    }
    if (known.is_registered()) freed.push_back(known.driver);
    forget_registration(path, known, "its registration socket " + path + " is gone");
    if (known.is_probing || known.is_telling) {
      start_anew(known);
      known.is_gone = true;
      ++entry;
    } else {
      entry = entries_.erase(entry);
    }
  }
  for (const auto& [path, identity] : listed) {
    const auto [found, is_new] = entries_.try_emplace(path);
    Entry& entry = found->second;
    if (!is_new && entry.is_configured()) continue;  // What the configuration says of it counts.
    if (!is_new && !entry.is_gone && entry.identity == identity) continue;
    if (!is_new) {
      forget_registration(path, entry, "its registration socket " + path + " was made anew");
      start_anew(entry);
    }
    entry.identity = identity;
  }
  for (const DriverName& driver : freed)
    revive(driver);
}

std::vector<RegistrarWork> Registrar::take_work(MonotonicTime now) {
  std::vector<RegistrarWork> work;
  for (auto& [socket, entry] : entries_) {
    if (entry.to_tell && !entry.is_telling) {
      entry.is_telling = true;
      entry.tell_ticket = ++last_ticket_;
      work.push_back({*std::exchange(entry.to_tell, std::nullopt), socket, entry.tell_ticket});
    }
    const bool is_settled = entry.is_registered() && !entry.is_configured();
    const auto due = entry.backoff.not_before();
    if (entry.is_probing || entry.is_gone || is_settled || (due && *due > now)) continue;
    if (probes_ >= options_.probes_max) continue;
    ++probes_;
    entry.is_probing = true;
    entry.probe_ticket = ++last_ticket_;
    if (entry.state == State::Waiting) entry.state = State::Probing;
    work.push_back({ProbeCsiDriver{socket, !entry.is_configured(), entry.expected, controllers_}, socket,
                    entry.probe_ticket});
  }
  return work;
}

void Registrar::probe_ended(const RegistrarWork& work, Result<CsiDriver> found, MonotonicTime now,
                            Random& random) {
  const auto known = entries_.find(work.socket);
  if (known == entries_.end() || !known->second.is_probing || known->second.probe_ticket != work.ticket)
    return;  // Told twice.
  Entry& entry = known->second;
  --probes_;
  entry.is_probing = false;
  if (entry.is_gone) {
    if (!entry.is_telling) entries_.erase(known);
    return;
  }
  if (std::exchange(entry.is_outdated, false)) return;
  if (found) return accept(work.socket, entry, std::move(found).value(), now, random);
  fail(work.socket, entry, found.error(), now, random);
}

void Registrar::accept(const std::string& socket, Entry& entry, CsiDriver driver, MonotonicTime now,
                       Random& random) {
  const DriverName name = driver.name;
  // A socket of the configuration may have become another driver's.
  if (entry.is_registered() && entry.driver != name) {
    forget_registration(socket, entry, "another driver listens at " + socket + " now");
    entry.state = State::Waiting;
  }
  const auto owner = owners_.find(name);
  if (owner != owners_.end() && owner->second != socket) {
    Entry& other = entries_.at(owner->second);
    const Result<void> may_follow =
        check_successor(name, drivers_.at(name).version, owner->second, driver.version);
    if (!may_follow) {
      fail(socket, entry, may_follow.error(), now, random);
      if (entry.state == State::Refused) entry.driver = name;
      return;
    }
    other.state = State::Refused;
    other.failure =
        refusal("Superseded", "a driver of the same name and a higher version registered at " + socket,
                "stop the older one");
    other.backoff.failed(now, {options_.backoff.longest, options_.backoff.longest}, random);
  }
  const auto before = drivers_.find(name);
  const bool is_news = before == drivers_.end() || before->second != driver || entry.failure;
  const std::string version = driver.version;
  drivers_[name] = std::move(driver);
  owners_[name] = socket;
  entry.driver = name;
  entry.state = State::Registered;
  entry.failure.reset();
  entry.backoff.reset();
  if (entry.is_configured()) {
    entry.backoff.postpone(now + options_.look_again);
  } else {
    entry.to_tell = NotifyRegistration{socket, true, {}};
  }
  if (is_news)
    change(RegistrarChange::Kind::Registered, name, socket, "it speaks CSI " + version + ", by " + socket);
}

void Registrar::fail(const std::string& socket, Entry& entry, const Error& error, MonotonicTime now,
                     Random& random) {
  const bool is_final = error.kind == ErrorKind::Final;
  const bool is_news = !entry.failure || entry.failure->message != error.message;
  entry.failure = error;
  BackoffOptions pauses = options_.backoff;
  if (is_final) pauses.first = pauses.longest;
  entry.backoff.failed(now, pauses, random);
  if (entry.is_registered() && is_final && error.reason == "OtherDriver") {
    forget_registration(socket, entry, error.message);
    entry.driver = DriverName();
  }
  if (!entry.is_registered()) {
    entry.state = is_final ? State::Refused : State::Waiting;
    entry.driver = DriverName();
  }
  if (is_news) {
    change(is_final ? RegistrarChange::Kind::Refused : RegistrarChange::Kind::NotAnswering,
           entry.is_registered() ? entry.driver : entry.expected, socket, error.text());
  }
  if (entry.is_configured()) return;
  // Who does not answer cannot be told; nor needs to be told again what it knows.
  const bool can_hear = error.reason != "DriverNotAnswering" || error.path != socket;
  const bool is_time =
      is_final ? is_news : !entry.was_told && entry.backoff.attempts() >= options_.quiet_attempts;
  if (!can_hear || !is_time) return;
  entry.was_told = true;
  entry.to_tell = NotifyRegistration{socket, false, driver_words(error.message)};
}

void Registrar::notify_ended(const RegistrarWork& work) {
  const auto known = entries_.find(work.socket);
  if (known == entries_.end() || !known->second.is_telling || known->second.tell_ticket != work.ticket)
    return;
  known->second.is_telling = false;
  if (known->second.is_gone && !known->second.is_probing) entries_.erase(known);
}

void Registrar::hurry() {
  for (auto& [socket, entry] : entries_) {
    if (entry.failure) entry.backoff.hurry();
  }
}

std::vector<RegistrarChange> Registrar::take_changes() {
  return std::exchange(changes_, {});
}

std::optional<MonotonicTime> Registrar::next_wake() const {
  std::optional<MonotonicTime> next;
  for (const auto& [socket, entry] : entries_) {
    const auto due = entry.backoff.not_before();
    const bool is_settled = entry.is_registered() && !entry.is_configured();
    if (entry.is_probing || entry.is_gone || is_settled || !due) continue;
    if (!next || *due < *next) next = due;
  }
  // Who waits for a place is looked at when a probe ends.
  return probes_ >= options_.probes_max ? std::nullopt : next;
}

}  // namespace mooring
