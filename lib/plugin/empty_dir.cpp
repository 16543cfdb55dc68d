#include "plugin/empty_dir.h"

#include <algorithm>
#include <set>

#include "plugin/removal.h"
#include "step/layout.h"

namespace mooring {
namespace {

using manifest::ContainerKind;
using manifest::EmptyDirSource;

const PluginName& plugin_name() {
  static const PluginName name("kubernetes.io/empty-dir");
  return name;
}

/// The size of a tmpfs: the least of the limits that are known; nullopt if none is.
std::optional<std::uint64_t> memory_size(const EmptyDirSource& source, const RecipeRequest& request) {
  std::optional<Quantity> least;
  const auto consider = [&](const std::optional<Quantity>& limit) {
    if (limit && limit->rounded_up() > 0 && (!least || *limit < *least)) least = *limit;
  };
  consider(source.size_limit);
  consider(pod_memory_limit(request.pod));
  const auto allocatable = request.node.allocatable.find("memory");
  if (allocatable != request.node.allocatable.end()) consider(allocatable->second);
  if (!least) return std::nullopt;
  return static_cast<std::uint64_t>(least->rounded_up());
}

/// What the directory of an emptyDir on disk may hold at most: the least of its own limit and that of its
/// pod's local storage; nullopt if neither is given.
std::optional<Quantity> disk_limit(const EmptyDirSource& source, const manifest::Pod& pod) {
  std::optional<Quantity> least = pod_storage_limit(pod);
  if (source.size_limit && source.size_limit->rounded_up() > 0 && (!least || *source.size_limit < *least))
    least = source.size_limit;
  return least;
}

constexpr std::string_view huge_pages_prefix = "hugepages-";

/// The page sizes that the pod's containers request.
std::set<std::string> requested_page_sizes(const manifest::Pod& pod) {
  std::set<std::string> sizes;
  for (const manifest::Container& container : pod.containers) {
    if (container.kind == ContainerKind::Ephemeral) continue;
    for (const auto& [resource, amount] : container.requests) {
      if (resource.starts_with(huge_pages_prefix) && !amount.is_zero()) {
        sizes.insert(resource.substr(huge_pages_prefix.size()));
      }
    }
  }
  return sizes;
}

Result<std::uint64_t> page_size(const EmptyDirSource& source, const RecipeRequest& request) {
  const std::set<std::string> requested = requested_page_sizes(request.pod);
  const std::string volume = "volume " + request.volume.name.str() + ": ";
  if (requested.empty()) {
    return refusal("HugePagesNotRequested",
                   volume + "hugePages storage requested, but there is no resource request for huge pages",
                   "give a container a request such as hugepages-2Mi: 64Mi");
  }
  if (source.huge_page_size) {
    for (const std::string& size : requested) {
      const Result<Quantity> quantity = Quantity::parse(size);
      if (quantity && quantity.value() == *source.huge_page_size) {
        return static_cast<std::uint64_t>(quantity.value().rounded_up());
      }
    }
    return refusal("HugePagesNotRequested",
                   volume + "medium HugePages-" + source.huge_page_size->text() +
                       " is not among the huge pages that the pod's containers request",
                   "request hugepages-" + source.huge_page_size->text() + " in a container");
  }
  if (requested.size() > 1) {
    return refusal("HugePagesAmbiguous",
                   volume + "medium: HugePages can't be used if container requests multiple huge page sizes",
                   "name the size in the medium, as in HugePages-2Mi");
  }
  MOORING_TRY(const Quantity size, Quantity::parse(*requested.begin()));
  if (size.rounded_up() <= 0)
    return refusal("InvalidQuantity", volume + "the huge page size is not positive", "");
  return static_cast<std::uint64_t>(size.rounded_up());
}

}  // namespace

std::optional<Quantity> pod_memory_limit(const manifest::Pod& pod) {
  std::optional<Quantity> sum;
  std::optional<Quantity> largest_init;
  for (const manifest::Container& container : pod.containers) {
    if (container.kind == ContainerKind::Ephemeral) continue;
    const auto limit = container.limits.find("memory");
    if (limit == container.limits.end()) return std::nullopt;
    if (container.kind == ContainerKind::Init) {
      if (!largest_init || *largest_init < limit->second) largest_init = limit->second;
    } else {
      sum = sum ? *sum + limit->second : limit->second;
    }
  }
  if (!sum) return largest_init;
  return largest_init && *sum < *largest_init ? largest_init : sum;
}

std::optional<Quantity> pod_storage_limit(const manifest::Pod& pod) {
  std::optional<Quantity> sum;
  std::optional<Quantity> largest_init;
  for (const manifest::Container& container : pod.containers) {
    const auto limit = container.limits.find("ephemeral-storage");
    const bool is_given = limit != container.limits.end() && limit->second.rounded_up() > 0;
    if (container.kind == ContainerKind::Ephemeral || !is_given) continue;
    if (container.kind == ContainerKind::Init) {
      if (!largest_init || *largest_init < limit->second) largest_init = limit->second;
    } else {
      sum = sum ? *sum + limit->second : limit->second;
    }
  }
  if (!sum) return largest_init;
  return largest_init && *sum < *largest_init ? largest_init : sum;
}

PluginName EmptyDirPlugin::name() const {
  return plugin_name();
}

PluginSupport EmptyDirPlugin::support() const {
  PluginSupport support;
  support.read_only = false;
  support.fs_group = true;
  support.selinux_relabel = true;
  return support;
}

bool EmptyDirPlugin::takes(const manifest::VolumeSource& source) const {
  return std::holds_alternative<EmptyDirSource>(source);
}

Result<Recipe> EmptyDirPlugin::recipe(const RecipeRequest& request) const {
  const auto& source = std::get<EmptyDirSource>(request.volume.source);
  const manifest::Pod& pod = request.pod;
  Recipe recipe;
  recipe.directory = VolumeDirectory(request.volume.name.str());
  const std::string path = layout::volume(pod.uid, plugin_name(), recipe.directory);
  recipe.path = request.node.root_dir + "/" + path;
  recipe.publish.up.push_back(MakePodDirectory{pod.uid, pod.key.name_space, pod.key.name});
  recipe.publish.up.push_back(MakeDirectory{path, 0777});
  switch (source.medium) {
    case EmptyDirSource::Medium::Default:
      recipe.presence = Presence::Directory;
      recipe.size_limit = disk_limit(source, pod);
      if (recipe.size_limit) {
        recipe.publish.up.push_back(
            LimitDirectory{path, static_cast<std::uint64_t>(recipe.size_limit->rounded_up())});
      }
      break;
    case EmptyDirSource::Medium::Memory:
      recipe.presence = Presence::Mount;
      recipe.mount_types = {"tmpfs"};
      recipe.publish.up.push_back(MountTmpfs{path, memory_size(source, request), 01777});
      break;
    case EmptyDirSource::Medium::HugePages: {
      MOORING_TRY(const std::uint64_t size, page_size(source, request));
      recipe.presence = Presence::Mount;
      recipe.mount_types = {"hugetlbfs"};
      recipe.publish.up.push_back(MountHugetlbfs{path, size});
      break;
    }
  }
  return recipe;
}

std::vector<Step> EmptyDirPlugin::removal(const Remains& remains) const {
  std::vector<Step> steps = removal_of_directory(plugin_name(), remains, {"tmpfs", "hugetlbfs", "bind"});
  // Before the directory goes to the trash, which knows no volumes.
  if (!remains.shape.starts_with("mount:")) {
    const std::string path = layout::volume(remains.pod, plugin_name(), remains.directory);
    steps.insert(steps.end() - 1, UnlimitDirectory{path});
  }
  return steps;
}

}  // namespace mooring
