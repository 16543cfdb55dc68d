#include "provision/directory_provisioner.h"

#include "provision_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const DirectoryProvisioner provisioner;
const std::string memory = "plugins/directory.mooring.io/made/pvc-0b1c";

std::string path_of(const ProvisionedVolume& made) {
  return std::get<manifest::LocalSource>(made.volume.source).path;
}

TEST(DirectoryProvisioner, kb_18_7_the_volume_is_the_claims_and_as_its_class_says) {
  const Asked asked;
  const manifest::PersistentVolume volume = asked.well(provisioner).volume;
  EXPECT_EQ(volume.name.str(), "pvc-0b1c");
  ASSERT_TRUE(volume.claim);
  EXPECT_EQ(volume.claim->key, asked.claim.key);
  EXPECT_EQ(volume.claim->uid, "0b1c");
  EXPECT_EQ(volume.capacity, asked.claim.request);
  EXPECT_EQ(volume.access_modes, asked.claim.access_modes);
  EXPECT_EQ(volume.reclaim_policy, manifest::ReclaimPolicy::Retain);
  EXPECT_EQ(volume.storage_class, "fast");
  EXPECT_THAT(volume.mount_options, ElementsAre("ro"));
  EXPECT_EQ(volume.annotations.at("pv.kubernetes.io/provisioned-by"), "directory.mooring.io");
}

TEST(DirectoryProvisioner, it_lies_below_the_root_directory_and_fits_this_node_whatever_its_labels_are) {
  const ProvisionedVolume made = Asked().well(provisioner);
  EXPECT_EQ(path_of(made), "/var/lib/mooring/volumes/pvc-0b1c");
  ASSERT_TRUE(made.volume.node_affinity);
  const manifest::NodeSelectorTerm& term = made.volume.node_affinity->terms.at(0);
  EXPECT_TRUE(term.expressions.empty());
  ASSERT_EQ(term.fields.size(), 1U);
  EXPECT_EQ(term.fields[0], (manifest::SelectorRequirement{"metadata.name", "In", {"node-1"}}));
}

TEST(DirectoryProvisioner, makes_limits_grows_and_removes_the_directory) {
  Asked asked;
  asked.set("path", "/srv/volumes");
  asked.set("mode", "0770");
  ProvisionedVolume made = asked.well(provisioner);
  EXPECT_EQ(path_of(made), "/srv/volumes/pvc-0b1c");
  const LimitDirectory limit{"pvc-0b1c", 1U << 30U, "/srv/volumes"};
  EXPECT_THAT(provisioner.make(made).steps,
              ElementsAre(Step(MakeVolumeDirectory{"/srv/volumes",
                                                   "pvc-0b1c",
                                                   asked.volume,
                                                   0770,
                                                   memory,
                                                   {},
                                                   "plugins/directory.mooring.io/bases/%2Fsrv%2Fvolumes"}),
                          Step(limit)));
  EXPECT_THAT(provisioner.remove(made).steps,
              ElementsAre(Step(RemoveVolumeDirectory{"/srv/volumes", "pvc-0b1c", asked.volume, memory})));
  made.volume.capacity = Quantity::from_integer(3LL << 30);
  EXPECT_THAT(provisioner.grow(made).steps,
              ElementsAre(Step(LimitDirectory{"pvc-0b1c", 3ULL << 30U, "/srv/volumes"})));
}

TEST(DirectoryProvisioner, a_container_that_is_not_root_can_write_if_nothing_is_said) {
  const ProvisionedVolume made = Asked().well(provisioner);
  EXPECT_EQ(std::get<MakeVolumeDirectory>(provisioner.make(made).steps.at(0)).mode, 0777U);
}

TEST(DirectoryProvisioner, a_raw_device_is_refused) {
  Asked asked;
  asked.claim.volume_mode = manifest::VolumeMode::Block;
  EXPECT_EQ(asked.badly(provisioner).reason, "VolumeModeUnsupported");
}

TEST(DirectoryProvisioner, what_it_does_not_know_is_refused_by_name) {
  Asked asked;
  asked.set("pathPattern", "x");
  const Error error = asked.badly(provisioner);
  EXPECT_EQ(error.reason, "InvalidParameters");
  EXPECT_THAT(error.message, HasSubstr("pathPattern"));
  EXPECT_THAT(error.message, HasSubstr("StorageClass fast"));
}

TEST(DirectoryProvisioner, mount_options_that_no_pod_could_get_are_refused) {
  Asked asked;
  asked.storage_class.mount_options = {"ro", "noatime"};
  const Error error = asked.badly(provisioner);
  EXPECT_EQ(error.reason, "InvalidParameters");
  EXPECT_THAT(error.message, HasSubstr("noatime"));
}

TEST(DirectoryProvisioner, a_mode_is_an_octal_number) {
  for (const char* mode : {"rwx", "0999", "17777", "-1", "0x1", "7777777"}) {
    Asked asked;
    asked.set("mode", mode);
    EXPECT_EQ(asked.badly(provisioner).reason, "InvalidParameters") << mode;
  }
}

TEST(DirectoryProvisioner, a_path_is_clean_and_neither_the_systems_nor_the_root_directorys) {
  for (const char* path :
       {"", "srv", "/srv/", "/srv//a", "/srv/../etc", "/srv/./a", "/", "/etc/volumes", "/usr", "/dev/shm",
        "/run/a", "/home", "/var/lib", "/var/lib/mooring", "/var/lib/mooring/pods", "/proc/1/root/srv"}) {
    Asked asked;
    asked.set("path", path);
    EXPECT_EQ(asked.badly(provisioner).reason, "InvalidPath") << path;
  }
  for (const char* path : {"/srv", "/home/volumes", "/var/lib/volumes", "/var/lib/mooring/volumes"}) {
    Asked asked;
    asked.set("path", path);
    EXPECT_EQ(path_of(asked.well(provisioner)), std::string(path) + "/pvc-0b1c");
  }
}

TEST(DirectoryProvisioner, a_selector_and_a_request_of_nothing_are_refused) {
  Asked asked;
  asked.claim.has_selector = true;
  EXPECT_EQ(asked.badly(provisioner).reason, "InvalidParameters");
  Asked empty;
  empty.claim.request = Quantity();
  EXPECT_EQ(empty.badly(provisioner).reason, "InvalidParameters");
}

TEST(DirectoryProvisioner, a_uid_of_a_manifest_leads_nowhere) {
  for (const char* name : {"pvc-../../etc", "pvc-a/b", "..", "long"}) {
    Asked asked;
    asked.volume = ObjectName(std::string(name) == "long" ? std::string(201, 'a') : name);
    EXPECT_EQ(asked.badly(provisioner).reason, "InvalidPath") << name;
  }
}

}  // namespace
}  // namespace mooring
