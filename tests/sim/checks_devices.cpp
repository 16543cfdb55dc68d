// What must hold of volumes that outlive pods, after every step.

#include <algorithm>

#include "device_simulation.h"
#include "step/layout.h"

namespace mooring::sim {
namespace {

bool is_blank(const DeviceContent& content) {
  return !content.signature && content.partition_table.empty() && !content.is_ambivalent &&
         content.read_errno == 0 && !content.data_offset;
}

const MountFact* mount_at(const std::vector<MountFact>& facts, const std::string& path) {
  const auto found = std::find_if(facts.rbegin(), facts.rend(),
                                  [&](const MountFact& fact) { return fact.mount_point == path; });
  return found == facts.rend() ? nullptr : &*found;
}

}  // namespace

/// Follows what became of it since the last look.
void DeviceSimulation::look_at(Storage& storage) {
  if (const kernel::fake::BlockDevice* device = device_of(storage)) storage.disk = device->disk;
  if (storage.disk != nullptr && storage.disk->formats != storage.formats_seen) {
    storage.formats_total += storage.disk->formats - storage.formats_seen;
    storage.formats_seen = storage.disk->formats;
    storage.is_half_formatted = false;
  }
  if (storage.is_dead) storage.is_dead = has_mounts(storage);
}

/// True if anything of it is mounted or bound, for pods or by others.
bool DeviceSimulation::has_mounts(const Storage& storage) const {
  const auto facts = kernel_.mount_facts();
  return !storage.mounted_elsewhere.empty() ||
         std::any_of(facts.begin(), facts.end(), [&](const MountFact& fact) {
           return fact.mount_point.starts_with(kernel_.root_dir() + "/") &&
                  (fact.mount_point + "/").find("/" + storage.name + "/") != std::string::npos;
         });
}

/// Only what is proven blank is ever formatted, and what Mooring itself left half made.
void DeviceSimulation::see_format(std::string_view call, const std::string& path, bool before) {
  if (!before || !call.starts_with("format")) return;
  const auto storage = std::find_if(storages_.begin(), storages_.end(), [&](const Storage& one) {
    const kernel::fake::BlockDevice* device = device_of(one);
    return device != nullptr && device->facts.node == path;
  });
  if (storage == storages_.end()) {
    bad_format_ = path + " is formatted, and is nobody's volume";
    return;
  }
  look_at(*storage);
  if (call == "format.half") {
    storage->is_half_formatted = true;
    return;
  }
  const DeviceContent& content = storage->disk->content;
  const bool is_own_work = storage->is_half_formatted && !content.signature;
  if (!storage->may_be_formatted || storage->is_raw() || storage->is_read_only)
    bad_format_ = storage->name + " is formatted, and may not be";
  if (!is_blank(content) && !is_own_work) bad_format_ = storage->name + " is formatted, and was not blank";
  if (!storage->files.empty()) bad_format_ = storage->name + " is formatted, and had files";
}

std::optional<std::string> DeviceSimulation::check() {
  if (!shell_.ledger().broken().empty()) return shell_.ledger().broken();
  for (Storage& storage : storages_)
    look_at(storage);
  for (const auto& broken :
       {check_formats(), check_files(), check_loops(), check_mounts(), check_status(), check_waits()}) {
    if (broken) return broken;
  }
  return std::nullopt;
}

/// A volume is formatted once in its life.
std::optional<std::string> DeviceSimulation::check_formats() const {
  if (!bad_format_.empty()) return bad_format_;
  for (const Storage& storage : storages_) {
    if (storage.formats_total > storage.formats_forgiven + 1) return storage.name + " was formatted twice";
  }
  return std::nullopt;
}

/// What was written into a volume stays in it, whatever becomes of the pods.
std::optional<std::string> DeviceSimulation::check_files() const {
  for (const Storage& storage : storages_) {
    for (const auto& [name, content] : storage.files) {
      std::string found;
      if (storage.is_directory()) {
        found = kernel_.read(storage.directory() + "/" + name);
      } else if (storage.disk != nullptr && storage.disk->file_system != nullptr) {
        const auto file = storage.disk->file_system->root->child(name);
        if (file != nullptr) found = file->content;
      }
      if (found != content) return "a file in " + storage.name + " is lost: " + name;
    }
  }
  for (std::uint64_t server = 0; server < server_count; ++server) {
    const auto& root = kernel_.source(server_source(server))->file_system->root;
    for (const std::string& name : server_files_[server]) {
      if (root->child(name) == nullptr) return "a file on " + server_source(server) + " is lost: " + name;
    }
  }
  return std::nullopt;
}

/// Two loop devices of one image have a cache each, and destroy what is on it.
std::optional<std::string> DeviceSimulation::check_loops() {
  std::set<const kernel::fake::Inode*> seen;
  for (const auto& [node, device] : kernel_.disks().devices()) {
    if (device.is_loop() && !seen.insert(device.backing.get()).second)
      return "two loop devices of one file: " + node + " of " + device.backing_path;
  }
  return std::nullopt;
}

const kernel::fake::BlockDevice* DeviceSimulation::device_with(std::uint32_t major, std::uint32_t minor) {
  for (const auto& [node, device] : kernel_.disks().devices()) {
    if (device.facts.device_major == major && device.facts.device_minor == minor) return &device;
  }
  return nullptr;
}

std::optional<std::string> DeviceSimulation::check_mounts() {
  const std::vector<MountFact> facts = kernel_.mount_facts();
  std::set<std::string> seen;
  for (const MountFact& fact : facts) {
    if (!fact.mount_point.starts_with(kernel_.root_dir() + "/")) continue;
    if (!seen.insert(fact.mount_point).second) return "two mounts at one place: " + fact.mount_point;
    if (auto broken = check_mount(fact, facts)) return broken;
  }
  for (Storage& storage : storages_) {
    if (seen.contains(staged_path(storage))) storage.is_stage_disturbed = false;
  }
  return std::nullopt;
}

/// What is mounted for a volume is that volume's, and what pods have of it keeps it staged and attached.
std::optional<std::string> DeviceSimulation::check_mount(const MountFact& fact,
                                                         const std::vector<MountFact>& facts) {
  const std::string_view relative = std::string_view(fact.mount_point).substr(kernel_.root_dir().size() + 1);
  const auto of_pod = layout::parse_volume(relative);
  const auto of_node = layout::parse_staged(relative);
  const Storage* storage = of_pod    ? find(of_pod->directory.str())
                           : of_node ? find(of_node->volume.str())
                                     : nullptr;
  if (storage == nullptr) return std::nullopt;
  const std::string owner = kernel_.read(fact.mount_point + "/owner");
  if (!owner.empty() && owner != storage->name) return fact.mount_point + " shows the files of " + owner;
  if (storage->is_directory()) {
    if (fact.root != storage->directory()) return fact.mount_point + " shows another directory: " + fact.root;
    return std::nullopt;
  }
  const kernel::fake::BlockDevice* device = device_with(fact.device_major, fact.device_minor);
  if (device == nullptr && storage->is_image())
    return storage->name + " is mounted at " + fact.mount_point + ", and its image is detached";
  if (device != nullptr && device->disk != storage->disk)
    return fact.mount_point + " shows another device: " + device->facts.node;
  if (of_pod && !storage->is_stage_disturbed && mount_at(facts, staged_path(*storage)) == nullptr)
    return storage->name + " is not staged any more, and a pod has it: " + fact.mount_point;
  return std::nullopt;
}

/// A pod is ready when it has every volume; what is not ready says why.
std::optional<std::string> DeviceSimulation::check_status() {
  for (const PodUid& uid : shell_.core().pods()) {
    const auto status = shell_.core().pod_status(uid);
    if (!status) continue;
    const auto pod = pods_.find(status->name.str() + ".yaml");
    for (const VolumeStatus& volume : status->volumes) {
      const std::string name = status->name.str() + "/" + volume.name.str();
      if (volume.phase != Phase::Ready && (volume.reason.empty() || volume.message.empty()))
        return "a volume does not say why it is not ready: " + name;
      if (!status->ready || pod == pods_.end()) continue;
      const auto& wanted = pod->second.volumes;
      if (std::none_of(wanted.begin(), wanted.end(),
                       [&](const PodVolume& one) { return one.name == volume.name.str(); }))
        continue;
      if (volume.phase != Phase::Ready) return "a pod is ready and its volume is not: " + name;
      if (shell_.are_mounts_stale()) continue;
      if (auto broken = check_ready(*status, volume)) return broken;
    }
  }
  return std::nullopt;
}

/// Who is told that a pod is ready finds the volume, and a raw device that cannot be let go.
std::optional<std::string> DeviceSimulation::check_ready(const PodStatus& status,
                                                         const VolumeStatus& volume) {
  constexpr std::string_view prefix = "my-";  // Of a claim's volume.
  const Storage* storage =
      volume.name.str().starts_with(prefix) ? find(volume.name.str().substr(prefix.size())) : nullptr;
  if (storage == nullptr) return std::nullopt;
  const std::string name = status.name.str() + "/" + volume.name.str();
  if (!storage->is_raw()) {
    if (mount_at(kernel_.mount_facts(), volume.path) == nullptr)
      return "a volume is said to be ready and is not mounted: " + name;
    return std::nullopt;
  }
  const auto there = kernel_.status(volume.path);
  if (!there || there->type != kernel::FileType::BlockDevice)
    return "a raw device is said to be ready and is not there: " + name;
  if (storage->is_dead || (storage->is_device() && storage->node.empty())) return std::nullopt;
  const kernel::fake::BlockDevice* device = device_of(*storage);
  if (device == nullptr) return "a pod has a raw device whose image is detached: " + name;
  const auto node = kernel_.status(device->facts.node);
  if (!node || node->inode != there->inode || node->device != there->device)
    return "a pod has another raw device: " + name;
  const auto& devices = kernel_.disks().devices();
  const bool is_kept = std::any_of(devices.begin(), devices.end(), [&](const auto& other) {
    return other.second.is_loop() && kernel_.disks().device_of(*other.second.backing) == device;
  });
  return is_kept ? std::nullopt : std::optional("nothing keeps the raw device of " + name);
}

/// Who waits for a server is a worker of its own, for a volume of that server.
std::optional<std::string> DeviceSimulation::check_waits() const {
  for (const StuckOperation& stuck : shell_.waited_for_server) {
    if (stuck.lane != Lane::Own) return "what all wait for waited for a server: " + stuck.what;
    if (stuck.what.find("/nfs") == std::string::npos)
      return "the work on another volume waited for a server: " + stuck.what;
  }
  return std::nullopt;
}

std::optional<std::string> DeviceSimulation::check_secrets() const {
  const auto is_told = [](const std::string& text) { return text.find(secret_value) != std::string::npos; };
  if (std::any_of(trace_.begin(), trace_.end(), is_told)) return "a secret is in the log";
  for (const auto* records : {&shell_.records(), &shell_.device_records()}) {
    for (const auto& [name, bytes] : *records) {
      if (is_told(bytes)) return "a secret is in the record " + name;
    }
  }
  return std::nullopt;
}

}  // namespace mooring::sim
