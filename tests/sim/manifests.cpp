#include "manifests.h"

#include <algorithm>

namespace mooring::sim {
namespace {

void add_parts(PodSpec& pod, const VolumeSpec& volume, Random& random) {
  if (volume.kind == Kind::HostLate || volume.kind == Kind::HostBad || !random.chance(3)) return;
  const std::uint64_t count = 1 + random.below(2);
  for (std::uint64_t i = 0; i < count; ++i) {
    PartSpec part{volume.name, "part", false};
    if (volume.is_content()) {
      part.path = !volume.is_nested ? "one" : random.chance(2) ? "d" : "d/one";
    } else if (random.chance(3)) {
      part.path = "deep/er/part";
    } else if (random.chance(3)) {
      part = {volume.name, pod.name + "-part", true};
    }
    pod.parts.push_back(std::move(part));
  }
}

/// What a pod asks of its volumes, whatever their kind.
void add_options(PodSpec& pod, Random& random) {
  for (VolumeSpec& volume : pod.volumes) {
    volume.is_shared = random.chance(6);
    add_parts(pod, volume, random);
  }
  if (random.chance(3)) {
    pod.fs_group = static_cast<std::uint32_t>(2000 + random.below(2));
    pod.is_on_root_mismatch = random.chance(3);
    pod.is_idmapped = random.chance(3);
  }
  pod.is_live = random.chance(3);
}

std::string annotations_of(const PodSpec& pod) {
  std::string text;
  if (pod.is_live) text += "    mooring.io/live-subpath: \"true\"\n";
  if (pod.is_idmapped) text += "    mooring.io/fs-group-strategy: Idmap\n";
  return text.empty() ? text : "  annotations:\n" + text;
}

std::string items_of(const VolumeSpec& volume) {
  return volume.is_nested ? ", items: [{key: one, path: d/one}, {key: two, path: d/two}]" : "";
}

/// The container that mounts parts.
std::string side_container(const PodSpec& pod) {
  if (pod.parts.empty()) return {};
  std::string text =
      "  - name: side\n    image: busybox\n    env:\n"
      "    - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}\n    volumeMounts:\n";
  int number = 0;
  for (const PartSpec& part : pod.parts) {
    text += "    - {name: " + part.volume + ", mountPath: /part" + std::to_string(number++) + ", " +
            (part.is_expression ? "subPathExpr: $(POD)-part" : "subPath: " + part.path) + "}\n";
  }
  return text;
}

}  // namespace

const VolumeSpec* PodSpec::find(const std::string& volume) const {
  const auto found =
      std::find_if(volumes.begin(), volumes.end(), [&](const auto& v) { return v.name == volume; });
  return found == volumes.end() ? nullptr : &*found;
}

bool PodSpec::is_mapped(const VolumeSpec& volume) const {
  return fs_group && is_idmapped && volume.kind == Kind::Disk;
}

PodSpec random_pod(const std::string& name, Random& random) {
  PodSpec pod;
  pod.name = name;
  const std::uint64_t count = 1 + random.below(4);
  for (std::uint64_t i = 0; i < count; ++i) {
    VolumeSpec volume;
    volume.name = "v" + std::to_string(i);
    const std::string number = std::to_string(random.below(3));
    switch (random.below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        volume.kind = Kind::Disk;
        break;
      case 4:
      case 5:
      case 6:
        volume.kind = Kind::Memory;
        break;
      case 7:
        volume.kind = Kind::HugePages;
        break;
      case 8:
        volume.kind = Kind::HostDirectory;
        volume.host_path = "/host/there" + number;
        break;
      case 9:
        volume.kind = Kind::HostCreated;
        volume.host_path = "/host/made/" + number;
        break;
      case 10:
        volume.kind = Kind::HostLate;
        volume.host_path = "/host/late" + number + "/file";
        break;
      case 11:
      case 12:
        volume.kind = Kind::ConfigMap;
        volume.object = "c" + std::to_string(random.below(2));
        volume.is_optional = random.chance(2);
        volume.is_nested = random.chance(3);
        break;
      case 13:
      case 14:
        volume.kind = Kind::Secret;
        volume.object = "s" + std::to_string(random.below(2));
        volume.is_optional = random.chance(2);
        volume.is_nested = random.chance(3);
        break;
      default:
        volume.kind = random.chance(4) ? Kind::HostBad : Kind::Disk;
        volume.host_path = "/host/../etc";
        break;
    }
    pod.volumes.push_back(std::move(volume));
  }
  add_options(pod, random);
  return pod;
}

std::string manifest_of(const PodSpec& pod) {
  std::string text =
      "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " + pod.name + "\n" + annotations_of(pod) + "spec:\n";
  if (pod.fs_group) {
    text += "  securityContext: {fsGroup: " + std::to_string(*pod.fs_group) +
            (pod.is_on_root_mismatch ? ", fsGroupChangePolicy: OnRootMismatch}\n" : "}\n");
  }
  text +=
      "  containers:\n  - name: main\n    image: busybox\n    securityContext: {privileged: true}\n"
      "    resources:\n      requests: {memory: 64Mi, hugepages-2Mi: 4Mi}\n"
      "      limits: {memory: 64Mi, hugepages-2Mi: 4Mi}\n    volumeMounts:\n";
  for (const VolumeSpec& volume : pod.volumes)
    text += "    - {name: " + volume.name + ", mountPath: /" + volume.name +
            (volume.is_shared ? ", mountPropagation: Bidirectional}\n" : "}\n");
  text += side_container(pod) + "  volumes:\n";
  for (const VolumeSpec& volume : pod.volumes) {
    text += "  - name: " + volume.name + "\n    ";
    switch (volume.kind) {
      case Kind::Disk:
        text += "emptyDir: {}\n";
        break;
      case Kind::Memory:
        text += "emptyDir: {medium: Memory, sizeLimit: 16Mi}\n";
        break;
      case Kind::HugePages:
        text += "emptyDir: {medium: HugePages-2Mi}\n";
        break;
      case Kind::HostDirectory:
        text += "hostPath: {path: " + volume.host_path + ", type: Directory}\n";
        break;
      case Kind::HostCreated:
        text += "hostPath: {path: " + volume.host_path + ", type: DirectoryOrCreate}\n";
        break;
      case Kind::HostLate:
        text += "hostPath: {path: " + volume.host_path + ", type: File}\n";
        break;
      case Kind::HostBad:
        text += "hostPath: {path: " + volume.host_path + "}\n";
        break;
      case Kind::ConfigMap:
        text += "configMap: {name: " + volume.object + items_of(volume) +
                (volume.is_optional ? ", optional: true}\n" : "}\n");
        break;
      case Kind::Secret:
        text += "secret: {secretName: " + volume.object + items_of(volume) +
                (volume.is_optional ? ", optional: true}\n" : "}\n");
        break;
    }
  }
  return text;
}

std::string manifest_of_object(const std::string& name, std::uint64_t number) {
  const bool is_secret = name.starts_with('s');
  const std::string value = "\"" + std::to_string(number) + "\"";
  return std::string("apiVersion: v1\nkind: ") + (is_secret ? "Secret" : "ConfigMap") +
         "\nmetadata:\n  name: " + name + (is_secret ? "\nstringData:\n" : "\ndata:\n") + "  one: " + value +
         "\n  two: " + value + "\n" + (number % 2 == 1 ? "  odd: " + value + "\n" : "");
}

}  // namespace mooring::sim
