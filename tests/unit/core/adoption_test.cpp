// From the start of a run to the moment when everything is allowed.

#include <gmock/gmock.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string scan = "read the tree below the root directory";

TEST(Adoption, the_tree_is_read_once_records_and_mounts_are_known) {
  Shell shell;
  shell.feed(RecordsRead{});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  shell.show_mounts();
  ASSERT_THAT(shell.doing(), ElementsAre(scan));
  EXPECT_THAT(shell.in_flight[0].steps, ElementsAre(Step(ScanTree{})));
  EXPECT_TRUE(shell.in_flight[0].pod.empty());
  shell.show_mounts();
  shell.list({});
  EXPECT_THAT(shell.doing(), ElementsAre(scan));
}

TEST(Adoption, kb_7_nothing_is_set_up_before_the_tree_was_read) {
  Shell shell;
  shell.feed(RecordsRead{});
  shell.show_mounts();
  shell.write("web", {{"v", disk}, {"h", "hostPath: {path: /data, type: Directory}"}});
  shell.list({"web.yaml"});
  EXPECT_THAT(shell.doing(), ElementsAre(scan));
  EXPECT_THAT(shell.records, IsEmpty());
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Pending);
  EXPECT_EQ(shell.volume("web", "v").reason, "Adopting");
  shell.end_scan({});
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/v", "publish default/web/h"));
}

TEST(Adoption, kb_7_set_up_does_not_wait_for_the_whole_listing) {
  Shell shell;
  shell.adopt({}, {});
  shell.write("web", {{"v", disk}});
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/v"));
}

TEST(Adoption, kb_7_nothing_is_torn_down_before_the_manifests_were_read_whole) {
  Shell shell;
  shell.adopt({record_of("old", {volume_record("v")})}, {{found_pod("old", {"v"})}, {}});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  shell.write("web", {});
  shell.feed(RetryRequested{});
  shell.show_mounts({{"/mnt", "ext4"}});
  EXPECT_THAT(shell.doing(), ElementsAre(scan)) << "and that only looks";
  shell.end_scan({{found_pod("old", {"v"})}, {}});
  EXPECT_EQ(shell.volume("old", "v").phase, Phase::Unpublishing);
  EXPECT_THAT(shell.volume("old", "v").message, HasSubstr("until all manifests were read whole"));
  EXPECT_FALSE(shell.core.next_wake());
  shell.list({"web.yaml"});
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/old/v"));
}

TEST(Adoption, a_whole_listing_before_the_scan_tears_nothing_down_either) {
  Shell shell;
  shell.feed(RecordsRead{{record_of("old", {volume_record("v")})}, {}});
  shell.show_mounts();
  shell.list({});
  EXPECT_THAT(shell.doing(), ElementsAre(scan));
  shell.end_scan({{found_pod("old", {"v"})}, {}});
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/old/v"));
}

TEST(Adoption, what_is_taken_over_as_the_manifest_asks_is_recorded_as_that) {
  // A removal that was stopped half way left the directory of what was a mount.
  Shell shell;
  shell.write("web", {{"v", disk}});
  shell.adopt({record_of("web", {volume_record("v", "mount:tmpfs")})}, {{found_pod("web", {"v"})}, {}});
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Ready);
  ASSERT_THAT(shell.records, SizeIs(1));
  EXPECT_EQ(shell.records.begin()->second.volumes.at(0).shape, "directory");
}

TEST(Adoption, what_is_as_its_record_says_is_published_without_a_step) {
  Shell shell;
  shell.write("web", {{"d", disk}, {"m", memory}});
  shell.feed(RecordsRead{{record_of("web", {volume_record("d"), volume_record("m", "mount:tmpfs")})}, {}});
  shell.show_mounts({{volume_path("web", "m"), "tmpfs"}});
  TreeFacts tree{{found_pod("web", {"d", "m"})}, {}};
  tree.pods[0].volumes[1].is_mount_root = true;
  shell.end_scan(tree);
  shell.list({"web.yaml"});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_THAT(shell.ready, ElementsAre("web"));
  EXPECT_EQ(shell.volume("web", "d").phase, Phase::Ready);
  EXPECT_EQ(shell.volume("web", "m").path, volume_path("web", "m"));
}

