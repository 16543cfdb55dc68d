// The steps that remove things, and what they refuse to remove.

#include <gmock/gmock.h>

#include "operation_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Unmount unmount{volume_path, {"tmpfs", "hugetlbfs"}};
const DiscardDirectory discard{volume_path, "t"};

struct Removal : testing::Test {
  Removal() { node.run_well({make_pod, MakeDirectory{volume_path, 0777}}); }
  void mount_tmpfs() { node.run_well({MountTmpfs{volume_path, std::nullopt, 01777}}); }
  Node node;
};

TEST_F(Removal, kb_13_1_unmounts_what_is_of_our_kinds_and_may_be_repeated) {
  for (const Step& mount :
       {Step(MountTmpfs{volume_path, std::nullopt, 01777}), Step(MountHugetlbfs{volume_path, 2U << 20U})}) {
    node.run_well({mount});
    EXPECT_TRUE(node.run_well({unmount}).changed);
    EXPECT_THAT(node.mounted_at(node.volume), IsEmpty());
    EXPECT_FALSE(node.run_well({unmount}).changed);
  }
}

TEST_F(Removal, kb_13_1_nothing_to_unmount_is_success_also_when_the_directory_is_not_there) {
  EXPECT_FALSE(node.run_well({Unmount{"absent/deeper", {"tmpfs"}}}).changed);
}

TEST_F(Removal, a_mount_of_another_type_is_not_unmounted) {
  node.fake.mount_foreign(node.volume, "nfs4", "server:/export");
  const Error error = node.run_badly({unmount});
  EXPECT_EQ(error.reason, "ForeignMount");
  EXPECT_THAT(error.message, HasSubstr("nfs4"));
  EXPECT_THAT(node.mounted_at(node.volume), ElementsAre("nfs4"));
}

TEST_F(Removal, a_busy_mount_stays_and_is_never_detached_by_force) {
  mount_tmpfs();
  node.fake.mark_open(node.volume);
  const Error error = node.run_badly({unmount, discard});
  EXPECT_EQ(error.reason, "Busy");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_THAT(node.mounted_at(node.volume), ElementsAre("tmpfs"));
  node.fake.mark_closed(node.volume);
  node.run_well({unmount, discard});
}

TEST_F(Removal, a_mount_under_the_one_that_was_unmounted_is_told_of) {
  node.fake.mount_foreign(node.volume, "ext4", "/dev/x");
  node.fake.put_file(node.volume + "/file", "precious");
  node.fake.mount_foreign(node.volume, "tmpfs", "tmpfs");
  const Error error = node.run_badly({unmount});
  EXPECT_EQ(error.reason, "MountedBelow");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_THAT(error.message, HasSubstr("ext4"));
  EXPECT_EQ(node.fake.read(node.volume + "/file"), "precious");
  EXPECT_EQ(node.run_badly({unmount, discard}).reason, "ForeignMount");
}

TEST_F(Removal, somebody_was_quicker_to_unmount) {
  mount_tmpfs();
  node.fake.set_hook([&](std::string_view call, const std::string&, bool before) {
    if (call == "unmount" && before) node.fake.unmount_foreign(node.volume);
    return Fault::none();
  });
  node.run_well({unmount});
}

TEST_F(Removal, a_return_code_is_a_hint_and_what_is_mounted_then_decides) {
  mount_tmpfs();
  node.fail_call("unmount", EINTR, false);
  EXPECT_TRUE(node.run_well({unmount}).changed);
}

TEST_F(Removal, what_cannot_be_looked_at_is_not_unmounted) {
  mount_tmpfs();
  node.fail_call("at", EIO, true);
  EXPECT_EQ(node.run_badly({unmount}).reason, "InputOutputError");
  EXPECT_THAT(node.mounted_at(node.volume), ElementsAre("tmpfs"));
}

TEST_F(Removal, an_empty_directory_is_removed_at_once) {
  const Outcome outcome = node.run_well({discard});
  EXPECT_TRUE(outcome.changed);
  EXPECT_EQ(outcome.trash_entry, "");
  EXPECT_FALSE(node.fake.exists(node.volume));
  EXPECT_FALSE(node.fake.exists(node.root("trash")));
  EXPECT_FALSE(node.run_well({discard}).changed);
}

