// ChangeGroup and MapGroup.

#include <gmock/gmock.h>

#include "operation_fixture.h"

namespace mooring {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

struct Ownership : testing::Test {
  Ownership() {
    node.run_well({make_pod, MakeDirectory{volume_path, 0777}});
    node.fake.put_file(node.volume + "/file", "x", 0600);
    node.fake.put_directory(node.volume + "/directory", 0755);
  }
  kernel::FileStatus status(const std::string& path) {
    return *node.fake.ports().files.host_status({node.volume + path, std::nullopt}).value();
  }
  static Operation operation_of(Step step) {
    Operation operation;
    operation.id = OperationId{1};
    operation.steps.push_back(std::move(step));
    return operation;
  }
  Node node;
};

TEST_F(Ownership, kb_10_1_all_is_given_to_the_group) {
  EXPECT_TRUE(node.run_well({ChangeGroup{volume_path, 2000, false, false, 0}}).changed);
  EXPECT_EQ(status("").group, 2000u);
  EXPECT_EQ(status("").mode, 02777u);
  EXPECT_EQ(status("/file").group, 2000u);
  EXPECT_EQ(status("/file").mode, 0660u);
  EXPECT_EQ(status("/directory").mode, 02775u);
  EXPECT_FALSE(node.run_well({ChangeGroup{volume_path, 2000, false, false, 0}}).changed);
}

TEST_F(Ownership, kb_10_1_on_root_mismatch_looks_at_the_root_only) {
  node.run_well({ChangeGroup{volume_path, 2000, false, false, 0}});
  node.fake.put_file(node.volume + "/late", "x", 0600);
  node.run_well({ChangeGroup{volume_path, 2000, false, true, 0}});
  EXPECT_EQ(status("/late").mode, 0600u);
  node.run_well({ChangeGroup{volume_path, 3000, false, true, 0}});
  EXPECT_EQ(status("/late").group, 3000u);
}

TEST_F(Ownership, kb_10_1_an_interrupted_walk_leaves_the_root_unmarked) {
  node.fail_call("change_group.entry", EIO, true);
  node.run_badly({ChangeGroup{volume_path, 2000, false, true, 0}});
  EXPECT_NE(status("").group, 2000u);
  node.heal();
  node.run_well({ChangeGroup{volume_path, 2000, false, true, 0}});
  EXPECT_EQ(status("/file").group, 2000u);
}

TEST_F(Ownership, a_large_volume_needs_a_worker_of_its_own) {
  EXPECT_EQ(node.run_badly({ChangeGroup{volume_path, 2000, false, false, 1}}).reason, "NeedsOwnWorker");
  node.run_well({ChangeGroup{volume_path, 2000, false, false, 2}});
}

TEST_F(Ownership, a_walk_tells_only_that_it_gets_on) {
  std::vector<std::string> told;
  const Operation operation = operation_of(ChangeGroup{volume_path, 2000, false, false, 0});
  const Outcome outcome = execute(
      operation, node.fake.ports(), [] { return true; },
      [&](const std::string& text) { told.push_back(text); });
  EXPECT_FALSE(outcome.error);
  // The fake asks twice for each of the two entries.
  EXPECT_THAT(told, testing::ElementsAre(HasSubstr("1 files looked at, 1 of them changed")));
  told.clear();
  execute(
      operation, node.fake.ports(), [] { return true; },
      [&](const std::string& text) { told.push_back(text); });
  EXPECT_THAT(told, testing::ElementsAre(HasSubstr("1 files looked at, 0 of them changed")));
}

TEST_F(Ownership, a_walk_ends_when_nobody_waits_for_it) {
  int asked = 0;
  bool has_told = false;
  const Outcome outcome = execute(
      operation_of(ChangeGroup{volume_path, 2000, false, false, 0}), node.fake.ports(),
      [&] { return ++asked < 3; }, [&](const std::string&) { has_told = true; });
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->reason, "Stopped");
  EXPECT_EQ(asked, 3) << "once before the step, and twice in it although nothing had moved";
  EXPECT_FALSE(has_told);
  EXPECT_NE(status("").group, 2000u);
}

TEST_F(Ownership, a_large_volume_whose_groups_cannot_be_mapped_needs_a_worker_of_its_own) {
  node.fake.set_can_map_groups(false);
  EXPECT_EQ(node.run_badly({MapGroup{volume_path, 2000, false, 1}}).reason, "NeedsOwnWorker");
  EXPECT_NE(status("").group, 2000u);
  EXPECT_THAT(node.run_well({MapGroup{volume_path, 2000, false, 0}}).warnings,
              Contains(HasSubstr("one by one")));
  EXPECT_EQ(status("/file").group, 2000u);
  EXPECT_EQ(status("").group, 2000u);
  EXPECT_THAT(node.mounted_at(node.volume), testing::SizeIs(1));
}

