#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <tuple>

#include "base/quote.h"
#include "binding/resolve.h"
#include "commands.h"
#include "core/core.h"
#include "desired/desired_state.h"
#include "objects/store.h"
#include "output.h"
#include "plugin/registry.h"
#include "rehearsal.h"
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

/// True of the reason of a volume whose driver is not known here: which drivers there are, and what they can
/// do, they tell the daemon alone.
bool is_of_unknown_driver(std::string_view reason) {
  return reason == "DriverNotFound" || reason == "DriverNotRegistered";
}

/// True of an error that other manifests, the drivers or the labels of the node that the pod is for, may
/// cure.
bool may_be_cured_elsewhere(const Error& error) {
  constexpr std::array<std::string_view, 9> reasons{
      "ConfigMapNotFound",  "SecretNotFound",       "ClaimNotFound",
      "VolumeNotFound",     "ClaimNotBound",        "FailedBinding",
      "ProvisioningFailed", "ExternalProvisioning", "NodeAffinityMismatch"};
  return is_of_unknown_driver(error.reason) ||
         std::find(reasons.begin(), reasons.end(), error.reason) != reasons.end();
}

/// The name of the driver of a volume as the manifests have it; empty if they do not tell.
std::string driver_of(const manifest::VolumeSource& source) {
  if (const auto* csi = std::get_if<manifest::CsiSource>(&source)) return csi->driver;
  if (const auto* flex = std::get_if<manifest::FlexVolumeSource>(&source)) return flex->driver;
  return {};
}

/// What a plan says of a volume that depends on a driver.
std::string depends_on(const std::string& driver) {
  return "depends on the driver " +
         (driver.empty() ? std::string("of its volume") : mooring::quoted(driver)) +
         ", of which only the daemon knows (see mooringctl get drivers)";
}

/// What the plugins say against a pod's volumes; a line each. That an object is missing is a warning: it may
/// be in a manifest that was not named.
std::vector<std::string> refusals(const manifest::Pod& pod, const PluginRegistry& plugins,
                                  const NodeInfo& node, const ObjectStore& store, const MountTable& mounts,
                                  const ClaimsView& claims, std::vector<std::string>& warnings) {
  std::vector<std::string> lines;
  for (const manifest::Volume* volume : used_volumes(pod)) {
    const std::string where = place_of(pod, *volume, "error");
    std::string driver;
    const auto refuse = [&](const Error& error) {
      if (is_of_unknown_driver(error.reason)) {
        append_new(warnings, {place_of(pod, *volume, "warning") + "volume " + volume->name.str() + " " +
                              depends_on(driver)});
      } else if (may_be_cured_elsewhere(error)) {
        append_new(warnings, {place_of(pod, *volume, "warning") + error.message});
      } else {
        lines.push_back(where + error.message + (error.remedy.empty() ? "" : " (" + error.remedy + ")"));
      }
    };
    const Result<ResolvedVolume> resolved = resolve_volume(pod, *volume, claims, node.name, node.labels);
    if (!resolved) {
      refuse(resolved.error());
      continue;
    }
    const manifest::Volume& real = resolved.value().volume;
    driver = driver_of(real.source);
    const Plugin* plugin = plugins.for_source(real.source);
    if (plugin == nullptr) {
      lines.push_back(where + "volume " + volume->name.str() + ": no plugin for " +
                      manifest::plugin_name(real.source).str() + "; see mooringctl get plugins");
      continue;
    }
    RecipeRequest request{pod, real, node, store, mounts};
    request.mount_options = resolved.value().mount_options;
    request.directory = resolved.value().directory;
    request.read_only = resolved.value().read_only;
    request.mode = resolved.value().mode;
    request.persistent = resolved.value().persistent.get();
    const Result<Recipe> recipe = plugin->recipe(request);
    if (!recipe) refuse(recipe.error());
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

void print_operations(const Effects& effects) {
  for (const Operation& operation : effects.operations) {
    answer(paint_bold(clean(operation.what)) + " (" + std::string(to_string(operation.lane)) + ")\n");
    for (const Step& step : operation.steps)
      answer("  " + clean(describe(step)) + "\n");
  }
}

/// What would be bound to what, and made.
void print_bindings(const std::vector<ClaimStatus>& claims) {
  for (const ClaimStatus& claim : claims) {
    const std::string name = claim.name_space.str() + "/" + claim.name.str();
    if (claim.volume.empty()) {
      answer(paint_bold(clean("claim " + name)) + " " +
             clean(claim.phase + ": " + claim.reason + ": " + claim.message) + "\n");
    } else {
      answer(paint_bold(clean("bind claim " + name)) + " to pv/" + clean(claim.volume) + "\n");
    }
  }
}

Json bindings_json(const std::vector<ClaimStatus>& claims) {
  Json items = Json::array();
  for (const ClaimStatus& claim : claims) {
    items.push_back({{"namespace", claim.name_space.str()},
                     {"claim", claim.name.str()},
                     {"volume", claim.volume},
                     {"phase", claim.phase},
                     {"reason", claim.reason},
                     {"message", claim.message}});
  }
  return items;
}

Json operations_json(const Effects& effects, const std::vector<ClaimStatus>& claims) {
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
  return {{"apiVersion", "mooring.io/v1"},
          {"kind", "Plan"},
          {"items", std::move(items)},
          {"bindings", bindings_json(claims)}};
}

/// Says which volumes a daemon would refuse; true if there is none. Those that depend on a driver are named,
/// and are neither planned nor refused.
bool say_refused(const Core& core) {
  bool is_good = true;
  for (const PodUid& uid : core.pods()) {
    const auto pod = core.pod_status(uid);
    if (!pod) continue;
    for (const VolumeStatus& volume : pod->volumes) {
      if (volume.phase != Phase::Pending) continue;
      if (is_of_unknown_driver(volume.reason)) {
        message("not planned: pod " + pod->name_space.str() + "/" + pod->name.str() + ": volume " +
                volume.name.str() + " " + depends_on({}));
        continue;
      }
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
  const ImaginedClaims claims = imagine_claims(store, node);
  for (const auto& [key, condition] : claims.conditions) {
    if (condition.is_warning)
      append_new(warnings, {"PVC " + key.text() + ": " + condition.reason + ": " + condition.message});
  }
  for (const auto& pod : pods) {
    append_new(errors,
               refusals(*pod, plugins, node, store, mounts, {claims.ledger, claims.conditions}, warnings));
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
    print_document(operations_json(effects, rehearsal.core().claims()), options.format);
  } else {
    print_bindings(rehearsal.core().claims());
    print_operations(effects);
  }
  is_good = say_refused(rehearsal.core()) && is_good;
  return is_good ? ExitStatus::Ok : ExitStatus::Failed;
}

}  // namespace mooring::ctl
