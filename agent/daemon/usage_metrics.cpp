#include "daemon/usage_metrics.h"

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "daemon/metrics.h"

namespace mooring {
namespace {

using Number = std::optional<std::uint64_t>;

struct Metric {
  const char* name;  ///< Behind "kubelet_volume_stats_" and "mooring_volume_".
  const char* help;
  Number (*value)(const VolumeUsage&);
};

constexpr std::array metrics{
    Metric{"capacity_bytes", "Capacity in bytes of the volume.",
           [](const VolumeUsage& u) { return Number(u.capacity_bytes); }},
    Metric{"available_bytes", "Number of available bytes in the volume.",
           [](const VolumeUsage& u) { return Number(u.available_bytes); }},
    Metric{"used_bytes", "Number of used bytes in the volume.",
           [](const VolumeUsage& u) { return u.used_bytes; }},
    Metric{"inodes", "Maximum number of inodes in the volume.",
           [](const VolumeUsage& u) { return Number(u.inodes); }},
    Metric{"inodes_free", "Number of free inodes in the volume.",
           [](const VolumeUsage& u) { return Number(u.inodes_free); }},
    Metric{"inodes_used", "Number of used inodes in the volume.",
           [](const VolumeUsage& u) { return u.inodes_used; }},
};

struct Line {
  std::string labels;
  const VolumeUsage* usage;
};

std::string text_of(const std::string& prefix, const std::vector<Line>& lines) {
  std::string text;
  if (lines.empty()) return text;
  for (const Metric& metric : metrics) {
    const std::string name = prefix + metric.name;
    text += "# HELP " + name + " " + metric.help + "\n# TYPE " + name + " gauge\n";
    for (const Line& line : lines) {
      if (const Number value = metric.value(*line.usage))
        text += name + line.labels + " " + std::to_string(*value) + "\n";
    }
  }
  return text;
}

/// A metric whose lines are given; nothing without any.
std::string gauge(const std::string& name, const std::string& help, const std::string& lines) {
  if (lines.empty()) return {};
  return "# HELP " + name + " " + help + "\n# TYPE " + name + " gauge\n" + lines;
}

}  // namespace

std::string usage_metrics(const std::vector<PodStatus>& pods) {
  std::vector<Line> all;
  std::vector<Line> of_claims;
  std::set<std::pair<Namespace, std::string>> claims;
  std::string stale;
  for (const PodStatus& pod : pods) {
    const std::string name_space = "{namespace=" + label_value(pod.name_space.str());
    for (const VolumeStatus& volume : pod.volumes) {
      if (!volume.usage) continue;
      const std::string labels = name_space + ",pod=" + label_value(pod.name.str()) +
                                 ",volume=" + label_value(volume.name.str()) + "}";
      stale += "mooring_volume_usage_stale" + labels + (volume.usage->stale.empty() ? " 0\n" : " 1\n");
      if (!volume.usage->is_known) continue;
      all.push_back({labels, &*volume.usage});
      if (volume.claim.empty() || !claims.emplace(pod.name_space, volume.claim).second) continue;
      of_claims.push_back(
          {name_space + ",persistentvolumeclaim=" + label_value(volume.claim) + "}", &*volume.usage});
    }
  }
  return text_of("kubelet_volume_stats_", of_claims) + text_of("mooring_volume_", all) +
         gauge("mooring_volume_usage_stale", "1 if the volume could not be measured again.", stale);
}

std::string health_metrics(const std::vector<PodStatus>& pods) {
  const std::string of_claims = "kubelet_volume_stats_health_status_abnormal";
  const std::string of_all = "mooring_volume_health_status_abnormal";
  std::map<std::string, bool> claims;  // Of several pods of a claim any may find that it is not well.
  std::string all;
  for (const PodStatus& pod : pods) {
    const std::string name_space = "{namespace=" + label_value(pod.name_space.str());
    for (const VolumeStatus& volume : pod.volumes) {
      if (!volume.is_abnormal) continue;
      all += of_all + name_space + ",pod=" + label_value(pod.name.str()) +
             ",volume=" + label_value(volume.name.str()) + (*volume.is_abnormal ? "} 1\n" : "} 0\n");
      if (volume.claim.empty()) continue;
      bool& is_abnormal = claims[name_space + ",persistentvolumeclaim=" + label_value(volume.claim) + "}"];
      is_abnormal = is_abnormal || *volume.is_abnormal;
    }
  }
  std::string lines;
  for (const auto& [labels, is_abnormal] : claims)
    lines += of_claims + labels + (is_abnormal ? " 1\n" : " 0\n");
  const std::string help =
      "Abnormal volume health status. The count is either 1 or 0. 1 indicates the volume is "
      "unhealthy, 0 indicates volume is healthy";
  return gauge(of_claims, help, lines) + gauge(of_all, help, all);
}

}  // namespace mooring
