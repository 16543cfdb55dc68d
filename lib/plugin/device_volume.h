#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plugin/plugin.h"
#include "step/layout.h"

namespace mooring {

// What volumes on block devices have in common, whoever names the device: attached and staged once for the
// node, and bound for each pod; or handed to pods as the device that they are.

/// What a plugin knows of such a volume.
struct DeviceVolume {
  PluginName plugin;
  layout::VolumeElement element;  ///< What it is called on disk.
  DeviceName device;
  std::string type;  ///< Of the file system; empty: ext4.
  FormatPolicy format = FormatPolicy::Never;
  bool read_only = false;  ///< For every pod: the device is not written to at all.
  /// How large it is to be; 0: as it is.
  std::uint64_t capacity_bytes = 0;
  /// Of an image: make it if it is not there, and make it larger if it is smaller.
  bool may_make_image = false;
};

/// True if no pod of any node writes to the volume: its access modes are ReadOnlyMany alone.
bool is_only_read(const manifest::PersistentVolume& volume);

/// The recipe of such a volume, for one pod.
Recipe device_volume_recipe(const DeviceVolume& volume, const RecipeRequest& request);

/// What all plugins of such volumes can do, and their way down.
class DeviceVolumePlugin : public Plugin {
 public:
  PluginSupport support() const final;
  std::vector<Step> removal(const Remains& remains) const final;
  std::vector<Step> unstage(const DeviceRemains& remains) const final;
  std::vector<Step> detach(const DeviceRemains& remains) const final;
  std::optional<VolumeKey> device_key(const manifest::PersistentVolume& volume) const final;
  std::vector<Step> prove(const DeviceRemains& remains) const final;
};

/// The steps before the mount of a volume that is a directory of its pod's own, and the rest of its recipe
/// but for `presence`.
Recipe pod_directory_recipe(const PluginName& plugin, const RecipeRequest& request);

/// What pods get of something that is mounted for the node, or of a directory of the node.
Recipe bound_recipe(const PluginName& plugin, const RecipeRequest& request, std::string source,
                    bool read_only);

/// What `format` of a volume says; `fallback` if it is not there.
Result<FormatPolicy> format_policy_of(const std::map<std::string, std::string>& values,
                                      const std::string& key, FormatPolicy fallback);

}  // namespace mooring
