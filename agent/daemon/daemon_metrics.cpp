#include "daemon/claim_metrics.h"
#include "daemon/daemon.h"
#include "daemon/usage_metrics.h"

namespace mooring {

std::string Daemon::metrics_text() const {
  const NodeStatus node = core_.node_status();
  std::string text;
  const auto add = [&](const char* name, const char* type, const char* help, std::uint64_t value) {
    text += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n" + name + " " +
            std::to_string(value) + "\n";
  };
  add("mooring_pods", "gauge", "Pods that are known.", node.pods);
  add("mooring_pods_ready", "gauge", "Pods with every volume ready.", node.pods_ready);
  add("mooring_volumes", "gauge", "Volumes of all pods.", node.volumes);
  add("mooring_volumes_ready", "gauge", "Volumes that are ready.", node.volumes_ready);
  add("mooring_problems", "gauge", "Problems beyond single volumes.", node.problems.size());
  add("mooring_manifests_complete", "gauge", "1 if every manifest directory was read whole.",
      node.manifests_complete ? 1 : 0);
  add("mooring_operations_started_total", "counter", "Operations given to workers.", operations_started_);
  add("mooring_operations_failed_total", "counter", "Operations that ended with an error.",
      operations_failed_);
  add("mooring_operations_queued", "gauge", "Operations that wait for a worker.", workers_.queued());
  add("mooring_workers", "gauge", "Worker processes in service.", workers_.workers());
  add("mooring_workers_stuck", "gauge", "Workers that cannot be ended.", workers_.abandoned());
  add("mooring_workers_lost_total", "counter", "Workers that ended unexpectedly.", workers_.workers_lost());
  std::vector<PodStatus> pods;
  for (const PodUid& uid : core_.pods()) {
    if (auto pod = core_.pod_status(uid)) pods.push_back(std::move(*pod));
  }
  return text + usage_metrics(pods) + health_metrics(pods) + csi_metrics_.text() +
         claim_metrics(core_.claims(), core_.persistent_volumes()) + snapshot_metrics(core_.snapshots());
}

}  // namespace mooring
