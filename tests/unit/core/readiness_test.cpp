// When a pod is told to be ready and to be gone, and what its containers may mount.

#include <gmock/gmock.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Readiness, kb_6_a_pod_is_ready_once_all_of_its_used_volumes_are_published) {
  Shell shell;
  shell.start();
  shell.write("web", {{"a", disk}, {"b", memory}});
  EXPECT_FALSE(shell.pod("web").ready);
  shell.end("publish default/web/a");
  EXPECT_THAT(shell.ready, IsEmpty());
  shell.end("publish default/web/b");
  EXPECT_THAT(shell.ready, ElementsAre("web"));
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST(Readiness, it_is_told_once) {
  Shell shell;
  shell.start();
  shell.write("web", {{"a", disk}, {"b", memory}});
  shell.finish();
  shell.show_mounts({{volume_path("web", "b"), "tmpfs"}});
  shell.write("web", {{"a", disk}, {"b", memory}});
  shell.list({"web.yaml"});
  shell.feed(RetryRequested{});
  shell.take();
  EXPECT_THAT(shell.ready, ElementsAre("web"));
  EXPECT_EQ(shell.count("PodReady pod/default/web"), 1);
}

TEST(Readiness, a_pod_without_volumes_is_ready_at_once_and_leaves_nothing) {
  Shell shell;
  shell.start();
  shell.write("web", {});
  EXPECT_THAT(shell.ready, ElementsAre("web"));
  EXPECT_THAT(shell.records, IsEmpty());
  shell.remove("web");
  EXPECT_THAT(shell.gone, ElementsAre("web"));
  EXPECT_THAT(shell.last.records_to_remove, IsEmpty());
  EXPECT_THAT(shell.in_flight, IsEmpty());
}

TEST(Readiness, a_hostPath_without_a_type_takes_no_step_and_no_record) {
  Shell shell;
  shell.start();
  shell.write("web", {{"h", "hostPath: {path: /data}"}});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_THAT(shell.ready, ElementsAre("web"));
  EXPECT_EQ(shell.volume("web", "h").path, "/data");
  EXPECT_THAT(shell.records, IsEmpty());
}

TEST(Readiness, a_pod_is_gone_once_after_its_last_volume_and_directory) {
  Shell shell;
  shell.start();
  shell.write("web", {{"a", disk}, {"b", disk}});
  shell.finish();
  shell.remove("web");
  EXPECT_FALSE(shell.pod("web").ready);
  EXPECT_TRUE(shell.pod("web").deleting);
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/web/a", "unpublish default/web/b"));
  shell.end("unpublish default/web/b");
  shell.end("unpublish default/web/a");
  EXPECT_THAT(shell.gone, IsEmpty());
  EXPECT_THAT(shell.doing(), ElementsAre("remove the directory of default/web"));
  shell.finish();
  shell.list({});
  shell.feed(RetryRequested{});
  EXPECT_THAT(shell.gone, ElementsAre("web"));
  EXPECT_EQ(shell.count("PodGone pod/default/web"), 1);
  EXPECT_THAT(shell.records, IsEmpty());
  EXPECT_FALSE(shell.is_known("web"));
  EXPECT_THAT(shell.core.pods(), IsEmpty());
}

TEST(Readiness, a_pod_that_is_removed_while_it_is_set_up_is_never_told_to_be_ready) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.remove("web");
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/v"));
  shell.end("publish default/web/v");
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/web/v"));
  shell.finish();
  EXPECT_THAT(shell.ready, IsEmpty());
  EXPECT_THAT(shell.gone, ElementsAre("web"));
}

TEST(Readiness, a_pod_whose_mount_vanished_is_not_ready_until_it_is_made_again) {
  Shell shell;
  shell.start();
  shell.write("web", {{"m", memory}});
  shell.finish();
  shell.show_mounts({{volume_path("web", "m"), "tmpfs"}});
  shell.show_mounts({});
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/m"));
  EXPECT_EQ(shell.count("MountVanished pod/default/web"), 1);
  EXPECT_FALSE(shell.pod("web").ready);
  shell.finish();
  EXPECT_THAT(shell.ready, ElementsAre("web", "web"));
}

TEST(Readiness, a_mount_that_vanished_before_the_table_ever_showed_it_is_noticed) {
  Shell shell;
  shell.start();
  shell.write("web", {{"m", memory}});
  shell.finish();
  shell.show_mounts({});
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/m"));
}

TEST(Readiness, the_record_names_all_that_may_come_to_be_before_the_first_operation) {
  Shell shell;
  shell.start();
  shell.write("web", {{"a", disk}, {"b", memory}, {"h", "hostPath: {path: /data, type: Directory}"}});
  EXPECT_THAT(shell.last.records_to_write,
              ElementsAre(record_of("web", {volume_record("a"), volume_record("b", "mount:tmpfs")})));
  EXPECT_EQ(shell.last.operations.size(), 3u);
  shell.end("publish default/web/a");
  EXPECT_THAT(shell.last.records_to_write, IsEmpty());
}

TEST(ContainerMounts, are_told_only_of_a_ready_pod) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  const auto unready = shell.core.container_mounts(uid_of("web"), ContainerName());
  ASSERT_FALSE(unready);
  EXPECT_EQ(unready.error().reason, "NotReady");
  shell.finish();
  const auto mounts = shell.core.container_mounts(uid_of("web"), ContainerName("main"));
  ASSERT_TRUE(mounts);
  ASSERT_EQ(mounts.value().size(), 1u);
  EXPECT_EQ(mounts.value()[0].source, volume_path("web", "v"));
  EXPECT_EQ(mounts.value()[0].destination, "/v");
  EXPECT_FALSE(mounts.value()[0].read_only);
  EXPECT_EQ(mounts.value()[0].propagation, "private");
}

