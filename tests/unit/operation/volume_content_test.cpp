#include <gmock/gmock.h>

#include "device_fixture.h"
#include "operation/volume_directories.h"

// What is emptied for another claim, and the images of volumes.

namespace mooring {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class EmptyDirectoryStep : public testing::Test {
 protected:
  Node& node() { return node_; }
  FakeKernel& fake() { return node_.fake; }
  std::string reason(const std::string& path) { return node_.run_badly({EmptyDirectory{path}}).reason; }

 private:
  Node node_;
};

TEST_F(EmptyDirectoryStep, kb_18_5_all_that_is_in_it_goes_and_itself_stays) {
  fake().put_file("/srv/data/a/b/file", "data");
  fake().put_file("/srv/data/.hidden", "data");
  fake().put_file("/precious/file", "precious");
  fake().put_symlink("/srv/data/link", "/precious");
  fake().set_mode("/srv/data", 0701);
  EXPECT_TRUE(node().run_well({EmptyDirectory{"/srv/data"}}).changed);
  EXPECT_THAT(fake().tree_listing("/srv/data"), IsEmpty());
  EXPECT_EQ(fake().status("/srv/data")->mode, 0701U);
  EXPECT_EQ(fake().read("/precious/file"), "precious");
  EXPECT_FALSE(node().run_well({EmptyDirectory{"/srv/data"}}).changed);
  EXPECT_FALSE(node().run_well({EmptyDirectory{"/srv/none"}}).changed);
}

TEST_F(EmptyDirectoryStep, a_disk_of_its_own_is_emptied_too) {
  fake().put_directory("/srv/disk");
  fake().mount_foreign("/srv/disk", "ext4", "/dev/sdx");
  fake().put_file("/srv/disk/file", "data");
  node().run_well({EmptyDirectory{"/srv/disk"}});
  EXPECT_THAT(fake().tree_listing("/srv/disk"), IsEmpty());
}

TEST_F(EmptyDirectoryStep, the_systems_directories_are_never_emptied_by_whatever_name) {
  fake().put_file("/etc/passwd", "root");
  fake().put_directory("/srv");
  fake().put_symlink("/srv/link", "/etc");
  fake().put_directory("/mnt/root");
  fake().bind_foreign("/", "/mnt/root");
  fake().put_directory("/mnt/etc");
  fake().bind_foreign("/etc", "/mnt/etc");
  for (const char* path : {"/etc", "/srv/link", "/mnt/root", "/mnt/root/etc", "/mnt/etc"})
    EXPECT_EQ(reason(path), "SystemDirectory") << path;
  for (const char* path : {"/", "/srv/../etc", "//etc", "/etc/", ""})
    EXPECT_EQ(reason(path), "BadName") << path;
  EXPECT_EQ(fake().read("/etc/passwd"), "root");
}

TEST_F(EmptyDirectoryStep, nothing_that_has_to_do_with_the_root_directory_is_emptied) {
  fake().put_file(node().root("pods/x/file"), "data");
  fake().put_directory("/mnt/root");
  fake().bind_foreign("/var/lib", "/mnt/root");
  fake().put_directory("/mnt/lib/mooring");
  for (const std::string& path : {fake().root_dir(), node().root("pods"), std::string("/mnt/root/mooring"),
                                  std::string("/mnt/root/mooring/pods")})
    EXPECT_EQ(reason(path), "SystemDirectory") << path;
  EXPECT_EQ(fake().read(node().root("pods/x/file")), "data");
}

TEST_F(EmptyDirectoryStep, what_is_mounted_in_it_keeps_all_of_it) {
  fake().put_file("/srv/data/file", "data");
  fake().put_directory("/srv/data/mnt");
  fake().mount_foreign("/srv/data/mnt", "tmpfs", "foreign");
  EXPECT_EQ(reason("/srv/data"), "MountedBelow");
  EXPECT_EQ(fake().read("/srv/data/file"), "data");
}

TEST_F(EmptyDirectoryStep, what_of_it_is_mounted_elsewhere_keeps_all_of_it) {
  fake().put_file("/srv/data/part/file", "data");
  fake().put_directory("/pods/v");
  fake().bind_foreign("/srv/data/part", "/pods/v");
  EXPECT_EQ(reason("/srv/data"), "StillMounted");
  EXPECT_EQ(fake().read("/srv/data/part/file"), "data");
}

TEST_F(EmptyDirectoryStep, volumes_of_claims_that_lie_in_it_keep_all_of_it) {
  node().run_well({MakeVolumeDirectory{"/srv/data/volumes", "pvc-1", ObjectName("pvc-1"), 0777, {}}});
  EXPECT_EQ(reason("/srv/data/volumes"), "HoldsVolumes");
  EXPECT_EQ(reason("/srv/data"), "HoldsVolumes");
  EXPECT_TRUE(fake().exists("/srv/data/volumes/pvc-1"));
}

TEST_F(EmptyDirectoryStep, kb_18_5_an_export_is_emptied_where_it_is_mounted) {
  const std::string place = "plugins/kubernetes.io/nfs/provisioner/pv";
  fake().put_server("server:/export");
  const MountNetwork mount{place, "nfs", "server:/export", {}, false};
  node().run_well({mount});
  fake().put_file(node().root(place) + "/a/file", "data");
  node().run_well({EmptyDirectory{place}, UnmountNetwork{place}, RemoveDirectory{place}});
  node().run_well({mount});
  EXPECT_THAT(fake().tree_listing(node().root(place)), IsEmpty());
  fake().put_file(node().root(place) + "/.mooring/owners/x/.mooring.json", "{}");
  EXPECT_EQ(reason(place), "HoldsVolumes");
}

/// Runs the step. At its call with this number its core is gone, another one's worker does all of it, and the
/// next claim writes. True if there was such a call.
bool run_and_be_overtaken_at(int number, Node& node) {
  FakeKernel& fake = node.fake;
  int calls = 0;
  bool is_overtaken = false;
  fake.set_hook([&](std::string_view, const std::string&, bool) {
    if (is_overtaken || calls++ != number) return Fault::none();
    is_overtaken = true;
    node.run_well({EmptyDirectory{"/srv/data"}});
    fake.put_file("/srv/data/a/file", "of the next claim");
    fake.put_file("/srv/data/b/file", "of the next claim");
    return Fault::none();
  });
  Operation operation;
  operation.steps = {EmptyDirectory{"/srv/data"}};
  execute(operation, fake.ports(), [&] { return !is_overtaken; });
  fake.set_hook({});
  return is_overtaken;
}

TEST_F(EmptyDirectoryStep, a_worker_that_is_left_over_removes_nothing_of_the_next_claim) {
  int number = 0;
  for (bool is_overtaken = true; is_overtaken; ++number) {
    SCOPED_TRACE(number);
    Node one;
    one.fake.put_file("/srv/data/a/file", "data");
    one.fake.put_file("/srv/data/a/second", "data");
    one.fake.put_file("/srv/data/b/file", "data");
    is_overtaken = run_and_be_overtaken_at(number, one);
    if (!is_overtaken) continue;
    EXPECT_EQ(one.fake.read("/srv/data/a/file"), "of the next claim");
    EXPECT_EQ(one.fake.read("/srv/data/b/file"), "of the next claim");
    EXPECT_EQ(one.fake.tree_listing("/srv/data").size(), 4U) << "no more than that";
  }
  EXPECT_GT(number, 10);
}

TEST_F(EmptyDirectoryStep, what_comes_while_it_is_emptied_stays) {
  fake().put_file("/srv/data/a", "data");
  fake().put_file("/srv/data/b", "data");
  bool is_new = true;
  fake().set_hook([&](std::string_view call, const std::string&, bool is_before) {
    if (call != "make_directory" || is_before || !std::exchange(is_new, false)) return Fault::none();
    fake().remove_all("/srv/data/b");
    fake().put_file("/srv/data/b", "another one");
    fake().put_file("/srv/data/c", "another one");
    return Fault::none();
  });
  node().run_well({EmptyDirectory{"/srv/data"}});
  EXPECT_FALSE(fake().exists("/srv/data/a"));
  EXPECT_EQ(fake().read("/srv/data/b"), "another one");
  EXPECT_EQ(fake().read("/srv/data/c"), "another one");
}

TEST_F(EmptyDirectoryStep,
       what_an_earlier_worker_left_half_done_goes_and_a_name_that_is_taken_is_no_hindrance) {
  fake().put_file("/srv/data/.mooring-trash-1/a/b", "data");
  fake().put_file("/srv/data/.mooring-trash-2", "data");
  fake().put_file("/srv/data/file", "data");
  node().run_well({EmptyDirectory{"/srv/data"}});
  EXPECT_THAT(fake().tree_listing("/srv/data"), IsEmpty());
}

TEST_F(EmptyDirectoryStep, it_has_not_succeeded_while_another_worker_has_its_trash_there) {
  fake().put_file("/srv/data/a", "data");
  bool is_new = true;
  fake().set_hook([&](std::string_view call, const std::string&, bool is_before) {
    if (call == "make_directory" && is_before && std::exchange(is_new, false))
      fake().put_directory("/srv/data/.mooring-trash-1");
    return Fault::none();
  });
  const Error error = node().run_badly({EmptyDirectory{"/srv/data"}});
  EXPECT_EQ(error.reason, "BeingEmptied");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  node().run_well({EmptyDirectory{"/srv/data"}});
  EXPECT_THAT(fake().tree_listing("/srv/data"), IsEmpty());
}

TEST_F(EmptyDirectoryStep, what_cannot_be_renamed_is_removed_where_it_is) {
  fake().put_file("/srv/data/a/file", "data");
  node().fail_call("rename", EXDEV, true);
  node().run_well({EmptyDirectory{"/srv/data"}});
  EXPECT_THAT(fake().tree_listing("/srv/data"), IsEmpty());
}

class Images : public testing::Test {
 protected:
  DeviceNode& node() { return node_; }
  FakeKernel& fake() { return node_.fake; }
  const std::string path = "/srv/images/pvc-1.img";
  const PluginName plugin{"kubernetes.io/block"};
  const layout::VolumeElement name{"pvc-1"};
  const std::string made = layout::image_stamp(plugin, name);
  const std::string formatted = layout::format_stamp(plugin, name);
  const std::string staged = layout::staged(plugin, name);
  const DeviceName device{DeviceName::Kind::Image, path};
  const PrepareImage prepare{path};
  const RemoveImage remove_it{path, made, formatted};
  std::string reason(const Step& step) { return node_.run_badly({step}).reason; }
  void attach() { node_.run_well({AttachDevice{device, 64 * mebibyte, false, made}}); }

