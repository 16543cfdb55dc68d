#include "plugin/registry.h"

#include "plugin/block.h"
#include "plugin/config_volume.h"
#include "plugin/csi_volume.h"
#include "plugin/empty_dir.h"
#include "plugin/flex_volume.h"
#include "plugin/host_path.h"
#include "plugin/local.h"
#include "plugin/nfs.h"

namespace mooring {

PluginRegistry::PluginRegistry(std::vector<std::unique_ptr<const Plugin>> plugins)
    : plugins_(std::move(plugins)) {}

const Plugin* PluginRegistry::for_source(const manifest::VolumeSource& source) const {
  for (const auto& plugin : plugins_) {
    if (plugin->takes(source)) return plugin.get();
  }
  return nullptr;
}

const Plugin* PluginRegistry::by_name(const PluginName& name) const {
  for (const auto& plugin : plugins_) {
    if (plugin->name() == name) return plugin.get();
  }
  for (const auto& plugin : plugins_) {
    if (plugin->is_called(name)) return plugin.get();
  }
  return nullptr;
}

std::optional<VolumeKey> PluginRegistry::device_of(const manifest::PersistentVolume& volume) const {
  const Plugin* plugin = for_source(volume.source);
  return plugin == nullptr ? std::nullopt : plugin->device_key(volume);
}

PluginRegistry built_in_plugins(FlexSettings flex) {
  std::vector<std::unique_ptr<const Plugin>> plugins;
  plugins.push_back(std::make_unique<EmptyDirPlugin>());
  plugins.push_back(std::make_unique<HostPathPlugin>());
  plugins.push_back(std::make_unique<NfsPlugin>());
  plugins.push_back(std::make_unique<ConfigVolumePlugin<manifest::ConfigMapSource>>());
  plugins.push_back(std::make_unique<ConfigVolumePlugin<manifest::SecretSource>>());
  plugins.push_back(std::make_unique<ConfigVolumePlugin<manifest::DownwardApiSource>>());
  plugins.push_back(std::make_unique<ConfigVolumePlugin<manifest::ProjectedSource>>());
  plugins.push_back(std::make_unique<LocalPlugin>());
  plugins.push_back(std::make_unique<BlockPlugin>());
  plugins.push_back(std::make_unique<CsiPlugin>());
  plugins.push_back(std::make_unique<FlexVolumePlugin>(std::move(flex)));
  return PluginRegistry(std::move(plugins));
}

}  // namespace mooring
