// Opening a part of a volume and binding it, with everything that somebody who owns the volume's content may
// put in the way (kubelet-behaviours 11; CVE-2017-1002101, CVE-2021-25741).

#include <gmock/gmock.h>
#include <sys/mount.h>

#include <algorithm>

#include "node.h"

namespace mooring::kernel::contract {
namespace {

class SubPathContract : public Contract {
 protected:
  SubPathContract() {
    node().put_directory(node().root("v"));
    node().put_directory(node().root("t"));
    node().put_directory(node().host("secret"));
    node().put_file(node().host("secret/file"), "of the host");
  }
  Result<std::unique_ptr<OpenFile>> open(const std::string& path, bool may_create = true) {
    return files().open_sub_path({"v", std::nullopt, path, may_create});
  }
  void bind_part(const std::string& path, const std::string& target) {
    const auto source = open(path);
    ASSERT_TRUE(succeeds(source));
    ASSERT_TRUE(succeeds(mounts().bind_open(*source.value(), {target, std::nullopt})));
  }
};

TEST_P(SubPathContract, kb_11_2_missing_directories_are_made_with_the_mode_of_the_volume) {
  node().set_mode(node().root("v"), 03777);
  const auto made = open("a/b/c");
  ASSERT_TRUE(succeeds(made));
  EXPECT_EQ(made.value()->status().type, FileType::Directory);
  EXPECT_EQ(made.value()->status().mode, 03777U);
  EXPECT_EQ(files().status("v/a/b/c").value()->mode, 03777U);
  EXPECT_EQ(files().status("v/a/b").value()->mode & 0777U, 0755U);
  EXPECT_EQ(files().status("v/a").value()->mode & 0777U, 0755U);
}

TEST_P(SubPathContract, kb_11_2_what_is_there_is_not_changed) {
  node().put_directory(node().root("v/a"));
  node().set_mode(node().root("v/a"), 0700);
  ASSERT_TRUE(succeeds(open("a")));
  EXPECT_EQ(files().status("v/a").value()->mode, 0700U);
  node().put_file(node().root("v/f"), "x");
  EXPECT_EQ(open("f").value()->status().type, FileType::Regular);
  node().put_fifo(node().root("v/p"));
  EXPECT_EQ(open("p").value()->status().type, FileType::Fifo) << "a FIFO must not be waited for";
  node().put_socket(node().root("v/s"));
  EXPECT_EQ(open("s").value()->status().type, FileType::Socket);
}

TEST_P(SubPathContract, WithoutLeaveNothingIsMade) {
  EXPECT_TRUE(fails(open("a/b", false), "SubPathNotFound", ENOENT));
  EXPECT_FALSE(node().exists(node().root("v/a")));
}

TEST_P(SubPathContract, kb_11_2_a_file_on_the_way_is_no_directory) {
  node().put_file(node().root("v/f"), "x");
  EXPECT_EQ(open("f/below").error().errno_value, ENOTDIR);
}

TEST_P(SubPathContract, kb_11_3_links_inside_the_volume_are_followed) {
  node().put_directory(node().root("v/real/deep"));
  node().put_file(node().root("v/real/deep/file"), "x");
  node().put_symlink(node().root("v/link"), "real/deep");
  node().put_symlink(node().root("v/real/up"), "../real/deep/file");
  EXPECT_EQ(open("link/file").value()->status().type, FileType::Regular);
  EXPECT_EQ(open("real/up").value()->status().type, FileType::Regular);
  ASSERT_TRUE(succeeds(open("link/made")));
  EXPECT_TRUE(node().exists(node().root("v/real/deep/made")));
}

TEST_P(SubPathContract, cve_2017_1002101_a_link_out_of_the_volume_is_refused) {
  node().put_symlink(node().root("v/absolute"), node().host("secret"));
  node().put_symlink(node().root("v/root"), "/");
  node().put_symlink(node().root("v/up"), "../../host/secret");
  node().put_directory(node().root("v/d"));
  node().put_symlink(node().root("v/d/file"), "../../../host/secret/file");
  for (const std::string path : {"absolute", "absolute/file", "absolute/new", "root", "root/etc", "up",
                                 "up/file", "up/new/er", "d/file"}) {
    EXPECT_TRUE(fails(open(path), "SubPathEscapes", EXDEV, ErrorKind::Final)) << path;
  }
  EXPECT_FALSE(node().exists(node().host("secret/new")));
}

TEST_P(SubPathContract, kb_11_2_a_dangling_link_is_refused_and_nothing_is_made_through_it) {
  node().put_symlink(node().root("v/dangling"), "nowhere");
  node().put_symlink(node().root("v/outside"), "../../host/made");
  EXPECT_TRUE(fails(open("dangling"), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(open("dangling/below"), "SymbolicLink", ELOOP));
  EXPECT_FALSE(open("outside"));
  EXPECT_FALSE(open("outside/below"));
  EXPECT_FALSE(node().exists(node().root("v/nowhere")));
  EXPECT_FALSE(node().exists(node().host("made")));
}

TEST_P(SubPathContract, ALoopOfLinksIsRefused) {
  node().put_symlink(node().root("v/a"), "b");
  node().put_symlink(node().root("v/b"), "a");
  EXPECT_EQ(open("a").error().errno_value, ELOOP);
}

TEST_P(SubPathContract, kb_11_3_a_directory_is_bound_alone) {
  node().put_file(node().root("v/a/file"), "x");
  node().put_directory(node().root("v/a/mounted"));
  node().mount_foreign(node().root("v/a/mounted"));
  node().put_file(node().root("v/a/mounted/hidden"), "x");
  bind_part("a", "t");
  EXPECT_EQ(node().read(node().root("t/file")), "x");
  EXPECT_TRUE(node().exists(node().root("t/mounted")));
  EXPECT_FALSE(node().exists(node().root("t/mounted/hidden")));
  const auto status = files().status("t").value();
  EXPECT_TRUE(status->is_mount_root);
  EXPECT_EQ(status->inode, files().status("v/a").value()->inode);
  ASSERT_TRUE(succeeds(mounts().unmount("t")));
}

TEST_P(SubPathContract, kb_11_3_a_file_is_bound_on_a_file) {
  node().put_file(node().root("v/f"), "x");
  node().put_file(node().root("place"), "");
  bind_part("f", "place");
  EXPECT_EQ(node().read(node().root("place")), "x");
  const auto source = open("f");
  EXPECT_FALSE(mounts().bind_open(*source.value(), {"t", std::nullopt})) << "a file on a directory";
  EXPECT_FALSE(mounts().bind_open(*source.value(), {"absent", std::nullopt}));
}

TEST_P(SubPathContract, cve_2021_25741_what_was_opened_is_bound_whatever_the_path_says_then) {
  node().put_file(node().root("v/a/file"), "mine");
  const auto source = open("a");
  ASSERT_TRUE(succeeds(source));
  ASSERT_TRUE(succeeds(files().rename("v/a", "v/aside")));
  node().put_symlink(node().root("v/a"), node().host("secret"));
  ASSERT_TRUE(succeeds(mounts().bind_open(*source.value(), {"t", std::nullopt})));
  EXPECT_EQ(node().read(node().root("t/file")), "mine");
}

TEST_P(SubPathContract, WhatWasRemovedMeanwhileIsNotBound) {
  node().put_directory(node().root("v/a"));
  const auto source = open("a");
  node().remove(node().root("v/a"));
  EXPECT_FALSE(mounts().bind_open(*source.value(), {"t", std::nullopt}));
  EXPECT_FALSE(files().status("t").value()->is_mount_root);
}

TEST_P(SubPathContract, TheVolumeMayBeAMount) {
  ASSERT_TRUE(succeeds(mounts().mount_tmpfs("v", {})));
  ASSERT_TRUE(succeeds(open("a")));
  EXPECT_TRUE(node().exists(node().root("v/a")));
  bind_part("a", "t");
  node().put_file(node().root("v/a/x"), "1");
  EXPECT_EQ(node().read(node().root("t/x")), "1");
}

TEST_P(SubPathContract, APathOfTheNodeIsAVolumeToo) {
  node().put_directory(node().host("data"));
  const SubPathLocation location{"", HostLocation{node().host("data"), std::nullopt}, "a/b", true};
  ASSERT_TRUE(succeeds(files().open_sub_path(location)));
  EXPECT_TRUE(node().exists(node().host("data/a/b")));
  node().put_symlink(node().host("data/out"), "../secret");
  EXPECT_TRUE(fails(files().open_sub_path({"", location.host, "out/file", true}), "SubPathEscapes", EXDEV,
                    ErrorKind::Final));
}

TEST_P(SubPathContract, AConfinedLookUpDoesNotEnterAnotherMount) {
  node().put_directory(node().host("data/mounted"));
  node().mount_foreign(node().host("data/mounted"));
  const HostLocation confined{node().host("data"), node().base()};
  const HostLocation free{node().host("data"), std::nullopt};
  EXPECT_TRUE(fails(files().open_sub_path({"", confined, "mounted/a", true}), "LeavesMount", EXDEV));
  EXPECT_TRUE(succeeds(files().open_sub_path({"", free, "mounted/a", true})));
}

TEST_P(SubPathContract, LeftoversAreUnmountedTheLatestFirst) {
  node().put_directory(node().root("v/a"));
  node().mount_foreign(node().root("v/a"));
  node().put_directory(node().root("v/a/b"));
  node().mount_foreign(node().root("v/a/b"));
  node().mount_foreign(node().root("v/a/b"));
  node().mount_foreign(node().root("t"));  // Somebody else's.
  EXPECT_EQ(mounts().unmount_below("v", 0, Leftovers::All).value(), 3U);
  EXPECT_FALSE(files().status("v/a").value()->is_mount_root);
  EXPECT_TRUE(files().status("t").value()->is_mount_root);
  EXPECT_EQ(mounts().unmount_below("v", 0, Leftovers::All).value(), 0U);
  EXPECT_EQ(mounts().unmount_below("absent", 0, Leftovers::All).value(), 0U);
}

TEST_P(SubPathContract, WhatIsStackedOnTheVolumeItselfIsALeftoverToo) {
  ASSERT_TRUE(succeeds(mounts().mount_tmpfs("v", {})));
  node().mount_foreign(node().root("v"));
  node().put_directory(node().root("v/x"));
  node().mount_foreign(node().root("v/x"));
  EXPECT_EQ(mounts().unmount_below("v", 1, Leftovers::All).value(), 2U);
  EXPECT_EQ(mounts().at("v").value()->type, "tmpfs");
  EXPECT_EQ(mounts().unmount_below("v", 0, Leftovers::All).value(), 1U);
  EXPECT_FALSE(mounts().at("v").value());
}

TEST_P(SubPathContract, ABusyLeftoverEndsIt) {
  node().put_directory(node().root("v/a"));
  node().mount_foreign(node().root("v/a"));
  node().put_file(node().root("v/a/file"), "x");
  node().open(node().root("v/a/file"));
  EXPECT_TRUE(fails(mounts().unmount_below("v", 0, Leftovers::All), "Busy", EBUSY));
  node().close();
  EXPECT_EQ(mounts().unmount_below("v", 0, Leftovers::All).value(), 1U);
}

TEST_P(SubPathContract, WhereOnlyCopiesMayGoWhatSomebodyMountedHoldsUpAll) {
  bind_part("a", "t");
  node().put_directory(node().root("t/x"));
  node().mount_foreign(node().root("t/x"));
  EXPECT_TRUE(fails(mounts().unmount_below("t", 0, Leftovers::CopiesOnly), "MountedBelow", EBUSY));
  EXPECT_TRUE(files().status("t").value()->is_mount_root);
  node().unmount_foreign(node().root("t/x"));
  EXPECT_EQ(mounts().unmount_below("t", 0, Leftovers::CopiesOnly).value(), 1U);
}

TEST_P(SubPathContract, AFileIsRewrittenInPlace) {
  ASSERT_TRUE(succeeds(files().write_file("v/f", "long content", 0640)));
  node().put_file(node().root("place"), "");
  bind_part("f", "place");
  const auto inode = files().status("v/f").value()->inode;
  ASSERT_TRUE(succeeds(files().rewrite_file("v/f", "short", 0600)));
  EXPECT_EQ(node().read(node().root("place")), "short");
  EXPECT_EQ(files().status("v/f").value()->inode, inode);
  EXPECT_EQ(files().status("v/f").value()->mode, 0600U);
  EXPECT_EQ(files().rewrite_file("v/absent", "", 0600).error().errno_value, ENOENT);
  EXPECT_EQ(files().rewrite_file("v", "", 0600).error().errno_value, EISDIR);
  node().put_symlink(node().root("v/link"), node().host("secret/file"));
  EXPECT_EQ(files().rewrite_file("v/link", "", 0600).error().errno_value, ELOOP);
  EXPECT_EQ(node().read(node().host("secret/file")), "of the host");
}

TEST_P(SubPathContract, AnOwnerIsSetWithExactlyTheMode) {
  node().put_file(node().root("v/f"), "x");
  ASSERT_TRUE(succeeds(files().set_owner("v/f", 2000, 02750)));
  EXPECT_EQ(files().status("v/f").value()->group, 2000U);
  EXPECT_EQ(files().status("v/f").value()->mode, 02750U);
  ASSERT_TRUE(succeeds(files().set_owner("v", 2000, 03777)));
  EXPECT_EQ(files().status("v").value()->mode, 03777U);
  ASSERT_TRUE(succeeds(files().make_directory("v/below", 0755)));
  EXPECT_EQ(files().status("v/below").value()->group, 2000U) << "a set-group-id directory hands it on";
  node().put_symlink(node().root("v/link"), node().host("secret/file"));
  EXPECT_TRUE(fails(files().set_owner("v/link", 2000, 0777), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(files().set_owner("v/absent", 2000, 0777), "NotFound", ENOENT));
}

TEST_P(SubPathContract, GroupsChangePlacesThroughAnIdmappedMount) {
  ASSERT_TRUE(succeeds(files().write_file("v/f", "x", 0640)));
  const auto volume = open("");
  ASSERT_TRUE(succeeds(volume));
  const auto bound = mounts().bind_open(*volume.value(), {"t", GroupSwap{0, 2000}});
  if (!bound && bound.error().reason == "CannotMapGroups")
    GTEST_SKIP() << "this tmpfs cannot be mapped: " << bound.error().text();
  ASSERT_TRUE(succeeds(bound));
  EXPECT_NE(mounts().at("t").value()->options.find("idmapped"), std::string::npos);
  EXPECT_EQ(files().status("t").value()->group, 2000U);
  ASSERT_TRUE(succeeds(files().set_owner("t", 2000, 02770)));
  EXPECT_EQ(files().status("v").value()->group, 0U);
  EXPECT_EQ(files().status("v").value()->mode, 02770U);
  const auto again = mounts().bind_open(*volume.value(), {"v", std::nullopt});
  ASSERT_TRUE(succeeds(again));
  EXPECT_EQ(mounts().at("v").value()->options.find("idmapped"), std::string::npos);
}

/// A node whose mounts are shared, as most are: what is mounted or unmounted in one place happens in others.
class LinuxOnlySharedTree : public ::testing::Test {
 protected:
  LinuxOnlySharedTree() {
    EXPECT_EQ(mount(nullptr, node_->base().c_str(), nullptr, MS_SHARED, nullptr), 0);
    node_->put_directory(node_->root("v/part/x"));
    node_->put_directory(node_->root("t"));
    node_->put_directory(node_->host("disk"));
    node_->mount_foreign(node_->host("disk"));
    node_->put_file(node_->host("disk/data"), "precious");
  }
  Mounts& mounts() { return node_->ports().mounts; }
  std::size_t count_at(const std::string& path) { return mounts().table().value().count_at(path); }
  void bind_part(Propagation propagation) {
    const auto part = node_->ports().files.open_sub_path({"v", std::nullopt, "part", false});
    ASSERT_TRUE(succeeds(part));
    ASSERT_TRUE(succeeds(mounts().bind_open(*part.value(), {"t", std::nullopt, propagation})));
  }
  void expect_disk() {
    EXPECT_EQ(count_at(node_->host("disk")), 1U);
    EXPECT_EQ(node_->read(node_->host("disk/data")), "precious");
  }

  const std::unique_ptr<Node> node_ = make_linux_node(true);
};

TEST_F(LinuxOnlySharedTree, WhatLiesInABindOfTheNodeIsUnmountedThereAlone) {
  node_->put_directory(node_->root("v/host"));
  node_->bind_foreign(node_->base(), node_->root("v/host"));
  EXPECT_EQ(node_->read(node_->root("v/host/host/disk/data")), "precious");
  EXPECT_EQ(mounts().unmount_below("v", 0, Leftovers::All).value(), 2U);
  EXPECT_EQ(count_at(node_->root("v/host")), 0U);
  expect_disk();
}

TEST_F(LinuxOnlySharedTree, ALeftoverThatIsCoveredAndSharesWithTheNodeIsNotTouched) {
  node_->put_directory(node_->root("v/host"));
  node_->bind_foreign(node_->host("disk"), node_->root("v/host"));
  node_->mount_foreign(node_->root("v/host"));
  const std::size_t before = mounts().table().value().mounts().size();
  const auto refused = mounts().unmount_below("v", 0, Leftovers::All);
  EXPECT_TRUE(fails(refused, "MountedBelow", EBUSY));
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr(node_->root("v/host")));
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr(node_->host("disk")));
  EXPECT_EQ(mounts().table().value().mounts().size(), before);
  node_->unmount_foreign(node_->root("v/host"));
  EXPECT_EQ(mounts().unmount_below("v", 0, Leftovers::All).value(), 1U);
  expect_disk();
}

TEST_F(LinuxOnlySharedTree, ALeftoverThatIsCoveredAndSharesWithNobodyIsUnmounted) {
  node_->mount_foreign(node_->root("v/part"));
  node_->mount_foreign(node_->root("v/part"));
  EXPECT_EQ(mounts().unmount_below("v", 0, Leftovers::All).value(), 2U);
  EXPECT_EQ(count_at(node_->root("v/part")), 0U);
}

TEST_F(LinuxOnlySharedTree, APartGetsWhatItsPropagationSays) {
  for (const Propagation propagation : {Propagation::Private, Propagation::Slave, Propagation::Shared}) {
    SCOPED_TRACE(static_cast<int>(propagation));
    bind_part(propagation);
    EXPECT_EQ(count_at(node_->root("t")), 1U);
    node_->mount_foreign(node_->root("v/part/x"));
    EXPECT_EQ(count_at(node_->root("t/x")), propagation == Propagation::Private ? 0U : 1U);
    EXPECT_EQ(mounts().unmount_below("t", 0, Leftovers::All).value(),
              propagation == Propagation::Private ? 1U : 2U);
    EXPECT_EQ(count_at(node_->root("v/part/x")), 1U) << "what the volume has stays";
    node_->unmount_foreign(node_->root("v/part/x"));
  }
}

TEST_F(LinuxOnlySharedTree, OnlyASharedPartGivesBackWhatIsMountedInIt) {
  for (const Propagation propagation : {Propagation::Private, Propagation::Slave, Propagation::Shared}) {
    SCOPED_TRACE(static_cast<int>(propagation));
    bind_part(propagation);
    node_->mount_foreign(node_->root("t/x"));
    EXPECT_EQ(count_at(node_->root("v/part/x")), propagation == Propagation::Shared ? 1U : 0U);
    EXPECT_EQ(mounts().unmount_below("t", 0, Leftovers::All).value(), 2U);
    EXPECT_EQ(mounts().unmount_below("v", 0, Leftovers::All).value(),
              propagation == Propagation::Shared ? 1U : 0U);
  }
}

TEST_F(LinuxOnlySharedTree, ADirectoryBoundOnItselfIsMountedOnce) {
  const auto volume = node_->ports().files.open_sub_path({"v", std::nullopt, "", false});
  ASSERT_TRUE(succeeds(mounts().bind_open(*volume.value(), {"v", std::nullopt})));
  EXPECT_EQ(count_at(node_->root("v")), 1U);
  node_->mount_foreign(node_->root("v/part"));
  EXPECT_EQ(count_at(node_->root("v/part")), 1U);
  EXPECT_EQ(mounts().unmount_below("v", 0, Leftovers::All).value(), 2U);
}

INSTANTIATE_TEST_SUITE_P(Ports, SubPathContract,
                         ::testing::Values(NodeKind::Fake, NodeKind::Linux, NodeKind::LinuxWithoutStatmount),
                         name_of);

}  // namespace
}  // namespace mooring::kernel::contract
