#pragma once

#include <set>
#include <string>
#include <vector>

#include "plugin/plugin.h"

namespace mooring {

// What a pod can ask of any volume, whatever its plugin: parts of it (subPath), a group (fsGroup), mounts
// that containers share with the node. One mechanism serves all plugins.

/// Adds it to what the plugin made of the volume, or refuses the volume: "InvalidSubPath" and the other
/// errors of expand_sub_path(), "LiveSubPathUnavailable", "InvalidAnnotation", "MountOptionsUnsupported".
Result<Recipe> with_common_options(Recipe recipe, const RecipeRequest& request, const PluginSupport& support);

/// The objects that decide which parts of a volume are mounted (see objects_of_environment()).
std::set<ObjectReference> objects_of_sub_paths(const manifest::Pod& pod, const VolumeName& volume);

/// Where the parts of the volume are mounted, as far as the manifest alone tells it: those with an
/// expression, which may mean the whole volume, are among them.
std::vector<std::string> sub_path_targets(const manifest::Pod& pod, const VolumeName& volume);

/// True if a container mounts a part of the volume.
bool has_sub_paths(const manifest::Pod& pod, const VolumeName& volume);

}  // namespace mooring
