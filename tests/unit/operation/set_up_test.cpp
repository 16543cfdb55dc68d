// The steps that make things.

#include <gmock/gmock.h>

#include <algorithm>

#include "operation_fixture.h"

namespace mooring {

// How GoogleTest shows the steps that are parameters.
void PrintTo(const MountTmpfs& step, std::ostream* out) {
  *out << describe(step);
}
void PrintTo(const MountHugetlbfs& step, std::ostream* out) {
  *out << describe(step);
}

namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Execute, does_the_steps_in_order_and_the_first_that_fails_ends_it) {
  Node node;
  const Outcome outcome = node.run({MakeDirectory{"a", 0750}, MakeDirectory{"b", 0750},
                                    MountTmpfs{"absent", {}, 0}, MakeDirectory{"c", 0}});
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.steps_done, 2u);
  EXPECT_TRUE(outcome.changed);
  EXPECT_THAT(outcome.error->step, HasSubstr("mount tmpfs"));
  EXPECT_TRUE(node.fake.exists(node.root("b")));
  EXPECT_FALSE(node.fake.exists(node.root("c")));
}

TEST(Execute, stops_before_the_next_step_when_it_may_not_go_on) {
  for (int allowed = 0; allowed <= 3; ++allowed) {
    FakeKernel fake("/r");
    Operation operation;
    operation.id = OperationId{5};
    operation.steps = {MakeDirectory{"a", 0750}, MakeDirectory{"b", 0750}, MakeDirectory{"c", 0750}};
    int asked = 0;
    const Outcome outcome = execute(operation, fake.ports(), [&] { return asked++ < allowed; });
    EXPECT_EQ(outcome.id, operation.id);
    EXPECT_EQ(outcome.steps_done, static_cast<std::uint32_t>(allowed));
    EXPECT_EQ(fake.tree_listing("/r").size(), static_cast<std::size_t>(allowed));
    EXPECT_EQ(asked, std::min(allowed + 1, 3));
    EXPECT_EQ(outcome.error ? outcome.error->reason : "", allowed < 3 ? "CoreGone" : "");
  }
}

TEST(Execute, an_operation_without_steps_is_done) {
  Node node;
  const Outcome outcome = node.run_well({});
  EXPECT_FALSE(outcome.changed);
}

TEST(MakePodDirectory, makes_the_directory_with_its_stamp) {
  Node node;
  EXPECT_TRUE(node.run_well({make_pod}).changed);
  EXPECT_EQ(node.fake.read(node.root("pods/u1/mooring.json")), stamp_text);
  EXPECT_THAT(
      node.fake.tree_listing(node.root("pods")),
      ElementsAre(node.root("pods/u1") + " directory 750", node.root("pods/u1/mooring.json") + " file 640"));
  EXPECT_FALSE(node.run_well({make_pod}).changed);
}

TEST(MakePodDirectory, replaces_a_stamp_that_is_not_this_pods) {
  for (const std::string there :
       {"", "{\"version\":1,", R"({"version":1,"uid":"u1","namespace":"default","name":"older"})"}) {
    Node node;
    node.fake.put_file(node.root("pods/u1/mooring.json"), there);
    node.fake.put_file(node.root("pods/u1/other"), "kept");
    EXPECT_TRUE(node.run_well({make_pod}).changed);
    EXPECT_EQ(node.fake.read(node.root("pods/u1/mooring.json")), stamp_text);
    EXPECT_EQ(node.fake.read(node.root("pods/u1/other")), "kept");
  }
}

TEST(MakePodDirectory, does_not_replace_a_stamp_that_it_cannot_read) {
  Node node;
  node.run_well({make_pod});
  node.fail_call("read_file", EIO, true);
  EXPECT_EQ(node.run_badly({make_pod}).reason, "InputOutputError");
  EXPECT_EQ(node.fake.read(node.root("pods/u1/mooring.json")), stamp_text);
}

TEST(MakePodDirectory, follows_no_link) {
  Node node;
  node.fake.put_directory("/elsewhere");
  node.fake.put_symlink(node.root("pods/u1"), "/elsewhere");
  EXPECT_EQ(node.run_badly({make_pod}).reason, "SymbolicLink");
  EXPECT_THAT(node.fake.tree_listing("/elsewhere"), IsEmpty());
}

