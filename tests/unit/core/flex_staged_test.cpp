// What the disk alone tells of volumes that FlexVolume drivers attached, as after a reboot.

#include <gmock/gmock.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const DriverName driver("example.com/share");
const std::string ask = "ask FlexVolume driver example.com/share";
const std::string key = "example.com/share/pv-1";
const std::string staged = "plugins/kubernetes.io/flexvolume/example.com/share/mounts/";
const std::string share = "flexVolume: {driver: example.com/share}";

TreeFacts left(const std::string& element = "pv-1") {
  TreeFacts tree;
  tree.attachments = {{driver, element, {}, std::nullopt, staged + element}};
  return tree;
}
TreeFacts left_with_pod(const std::string& element, const std::string& directory) {
  TreeFacts tree = left(element);
  FoundPod pod{uid_of("web"), true, Namespace("default"), ObjectName("web"), {}, {}};
  pod.volumes.push_back({PluginName(driver.str()), VolumeDirectory(directory), false});
  tree.pods = {pod};
  return tree;
}

class FlexStaged : public testing::Test {
 protected:
  void start(TreeFacts tree, const std::map<std::string, std::string>& mounts = {}) {
    shell.feed(RecordsRead{});
    shell.show_mounts(mounts);
    shell.end_scan(std::move(tree));
  }
  static void install(Shell& where) {
    where.feed(FlexProgramsListed{{{driver, "/flex/example.com~share/share", 8, 1, 100, 1}}});
    Outcome outcome;
    outcome.flex_probe = FlexProbe{true, true, false, true, true};
    where.end(ask, std::move(outcome));
  }
  Shell shell;
};

TEST_F(FlexStaged, a_reboot_does_not_make_forget_what_a_driver_attached) {
  start(left());
  install(shell);
  EXPECT_THAT(shell.in_flight, IsEmpty()) << "not before all manifests were read";
  shell.list({});
  ASSERT_THAT(shell.doing(), ElementsAre("detach " + key));
  ASSERT_THAT(steps_of<UnstageFlexVolume>(shell), SizeIs(1));
  const UnstageFlexVolume step = steps_of<UnstageFlexVolume>(shell)[0];
  EXPECT_EQ(step.volume_name, "pv-1");
  EXPECT_EQ(step.path, staged + "pv-1");
  EXPECT_EQ(step.node, NodeName("node"));
  shell.finish();
  EXPECT_THAT(shell.core.devices(), IsEmpty());
  EXPECT_THAT(shell.device_records, IsEmpty());
}

TEST_F(FlexStaged, what_a_pod_may_have_of_it_goes_first_and_holds_up_nothing_else) {
  TreeFacts tree = left_with_pod("pv-1", "pv-1");
  tree.attachments.push_back({driver, "pv-2", {}, std::nullopt, staged + "pv-2"});
  start(std::move(tree));
  install(shell);
  shell.list({});
  EXPECT_THAT(shell.doing(),
              testing::UnorderedElementsAre("unpublish default/web/pv-1", "detach example.com/share/pv-2"));
  shell.fail("unpublish default/web/pv-1", error_of(ErrorKind::Uncertain, "DriverFailed"));
  EXPECT_THAT(shell.doing(), Not(Contains("detach " + key)));
  shell.end("detach example.com/share/pv-2");
  while (shell.in_flight.empty())
    shell.wake();
  EXPECT_THAT(shell.doing(), ElementsAre("unpublish default/web/pv-1"));
  shell.finish();
  EXPECT_THAT(shell.gone, ElementsAre("web"));
  while (shell.in_flight.empty())
    shell.wake();
  EXPECT_THAT(shell.doing(), ElementsAre("detach " + key));
}

TEST_F(FlexStaged, what_is_mounted_and_in_no_record_is_left_alone) {
  start(left(), {{root_dir + "/" + staged + "pv-1", "ext4"}});
  install(shell);
  shell.list({});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_THAT(shell.core.devices(), IsEmpty());
}

TEST_F(FlexStaged, what_is_not_of_the_layout_is_left_alone) {
  TreeFacts tree = left();
  tree.attachments[0].staged_path = "plugins/elsewhere/pv-1";
  tree.attachments[0].handle = "a/../b";
  start(std::move(tree));
  install(shell);
  shell.list({});
  EXPECT_THAT(steps_of<UnstageFlexVolume>(shell), IsEmpty());
}

TEST_F(FlexStaged, a_pod_that_comes_back_gets_it_attached_again_and_it_is_never_detached) {
  Shell before;
  before.start();
  install(before);
  before.write("web", {{"v", share}});
  ASSERT_THAT(before.core.devices(), SizeIs(1));
  const std::string known = before.core.devices()[0].key;
  shell.write("web", {{"v", share}});
  start(left_with_pod(known.substr(driver.str().size() + 1), "v"));
  shell.list({"web.yaml"});
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(shell.in_flight, IsEmpty()) << "the pod has it as soon as its driver can be used";
    shell.advance(2s);
  }
  install(shell);
  EXPECT_THAT(shell.doing(), ElementsAre("attach " + known));
  EXPECT_THAT(steps_of<StageFlexVolume>(shell), SizeIs(1));
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
  shell.remove("web");
  shell.finish();
  EXPECT_THAT(shell.core.devices(), IsEmpty());
}

}  // namespace
}  // namespace mooring
