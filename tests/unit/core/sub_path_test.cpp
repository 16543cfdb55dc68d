// Parts of volumes, groups and shared mounts, as the core sees to them.

#include <gmock/gmock.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string publish = "publish default/web/v";
const std::string unpublish = "unpublish default/web/v";
const std::string target = layout::sub_path(uid_of("web"), VolumeName("v"), ContainerName("main"), 0);

std::string web(const std::string& source, const std::string& mount = "subPath: a",
                const std::string& spec = "") {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n" + spec +
         "  containers: [{name: main, securityContext: {privileged: true}, env: [{name: E, valueFrom: "
         "{configMapKeyRef: {name: settings, key: key}}}], volumeMounts: [{name: v, mountPath: /v, " +
         mount + "}]}]\n  volumes:\n  - {name: v, " + source + "}\n";
}
std::string settings(const std::string& value) {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {key: '" + value + "'}\n";
}

TEST(SubPath, kb_11_3_the_container_gets_the_part) {
  Shell shell;
  shell.start();
  shell.write_text("web.yaml", web(disk));
  EXPECT_EQ(steps_of<BindSubPath>(shell).size(), 1u);
  EXPECT_EQ(source_of(shell), "NotReady");
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_EQ(source_of(shell), root_dir + "/" + target);
}

TEST(SubPath, kb_11_1_a_path_that_means_nothing_is_the_whole_volume) {
  Shell shell;
  shell.start();
  shell.write_text("web.yaml", web(disk, "subPath: ./"));
  shell.finish();
  EXPECT_EQ(source_of(shell), volume_path("web", "v"));
}

