#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "binding/draft.h"

namespace mooring {

/// By what a volume is chosen for a claim.
struct VolumeWish {
  const manifest::PersistentVolumeClaim& claim;
  std::string storage_class;  ///< The class that counts: the claim's own, or the default's.
};

/// How a volume is looked at.
enum class Look : std::uint8_t {
  /// Nobody named it: all counts (kubelet-behaviours 18.1). The node too, of whatever binding mode the class
  /// is: there is one node, and a volume that it cannot reach is of no use to the claim.
  Choosing,
  Claimed,  ///< Its claimRef names the claim: neither class nor selector nor node count (18.1 step 3).
  Named,    ///< The claim's spec.volumeName names it: neither selector nor node count (18.2).
};

/// What of a volume is not as the claim asks for, in the order in which Kubernetes looks; empty: it fits.
/// Whose the volume is is not looked at.
std::string mismatch_of(const VolumeWish& wish, const manifest::PersistentVolume& volume, Look look,
                        const BindingWorld& world);

/// True if the claimRef, of a volume that no row has, is to the claim: the same namespace and name, and the
/// same uid if both were written by somebody. `manifest_uid`: what the claim's manifest says.
bool is_reference_to(const manifest::ClaimReference& reference, const ObjectKey& claim,
                     const std::string& manifest_uid);

/// The uid that somebody wrote for the claim, not one that was drawn; empty: there is none.
std::string written_uid(const ObjectStore& objects, const manifest::PersistentVolumeClaim& claim);

/// The order in which volumes are looked at: few access modes first, those of the same modes together, small
/// ones first, by name.
bool comes_before(const manifest::PersistentVolume& one, const manifest::PersistentVolume& other);

/// The volumes of the manifests that no claim has or had, in the order in which they are looked at.
class FreeVolumes {
 public:
  explicit FreeVolumes(const Draft& draft);

  /// The volume whose claimRef names the claim and that fits it; nullptr: there is none.
  std::shared_ptr<const manifest::PersistentVolume> claimed_by(
      const manifest::PersistentVolumeClaim& claim) const;
  /// Why a volume whose claimRef names the claim does not fit it; empty: there is none such.
  std::string misfit_of(const manifest::PersistentVolumeClaim& claim) const;
  /// The smallest of the first group of access modes that has one that fits, and is nobody's by its claimRef
  /// (18.1); nullptr: none. `taken`: those that are promised to other claims.
  std::shared_ptr<const manifest::PersistentVolume> best_for(const VolumeWish& wish,
                                                             const std::set<ObjectName>& taken) const;

 private:
  bool is_free(const manifest::PersistentVolume& volume) const;

  const Draft& draft_;
  std::vector<std::shared_ptr<const manifest::PersistentVolume>> volumes_;  ///< Without a claimRef.
  std::map<ObjectKey, std::vector<std::shared_ptr<const manifest::PersistentVolume>>> claimed_;
};

}  // namespace mooring
