#include "plugin/flex_volume.h"

#include <algorithm>

#include "base/quote.h"
#include "content/content.h"
#include "flex/names.h"
#include "plugin/flex_device.h"
#include "step/layout.h"

namespace mooring {
namespace {

using layout::VolumeElement;
using manifest::FlexVolumeSource;

constexpr char digest_mark = '+';  ///< Never in the name of a volume or a PersistentVolume.

const PluginName& plugin_name() {
  static const PluginName name("kubernetes.io/flexvolume");
  return name;
}

const FlexVolumeSource& source_of(const RecipeRequest& request) {
  return std::get<FlexVolumeSource>(request.volume.source);
}

FlexVolume volume_of(const RecipeRequest& request) {
  const FlexVolumeSource& source = source_of(request);
  FlexVolume volume;
  volume.name = request.directory_name().str();
  volume.file_system_type = source.file_system_type;
  volume.read_only = request.read_only || (request.persistent == nullptr && source.read_only);
  for (const auto& [key, value] : source.options)
    volume.options.push_back({key, value});
  return volume;
}

/// What a volume is called on disk that a pod has by itself: two that are written alike are one.
std::string own_handle(const FlexVolume& volume) {
  Content content;
  const auto put = [&](const std::string& key, const std::string& value) {
    content[key].bytes = SecretBytes(value);
  };
  put("type", volume.file_system_type);
  put("access", volume.read_only ? "ro" : "rw");
  for (const FlexOption& option : volume.options)
    put("option " + option.key, option.value);
  return volume.name + digest_mark + content_digest(content, {});
}

Result<VolumeElement> element_of(const FlexVolume& volume, const RecipeRequest& request) {
  const std::string handle = request.persistent == nullptr ? own_handle(volume) : volume.name;
  if (auto element = layout::escape_handle(handle)) return *std::move(element);
  return refusal("InvalidVolumeHandle",
                 "the name of volume " + quoted(volume.name) + " is too long for a directory",
                 "give it a shorter one");
}

Result<std::vector<FlexSecret>> secrets_of(const RecipeRequest& request) {
  const FlexVolumeSource& source = source_of(request);
  std::vector<FlexSecret> secrets;
  if (source.secret_name.empty()) return secrets;
  ObjectKey key{request.pod.key.name_space, ObjectName(source.secret_name)};
  if (request.persistent != nullptr && !source.secret_namespace.empty())
    key.name_space = Namespace(source.secret_namespace);
  const auto secret = request.objects.find_secret(key);
  if (secret == nullptr) {
    return refusal("SecretNotFound",
                   "volume " + request.volume.name.str() + ": couldn't get secret " + key.text() +
                       ": no manifest holds it",
                   "add the Secret, or correct flexVolume.secretRef");
  }
  if (secret->type != source.driver) {
    return refusal("WrongSecretType",
                   "volume " + request.volume.name.str() + ": cannot get secret of type " +
                       quoted(source.driver) + ": " + key.text() + " is of type " + quoted(secret->type),
                   "a Secret that a FlexVolume driver is told has the driver's name as its type");
  }
  for (const auto& [name, value] : secret->data)
    secrets.push_back({name, value});
  return secrets;
}

}  // namespace

std::optional<FlexDevice> parse_flex_key(const VolumeKey& key) {
  const std::string& text = key.str();
  const std::size_t slash = text.rfind('/');
  if (slash == std::string::npos || !flex::is_driver_name(text.substr(0, slash))) return std::nullopt;
  const auto handle = layout::unescape_handle(text.substr(slash + 1));
  if (!handle) return std::nullopt;
  return FlexDevice{PluginName(text.substr(0, slash)), VolumeElement(text.substr(slash + 1)),
                    handle->substr(0, handle->find(digest_mark))};
}

PluginName FlexVolumePlugin::name() const {
  return plugin_name();
}

bool FlexVolumePlugin::is_called(const PluginName& plugin) const {
  if (plugin == plugin_name()) return true;
  FlexVolumeSource source;
  source.driver = plugin.str();
  return flex::is_driver_name(plugin.str()) && manifest::plugin_name(source) == plugin;
}

PluginSupport FlexVolumePlugin::support() const {
  PluginSupport support;
  support.fs_group = true;
  support.fs_group_policy = true;
  support.selinux_relabel = true;
  return support;
}

bool FlexVolumePlugin::takes(const manifest::VolumeSource& source) const {
  return std::holds_alternative<FlexVolumeSource>(source);
}

FlexProgram FlexVolumePlugin::program_of(const DriverName& driver, const DriverSet& drivers) const {
  FlexProgram program{driver, flex::program_of(settings_.directory, driver), {}, settings_.timeout_ms};
  if (const FlexDriver* known = drivers.find_flex(driver)) {
    program.program = known->program;
    program.unsupported.assign(known->unsupported.begin(), known->unsupported.end());
  }
  return program;
}

Result<Recipe> FlexVolumePlugin::recipe(const RecipeRequest& request) const {
  const FlexVolumeSource& source = source_of(request);
  const DriverName driver(source.driver);
  const PluginName plugin = manifest::plugin_name(request.volume.source);
  const std::string what =
      "volume " + request.volume.name.str() + ": FlexVolume driver " + quoted(source.driver);
  if (!flex::is_driver_name(source.driver) || plugin.str() != source.driver) {
    return refusal("InvalidFlexDriver", what + " cannot be the name of one: it is VENDOR/DRIVER",
                   "correct flexVolume.driver");
  }
  const FlexDriver* known = request.drivers.find_flex(driver);
  if (known == nullptr) {
    return refusal("DriverNotFound", what + " is not installed, or its init failed",
                   "install it as " + flex::program_of(settings_.directory, driver) +
                       "; Mooring goes on by itself then");
  }
  const manifest::Pod& pod = request.pod;
  Recipe recipe;
  recipe.directory = request.directory_name();
  recipe.presence = Presence::Driver;
  recipe.driver_shape = flex_shape;
  recipe.has_own_group = !known->capabilities.fs_group;
  PublishFlexVolume publish;
  publish.program = program_of(driver, request.drivers);
  publish.volume = volume_of(request);
  publish.path = layout::volume(pod.uid, plugin, recipe.directory);
  publish.pod = {pod.uid, pod.key.name_space, pod.key.name, pod.service_account, pod.security.fs_group, {}};
  MOORING_TRY(publish.pod.secrets, secrets_of(request));
  recipe.path = request.node.root_dir + "/" + publish.path;
  recipe.publish.lane = Lane::Own;
  if (known->capabilities.attach) {
    MOORING_TRY(const VolumeElement element, element_of(publish.volume, request));
    publish.staged_path = layout::flex_staged(plugin, element);
    DeviceRecipe& device = recipe.device.emplace();
    device.key = VolumeKey(plugin.str() + "/" + element.str());
    // All in one stage, and without a path that the core would want to see mounted: many drivers support
    // none of it, and stage nothing.
    device.attach.lane = Lane::Own;
    device.attach.up.emplace_back(StageFlexVolume{publish.program, publish.volume, request.node.name,
                                                  publish.staged_path,
                                                  layout::flex_format_stamp(plugin, element)});
    if (request.persistent != nullptr && !publish.volume.read_only) {
      device.capacity_bytes =
          static_cast<std::uint64_t>(std::max<std::int64_t>(request.persistent->capacity.rounded_up(), 0));
      device.grow = {{GrowFlexVolume{publish.program, publish.volume, publish.staged_path,
                                     device.capacity_bytes, known->capabilities.requires_fs_resize}},
                     Lane::Own};
    }
  }
  recipe.publish.up.emplace_back(MakePodDirectory{pod.uid, pod.key.name_space, pod.key.name});
  recipe.publish.up.emplace_back(std::move(publish));
  return recipe;
}

std::vector<Step> FlexVolumePlugin::removal(const Remains& remains) const {
  if (!flex::is_driver_name(remains.plugin.str())) return {};
  const DriverName driver(remains.plugin.str());
  return {UnpublishFlexVolume{program_of(driver, remains.drivers),
                              layout::volume(remains.pod, remains.plugin, remains.directory)}};
}

std::vector<Step> FlexVolumePlugin::detach(const DeviceRemains& remains) const {
  const auto name = parse_flex_key(remains.key);
  if (!name) return {};
  return {UnstageFlexVolume{program_of(DriverName(name->plugin.str()), remains.drivers), name->volume,
                            remains.node, layout::flex_staged(name->plugin, name->element)}};
}

std::optional<VolumeKey> FlexVolumePlugin::device_key(const manifest::PersistentVolume& volume) const {
  const auto element = layout::escape_handle(volume.name.str());
  if (!element) return std::nullopt;
  return VolumeKey(manifest::plugin_name(volume.source).str() + "/" + element->str());
}

}  // namespace mooring
