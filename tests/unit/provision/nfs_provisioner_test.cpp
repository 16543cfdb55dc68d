#include "provision/nfs_provisioner.h"

#include "provision/path_pattern.h"
#include "provision_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const NfsProvisioner provisioner(
    {"k8s-sigs.io/nfs-subdir-external-provisioner", "server", "/export", {"nfsvers=4.2"}});
const std::string place = "plugins/kubernetes.io/nfs/provisioner/pvc-0b1c";
const std::string known = "plugins/kubernetes.io/nfs/bases/server%3A%2Fexport";
const MountNetwork mount{place, "nfs", "server:/export", {"nfsvers=4.2", "retry=0"}, false};

std::string path_of(const ProvisionedVolume& made) {
  return std::get<manifest::NfsSource>(made.volume.source).path;
}

std::string reason_of(const std::string& pattern, const manifest::PersistentVolumeClaim& claim) {
  const auto directory = directory_of_pattern(pattern, claim);
  return directory ? "gives " + directory.value() : directory.error().reason;
}

TEST(NfsProvisioner, the_directory_is_named_after_namespace_claim_and_volume) {
  const ProvisionedVolume made = Asked().well(provisioner);
  EXPECT_EQ(path_of(made), "/export/shop-data-pvc-0b1c");
  EXPECT_EQ(std::get<manifest::NfsSource>(made.volume.source).server, "server");
  EXPECT_FALSE(made.volume.node_affinity);
  EXPECT_THAT(made.volume.mount_options, ElementsAre("ro"));
}

TEST(NfsProvisioner, an_export_of_all_is_no_reason_for_two_slashes) {
  const NfsProvisioner all({"site", "fd00::1", "/", {}});
  const ProvisionedVolume made = Asked().well(all);
  EXPECT_EQ(path_of(made), "/shop-data-pvc-0b1c");
  EXPECT_EQ(std::get<MountNetwork>(all.make(made).steps.at(0)).source, "[fd00::1]:/");
}

TEST(NfsProvisioner, the_export_is_mounted_while_the_directory_is_made) {
  const ProvisionedVolume made = Asked().well(provisioner);
  const ProvisionWork work = provisioner.make(made);
  EXPECT_EQ(work.lane, Lane::Own);
  EXPECT_THAT(work.steps,
              ElementsAre(Step(mount),
                          Step(MakeVolumeDirectory{
                              place, "shop-data-pvc-0b1c", ObjectName("pvc-0b1c"), 0777, {}, {}, known}),
                          Step(UnmountNetwork{place}), Step(RemoveDirectory{place})));
}

TEST(NfsProvisioner, what_becomes_of_the_directory_is_said_by_on_delete_or_else_by_archive_on_delete) {
  struct Case {
    const char* on_delete;
    const char* archive;
    std::string end;
  };
  for (const Case& one :
       {Case{"", "", "archive"}, Case{"", "true", "archive"}, Case{"", "false", "delete"},
        Case{"", "F", "delete"}, Case{"delete", "true", "delete"}, Case{"delete", "", "delete"},
        Case{"retain", "false", "retain"}, Case{"retain", "no", "retain"}, Case{"keep", "false", "delete"},
        Case{"Delete", "", "archive"}}) {
    Asked asked;
    if (*one.on_delete != 0) asked.set("onDelete", one.on_delete);
    if (*one.archive != 0) asked.set("archiveOnDelete", one.archive);
    EXPECT_EQ(asked.well(provisioner).parameters.at("onDelete"), one.end)
        << one.on_delete << " " << one.archive;
  }
  Asked asked;
  asked.set("archiveOnDelete", "yes");
  EXPECT_EQ(asked.badly(provisioner).reason, "InvalidParameters");
}

TEST(NfsProvisioner, deletes_archives_or_retains) {
  Asked asked;
  asked.set("pathPattern", "${.PVC.namespace}/${.PVC.name}");
  const Step unmount = UnmountNetwork{place};
  const Step tidy = RemoveDirectory{place};
  EXPECT_THAT(provisioner.remove(asked.well(provisioner)).steps,
              ElementsAre(Step(mount),
                          Step(SetAsideVolumeDirectory{
                              place, "shop/data", ObjectName("pvc-0b1c"), "archived-data", {}, known}),
                          unmount, tidy));
  asked.set("onDelete", "delete");
  EXPECT_THAT(
      provisioner.remove(asked.well(provisioner)).steps,
      ElementsAre(Step(mount),
                  Step(RemoveVolumeDirectory{place, "shop/data", ObjectName("pvc-0b1c"), {}, {}, known}),
                  unmount, tidy));
  asked.set("onDelete", "retain");
  EXPECT_THAT(provisioner.remove(asked.well(provisioner)).steps, ElementsAre(unmount, tidy));
}

TEST(NfsProvisioner, a_volume_is_removed_where_it_was_made_also_if_the_configuration_changed) {
  const ProvisionedVolume made = Asked().well(provisioner);
  const NfsProvisioner now({provisioner.name(), "other", "/elsewhere", {}});
  EXPECT_EQ(std::get<MountNetwork>(now.remove(made).steps.at(0)).source, "server:/export");
}