TEST(MakeDirectory, makes_it_with_exactly_its_mode_and_parents_with_0750) {
  Node node;
  EXPECT_TRUE(node.run_well({MakeDirectory{"a/b/c", 0777}}).changed);
  EXPECT_THAT(node.fake.tree_listing(node.root("a")),
              ElementsAre(node.root("a/b") + " directory 750", node.root("a/b/c") + " directory 777"));
}

TEST(MakeDirectory, leaves_one_that_is_there_as_it_is) {
  Node node;
  node.fake.put_directory(node.root("a"), 0700);
  node.fake.put_file(node.root("a/file"), "kept");
  EXPECT_FALSE(node.run_well({MakeDirectory{"a", 0777}}).changed);
  EXPECT_THAT(node.fake.tree_listing(node.fake.root_dir()),
              ElementsAre(node.root("a") + " directory 700", node.root("a/file") + " file 644"));
}

TEST(MakeDirectory, fails_on_anything_else_and_crosses_neither_links_nor_mounts) {
  Node node;
  node.fake.put_file(node.root("file"), "kept");
  EXPECT_EQ(node.run_badly({MakeDirectory{"file", 0777}}).reason, "NotADirectory");
  EXPECT_EQ(node.run_badly({MakeDirectory{"file/x", 0777}}).reason, "NotADirectory");
  node.fake.put_symlink(node.root("link"), "/");
  EXPECT_EQ(node.run_badly({MakeDirectory{"link/x", 0777}}).reason, "SymbolicLink");
  EXPECT_EQ(node.run_badly({MakeDirectory{"../x", 0777}}).errno_value, EXDEV);
  node.fake.put_directory(node.root("mnt"));
  node.fake.mount_foreign(node.root("mnt"), "ext4", "/dev/x");
  EXPECT_EQ(node.run_badly({MakeDirectory{"mnt/x", 0777}}).reason, "MountedBelow");
  EXPECT_EQ(node.fake.read(node.root("file")), "kept");
  EXPECT_FALSE(node.fake.exists("/x"));
}

/// The two steps that mount a file system of their own on a volume.
struct Mounting : testing::TestWithParam<Step> {
  void SetUp() override { node.run_well({make_pod, MakeDirectory{volume_path, 0777}}); }
  std::string type() const { return std::holds_alternative<MountTmpfs>(GetParam()) ? "tmpfs" : "hugetlbfs"; }
  Node node;
};
INSTANTIATE_TEST_SUITE_P(Steps, Mounting,
                         testing::Values(Step(MountTmpfs{volume_path, 1U << 20U, 01777}),
                                         Step(MountHugetlbfs{volume_path, 2U << 20U})),
                         [](const auto& test) { return test.index == 0 ? "tmpfs" : "hugetlbfs"; });

TEST_P(Mounting, mounts_once) {
  EXPECT_TRUE(node.run_well({GetParam()}).changed);
  EXPECT_FALSE(node.run_well({GetParam()}).changed);
  EXPECT_THAT(node.mounted_at(node.volume), ElementsAre(type()));
}

TEST_P(Mounting, never_hides_data) {
  node.fake.put_file(node.volume + "/file", "kept");
  const Error error = node.run_badly({GetParam()});
  EXPECT_EQ(error.reason, "DirectoryNotEmpty");
  EXPECT_EQ(error.kind, ErrorKind::Final);
  EXPECT_THAT(error.message, HasSubstr("file"));
  EXPECT_THAT(node.mounted_at(node.volume), IsEmpty());
}

TEST_P(Mounting, covers_no_mount_of_others) {
  node.fake.mount_foreign(node.volume, "nfs4", "server:/export");
  const Error error = node.run_badly({GetParam()});
  EXPECT_EQ(error.reason, "ForeignMount");
  EXPECT_EQ(error.kind, ErrorKind::Final);
  EXPECT_THAT(error.message, HasSubstr("nfs4"));
  EXPECT_THAT(node.mounted_at(node.volume), ElementsAre("nfs4"));
}

TEST_P(Mounting, when_it_cannot_be_known_what_is_there_nothing_is_mounted) {
  for (const std::string call : {"at", "list"}) {
    node.fail_call(call, EIO, true);
    EXPECT_EQ(node.run_badly({GetParam()}).reason, "InputOutputError");
    EXPECT_THAT(node.mounted_at(node.volume), IsEmpty());
  }
}

