#include "driver_volumes.h"

#include <algorithm>

namespace mooring::sim {

std::string csi_name(std::size_t number) {
  return "csi" + std::to_string(number) + ".sim.io";
}

std::string flex_name(std::size_t number) {
  return "sim/flex" + std::to_string(number);
}

std::string flex_secret(std::size_t number) {
  return "flex" + std::to_string(number);
}

void add_random_volumes(std::vector<DriverVolume>& volumes, bool is_csi, std::size_t driver, Random& random) {
  const std::uint64_t count = 1 + random.below(2);
  for (std::uint64_t i = 0; i < count; ++i) {
    DriverVolume volume;
    volume.name = "s" + std::to_string(volumes.size());
    volume.is_csi = is_csi;
    volume.driver = driver;
    volume.is_raw = is_csi && random.chance(3);
    volume.has_secret = random.chance(2);
    volume.is_shared = random.chance(2);
    volumes.push_back(volume);
  }
}

DriverPod random_driver_pod(const std::string& name, const std::vector<DriverVolume>& volumes,
                            std::size_t csi_count, std::size_t flex_count, Random& random) {
  using Kind = DriverPodVolume::Kind;
  DriverPod pod;
  pod.name = name;
  pod.has_group = random.chance(5);
  const auto add = [&](DriverPodVolume volume) {
    const bool is_new = std::none_of(pod.volumes.begin(), pod.volumes.end(),
                                     [&](const DriverPodVolume& other) { return other.name == volume.name; });
    if (is_new) pod.volumes.push_back(std::move(volume));
  };
  const std::uint64_t count = 1 + random.below(3);
  for (std::uint64_t i = 0; i < count; ++i) {
    switch (random.below(8)) {
      case 0:
        add({"disk", Kind::Disk});
        break;
      case 1: {
        const std::size_t driver = random.below(csi_count);
        add({"inline" + std::to_string(driver), Kind::CsiInline, {}, driver});
        break;
      }
      case 2: {
        const std::size_t driver = random.below(flex_count);
        add({"flex" + std::to_string(driver), Kind::FlexInline, {}, driver});
        break;
      }
      default: {
        const std::string& claim = volumes[random.below(volumes.size())].name;
        add({"my-" + claim, Kind::Claim, claim});
        break;
      }
    }
  }
  return pod;
}

std::string manifest_of(const DriverVolume& volume) {
  const std::string mode = volume.is_raw ? "Block" : "Filesystem";
  const std::string access = volume.is_shared ? "ReadWriteMany" : "ReadWriteOnce";
  std::string source;
  if (volume.is_csi) {
    const char* secret = ": {name: token, namespace: default}\n";
    source = "  csi:\n    driver: " + csi_name(volume.driver) + "\n    volumeHandle: " + volume.handle() +
             "\n    fsType: ext4\n    volumeAttributes: {share: a}\n";
    if (volume.has_secret)
      source += std::string("    nodeStageSecretRef") + secret + "    nodePublishSecretRef" + secret;
  } else {
    source = "  flexVolume:\n    driver: " + flex_name(volume.driver) + "\n    options: {share: a}\n";
    if (volume.has_secret)
      source += "    secretRef: {name: " + flex_secret(volume.driver) + ", namespace: default}\n";
  }
  return "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: " + volume.name +
         "}\nspec:\n  capacity: {storage: " + std::to_string(volume.capacity_mebibytes) +
         "Mi}\n  accessModes: [" + access + "]\n  volumeMode: " + mode +
         "\n  claimRef: {namespace: default, name: " + volume.name + "}\n" + source +
         "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: " + volume.name +
         "}\nspec:\n  accessModes: [" + access + "]\n  volumeName: " + volume.name +
         "\n  storageClassName: ''\n  volumeMode: " + mode + "\n  resources: {requests: {storage: 1Mi}}\n";
}

namespace {

std::string source_of(const DriverPodVolume& volume) {
  switch (volume.kind) {
    case DriverPodVolume::Kind::Claim:
      return "persistentVolumeClaim: {claimName: " + volume.claim + "}";
    case DriverPodVolume::Kind::CsiInline:
      return "csi: {driver: " + csi_name(volume.driver) + ", nodePublishSecretRef: {name: token}}";
    case DriverPodVolume::Kind::FlexInline:
      return "flexVolume: {driver: " + flex_name(volume.driver) +
             ", secretRef: {name: " + flex_secret(volume.driver) + "}}";
    case DriverPodVolume::Kind::Disk:
      break;
  }
  return "emptyDir: {}";
}

}  // namespace

std::string manifest_of(const DriverPod& pod, const std::vector<DriverVolume>& volumes) {
  std::string mounts;
  std::string devices;
  std::string sources;
  for (const DriverPodVolume& volume : pod.volumes) {
    const auto claimed = std::find_if(volumes.begin(), volumes.end(),
                                      [&](const DriverVolume& one) { return one.name == volume.claim; });
    if (claimed != volumes.end() && claimed->is_raw) {
      devices += "    - {name: " + volume.name + ", devicePath: /dev/" + volume.name + "}\n";
    } else {
      mounts += "    - {name: " + volume.name + ", mountPath: /" + volume.name + "}\n";
    }
    sources += "  - name: " + volume.name + "\n    " + source_of(volume) + "\n";
  }
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + pod.name + "}\nspec:\n" +
         (pod.has_group ? "  securityContext: {fsGroup: 2000}\n" : "") +
         "  containers:\n  - name: main\n    image: busybox\n" +
         (mounts.empty() ? "" : "    volumeMounts:\n" + mounts) +
         (devices.empty() ? "" : "    volumeDevices:\n" + devices) + "  volumes:\n" + sources;
}

std::string manifest_of_objects(std::size_t csi_count, std::size_t flex_count) {
  std::string text =
      std::string("apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {token: ") +
      driver_secret + "}\n";
  for (std::size_t i = 0; i < csi_count; ++i)
    text += "---\napiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: " + csi_name(i) +
            "}\nspec: {attachRequired: false, podInfoOnMount: " + (i % 2 == 0 ? "true" : "false") +
            ", volumeLifecycleModes: [Persistent, Ephemeral]}\n";
  for (std::size_t i = 0; i < flex_count; ++i)
    text += "---\napiVersion: v1\nkind: Secret\nmetadata: {name: " + flex_secret(i) +
            "}\ntype: " + flex_name(i) + "\nstringData: {token: " + driver_secret + "}\n";
  return text;
}

}  // namespace mooring::sim
