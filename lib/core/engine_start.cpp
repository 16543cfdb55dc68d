#include <algorithm>
#include <utility>

#include "core/attachments.h"
#include "core/engine.h"
#include "step/csi_layout.h"

namespace mooring {
namespace {

/// Remembers, for the record too, what the volume is going to be.
void note_recipe(ActualVolume& volume, const Recipe& recipe) {
  volume.directory = recipe.directory;
  volume.found = Found::Nothing;
  if (volume.shape != recipe.shape() || volume.unmount_policy != recipe.unmount_policy)
    volume.is_recorded = false;
  volume.unmount_policy = recipe.unmount_policy;
  volume.shape = recipe.shape();
  if (volume.state != PublishState::Published && recipe.may_be_half_made()) {
    volume.is_incomplete = true;
    volume.is_recorded = false;
  }
  if (recipe.is_shared && !volume.is_shared) {
    volume.is_shared = true;
    volume.is_recorded = false;
  }
}

}  // namespace

/// Nothing is started for a volume that its plugin refuses. What it holds stays.
void Core::Engine::refuse(const PodUid& uid, const ActualVolume& volume, VolumeWork& work, const Error& error,
                          Instant now) {
  if (volume.state == PublishState::Published) {  // compare_content() says why.
    work.is_content_stale = true;
    work.is_outdated = false;
    return;
  }
  const bool is_new = !work.failure || work.failure->message != error.message;
  work.is_refused = true;
  work.failure = std::make_unique<Failure>(Failure{error.reason, error.message, error.remedy});
  if (needs_secret(work)) secrets_waiting_.insert(uid);
  if (!is_new) return;
  log(now, true, "FailedMount", "pod/" + actual_.find(uid)->key.text(),
      "volume " + volume.name.str() + ": " + error.text());
}

/// The recipe's steps, as they are right for this time.
Operation Core::Engine::publish_operation(const VolumeWork& work, Recipe& recipe, Instant now) const {
  Operation operation;
  operation.lane = work.is_unconfined ? Lane::Own : recipe.publish.lane;
  operation.deadline_ms = operation.lane == Lane::Own ? options_.own_deadline_ms : options_.local_deadline_ms;
  operation.steps = std::move(recipe.publish.up);
  const auto waits_for_server = [](const Step& step) { return std::holds_alternative<MountNetwork>(step); };
  if (std::any_of(operation.steps.begin(), operation.steps.end(), waits_for_server))
    operation.deadline_ms = options_.mount_deadline_ms;
  // Ownership is a thing of the first time: what containers made of it since is theirs. So is growth. But
  // what a driver writes anew each time is owned as it writes it: a kubelet gives it to the group each time
  // too.
  if (work.is_refreshing)
    std::erase_if(operation.steps, [&](const Step& step) {
      return (std::holds_alternative<ChangeGroup>(step) && !recipe.is_republished) ||
             std::holds_alternative<ExpandCsiVolume>(step);
    });
  // What this run made itself a while ago is there; if not, the next try makes it again.
  if (work.is_refreshing && !work.content.empty()) {
    std::erase_if(operation.steps, [](const Step& step) {
      return std::holds_alternative<MakePodDirectory>(step) || std::holds_alternative<MakeDirectory>(step);
    });
  }
  for (Step& step : operation.steps) {
    if (auto* files = std::get_if<PublishFiles>(&step)) files->version = layout::content_version(now.wall);
    if (auto* map = std::get_if<MapGroup>(&step)) map->bind_only = work.is_refreshing;
    if (!work.is_unconfined) continue;
    if (auto* check = std::get_if<CheckHostPath>(&step)) check->confined_to.reset();
    if (auto* part = std::get_if<BindSubPath>(&step)) part->confined_to.reset();
    if (auto* change = std::get_if<ChangeGroup>(&step)) change->entries_max = 0;
    if (auto* map = std::get_if<MapGroup>(&step)) map->entries_max = 0;
  }
  return operation;
}

void Core::Engine::start_publish(const PodUid& uid, const DesiredPod& desired, const VolumeName& name,
                                 Instant now) {
  ActualPod& actual = *actual_.find(uid);
  ActualVolume& volume = *actual.find(name);
  VolumeWork& work = *work_.at(uid).find(name);
  Result<Recipe> made = recipe_in_plan(*desired.pod, name);
  note_parts(*desired.pod, work, made);
  work.is_answering = std::exchange(work.is_asked, false) && made;
  if (!made) return refuse(uid, volume, work, made.error(), now);
  Recipe& recipe = made.value();
  use_device(uid, volume, recipe);
  // It was refused until now: what it shares comes first. Or somebody else is at that.
  if (!is_device_ready(volume) || is_taken(volume.device)) return;
  const ActualDevice* device = recipe.device ? actual_.find_device(recipe.device->key) : nullptr;
  if (device != nullptr && !is_just(*device, *recipe.device)) {
    return fail(
        uid, work,
        status_error("VolumeInUseOtherwise",
                     "other pods still have " + recipe.device->key.str() + " as " + device->name.text() +
                         (device->staged_path.empty() ? ", as a device" : ", mounted"),
                     "end them: the volume goes over when the last of them is gone"),
        now);
  }
  if (recipe.device && recipe.device->waits_for) return fail(uid, work, *recipe.device->waits_for, now);
  add_publish_context(device, recipe.publish.up);
  note_published(volume, recipe.publish.up);
  if (recipe.device && grows_when_published(*recipe.device))
    device_work_.at(recipe.device->key).staging_capacity_bytes = recipe.device->capacity_bytes;
  if (const manifest::Volume* source = desired.find_used(name)) {
    const auto claim = claim_of(*desired.pod, *source);
    if (const ActualPod* other = claim ? other_holder(uid, *claim) : nullptr) {
      return fail(uid, work,
                  status_error("ClaimInUseByOtherPod",
                               "PVC " + claim->text() + " is ReadWriteOncePod, and pod " + other->key.text() +
                                   " has it",
                               "end that pod: this one goes on by itself then"),
                  now);
    }
    volume.claim = claim.value_or(ObjectKey());
  }
  if (is_place_being_cleared(actual, volume, work_.at(uid), recipe.directory)) return;
  if (work.failure && work.backoff.attempts() == 0) work.failure.reset();  // It was refused before.
  work.removed_since.reset();
  note_recipe(volume, recipe);
  if (recipe.publish.up.empty()) {
    volume.state = PublishState::Published;
    work.is_answering = false;
    work.is_outdated = false;
    work.failure.reset();
    return;
  }
  if (!recipe.directory.empty() || !recipe.sub_paths.empty()) actual.directory_may_exist = true;
  work.doing = Doing::Publish;
  work.is_refreshing = volume.state == PublishState::Published;
  work.is_content_stale = false;
  Operation operation = publish_operation(work, recipe, now);
  operation.what = "publish " + volume_label(actual.key, name);
  const bool is_mount = recipe.presence == Presence::Mount || recipe.presence == Presence::Bind ||
                        recipe.presence == Presence::Bound || recipe.presence == Presence::DriverMount;
  start(std::move(operation),
        InFlight{
            Doing::Publish, uid, name, {}, is_mount, std::move(recipe.content), std::move(recipe.sub_paths)});
}

/// What is mounted in the volume besides the first `own` mounts exactly at it, and must not be taken along;
/// nullptr: nothing. What its containers may have left goes first (UnmountLeftovers).
///
/// Whatever is mounted on and in what a driver outside mounted counts as its own: it may mount several times,
/// once more after its server ended, and below, and nobody can tell which mount is whose; a kubelet just
/// calls it. Nothing is lost by that. The mounts stand in the file system of the driver's, the kernel keeps
/// one that others stand in, and Mooring removes only what nothing is mounted on. But where the driver has
/// nothing mounted, what is mounted below stands in a directory of the node, which drivers are known to
/// empty. It is surely not the driver's, whose own mount would have been kept by it, and the driver is not
/// called.
const MountFact* Core::Engine::foreign_mount_in(const PodUid& uid, const ActualVolume& volume,
                                                std::uint32_t own) const {
  if (volume.is_shared) return nullptr;
  const std::string path =
      options_.node.root_dir + "/" + layout::mount_place(uid, volume.plugin, volume.directory);
  const Plugin* plugin = plugins_.by_name(volume.plugin);
  const bool is_drivers = plugin != nullptr && plugin->has_one_operation_at_a_time();
  if (is_drivers && mounts_->top_at(path) != nullptr) return nullptr;
  const std::vector<const MountFact*> below = mounts_->below(path);
  if (!below.empty()) return below.front();
  return mounts_->count_at(path) > own ? mounts_->top_at(path) : nullptr;
}

/// A name for what is moved aside that is never used twice: if the worker is lost, it is known what it may
/// have left.
std::string Core::Engine::name_trash(Operation& operation) const {
  std::string trash_name;
  for (Step& step : operation.steps) {
    auto* discard = std::get_if<DiscardDirectory>(&step);
    if (discard == nullptr) continue;
    discard->trash_name +=
        "." + std::to_string(options_.seed % 1'000'000'000) + "-" + std::to_string(last_operation_ + 1);
    trash_name = discard->trash_name;
  }
  return trash_name;
}

void Core::Engine::start_unpublish(const PodUid& uid, const VolumeName& name, Instant now) {
  ActualPod& actual = *actual_.find(uid);
  ActualVolume& volume = *actual.find(name);
  VolumeWork& work = *work_.at(uid).find(name);
  work.is_blocked = false;
  if (volume.directory.empty()) {  // Nothing of it is ours.
    volume.state = PublishState::Absent;
    volume.claim = {};
    volume.shape.clear();
    dirty_.insert(uid);
    drop_watch(uid, work);
    return;
  }
  if (is_taken(volume.device)) return;  // It is planned again when that ends.
  const bool may_be_mount = volume.is_mount || volume.shape == flex_shape ||
                            (volume.state == PublishState::Uncertain && volume.shape != "directory");
  const std::uint32_t own = may_be_mount ? 1 : 0;
  if (const MountFact* foreign = foreign_mount_in(uid, volume, own)) {
    work.is_blocked = true;
    work.phase = Phase::Unpublishing;
    Error error = status_error(
        "MountedBelow",
        "the volume is not removed, because something that Mooring did not make is mounted in it: " +
            foreign->mount_point + " (" + foreign->type + " from " + foreign->source + ")",
        "unmount it; Mooring goes on by itself then");
    error.path = foreign->mount_point;
    return fail(uid, work, error, now);
  }
  const Plugin* plugin = plugins_.by_name(volume.plugin);
  if (plugin == nullptr) {
    const Error error = refusal("NoPlugin",
                                "an earlier run left a volume of the kind " + volume.plugin.str() +
                                    ", for which this Mooring has no plugin",
                                "remove " + path_of(uid, nullptr, &volume, name) + " by hand");
    return fail(uid, work, error, now);
  }
  if (!work.removed_since) work.removed_since = now.monotonic;
  const Duration deadline = std::chrono::milliseconds(std::max(options_.unmount_deadline_ms, 1U));
  const auto attempt = static_cast<std::uint32_t>((now.monotonic - *work.removed_since) / deadline);
  Operation operation;
  operation.lane = plugin->removal_lane();
  operation.deadline_ms =
      operation.lane == Lane::Own ? options_.unmount_deadline_ms : options_.local_deadline_ms;
  operation.what = "unpublish " + volume_label(actual.key, name);
  operation.steps = plugin->removal({uid, volume.directory, options_.node, volume.shape, volume.device,
                                     volume.unmount_policy, attempt, volume.plugin, drivers_});
  if (operation.steps.empty()) {
    volume.state = PublishState::Absent;
    volume.claim = {};
    volume.shape.clear();
    dirty_.insert(uid);
    return;
  }
  if (volume.is_shared) {
    UnmountLeftovers leftovers{layout::mount_place(uid, volume.plugin, volume.directory), own};
    operation.steps.insert(operation.steps.begin(), std::move(leftovers));
  }
  // Parts wait for a dead server too: what aborts all that waits for it comes before them then.
  const bool is_forced = operation.lane == Lane::Own && attempt > 0;
  const auto behind = std::find_if(operation.steps.begin(), operation.steps.end(), [](const Step& step) {
    return std::holds_alternative<UnmountNetwork>(step);
  });
  const bool has_server = is_forced && behind != operation.steps.end();
  operation.steps.insert(has_server ? std::next(behind) : operation.steps.begin(),
                         ReleaseSubPaths{uid, volume.name});
  volume.found = Found::Nothing;  // What the scan saw is not true any more from here on.
  std::string trash_name = name_trash(operation);
  work.doing = Doing::Unpublish;
  start(std::move(operation), InFlight{Doing::Unpublish, uid, name, std::move(trash_name), false, {}, {}});
}

void Core::Engine::start_remove_directory(const PodUid& uid, Instant) {
  Operation operation;
  operation.lane = Lane::Teardown;
  operation.deadline_ms = options_.local_deadline_ms;
  operation.what = "remove the directory of " + actual_.find(uid)->key.text();
  operation.steps = {RemovePodDirectory{uid}};
  work_.at(uid).directory_doing = Doing::RemoveDirectory;
  start(std::move(operation), InFlight{Doing::RemoveDirectory, uid, {}, {}, false, {}, {}});
}

void Core::Engine::start_trash(Instant now) {
  for (auto& [name, trash] : trash_) {
    const auto due = trash.backoff.not_before();
    if (trash.is_busy || (due && *due > now.monotonic)) continue;
    trash.is_busy = true;
    Operation operation;
    operation.lane = Lane::Own;
    operation.deadline_ms = options_.trash_deadline_ms;
    operation.what = "remove trash/" + name;
    operation.steps = {EmptyTrash{name}};
    start(std::move(operation), InFlight{Doing::EmptyTrash, {}, {}, name, false, {}, {}});
  }
}

}  // namespace mooring