TEST_P(Mounting, a_mount_that_fails_leaves_nothing) {
  node.fail_call(type() == "tmpfs" ? "mount_tmpfs" : "mount_hugetlbfs", ENOMEM, true);
  const Error error = node.run_badly({GetParam()});
  EXPECT_EQ(error.reason, "MountFailed");
  EXPECT_EQ(error.errno_value, ENOMEM);
  EXPECT_THAT(node.mounted_at(node.volume), IsEmpty());
}

TEST_P(Mounting, a_return_code_is_a_hint_and_what_is_mounted_then_decides) {
  node.fail_call(type() == "tmpfs" ? "mount_tmpfs" : "mount_hugetlbfs", EINTR, false);
  EXPECT_TRUE(node.run_well({GetParam()}).changed);
  EXPECT_THAT(node.mounted_at(node.volume), ElementsAre(type()));
}

TEST_P(Mounting, follows_no_link) {
  node.fake.remove_all(node.volume);
  node.fake.put_directory("/elsewhere");
  node.fake.put_symlink(node.volume, "/elsewhere");
  node.run_badly({GetParam()});
  EXPECT_THAT(node.mounted_at("/elsewhere"), IsEmpty());
}

TEST(MountTmpfs, kb_13_1_has_its_size_and_mode) {
  Node node;
  node.run_well({MakeDirectory{"a", 0777}, MountTmpfs{"a", 64U << 10U, 01777}});
  EXPECT_EQ(node.fake.mount_facts().back().super_options, "rw,size=64k");
  EXPECT_THAT(node.fake.tree_listing(node.fake.root_dir()), ElementsAre(node.root("a") + " directory 1777"));
}

TEST(MountHugetlbfs, a_kernel_without_it_is_a_final_error) {
  Node node;
  node.fake.set_page_sizes({});
  const Error error = node.run_badly({MakeDirectory{"a", 0777}, MountHugetlbfs{"a", 2U << 20U}});
  EXPECT_EQ(error.kind, ErrorKind::Final);
  EXPECT_EQ(error.errno_value, ENODEV);
  EXPECT_THAT(error.remedy, HasSubstr("module"));
}

TEST(MountHugetlbfs, kb_13_1_one_of_another_page_size_in_its_place_is_an_error) {
  Node node;
  node.run_well({MakeDirectory{"a", 0777}, MountHugetlbfs{"a", 2U << 20U}});
  EXPECT_EQ(node.run_badly({MountHugetlbfs{"a", 1U << 30U}}).kind, ErrorKind::Final);
}

TEST(MakePodDirectory, one_that_holds_data_and_has_no_stamp_is_not_claimed) {
  Node node;
  node.fake.put_file(node.root("pods/u1/volumes/kubernetes.io~empty-dir/v/precious"), "data");
  const Error error =
      node.run_badly({MakePodDirectory{PodUid("u1"), Namespace("default"), ObjectName("web")}});
  EXPECT_EQ(error.reason, "ForeignDirectory");
  EXPECT_EQ(error.kind, ErrorKind::Final);
  EXPECT_FALSE(node.fake.exists(node.root("pods/u1/mooring.json")));
}

TEST(MakePodDirectory, one_that_a_crash_left_without_its_stamp_is_stamped) {
  Node node;
  node.fake.put_file(node.root("pods/u1/.mooring.json.17.new"), "{");
  node.run_well({MakePodDirectory{PodUid("u1"), Namespace("default"), ObjectName("web")}});
  EXPECT_TRUE(node.fake.exists(node.root("pods/u1/mooring.json")));
}

TEST(WatchHostPath, watches_the_nearest_directory_that_is_there) {
  Node node;
  node.fake.put_directory("/data");
  const Outcome outcome = node.run_well({WatchHostPath{"/data/a/b", "/"}});
  ASSERT_FALSE(outcome.watches.empty());
  EXPECT_FALSE(outcome.changed);
  EXPECT_THAT(node.fake.take_fired_watches(), IsEmpty());
  node.fake.put_file("/data/a/b", "");
  EXPECT_THAT(node.fake.take_fired_watches(), Contains(outcome.watches.front()));
}

TEST(WatchHostPath, one_that_fails_gives_no_watch) {
  Node node;
  node.fail_call("watch_host", ENOSPC, true);
  EXPECT_TRUE(node.run({WatchHostPath{"/data/a", "/"}}).watches.empty());
}

}  // namespace
}  // namespace mooring
