// The way down of volumes of CSI drivers, from names alone (kubelet-behaviours 15.3, 15.5).

#include <gmock/gmock.h>

#include "csi/names.h"
#include "plugin/csi_volume.h"
#include "plugin_fixture.h"
#include "step/csi_layout.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const CsiPlugin plugin;
const DriverName driver_name("d.example.org");
const VolumeKey key("kubernetes.io/csi/d.example.org^vol#1");

/// The first step, which must be of this kind.
template <class S>
S first(const std::vector<Step>& steps) {
  const S* found = steps.empty() ? nullptr : std::get_if<S>(&steps.front());
  if (found != nullptr) return *found;
  ADD_FAILURE() << "no such step";
  return {};
}

class CsiRemoval : public testing::Test {
 protected:
  CsiRemoval() {
    CsiDriver driver;
    driver.name = driver_name;
    driver.socket = "/run/new.sock";
    driver.node.stage_unstage = true;
    drivers_.csi[driver_name] = driver;
  }
  Remains remains(const Shape& shape, const VolumeKey& device, bool is_registered = true) const {
    static const NodeInfo node = node_info();
    return {PodUid("u1"),
            VolumeDirectory("pv-1"),
            node,
            shape,
            device,
            UnmountPolicy::Force,
            0,
            {},
            is_registered ? drivers_ : no_drivers()};
  }
  DriverSet& drivers() { return drivers_; }

 private:
  DriverSet drivers_;
};

TEST_F(CsiRemoval, kb_15_3_by_names_and_where_the_driver_listens_now) {
  const auto steps = plugin.removal(remains("csi:d.example.org", key));
  EXPECT_THAT(steps, SizeIs(1));
  const auto unpublish = first<UnpublishCsiVolume>(steps);
  EXPECT_EQ(unpublish.volume, (CsiVolume{driver_name, "/run/new.sock", "vol#1", 120'000}));
  EXPECT_EQ(unpublish.path, layout::csi_target(PodUid("u1"), VolumeDirectory("pv-1")));
  EXPECT_EQ(plugin.removal_lane(), Lane::Own);
}

TEST_F(CsiRemoval, of_a_driver_that_is_gone) {
  const auto unpublish = first<UnpublishCsiVolume>(plugin.removal(remains("csi:d.example.org", key, false)));
  EXPECT_EQ(unpublish.volume.driver, driver_name);
  EXPECT_EQ(unpublish.volume.socket, "");
}

TEST_F(CsiRemoval, of_a_pods_own_volume) {
  const auto unpublish =
      first<UnpublishCsiVolume>(plugin.removal(remains("csi-ephemeral:d.example.org", {})));
  EXPECT_EQ(unpublish.volume.handle, csi::inline_handle(PodUid("u1"), VolumeName("pv-1")));
  EXPECT_EQ(unpublish.volume.driver, driver_name);
}

TEST_F(CsiRemoval, of_what_no_record_names) {
  const auto unpublish = first<UnpublishCsiVolume>(plugin.removal(remains("", {})));
  EXPECT_TRUE(unpublish.volume.driver.empty());
  EXPECT_THAT(unpublish.sockets, ElementsAre(testing::Pair("d.example.org", "/run/new.sock")));
  const auto half = first<UnpublishCsiVolume>(plugin.removal(remains("csi:d.example.org", {})));
  EXPECT_EQ(half.volume.driver, driver_name);
  EXPECT_EQ(half.volume.handle, "");
}

TEST_F(CsiRemoval, kb_15_5_of_a_raw_device) {
  const auto unpublish = first<UnpublishCsiVolume>(plugin.removal(remains("device", key)));
  EXPECT_EQ(unpublish.path, layout::csi_block_target(VolumeDirectory("pv-1"), PodUid("u1")));
  ASSERT_TRUE(unpublish.map);
  EXPECT_EQ(unpublish.data, "");
}

TEST_F(CsiRemoval, kb_15_3_unstage) {
  DeviceRemains what{key,
                     {DeviceName::Kind::Csi, "d.example.org^vol#1"},
                     layout::csi_staged(driver_name, "vol#1"),
                     drivers()};
  const auto unstage = first<UnstageCsiVolume>(plugin.unstage(what));
  EXPECT_EQ(unstage.volume, (CsiVolume{driver_name, "/run/new.sock", "vol#1", 120'000}));
  EXPECT_TRUE(unstage.calls_driver);
  EXPECT_EQ(unstage.data, layout::csi_staged_data(driver_name, "vol#1"));
  EXPECT_TRUE(unstage.published.empty() && unstage.bound.empty());
  EXPECT_EQ(plugin.detach(what), plugin.unstage(what));
  drivers().csi[driver_name].node.stage_unstage = false;
  EXPECT_FALSE(first<UnstageCsiVolume>(plugin.unstage(what)).calls_driver);
  drivers().csi.clear();
  // Nobody knows whether it stages: it is asked when it is back.
  EXPECT_TRUE(first<UnstageCsiVolume>(plugin.unstage(what)).calls_driver);
  what.key = VolumeKey("kubernetes.io/csi/broken");
  EXPECT_THAT(plugin.unstage(what), IsEmpty());
}

TEST_F(CsiRemoval, kb_15_5_unstage_of_a_raw_device_removes_all_of_its_directories) {
  const VolumeDirectory directory("pv-1");
  const auto steps = plugin.unstage({key, {}, layout::csi_block_staged(directory), drivers()});
  EXPECT_THAT(steps, SizeIs(4));
  const auto unstage = first<UnstageCsiVolume>(steps);
  EXPECT_EQ(unstage.data, layout::csi_block_data(directory));
  EXPECT_EQ(unstage.published, layout::csi_block_published(directory));
  EXPECT_EQ(unstage.bound, layout::csi_block_map(directory));
  EXPECT_EQ(steps.back(), Step(RemoveDirectory{layout::csi_block_root(directory)}));
}

}  // namespace
}  // namespace mooring
