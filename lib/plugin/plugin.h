#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "desired/recipe.h"
#include "driver/drivers.h"
#include "facts/csi_controller.h"
#include "facts/mount_table.h"
#include "manifest/pod.h"
#include "objects/store.h"
#include "plugin/node.h"

namespace mooring {

/// What a plugin's volumes can be asked for; what is not supported is refused with a reason and not ignored.
struct PluginSupport {
  bool always_read_only = false;  ///< Containers never write to it, whatever they ask for.
  bool read_only = true;          ///< The volume as a whole (the container's mount can always be read-only).
  bool mount_options = false;
  bool fs_group = false;
  bool fs_group_policy = false;  ///< fsGroupChangePolicy counts: what it holds may be from before the pod.
  bool writes_content = false;   ///< Its own steps write all that it holds, for the pod's group.
  bool block_mode = false;
  bool refresh = false;  ///< Its content follows objects while it is published.
  bool selinux_relabel = false;
};

/// For whoever knows of no drivers.
inline const DriverSet& no_drivers() {
  static const DriverSet none;
  return none;
}

/// What a recipe is made from.
struct RecipeRequest {
  const manifest::Pod& pod;
  const manifest::Volume& volume;
  const NodeInfo& node;
  const ObjectStore& objects;  ///< ConfigMaps, Secrets: what a volume's content comes from.
  const MountTable&
      mounts;  ///< The node's, to tell a path on a local file system from one that may wait for a server.
  /// spec.mountOptions of the PersistentVolume that the volume is; a plugin that supports none refuses them.
  std::vector<std::string> mount_options = {};
  std::set<ContainerName> asked = {};  ///< Containers that a runtime is about to start, or did.
  VolumeDirectory directory = {};      ///< Its directory's name; empty: the volume's own.
  bool read_only = false;              ///< As a whole: the pod, the source or the access modes say so.
  manifest::VolumeMode mode = manifest::VolumeMode::Filesystem;
  const manifest::PersistentVolume* persistent = nullptr;  ///< nullptr: the pod's own.
  const DriverSet& drivers = no_drivers();                 ///< Those outside that can be used now.

  /// Where the volume lies below `volumes/<plugin>`.
  VolumeDirectory directory_name() const {
    return directory.empty() ? VolumeDirectory(volume.name.str()) : directory;
  }
};

/// What is known of a volume that must go, when its manifest may not be there any more.
struct Remains {
  PodUid pod;
  VolumeDirectory directory;
  const NodeInfo& node;
  Shape shape = {};       ///< What it was made as; empty: nobody knows.
  VolumeKey device = {};  ///< What it shares with other pods' volumes; empty: nothing.
  UnmountPolicy unmount_policy = UnmountPolicy::Force;  ///< As the recipe had it.
  std::uint32_t attempt = 0;  ///< How often its removal was ended at its deadline before.
  PluginName plugin = {};     ///< What it is of, where a plugin has several names; else may be empty.
  const DriverSet& drivers = no_drivers();  ///< Those outside that can be used now.
};

/// The same of what pods share of a volume.
struct DeviceRemains {
  VolumeKey key;
  DeviceName device;
  std::string staged_path;  ///< See DeviceRecipe.
  const DriverSet& drivers = no_drivers();
  NodeName node = {};
  const CsiAttachment* attachment = nullptr;  ///< That Mooring began, and has not ended; nullptr: none.
};

/// A kind of volume. Pure: answers depend on arguments alone, and touch nothing.
class Plugin {
 public:
  virtual ~Plugin() = default;

  virtual PluginName name() const = 0;
  /// True for each name that volumes of this plugin may have: FlexVolume drivers have their own.
  virtual bool is_called(const PluginName& plugin) const { return plugin == name(); }
  virtual PluginSupport support() const = 0;
  /// True if this plugin makes volumes of this source.
  virtual bool takes(const manifest::VolumeSource& source) const = 0;
  /// How the volume comes to be. An error refuses the volume, with a reason, until its pod or the node
  /// changes.
  virtual Result<Recipe> recipe(const RecipeRequest& request) const = 0;
  /// The steps that remove what recipe() may have made for this pod, from names alone, whatever state it is
  /// in: they are right for a volume that was never made, half made, or made by an earlier run. Empty:
  /// nothing is ever made.
  virtual std::vector<Step> removal(const Remains& remains) const = 0;
  /// The way down of a volume that has a DeviceRecipe, when no pod has it any more: right for anything that
  /// was never done, half done, or done by an earlier run.
  virtual std::vector<Step> unstage(const DeviceRemains&) const { return {}; }
  virtual std::vector<Step> detach(const DeviceRemains&) const { return {}; }
  /// The key of the DeviceRecipe that a PersistentVolume of this plugin has; nullopt: it has none.
  virtual std::optional<VolumeKey> device_key(const manifest::PersistentVolume&) const {
    return std::nullopt;
  }
  /// What shows whether something that an earlier run staged is still what it was; nothing: nobody can tell.
  virtual std::vector<Step> prove(const DeviceRemains&) const { return {}; }
  /// What asks the driver of a published volume how full it is, and how well; nullopt: no driver can be
  /// asked. The deadline is the caller's.
  virtual std::optional<MeasureCsiVolume> measurement(const Remains&) const { return std::nullopt; }
  /// True if no two operations may be at what pods share of a volume at once, on the way up or down: CSI
  /// promises drivers one call for a volume at a time (spec, "Concurrency"), as the kubelet keeps it.
  virtual bool has_one_operation_at_a_time() const { return false; }
  /// Which worker may do removal()'s steps.
  virtual Lane removal_lane() const { return Lane::Teardown; }
};

}  // namespace mooring
