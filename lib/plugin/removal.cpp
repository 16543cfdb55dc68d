#include "plugin/removal.h"

#include "step/layout.h"

namespace mooring {

std::vector<Step> removal_of_directory(const PluginName& plugin, const Remains& remains,
                                       std::vector<std::string> types) {
  const std::string path = layout::volume(remains.pod, plugin, remains.directory);
  // A name for the trash that is the same at each try and never that of another volume.
  const std::string trash_name =
      remains.pod.str() + "." + layout::escape(plugin) + "." + remains.directory.str();
  return {Unmount{path, std::move(types)}, DiscardDirectory{path, trash_name}};
}

}  // namespace mooring
