#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <tuple>

#include "base/quote.h"
#include "commands.h"
#include "core/core.h"
#include "desired/desired_state.h"
#include "objects/store.h"
#include "output.h"
#include "plugin/registry.h"
#include "sources.h"

namespace mooring::ctl {
namespace {

NodeInfo node_of(const Options& options) {
  NodeInfo node;
  std::string name = options.node_name;
  if (name.empty()) {
    std::array<char, 256> host{};
    if (gethostname(host.data(), host.size() - 1) == 0) name = host.data();
  }
  node.name = NodeName(name);
  node.labels["kubernetes.io/hostname"] = name;
  std::string root = std::filesystem::absolute(options.root_dir).lexically_normal().string();
  while (root.size() > 1 && root.ends_with('/'))
    root.pop_back();
  node.root_dir = root;
  return node;
}

/// A node with nothing but a root file system.
MountTable bare_mounts() {
  MountFact root;
  root.id = 1;
  root.mount_point = "/";
  root.root = "/";
  root.type = "ext4";
  root.options = "rw";
  root.source = "none";
  return MountTable::from_facts({root});
}

/// How a pod, or the workload that it is made from, is named in a line about its volume.
std::string place_of(const manifest::Pod& pod, const manifest::Volume& volume, std::string_view severity) {
  const auto index = static_cast<std::size_t>(&volume - pod.volumes.data());
  const std::string field =
      pod.owner.empty() ? fmt::format("spec.volumes[{}]", index) : "spec.template.spec.volumes";
  const std::string whose = pod.owner.empty() ? "pod " + pod.key.text() : pod.owner;
  return fmt::format("{}: {}: {}: {}: ", pod.origin.text(), severity, field, whose);
}

/// Adds the lines that are not there yet: the pods of one workload all say the same.
void append_new(std::vector<std::string>& to, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    if (std::find(to.rbegin(), to.rend(), line) == to.rend()) to.push_back(line);
  }
}

/// What the plugins say against a pod's volumes; a line each. That an object is missing is a warning: it may
/// be in a manifest that was not named.
std::vector<std::string> refusals(const manifest::Pod& pod, const PluginRegistry& plugins,
                                  const NodeInfo& node, const ObjectStore& store, const MountTable& mounts,
                                  std::vector<std::string>& warnings) {
  std::vector<std::string> lines;
  for (const manifest::Volume* volume : used_volumes(pod)) {
    const std::string where = place_of(pod, *volume, "error");
    const Plugin* plugin = plugins.for_source(volume->source);
    if (plugin == nullptr) {
      lines.push_back(where + "volume " + volume->name.str() + ": no plugin for " +
                      manifest::plugin_name(volume->source).str() + "; see mooringctl get plugins");
      continue;
    }
    const Result<Recipe> recipe = plugin->recipe({pod, *volume, node, store, mounts});
    if (recipe) continue;
    const Error& error = recipe.error();
    if (error.reason == "ConfigMapNotFound" || error.reason == "SecretNotFound") {
      append_new(warnings, {place_of(pod, *volume, "warning") + error.message});
      continue;
    }
    lines.push_back(where + error.message + (error.remedy.empty() ? "" : " (" + error.remedy + ")"));
  }
  return lines;
}

std::vector<std::string> unused_volumes(const manifest::Pod& pod) {
  std::vector<std::string> lines;
  const auto used = used_volumes(pod);
  for (const manifest::Volume& volume : pod.volumes) {
    if (std::find(used.begin(), used.end(), &volume) != used.end()) continue;
    lines.push_back(place_of(pod, volume, "warning") + "volume " + volume.name.str() +
                    " is mounted by no container; it is never made");
  }
  return lines;
}

/// The pods in the order in which a person reads the files.
std::vector<std::shared_ptr<const manifest::Pod>> pods_by_place(const ObjectStore& store) {
  std::vector<std::shared_ptr<const manifest::Pod>> pods;
  for (const PodUid& uid : store.pods()) {
    if (const StoredPod* stored = store.find_pod(uid)) pods.push_back(stored->pod);
  }
  std::sort(pods.begin(), pods.end(), [](const auto& a, const auto& b) {
    return std::tie(a->origin.file, a->origin.line, a->key) <
           std::tie(b->origin.file, b->origin.line, b->key);
  });
  return pods;
}

void print_lines(const std::vector<std::string>& lines) {
  for (const std::string& line : lines)
    answer(clean(line) + "\n");
}

/// Feeds a core as a daemon would that starts on an empty node, up to the moment when it starts its work.
class Rehearsal {
 public:
  Rehearsal(const NodeInfo& node, const PluginRegistry& plugins) : core_(core_options(node), plugins) {}

