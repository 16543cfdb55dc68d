#pragma once

#include <gmock/gmock.h>

#include <string>
#include <utility>

#include "driver_claims_fixture.h"

namespace mooring {

inline std::string class_yaml(const std::string& policy = "Delete", const std::string& more = "") {
  return "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshotClass\n"
         "metadata: {name: keep, annotations: {snapshot.storage.kubernetes.io/is-default-class: \"true\"}}\n"
         "driver: d.example.com\ndeletionPolicy: " +
         policy + "\n" + more;
}

inline std::string snapshot_yaml(const std::string& name = "s", const std::string& claim = "data") {
  return "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshot\nmetadata: {name: " + name +
         "}\nspec: {source: {persistentVolumeClaimName: " + claim + "}}\n";
}

inline std::string content_yaml(const std::string& handle, const std::string& snapshot = "s") {
  return "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshotContent\nmetadata: {name: sc}\n"
         "spec:\n  deletionPolicy: Retain\n  driver: d.example.com\n  source: {snapshotHandle: " +
         handle + "}\n  volumeSnapshotRef: {name: " + snapshot + ", namespace: default}\n";
}

inline const std::string from_s =
    "  dataSource: {apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: s}\n";
inline const std::string cut_s = "cut snapshot default/s";
inline const std::string delete_s = "delete snapshot default/s";
inline const std::string snapshot_secret =
    "parameters:\n  csi.storage.k8s.io/snapshotter-secret-name: make\n"
    "  csi.storage.k8s.io/snapshotter-secret-namespace: system\n";

/// The claim "data" has the volume vol-1 of the driver.
class CoreSnapshots : public DriverClaims {
 protected:
  void SetUp() override {
    start_with();
    put_driver(able_driver());
    bind_claim();
  }
  void ask(const std::string& policy = "Delete", const std::string& more = "") {
    shell_.write_text("sk.yaml", class_yaml(policy, more));
    shell_.write_text("s.yaml", snapshot_yaml());
  }
  static Outcome cut(bool is_ready = true, const std::string& id = "snap-1", std::uint64_t bytes = 1 << 30) {
    Outcome outcome;
    outcome.csi_made = CsiSnapshot{id, "vol-1", bytes, "2026-01-01T00:00:00Z", is_ready};
    return outcome;
  }
  void make_ready(const std::string& policy = "Delete") {
    ask(policy);
    shell_.end(cut_s, cut());
    ASSERT_EQ(snapshot().phase, "Ready");
  }
  VolumeSnapshotStatus snapshot(const std::string& name = "s") const { return snapshot(shell_, name); }
  static VolumeSnapshotStatus snapshot(const Shell& shell, const std::string& name = "s") {
    for (VolumeSnapshotStatus& status : shell.core.snapshots()) {
      if (status.name.str() == name) return std::move(status);
    }
    ADD_FAILURE() << "no snapshot " << name;
    return {};
  }
  /// Another daemon with the same ledger; nothing is told of manifests and drivers yet.
  void restart(Shell& again) const {
    again.ledger = shell_.ledger;
    again.adopt({}, {});
  }
  static void write_all(Shell& shell, bool with_snapshot = true) {
    shell.write_text("k.yaml", fast_class());
    shell.write_text("c.yaml", claim_yaml("data"));
    shell.write_text("sk.yaml", class_yaml());
    if (!with_snapshot) return shell.list({"c.yaml", "k.yaml", "sk.yaml"});
    shell.write_text("s.yaml", snapshot_yaml());
    shell.list({"c.yaml", "k.yaml", "s.yaml", "sk.yaml"});
  }
};

}  // namespace mooring