TEST_F(Removal, a_directory_with_data_is_moved_aside_and_the_outcome_says_where) {
  node.fake.put_file(node.volume + "/file", "data");
  EXPECT_EQ(node.run_well({discard}).trash_entry, "t");
  EXPECT_FALSE(node.fake.exists(node.volume));
  EXPECT_EQ(node.fake.read(node.root("trash/t/file")), "data");
  EXPECT_THAT(node.fake.tree_listing(node.fake.root_dir()),
              testing::Contains(node.root("trash") + " directory 700"));
}

TEST_F(Removal, what_has_the_name_in_the_trash_already_is_left_alone) {
  node.fake.put_file(node.root("trash/t/older"), "older");
  node.fake.put_file(node.volume + "/file", "data");
  const Error error = node.run_badly({discard});
  EXPECT_EQ(error.reason, "Exists");
  EXPECT_EQ(error.kind, ErrorKind::Transient) << "the next try has another name";
  EXPECT_EQ(node.fake.read(node.volume + "/file"), "data");
  EXPECT_EQ(node.fake.read(node.root("trash/t/older")), "older");
}

TEST_F(Removal, nothing_is_removed_from_a_pods_directory_without_a_stamp) {
  const std::string foreign = "pods/u9/volumes/kubernetes.io~empty-dir/v";
  node.fake.put_file(node.root(foreign + "/file"), "data");
  EXPECT_EQ(node.run_badly({DiscardDirectory{foreign, "t"}}).reason, "ForeignDirectory");
  EXPECT_EQ(node.run_badly({RemovePodDirectory{PodUid("u9")}}).reason, "ForeignDirectory");
  EXPECT_EQ(node.fake.read(node.root(foreign + "/file")), "data");
  node.fake.put_directory(node.root(foreign + "2"));
  node.fake.mount_foreign(node.root(foreign + "2"), "tmpfs", "tmpfs");
  EXPECT_EQ(node.run_badly({Unmount{foreign + "2", {"tmpfs"}}}).reason, "ForeignDirectory");
  EXPECT_THAT(node.mounted_at(node.root(foreign + "2")), testing::ElementsAre("tmpfs"));
}

TEST_F(Removal, what_was_moved_is_moved_whatever_the_call_said) {
  node.fake.put_file(node.volume + "/file", "data");
  node.fail_call("rename", EIO, false);
  EXPECT_EQ(node.run_well({discard}).trash_entry, "t");
}

TEST_F(Removal, what_cannot_be_moved_stays) {
  node.fake.put_file(node.volume + "/file", "data");
  node.fail_call("rename", EIO, true);
  EXPECT_EQ(node.run_badly({discard}).reason, "InputOutputError");
  EXPECT_EQ(node.fake.read(node.volume + "/file"), "data");
}

TEST_F(Removal, a_mount_point_is_not_discarded) {
  node.fake.mount_foreign(node.volume, "ext4", "/dev/x");
  node.fake.put_file(node.volume + "/file", "precious");
  const Outcome outcome = node.run({discard});
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->reason, "MountedBelow");
  EXPECT_EQ(outcome.error->kind, ErrorKind::Transient);
  EXPECT_THAT(outcome.error->remedy, HasSubstr("goes on by itself"));
  EXPECT_FALSE(outcome.changed);
  EXPECT_EQ(node.fake.read(node.volume + "/file"), "precious");
}

TEST_F(Removal, what_is_no_directory_is_not_discarded_and_no_link_is_followed) {
  node.fake.remove_all(node.volume);
  node.fake.put_file("/elsewhere/file", "precious");
  node.fake.put_symlink(node.volume, "/elsewhere");
  EXPECT_EQ(node.run_badly({discard}).reason, "NotADirectory");
  EXPECT_EQ(node.fake.read("/elsewhere/file"), "precious");
  EXPECT_TRUE(node.fake.exists(node.volume));
}

TEST_F(Removal, kb_13_1_a_mount_in_the_trash_is_never_entered) {
  node.fake.put_file(node.root("trash/t/a"), "data");
  node.fake.put_directory(node.root("trash/t/sub/mnt"));
  node.fake.mount_foreign(node.root("trash/t/sub/mnt"), "ext4", "/dev/x");
  node.fake.put_file(node.root("trash/t/sub/mnt/file"), "precious");
  const Error error = node.run_badly({EmptyTrash{"t"}});
  EXPECT_EQ(error.reason, "MountedBelow");
  EXPECT_THAT(error.path, HasSubstr("trash/t/sub/mnt"));
  EXPECT_EQ(node.fake.read(node.root("trash/t/sub/mnt/file")), "precious");
  node.fake.unmount_foreign(node.root("trash/t/sub/mnt"));
  node.run_well({EmptyTrash{"t"}});
  EXPECT_FALSE(node.fake.exists(node.root("trash/t")));
}

