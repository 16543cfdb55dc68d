#pragma once

#include <string>
#include <vector>

#include "plugin/plugin.h"

namespace mooring {

/// The way down of a volume that is a directory of its pod's own, with or without a mount of one of `types`
/// on it. The medium is not asked of the manifest, which may have changed or gone, but of the kernel.
std::vector<Step> removal_of_directory(const PluginName& plugin, const Remains& remains,
                                       std::vector<std::string> types);

}  // namespace mooring
