#include "client/reader.h"

namespace mooring::bus {
namespace {

using Texts = std::vector<std::string>;

ClaimStatus claim_from(const Properties& properties) {
  ClaimStatus claim;
  claim.name_space = Namespace(text_of(properties, "namespace"));
  claim.name = ObjectName(text_of(properties, "name"));
  claim.uid = text_of(properties, "uid");
  claim.phase = text_of(properties, "phase");
  claim.volume = text_of(properties, "volume");
  claim.capacity = text_of(properties, "capacity");
  claim.request = text_of(properties, "request");
  claim.access_modes = get<Texts>(properties, "accessModes");
  claim.volume_mode = text_of(properties, "volumeMode");
  if (properties.contains("storageClass")) claim.storage_class = text_of(properties, "storageClass");
  claim.origin = text_of(properties, "origin");
  claim.owner = text_of(properties, "owner");
  claim.reason = text_of(properties, "reason");
  claim.message = text_of(properties, "message");
  claim.action = text_of(properties, "action");
  claim.users = get<Texts>(properties, "users");
  claim.attempts = get<std::uint32_t>(properties, "attempts");
  claim.next_retry = time_of(properties, "nextRetry");
  return claim;
}

PersistentVolumeStatus persistent_volume_from(const Properties& properties) {
  PersistentVolumeStatus volume;
  volume.name = ObjectName(text_of(properties, "name"));
  volume.phase = text_of(properties, "phase");
  volume.capacity = text_of(properties, "capacity");
  volume.access_modes = get<Texts>(properties, "accessModes");
  volume.volume_mode = text_of(properties, "volumeMode");
  volume.reclaim_policy = text_of(properties, "reclaimPolicy");
  volume.storage_class = text_of(properties, "storageClass");
  volume.claim = text_of(properties, "claim");
  volume.plugin = text_of(properties, "plugin");
  volume.source = text_of(properties, "source");
  volume.provisioner = text_of(properties, "provisioner");
  volume.mount_options = get<Texts>(properties, "mountOptions");
  volume.origin = text_of(properties, "origin");
  volume.reason = text_of(properties, "reason");
  volume.message = text_of(properties, "message");
  volume.action = text_of(properties, "action");
  volume.attempts = get<std::uint32_t>(properties, "attempts");
  volume.next_retry = time_of(properties, "nextRetry");
  return volume;
}

StorageClassStatus storage_class_from(const Properties& properties) {
  constexpr std::string_view prefix = "parameters.";
  StorageClassStatus status;
  status.name = ObjectName(text_of(properties, "name"));
  status.provisioner = text_of(properties, "provisioner");
  status.reclaim_policy = text_of(properties, "reclaimPolicy");
  status.binding_mode = text_of(properties, "volumeBindingMode");
  status.allow_volume_expansion = get<bool>(properties, "allowVolumeExpansion");
  status.is_default = get<bool>(properties, "default");
  status.mount_options = get<Texts>(properties, "mountOptions");
  status.origin = text_of(properties, "origin");
  status.message = text_of(properties, "message");
  for (const auto& [key, value] : properties) {
    if (key.starts_with(prefix))
      status.parameters.emplace(key.substr(prefix.size()), text_of(properties, key));
  }
  return status;
}

VolumeSnapshotStatus snapshot_from(const Properties& properties) {
  VolumeSnapshotStatus snapshot;
  snapshot.name_space = Namespace(text_of(properties, "namespace"));
  snapshot.name = ObjectName(text_of(properties, "name"));
  snapshot.uid = text_of(properties, "uid");
  snapshot.phase = text_of(properties, "phase");
  snapshot.claim = text_of(properties, "claim");
  snapshot.volume = text_of(properties, "volume");
  snapshot.content = text_of(properties, "content");
  snapshot.snapshot_class = text_of(properties, "snapshotClass");
  snapshot.driver = text_of(properties, "driver");
  snapshot.handle = text_of(properties, "handle");
  snapshot.restore_size = text_of(properties, "restoreSize");
  snapshot.creation_time = text_of(properties, "creationTime");
  snapshot.deletion_policy = text_of(properties, "deletionPolicy");
  snapshot.origin = text_of(properties, "origin");
  snapshot.reason = text_of(properties, "reason");
  snapshot.message = text_of(properties, "message");
  snapshot.action = text_of(properties, "action");
  snapshot.attempts = get<std::uint32_t>(properties, "attempts");
  snapshot.next_retry = time_of(properties, "nextRetry");
  return snapshot;
}

ClaimCandidate candidate_from(const Properties& properties) {
  return {text_of(properties, "volume"), text_of(properties, "whyNot")};
}

}  // namespace

Result<std::vector<ClaimStatus>> decode_claims(sd_bus_message* message) {
  return decode_list(message, claim_from);
}

Result<std::vector<PersistentVolumeStatus>> decode_persistent_volumes(sd_bus_message* message) {
  return decode_list(message, persistent_volume_from);
}

Result<std::vector<StorageClassStatus>> decode_storage_classes(sd_bus_message* message) {
  return decode_list(message, storage_class_from);
}

Result<std::vector<VolumeSnapshotStatus>> decode_snapshots(sd_bus_message* message) {
  return decode_list(message, snapshot_from);
}

Result<std::vector<ClaimCandidate>> decode_candidates(sd_bus_message* message) {
  return decode_list(message, candidate_from);
}

}  // namespace mooring::bus
