// CSI drivers get one call for a volume at a time, whichever pods it is for.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string reg = "/var/lib/mooring/plugins_registry/d-reg.sock";
const std::string stage = "stage kubernetes.io/csi/d.example.com^h";
const std::string unstage = "unstage kubernetes.io/csi/d.example.com^h";
const std::string publish_a = "publish default/a/v";
const std::string publish_b = "publish default/b/v";
const std::string unpublish_a = "unpublish default/a/v";
const std::string unpublish_b = "unpublish default/b/v";

const std::string storage =
    "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: pv}\nspec:\n  capacity: {storage: 1Gi}\n"
    "  accessModes: [ReadWriteOnce]\n  claimRef: {namespace: default, name: claim}\n"
    "  csi: {driver: d.example.com, volumeHandle: h}\n---\n"
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: claim}\nspec:\n"
    "  accessModes: [ReadWriteOnce]\n  volumeName: pv\n  storageClassName: ''\n"
    "  resources: {requests: {storage: 1Gi}}\n";

class DriverTurns : public testing::Test {
 protected:
  void SetUp() override {
    shell.write_text("storage.yaml", storage);
    for (const char* pod : {"a", "b"})
      shell.write(pod, {{"v", "persistentVolumeClaim: {claimName: claim}"}});
    shell.start({"storage.yaml", "a.yaml", "b.yaml"});
    shell.feed(RegistrySockets{{{reg, {1, 1, 0}}}});
    Outcome found;
    CsiDriver& driver = found.csi_driver.emplace();
    driver.name = DriverName("d.example.com");
    driver.socket = "/run/d.sock";
    driver.version = "1.0.0";
    driver.node_id = "n1";
    driver.node.stage_unstage = true;
    shell.end("ask the driver at " + reg, found);
    shell.end("answer the registration at " + reg);
    shell.end(stage);
  }
  Shell shell;
};

TEST_F(DriverTurns, two_pods_of_a_volume_get_it_one_after_the_other) {
  ASSERT_THAT(shell.doing(), ElementsAre(publish_a));
  EXPECT_NE(shell.pod("b").volumes.front().reason, "");
  shell.end(publish_a);
  EXPECT_THAT(shell.doing(), ElementsAre(publish_b));
  shell.end(publish_b);
  EXPECT_THAT(shell.doing(), IsEmpty());
}

TEST_F(DriverTurns, a_pod_whose_turn_fails_lets_the_next_one_have_its_own) {
  shell.fail(publish_a, error_of(ErrorKind::Uncertain, "PublishFailed"));
  EXPECT_THAT(shell.doing(), ElementsAre(publish_b));
}

TEST_F(DriverTurns, one_pod_lets_it_go_while_the_other_one_gets_it) {
  shell.end(publish_a);
  shell.remove("a");
  EXPECT_THAT(shell.doing(), ElementsAre(publish_b));
  shell.end(publish_b);
  EXPECT_THAT(shell.doing(), ElementsAre(unpublish_a));
}

TEST_F(DriverTurns, both_let_it_go_one_after_the_other_and_then_the_node) {
  shell.end(publish_a);
  shell.end(publish_b);
  shell.remove("a");
  shell.remove("b");
  ASSERT_THAT(shell.doing(), ElementsAre(unpublish_a));
  shell.end(unpublish_a);
  EXPECT_TRUE(shell.is_in_flight(unpublish_b));
  shell.end(unpublish_b);
  EXPECT_TRUE(shell.is_in_flight(unstage));
}

}  // namespace
}  // namespace mooring
