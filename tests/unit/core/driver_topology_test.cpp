// Where a driver says that the node is counts as labels of the node, as the kubelet writes it to them.

#include "csi_shared_fixture.h"

namespace mooring {
namespace {

using namespace csi_shared;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string zone = "topology.d.example.com/zone";
const std::string in_zone =
    "  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: " + zone +
    ", operator: In, values: [a]}]}]}}\n";

CoreOptions options_with(const std::string& label) {
  CoreOptions options = options_of(false);
  if (!label.empty()) options.node.labels[zone] = label;
  return options;
}

/// A node with a PersistentVolume for the zone "a" alone, whose driver is not there yet.
struct DriverTopology : CsiAttach {
  Outcome driver_in(const std::string& place) const {
    Outcome outcome = driver();
    outcome.csi_driver->topology = {{zone, place}};
    return outcome;
  }
  static std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  }
  static std::string placed(const std::string& text) {
    return replaced(text, "  capacity: {storage: 1Gi}\n", "  capacity: {storage: 1Gi}\n" + in_zone);
  }
  static void begin(Shell& shell, const std::string& text) {
    shell.write_text("storage.yaml", text);
    shell.feed(RecordsRead{});
    shell.show_mounts();
    shell.end_scan({});
    shell.list({"storage.yaml"});
    shell.write("web", claim_volume);
  }
};

TEST_F(DriverTopology, kb_5_4_says_which_volumes_are_for_this_node) {
  for (const char* place : {"a", "b"}) {
    Shell node(options_with(""));
    begin(node, placed(storage_yaml()));
    EXPECT_EQ(node.volume("web", "v").reason, "NodeAffinityMismatch");
    EXPECT_THAT(node.doing(), ElementsAre(asking));
    node.end(asking, driver_in(place));
    if (std::string(place) == "a") {
      EXPECT_THAT(node.doing(), ElementsAre(attach));
    } else {
      EXPECT_EQ(node.volume("web", "v").reason, "NodeAffinityMismatch");
      EXPECT_THAT(node.doing(), IsEmpty());
    }
  }
}

TEST_F(DriverTopology, does_not_count_against_the_labels_that_were_configured) {
  for (const char* label : {"a", "b"}) {
    Shell node(options_with(label));
    begin(node, placed(storage_yaml()));
    node.end(asking, driver_in(std::string(label) == "a" ? "b" : "a"));
    EXPECT_EQ(node.is_in_flight(attach), std::string(label) == "a");
  }
}

TEST_F(DriverTopology, lets_a_claim_choose_when_it_is_known) {
  const std::string unnamed = replaced(storage_yaml(), "  volumeName: pv\n", "");
  begin(shell, placed(replaced(unnamed, "  claimRef: {namespace: default, name: claim}\n", "")));
  const ObjectKey claim{Namespace("default"), ObjectName("claim")};
  EXPECT_TRUE(shell.core.claim_status(claim)->volume.empty());
  shell.end(asking, driver_in("a"));
  EXPECT_EQ(shell.core.claim_status(claim)->volume, "pv");
  EXPECT_THAT(shell.doing(), ElementsAre(attach));
}

TEST_F(DriverTopology, counts_for_volumes_of_other_kinds_too) {
  const std::string local = replaced(storage_yaml(), "csi: {driver: d.example.com, volumeHandle: h}",
                                     "local: {path: /mnt/disks/a}");
  begin(shell, placed(local));
  EXPECT_EQ(shell.volume("web", "v").reason, "NodeAffinityMismatch");
  shell.end(asking, driver_in("a"));
  EXPECT_THAT(shell.doing(), ElementsAre(publish("web")));
}

TEST_F(DriverTopology, that_is_not_known_yet_takes_nothing_from_a_pod_that_has_it) {
  Shell earlier(options_of(false));
  earlier.write_text("storage.yaml", placed(storage_yaml()));
  earlier.start({"storage.yaml"});
  shell.ledger = earlier.ledger;
  // All records are lost.
  TreeFacts tree;
  tree.pods = {{uid_of("web"), true, Namespace("default"), ObjectName("web"), {}, {}}};
  tree.pods[0].volumes = {{layout::csi_plugin(), VolumeDirectory("pv"), true}};
  shell.write_text("storage.yaml", placed(storage_yaml()));
  shell.write("web", claim_volume);
  shell.feed(RecordsRead{});
  shell.show_mounts({{root_dir + "/" + layout::csi_target(uid_of("web"), VolumeDirectory("pv")), "ext4"}});
  shell.end_scan(tree);
  shell.list({"storage.yaml", "web.yaml"});
  EXPECT_FALSE(shell.is_in_flight("unpublish default/web/pv"));
  EXPECT_FALSE(shell.is_in_flight(unpublish("web")));
  shell.end(asking, driver_in("a"));
  EXPECT_THAT(shell.doing(), ElementsAre(attach));
}

}  // namespace
}  // namespace mooring
