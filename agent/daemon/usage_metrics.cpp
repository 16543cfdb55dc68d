#include "daemon/usage_metrics.h"

#include <array>
#include <functional>
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
      all.push_back({labels, &*volume.usage});
      stale += "mooring_volume_usage_stale" + labels + (volume.usage->stale.empty() ? " 0\n" : " 1\n");
      if (volume.claim.empty() || !claims.emplace(pod.name_space, volume.claim).second) continue;
      of_claims.push_back(
          {name_space + ",persistentvolumeclaim=" + label_value(volume.claim) + "}", &*volume.usage});
    }
  }
  std::string text = text_of("kubelet_volume_stats_", of_claims) + text_of("mooring_volume_", all);
  if (stale.empty()) return text;
  return text +
         "# HELP mooring_volume_usage_stale 1 if the volume could not be measured again.\n"
         "# TYPE mooring_volume_usage_stale gauge\n" +
         stale;
}

}  // namespace mooring
