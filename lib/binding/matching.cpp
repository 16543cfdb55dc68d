#include "binding/matching.h"

#include <algorithm>
#include <tuple>

#include "base/quote.h"
#include "binding/classes.h"
#include "binding/words.h"
#include "objects/node_affinity.h"

namespace mooring {
namespace {

using manifest::PersistentVolume;
using manifest::PersistentVolumeClaim;
using manifest::SelectorRequirement;
using Labels = std::map<std::string, std::string>;

std::string what_labels_say(const Labels& labels, const std::string& key) {
  if (labels.empty()) return "it has no labels at all";
  const auto label = labels.find(key);
  if (label == labels.end()) return "it has no label " + quoted(key);
  return "its label " + quoted(key) + " is " + quoted(label->second);
}

bool is_met(const SelectorRequirement& requirement, const Labels& labels) {
  const auto label = labels.find(requirement.key);
  const bool is_there = label != labels.end();
  if (requirement.operation == "Exists") return is_there;
  if (requirement.operation == "DoesNotExist") return !is_there;
  const bool is_named = is_there && std::find(requirement.values.begin(), requirement.values.end(),
                                              label->second) != requirement.values.end();
  if (requirement.operation == "In") return is_named;
  // Without the label it has none of the values that are ruled out.
  return requirement.operation == "NotIn" && !is_named;
}

std::string text_of(const SelectorRequirement& requirement) {
  std::string text = requirement.key + " " + requirement.operation;
  const char* separator = " ";
  for (const std::string& value : requirement.values) {
    text += separator + value;
    separator = ", ";
  }
  return text;
}

/// Hands each difference to `found` as a function that puts it into words; stops when it returns false. Words
/// cost more than looking, and most volumes are only looked at.
template <class Found>
void compare_selector(const PersistentVolumeClaim& claim, const PersistentVolume& volume, bool& goes_on,
                      const Found& found) {
  for (const auto& label : claim.match_labels) {
    if (!goes_on) return;
    const auto have = volume.labels.find(label.first);
    if (have != volume.labels.end() && have->second == label.second) continue;
    goes_on = found([&] {
      return what_labels_say(volume.labels, label.first) + ", and the claim's selector wants " + label.first +
             "=" + label.second;
    });
  }
  for (const SelectorRequirement& requirement : claim.match_expressions) {
    if (!goes_on) return;
    if (is_met(requirement, volume.labels)) continue;
    goes_on = found([&] {
      return what_labels_say(volume.labels, requirement.key) + ", and the claim's selector wants " +
             text_of(requirement);
    });
  }
}

template <class Found>
void compare(const VolumeWish& wish, const PersistentVolume& volume, Look look, const BindingWorld& world,
             const Found& found) {
  const PersistentVolumeClaim& claim = wish.claim;
  bool goes_on = true;
  for (const manifest::AccessMode mode : claim.access_modes) {
    if (goes_on && !volume.access_modes.contains(mode))
      goes_on = found([&] { return "it has not the access mode " + std::string(to_string(mode)); });
  }
  if (goes_on && volume.capacity < claim.request) {
    goes_on = found([&] {
      return "its capacity " + volume.capacity.text() + " is less than the request " + claim.request.text();
    });
  }
  if (goes_on && volume.volume_mode != claim.volume_mode) {
    goes_on = found([&] {
      return "its volumeMode is " + std::string(to_string(volume.volume_mode)) + ", and the claim's is " +
             std::string(to_string(claim.volume_mode));
    });
  }
  if (goes_on && volume.is_being_deleted) goes_on = found([] { return std::string("it is being deleted"); });
  if (look == Look::Claimed) return;
  if (look == Look::Choosing) compare_selector(claim, volume, goes_on, found);
  if (goes_on && volume.storage_class != wish.storage_class) {
    goes_on = found([&] {
      return "its storageClassName is " + quoted(volume.storage_class) + ", and the claim's is " +
             quoted(wish.storage_class);
    });
  }
  if (look == Look::Choosing && goes_on && volume.node_affinity &&
      !fits_node(*volume.node_affinity, world.node, world.node_labels)) {
    goes_on = found([&] { return "its nodeAffinity does not fit this node, " + quoted(world.node.str()); });
  }
}

bool fits(const VolumeWish& wish, const PersistentVolume& volume, Look look, const BindingWorld& world) {
  bool differs = false;
  compare(wish, volume, look, world, [&](const auto& /*words*/) {
    differs = true;
    return false;
  });
  return !differs;
}

}  // namespace

std::string mismatch_of(const VolumeWish& wish, const PersistentVolume& volume, Look look,
                        const BindingWorld& world) {
  std::string all;
  compare(wish, volume, look, world, [&](const auto& words) {
    all += (all.empty() ? "" : "; ") + words();
    return true;
  });
  return all;
}

bool is_reference_to(const manifest::ClaimReference& reference, const ObjectKey& claim,
                     const std::string& manifest_uid) {
  return reference.key == claim &&
         (reference.uid.empty() || manifest_uid.empty() || reference.uid == manifest_uid);
}

std::string written_uid(const ObjectStore& objects, const PersistentVolumeClaim& claim) {
  const auto manifest = objects.find_claim(claim.key);
  return manifest == nullptr ? std::string() : manifest->uid;
}

bool comes_before(const PersistentVolume& one, const PersistentVolume& other) {
  const std::size_t of_one = one.access_modes.size();
  const std::size_t of_other = other.access_modes.size();
  if (of_one != of_other) return of_one < of_other;
  if (one.access_modes != other.access_modes) return one.access_modes < other.access_modes;
  if (one.capacity != other.capacity) return one.capacity < other.capacity;
  return one.name < other.name;
}

FreeVolumes::FreeVolumes(const Draft& draft) : draft_(draft) {
  for (const ObjectName& name : draft.objects().persistent_volumes()) {
    if (draft.find(name) != nullptr) continue;
    auto volume = draft.objects().find_persistent_volume(name);
    if (volume == nullptr) continue;
    auto& list = volume->claim ? claimed_[volume->claim->key] : volumes_;
    list.push_back(std::move(volume));
  }
  for (const ObjectName& name : draft.volumes()) {
    if (draft.find(name)->state == LedgerVolume::State::Available)
      volumes_.push_back(draft.find(name)->volume);
  }
  const auto in_order = [](const auto& one, const auto& other) { return comes_before(*one, *other); };
  std::sort(volumes_.begin(), volumes_.end(), in_order);
  for (auto& claimed : claimed_)
    std::sort(claimed.second.begin(), claimed.second.end(), in_order);
}

bool FreeVolumes::is_free(const PersistentVolume& volume) const {
  const LedgerVolume* row = draft_.find(volume.name);
  return row == nullptr || row->state == LedgerVolume::State::Available;
}

std::shared_ptr<const PersistentVolume> FreeVolumes::claimed_by(const PersistentVolumeClaim& claim) const {
  const auto found = claimed_.find(claim.key);
  if (found == claimed_.end()) return nullptr;
  const std::string uid = written_uid(draft_.objects(), claim);
  for (const auto& volume : found->second) {
    if (is_free(*volume) && is_reference_to(*volume->claim, claim.key, uid) &&
        fits({claim, {}}, *volume, Look::Claimed, draft_.world()))
      return volume;
  }
  return nullptr;
}

std::string FreeVolumes::misfit_of(const PersistentVolumeClaim& claim) const {
  const auto found = claimed_.find(claim.key);
  if (found == claimed_.end()) return {};
  const std::string uid = written_uid(draft_.objects(), claim);
  for (const auto& volume : found->second) {
    if (!is_free(*volume)) continue;
    const std::string name = "PV " + quoted(volume->name.str());
    if (!is_reference_to(*volume->claim, claim.key, uid)) {
      return name + " names this claim, but its spec.claimRef.uid " + quoted(volume->claim->uid) +
             " is not the claim's uid " + quoted(uid);
    }
    const std::string mismatch = mismatch_of({claim, {}}, *volume, Look::Claimed, draft_.world());
    if (!mismatch.empty()) return name + " names this claim, but does not fit it: " + mismatch;
  }
  return {};
}

std::shared_ptr<const PersistentVolume> FreeVolumes::best_for(const VolumeWish& wish,
                                                              const std::set<ObjectName>& taken) const {
  // The order is that of the groups, and of the sizes within each: the first that fits is the best.
  for (const auto& volume : volumes_) {
    if (!fits(wish, *volume, Look::Choosing, draft_.world())) continue;
    if (is_free(*volume) && !taken.contains(volume->name)) return volume;
  }
  return nullptr;
}

}  // namespace mooring
