#include "daemon/claim_metrics.h"

#include <array>
#include <map>
#include <utility>

#include "base/quantity.h"
#include "daemon/metrics.h"

namespace mooring {
namespace {

constexpr std::array claim_phases{"Pending", "Bound", "Lost"};
constexpr std::array snapshot_phases{"Pending", "Ready"};
constexpr std::array volume_phases{"Pending", "Available", "Bound", "Released", "Failed"};

/// Kubernetes' word for a phase of Mooring's own: a claim or volume that is going is in the phase it was in.
std::string kubernetes_phase(const ClaimStatus& claim) {
  if (claim.phase != "Terminating") return claim.phase;
  return claim.volume.empty() ? "Pending" : "Bound";
}

std::string kubernetes_phase(const PersistentVolumeStatus& volume) {
  if (volume.phase == "Provisioning") return "Pending";
  if (volume.phase != "Terminating") return volume.phase;
  return volume.claim.empty() ? "Released" : "Bound";
}

/// One metric with all its lines; empty without one.
class Metric {
 public:
  Metric(std::string name, std::string help) : name_(std::move(name)), help_(std::move(help)) {}

  void add(const std::string& labels, std::uint64_t value) {
    lines_ += name_ + "{" + labels + "} " + std::to_string(value) + "\n";
  }
  std::string text() const {
    if (lines_.empty()) return {};
    return "# HELP " + name_ + " " + help_ + "\n# TYPE " + name_ + " gauge\n" + lines_;
  }

 private:
  std::string name_;
  std::string help_;
  std::string lines_;
};

/// How many there are of each phase: of all of Kubernetes', and of Mooring's own if there are any.
template <class Status, std::size_t count>
std::string totals(const char* name, const char* help, const std::vector<Status>& all,
                   const std::array<const char*, count>& phases) {
  std::map<std::string, std::uint64_t> numbers;
  for (const char* phase : phases)
    numbers[phase] = 0;
  for (const Status& status : all)
    ++numbers[status.phase];
  Metric metric(name, help);
  for (const auto& [phase, number] : numbers)
    metric.add("phase=" + label_value(phase), number);
  return metric.text();
}

/// How many there are that are not simply as they were asked for, by the reason.
template <class Status>
std::string waiting(const char* name, const char* help, const std::vector<Status>& all) {
  std::map<std::string, std::uint64_t> numbers;
  for (const Status& status : all) {
    if (!status.reason.empty()) ++numbers[status.reason];
  }
  Metric metric(name, help);
  for (const auto& [reason, number] : numbers)
    metric.add("reason=" + label_value(reason), number);
  return metric.text();
}

/// In bytes; nothing of what is not known.
void add_bytes(Metric& metric, const std::string& labels, const std::string& quantity) {
  if (quantity.empty()) return;
  const Result<Quantity> parsed = Quantity::parse(quantity);
  if (parsed && !parsed.value().is_negative())
    metric.add(labels, static_cast<std::uint64_t>(parsed.value().rounded_up()));
}

}  // namespace

std::string claim_metrics(const std::vector<ClaimStatus>& claims,
                          const std::vector<PersistentVolumeStatus>& volumes) {
  Metric claim_phase("kube_persistentvolumeclaim_status_phase", "1 for the phase that a claim is in.");
  Metric request("kube_persistentvolumeclaim_resource_requests_storage_bytes", "What a claim asks for.");
  Metric volume_phase("kube_persistentvolume_status_phase", "1 for the phase that a PersistentVolume is in.");
  Metric capacity("kube_persistentvolume_capacity_bytes", "How large a PersistentVolume is.");
  for (const ClaimStatus& claim : claims) {
    const std::string labels = "namespace=" + label_value(claim.name_space.str()) +
                               ",persistentvolumeclaim=" + label_value(claim.name.str());
    for (const char* phase : claim_phases)
      claim_phase.add(labels + ",phase=" + label_value(phase), kubernetes_phase(claim) == phase ? 1 : 0);
    add_bytes(request, labels, claim.request);
  }
  for (const PersistentVolumeStatus& volume : volumes) {
    const std::string labels = "persistentvolume=" + label_value(volume.name.str());
    for (const char* phase : volume_phases)
      volume_phase.add(labels + ",phase=" + label_value(phase), kubernetes_phase(volume) == phase ? 1 : 0);
    add_bytes(capacity, labels, volume.capacity);
  }
  return totals("mooring_claims", "PersistentVolumeClaims by phase.", claims, claim_phases) +
         totals("mooring_persistent_volumes", "PersistentVolumes by phase.", volumes, volume_phases) +
         waiting("mooring_claims_waiting", "PersistentVolumeClaims by what they wait for.", claims) +
         waiting("mooring_persistent_volumes_waiting", "PersistentVolumes by what they wait for.", volumes) +
         claim_phase.text() + request.text() + volume_phase.text() + capacity.text();
}

std::string snapshot_metrics(const std::vector<VolumeSnapshotStatus>& snapshots) {
  return totals("mooring_volume_snapshots", "VolumeSnapshots by phase.", snapshots, snapshot_phases) +
         waiting("mooring_volume_snapshots_waiting", "VolumeSnapshots by what they wait for.", snapshots);
}

}  // namespace mooring
