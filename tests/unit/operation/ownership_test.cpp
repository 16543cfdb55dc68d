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
  node.run_well({map});
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
