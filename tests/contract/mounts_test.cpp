#include <gmock/gmock.h>

#include "node.h"

namespace mooring::kernel::contract {
namespace {

class MountsContract : public Contract {
 protected:
  /// The mount at `target`; a default one (without a type) if there is none.
  MountFact at(const std::string& target) {
    const auto fact = mounts().at(target);
    EXPECT_TRUE(succeeds(fact));
    return fact && fact.value() ? *fact.value() : MountFact();
  }
  bool is_mounted(const std::string& target) {
    const auto fact = mounts().at(target);
    EXPECT_TRUE(succeeds(fact));
    return fact && fact.value();
  }
  MountTable table() {
    auto table = mounts().table();
    EXPECT_TRUE(succeeds(table));
    return table ? std::move(table).value() : MountTable();
  }
  void mount_tmpfs(const std::string& target, const TmpfsOptions& options = {}) {
    const Result<void> mounted = mounts().mount_tmpfs(target, options);
    ASSERT_TRUE(mounted) << mounted.error().text();
  }
};

TEST_P(MountsContract, MountsATmpfsWithSizeAndMode) {
  node().put_directory(node().root("a/t"));
  mount_tmpfs("a/t", {1024 * 1024, 0750});
  const FileStatus status = *files().status("a/t").value();
  EXPECT_TRUE(status.is_mount_root);
  EXPECT_EQ(status.mode, 0750U);
  const MountFact fact = at("a/t");
  EXPECT_EQ(fact.type, "tmpfs");
  EXPECT_EQ(fact.root, "/");
  EXPECT_FALSE(fact.is_read_only());
  const MountTable whole = table();
  const MountFact* line = whole.top_at(node().root("a/t"));
  ASSERT_NE(line, nullptr);
  EXPECT_EQ(line->type, "tmpfs");
  EXPECT_EQ(line->source, "tmpfs");
  EXPECT_THAT(line->super_options, ::testing::HasSubstr("size=1024k"));
  EXPECT_THAT(line->super_options, ::testing::HasSubstr("mode=750"));
  EXPECT_EQ(line->parent_id, whole.top_at(node().base())->id);
}

TEST_P(MountsContract, ATmpfsHasItsModeByDefault) {
  node().put_directory(node().root("t"));
  mount_tmpfs("t");
  EXPECT_EQ(files().status("t").value()->mode, 01777U);
}

TEST_P(MountsContract, StackedMountsAreTakenFromTheTop) {
  node().put_directory(node().root("t"));
  mount_tmpfs("t", {{}, 0700});
  node().put_file(node().root("t/lower"), "");
  mount_tmpfs("t", {{}, 0711});
  EXPECT_EQ(files().status("t").value()->mode, 0711U);
  EXPECT_FALSE(node().exists(node().root("t/lower")));
  EXPECT_EQ(table().count_at(node().root("t")), 2U);
  EXPECT_TRUE(succeeds(mounts().unmount("t")));
  EXPECT_EQ(files().status("t").value()->mode, 0700U);
  EXPECT_TRUE(node().exists(node().root("t/lower")));
  EXPECT_TRUE(succeeds(mounts().unmount("t")));
  EXPECT_FALSE(is_mounted("t"));
  EXPECT_TRUE(fails(mounts().unmount("t"), "NotMounted", EINVAL));
}

TEST_P(MountsContract, AMountNeedsADirectoryThatIsThere) {
  node().put_file(node().root("file"), "");
  node().put_directory(node().host("elsewhere"));
  node().put_symlink(node().root("link"), node().host("elsewhere"));
  EXPECT_TRUE(fails(mounts().mount_tmpfs("absent", {}), "MountFailed", ENOENT));
  EXPECT_TRUE(fails(mounts().mount_tmpfs("absent/deeper", {}), "NotFound", ENOENT));
  EXPECT_TRUE(fails(mounts().mount_tmpfs("file", {}), "MountFailed", EINVAL));
  EXPECT_TRUE(fails(mounts().mount_tmpfs("link", {}), "MountFailed", EINVAL));
  EXPECT_TRUE(fails(mounts().mount_tmpfs("link/a/b", {}), "SymbolicLink", ELOOP));
  EXPECT_TRUE(fails(mounts().mount_tmpfs("../host/elsewhere", {}), "MountedBelow", EXDEV));
  node().put_directory(node().root("t"));
  mount_tmpfs("t");
  node().put_directory(node().root("t/inner"));
  EXPECT_TRUE(fails(mounts().mount_tmpfs("t/inner", {}), "MountedBelow", EXDEV));
  EXPECT_TRUE(fails(mounts().unmount("t/inner"), "MountedBelow", EXDEV));
  EXPECT_TRUE(fails(mounts().at("t/inner"), "MountedBelow", EXDEV));
}

TEST_P(MountsContract, ABusyMountStays) {
  node().put_directory(node().root("t"));
  mount_tmpfs("t");
  node().put_file(node().root("t/file"), "");
  node().open(node().root("t/file"));
  EXPECT_TRUE(fails(mounts().unmount("t"), "Busy", EBUSY));
  EXPECT_TRUE(is_mounted("t"));
  node().close();
  EXPECT_TRUE(succeeds(mounts().unmount("t")));
}

TEST_P(MountsContract, AMountWithAnotherBelowIsBusy) {
  node().put_directory(node().root("t"));
  mount_tmpfs("t");
  node().put_directory(node().root("t/inner"));
  node().mount_foreign(node().root("t/inner"));
  EXPECT_TRUE(fails(mounts().unmount("t"), "Busy", EBUSY));
  node().unmount_foreign(node().root("t/inner"));
  EXPECT_TRUE(succeeds(mounts().unmount("t")));
}

TEST_P(MountsContract, WhatIsNotMountedIsToldSo) {
  node().put_directory(node().root("d"));
  node().put_file(node().root("file"), "");
  node().put_directory(node().host("mount"));
  node().mount_foreign(node().host("mount"));
  node().put_symlink(node().root("link"), node().host("mount"));
  EXPECT_TRUE(fails(mounts().unmount("d"), "NotMounted", EINVAL));
  EXPECT_TRUE(fails(mounts().unmount("file"), "NotMounted", EINVAL));
  EXPECT_TRUE(fails(mounts().unmount("link"), "NotMounted", EINVAL));
  EXPECT_TRUE(fails(mounts().unmount("absent"), "UnmountFailed", ENOENT));
  EXPECT_TRUE(fails(mounts().unmount("absent/deeper"), "NotFound", ENOENT));
  for (const char* path : {"d", "file", "link", "absent", "absent/deeper", ""})
    EXPECT_FALSE(is_mounted(path)) << path;
  EXPECT_TRUE(fails(mounts().at("file/below"), "NotADirectory", ENOTDIR));
}

TEST_P(MountsContract, BindsADirectory) {
  node().put_file(node().host("data/d/file"), "1");
  node().put_directory(node().root("b"));
  bind(node().host("data"), "b");
  EXPECT_EQ(node().read(node().root("b/d/file")), "1");
  const MountFact fact = at("b");
  EXPECT_EQ(fact.type, "tmpfs");
  EXPECT_EQ(fact.root, "/host/data");
  EXPECT_FALSE(fact.is_read_only());
  const MountTable whole = table();
  ASSERT_NE(whole.top_at(node().root("b")), nullptr);
  EXPECT_EQ(whole.top_at(node().root("b"))->root, "/host/data");
  EXPECT_EQ(whole.top_at(node().root("b"))->source, "contract");
  EXPECT_EQ(whole.references(*whole.top_at(node().base())).size(), 1U);
  node().put_file(node().root("b/new"), "2");
  EXPECT_EQ(node().read(node().host("data/new")), "2");
  EXPECT_TRUE(succeeds(mounts().unmount("b")));
  EXPECT_EQ(node().read(node().host("data/new")), "2");
}

TEST_P(MountsContract, BindsReadOnly) {
  node().put_directory(node().host("data/inner"));
  node().mount_foreign(node().host("data/inner"));
  node().put_directory(node().root("b"));
  bind(node().host("data"), "b", true);
  EXPECT_TRUE(at("b").is_read_only());
  const MountTable whole = table();
  EXPECT_TRUE(whole.top_at(node().root("b"))->is_read_only());
  EXPECT_TRUE(whole.top_at(node().root("b/inner"))->is_read_only());
  EXPECT_FALSE(whole.top_at(node().host("data/inner"))->is_read_only());
  EXPECT_TRUE(
      fails(files().make_host_directory({node().root("b/new"), std::nullopt}), "ReadOnlyFileSystem", EROFS));
  EXPECT_TRUE(
      fails(files().make_host_file({node().root("b/inner/new"), std::nullopt}), "ReadOnlyFileSystem", EROFS));
  EXPECT_TRUE(succeeds(files().make_host_directory({node().host("data/new"), std::nullopt})));
}

TEST_P(MountsContract, ABindOfAReadOnlyBindStaysReadOnly) {
  node().put_directory(node().host("data"));
  node().put_directory(node().root("a"));
  node().put_directory(node().root("b"));
  bind(node().host("data"), "a", true);
  bind(node().root("a"), "b");
  EXPECT_TRUE(at("b").is_read_only());
}

TEST_P(MountsContract, BindsRecursivelyOrNot) {
  node().put_directory(node().host("data/x/inner"));
  node().mount_foreign(node().host("data/x/inner"));
  node().put_directory(node().host("data/x/inner/deeper"));
  node().mount_foreign(node().host("data/x/inner/deeper"));
  node().put_directory(node().host("data/beside"));
  node().mount_foreign(node().host("data/beside"));
  for (const char* target : {"all", "one"})
    node().put_directory(node().root(target));
  bind(node().host("data/x"), "all");
  bind(node().host("data/x"), "one", false, false);
  const MountTable whole = table();
  EXPECT_EQ(whole.below(node().root("all")).size(), 2U);
  EXPECT_EQ(whole.below(node().root("one")).size(), 0U);
  EXPECT_TRUE(node().exists(node().root("all/inner/deeper")));
  EXPECT_FALSE(node().exists(node().root("one/inner/deeper")));
  EXPECT_TRUE(fails(mounts().unmount("all"), "Busy", EBUSY));
  EXPECT_TRUE(succeeds(mounts().unmount("one")));
}

TEST_P(MountsContract, ABindIntoItselfEnds) {
  node().put_directory(node().root("d/inside"));
  bind(node().root("d"), "d/inside");
  EXPECT_TRUE(node().exists(node().root("d/inside/inside")));
  EXPECT_EQ(table().below(node().root("d")).size(), 1U);
}

TEST_P(MountsContract, BindsAFileOnAFile) {
  node().put_file(node().host("source"), "1");
  node().put_file(node().root("target"), "2");
  bind(node().host("source"), "target", true);
  EXPECT_EQ(node().read(node().root("target")), "1");
  EXPECT_TRUE(files().status("target").value()->is_mount_root);
  EXPECT_EQ(at("target").root, "/host/source");
  EXPECT_TRUE(at("target").is_read_only());
  EXPECT_TRUE(succeeds(mounts().unmount("target")));
  EXPECT_EQ(node().read(node().root("target")), "2");
}

TEST_P(MountsContract, ABindNeedsTwoOfAKind) {
  node().put_file(node().host("file"), "");
  node().put_directory(node().host("d"));
  node().put_file(node().root("file"), "");
  node().put_directory(node().root("d"));
  const auto bound = [&](const std::string& source, const std::string& target) {
    return mounts().bind({node().host(source), target});
  };
  EXPECT_TRUE(fails(bound("file", "d"), "MountFailed", EINVAL));
  EXPECT_TRUE(fails(bound("d", "file"), "MountFailed", EINVAL));
  EXPECT_TRUE(fails(bound("absent", "d"), "MountFailed", ENOENT));
  EXPECT_TRUE(fails(bound("file/below", "d"), "MountFailed", ENOTDIR));
  EXPECT_TRUE(fails(bound("d", "absent"), "MountFailed", ENOENT));
  EXPECT_TRUE(fails(bound("d", "absent/deeper"), "NotFound", ENOENT));
  node().put_symlink(node().host("self"), "self");
  EXPECT_TRUE(fails(bound("self", "d"), "MountFailed", ELOOP));
  EXPECT_FALSE(is_mounted("d"));
}

TEST_P(MountsContract, TheSourceOfABindIsWhatItsLinksLeadTo) {
  node().put_directory(node().host("data"));
  node().mount_foreign(node().host("data"));
  node().put_file(node().host("data/file"), "1");
  node().put_symlink(node().host("link"), "data");
  node().put_directory(node().root("b"));
  bind(node().host("link"), "b");
  EXPECT_EQ(node().read(node().root("b/file")), "1");
  EXPECT_EQ(at("b").root, "/");
}

TEST_P(MountsContract, ABindOfAPartOfATmpfsShowsItsRoot) {
  node().put_directory(node().root("t"));
  mount_tmpfs("t");
  node().put_directory(node().root("t/part"));
  node().put_directory(node().root("b"));
  bind(node().root("t/part"), "b");
  EXPECT_EQ(at("b").type, "tmpfs");
  EXPECT_EQ(at("b").root, "/part");
  EXPECT_EQ(at("t").root, "/");
}

TEST_P(MountsContract, AMountOutlivesTheNameOfItsSource) {
  node().put_file(node().host("data/file"), "1");
  node().put_directory(node().root("b"));
  bind(node().host("data"), "b");
  node().remove(node().host("data/file"));
  node().remove(node().host("data"));
  EXPECT_TRUE(is_mounted("b"));
  EXPECT_EQ(table().top_at(node().root("b"))->root, "/host/data//deleted");
  EXPECT_TRUE(fails(files().make_host_directory({node().root("b/new"), std::nullopt}), "NotFound", ENOENT));
  EXPECT_TRUE(succeeds(mounts().unmount("b")));
}

TEST_P(MountsContract, AMountNeedsNoWritableFileSystem) {
  node().put_directory(node().root("t"));
  node().set_read_only(true);
  mount_tmpfs("t");
  EXPECT_FALSE(at("t").is_read_only());
  EXPECT_TRUE(succeeds(mounts().unmount("t")));
  node().set_read_only(false);
}

TEST_P(MountsContract, ABindShowsAReadOnlyFileSystem) {
  node().put_directory(node().root("b"));
  node().set_read_only(true);
  bind(node().host(""), "b");
  EXPECT_TRUE(at("b").is_read_only());
  node().set_read_only(false);
  EXPECT_FALSE(at("b").is_read_only());
}

TEST_P(MountsContract, TellsTheBlockSizeOfWhatIsMounted) {
  node().put_directory(node().root("t"));
  ASSERT_TRUE(succeeds(mounts().mount_tmpfs("t", {})));
  EXPECT_EQ(mounts().block_size("t").value(), 4096U);
  EXPECT_TRUE(fails(mounts().block_size("absent"), "NotFound", ENOENT));
}

TEST_P(MountsContract, MountsHugePages) {
  node().put_directory(node().root("h"));
  const Result<void> mounted = mounts().mount_hugetlbfs("h", 2ULL << 20U);
  if (!mounted && mounted.error().errno_value == ENODEV) {
    EXPECT_TRUE(fails(mounted, "MountFailed", ENODEV, ErrorKind::Final));  // A kernel without them.
    return;
  }
  ASSERT_TRUE(succeeds(mounted));
  EXPECT_EQ(at("h").type, "hugetlbfs");
  EXPECT_EQ(mounts().block_size("h").value(), 2ULL << 20U);
  EXPECT_THAT(table().top_at(node().root("h"))->super_options, ::testing::HasSubstr("pagesize=2M"));
  EXPECT_EQ(files().status("h").value()->mode, 0755U);
  EXPECT_TRUE(succeeds(mounts().unmount("h")));
  EXPECT_TRUE(fails(mounts().mount_hugetlbfs("h", 3ULL << 20U), "MountFailed", EINVAL));
  EXPECT_TRUE(fails(mounts().mount_hugetlbfs("absent", 2ULL << 20U), "MountFailed", ENOENT));
}

TEST_P(MountsContract, TheTableTellsOddNames) {
  for (const char* name :
       {"a blank", "a\ttab", "a\\backslash", "a\nnewline", "a\\040b", "#hash", "\xc3\xa4"}) {
    node().put_directory(node().root(name));
    mount_tmpfs(name);
    EXPECT_EQ(at(name).type, "tmpfs");
    EXPECT_NE(table().top_at(node().root(name)), nullptr) << name;
    const std::string bound = std::string("bound ") + name;
    node().put_directory(node().root(bound));
    node().put_directory(node().host(name));
    bind(node().host(name), bound);
    EXPECT_EQ(at(bound).root, std::string("/host/") + name);
    EXPECT_EQ(table().top_at(node().root(bound))->root, std::string("/host/") + name);
  }
}

TEST_P(MountsContract, TheTableIsInTheOrderOfMounting) {
  std::vector<std::string> wanted;
  for (const char* name : {"c", "a", "b"}) {
    node().put_directory(node().root(name));
    mount_tmpfs(name);
    wanted.push_back(node().root(name));
  }
  std::vector<std::string> found;
  const MountTable whole = table();
  for (const MountFact& fact : whole.mounts()) {
    if (fact.mount_point.starts_with(node().root(""))) found.push_back(fact.mount_point);
  }
  EXPECT_EQ(found, wanted);
}

INSTANTIATE_TEST_SUITE_P(Ports, MountsContract,
                         ::testing::Values(NodeKind::Fake, NodeKind::Linux, NodeKind::LinuxWithoutStatmount),
                         name_of);

}  // namespace
}  // namespace mooring::kernel::contract
