#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "driver/drivers.h"
#include "plan/backoff.h"

namespace mooring {

/// A driver's program as it is on disk at one moment. As long as nothing of this changes it is the same
/// program.
struct FlexProgramFact {
  DriverName driver;
  std::string program;  ///< Absolute.
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;
  friend bool operator==(const FlexProgramFact&, const FlexProgramFact&) = default;
};

/// Which FlexVolume drivers there are, and which of them can be used (kubelet-behaviours 16). Pure.
///
///     seen ──init──▶ usable ──another program in its place──▶ init again, usable as it was meanwhile
///                  ╲ failed ──backoff──▶ init again
///     gone: forgotten at once
class FlexDrivers {
 public:
  /// All programs that are there now. True if a driver that could be used is gone.
  bool on_listed(const std::vector<FlexProgramFact>& programs, MonotonicTime now);
  /// The programs that are to be asked (`init`) now. Each is asked by one call at a time, and not more often
  /// than once in `probe_pause`, however often it is replaced.
  std::vector<FlexProgramFact> take_due(MonotonicTime now);
  /// What became of a question that take_due() handed out. True if what can be used changed. An answer of a
  /// program that was replaced or removed meanwhile counts for nothing.
  bool on_probed(const DriverName& driver, const Result<FlexCapabilities>& answer, MonotonicTime now,
                 const BackoffOptions& backoff, Random& random);
  /// The program that answered is used from here on, by the operations after this one.
  void on_used(const DriverName& driver, std::uint64_t last_operation);
  /// A command turned out not to be supported: remembered until the driver is asked anew. True if it is news.
  /// An operation that began before the program was used may have asked its predecessor, and counts for
  /// nothing.
  bool on_unsupported(const DriverName& driver, const std::string& command, std::uint64_t operation);
  /// Programs whose answer is awaited.
  std::size_t asked() const;
  /// Somebody asks to try now what waits for its backoff.
  void hurry();

  /// When take_due() will have something; nullopt: never, as far as is known.
  std::optional<MonotonicTime> next_wake() const;
  /// Those whose `init` succeeded.
  const std::map<DriverName, FlexDriver>& usable() const { return usable_; }
  /// Why a driver that is there cannot be used; nullptr: it can, or was not asked yet, or is not there.
  const Error* problem_of(const DriverName& driver) const;

  /// What is to be told of a driver that is there.
  struct View {
    const FlexProgramFact& program;
    const FlexDriver* driver = nullptr;  ///< nullptr: it cannot be used (yet).
    const Error* problem = nullptr;      ///< Why its last `init` failed.
    std::uint32_t attempts = 0;          ///< That failed.
    std::optional<MonotonicTime> next_try;
  };
  /// All that are there, by name.
  std::vector<View> all() const;

  static constexpr Duration probe_pause = std::chrono::seconds(1);

 private:
  struct Known {
    FlexProgramFact program;
    bool is_there = true;   ///< False: it went while it was being asked.
    bool is_asked = false;  ///< A question is out...
    FlexProgramFact asked;  ///< ...to this one.
    bool is_due = true;
    std::optional<MonotonicTime> asked_at;
    Backoff backoff;
    std::optional<Error> problem;
    std::uint64_t used_since = 0;  ///< See on_used().
  };
  static std::optional<MonotonicTime> due_at(const Known& known);

  std::map<DriverName, Known> known_;
  std::map<DriverName, FlexDriver> usable_;
};

}  // namespace mooring