TEST(NfsProvisioner, a_configuration_without_server_or_path_is_refused) {
  for (const NfsExport& bad :
       {NfsExport{"x", "", "/export", {}}, NfsExport{"x", "-o", "/export", {}},
        NfsExport{"x", "server", "export", {}}, NfsExport{"x", "server", "/a/../b", {}}})
    EXPECT_EQ(Asked().badly(NfsProvisioner(bad)).reason, "InvalidExport");
}

TEST(NfsProvisioner, a_raw_device_and_unknown_parameters_are_refused) {
  Asked asked;
  asked.claim.volume_mode = manifest::VolumeMode::Block;
  EXPECT_EQ(asked.badly(provisioner).reason, "VolumeModeUnsupported");
  Asked unknown;
  unknown.set("share", "/x");
  EXPECT_THAT(unknown.badly(provisioner).message, HasSubstr("share"));
}

TEST(NfsProvisioner, a_mount_that_nobody_knows_the_end_of_is_refused) {
  Asked asked;
  asked.storage_class.mount_options = {"hard", "bg"};
  EXPECT_EQ(asked.badly(provisioner).reason, "InvalidParameters");
}

TEST(NfsProvisioner, a_name_that_no_directory_can_have_is_refused) {
  Asked asked;
  asked.claim.key.name = ObjectName(std::string(253, 'a'));
  EXPECT_EQ(asked.badly(provisioner).reason, "InvalidPath");
}

TEST(PathPattern, variables_are_of_the_claim) {
  manifest::PersistentVolumeClaim claim = Asked().claim;
  claim.labels = {{"app.kubernetes.io/name", "web"}};
  claim.annotations = {{"nfs.io/storage-path", "fotos"}};
  EXPECT_EQ(reason_of("${.PVC.namespace}/${.PVC.name}", claim), "gives shop/data");
  EXPECT_EQ(reason_of("/a-${.PVC.labels.app.kubernetes.io/name}/", claim), "gives a-web");
  EXPECT_EQ(reason_of("${.PVC.namespace}-${.PVC.annotations.nfs.io/storage-path}", claim),
            "gives shop-fotos");
  EXPECT_EQ(reason_of("", claim), "gives ");
  EXPECT_EQ(reason_of("${.PVC.labels.none}", claim), "gives ");
  EXPECT_EQ(reason_of("${.PVC.name", claim), "InvalidParameters");
  EXPECT_EQ(reason_of("${.PV.name}", claim), "InvalidParameters");
  EXPECT_EQ(reason_of("${.PVC.labels.none}/x", claim), "gives x");
  EXPECT_EQ(reason_of("a/${.PVC.labels.none}/x", claim), "InvalidPath");
}

TEST(PathPattern, what_a_value_says_is_not_a_pattern) {
  manifest::PersistentVolumeClaim claim = Asked().claim;
  claim.annotations = {{"a", "${.PVC.name}"}};
  EXPECT_EQ(reason_of("x${.PVC.annotations.a}", claim), "gives x${.PVC.name}");
}

TEST(PathPattern, ghsa_jr3w_9vfr_c746_a_path_pattern_leads_nowhere_but_below_the_export) {
  manifest::PersistentVolumeClaim claim = Asked().claim;
  for (const char* value : {"../../etc", "/etc", "a/b", "a/../../etc", "/"}) {
    claim.annotations["p"] = value;
    claim.labels["p"] = value;
    EXPECT_EQ(reason_of("${.PVC.annotations.p}", claim), "InvalidPath") << value;
    EXPECT_EQ(reason_of("x/${.PVC.labels.p}", claim), "InvalidPath") << value;
  }
  claim.annotations["p"] = "..";
  claim.annotations["dot"] = ".";
  claim.annotations["nul"] = std::string("a\0b", 3);
  for (const char* pattern : {"${.PVC.annotations.p}", "x/${.PVC.annotations.p}", "x/${.PVC.annotations.p}/y",
                              "${.PVC.annotations.dot}", ".${.PVC.annotations.dot}",
                              "${.PVC.annotations.dot}${.PVC.annotations.dot}/x", "${.PVC.annotations.nul}",
                              "../x", "a//b", "//x", ".mooring/owners", "a/.mooring.json"})
    EXPECT_EQ(reason_of(pattern, claim), "InvalidPath") << pattern;
  claim.annotations["long"] = std::string(256, 'a');
  EXPECT_EQ(reason_of("${.PVC.annotations.long}", claim), "InvalidPath");
}

TEST(NfsProvisioner, csi_driver_nfs_855_only_the_volumes_own_directory_is_removed) {
  Asked asked;
  asked.set("pathPattern", "foo/${.PVC.namespace}/${.PVC.name}");
  asked.set("onDelete", "delete");
  int removals = 0;
  for (const Step& step : provisioner.remove(asked.well(provisioner)).steps) {
    const auto* removal = std::get_if<RemoveVolumeDirectory>(&step);
    if (removal == nullptr) continue;
    ++removals;
    EXPECT_EQ(removal->directory, "foo/shop/data");
  }
  EXPECT_EQ(removals, 1);
}

TEST(NfsProvisioner, a_pattern_that_gives_nothing_is_not_the_export_itself) {
  Asked asked;
  for (const char* pattern : {"/", "${.PVC.labels.none}", ""}) {
    asked.set("pathPattern", pattern);
    EXPECT_EQ(path_of(asked.well(provisioner)), "/export/shop-data-pvc-0b1c") << pattern;
  }
}

}  // namespace
}  // namespace mooring
