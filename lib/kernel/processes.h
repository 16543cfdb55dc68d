#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace mooring::kernel {

/// A child process, or one that somebody else started. Named by a pidfd (Linux 5.3), so that a signal can
/// never reach another process that got the same number later.
class Process {
 public:
  virtual ~Process() = default;
  virtual std::int32_t pid() const = 0;
  /// A descriptor that becomes readable when the process ends.
  virtual int descriptor() const = 0;
  /// SIGKILL. False if it may not be killed by us, or is gone.
  virtual bool kill() = 0;
  /// What became of it ("was killed by SIGSEGV", "exited with status 1"), once it ended; reaps it. Empty if
  /// there is nothing to reap: it is not our child, or was reaped before. nullopt while it runs.
  virtual std::optional<std::string> take_end() = 0;
};

}  // namespace mooring::kernel
