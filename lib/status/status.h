#pragma once

#include <cstdint>
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
