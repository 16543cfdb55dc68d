#include "storage.h"

#include <algorithm>
#include <iterator>

namespace mooring::sim {
namespace {

std::string source_of(const Storage& storage) {
  const std::string read_only = storage.is_read_only ? "    readOnly: true\n" : "";
  if (storage.is_local()) {
    const std::string path = storage.is_directory() ? storage.directory() : storage.link();
    return "  local: {path: " + path +
           "}\n  nodeAffinity:\n    required:\n      nodeSelectorTerms:\n"
           "      - matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node]}]\n";
  }
  std::string attributes;
  if (storage.is_image()) {
    attributes = "image: " + storage.image() + ", size: 64Mi";
  } else if (storage.kind == StorageKind::Data) {
    attributes = "uuid: \"" + storage.uuid() + "\"";
  } else {
    attributes = storage.is_named_by_link ? "device: " + storage.link() : "wwid: " + storage.wwid();
    attributes += std::string(", format: ") + (storage.may_be_formatted ? "IfBlank" : "Never");
  }
  return "  csi:\n    driver: block.mooring.io\n    volumeHandle: " + storage.name + "\n" + read_only +
         "    volumeAttributes: {" + attributes + "}\n";
}

std::string source_of(const PodVolume& volume) {
  switch (volume.kind) {
    case PodVolume::Kind::Claim:
      return "persistentVolumeClaim: {claimName: " + volume.storage + "}";
    case PodVolume::Kind::Nfs: {
      const std::string source = server_source(volume.server);
      const std::size_t colon = source.find(':');
      return "nfs: {server: " + source.substr(0, colon) + ", path: " + source.substr(colon + 1) + "}";
    }
    case PodVolume::Kind::Disk:
      return "emptyDir: {}";
    case PodVolume::Kind::Memory:
      return "emptyDir: {medium: Memory, sizeLimit: 16Mi}";
    case PodVolume::Kind::Secret:
      break;
  }
  return "secret: {secretName: token}";
}

}  // namespace

std::vector<Storage> random_storages(Random& random) {
  constexpr StorageKind good[] = {StorageKind::Image,   StorageKind::Image,     StorageKind::Disk,
                                  StorageKind::Disk,    StorageKind::Data,      StorageKind::RawImage,
                                  StorageKind::RawDisk, StorageKind::LocalDisk, StorageKind::LocalDirectory};
  constexpr StorageKind bad[] = {StorageKind::Luks,       StorageKind::Partitions, StorageKind::Unreadable,
                                 StorageKind::Ambivalent, StorageKind::Unsigned,   StorageKind::OtherType};
  std::vector<Storage> storages;
  const std::uint64_t count = 4 + random.below(3);
  for (std::uint64_t i = 0; i < count; ++i) {
    Storage storage;
    storage.name = "s" + std::to_string(i);
    storage.number = i;
    storage.kind =
        i > 2 && random.chance(3) ? bad[random.below(std::size(bad))] : good[random.below(std::size(good))];
    storage.is_named_by_link = random.chance(2) || storage.kind == StorageKind::LocalDisk;
    storage.is_read_only = storage.kind == StorageKind::Data && random.chance(3);
    storage.may_be_formatted =
        storage.kind != StorageKind::Data && (storage.kind != StorageKind::Disk || !random.chance(6));
    storages.push_back(std::move(storage));
  }
  return storages;
}

StoragePod random_storage_pod(const std::string& name, const std::vector<Storage>& storages, Random& random) {
  constexpr const char* policies[] = {"Wait", "Force", "Lazy"};
  StoragePod pod;
  pod.name = name;
  pod.unmount_policy = policies[random.below(std::size(policies))];
  const auto add = [&](PodVolume volume) {
    const bool is_new = std::none_of(pod.volumes.begin(), pod.volumes.end(),
                                     [&](const PodVolume& other) { return other.name == volume.name; });
    if (is_new) pod.volumes.push_back(std::move(volume));
  };
  const std::uint64_t count = 1 + random.below(3);
  for (std::uint64_t i = 0; i < count; ++i) {
    switch (random.below(10)) {
      case 0:
        add({"disk", PodVolume::Kind::Disk});
        break;
      case 1:
        add(random.chance(2) ? PodVolume{"memory", PodVolume::Kind::Memory}
                             : PodVolume{"secret", PodVolume::Kind::Secret});
        break;
      case 2:
      case 3: {
        const std::uint64_t server = random.below(server_count);
        add({"nfs" + std::to_string(server), PodVolume::Kind::Nfs, server});
        break;
      }
      default: {
        const std::string& claim = storages[random.below(storages.size())].name;
        add({"my-" + claim, PodVolume::Kind::Claim, 0, claim});
        break;
      }
    }
  }
  return pod;
}

std::string server_source(std::uint64_t server) {
  return "nas" + std::to_string(server) + ":/export";
}

std::string manifest_of(const Storage& storage) {
  const std::string mode = storage.is_raw() ? "Block" : "Filesystem";
  return "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: " + storage.name +
         "}\nspec:\n  capacity: {storage: " + std::to_string(storage.capacity_mebibytes) +
         "Mi}\n  accessModes: [ReadWriteMany]\n  volumeMode: " + mode +
         "\n  claimRef: {namespace: default, name: " + storage.name + "}\n" + source_of(storage) +
         "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: " + storage.name +
         "}\nspec:\n  accessModes: [ReadWriteMany]\n  volumeName: " + storage.name +
         "\n  storageClassName: ''\n  volumeMode: " + mode + "\n  resources: {requests: {storage: 1Mi}}\n";
}

std::string manifest_of(const StoragePod& pod, const std::vector<Storage>& storages) {
  std::string mounts;
  std::string devices;
  std::string volumes;
  for (const PodVolume& volume : pod.volumes) {
    const auto storage = std::find_if(storages.begin(), storages.end(),
                                      [&](const Storage& one) { return one.name == volume.storage; });
    if (storage != storages.end() && storage->is_raw()) {
      devices += "    - {name: " + volume.name + ", devicePath: /dev/" + volume.name + "}\n";
    } else {
      mounts += "    - {name: " + volume.name + ", mountPath: /" + volume.name + "}\n";
    }
    volumes += "  - name: " + volume.name + "\n    " + source_of(volume) + "\n";
  }
  return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " + pod.name +
         "\n  annotations: {mooring.io/unmount-policy: " + pod.unmount_policy +
         "}\nspec:\n  containers:\n  - name: main\n    image: busybox\n" +
         (mounts.empty() ? "" : "    volumeMounts:\n" + mounts) +
         (devices.empty() ? "" : "    volumeDevices:\n" + devices) + "  volumes:\n" + volumes;
}

std::string manifest_of_secret() {
  return std::string("apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {token: ") +
         secret_value + "}\n";
}

}  // namespace mooring::sim
