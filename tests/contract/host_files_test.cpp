#include <gmock/gmock.h>

#include "node.h"

namespace mooring::kernel::contract {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

class HostFilesContract : public Contract {
 protected:
  HostLocation at(const std::string& below) { return {node().host(below), std::nullopt}; }
  /// Below the mount point "mount", which the look-up must not leave.
  HostLocation confined(const std::string& below) {
    return {node().host("mount") + (below.empty() ? "" : "/" + below), node().host("mount")};
  }
  void make_mount() {
    node().put_directory(node().host("mount"));
    node().mount_foreign(node().host("mount"));
  }
  std::optional<FileStatus> status_of(const HostLocation& location) {
    const auto status = files().host_status(location);
    EXPECT_TRUE(succeeds(status));
    return status ? status.value() : std::nullopt;
  }
  /// link1 -> link2 -> ... -> "end".
  void make_chain(int links) {
    for (int link = 1; link <= links; ++link) {
      node().put_symlink(node().host("link" + std::to_string(link)),
                         link == links ? "end" : "link" + std::to_string(link + 1));
    }
  }
};

TEST_P(HostFilesContract, TheStatusIsThatOfTheLinksTarget) {
  node().put_file(node().host("d/file"), "12345");
  node().put_symlink(node().host("absolute"), node().host("d"));
  node().put_symlink(node().host("relative"), "d/../d/file");
  node().put_symlink(node().host("dangling"), "nowhere");
  EXPECT_EQ(status_of(at("d/file"))->size_bytes, 5U);
  EXPECT_EQ(status_of(at("d/file"))->mode, 0644U);
  EXPECT_EQ(status_of(at("absolute"))->type, FileType::Directory);
  EXPECT_EQ(status_of(at("absolute/file"))->type, FileType::Regular);
  EXPECT_EQ(status_of(at("relative"))->type, FileType::Regular);
  EXPECT_EQ(status_of(at("d/"))->type, FileType::Directory);
  EXPECT_EQ(status_of({"/", std::nullopt})->type, FileType::Directory);
  EXPECT_FALSE(status_of(at("dangling")));
  EXPECT_FALSE(status_of(at("absent/deeper")));
  EXPECT_TRUE(fails(files().host_status(at("d/file/below")), "NotADirectory", ENOTDIR));
}

TEST_P(HostFilesContract, FollowsFortyLinksAndNoMore) {
  node().put_file(node().host("end"), "");
  make_chain(41);
  EXPECT_EQ(status_of(at("link2"))->type, FileType::Regular);
  EXPECT_TRUE(fails(files().host_status(at("link1")), "SymbolicLinkLoop", ELOOP));
  node().put_symlink(node().host("self"), "self");
  EXPECT_TRUE(fails(files().host_status(at("self")), "SymbolicLinkLoop", ELOOP));
  EXPECT_TRUE(fails(files().make_host_directory(at("self/d")), "SymbolicLinkLoop", ELOOP));
  EXPECT_TRUE(fails(files().make_host_file(at("self")), "SymbolicLinkLoop", ELOOP));
}

TEST_P(HostFilesContract, GoesThroughMounts) {
  make_mount();
  node().put_file(node().host("mount/file"), "123");
  EXPECT_TRUE(status_of(at("mount"))->is_mount_root);
  EXPECT_FALSE(status_of(at("mount/file"))->is_mount_root);
  EXPECT_EQ(status_of(at("mount/file"))->size_bytes, 3U);
  EXPECT_EQ(status_of(at("mount/../mount/file"))->size_bytes, 3U);
}

TEST_P(HostFilesContract, MakesDirectoriesWith0755) {
  node().put_directory(node().host("d"));
  node().put_symlink(node().host("link"), node().host("d"));
  EXPECT_TRUE(succeeds(files().make_host_directory(at("link/a/b"))));
  EXPECT_EQ(status_of(at("d/a"))->mode, 0755U);
  EXPECT_EQ(status_of(at("d/a/b"))->mode, 0755U);
  node().set_mode(node().host("d/a"), 0700);
  EXPECT_TRUE(succeeds(files().make_host_directory(at("d/a/b"))));
  EXPECT_EQ(status_of(at("d/a"))->mode, 0700U);
  node().put_file(node().host("file"), "");
  EXPECT_TRUE(fails(files().make_host_directory(at("file")), "NotADirectory", ENOTDIR));
  EXPECT_TRUE(fails(files().make_host_directory(at("file/below")), "NotADirectory", ENOTDIR));
  node().put_symlink(node().host("dangling"), "nowhere");
  EXPECT_TRUE(fails(files().make_host_directory(at("dangling")), "NotFound", ENOENT));
}

TEST_P(HostFilesContract, MakesAnEmptyFileWith0644) {
  EXPECT_TRUE(succeeds(files().make_host_file(at("file"))));
  EXPECT_EQ(status_of(at("file"))->mode, 0644U);
  EXPECT_EQ(status_of(at("file"))->size_bytes, 0U);
  node().put_file(node().host("full"), "content");
  EXPECT_TRUE(succeeds(files().make_host_file(at("full"))));
  EXPECT_EQ(node().read(node().host("full")), "content");
  node().put_symlink(node().host("dangling"), "target");
  EXPECT_TRUE(succeeds(files().make_host_file(at("dangling"))));
  EXPECT_EQ(status_of(at("target"))->type, FileType::Regular);
  EXPECT_TRUE(fails(files().make_host_file(at("absent/file")), "NotFound", ENOENT));
  EXPECT_TRUE(fails(files().make_host_file(at("full/file")), "NotADirectory", ENOTDIR));
}

TEST_P(HostFilesContract, MakesNothingOnAReadOnlyFileSystem) {
  node().put_directory(node().host("d"));
  node().set_read_only(true);
  EXPECT_TRUE(fails(files().make_host_directory(at("new")), "ReadOnlyFileSystem", EROFS));
  EXPECT_TRUE(fails(files().make_host_file(at("new")), "ReadOnlyFileSystem", EROFS));
  EXPECT_TRUE(succeeds(files().make_host_directory(at("d"))));
  node().set_read_only(false);
}

TEST_P(HostFilesContract, AFileThatIsThereNeedsNoWritableFileSystem) {
  node().put_file(node().host("file"), "content");
  node().set_read_only(true);
  EXPECT_TRUE(succeeds(files().make_host_file(at("file"))));
  node().set_read_only(false);
}

TEST_P(HostFilesContract, WhatIsThereIsNotOpened) {
  node().put_fifo(node().host("fifo"));
  node().put_socket(node().host("socket"));
  EXPECT_TRUE(succeeds(files().make_host_file(at("fifo"))));
  EXPECT_TRUE(succeeds(files().make_host_file(at("socket"))));
}

TEST_P(HostFilesContract, MakesNoFileInThePlaceOfADirectory) {
  node().put_directory(node().host("d"));
  EXPECT_TRUE(fails(files().make_host_file(at("d")), "IsADirectory", EISDIR));
}

TEST_P(HostFilesContract, AConfinedLookupStaysInItsMount) {
  make_mount();
  node().put_file(node().host("mount/d/file"), "123");
  node().put_symlink(node().host("mount/inside"), "d/file");
  EXPECT_EQ(status_of(confined(""))->type, FileType::Directory);
  EXPECT_EQ(status_of(confined("d/file"))->size_bytes, 3U);
  EXPECT_EQ(status_of(confined("inside"))->size_bytes, 3U);
  EXPECT_FALSE(status_of(confined("absent")));
  EXPECT_TRUE(succeeds(files().make_host_directory(confined("d/e/f"))));
  EXPECT_TRUE(succeeds(files().make_host_file(confined("d/e/f/file"))));
  EXPECT_TRUE(node().exists(node().host("mount/d/e/f/file")));
}

TEST_P(HostFilesContract, AConfinedLookupThatLeavesItsMountIsToldSo) {
  make_mount();
  node().put_file(node().host("outside/file"), "");
  node().put_symlink(node().host("mount/up"), "../outside");
  node().put_symlink(node().host("mount/absolute"), node().host("outside"));
  node().put_directory(node().host("mount/inner"));
  node().mount_foreign(node().host("mount/inner"));
  for (const char* leaving : {"up/file", "absolute/file", "inner/file", "inner", "../outside/file"}) {
    EXPECT_TRUE(fails(files().host_status(confined(leaving)), "LeavesMount", EXDEV)) << leaving;
    EXPECT_TRUE(fails(files().make_host_directory(confined(leaving)), "LeavesMount", EXDEV)) << leaving;
    EXPECT_TRUE(fails(files().make_host_file(confined(leaving)), "LeavesMount", EXDEV)) << leaving;
  }
  EXPECT_TRUE(fails(files().watch_host(confined("up/new")), "LeavesMount", EXDEV));
}

TEST_P(HostFilesContract, AConfiningMountThatIsGone) {
  EXPECT_FALSE(status_of(confined("d")));
  EXPECT_TRUE(fails(files().make_host_directory(confined("d")), "NotFound", ENOENT));
  EXPECT_TRUE(fails(files().make_host_file(confined("d")), "NotFound", ENOENT));
  EXPECT_TRUE(fails(files().watch_host(confined("d")), "NotFound", ENOENT));
}

TEST_P(HostFilesContract, AFileMayBeTheConfiningMount) {
  node().put_file(node().host("source"), "123");
  node().put_file(node().host("mount"), "");
  node().bind_foreign(node().host("source"), node().host("mount"));
  const auto status = files().host_status(confined(""));
  ASSERT_TRUE(succeeds(status));
  ASSERT_TRUE(status.value());
  EXPECT_EQ(status.value()->type, FileType::Regular);
  EXPECT_EQ(status.value()->size_bytes, 3U);
  EXPECT_TRUE(succeeds(files().make_host_file(confined(""))));
  EXPECT_TRUE(fails(files().make_host_directory(confined("")), "NotADirectory", ENOTDIR));
}

TEST_P(HostFilesContract, AWatchTellsOfWhatHappensInTheDirectory) {
  node().put_directory(node().host("d"));
  const auto watch = files().watch_host(at("d/new"));
  ASSERT_TRUE(succeeds(watch));
  EXPECT_THAT(node().fired(), IsEmpty());
  node().put_directory(node().host("d/new"));
  EXPECT_THAT(node().fired(), Contains(watch.value().front()));
  EXPECT_THAT(node().fired(), IsEmpty());
  node().remove(node().host("d/new"));
  EXPECT_THAT(node().fired(), Contains(watch.value().front()));
  node().put_directory(node().host("elsewhere"));
  EXPECT_THAT(node().fired(), Not(Contains(watch.value().front())));
}

TEST_P(HostFilesContract, AWatchTellsOfMovesAndOfTheDirectorysEnd) {
  node().put_file(node().root("a/file"), "");
  node().put_directory(node().root("b"));
  const auto from = files().watch_host({node().root("a/x"), std::nullopt});
  const auto to = files().watch_host({node().root("b/x"), std::nullopt});
  ASSERT_TRUE(from && to);
  EXPECT_NE(from.value().front(), to.value().front());
  ASSERT_TRUE(succeeds(files().rename("a/file", "b/file")));
  EXPECT_THAT(node().fired(), ::testing::UnorderedElementsAre(from.value().front(), to.value().front()));
  ASSERT_TRUE(succeeds(files().remove_directory("a")));
  EXPECT_THAT(node().fired(), Contains(from.value().front()));
}

TEST_P(HostFilesContract, WatchesTheNearestAncestorThatIsThere) {
  const auto deep = files().watch_host(at("a/b/c"));
  const auto near = files().watch_host(at("other"));
  ASSERT_TRUE(succeeds(deep));
  ASSERT_TRUE(succeeds(near));
  EXPECT_EQ(deep.value().front(), near.value().front());  // One directory, one watch.
  node().put_directory(node().host("a"));
  EXPECT_THAT(node().fired(), Contains(deep.value().front()));
  const auto now = files().watch_host(at("a/b/c"));
  ASSERT_TRUE(succeeds(now));
  EXPECT_NE(now.value().front(), deep.value().front());
  node().put_file(node().host("file"), "");
  const auto below_file = files().watch_host(at("file/x"));
  ASSERT_TRUE(succeeds(below_file));
  EXPECT_EQ(below_file.value().front(), near.value().front());
}

TEST_P(HostFilesContract, WatchesTheDirectoriesAboveForTheirOwnEndOnly) {
  node().put_directory(node().root("up/middle"));
  const auto watches = files().watch_host({node().root("up/middle/new"), std::nullopt});
  ASSERT_TRUE(succeeds(watches));
  ASSERT_GE(watches.value().size(), 3U);
  const int above = watches.value().at(1);
  node().put_directory(node().root("up/other"));
  EXPECT_THAT(node().fired(), Not(Contains(above)));
  ASSERT_TRUE(succeeds(files().rename("up", "down")));
  EXPECT_THAT(node().fired(), Contains(above));
}

INSTANTIATE_TEST_SUITE_P(Ports, HostFilesContract, ::testing::Values(NodeKind::Fake, NodeKind::Linux),
                         name_of);

}  // namespace
}  // namespace mooring::kernel::contract
