#include "plugin/device_volume.h"

#include "base/quote.h"

namespace mooring {
namespace {

constexpr std::string_view default_type = "ext4";
constexpr std::string_view device_shape = "device";

VolumeKey key_of(const DeviceVolume& volume) {
  return VolumeKey(volume.plugin.str() + "/" + volume.element.str());
}

/// A volume's name on disk, from its key.
layout::VolumeElement element_of(const PluginName& plugin, const VolumeKey& key) {
  return layout::VolumeElement(std::string_view(key.str()).substr(plugin.str().size() + 1));
}

std::optional<std::uint64_t> image_size(const DeviceVolume& volume) {
  if (volume.device.kind != DeviceName::Kind::Image || !volume.may_make_image) return std::nullopt;
  return volume.capacity_bytes;
}

DeviceRecipe attached(const DeviceVolume& volume) {
  DeviceRecipe recipe;
  recipe.key = key_of(volume);
  recipe.device = volume.device;
  recipe.capacity_bytes = volume.capacity_bytes;
  AttachDevice attach{volume.device, image_size(volume), volume.read_only, {}};
  if (attach.image_size_bytes) attach.stamp = layout::image_stamp(volume.plugin, volume.element);
  recipe.attach = {{std::move(attach)}, Lane::Own};
  return recipe;
}

/// What makes an image, and the file system at `staged_path` (empty: there is none), as large as they are to
/// be.
GrowFileSystem growth(const DeviceVolume& volume, std::string staged_path, std::string type) {
  GrowFileSystem grow{volume.device, std::move(staged_path), std::move(type), std::nullopt};
  if (volume.device.kind == DeviceName::Kind::Image) grow.image_size_bytes = image_size(volume).value_or(0);
  return grow;
}

DeviceRecipe staged(const DeviceVolume& volume, std::vector<std::string> options) {
  DeviceRecipe recipe = attached(volume);
  const std::string type = volume.type.empty() ? std::string(default_type) : volume.type;
  recipe.staged_path = layout::staged(volume.plugin, volume.element);
  FormatDevice format{volume.device, recipe.staged_path, layout::format_stamp(volume.plugin, volume.element),
                      type,          volume.format,      volume.read_only};
  recipe.stage.lane = Lane::Own;
  recipe.stage.up.emplace_back(std::move(format));
  if (!volume.read_only)
    recipe.stage.up.emplace_back(CheckFileSystem{volume.device, recipe.staged_path, type});
  recipe.stage.up.emplace_back(
      MountDevice{volume.device, recipe.staged_path, type, std::move(options), volume.read_only});
  if (volume.read_only) return recipe;
  recipe.grow = {{growth(volume, recipe.staged_path, type)}, Lane::Own};
  recipe.stage.up.push_back(recipe.grow.up.front());
  return recipe;
}

Recipe raw_recipe(const DeviceVolume& volume, const RecipeRequest& request) {
  const manifest::Pod& pod = request.pod;
  Recipe recipe;
  recipe.device = attached(volume);
  if (!volume.read_only) {
    recipe.device->grow = {{growth(volume, {}, {})}, Lane::Own};
    // What was asked for while no pod had it: a device without a file system has no stage to do it in.
    recipe.device->attach.up.push_back(recipe.device->grow.up.front());
  }
  recipe.directory = request.directory_name();
  recipe.presence = Presence::Device;
  const std::string link = layout::device(pod.uid, volume.plugin, recipe.directory);
  recipe.path = request.node.root_dir + "/" + link;
  recipe.publish.lane = Lane::Own;
  recipe.publish.up.emplace_back(MakePodDirectory{pod.uid, pod.key.name_space, pod.key.name});
  recipe.publish.up.emplace_back(MapDevice{volume.device, layout::device_map(volume.plugin, volume.element),
                                           pod.uid, link, request.read_only || volume.read_only});
  return recipe;
}

}  // namespace

Recipe pod_directory_recipe(const PluginName& plugin, const RecipeRequest& request) {
  const manifest::Pod& pod = request.pod;
  Recipe recipe;
  recipe.directory = request.directory_name();
  const std::string path = layout::volume(pod.uid, plugin, recipe.directory);
  recipe.path = request.node.root_dir + "/" + path;
  recipe.publish.up.emplace_back(MakePodDirectory{pod.uid, pod.key.name_space, pod.key.name});
  recipe.publish.up.emplace_back(MakeDirectory{path, layout::private_mode});
  return recipe;
}

Recipe bound_recipe(const PluginName& plugin, const RecipeRequest& request, std::string source,
                    bool read_only) {
  Recipe recipe = pod_directory_recipe(plugin, request);
  recipe.presence = Presence::Bound;
  const std::string target = layout::volume(request.pod.uid, plugin, recipe.directory);
  recipe.publish.up.emplace_back(BindMount{std::move(source), target, read_only, false});
  return recipe;
}

bool is_only_read(const manifest::PersistentVolume& volume) {
  return volume.access_modes == std::set{manifest::AccessMode::ReadOnlyMany};
}

Recipe device_volume_recipe(const DeviceVolume& volume, const RecipeRequest& request) {
  if (request.mode == manifest::VolumeMode::Block) return raw_recipe(volume, request);
  DeviceRecipe device = staged(volume, request.mount_options);
  Recipe recipe = bound_recipe(volume.plugin, request, request.node.root_dir + "/" + device.staged_path,
                               request.read_only || volume.read_only);
  recipe.device = std::move(device);
  return recipe;
}

PluginSupport DeviceVolumePlugin::support() const {
  PluginSupport support;
  support.mount_options = true;
  support.fs_group = true;
  support.fs_group_policy = true;
  support.block_mode = true;
  support.selinux_relabel = true;
  return support;
}

std::vector<Step> DeviceVolumePlugin::unstage(const DeviceRemains& remains) const {
  if (remains.staged_path.empty()) return {};
  return {UnmountDevice{remains.staged_path, remains.device}};
}

std::optional<VolumeKey> DeviceVolumePlugin::device_key(const manifest::PersistentVolume& volume) const {
  const auto* csi = std::get_if<manifest::CsiSource>(&volume.source);
  const auto element = layout::escape_handle(csi != nullptr ? csi->volume_handle : volume.name.str());
  if (!element) return std::nullopt;
  return VolumeKey(name().str() + "/" + element->str());
}

std::vector<Step> DeviceVolumePlugin::detach(const DeviceRemains& remains) const {
  // A stage that failed left at least its directory, and an attachment after it knows nothing of that.
  std::vector<Step> steps = unstage(remains);
  if (!remains.device.value.empty()) steps.emplace_back(DetachDevice{remains.device});
  return steps;
}

std::vector<Step> DeviceVolumePlugin::prove(const DeviceRemains& remains) const {
  if (remains.staged_path.empty() || remains.device.value.empty()) return {};
  return {ProveStaged{remains.device, remains.staged_path}};
}

std::vector<Step> DeviceVolumePlugin::removal(const Remains& remains) const {
  const PluginName plugin = name();
  const bool has_key = remains.device.str().starts_with(plugin.str() + "/");
  if (remains.shape == device_shape && has_key) {
    const layout::VolumeElement element = element_of(plugin, remains.device);
    return {UnmapDevice{layout::device_map(plugin, element), remains.pod,
                        layout::device(remains.pod, plugin, remains.directory)}};
  }
  const std::string path = layout::volume(remains.pod, plugin, remains.directory);
  return {Unmount{path, {}}, RemoveDirectory{path}};
}

Result<FormatPolicy> format_policy_of(const std::map<std::string, std::string>& values,
                                      const std::string& key, FormatPolicy fallback) {
  const auto found = values.find(key);
  if (found == values.end()) return fallback;
  if (found->second == "IfBlank") return FormatPolicy::IfBlank;
  if (found->second == "Never") return FormatPolicy::Never;
  return refusal("InvalidVolumeAttributes", key + " is " + quoted(found->second) + ", not IfBlank or Never",
                 "write IfBlank to have a blank device formatted, or Never");
}

}  // namespace mooring
