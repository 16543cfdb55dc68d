#include <gmock/gmock.h>

#include "node.h"

namespace mooring::kernel::contract {
namespace {

using ::testing::ElementsAre;
class FilesContract : public Contract {};

FileStatus status_at(Files& files, const std::string& path) {
  const auto status = files.status(path);
  EXPECT_TRUE(succeeds(status));
  if (!status || !status.value()) {
    ADD_FAILURE() << "there is nothing at " << path;
    return {};
  }
  return *status.value();
}

TEST_P(FilesContract, MakesADirectoryWithExactlyTheMode) {
  for (const std::uint32_t mode : {0700U, 0755U, 0777U, 01777U, 02770U, 0U}) {
    const std::string path = "mode" + std::to_string(mode);
    const auto made = files().make_directory(path, mode);
    ASSERT_TRUE(succeeds(made));
    EXPECT_TRUE(made.value());
    EXPECT_EQ(status_at(files(), path).mode, mode);
    EXPECT_EQ(status_at(files(), path).type, FileType::Directory);
  }
}

TEST_P(FilesContract, ASetGroupIdParentChangesNoMode) {
  node().put_directory(node().root("group"));
  node().set_mode(node().root("group"), 02775);
  ASSERT_TRUE(succeeds(files().make_directory("group/below", 0750)));
  EXPECT_EQ(status_at(files(), "group/below").mode, 0750U);
}

TEST_P(FilesContract, MakesMissingParentsWith0750) {
  ASSERT_TRUE(succeeds(files().make_directory("a/b/c", 0711)));
  EXPECT_EQ(status_at(files(), "a").mode, 0750U);
  EXPECT_EQ(status_at(files(), "a/b").mode, 0750U);
  EXPECT_EQ(status_at(files(), "a/b/c").mode, 0711U);
}

TEST_P(FilesContract, LeavesADirectoryThatIsThereAlone) {
  node().put_directory(node().root("there"));
  node().set_mode(node().root("there"), 0701);
  const auto made = files().make_directory("there", 0750);
  ASSERT_TRUE(succeeds(made));
  EXPECT_FALSE(made.value());
  EXPECT_EQ(status_at(files(), "there").mode, 0701U);
}

TEST_P(FilesContract, MakesNoDirectoryInThePlaceOfSomethingElse) {
  node().put_file(node().root("file"), "x");
  node().put_directory(node().host("elsewhere"));
  node().put_symlink(node().root("link"), node().host("elsewhere"));
  EXPECT_TRUE(fails(files().make_directory("file", 0750), "NotADirectory", ENOTDIR));
  EXPECT_TRUE(fails(files().make_directory("file/below", 0750), "NotADirectory", ENOTDIR));
  EXPECT_TRUE(fails(files().make_directory("link", 0750), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(files().make_directory("link/a/b", 0750), "SymbolicLink", ELOOP));
  EXPECT_FALSE(node().exists(node().host("elsewhere/a")));
}

TEST_P(FilesContract, ALinkRightAboveTheLastElementIsRefusedAsALink) {
  node().put_directory(node().host("elsewhere"));
  node().put_file(node().host("elsewhere/file"), "secret");
  node().put_symlink(node().root("link"), node().host("elsewhere"));
  EXPECT_TRUE(fails(files().make_directory("link/a", 0750), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(files().status("link/file"), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(files().create_file("link/new", "x", 0600), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(files().read_file("link/file", 10), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(files().remove_file("link/file"), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(files().remove_directory("link/file"), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(files().remove_tree("link/file"), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(files().rename("link/file", "here"), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(files().list("link"), "SymbolicLink", ELOOP));
  EXPECT_EQ(node().read(node().host("elsewhere/file")), "secret");
}

TEST_P(FilesContract, ALinkFurtherUpIsRefusedAsALink) {
  node().put_file(node().host("elsewhere/a/file"), "secret");
  node().put_symlink(node().root("link"), node().host("elsewhere"));
  EXPECT_TRUE(fails(files().status("link/a/file"), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(files().create_file("link/a/new", "x", 0600), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(files().read_file("link/a/file", 10), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(files().list("link/a"), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(files().remove_file("link/a/file"), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(files().remove_tree("link/a/file"), "SymbolicLink", ELOOP));
}

TEST_P(FilesContract, ALinkAsTheLastElementIsItself) {
  node().put_file(node().host("target"), "secret");
  node().put_symlink(node().root("link"), node().host("target"));
  EXPECT_EQ(status_at(files(), "link").type, FileType::SymbolicLink);
  EXPECT_TRUE(fails(files().read_file("link", 10), "SymbolicLink", ELOOP));
  const auto created = files().create_file("link", "new", 0600);
  ASSERT_TRUE(succeeds(created));
  EXPECT_FALSE(created.value());
  EXPECT_TRUE(fails(files().remove_directory("link"), "NotADirectory", ENOTDIR));
  EXPECT_TRUE(succeeds(files().remove_file("link")));
  EXPECT_FALSE(node().exists(node().root("link")));
  EXPECT_EQ(node().read(node().host("target")), "secret");
}

TEST_P(FilesContract, NoPathLeadsOutOfTheRootDirectory) {
  node().put_file(node().host("file"), "secret");
  EXPECT_TRUE(fails(files().status(".."), "MountedBelow", EXDEV));
  EXPECT_TRUE(fails(files().status("../host/file"), "MountedBelow", EXDEV));
  EXPECT_TRUE(fails(files().read_file("../host/file", 10), "MountedBelow", EXDEV));
  EXPECT_TRUE(fails(files().create_file("../host/new", "x", 0600), "MountedBelow", EXDEV));
  EXPECT_TRUE(fails(files().make_directory("../host/new", 0750), "MountedBelow", EXDEV));
}

TEST_P(FilesContract, AMountInBetweenIsNotCrossed) {
  node().put_directory(node().root("a/mount"));
  node().mount_foreign(node().root("a/mount"));
  node().put_file(node().root("a/mount/file"), "foreign");
  EXPECT_TRUE(fails(files().status("a/mount/file"), "MountedBelow", EXDEV));
  EXPECT_TRUE(fails(files().make_directory("a/mount/new", 0750), "MountedBelow", EXDEV));
  EXPECT_TRUE(fails(files().create_file("a/mount/new", "x", 0600), "MountedBelow", EXDEV));
  EXPECT_TRUE(fails(files().read_file("a/mount/file", 10), "MountedBelow", EXDEV));
  EXPECT_TRUE(fails(files().list("a/mount"), "MountedBelow", EXDEV));
  EXPECT_TRUE(fails(files().remove_file("a/mount/file"), "MountedBelow", EXDEV));
  EXPECT_TRUE(fails(files().remove_directory("a/mount/file"), "MountedBelow", EXDEV));
  EXPECT_TRUE(fails(files().rename("a/mount/file", "here"), "MountedBelow", EXDEV));
  node().put_file(node().root("here"), "x");
  EXPECT_TRUE(fails(files().rename("here", "a/mount/new"), "MountedBelow", EXDEV));
}

TEST_P(FilesContract, TellsTheStatusOfWhatIsThere) {
  node().put_file(node().root("file"), "12345");
  node().put_fifo(node().root("fifo"));
  node().put_socket(node().root("socket"));
  const FileStatus file = status_at(files(), "file");
  EXPECT_EQ(file.type, FileType::Regular);
  EXPECT_EQ(file.mode, 0644U);
  EXPECT_EQ(file.size_bytes, 5U);
  EXPECT_FALSE(file.is_mount_root);
  EXPECT_EQ(status_at(files(), "fifo").type, FileType::Fifo);
  EXPECT_EQ(status_at(files(), "socket").type, FileType::Socket);
  EXPECT_NE(status_at(files(), "fifo").inode, file.inode);
  EXPECT_EQ(status_at(files(), "fifo").device, file.device);
  EXPECT_EQ(status_at(files(), "").type, FileType::Directory);
  EXPECT_TRUE(fails(files().status("file/below"), "NotADirectory", ENOTDIR));
  for (const char* absent : {"absent", "absent/deeper/still"}) {
    const auto status = files().status(absent);
    ASSERT_TRUE(succeeds(status));
    EXPECT_FALSE(status.value());
  }
}

TEST_P(FilesContract, TheStatusOfAMountPointIsThatOfTheMountedRoot) {
  node().put_directory(node().root("mount"));
  node().set_mode(node().root("mount"), 0700);
  const FileStatus before = status_at(files(), "mount");
  EXPECT_FALSE(before.is_mount_root);
  node().mount_foreign(node().root("mount"));
  const FileStatus after = status_at(files(), "mount");
  EXPECT_TRUE(after.is_mount_root);
  EXPECT_EQ(after.mode, 0755U);
  EXPECT_NE(after.device, before.device);
  node().unmount_foreign(node().root("mount"));
  EXPECT_EQ(status_at(files(), "mount").inode, before.inode);
}

TEST_P(FilesContract, CreatesAFileWithExactlyTheContentAndMode) {
  for (const std::uint32_t mode : {0600U, 0644U, 0777U, 04755U, 0U}) {
    const std::string path = "file" + std::to_string(mode);
    const auto created = files().create_file(path, std::string("a\0b\n", 4), mode);
    ASSERT_TRUE(succeeds(created));
    EXPECT_TRUE(created.value());
    EXPECT_EQ(status_at(files(), path).mode, mode);
    EXPECT_EQ(node().read(node().root(path)), std::string("a\0b\n", 4));
  }
  EXPECT_EQ(files().list("").value().size(), 5U);  // Nothing is left beside.
}

TEST_P(FilesContract, LeavesAFileThatIsThereAlone) {
  node().put_file(node().root("file"), "old");
  node().put_directory(node().root("directory"));
  node().put_symlink(node().root("dangling"), "nowhere");
  for (const char* there : {"file", "directory", "dangling"}) {
    const auto created = files().create_file(there, "new", 0600);
    ASSERT_TRUE(succeeds(created));
    EXPECT_FALSE(created.value());
  }
  EXPECT_EQ(node().read(node().root("file")), "old");
  EXPECT_TRUE(fails(files().create_file("absent/file", "x", 0600), "NotFound", ENOENT));
  EXPECT_TRUE(fails(files().create_file("file/below", "x", 0600), "NotADirectory", ENOTDIR));
}

TEST_P(FilesContract, ReadsOnlyRegularFilesOfTheSizeAllowed) {
  node().put_file(node().root("file"), "12345");
  node().put_file(node().root("empty"), "");
  node().put_fifo(node().root("fifo"));
  node().put_socket(node().root("socket"));
  EXPECT_EQ(files().read_file("file", 5).value(), "12345");
  EXPECT_EQ(files().read_file("empty", 0).value(), "");
  EXPECT_TRUE(fails(files().read_file("file", 4), "TooLarge", EFBIG));
  EXPECT_TRUE(fails(files().read_file("absent", 4), "NotFound", ENOENT));
  EXPECT_TRUE(fails(files().read_file("fifo", 4), "FileError", EINVAL));
  EXPECT_TRUE(fails(files().read_file("socket", 4), "FileError", ENXIO));
  EXPECT_TRUE(fails(files().read_file("", 4), "FileError", EINVAL));
}

TEST_P(FilesContract, ListsSortedByName) {
  node().put_file(node().root("d/b"), "");
  node().put_directory(node().root("d/a"));
  node().put_symlink(node().root("d/C"), "a");
  node().put_fifo(node().root("d/.f"));
  node().mount_foreign(node().root("d/a"));
  const auto entries = files().list("d");
  ASSERT_TRUE(succeeds(entries));
  EXPECT_THAT(entries.value(),
              ElementsAre(DirectoryEntry{".f", FileType::Fifo}, DirectoryEntry{"C", FileType::SymbolicLink},
                          DirectoryEntry{"a", FileType::Directory}, DirectoryEntry{"b", FileType::Regular}));
  EXPECT_TRUE(fails(files().list("d/b"), "NotADirectory", ENOTDIR));
  EXPECT_TRUE(fails(files().list("absent"), "NotFound", ENOENT));
}

TEST_P(FilesContract, RemovesAnEmptyDirectory) {
  node().put_directory(node().root("empty"));
  node().put_file(node().root("full/file"), "");
  EXPECT_TRUE(succeeds(files().remove_directory("empty")));
  EXPECT_FALSE(node().exists(node().root("empty")));
  EXPECT_TRUE(succeeds(files().remove_directory("empty")));
  EXPECT_TRUE(succeeds(files().remove_directory("absent/deeper")));
  EXPECT_TRUE(fails(files().remove_directory("full"), "NotEmpty", ENOTEMPTY));
  EXPECT_TRUE(fails(files().remove_directory("full/file"), "NotADirectory", ENOTDIR));
  EXPECT_TRUE(fails(files().remove_directory("."), "FileError", EINVAL));
}

TEST_P(FilesContract, RemovesAFile) {
  node().put_file(node().root("file"), "");
  node().put_fifo(node().root("fifo"));
  node().put_directory(node().root("directory"));
  EXPECT_TRUE(succeeds(files().remove_file("file")));
  EXPECT_TRUE(succeeds(files().remove_file("fifo")));
  EXPECT_TRUE(files().list("").value().size() == 1);
  EXPECT_TRUE(succeeds(files().remove_file("file")));
  EXPECT_TRUE(fails(files().remove_file("directory"), "IsADirectory", EISDIR));
}

TEST_P(FilesContract, RemovesAndRenamesNoMountPoint) {
  node().put_directory(node().root("mount"));
  node().mount_foreign(node().root("mount"));
  node().put_file(node().root("file"), "");
  node().put_file(node().host("source"), "");
  node().bind_foreign(node().host("source"), node().root("file"));
  EXPECT_TRUE(fails(files().remove_directory("mount"), "MountedBelow", EBUSY));
  EXPECT_TRUE(fails(files().remove_file("file"), "MountedBelow", EBUSY));
  EXPECT_TRUE(fails(files().rename("mount", "other"), "MountedBelow", EBUSY));
  EXPECT_TRUE(fails(files().rename("file", "other"), "MountedBelow", EBUSY));
  node().unmount_foreign(node().root("mount"));
  EXPECT_TRUE(succeeds(files().remove_directory("mount")));
}

TEST_P(FilesContract, AMountPointThroughAnotherMountOfTheSameTreeIsNotRemovedEither) {
  node().put_directory(node().root("tree/point"));
  node().put_directory(node().host("view"));
  node().bind_foreign(node().root("tree"), node().host("view"));
  node().mount_foreign(node().host("view/point"));
  EXPECT_FALSE(status_at(files(), "tree/point").is_mount_root);
  EXPECT_TRUE(fails(files().remove_directory("tree/point"), "MountedBelow", EBUSY));
  EXPECT_TRUE(fails(files().remove_tree("tree"), "MountedBelow", EBUSY));
}

TEST_P(FilesContract, RenamesWithoutReplacing) {
  node().put_file(node().root("a/file"), "1");
  node().put_file(node().root("b/file"), "2");
  EXPECT_TRUE(fails(files().rename("a/file", "b/file"), "Exists", EEXIST));
  EXPECT_TRUE(fails(files().rename("a", "b"), "Exists", EEXIST));
  EXPECT_TRUE(succeeds(files().rename("a/file", "b/other")));
  EXPECT_EQ(node().read(node().root("b/other")), "1");
  EXPECT_EQ(node().read(node().root("b/file")), "2");
  EXPECT_TRUE(fails(files().rename("a/file", "b/more"), "NotFound", ENOENT));
  EXPECT_TRUE(fails(files().rename("b/file", "absent/file"), "NotFound", ENOENT));
  EXPECT_TRUE(fails(files().rename("b", "b/inside"), "FileError", EINVAL));
  EXPECT_TRUE(succeeds(files().rename("b", "a/b")));
  EXPECT_EQ(node().read(node().root("a/b/file")), "2");
}

TEST_P(FilesContract, ARenamedDirectoryTakesTheMountsInItAlong) {
  node().put_directory(node().root("a/mount"));
  node().mount_foreign(node().root("a/mount"));
  EXPECT_TRUE(succeeds(files().rename("a", "b")));
  EXPECT_TRUE(status_at(files(), "b/mount").is_mount_root);
  EXPECT_NE(mounts().table().value().top_at(node().root("b/mount")), nullptr);
}

TEST_P(FilesContract, AReadOnlyFileSystemIsChangedByNothing) {
  node().put_file(node().root("d/file"), "1");
  node().put_directory(node().root("empty"));
  node().set_read_only(true);
  EXPECT_TRUE(fails(files().make_directory("new", 0750), "ReadOnlyFileSystem", EROFS));
  EXPECT_TRUE(fails(files().create_file("new", "x", 0600), "ReadOnlyFileSystem", EROFS));
  EXPECT_TRUE(fails(files().remove_file("d/file"), "ReadOnlyFileSystem", EROFS));
  EXPECT_TRUE(fails(files().remove_directory("empty"), "ReadOnlyFileSystem", EROFS));
  EXPECT_TRUE(fails(files().rename("d", "e"), "ReadOnlyFileSystem", EROFS));
  EXPECT_TRUE(fails(files().remove_tree("d"), "ReadOnlyFileSystem", EROFS));
  // What needs no change succeeds.
  EXPECT_FALSE(files().make_directory("empty", 0750).value());
  EXPECT_FALSE(files().create_file("d/file", "x", 0600).value());
  EXPECT_EQ(files().read_file("d/file", 10).value(), "1");
  EXPECT_EQ(files().list("").value().size(), 2U);
  node().set_read_only(false);
  EXPECT_TRUE(succeeds(files().remove_tree("d")));
}

TEST_P(FilesContract, WhatIsAbsentNeedsNoRemovalFromAReadOnlyFileSystem) {
  node().put_directory(node().root("d"));
  node().set_read_only(true);
  EXPECT_TRUE(succeeds(files().remove_file("d/absent")));
  EXPECT_TRUE(succeeds(files().remove_directory("d/absent")));
  EXPECT_TRUE(succeeds(files().remove_tree("d/absent")));
  node().set_read_only(false);
}

TEST_P(FilesContract, OnAFullFileSystemAFileAppearsNotAtAll) {
  node().limit_space(64 * 1024);
  EXPECT_TRUE(fails(files().create_file("file", std::string(128 * 1024, 'x'), 0600), "NoSpace", ENOSPC));
  EXPECT_TRUE(files().list("").value().empty());
  EXPECT_TRUE(succeeds(files().create_file("file", std::string(32 * 1024, 'x'), 0600)));
  EXPECT_TRUE(fails(files().create_file("more", std::string(64 * 1024, 'x'), 0600), "NoSpace", ENOSPC));
  EXPECT_TRUE(succeeds(files().remove_file("file")));
  EXPECT_TRUE(succeeds(files().create_file("more", std::string(48 * 1024, 'x'), 0600)));
}

TEST_P(FilesContract, WithoutInodesNothingIsMade) {
  node().put_file(node().root("d/file"), "1");
  node().limit_inodes();
  EXPECT_TRUE(fails(files().make_directory("new", 0750), "NoSpace", ENOSPC));
  EXPECT_TRUE(fails(files().create_file("new", "", 0600), "NoSpace", ENOSPC));
  EXPECT_FALSE(files().make_directory("d", 0750).value());
  EXPECT_TRUE(succeeds(files().remove_file("d/file")));
  EXPECT_TRUE(succeeds(files().make_directory("new", 0750)));
}

TEST_P(FilesContract, ANameMayHave255Bytes) {
  EXPECT_TRUE(succeeds(files().make_directory(std::string(255, 'n'), 0750)));
  EXPECT_TRUE(fails(files().make_directory(std::string(256, 'n'), 0750), "FileError", ENAMETOOLONG));
  EXPECT_TRUE(fails(files().status(std::string(256, 'n')), "FileError", ENAMETOOLONG));
  EXPECT_TRUE(fails(files().status(std::string(256, 'n') + "/x"), "FileError", ENAMETOOLONG));
}

INSTANTIATE_TEST_SUITE_P(Ports, FilesContract, ::testing::Values(NodeKind::Fake, NodeKind::Linux), name_of);

}  // namespace
}  // namespace mooring::kernel::contract
