#include "ask.h"

#include <algorithm>
#include <cstdio>

#include "output.h"

namespace mooring::ctl {

Result<std::unique_ptr<Client>> connect(const Options& options) {
  return Client::connect(options.bus);
}

bool is_about_all(const Options& options, Scope scope) {
  return options.all_namespaces || (scope == Scope::Node && !options.has_namespace);
}

Result<std::vector<PodStatus>> ask_pods(Client& client, const Options& options, Scope scope) {
  MOORING_TRY(std::vector<PodStatus> pods, client.pods());
  if (!is_about_all(options, scope))
    std::erase_if(pods, [&](const PodStatus& pod) { return pod.name_space.str() != options.name_space; });
  return pods;
}

void ask_usage(Client& client, const ObjectKey& pod) {
  constexpr std::uint64_t patience_ms = 300;
  // What was known before, or nothing of it, is an answer too; so is that of a daemon that cannot do it.
  static_cast<void>(client.measure_usage(pod.name_space, pod.name, patience_ms));
}

Result<PodStatus> ask_pod(Client& client, const ObjectKey& key) {
  MOORING_TRY(std::vector<PodStatus> pods, client.pods());
  for (PodStatus& pod : pods) {
    if (pod.name_space == key.name_space && pod.name == key.name) return std::move(pod);
  }
  Error error;
  error.reason = "NoSuchPod";
  error.message = "there is no pod " + key.text();
  const auto other =
      std::find_if(pods.begin(), pods.end(), [&](const auto& p) { return p.name == key.name; });
  if (other != pods.end()) error.remedy = "there is one in the namespace " + other->name_space.str();
  return error;
}

Result<VolumeStatus> find_volume(const PodStatus& pod, const VolumeName& name) {
  for (const VolumeStatus& volume : pod.volumes) {
    if (volume.name == name) return volume;
  }
  Error error;
  error.reason = "NoSuchVolume";
  error.message = "pod " + pod.name_space.str() + "/" + pod.name.str() + " has no volume " + name.str();
  error.remedy = "a volume that no container mounts is never made";
  return error;
}

Error no_such(const std::string& kind, const std::string& name) {
  Error error;
  error.reason = "NoSuchObject";
  error.message = "there is no " + kind + " " + name;
  return error;
}

std::size_t count_ready(const PodStatus& pod) {
  return static_cast<std::size_t>(std::count_if(pod.volumes.begin(), pod.volumes.end(),
                                                [](const auto& v) { return v.phase == Phase::Ready; }));
}

std::string first_trouble(const PodStatus& pod) {
  for (const VolumeStatus& volume : pod.volumes) {
    if (volume.phase == Phase::Ready) continue;
    const std::string why = volume.reason.empty() ? std::string(to_string(volume.phase)) : volume.reason;
    return volume.name.str() + ": " + why;
  }
  return {};
}

ExitStatus once_or_watch(Client& client, const Options& options, const std::function<ExitStatus()>& print) {
  if (!options.watch) return print();
  const bool is_table = options.format == Format::Table || options.format == Format::Wide;
  ExitStatus status = ExitStatus::Ok;
  bool is_first = true;
  const Result<void> followed = client.follow_changes([&] {
    if (!is_first && is_table) answer("\n");
    is_first = false;
    status = print();
    return std::fflush(stdout) == 0 && status != ExitStatus::NoDaemon;
  });
  return followed ? status : fail(followed.error());
}

}  // namespace mooring::ctl
