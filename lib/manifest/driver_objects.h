#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/quantity.h"
#include "manifest/origin.h"

namespace mooring::manifest {

// Objects that tell of drivers outside and of what they are to do: of the groups storage.k8s.io and
// snapshot.storage.k8s.io.

/// When a driver's volumes get the pod's group (CSIDriver.spec.fsGroupPolicy; kubelet-behaviours 15.6).
enum class FsGroupPolicy : std::uint8_t { ReadWriteOnceWithFsType, File, None };
enum class VolumeLifecycle : std::uint8_t { Persistent, Ephemeral };

/// A token of the pod's service account that the driver is to be given when it publishes.
struct TokenRequest {
  std::string audience;  ///< Empty: that of the API server.
  std::optional<std::int64_t> expiration_seconds;
  friend bool operator==(const TokenRequest&, const TokenRequest&) = default;
};

/// What a driver wants of whoever calls it (CSIDriver, storage.k8s.io/v1). The defaults are Kubernetes', and
/// are not the same as of a driver of which there is no such object.
struct CsiDriverObject {
  ObjectName name;  ///< The driver's own.
  Origin origin;
  bool attach_required = true;
  bool pod_info_on_mount = false;
  std::set<VolumeLifecycle> lifecycles = {VolumeLifecycle::Persistent};
  FsGroupPolicy fs_group_policy = FsGroupPolicy::ReadWriteOnceWithFsType;
  bool requires_republish = false;
  bool selinux_mount = false;
  std::vector<TokenRequest> token_requests;
  bool token_in_secrets = false;  ///< serviceAccountTokenInSecrets.
};

/// Says that a volume is attached to a node, by whoever attaches (storage.k8s.io/v1).
struct VolumeAttachment {
  ObjectName name;
  Origin origin;
  std::string attacher;          ///< The driver.
  NodeName node;                 ///< Where.
  ObjectName persistent_volume;  ///< Empty: of a volume that stands in a pod (inlineVolumeSpec).
  bool is_attached = false;
  std::map<std::string, std::string> metadata;  ///< status.attachmentMetadata: the publish context.
  std::string attach_error;                     ///< status.attachError.message; empty: none.
  bool is_being_deleted = false;                ///< metadata.deletionTimestamp is set: it is being detached.
};

enum class SnapshotDeletionPolicy : std::uint8_t { Delete, Retain };

/// A snapshot that somebody wants of a claim, or one that is there already (snapshot.storage.k8s.io/v1).
struct VolumeSnapshot {
  ObjectKey key;
  Origin origin;
  std::string uid;  ///< Empty if the manifest has none; else fit to be part of an object's name.
  std::map<std::string, std::string> annotations;
  std::optional<std::string> snapshot_class;  ///< nullopt: the default one of the volume's driver.
  ObjectName claim;                           ///< Of which it is to be made; else...
  ObjectName content;                         ///< ...what it is.
  bool is_being_deleted = false;
};

struct VolumeSnapshotClass {
  ObjectName name;
  Origin origin;
  std::map<std::string, std::string> annotations;
  std::string driver;
  SnapshotDeletionPolicy deletion_policy = SnapshotDeletionPolicy::Delete;
  std::map<std::string, std::string> parameters;
  bool is_default = false;
};

/// A snapshot as its driver knows it.
struct VolumeSnapshotContent {
  ObjectName name;
  Origin origin;
  std::map<std::string, std::string> annotations;
  std::string driver;
  SnapshotDeletionPolicy deletion_policy = SnapshotDeletionPolicy::Delete;
  std::string snapshot_class;
  std::string volume_handle;             ///< The volume that it is to be made of; else...
  std::string snapshot_handle;           ///< ...the snapshot that there is.
  ObjectKey snapshot;                    ///< volumeSnapshotRef: whose it is...
  std::string snapshot_uid;              ///< ...and the uid there; empty: whoever comes.
  bool is_ready = false;                 ///< status.readyToUse.
  std::optional<Quantity> restore_size;  ///< status.restoreSize: the least that a volume of it needs.
  bool is_being_deleted = false;
};

/// True if the two say the same, wherever they stand.
bool operator==(const CsiDriverObject& one, const CsiDriverObject& other);
bool operator==(const VolumeAttachment& one, const VolumeAttachment& other);
bool operator==(const VolumeSnapshot& one, const VolumeSnapshot& other);
bool operator==(const VolumeSnapshotClass& one, const VolumeSnapshotClass& other);
bool operator==(const VolumeSnapshotContent& one, const VolumeSnapshotContent& other);

}  // namespace mooring::manifest
