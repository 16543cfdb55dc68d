#include "plugin/common_options.h"

#include <algorithm>

#include "content/content.h"
#include "content/environment.h"
#include "plugin/annotations.h"
#include "step/layout.h"

namespace mooring {
namespace {

using manifest::Container;
using manifest::VolumeMount;

constexpr const char* live_annotation = "mooring.io/live-subpath";
constexpr const char* strategy_annotation = "mooring.io/fs-group-strategy";
/// What a warm worker can walk through while others wait for it.
constexpr std::uint64_t local_entries_max = 10'000;

/// Whoever says so: the pod's own source, or the claim and the PersistentVolume that it came by, of which
/// `read_only` tells already what counts.
bool is_read_only(const RecipeRequest& request) {
  return request.read_only ||
         (request.persistent == nullptr && manifest::is_read_only(request.volume.source));
}

struct SubPath {
  const Container& container;
  std::size_t index;
  std::string path;
  bool is_late = false;  ///< An init container that runs before has the volume too.
};

std::string asked_by(const Container& container, const VolumeMount& mount) {
  return "subPath of volumeMount " + mount.mount_path + " of container " + container.name.str();
}

Propagation propagation_of(const VolumeMount& mount) {
  switch (mount.propagation) {
    case manifest::MountPropagation::HostToContainer:
      return Propagation::Slave;
    case manifest::MountPropagation::Bidirectional:
      return Propagation::Shared;
    case manifest::MountPropagation::None:
      break;
  }
  return Propagation::Private;
}

bool is_part(const VolumeMount& mount, const VolumeName& volume) {
  return mount.name == volume && !(mount.sub_path.empty() && mount.sub_path_expression.empty());
}

/// The parts that containers mount; those that mean the whole volume are left out.
Result<std::vector<SubPath>> sub_paths_of(const RecipeRequest& request) {
  const ContentRequest content{request.pod, request.objects, request.node.allocatable, request.node.name};
  std::vector<SubPath> found;
  bool is_late = false;
  for (const Container& container : request.pod.containers) {
    const bool is_mounted = std::any_of(container.mounts.begin(), container.mounts.end(),
                                        [&](const auto& mount) { return mount.name == request.volume.name; });
    const bool is_late_here =
        std::exchange(is_late, is_late || (is_mounted && container.kind == manifest::ContainerKind::Init));
    for (std::size_t index = 0; index < container.mounts.size(); ++index) {
      const VolumeMount& mount = container.mounts[index];
      if (!is_part(mount, request.volume.name)) continue;
      Result<std::string> path = mount.sub_path_expression.empty()
                                     ? clean_sub_path(mount.sub_path)
                                     : expand_sub_path(mount.sub_path_expression, container, content);
      if (!path) {
        Error error = std::move(path).error();
        error.message = asked_by(container, mount) + ": " + error.message;
        return error;
      }
      if (!path.value().empty()) found.push_back({container, index, std::move(path).value(), is_late_here});
    }
  }
  return found;
}

/// A path as one element: as in a JSON pointer (RFC 6901).
std::string as_element(const std::string& path) {
  std::string name;
  for (const char c : path)
    name += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return name;
}

/// Lets the parts of a volume that Mooring writes follow its changes. Their paths then.
Result<void> make_live(Recipe& recipe, std::vector<SubPath>& parts) {
  for (Step& step : recipe.publish.up) {
    auto* files = std::get_if<PublishFiles>(&step);
    if (files == nullptr) continue;
    for (SubPath& part : parts) {
      const LivePart live{as_element(part.path), part.path};
      if (!layout::is_path_element(live.name)) {
        return refusal("LiveSubPathUnavailable", "the subPath " + part.path + " is too long to be followed",
                       "shorten it, or leave out the annotation " + std::string(live_annotation));
      }
      const auto same = [&](const LivePart& other) { return other.name == live.name; };
      if (std::none_of(files->live_parts.begin(), files->live_parts.end(), same))
        files->live_parts.push_back(live);
      part.path = std::string(layout::content_live) + "/" + live.name;
    }
  }
  return success();
}

Result<void> add_sub_paths(const RecipeRequest& request, const PluginSupport& support, Recipe& recipe) {
  MOORING_TRY(std::vector<SubPath> parts, sub_paths_of(request));
  if (parts.empty()) return success();
  const manifest::Pod& pod = request.pod;
  MOORING_TRY(const std::string follows, choice_of(pod, live_annotation, "false", {"true", "false"}));
  if (follows == "true" && support.writes_content) {
    MOORING_TRY(make_live(recipe, parts));
  }
  BindSubPath bind;
  bind.may_create = !support.always_read_only && !is_read_only(request);
  if (recipe.presence == Presence::HostPath) {
    bind.host_path = recipe.path;
    const MountFact* covering = request.mounts.covering(recipe.path);
    if (covering != nullptr && is_local_file_system(covering->type)) {
      bind.confined_to = covering->mount_point;
    } else {
      recipe.publish.lane = Lane::Own;
    }
  } else {
    bind.volume = recipe.path.substr(request.node.root_dir.size() + 1);
  }
  recipe.content += " parts";
  for (const SubPath& part : parts) {
    bind.path = part.path;
    bind.target = layout::sub_path(pod.uid, request.volume.name, part.container.name, part.index);
    bind.asked_by = asked_by(part.container, part.container.mounts[part.index]);
    bind.propagation = propagation_of(part.container.mounts[part.index]);
    const bool is_late = part.is_late && bind.may_create;
    if (is_late) recipe.late_sub_paths.insert(bind.target);
    if (is_late && !request.asked.contains(part.container.name)) continue;
    recipe.sub_paths.emplace(bind.target, bind.path);
    recipe.content += "\n" + bind.target + " " + bind.path;
    recipe.publish.up.emplace_back(bind);
  }
  if (recipe.presence == Presence::HostPath && !recipe.sub_paths.empty()) {
    recipe.publish.up.insert(recipe.publish.up.begin(),
                             MakePodDirectory{pod.uid, pod.key.name_space, pod.key.name});
  }
  return success();
}

Result<void> add_group(const RecipeRequest& request, const PluginSupport& support, Recipe& recipe) {
  const manifest::PodSecurity& security = request.pod.security;
  const bool is_walked = support.fs_group && !support.writes_content && recipe.presence != Presence::Device &&
                         !recipe.has_own_group;
  if (!is_walked || !security.fs_group || is_read_only(request)) return success();
  const auto group = static_cast<std::uint32_t>(*security.fs_group);
  const std::string path = recipe.path.substr(request.node.root_dir.size() + 1);
  MOORING_TRY(const std::string strategy,
              choice_of(request.pod, strategy_annotation, "Walk", {"Walk", "Idmap"}));
  if (strategy == "Idmap" && recipe.presence == Presence::Directory) {
    recipe.presence = Presence::Bind;
    MapGroup map{path, group};
    if (recipe.publish.lane == Lane::Local) map.entries_max = local_entries_max;
    recipe.publish.up.emplace_back(std::move(map));
    return success();
  }
  ChangeGroup change{path, group, false, false, 0};
  change.only_on_root_mismatch = support.fs_group_policy && security.fs_group_change_policy ==
                                                                manifest::GroupChangePolicy::OnRootMismatch;
  if (recipe.publish.lane == Lane::Local) change.entries_max = local_entries_max;
  recipe.publish.up.push_back(std::move(change));
  return success();
}

}  // namespace

Result<Recipe> with_common_options(Recipe recipe, const RecipeRequest& request,
                                   const PluginSupport& support) {
  if (!request.mount_options.empty() && !support.mount_options) {
    return refusal("MountOptionsUnsupported",
                   "mount options are not supported for this volume type: " +
                       manifest::plugin_name(request.volume.source).str(),
                   "leave out spec.mountOptions of the PersistentVolume");
  }
  MOORING_TRY(add_group(request, support, recipe));
  for (const Container& container : request.pod.containers) {
    for (const VolumeMount& mount : container.mounts) {
      recipe.is_shared = recipe.is_shared || (mount.name == request.volume.name &&
                                              mount.propagation == manifest::MountPropagation::Bidirectional);
    }
  }
  MOORING_TRY(add_sub_paths(request, support, recipe));
  // A walk or a look-up waits for a disk that does not answer, and others must not wait with it.
  const auto may_wait = [](const Step& step) {
    return std::holds_alternative<ChangeGroup>(step) || std::holds_alternative<BindSubPath>(step);
  };
  if (recipe.device && std::any_of(recipe.publish.up.begin(), recipe.publish.up.end(), may_wait))
    recipe.publish.lane = Lane::Own;
  // What a container mounted on the way to a part may be on a server.
  if (recipe.is_shared && !recipe.sub_paths.empty()) recipe.publish.lane = Lane::Own;
  return recipe;
}

std::set<ObjectReference> objects_of_sub_paths(const manifest::Pod& pod, const VolumeName& volume) {
  std::set<ObjectReference> objects;
  for (const Container& container : pod.containers) {
    for (const VolumeMount& mount : container.mounts) {
      if (mount.name != volume || mount.sub_path_expression.empty()) continue;
      objects.merge(objects_of_environment(mount.sub_path_expression, container, pod.key.name_space));
    }
  }
  return objects;
}

std::vector<std::string> sub_path_targets(const manifest::Pod& pod, const VolumeName& volume) {
  std::vector<std::string> targets;
  for (const Container& container : pod.containers) {
    for (std::size_t index = 0; index < container.mounts.size(); ++index) {
      const VolumeMount& mount = container.mounts[index];
      if (!is_part(mount, volume)) continue;
      const Result<std::string> path = clean_sub_path(mount.sub_path);
      const bool is_whole = mount.sub_path_expression.empty() && path && path.value().empty();
      if (!is_whole) targets.push_back(layout::sub_path(pod.uid, volume, container.name, index));
    }
  }
  return targets;
}

bool has_sub_paths(const manifest::Pod& pod, const VolumeName& volume) {
  return std::any_of(pod.containers.begin(), pod.containers.end(), [&](const Container& container) {
    return std::any_of(container.mounts.begin(), container.mounts.end(),
                       [&](const VolumeMount& mount) { return is_part(mount, volume); });
  });
}

}  // namespace mooring
