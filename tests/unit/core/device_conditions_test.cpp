// Devices that go bad while pods have them.

#include "device_core_fixture.h"

namespace mooring {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(Devices, that_vanish_are_told_of_and_go_down_when_no_pod_has_them) {
  make_ready("web");
  shell.show_mounts({{root_dir + "/" + staged, "ext4"}, {pod_path("web"), "ext4"}});
  shell.feed(DeviceRemoved{{8, 16}});  // Another one.
  EXPECT_EQ(shell.count("VolumeConditionAbnormal device/" + key), 0);
  shell.feed(DeviceRemoved{});
  EXPECT_EQ(shell.count("VolumeConditionAbnormal device/" + key), 1);
  EXPECT_EQ(shell.volume("web", "v").reason, "DeviceVanished");
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Ready);
  EXPECT_EQ(device().reason, "DeviceVanished");
  EXPECT_THAT(shell.doing(), IsEmpty());  // A pod has it.
  shell.write("next", claim_volume);
  EXPECT_FALSE(shell.is_in_flight(publish("next")));  // It would get what is dead.
  EXPECT_FALSE(shell.pod("next").ready);
  shell.remove("web");
  shell.end(unpublish("web"));
  ASSERT_TRUE(shell.is_in_flight(unstage));
  shell.end(unstage);
  shell.end(detach);
  shell.end(attach);
  shell.end(stage);
  shell.end(publish("next"));
  EXPECT_TRUE(shell.pod("next").ready);
  EXPECT_TRUE(shell.volume("next", "v").reason.empty());
}

TEST_F(Devices, whose_file_system_has_errors_say_so_until_it_was_checked_again) {
  make_ready("web");
  shell.show_mounts({{root_dir + "/" + staged, "ext4"}, {pod_path("web"), "ext4"}});
  shell.feed(FileSystemFailing{{}, "2 errors"});
  EXPECT_EQ(shell.volume("web", "v").reason, "FileSystemErrors");
  EXPECT_THAT(shell.volume("web", "v").message, HasSubstr("2 errors"));
  shell.feed(FileSystemFailing{{}, "2 errors"});
  EXPECT_EQ(shell.count("VolumeConditionAbnormal device/" + key), 1);
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST_F(Devices, that_are_staged_are_listened_to) {
  make_ready("web");
  shell.show_mounts({{root_dir + "/" + staged, "ext4"}, {pod_path("web"), "ext4"}});
  ASSERT_TRUE(shell.last.file_systems_to_watch.has_value());
  EXPECT_EQ(shell.last.file_systems_to_watch->size(), 1u);
  shell.show_mounts({});
  ASSERT_TRUE(shell.last.file_systems_to_watch.has_value());
  EXPECT_THAT(*shell.last.file_systems_to_watch, IsEmpty());
}

TEST_F(Devices, that_turn_read_only_say_so) {
  make_ready("web");
  const auto show = [&](const std::string& options, const std::string& type = "ext4") {
    std::vector<MountFact> facts(3);
    facts[0].mount_point = "/";
    facts[1].mount_point = root_dir + "/" + staged;
    facts[2].mount_point = pod_path("web");
    for (MountFact& fact : facts) {
      fact.id = static_cast<std::uint64_t>(&fact - facts.data()) + 1;
      fact.type = type;
      fact.options = "rw";
      fact.super_options = options;
    }
    shell.feed(MountsRead{std::make_shared<const MountTable>(MountTable::from_facts(std::move(facts)))});
  };
  show("rw");
  EXPECT_TRUE(shell.volume("web", "v").reason.empty());
  show("ro");
  EXPECT_EQ(shell.volume("web", "v").reason, "ReadOnly");
  EXPECT_EQ(shell.count("VolumeConditionAbnormal pod/default/web"), 1);
  show("rw");
  EXPECT_TRUE(shell.volume("web", "v").reason.empty());
  EXPECT_EQ(shell.count("VolumeConditionNormal pod/default/web"), 1);
  show("ro", "btrfs");  // Which counts no errors, and turns read-only at the first.
  EXPECT_EQ(shell.volume("web", "v").reason, "ReadOnly");
}

}  // namespace
}  // namespace mooring
