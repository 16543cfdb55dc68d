#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <tuple>
#include <vector>

#include "group_walk_fixture.h"

// What the ownership walk changes, on the real kernel. The fake's has tests of its own.

namespace mooring::kernel::contract {
namespace {

class LinuxOnlyGroupWalk : public GroupWalkFixture {};

TEST_F(LinuxOnlyGroupWalk, AddsWhatAGroupNeedsAndTakesNothingAway) {
  for (const bool may_use_fchmodat2 : {true, false}) {
    for (const auto& [name, mode, wanted] :
         std::vector<std::tuple<std::string, unsigned, unsigned>>{{"file", 0600, 0660},
                                                                  {"unwritable", 0400, 0660},
                                                                  {"open", 0666, 0666},
                                                                  {"program", 0755, 0775},
                                                                  {"nothing", 0000, 0660},
                                                                  {"set-uid", 04755, 04775},
                                                                  {"set-gid", 02755, 02775},
                                                                  {"both", 06711, 06771},
                                                                  {"sticky", 01600, 01660}}) {
      put_file(name, mode);
      const GroupReport report = walked(to(group), {.may_use_fchmodat2 = may_use_fchmodat2});
      EXPECT_EQ(report.failed, 0U) << report.first_failure;
      expect(name, wanted);
      EXPECT_EQ(look_at(volume(name)).owner, owner);
      // A mode that lacks nothing survives another group too.
      walked(to(other_group), {.may_use_fchmodat2 = may_use_fchmodat2});
      expect(name, wanted, other_group);
      node().remove(volume(name));
    }
  }
}

TEST_F(LinuxOnlyGroupWalk, GivesDirectoriesTheGroupForWhatIsMadeInThem) {
  put_directory("closed", 0700);
  put_directory("usual", 0755);
  put_directory("sticky", 01777);
  put_directory("usual/below", 0000);
  const GroupReport report = walked(to(group));
  EXPECT_EQ(report.seen, 5U);
  EXPECT_EQ(report.changed, 5U);
  expect("closed", 02770);
  expect("usual", 02775);
  expect("sticky", 03777);
  expect("usual/below", 02770);
  expect("", 02775);
  put_directory("usual/new", 0700);
  EXPECT_EQ(look_at(volume("usual")).group, group);
}

TEST_F(LinuxOnlyGroupWalk, AddsOnlyReadingInAReadOnlyVolume) {
  put_directory("closed", 0700);
  put_directory("usual", 0755);
  put_file("usual/file", 0600);
  put_file("usual/unwritable", 0400);
  put_file("usual/set-uid", 04700);
  walked(read_only_to(group));
  expect("closed", 02750 | 0500);
  expect("usual", 02755);
  expect("usual/file", 0640);
  expect("usual/unwritable", 0440);
  expect("usual/set-uid", 04740);
  expect("", 02755);
}

TEST_F(LinuxOnlyGroupWalk, ChangesWhatIsNoRegularFileToo) {
  node().put_fifo(volume("fifo"));
  node().put_socket(volume("socket"));
  ASSERT_EQ(mknod(volume("device").c_str(), S_IFCHR | 0600, 0), 0);
  ASSERT_EQ(link(volume("fifo").c_str(), volume("again").c_str()), 0);
  own(volume("fifo"), 0600);
  walked(to(group));
  expect("fifo", 0660);
  expect("again", 0660);
  expect("socket", 0666);
  expect("device", 0660);
}

TEST_F(LinuxOnlyGroupWalk, NeitherFollowsNorChangesLinks) {
  node().put_file(node().host("file"), "outside");
  node().put_directory(node().host("directory/below"));
  node().put_symlink(volume("to-file"), node().host("file"));
  node().put_symlink(volume("to-directory"), node().host("directory"));
  node().put_symlink(volume("dangling"), "nowhere");
  const std::vector<std::string> paths{
      node().host("file"), node().host("directory"), node().host("directory/below"),
      volume("to-file"),   volume("to-directory"),   volume("dangling")};
  std::vector<Look> before, after;
  for (const std::string& path : paths)
    before.push_back(look_at(path));
  const GroupReport report = walked(to(group));
  for (const std::string& path : paths)
    after.push_back(look_at(path));
  EXPECT_EQ(before, after);
  EXPECT_EQ(report.seen, 4U);
  EXPECT_EQ(report.changed, 1U);
  EXPECT_EQ(report.failed, 0U);
}

TEST_F(LinuxOnlyGroupWalk, LeavesAloneWhatIsMountedBelow) {
  node().put_file(node().host("file"), "outside");
  node().put_file(node().host("directory/file"), "outside");
  // A file that must be changed comes before each mount, and one that is right before each other.
  put_file("wrong", 0600);
  node().put_file(volume("file"), "below the mount");
  put_file("right", 0660);
  ASSERT_EQ(chown(volume("right").c_str(), owner, group), 0);
  node().put_file(volume("again"), "below the mount");
  put_directory("bound", 0700);
  put_directory("foreign", 0700);
  put_file("beside", 0600);
  node().bind_foreign(node().host("file"), volume("file"));
  node().bind_foreign(node().host("file"), volume("again"));
  node().bind_foreign(node().host("directory"), volume("bound"));
  node().mount_foreign(volume("foreign"));
  node().put_file(volume("foreign/file"), "foreign");
  const std::vector<std::string> paths{node().host("file"), node().host("directory"),
                                       node().host("directory/file"), volume("foreign"),
                                       volume("foreign/file")};
  std::vector<Look> before, after;
  for (const std::string& path : paths)
    before.push_back(look_at(path));
  const GroupReport report = walked(to(group));
  for (const std::string& path : paths)
    after.push_back(look_at(path));
  EXPECT_EQ(before, after);
  EXPECT_EQ(report.failed, 0U);
  expect("beside", 0660);
  expect("", 02775);
}

TEST_F(LinuxOnlyGroupWalk, WalksAVolumeThatIsAMountItself) {
  put_file("below", 0600);
  node().mount_foreign(volume());
  put_file("file", 0600);
  walked(to(group));
  expect("file", 0660);
  expect("", 02775);
  node().unmount_foreign(volume());
  expect("below", 0600, 0);
  expect("", 0755, 0);
}

TEST_F(LinuxOnlyGroupWalk, TouchesNothingThatIsRight) {
  put_directory("directory", 0700);
  put_file("directory/file", 0600);
  put_file("directory/set-uid", 04755);
  EXPECT_EQ(walked(to(group)).changed, 4U);
  std::vector<Look> before, after;
  for (const std::string path : {"", "directory", "directory/file", "directory/set-uid"})
    before.push_back(look_at(volume(path)));
  const GroupReport report = walked(to(group));
  for (const std::string path : {"", "directory", "directory/file", "directory/set-uid"})
    after.push_back(look_at(volume(path)));
  EXPECT_EQ(before, after);
  EXPECT_EQ(report.changed, 0U);
  EXPECT_EQ(report.seen, 4U);
  EXPECT_FALSE(report.was_skipped);
}

TEST_F(LinuxOnlyGroupWalk, SkipsAVolumeWhoseRootIsRightOnlyIfAsked) {
  EXPECT_FALSE(walked(on_mismatch(to(group))).was_skipped);
  put_file("file", 0600);
  EXPECT_TRUE(walked(on_mismatch(to(group))).was_skipped);
  expect("file", 0600, 0);
  EXPECT_FALSE(walked(to(group)).was_skipped);
  expect("file", 0660);
  // Another group, and each bit that may be missing.
  EXPECT_FALSE(walked(on_mismatch(to(other_group))).was_skipped);
  for (const std::uint32_t mode : {0775U, 02755U, 02765U, 02735U, 02075U}) {
    node().set_mode(volume(), mode);
    EXPECT_FALSE(walked(on_mismatch(to(other_group))).was_skipped) << std::oct << mode;
    EXPECT_TRUE(walked(on_mismatch(to(other_group))).was_skipped) << std::oct << mode;
  }
  node().set_mode(volume(), 02555);
  EXPECT_TRUE(walked(on_mismatch(read_only_to(other_group))).was_skipped);
  node().set_mode(volume(), 02515);
  EXPECT_FALSE(walked(on_mismatch(read_only_to(other_group))).was_skipped);
  expect("", 02555, other_group);
}

}  // namespace
}  // namespace mooring::kernel::contract
