// What pods share of a volume: attached, staged, published, and the way down.

#include "device_core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(Devices, kb_4_are_attached_and_staged_before_a_pod_has_them) {
  write("web");
  shell.start(files);
  ASSERT_THAT(shell.doing(), ElementsAre(attach));
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Attaching);
  EXPECT_EQ(shell.device_records.at(VolumeKey(key)).device.value, "/srv/data.img");
  shell.end(attach);
  ASSERT_THAT(shell.doing(), ElementsAre(stage));
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Staging);
  EXPECT_EQ(steps_of<FormatDevice>(shell).size(), 1u);
  EXPECT_EQ(steps_of<MountDevice>(shell).at(0).path, staged);
  shell.end(stage);
  ASSERT_THAT(shell.doing(), ElementsAre(publish("web")));
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Publishing);
  const auto binds = steps_of<BindMount>(shell);
  ASSERT_EQ(binds.size(), 1u);
  EXPECT_EQ(binds[0].source, root_dir + "/" + staged);
  shell.end(publish("web"));
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_EQ(shell.volume("web", "v").path, pod_path("web"));
  EXPECT_EQ(device().phase, Phase::Ready);
  EXPECT_THAT(device().users, ElementsAre("default/web/v"));
}

TEST_F(Devices, are_staged_once_for_all_pods_and_go_with_the_last) {
  write("one");
  write("two");
  shell.start(files);
  shell.end(attach);
  shell.end(stage);
  EXPECT_THAT(shell.doing(), testing::UnorderedElementsAre(publish("one"), publish("two")));
  shell.finish();
  shell.remove("one");
  shell.end(unpublish("one"));
  shell.finish();
  EXPECT_THAT(shell.gone, ElementsAre("one"));
  EXPECT_EQ(device().phase, Phase::Ready);
  shell.remove("two");
  ASSERT_THAT(shell.doing(), ElementsAre(unpublish("two")));  // Never from under a pod.
  shell.end(unpublish("two"));
  EXPECT_TRUE(shell.is_in_flight(unstage));
  EXPECT_EQ(device().phase, Phase::Unstaging);
  EXPECT_FALSE(shell.is_in_flight(detach));
  shell.end(unstage);
  EXPECT_EQ(device().phase, Phase::Detaching);
  shell.end(detach);
  EXPECT_THAT(shell.device_records, IsEmpty());
  EXPECT_THAT(shell.core.devices(), IsEmpty());
}

TEST_F(Devices, that_are_missing_are_tried_again_when_the_kernel_tells_of_one) {
  write("web");
  shell.start(files);
  shell.fail(attach, error_of(ErrorKind::Transient, "DeviceMissing", "no such device"));
  EXPECT_EQ(shell.volume("web", "v").reason, "DeviceMissing");
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Attaching);
  EXPECT_TRUE(shell.volume("web", "v").next_retry.has_value());
  EXPECT_EQ(shell.count("FailedAttachVolume device/" + key), 1);
  EXPECT_THAT(shell.doing(), IsEmpty());
  shell.feed(DevicesChanged{});
  EXPECT_TRUE(shell.is_in_flight(attach));
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST_F(Devices, that_cannot_be_staged_say_why_and_are_tried_from_the_first_step) {
  write("web");
  shell.start(files);
  shell.end(attach);
  shell.fail(stage, error_of(ErrorKind::Final, "DeviceNotBlank", "it holds crypto_LUKS"));
  EXPECT_EQ(shell.volume("web", "v").reason, "DeviceNotBlank");
  EXPECT_EQ(shell.volume("web", "v").action, "mend it");
  EXPECT_GE(shell.wake(), 90s);
  ASSERT_THAT(shell.doing(), ElementsAre(attach));
  shell.end(attach);
  EXPECT_TRUE(shell.is_in_flight(stage));
}

TEST_F(Devices, whose_stage_fails_again_and_again_are_tried_with_growing_pauses) {
  write("web");
  shell.start(files);
  for (std::uint32_t tries = 1; tries <= 5; ++tries) {
    shell.end(attach);
    shell.fail(stage, error_of(ErrorKind::Transient, "DeviceLocked", "another program works on it"));
    EXPECT_EQ(shell.volume("web", "v").attempts, tries);
    EXPECT_GE(shell.wake(), 400ms * (1U << (tries - 1)));
    ASSERT_THAT(shell.doing(), ElementsAre(attach));
    EXPECT_EQ(shell.volume("web", "v").reason, "DeviceLocked");
  }
  EXPECT_EQ(shell.count("FailedMount device/" + key), 1);
  shell.end(attach);
  shell.end(stage);
  EXPECT_EQ(shell.volume("web", "v").reason, "Publishing");
}

