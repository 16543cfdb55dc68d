#include "desired/desired_state.h"

#include <gtest/gtest.h>

namespace mooring {
namespace {

using namespace manifest;

Pod make_pod() {
  Pod pod;
  pod.key = {Namespace("default"), ObjectName("web")};
  pod.uid = PodUid("11");
  pod.volumes = {{VolumeName("used"), EmptyDirSource{}},
                 {VolumeName("unused"), EmptyDirSource{}},
                 {VolumeName("raw"), EmptyDirSource{}}};
  Container init;
  init.kind = ContainerKind::Init;
  init.mounts.push_back({VolumeName("used"), "/a", false, {}, "", "", {}});
  Container main;
  main.devices.push_back({VolumeName("raw"), "/dev/x"});
  pod.containers = {init, main};
  return pod;
}

TEST(Desired, kb_2_2_only_volumes_that_a_container_names_count) {
  const Pod pod = make_pod();
  const auto used = used_volumes(pod);
  ASSERT_EQ(used.size(), 2u);
  EXPECT_EQ(used[0]->name.str(), "used");
  EXPECT_EQ(used[1]->name.str(), "raw");
}

TEST(Desired, kb_2_1_a_terminated_pod_does_not_count) {
  Pod pod = make_pod();
  EXPECT_EQ(reason_not_desired(pod, NodeName("n"), {}), nullptr);
  pod.is_terminated = true;
  EXPECT_NE(reason_not_desired(pod, NodeName("n"), {}), nullptr);
}

TEST(Desired, a_pod_of_another_node_does_not_count) {
  Pod pod = make_pod();
  pod.node_name = "elsewhere";
  EXPECT_NE(reason_not_desired(pod, NodeName("n"), {}), nullptr);
  EXPECT_EQ(reason_not_desired(pod, NodeName("elsewhere"), {}), nullptr);
  pod.node_name.clear();
  pod.node_selector["disk"] = "ssd";
  EXPECT_NE(reason_not_desired(pod, NodeName("n"), {{"disk", "hdd"}}), nullptr);
  EXPECT_EQ(reason_not_desired(pod, NodeName("n"), {{"disk", "ssd"}}), nullptr);
}

}  // namespace
}  // namespace mooring
