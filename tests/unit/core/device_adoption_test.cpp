// Devices of an earlier run.

#include "device_core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(Devices, kb_7_of_an_earlier_run_that_are_as_they_should_be_stay_untouched) {
  write("web");
  restart({pod_record("web")}, {device_record()}, tree_with("web"), both_mounted());
  EXPECT_TRUE(shell.pod("web").ready);
  ASSERT_THAT(shell.doing(), ElementsAre(prove));  // Which only looks.
  EXPECT_EQ(device().phase, Phase::Ready);
  shell.end(prove);
  EXPECT_THAT(shell.doing(), IsEmpty());
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_EQ(device().phase, Phase::Ready);
  EXPECT_THAT(shell.core.node_status().problems, IsEmpty());
}

TEST_F(Devices, of_an_earlier_run_whose_device_vanished_meanwhile_say_so_and_go_down_with_their_pods) {
  write("web");
  restart({pod_record("web")}, {device_record()}, tree_with("web"), both_mounted());
  ASSERT_THAT(shell.doing(), ElementsAre(prove));
  const auto looks = steps_of<ProveStaged>(shell);
  ASSERT_EQ(looks.size(), 1u);
  EXPECT_EQ(looks[0].device.value, "/srv/data.img");
  EXPECT_EQ(looks[0].path, staged);
  shell.write("next", claim_volume);
  EXPECT_FALSE(shell.is_in_flight(publish("next"))) << "nobody knows yet what it would get";
  EXPECT_FALSE(shell.pod("next").ready);
  EXPECT_EQ(shell.volume("next", "v").phase, Phase::Staging);
  shell.fail(prove, error_of(ErrorKind::Transient, "DeviceVanished", "/dev/loop3 is gone"));
  EXPECT_EQ(shell.count("VolumeConditionAbnormal device/" + key), 1);
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_EQ(shell.volume("web", "v").reason, "DeviceVanished");
  EXPECT_THAT(shell.doing(), IsEmpty());
  shell.feed(DeviceRemoved{});  // Told late: it is known.
  EXPECT_EQ(shell.count("VolumeConditionAbnormal device/" + key), 1);
  shell.remove("web");
  shell.end(unpublish("web"));
  shell.end(unstage);
  shell.end(detach);
  shell.end(attach);
  shell.end(stage);
  shell.end(publish("next"));
  EXPECT_TRUE(shell.pod("next").ready);
}

TEST_F(Devices, of_an_earlier_run_are_given_to_new_pods_when_they_were_looked_at) {
  write("web");
  write("next");
  restart({pod_record("web")}, {device_record()}, tree_with("web"), both_mounted());
  ASSERT_THAT(shell.doing(), ElementsAre(prove));
  shell.end(prove);
  EXPECT_THAT(shell.doing(), ElementsAre(publish("next")));
  shell.finish();
  EXPECT_TRUE(shell.pod("next").ready);
  EXPECT_TRUE(shell.volume("web", "v").reason.empty());
}

TEST_F(Devices, of_an_earlier_run_that_could_not_be_looked_at_hold_nobody_up) {
  write("web");
  write("next");
  restart({pod_record("web")}, {device_record()}, tree_with("web"), both_mounted());
  shell.fail(prove, worker_lost());
  EXPECT_THAT(shell.doing(), ElementsAre(publish("next")));
  shell.finish();
  EXPECT_TRUE(shell.pod("next").ready);
  EXPECT_TRUE(shell.volume("web", "v").reason.empty());
}

TEST_F(Devices, of_an_earlier_run_where_something_else_is_mounted_now_are_not_given_to_anybody) {
  write("web");
  write("next");
  restart({pod_record("web")}, {device_record()}, tree_with("web"), both_mounted());
  shell.fail(prove, error_of(ErrorKind::Final, "ForeignMount", "/dev/sdx is mounted"));
  EXPECT_EQ(shell.count("ForeignMount device/" + key), 1);
  ASSERT_THAT(shell.doing(), ElementsAre(attach));
  EXPECT_TRUE(shell.pod("web").ready);
  shell.end(attach);
  shell.fail(stage, error_of(ErrorKind::Final, "ForeignMount", "/dev/sdx is mounted"));
  EXPECT_EQ(shell.volume("next", "v").reason, "ForeignMount");
  EXPECT_FALSE(shell.is_in_flight(publish("next")));
}

