#include "plugin/host_path.h"

#include <array>

#include "base/quote.h"
#include "manifest/names.h"

namespace mooring {
namespace {

using manifest::HostPathSource;

Error invalid_host_path(std::string message, std::string remedy) {
  return refusal("InvalidHostPath", std::move(message), std::move(remedy));
}

/// The type of its name; nullopt for a name that Kubernetes does not know.
std::optional<HostPathType> type_of(const std::string& name) {
  constexpr std::array all{HostPathType::Unset,      HostPathType::DirectoryOrCreate,
                           HostPathType::Directory,  HostPathType::FileOrCreate,
                           HostPathType::File,       HostPathType::Socket,
                           HostPathType::CharDevice, HostPathType::BlockDevice};
  for (const HostPathType type : all) {
    if (to_string(type) == name) return type;
  }
  return std::nullopt;
}

}  // namespace

PluginName HostPathPlugin::name() const {
  return PluginName("kubernetes.io/host-path");
}

PluginSupport HostPathPlugin::support() const {
  PluginSupport support;
  support.read_only = false;
  return support;
}

bool HostPathPlugin::takes(const manifest::VolumeSource& source) const {
  return std::holds_alternative<HostPathSource>(source);
}

Result<Recipe> HostPathPlugin::recipe(const RecipeRequest& request) const {
  const auto& source = std::get<HostPathSource>(request.volume.source);
  const std::string volume = "volume " + request.volume.name.str() + ": ";
  if (manifest::has_parent_element(source.path)) {
    return invalid_host_path(volume + "invalid HostPath " + quoted(source.path) + ": it has a `..` element",
                             "write the path without ..");
  }
  if (!source.path.starts_with('/')) {
    return invalid_host_path(volume + "hostPath.path " + quoted(source.path) + " is not absolute",
                             "start it with a slash");
  }
  const std::optional<HostPathType> type = type_of(source.type);
  if (!type) {
    return invalid_host_path(
        volume + "hostPath.type " + quoted(source.type) + " is unknown",
        "use one of \"\", DirectoryOrCreate, Directory, FileOrCreate, File, Socket, CharDevice, BlockDevice");
  }
  Recipe recipe;
  recipe.path = source.path;
  recipe.presence = Presence::HostPath;
  if (*type == HostPathType::Unset) return recipe;
  CheckHostPath check{source.path, *type, std::nullopt};
  const MountFact* covering = request.mounts.covering(source.path);
  if (covering != nullptr && is_local_file_system(covering->type)) {
    check.confined_to = covering->mount_point;
  } else {
    recipe.publish.lane = Lane::Own;
  }
  recipe.publish.up.emplace_back(std::move(check));
  if (*type != HostPathType::DirectoryOrCreate) recipe.watch_path = source.path;
  return recipe;
}

std::vector<Step> HostPathPlugin::removal(const Remains&) const {
  return {};
}

}  // namespace mooring
