#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "status/status.h"

namespace mooring {

/// What a pod can be waited for.
enum class PodCondition : std::uint8_t {
  Ready,  ///< Every volume is; a pod that is not known yet is waited for.
  Gone,   ///< Nothing of it is left; a pod that is not known is gone already.
};

/// The daemon itself.
struct DaemonInfo {
  std::string version;
  std::string root_directory;
};

/// A connection to the volume manager daemon: the status interface of D-Bus as plain C++.
///
/// Every call waits for its answer. One client belongs to one thread. It asks nothing twice and keeps
/// nothing: each answer is what the daemon says at that moment.
///
/// Errors carry the last word of the D-Bus error's name as their reason: "NoSuchPod", "NoSuchContainer",
/// "NotReady", "TimedOut", "NotPermitted", "InvalidArgument", "Failed". "NoDaemon": the bus, or the daemon on
/// it, is not there or went away. An error of the kind Uncertain is an answer that cannot be understood.
///
///     auto client = Client::connect("system");
///     if (!client) return fail(client.error());
///     client.value()->wait_for_pod(name_space, pod, PodCondition::Ready, 30'000);
///     auto mounts = client.value()->container_mounts(name_space, pod, container);
class Client {
 public:
  /// `address`: "system", "session", or a D-Bus address such as "unix:path=/run/mooring/bus".
  static Result<std::unique_ptr<Client>> connect(const std::string& address);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Result<DaemonInfo> daemon();
  Result<NodeStatus> node();
  /// All pods with their volumes, sorted by namespace and name: one call, one moment.
  Result<std::vector<PodStatus>> pods();
  /// What a runtime must mount into a container (empty: into all), in the order of the manifest. "NotReady"
  /// until every volume of the pod is.
  Result<std::vector<ContainerMount>> container_mounts(const Namespace& name_space, const ObjectName& name,
                                                       const ContainerName& container);
  /// What the pod asks of a container's process, ready or not. `container` empty: that of the pod's only
  /// container, or of a pod with several what it says for all of them.
  Result<ContainerSecurity> container_security(const Namespace& name_space, const ObjectName& name,
                                               const ContainerName& container);
  /// The log's lines after a sequence number; 0: all that are kept.
  Result<std::vector<StatusEvent>> events_since(std::uint64_t sequence);

  /// Waits until the pod is in the condition; timeout_ms 0: no limit. "TimedOut" otherwise.
  Result<void> wait_for_pod(const Namespace& name_space, const ObjectName& name, PodCondition condition,
                            std::uint64_t timeout_ms);

  /// Hands over every line of the log after `sequence`, first those that are kept, then each as it comes,
  /// none twice and none left out. Returns when `on_event` says false, or with an error ("NoDaemon" when the
  /// daemon ends).
  Result<void> follow_events(std::uint64_t sequence, const std::function<bool(const StatusEvent&)>& on_event);

  /// Calls `on_change` at once and then whenever anything that the daemon tells has changed; changes that
  /// come together are told once, and none is lost. `on_change` may use this client. Returns as
  /// follow_events().
  Result<void> follow_changes(const std::function<bool()>& on_change);

  /// Tries again now what waits for its backoff. Both empty: everything.
  Result<void> retry(const Namespace& name_space, const ObjectName& name);
  /// Reads all manifests again.
  Result<void> reload();

 private:
  class Connection;
  explicit Client(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

}  // namespace mooring
