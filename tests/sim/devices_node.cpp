// What the hardware does, and people and other programs with devices, mounts and servers.

#include <algorithm>
#include <utility>

#include "device_simulation.h"
#include "operation/format_stamp.h"
#include "step/layout.h"

namespace mooring::sim {
namespace {

const kernel::DeviceHolder somebody{4242, "qemu", "vm.service", "", "has it open"};

}  // namespace

std::string DeviceSimulation::staged_path(const Storage& storage) const {
  return kernel_.root_dir() + "/" +
         layout::staged(PluginName(storage.plugin()), layout::VolumeElement(storage.name));
}

std::string DeviceSimulation::stamp_path(const Storage& storage) const {
  return kernel_.root_dir() + "/" +
         layout::format_stamp(PluginName(storage.plugin()), layout::VolumeElement(storage.name));
}

/// The device that shows it now; nullptr: none does.
kernel::fake::BlockDevice* DeviceSimulation::device_of(const Storage& storage) {
  const std::string node = storage.is_image() ? kernel_.disks().node_of_image(storage.image()) : storage.node;
  return node.empty() ? nullptr : kernel_.disks().device_at(node);
}

/// True if anybody has it mounted, attached or open. What was erased of it then would be lost by nobody's
/// fault but theirs.
bool DeviceSimulation::is_used(const Storage& storage) {
  if (storage.is_dead || !storage.open.empty() || has_mounts(storage)) return true;
  const kernel::fake::BlockDevice* device = device_of(storage);
  if (device == nullptr) return false;
  if (storage.is_image() || !kernel_.disks().is_free(*device)) return true;
  const auto& devices = kernel_.disks().devices();
  return std::any_of(devices.begin(), devices.end(), [&](const auto& other) {
    return other.second.is_loop() && kernel_.disks().device_of(*other.second.backing) == device;
  });
}

/// What udev does when the device has another name.
void DeviceSimulation::lead_link(const Storage& storage) {
  kernel_.remove_all(storage.link());
  if (!storage.node.empty()) kernel_.put_symlink(storage.link(), storage.node);
}

void DeviceSimulation::node_acts() {
  Storage& storage = storages_[random_.below(storages_.size())];
  switch (random_.below(14)) {
    case 0:
    case 1:
      return unplug_or_plug(storage);
    case 2:
      return swap_nodes();
    case 3:
      return write_behind(storage);
    case 4:
    case 5:
      return unmount_behind(storage);
    case 6:
      return keep_busy(storage);
    case 7:
    case 8:
      return let_go(storage);
    case 9:
    case 10:
      return change_server();
    case 11:
      if (random_.chance(4)) return reboot();
      if (!is_listing_known_) read_manifests(false);
      return;
    case 12: {
      const bool is_full = random_.chance(4);
      if (is_full) note("node: the disk is full");
      kernel_.set_space(kernel_.root_dir(), is_full ? std::optional<std::uint64_t>(0) : std::nullopt);
      return;
    }
    default:
      shell_.end_stuck(now());
      return;
  }
}

void DeviceSimulation::unplug_or_plug(Storage& storage) {
  if (!storage.is_device()) return;
  if (storage.node.empty()) return plug(storage);
  note("node: " + storage.node + " of " + storage.name + " is unplugged");
  storage.is_dead = is_used(storage);
  storage.is_held = false;
  storage.open.erase(storage.node);
  storage.unplugged = storage.node;
  kernel_.disks().remove_device(storage.node);
  storage.node.clear();
  lead_link(storage);
}

void DeviceSimulation::plug(Storage& storage) {
  storage.node = "/dev/vd" + std::to_string(++numbers_);
  kernel_.disks().restore_device(storage.unplugged, storage.node);
  lead_link(storage);
  note("node: " + storage.name + " is plugged in as " + storage.node);
}

/// Two disks that nobody uses change their names, as they do over a reboot.
void DeviceSimulation::swap_nodes() {
  std::vector<Storage*> free;
  for (Storage& storage : storages_) {
    if (storage.is_device() && !storage.node.empty() && !storage.is_held && !is_used(storage))
      free.push_back(&storage);
  }
  if (free.size() < 2) return;
  const std::size_t first = random_.below(free.size());
  Storage& a = *free[first];
  Storage& b = *free[(first + 1) % free.size()];
  kernel_.disks().swap_devices(a.node, b.node);
  std::swap(a.node, b.node);
  lead_link(a);
  lead_link(b);
  note("node: " + a.name + " is " + a.node + " now, and " + b.name + " is " + b.node);
}

/// Somebody erases a device that nobody uses, or makes something else of it.
void DeviceSimulation::write_behind(Storage& storage) {
  const bool is_of_mooring =
      storage.is_good() && storage.kind != StorageKind::Data && !storage.is_directory();
  if (!is_of_mooring || storage.is_held || is_used(storage) || storage.disk == nullptr) return;
  if (storage.is_device() && storage.node.empty()) return;
  if (!random_.chance(3)) return;
  const std::string path = storage.is_image() ? storage.image() : storage.node;
  const auto stamp = decode_format_stamp(kernel_.read(stamp_path(storage)));
  if (storage.is_image() && random_.chance(3)) {
    note("somebody removes " + path);
    kernel_.remove_all(path);
    storage.disk.reset();
    storage.formats_seen = 0;
  } else if (random_.chance(2)) {
    note("somebody erases " + path);
    kernel_.disks().put_blank(path);
  } else if (random_.chance(2)) {
    note("somebody encrypts " + path);
    DeviceContent content;
    content.signature = Signature{Signature::Usage::Crypto, "crypto_LUKS", "", "", false};
    content.data_offset = 0;
    kernel_.disks().put_content(path, content);
  } else {
    note("somebody makes an ext4 on " + path);
    kernel_.disks().put_file_system(path, "ext4", "by-hand-" + std::to_string(++numbers_));
  }
  storage.files.clear();
  storage.is_half_formatted = false;
  // Mooring cannot know that it had ended.
  if (!stamp || !stamp.value().is_complete) storage.formats_forgiven = storage.formats_total;
}

/// Somebody unmounts where it is staged, or what a pod has.
void DeviceSimulation::unmount_behind(const Storage& storage) {
  // The core tells a mount that vanished from one that is not in its table yet by the order of two events.
  if (shell_.has_news_of(PodUid())) return;
  for (const auto& [file, pod] : pods_) {
    if (shell_.has_news_of(derived_pod_uid(Namespace("default"), ObjectName(pod.name)))) return;
  }
  std::vector<std::string> paths;
  for (const auto& [file, pod] : pods_) {
    for (const PodVolume& volume : pod.volumes) {
      const bool is_it = volume.storage == storage.name && !storage.is_raw();
      if (is_it || (volume.kind == PodVolume::Kind::Nfs && answers_[volume.server]))
        paths.push_back(path_of(pod.name, volume));
    }
  }
  if (storage.is_staged()) paths.push_back(staged_path(storage));
  if (paths.empty()) return;
  const std::string path = paths[random_.below(paths.size())];
  const auto facts = kernel_.mount_facts();
  const bool is_mounted = std::any_of(facts.begin(), facts.end(),
                                      [&](const MountFact& fact) { return fact.mount_point == path; });
  if (!is_mounted || kernel_.unmount_foreign(path) != 0) return;
  if (storage.is_staged() && path == staged_path(storage)) find(storage.name)->is_stage_disturbed = true;
  note("somebody unmounts " + path);
}

void DeviceSimulation::keep_busy(Storage& storage) {
  const kernel::fake::BlockDevice* device = device_of(storage);
  if (device == nullptr) return;
  const std::string node = device->facts.node;
  switch (random_.below(4)) {
    case 0:
      if (storage.is_image() || kernel_.disks().hold(node, somebody) != 0) return;
      storage.is_held = true;
      return note("somebody holds " + node + " of " + storage.name);
    case 1:
      if (storage.open.contains(node) || kernel_.disks().mark_open(node) != 0) return;
      storage.open.insert(node);
      return note("somebody has " + node + " of " + storage.name + " open");
    case 2: {
      const std::string path = "/media/" + storage.name;
      kernel_.put_directory(path);
      if (!storage.mounted_elsewhere.empty() || kernel_.mount_device(path, node) != 0) return;
      storage.mounted_elsewhere = path;
      return note("somebody mounts " + storage.name + " on " + path);
    }
    default: {
      const std::string path = staged_path(storage);
      const auto facts = kernel_.mount_facts();
      const bool is_staged = std::any_of(facts.begin(), facts.end(),
                                         [&](const MountFact& fact) { return fact.mount_point == path; });
      if (!is_staged || storage.open.contains(path) || kernel_.mark_open(path) != 0) return;
      storage.open.insert(path);
      return note("somebody has a file open in " + path);
    }
  }
}

/// All who have it let it go, and what it has of errors is corrected or comes to be.
void DeviceSimulation::let_go(Storage& storage) {
  if (storage.is_held) kernel_.disks().release(storage.node);
  storage.is_held = false;
  for (const std::string& what : std::exchange(storage.open, {}))
    what.starts_with("/dev/") ? kernel_.disks().mark_closed(what) : kernel_.mark_closed(what);
  if (!storage.mounted_elsewhere.empty() && kernel_.unmount_foreign(storage.mounted_elsewhere) == 0)
    storage.mounted_elsewhere.clear();
  if (storage.disk != nullptr && storage.is_staged()) {
    storage.disk->health = random_.chance(4)   ? kernel::CheckResult::Broken
                           : random_.chance(3) ? kernel::CheckResult::Repaired
                                               : kernel::CheckResult::Clean;
  }
}

void DeviceSimulation::change_server() {
  const std::uint64_t server = random_.below(server_count);
  answers_[server] = !answers_[server];
  kernel_.set_server_answers(server_source(server), answers_[server]);
  note("node: " + server_source(server) + (answers_[server] ? " answers again" : " is gone"));
}

/// Between two calls of one operation the world goes on; only between the last look and the first byte that
/// mkfs writes nobody can see it.
void DeviceSimulation::act_within(std::string_view call) {
  const bool is_look =
      call == "find" || call == "lock" || call == "probe" || call == "is_free" || call == "attach_image";
  if (is_acting_within_ || !shell_.is_running() || !has_surprises_ || !is_look || !random_.chance(40)) return;
  is_acting_within_ = true;
  Storage& storage = storages_[random_.below(storages_.size())];
  switch (random_.below(4)) {
    case 0:
      swap_nodes();
      break;
    case 1:
      write_behind(storage);
      break;
    case 2:
      keep_busy(storage);
      break;
    default:
      unplug_or_plug(storage);
      break;
  }
  is_acting_within_ = false;
}

}  // namespace mooring::sim
