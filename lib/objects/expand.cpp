#include "objects/expand.h"

#include <set>

#include "objects/fingerprint.h"

namespace mooring {
namespace {

using manifest::PersistentVolumeClaim;
using manifest::Pod;
using manifest::Workload;

std::string_view kind_name(Workload::Kind kind) {
  switch (kind) {
    case Workload::Kind::Deployment:
      return "Deployment";
    case Workload::Kind::StatefulSet:
      return "StatefulSet";
    case Workload::Kind::DaemonSet:
      return "DaemonSet";
    case Workload::Kind::Job:
      return "Job";
  }
  return "Deployment";
}

/// `attempt`: from 0, for as long as the name that it gives is taken.
std::string pod_name(const Workload& workload, std::int64_t ordinal, int attempt) {
  const std::string& base = workload.key.name.str();
  const std::uint64_t seed =
      stable_hash(std::string(kind_name(workload.kind)) + "/" + workload.key.text() + "/" +
                  std::to_string(ordinal) + (attempt == 0 ? "" : "/" + std::to_string(attempt)));
  switch (workload.kind) {
    case Workload::Kind::StatefulSet:
      return base + "-" + std::to_string(workload.first_ordinal + ordinal);
    case Workload::Kind::Deployment:
      return base + "-" + safe_letters(fingerprint(workload.pod_template), 10) + "-" + safe_letters(seed, 5);
    case Workload::Kind::DaemonSet:
    case Workload::Kind::Job:
      break;
  }
  return base + "-" + safe_letters(seed, 5);
}

/// The name of a pod's own claim that is made from the template.
std::string claim_name(const PersistentVolumeClaim& claim_template, const ObjectName& pod) {
  return claim_template.key.name.str() + "-" + pod.str();
}

}  // namespace

std::vector<std::shared_ptr<const Pod>> expand(const Workload& workload) {
  std::vector<std::shared_ptr<const Pod>> pods;
  std::set<std::string> names;
  if (workload.suspended) return pods;
  const std::int64_t count = workload.kind == Workload::Kind::DaemonSet ? 1 : workload.replicas;
  for (std::int64_t ordinal = 0; ordinal < count; ++ordinal) {
    // In order of the ordinals, so that a name depends on those before it only: scaling renames no pod.
    std::string name = pod_name(workload, ordinal, 0);
    for (int attempt = 1; !names.insert(name).second; ++attempt)
      name = pod_name(workload, ordinal, attempt);
    auto pod = std::make_shared<Pod>(workload.pod_template);
    pod->key = {workload.key.name_space, ObjectName(std::move(name))};
    pod->uid = derived_pod_uid(pod->key.name_space, pod->key.name);
    pod->origin = workload.origin;
    pod->owner = std::string(kind_name(workload.kind)) + " " + workload.key.text();
    if (workload.kind == Workload::Kind::StatefulSet) {
      pod->labels["statefulset.kubernetes.io/pod-name"] = pod->key.name.str();
      for (manifest::Volume& volume : pod->volumes) {
        for (const PersistentVolumeClaim& claim : workload.claim_templates) {
          if (volume.name.str() != claim.key.name.str()) continue;
          volume.source = manifest::ClaimSource{claim_name(claim, pod->key.name), false};
        }
      }
      pod->labels["apps.kubernetes.io/pod-index"] = std::to_string(workload.first_ordinal + ordinal);
    }
    pods.push_back(std::move(pod));
  }
  return pods;
}

manifest::ClaimOwner claim_owner(const Workload& stateful_set) {
  return {manifest::ClaimOwner::Kind::StatefulSet,
          stateful_set.key,
          {},
          stateful_set.delete_claims_when_deleted,
          stateful_set.delete_claims_when_scaled};
}

std::vector<std::shared_ptr<const PersistentVolumeClaim>> expand_claims(const Workload& workload) {
  std::vector<std::shared_ptr<const PersistentVolumeClaim>> claims;
  if (workload.kind != Workload::Kind::StatefulSet) return claims;
  for (std::int64_t ordinal = 0; ordinal < workload.replicas; ++ordinal) {
    const ObjectName pod(pod_name(workload, ordinal, 0));
    for (const PersistentVolumeClaim& claim_template : workload.claim_templates) {
      auto claim = std::make_shared<PersistentVolumeClaim>(claim_template);
      claim->key = {workload.key.name_space, ObjectName(claim_name(claim_template, pod))};
      claim->uid.clear();  // A template has none of its own that several claims could share.
      claim->owner = claim_owner(workload);
      claims.push_back(std::move(claim));
    }
  }
  return claims;
}

std::vector<std::shared_ptr<const PersistentVolumeClaim>> ephemeral_claims(const Pod& pod) {
  std::vector<std::shared_ptr<const PersistentVolumeClaim>> claims;
  for (const manifest::Volume& volume : pod.volumes) {
    const auto* source = std::get_if<manifest::EphemeralSource>(&volume.source);
    if (source == nullptr) continue;
    auto claim = std::make_shared<PersistentVolumeClaim>(*source->claim_template);
    claim->key = {pod.key.name_space, ObjectName(pod.key.name.str() + "-" + volume.name.str())};
    claim->owner = {manifest::ClaimOwner::Kind::Pod, pod.key, pod.uid.str(), false, false};
    claims.push_back(std::move(claim));
  }
  return claims;
}

}  // namespace mooring
