#include "daemon/manifest_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

namespace mooring {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;
using testing::UnorderedElementsAre;
using Kind = ManifestTree::Change::Kind;

class ManifestTreeTest : public testing::Test {
 protected:
  ManifestTreeTest() {
    fs::create_directories(top());
    open({top()});
  }
  ~ManifestTreeTest() override { fs::remove_all(directory_); }

  void open(std::vector<std::string> directories) {
    Result<ManifestTree> tree = ManifestTree::open(std::move(directories));
    ASSERT_TRUE(tree);
    tree_ = std::make_unique<ManifestTree>(std::move(tree).value());
  }
  std::string top() const { return directory_ + "/manifests"; }
  std::string in(const std::string& name) const { return top() + "/" + name; }
  static void write(const std::string& file) { std::ofstream(file) << "kind: Pod\n"; }
  void make(const std::string& file) const {
    fs::create_directories(fs::path(file).parent_path());
    write(file);
  }
  /// The files that changed; "tree" if all is to be listed again.
  std::vector<std::string> changes() {
    std::vector<std::string> paths;
    for (const ManifestTree::Change& change : tree_->take_changes())
      paths.push_back(change.kind == Kind::Tree ? "tree" : change.path);
    std::sort(paths.begin(), paths.end());
    paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
    return paths;
  }

