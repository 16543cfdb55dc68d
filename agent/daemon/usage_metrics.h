#pragma once

#include <string>
#include <vector>

#include "status/status.h"

namespace mooring {

/// How full volumes are, in Prometheus' text format: those of claims by the kubelet's names
/// (kubelet_volume_stats_*, once for each claim), all by Mooring's (mooring_volume_*). What was never
/// measured is left out.
std::string usage_metrics(const std::vector<PodStatus>& pods);

}  // namespace mooring
