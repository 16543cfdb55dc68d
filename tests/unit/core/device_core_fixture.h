#pragma once

#include <gmock/gmock.h>

#include "core_fixture.h"

namespace mooring {

// What pods share of a volume, in the core: a claim on an image.

inline const std::string key = "kubernetes.io/block/data";
inline const std::string staged = "plugins/kubernetes.io/block/mounts/data";
inline const std::string attach = "attach " + key;
inline const std::string stage = "stage " + key;
inline const std::string prove = "prove " + key;
inline const std::string unstage = "unstage " + key;
inline const std::string detach = "detach " + key;

inline std::string publish(const std::string& pod) {
  return "publish default/" + pod + "/v";
}
inline std::string unpublish(const std::string& pod) {
  return "unpublish default/" + pod + "/v";
}

/// A PersistentVolume on an image, and the claim that it is bound to.
inline std::string storage_yaml(const std::string& capacity = "1Gi", const std::string& mode = "Filesystem") {
  return "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: pv}\nspec:\n  capacity: {storage: " +
         capacity + "}\n  accessModes: [ReadWriteOnce]\n  volumeMode: " + mode +
         "\n  claimRef: {namespace: default, name: claim}\n  csi:\n    driver: block.mooring.io\n"
         "    volumeHandle: data\n    volumeAttributes: {image: /srv/data.img, size: 1Gi}\n---\n"
         "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: claim}\nspec:\n"
         "  accessModes: [ReadWriteOnce]\n  volumeName: pv\n  storageClassName: ''\n  volumeMode: " +
         mode + "\n  resources: {requests: {storage: 1Gi}}\n";
}
inline const Sources claim_volume{{"v", "persistentVolumeClaim: {claimName: claim}"}};

class Devices : public testing::Test {
 protected:
  void SetUp() override {
    shell.write_text("storage.yaml", storage_yaml());
    files.push_back("storage.yaml");
  }
  void write(const std::string& pod) {
    shell.write(pod, claim_volume);
    files.push_back(pod + ".yaml");
  }
  void make_ready(const std::string& pod) {
    write(pod);
    shell.start(files);
    shell.finish();
    ASSERT_TRUE(shell.pod(pod).ready);
  }
  void restart(std::vector<PodRecord> pods, std::vector<DeviceRecord> devices, TreeFacts tree,
               const std::map<std::string, std::string>& mounts) {
    shell.ledger = bound_ledger();
    shell.feed(RecordsRead{std::move(pods), {}, std::move(devices)});
    shell.show_mounts(mounts);
    shell.end_scan(std::move(tree));
    shell.list(files);
  }
  /// What an earlier run wrote down.
  static Ledger bound_ledger() {
    Shell earlier;
    earlier.write_text("storage.yaml", storage_yaml());
    earlier.start({"storage.yaml"});
    return earlier.ledger;
  }
  DeviceStatus device() const {
    const auto devices = shell.core.devices();
    return devices.size() == 1 ? devices.front() : DeviceStatus();
  }
  static std::string pod_path(const std::string& pod) {
    return root_dir + "/" +
           layout::volume(uid_of(pod), PluginName("kubernetes.io/block"), VolumeDirectory("pv"));
  }
  /// The mounts of the pod "web" and of what it shares.
  static std::map<std::string, std::string> both_mounted() {
    return {{root_dir + "/" + staged, "ext4"}, {pod_path("web"), "ext4"}};
  }
  static DeviceRecord device_record() {
    return {VolumeKey(key),
            PluginName("kubernetes.io/block"),
            {DeviceName::Kind::Image, "/srv/data.img"},
            staged,
            1U << 30U};
  }
  static PodRecord pod_record(const std::string& pod) {
    VolumeRecord volume{VolumeName("v"), PluginName("kubernetes.io/block"), VolumeDirectory("pv"), "bound"};
    volume.device = VolumeKey(key);
    return record_of(pod, {volume});
  }
  static TreeFacts tree_with(const std::string& pod) {
    FoundPod found{uid_of(pod), true, Namespace("default"), ObjectName(pod), {}, {}};
    found.volumes.push_back({PluginName("kubernetes.io/block"), VolumeDirectory("pv"), true});
    return {{found}, {}};
  }

  Shell shell;
  std::vector<std::string> files;
};

}  // namespace mooring
