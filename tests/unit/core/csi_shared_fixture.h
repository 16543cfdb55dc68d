#pragma once

#include <gmock/gmock.h>

#include "core_fixture.h"
#include "step/csi_layout.h"

namespace mooring::csi_shared {

// A volume of a CSI driver that several pods may have, by a claim; its driver attaches.

inline const std::string key = "kubernetes.io/csi/d.example.com^h";
inline const std::string attach = "attach " + key;
inline const std::string stage = "stage " + key;
inline const std::string unstage = "unstage " + key;
inline const std::string detach = "detach " + key;
inline const std::string asking = "ask the driver at /run/d.sock";
inline const Sources claim_volume{{"v", "persistentVolumeClaim: {claimName: claim}"}};

inline std::string publish(const std::string& pod) {
  return "publish default/" + pod + "/v";
}
inline std::string unpublish(const std::string& pod) {
  return "unpublish default/" + pod + "/v";
}

inline std::string storage_yaml(const std::string& more = "", const std::string& handle = "h") {
  return "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: pv}\nspec:\n"
         "  capacity: {storage: 1Gi}\n  accessModes: [ReadWriteMany]\n"
         "  claimRef: {namespace: default, name: claim}\n"
         "  csi: {driver: d.example.com, volumeHandle: " +
         handle + more +
         "}\n---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: claim}\nspec:\n"
         "  accessModes: [ReadWriteMany]\n  volumeName: pv\n  storageClassName: ''\n"
         "  resources: {requests: {storage: 1Gi}}\n";
}

inline CoreOptions options_of(bool others_attach) {
  CoreOptions options = core_options();
  options.node.others_attach = others_attach;
  options.csi_drivers = {{DriverName("d.example.com"), "/run/d.sock"}};
  return options;
}

class CsiAttach : public testing::Test {
 protected:
  explicit CsiAttach(bool others_attach = false) : shell(options_of(others_attach)) {}

  Outcome driver() const {
    Outcome outcome;
    CsiDriver& driver = outcome.csi_driver.emplace();
    driver.name = DriverName("d.example.com");
    driver.socket = "/run/d.sock";
    driver.version = "1.0";
    driver.node_id = "n1";
    driver.node.stage_unstage = true;
    driver.controller.emplace().publish_unpublish_volume = true;
    driver.controller->publish_read_only = knows_read_only;
    return outcome;
  }
  static Outcome answer(const std::string& device) {
    Outcome outcome;
    outcome.csi_made = CsiPublishContext{{{"device", device}}};
    return outcome;
  }
  static CsiAttachment stamp() {
    return {DriverName("d.example.com"), "h", "n1", std::nullopt,
            layout::csi_staged(DriverName("d.example.com"), "h")};
  }

  void start(const std::string& more = "", TreeFacts tree = {},
             const std::vector<std::string>& files = {"storage.yaml"}) {
    shell.write_text("storage.yaml", storage_yaml(more));
    shell.feed(RecordsRead{});
    shell.show_mounts();
    shell.end_scan(std::move(tree));
    shell.list(files);
    shell.end(asking, driver());
  }
  void attach_and_stage(const std::string& device = "/dev/x") {
    shell.end(attach, answer(device));
    shell.end(stage);
  }
  void make_ready(const std::string& pod) {
    shell.write(pod, claim_volume);
    attach_and_stage();
    shell.end(publish(pod));
    ASSERT_TRUE(shell.pod(pod).ready);
  }
  std::optional<DeviceStatus> device() const {
    const auto devices = shell.core.devices();
    return devices.empty() ? std::nullopt : std::optional(devices.front());
  }
  template <class S>
  S only() const {
    const auto steps = steps_of<S>(shell);
    if (steps.size() == 1) return steps[0];
    ADD_FAILURE() << steps.size() << " steps";
    return {};
  }

  Shell shell;
  bool knows_read_only = false;  ///< The controller, of what it attaches.
};

}  // namespace mooring::csi_shared
