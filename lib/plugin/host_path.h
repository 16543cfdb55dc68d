#pragma once

#include "plugin/plugin.h"

namespace mooring {

/// hostPath: a path of the node itself, checked against its type, made where the type says so, never removed
/// (kubelet-behaviours 13.2). There is nothing of it below the root directory.
///
/// A check on a local file system is done by a warm worker, confined to that mount so that it cannot wait for
/// a server; a path on anything else gets a worker of its own.
class HostPathPlugin final : public Plugin {
 public:
  PluginName name() const override;
  PluginSupport support() const override;
  bool takes(const manifest::VolumeSource& source) const override;
  Result<Recipe> recipe(const RecipeRequest& request) const override;
  std::vector<Step> removal(const Remains& remains) const override;
};

}  // namespace mooring
