#include "daemon/csi_metrics.h"

#include <fmt/format.h>

#include "csi/errors.h"
#include "daemon/metrics.h"

namespace mooring {
namespace {

constexpr const char* metric = "csi_operations_seconds";
constexpr double us_per_second = 1e6;

std::string labels_of(const std::string& driver, const CsiCallFact& call) {
  // No volume is one that an in-tree plugin once made.
  return "driver_name=" + label_value(driver) +
         ",grpc_status_code=" + label_value(std::string(csi::to_string(call.code))) +
         ",method_name=" + label_value("/" + call.method) + ",migrated=\"false\"";
}

}  // namespace

void CsiMetrics::add(const Outcome& outcome) {
  for (const CsiCallFact& call : outcome.csi_calls) {
    std::string driver = call.driver.str();
    // Who is asked what it is, is known when it said so.
    if (driver.empty()) driver = outcome.csi_driver ? outcome.csi_driver->name.str() : "unknown-driver";
    std::string labels = labels_of(driver, call);
    if (series_.size() >= series_max && !series_.contains(labels)) labels = labels_of("other", call);
    Histogram& histogram = series_[labels];
    ++histogram.count;
    histogram.sum_us += call.duration_us;
    const double seconds = static_cast<double>(call.duration_us) / us_per_second;
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      if (seconds > buckets.at(i)) continue;
      ++histogram.counts.at(i);
      break;
    }
  }
}

std::string CsiMetrics::text() const {
  if (series_.empty()) return {};
  std::string text = fmt::format(
      "# HELP {0} Container Storage Interface operation duration with gRPC error code status total\n"
      "# TYPE {0} histogram\n",
      metric);
  for (const auto& [labels, histogram] : series_) {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      below += histogram.counts.at(i);
      text += fmt::format("{}_bucket{{{},le=\"{}\"}} {}\n", metric, labels, buckets.at(i), below);
    }
    text += fmt::format("{}_bucket{{{},le=\"+Inf\"}} {}\n", metric, labels, histogram.count);
    text += fmt::format("{}_sum{{{}}} {}\n", metric, labels,
                        static_cast<double>(histogram.sum_us) / us_per_second);
    text += fmt::format("{}_count{{{}}} {}\n", metric, labels, histogram.count);
  }
  return text;
}

}  // namespace mooring
