#pragma once

#include "plugin/plugin.h"

namespace mooring {

/// configMap, secret, downwardAPI and projected: files that Mooring makes from objects and from the pod
/// itself, and makes anew when those change (kubelet-behaviours 12, 13.5 to 13.8). One class serves the four;
/// they differ in their source and in the medium.
///
///     configMap     pods/<uid>/volumes/kubernetes.io~configmap/<name>, mode 0777, on disk
///     the others    a tmpfs on such a directory, root mode 01777, never swapped out where the kernel can
///     promise that
///
/// What is in it is drawn at PublishFiles. Containers get it read-only whatever they ask for.
template <class Source>
class ConfigVolumePlugin final : public Plugin {
 public:
  PluginName name() const override;
  PluginSupport support() const override;
  bool takes(const manifest::VolumeSource& source) const override;
  Result<Recipe> recipe(const RecipeRequest& request) const override;
  std::vector<Step> removal(const Remains& remains) const override;
};

extern template class ConfigVolumePlugin<manifest::ConfigMapSource>;
extern template class ConfigVolumePlugin<manifest::SecretSource>;
extern template class ConfigVolumePlugin<manifest::DownwardApiSource>;
extern template class ConfigVolumePlugin<manifest::ProjectedSource>;

}  // namespace mooring