TEST_F(Devices, that_vanish_while_they_are_looked_at_stay_so) {
  write("web");
  restart({pod_record("web")}, {device_record()}, tree_with("web"), both_mounted());
  shell.feed(DeviceRemoved{});
  shell.end(prove);  // It looked before.
  EXPECT_EQ(shell.volume("web", "v").reason, "DeviceVanished");
}

TEST_F(Devices, kb_7_left_staged_between_unpublish_and_unstage_are_taken_down) {
  restart({}, {device_record()}, {}, {{root_dir + "/" + staged, "ext4"}});
  ASSERT_THAT(shell.doing(), ElementsAre(unstage));
  EXPECT_EQ(steps_of<UnmountDevice>(shell).at(0).path, staged);
  shell.end(unstage);
  ASSERT_THAT(shell.doing(), ElementsAre(detach));
  EXPECT_EQ(steps_of<DetachDevice>(shell).at(0).device.value, "/srv/data.img");
  shell.end(detach);
  EXPECT_THAT(shell.core.devices(), IsEmpty());
}

TEST_F(Devices, of_an_earlier_run_that_were_taken_down_unproven_go_up_for_the_next_pod) {
  restart({}, {device_record()}, {}, {{root_dir + "/" + staged, "ext4"}});
  ASSERT_THAT(shell.doing(), ElementsAre(unstage));  // Nobody wants it.
  write("web");
  shell.end(unstage);
  EXPECT_TRUE(shell.is_in_flight(stage) || shell.is_in_flight(attach));
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST_F(Devices, of_an_earlier_run_are_left_alone_until_all_manifests_were_read) {
  shell.feed(RecordsRead{{}, {}, {device_record()}});
  shell.show_mounts({{root_dir + "/" + staged, "ext4"}});
  shell.end_scan({});
  EXPECT_THAT(shell.doing(), IsEmpty());
  shell.list(files);
  EXPECT_THAT(shell.doing(), ElementsAre(unstage));
}

TEST_F(Devices, of_an_earlier_run_whose_mount_is_gone_are_staged_again) {
  write("web");
  restart({pod_record("web")}, {device_record()}, tree_with("web"), {});
  EXPECT_TRUE(shell.is_in_flight(attach));
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST_F(Devices, of_volumes_that_a_reboot_left_as_directories_are_staged_before_these_are_published) {
  write("web");
  TreeFacts tree = tree_with("web");
  tree.pods[0].volumes[0].is_mount_root = false;
  restart({}, {}, tree, {});
  ASSERT_THAT(shell.doing(), ElementsAre(attach));  // And nothing is done to the place under another name.
  shell.end(attach);
  ASSERT_THAT(shell.doing(), ElementsAre(stage));
  shell.end(stage);
  ASSERT_THAT(shell.doing(), ElementsAre(publish("web")));
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST_F(Devices, of_volumes_that_a_reboot_left_are_known_when_their_claim_is_read_last) {
  shell.ledger = bound_ledger();
  shell.feed(RecordsRead{{}, {}, {}});
  shell.show_mounts({});
  TreeFacts tree = tree_with("web");
  tree.pods[0].volumes[0].is_mount_root = false;
  shell.end_scan(tree);
  shell.feed(FileGone{"storage.yaml"});
  shell.write("web", claim_volume);
  shell.write_text("storage.yaml", storage_yaml());
  files.push_back("web.yaml");
  shell.list(files);
  EXPECT_FALSE(shell.is_in_flight("unpublish default/web/pv"));
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST_F(Devices, are_not_published_where_something_is_being_removed) {
  shell.feed(RecordsRead{{}, {}, {}});
  shell.show_mounts({});
  TreeFacts tree = tree_with("web");
  tree.pods[0].volumes[0].is_mount_root = false;
  shell.end_scan(tree);
  shell.feed(FileGone{"storage.yaml"});
  shell.write("web", claim_volume);
  shell.list({"web.yaml"});
  ASSERT_THAT(shell.doing(), ElementsAre("unpublish default/web/pv"));
  shell.write_text("storage.yaml", storage_yaml());
  shell.end(attach);
  shell.end(stage);
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/web/pv"));
  shell.end("unpublish default/web/pv");
  EXPECT_TRUE(shell.is_in_flight(publish("web")));
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
}

}  // namespace
}  // namespace mooring
