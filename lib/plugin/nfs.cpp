#include "plugin/nfs.h"

#include <algorithm>
#include <set>

#include "base/quote.h"
#include "plugin/annotations.h"
#include "step/layout.h"

namespace mooring {
namespace {

using manifest::NfsSource;

constexpr const char* policy_annotation = "mooring.io/unmount-policy";

const PluginName& plugin_name() {
  static const PluginName name("kubernetes.io/nfs");
  return name;
}

/// True for what can be a name or an address; the helper must not take it for one of its options.
bool is_server(std::string_view server) {
  return !server.empty() && !server.starts_with('-') &&
         server.find_first_of("/ \t\n") == std::string_view::npos;
}

/// "server:/path"; an IPv6 address in brackets, which mount.nfs needs to tell it from the path.
std::string source_of(const NfsSource& source) {
  const bool is_bare_ipv6 = source.server.find(':') != std::string::npos && !source.server.starts_with('[');
  return (is_bare_ipv6 ? "[" + source.server + "]" : source.server) + ":" + source.path;
}

/// Sorted, each once. Without a word of the user mount.nfs tries for two minutes what Mooring tries again by
/// itself, and only then says why it failed.
Result<std::vector<std::string>> options_of(const RecipeRequest& request) {
  std::set<std::string> options(request.mount_options.begin(), request.mount_options.end());
  options.erase("");
  const auto has_retry = [](const std::string& option) { return option.starts_with("retry="); };
  if (std::none_of(options.begin(), options.end(), has_retry)) options.insert("retry=0");
  if (options.contains("bg")) {
    return refusal(
        "InvalidMountOptions",
        "volume " + request.volume.name.str() + ": with the mount option bg nobody knows when it is mounted",
        "leave it out of spec.mountOptions: Mooring itself tries again until the server answers");
  }
  return std::vector<std::string>(options.begin(), options.end());
}

Result<UnmountPolicy> policy_of(const manifest::Pod& pod) {
  MOORING_TRY(const std::string choice,
              choice_of(pod, policy_annotation, "Force", {"Wait", "Force", "Lazy"}));
  return choice == "Wait"   ? UnmountPolicy::Wait
         : choice == "Lazy" ? UnmountPolicy::Lazy
                            : UnmountPolicy::Force;
}

}  // namespace

PluginName NfsPlugin::name() const {
  return plugin_name();
}

PluginSupport NfsPlugin::support() const {
  PluginSupport support;
  support.mount_options = true;
  return support;
}

bool NfsPlugin::takes(const manifest::VolumeSource& source) const {
  return std::holds_alternative<NfsSource>(source);
}

Result<Recipe> NfsPlugin::recipe(const RecipeRequest& request) const {
  const auto& source = std::get<NfsSource>(request.volume.source);
  const manifest::Pod& pod = request.pod;
  if (!is_server(source.server) || !source.path.starts_with('/')) {
    return refusal("InvalidNfsSource",
                   "volume " + request.volume.name.str() + ": nfs needs a server and an absolute path, not " +
                       quoted(source.server) + " and " + quoted(source.path),
                   "correct nfs.server and nfs.path");
  }
  Recipe recipe;
  MOORING_TRY(recipe.unmount_policy, policy_of(pod));
  recipe.directory = request.directory_name();
  const std::string path = layout::volume(pod.uid, plugin_name(), recipe.directory);
  recipe.path = request.node.root_dir + "/" + path;
  recipe.presence = Presence::Mount;
  recipe.mount_types = {"nfs", "nfs4"};
  recipe.publish.lane = Lane::Own;
  MountNetwork mount;
  mount.path = path;
  mount.type = "nfs";
  mount.source = source_of(source);
  MOORING_TRY(mount.options, options_of(request));
  mount.read_only = source.read_only || request.read_only;
  // The mount makes its directory, with 0750, once it is known that nothing is mounted there: to look at the
  // directory of a volume that is mounted already would be to ask its server.
  recipe.publish.up.push_back(MakePodDirectory{pod.uid, pod.key.name_space, pod.key.name});
  recipe.publish.up.push_back(std::move(mount));
  return recipe;
}

std::vector<Step> NfsPlugin::removal(const Remains& remains) const {
  const std::string path = layout::volume(remains.pod, plugin_name(), remains.directory);
  return {UnmountNetwork{path, remains.unmount_policy, remains.attempt}, RemoveDirectory{path}};
}

}  // namespace mooring
