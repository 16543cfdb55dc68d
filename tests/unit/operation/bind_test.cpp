#include <gmock/gmock.h>

#include "operation_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Bind : testing::Test {
  Bind() {
    node.fake.put_file("/data/file", "data");
    node.fake.put_directory(node.root("target"));
    target = node.root("target");
  }
  bool is_read_only() const { return node.fake.mount_facts().back().is_read_only(); }
  Node node;
  std::string target;
};

TEST_F(Bind, shows_the_source_at_the_target_once) {
  EXPECT_TRUE(node.run_well({BindMount{"/data", "target", false, true}}).changed);
  EXPECT_FALSE(node.run_well({BindMount{"/data", "target", false, true}}).changed);
  EXPECT_THAT(node.mounted_at(target), ElementsAre("ext4"));
  EXPECT_EQ(node.fake.read(target + "/file"), "data");
  EXPECT_EQ(node.fake.put_file(target + "/new", ""), 0);
}

/// A volume that is staged, and its place below the root directory.
struct BindOfStaged : Bind {
  BindOfStaged() {
    node.fake.put_directory(source);
    node.fake.mount_foreign(source, "ext4", "/dev/sdb");
  }
  const std::string source =
      node.root(layout::staged(PluginName("kubernetes.io/block"), layout::VolumeElement("data")));
};

TEST_F(BindOfStaged, shows_what_is_mounted_there) {
  EXPECT_TRUE(node.run_well({BindMount{source, "target", false, false}}).changed);
  EXPECT_FALSE(node.run_well({BindMount{source, "target", false, false}}).changed);
  node.fake.put_file(target + "/file", "data");
  EXPECT_EQ(node.fake.read(source + "/file"), "data");
}

TEST_F(BindOfStaged, never_shows_the_directory_that_is_left_when_somebody_unmounts_it) {
  node.fake.unmount_foreign(source);
  const Error error = node.run_badly({BindMount{source, "target", false, false}});
  EXPECT_EQ(error.reason, "NotStaged");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_THAT(node.mounted_at(target), IsEmpty());
}

TEST_F(BindOfStaged, lets_go_of_that_directory_if_it_is_unmounted_just_before_the_bind) {
  node.fake.set_hook([&](std::string_view call, const std::string&, bool before) {
    if (call == "bind" && before) node.fake.unmount_foreign(source);
    return Fault::none();
  });
  EXPECT_EQ(node.run_badly({BindMount{source, "target", false, false}}).reason, "NotStaged");
  EXPECT_THAT(node.mounted_at(target), IsEmpty());
}

TEST_F(Bind, kb_9_2_a_read_only_one_is_never_seen_writable) {
  bool was_writable = false;
  node.fake.set_hook([&](std::string_view, const std::string&, bool) {
    if (!node.mounted_at(target).empty() && !is_read_only()) was_writable = true;
    return Fault::none();
  });
  node.run_well({BindMount{"/data", "target", true, true}});
  EXPECT_FALSE(was_writable);
  EXPECT_TRUE(is_read_only());
  EXPECT_EQ(node.fake.put_file(target + "/new", ""), EROFS);
  EXPECT_EQ(node.fake.put_file("/data/new", ""), 0);
  EXPECT_FALSE(node.run_well({BindMount{"/data", "target", true, true}}).changed);
}

TEST_F(Bind, kb_9_2_one_that_fails_leaves_nothing_mounted) {
  for (const bool read_only : {false, true}) {
    node.fail_call("bind", EPERM, true);
    EXPECT_EQ(node.run_badly({BindMount{"/data", "target", read_only, true}}).reason, "MountFailed");
    EXPECT_THAT(node.mounted_at(target), IsEmpty());
  }
}

TEST_F(Bind, a_return_code_is_a_hint_and_what_is_mounted_then_decides) {
  node.fail_call("bind", EINTR, false);
  EXPECT_TRUE(node.run_well({BindMount{"/data", "target", true, true}}).changed);
  EXPECT_THAT(node.mounted_at(target), ElementsAre("ext4"));
}

TEST_F(Bind, a_writable_one_in_the_place_of_a_read_only_one_is_refused_and_left_alone) {
  node.run_well({BindMount{"/data", "target", false, true}});
  const Error error = node.run_badly({BindMount{"/data", "target", true, true}});
  EXPECT_EQ(error.reason, "ForeignMount");
  EXPECT_EQ(error.kind, ErrorKind::Final);
  EXPECT_THAT(node.mounted_at(target), ElementsAre("ext4"));
}

TEST_F(Bind, a_mount_of_something_else_is_not_taken_for_it) {
  node.fake.mount_foreign(target, "nfs4", "server:/export");
  EXPECT_EQ(node.run_badly({BindMount{"/data", "target", false, true}}).reason, "ForeignMount");
  EXPECT_THAT(node.mounted_at(target), ElementsAre("nfs4"));
}

TEST_F(Bind, of_a_file_system_that_is_read_only_itself_can_be_repeated) {
  node.fake.put_directory("/cd");
  node.fake.mount_foreign("/cd", "iso9660", "/dev/sr0");
  node.fake.set_read_only("/cd", true);
  EXPECT_TRUE(node.run_well({BindMount{"/cd", "target", false, true}}).changed);
  EXPECT_FALSE(node.run_well({BindMount{"/cd", "target", false, true}}).changed);
}

TEST_F(Bind, takes_the_mounts_below_along_if_it_is_to) {
  node.fake.put_directory("/data/sub");
  node.fake.mount_foreign("/data/sub", "xfs", "/dev/x");
  node.run_well({BindMount{"/data", "target", false, false}});
  EXPECT_THAT(node.mounted_at(target + "/sub"), IsEmpty());
  node.run_well({Unmount{"target", {"ext4"}}, BindMount{"/data", "target", true, true}});
  EXPECT_THAT(node.mounted_at(target + "/sub"), ElementsAre("xfs"));
  EXPECT_EQ(node.fake.put_file(target + "/sub/new", ""), EROFS);
}

TEST_F(Bind, without_a_source_or_target_fails) {
  EXPECT_EQ(node.run_badly({BindMount{"/absent", "target", false, true}}).errno_value, ENOENT);
  EXPECT_EQ(node.run_badly({BindMount{"/data", "absent", false, true}}).errno_value, ENOENT);
  node.fake.put_file(node.root("file"), "");
  node.run_badly({BindMount{"/data", "file", false, true}});
  EXPECT_THAT(node.mounted_at(node.root("file")), IsEmpty());
}

}  // namespace
}  // namespace mooring
