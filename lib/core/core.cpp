#include "core/core.h"

#include "core/engine.h"

namespace mooring {

Core::Core(CoreOptions options, const PluginRegistry& plugins)
    : engine_(std::make_unique<Engine>(std::move(options), plugins)) {}
Core::~Core() = default;

void Core::handle(Event event, Instant now) {
  engine_->handle(std::move(event), now);
}
Effects Core::take_effects(Instant now) {
  return engine_->take_effects(now);
}
std::optional<MonotonicTime> Core::next_wake() const {
  return engine_->next_wake();
}
NodeStatus Core::node_status() const {
  return engine_->node_status();
}
std::vector<PodUid> Core::pods() const {
  return engine_->pods();
}
std::optional<PodUid> Core::find_pod(const ObjectKey& key) const {
  return engine_->find_pod(key);
}
std::optional<PodStatus> Core::pod_status(const PodUid& uid) const {
  return engine_->pod_status(uid);
}
Result<std::vector<ContainerMount>> Core::container_mounts(const PodUid& uid,
                                                           const ContainerName& container) const {
  return engine_->container_mounts(uid, container);
}
bool Core::has_parts(const PodUid& uid, const ContainerName& container) const {
  return engine_->has_parts(uid, container);
}
Result<ContainerSecurity> Core::container_security(const PodUid& uid, const ContainerName& container) const {
  return engine_->container_security(uid, container);
}
Result<std::vector<ContainerDevice>> Core::container_devices(const PodUid& uid,
                                                             const ContainerName& container) const {
  return engine_->container_devices(uid, container);
}
std::vector<DeviceStatus> Core::devices() const {
  return engine_->devices();
}
std::vector<DriverStatus> Core::drivers() const {
  return engine_->drivers();
}
std::vector<ClaimStatus> Core::claims() const {
  return engine_->claims();
}
std::optional<ClaimStatus> Core::claim_status(const ObjectKey& key) const {
  return engine_->claim_status(key);
}
std::vector<PersistentVolumeStatus> Core::persistent_volumes() const {
  return engine_->persistent_volumes();
}
std::vector<VolumeSnapshotStatus> Core::snapshots() const {
  return engine_->snapshots();
}
std::vector<StorageClassStatus> Core::storage_classes() const {
  return engine_->storage_classes();
}
std::vector<ClaimCandidate> Core::explain_claim(const ObjectKey& key) const {
  return engine_->explain_claim(key);
}
Result<void> Core::delete_claim(const ObjectKey& key, Instant now) {
  return engine_->delete_claim(key, now);
}
Result<void> Core::release_volume(const ObjectName& name, bool forget, Instant now) {
  return engine_->release_volume(name, forget, now);
}
Result<void> Core::forget_snapshots(const ObjectKey& key, Instant now) {
  return engine_->forget_snapshots(key, now);
}
bool Core::is_measuring() const {
  return engine_->is_measuring();
}
std::vector<StatusEvent> Core::events_since(std::uint64_t sequence) const {
  return engine_->events_since(sequence);
}
bool Core::knows_all() const {
  return engine_->knows_all();
}
bool Core::is_settled() const {
  return engine_->is_settled();
}

}  // namespace mooring