TEST_F(Removal, a_bind_of_the_same_file_system_in_the_trash_is_never_entered) {
  node.fake.put_file("/elsewhere/file", "precious");
  node.fake.put_directory(node.root("trash/t/bind"));
  node.fake.bind_foreign("/elsewhere", node.root("trash/t/bind"));
  EXPECT_EQ(node.run_badly({EmptyTrash{"t"}}).reason, "MountedBelow");
  EXPECT_EQ(node.fake.read("/elsewhere/file"), "precious");
}

TEST_F(Removal, links_in_the_trash_are_removed_and_not_followed) {
  node.fake.put_file("/elsewhere/file", "precious");
  node.fake.put_symlink(node.root("trash/t/link"), "/elsewhere");
  node.run_well({EmptyTrash{"t"}});
  EXPECT_FALSE(node.fake.exists(node.root("trash/t")));
  EXPECT_EQ(node.fake.read("/elsewhere/file"), "precious");
}

TEST_F(Removal, a_name_that_leads_out_of_the_trash_is_refused) {
  const auto before = node.picture();
  for (const std::string name : {"", ".", "..", "../pods", "a/b", "/"}) {
    const Error error = node.run_badly({EmptyTrash{name}});
    EXPECT_EQ(error.reason, "BadName") << name;
    EXPECT_EQ(error.kind, ErrorKind::Final) << name;
  }
  EXPECT_EQ(node.picture(), before);
}

TEST_F(Removal, of_the_pod_takes_empty_directories_and_the_stamp) {
  node.run_well({discard});
  node.fake.put_file(node.root("pods/u1/.mooring.json.17.new"), "cut");
  EXPECT_TRUE(node.run_well({RemovePodDirectory{uid}}).changed);
  EXPECT_FALSE(node.fake.exists(node.root("pods/u1")));
  EXPECT_TRUE(node.fake.exists(node.root("pods")));
  EXPECT_FALSE(node.run_well({RemovePodDirectory{uid}}).changed);
}

TEST_F(Removal, kb_8_what_mooring_did_not_make_is_named_and_stays_with_the_stamp) {
  const std::vector<std::pair<std::string, std::string>> strangers{
      {"pods/u1/notes", "notes"},
      {"pods/u1/volumes/notes", "notes"},
      {"pods/u1/volumes/kubernetes.io~empty-dir/v/file", "v"},
      {"pods/u1/volume-subpaths/x", "volume-subpaths"}};
  for (const auto& [path, named] : strangers) {
    Node fresh;
    fresh.run_well({make_pod});
    fresh.fake.put_file(fresh.root(path), "precious");
    const Error error = fresh.run_badly({RemovePodDirectory{uid}});
    EXPECT_EQ(error.reason, "NotEmpty") << path;
    EXPECT_EQ(error.kind, ErrorKind::Transient) << path;
    EXPECT_THAT(error.message, HasSubstr(named));
    EXPECT_EQ(fresh.fake.read(fresh.root(path)), "precious");
    EXPECT_EQ(fresh.fake.read(fresh.root("pods/u1/mooring.json")), stamp_text) << path;
  }
}

TEST_F(Removal, kb_8_a_volume_that_is_there_keeps_the_pods_directory) {
  EXPECT_EQ(node.run_badly({RemovePodDirectory{uid}}).reason, "NotEmpty");
  EXPECT_TRUE(node.fake.exists(node.volume));
  mount_tmpfs();
  node.run_badly({RemovePodDirectory{uid}});
  EXPECT_THAT(node.mounted_at(node.volume), ElementsAre("tmpfs"));
}

TEST_F(Removal, the_stamp_goes_last_so_that_a_failure_leaves_it_provable) {
  node.run_well({discard});
  node.fake.put_file(node.root("pods/u1/.mooring.json.17.new"), "cut");
  node.fail_call("remove_file", EIO, true);
  node.run_badly({RemovePodDirectory{uid}});
  EXPECT_TRUE(node.fake.exists(node.root("pods/u1/mooring.json")));
  node.fail_call("remove_directory", EIO, true);
  node.run_badly({RemovePodDirectory{uid}});
  EXPECT_TRUE(node.fake.exists(node.root("pods/u1")));
  node.heal();
  node.run_well({RemovePodDirectory{uid}});
}

}  // namespace
}  // namespace mooring
