// Parts of volumes that are looked at when a runtime asks for their container, and volumes that a crash left
// half made.

#include <gmock/gmock.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string publish = "publish default/web/v";
const std::string target = layout::sub_path(uid_of("web"), VolumeName("v"), ContainerName("main"), 0);
const ContainerAsked asked{uid_of("web"), ContainerName("main")};

std::string web(const std::string& mount, const std::string& init = "") {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n" + init +
         "  containers: [{name: main, securityContext: {privileged: true}, env: [{name: E, valueFrom: "
         "{configMapKeyRef: {name: settings, key: key}}}], volumeMounts: [{name: v, mountPath: /v, " +
         mount + "}]}]\n  volumes:\n  - {name: v, emptyDir: {}}\n";
}
const std::string init = "  initContainers: [{name: first, volumeMounts: [{name: v, mountPath: /work}]}]\n";

struct Asked : testing::Test {
  void make(const std::string& text) {
    shell.start();
    shell.write_text("web.yaml", text);
    shell.finish();
  }
  Shell shell;
};

TEST_F(Asked, kb_11_2_what_an_init_container_may_make_is_left_to_it_until_the_container_is_asked_for) {
  shell.start();
  shell.write_text("web.yaml", web("subPath: config.json", init));
  EXPECT_THAT(steps_of<BindSubPath>(shell), IsEmpty());
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_EQ(source_of(shell), "NotPrepared");
  EXPECT_TRUE(shell.core.container_mounts(uid_of("web"), ContainerName("first")));
  shell.feed(asked);
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_EQ(steps_of<BindSubPath>(shell).at(0).path, "config.json");
  EXPECT_EQ(source_of(shell), "Preparing");
  EXPECT_TRUE(shell.pod("web").ready);
  shell.finish();
  EXPECT_EQ(source_of(shell), root_dir + "/" + target);
}

TEST_F(Asked, of_a_host_path_too_and_until_then_nothing_of_the_pod_is_made) {
  std::string text = web("subPath: logs", init);
  text.replace(text.find("emptyDir: {}"), 12, "hostPath: {path: /srv}");
  make(text);
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_THAT(shell.records, IsEmpty());
  shell.feed(asked);
  EXPECT_THAT(shell.records, testing::SizeIs(1));
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_EQ(steps_of<MakePodDirectory>(shell).size(), 1u);
  shell.finish();
  EXPECT_EQ(source_of(shell), root_dir + "/" + target);
}

TEST_F(Asked, kb_11_3_parts_are_looked_at_each_time) {
  make(web("subPath: a"));
  for (int i = 0; i < 2; ++i) {
    shell.feed(asked);
    ASSERT_THAT(shell.doing(), ElementsAre(publish));
    EXPECT_EQ(source_of(shell), "Preparing");
    shell.finish();
    EXPECT_EQ(source_of(shell), root_dir + "/" + target);
  }
  shell.feed(ContainerAsked{uid_of("web"), ContainerName("other")});
  EXPECT_THAT(shell.doing(), IsEmpty());
}

TEST_F(Asked, while_something_is_in_flight_they_are_looked_at_after_it) {
  make(web("subPath: a"));
  shell.feed(asked);
  shell.feed(asked);
  shell.end(publish);
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_EQ(source_of(shell), "Preparing");
  shell.finish();
  EXPECT_EQ(source_of(shell), root_dir + "/" + target);
}

TEST_F(Asked, one_that_needs_a_worker_of_its_own_is_waited_for) {
  make(web("subPath: a"));
  shell.feed(asked);
  shell.fail(publish, error_of(ErrorKind::Transient, "LeavesMount"));
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_EQ(shell.in_flight.at(0).lane, Lane::Own);
  EXPECT_EQ(source_of(shell), "Preparing");
  shell.finish();
  EXPECT_EQ(source_of(shell), root_dir + "/" + target);
}

TEST_F(Asked, a_part_that_cannot_be_told_is_never_the_whole_volume) {
  make(web("subPath: a"));
  shell.write_text("web.yaml", web("subPathExpr: $(NOPE)"));
  EXPECT_EQ(source_of(shell), "InvalidSubPath");
  EXPECT_EQ(shell.volume("web", "v").reason, "InvalidSubPath");
  shell.feed(asked);
  EXPECT_EQ(source_of(shell), "InvalidSubPath");
}

