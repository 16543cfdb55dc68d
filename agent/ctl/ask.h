#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "client/client.h"
#include "commands.h"

namespace mooring::ctl {

/// Which namespaces a question is about.
enum class Scope : std::uint8_t {
  One,   ///< That of -n, or "default"; all with -A.
  Node,  ///< All, unless -n names one.
};

Result<std::unique_ptr<Client>> connect(const Options& options);

/// The pods that the question is about.
Result<std::vector<PodStatus>> ask_pods(Client& client, const Options& options, Scope scope);

/// True if the question is about all namespaces.
bool is_about_all(const Options& options, Scope scope);

/// Has the daemon measure how full volumes are (all: an empty key) before it is asked; it is not waited for
/// what takes long.
void ask_usage(Client& client, const ObjectKey& pod);
/// The pod of this name; "NoSuchPod" names what is known about why it is not there.
Result<PodStatus> ask_pod(Client& client, const ObjectKey& key);

/// The volume of the pod, or "NoSuchVolume".
Result<VolumeStatus> find_volume(const PodStatus& pod, const VolumeName& name);

/// "NoSuchObject".
Error no_such(const std::string& kind, const std::string& name);

std::size_t count_ready(const PodStatus& pod);

/// "data: MountFailed" for the first volume that is not ready; empty if there is none.
std::string first_trouble(const PodStatus& pod);

/// Prints once, or with -w whenever something changes.
ExitStatus once_or_watch(Client& client, const Options& options, const std::function<ExitStatus()>& print);

}  // namespace mooring::ctl
