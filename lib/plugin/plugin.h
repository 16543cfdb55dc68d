#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "desired/recipe.h"
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
};

/// What is known of a volume that must go, when its manifest may not be there any more.
struct Remains {
  PodUid pod;
  VolumeDirectory directory;
  const NodeInfo& node;
};

/// A kind of volume. Pure: answers depend on arguments alone, and touch nothing.
class Plugin {
 public:
  virtual ~Plugin() = default;

  virtual PluginName name() const = 0;
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
};

}  // namespace mooring
