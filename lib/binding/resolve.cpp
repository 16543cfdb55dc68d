#include "binding/resolve.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "base/quote.h"
#include "binding/words.h"
#include "objects/node_affinity.h"

namespace mooring {
namespace {

using manifest::AccessMode;
using manifest::ClaimOwner;
using manifest::PersistentVolume;
using manifest::VolumeMode;

Error claim_refusal(const ObjectKey& claim, std::string reason, const std::string& what, std::string remedy) {
  return refusal(std::move(reason), "error processing PVC " + claim.text() + ": " + what, std::move(remedy));
}

/// Containers of the pod must use the volume as what it is.
Result<void> check_mode(const manifest::Pod& pod, const VolumeName& name, VolumeMode mode) {
  const auto is_it = [&](const auto& use) { return use.name == name; };
  const bool is_block = mode == VolumeMode::Block;
  for (const manifest::Container& container : pod.containers) {
    const bool is_wrong = is_block ? std::any_of(container.mounts.begin(), container.mounts.end(), is_it)
                                   : std::any_of(container.devices.begin(), container.devices.end(), is_it);
    if (!is_wrong) continue;
    return refusal("VolumeModeMismatch",
                   "volume " + name.str() + " has volumeMode " + std::string(to_string(mode)) +
                       ", but is specified in " + (is_block ? "volumeMounts" : "volumeDevices") +
                       " of container " + container.name.str(),
                   is_block ? "put it into volumeDevices, or use a volume with volumeMode Filesystem"
                            : "put it into volumeMounts, or use a claim with volumeMode Block");
  }
  return success();
}

Result<void> check_node(const PersistentVolume& volume, const NodeName& node,
                        const std::map<std::string, std::string>& labels) {
  if (!volume.node_affinity || fits_node(*volume.node_affinity, node, labels)) return success();
  return refusal(
      "NodeAffinityMismatch",
      "NodeAffinity check failed for volume " + quoted(volume.name.str()) +
          ": no matching NodeSelectorTerms for node " + quoted(node.str()),
      "correct the PersistentVolume's spec.nodeAffinity, start the driver whose topology it names, "
      "or give the node the labels that it asks for with --node-label");
}

/// spec.mountOptions, or the older annotation, which replaces them; as Kubernetes joins them: sorted, each
/// once, none empty.
std::vector<std::string> mount_options_of(const PersistentVolume& volume) {
  std::set<std::string> options;
  const auto annotation = volume.annotations.find("volume.beta.kubernetes.io/mount-options");
  if (annotation == volume.annotations.end()) {
    options.insert(volume.mount_options.begin(), volume.mount_options.end());
  } else {
    std::string_view rest = annotation->second;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      options.emplace(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  options.erase("");
  return {options.begin(), options.end()};
}

/// True if the PersistentVolume's source makes the volume read-only for every pod. That of a CSI driver tells
/// only whoever attaches it; the node service is told what the claim says (kubelet-behaviours 15.3).
bool is_read_only_for_pods(const PersistentVolume& volume) {
  const auto* csi = std::get_if<manifest::CsiSource>(&volume.source);
  if (csi != nullptr && csi->driver != manifest::block_driver) return false;
  return is_read_only(volume.source);
}

const BindingCondition* condition_of(const ObjectKey& key, const ClaimsView& claims) {
  const auto found = claims.conditions.find(key);
  return found == claims.conditions.end() ? nullptr : &found->second;
}

/// The claim has no volume: why, as far as that is known.
Error not_bound(const ObjectKey& key, const ClaimsView& claims) {
  const BindingCondition* condition = condition_of(key, claims);
  if (condition == nullptr) {
    return claim_refusal(key, "ClaimNotBound", "PVC is not bound",
                         "wait: which volume it gets is being written down");
  }
  return claim_refusal(key, condition->reason, "PVC is not bound: " + condition->message, condition->action);
}

/// A claim that a pod brings with it is that pod's alone.
bool is_of(const manifest::PersistentVolumeClaim& claim, const manifest::Pod& pod) {
  return claim.owner.kind == ClaimOwner::Kind::Pod && claim.owner.key == pod.key &&
         claim.owner.uid == pod.uid.str();
}

/// The volume as pods get it: of what its driver is still to make larger, as it is now. The node's part comes
/// when the driver's is done.
std::shared_ptr<const PersistentVolume> volume_for_pods(const LedgerVolume& row) {
  if (!is_of_driver(row) || !(row.made_capacity < row.volume->capacity)) return row.volume;
  auto volume = std::make_shared<PersistentVolume>(*row.volume);
  volume->capacity = row.made_capacity;
  return volume;
}

/// The volume that the claim has; see the header for what may be wrong.
Result<std::shared_ptr<const PersistentVolume>> bound_volume(const manifest::Pod& pod, const ObjectKey& key,
                                                             bool is_ephemeral, const ClaimsView& claims) {
  const LedgerClaim* row = claims.ledger.find(key);
  if (row == nullptr) {
    if (is_ephemeral || condition_of(key, claims) != nullptr) return not_bound(key, claims);
    return claim_refusal(key, "ClaimNotFound", "failed to fetch PVC: no manifest has it",
                         "put a manifest of it beside the pod's; Mooring goes on by itself then");
  }
  if (is_ephemeral && !is_of(row->claim, pod)) {
    return claim_refusal(key, "NotTheEphemeralClaim",
                         "PVC was not created for pod " + pod.key.text() +
                             ": it is another's, and not the ephemeral PVC of the pod's volume",
                         "give the pod or its volume another name, or remove the claim of that name");
  }
  if (row->is_being_deleted && !claims.is_live) {
    return claim_refusal(key, "ClaimBeingDeleted", "PVC is being deleted",
                         "let the pod name another claim, or write this one anew without deletionTimestamp");
  }
  if (row->is_lost) {
    const BindingCondition* condition = condition_of(key, claims);
    return claim_refusal(key, "ClaimLost",
                         condition != nullptr ? condition->message : "its PersistentVolume is gone",
                         condition != nullptr ? condition->action : "make the claim anew");
  }
  if (!row->is_bound) return not_bound(key, claims);
  const LedgerVolume* volume = claims.ledger.find(row->volume);
  // What the file of the ledger says is believed only as far as both halves say it.
  if (volume == nullptr || volume->state != LedgerVolume::State::Bound || !volume->volume->claim ||
      volume->volume->claim->key != key || volume->volume->claim->uid != row->claim.uid) {
    return claim_refusal(key, "ClaimLost", "PV " + quoted(row->volume.str()) + " is not this claim's",
                         "make the claim anew");
  }
  return volume_for_pods(*volume);
}

/// The volume that the claim has, whatever there is to say against it; nullptr: none.
const LedgerVolume* volume_of_claim(const manifest::Pod& pod, const manifest::Volume& volume,
                                    const ObjectKey& key, const Ledger& ledger) {
  const LedgerClaim* row = ledger.find(key);
  if (row == nullptr || !row->is_bound) return nullptr;
  if (std::holds_alternative<manifest::EphemeralSource>(volume.source) && !is_of(row->claim, pod))
    return nullptr;
  return ledger.find(row->volume);
}

}  // namespace

std::optional<ObjectKey> claim_of(const manifest::Pod& pod, const manifest::Volume& volume) {
  if (const auto* source = std::get_if<manifest::ClaimSource>(&volume.source))
    return ObjectKey{pod.key.name_space, ObjectName(source->claim_name)};
  if (std::holds_alternative<manifest::EphemeralSource>(volume.source))
    return ObjectKey{pod.key.name_space, ObjectName(pod.key.name.str() + "-" + volume.name.str())};
  return std::nullopt;
}

Result<ResolvedVolume> resolve_volume(const manifest::Pod& pod, const manifest::Volume& volume,
                                      const ClaimsView& claims, const NodeName& node,
                                      const std::map<std::string, std::string>& labels) {
  ResolvedVolume resolved;
  std::optional<ObjectKey> key = claim_of(pod, volume);
  if (!key) {
    MOORING_TRY(check_mode(pod, volume.name, VolumeMode::Filesystem));
    resolved.volume = volume;
    resolved.directory = VolumeDirectory(volume.name.str());
    resolved.read_only = is_read_only(volume.source);
    return resolved;
  }
  const auto* source = std::get_if<manifest::ClaimSource>(&volume.source);
  MOORING_TRY(resolved.persistent, bound_volume(pod, *key, source == nullptr, claims));
  const PersistentVolume& persistent = *resolved.persistent;
  MOORING_TRY(check_node(persistent, node, labels));
  MOORING_TRY(check_mode(pod, volume.name, persistent.volume_mode));
  const bool is_for_reading =
      persistent.access_modes.size() == 1 && persistent.access_modes.contains(AccessMode::ReadOnlyMany);
  resolved.read_only =
      (source != nullptr && source->read_only) || is_read_only_for_pods(persistent) || is_for_reading;
  resolved.volume = {volume.name, persistent.source};
  resolved.directory = VolumeDirectory(persistent.name.str());
  resolved.mode = persistent.volume_mode;
  resolved.mount_options = mount_options_of(persistent);
  resolved.claim = *std::move(key);
  return resolved;
}

std::optional<VolumeDirectory> resolved_directory(const manifest::Pod& pod, const manifest::Volume& volume,
                                                  const Ledger& ledger) {
  const std::optional<ObjectKey> key = claim_of(pod, volume);
  if (!key) return VolumeDirectory(volume.name.str());
  const LedgerVolume* row = volume_of_claim(pod, volume, *key, ledger);
  if (row == nullptr) return std::nullopt;
  return VolumeDirectory(row->volume->name.str());
}

const manifest::VolumeSource* resolved_source(const manifest::Pod& pod, const manifest::Volume& volume,
                                              const Ledger& ledger) {
  const std::optional<ObjectKey> key = claim_of(pod, volume);
  if (!key) return &volume.source;
  const LedgerVolume* row = volume_of_claim(pod, volume, *key, ledger);
  return row == nullptr ? nullptr : &row->volume->source;
}

std::optional<PluginName> resolved_plugin(const manifest::Pod& pod, const manifest::Volume& volume,
                                          const Ledger& ledger) {
  const manifest::VolumeSource* source = resolved_source(pod, volume, ledger);
  if (source == nullptr) return std::nullopt;
  return plugin_name(*source);
}

}  // namespace mooring
