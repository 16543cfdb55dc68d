#include <algorithm>

#include "base/quote.h"
#include "binding/binder.h"
#include "binding/classes.h"
#include "binding/matching.h"

namespace mooring {
namespace {

using manifest::PersistentVolume;

/// Whose the volume is, if not the claim's.
std::string owner_of(const PersistentVolume& volume, const LedgerVolume* row, const ObjectKey& claim,
                     const LedgerClaim* claim_row, const std::string& manifest_uid) {
  if (row != nullptr && row->state == LedgerVolume::State::Available) return {};
  if (row != nullptr) {
    const manifest::ClaimReference& reference = *row->volume->claim;
    if (claim_row != nullptr && reference.key == claim && reference.uid == claim_row->claim.uid) return {};
    const bool is_had =
        row->state == LedgerVolume::State::Bound || row->state == LedgerVolume::State::Provisioning;
    const std::string whose =
        reference.key == claim ? "an earlier claim of that name" : "the claim " + reference.key.text();
    return (is_had ? "it is bound to " : "it is kept for ") + whose;
  }
  if (!volume.claim || is_reference_to(*volume.claim, claim, manifest_uid)) return {};
  if (volume.claim->key == claim) {
    return "its spec.claimRef.uid " + quoted(volume.claim->uid) + " is not the claim's uid " +
           quoted(manifest_uid);
  }
  return "its spec.claimRef names the claim " + volume.claim->key.text();
}

std::vector<std::shared_ptr<const PersistentVolume>> all_volumes(const Ledger& ledger,
                                                                 const ObjectStore& objects) {
  std::vector<std::shared_ptr<const PersistentVolume>> all;
  for (const auto& entry : ledger.volumes)
    all.push_back(entry.second.volume);
  for (const ObjectName& name : objects.persistent_volumes()) {
    if (ledger.find(name) == nullptr) all.push_back(objects.find_persistent_volume(name));
  }
  std::sort(all.begin(), all.end(),
            [](const auto& one, const auto& other) { return comes_before(*one, *other); });
  return all;
}

}  // namespace

std::vector<CandidateVolume> candidates_for(const ObjectKey& claim, const Ledger& ledger,
                                            const BindingWorld& world) {
  const LedgerClaim* row = ledger.find(claim);
  const auto manifest = world.objects.find_claim(claim);
  if (row == nullptr && manifest == nullptr) return {};
  const manifest::PersistentVolumeClaim& wanted = row != nullptr ? row->claim : *manifest;
  const std::string uid = manifest != nullptr ? manifest->uid : std::string();
  const VolumeWish wish{wanted, ClaimClasses(world.objects).of(wanted).name};
  std::vector<CandidateVolume> candidates;
  for (const auto& volume : all_volumes(ledger, world.objects)) {
    const LedgerVolume* volume_row = ledger.find(volume->name);
    CandidateVolume candidate{volume->name, owner_of(*volume, volume_row, claim, row, uid)};
    const bool is_free = volume_row == nullptr || volume_row->state == LedgerVolume::State::Available;
    const bool is_its = !is_free && candidate.why_not.empty();
    Look look = Look::Choosing;
    if (volume->claim) {
      look = Look::Claimed;
    } else if (!wanted.volume_name.empty()) {
      look = Look::Named;
    }
    if (candidate.why_not.empty() && !is_its && !wanted.volume_name.empty() &&
        wanted.volume_name != volume->name.str())
      candidate.why_not = "the claim's spec.volumeName is " + quoted(wanted.volume_name);
    if (!is_its) {
      const std::string mismatch = mismatch_of(wish, *volume, look, world);
      if (!mismatch.empty()) candidate.why_not += (candidate.why_not.empty() ? "" : "; ") + mismatch;
    }
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

}  // namespace mooring
