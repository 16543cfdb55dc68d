#pragma once

#include <string>
#include <vector>

#include "status/status.h"

namespace mooring {

/// How full volumes are, in Prometheus' text format: those of claims by the kubelet's names
/// (kubelet_volume_stats_*, once for each claim), all by Mooring's (mooring_volume_*). What was never
/// measured is left out.
std::string usage_metrics(const std::vector<PodStatus>& pods);

/// Which volumes their drivers tell to be well (0) or not (1), likewise: by the kubelet's name
/// (kubelet_volume_stats_health_status_abnormal, kubelet-behaviours 15.7) and by Mooring's. Of what no driver
/// tells anything there is no line.
std::string health_metrics(const std::vector<PodStatus>& pods);

}  // namespace mooring
