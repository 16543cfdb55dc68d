// The end of a life: faults stop, and everything must come to be as the manifests say, beside what hangs,
// with all that was gone, and without pods.

#include <algorithm>

#include "device_simulation.h"
#include "operation/format_stamp.h"
#include "step/layout.h"

namespace mooring::sim {
namespace {

constexpr int rounds = 6000;

}  // namespace

std::optional<std::string> DeviceSimulation::settle() {
  for (const auto& settle : {&DeviceSimulation::settle_beside_hanging, &DeviceSimulation::settle_with_all,
                             &DeviceSimulation::settle_without_pods}) {
    if (auto broken = (this->*settle)()) {
      note_status();
      return broken;
    }
  }
  return check_secrets();
}

/// Faults stop, and devices are where they belong.
void DeviceSimulation::put_right() {
  note("all faults stop");
  shell_.faults = {};
  has_surprises_ = false;
  kernel_.set_space(kernel_.root_dir(), std::nullopt);
  for (Storage& storage : storages_) {
    let_go(storage);
    if (storage.disk != nullptr) storage.disk->health = kernel::CheckResult::Clean;
    if (storage.is_device() && storage.node.empty()) plug(storage);
    storage.is_written = true;
  }
  shell_.end_stuck_local(now());
  read_manifests(false);
}

/// While a server or a device hangs, all others are served.
std::optional<std::string> DeviceSimulation::settle_beside_hanging() {
  put_right();
  if (answers_[0] && answers_[1]) change_server();
  for (int round = 0; round < rounds; ++round) {
    if (auto broken = check()) return broken;
    if (!difference(true)) return std::nullopt;
    if (!go_on()) break;
  }
  return *difference(true) + ", and something else hangs";
}

/// Devices that were unplugged while a pod had them are of no use to it any more: people start it again.
void DeviceSimulation::end_pods_of_dead_devices() {
  const auto keeps_dead = [&](const StoragePod& pod) {  // What its manifest does not name any more.
    const auto status = shell_.core().pod_status(derived_pod_uid(Namespace("default"), ObjectName(pod.name)));
    return status &&
           std::any_of(status->volumes.begin(), status->volumes.end(), [&](const VolumeStatus& one) {
             const Storage* storage =
                 one.name.str().starts_with("my-") ? find(one.name.str().substr(3)) : nullptr;
             return storage != nullptr && storage->is_dead;
           });
  };
  const auto is_of_dead = [&](const auto& pod) {
    return keeps_dead(pod.second) ||
           std::any_of(pod.second.volumes.begin(), pod.second.volumes.end(), [&](const PodVolume& volume) {
             const Storage* storage = find(volume.storage);
             return storage != nullptr && storage->is_dead;
           });
  };
  std::map<std::string, StoragePod> ended;
  for (const auto& pod : pods_) {
    if (is_of_dead(pod)) ended.insert(pod);
  }
  for (const auto& [file, pod] : ended)
    remove_pod(file);
  const auto is_any_dead = [&] {
    return std::any_of(storages_.begin(), storages_.end(), [](const Storage& one) { return one.is_dead; });
  };
  for (int round = 0; round < rounds && is_any_dead() && !check() && go_on(); ++round) {
  }
  for (const auto& [file, pod] : ended) {
    pods_[file] = pod;
    note("user: writes " + file + " again");
    tell(file);
  }
}

std::optional<std::string> DeviceSimulation::settle_with_all() {
  note("all servers answer");
  for (std::uint64_t server = 0; server < server_count; ++server) {
    answers_[server] = true;
    kernel_.set_server_answers(server_source(server), true);
  }
  while (shell_.end_stuck(now())) {
  }
  end_pods_of_dead_devices();
  auto left = difference(false);
  for (int round = 0; round < rounds && left; ++round) {
    if (auto broken = check()) return broken;
    if (!go_on()) break;
    left = difference(false);
  }
  if (left) return *left + " in the end";
  // What is as it should be stays so, while the others are tried again.
  constexpr int rounds_more = 30;
  for (int round = 0; round < rounds_more && go_on(); ++round) {
    if (auto broken = check()) return broken;
    if (shell_.are_mounts_stale()) continue;
    if ((left = difference(true))) return *left + ", and was";
  }
  return std::nullopt;
}

std::optional<std::string> DeviceSimulation::settle_without_pods() {
  while (!pods_.empty())
    remove_pod(pods_.begin()->first);
  for (int round = 0; round < rounds; ++round) {
    if (auto broken = check()) return broken;
    if (!go_on()) break;
  }
  if (shell_.core().next_wake()) return "the core does not come to rest";
  return leftover();
}

/// True if the volume waits for a server or a device that hangs, or for one that cannot be had.
bool DeviceSimulation::is_held_up(const StoragePod& pod, const PodVolume& volume) {
  const Storage* storage = volume.kind == PodVolume::Kind::Claim ? find(volume.storage) : nullptr;
  if (volume.kind == PodVolume::Kind::Nfs && !answers_[volume.server]) return true;
  if (storage != nullptr && (storage->is_dead || expected_reason(volume))) return true;
  return std::any_of(shell_.stuck().begin(), shell_.stuck().end(), [&](const StuckOperation& stuck) {
    if (stuck.what.ends_with("default/" + pod.name + "/" + volume.name)) return true;
    return storage != nullptr && stuck.what.ends_with(std::string(storage->plugin()) + "/" + storage->name);
  });
}

/// True for an image that was made once and that somebody removed: it is never made again.
bool DeviceSimulation::is_image_lost(const Storage& storage) const {
  const std::string stamp =
      kernel_.root_dir() + "/" +
      layout::image_stamp(PluginName(storage.plugin()), layout::VolumeElement(storage.name));
  return kernel_.exists(stamp) && !kernel_.exists(storage.image());
}

/// Why the volume cannot be had; nullopt: it can.
std::optional<std::string> DeviceSimulation::expected_reason(const PodVolume& volume) {
  if (volume.kind != PodVolume::Kind::Claim) return std::nullopt;
  const Storage& storage = *find(volume.storage);
  if (is_image_lost(storage)) return "ImageMissing";
  if (!storage.is_staged()) return std::nullopt;
  const DeviceContent content = storage.disk != nullptr ? storage.disk->content : DeviceContent();
  if (content.read_errno != 0) return "DeviceUnreadable";
  if (content.is_ambivalent) return "DeviceAmbivalent";
  if (!content.partition_table.empty()) return "DeviceHasPartitions";
  if (content.signature) {
    if (content.signature->usage != Signature::Usage::FileSystem) return "DeviceNotBlank";
    if (content.signature->type != "ext4") return "FilesystemMismatch";
    return std::nullopt;
  }
  if (content.data_offset) {
    if (storage.is_half_formatted) return std::nullopt;
    return "DeviceNotBlank";
  }
  const auto stamp = decode_format_stamp(kernel_.read(stamp_path(storage)));
  if (stamp && stamp.value().is_complete) return "FormattedBefore";
  // An image that was removed after formatting began is made as large as it is asked for now.
  const std::uint64_t size_bytes = storage.disk != nullptr
                                       ? storage.disk->size_bytes
                                       : std::max<std::uint64_t>(64, storage.capacity_mebibytes) << 20U;
  if (stamp && stamp.value().size_bytes != size_bytes) return "FormattedBefore";
  if (!storage.may_be_formatted) return "FormatForbidden";
  return std::nullopt;
}

/// What is not yet as the manifests say; nullopt: all is.
std::optional<std::string> DeviceSimulation::difference(bool leaves_out_hanging) {
  if (shell_.are_mounts_stale()) return "the core does not know the mount table";
  for (const auto& [file, pod] : pods_) {
    const auto status = shell_.core().pod_status(derived_pod_uid(Namespace("default"), ObjectName(pod.name)));
    for (const PodVolume& volume : pod.volumes) {
      const std::string name = pod.name + "/" + volume.name;
      if (leaves_out_hanging && is_held_up(pod, volume)) continue;
      if (!status) return pod.name + " is not known";
      const auto found = std::find_if(status->volumes.begin(), status->volumes.end(),
                                      [&](const VolumeStatus& one) { return one.name.str() == volume.name; });
      if (found == status->volumes.end()) return name + " is not known";
      const auto reason = expected_reason(volume);
      if (!reason && found->phase != Phase::Ready) return name + " is not ready: " + found->message;
      if (reason && found->phase == Phase::Ready) return name + " is ready, and is to be " + *reason;
      if (reason && found->reason != *reason)
        return name + " is " + found->reason + ", and is to be " + *reason + ": " + found->message;
      const Storage* storage = find(volume.storage);
      if (reason || leaves_out_hanging || storage == nullptr || storage->kind != StorageKind::Image) continue;
      if (storage->disk->file_system_bytes < storage->capacity_mebibytes << 20U)
        return name + " is smaller than it is asked for";
    }
  }
  return std::nullopt;
}

/// What is left when no pod is; nullopt: nothing but what volumes keep.
std::optional<std::string> DeviceSimulation::leftover() {
  const std::string root = kernel_.root_dir() + "/";
  for (const MountFact& fact : kernel_.mount_facts()) {
    if (fact.mount_point.starts_with(root)) return "a mount is left: " + fact.mount_point;
  }
  for (const auto& [node, device] : kernel_.disks().devices()) {
    // What holds a disk that was pulled can be found by nobody any more.
    const bool is_of_dead = device.is_loop() && !device.backing_path.starts_with("/srv/") &&
                            kernel_.disks().device_of(*device.backing) == nullptr;
    if (device.is_loop() && !is_of_dead)
      return "a loop device is left: " + node + " of " + device.backing_path;
  }
  if (!shell_.records().empty()) return "a record is left: " + shell_.records().begin()->first;
  if (!shell_.device_records().empty()) return "a record is left: " + shell_.device_records().begin()->first;
  if (!shell_.core().devices().empty()) return "a device is left: " + shell_.core().devices().front().key;
  for (const std::string& line : kernel_.tree_listing(kernel_.root_dir())) {
    const std::string relative = line.substr(root.size(), line.find(' ') - root.size());
    // A reboot unmounts what was staged and leaves no record of it: the empty directories are used again.
    const bool is_place = layout::parse_staged(relative) || layout::parse_device_map(relative);
    if ((is_place && !was_rebooted_) || relative.starts_with("pods/") || relative.starts_with("trash/"))
      return "something is left: " + line;
  }
  return std::nullopt;
}

}  // namespace mooring::sim
