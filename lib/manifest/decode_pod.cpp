#include <algorithm>
#include <cstdint>

#include "base/quote.h"
#include "manifest/decode.h"
#include "manifest/names.h"

namespace mooring::manifest {
namespace {

/// A group's number; an error outside of what Kubernetes takes for one.
std::optional<std::int64_t> decode_group(const Field& field) {
  constexpr std::int64_t group_max = INT32_MAX;
  const auto group = field.integer();
  if (group && (*group < 0 || *group > group_max))
    field.error("must be between 0 and " + std::to_string(group_max));
  return group;
}

/// As decode_choice(), but a word that is not known is only warned of: it says how something is done, and a
/// later Kubernetes may know more ways.
template <class E>
E decode_lenient_choice(const Field& field, std::initializer_list<std::pair<std::string_view, E>> names,
                        E otherwise) {
  if (!field.exists()) return otherwise;
  const std::string text = field.text();
  for (const auto& [name, value] : names) {
    if (name == text) return value;
  }
  field.warning(quoted(text) + " is not known and has no effect");
  return otherwise;
}

PodSecurity decode_security(const Field& field) {
  PodSecurity security;
  security.fs_group = decode_group(field["fsGroup"]);
  security.run_as_user = field["runAsUser"].integer();
  security.fs_group_change_policy = decode_choice<GroupChangePolicy>(
      field["fsGroupChangePolicy"],
      {{"Always", GroupChangePolicy::Always}, {"OnRootMismatch", GroupChangePolicy::OnRootMismatch}},
      GroupChangePolicy::Always);
  for (const Field& group : field["supplementalGroups"].items()) {
    if (const auto id = decode_group(group)) security.supplemental_groups.push_back(*id);
  }
  security.supplemental_groups_policy = decode_lenient_choice<SupplementalGroupsPolicy>(
      field["supplementalGroupsPolicy"],
      {{"Merge", SupplementalGroupsPolicy::Merge}, {"Strict", SupplementalGroupsPolicy::Strict}},
      SupplementalGroupsPolicy::Merge);
  security.selinux = decode_selinux(field["seLinuxOptions"]);
  security.selinux_change_policy = decode_lenient_choice<SelinuxChangePolicy>(
      field["seLinuxChangePolicy"],
      {{"MountOption", SelinuxChangePolicy::MountOption}, {"Recursive", SelinuxChangePolicy::Recursive}},
      SelinuxChangePolicy::MountOption);
  return security;
}

/// kubelet-behaviours 2.1: Failed or Succeeded, or being deleted while no container runs.
bool decode_terminated(const Field& metadata, const Field& status) {
  const std::string phase = status["phase"].text();
  if (phase == "Failed" || phase == "Succeeded") return true;
  if (!metadata["deletionTimestamp"].exists()) return false;
  const std::vector<Field> containers = status["containerStatuses"].items();
  return std::none_of(containers.begin(), containers.end(), [](const Field& container) {
    const Field state = container["state"];
    return !state["terminated"].exists() && !state["waiting"].exists();
  });
}

/// How many pods a workload makes, and from which ordinal on.
void decode_counts(const Field& spec, Workload& workload) {
  const bool is_job = workload.kind == Workload::Kind::Job;
  const Field count = spec[is_job ? "parallelism" : "replicas"];
  workload.replicas = count.integer().value_or(1);
  constexpr std::int64_t replicas_max = 10'000;
  if (workload.replicas < 0 || workload.replicas > replicas_max) {
    count.error("must be between 0 and " + std::to_string(replicas_max) + " on one node");
  }
  if (is_job) {
    const auto completions = spec["completions"].integer();
    if (completions && *completions < 0) spec["completions"].error("must not be negative");
    if (completions) workload.replicas = std::min(workload.replicas, *completions);
    workload.suspended = spec["suspend"].boolean();
  }
  if (workload.kind != Workload::Kind::StatefulSet) return;
  const Field start = spec["ordinals"]["start"];
  workload.first_ordinal = start.integer().value_or(0);
  constexpr std::int64_t ordinal_max = INT32_MAX;  // The API's type.
  if (workload.first_ordinal < 0 || workload.first_ordinal > ordinal_max) {
    start.error("must be between 0 and " + std::to_string(ordinal_max));
    workload.first_ordinal = 0;
  }
}

/// The claim of an ephemeral volume is named after its pod and itself; that must be an object's name.
void check_claim_names(const Field& name_field, std::size_t pod_name_length,
                       const std::vector<Volume>& volumes) {
  constexpr std::size_t length_max = 253;
  for (const Volume& volume : volumes) {
    if (!std::holds_alternative<EphemeralSource>(volume.source)) continue;
    if (pod_name_length + 1 + volume.name.str().size() <= length_max) continue;
    name_field.error("is too long: the name of the claim of the ephemeral volume " +
                     quoted(volume.name.str()) + " would be longer than " + std::to_string(length_max) +
                     " characters");
  }
}

/// The names that expand() gives must be those of pods; a StatefulSet's are a label's value too.
void check_pod_names(const Field& name_field, const Workload& workload, const std::vector<Volume>& volumes) {
  std::size_t suffix = std::string_view("-bbbbb").size();
  std::size_t length_max = 253;
  if (workload.kind == Workload::Kind::StatefulSet) {
    const std::int64_t last = workload.first_ordinal + std::max<std::int64_t>(workload.replicas, 1) - 1;
    suffix = 1 + std::to_string(last).size();
    length_max = 63;
  } else if (workload.kind == Workload::Kind::Deployment) {
    suffix = std::string_view("-bbbbbbbbbb-bbbbb").size();
  }
  const std::size_t length = workload.key.name.str().size() + suffix;
  check_claim_names(name_field, length, volumes);
  if (length <= length_max) return;
  name_field.error("is too long: the names of its pods would be longer than " + std::to_string(length_max) +
                   " characters");
}

/// What becomes of the claims of a StatefulSet's templates when it goes, or has fewer pods.
void decode_retention(const Field& policy, Workload& workload) {
  if (workload.kind != Workload::Kind::StatefulSet) return;
  policy.known_keys({"whenDeleted", "whenScaled"});
  const auto is_delete = [&](std::string_view key) {
    return decode_choice<bool>(policy[key], {{"Retain", false}, {"Delete", true}}, false);
  };
  workload.delete_claims_when_deleted = is_delete("whenDeleted");
  workload.delete_claims_when_scaled = is_delete("whenScaled");
}

}  // namespace

ObjectKey decode_key(const Field& metadata, bool name_is_required) {
  ObjectKey key{Namespace(metadata["namespace"].text("default")), ObjectName(metadata["name"].text())};
  if (key.name_space.empty()) key.name_space = Namespace("default");
  if (!is_dns_label(key.name_space.str())) metadata["namespace"].error("is not a DNS-1123 label");
  if (!name_is_required) return key;
  if (metadata["name"].require() && !is_dns_subdomain(key.name.str())) {
    metadata["name"].error(quoted(key.name.str()) +
                           " is not a DNS-1123 subdomain (lower-case letters, digits, '-', '.')");
  }
  return key;
}

SelinuxOptions decode_selinux(const Field& field) {
  return {field["user"].text(), field["role"].text(), field["type"].text(), field["level"].text()};
}

std::map<std::string, std::string> decode_labels(const Field& field) {
  return field.text_map(/*lenient=*/true);
}

void decode_pod_body(const Field& metadata, const Field& spec, const Field& status,
                     std::vector<Volume> volumes, Pod& pod) {
  pod.labels = decode_labels(metadata["labels"]);
  pod.annotations = decode_labels(metadata["annotations"]);
  if (!spec.exists()) {
    spec.error("is required");
    return;
  }
  pod.volumes = std::move(volumes);
  pod.containers = decode_containers(spec, pod.volumes);
  pod.security = decode_security(spec["securityContext"]);
  pod.node_name = spec["nodeName"].text();
  pod.node_selector = spec["nodeSelector"].text_map();
  pod.service_account = spec["serviceAccountName"].text();
  pod.host_users = spec["hostUsers"].boolean(true);
  pod.is_terminated = decode_terminated(metadata, status);
  pod.volumes.shrink_to_fit();
  pod.containers.shrink_to_fit();
}

std::optional<Object> decode_pod_object(const Field& document) {
  auto pod = std::make_shared<Pod>();
  const Field metadata = document["metadata"];
  pod->key = decode_key(metadata);
  pod->origin = document.origin();
  const std::string uid = metadata["uid"].text();
  if (!uid.empty() && !is_pod_uid(uid))
    metadata["uid"].error("may have only letters, digits and '-', at most 63");
  pod->uid = uid.empty() ? derived_pod_uid(pod->key.name_space, pod->key.name) : PodUid(uid);
  const Field spec = document["spec"];
  decode_pod_body(metadata, spec, document["status"], decode_volumes(spec["volumes"]), *pod);
  check_claim_names(metadata["name"], pod->key.name.str().size(), pod->volumes);
  return std::shared_ptr<const Pod>(std::move(pod));
}

std::optional<Object> decode_workload(const Field& document, Workload::Kind kind) {
  auto workload = std::make_shared<Workload>();
  workload->kind = kind;
  const Field metadata = document["metadata"];
  workload->key = decode_key(metadata);
  workload->uid = metadata["uid"].text();
  workload->origin = document.origin();
  const Field spec = document["spec"];
  decode_counts(spec, *workload);
  decode_retention(spec["persistentVolumeClaimRetentionPolicy"], *workload);
  const Field pod_template = spec["template"];
  if (!pod_template.exists()) pod_template.error("is required");
  // A StatefulSet's claim templates are volumes of the pod by their names: the mounts may name them.
  for (const Field& claim : spec["volumeClaimTemplates"].items())
    workload->claim_templates.push_back(decode_claim(claim));
  const Field pod_spec = pod_template["spec"];
  std::vector<Volume> volumes = decode_volumes(pod_spec["volumes"]);
  check_pod_names(metadata["name"], *workload, volumes);
  for (const PersistentVolumeClaim& claim : workload->claim_templates) {
    const VolumeName name(claim.key.name.str());
    std::erase_if(volumes, [&](const Volume& v) { return v.name == name; });
    // The claim's own name, "<template>-<pod>", is known when the workload is expanded.
    volumes.push_back({name, ClaimSource{claim.key.name.str(), false}});
  }
  workload->pod_template.origin = pod_template.origin();
  decode_pod_body(pod_template["metadata"], pod_spec, pod_template["status"], std::move(volumes),
                  workload->pod_template);
  return std::shared_ptr<const Workload>(std::move(workload));
}

}  // namespace mooring::manifest
