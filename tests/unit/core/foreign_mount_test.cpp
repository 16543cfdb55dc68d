// What others mounted in a volume is never removed, and holds up nothing but that volume.

#include <gmock/gmock.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string unpublish = "unpublish default/web/v";
const std::string path = volume_path("web", "v");

void start_with(Shell& shell, const std::string& source) {
  shell.start();
  shell.write("web", {{"v", source}});
  shell.finish();
  ASSERT_TRUE(shell.pod("web").ready);
}

void expect_blocked(const Shell& shell, const std::string& mount_point) {
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Unpublishing);
  EXPECT_EQ(shell.volume("web", "v").reason, "MountedBelow");
  EXPECT_THAT(shell.volume("web", "v").message, HasSubstr(mount_point));
  EXPECT_THAT(shell.volume("web", "v").action, HasSubstr("unmount"));
  EXPECT_TRUE(shell.volume("web", "v").next_retry);
  EXPECT_EQ(shell.count("FailedUnMount pod/default/web"), 1);
}

TEST(ForeignMount, kb_13_1_in_a_volume_it_holds_up_the_removal_until_it_is_unmounted) {
  Shell shell;
  start_with(shell, disk);
  shell.show_mounts({{path + "/a/b", "ext4"}});
  shell.remove("web");
  expect_blocked(shell, path + "/a/b");
  shell.wake();
  expect_blocked(shell, path + "/a/b");
  shell.show_mounts({});
  EXPECT_THAT(shell.doing(), ElementsAre(unpublish));
}

TEST(ForeignMount, exactly_on_a_directory_it_holds_up_the_removal) {
  Shell shell;
  start_with(shell, disk);
  shell.show_mounts({{path, "tmpfs"}});
  shell.remove("web");
  expect_blocked(shell, path);
}

TEST(ForeignMount, over_a_volume_in_memory_it_holds_up_the_removal) {
  Shell shell;
  start_with(shell, memory);
  std::vector<MountFact> facts;
  for (const std::string type : {"tmpfs", "nfs4"}) {
    MountFact fact;
    fact.id = facts.size() + 1;
    fact.mount_point = path;
    fact.type = type;
    facts.push_back(fact);
  }
  shell.feed(MountsRead{std::make_shared<const MountTable>(MountTable::from_facts(facts))});
  shell.remove("web");
  expect_blocked(shell, "nfs4");
}

TEST(ForeignMount, its_own_mount_is_none) {
  Shell shell;
  start_with(shell, memory);
  shell.show_mounts({{path, "tmpfs"}});
  shell.remove("web");
  EXPECT_THAT(shell.doing(), ElementsAre(unpublish));
}

TEST(ForeignMount, beside_a_volume_of_a_similar_name_it_holds_up_nothing) {
  Shell shell;
  start_with(shell, disk);
  shell.show_mounts({{path + "2", "ext4"}, {path + "-a/b", "ext4"}});
  shell.remove("web");
  EXPECT_THAT(shell.doing(), ElementsAre(unpublish));
}

TEST(ForeignMount, holds_up_no_other_volume_and_no_other_pod) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}, {"w", disk}});
  shell.write("db", {{"v", disk}});
  shell.finish();
  shell.show_mounts({{path + "/sub", "ext4"}});
  shell.list({});
  EXPECT_THAT(shell.doing(),
              testing::UnorderedElementsAre("unpublish default/web/w", "unpublish default/db/v"));
  shell.finish();
  EXPECT_THAT(shell.gone, ElementsAre("db"));
  EXPECT_TRUE(shell.is_known("web"));
}

TEST(ForeignMount, it_is_looked_for_when_an_earlier_run_left_the_volume) {
  Shell shell;
  shell.feed(RecordsRead{{record_of("web", {volume_record("v")})}, {}});
  shell.show_mounts({{path + "/sub", "ext4"}});
  shell.end_scan({{found_pod("web", {"v"})}, {}});
  shell.list({});
  expect_blocked(shell, path + "/sub");
}

TEST(ForeignMount, in_a_ready_volume_it_is_nobodys_business) {
  Shell shell;
  start_with(shell, disk);
  shell.show_mounts({{path + "/sub", "ext4"}});
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_FALSE(shell.core.next_wake());
}

TEST(ForeignMount, what_was_unmounted_since_the_table_was_read_is_none) {
  Shell shell;
  shell.start();
  shell.write("web", {{"m", memory}});
  shell.finish();
  shell.show_mounts({{volume_path("web", "m"), "tmpfs"}});
  shell.remove("web");
  shell.finish();
  EXPECT_FALSE(shell.is_known("web"));
  EXPECT_THAT(shell.core.node_status().problems, testing::IsEmpty());
  shell.show_mounts({{volume_path("web", "m"), "tmpfs"}});
  EXPECT_EQ(shell.core.node_status().problems.size(), 1u) << "it is there all the same";
}

}  // namespace
}  // namespace mooring
