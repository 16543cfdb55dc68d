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

/// What a claim can be waited for.
enum class ClaimCondition : std::uint8_t {
  Bound,  ///< It has its volume; a claim that is not known yet is waited for.
  Gone,   ///< It is not known, and every manifest was read.
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
/// "NoSuchClaim", "NoSuchVolume", "NotReady", "TimedOut", "NotPermitted", "InvalidArgument", "Failed".
/// "NoDaemon": the bus, or the daemon on it, is not there or went away. An error of the kind Uncertain is an
/// answer that cannot be understood.
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
  /// The raw block devices of a container (empty: of all); errors as of container_mounts(). Nobody has looked
  /// whether they are still there: a container that cannot have one must not be started without it.
  Result<std::vector<ContainerDevice>> container_devices(const Namespace& name_space, const ObjectName& name,
                                                         const ContainerName& container);
  /// What pods share of their volumes, sorted by key.
  Result<std::vector<DeviceStatus>> devices();
  /// Drivers outside, sorted by socket.
  Result<std::vector<DriverStatus>> drivers();
  /// All claims, sorted by namespace and name; PersistentVolumes and classes, by name.
  Result<std::vector<ClaimStatus>> claims();
  Result<std::vector<PersistentVolumeStatus>> persistent_volumes();
  Result<std::vector<StorageClassStatus>> storage_classes();
  /// VolumeSnapshots, and what is left of others; sorted by namespace, name and content.
  Result<std::vector<VolumeSnapshotStatus>> snapshots();
  /// The PersistentVolumes that were looked at for a claim, in this order, and why each was not taken.
  /// "NoSuchClaim".
  Result<std::vector<ClaimCandidate>> explain_claim(const Namespace& name_space, const ObjectName& name);
  /// What the pod asks of a container's process, ready or not. `container` empty: that of the pod's only
  /// container, or of a pod with several what it says for all of them.
  Result<ContainerSecurity> container_security(const Namespace& name_space, const ObjectName& name,
                                               const ContainerName& container);
  /// The log's lines after a sequence number; 0: all that are kept.
  Result<std::vector<StatusEvent>> events_since(std::uint64_t sequence);

  /// Waits until the pod is in the condition; timeout_ms 0: no limit. "TimedOut" otherwise.
  Result<void> wait_for_pod(const Namespace& name_space, const ObjectName& name, PodCondition condition,
                            std::uint64_t timeout_ms);

  /// Waits until the claim is in the condition; timeout_ms 0: no limit. "TimedOut" otherwise.
  Result<void> wait_for_claim(const Namespace& name_space, const ObjectName& name, ClaimCondition condition,
                              std::uint64_t timeout_ms);

  /// Hands over every line of the log after `sequence`, first those that are kept, then each as it comes,
  /// none twice and none left out. Returns when `on_event` says false, or with an error ("NoDaemon" when the
  /// daemon ends).
  Result<void> follow_events(std::uint64_t sequence, const std::function<bool(const StatusEvent&)>& on_event);

  /// Calls `on_change` at once and then whenever anything that the daemon tells has changed; changes that
  /// come together are told once, and none is lost. `on_change` may use this client. Returns as
  /// follow_events().
  Result<void> follow_changes(const std::function<bool()>& on_change);

  /// Measures how full the volumes of a pod are, or with both empty those of all, as far as their numbers are
  /// old. False if that was not done within the time: pods() tells then what was known before.
  Result<bool> measure_usage(const Namespace& name_space, const ObjectName& name, std::uint64_t timeout_ms);

  /// Tries again now what waits for its backoff. Both empty: everything.
  Result<void> retry(const Namespace& name_space, const ObjectName& name);
  /// Deletes a claim that no manifest holds any more, as those of a StatefulSet that were kept; then its
  /// volume is reclaimed. "NoSuchClaim"; another reason if a manifest holds it, which the message names.
  Result<void> delete_claim(const Namespace& name_space, const ObjectName& name);
  /// Makes a Released or Failed PersistentVolume free for the next claim, its data as it is. With `forget`
  /// one that was provisioned and has no manifest is forgotten, and its data stays. "NoSuchVolume"; another
  /// reason if it is not to be had so.
  Result<void> release_volume(const ObjectName& name, bool forget);
  /// Forgets what is left of VolumeSnapshots of that name: what was kept, and what cannot be deleted. What
  /// their drivers have stays. "NoSuchSnapshot"; another reason if nothing of it is left so.
  Result<void> forget_snapshots(const Namespace& name_space, const ObjectName& name);
  /// Reads all manifests again.
  Result<void> reload();

 private:
  class Connection;
  explicit Client(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

}  // namespace mooring
