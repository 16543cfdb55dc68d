#include "step/asked_driver.h"

#include <gtest/gtest.h>

namespace mooring {
namespace {

CsiVolume volume_of_a() {
  CsiVolume volume;
  volume.driver = DriverName("a");
  return volume;
}

template <typename Csi>
Step csi() {
  Csi step;
  step.volume = volume_of_a();
  return step;
}
template <typename Flex>
Step flex() {
  Flex step;
  step.program.driver = DriverName("a");
  return step;
}

TEST(AskedDriver, is_named_by_each_step_that_calls_one) {
  const std::vector<Step> steps{
      csi<StageCsiVolume>(),      csi<UnstageCsiVolume>(),       csi<PublishCsiVolume>(),
      csi<UnpublishCsiVolume>(),  csi<ExpandCsiVolume>(),        csi<MeasureCsiVolume>(),
      csi<CreateCsiVolume>(),     csi<DeleteCsiVolume>(),        csi<PublishCsiController>(),
      csi<ExpandCsiController>(), csi<UnpublishCsiController>(), csi<CreateCsiSnapshot>(),
      csi<DeleteCsiSnapshot>(),   flex<ProbeFlexDriver>(),       flex<StageFlexVolume>(),
      flex<UnstageFlexVolume>(),  flex<GrowFlexVolume>(),        flex<PublishFlexVolume>(),
      flex<UnpublishFlexVolume>()};
  for (const Step& step : steps)
    EXPECT_EQ(asked_driver({MakePodDirectory(), step}), DriverName("a")) << describe(step);
}

TEST(AskedDriver, is_none_of_what_asks_none) {
  EXPECT_EQ(asked_driver({}), std::nullopt);
  EXPECT_EQ(asked_driver({MountTmpfs(), MountNetwork(), BindSubPath(), MapDevice()}), std::nullopt);
  EXPECT_EQ(asked_driver({ProbeCsiDriver{"/r/a.sock", true, DriverName("a")}}), std::nullopt);
}

TEST(AskedDriver, is_empty_if_it_is_found_out_only_then) {
  EXPECT_EQ(asked_driver({UnpublishCsiVolume()}), DriverName());
}

}  // namespace
}  // namespace mooring
