#include <langinfo.h>

#include <algorithm>
#include <clocale>
#include <map>
#include <string_view>

#include "ask.h"
#include "base/quote.h"
#include "commands.h"
#include "documents.h"
#include "output.h"

namespace mooring::ctl {
namespace {

/// A line with those that hang on it.
struct Branch {
  std::string label;
  std::vector<Branch> below;
};

struct Lines {
  std::string_view middle, last, through, blank;
};
constexpr Lines drawn{"├─ ", "└─ ", "│  ", "   "};
constexpr Lines typed{"|- ", "`- ", "|  ", "   "};

void draw(std::string& out, const std::vector<Branch>& branches, const std::string& margin,
          const Lines& lines) {
  for (std::size_t i = 0; i < branches.size(); ++i) {
    const bool is_last = i + 1 == branches.size();
    out += margin;
    out += is_last ? lines.last : lines.middle;
    out += branches[i].label + "\n";
    draw(out, branches[i].below, margin + std::string(is_last ? lines.blank : lines.through), lines);
  }
}

/// Where the containers of a pod have one volume.
std::vector<Branch> container_branches(const std::vector<ContainerMount>& mounts,
                                       const std::vector<ContainerDevice>& devices,
                                       const VolumeName& volume) {
  std::vector<Branch> branches;
  for (const ContainerMount& mount : mounts) {
    if (mount.volume != volume) continue;
    branches.push_back({"container " + clean(mount.container.str()) + " at " + clean(mount.destination) +
                            (mount.read_only ? " (read-only)" : ""),
                        {}});
  }
  for (const ContainerDevice& device : devices) {
    if (device.volume != volume) continue;
    branches.push_back({"container " + clean(device.container.str()) + " as " + clean(device.destination) +
                            (device.permissions == "r" ? " (read-only)" : ""),
                        {}});
  }
  return branches;
}

/// What was asked for; nothing if it cannot be told of this pod now. An error: nobody answers any more.
template <class Item>
Result<std::vector<Item>> if_known(Result<std::vector<Item>> asked) {
  if (asked || asked.error().reason == "NoDaemon") return asked;
  return std::vector<Item>();
}

using ByPath = std::map<std::string, std::vector<Branch>>;

Result<std::map<std::string, ByPath>> collect(Client& client, const std::vector<PodStatus>& pods) {
  std::map<std::string, ByPath> plugins;
  for (const PodStatus& pod : pods) {
    std::vector<ContainerMount> mounts;
    std::vector<ContainerDevice> devices;
    if (pod.ready) {
      MOORING_TRY(mounts, if_known(client.container_mounts(pod.name_space, pod.name, ContainerName())));
    }
    const bool is_all_mounted =
        std::all_of(pod.volumes.begin(), pod.volumes.end(), [&](const VolumeStatus& volume) {
          return std::any_of(mounts.begin(), mounts.end(),
                             [&](const ContainerMount& mount) { return mount.volume == volume.name; });
        });
    if (pod.ready && !is_all_mounted) {
      MOORING_TRY(devices, if_known(client.container_devices(pod.name_space, pod.name, ContainerName())));
    }
    for (const VolumeStatus& volume : pod.volumes) {
      std::string label = "pod " + clean(pod.name_space.str() + "/" + pod.name.str()) + ", volume " +
                          clean(volume.name.str()) + ": " + paint(volume.phase, to_string(volume.phase));
      if (volume.phase != Phase::Ready && !volume.reason.empty()) label += " (" + clean(volume.reason) + ")";
      const std::string plugin = volume.plugin.empty() ? "unknown" : clean(volume.plugin.str());
      const std::string path = volume.path.empty() ? "(no path yet)" : clean(volume.path);
      plugins[plugin][path].push_back({std::move(label), container_branches(mounts, devices, volume.name)});
    }
  }
  return plugins;
}

ExitStatus print_tree(Client& client, const Options& options) {
  const auto node = client.node();
  if (!node) return fail(node.error());
  const auto pods = ask_pods(client, options, Scope::Node);
  if (!pods) return fail(pods.error());
  auto plugins = collect(client, pods.value());
  if (!plugins) return fail(plugins.error());
  std::vector<Branch> branches;
  for (auto& [plugin, paths] : plugins.value()) {
    Branch& branch = branches.emplace_back(Branch{plugin, {}});
    for (auto& [path, users] : paths)
      branch.below.push_back({path, std::move(users)});
  }
  std::setlocale(LC_CTYPE, "");
  const bool is_utf8 = std::string_view(nl_langinfo(CODESET)) == "UTF-8";
  std::string out = "node " + clean(node.value().node_name) + "\n";
  draw(out, branches, "", is_utf8 ? drawn : typed);
  answer(out);
  return ExitStatus::Ok;
}

}  // namespace

ExitStatus run_tree(const Options& options) {
  const auto client = connect(options);
  if (!client) return fail(client.error());
  return once_or_watch(*client.value(), options, [&] { return print_tree(*client.value(), options); });
}

}  // namespace mooring::ctl
