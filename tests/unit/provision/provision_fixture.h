#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "provision/provisioner.h"

namespace mooring {

/// A claim, its class, and a node.
struct Asked {
  Asked() {
    claim.key = {Namespace("shop"), ObjectName("data")};
    claim.uid = "0b1c";
    claim.access_modes = {manifest::AccessMode::ReadWriteOnce};
    claim.request = Quantity::from_integer(1 << 30);
    storage_class.name = ObjectName("fast");
    storage_class.reclaim_policy = manifest::ReclaimPolicy::Retain;
    storage_class.mount_options = {"ro"};
  }
  Result<ProvisionedVolume> of(const Provisioner& provisioner) const {
    return provisioner.provision({claim, storage_class, volume, node, root_dir, token});
  }
  /// What must be provisioned.
  ProvisionedVolume well(const Provisioner& provisioner) const {
    auto made = of(provisioner);
    if (made) return std::move(made).value();
    ADD_FAILURE() << made.error().text();
    return {};
  }
  /// What must be refused, and why.
  Error badly(const Provisioner& provisioner) const {
    const auto made = of(provisioner);
    if (made) {
      ADD_FAILURE() << "it was provisioned";
      return {};
    }
    EXPECT_EQ(made.error().kind, ErrorKind::Final);
    EXPECT_FALSE(made.error().remedy.empty());
    return made.error();
  }
  void set(const std::string& name, const std::string& value) { storage_class.parameters[name] = value; }

  manifest::PersistentVolumeClaim claim;
  manifest::StorageClass storage_class;
  ObjectName volume{"pvc-0b1c"};
  NodeName node{"node-1"};
  std::string root_dir = "/var/lib/mooring";
  std::string token;
};

}  // namespace mooring
