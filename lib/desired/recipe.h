#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/quantity.h"
#include "step/step.h"

namespace mooring {

/// What a volume is on the node, in a word: "directory", "mount:tmpfs", "bind", "path:/data Directory".
/// Published as one shape and asked for as another, it stays as it is until its pod goes
/// (kubelet-behaviours 2.5).
using Shape = std::string;

/// What must be true on the node while a volume is published to a pod; the actual state is compared with it
/// whenever the mount table changes.
enum class Presence : std::uint8_t {
  HostPath,     ///< Nothing of Mooring's: the path belongs to the node.
  Directory,    ///< A directory of ours, with nothing mounted exactly on it.
  Mount,        ///< A mount exactly at the path, of one of `mount_types`.
  Bind,         ///< A directory of ours, bound on itself (MapGroup).
  Bound,        ///< A bind of what is staged for the node, or of a directory of the node.
  Device,       ///< A link to a raw device.
  DriverMount,  ///< A directory of ours, in which a driver outside mounted something (`path`).
  Driver,       ///< A directory of ours, which a driver mounts on or writes into: the table cannot tell.
};

/// The way up of a stage; the way down is Plugin::removal(), which must not need the manifest. No steps:
/// there is nothing to do.
struct Stage {
  std::vector<Step> up;
  Lane lane = Lane::Local;
};

/// What the pods of a node share of a volume: its device, and the file system on it, mounted once. The way
/// down is Plugin::unstage() and Plugin::detach().
///
///     Detached ──attach──▶ Attached ──stage──▶ Staged ──▶ published to pods
struct DeviceRecipe {
  VolumeKey key;            ///< The same for all pods that share it.
  DeviceName device;        ///< What the attached thing is called.
  std::string staged_path;  ///< Relative; where it is mounted for the node. Empty: it is used as a device.
  Stage attach;
  Stage stage;
  /// How large it is to be (spec.capacity); 0: as it is. Staged for less than that, `grow` is done.
  std::uint64_t capacity_bytes = 0;
  Stage grow;
  /// Of a volume that somebody else attaches: why it is not attached yet, or not any more. Until there is
  /// nothing here it is neither staged nor published.
  std::optional<Error> waits_for = std::nullopt;
};

/// How a volume of a pod comes to be: a plugin's answer, pure data.
struct Recipe {
  std::optional<DeviceRecipe>
      device;  ///< What must be staged before anything is published; nullopt: nothing.
  Stage publish;
  VolumeDirectory directory;  ///< Its name below volumes/<plugin>/; empty: none (hostPath).
  std::string path;           ///< Absolute: what containers mount.
  Presence presence = Presence::Directory;
  std::vector<std::string> mount_types;  ///< For Presence::Mount: the file system types that may stand there.
  /// A path of the node that publishing depends on and that may appear later: a failure is tried again as
  /// soon as something changes there. Empty: none.
  std::string watch_path;
  /// Of a volume whose content follows objects: what it is to hold (content_digest()). Published with another
  /// one, it is published again. Empty: its content is its containers'.
  std::string content;
  std::map<std::string, std::string> sub_paths;  ///< The parts that it binds: target → path in the volume.
  /// Targets of parts that are bound only when their container is asked for, and that the volume is ready
  /// without: an init container that runs before has the volume too, and may make what is to be bound.
  std::set<std::string> late_sub_paths;
  /// Of a directory on a file system that it shares: how much it may hold. Kept by the kernel where that can
  /// (LimitDirectory), else watched.
  std::optional<Quantity> size_limit;
  /// Of Presence::Driver and DriverMount: its shape, which tells for ever whose volume it is: "csi:d" of a
  /// PersistentVolume, "csi-ephemeral:d" of a pod's own. The way down needs the driver when no manifest names
  /// it any more.
  Shape driver_shape;
  bool has_own_group = false;  ///< fsGroup changes nothing: the driver sees to it, or wants it so.
  bool read_only = false;      ///< As a whole, for all containers.
  /// What may be done to unmount it while its server does not answer. It outlives the manifest.
  UnmountPolicy unmount_policy = UnmountPolicy::Force;
  bool is_republished = false;  ///< Published again and again while it is there: its driver wants it so.
  bool is_shared = false;       ///< A container may mount in it what the node sees too (Bidirectional).

  Shape shape() const;
  /// True if the directory or mount alone does not tell that the volume is whole: files or owners come after.
  bool may_be_half_made() const;
};

}  // namespace mooring
