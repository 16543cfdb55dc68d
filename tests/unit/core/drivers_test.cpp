// Drivers outside, as the core has them: asked by workers of their own, told of, and waited for by nobody
// else.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string reg = "/var/lib/mooring/plugins_registry/d-reg.sock";
const std::string asking = "ask the driver at " + reg;
const std::string answering = "answer the registration at " + reg;

Outcome found(const std::string& name = "d.example.com") {
  Outcome outcome;
  CsiDriver& driver = outcome.csi_driver.emplace();
  driver.name = DriverName(name);
  driver.socket = "/run/d.sock";
  driver.version = "1.0.0";
  driver.vendor_version = "v3";
  driver.node_id = "n1";
  driver.topology = {{"zone", "a"}};
  driver.volumes_max = 5;
  driver.node.stage_unstage = true;
  driver.controller.emplace().create_delete_volume = true;
  driver.expands_online = true;
  return outcome;
}

RegistrySockets sockets(std::uint64_t inode = 1) {
  return {{{reg, {1, inode, 0}}}};
}

/// With one driver registered.
void register_driver(Shell& shell) {
  shell.feed(sockets());
  shell.end(asking, found());
  shell.end(answering);
}

TEST(Drivers, kb_15_1_a_socket_in_the_registry_is_asked_by_a_worker_of_its_own) {
  Shell shell;
  shell.start();
  shell.feed(sockets());
  ASSERT_THAT(shell.doing(), ElementsAre(asking));
  const Operation& operation = shell.in_flight.front();
  EXPECT_EQ(operation.lane, Lane::Own);
  EXPECT_GE(operation.deadline_ms, 60'000u);
  EXPECT_TRUE(operation.pod.empty());
  EXPECT_EQ(operation.steps, (std::vector<Step>{ProbeCsiDriver{reg, true, {}}}));
  EXPECT_TRUE(shell.last.drivers_changed);
}

TEST(Drivers, kb_15_1_a_driver_is_told_that_it_is_registered) {
  Shell shell;
  shell.start();
  shell.feed(sockets());
  shell.end(asking, found());
  ASSERT_THAT(shell.doing(), ElementsAre(answering));
  EXPECT_EQ(shell.in_flight.front().steps, (std::vector<Step>{NotifyRegistration{reg, true, ""}}));
  EXPECT_EQ(shell.count("DriverRegistered driver/d.example.com"), 1);
}

TEST(Drivers, are_shown_with_all_that_is_known_of_them) {
  Shell shell;
  shell.start();
  register_driver(shell);
  ASSERT_EQ(shell.core.drivers().size(), 1u);
  const DriverStatus status = shell.core.drivers().front();
  EXPECT_EQ(status.kind, "CSI");
  EXPECT_EQ(status.name, "d.example.com");
  EXPECT_EQ(status.state, "Registered");
  EXPECT_EQ(status.socket, reg);
  EXPECT_EQ(status.endpoint, "/run/d.sock");
  EXPECT_EQ(status.version, "1.0.0");
  EXPECT_EQ(status.vendor_version, "v3");
  EXPECT_EQ(status.node_id, "n1");
  EXPECT_EQ(status.topology.at("zone"), "a");
  EXPECT_EQ(status.volumes_max, 5);
  EXPECT_THAT(status.capabilities, ElementsAre("Node/STAGE_UNSTAGE_VOLUME", "Controller/CREATE_DELETE_VOLUME",
                                               "VolumeExpansion/ONLINE"));
  EXPECT_EQ(status.reason, "");
}

TEST(Drivers, say_what_their_object_asks_for_in_vain) {
  Shell shell;
  shell.start();
  register_driver(shell);
  EXPECT_THAT(shell.core.drivers().front().notes, IsEmpty());
  shell.write_text("d.yaml",
                   "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: d.example.com}\n"
                   "spec: {seLinuxMount: true, tokenRequests: [{audience: a}]}\n");
  EXPECT_THAT(shell.core.drivers().front().notes,
              ElementsAre(HasSubstr("this node has no SELinux"), HasSubstr("serviceAccount.tokens")));
  shell.show_mounts({{"/sys/fs/selinux", "selinuxfs"}});
  EXPECT_THAT(shell.core.drivers().front().notes, Contains(HasSubstr("selinuxRelabel")));
}

TEST(Drivers, that_hang_are_waited_for_by_nobody) {
  Shell shell;
  shell.start();
  shell.feed(sockets());
  EXPECT_TRUE(shell.core.is_settled());
  EXPECT_EQ(shell.core.drivers().front().state, "Waiting");
  shell.write("web", {{"v", "emptyDir: {}"}});
  EXPECT_TRUE(shell.is_in_flight("publish default/web/v"));
}

TEST(Drivers, are_asked_before_the_node_was_looked_at) {
  Shell shell;
  shell.feed(sockets());
  EXPECT_THAT(shell.doing(), Contains(asking));
}

TEST(Drivers, that_do_not_answer_are_asked_again_and_say_why) {
  Shell shell;
  shell.start();
  shell.feed(sockets());
  shell.fail(asking, error_of(ErrorKind::Transient, "DriverNotAnswering", "no answer in time"));
  const DriverStatus status = shell.core.drivers().front();
  EXPECT_EQ(status.state, "Waiting");
  EXPECT_EQ(status.reason, "DriverNotAnswering");
  EXPECT_THAT(status.message, HasSubstr("no answer in time"));
  EXPECT_EQ(status.action, "mend it");
  EXPECT_EQ(status.attempts, 1u);
  EXPECT_TRUE(status.next_retry);
  EXPECT_THAT(shell.doing(), IsEmpty());
  shell.wake();
  EXPECT_THAT(shell.doing(), ElementsAre(asking));
  shell.end(asking, found());
  EXPECT_EQ(shell.core.drivers().front().state, "Registered");
  EXPECT_EQ(shell.core.drivers().front().reason, "");
}

TEST(Drivers, whose_worker_is_lost_are_asked_again) {
  Shell shell;
  shell.start();
  shell.feed(sockets());
  shell.fail(asking, worker_lost());
  shell.wake();
  EXPECT_THAT(shell.doing(), ElementsAre(asking));
}

TEST(Drivers, kb_15_1_that_are_refused_are_told_why) {
  Shell shell;
  shell.start();
  shell.feed(sockets());
  shell.fail(asking, error_of(ErrorKind::Final, "NoHandler", "no handler registered for plugin type: X"));
  EXPECT_EQ(shell.count("DriverRefused driver/" + reg), 1);
  ASSERT_THAT(shell.doing(), ElementsAre(answering));
  EXPECT_EQ(shell.in_flight.front().steps,
            (std::vector<Step>{NotifyRegistration{reg, false, "no handler registered for plugin type: X"}}));
  EXPECT_EQ(shell.core.drivers().front().state, "Refused");
}

TEST(Drivers, kb_15_1_are_gone_with_their_socket_and_come_back_with_it) {
  Shell shell;
  shell.start();
  register_driver(shell);
  shell.feed(RegistrySockets{});
  EXPECT_THAT(shell.core.drivers(), IsEmpty());
  EXPECT_EQ(shell.count("DriverGone driver/d.example.com"), 1);
  shell.feed(sockets(2));
  shell.end(asking, found());
  EXPECT_EQ(shell.core.drivers().front().state, "Registered");
  EXPECT_EQ(shell.count("DriverRegistered driver/d.example.com"), 2);
}

TEST(Drivers, a_notification_that_fails_leaves_the_driver_registered) {
  Shell shell;
  shell.start();
  shell.feed(sockets());
  shell.end(asking, found());
  shell.fail(answering, error_of(ErrorKind::Transient, "DriverNotAnswering"));
  EXPECT_EQ(shell.core.drivers().front().state, "Registered");
  EXPECT_EQ(shell.count("DriverNotTold driver/" + reg), 1);
}

TEST(Drivers, of_the_configuration_are_asked_without_a_registry) {
  CoreOptions options = core_options();
  options.csi_drivers = {{DriverName("d.example.com"), "/run/d.sock"}};
  Shell shell(options);
  shell.start();
  const std::string asking_it = "ask the driver at /run/d.sock";
  ASSERT_THAT(shell.doing(), Contains(asking_it));
  EXPECT_EQ(shell.core.drivers().front().name, "d.example.com");
  EXPECT_EQ(shell.core.drivers().front().state, "Waiting");
  shell.end(asking_it, found());
  EXPECT_THAT(shell.doing(), IsEmpty());
  EXPECT_EQ(shell.core.drivers().front().state, "Registered");
  shell.wake();
  shell.fail(asking_it, error_of(ErrorKind::Transient, "DriverNotAnswering"));
  EXPECT_EQ(shell.core.drivers().front().state, "NotAnswering");
}

/// A claim on a volume of the driver.
const std::string storage =
    "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: pv}\nspec:\n  capacity: {storage: 1Gi}\n"
    "  accessModes: [ReadWriteOnce]\n  claimRef: {namespace: default, name: claim}\n"
    "  csi: {driver: d.example.com, volumeHandle: h}\n---\n"
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: claim}\nspec:\n"
    "  accessModes: [ReadWriteOnce]\n  volumeName: pv\n  storageClassName: ''\n"
    "  resources: {requests: {storage: 1Gi}}\n";

