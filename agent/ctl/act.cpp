#include <algorithm>
#include <set>

#include "ask.h"
#include "commands.h"
#include "output.h"
#include "status/render.h"

namespace mooring::ctl {
namespace {

/// After a wait that ended too early: which volumes it waited for, and why they are as they are.
void say_what_is_missing(Client& client, const ObjectKey& key, PodCondition condition) {
  const Result<PodStatus> pod = ask_pod(client, key);
  if (!pod) {
    if (pod.error().reason == "NoSuchPod") message("no manifest that was read asks for pod " + key.text());
    return;
  }
  if (condition == PodCondition::Gone && !pod.value().deleting) {
    message("pod " + key.text() + " is not being removed: its manifest is still there");
    return;
  }
  for (const VolumeStatus& volume : pod.value().volumes) {
    if (condition == PodCondition::Ready && volume.phase == Phase::Ready) continue;
    std::string line = "volume " + volume.name.str() + " is " + std::string(to_string(volume.phase));
    if (!volume.reason.empty()) line += ": " + volume.reason;
    if (!volume.message.empty()) line += ": " + volume.message;
    message(line);
  }
  if (!pod.value().message.empty()) message("pod " + key.text() + ": " + pod.value().message);
}

/// The one container whose mounts are asked for without -c; an error if it is not clear.
Result<void> check_one_container(const std::vector<ContainerMount>& mounts) {
  std::set<std::string> names;
  for (const ContainerMount& mount : mounts)
    names.insert(mount.container.str());
  if (names.size() <= 1) return success();
  std::string list;
  for (const std::string& name : names)
    list += (list.empty() ? "" : ", ") + name;
  return usage_error("the pod has several containers with mounts: choose one with -c (" + list + ")");
}

/// An answer, and what the runtime has no words for.
struct Rendered {
  std::string text;
  std::vector<std::string> left_out;
};

/// What goes beyond the mounts alone: the process of oci and cri, or all the flags of the others.
Result<Rendered> render_all(const std::string& runtime, const std::vector<ContainerMount>& mounts,
                            const ContainerSecurity& security) {
  if (runtime == "oci")
    return Rendered{render_oci_process(security), render_oci_process_leaves_out(security)};
  if (runtime == "cri") return Rendered{render_cri_security(security), {}};
  if (runtime == "nspawn")
    return Rendered{render_nspawn(mounts, security), render_nspawn_leaves_out(mounts, security)};
  MOORING_TRY(std::string flags, render_podman(mounts, security));
  return Rendered{std::move(flags), render_podman_leaves_out(mounts)};
}

}  // namespace

ExitStatus run_wait(const Options& options) {
  const auto reference = parse_pod_reference(options, options.name, false);
  if (!reference) return fail(reference.error());
  const auto timeout = parse_duration(options.timeout);
  if (!timeout) return fail(timeout.error());
  const ObjectKey& key = reference.value().key;
  const auto client = connect(options);
  if (!client) return fail(client.error());
  const PodCondition condition = options.condition == "gone" ? PodCondition::Gone : PodCondition::Ready;
  const auto limit = static_cast<std::uint64_t>(timeout.value().count());
  const Result<void> waited = client.value()->wait_for_pod(key.name_space, key.name, condition, limit);
  if (waited) return ExitStatus::Ok;
  if (waited.error().reason != "TimedOut") return fail(waited.error());
  message("pod " + key.text() + " is not " + options.condition + " after " + options.timeout);
  say_what_is_missing(*client.value(), key, condition);
  return ExitStatus::TimedOut;
}

ExitStatus run_render(const Options& options) {
  const bool has_process = options.runtime == "oci" || options.runtime == "cri";
  if (options.with_process && !has_process) {
    return fail(usage_error("--process is for oci and cri: the flags for " + options.runtime +
                            " have everything that there is"));
  }
  const auto reference = parse_pod_reference(options, options.name, false);
  if (!reference) return fail(reference.error());
  const ObjectKey& key = reference.value().key;
  const auto client = connect(options);
  if (!client) return fail(client.error());
  auto asked = client.value()->container_mounts(key.name_space, key.name, ContainerName(options.container));
  if (!asked) return fail(asked.error());
  const std::vector<ContainerMount>& mounts = asked.value();
  const Result<void> is_clear = check_one_container(mounts);
  if (!is_clear) return fail(is_clear.error());
  // By its name, so that what is made only for a container that is about to start is made.
  if (options.container.empty() && !asked.value().empty()) {
    const ContainerName only = asked.value().front().container;
    asked = client.value()->container_mounts(key.name_space, key.name, only);
    if (!asked) return fail(asked.error());
  }
  if (has_process && !options.with_process) {
    answer(options.runtime == "oci" ? render_oci(mounts) : render_cri(mounts));
    return ExitStatus::Ok;
  }
  const ContainerName container =
      mounts.empty() ? ContainerName(options.container) : mounts.front().container;
  const auto security = client.value()->container_security(key.name_space, key.name, container);
  if (!security) return fail(security.error());
  const Result<Rendered> rendered = render_all(options.runtime, mounts, security.value());
  if (!rendered) return fail(rendered.error());
  for (const std::string& line : rendered.value().left_out)
    message(line);
  answer(rendered.value().text);
  return ExitStatus::Ok;
}

ExitStatus run_retry(const Options& options) {
  ObjectKey key;
  if (!options.name.empty()) {
    const auto reference = parse_pod_reference(options, options.name, false);
    if (!reference) return fail(reference.error());
    key = reference.value().key;
  }
  const auto client = connect(options);
  if (!client) return fail(client.error());
  const Result<void> tried = client.value()->retry(key.name_space, key.name);
  return tried ? ExitStatus::Ok : fail(tried.error());
}

}  // namespace mooring::ctl