TEST_F(Devices, whose_pod_goes_before_they_were_staged_are_taken_down_all_the_way) {
  write("web");
  shell.start(files);
  shell.end(attach);
  shell.fail(stage, worker_lost());
  shell.remove("web");
  shell.finish();
  EXPECT_THAT(shell.core.devices(), IsEmpty());
  EXPECT_FALSE(shell.is_known("web"));
}

TEST_F(Devices, kb_5_6_that_are_held_stay_and_are_tried_again) {
  make_ready("web");
  shell.remove("web");
  shell.end(unpublish("web"));
  shell.fail(unstage, error_of(ErrorKind::Transient, "Busy", "process 7 has it open"));
  EXPECT_EQ(device().reason, "Busy");
  EXPECT_EQ(device().phase, Phase::Unstaging);
  EXPECT_TRUE(device().next_retry.has_value());
  shell.finish();
  EXPECT_THAT(shell.gone, ElementsAre("web"));
  shell.wake();
  ASSERT_THAT(shell.doing(), ElementsAre(unstage));
  // Somebody wants it again meanwhile: up from the first step, and the pod has it only then.
  shell.write("next", claim_volume);
  EXPECT_THAT(shell.doing(), ElementsAre(unstage));
  shell.fail(unstage, error_of(ErrorKind::Transient, "Busy", "process 7 has it open"));
  EXPECT_FALSE(shell.is_in_flight(publish("next")));
  ASSERT_THAT(shell.doing(), ElementsAre(attach));
  shell.end(attach);
  shell.end(stage);
  shell.end(publish("next"));
  EXPECT_TRUE(shell.pod("next").ready);
}

TEST_F(Devices, under_what_others_mounted_are_unmounted_when_that_is_gone) {
  make_ready("web");
  std::vector<MountFact> facts(4);
  facts[0].mount_point = "/";
  facts[1].mount_point = pod_path("web");
  facts[2].mount_point = facts[3].mount_point = root_dir + "/" + staged;
  for (MountFact& fact : facts)
    fact.id = static_cast<std::uint64_t>(&fact - facts.data()) + 1;
  const auto show = [&] {
    shell.feed(MountsRead{std::make_shared<const MountTable>(MountTable::from_facts(facts))});
  };
  show();
  shell.remove("web");
  shell.end(unpublish("web"));
  EXPECT_EQ(steps_of<UnmountDevice>(shell).at(0).device.value, "/srv/data.img");
  shell.fail(unstage, error_of(ErrorKind::Final, "ForeignMount", "/dev/sdx is mounted"));
  shell.finish();
  EXPECT_THAT(shell.core.node_status().problems, ElementsAre(HasSubstr("/dev/sdx is mounted")));
  show();  // Something changed elsewhere.
  EXPECT_THAT(shell.doing(), IsEmpty());
  facts.pop_back();
  show();
  ASSERT_THAT(shell.doing(), ElementsAre(unstage));
}

TEST_F(Devices, whose_stage_failed_once_leave_no_place_of_it) {
  write("web");
  shell.start(files);
  shell.end(attach);
  shell.fail(stage, worker_lost());
  shell.wake();
  shell.remove("web");
  shell.end(attach);
  ASSERT_TRUE(shell.is_in_flight(detach));
  EXPECT_EQ(steps_of<UnmountDevice>(shell).at(0).path, staged);
}

TEST_F(Devices, whose_mount_vanishes_are_staged_again) {
  make_ready("web");
  const std::map<std::string, std::string> mounts{{root_dir + "/" + staged, "ext4"},
                                                  {pod_path("web"), "ext4"}};
  shell.show_mounts(mounts);
  EXPECT_THAT(shell.doing(), IsEmpty());
  shell.show_mounts({{pod_path("web"), "ext4"}});
  EXPECT_EQ(shell.count("MountVanished device/" + key), 1);
  ASSERT_THAT(shell.doing(), ElementsAre(attach));
  EXPECT_TRUE(shell.pod("web").ready);  // What the pod has is there.
  shell.end(attach);
  shell.end(stage);
  EXPECT_EQ(device().phase, Phase::Ready);
}

TEST_F(Devices, that_hang_hold_their_own_volume_only) {
  write("web");
  shell.start(files);
  const OperationId id = shell.in_flight.front().id;
  shell.feed(OperationStuck{id, 4711});
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Stuck);
  EXPECT_THAT(shell.volume("web", "v").message, HasSubstr("4711"));
  shell.write("other", {{"v", disk}});
  shell.end(publish("other"));
  EXPECT_TRUE(shell.pod("other").ready);
}