TEST_F(Asked, after_a_reboot_a_part_that_cannot_be_told_keeps_the_pod_from_being_ready) {
  shell.adopt({}, {{found_pod("web", {"v"})}, {}});
  shell.write_text("web.yaml", web("subPathExpr: $(E)"));
  shell.list({"web.yaml"});
  EXPECT_FALSE(shell.pod("web").ready);
  shell.write_text("settings.yaml",
                   "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {key: one}\n");
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_EQ(source_of(shell), root_dir + "/" + target);
}

TEST_F(Asked, a_path_that_changed_is_not_answered_with_the_old_part) {
  make(web("subPath: a"));
  shell.write_text("web.yaml", web("subPath: b"));
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  shell.fail(publish, error_of(ErrorKind::Final, "SubPathEscapes"));
  EXPECT_EQ(source_of(shell), "SubPathEscapes");
  shell.write_text("web.yaml", web("subPath: ./"));
  shell.finish();
  EXPECT_EQ(source_of(shell), volume_path("web", "v"));
}

TEST_F(Asked, the_same_failure_is_told_once) {
  make(web("subPath: a"));
  shell.feed(asked);
  for (int i = 0; i < 3; ++i) {
    shell.fail(publish, error_of(ErrorKind::Transient, "NoSpace"));
    shell.wake();
  }
  EXPECT_EQ(shell.count("FailedMount pod/default/web"), 1);
}

TEST_F(Asked, a_live_volume_whose_parts_are_being_added_is_not_removed_by_the_next_edit) {
  make(web("readOnly: false"));
  shell.write_text("web.yaml", web("subPath: a"));
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  shell.write("web", {{"v", memory}});
  shell.finish();
  EXPECT_THAT(shell.doing(), IsEmpty());
  EXPECT_EQ(shell.volume("web", "v").reason, "SpecChangeIgnored");
  EXPECT_TRUE(shell.pod("web").ready);
}

const std::string of_group = "  securityContext: {fsGroup: 2000}\n";

TEST(HalfMade, a_volume_that_a_crash_left_without_its_owners_is_published_after_it) {
  for (const bool is_half : {true, false}) {
    Shell shell;
    VolumeRecord record = volume_record("v");
    record.is_incomplete = is_half;
    shell.feed(RecordsRead{{record_of("web", {record})}, {}});
    shell.show_mounts();
    shell.end_scan({{found_pod("web", {"v"})}, {}});
    shell.write("web", {{"v", disk}}, of_group);
    shell.list({"web.yaml"});
    EXPECT_EQ(shell.pod("web").ready, !is_half);
    EXPECT_EQ(steps_of<ChangeGroup>(shell).size(), is_half ? 1u : 0u);
    shell.finish();
    EXPECT_TRUE(shell.pod("web").ready);
  }
}

TEST(HalfMade, without_a_record_nobody_knows_that_it_was_whole) {
  Shell shell;
  shell.adopt({}, {{found_pod("web", {"v"})}, {}});
  shell.write("web", {{"v", disk}}, of_group);
  shell.list({"web.yaml"});
  EXPECT_FALSE(shell.pod("web").ready);
  EXPECT_EQ(steps_of<ChangeGroup>(shell).size(), 1u);
}

TEST(HalfMade, the_record_says_so_before_the_first_step_and_not_after_the_last) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", disk}}, of_group);
  EXPECT_TRUE(shell.records.at(uid_of("web")).volumes.at(0).is_incomplete);
  shell.finish();
  EXPECT_FALSE(shell.records.at(uid_of("web")).volumes.at(0).is_incomplete);
}

TEST(HalfMade, a_volume_of_an_earlier_version_is_known_to_be_shared_by_its_manifest) {
  Shell shell;
  shell.feed(RecordsRead{{record_of("web", {volume_record("v")})}, {}});
  shell.show_mounts({{volume_path("web", "v") + "/inner", "tmpfs"}});
  shell.end_scan({{found_pod("web", {"v"})}, {}});
  shell.write_text("web.yaml", web("mountPropagation: Bidirectional"));
  shell.list({"web.yaml"});
  shell.finish();
  shell.remove("web");
  EXPECT_EQ(steps_of<UnmountLeftovers>(shell).size(), 1u);
}

}  // namespace
}  // namespace mooring
