// A manifest that changes, goes and comes back while its pod lives: kubelet-behaviours 2.5 and 2.6.

#include <gmock/gmock.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// The pod "web" with the published volume "v".
void start_with(Shell& shell, const std::string& source) {
  shell.start();
  shell.write("web", {{"v", source}});
  shell.finish();
  if (source == memory) shell.show_mounts({{volume_path("web", "v"), "tmpfs"}});
  ASSERT_TRUE(shell.pod("web").ready);
}

void expect_ignored(const Shell& shell) {
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Ready);
  EXPECT_EQ(shell.volume("web", "v").reason, "SpecChangeIgnored");
  EXPECT_THAT(shell.volume("web", "v").message, HasSubstr("until the pod goes"));
  EXPECT_NE(shell.volume("web", "v").action, "");
  EXPECT_EQ(shell.volume("web", "v").path, volume_path("web", "v"));
  EXPECT_EQ(shell.volume("web", "v").plugin, empty_dir);
}

TEST(SpecChange, kb_2_5_another_medium_is_ignored_until_the_pod_goes) {
  Shell shell;
  start_with(shell, disk);
  shell.write("web", {{"v", memory}});
  expect_ignored(shell);
  EXPECT_TRUE(shell.pod("web").ready);
  shell.write("web", {{"v", disk}});
  EXPECT_EQ(shell.volume("web", "v").reason, "");
  EXPECT_THAT(shell.in_flight, IsEmpty());
}

TEST(SpecChange, kb_2_5_a_volume_in_memory_stays_in_memory) {
  Shell shell;
  start_with(shell, memory);
  shell.write("web", {{"v", disk}});
  expect_ignored(shell);
}

TEST(SpecChange, kb_2_5_another_kind_under_the_same_name_is_ignored_until_the_pod_goes) {
  Shell shell;
  start_with(shell, disk);
  shell.write("web", {{"v", "hostPath: {path: /data}"}});
  expect_ignored(shell);
  const auto mounts = shell.core.container_mounts(uid_of("web"), ContainerName());
  ASSERT_TRUE(mounts);
  EXPECT_EQ(mounts.value().at(0).source, volume_path("web", "v"));
}

TEST(SpecChange, kb_2_6_a_volume_that_the_manifest_does_not_name_any_more_stays) {
  Shell shell;
  start_with(shell, disk);
  shell.write("web", {{"w", disk}});
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/w"));
  shell.finish();
  expect_ignored(shell);
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST(SpecChange, another_size_takes_effect_when_the_volume_is_next_made) {
  Shell shell;
  start_with(shell, memory);
  shell.write("web", {{"v", "emptyDir: {medium: Memory, sizeLimit: 2Mi}"}});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_EQ(shell.volume("web", "v").reason, "");
  shell.show_mounts({});
  ASSERT_THAT(shell.doing(), ElementsAre("publish default/web/v"));
  EXPECT_EQ(std::get<MountTmpfs>(shell.in_flight[0].steps.back()).size_bytes, 2u << 20U);
}

TEST(SpecChange, what_was_changed_goes_when_the_pod_goes) {
  Shell shell;
  start_with(shell, disk);
  shell.write("web", {{"v", memory}});
  shell.remove("web");
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/web/v"));
  shell.write("web", {{"v", memory}});
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/web/v"));
  shell.end("unpublish default/web/v");
  ASSERT_THAT(shell.doing(), ElementsAre("publish default/web/v"));
  EXPECT_TRUE(std::holds_alternative<MountTmpfs>(shell.in_flight[0].steps.back()));
  shell.finish();
  EXPECT_EQ(shell.volume("web", "v").reason, "");
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Ready);
}

TEST(SpecChange, a_pod_that_went_while_teardown_was_held_comes_back_as_its_manifest_says) {
  Shell shell;
  start_with(shell, disk);
  shell.feed(ListingFailed{"/manifests", "EIO"});
  shell.remove("web");
  shell.write("web", {{"v", memory}});
  shell.list({"web.yaml"});
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/web/v"));
  shell.finish();
  EXPECT_EQ(shell.volume("web", "v").reason, "");
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST(SpecChange, a_change_while_the_daemon_was_down_is_ignored_as_well) {
  Shell shell;
  shell.write("web", {{"v", memory}});
  shell.adopt({record_of("web", {volume_record("v")})}, {{found_pod("web", {"v"})}, {}});
  shell.list({"web.yaml"});
  expect_ignored(shell);
}

TEST(SpecChange, a_volume_that_is_not_named_any_more_since_the_daemon_was_down_stays_as_well) {
  Shell shell;
  shell.write("web", {{"w", disk}});
  shell.adopt({record_of("web", {volume_record("v")})}, {{found_pod("web", {"v"})}, {}});
  shell.list({"web.yaml"});
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/w"));
  shell.finish();
  expect_ignored(shell);
}

TEST(SpecChange, after_a_reboot_no_container_lives_and_what_is_not_named_goes) {
  Shell shell;
  shell.write("web", {{"w", disk}});
  shell.adopt({}, {{found_pod("web", {"v", "w"})}, {}});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_TRUE(shell.pod("web").ready);
  shell.list({"web.yaml"});
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/web/v"));
  shell.finish();
  EXPECT_EQ(shell.pod("web").volumes.size(), 1u);
  EXPECT_THAT(shell.gone, IsEmpty());
}

TEST(SpecChange, another_path_of_the_node_is_checked_at_once_and_given_from_then_on) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", "hostPath: {path: /old, type: DirectoryOrCreate}"}});
  shell.finish();
  shell.write("web", {{"v", "hostPath: {path: /new, type: DirectoryOrCreate}"}});
  ASSERT_THAT(shell.doing(), ElementsAre("publish default/web/v"));
  EXPECT_EQ(std::get<CheckHostPath>(shell.in_flight[0].steps[0]).path, "/new");
  EXPECT_FALSE(shell.pod("web").ready);
  shell.finish();
  EXPECT_EQ(shell.volume("web", "v").path, "/new");
  EXPECT_EQ(shell.volume("web", "v").reason, "");
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST(SpecChange, a_path_of_the_node_that_became_an_emptyDir_is_made) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", "hostPath: {path: /old}"}});
  shell.write("web", {{"v", disk}});
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/v"));
  shell.finish();
  EXPECT_EQ(shell.volume("web", "v").path, volume_path("web", "v"));
}

