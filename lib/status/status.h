#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace mooring {

/// Where a volume of a pod stands (contract, DESIGN 5.3).
enum class Phase : std::uint8_t {
  Pending,
  Attaching,
  Staging,
  Publishing,
  Ready,
  Unpublishing,
  Unstaging,
  Detaching,
  Stuck,
};
std::string_view to_string(Phase phase);

/// How full a volume was when it was measured last.
struct VolumeUsage {
  std::uint64_t capacity_bytes = 0;
  /// nullopt: it shares its file system with others, and nobody counts what is in it.
  std::optional<std::uint64_t> used_bytes;
  std::uint64_t available_bytes = 0;         ///< To users without privileges.
  std::uint64_t inodes = 0;                  ///< 0: its file system does not count them.
  std::optional<std::uint64_t> inodes_used;  ///< As used_bytes.
  std::uint64_t inodes_free = 0;
  WallTime measured;
  std::string stale;  ///< Why it could not be measured again since; empty: it could.
  /// False: it never could be measured since it is ready, `stale` says why, and nothing above says anything.
  bool is_known = true;
  std::optional<WallTime> unknown_since;  ///< When the first of the tries began that failed since.
  friend bool operator==(const VolumeUsage&, const VolumeUsage&) = default;
};

/// All that a person or a program may know of one volume of one pod.
struct VolumeStatus {
  VolumeName name;
  PluginName plugin;
  Phase phase = Phase::Pending;
  std::string path;     ///< Absolute; what a container's mount takes as its source. Empty while unknown.
  std::string reason;   ///< One CamelCase word; empty when Ready.
  std::string message;  ///< One line: the cause. Empty when Ready.
  std::string action;   ///< What a person can do; may be empty.
  WallTime since;       ///< Of the phase.
  std::uint32_t attempts = 0;
  std::optional<WallTime> next_retry;
  std::string claim;                               ///< The PersistentVolumeClaim that it is of; empty: none.
  std::optional<VolumeUsage> usage;                ///< Of a Ready volume that was measured since it is.
  std::optional<bool> is_abnormal = std::nullopt;  ///< What its driver says of its health; nullopt: nothing.
};

/// One mount of one container, as a runtime needs it.
struct ContainerMount {
  ContainerName container;
  VolumeName volume;
  std::string source;       ///< Absolute path on the node.
  std::string destination;  ///< mountPath, absolute.
  bool read_only = false;
  bool recursive_read_only = false;  ///< What is mounted below the source is read-only too.
  bool recursive_read_only_required =
      false;  ///< A runtime that cannot do that must refuse, not mount it merely read-only.
  /// The runtime is to give the volume's files the container's label, if it uses SELinux. Only at the first
  /// mount of a volume, in the order of the pod's containers: the files are the same at the others.
  bool selinux_relabel = false;
  std::string propagation;  ///< "private", "rslave" or "rshared".
};

/// One raw block device of one container, as a runtime needs it. A container that cannot have it must not be
/// started without it.
struct ContainerDevice {
  ContainerName container;
  VolumeName volume;
  std::string source;       ///< Absolute path on the node: a link that leads to the device.
  std::string destination;  ///< devicePath, absolute.
  std::string permissions;  ///< Of a device cgroup, as the kubelet has them: "mrw"; "r": it is read-only.
};

/// What the pod asks of a container's process for the sake of its volumes: who may read their files.
struct ContainerSecurity {
  std::vector<std::int64_t> supplemental_groups;  ///< fsGroup first, then the pod's others; none twice.
  std::optional<std::int64_t> fs_group;
  /// The parts of the process' SELinux label; empty: not given, the node's policy decides.
  std::string selinux_user;
  std::string selinux_role;
  std::string selinux_type;
  std::string selinux_level;
};

