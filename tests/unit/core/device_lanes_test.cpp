// What may wait for a disk has a worker of its own, so that nothing else waits with it.

#include "device_core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;

std::string pod_of_group(const std::string& group) {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext: {" + group +
         "}\n  containers: [{name: main, volumeMounts: [{name: v, mountPath: /v}]}]\n"
         "  volumes: [{name: v, persistentVolumeClaim: {claimName: claim}}]\n";
}

TEST_F(Devices, are_walked_for_a_group_by_a_worker_of_their_own) {
  shell.write_text("web.yaml", pod_of_group("fsGroup: 2000"));
  files.push_back("web.yaml");
  shell.start(files);
  shell.end(attach);
  shell.end(stage);
  ASSERT_THAT(shell.doing(), ElementsAre(publish("web")));
  EXPECT_EQ(steps_of<ChangeGroup>(shell).size(), 1u);
  EXPECT_EQ(shell.in_flight[0].lane, Lane::Own);
}

TEST_F(Devices, are_only_bound_by_a_worker_of_all) {
  shell.write_text("web.yaml", pod_of_group(""));
  files.push_back("web.yaml");
  shell.start(files);
  shell.end(attach);
  shell.end(stage);
  ASSERT_THAT(shell.doing(), ElementsAre(publish("web")));
  EXPECT_EQ(shell.in_flight[0].lane, Lane::Local);
}

TEST_F(Devices, are_measured_by_a_worker_of_their_own) {
  make_ready("web");
  shell.show_mounts(both_mounted());
  shell.feed(UsageAsked{});
  ASSERT_EQ(shell.in_flight.size(), 1u);
  EXPECT_THAT(steps_of<MeasureUsage>(shell), testing::SizeIs(1));
  EXPECT_EQ(shell.in_flight[0].lane, Lane::Own);
}

TEST_F(Devices, are_looked_at_after_a_restart_by_a_worker_of_their_own) {
  write("web");
  restart({pod_record("web")}, {device_record()}, tree_with("web"), both_mounted());
  ASSERT_THAT(shell.doing(), ElementsAre(prove));
  EXPECT_EQ(shell.in_flight[0].lane, Lane::Own);
}

}  // namespace
}  // namespace mooring
