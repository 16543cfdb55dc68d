#include "core/engine.h"

// Drivers that want their volumes published again and again, to change what they hold (CSIDriver
// requiresRepublish, kubelet-behaviours 2.5 and 15.3). A pod that has such a volume keeps it whatever comes
// of that: nothing is unmounted, and a failure is told and tried again with growing pauses.

namespace mooring {

/// Has the volume published once more when its time has come.
void Core::Engine::note_republish(const DesiredPod& desired, const ActualVolume& volume, VolumeWork& work,
                                  Instant now) {
  if (!work.is_republished || volume.state != PublishState::Published) return work.republish_at.reset();
  if (work.doing != Doing::None || (work.republish_at && *work.republish_at > now.monotonic)) return;
  republish_later(work, now);
  Result<Recipe> recipe = recipe_in_plan(*desired.pod, work.name);
  if (!recipe) return keep_content(desired, work, recipe.error(), now);
  made_.emplace_back(work.name, std::move(recipe).value());
  work.is_outdated = true;
}

void Core::Engine::republish_later(VolumeWork& work, Instant now) {
  // Volumes that were published together are not all published again at the same moment.
  const auto spread = static_cast<std::uint64_t>(options_.republish_interval.count() / 2);
  work.republish_at = now.monotonic + options_.republish_interval +
                      Duration(static_cast<Duration::rep>(random_.below(spread)));
}

/// The earlier of `when` and the time when a volume of the pod is to be published again.
std::optional<MonotonicTime> with_republishing(const PodWork& work, std::optional<MonotonicTime> when,
                                               MonotonicTime now) {
  for (const VolumeWork& volume : work.volumes) {
    // What is past belongs to a volume that is not to be published again: it is on its way down, or busy.
    if (volume.republish_at && *volume.republish_at > now && (!when || *volume.republish_at < *when))
      when = volume.republish_at;
  }
  return when;
}

}  // namespace mooring
