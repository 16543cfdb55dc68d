#include "plugin/config_volume.h"

#include "content/content.h"
#include "plugin/removal.h"
#include "step/layout.h"

namespace mooring {
namespace {

template <class Source>
constexpr bool is_in_memory = !std::is_same_v<Source, manifest::ConfigMapSource>;

/// True if one path is a directory of another: no tree has both.
std::optional<std::string> conflict_in(const Content& content) {
  for (const auto& [path, file] : content) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const std::string directory = path.substr(0, slash);
      if (content.contains(directory)) return directory;
    }
  }
  return std::nullopt;
}

std::vector<PublishedFile> files_of(Content content) {
  std::vector<PublishedFile> files;
  files.reserve(content.size());
  for (auto& [path, file] : content)
    files.push_back({path, file.mode, std::move(file.bytes)});
  return files;
}

}  // namespace

template <class Source>
PluginName ConfigVolumePlugin<Source>::name() const {
  static const PluginName name = manifest::plugin_name(manifest::VolumeSource(Source{}));
  return name;
}

template <class Source>
PluginSupport ConfigVolumePlugin<Source>::support() const {
  PluginSupport support;
  support.always_read_only = true;
  support.refresh = true;
  support.fs_group = true;
  support.writes_content = true;
  support.selinux_relabel = true;
  return support;
}

template <class Source>
bool ConfigVolumePlugin<Source>::takes(const manifest::VolumeSource& source) const {
  return std::holds_alternative<Source>(source);
}

template <class Source>
Result<Recipe> ConfigVolumePlugin<Source>::recipe(const RecipeRequest& request) const {
  const auto& source = std::get<Source>(request.volume.source);
  const manifest::Pod& pod = request.pod;
  MOORING_TRY(Content content,
              content_of(source, {pod, request.objects, request.node.allocatable, request.node.name}));
  if (const auto path = conflict_in(content)) {
    Error error;
    error.reason = "InvalidPath";
    error.message =
        "volume " + request.volume.name.str() + ": " + *path + " is a file and a directory of another file";
    return error;
  }
  const std::set<std::string> mount_points = nested_mount_points(pod, request.volume.name);
  Recipe recipe;
  recipe.directory = VolumeDirectory(request.volume.name.str());
  const std::string path = layout::volume(pod.uid, name(), recipe.directory);
  recipe.path = request.node.root_dir + "/" + path;
  recipe.content = content_digest(content, mount_points);
  const auto group = pod.security.fs_group;
  if (group) recipe.content += " group " + std::to_string(*group);
  std::vector<Step>& up = recipe.publish.up;
  up.push_back(MakePodDirectory{pod.uid, pod.key.name_space, pod.key.name});
  up.push_back(MakeDirectory{path, 0777});
  if constexpr (is_in_memory<Source>) {
    recipe.presence = Presence::Mount;
    recipe.mount_types = {"tmpfs"};
    up.push_back(MountTmpfs{path, std::nullopt, 01777, true});
  }
  PublishFiles publish{path, {}, files_of(std::move(content)), {mount_points.begin(), mount_points.end()}};
  if (group) publish.group = static_cast<std::uint32_t>(*group);
  up.emplace_back(std::move(publish));
  return recipe;
}

template <class Source>
std::vector<Step> ConfigVolumePlugin<Source>::removal(const Remains& remains) const {
  return removal_of_directory(name(), remains, {"tmpfs"});
}

template class ConfigVolumePlugin<manifest::ConfigMapSource>;
template class ConfigVolumePlugin<manifest::SecretSource>;
template class ConfigVolumePlugin<manifest::DownwardApiSource>;
template class ConfigVolumePlugin<manifest::ProjectedSource>;

}  // namespace mooring