TEST(Adoption, a_mount_that_is_gone_is_made_again) {
  Shell shell;
  shell.write("web", {{"m", memory}});
  shell.adopt({record_of("web", {volume_record("m", "mount:tmpfs")})}, {{found_pod("web", {"m"})}, {}});
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/m"));
  EXPECT_THAT(shell.ready, IsEmpty());
}

TEST(Adoption, a_mount_of_another_type_is_not_taken_for_the_volume) {
  Shell shell;
  shell.write("web", {{"m", memory}});
  shell.feed(RecordsRead{{record_of("web", {volume_record("m", "mount:tmpfs")})}, {}});
  shell.show_mounts({{volume_path("web", "m"), "nfs4"}});
  shell.end_scan({{found_pod("web", {"m"}, true)}, {}});
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/m"));
}

TEST(Adoption, kb_13_1_after_a_reboot_the_stamp_alone_keeps_a_volume_and_its_content) {
  Shell shell;
  shell.write("web", {{"v", disk}});
  shell.adopt({}, {{found_pod("web", {"v"})}, {}});
  shell.list({"web.yaml"});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_THAT(shell.ready, ElementsAre("web"));
  // From now on there may be something to clean up after: it has a record again.
  EXPECT_THAT(shell.records.at(uid_of("web")).volumes, ElementsAre(volume_record("v")));
}

TEST(Adoption, a_record_without_anything_on_disk_is_published_anew) {
  Shell shell;
  shell.write("web", {{"v", disk}});
  shell.adopt({record_of("web", {volume_record("v")})}, {});
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/v"));
}

TEST(Adoption, a_directory_that_no_hostPath_makes_is_not_taken_for_one) {
  Shell shell;
  shell.write("web", {{"v", "hostPath: {path: /data}"}});
  TreeFacts tree{{found_pod("web", {})}, {}};
  tree.pods[0].volumes.push_back({PluginName("kubernetes.io/host-path"), VolumeDirectory("v"), false});
  shell.adopt({}, tree);
  shell.list({"web.yaml"});
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Ready);
  EXPECT_EQ(shell.volume("web", "v").path, "/data");
}

TEST(Adoption, a_manifest_that_was_removed_while_the_daemon_was_down_is_torn_down_in_order) {
  Shell shell;
  shell.feed(RecordsRead{{record_of("old", {volume_record("m", "mount:tmpfs")})}, {}});
  shell.show_mounts({{volume_path("old", "m"), "tmpfs"}});
  shell.end_scan({{found_pod("old", {"m"}, true)}, {}});
  shell.list({});
  ASSERT_THAT(shell.doing(), ElementsAre("unpublish default/old/m"));
  EXPECT_EQ(shell.in_flight[0].lane, Lane::Teardown);
  ASSERT_THAT(shell.in_flight[0].steps, SizeIs(3));
  EXPECT_TRUE(std::holds_alternative<ReleaseSubPaths>(shell.in_flight[0].steps[0]));
  EXPECT_TRUE(std::holds_alternative<Unmount>(shell.in_flight[0].steps[1]));
  EXPECT_TRUE(std::holds_alternative<DiscardDirectory>(shell.in_flight[0].steps.back()));
  shell.end("unpublish default/old/m");
  ASSERT_THAT(shell.doing(), ElementsAre("remove the directory of default/old"));
  EXPECT_THAT(shell.in_flight[0].steps, ElementsAre(Step(RemovePodDirectory{uid_of("old")})));
  EXPECT_THAT(shell.last.records_to_remove, IsEmpty());
  shell.end("remove the directory of default/old");
  EXPECT_THAT(shell.gone, ElementsAre("old"));
  EXPECT_THAT(shell.last.records_to_remove, ElementsAre(uid_of("old")));
  EXPECT_FALSE(shell.is_known("old"));
}

