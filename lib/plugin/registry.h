#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "plugin/flex_volume.h"
#include "plugin/plugin.h"

namespace mooring {

/// The plugins of this build, in a fixed order. Immutable once made.
class PluginRegistry {
 public:
  explicit PluginRegistry(std::vector<std::unique_ptr<const Plugin>> plugins);

  /// The plugin that takes the source, or nullptr.
  const Plugin* for_source(const manifest::VolumeSource& source) const;
  const Plugin* by_name(const PluginName& name) const;
  /// What pods share of the PersistentVolume: a device; nullopt: nothing.
  std::optional<VolumeKey> device_of(const manifest::PersistentVolume& volume) const;
  const std::vector<std::unique_ptr<const Plugin>>& all() const { return plugins_; }

 private:
  std::vector<std::unique_ptr<const Plugin>> plugins_;
};

/// Each kind of volume that this Mooring makes. FlexVolume drivers are called as `flex` says.
PluginRegistry built_in_plugins(FlexSettings flex = {});

}  // namespace mooring
