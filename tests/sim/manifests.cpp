#include "manifests.h"

namespace mooring::sim {

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
        break;
      case 13:
      case 14:
        volume.kind = Kind::Secret;
        volume.object = "s" + std::to_string(random.below(2));
        volume.is_optional = random.chance(2);
        break;
      default:
        volume.kind = random.chance(4) ? Kind::HostBad : Kind::Disk;
        volume.host_path = "/host/../etc";
        break;
    }
    pod.volumes.push_back(std::move(volume));
  }
  return pod;
}

std::string manifest_of(const PodSpec& pod) {
  std::string text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " + pod.name +
                     "\nspec:\n  containers:\n  - name: main\n    image: busybox\n"
                     "    resources:\n      requests: {memory: 64Mi, hugepages-2Mi: 4Mi}\n"
                     "      limits: {memory: 64Mi, hugepages-2Mi: 4Mi}\n    volumeMounts:\n";
  for (const VolumeSpec& volume : pod.volumes)
    text += "    - {name: " + volume.name + ", mountPath: /" + volume.name + "}\n";
  text += "  volumes:\n";
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
        text += "configMap: {name: " + volume.object + (volume.is_optional ? ", optional: true}\n" : "}\n");
        break;
      case Kind::Secret:
        text +=
            "secret: {secretName: " + volume.object + (volume.is_optional ? ", optional: true}\n" : "}\n");
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
