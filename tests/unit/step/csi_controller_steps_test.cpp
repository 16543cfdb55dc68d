// What people read of the steps on controller services.

#include "step/csi_controller_steps.h"

#include <gtest/gtest.h>

#include "step/step.h"

namespace mooring {
namespace {

TEST(CsiControllerSteps, are_described_by_what_they_do_and_to_what) {
  const CsiVolume driver{DriverName("d"), "/run/d.sock", "", 5000};
  const CsiVolume volume{DriverName("d"), "/run/d.sock", "vol 1", 5000};
  const std::map<std::string, SecretBytes> secrets{{"key", SecretBytes("swordfish")}};
  const CsiVolumeRequest asked{"pvc-1", 10, 0, {}, {{"token", "swordfish"}}, {}, {}, {}};
  const std::pair<Step, const char*> cases[] = {
      {CreateCsiVolume{driver, asked, secrets}, "have volume pvc-1 made by driver d"},
      {DeleteCsiVolume{volume, asked, secrets}, R"(have volume "vol 1" of driver d deleted)"},
      {DeleteCsiVolume{driver, asked, secrets}, "have volume pvc-1 deleted by driver d"},
      {PublishCsiController{volume, "n1", {}, false, {}, secrets},
       R"(have volume "vol 1" of driver d attached to node n1)"},
      {UnpublishCsiController{volume, "n1", secrets},
       R"(have volume "vol 1" of driver d detached from node n1)"},
      {ExpandCsiController{volume, 10, {}, secrets},
       R"(have volume "vol 1" of driver d grown to 10 bytes where its driver keeps it)"},
      {CreateCsiSnapshot{volume, {"snapshot-1", {}}, secrets},
       R"(have snapshot snapshot-1 made of volume "vol 1" of driver d)"},
      {DeleteCsiSnapshot{volume, "snap-1", {}, secrets}, "have snapshot snap-1 deleted by driver d"},
      {DeleteCsiSnapshot{volume, "", {"snapshot-1", {}}, secrets},
       "have snapshot snapshot-1 deleted by driver d"}};
  for (const auto& [step, text] : cases)
    EXPECT_EQ(describe(step), text);
}

}  // namespace
}  // namespace mooring