TEST(SubPath, kb_11_1_an_expression_waits_for_its_object_and_follows_it) {
  Shell shell;
  shell.start();
  shell.write_text("web.yaml", web(disk, "subPathExpr: $(E)"));
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_EQ(shell.volume("web", "v").reason, "ConfigMapNotFound");
  shell.write_text("settings.yaml", settings("one"));
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  shell.finish();
  shell.write_text("settings.yaml", settings("two"));
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_EQ(steps_of<BindSubPath>(shell).at(0).path, "two");
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST(SubPath, kb_11_4_68211_a_changed_config_map_is_bound_anew_and_the_pod_stays_ready) {
  Shell shell;
  shell.start();
  shell.write_text("settings.yaml", settings("1"));
  shell.write_text("web.yaml", web("configMap: {name: settings}", "subPath: key"));
  shell.finish();
  shell.write_text("settings.yaml", settings("2"));
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_EQ(steps_of<BindSubPath>(shell).size(), 1u);
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST(SubPath, kb_11_4_parts_are_released_before_the_volume_goes) {
  Shell shell;
  shell.start({"web.yaml"});
  shell.write_text("web.yaml", web(disk));
  shell.finish();
  shell.remove("web");
  ASSERT_THAT(shell.doing(), ElementsAre(unpublish));
  EXPECT_TRUE(std::holds_alternative<ReleaseSubPaths>(shell.in_flight.at(0).steps.at(0)));
  shell.finish();
  EXPECT_THAT(shell.gone, ElementsAre("web"));
}

TEST(SubPath, a_part_of_a_host_path_makes_and_removes_the_pods_directory) {
  Shell shell;
  shell.start({"web.yaml"});
  shell.write_text("web.yaml", web("hostPath: {path: /srv}"));
  EXPECT_THAT(shell.records, testing::SizeIs(1));
  shell.finish();
  EXPECT_EQ(source_of(shell), root_dir + "/" + target);
  shell.remove("web");
  ASSERT_THAT(shell.doing(), ElementsAre("remove the directory of default/web"));
  shell.finish();
  EXPECT_THAT(shell.records, IsEmpty());
}

TEST(SubPath, after_a_restart_parts_that_are_there_are_looked_at_again_and_the_pod_is_ready) {
  Shell shell;
  shell.feed(RecordsRead{{record_of("web", {volume_record("v")})}, {}});
  shell.show_mounts({{root_dir + "/" + target, "ext4"}});
  shell.end_scan({{found_pod("web", {"v"})}, {}});
  shell.write_text("web.yaml", web(disk, "subPath: a", "  securityContext: {fsGroup: 2000}\n"));
  shell.list({"web.yaml"});
  EXPECT_TRUE(shell.pod("web").ready);
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_EQ(steps_of<BindSubPath>(shell).size(), 1u);
  EXPECT_THAT(steps_of<ChangeGroup>(shell), IsEmpty()) << "what containers made of its owners is theirs";
  shell.finish();
  EXPECT_THAT(shell.doing(), IsEmpty());
}

TEST(SubPath, after_a_reboot_parts_that_are_gone_are_bound_before_the_pod_is_ready) {
  Shell shell;
  shell.adopt({}, {{found_pod("web", {"v"})}, {}});
  shell.write_text("web.yaml", web(disk));
  shell.list({"web.yaml"});
  EXPECT_FALSE(shell.pod("web").ready);
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST(SubPath, a_part_that_vanished_is_bound_again) {
  Shell shell;
  shell.start({"web.yaml"});
  shell.write_text("web.yaml", web(disk));
  shell.finish();
  shell.show_mounts({{root_dir + "/" + target, "ext4"}});
  EXPECT_THAT(shell.core.node_status().problems, IsEmpty()) << "it is nobody else's mount";
  shell.show_mounts();
  EXPECT_EQ(shell.count("MountVanished pod/default/web"), 1);
  EXPECT_FALSE(shell.pod("web").ready);
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST(SubPath, a_part_that_vanishes_while_new_content_comes_makes_the_pod_wait) {
  Shell shell;
  shell.start();
  shell.write_text("settings.yaml", settings("1"));
  shell.write_text("web.yaml", web("configMap: {name: settings}", "subPath: key"));
  shell.finish();
  shell.show_mounts({{root_dir + "/" + target, "ext4"}});
  shell.write_text("settings.yaml", settings("2"));
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_TRUE(shell.pod("web").ready);
  shell.show_mounts();
  EXPECT_FALSE(shell.pod("web").ready);
  EXPECT_EQ(source_of(shell), "NotReady");
  EXPECT_EQ(shell.count("MountVanished pod/default/web"), 0) << "it may be the worker's own doing";
  shell.fail(publish, worker_lost());
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_FALSE(shell.pod("web").ready) << "nobody may have bound it again";
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST(SubPath, a_volume_that_vanishes_while_new_content_comes_makes_the_pod_wait) {
  const std::string path =
      root_dir + "/" +
      layout::volume(uid_of("web"), PluginName("kubernetes.io/secret"), VolumeDirectory("v"));
  const auto secret = [](const std::string& value) {
    return "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {key: '" + value + "'}\n";
  };
  Shell shell;
  shell.start();
  shell.write_text("token.yaml", secret("1"));
  shell.write("web", {{"v", "secret: {secretName: token}"}});
  shell.finish();
  shell.show_mounts({{path, "tmpfs"}});
  shell.write_text("token.yaml", secret("2"));
  EXPECT_TRUE(shell.pod("web").ready);
  shell.show_mounts();
  EXPECT_FALSE(shell.pod("web").ready);
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST(Group, kb_10_1_progress_is_shown_and_told_when_it_takes_long) {
  Shell shell;
  shell.start();
  shell.write_text("web.yaml", web(disk, "subPath: a", "  securityContext: {fsGroup: 2000}\n"));
  const OperationId id = shell.in_flight.at(0).id;
  shell.feed(OperationProgress{id, "10 files looked at"});
  EXPECT_EQ(shell.volume("web", "v").message, "10 files looked at");
  EXPECT_EQ(shell.count("VolumeOwnershipSlow pod/default/web"), 0);
  shell.advance(31s);
  shell.feed(OperationProgress{id, "20 files looked at"});
  EXPECT_EQ(shell.count("VolumeOwnershipSlow pod/default/web"), 1);
  shell.advance(59s);
  shell.feed(OperationProgress{id, "30 files looked at"});
  EXPECT_EQ(shell.count("VolumeOwnershipSlow pod/default/web"), 1);
  shell.advance(1s);
  shell.feed(OperationProgress{id, "40 files looked at"});
  EXPECT_EQ(shell.count("VolumeOwnershipSlow pod/default/web"), 2);
}

TEST(Group, kb_10_1_what_could_not_be_changed_is_told_and_the_pod_is_ready) {
  Shell shell;
  shell.start();
  shell.write_text("web.yaml", web(disk, "subPath: a", "  securityContext: {fsGroup: 2000}\n"));
  Outcome outcome;
  outcome.warnings = {"1 of 3 files could not be given to group 2000"};
  shell.end(publish, outcome);
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_EQ(shell.volume("web", "v").reason, "OwnershipIncomplete");
  EXPECT_THAT(shell.volume("web", "v").message, HasSubstr("1 of 3"));
  EXPECT_EQ(shell.count("OwnershipIncomplete pod/default/web"), 1);
}

TEST(Group, a_large_volume_is_done_by_a_worker_of_its_own) {
  Shell shell;
  shell.start();
  shell.write_text("web.yaml", web(disk, "subPath: a", "  securityContext: {fsGroup: 2000}\n"));
  EXPECT_EQ(shell.in_flight.at(0).lane, Lane::Local);
  shell.fail(publish, error_of(ErrorKind::Transient, "NeedsOwnWorker"));
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_EQ(shell.in_flight.at(0).lane, Lane::Own);
  EXPECT_EQ(steps_of<ChangeGroup>(shell).at(0).entries_max, 0u);
  EXPECT_EQ(shell.count("FailedMount pod/default/web"), 0);
}

TEST(Propagation, kb_13_1_bug_what_bidirectional_containers_left_is_unmounted_before_the_volume_goes) {
  Shell shell;
  shell.start({"web.yaml"});
  shell.write_text("web.yaml", web(disk, "mountPropagation: Bidirectional"));
  EXPECT_TRUE(shell.records.at(uid_of("web")).volumes.at(0).is_shared);
  shell.finish();
  shell.show_mounts({{volume_path("web", "v") + "/inner", "tmpfs"}});
  shell.remove("web");
  ASSERT_THAT(shell.doing(), ElementsAre(unpublish));
  EXPECT_EQ(steps_of<UnmountLeftovers>(shell).size(), 1u);
}

TEST(Propagation, kb_13_1_bug_what_somebody_else_mounted_stays) {
  Shell shell;
  shell.start({"web.yaml"});
  shell.write_text("web.yaml", web(disk, "mountPropagation: HostToContainer"));
  shell.finish();
  shell.show_mounts({{volume_path("web", "v") + "/inner", "tmpfs"}});
  shell.remove("web");
  EXPECT_THAT(shell.doing(), IsEmpty());
  EXPECT_EQ(shell.volume("web", "v").reason, "MountedBelow");
}

TEST(Propagation, leftovers_are_known_after_a_restart_without_the_manifest) {
  Shell shell;
  VolumeRecord shared = volume_record("v");
  shared.is_shared = true;
  shell.feed(RecordsRead{{record_of("web", {shared})}, {}});
  shell.show_mounts({{volume_path("web", "v") + "/inner", "tmpfs"}});
  shell.end_scan({{found_pod("web", {"v"})}, {}});
  shell.list({});
  ASSERT_THAT(shell.doing(), ElementsAre(unpublish));
  EXPECT_EQ(steps_of<UnmountLeftovers>(shell).size(), 1u);
}

}  // namespace
}  // namespace mooring
