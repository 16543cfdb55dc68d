#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actual/record.h"
#include "base/ids.h"
#include "facts/csi_controller.h"
#include "facts/mount_table.h"
#include "facts/tree_facts.h"

namespace mooring {

//                 publish ended well
//     Absent ───────────────────────▶ Published
//       ▲  ╲                         ╱   │  ▲
//       │   ╲ publish failed half   ╱    │  │ publish ended well, or the
//       │    ▼                     ▼     │  │ kernel shows it as it should be
//       │     ───▶  Uncertain  ◀──  unpublish failed, worker lost, mount vanished, found at start
//       └──────────────┴── unpublish ended well
//
// Uncertain counts as not there for a pod that wants the volume (publish again: every step may be repeated)
// and as there for one that does not (unpublish it).
enum class PublishState : std::uint8_t { Absent, Published, Uncertain };

/// What a scan at start saw of a volume; it settles an Uncertain state without touching the node.
enum class Found : std::uint8_t { Nothing, Directory, Mount };

struct ActualVolume {
  VolumeName name;  ///< The record's; for a volume that only the disk knows: its directory's.
  PluginName plugin;
  VolumeDirectory directory;  ///< Empty: nothing of it is below the root directory (hostPath).
  PublishState state = PublishState::Absent;
  Found found = Found::Nothing;
  std::string shape;  ///< What it was made as (Recipe::shape()); empty: unknown, or nothing of ours.
  /// Nobody can be using it (its pod was not wanted for a while, or it is not published yet): if it does not
  /// fit its pod's new manifest, it goes.
  bool is_condemned = false;
  bool is_mount = false;     ///< Published as a mount exactly at its path.
  bool is_recorded = false;  ///< The pod's record names it.
  /// It was never seen whole (Recipe::may_be_half_made): after a crash it is published, and not taken as it
  /// is.
  bool is_incomplete = false;
  bool may_be_published = false;  ///< It was published once, or an earlier run may have; not undone since.
  bool is_shared = false;         ///< Its containers may have mounted things in it that the node sees.
  ObjectKey claim = {};   ///< The claim that it was published for in this run; empty: none, or nobody knows.
  VolumeKey device = {};  ///< What it shares with other pods' volumes (ActualDevice); empty: nothing.
  VolumeKey found_device = {};  ///< The same as the disk tells, of one that nothing else tells of; or empty.
  UnmountPolicy unmount_policy = UnmountPolicy::Force;  ///< What may be done if its server is gone.
  /// SubPath mounts that are there: target (layout::sub_path) → path in the volume; empty: an earlier run's.
  std::map<std::string, std::string> sub_paths;
};

struct ActualPod {
  ObjectKey key;
  std::vector<ActualVolume> volumes;
  bool directory_may_exist = false;  ///< `pods/<uid>` was made, or may have been.
  bool is_recorded = false;          ///< A record of it is in the run directory.

  ActualVolume* find(const VolumeName& name);
  const ActualVolume* find(const VolumeName& name) const;
};

//     Detached ──attach──▶ Attached ──stage──▶ Staged
//         ◀──detach──            ◀──unstage──
//
// Whatever fails, is lost or is found at start makes it uncertain besides: up again from the first step, or
// down again from the last, both of which may be done to anything.
enum class DeviceState : std::uint8_t { Detached, Attached, Staged };

/// What pods share of a volume: its device, and the file system on it mounted once (DeviceRecipe).
struct ActualDevice {
  VolumeKey key;
  PluginName plugin;
  DeviceName name;
  std::string staged_path;  ///< Empty: it is used as a device, and goes no further than Attached.
  DeviceState state = DeviceState::Detached;
  bool is_uncertain = false;
  bool may_be_staged = false;  ///< It was staged once, or an earlier run may have; not unstaged since.
  bool is_recorded = false;
  std::uint64_t capacity_bytes = 0;  ///< What it was staged for (DeviceRecipe).
  /// That Mooring had it attached by its driver's controller, or may have had: it is to be detached, whatever
  /// the manifests say then.
  std::optional<CsiAttachment> attachment = std::nullopt;
  /// What the controller answered in this run.
  std::optional<std::map<std::string, std::string>> publish_context = std::nullopt;

  /// True if pods may have it.
  bool is_ready() const {
    return !is_uncertain && state == (staged_path.empty() ? DeviceState::Attached : DeviceState::Staged);
  }
};

/// What is on the node, as far as it is known. Changed by what operations report and by what the kernel
/// shows.
class ActualState {
 public:
  ActualPod* find(const PodUid& uid);
  const ActualPod* find(const PodUid& uid) const;
  ActualPod& ensure(const PodUid& uid, const ObjectKey& key);
  void erase(const PodUid& uid) { pods_.erase(uid); }
  const std::map<PodUid, ActualPod>& pods() const { return pods_; }

  ActualDevice* find_device(const VolumeKey& key);
  const ActualDevice* find_device(const VolumeKey& key) const;
  ActualDevice& ensure_device(const VolumeKey& key);
  void erase_device(const VolumeKey& key) { devices_.erase(key); }
  const std::map<VolumeKey, ActualDevice>& devices() const { return devices_; }

  /// Takes in, once and before any operation, what a run before this one left: records ∩ what the scan found.
  /// Everything adopted is Uncertain with what was found. A pod's directory without record or stamp is not
  /// Mooring's to touch, unless there is nothing in it; it is answered as a line that names it.
  std::vector<std::string> adopt(const std::vector<PodRecord>& records, const TreeFacts& tree);
  /// Likewise of devices: what is mounted where its record says is Staged, of anything else nobody knows.
  void adopt_devices(const std::vector<DeviceRecord>& records, const MountTable& mounts,
                     const std::string& root_dir);

 private:
  std::map<PodUid, ActualPod> pods_;
  std::map<VolumeKey, ActualDevice> devices_;
};

/// The record of what `pod` may leave on the node.
PodRecord make_record(const PodUid& uid, const ActualPod& pod);
DeviceRecord make_record(const ActualDevice& device);

/// The pods below `root_dir` whose mounts differ between two tables, sorted, each once.
std::vector<PodUid> pods_with_changed_mounts(const MountTable& before, const MountTable& after,
                                             const std::string& root_dir);

}  // namespace mooring