  Effects run(std::vector<manifest::ParsedFile> files) {
    core_.handle(RecordsRead{}, now_);
    core_.handle(MountsRead{std::make_shared<const MountTable>(bare_mounts())}, now_);
    for (const Operation& operation : core_.take_effects(now_).operations) {
      Outcome outcome;
      outcome.id = operation.id;
      outcome.steps_done = 1;
      outcome.tree = TreeFacts{};
      core_.handle(OperationEnded{std::move(outcome)}, now_);
    }
    ListingCompleted listing;
    for (manifest::ParsedFile& file : files) {
      listing.files.push_back(file.file);
      core_.handle(FileParsed{std::move(file)}, now_);
    }
    core_.handle(std::move(listing), now_);
    return core_.take_effects(now_);
  }

  const Core& core() const { return core_; }

 private:
  static CoreOptions core_options(const NodeInfo& node) {
    CoreOptions options;
    options.node = node;
    return options;
  }

  Core core_;
  Instant now_{MonotonicTime{}, now_wall()};
};

void print_operations(const Effects& effects) {
  for (const Operation& operation : effects.operations) {
    answer(paint_bold(clean(operation.what)) + " (" + std::string(to_string(operation.lane)) + ")\n");
    for (const Step& step : operation.steps)
      answer("  " + clean(describe(step)) + "\n");
  }
}

Json operations_json(const Effects& effects) {
  Json items = Json::array();
  for (const Operation& operation : effects.operations) {
    Json steps = Json::array();
    for (const Step& step : operation.steps)
      steps.push_back(describe(step));
    Json item;
    item["what"] = operation.what;
    item["podUid"] = operation.pod.str();
    item["lane"] = std::string(to_string(operation.lane));
    item["steps"] = std::move(steps);
    items.push_back(std::move(item));
  }
  return {{"apiVersion", "mooring.io/v1"}, {"kind", "Plan"}, {"items", std::move(items)}};
}

/// Says which volumes a daemon would refuse; true if there is none.
bool say_refused(const Core& core) {
  bool is_good = true;
  for (const PodUid& uid : core.pods()) {
    const auto pod = core.pod_status(uid);
    if (!pod) continue;
    for (const VolumeStatus& volume : pod->volumes) {
      if (volume.phase != Phase::Pending) continue;
      is_good = false;
      message("refused: pod " + pod->name_space.str() + "/" + pod->name.str() + ": " + volume.reason + ": " +
              volume.message);
    }
  }
  for (const std::string& problem : core.node_status().problems)
    message("problem: " + problem);
  return is_good;
}

bool has_errors(const Sources& sources) {
  return !sources.unreadable.empty() ||
         std::any_of(sources.files.begin(), sources.files.end(), [](const manifest::ParsedFile& file) {
           return !file.broken.empty() ||
                  std::any_of(file.diagnostics.begin(), file.diagnostics.end(), [](const auto& diagnostic) {
                    return diagnostic.severity == manifest::Diagnostic::Severity::Error;
                  });
         });
}

}  // namespace

ExitStatus run_verify(const Options& options) {
  Sources sources = read_sources(options.files);
  const PluginRegistry plugins = built_in_plugins();
  const NodeInfo node = node_of(options);
  const MountTable mounts = bare_mounts();
  ObjectStore store;
  std::vector<std::string> names;
  for (manifest::ParsedFile& file : sources.files) {
    names.push_back(file.file);
    store.apply(std::move(file));
  }
  std::vector<std::string> errors = sources.unreadable;
  std::vector<std::string> warnings;
  append_new(errors, store.problems());
  for (const std::string& name : names)
    append_new(warnings, store.warnings_of(name));
  const auto pods = pods_by_place(store);
  for (const auto& pod : pods) {
    append_new(errors, refusals(*pod, plugins, node, store, mounts, warnings));
    append_new(warnings, unused_volumes(*pod));
  }
  print_lines(errors);
  print_lines(warnings);
  message(fmt::format("{} files, {} pods, {} errors, {} warnings", names.size(), pods.size(), errors.size(),
                      warnings.size()));
  return errors.empty() ? ExitStatus::Ok : ExitStatus::Failed;
}

ExitStatus run_plan(const Options& options) {
  Sources sources = read_sources(options.files);
  bool is_good = !has_errors(sources);
  for (const std::string& line : sources.unreadable)
    message(line);
  const PluginRegistry plugins = built_in_plugins();
  Rehearsal rehearsal(node_of(options), plugins);
  const Effects effects = rehearsal.run(std::move(sources.files));
  if (options.format == Format::Json || options.format == Format::Yaml) {
    print_document(operations_json(effects), options.format);
  } else {
    print_operations(effects);
  }
  is_good = say_refused(rehearsal.core()) && is_good;
  return is_good ? ExitStatus::Ok : ExitStatus::Failed;
}

}  // namespace mooring::ctl
