#pragma once

#include <gtest/gtest.h>

#include "core_fixture.h"

namespace mooring {

inline const std::string driver_socket = "/var/lib/mooring/plugins_registry/d-reg.sock";
inline const std::string driver_name = "d.example.com";

inline CsiDriver able_driver() {
  CsiDriver driver;
  driver.name = DriverName(driver_name);
  driver.socket = "/run/d.sock";
  driver.version = "1.0.0";
  driver.node_id = "n1";
  driver.node.stage_unstage = true;
  driver.node.expand = true;
  CsiControllerCapabilities& can = driver.controller.emplace();
  can.create_delete_volume = true;
  can.clone_volume = true;
  can.create_delete_snapshot = true;
  can.expand_volume = true;
  return driver;
}

inline std::string fast_class(const std::string& more = "") {
  return "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: fast}\n"
         "provisioner: d.example.com\nallowVolumeExpansion: true\n" +
         more;
}

inline const std::string with_secret =
    "parameters:\n  csi.storage.k8s.io/provisioner-secret-name: make\n"
    "  csi.storage.k8s.io/provisioner-secret-namespace: system\n";
inline const std::string secret_yaml =
    "apiVersion: v1\nkind: Secret\nmetadata: {name: make, namespace: system}\n"
    "stringData: {key: swordfish}\n";

inline std::string claim_yaml(const std::string& name, const std::string& size = "1Gi",
                              const std::string& more = "") {
  return "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: " + name +
         "}\nspec:\n  storageClassName: fast\n  accessModes: [ReadWriteOnce]\n"
         "  resources: {requests: {storage: " +
         size + "}}\n" + more;
}

inline std::string of_claim(const std::string& name) {
  return "persistentVolumeClaim: {claimName: " + name + "}";
}

/// A node with the class "fast" of the driver d.example.com.
class DriverClaims : public testing::Test {
 protected:
  void start_with(const std::string& class_more = "") {
    shell_.start();
    shell_.write_text("k.yaml", fast_class(class_more));
  }
  void put_driver(const CsiDriver& driver, std::uint64_t inode = 1) { put_driver(shell_, driver, inode); }
  static void put_driver(Shell& shell, const CsiDriver& driver, std::uint64_t inode = 1) {
    shell.feed(RegistrySockets{{{driver_socket, {1, inode, 0}}}});
    Outcome outcome;
    outcome.csi_driver = driver;
    shell.end("ask the driver at " + driver_socket, std::move(outcome));
    shell.end("answer the registration at " + driver_socket);
  }
  void drop_driver() { shell_.feed(RegistrySockets{}); }

  ClaimStatus claim(const std::string& name = "data") const { return claim(shell_, name); }
  static ClaimStatus claim(const Shell& shell, const std::string& name = "data") {
    const auto status = shell.core.claim_status(key_of(name));
    if (!status) ADD_FAILURE() << "no claim " << name;
    return status.value_or(ClaimStatus());
  }
  PersistentVolumeStatus persistent(const std::string& name) const {
    for (PersistentVolumeStatus& status : shell_.core.persistent_volumes()) {
      if (status.name.str() == name) return std::move(status);
    }
    ADD_FAILURE() << "no PersistentVolume " << name;
    return {};
  }
  /// What is in flight and begins so; empty: nothing.
  std::string doing(const std::string& start) const { return doing(shell_, start); }
  static std::string doing(const Shell& shell, const std::string& start) {
    for (const std::string& what : shell.doing()) {
      if (what.starts_with(start)) return what;
    }
    return {};
  }
  static Outcome made(const std::string& handle, std::uint64_t bytes = 0) {
    Outcome outcome;
    outcome.csi_made = CsiCreatedVolume{handle, {}, bytes, {}, {}};
    return outcome;
  }
  static Outcome grown(std::uint64_t bytes, bool by_node) {
    Outcome outcome;
    outcome.csi_made = CsiExpansion{bytes, by_node};
    return outcome;
  }
  /// The claim "data" is bound, and its driver calls the volume vol-1.
  void bind_claim() {
    shell_.write_text("c.yaml", claim_yaml("data"));
    shell_.end(doing("provision pv/"), made("vol-1"));
    ASSERT_EQ(claim().phase, "Bound");
  }
  /// And a pod "web" has it.
  void bind_claim_of_pod() {
    bind_claim();
    shell_.write("web", {{"data", of_claim("data")}});
    shell_.end(doing("stage "));
    shell_.end(doing("publish "));
    ASSERT_TRUE(shell_.pod("web").ready);
  }

  Shell shell_;
};

}  // namespace mooring
