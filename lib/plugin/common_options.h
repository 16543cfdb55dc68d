#pragma once

#include <set>

#include "plugin/plugin.h"

namespace mooring {

// What a pod can ask of any volume, whatever its plugin: parts of it (subPath), a group (fsGroup), mounts
// that containers share with the node. One mechanism serves all plugins.

/// Adds it to what the plugin made of the volume, or refuses the volume: "InvalidSubPath" and the other
/// errors of expand_sub_path(), "LiveSubPathUnavailable", "InvalidAnnotation".
Result<Recipe> with_common_options(Recipe recipe, const RecipeRequest& request, const PluginSupport& support);

/// The objects that decide which parts of a volume are mounted (see objects_of_environment()).
std::set<ObjectReference> objects_of_sub_paths(const manifest::Pod& pod, const VolumeName& volume);

/// True if a container mounts a part of the volume.
bool has_sub_paths(const manifest::Pod& pod, const VolumeName& volume);

}  // namespace mooring
