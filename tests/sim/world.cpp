#include "world.h"

#include <algorithm>

#include "manifest/parse.h"

namespace mooring::sim {

World::World(std::uint64_t seed, std::uint64_t steps)
    : random_(seed),
      kernel_("/var/lib/mooring"),
      shell_(kernel_, random_, [this](const std::string& line) { note(line); }),
      steps_(steps) {}

std::optional<std::string> World::run() {
  restart();
  for (std::uint64_t i = 0; i < steps_; ++i) {
    step();
    if (auto broken = check()) {
      if (shell_.is_running()) note_status();
      return broken;
    }
  }
  return settle();
}

void World::advance(Duration duration) {
  time_ += duration;
  if (!shell_.is_running()) return;
  const auto wake = shell_.core().next_wake();
  if (wake && wake->since_start <= time_) shell_.feed(TimerFired{}, now());
}

void World::tell(const std::string& file) {
  if (!shell_.is_running()) return;
  const std::string text = text_of(file);
  if (text.empty()) return shell_.feed(FileGone{file}, now());
  shell_.feed(FileParsed{manifest::parse_file(text, file)}, now());
}

void World::restart() {
  note("mooringd is killed and starts again");
  shell_.kill();
  shell_.start(now(), ++starts_);
  daemon_started();
  is_listing_known_ = false;
  read_manifests(random_.chance(4));
}

void World::reboot() {
  note("the node reboots");
  shell_.kill();
  shell_.lose_records();
  kernel_.reboot();
  node_rebooted();
  shell_.start(now(), ++starts_);
  daemon_started();
  is_listing_known_ = false;
  read_manifests(random_.chance(6));
}

void World::read_manifests(bool fails) {
  const bool mounts_first = random_.chance(2);
  if (mounts_first) shell_.tell_mounts(now());
  std::vector<std::string> order = files();
  if (random_.chance(2))
    std::reverse(order.begin(), order.end());  // Objects after or before what needs them.
  for (const std::string& file : order) {
    if (fails && random_.chance(2)) continue;
    tell(file);
    if (random_.chance(2)) shell_.work(now());
  }
  if (!mounts_first) shell_.tell_mounts(now());
  is_listing_known_ = !fails;
  if (fails) {
    note("the manifests cannot be read whole");
    shell_.feed(ListingFailed{"/manifests", "EIO"}, now());
  } else {
    shell_.feed(ListingCompleted{files()}, now());
  }
}

void World::tell_watches() {
  for (const int watch : kernel_.take_fired_watches())
    shell_.feed(WatchFired{watch}, now());
}

bool World::go_on() {
  if (shell_.work(now())) return true;
  if (shell_.are_mounts_stale() || shell_.are_mounts_to_confirm()) {
    shell_.tell_mounts(now());
    return true;
  }
  if (shell_.tell_devices(now())) return true;
  if (const auto fired = kernel_.take_fired_watches(); !fired.empty()) {
    for (const int watch : fired)
      shell_.feed(WatchFired{watch}, now());
    return true;
  }
  const auto wake = shell_.core().next_wake();
  if (!wake) return false;
  advance(std::max(wake->since_start - time_, Duration::zero()));
  return true;
}

void World::note_status() {
  for (const PodUid& uid : shell_.core().pods()) {
    const auto status = shell_.core().pod_status(uid);
    if (!status) continue;
    note("status " + status->name.str() + (status->ready ? " ready" : "") +
         (status->deleting ? " deleting " : " ") + status->message);
    for (const VolumeStatus& volume : status->volumes)
      note("  " + volume.name.str() + " " + std::string(to_string(volume.phase)) + " " + volume.reason + " " +
           volume.path + " " + volume.message);
  }
  for (const DeviceStatus& device : shell_.core().devices())
    note("device " + device.key + " " + std::string(to_string(device.phase)) + " " + device.reason + " " +
         device.message);
  for (const StuckOperation& stuck : shell_.stuck())
    note("stuck: " + stuck.what);
  for (const MountFact& fact : kernel_.mount_facts())
    note("mount " + fact.mount_point + " " + fact.type + " " + fact.source + " " + fact.root);
}

}  // namespace mooring::sim