TEST_F(Ownership, a_mount_that_was_lost_is_made_again_and_no_file_is_changed) {
  for (const bool can_map : {true, false}) {
    node.fake.set_can_map_groups(can_map);
    const MapGroup first{volume_path, 2000, false, 1000};
    const MapGroup again{volume_path, 2000, true, 1};
    node.run_well({first});
    EXPECT_FALSE(node.run_well({again}).changed);
    node.run_well({Unmount{volume_path, {"bind"}}});
    node.fake.put_file(node.volume + "/late", "x", 0600);
    const std::vector<std::string> before = node.fake.tree_listing(node.volume);
    const Outcome outcome = node.run_well({again});
    EXPECT_TRUE(outcome.changed);
    EXPECT_THAT(outcome.warnings, IsEmpty());
    EXPECT_THAT(node.mounted_at(node.volume), testing::SizeIs(1));
    EXPECT_EQ(status("").group, 2000u) << "as it was seen before";
    EXPECT_FALSE(node.run_well({again}).changed);
    node.run_well({Unmount{volume_path, {"bind"}}});
    EXPECT_EQ(node.fake.tree_listing(node.volume), before);
  }
}

TEST_F(Ownership, a_live_file_gets_its_new_group_before_its_new_content) {
  PublishFiles publish;
  publish.path = volume_path;
  publish.version = "..1";
  publish.files.push_back({"key", 0640, SecretBytes("old")});
  publish.live_parts.push_back({"key", "key"});
  publish.group = 2000;
  node.run_well({DiscardDirectory{volume_path, "old"}, MakeDirectory{volume_path, 0777}, publish});
  ASSERT_EQ(status("/..live/key").group, 2000u);
  publish.version = "..2";
  publish.files.front().bytes = SecretBytes("new");
  publish.group = 3000;
  bool is_rewritten = false;
  node.fake.set_hook([&](std::string_view call, const std::string&, bool is_before) {
    if (call != "rewrite_file" || !is_before) return Fault::none();
    is_rewritten = true;
    EXPECT_EQ(status("/..live/key").group, 3000u);
    return Fault::none();
  });
  node.run_well({publish});
  node.heal();
  EXPECT_TRUE(is_rewritten);
}

TEST_F(Ownership, an_idmapped_mount_changes_only_the_root) {
  const MapGroup map{volume_path, 2000};
  EXPECT_TRUE(node.run_well({map}).changed);
  EXPECT_THAT(node.mounted_at(node.volume), testing::SizeIs(1));
  EXPECT_EQ(status("").group, 2000u);
  EXPECT_EQ(status("").mode, 02777u);
  EXPECT_FALSE(node.run_well({map}).changed);
  node.run_well({Unmount{volume_path, {"bind"}}});
  EXPECT_EQ(status("").group, 0u);
  EXPECT_EQ(status("/file").group, 0u);
  EXPECT_EQ(status("/file").mode, 0600u);
}

TEST_F(Ownership, where_groups_cannot_be_mapped_files_are_changed_and_that_is_told) {
  node.fake.set_can_map_groups(false);
  const MapGroup map{volume_path, 2000};
  const Outcome outcome = node.run_well({map});
  EXPECT_THAT(outcome.warnings, Contains(HasSubstr("cannot be mapped")));
  EXPECT_THAT(node.mounted_at(node.volume), testing::SizeIs(1));
  EXPECT_EQ(status("/file").group, 2000u);
  node.fake.put_file(node.volume + "/late", "x", 0600);
  EXPECT_FALSE(node.run_well({map}).changed) << "what containers make later is theirs";
  EXPECT_EQ(status("/late").mode, 0600u);
  EXPECT_THAT(node.mounted_at(node.volume), testing::SizeIs(1));
}

TEST_F(Ownership, another_mount_is_not_taken_for_the_volumes_own) {
  node.fake.mount_foreign(node.volume, "ext4", "/dev/sdb");
  EXPECT_EQ(node.run_badly({MapGroup{volume_path, 2000}}).reason, "ForeignMount");
  EXPECT_EQ(node.run_badly({Unmount{volume_path, {"bind"}}}).reason, "ForeignMount");
}

TEST_F(Ownership, wherever_mapping_is_stopped_it_goes_on) {
  for (int kind = 0; kind < 3; ++kind) {
    for (int stop = 0; stop < 30; ++stop) {
      int calls = 0;
      node.fake.set_hook([&](std::string_view, const std::string&, bool before) {
        if (before != (kind != 1) || calls++ != stop) return Fault::none();
        return kind == 2 ? Fault::crash() : Fault::error(EIO);
      });
      try {
        node.run({MapGroup{volume_path, 2000}});
      } catch (const kernel::FakeCrash&) {
      }
      node.heal();
      node.run_well({MapGroup{volume_path, 2000}});
      EXPECT_THAT(node.mounted_at(node.volume), testing::SizeIs(1));
      EXPECT_EQ(status("").group, 2000u);
      node.run_well({Unmount{volume_path, {"bind"}}});
      EXPECT_THAT(node.mounted_at(node.volume), IsEmpty());
    }
  }
}

}  // namespace
}  // namespace mooring
