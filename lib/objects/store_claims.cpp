#include <algorithm>
#include <utility>

#include "objects/counting.h"
#include "objects/expand.h"
#include "objects/identity.h"
#include "objects/store.h"

// Claims, PersistentVolumes, StorageClasses and StatefulSets: what there is of them, and what there may be.

namespace mooring {
namespace {

using manifest::ClaimOwner;
using manifest::PersistentVolume;
using manifest::PersistentVolumeClaim;
using manifest::StorageClass;
using manifest::Workload;

std::string_view kind_text(ObjectReference::Kind kind) {
  switch (kind) {
    case ObjectReference::Kind::ConfigMap:
      return "ConfigMap";
    case ObjectReference::Kind::Secret:
      return "Secret";
    case ObjectReference::Kind::Claim:
      break;
  }
  return "PersistentVolumeClaim";
}

/// True for the kinds that are pods or make some: their ephemeral volumes make claims.
bool has_pods(std::string_view kind) {
  return kind == "Pod" || kind == "Deployment" || kind == "StatefulSet" || kind == "DaemonSet" ||
         kind == "Job";
}

/// As put(), of a StatefulSet, of which only its retention policy counts here.
bool put_set(std::map<ObjectKey, ClaimOwner>& all, const ObjectKey& key,
             const std::shared_ptr<const Workload>& set) {
  if (set == nullptr) return all.erase(key) > 0;
  ClaimOwner owner = claim_owner(*set);
  const auto [found, is_new] = all.try_emplace(key, owner);
  if (is_new) return true;
  return std::exchange(found->second, std::move(owner)) != found->second;
}

}  // namespace

void ObjectStore::put_storage(const Held* held, const Identity& identity, StoreChanges& changes) {
  const manifest::Object* object = held == nullptr ? nullptr : &held->object;
  bool is_other = false;
  if (const auto volume = key_of(identity, "PersistentVolume")) {
    is_other = put(volumes_, volume->name, as<PersistentVolume>(object));
  } else if (const auto storage_class = key_of(identity, "StorageClass")) {
    is_other = put(classes_, storage_class->name, as<StorageClass>(object));
  } else if (const auto set = key_of(identity, "StatefulSet")) {
    is_other = put_set(stateful_sets_, *set, as<Workload>(object));
  } else if (const auto claim = key_of(identity, "PersistentVolumeClaim")) {
    put_claim(*claim, changes);
  } else {
    put_driver_object(object, identity, changes);
  }
  changes.storage = changes.storage || is_other;
}

void ObjectStore::put_claim(const ObjectKey& key, StoreChanges& changes) {
  const Held* held = elected(identity_text("PersistentVolumeClaim", key.name_space.str(), key.name.str()));
  auto claim = as<PersistentVolumeClaim>(held == nullptr ? nullptr : &held->object);
  const auto made = made_claims_.find(key);
  if (claim == nullptr && made != made_claims_.end()) claim = made->second.begin()->second;
  changes.objects.insert({ObjectReference::Kind::Claim, key});
  if (put(claims_, key, std::move(claim))) changes.storage = true;
}

void ObjectStore::put_made_claims(const Held* held, const Identity& identity, StoreChanges& changes) {
  std::set<ObjectKey> touched;
  for (const ObjectKey& key : claims_of_[identity]) {
    touched.insert(key);
    const auto made = made_claims_.find(key);
    if (made == made_claims_.end()) continue;
    made->second.erase({ClaimOwner::Kind::StatefulSet, identity});
    made->second.erase({ClaimOwner::Kind::Pod, identity});
    if (made->second.empty()) made_claims_.erase(made);
  }
  std::vector<ObjectKey> keys;
  if (held != nullptr) {
    for (const auto& claim : held->claims) {
      touched.insert(claim->key);
      if (made_claims_[claim->key].try_emplace({claim->owner.kind, identity}, claim).second)
        keys.push_back(claim->key);
    }
  }
  if (keys.empty()) {
    claims_of_.erase(identity);
  } else {
    claims_of_[identity] = std::move(keys);
  }
  for (const ObjectKey& key : touched)
    put_claim(key, changes);
}

std::shared_ptr<const PersistentVolume> ObjectStore::find_persistent_volume(const ObjectName& name) const {
  return get(volumes_, name);
}
std::shared_ptr<const PersistentVolumeClaim> ObjectStore::find_claim(const ObjectKey& key) const {
  return get(claims_, key);
}
std::shared_ptr<const StorageClass> ObjectStore::find_storage_class(const ObjectName& name) const {
  return get(classes_, name);
}
const ClaimOwner* ObjectStore::find_stateful_set(const ObjectKey& key) const {
  const auto found = stateful_sets_.find(key);
  return found == stateful_sets_.end() ? nullptr : &found->second;
}
std::vector<ObjectKey> ObjectStore::claims() const {
  return keys_of(claims_);
}
std::vector<ObjectName> ObjectStore::persistent_volumes() const {
  return keys_of(volumes_);
}
std::vector<ObjectName> ObjectStore::storage_classes() const {
  return keys_of(classes_);
}

bool ObjectStore::may_hold(const ObjectReference& object) const {
  if (object.kind == ObjectReference::Kind::Claim)
    return !claims_.contains(object.key) && may_hold_claim(object.key);
  const std::string_view kind = kind_text(object.kind);
  if (holders_.contains(identity_text(kind, object.key.name_space.str(), object.key.name.str())))
    return false;
  return may_hide(
      [&](const BrokenIdentity& broken) { return broken.kind == kind && broken.key == object.key; });
}

bool ObjectStore::may_hold_claim(const ObjectKey& key) const {
  const std::string& name = key.name.str();
  return may_hide([&](const BrokenIdentity& broken) {
    if (broken.key.name_space != key.name_space) return false;
    if (broken.kind == "PersistentVolumeClaim") return broken.key.name == key.name;
    // "<pod>-<volume>", and a workload's pods are named "<workload>-...".
    const std::string middle = broken.key.name.str() + "-";
    if (has_pods(broken.kind) && name.starts_with(middle)) return true;
    // The claims of a StatefulSet's templates are named "<template>-<StatefulSet>-<ordinal>".
    return broken.kind == "StatefulSet" && name.find("-" + middle) != std::string::npos;
  });
}

bool ObjectStore::may_hold_volume(const ObjectName& name) const {
  return may_hide([&](const BrokenIdentity& broken) {
    return broken.kind == "PersistentVolume" && broken.key.name == name;
  });
}

bool ObjectStore::may_hold_some_volume() const {
  return may_hide([](const BrokenIdentity& broken) { return broken.kind == "PersistentVolume"; });
}

bool ObjectStore::may_hold_class(const ObjectName& name) const {
  return may_hide(
      [&](const BrokenIdentity& broken) { return broken.kind == "StorageClass" && broken.key.name == name; });
}

bool ObjectStore::may_hold_stateful_set(const ObjectKey& key) const {
  return may_hide(
      [&](const BrokenIdentity& broken) { return broken.kind == "StatefulSet" && broken.key == key; });
}

bool ObjectStore::is_settled(const ObjectReference& object) const {
  return object.kind != ObjectReference::Kind::Claim &&
         holders_.contains(
             identity_text(kind_text(object.kind), object.key.name_space.str(), object.key.name.str()));
}

}  // namespace mooring
