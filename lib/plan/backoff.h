#pragma once

#include <cstdint>
#include <optional>

#include "base/random.h"
#include "base/time.h"

namespace mooring {

struct BackoffOptions {
  Duration first = std::chrono::milliseconds(500);
  Duration longest = std::chrono::seconds(122);
};

/// When to try again something that failed: `first`, doubled each time up to `longest`, each time spread by
/// ±20 % so that many failures of one cause do not come back in step (kubelet-behaviours 5.2, which has no
/// jitter).
class Backoff {
 public:
  void failed(MonotonicTime now, const BackoffOptions& options, Random& random);
  /// Counts the failure but lets the next try be at `when`.
  void failed_until(MonotonicTime when);
  /// The cause may be gone: the next try is due, the count of attempts stays.
  void hurry() { not_before_.reset(); }
  /// The next try is at `when`, whatever was planned; the count of attempts stays.
  void postpone(MonotonicTime when) { not_before_ = when; }
  void reset() { *this = Backoff(); }

  std::uint32_t attempts() const { return attempts_; }
  /// Not before this time; nullopt: at once.
  std::optional<MonotonicTime> not_before() const { return not_before_; }

 private:
  std::uint32_t attempts_ = 0;
  std::optional<MonotonicTime> not_before_;
};

}  // namespace mooring
