#include "plugin/registry.h"

#include "plugin/config_volume.h"
#include "plugin/empty_dir.h"
#include "plugin/host_path.h"

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
  return nullptr;
}

PluginRegistry built_in_plugins() {
  std::vector<std::unique_ptr<const Plugin>> plugins;
  plugins.push_back(std::make_unique<EmptyDirPlugin>());
  plugins.push_back(std::make_unique<HostPathPlugin>());
  plugins.push_back(std::make_unique<ConfigVolumePlugin<manifest::ConfigMapSource>>());
  plugins.push_back(std::make_unique<ConfigVolumePlugin<manifest::SecretSource>>());
  plugins.push_back(std::make_unique<ConfigVolumePlugin<manifest::DownwardApiSource>>());
  plugins.push_back(std::make_unique<ConfigVolumePlugin<manifest::ProjectedSource>>());
  return PluginRegistry(std::move(plugins));
}

}  // namespace mooring
