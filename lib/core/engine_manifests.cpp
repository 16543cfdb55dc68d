#include "core/engine.h"

namespace mooring {

void Core::Engine::on(FileParsed& event, Instant now) {
  const std::string file = event.file.file;
  take_in(store_.apply(std::move(event.file)), now);
}

void Core::Engine::on(FileUnreadable& event, Instant now) {
  take_in(store_.mark_unreadable(event.file, event.message), now);
}

void Core::Engine::on(FileGone& event, Instant now) {
  take_in(store_.remove(event.file), now);
}

void Core::Engine::on(ListingCompleted& event, Instant now) {
  take_in(store_.keep_only(event.files), now);
  const bool was_allowed = gate(now.monotonic).may_tear_down;
  for (const auto& [directory, message] : failing_directories_) {
    log(now, false, "ManifestsReadable", "file/" + directory, "the directory can be read again");
  }
  failing_directories_.clear();
  listing_is_complete_ = true;
  are_claims_touched_ = are_claims_touched_ || !was_allowed;
  constexpr Duration scan_interval = std::chrono::minutes(5);
  if (scanned_at_ && now.monotonic - *scanned_at_ >= scan_interval) request_scan(now);
  if (was_allowed) return;
  // What was held back until now may go: everything known is looked at again.
  for (const auto& [uid, pod] : actual_.pods())
    dirty_.insert(uid);
  for (const auto& [key, device] : actual_.devices())
    dirty_devices_.insert(key);
}

void Core::Engine::on(ListingFailed& event, Instant now) {
  std::string& message = failing_directories_[event.directory];
  if (message == event.message) return;
  message = event.message;
  log(now, true, "ManifestsUnreadable", "file/" + event.directory,
      event.message + "; nothing is torn down until it can be read whole");
}

void Core::Engine::take_in(const StoreChanges& changes, Instant now) {
  for (const std::string& file : changes.problems_changed) {
    for (const std::string& line : store_.problems_of(file))
      log(now, true, "InvalidManifest", "file/" + file, line);
    for (const std::string& line : store_.warnings_of(file))
      log(now, false, "ManifestWarning", "file/" + file, line);
  }
  if (changes.storage) {
    are_claims_touched_ = true;
    // What was read whole at start is all there is; what comes later may come piece by piece.
    if (listing_is_complete_) quiet_at_ = now.monotonic + options_.manifests_quiet;
  }
  for (const PodUid& uid : changes.pods)
    update_desired(uid);
  content_changed(changes.objects);
  hurry_volume_work({}, changes.objects);
  if (changes.drivers) {
    are_claims_touched_ = true;  // A snapshot is another now, which a claim may wait for.
    drivers_changed();
  }
  // What a volume waits for may have turned out to be something else.
  if (listing_is_complete_) dirty_.merge(content_waiting_);
  // What was held back by a manifest that could not be read may go now.
  dirty_.merge(held_);
  held_.clear();
}

void Core::Engine::update_desired(const PodUid& uid) {
  const StoredPod* stored = store_.find_pod(uid);
  if (stored != nullptr) unseen_.erase(uid);
  const char* why_not = stored == nullptr
                            ? nullptr
                            : reason_not_desired(*stored->pod, options_.node.name, options_.node.labels);
  not_desired_.erase(uid);
  if (why_not != nullptr)
    not_desired_.emplace(uid, "pod " + stored->pod->key.text() + " gets no volumes: " + why_not);
  dirty_.insert(uid);
  if (stored == nullptr || why_not != nullptr) {
    desired_.erase(uid);
    note_content_users(uid, nullptr);
    if (pod_claims_.contains(uid)) are_claims_touched_ = true;
    if (actual_.find(uid) == nullptr) note_claim_users(uid, nullptr);
    // Its removal starts afresh: what delayed its publishing must not delay that.
    const auto work = work_.find(uid);
    if (work == work_.end()) return;
    for (VolumeWork& volume : work->second.volumes)
      volume.backoff.reset();
    if (ActualPod* actual = actual_.find(uid)) {
      for (ActualVolume& volume : actual->volumes)
        volume.is_condemned = true;
    }
    return;
  }
  const DesiredPod* before = desired_.find(uid);
  const bool is_same = before != nullptr && before->pod == stored->pod;
  desired_.put({stored->pod, stored->note});
  if (is_same) return;
  note_content_users(uid, stored->pod.get());
  note_claim_users(uid, stored->pod.get());
  // It is written anew: what was refused or waits for its time may be right now.
  const auto work = work_.find(uid);
  if (work == work_.end()) return;
  work->second.directory_failure.reset();  // What held up its removal is of no interest any more.
  work->second.directory_backoff.reset();
  for (VolumeWork& volume : work->second.volumes) {
    volume.is_refused = false;
    volume.wanted_shape.reset();
    volume.is_content_stale = true;
    volume.backoff.hurry();
  }
  ActualPod* actual = actual_.find(uid);
  if (actual == nullptr) return;
  for (ActualVolume& volume : actual->volumes)
    if (volume.state != PublishState::Published) volume.is_condemned = true;
}

}  // namespace mooring