 private:
  DeviceNode node_;
};

TEST_F(Images, prepared_used_and_removed_with_what_is_remembered) {
  EXPECT_TRUE(node().run_well({prepare}).changed) << "its stamp";
  EXPECT_FALSE(node().run_well({prepare}).changed);
  attach();
  node().run_well({FormatDevice{device, staged, formatted, "ext4", FormatPolicy::IfBlank, false}});
  ASSERT_TRUE(fake().exists(node().root(formatted)));
  node().run_well({DetachDevice{device}});
  EXPECT_TRUE(node().run_well({remove_it}).changed);
  EXPECT_FALSE(fake().exists(path));
  EXPECT_FALSE(fake().exists(node().root(made)));
  EXPECT_FALSE(fake().exists(node().root(formatted)));
  EXPECT_FALSE(node().run_well({remove_it}).changed);
}

TEST_F(Images, a_directory_that_is_missing_is_made) {
  EXPECT_TRUE(node().run_well({PrepareImage{"/srv/new/pvc-1.img"}}).changed);
  EXPECT_EQ(fake().status("/srv/new")->mode, 0750U);
}

TEST_F(Images, a_file_that_is_there_already_is_no_new_volumes) {
  fake().put_file(path, "data");
  EXPECT_EQ(reason(prepare), "ImageExists");
  EXPECT_EQ(fake().read(path), "data");
}

TEST_F(Images, one_that_is_attached_stays) {
  node().run_well({prepare});
  attach();
  const Error error = node().run_badly({remove_it});
  EXPECT_EQ(error.reason, "DeviceBusy");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_TRUE(fake().exists(path));
  EXPECT_TRUE(fake().exists(node().root(made)));
}

TEST_F(Images, one_that_is_bound_somewhere_stays) {
  node().run_well({prepare});
  fake().put_file(path, "data");
  fake().put_file("/mnt/file", "");
  ASSERT_EQ(fake().bind_foreign(path, "/mnt/file"), 0);
  EXPECT_EQ(reason(remove_it), "StillMounted");
  EXPECT_TRUE(fake().exists(path));
}

TEST_F(Images, only_a_file_is_removed_and_no_link_is_followed) {
  fake().put_file("/precious", "precious");
  fake().put_symlink(path, "/precious");
  EXPECT_EQ(reason(remove_it), "NotAnImage");
  fake().remove_all(path);
  fake().put_file(path + "/file", "data");
  EXPECT_EQ(reason(remove_it), "NotAnImage");
  EXPECT_EQ(fake().read(path + "/file"), "data");
  EXPECT_EQ(fake().read("/precious"), "precious");
}

TEST_F(Images, cve_2026_3864_what_is_remembered_leads_nowhere_else) {
  fake().put_file("/srv/precious", "precious");
  for (const char* bad : {"", "/srv/images/../precious", "srv/precious", "/srv//precious", "/srv/images/..",
                          "/x", "/srv/images/.mooring"}) {
    EXPECT_EQ(reason(RemoveImage{bad, made, formatted}), "BadName") << bad;
    EXPECT_EQ(reason(PrepareImage{bad}), "BadName") << bad;
  }
  EXPECT_EQ(fake().read("/srv/precious"), "precious");
}

TEST_F(Images, one_whose_file_system_is_not_mounted_is_not_gone) {
  fake().mount_foreign("/srv/images", "ext4", "/dev/sdx");
  node().run_well({prepare});
  attach();
  node().run_well({DetachDevice{device}});
  fake().unmount_foreign("/srv/images");
  EXPECT_EQ(reason(remove_it), "BaseMissing");
  fake().mount_foreign("/srv/images", "ext4", "/dev/sdx");
  node().run_well({remove_it});
  EXPECT_FALSE(fake().exists(path));
}

TEST_F(Images, the_image_of_an_earlier_making_is_neither_taken_nor_removed_with_a_later_one) {
  const ObjectName volume("pvc-1");
  const auto remove_with = [&](const char* token) {
    return RemoveImage{path, made, formatted, volume, token};
  };
  // What the attaching made before there were stamps of images has none.
  for (const char* earlier : {"t1", ""}) {
    SCOPED_TRACE(earlier);
    if (earlier != std::string()) node().run_well({PrepareImage{path, volume, earlier}});
    attach();
    node().run_well({FormatDevice{device, staged, formatted, "ext4", FormatPolicy::IfBlank, false}});
    EXPECT_EQ(reason(PrepareImage{path, volume, "t2"}), "ImageExists");
    node().run_well({DetachDevice{device}});
    EXPECT_EQ(reason(PrepareImage{path, volume, "t2"}), "ImageExists");
    const Outcome outcome = node().run_well({remove_with("t2")});
    EXPECT_FALSE(outcome.changed);
    EXPECT_THAT(outcome.warnings, testing::ElementsAre(HasSubstr("was not made for this claim; it stays")));
    EXPECT_TRUE(fake().exists(path));
    EXPECT_TRUE(fake().exists(node().root(made)));
    EXPECT_TRUE(fake().exists(node().root(formatted)));
    EXPECT_TRUE(node().run_well({remove_with(earlier)}).changed);
    EXPECT_FALSE(fake().exists(path));
    EXPECT_FALSE(fake().exists("/srv/images/.mooring/owners/pvc-1.img"));
  }
}

TEST_F(Images, the_stamp_of_an_earlier_making_alone_keeps_nobody_away) {
  const ObjectName volume("pvc-1");
  node().run_well({PrepareImage{path, volume, "t1"}});
  EXPECT_TRUE(node().run_well({PrepareImage{path, volume, "t2"}}).changed);
  EXPECT_FALSE(node().run_well({PrepareImage{path, volume, "t2"}}).changed);
  fake().put_file(path, "data");
  node().run_well({RemoveImage{path, made, formatted, volume, "t2"}});
  EXPECT_FALSE(fake().exists(path));
  EXPECT_FALSE(fake().exists("/srv/images/.mooring/owners/pvc-1.img"));
}

TEST_F(Images, none_is_prepared_where_the_file_system_of_others_is_not_mounted) {
  const std::string base_memory = "plugins/directory.mooring.io/bases/images";
  const PrepareImage first{path, ObjectName("pvc-1"), "t1", base_memory};
  const PrepareImage second{"/srv/images/pvc-2.img", ObjectName("pvc-2"), "t2", base_memory};
  fake().put_directory("/srv/images");
  fake().mount_foreign("/srv/images", "ext4", "/dev/sdx");
  node().run_well({first});
  fake().unmount_foreign("/srv/images");
  const Error error = node().run_badly({second});
  EXPECT_EQ(error.reason, "BaseMissing");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  fake().put_directory("/srv/images/.mooring");
  node().run_well({second});
}

TEST_F(Images, what_was_never_made_is_removed_already) {
  EXPECT_FALSE(node().run_well({RemoveImage{"/srv/none/pvc-1.img", made, formatted}}).changed);
  EXPECT_FALSE(node().run_well({remove_it}).changed);
}

}  // namespace
}  // namespace mooring
