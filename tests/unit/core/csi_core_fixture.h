#pragma once

#include "core_fixture.h"
#include "step/csi_layout.h"

namespace mooring {

inline const std::string csi_registry = "/var/lib/mooring/plugins_registry/";

/// A core with CSI drivers, whose volumes stand in the pods themselves.
class CsiCore : public testing::Test {
 protected:
  CsiCore() { shell.start(); }

  /// A driver that is registered, with its CSIDriver object.
  void register_driver(const std::string& name, const CsiNodeCapabilities& can,
                       const std::string& spec = "") {
    shell.write_text(name + ".yaml", driver_yaml(name, spec));
    sockets_.sockets.push_back({csi_registry + name + ".sock", {1, sockets_.sockets.size() + 1, 0}});
    shell.feed(sockets_);
    Outcome outcome;
    CsiDriver& driver = outcome.csi_driver.emplace();
    driver.name = DriverName(name);
    driver.socket = "/run/" + name;
    driver.version = "1.0.0";
    driver.node_id = "n1";
    driver.node = can;
    shell.end("ask the driver at " + csi_registry + name + ".sock", std::move(outcome));
    shell.end("answer the registration at " + csi_registry + name + ".sock");
  }
  /// All drivers are gone.
  void unregister() {
    sockets_.sockets.clear();
    shell.feed(sockets_);
  }
  static std::string driver_yaml(const std::string& name, const std::string& spec) {
    return "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: " + name +
           "}\nspec: {volumeLifecycleModes: [Ephemeral]" + (spec.empty() ? "" : ", " + spec) + "}\n";
  }
  /// Pods with a volume "v" of the driver, published and mounted, besides those that were before.
  void publish(const std::vector<std::string>& pods, const std::string& driver,
               const std::string& more = "") {
    for (const std::string& pod : pods) {
      shell.write(pod, {{"v", "csi: {driver: " + driver + more + "}"}});
      mounts_[root_dir + "/" + target_of(pod)] = "nfs4";
      if (shell.is_in_flight(publishing(pod))) shell.end(publishing(pod));
    }
    shell.show_mounts(mounts_);
  }
  static std::string publishing(const std::string& pod) { return "publish default/" + pod + "/v"; }
  static std::string target_of(const std::string& pod) {
    return layout::csi_target(uid_of(pod), VolumeDirectory("v"));
  }

  Shell shell;

 private:
  RegistrySockets sockets_;
  std::map<std::string, std::string> mounts_;
};

}  // namespace mooring
