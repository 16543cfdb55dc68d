#include "claims.h"

namespace mooring::ctl {
namespace {

/// What claims and volumes say of their state alike.
template <class Status>
void append_state(Json& json, const Status& status) {
  if (!status.reason.empty()) json["reason"] = status.reason;
  if (!status.message.empty()) json["message"] = status.message;
  if (!status.action.empty()) json["action"] = status.action;
  json["attempts"] = status.attempts;
  if (status.next_retry) json["nextRetry"] = rfc3339(*status.next_retry);
  if (!status.origin.empty()) json["origin"] = status.origin;
}

}  // namespace

Json claim_json(const ClaimStatus& claim) {
  Json json;
  json["metadata"] = {{"namespace", claim.name_space.str()}, {"name", claim.name.str()}, {"uid", claim.uid}};
  json["phase"] = claim.phase;
  json["volume"] = claim.volume;
  json["capacity"] = claim.capacity;
  json["request"] = claim.request;
  json["accessModes"] = claim.access_modes;
  json["volumeMode"] = claim.volume_mode;
  if (claim.storage_class) json["storageClass"] = *claim.storage_class;
  append_state(json, claim);
  json["users"] = claim.users;
  if (!claim.owner.empty()) json["owner"] = claim.owner;
  return json;
}

Json persistent_volume_json(const PersistentVolumeStatus& volume) {
  Json json;
  json["metadata"] = {{"name", volume.name.str()}};
  json["phase"] = volume.phase;
  json["capacity"] = volume.capacity;
  json["accessModes"] = volume.access_modes;
  json["volumeMode"] = volume.volume_mode;
  json["reclaimPolicy"] = volume.reclaim_policy;
  json["storageClass"] = volume.storage_class;
  json["claim"] = volume.claim;
  json["plugin"] = volume.plugin;
  json["source"] = volume.source;
  if (!volume.provisioner.empty()) json["provisioner"] = volume.provisioner;
  json["mountOptions"] = volume.mount_options;
  append_state(json, volume);
  return json;
}

Json storage_class_json(const StorageClassStatus& storage_class) {
  Json json;
  json["metadata"] = {{"name", storage_class.name.str()}};
  json["provisioner"] = storage_class.provisioner;
  json["reclaimPolicy"] = storage_class.reclaim_policy;
  json["volumeBindingMode"] = storage_class.binding_mode;
  json["allowVolumeExpansion"] = storage_class.allow_volume_expansion;
  json["default"] = storage_class.is_default;
  json["parameters"] = Json::object();
  for (const auto& [key, value] : storage_class.parameters)
    json["parameters"][key] = value;
  json["mountOptions"] = storage_class.mount_options;
  json["builtIn"] = storage_class.origin.empty();
  if (!storage_class.origin.empty()) json["origin"] = storage_class.origin;
  if (!storage_class.message.empty()) json["message"] = storage_class.message;
  return json;
}

Json snapshot_json(const VolumeSnapshotStatus& snapshot) {
  Json json;
  json["metadata"] = {
      {"namespace", snapshot.name_space.str()}, {"name", snapshot.name.str()}, {"uid", snapshot.uid}};
  json["phase"] = snapshot.phase;
  json["readyToUse"] = snapshot.phase == "Ready";
  json["claim"] = snapshot.claim;
  json["volume"] = snapshot.volume;
  json["content"] = snapshot.content;
  json["snapshotClass"] = snapshot.snapshot_class;
  json["driver"] = snapshot.driver;
  json["handle"] = snapshot.handle;
  json["restoreSize"] = snapshot.restore_size;
  json["creationTime"] = snapshot.creation_time;
  json["deletionPolicy"] = snapshot.deletion_policy;
  append_state(json, snapshot);
  return json;
}

Json candidates_json(const std::vector<ClaimCandidate>& candidates) {
  Json json = Json::array();
  for (const ClaimCandidate& candidate : candidates) {
    Json one{{"volume", candidate.volume}, {"fits", candidate.why_not.empty()}};
    if (!candidate.why_not.empty()) one["whyNot"] = candidate.why_not;
    json.push_back(std::move(one));
  }
  return json;
}

}  // namespace mooring::ctl