TEST(Drivers, that_are_gone_after_a_restart_are_named_by_the_volumes_of_an_earlier_run) {
  const Sources claim{{"v", "persistentVolumeClaim: {claimName: claim}"}};
  Shell first;
  first.write_text("storage.yaml", storage);
  first.write("web", claim);
  first.start({"storage.yaml", "web.yaml"});
  register_driver(first);
  first.finish();
  ASSERT_TRUE(first.pod("web").ready);
  ASSERT_EQ(first.device_records.size(), 1u);

  Shell shell;
  shell.ledger = first.ledger;
  shell.write_text("storage.yaml", storage);
  shell.write("web", claim);
  shell.feed(RecordsRead{{first.records.at(uid_of("web"))}, {}, {first.device_records.begin()->second}});
  shell.show_mounts({{first.volume("web", "v").path, "ext4"}});
  FoundPod found_pod{uid_of("web"), true, Namespace("default"), ObjectName("web"), {}, {}};
  found_pod.volumes.push_back({PluginName("kubernetes.io/csi"), VolumeDirectory("pv"), true});
  shell.end_scan({{found_pod}, {}});
  shell.list({"storage.yaml", "web.yaml"});
  EXPECT_FALSE(shell.pod("web").ready);
  EXPECT_EQ(shell.volume("web", "v").reason, "DriverNotRegistered");
  EXPECT_THAT(shell.volume("web", "v").message, HasSubstr("d.example.com"));
  EXPECT_FALSE(shell.is_in_flight("unpublish default/web/v"));
  register_driver(shell);
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
}

