#include "provision/block_provisioner.h"

#include "provision_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const BlockProvisioner provisioner;

const manifest::CsiSource& source_of(const ProvisionedVolume& made) {
  return std::get<manifest::CsiSource>(made.volume.source);
}

TEST(BlockProvisioner, the_volume_is_an_image_of_the_driver_of_that_name) {
  const ProvisionedVolume made = Asked().well(provisioner);
  EXPECT_EQ(source_of(made).driver, "block.mooring.io");
  EXPECT_EQ(source_of(made).volume_handle, "pvc-0b1c");
  EXPECT_EQ(source_of(made).file_system_type, "ext4");
  EXPECT_THAT(source_of(made).attributes,
              ElementsAre(Pair("format", "IfBlank"), Pair("image", "/var/lib/mooring/volumes/pvc-0b1c.img"),
                          Pair("size", "1073741824")));
  EXPECT_TRUE(made.volume.node_affinity);
  EXPECT_EQ(made.volume.annotations.at("pv.kubernetes.io/provisioned-by"), "block.mooring.io");
}

TEST(BlockProvisioner, both_names_of_the_file_system_type_count_and_must_agree) {
  for (const char* name : {"fsType", "csi.storage.k8s.io/fstype"}) {
    Asked asked;
    asked.set(name, "xfs");
    EXPECT_EQ(source_of(asked.well(provisioner)).file_system_type, "xfs");
    asked.set(name, "vfat");
    EXPECT_EQ(asked.badly(provisioner).reason, "InvalidParameters");
  }
  Asked both;
  both.set("fsType", "xfs");
  both.set("csi.storage.k8s.io/fstype", "btrfs");
  EXPECT_EQ(both.badly(provisioner).reason, "InvalidParameters");
  both.set("fsType", "btrfs");
  EXPECT_EQ(source_of(both.well(provisioner)).file_system_type, "btrfs");
}

TEST(BlockProvisioner, a_raw_device_has_no_file_system) {
  Asked asked;
  asked.claim.volume_mode = manifest::VolumeMode::Block;
  const ProvisionedVolume made = asked.well(provisioner);
  EXPECT_EQ(made.volume.volume_mode, manifest::VolumeMode::Block);
  EXPECT_EQ(source_of(made).file_system_type, "");
}

TEST(BlockProvisioner, the_image_is_prepared_and_removed_with_what_is_remembered_of_it) {
  Asked asked;
  asked.set("path", "/srv/images");
  const ProvisionedVolume made = asked.well(provisioner);
  EXPECT_THAT(provisioner.make(made).steps,
              ElementsAre(Step(PrepareImage{"/srv/images/pvc-0b1c.img",
                                            asked.volume,
                                            {},
                                            "plugins/directory.mooring.io/bases/%2Fsrv%2Fimages"})));
  EXPECT_THAT(
      provisioner.remove(made).steps,
      ElementsAre(Step(RemoveImage{"/srv/images/pvc-0b1c.img", "plugins/kubernetes.io/block/images/pvc-0b1c",
                                   "plugins/kubernetes.io/block/formatted/pvc-0b1c", asked.volume})));
  EXPECT_THAT(provisioner.grow(made).steps, IsEmpty());
}

TEST(BlockProvisioner, what_it_does_not_know_is_refused_by_name) {
  Asked asked;
  asked.set("fstype", "xfs");
  EXPECT_EQ(asked.badly(provisioner).reason, "InvalidParameters");
}

}  // namespace
}  // namespace mooring
