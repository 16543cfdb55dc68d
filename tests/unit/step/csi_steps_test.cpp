#include "step/csi_steps.h"

#include <gmock/gmock.h>

#include "step/driver_time.h"
#include "step/step.h"

namespace mooring {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(CsiSteps, what_they_are_for_people) {
  const CsiVolume volume{DriverName("d"), "/d.sock", "vol 1", 1};
  StageCsiVolume stage;
  stage.volume = volume;
  stage.path = "plugins/s";
  EXPECT_EQ(describe(stage), "make the place of volume \"vol 1\" of driver d at plugins/s");
  stage.calls_driver = true;
  EXPECT_EQ(describe(stage), "have volume \"vol 1\" of driver d staged at plugins/s");
  PublishCsiVolume publish;
  publish.volume = volume;
  publish.path = "pods/t";
  publish.read_only = true;
  EXPECT_EQ(describe(publish), "have volume \"vol 1\" of driver d published read-only at pods/t");
  EXPECT_EQ(describe(UnpublishCsiVolume{{}, "pods/t", "", std::nullopt, {}}),
            "have the CSI volume unpublished at pods/t");
  EXPECT_EQ(describe(UnstageCsiVolume{volume, "plugins/s", "", true}),
            "have volume \"vol 1\" of driver d unstaged at plugins/s");
  ExpandCsiVolume expand;
  expand.volume = volume;
  expand.required_bytes = 10;
  EXPECT_EQ(describe(expand), "have volume \"vol 1\" of driver d expanded to 10 bytes");
  EXPECT_EQ(describe(MeasureCsiVolume{volume, "p", ""}), "ask how full volume \"vol 1\" of driver d is");
}

TEST(CsiSteps, no_secret_is_described) {
  StageCsiVolume stage;
  stage.calls_driver = true;
  stage.secrets["password"] = SecretBytes("hunter2");
  PublishCsiVolume publish;
  publish.secrets["password"] = SecretBytes("hunter2");
  ExpandCsiVolume expand;
  expand.secrets["password"] = SecretBytes("hunter2");
  for (const Step& step : {Step(stage), Step(publish), Step(expand)})
    EXPECT_THAT(describe(step), Not(HasSubstr("hunter2")));
}

TEST(CsiSteps, an_operation_has_the_time_of_all_of_its_calls) {
  const CsiVolume volume{DriverName("d"), "/d.sock", "v", 100};
  EXPECT_EQ(driver_time_ms({}), 0u);
  EXPECT_EQ(driver_time_ms({MakeDirectory{"a"}, ScanTree{}}), 0u);
  StageCsiVolume stage;
  stage.volume = volume;
  PublishCsiVolume publish;
  publish.volume = volume;
  ExpandCsiVolume expand;
  expand.volume = volume;
  EXPECT_EQ(driver_time_ms({MakeDirectory{"a"}, stage, expand, publish}), 300u);
  EXPECT_EQ(driver_time_ms({UnpublishCsiVolume{volume, "p", "", std::nullopt, {}},
                            UnstageCsiVolume{volume, "s", "", true}, MeasureCsiVolume{volume, "p", ""}}),
            300u);
  EXPECT_EQ(driver_time_ms({PublishCsiController{volume, "n", {}, false, {}, {}}}), 200u);
  EXPECT_EQ(driver_time_ms({UnpublishCsiController{volume, "n", {}}}), 100u);
}

}  // namespace
}  // namespace mooring