TEST(ContainerMounts, an_unknown_pod_or_container_is_an_error_that_says_which) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.finish();
  const auto container = shell.core.container_mounts(uid_of("web"), ContainerName("other"));
  ASSERT_FALSE(container);
  EXPECT_EQ(container.error().reason, "NoSuchContainer");
  EXPECT_THAT(container.error().message, HasSubstr("other"));
  const auto pod = shell.core.container_mounts(uid_of("other"), ContainerName());
  ASSERT_FALSE(pod);
  EXPECT_EQ(pod.error().reason, "NoSuchPod");
}

TEST(ContainerMounts, say_what_the_manifest_says_of_each_mount) {
  Shell shell;
  shell.start();
  shell.write_text("web.yaml",
                   "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n"
                   "  - name: a\n    securityContext: {privileged: true}\n    volumeMounts:\n"
                   "    - {name: v, mountPath: /in, readOnly: true, mountPropagation: HostToContainer}\n"
                   "    - {name: v, mountPath: /out, mountPropagation: Bidirectional}\n"
                   "  volumes: [{name: v, emptyDir: {}}]\n");
  shell.finish();
  const auto mounts = shell.core.container_mounts(uid_of("web"), ContainerName("a"));
  ASSERT_TRUE(mounts);
  ASSERT_EQ(mounts.value().size(), 2u);
  EXPECT_TRUE(mounts.value()[0].read_only);
  EXPECT_EQ(mounts.value()[0].propagation, "rslave");
  EXPECT_EQ(mounts.value()[1].propagation, "rshared");
}

TEST(Readiness, a_pod_whose_mounts_cannot_be_had_is_not_ready) {
  Shell shell;
  shell.start();
  shell.write_text("web.yaml",
                   "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n"
                   "  - {name: b, volumeMounts: [{name: v, mountPath: /b, subPathExpr: $(NOBODY)}]}\n"
                   "  volumes: [{name: v, emptyDir: {}}]\n");
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_FALSE(shell.pod("web").ready);
  EXPECT_EQ(shell.volume("web", "v").reason, "InvalidSubPath");
}

TEST(Verification, a_mount_that_went_before_its_outcome_came_is_missed_when_the_same_table_is_told_again) {
  MountFact root;
  root.mount_point = "/";
  root.type = "ext4";
  const auto table = std::make_shared<const MountTable>(MountTable::from_facts({root}));
  Shell shell;
  shell.start();
  shell.write("web", {{"m", memory}});
  shell.feed(MountsRead{table});  // It was mounted and unmounted again by now.
  shell.finish();
  ASSERT_TRUE(shell.pod("web").ready);
  shell.feed(MountsRead{table});
  EXPECT_FALSE(shell.pod("web").ready);
  EXPECT_EQ(shell.count("MountVanished pod/default/web"), 1);
}

TEST(Verification, a_directory_that_vanished_is_made_again) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}, {"w", disk}});
  shell.finish();
  ASSERT_TRUE(shell.pod("web").ready);
  shell.feed(RetryRequested{});
  shell.end_scan({{found_pod("web", {"w"})}, {}});
  EXPECT_THAT(shell.doing(), testing::ElementsAre("publish default/web/v"));
  EXPECT_FALSE(shell.pod("web").ready);
  EXPECT_EQ(shell.count("DirectoryVanished pod/default/web"), 1);
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST(Verification, happens_with_a_whole_listing_now_and_then) {
  Shell shell;
  shell.start({"web.yaml"});
  shell.write("web", {{"v", disk}});
  shell.finish();
  shell.list({"web.yaml"});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  shell.advance(std::chrono::minutes(10));
  shell.list({"web.yaml"});
  EXPECT_THAT(shell.doing(), testing::ElementsAre("read the tree below the root directory"));
}

TEST(Readiness, of_two_pods_with_one_uid_the_second_gets_nothing_of_the_first) {
  Shell shell;
  shell.start();
  const auto pod = [](const std::string& name) {
    return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + ", uid: one}\nspec:\n  containers:\n" +
           "  - {name: c, volumeMounts: [{name: v, mountPath: /v}]}\n  volumes: [{name: v, emptyDir: {}}]\n";
  };
  shell.write_text("a.yaml", pod("a"));
  shell.finish();
  shell.write_text("b.yaml", pod("b"));
  EXPECT_THAT(shell.in_flight, IsEmpty());
  shell.feed(FileGone{"a.yaml"});
  EXPECT_THAT(shell.doing(), testing::ElementsAre("unpublish default/a/v"));
  shell.finish();
  EXPECT_THAT(shell.gone, testing::ElementsAre("a"));
  EXPECT_THAT(shell.ready, testing::ElementsAre("a", "b"));
}

TEST(Readiness, of_two_pods_of_one_name_the_one_that_is_asked_for_is_found) {
  Shell shell;
  shell.start();
  const auto pod = [](const std::string& uid) {
    return "apiVersion: v1\nkind: Pod\nmetadata: {name: a, uid: " + uid + "}\nspec:\n  containers:\n" +
           "  - {name: c, volumeMounts: [{name: v, mountPath: /v}]}\n  volumes: [{name: v, emptyDir: {}}]\n";
  };
  shell.write_text("a.yaml", pod("one"));
  shell.finish();
  shell.write_text("a.yaml", pod("two"));
  EXPECT_TRUE(shell.is_in_flight("unpublish default/a/v"));
  EXPECT_EQ(shell.core.find_pod(key_of("a")), PodUid("two"));
  EXPECT_EQ(shell.core.pods().size(), 2u);
}

}  // namespace
}  // namespace mooring
