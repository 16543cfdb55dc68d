#include <gtest/gtest.h>

#include "plugin/csi_volume.h"
#include "plugin_fixture.h"
#include "step/csi_layout.h"

namespace mooring {
namespace {

const CsiPlugin plugin;
const DriverName driver_name("d.example.org");
const VolumeKey key("kubernetes.io/csi/d.example.org^vol#1");

/// What asks the driver about a volume that was made as `shape`.
std::optional<MeasureCsiVolume> measurement(const std::string& shape, const VolumeKey& device,
                                            const CsiNodeCapabilities& can) {
  static const NodeInfo node = node_info();
  DriverSet drivers;
  CsiDriver& driver = drivers.csi[driver_name];
  driver.name = driver_name;
  driver.socket = "/run/d.sock";
  driver.node = can;
  return plugin.measurement({.pod = PodUid("u1"),
                             .directory = VolumeDirectory("pv-1"),
                             .node = node,
                             .shape = shape,
                             .device = device,
                             .drivers = drivers});
}

TEST(CsiMeasurement, kb_15_7_a_driver_with_get_volume_stats_is_asked_for_what_it_published) {
  CsiNodeCapabilities can;
  EXPECT_FALSE(measurement("csi:d.example.org", key, can));
  can.volume_stats = true;
  const auto plain = measurement("csi:d.example.org", key, can);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->volume.driver, driver_name);
  EXPECT_EQ(plain->volume.handle, "vol#1");
  EXPECT_EQ(plain->path, layout::csi_target(PodUid("u1"), VolumeDirectory("pv-1")));
  EXPECT_EQ(plain->staged_path, "");
  can.stage_unstage = true;
  EXPECT_EQ(measurement("csi:d.example.org", key, can)->staged_path,
            layout::csi_staged(driver_name, "vol#1"));
  const auto raw = measurement("device", key, can);
  ASSERT_TRUE(raw);
  EXPECT_EQ(raw->path, layout::csi_block_target(VolumeDirectory("pv-1"), PodUid("u1")));
  EXPECT_EQ(raw->staged_path, layout::csi_block_staged(VolumeDirectory("pv-1")));
  const auto own = measurement("csi-ephemeral:d.example.org", {}, can);
  ASSERT_TRUE(own);
  EXPECT_TRUE(own->volume.handle.starts_with("csi-"));
  EXPECT_EQ(own->staged_path, "");
  EXPECT_FALSE(measurement("csi-ephemeral:other.example.org", {}, can));
}

}  // namespace
}  // namespace mooring
