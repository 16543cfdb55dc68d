// Directories of volumes: made, found, guarded, removed and set aside.

#include "volume_directories_fixture.h"

namespace mooring {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(VolumeDirectories, the_base_is_the_nodes_alone_and_the_volume_everybodys) {
  EXPECT_TRUE(node().run_well({make}).changed);
  EXPECT_EQ(fake().status(base)->mode, 0750U);
  EXPECT_EQ(fake().status(base + "/pvc-1")->mode, 0777U);
  EXPECT_EQ(fake().status(base + "/.mooring")->mode, 0700U);
  EXPECT_FALSE(node().run_well({make}).changed);
}

TEST_F(VolumeDirectories, nothing_of_moorings_is_seen_in_the_volume) {
  node().run_well({make});
  EXPECT_THAT(fake().tree_listing(base + "/pvc-1"), IsEmpty());
}

TEST_F(VolumeDirectories, a_base_that_is_there_keeps_its_mode_and_may_be_reached_by_a_link) {
  fake().put_directory("/disk/volumes", 0711);
  fake().put_directory("/srv");
  fake().put_symlink(base, "/disk/volumes");
  node().run_well({make});
  EXPECT_TRUE(fake().exists("/disk/volumes/pvc-1"));
  EXPECT_EQ(fake().status("/disk/volumes")->mode, 0711U);
  node().run_well({remove_it});
  EXPECT_FALSE(fake().exists("/disk/volumes/pvc-1"));
}

TEST_F(VolumeDirectories, a_base_that_leads_to_the_system_is_refused) {
  fake().put_directory("/etc/volumes");
  fake().put_directory("/srv");
  fake().put_symlink(base, "/etc/volumes");
  EXPECT_EQ(reason(make), "SystemDirectory");
  EXPECT_FALSE(fake().exists("/etc/volumes/.mooring"));
}

TEST_F(VolumeDirectories, removed_with_all_that_pods_wrote_and_all_that_is_remembered) {
  node().run_well({make});
  fake().put_file(base + "/pvc-1/a/b/file", "data");
  EXPECT_TRUE(node().run_well({remove_it}).changed);
  EXPECT_FALSE(fake().exists(base + "/pvc-1"));
  EXPECT_FALSE(fake().exists(base + "/.mooring/owners/pvc-1"));
  EXPECT_FALSE(fake().exists(base + "/.mooring/trash/pvc-1"));
  EXPECT_FALSE(fake().exists(node().root(memory)));
  EXPECT_FALSE(node().run_well({remove_it}).changed);
}

TEST_F(VolumeDirectories, what_was_never_made_is_removed_already) {
  EXPECT_FALSE(node().run_well({remove_it}).changed);
  node().run_well({make_at("pvc-2", other)});
  EXPECT_FALSE(node().run_well({remove_it}).changed);
  EXPECT_TRUE(fake().exists(base + "/pvc-2"));
}

TEST_F(VolumeDirectories, a_directory_that_is_there_already_is_not_shared_however_empty_it_is) {
  fake().put_directory(base + "/pvc-1");
  EXPECT_EQ(reason(make), "DirectoryTaken");
  fake().put_file(base + "/pvc-1/file", "data");
  EXPECT_EQ(reason(make), "DirectoryTaken");
  EXPECT_EQ(reason(remove_it), "NotMooringsDirectory");
  EXPECT_EQ(fake().read(base + "/pvc-1/file"), "data");
}

TEST_F(VolumeDirectories, a_directory_of_its_own_that_holds_data_is_none_that_was_just_made) {
  node().run_well({make});
  fake().put_file(base + "/pvc-1/file", "data");
  EXPECT_EQ(reason(make), "DirectoryTaken");
}

TEST_F(VolumeDirectories, two_claims_never_get_one_directory) {
  node().run_well({make_at("shop/data", mine)});
  const Error error = node().run_badly({make_at("shop/data", other)});
  EXPECT_EQ(error.reason, "DirectoryTaken");
  EXPECT_THAT(error.message, HasSubstr("pvc-1"));
  EXPECT_EQ(reason(remove_at("shop/data", other)), "NotMooringsDirectory");
  EXPECT_TRUE(fake().exists(base + "/shop/data"));
}

TEST_F(VolumeDirectories, csi_driver_nfs_855_what_lies_beside_it_and_the_directories_above_it_stay) {
  node().run_well({make_at("foo/shop/data", mine), make_at("foo/bank/data", other)});
  fake().put_file(base + "/foo/bank/data/file", "data");
  fake().put_file(base + "/foo/nobodys", "data");
  node().run_well({remove_at("foo/shop/data", mine)});
  EXPECT_TRUE(fake().exists(base + "/foo/shop"));
  EXPECT_EQ(fake().read(base + "/foo/bank/data/file"), "data");
  EXPECT_EQ(fake().read(base + "/foo/nobodys"), "data");
}

TEST_F(VolumeDirectories, none_lies_in_another_one) {
  node().run_well({make_at("shop/data", mine)});
  EXPECT_EQ(reason(make_at("shop", other)), "DirectoryTaken");
  EXPECT_EQ(reason(make_at("shop/data/below", other)), "DirectoryTaken");
  EXPECT_EQ(reason(make_at("shop/data/far/below", other)), "DirectoryTaken");
  // What was refused left no stamp that keeps others away.
  node().run_well({remove_at("shop/data", mine)});
  fake().remove_all(base + "/shop");
  node().run_well({make_at("shop", other)});
}

TEST_F(VolumeDirectories, directories_with_a_beginning_in_common_are_apart) {
  node().run_well({make_at("shop/data", mine), make_at("shop/data-2", other)});
  node().run_well({remove_at("shop/data", mine)});
  EXPECT_TRUE(fake().exists(base + "/shop/data-2"));
  EXPECT_EQ(reason(make_at("shop/data-2", mine)), "DirectoryTaken");
}

TEST_F(VolumeDirectories, cve_2026_3864_what_is_remembered_leads_nowhere_else) {
  fake().put_file("/srv/precious/file", "precious");
  fake().put_file("/precious", "precious");
  node().run_well({make});
  for (const char* directory :
       {"..", "../precious", "pvc-1/../../precious", "/srv/precious", "a/../../precious", "", ".", "./pvc-1",
        "pvc-1/", "a//b", ".mooring", ".mooring/owners"}) {
    EXPECT_EQ(reason(make_at(directory, mine)), "BadName") << directory;
    EXPECT_EQ(reason(remove_at(directory, mine)), "BadName") << directory;
    EXPECT_EQ(reason(SetAsideVolumeDirectory{base, directory, mine, "aside"}), "BadName") << directory;
    EXPECT_EQ(reason(LimitDirectory{directory, 1, base}), "BadName") << directory;
  }
  for (const char* bad : {"", "/", "srv/../..", "/srv/../volumes", "/srv/volumes/"}) {
    EXPECT_EQ(reason(RemoveVolumeDirectory{bad, "pvc-1", mine, {}}), "BadName") << bad;
  }
  EXPECT_EQ(reason(RemoveVolumeDirectory{base, "pvc-1", ObjectName("../x"), {}}), "BadName");
  for (const char* to : {"../x", "a/b", "..", ".mooring"})
    EXPECT_EQ(reason(SetAsideVolumeDirectory{base, "pvc-1", mine, to}), "BadName") << to;
  EXPECT_EQ(fake().read("/srv/precious/file"), "precious");
  EXPECT_TRUE(fake().exists(base + "/pvc-1"));
}

TEST_F(VolumeDirectories, ghsa_jr3w_9vfr_c746_a_link_that_was_put_in_the_way_is_not_followed) {
  fake().put_file("/precious/data/file", "precious");
  node().run_well({make_at("shop/data", mine)});
  fake().remove_all(base + "/shop");
  fake().put_symlink(base + "/shop", "/precious");
  EXPECT_EQ(reason(remove_at("shop/data", mine)), "SymbolicLink");
  EXPECT_EQ(reason(make_at("shop/new", other)), "SymbolicLink");
  EXPECT_EQ(reason(SetAsideVolumeDirectory{base, "shop/data", mine, "aside"}), "SymbolicLink");
  fake().remove_all(base + "/shop");
  fake().put_symlink(base + "/shop/data", "/precious/data");
  EXPECT_EQ(reason(remove_at("shop/data", mine)), "NotMooringsDirectory");
  EXPECT_EQ(fake().read("/precious/data/file"), "precious");
}

TEST_F(VolumeDirectories, links_in_the_volume_are_removed_and_not_followed) {
  fake().put_file("/precious/file", "precious");
  node().run_well({make});
  fake().put_symlink(base + "/pvc-1/link", "/precious");
  node().run_well({remove_it});
  EXPECT_EQ(fake().read("/precious/file"), "precious");
}

TEST_F(VolumeDirectories, what_is_mounted_in_it_keeps_all_of_it) {
  node().run_well({make});
  fake().put_file(base + "/pvc-1/file", "data");
  fake().put_directory(base + "/pvc-1/mnt");
  fake().mount_foreign(base + "/pvc-1/mnt", "tmpfs", "foreign");
  const Error error = node().run_badly({remove_it});
  EXPECT_EQ(error.reason, "MountedBelow");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_THAT(error.message, HasSubstr(base + "/pvc-1/mnt"));
  EXPECT_EQ(fake().read(base + "/pvc-1/file"), "data");
  fake().unmount_foreign(base + "/pvc-1/mnt");
  fake().mount_foreign(base + "/pvc-1", "tmpfs", "foreign");
  EXPECT_EQ(reason(remove_it), "MountedBelow");
  fake().unmount_foreign(base + "/pvc-1");
  node().run_well({remove_it});
}

TEST_F(VolumeDirectories, a_pod_that_has_it_mounted_keeps_it) {
  node().run_well({make});
  fake().put_directory(base + "/pvc-1/part");
  fake().put_directory("/pods/v");
  for (const char* source : {"/pvc-1", "/pvc-1/part"}) {
    fake().bind_foreign(base + source, "/pods/v");
    const Error error = node().run_badly({remove_it});
    EXPECT_EQ(error.reason, "StillMounted");
    EXPECT_EQ(error.kind, ErrorKind::Transient);
    EXPECT_THAT(error.message, HasSubstr("/pods/v"));
    fake().unmount_foreign("/pods/v");
  }
  node().run_well({remove_it});
}

TEST_F(VolumeDirectories, what_others_mount_from_beside_it_does_not_count) {
  node().run_well({make, make_at("pvc-10", other)});
  fake().put_directory("/pods/v");
  fake().bind_foreign(base + "/pvc-10", "/pods/v");
  fake().put_directory("/all");
  fake().bind_foreign(base, "/all");
  node().run_well({remove_it});
  EXPECT_TRUE(fake().exists(base + "/pvc-10"));
}

TEST_F(VolumeDirectories, a_base_whose_file_system_is_not_mounted_is_not_an_empty_one) {
  fake().put_directory(base);
  fake().mount_foreign(base, "ext4", "/dev/sdx");
  node().run_well({make});
  fake().put_file(base + "/pvc-1/file", "data");
  fake().unmount_foreign(base);
  EXPECT_EQ(reason(remove_it), "BaseMissing");
  EXPECT_EQ(reason(make), "BaseMissing");
  fake().remove_all(base);
  EXPECT_EQ(reason(remove_it), "BaseMissing");
  EXPECT_EQ(reason(make), "BaseMissing");
  EXPECT_FALSE(fake().exists(base));
  fake().put_directory(base);
  fake().mount_foreign(base, "ext4", "/dev/sdx");
  EXPECT_EQ(fake().read(base + "/pvc-1/file"), "data");
  node().run_well({remove_it});
}

TEST_F(VolumeDirectories, half_removed_it_is_in_the_trash_and_goes_on_there) {
  node().run_well({make});
  fake().put_file(base + "/pvc-1/a/file", "data");
  fake().put_file(base + "/pvc-1/b", "data");
  node().fail_call("remove_tree.entry", EIO, true);
  EXPECT_EQ(reason(remove_it), "InputOutputError");
  EXPECT_FALSE(fake().exists(base + "/pvc-1"));
  EXPECT_TRUE(fake().exists(base + "/.mooring/trash/pvc-1"));
  node().heal();
  EXPECT_TRUE(node().run_well({remove_it}).changed);
  EXPECT_FALSE(fake().exists(base + "/.mooring/trash/pvc-1"));
}

TEST_F(VolumeDirectories, a_stamp_that_cannot_be_read_protects_the_directory) {
  node().run_well({make});
  fake().remove_all(base + "/.mooring/owners/pvc-1/.mooring.json");
  fake().put_file(base + "/.mooring/owners/pvc-1/.mooring.json", "{");
  EXPECT_EQ(reason(remove_it), "BadOwnerStamp");
  EXPECT_EQ(reason(make), "BadOwnerStamp");
  EXPECT_TRUE(fake().exists(base + "/pvc-1"));
}

TEST_F(VolumeDirectories, set_aside_the_data_stays_and_is_nobodys) {
  node().run_well({make_at("shop/data", mine)});
  fake().put_file(base + "/shop/data/file", "data");
  const SetAsideVolumeDirectory aside{base, "shop/data", mine, "archived-data"};
  EXPECT_TRUE(node().run_well({aside}).changed);
  EXPECT_EQ(fake().read(base + "/archived-data/file"), "data");
  EXPECT_FALSE(fake().exists(base + "/shop/data"));
  EXPECT_FALSE(node().run_well({aside}).changed);
  node().run_well({make_at("shop/data", other)});
}

TEST_F(VolumeDirectories, set_aside_nothing_is_overwritten) {
  for (int i = 1; i <= 3; ++i) {
    node().run_well({make_at("data", mine)});
    fake().put_file(base + "/data/file", std::to_string(i));
    node().run_well({SetAsideVolumeDirectory{base, "data", mine, "archived-data"}});
  }
  EXPECT_EQ(fake().read(base + "/archived-data/file"), "1");
  EXPECT_EQ(fake().read(base + "/archived-data.2/file"), "2");
  EXPECT_EQ(fake().read(base + "/archived-data.3/file"), "3");
}

TEST_F(VolumeDirectories, set_aside_what_is_anothers_stays) {
  node().run_well({make_at("data", other)});
  EXPECT_EQ(reason(SetAsideVolumeDirectory{base, "data", mine, "archived-data"}), "NotMooringsDirectory");
  EXPECT_TRUE(fake().exists(base + "/data"));
}

TEST_F(VolumeDirectories, kept_to_its_size_and_grown_where_the_file_system_has_project_quotas) {
  const LimitDirectory limit{"pvc-1", 1U << 20U, base};
  EXPECT_FALSE(node().run_well({make, limit, limit}).steps_done == 0);
  EXPECT_FALSE(node().run_well({limit}).changed);
  fake().set_project_quotas("/", true);
  node().run_well({remove_it, make});
  EXPECT_TRUE(node().run_well({limit}).changed);
  fake().put_file(base + "/pvc-1/file", "data");
  EXPECT_FALSE(node().run_well({limit}).changed);
  EXPECT_TRUE(node().run_well({LimitDirectory{"pvc-1", 2U << 20U, base}}).changed);
  node().run_well({remove_it});
}

const std::string base_memory = "plugins/directory.mooring.io/bases/x";
const MakeVolumeDirectory make_second{base, "pvc-2", other, 0777, {}, {}, base_memory};

TEST_F(VolumeDirectories, none_is_made_where_the_file_system_of_others_is_not_mounted) {
  MakeVolumeDirectory first = make;
  first.base_memory = base_memory;
  fake().put_directory(base);
  fake().mount_foreign(base, "ext4", "/dev/sdx");
  node().run_well({first, remove_it});
  EXPECT_EQ(fake().read(node().root(base_memory)), base + "\n");
  fake().unmount_foreign(base);
  const Error error = node().run_badly({make_second});
  EXPECT_EQ(error.reason, "BaseMissing");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_THAT(error.remedy, HasSubstr(base + "/.mooring by hand"));
  fake().remove_all(base);
  EXPECT_EQ(reason(make_second), "BaseMissing");
  EXPECT_FALSE(fake().exists(base));
  fake().put_directory(base + "/.mooring");  // It is meant.
  node().run_well({make_second});
}

TEST_F(VolumeDirectories, a_base_that_was_made_before_it_was_remembered_is_remembered_later) {
  node().run_well({make, make_second});
  EXPECT_TRUE(fake().exists(node().root(base_memory)));
  EXPECT_FALSE(node().run_well({make_second}).changed);
}
TEST_F(VolumeDirectories, a_full_disk_leaves_nothing_that_keeps_it_from_being_made_later) {
  fake().put_directory("/srv");
  fake().set_space("/", 0);
  EXPECT_EQ(reason(make), "NoSpace");
  fake().set_space("/", std::nullopt);
  node().run_well({make});
  node().run_well({remove_it});
  EXPECT_FALSE(fake().exists(base + "/pvc-1"));
}

}  // namespace
}  // namespace mooring
