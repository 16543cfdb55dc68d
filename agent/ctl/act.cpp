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
  const auto reference = parse_pod_reference(options, options.name, false);
  if (!reference) return fail(reference.error());
  const ObjectKey& key = reference.value().key;
  const auto client = connect(options);
  if (!client) return fail(client.error());
  const auto asked =
      client.value()->container_mounts(key.name_space, key.name, ContainerName(options.container));
  if (!asked) return fail(asked.error());
  const std::vector<ContainerMount>& mounts = asked.value();
  const Result<void> is_clear = check_one_container(mounts);
  if (!is_clear) return fail(is_clear.error());
  if (options.runtime == "oci") {
    answer(render_oci(mounts));
  } else if (options.runtime == "podman") {
    answer(render_podman(mounts));
  } else if (options.runtime == "cri") {
    answer(render_cri(mounts));
  } else {
    for (const ContainerMount& mount : mounts) {
      if (nspawn_cannot_propagate(mount))
        message("systemd-nspawn has no flag for the propagation \"" + mount.propagation + "\" of " +
                mount.destination);
    }
    answer(render_nspawn(mounts));
  }
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
