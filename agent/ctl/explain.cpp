#include "ask.h"
#include "base/quote.h"
#include "claims.h"
#include "commands.h"
#include "details.h"
#include "devices.h"
#include "documents.h"
#include "output.h"
#include "storage.h"

namespace mooring::ctl {
namespace {

/// A pod that the daemon does not know: what it said of it, and of manifests that it could not use.
void say_what_is_known(Client& client, const ObjectKey& key) {
  const Result<NodeStatus> node = client.node();
  if (!node) return;
  if (!node.value().manifests_complete)
    message("the manifests have not been read whole yet; the pod may be in what is missing");
  for (const std::string& line : node.value().problems)
    message("problem: " + line);
  const auto events = client.events_since(0);
  if (!events) return;
  const std::string log = event_details(events.value(), "pod/" + key.text(), 5);
  if (!log.empty()) answer("what was said of pod " + clean(key.text()) + " before:\n" + log);
}

std::string explain_pod(const PodStatus& pod, const std::vector<DeviceStatus>& devices,
                        const std::vector<ClaimStatus>& claims) {
  std::string out = pod_details(pod);
  std::string ready;
  for (const VolumeStatus& volume : pod.volumes) {
    if (volume.phase == Phase::Ready) {
      ready += "volume " + clean(volume.name.str()) + ": " + paint(Phase::Ready, "Ready") + " since " +
               age(volume.since) + " ago, at " + clean(volume.path) + "\n";
      ready += device_field(devices, pod, volume);
      if (!volume.reason.empty())
        ready += "  but " + clean(volume.reason) + ": " + clean(volume.message) + "\n";
    } else {
      out += "\n" + volume_details(pod, volume) + device_field(devices, pod, volume);
      if (const ClaimStatus* claim = find_claim(claims, pod, volume)) out += claim_story(*claim);
    }
  }
  return ready.empty() ? out : out + "\n" + ready;
}

/// A volume of a pod, and if it is of a claim that has none yet, the PersistentVolumes that were looked at.
std::string explain_volume(Client& client, const PodStatus& pod, const VolumeStatus& volume,
                           const std::vector<DeviceStatus>& devices, const std::vector<ClaimStatus>& claims) {
  std::string out = volume_details(pod, volume) + device_field(devices, pod, volume);
  const ClaimStatus* claim = find_claim(claims, pod, volume);
  if (claim == nullptr) return out;
  out += claim_story(*claim);
  if (claim->phase != "Pending") return out;
  const auto candidates = client.explain_claim(claim->name_space, claim->name);
  if (!candidates || candidates.value().empty()) return out;
  return out + "\nPersistentVolumes that were looked at:\n" + candidate_table(candidates.value());
}

}  // namespace

ExitStatus run_explain(const Options& options) {
  const auto object = parse_object_reference(options.name);
  if (object && is_storage(object.value().kind)) return explain_storage(options, object.value());
  const auto reference = parse_pod_reference(options, options.name, true);
  if (!reference) return fail(reference.error());
  const ObjectKey& key = reference.value().key;
  const auto client = connect(options);
  if (!client) return fail(client.error());
  const Result<PodStatus> found = ask_pod(*client.value(), key);
  if (!found) {
    const ExitStatus status = fail(found.error());
    if (status == ExitStatus::NoSuchObject) say_what_is_known(*client.value(), key);
    return status;
  }
  const PodStatus& pod = found.value();
  const VolumeName& name = reference.value().volume;
  const auto volume = name.empty() ? Result<VolumeStatus>(VolumeStatus{}) : find_volume(pod, name);
  if (!volume) return fail(volume.error());
  if (options.format == Format::Json || options.format == Format::Yaml) {
    PodStatus shown = pod;
    if (!name.empty()) shown.volumes = {volume.value()};
    print_document(object_json("Pod", full_pod_json(shown)), options.format);
    return ExitStatus::Ok;
  }
  const std::vector<DeviceStatus> devices = ask_volume_devices(*client.value());
  const std::vector<ClaimStatus> claims = ask_storage(*client.value(), options, Scope::One).claims;
  answer(name.empty() ? explain_pod(pod, devices, claims)
                      : explain_volume(*client.value(), pod, volume.value(), devices, claims));
  const auto events = client.value()->events_since(0);
  if (!events) return fail(events.error());
  const std::string log = event_details(events.value(), "pod/" + key.text(), 5);
  if (!log.empty() && !pod.ready) answer("\nlast events of the pod:\n" + log);
  return ExitStatus::Ok;
}

}  // namespace mooring::ctl
