#pragma once

#include <gmock/gmock.h>

#include <string>

#include "operation/volume_base.h"
#include "operation/volume_directories.h"
#include "operation_fixture.h"

namespace mooring {

// What the tests of volumes' directories share: one volume, and another one.

inline const ObjectName mine("pvc-1");
inline const ObjectName other("pvc-2");
inline const std::string base = "/srv/volumes";
inline const std::string memory = "plugins/directory.mooring.io/made/pvc-1";
inline const MakeVolumeDirectory make{base, "pvc-1", mine, 0777, memory};
inline const RemoveVolumeDirectory remove_it{base, "pvc-1", mine, memory};

class VolumeDirectories : public testing::Test {
 protected:
  Node& node() { return node_; }
  FakeKernel& fake() { return node_.fake; }
  std::string reason(const Step& step) { return node_.run_badly({step}).reason; }
  static MakeVolumeDirectory make_at(const std::string& directory, const ObjectName& volume) {
    return {base, directory, volume, 0777, {}};
  }
  static RemoveVolumeDirectory remove_at(const std::string& directory, const ObjectName& volume) {
    return {base, directory, volume, {}};
  }

 private:
  Node node_;
};

}  // namespace mooring
