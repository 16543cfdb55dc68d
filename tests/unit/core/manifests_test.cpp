// What the manifests ask for, and what is not torn down because it cannot be known.

#include <gmock/gmock.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Two pods of an earlier run, "web" and "db", each with a volume "v".
void adopt_two(Shell& shell) {
  shell.adopt({record_of("web", {volume_record("v")}), record_of("db", {volume_record("v")})},
              {{found_pod("web", {"v"}), found_pod("db", {"v"})}, {}});
}

const std::string broken_web =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: c}], volumes: nonsense}\n";

TEST(Manifests, a_broken_manifest_holds_the_pod_that_it_may_ask_for_and_no_other) {
  Shell shell;
  adopt_two(shell);
  shell.write_text("web.yaml", broken_web);
  shell.list({"web.yaml"});
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/db/v"));
  EXPECT_TRUE(shell.is_known("web"));
  shell.write("web", {{"v", disk}});
  EXPECT_THAT(shell.ready, ElementsAre("web"));
  EXPECT_FALSE(shell.is_in_flight("unpublish default/web/v"));
}

TEST(Manifests, a_manifest_that_nobody_can_identify_holds_every_pod_of_an_earlier_run) {
  Shell shell;
  adopt_two(shell);
  shell.write_text("what.yaml", "\"");
  shell.list({"what.yaml"});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  shell.write_text("what.yaml", pod_yaml("other", {}));
  EXPECT_THAT(shell.in_flight.size(), 2u);
}

TEST(Manifests, an_unreadable_file_holds_every_pod_of_an_earlier_run_until_it_is_gone) {
  Shell shell;
  adopt_two(shell);
  shell.feed(FileUnreadable{"web.yaml", "EIO"});
  shell.list({"web.yaml"});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_THAT(shell.core.node_status().problems, testing::Contains(HasSubstr("web.yaml: EIO")));
  shell.remove("web");
  EXPECT_THAT(shell.in_flight.size(), 2u);
}

TEST(Manifests, the_broken_manifest_of_a_workload_holds_the_pods_that_are_named_so) {
  Shell shell;
  shell.adopt({record_of("shop-0", {volume_record("v")}), record_of("db", {volume_record("v")})}, {});
  shell.write_text("shop.yaml",
                   "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: shop}\nspec: nonsense\n");
  shell.list({"shop.yaml"});
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/db/v"));
}

TEST(Manifests, a_pod_of_this_run_whose_manifest_breaks_keeps_its_volumes_and_says_so) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.finish();
  shell.write_text("web.yaml", broken_web);
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_FALSE(shell.pod("web").deleting);
  EXPECT_THAT(shell.pod("web").message, HasSubstr("manifest unreadable"));
  EXPECT_EQ(shell.count("InvalidManifest file/web.yaml"), 1);
  shell.write_text("web.yaml", "");
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_THAT(shell.in_flight, IsEmpty());
}

TEST(Manifests, a_broken_document_hides_no_good_one_beside_it) {
  Shell shell;
  shell.start();
  shell.write_text("all.yaml", broken_web + "---\n" + pod_yaml("db", {{"v", disk}}));
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/db/v"));
}

TEST(Manifests, kb_7_a_directory_that_cannot_be_listed_stops_all_teardown_and_no_set_up) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.finish();
  shell.feed(ListingFailed{"/manifests", "EIO"});
  shell.feed(ListingFailed{"/manifests", "EIO"});
  EXPECT_EQ(shell.count("ManifestsUnreadable file//manifests"), 1);
  EXPECT_FALSE(shell.core.node_status().manifests_complete);
  shell.remove("web");
  shell.write("new", {{"v", disk}});
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/new/v"));
  EXPECT_THAT(shell.volume("web", "v").message, HasSubstr("nothing is torn down"));
  shell.list({"new.yaml"});
  EXPECT_TRUE(shell.is_in_flight("unpublish default/web/v"));
  EXPECT_EQ(shell.count("ManifestsReadable file//manifests"), 1);
  EXPECT_TRUE(shell.core.node_status().manifests_complete);
}

TEST(Manifests, what_a_whole_listing_does_not_name_is_gone) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.write("db", {{"v", disk}});
  shell.finish();
  shell.list({"db.yaml"});
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/web/v"));
}

TEST(Manifests, kb_2_2_a_volume_that_no_container_uses_is_ignored_entirely) {
  Shell shell;
  shell.start();
  shell.write_text("web.yaml", pod_yaml("web", {{"v", disk}}) + "  - {name: unused, emptyDir: {}}\n" +
                                   "  - {name: wild, nfs: {server: s, path: /p}}\n");
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/v"));
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_THAT(shell.pod("web").volumes.size(), 1u);
}

TEST(Manifests, kb_2_2_one_failing_volume_does_not_stop_the_others_of_its_pod) {
  Shell shell;
  shell.start();
  shell.write("web", {{"bad", disk}, {"wild", "flexVolume: {driver: example.com/d}"}, {"good", disk}});
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/bad", "publish default/web/good"));
  shell.fail("publish default/web/bad", error_of(ErrorKind::Transient, "NoSpace"));
  shell.end("publish default/web/good");
  EXPECT_EQ(shell.volume("web", "good").phase, Phase::Ready);
  EXPECT_FALSE(shell.pod("web").ready);
}

TEST(Manifests, kb_2_1_a_pod_that_has_ended_or_is_of_another_node_gets_no_volumes) {
  Shell shell;
  shell.start();
  shell.write("far", {{"v", disk}}, "  nodeName: elsewhere\n");
  shell.write_text("done.yaml", pod_yaml("done", {{"v", disk}}) + "status: {phase: Succeeded}\n");
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_THAT(shell.core.node_status().problems,
              testing::UnorderedElementsAre(HasSubstr("default/far gets no volumes"),
                                            HasSubstr("default/done gets no volumes")));
  shell.write("far", {{"v", disk}});
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/far/v"));
}

TEST(Manifests, kb_2_6_a_pod_that_ends_loses_its_volumes) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.finish();
  shell.write_text("web.yaml", pod_yaml("web", {{"v", disk}}) + "status: {phase: Failed}\n");
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/web/v"));
  EXPECT_TRUE(shell.pod("web").deleting);
}

TEST(Manifests, a_pod_that_moves_to_a_file_with_an_error_in_it_is_kept) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.finish();
  shell.write_text("moved.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: 7}\n");
  shell.remove("web");
  EXPECT_THAT(shell.in_flight, testing::IsEmpty());
  shell.write_text("other.yaml",
                   "apiVersion: v1\nkind: Pod\nmetadata: {name: other}\nspec: {containers: 7}\n");
  EXPECT_THAT(shell.in_flight, testing::IsEmpty());
  shell.feed(FileGone{"moved.yaml"});
  EXPECT_THAT(shell.doing(), testing::ElementsAre("unpublish default/web/v"));
}

}  // namespace
}  // namespace mooring