struct PodStatus {
  Namespace name_space;
  ObjectName name;
  PodUid uid;
  bool ready = false;
  bool deleting = false;  ///< Its manifest is gone (or it has ended): being torn down.
  std::string origin;     ///< "web.yaml:12", where it was read; empty if only its record is known.
  std::string
      message;  ///< Something about the pod as a whole ("manifest unreadable: ..., volumes are kept").
  std::vector<VolumeStatus> volumes;
};

/// What pods share of a volume: its device, and the file system on it that is mounted for the node.
struct DeviceStatus {
  std::string key;  ///< "kubernetes.io/block/data".
  std::string plugin;
  std::string device;  ///< What it was asked for as: "image /srv/data.img".
  std::string path;    ///< Where it is mounted for the node; empty: it is used as a device.
  Phase phase = Phase::Attaching;
  std::string reason;   ///< One CamelCase word; empty: nothing is wrong.
  std::string message;  ///< One line: the cause, or what is being done.
  std::string action;
  std::uint32_t attempts = 0;
  std::optional<WallTime> next_retry;
  std::vector<std::string> users;  ///< "namespace/pod/volume", sorted.
  /// As node.status.volumesInUse: a volume that is attached for this node, which must not be detached now.
  bool in_use = false;
};

/// A driver outside, or who may become one.
struct DriverStatus {
  std::string kind;  ///< "CSI" or "FlexVolume".
  std::string name;  ///< Empty: nobody knows yet.
  /// "Registered"; "NotAnswering" (it is registered, and does not answer); "Waiting" for an answer;
  /// "Refused".
  std::string state;
  std::string socket;  ///< Where it registers, or what the configuration names; of a FlexVolume its program.
  std::string endpoint;        ///< Where it listens; empty: nobody knows yet, as all that follows.
  std::string version;         ///< Of the protocol.
  std::string vendor_version;  ///< Its own.
  std::string node_id;
  std::map<std::string, std::string> topology;
  std::int64_t volumes_max = 0;           ///< On this node; 0: no limit.
  std::vector<std::string> capabilities;  ///< "Node/STAGE_UNSTAGE_VOLUME", as the protocol names them.
  std::vector<std::string> notes = {};    ///< Lines on what its object asks for and what comes of that.
  std::string reason;                     ///< One CamelCase word; empty: nothing is wrong.
  std::string message;
  std::string action;
  std::uint32_t attempts = 0;
  std::optional<WallTime> next_retry;
  friend bool operator==(const DriverStatus&, const DriverStatus&) = default;
};

/// A PersistentVolume that was looked at for a claim.
struct ClaimCandidate {
  std::string volume;
  std::string why_not;  ///< Empty: it fits.
  friend bool operator==(const ClaimCandidate&, const ClaimCandidate&) = default;
};

/// A PersistentVolumeClaim (kubelet-behaviours 18).
struct ClaimStatus {
  Namespace name_space;
  ObjectName name;
  std::string uid;    ///< Empty: it is not written down yet.
  std::string phase;  ///< "Pending", "Bound", "Lost"; "Terminating" while pods keep one that is gone.
  std::string volume;
  std::string capacity;  ///< "5Gi"; empty: none yet.
  std::string request;
  std::vector<std::string> access_modes;  ///< As Kubernetes writes them in full, sorted.
  std::string volume_mode;
  std::optional<std::string> storage_class;  ///< nullopt: neither its own nor a default.
  std::string origin;                        ///< "claims.yaml:3"; empty: no manifest has it.
  std::string owner;   ///< "StatefulSet default/web", "Pod default/web"; empty: it stands by itself.
  std::string reason;  ///< One CamelCase word; empty: there is nothing to say.
  std::string message;
  std::string action;
  std::vector<std::string> users;  ///< Pods that name it, "namespace/name", sorted.
  std::uint32_t attempts = 0;      ///< Of work on its volume that failed.
  std::optional<WallTime> next_retry;
  friend bool operator==(const ClaimStatus&, const ClaimStatus&) = default;
};

