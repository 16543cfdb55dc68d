#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "driver/drivers.h"
#include "step/step.h"

namespace mooring {

/// How long calls of CSI drivers took and how they ended, by the kubelet's name and with its labels and
/// buckets (csi_operations_seconds: kubelet-behaviours 15.7; pkg/volume/util/metrics.go). Counted since the
/// daemon started, as workers tell it with their outcomes; what a worker did not live to tell is not counted.
class CsiMetrics {
 public:
  void add(const Outcome& outcome);
  /// In Prometheus' text format; empty as long as no driver was called.
  std::string text() const;

  /// Upper bounds, in seconds.
  static constexpr std::array<double, 13> buckets{.1, .25, .5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600};
  /// How many drivers, methods and codes are told apart: drivers come and go, and what they are called is
  /// theirs. What comes after that is counted as of the driver "other".
  static constexpr std::size_t series_max = 2000;

 private:
  struct Histogram {
    std::array<std::uint64_t, buckets.size()> counts{};  ///< Of each bucket alone.
    std::uint64_t count = 0;
    std::uint64_t sum_us = 0;
  };
  std::map<std::string, Histogram> series_;  ///< By the text of their labels.
};

}  // namespace mooring