  const std::string directory_ = testing::TempDir() + "mooring-tree-" + std::to_string(getpid());
  std::unique_ptr<ManifestTree> tree_;
};

TEST_F(ManifestTreeTest, a_directory_with_a_link_beside_it_goes_by_its_own_name) {
  make(in("b/x.yaml"));
  fs::create_directory_symlink("b", in("a"));
  fs::create_directory_symlink("b", in("c"));
  EXPECT_THAT(tree_->list().files, ElementsAre(in("b/x.yaml")));
  write(in("b/x.yaml"));
  EXPECT_THAT(changes(), ElementsAre(in("b/x.yaml")));
}

TEST_F(ManifestTreeTest, a_directory_that_is_named_twice_goes_by_the_first_name) {
  fs::create_directory_symlink("manifests", directory_ + "/second");
  open({top(), top(), directory_ + "/second"});
  make(in("x.yaml"));
  EXPECT_THAT(tree_->list().files, ElementsAre(in("x.yaml")));
  write(in("x.yaml"));
  EXPECT_THAT(changes(), ElementsAre(in("x.yaml")));
}

TEST_F(ManifestTreeTest, what_was_moved_out_of_the_tree_is_not_watched_any_more) {
  make(in("team/deep/x.yaml"));
  tree_->list();
  fs::rename(in("team"), directory_ + "/away");
  EXPECT_THAT(changes(), ElementsAre("tree"));
  EXPECT_THAT(tree_->list().files, IsEmpty());
  changes();
  write(directory_ + "/away/deep/x.yaml");
  write(directory_ + "/away/y.yaml");
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(ManifestTreeTest, files_beside_what_is_watched_on_the_way_are_no_manifests) {
  fs::rename(top(), directory_ + "/release-1");
  fs::create_directory(directory_ + "/release-2");
  fs::create_directory_symlink("release-1", top());
  open({top(), directory_ + "/missing/manifests"});
  EXPECT_THAT(tree_->list().failures, Contains(Key(directory_ + "/missing/manifests")));
  write(directory_ + "/mooringd.yaml");
  EXPECT_THAT(changes(), IsEmpty());
  fs::create_directory(directory_ + "/missing");
  EXPECT_THAT(changes(), ElementsAre("tree"));
  tree_->list();
  fs::create_directory(directory_ + "/missing/manifests");
  EXPECT_THAT(changes(), ElementsAre("tree"));
  fs::create_directory_symlink("release-2", directory_ + "/next");
  fs::rename(directory_ + "/next", top());
  EXPECT_THAT(changes(), ElementsAre("tree"));
}

TEST_F(ManifestTreeTest, what_a_link_leads_to_is_watched) {
  fs::create_directory(directory_ + "/far");
  fs::create_directory(directory_ + "/near");
  write(directory_ + "/far/file");
  fs::create_symlink("../far/file", directory_ + "/near/link");
  fs::create_symlink(directory_ + "/near/link", in("x.yaml"));
  tree_->list();
  write(directory_ + "/far/other");
  write(directory_ + "/near/other.yaml");
  EXPECT_THAT(changes(), IsEmpty());
  write(directory_ + "/far/file");
  EXPECT_THAT(changes(), ElementsAre(in("x.yaml")));
  fs::remove(directory_ + "/near/link");
  EXPECT_THAT(changes(), ElementsAre(in("x.yaml")));
  fs::create_symlink("../far/new", directory_ + "/near/link");
  EXPECT_THAT(changes(), ElementsAre(in("x.yaml")));
  write(directory_ + "/far/new");
  EXPECT_THAT(changes(), ElementsAre(in("x.yaml")));
}

TEST_F(ManifestTreeTest, a_link_that_leads_to_nothing_is_a_failure_until_it_leads_somewhere) {
  fs::create_directory_symlink("../far/apps", in("apps"));
  fs::create_symlink("nowhere", in("x.yaml"));
  const auto listing = tree_->list();
  EXPECT_THAT(listing.failures, UnorderedElementsAre(Key(in("apps"))));
  EXPECT_THAT(listing.files, ElementsAre(in("x.yaml")));
  make(directory_ + "/far/apps/y.yaml");
  EXPECT_THAT(changes(), ElementsAre("tree"));
  EXPECT_THAT(tree_->list().files, ElementsAre(in("apps/y.yaml"), in("x.yaml")));
  EXPECT_THAT(tree_->list().failures, IsEmpty());
  fs::remove(in("apps"));
  EXPECT_THAT(changes(), ElementsAre("tree"));
  EXPECT_THAT(tree_->list().failures, IsEmpty());
}

TEST_F(ManifestTreeTest, a_directory_that_an_empty_one_replaced_fails_until_it_is_back) {
  make(in("team/deep/x.yaml"));
  make(in("y.yaml"));
  tree_->list();
  EXPECT_TRUE(tree_->is_as_listed(in("team")));
  fs::rename(in("team"), directory_ + "/away");
  fs::create_directory(in("team"));
  EXPECT_FALSE(tree_->is_as_listed(in("team")));
  EXPECT_TRUE(tree_->is_exchanged());
  for (int i = 0; i < 2; ++i) {
    const auto listing = tree_->list();
    EXPECT_THAT(listing.failures, UnorderedElementsAre(Key(in("team"))));
    EXPECT_THAT(listing.files, ElementsAre(in("y.yaml")));
    EXPECT_FALSE(tree_->is_exchanged());
    EXPECT_FALSE(tree_->is_as_listed(in("team")));
  }
  fs::remove(in("team"));
  fs::rename(directory_ + "/away", in("team"));
  EXPECT_THAT(tree_->list().failures, IsEmpty());
  EXPECT_TRUE(tree_->is_as_listed(in("team")));
}

TEST_F(ManifestTreeTest, the_first_manifest_or_the_removal_decides_about_a_replaced_directory) {
  for (const char* name : {"team", "group"})
    make(in(std::string(name) + "/x.yaml"));
  tree_->list();
  for (const char* name : {"team", "group"}) {
    fs::rename(in(name), directory_ + "/away-" + name);
    fs::create_directory(in(name));
  }
  EXPECT_THAT(tree_->list().failures, UnorderedElementsAre(Key(in("team")), Key(in("group"))));
  changes();
  make(in("team/other.yaml"));
  EXPECT_THAT(changes(), Contains("tree"));
  EXPECT_THAT(tree_->list().failures, UnorderedElementsAre(Key(in("group"))));
  fs::remove(in("group"));
  EXPECT_THAT(tree_->list().failures, IsEmpty());
}

TEST_F(ManifestTreeTest, a_release_with_an_empty_directory_replaces_one_that_had_files_in_it) {
  make(directory_ + "/release-1/team/x.yaml");
  make(directory_ + "/release-2/y.yaml");
  fs::create_directory(directory_ + "/release-2/team");
  fs::create_directory_symlink(directory_ + "/release-1", in("current"));
  EXPECT_THAT(tree_->list().files, ElementsAre(in("current/team/x.yaml")));
  fs::create_directory_symlink(directory_ + "/release-2", directory_ + "/next");
  fs::rename(directory_ + "/next", in("current"));
  const auto listing = tree_->list();
  EXPECT_THAT(listing.failures, IsEmpty());
  EXPECT_THAT(listing.files, ElementsAre(in("current/y.yaml")));
}

TEST_F(ManifestTreeTest, an_emptied_directory_is_empty) {
  make(in("team/x.yaml"));
  tree_->list();
  fs::remove(in("team/x.yaml"));
  EXPECT_THAT(tree_->list().failures, IsEmpty());
  make(in("team/y.yaml"));
  changes();
  fs::remove(in("team/y.yaml"));
  tree_->forget(in("team/y.yaml"));
  fs::remove(in("team"));
  fs::create_directory(in("team"));
  EXPECT_THAT(tree_->list().failures, IsEmpty()) << "it held nothing any more";
}

// In a user namespace of its own, which has limits of its own.
TEST_F(ManifestTreeTest, a_directory_that_cannot_be_watched_is_told_of) {
  constexpr int not_allowed = 77;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (unshare(CLONE_NEWUSER) != 0) _exit(not_allowed);
    std::ofstream limit("/proc/sys/user/max_inotify_watches");
    limit << "1\n" << std::flush;
    if (!limit) _exit(not_allowed);
    make(in("team/x.yaml"));
    open({top()});
    const auto listing = tree_->list();
    const bool is_told = listing.watch_problem.find("cannot watch " + in("team")) == 0 &&
                         listing.watch_problem.find("max_user_watches") != std::string::npos;
    _exit(is_told && listing.files.size() == 1 && listing.failures.empty() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  if (WEXITSTATUS(status) == not_allowed) GTEST_SKIP() << "no user namespace can be had";
  EXPECT_EQ(status, 0);
  make(in("team/x.yaml"));
  EXPECT_EQ(tree_->list().watch_problem, "");
}

}  // namespace
}  // namespace mooring