TEST_F(Devices, kb_14_as_devices_are_attached_and_never_staged) {
  shell.write_text("storage.yaml", storage_yaml("1Gi", "Block"));
  shell.write_text("web.yaml",
                   "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n"
                   "  containers: [{name: main, volumeDevices: [{name: v, devicePath: /dev/xvda}]}]\n"
                   "  volumes: [{name: v, persistentVolumeClaim: {claimName: claim}}]\n");
  files.push_back("web.yaml");
  shell.start(files);
  const auto growths = steps_of<GrowFileSystem>(shell);  // It has no stage to do that in.
  ASSERT_EQ(growths.size(), 1u);
  EXPECT_EQ(growths[0].path, "");
  EXPECT_EQ(growths[0].image_size_bytes, std::uint64_t{1} << 30U);
  shell.end(attach);
  ASSERT_THAT(shell.doing(), ElementsAre(publish("web")));
  const auto maps = steps_of<MapDevice>(shell);
  ASSERT_EQ(maps.size(), 1u);
  EXPECT_EQ(maps[0].link,
            layout::device(uid_of("web"), PluginName("kubernetes.io/block"), VolumeDirectory("pv")));
  shell.end(publish("web"));
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_EQ(shell.volume("web", "v").path, root_dir + "/" + maps[0].link);
  shell.remove("web");
  EXPECT_EQ(steps_of<UnmapDevice>(shell).size(), 1u);
  shell.end(unpublish("web"));
  shell.finish();
  EXPECT_THAT(shell.core.devices(), IsEmpty());
}

TEST_F(Devices, that_failed_by_themselves_are_not_hurried_by_the_kernels_word) {
  write("web");
  shell.start(files);
  shell.end(attach);
  shell.fail(stage, error_of(ErrorKind::Final, "HasFilesystemErrors", "fsck could not correct them"));
  for (int i = 0; i < 10; ++i) {
    shell.advance(100ms);
    shell.feed(DevicesChanged{});
  }
  EXPECT_THAT(shell.doing(), IsEmpty());
}

TEST_F(Devices, of_another_name_are_never_given_for_the_one_that_is_asked_for) {
  make_ready("web");
  std::string other = storage_yaml();
  const auto replace = [&](const std::string& from, const std::string& to) {
    for (std::size_t at = other.find(from); at != std::string::npos; at = other.find(from, at + to.size()))
      other.replace(at, from.size(), to);
  };
  replace("/srv/data.img", "/srv/next.img");
  replace("name: pv}", "name: pv2}");
  replace("volumeName: pv", "volumeName: pv2");
  replace("name: claim}", "name: claim2}");
  shell.write_text("other.yaml", other);
  shell.write("next", {{"v", "persistentVolumeClaim: {claimName: claim2}"}});
  EXPECT_FALSE(shell.is_in_flight(publish("next")));
  EXPECT_EQ(shell.volume("next", "v").reason, "VolumeInUseOtherwise");
  shell.remove("web");
  shell.end(unpublish("web"));
  shell.end(unstage);
  shell.end(detach);
  ASSERT_TRUE(shell.is_in_flight(attach));
  EXPECT_EQ(steps_of<AttachDevice>(shell).at(0).device.value, "/srv/next.img");
  shell.end(attach);
  shell.end(stage);
  shell.wake();
  shell.end(publish("next"));
  EXPECT_TRUE(shell.pod("next").ready);
}

TEST_F(Devices, are_left_by_a_volume_that_becomes_another) {
  write("web");
  shell.start(files);
  shell.fail(attach, error_of(ErrorKind::Transient, "DeviceMissing"));
  shell.write("web", {{"v", disk}});
  shell.end("publish default/web/v");
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_THAT(shell.core.devices(), IsEmpty());
}

TEST_F(Devices, records_that_cannot_be_written_hold_the_operation_back) {
  write("web");
  shell.start(files);
  shell.feed(DeviceRecordFailed{VolumeKey(key), error_of(ErrorKind::Transient, "RecordFailed")});
  shell.fail(attach, error_of(ErrorKind::Transient, "RecordFailed"));
  shell.wake();
  EXPECT_EQ(shell.last.device_records_to_write.size(), 1u);
  EXPECT_TRUE(shell.is_in_flight(attach));
}

}  // namespace
}  // namespace mooring
