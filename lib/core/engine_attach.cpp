#include <utility>

#include "core/engine.h"

namespace mooring {

/// Somebody else attaches the volume, and has not yet, or nobody knows yet what its driver wants: nothing is
/// done, and everybody is told why. What is read next brings it forward (drivers_changed(),
/// content_waiting_).
void Core::Engine::wait_for_attachment(ActualDevice& device, DeviceWork& work, const DeviceRecipe& recipe,
                                       Instant now) {
  const Error& why = *recipe.waits_for;
  device.name = recipe.device;
  device.staged_path = recipe.staged_path;
  if (work.failure && work.failure->message == why.message) return;
  work.failure = std::make_unique<Failure>(Failure{why.reason, why.message, why.remedy});
  work.failed_going_up = true;
  work.failed_staging = false;
  work.failed_detaching = false;
  work.backoff.reset();
  const bool is_failure = why.reason == "AttachFailed";
  // What each start begins with is nothing to tell.
  if (listing_is_complete_ || why.reason != "WaitingForManifests")
    log(now, is_failure, is_failure ? "FailedAttachVolume" : why.reason, "device/" + device.key.str(),
        why.text());
  for (const PodVolumeKey& user : work.users)
    dirty_.insert(user.pod);
}

}  // namespace mooring
