#include "plugin/local.h"

#include <algorithm>

#include "base/quote.h"
#include "plugin/device_volume.h"

namespace mooring {
namespace {

using manifest::LocalSource;

constexpr const char* format_annotation = "mooring.io/format";

const PluginName& plugin_name() {
  static const PluginName name("kubernetes.io/local-volume");
  return name;
}

Error invalid(const RecipeRequest& request, const std::string& what, std::string remedy) {
  return refusal("InvalidLocalVolume", "volume " + request.volume.name.str() + ": " + what,
                 std::move(remedy));
}

/// True for what has a device's recipe. A manifest alone cannot tell what a path is: these signs do.
bool is_device(const LocalSource& source, const RecipeRequest& request) {
  return request.mode == manifest::VolumeMode::Block || source.path.starts_with("/dev/") ||
         !source.file_system_type.empty();
}

Result<Recipe> device_recipe(const LocalSource& source, const RecipeRequest& request) {
  const auto element = layout::escape_handle(request.directory_name().str());
  if (!element) return invalid(request, "the name of the PersistentVolume is too long", "shorten it");
  DeviceVolume volume;
  volume.plugin = plugin_name();
  volume.element = *element;
  volume.device = {DeviceName::Kind::Path, source.path};
  volume.type = source.file_system_type;
  volume.format = FormatPolicy::IfBlank;
  if (request.persistent != nullptr) {
    MOORING_TRY(volume.format,
                format_policy_of(request.persistent->annotations, format_annotation, FormatPolicy::IfBlank));
    volume.read_only = is_only_read(*request.persistent);
    volume.capacity_bytes =
        static_cast<std::uint64_t>(std::max<std::int64_t>(request.persistent->capacity.rounded_up(), 0));
  }
  return device_volume_recipe(volume, request);
}

/// A bind has no options of the file system, and of those of the mount only `ro` here.
Result<bool> is_read_only_by(const std::vector<std::string>& options) {
  bool is_read_only = false;
  for (const std::string& option : options) {
    if (option == "ro") is_read_only = true;
    if (option == "ro" || option == "rw" || option == "bind" || option == "defaults") continue;
    return refusal("MountOptionsUnsupported",
                   "a directory is bound, which has no mount option " + quoted(option),
                   "leave it out of spec.mountOptions, or mount the file system with it");
  }
  return is_read_only;
}

Result<Recipe> directory_recipe(const LocalSource& source, const RecipeRequest& request) {
  MOORING_TRY(const bool is_read_only, is_read_only_by(request.mount_options));
  CheckHostPath check{source.path, HostPathType::Directory, std::nullopt};
  const MountFact* covering = request.mounts.covering(source.path);
  const bool is_local = covering != nullptr && is_local_file_system(covering->type);
  if (is_local) check.confined_to = covering->mount_point;
  Recipe recipe = bound_recipe(plugin_name(), request, source.path, request.read_only || is_read_only);
  if (!is_local) recipe.publish.lane = Lane::Own;
  recipe.publish.up.insert(recipe.publish.up.begin(), std::move(check));
  recipe.watch_path = source.path;
  return recipe;
}

}  // namespace

PluginName LocalPlugin::name() const {
  return plugin_name();
}

bool LocalPlugin::takes(const manifest::VolumeSource& source) const {
  return std::holds_alternative<LocalSource>(source);
}

Result<Recipe> LocalPlugin::recipe(const RecipeRequest& request) const {
  const auto& source = std::get<LocalSource>(request.volume.source);
  if (!source.path.starts_with('/')) {
    return invalid(request, "local.path " + quoted(source.path) + " is not absolute",
                   "start it with a slash");
  }
  return is_device(source, request) ? device_recipe(source, request) : directory_recipe(source, request);
}

}  // namespace mooring
