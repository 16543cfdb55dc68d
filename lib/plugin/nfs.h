#pragma once

#include "plugin/plugin.h"

namespace mooring {

/// nfs: a directory of a server, mounted for each pod (kubelet-behaviours 13.3):
///
///     pods/<uid>/volumes/kubernetes.io~nfs/<name>   0750, with `server:path` mounted on it
///
/// Each step that touches it may wait for the server, and gets a worker of its own, up and down. What may be
/// done to get it unmounted while the server is gone is the pod's to say
/// (mooring.io/unmount-policy: Wait|Force|Lazy).
class NfsPlugin final : public Plugin {
 public:
  PluginName name() const override;
  PluginSupport support() const override;
  bool takes(const manifest::VolumeSource& source) const override;
  Result<Recipe> recipe(const RecipeRequest& request) const override;
  std::vector<Step> removal(const Remains& remains) const override;
  Lane removal_lane() const override { return Lane::Own; }
};

}  // namespace mooring
