// What the scan finds of staged volumes when no record tells of them.

#include <gmock/gmock.h>

#include "csi_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class CsiStaged : public testing::Test, protected CsiNode {
 protected:
  std::vector<CsiAttachment> found() {
    const Outcome outcome = run_well({ScanTree{}});
    return outcome.tree ? outcome.tree->attachments : std::vector<CsiAttachment>();
  }
  static CsiAttachment staged_at(const std::string& path) {
    return {csi_driver, "vol#1", {}, std::nullopt, path};
  }
  const std::string folder_ = "plugins/kubernetes.io/csi/";
};

TEST_F(CsiStaged, a_scan_finds_what_was_staged_also_after_a_reboot) {
  EXPECT_THAT(found(), IsEmpty());
  run_well({csi_stage()});
  const CsiAttachment expected = staged_at(csi_staged);
  EXPECT_THAT(found(), ElementsAre(expected));
  fake.reboot();
  EXPECT_THAT(found(), ElementsAre(expected));
  run_well({csi_unstage()});
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(CsiStaged, a_scan_finds_raw_devices_too) {
  StageCsiVolume stage = csi_stage();
  stage.path = layout::csi_block_staged(csi_directory);
  stage.data = layout::csi_block_data(csi_directory);
  stage.capability.is_block = true;
  run_well({stage});
  fake.reboot();
  EXPECT_THAT(found(), ElementsAre(staged_at(stage.path)));
}

TEST_F(CsiStaged, a_scan_tells_which_volume_a_pod_has_also_after_a_reboot) {
  run_well({csi_publish()});
  EXPECT_THAT(found(), ElementsAre(staged_at(csi_target)));
  fake.reboot();
  EXPECT_THAT(found(), ElementsAre(staged_at(csi_target)));
  fake.put_file(root(csi_target_data), R"({"driverName":"../..","volumeHandle":"h"})");
  EXPECT_THAT(found(), IsEmpty());
  fake.put_file(root(csi_target_data), "{");
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(CsiStaged, what_is_somebody_elses_or_cannot_be_read_is_passed_over) {
  run_well({csi_stage()});
  const std::string copy = folder_ + csi_driver.str() + "/copy/vol_data.json";
  fake.put_file(root(copy), csi_data_text);
  fake.put_file(root(folder_ + "e.example.org/" + std::string(64, 'a') + "/vol_data.json"), csi_data_text);
  fake.put_file(root(folder_ + csi_driver.str() + "/" + std::string(64, 'b') + "/vol_data.json"), "{");
  fake.put_directory(root(folder_ + csi_driver.str() + "/" + std::string(64, 'c')));
  fake.put_file(root(folder_ + csi_driver.str() + "/file"), "");
  fake.put_file(root(folder_ + "pv/pv-1/vol_data.json"), csi_data_text);
  fake.put_file(root(folder_ + "volumeDevices/staging/data/vol_data.json"), csi_data_text);
  fake.put_file(root(folder_ + "volumeDevices/pv-2/data/vol_data.json"),
                R"({"driverName":"../..","volumeHandle":"h"})");
  fake.put_symlink(root(folder_ + "f.example.org"), root(folder_ + csi_driver.str()));
  fake.mount_foreign(root(folder_ + "g.example.org"), "ext4", "/dev/sdz");
  EXPECT_THAT(found(), ElementsAre(staged_at(csi_staged)));
}

}  // namespace
}  // namespace mooring