struct PersistentVolumeStatus {
  ObjectName name;
  std::string phase;  ///< "Available", "Provisioning", "Bound", "Released", "Failed", "Terminating".
  std::string capacity;
  std::vector<std::string> access_modes;
  std::string volume_mode;
  std::string reclaim_policy;
  std::string storage_class;  ///< Empty: none.
  std::string claim;          ///< "namespace/name" of its claimRef; empty: none.
  std::string plugin;         ///< "kubernetes.io/nfs".
  std::string source;         ///< One line for people: "nfs 10.0.0.1:/export", "csi block.mooring.io data".
  std::string provisioner;    ///< Empty: it was not provisioned.
  std::vector<std::string> mount_options;
  std::string origin;  ///< As of a claim.
  std::string reason;
  std::string message;
  std::string action;
  std::uint32_t attempts = 0;
  std::optional<WallTime> next_retry;
  friend bool operator==(const PersistentVolumeStatus&, const PersistentVolumeStatus&) = default;
};

struct StorageClassStatus {
  ObjectName name;
  std::string provisioner;
  std::string reclaim_policy;
  std::string binding_mode;
  bool allow_volume_expansion = false;
  bool is_default = false;
  std::map<std::string, std::string> parameters;
  std::vector<std::string> mount_options;
  std::string origin;   ///< Empty: built in.
  std::string message;  ///< What is wrong with it ("no provisioner of that name"); empty: nothing.
  friend bool operator==(const StorageClassStatus&, const StorageClassStatus&) = default;
};

/// A VolumeSnapshot, or what is left of one (snapshot.storage.k8s.io/v1).
struct VolumeSnapshotStatus {
  Namespace name_space;
  ObjectName name;
  std::string uid;  ///< Empty: it is not written down yet.
  /// "Pending", "Ready"; of what is left of one whose manifest is gone "Released" (it is kept) and
  /// "Deleting".
  std::string phase;
  std::string claim;    ///< The claim that it is of; empty: it is pre-provisioned, or its manifest is gone.
  std::string volume;   ///< The PersistentVolume that it is of; empty: nobody here cut it.
  std::string content;  ///< The VolumeSnapshotContent: "snapcontent-<uid>" of those that were cut here.
  std::string snapshot_class;
  std::string driver;
  std::string handle;           ///< What the driver calls it; empty: not known yet.
  std::string restore_size;     ///< "5Gi"; empty: not known.
  std::string creation_time;    ///< RFC 3339; empty: not known.
  std::string deletion_policy;  ///< "Delete" or "Retain"; empty: not known yet.
  std::string origin;           ///< "snapshots.yaml:3"; empty: no manifest has it.
  std::string reason;           ///< One CamelCase word; empty: there is nothing to say.
  std::string message;
  std::string action;
  std::uint32_t attempts = 0;  ///< Of calls that failed.
  std::optional<WallTime> next_retry;
  friend bool operator==(const VolumeSnapshotStatus&, const VolumeSnapshotStatus&) = default;
};

/// A line of the event log.
struct StatusEvent {
  std::uint64_t sequence = 0;
  WallTime time;
  bool warning = false;
  std::string reason;  ///< "SuccessfulMountVolume", "FailedMount": the kubelet's names where it has one.
  std::string object;  ///< "pod/default/web", "file/web.yaml", "node".
  std::string message;
};

/// Counts over the node, for the head line of `status`.
struct NodeStatus {
  std::string node_name;
  std::uint32_t pods = 0;
  std::uint32_t pods_ready = 0;
  std::uint32_t volumes = 0;
  std::uint32_t volumes_ready = 0;
  std::uint32_t workers_stuck = 0;
  bool manifests_complete = false;    ///< Every manifest directory was read whole.
  std::vector<std::string> problems;  ///< One line each: unreadable files, foreign mounts, orphans.
};

}  // namespace mooring
