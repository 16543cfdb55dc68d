#include "plan/backoff.h"

#include <algorithm>

namespace mooring {

void Backoff::failed(MonotonicTime now, const BackoffOptions& options, Random& random) {
  constexpr std::uint32_t doublings_max = 20;  // 2^20 * 500 ms is past any cap; keeps the shift defined.
  const Duration doubled = options.first * (std::int64_t{1} << std::min(attempts_, doublings_max));
  const Duration base = std::min(doubled, options.longest);
  const auto permille = static_cast<std::int64_t>(800 + random.below(401));
  failed_until(now + base / 1000 * permille);
}

void Backoff::failed_until(MonotonicTime when) {
  ++attempts_;
  not_before_ = when;
}

}  // namespace mooring
