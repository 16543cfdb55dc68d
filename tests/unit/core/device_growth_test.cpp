// Volumes on devices that are asked for with another size.

#include "device_core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(Devices, kb_19_grow_while_they_are_used_when_the_capacity_is_raised) {
  make_ready("web");
  shell.write_text("storage.yaml", storage_yaml("2Gi"));
  ASSERT_THAT(shell.doing(), ElementsAre("grow " + key));
  EXPECT_EQ(steps_of<GrowFileSystem>(shell).at(0).image_size_bytes, std::uint64_t{2} << 30U);
  EXPECT_TRUE(shell.pod("web").ready);
  shell.end("grow " + key);
  EXPECT_EQ(shell.count("FileSystemResizeSuccessful device/" + key), 1);
  EXPECT_THAT(shell.doing(), IsEmpty());
}

TEST_F(Devices, kb_19_that_cannot_grow_stay_as_they_are_and_say_so) {
  make_ready("web");
  shell.write_text("storage.yaml", storage_yaml("2Gi"));
  shell.fail("grow " + key, error_of(ErrorKind::Transient, "GrowFailed", "no space"));
  EXPECT_EQ(shell.count("FileSystemResizeFailed device/" + key), 1);
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_EQ(shell.volume("web", "v").reason, "GrowFailed");
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Ready);
  shell.wake();
  EXPECT_THAT(shell.doing(), ElementsAre("grow " + key));
}

TEST_F(Devices, kb_19_that_turn_out_not_to_be_mounted_when_they_grow_are_staged_again) {
  make_ready("web");
  shell.write_text("storage.yaml", storage_yaml("2Gi"));
  shell.show_mounts({});  // While it grows nobody knows yet what that means.
  shell.fail("grow " + key, error_of(ErrorKind::Transient, "NotMounted", "it is not mounted"));
  shell.wake();
  ASSERT_TRUE(shell.is_in_flight(attach));
}

TEST_F(Devices, kb_19_that_are_raw_and_asked_for_larger_while_they_are_attached_grow_after_that) {
  shell.write_text("storage.yaml", storage_yaml("1Gi", "Block"));
  shell.write_text("web.yaml",
                   "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n"
                   "  containers: [{name: main, volumeDevices: [{name: v, devicePath: /dev/xvda}]}]\n"
                   "  volumes: [{name: v, persistentVolumeClaim: {claimName: claim}}]\n");
  files.push_back("web.yaml");
  shell.start(files);
  ASSERT_TRUE(shell.is_in_flight(attach));
  shell.write_text("storage.yaml", storage_yaml("2Gi", "Block"));
  shell.end(attach);  // With the size that it was begun with.
  ASSERT_TRUE(shell.is_in_flight("grow " + key));
  const auto growths = steps_of<GrowFileSystem>(shell);
  ASSERT_EQ(growths.size(), 1u);
  EXPECT_EQ(growths[0].image_size_bytes, std::uint64_t{2} << 30U);
}

TEST_F(Devices, kb_19_of_an_earlier_run_grow_though_their_manifests_were_read_before_they_were_found) {
  write("web");
  shell.write_text("storage.yaml", storage_yaml("2Gi"));
  shell.ledger = bound_ledger();
  shell.feed(RecordsRead{{pod_record("web")}, {}, {device_record()}});
  shell.show_mounts(both_mounted());
  shell.list(files);
  shell.end_scan(tree_with("web"));
  shell.end(prove);
  EXPECT_THAT(shell.doing(), ElementsAre("grow " + key));
}

TEST_F(Devices, kb_19_are_never_made_smaller) {
  make_ready("web");
  shell.write_text("storage.yaml", storage_yaml("2Gi"));
  shell.finish();
  shell.write_text("storage.yaml", storage_yaml("1Gi"));
  EXPECT_THAT(shell.doing(), IsEmpty());
  EXPECT_EQ(shell.count("SpecChangeIgnored persistentvolume/pv"), 1);
  EXPECT_TRUE(shell.pod("web").ready);
}

}  // namespace
}  // namespace mooring
