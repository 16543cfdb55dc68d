#include "flex_fixture.h"

namespace mooring {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string flex_staged = "plugins/kubernetes.io/flexvolume/example.com/share/mounts/pv-1";
const std::string flex_stamp = "plugins/kubernetes.io/flexvolume/example.com/share/formatted/pv-1";

class FlexStage : public testing::Test {
 protected:
  StageFlexVolume stage(bool read_only = false) const {
    return {node.program, {"pv-1", "", read_only, {}}, NodeName("n1"), flex_staged, flex_stamp};
  }
  UnstageFlexVolume unstage() const { return {node.program, "pv-1", NodeName("n1"), flex_staged}; }
  GrowFlexVolume grow(bool has_file_system = true) const {
    return {node.program, {"pv-1", "", false, {}}, flex_staged, 128 * mebibyte, has_file_system};
  }
  /// A driver that attaches the disk, and leaves the rest to the defaults.
  void attach_disk() { node.answers("attach", R"({"status":"Success","device":"/dev/sdb"})"); }
  std::vector<std::string> mounted() const { return node.mounted_at(path); }

  FlexNode node;
  const std::string path = node.root(flex_staged);
};

TEST_F(FlexStage, kb_16_the_driver_is_called_for_each_step_on_the_way) {
  attach_disk();
  node.answers("getvolumename", R"({"status":"Success","volumeName":"not used"})");
  node.answers("waitforattach", R"({"status":"Success","device":"/dev/mapper/x"})");
  node.mounts("mountdevice");
  EXPECT_TRUE(node.run_well({stage()}).changed);
  EXPECT_THAT(node.calls, ElementsAre("getvolumename JSON", "attach JSON n1", "waitforattach /dev/sdb JSON",
                                      "mountdevice " + path + " /dev/mapper/x JSON"));
  EXPECT_EQ(
      node.arguments_of["attach"].at(1),
      R"({"kubernetes.io/fsType":"","kubernetes.io/pvOrVolumeName":"pv-1","kubernetes.io/readwrite":"rw"})");
  EXPECT_EQ(node.fake.status(node.root("plugins/kubernetes.io/flexvolume/example.com/share/mounts"))->mode,
            0750U);
  EXPECT_THAT(mounted(), ElementsAre("nfs4"));
}

TEST_F(FlexStage, kb_16_a_driver_that_supports_none_of_it_stages_nothing) {
  const Outcome outcome = node.run_well({stage()});
  EXPECT_THAT(node.calls, ElementsAre("getvolumename JSON", "attach JSON n1", "waitforattach  JSON",
                                      "mountdevice " + path + "  JSON"));
  EXPECT_THAT(outcome.flex_unsupported, SizeIs(4));
  EXPECT_THAT(mounted(), IsEmpty());
  // It is known now.
  for (const FlexUnsupported& found : outcome.flex_unsupported)
    node.program.unsupported.push_back(found.command);
  node.take_calls();
  node.run_well({stage()});
  EXPECT_THAT(node.calls, IsEmpty());
}

TEST_F(FlexStage, kb_16_any_other_error_of_getvolumename_is_an_error) {
  node.answers("getvolumename", failure_text);
  EXPECT_EQ(node.run_badly({stage()}).reason, "DriverFailed");
  EXPECT_THAT(node.calls, SizeIs(1));
}

TEST_F(FlexStage, an_error_on_the_way_ends_it) {
  for (const std::string command : {"attach", "waitforattach", "mountdevice"}) {
    node.acts.clear();
    node.answers(command, failure_text, 1);
    EXPECT_THAT(node.run_badly({stage()}).message, HasSubstr(command + " command failed"));
    node.hangs(command);
    EXPECT_EQ(node.run_badly({stage()}).kind, ErrorKind::Uncertain);
    EXPECT_THAT(mounted(), IsEmpty()) << command;
  }
}

TEST_F(FlexStage, what_a_failed_mountdevice_left_mounted_is_not_taken_for_the_volume) {
  node.mounts("mountdevice", failure_text);
  EXPECT_EQ(node.run_badly({stage()}).reason, "DriverFailed");
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(FlexStage, kb_16_by_default_a_device_is_formatted_if_it_is_blank_and_mounted) {
  attach_disk();
  node.run_well({stage()});
  EXPECT_THAT(mounted(), ElementsAre("ext4"));
  EXPECT_TRUE(node.fake.exists(node.root(flex_stamp)));
}

TEST_F(FlexStage, by_default_data_is_never_formatted_over) {
  node.put_data(disk_node, "ext4");
  attach_disk();
  node.run_well({stage()});
  EXPECT_TRUE(node.has_data(disk_node));
  node.run_well({unstage()});
  node.put_data(disk_node, "xfs", "d-2");
  node.run_badly({stage()});
  EXPECT_TRUE(node.has_data(disk_node));
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(FlexStage, by_default_a_read_only_volume_is_not_formatted_and_mounted_read_only) {
  attach_disk();
  node.run_badly({stage(true)});
  EXPECT_THAT(mounted(), IsEmpty());
  node.put_data(disk_node);
  node.run_well({stage(true)});
  bool is_read_only = false;
  for (const MountFact& fact : node.fake.mount_facts())
    is_read_only = is_read_only || (fact.mount_point == path && fact.is_read_only());
  EXPECT_TRUE(is_read_only);
}

TEST_F(FlexStage, a_device_that_is_none_is_not_mounted) {
  for (const std::string device : {"/etc/passwd", "/dev/nothing", "sdb", "../dev/sdb"}) {
    node.answers("attach", R"({"status":"Success","device":")" + device + "\"}");
    node.run_badly({stage()});
    EXPECT_THAT(mounted(), IsEmpty()) << device;
  }
}

TEST_F(FlexStage, kb_16_what_is_mounted_is_not_mounted_again) {
  node.mounts("mountdevice");
  node.run_well({stage()});
  node.take_calls();
  node.answers("isattached", R"({"status":"Success","attached":true})");
  EXPECT_FALSE(node.run_well({stage()}).changed);
  EXPECT_THAT(node.take_calls(), ElementsAre("getvolumename JSON", "isattached JSON n1"));
  node.acts.erase("isattached");
  EXPECT_FALSE(node.run_well({stage()}).changed) << "nobody can tell: left as attached";
  node.answers("isattached", failure_text);
  EXPECT_THAT(node.run_well({stage()}).warnings, ElementsAre(HasSubstr("nobody can tell")));
}

TEST_F(FlexStage, kb_16_what_the_driver_says_is_not_attached_is_attached_again) {
  node.mounts("mountdevice");
  node.run_well({stage()});
  node.take_calls();
  node.answers("isattached", R"({"status":"Success","attached":false})");
  const Outcome outcome = node.run_well({stage()});
  EXPECT_THAT(node.calls, AllOf(Contains("attach JSON n1"), Not(Contains(HasSubstr("mountdevice")))));
  EXPECT_THAT(outcome.warnings, ElementsAre(HasSubstr("is not attached")));
  EXPECT_THAT(mounted(), SizeIs(1));
}

TEST_F(FlexStage, kb_16_unmountdevice_is_called_for_a_mount_and_detach_always) {
  node.mounts("mountdevice");
  node.unmounts("unmountdevice");
  node.answers("detach", success_text);
  node.run_well({stage()});
  node.take_calls();
  node.run_well({unstage()});
  EXPECT_THAT(node.take_calls(), ElementsAre("unmountdevice " + path, "detach pv-1 n1"));
  EXPECT_FALSE(node.fake.exists(path));
  node.run_well({unstage()});
  EXPECT_THAT(node.take_calls(), ElementsAre("detach pv-1 n1"));
}

TEST_F(FlexStage, kb_16_by_default_what_is_mounted_is_unmounted_and_nothing_detached) {
  attach_disk();
  node.run_well({stage()});
  node.run_well({unstage()});
  EXPECT_THAT(mounted(), IsEmpty());
  EXPECT_FALSE(node.fake.exists(path));
}

TEST_F(FlexStage, what_is_not_unmounted_is_not_detached) {
  node.mounts("mountdevice");
  node.run_well({stage()});
  node.take_calls();
  node.answers("unmountdevice", success_text);
  EXPECT_EQ(node.run_badly({unstage()}).reason, "StillMounted");
  node.answers("unmountdevice", failure_text);
  EXPECT_EQ(node.run_badly({unstage()}).reason, "DriverFailed");
  node.hangs("unmountdevice");
  EXPECT_EQ(node.run_badly({unstage()}).kind, ErrorKind::Uncertain);
  node.acts.erase("unmountdevice");
  node.fake.mark_open(path);
  EXPECT_EQ(node.run_badly({unstage()}).reason, "Busy");
  EXPECT_THAT(node.calls, Not(Contains(HasSubstr("detach"))));
}

TEST_F(FlexStage, what_was_written_where_it_was_staged_stays) {
  node.fake.put_file(path + "/file", "x");
  EXPECT_EQ(node.run_badly({unstage()}).reason, "NotEmpty");
  EXPECT_EQ(node.fake.read(path + "/file"), "x");
  EXPECT_THAT(node.calls, IsEmpty());
}

TEST_F(FlexStage, a_failing_detach_is_an_error) {
  node.answers("detach", failure_text);
  EXPECT_THAT(node.run_badly({unstage()}).message, HasSubstr("detach command failed"));
}

TEST_F(FlexStage, kb_16_expanding_tells_the_driver_both_sizes) {
  node.mounts("mountdevice");
  node.run_well({stage()});
  node.take_calls();
  node.answers("expandvolume", R"({"status":"Success","volumeNewSize":200000000})");
  node.answers("expandfs", success_text);
  node.run_well({grow()});
  ASSERT_THAT(node.calls, SizeIs(2));
  EXPECT_THAT(node.calls[0], testing::MatchesRegex("expandvolume JSON " + path + " 134217728 [0-9]+"));
  EXPECT_THAT(node.calls[1],
              testing::MatchesRegex("expandfs JSON server:/share " + path + " 200000000 [0-9]+"));
  node.take_calls();
  node.run_well({grow(false)});
  EXPECT_THAT(node.calls, SizeIs(1));
}

TEST_F(FlexStage, kb_16_by_default_the_device_counts_as_grown_and_its_file_system_grows) {
  attach_disk();
  node.run_well({stage()});
  node.disks().resize_device(disk_node, 128 * mebibyte);
  node.run_well({grow()});
  EXPECT_EQ(node.fake.ports().mounts.usage(flex_staged).value().capacity_bytes, 128 * mebibyte);
}

TEST_F(FlexStage, kb_16_a_failing_expansion_is_an_error) {
  node.mounts("mountdevice");
  node.run_well({stage()});
  node.answers("expandvolume", failure_text);
  EXPECT_THAT(node.run_badly({grow()}).message, HasSubstr("expandvolume command failed"));
  node.answers("expandvolume", success_text);
  node.answers("expandfs", failure_text);
  EXPECT_THAT(node.run_badly({grow()}).message, HasSubstr("expandfs command failed"));
}

}  // namespace
}  // namespace mooring
