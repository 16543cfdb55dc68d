#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "driver/drivers.h"
#include "driver/registration.h"
#include "plan/backoff.h"
#include "step/driver_steps.h"

namespace mooring {

struct RegistrarOptions {
  BackoffOptions backoff;
  /// How often a driver that the configuration names is looked at: nothing tells that it is another now.
  Duration look_again = std::chrono::seconds(60);
  /// How often a driver may fail to answer before who registers it is told: told so, a registrar ends, and
  /// the driver beside it may only need its time to start.
  std::uint32_t quiet_attempts = 5;
  std::size_t probes_max = 16;  ///< In flight at a time: drivers that hang leave workers to all else.
};

/// What a registrar wants to have done: in a worker of its own, since a driver may hang.
struct RegistrarWork {
  std::variant<ProbeCsiDriver, NotifyRegistration> step;
  std::string socket;        ///< Whose it is...
  std::uint64_t ticket = 0;  ///< ...and which; both are to be told when it ended.
};

/// Something that people should know. Told once, not again for each try.
struct RegistrarChange {
  enum class Kind : std::uint8_t { Registered, Gone, Refused, NotAnswering };
  Kind kind = Kind::Registered;
  DriverName driver;   ///< Empty: nobody knows yet.
  std::string socket;  ///< In the registry, or of the configuration.
  std::string message;
};

/// Keeps track of CSI drivers that register, and of those that the configuration names (kubelet-behaviours
/// 15.1). Pure: no clock, no I/O.
///
///                 listed, or configured
///     (nothing) ────────────────────────▶ Waiting ──its time has come──▶ Probing
///         ▲                                ▲   ▲                          │   │
///         │ not listed any more            │   `──────── failed ──────────┘   │ it is a driver
///         │ (from any state)               │             (Refused if for good)▼
///         `────────────────────────────────┴── listed as another socket ── Registered
///
/// * A name belongs to one socket. Another one gets it only with a higher version; if the owner goes, those
///   that were refused for it are tried again. What goes with the owner's socket is the owner's registration:
///   the socket of one that was replaced takes nothing with it.
/// * A socket that is made anew under the same path is another one: the driver is gone until it answered.
/// * There is never more than one probe, and one notification, in flight for a path, whatever flaps.
/// * A driver of the configuration stays registered when it does not answer: nobody says that it went, and
///   its calls fail as long.
class Registrar {
 public:
  Registrar(const RegistrarOptions& options, const std::vector<NamedDriver>& configured);

  /// All sockets that are in the registry now.
  void list(const std::vector<RegistrySocket>& sockets);
  void probe_ended(const RegistrarWork& work, Result<CsiDriver> found, MonotonicTime now, Random& random);
  void notify_ended(const RegistrarWork& work);
  /// What failed is tried again at once.
  void hurry();

  /// What is due. Each is to be told of when it ended, once.
  std::vector<RegistrarWork> take_work(MonotonicTime now);
  std::vector<RegistrarChange> take_changes();
  /// When take_work() has something without anything else happening; nullopt: never.
  std::optional<MonotonicTime> next_wake() const;

  const std::map<DriverName, CsiDriver>& drivers() const { return drivers_; }

  enum class State : std::uint8_t { Waiting, Probing, Registered, Refused };
  /// One socket, in the registry or of the configuration.
  struct Entry {
    std::optional<SocketIdentity> identity;  ///< nullopt: of the configuration.
    DriverName expected;                     ///< Of the configuration; empty: any.
    State state = State::Waiting;
    DriverName driver;             ///< Registered: which; Refused: whose name it is after, if that is known.
    std::optional<Error> failure;  ///< Of the last probe.
    Backoff backoff;
    bool is_probing = false;
    bool is_outdated = false;  ///< What is in flight is about a socket that is not there any more...
    bool is_gone = false;      ///< ...nor is another one; forgotten when it ends.
    bool was_told = false;     ///< Who registers was told that it failed.
    std::optional<NotifyRegistration> to_tell;
    bool is_telling = false;
    std::uint64_t probe_ticket = 0;
    std::uint64_t tell_ticket = 0;
    bool is_configured() const { return !identity.has_value(); }
    bool is_registered() const { return !driver.empty() && state == State::Registered; }
  };
  const std::map<std::string, Entry>& entries() const { return entries_; }

 private:
  void forget_registration(const std::string& socket, Entry& entry, const std::string& why);
  void revive(const DriverName& driver);
  void accept(const std::string& socket, Entry& entry, CsiDriver driver, MonotonicTime now, Random& random);
  void fail(const std::string& socket, Entry& entry, const Error& error, MonotonicTime now, Random& random);
  static void start_anew(Entry& entry);
  void change(RegistrarChange::Kind kind, const DriverName& driver, const std::string& socket,
              std::string message);

  RegistrarOptions options_;
  std::map<std::string, Entry> entries_;            ///< By socket.
  std::map<std::string, std::string> controllers_;  ///< Sockets of controllers that are elsewhere, by driver.
  std::map<DriverName, CsiDriver> drivers_;
  std::map<DriverName, std::string> owners_;  ///< The socket that a driver is registered by.
  std::vector<RegistrarChange> changes_;
  std::uint64_t last_ticket_ = 0;
  std::size_t probes_ = 0;  ///< In flight.
};

}  // namespace mooring
