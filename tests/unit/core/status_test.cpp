// What people and programs see: DESIGN 5.3.

#include <gmock/gmock.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Status, a_volume_goes_through_its_phases_and_remembers_since_when) {
  Shell shell;
  shell.feed(RecordsRead{});
  shell.show_mounts();
  shell.write("web", {{"v", disk}});
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Pending);
  const WallTime start = shell.now().wall;
  EXPECT_EQ(shell.volume("web", "v").since, start);
  shell.advance(1s);
  shell.end_scan({});
  shell.list({"web.yaml"});
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Publishing);
  EXPECT_EQ(shell.volume("web", "v").since, start + 1s);
  shell.advance(1s);
  shell.end("publish default/web/v");
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Ready);
  EXPECT_EQ(shell.volume("web", "v").since, start + 2s);
  shell.advance(1s);
  shell.feed(RetryRequested{});
  EXPECT_EQ(shell.volume("web", "v").since, start + 2s);
  shell.remove("web");
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Unpublishing);
  EXPECT_EQ(shell.volume("web", "v").since, start + 3s);
}

TEST(Status, a_ready_volume_has_no_reason_and_says_where_it_is) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.finish();
  const VolumeStatus status = shell.volume("web", "v");
  EXPECT_EQ(status.reason + status.message + status.action, "");
  EXPECT_EQ(status.path, volume_path("web", "v"));
  EXPECT_EQ(status.plugin, empty_dir);
  EXPECT_EQ(status.attempts, 0u);
  EXPECT_FALSE(status.next_retry);
}

TEST(Status, a_failed_volume_says_the_step_the_cause_and_what_to_do) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", memory}});
  Error error = error_of(ErrorKind::Transient, "MountFailed", "cannot allocate memory");
  error.step = "mount tmpfs";
  shell.fail("publish default/web/v", error);
  const VolumeStatus status = shell.volume("web", "v");
  EXPECT_EQ(status.phase, Phase::Publishing);
  EXPECT_EQ(status.reason, "MountFailed");
  EXPECT_EQ(status.message, "mount tmpfs: cannot allocate memory");
  EXPECT_EQ(status.action, "mend it");
  EXPECT_EQ(status.attempts, 1u);
  shell.wake();  // While it is tried again the last failure is still the best that is known.
  EXPECT_EQ(shell.volume("web", "v").reason, "MountFailed");
  shell.end("publish default/web/v");
  EXPECT_EQ(shell.volume("web", "v").reason, "");
}

TEST(Status, a_volume_that_its_plugin_refuses_is_pending_and_waits_for_no_time) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", "iscsi: {targetPortal: t, iqn: i, lun: 0}"}});
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Pending);
  EXPECT_EQ(shell.volume("web", "v").reason, "NoPlugin");
  EXPECT_THAT(shell.volume("web", "v").message, HasSubstr("kubernetes.io/iscsi"));
  EXPECT_FALSE(shell.volume("web", "v").next_retry);
  EXPECT_FALSE(shell.core.next_wake());
  shell.feed(RetryRequested{});
  EXPECT_EQ(shell.volume("web", "v").reason, "NoPlugin");
  EXPECT_EQ(shell.count("FailedMount pod/default/web"), 1);
}

TEST(Status, a_refusal_is_looked_at_anew_when_the_manifest_changes) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", "emptyDir: {medium: HugePages}"}});
  EXPECT_EQ(shell.volume("web", "v").reason, "HugePagesNotRequested");
  shell.write("web", {{"v", disk}});
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/v"));
  shell.finish();
  EXPECT_THAT(shell.ready, ElementsAre("web"));
}

TEST(Status, a_pod_says_where_it_was_read) {
  Shell shell;
  shell.start();
  shell.write("web", {});
  EXPECT_THAT(shell.pod("web").origin, HasSubstr("web.yaml"));
  EXPECT_EQ(shell.pod("web").name_space, Namespace("default"));
  EXPECT_EQ(shell.pod("web").name, ObjectName("web"));
  EXPECT_FALSE(shell.core.pod_status(uid_of("other")));
}

TEST(Status, pods_are_sorted_and_found_by_name) {
  Shell shell;
  shell.start();
  for (const std::string name : {"c", "a", "b"})
    shell.write(name, {});
  EXPECT_THAT(shell.core.pods(), ElementsAre(uid_of("a"), uid_of("b"), uid_of("c")));
  EXPECT_EQ(shell.core.find_pod(key_of("b")), uid_of("b"));
  EXPECT_FALSE(shell.core.find_pod(key_of("d")));
  shell.write_text("e.yaml",
                   "apiVersion: v1\nkind: Pod\nmetadata: {name: e, uid: own}\n"
                   "spec: {containers: [{name: c}]}\n");
  EXPECT_EQ(shell.core.find_pod(key_of("e")), PodUid("own"));
}

TEST(Status, the_node_counts_pods_and_volumes) {
  Shell shell;
  shell.start();
  shell.write("web", {{"a", disk}, {"b", disk}});
  shell.write("db", {{"v", disk}});
  shell.end("publish default/web/a");
  shell.end("publish default/db/v");
  const NodeStatus status = shell.core.node_status();
  EXPECT_EQ(status.node_name, "node");
  EXPECT_EQ(status.pods, 2u);
  EXPECT_EQ(status.pods_ready, 1u);
  EXPECT_EQ(status.volumes, 3u);
  EXPECT_EQ(status.volumes_ready, 2u);
  EXPECT_TRUE(status.manifests_complete);
  EXPECT_THAT(status.problems, IsEmpty());
}

TEST(Status, a_mount_that_is_no_known_volume_is_a_problem_and_is_left_alone) {
  Shell shell;
  shell.start();
  shell.write("web", {{"m", memory}});
  shell.finish();
  shell.show_mounts({{volume_path("web", "m"), "tmpfs"}, {root_dir + "/pods/x/y", "ext4"}});
  EXPECT_THAT(shell.core.node_status().problems, ElementsAre(HasSubstr(root_dir + "/pods/x/y")));
  EXPECT_THAT(shell.in_flight, IsEmpty());
}

TEST(Status, what_changed_is_named_for_those_who_follow) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}});
  shell.write("db", {{"v", disk}});
  EXPECT_THAT(shell.last.changed_pods, ElementsAre(uid_of("db")));
  shell.end("publish default/web/v");
  EXPECT_THAT(shell.last.changed_pods, ElementsAre(uid_of("web")));
  shell.remove("db");
  EXPECT_THAT(shell.last.changed_pods, ElementsAre(uid_of("db")));
}

TEST(Status, events_are_numbered_and_can_be_read_from_a_number_on) {
  Shell shell;
  shell.start();
  shell.write("web", {});
  const auto all = shell.core.events_since(0);
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all.back().reason, "PodReady");
  EXPECT_EQ(all.back().time, shell.now().wall);
  EXPECT_FALSE(all.back().warning);
  shell.remove("web");
  const auto more = shell.core.events_since(all.back().sequence);
  ASSERT_EQ(more.size(), 1u);
  EXPECT_EQ(more[0].reason, "PodGone");
}

TEST(Status, it_is_settled_once_all_that_was_listed_was_started_and_has_ended) {
  Shell shell;
  shell.adopt({}, {});
  EXPECT_FALSE(shell.core.is_settled());
  shell.write("web", {{"v", disk}});
  shell.list({"web.yaml"});
  EXPECT_FALSE(shell.core.is_settled());
  shell.finish();
  EXPECT_TRUE(shell.core.is_settled());
}

}  // namespace
}  // namespace mooring
