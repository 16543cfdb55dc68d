// Directories that were made more than once under one name, and those on exports.

#include "volume_directories_fixture.h"

namespace mooring {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class Makings : public VolumeDirectories {
 protected:
  static MakeVolumeDirectory make_with(const std::string& token) {
    return {base, "pvc-1", mine, 0777, memory, token};
  }
  static RemoveVolumeDirectory remove_with(const std::string& token) {
    return {base, "pvc-1", mine, memory, token};
  }
  static SetAsideVolumeDirectory set_aside_with(const std::string& token) {
    return {base, "pvc-1", mine, "archived-pvc-1", token};
  }
  /// Done without an error, and nothing of the earlier making was touched.
  void expect_left_alone(const Step& step) {
    const Outcome outcome = node().run_well({step});
    EXPECT_FALSE(outcome.changed);
    EXPECT_THAT(outcome.warnings, testing::ElementsAre(HasSubstr("was not made for this claim; it stays")));
    EXPECT_EQ(fake().read(base + "/pvc-1/file"), "data");
    EXPECT_TRUE(fake().exists(base + "/.mooring/owners/pvc-1/.mooring.json"));
  }
};

TEST_F(Makings, the_data_of_an_earlier_making_is_neither_taken_nor_removed_with_a_later_one) {
  for (const char* earlier : {"t1", ""}) {
    SCOPED_TRACE(earlier);
    node().run_well({make_with(earlier)});
    EXPECT_EQ(reason(make_with("t2")), "DirectoryTaken") << "also while it is empty";
    fake().put_file(base + "/pvc-1/file", "data");
    EXPECT_EQ(reason(make_with("t2")), "DirectoryTaken");
    expect_left_alone(remove_with("t2"));
    expect_left_alone(set_aside_with("t2"));
    EXPECT_TRUE(node().run_well({remove_with(earlier)}).changed);
    EXPECT_FALSE(fake().exists(base + "/pvc-1"));
  }
}

TEST_F(Makings, one_without_a_token_is_none_of_those_that_have_one) {
  node().run_well({make_with("t1")});
  fake().put_file(base + "/pvc-1/file", "data");
  EXPECT_EQ(reason(make), "DirectoryTaken");
  expect_left_alone(remove_it);
}

TEST_F(Makings, each_is_repeated_and_removed_by_its_own_token) {
  EXPECT_TRUE(node().run_well({make_with("t1")}).changed);
  EXPECT_FALSE(node().run_well({make_with("t1")}).changed);
  EXPECT_TRUE(node().run_well({set_aside_with("t1")}).changed);
  EXPECT_TRUE(fake().exists(base + "/archived-pvc-1"));
  node().run_well({make_with("t2"), remove_with("t2")});
  EXPECT_FALSE(fake().exists(base + "/pvc-1"));
  EXPECT_FALSE(fake().exists(base + "/.mooring/owners/pvc-1"));
}

TEST_F(Makings, the_stamp_of_an_earlier_one_alone_keeps_nobody_away) {
  node().run_well({make_with("t1")});
  fake().remove_all(base + "/pvc-1");  // Somebody has followed the advice.
  EXPECT_FALSE(node().run_well({remove_with("t2")}).warnings.size());
  node().run_well({make_with("t2")});
  fake().put_file(base + "/pvc-1/file", "data");
  expect_left_alone(remove_with("t1"));
  node().run_well({remove_with("t2")});
  EXPECT_FALSE(fake().exists(base + "/pvc-1"));
}
class Exports : public VolumeDirectories {
 protected:
  Exports() { fake().put_server("server:/export"); }
  const std::string place = "plugins/kubernetes.io/nfs/provisioner/pvc-1";
  const MountNetwork mount{place, "nfs", "server:/export", {}, false};
  const MakeVolumeDirectory make_there{place, "shop/data", mine, 0777, {}};
  const UnmountNetwork unmount{place};
  const RemoveDirectory tidy{place};
};

TEST_F(Exports, kb_18_7_the_directory_is_made_on_the_server_and_nothing_stays_mounted) {
  node().run_well({mount, make_there, unmount, tidy});
  EXPECT_FALSE(fake().exists(node().root(place)));
  node().run_well({mount});
  EXPECT_EQ(fake().status(node().root(place) + "/shop/data")->mode, 0777U);
  EXPECT_EQ(fake().status(node().root(place) + "/shop")->mode, 0755U);
  node().run_well({RemoveVolumeDirectory{place, "shop/data", mine, {}}, unmount, tidy});
  node().run_well({mount});
  EXPECT_FALSE(fake().exists(node().root(place) + "/shop/data"));
}

TEST_F(Exports, without_the_export_nothing_is_made_below_the_root_directory) {
  fake().put_directory(node().root(place));
  EXPECT_EQ(reason(make_there), "NotMounted");
  EXPECT_EQ(reason(RemoveVolumeDirectory{place, "shop/data", mine, {}}), "NotMounted");
  EXPECT_EQ(reason(EmptyDirectory{place}), "NotMounted");
  EXPECT_THAT(fake().tree_listing(node().root(place)), IsEmpty());
}

TEST_F(Exports, one_whose_disk_is_not_there_on_the_server_is_not_an_empty_one) {
  const std::string known = "plugins/kubernetes.io/nfs/bases/export";
  const MakeVolumeDirectory make_one{place, "shop/data", mine, 0777, {}, {}, known};
  const MakeVolumeDirectory make_other{place, "shop/other", other, 0777, {}, {}, known};
  const RemoveVolumeDirectory remove{place, "shop/data", mine, {}, {}, known};
  const SetAsideVolumeDirectory set_aside{place, "shop/data", mine, "archived-data", {}, known};
  node().run_well({mount, make_one, unmount, tidy});
  fake().put_server("server:/bare");  // What the server exports while the disk is missing there.
  node().run_well({MountNetwork{place, "nfs", "server:/bare", {}, false}});
  for (const Step& step : {Step(remove), Step(set_aside), Step(make_other)}) {
    const Error error = node().run_badly({step});
    EXPECT_EQ(error.reason, "BaseMissing");
    EXPECT_EQ(error.kind, ErrorKind::Transient);
    EXPECT_THAT(error.message, HasSubstr("server:/bare"));
    EXPECT_THAT(error.remedy, HasSubstr("server:/bare/.mooring by hand"));
  }
  EXPECT_THAT(fake().tree_listing(node().root(place)), IsEmpty());
  node().run_well({unmount, mount, make_other, remove});
  EXPECT_FALSE(fake().exists(node().root(place) + "/shop/data"));
}

TEST_F(Exports, a_pod_that_has_the_directory_mounted_keeps_it) {
  node().run_well({mount, make_there});
  fake().put_directory("/pods/v");
  fake().mount_foreign("/pods/v", "nfs4", "server:/export/shop/data");
  EXPECT_EQ(reason(RemoveVolumeDirectory{place, "shop/data", mine, {}}), "StillMounted");
  EXPECT_EQ(reason(SetAsideVolumeDirectory{place, "shop/data", mine, "archived-data"}), "StillMounted");
  fake().unmount_foreign("/pods/v");
  fake().mount_foreign("/pods/v", "nfs4", "server:/export/shop/data-2");
  node().run_well({SetAsideVolumeDirectory{place, "shop/data", mine, "archived-data"}});
}

}  // namespace
}  // namespace mooring
