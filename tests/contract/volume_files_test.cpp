#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "kernel/linux/descriptor.h"
#include "node.h"

// What publishing files in a volume needs of the ports.

namespace mooring::kernel::contract {
namespace {

using ::testing::ElementsAre;

class VolumeFilesContract : public Contract {};

TEST_P(VolumeFilesContract, WritesANewFileWithExactlyTheMode) {
  node().put_directory(node().root("v"));
  for (const std::uint32_t mode : {0400U, 0644U, 0755U, 0000U, 0777U}) {
    const std::string path = "v/file" + std::to_string(mode);
    ASSERT_TRUE(succeeds(files().write_file(path, "content", mode)));
    EXPECT_EQ(files().status(path).value()->mode, mode);
    EXPECT_EQ(files().read_file(path, 100).value(), "content");
  }
  const std::string longest(255, 'n');
  ASSERT_TRUE(succeeds(files().write_file("v/" + longest, std::string("\0x", 2), 0600)));
  EXPECT_EQ(files().read_file("v/" + longest, 100).value(), std::string("\0x", 2));
}

TEST_P(VolumeFilesContract, WritesNoFileOverAnother) {
  node().put_file(node().root("there"), "old");
  node().put_file(node().host("target"), "of the host");
  node().put_symlink(node().root("link"), node().host("target"));
  EXPECT_TRUE(fails(files().write_file("there", "new", 0644), "Exists", EEXIST));
  EXPECT_TRUE(fails(files().write_file("link", "new", 0644), "Exists", EEXIST));
  EXPECT_TRUE(fails(files().write_file("absent/file", "new", 0644), "NotFound", ENOENT));
  EXPECT_EQ(node().read(node().root("there")), "old");
  EXPECT_EQ(node().read(node().host("target")), "of the host");
}

TEST_P(VolumeFilesContract, AFileThatThereIsNoRoomForStaysAsItWas) {
  const std::string old(3000, 'o');
  ASSERT_TRUE(succeeds(files().write_file("f", old, 0640)));
  node().limit_space(256UL * 1024);
  const std::string large(1024UL * 1024, 'n');
  EXPECT_TRUE(fails(files().rewrite_file("f", large, 0600), "NoSpace", ENOSPC));
  EXPECT_EQ(node().read(node().root("f")), old);
  EXPECT_EQ(files().status("f").value()->mode, 0640U);
  EXPECT_EQ(files().status("f").value()->size_bytes, old.size());
  ASSERT_TRUE(succeeds(files().rewrite_file("f", std::string(64UL * 1024, 'n'), 0600)));
  ASSERT_TRUE(succeeds(files().rewrite_file("f", "", 0644)));
  EXPECT_EQ(files().status("f").value()->size_bytes, 0U);
  EXPECT_EQ(files().status("f").value()->mode, 0644U);
}

TEST_P(VolumeFilesContract, MakesAndReadsLinks) {
  node().put_file(node().root("file"), "x");
  EXPECT_FALSE(files().read_link("link").value());
  EXPECT_FALSE(files().read_link("absent/link").value());
  ASSERT_TRUE(succeeds(files().make_link("link", "..data/some where")));
  EXPECT_EQ(files().read_link("link").value(), "..data/some where");
  EXPECT_TRUE(fails(files().make_link("link", "other"), "Exists", EEXIST));
  EXPECT_TRUE(fails(files().make_link("file", "other"), "Exists", EEXIST));
  EXPECT_TRUE(fails(files().make_link("absent/link", "x"), "NotFound", ENOENT));
  EXPECT_EQ(files().read_link("file").error().errno_value, EINVAL);
  EXPECT_EQ(files().read_link("link").value(), "..data/some where");
  ASSERT_TRUE(succeeds(files().remove_file("link")));
  EXPECT_FALSE(files().read_link("link").value());
}

TEST_P(VolumeFilesContract, ReplacesWhatIsNoDirectoryAtOneMoment) {
  ASSERT_TRUE(succeeds(files().make_link("next", "2")));
  ASSERT_TRUE(succeeds(files().replace("next", "data")));
  EXPECT_EQ(files().read_link("data").value(), "2");
  EXPECT_FALSE(files().read_link("next").value());
  ASSERT_TRUE(succeeds(files().make_link("next", "3")));
  ASSERT_TRUE(succeeds(files().replace("next", "data")));
  EXPECT_EQ(files().read_link("data").value(), "3");
  EXPECT_EQ(files().replace("next", "data").error().errno_value, ENOENT);
  node().put_directory(node().root("directory"));
  ASSERT_TRUE(succeeds(files().make_link("next", "4")));
  EXPECT_EQ(files().replace("next", "directory").error().errno_value, EISDIR);
  EXPECT_EQ(files().read_link("next").value(), "4");
}

TEST_P(VolumeFilesContract, InsideIsTheDirectoryOrWhatIsMountedOnIt) {
  node().put_directory(node().root("plain"));
  node().put_directory(node().root("tmp"));
  ASSERT_TRUE(succeeds(mounts().mount_tmpfs("tmp", {})));
  for (const std::string& path : {std::string("plain"), std::string("tmp")}) {
    const auto inside = files().inside(path);
    ASSERT_TRUE(succeeds(inside));
    ASSERT_TRUE(succeeds(inside.value()->make_directory("d/e", 0755)));
    ASSERT_TRUE(succeeds(inside.value()->write_file("d/file", "x", 0644)));
    EXPECT_THAT(inside.value()->list("").value(), ElementsAre(DirectoryEntry{"d", FileType::Directory}));
    EXPECT_EQ(node().read(node().root(path + "/d/file")), "x");
    EXPECT_FALSE(inside.value()->write_file("../escaped", "x", 0644));
    ASSERT_TRUE(succeeds(inside.value()->remove_tree("d")));
    EXPECT_FALSE(node().exists(node().root(path + "/d")));
  }
  EXPECT_FALSE(node().exists(node().root("escaped")));
}

TEST_P(VolumeFilesContract, InsideFollowsNoLinkAndEntersNoFile) {
  node().put_directory(node().host("elsewhere"));
  node().put_symlink(node().root("link"), node().host("elsewhere"));
  node().put_file(node().root("file"), "x");
  EXPECT_FALSE(files().inside("link"));
  EXPECT_EQ(files().inside("file").error().errno_value, ENOTDIR);
  EXPECT_EQ(files().inside("absent").error().errno_value, ENOENT);
}

TEST_P(VolumeFilesContract, ASecretTmpfsIsMountedAlsoWhereTheKernelCannotKeepItFromSwap) {
  node().put_directory(node().root("s"));
  ASSERT_TRUE(succeeds(mounts().mount_tmpfs("s", {std::nullopt, 01777, true})));
  EXPECT_EQ(mounts().at("s").value()->type, "tmpfs");
  EXPECT_EQ(files().status("s").value()->mode, 01777U);
}

TEST_P(VolumeFilesContract, FlushPutsAFileOrADirectoryOnDisk) {
  ASSERT_TRUE(succeeds(files().make_directory("d", 0755)));
  ASSERT_TRUE(succeeds(files().write_file("d/f", "content", 0600)));
  EXPECT_TRUE(succeeds(files().flush("d/f")));
  EXPECT_TRUE(succeeds(files().flush("d")));
  EXPECT_TRUE(fails(files().flush("d/absent"), "NotFound", ENOENT));
  node().put_symlink(node().root("d/link"), "f");
  EXPECT_TRUE(fails(files().flush("d/link"), "SymbolicLink", ELOOP));
}

INSTANTIATE_TEST_SUITE_P(Ports, VolumeFilesContract, ::testing::Values(NodeKind::Fake, NodeKind::Linux),
                         name_of);

/// What inotify told of a file, oldest first.
std::vector<std::uint32_t> told(int inotify) {
  std::vector<std::uint32_t> masks;
  inotify_event event{};
  while (read(inotify, &event, sizeof event) == sizeof event)
    masks.push_back(event.mask);
  return masks;
}

TEST(LinuxOnlyVolumeFiles, ANarrowerModeIsSetBeforeTheContentAndAWiderOneAfterIt) {
  const std::unique_ptr<Node> node = make_linux_node(true);
  Files& files = node->ports().files;
  ASSERT_TRUE(succeeds(files.write_file("f", "old", 0644)));
  const Descriptor inotify(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  ASSERT_GE(inotify_add_watch(inotify.get(), node->root("f").c_str(), IN_MODIFY | IN_ATTRIB), 0);
  ASSERT_TRUE(succeeds(files.rewrite_file("f", "new", 0600)));
  EXPECT_THAT(told(inotify.get()), ElementsAre(IN_ATTRIB, IN_MODIFY));
  ASSERT_TRUE(succeeds(files.rewrite_file("f", "old", 0644)));
  EXPECT_THAT(told(inotify.get()), ElementsAre(IN_MODIFY, IN_ATTRIB));
  ASSERT_TRUE(succeeds(files.rewrite_file("f", "new", 0604)));
  ASSERT_TRUE(succeeds(files.rewrite_file("f", "old", 0640)));
  EXPECT_THAT(told(inotify.get()), ElementsAre(IN_ATTRIB, IN_MODIFY, IN_ATTRIB, IN_MODIFY, IN_ATTRIB));
}

}  // namespace
}  // namespace mooring::kernel::contract