TEST(SpecChange, what_never_came_to_be_follows_the_manifest) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", memory}});
  shell.fail("publish default/web/v", error_of(ErrorKind::Final, "MountFailed"));
  shell.write("web", {{"v", disk}});
  // What the failed step may have left goes first.
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/web/v"));
  shell.end("unpublish default/web/v");
  ASSERT_THAT(shell.doing(), ElementsAre("publish default/web/v"));
  EXPECT_TRUE(std::holds_alternative<MakeDirectory>(shell.in_flight[0].steps.back()));
}

TEST(SpecChange, a_kept_mount_that_vanished_is_made_as_the_manifest_says_now) {
  Shell shell;
  start_with(shell, memory);
  shell.write("web", {{"v", disk}});
  shell.show_mounts({});
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/web/v"));
  shell.finish();
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Ready);
  EXPECT_EQ(shell.volume("web", "v").reason, "");
}

TEST(SpecChange, the_record_names_what_is_there_and_not_what_is_asked_for) {
  Shell shell;
  start_with(shell, disk);
  shell.write("web", {{"v", memory}});
  EXPECT_THAT(shell.records.at(uid_of("web")).volumes, ElementsAre(volume_record("v")));
}

TEST(ReturningPod, keeps_its_volumes_while_teardown_is_held) {
  Shell shell;
  start_with(shell, disk);
  shell.feed(ListingFailed{"/manifests", "EIO"});
  shell.remove("web");
  EXPECT_FALSE(shell.pod("web").ready);
  shell.write("web", {{"v", disk}});
  shell.list({"web.yaml"});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_THAT(shell.ready, ElementsAre("web", "web"));
  EXPECT_THAT(shell.gone, IsEmpty());
  // And a change is ignored again from now on.
  shell.write("web", {{"v", memory}});
  expect_ignored(shell);
}

TEST(ReturningPod, keeps_its_volumes_in_the_same_turn) {
  Shell shell;
  start_with(shell, disk);
  shell.core.handle(FileGone{"web.yaml"}, shell.now());
  shell.core.handle(FileParsed{manifest::parse_file(pod_yaml("web", {{"v", disk}}), "new.yaml")},
                    shell.now());
  shell.take();
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST(ReturningPod, keeps_its_volumes_while_a_foreign_mount_holds_up_their_removal) {
  Shell shell;
  start_with(shell, disk);
  shell.show_mounts({{volume_path("web", "v") + "/sub", "ext4"}});
  shell.remove("web");
  shell.write("web", {{"v", disk}});
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Ready);
  EXPECT_FALSE(shell.core.next_wake());
  shell.show_mounts({});
  EXPECT_THAT(shell.in_flight, IsEmpty());
}

TEST(ReturningPod, keeps_those_volumes_whose_removal_was_not_handed_out) {
  Shell shell;
  shell.start();
  shell.write("web", {{"a", disk}, {"b", disk}});
  shell.finish();
  shell.show_mounts({{volume_path("web", "b") + "/sub", "ext4"}});
  shell.remove("web");
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/web/a"));
  shell.write("web", {{"a", disk}, {"b", disk}});
  EXPECT_EQ(shell.volume("web", "b").phase, Phase::Ready);
  shell.end("unpublish default/web/a");
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/a"));
}

TEST(ReturningPod, does_not_trust_a_volume_whose_removal_failed_and_publishes_it_again_at_once) {
  Shell shell;
  start_with(shell, disk);
  shell.remove("web");
  shell.fail("unpublish default/web/v", error_of(ErrorKind::Transient, "Busy"));
  shell.write("web", {{"v", disk}});
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/v"));
  EXPECT_FALSE(shell.pod("web").ready);
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST(ReturningPod, waits_for_the_removal_of_its_directory) {
  Shell shell;
  start_with(shell, disk);
  shell.remove("web");
  shell.end("unpublish default/web/v");
  shell.write("web", {{"v", disk}});
  EXPECT_THAT(shell.doing(), ElementsAre("remove the directory of default/web"));
  shell.end("remove the directory of default/web");
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/v"));
  EXPECT_TRUE(shell.records.contains(uid_of("web")));
  shell.finish();
  EXPECT_THAT(shell.gone, IsEmpty());
  EXPECT_THAT(shell.ready, ElementsAre("web", "web"));
}

}  // namespace
}  // namespace mooring