/// What a plugin of drivers was told when it was asked last for a recipe.
struct Told {
  int asked = 0;
  bool has_driver = false;
};

/// Makes nothing, and remembers what it was told.
class DriverPlugin : public Plugin {
 public:
  explicit DriverPlugin(Told& told) : told_(told) {}
  PluginName name() const override { return PluginName("kubernetes.io/csi"); }
  PluginSupport support() const override { return {}; }
  bool takes(const manifest::VolumeSource& source) const override {
    return std::holds_alternative<manifest::CsiSource>(source);
  }
  Result<Recipe> recipe(const RecipeRequest& request) const override {
    ++told_.asked;
    told_.has_driver = request.drivers.find_csi(DriverName("d.example.com")) != nullptr;
    return refusal("DriverNotRegistered", "driver name d.example.com not found in the list", "x");
  }
  std::vector<Step> removal(const Remains&) const override { return {}; }

 private:
  Told& told_;
};

class DriverUsers : public testing::Test {
 protected:
  DriverUsers() : plugins(make()), core(core_options(), plugins) {
    feed(RecordsRead{});
    core.handle(LedgerRead{Ledger{}}, now);
    feed(MountsRead{std::make_shared<const MountTable>()});
    Outcome scanned;
    scanned.tree = TreeFacts{};
    end("read the tree below the root directory", scanned);
    feed(ListingCompleted{{"web.yaml", "d.yaml"}});
    feed(FileParsed{
        manifest::parse_file(pod_yaml("web", {{"v", "csi: {driver: d.example.com}"}}), "web.yaml")});
  }
  PluginRegistry make() {
    std::vector<std::unique_ptr<const Plugin>> all;
    all.push_back(std::make_unique<DriverPlugin>(told));
    return PluginRegistry(std::move(all));
  }
  void feed(Event event) {
    core.handle(std::move(event), now);
    for (Operation& operation : core.take_effects(now).operations)
      in_flight.push_back(std::move(operation));
  }
  void end(const std::string& what, Outcome outcome) {
    const auto one =
        std::find_if(in_flight.begin(), in_flight.end(), [&](const auto& o) { return o.what == what; });
    ASSERT_NE(one, in_flight.end()) << what;
    outcome.id = one->id;
    in_flight.erase(one);
    feed(OperationEnded{std::move(outcome)});
  }

  Told told;
  PluginRegistry plugins;
  Core core;
  Instant now{MonotonicTime{1000s}, WallTime{1'000'000h}};
  std::vector<Operation> in_flight;
};

TEST_F(DriverUsers, are_looked_at_again_when_their_driver_comes_and_when_it_goes) {
  EXPECT_GT(told.asked, 0);
  EXPECT_FALSE(told.has_driver);
  EXPECT_EQ(core.pod_status(uid_of("web"))->volumes.at(0).reason, "DriverNotRegistered");
  feed(sockets());
  const int before = told.asked;
  end(asking, found());
  EXPECT_GT(told.asked, before);
  EXPECT_TRUE(told.has_driver);
  feed(RegistrySockets{});
  EXPECT_FALSE(told.has_driver);
}

TEST_F(DriverUsers, are_looked_at_again_when_the_drivers_object_changes) {
  const int before = told.asked;
  feed(FileParsed{manifest::parse_file(
      "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: d.example.com}\nspec: {}\n",
      "d.yaml")});
  EXPECT_GT(told.asked, before);
  const int after = told.asked;
  feed(FileParsed{
      manifest::parse_file("# the same\napiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: "
                           "d.example.com}\nspec: {}\n",
                           "d.yaml")});
  EXPECT_EQ(told.asked, after);
}

}  // namespace
}  // namespace mooring
