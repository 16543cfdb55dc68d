#include "ask.h"
#include "commands.h"
#include "output.h"
#include "storage.h"

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

}  // namespace

ExitStatus run_wait(const Options& options) {
  const auto object = parse_object_reference(options.name);
  if (object && object.value().kind == Kind::Claims) return wait_for_claim(options, object.value());
  if (options.condition == "bound") return fail(usage_error("a pod is waited for until it is ready or gone"));
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
