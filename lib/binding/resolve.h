#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "binding/binder.h"
#include "binding/ledger.h"

namespace mooring {

/// What a volume of a pod really is.
struct ResolvedVolume {
  /// The pod's name of it, and the source of the pod's own or of the PersistentVolume, as it is written: what
  /// that says of the volume itself is the same for all pods, whatever one of them asks for.
  manifest::Volume volume;
  VolumeDirectory directory;  ///< The PersistentVolume's name for a claim, else the volume's.
  std::shared_ptr<const manifest::PersistentVolume> persistent;  ///< nullptr: the pod's own.
  ObjectKey claim;                                               ///< Empty likewise.
  manifest::VolumeMode mode = manifest::VolumeMode::Filesystem;
  bool read_only = false;                  ///< For this pod.
  std::vector<std::string> mount_options;  ///< The PersistentVolume's, sorted, each once.
};

/// What of the claims is certain: what is written down, and why a claim that has no volume has none.
struct ClaimsView {
  const Ledger& ledger;
  const std::map<ObjectKey, BindingCondition>& conditions;
  /// The pod has the volume: a claim that is being deleted is its until the pod ends.
  bool is_live = false;
};

/// The claim that a volume of a pod is of: named by the pod, or the pod's own ("<pod>-<volume>"); nullopt: of
/// none.
std::optional<ObjectKey> claim_of(const manifest::Pod& pod, const manifest::Volume& volume);

/// Finds out what a volume is: itself, or the PersistentVolume of the claim that it is of
/// (kubelet-behaviours 2.3, 5.4 step 2).
///
/// A volume is read-only if the pod, the PersistentVolume's source, or access modes that are ReadOnlyMany
/// alone say so. The source of a CSI driver's does not: its `readOnly` is for whoever attaches it, and the
/// node service is told what the claim says (kubelet-behaviours 15.3; external-attacher, csiAttach).
///
/// Final errors, each right until the pod, the ledger or the conditions change: "ClaimNotFound",
/// "ClaimBeingDeleted" (not of a pod that has it), "ClaimNotBound" (or the reason of the claim's condition),
/// "ClaimLost", "NotTheEphemeralClaim", "NodeAffinityMismatch", "VolumeModeMismatch".
Result<ResolvedVolume> resolve_volume(const manifest::Pod& pod, const manifest::Volume& volume,
                                      const ClaimsView& claims, const NodeName& node,
                                      const std::map<std::string, std::string>& labels);

/// The directory that the volume has, or would have: its own name, or that of the claim's PersistentVolume;
/// nullopt if the claim has none. Right until the pod or the ledger changes. Does not look at the node, whose
/// labels may come later, or at the containers.
std::optional<VolumeDirectory> resolved_directory(const manifest::Pod& pod, const manifest::Volume& volume,
                                                  const Ledger& ledger);

/// Where the volume comes from: its source, or that of the claim's PersistentVolume; nullptr if the claim has
/// none. Right until the pod or the ledger changes. Does not look at the node or at the containers.
const manifest::VolumeSource* resolved_source(const manifest::Pod& pod, const manifest::Volume& volume,
                                              const Ledger& ledger);

/// The plugin of what the volume is: that of its source, or that of the claim's PersistentVolume; nullopt if
/// the claim has none. Copies nothing, and does not look at the node or at the containers.
std::optional<PluginName> resolved_plugin(const manifest::Pod& pod, const manifest::Volume& volume,
                                          const Ledger& ledger);

}  // namespace mooring
