#include <algorithm>
#include <array>
#include <utility>

#include "binding/resolve.h"
#include "content/content.h"
#include "core/driver_work.h"
#include "core/engine.h"
#include "plugin/common_options.h"

namespace mooring {
namespace {

/// What a volume, or the paths of the parts of it that containers mount, come from.
std::set<ObjectReference> objects_of_volume(const manifest::Pod& pod, const manifest::Volume& volume) {
  std::set<ObjectReference> objects = objects_of(volume.source, pod.key.name_space);
  objects.merge(objects_of_sub_paths(pod, volume.name));
  if (auto claim = claim_of(pod, volume)) objects.insert({ObjectReference::Kind::Claim, std::move(*claim)});
  return objects;
}

}  // namespace

/// Remembers which objects the pod's volumes are made from; nullptr: the pod is not desired any more.
void Core::Engine::note_content_users(const PodUid& uid, const manifest::Pod* pod) {
  if (const auto before = content_used_by_.find(uid); before != content_used_by_.end()) {
    for (const ObjectReference& object : before->second) {
      const auto users = content_users_.find(object);
      users->second.erase(uid);
      if (users->second.empty()) content_users_.erase(users);
    }
    content_used_by_.erase(before);
  }
  if (pod == nullptr) return;
  std::set<ObjectReference> objects;
  for (const manifest::Volume* volume : used_volumes(*pod))
    objects.merge(objects_of_volume(*pod, *volume));
  if (objects.empty()) return;
  for (const ObjectReference& object : objects)
    content_users_[object].insert(uid);
  content_used_by_.emplace(uid, std::move(objects));
}

bool needs_secret(const VolumeWork& work) {
  constexpr std::array<std::string_view, 4> reasons{"SecretNotFound", "SecretNotText", "WrongSecretType",
                                                    "TokensUnavailable"};
  return work.failure && std::find(reasons.begin(), reasons.end(), work.failure->reason) != reasons.end();
}

/// Which Secret a driver is told may only be known when a claim is bound: whoever was refused for one is
/// looked at again when any comes.
void Core::Engine::secret_came() {
  for (const PodUid& uid : std::exchange(secrets_waiting_, {})) {
    const auto work = work_.find(uid);
    if (work == work_.end()) continue;
    for (VolumeWork& volume : work->second.volumes) {
      if (!needs_secret(volume)) continue;
      volume.wanted_shape.reset();
      volume.is_refused = false;
      volume.backoff.hurry();
      dirty_.insert(uid);
    }
  }
}

/// Objects were read again, added or removed: whoever uses them is looked at again, at once.
void Core::Engine::content_changed(const std::set<ObjectReference>& objects) {
  for (const ObjectReference& object : objects) {
    if (object.kind == ObjectReference::Kind::Secret) secret_came();
    const auto users = content_users_.find(object);
    if (users == content_users_.end()) continue;
    for (const PodUid& uid : users->second) {
      dirty_.insert(uid);
      const auto work = work_.find(uid);
      if (work == work_.end()) continue;
      for (VolumeWork& volume : work->second.volumes) {
        volume.wanted_shape.reset();  // And which parts are to be mounted: see sync_volumes().
        volume.is_content_stale = true;
        volume.is_refused = false;
        volume.backoff.hurry();
      }
    }
  }
}

/// True if an object of the volume is not known, and nobody can tell yet that it is not there: not all
/// manifests were read, or one of them was never read well. Until then the volume is not made without it. The
/// same of what its driver says of all of its volumes.
bool Core::Engine::waits_for_objects(const manifest::Pod& pod, const VolumeName& name) const {
  const auto volume =
      std::find_if(pod.volumes.begin(), pod.volumes.end(), [&](const auto& v) { return v.name == name; });
  if (volume == pod.volumes.end()) return false;
  const bool all_read = listing_is_complete_ && failing_directories_.empty();
  if (waits_for_csi_driver_object(resolved_source(pod, *volume, ledger_), store_, all_read)) return true;
  const auto objects = objects_of_volume(pod, *volume);
  return std::any_of(objects.begin(), objects.end(), [&](const ObjectReference& object) {
    if (object.kind == ObjectReference::Kind::Claim) return is_claim_open(object.key);
    return !store_.is_settled(object) && (!all_read || store_.may_hold(object));
  });
}

/// Finds out if a published volume is to hold something else now. If that cannot be made, what it holds
/// stays.
void Core::Engine::compare_content(const DesiredPod& desired, const ActualVolume& volume, VolumeWork& work,
                                   Instant now) {
  if (!work.is_content_stale || volume.state != PublishState::Published || work.doing != Doing::None) return;
  const Plugin* plugin = plugins_.by_name(volume.plugin);
  const bool can_change =
      plugin != nullptr && (plugin->support().refresh || has_sub_paths(*desired.pod, volume.name));
  if (!can_change || waits_for_objects(*desired.pod, volume.name)) return;
  work.is_content_stale = false;
  Result<Recipe> recipe = recipe_in_plan(*desired.pod, volume.name);
  note_parts(*desired.pod, work, recipe);
  if (recipe) {
    work.is_outdated = recipe.value().content != work.content;
    if (!work.is_outdated) work.refresh_failure.reset();
    made_.emplace_back(volume.name, std::move(recipe).value());
    return;
  }
  keep_content(desired, work, recipe.error(), now);
}

/// A published volume cannot be made anew: it keeps what it holds, and says why.
void Core::Engine::keep_content(const DesiredPod& desired, VolumeWork& work, const Error& error,
                                Instant now) {
  work.is_outdated = false;
  const std::string message = "it keeps what it holds: " + error.message;
  const bool is_new = !work.refresh_failure || work.refresh_failure->message != message;
  work.refresh_failure = std::make_unique<Failure>(Failure{error.reason, message, error.remedy});
  if (is_new)
    log(now, true, "FailedRefresh", "pod/" + desired.pod->key.text(),
        "volume " + work.name.str() + ": " + error.text());
}

}  // namespace mooring