TEST(Adoption, a_directory_without_record_or_stamp_is_told_of_and_left_alone) {
  Shell shell;
  TreeFacts tree{{found_pod("who", {"v"}), found_pod("none", {})}, {}};
  tree.pods[0].has_stamp = tree.pods[1].has_stamp = false;
  shell.adopt({}, tree);
  shell.list({});
  EXPECT_EQ(shell.count("ForeignDirectory node"), 1);
  EXPECT_THAT(shell.core.node_status().problems, ElementsAre(HasSubstr("pods/" + uid_of("who").str())));
  // The other one holds nothing: removing it destroys nothing.
  ASSERT_THAT(shell.in_flight, SizeIs(1));
  EXPECT_THAT(shell.in_flight[0].steps, ElementsAre(Step(RemovePodDirectory{uid_of("none")})));
}

TEST(Adoption, a_volume_of_a_plugin_that_is_not_known_is_held_and_told_of) {
  Shell shell;
  const VolumeRecord rbd{VolumeName("v"), PluginName("kubernetes.io/rbd"), VolumeDirectory("v"),
                         "mount:ext4"};
  TreeFacts tree{{found_pod("old", {})}, {}};
  tree.pods[0].volumes.push_back({rbd.plugin, rbd.directory, true});
  shell.adopt({record_of("old", {rbd})}, tree);
  shell.list({});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_EQ(shell.volume("old", "v").phase, Phase::Unpublishing);
  EXPECT_EQ(shell.volume("old", "v").reason, "NoPlugin");
  EXPECT_THAT(shell.volume("old", "v").action, HasSubstr("by hand"));
}

TEST(Adoption, while_the_tree_cannot_be_read_nothing_is_done_and_it_is_tried_again) {
  Shell shell;
  shell.write("web", {{"v", disk}});
  shell.feed(RecordsRead{});
  shell.show_mounts();
  shell.list({"web.yaml"});
  shell.fail(scan, error_of(ErrorKind::Transient, "InputOutputError", "cannot read pods"));
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_THAT(shell.volume("web", "v").message, HasSubstr("cannot read pods"));
  EXPECT_THAT(shell.core.node_status().problems, ElementsAre(HasSubstr("cannot read pods")));
  const Duration pause = shell.wake();
  EXPECT_GE(pause, 400ms);
  EXPECT_LE(pause, 600ms);
  ASSERT_THAT(shell.doing(), ElementsAre(scan));
  shell.end(scan);  // An answer without a tree is no answer.
  EXPECT_THAT(shell.in_flight, IsEmpty());
  shell.feed(RetryRequested{});
  shell.end_scan({});
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/v"));
  EXPECT_THAT(shell.core.node_status().problems, IsEmpty());
}

TEST(Adoption, records_that_cannot_be_read_are_told_of_and_hold_up_nothing) {
  Shell shell;
  shell.feed(RecordsRead{{}, {"x.json: not a record"}});
  EXPECT_EQ(shell.count("BadRecord node"), 1);
  shell.show_mounts();
  EXPECT_THAT(shell.doing(), ElementsAre(scan));
}

TEST(Adoption, leftovers_in_the_trash_are_removed_each_by_a_worker_of_its_own) {
  Shell shell;
  shell.adopt({}, {{}, {"a", "b"}});
  ASSERT_THAT(shell.doing(), ElementsAre("remove trash/a", "remove trash/b"));
  EXPECT_EQ(shell.in_flight[0].lane, Lane::Own);
  EXPECT_THAT(shell.in_flight[0].steps, ElementsAre(Step(EmptyTrash{"a"})));
  shell.finish();
  EXPECT_FALSE(shell.core.next_wake());
}

}  // namespace
}  // namespace mooring
