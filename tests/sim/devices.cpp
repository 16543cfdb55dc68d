// Users of volumes that outlive pods, and what containers do with them.

#include <algorithm>
#include <cerrno>

#include "device_simulation.h"
#include "step/layout.h"

namespace mooring::sim {
namespace {

constexpr std::uint64_t steps = 260;
constexpr std::uint64_t mebibyte = 1ULL << 20U;
constexpr const char* secret_file = "token.yaml";

/// What a device that holds what nobody may write over answers to a look.
kernel::fake::Disk bad_disk(StorageKind kind) {
  kernel::fake::Disk disk;
  DeviceContent& content = disk.content;
  content.data_offset = 0;
  switch (kind) {
    case StorageKind::Luks:
      content.signature = Signature{Signature::Usage::Crypto, "crypto_LUKS", "", "", false};
      break;
    case StorageKind::Partitions:
      content.partition_table = "gpt";
      break;
    case StorageKind::Unreadable:
      content.data_offset.reset();
      content.read_errno = EIO;
      break;
    case StorageKind::Ambivalent:
      content.is_ambivalent = true;
      break;
    default:
      content.data_offset = 4096 * 7;
      break;
  }
  return disk;
}

}  // namespace

DeviceSimulation::DeviceSimulation(std::uint64_t seed)
    : World(seed, steps), storages_(random_storages(random_)) {
  for (const Storage& storage : storages_)
    note("there is\n" + manifest_of(storage));
  put_hardware();
  shell_.observer = [this](std::string_view call, const std::string& path, bool before) {
    see_format(call, path, before);
    if (before) act_within(call);
  };
  if (random_.chance(2)) shell_.faults.errno_one_in = 20 + random_.below(150);
  if (random_.chance(2)) shell_.faults.crash_one_in = 40 + random_.below(300);
  if (random_.chance(3)) shell_.faults.hang_one_in = 100 + random_.below(300);
  if (random_.chance(3)) shell_.faults.record_one_in = 8;
  if (random_.chance(2)) shell_.faults.format_one_in = 2;
  has_surprises_ = random_.chance(2);
}

void DeviceSimulation::put_hardware() {
  kernel_.put_directory("/srv/images");
  for (std::uint64_t server = 0; server < server_count; ++server)
    kernel_.put_server(server_source(server));
  for (Storage& storage : storages_) {
    if (storage.is_directory()) {
      kernel_.put_file(storage.directory() + "/precious", "somebody's");
      storage.files["precious"] = "somebody's";
    }
    if (!storage.is_device()) continue;
    storage.node = "/dev/sd" + std::string(1, static_cast<char>('a' + storage.number));
    kernel_.disks().put_device(storage.node, 64 * mebibyte, storage.wwid());
    storage.disk = kernel_.disks().device_at(storage.node)->disk;
    lead_link(storage);
    if (storage.kind == StorageKind::Data || storage.kind == StorageKind::OtherType) {
      const bool is_data = storage.kind == StorageKind::Data;
      kernel_.disks().put_file_system(storage.node, is_data ? "ext4" : "xfs", storage.uuid());
      kernel_.put_directory("/mnt/put");
      kernel_.mount_device("/mnt/put", storage.node);
      kernel_.put_file("/mnt/put/precious", "somebody's");
      kernel_.unmount_foreign("/mnt/put");
      storage.files["precious"] = "somebody's";
    } else if (!storage.is_good()) {
      kernel_.disks().put_content(storage.node, bad_disk(storage.kind).content);
    }
  }
}

void DeviceSimulation::step() {
  advance(std::chrono::microseconds(random_.below(2000)));
  switch (random_.below(16)) {
    case 0:
    case 1:
      return user_acts();
    case 2:
    case 3:
      return node_acts();
    case 4:
      return put_file();
    case 5:
      return advance(std::chrono::milliseconds(random_.below(20'000)));
    case 6:
      shell_.tell_mounts(now());
      return tell_watches();
    case 7:
      shell_.tell_devices(now());
      return;
    default:
      shell_.work(now());
      return;
  }
}

Storage* DeviceSimulation::find(std::string_view name) {
  const auto found = std::find_if(storages_.begin(), storages_.end(),
                                  [&](const Storage& storage) { return storage.name == name; });
  return found == storages_.end() ? nullptr : &*found;
}

const Storage* DeviceSimulation::find(std::string_view name) const {
  const auto found = std::find_if(storages_.begin(), storages_.end(),
                                  [&](const Storage& storage) { return storage.name == name; });
  return found == storages_.end() ? nullptr : &*found;
}

/// Where a container finds the volume.
std::string DeviceSimulation::path_of(const std::string& pod, const PodVolume& volume) const {
  const PodUid uid = derived_pod_uid(Namespace("default"), ObjectName(pod));
  const Storage* storage = find(volume.storage);
  const PluginName plugin(volume.kind == PodVolume::Kind::Claim    ? storage->plugin()
                          : volume.kind == PodVolume::Kind::Nfs    ? "kubernetes.io/nfs"
                          : volume.kind == PodVolume::Kind::Secret ? "kubernetes.io/secret"
                                                                   : "kubernetes.io/empty-dir");
  const VolumeDirectory directory(volume.directory());
  const bool is_raw = storage != nullptr && storage->is_raw();
  return kernel_.root_dir() + "/" +
         (is_raw ? layout::device(uid, plugin, directory) : layout::volume(uid, plugin, directory));
}

std::vector<std::string> DeviceSimulation::files() const {
  std::vector<std::string> all{secret_file};
  for (const auto& [file, pod] : pods_)
    all.push_back(file);
  for (const Storage& storage : storages_) {
    if (storage.is_written) all.push_back(storage.name + ".yaml");
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::string DeviceSimulation::text_of(const std::string& file) const {
  if (file == secret_file) return manifest_of_secret();
  const auto pod = pods_.find(file);
  if (pod != pods_.end()) return manifest_of(pod->second, storages_);
  const Storage* storage = find(file.substr(0, file.find('.')));
  return storage != nullptr && storage->is_written ? manifest_of(*storage) : std::string();
}

void DeviceSimulation::node_rebooted() {
  was_rebooted_ = true;
  for (Storage& storage : storages_) {
    storage.is_dead = false;
    storage.is_stage_disturbed = false;
    storage.is_held = false;
    storage.open.clear();
    storage.mounted_elsewhere.clear();
  }
  if (random_.chance(2)) swap_nodes();
}

void DeviceSimulation::user_acts() {
  switch (random_.below(10)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return write_pod();
    case 4:
    case 5:
      if (!pods_.empty())
        remove_pod(std::next(pods_.begin(), static_cast<long>(random_.below(pods_.size())))->first);
      return;
    case 6:
    case 7:
      return change_storage();
    case 8:
      note("user: retry");
      return shell_.feed(RetryRequested{}, now());
    default:
      return restart();
  }
}

void DeviceSimulation::write_pod() {
  const std::string name = "p" + std::to_string(random_.below(4));
  const std::string file = name + ".yaml";
  if (pods_.contains(file)) return;
  pods_[file] = random_storage_pod(name, storages_, random_);
  note("user: writes " + file + "\n" + manifest_of(pods_[file], storages_));
  tell(file);
}

/// By value: what names the pod goes with it.
void DeviceSimulation::remove_pod(std::string file) {
  note("user: removes " + file);
  pods_.erase(file);
  tell(file);
}

/// A claim and its PersistentVolume are taken away for a while, or say another size.
void DeviceSimulation::change_storage() {
  Storage& storage = storages_[random_.below(storages_.size())];
  if (random_.chance(3)) {
    storage.is_written = !storage.is_written;
    note("user: " + storage.name + ".yaml is " + (storage.is_written ? "there again" : "taken away"));
  } else {
    storage.capacity_mebibytes = 32 + 32 * random_.below(8);
    note("user: " + storage.name + " is to have " + std::to_string(storage.capacity_mebibytes) + "Mi");
  }
  tell(storage.name + ".yaml");
}

/// A container writes into a volume that it was given. The first file says whose volume it is.
void DeviceSimulation::put_file() {
  if (!shell_.is_running() || shell_.are_mounts_stale()) return;
  for (const auto& [file, pod] : pods_) {
    const auto status = shell_.core().pod_status(derived_pod_uid(Namespace("default"), ObjectName(pod.name)));
    if (!status || !status->ready) continue;
    for (const PodVolume& volume : pod.volumes) {
      const std::string path = path_of(pod.name, volume);
      const std::string name = "file" + std::to_string(++numbers_);
      if (volume.kind == PodVolume::Kind::Nfs) {
        if (answers_[volume.server] && kernel_.put_file(path + "/" + name, name) == 0)
          server_files_[volume.server].insert(name);
        continue;
      }
      Storage* storage = volume.kind == PodVolume::Kind::Claim ? find(volume.storage) : nullptr;
      if (storage == nullptr || storage->is_raw() || storage->is_dead) continue;
      if (!storage->files.contains("owner") && kernel_.put_file(path + "/owner", storage->name) == 0)
        storage->files["owner"] = storage->name;
      if (kernel_.put_file(path + "/" + name, name) == 0) storage->files[name] = name;
    }
  }
}

}  // namespace mooring::sim
