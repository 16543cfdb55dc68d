// What people, programs and runtimes are told of devices.

#include <gmock/gmock.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string key = "kubernetes.io/block/data";

/// A PersistentVolume on an image, and the claim that it is bound to.
std::string storage_yaml(const std::string& mode, const std::string& access = "ReadWriteOnce") {
  return "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: pv}\nspec:\n  capacity: {storage: 1Gi}\n"
         "  accessModes: [" +
         access + "]\n  volumeMode: " + mode +
         "\n  claimRef: {namespace: default, name: claim}\n  csi:\n    driver: block.mooring.io\n"
         "    volumeHandle: data\n    volumeAttributes: {image: /srv/data.img, size: 1Gi}\n---\n"
         "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: claim}\nspec:\n  accessModes: [" +
         access + "]\n  volumeName: pv\n  storageClassName: ''\n  volumeMode: " + mode +
         "\n  resources: {requests: {storage: 1Gi}}\n";
}

std::string pod_text(const std::string& name, const std::string& containers) {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec:\n  containers:\n" + containers +
         "  volumes: [{name: v, persistentVolumeClaim: {claimName: claim}}, {name: d, emptyDir: {}}]\n";
}
const std::string raw_container = "  - {name: main, volumeDevices: [{name: v, devicePath: /dev/xvda}]}\n";

/// The pod "web" with these containers, and all that it asks for is done.
void publish(Shell& shell, const std::string& containers,
             const std::string& storage = storage_yaml("Block")) {
  shell.start();
  shell.write_text("storage.yaml", storage);
  shell.write_text("web.yaml", pod_text("web", containers));
  shell.finish();
}

Result<std::vector<ContainerDevice>> ask(const Shell& shell, const std::string& container = "") {
  return shell.core.container_devices(uid_of("web"), ContainerName(container));
}
std::vector<std::string> said(const Result<std::vector<ContainerDevice>>& devices) {
  std::vector<std::string> lines;
  if (!devices) return {devices.error().reason};
  for (const ContainerDevice& device : devices.value())
    lines.push_back(device.container.str() + " " + device.volume.str() + " " + device.destination + " " +
                    device.permissions);
  return lines;
}

TEST(ContainerDevices, kb_14_are_the_links_with_the_paths_and_permissions_that_a_runtime_needs) {
  Shell shell;
  publish(shell, raw_container +
                     "  - {name: side, volumeDevices: [{name: v, devicePath: /dev/xvdb}],"
                     " volumeMounts: [{name: d, mountPath: /d}]}\n  - {name: none}\n");
  ASSERT_THAT(said(ask(shell)), ElementsAre("main v /dev/xvda mrw", "side v /dev/xvdb mrw"));
  EXPECT_EQ(ask(shell).value()[0].source,
            root_dir + "/" +
                layout::device(uid_of("web"), PluginName("kubernetes.io/block"), VolumeDirectory("pv")));
  EXPECT_THAT(said(ask(shell, "side")), ElementsAre("side v /dev/xvdb mrw"));
  EXPECT_THAT(said(ask(shell, "none")), IsEmpty());
  // They are no mounts.
  const auto mounts = shell.core.container_mounts(uid_of("web"), ContainerName());
  ASSERT_TRUE(mounts);
  ASSERT_EQ(mounts.value().size(), 1u);
  EXPECT_EQ(mounts.value()[0].destination, "/d");
}

TEST(ContainerDevices, kb_14_of_a_volume_that_is_only_read_have_no_permission_to_write) {
  Shell shell;
  publish(shell, raw_container, storage_yaml("Block", "ReadOnlyMany"));
  EXPECT_THAT(said(ask(shell)), ElementsAre("main v /dev/xvda r"));
}

TEST(ContainerDevices, at_a_path_that_is_not_absolute_are_an_error_that_names_it) {
  Shell shell;
  publish(shell, "  - {name: main, volumeDevices: [{name: v, devicePath: xvda}]}\n  - {name: side}\n");
  const auto devices = ask(shell, "main");
  ASSERT_FALSE(devices);
  EXPECT_EQ(devices.error().reason, "InvalidDevicePath");
  EXPECT_EQ(devices.error().kind, ErrorKind::Final);
  EXPECT_THAT(devices.error().message, HasSubstr("\"xvda\""));
  EXPECT_THAT(said(ask(shell, "side")), IsEmpty());
}

TEST(ContainerDevices, of_a_pod_that_is_not_ready_or_unknown_are_an_error) {
  Shell shell;
  EXPECT_THAT(said(ask(shell)), ElementsAre("NoSuchPod"));
  shell.start();
  shell.write_text("storage.yaml", storage_yaml("Block"));
  shell.write_text("web.yaml", pod_text("web", raw_container));
  EXPECT_THAT(said(ask(shell)), ElementsAre("NotReady"));
  shell.finish();
  EXPECT_THAT(said(ask(shell, "other")), ElementsAre("NoSuchContainer"));
}

TEST(ContainerDevices, of_a_volume_that_the_live_pod_has_as_a_directory_are_an_error) {
  Shell shell;
  publish(shell, "  - {name: main, volumeMounts: [{name: v, mountPath: /v}]}\n", storage_yaml("Filesystem"));
  shell.write_text("storage.yaml", storage_yaml("Block"));
  shell.write_text("web.yaml", pod_text("web", raw_container));
  ASSERT_TRUE(shell.pod("web").ready);
  EXPECT_THAT(said(ask(shell)), ElementsAre("SpecChangeIgnored"));
}

class LeftDevices : public testing::Test {
 protected:
  void SetUp() override {
    publish(shell, "  - {name: main, volumeMounts: [{name: v, mountPath: /v}]}\n",
            storage_yaml("Filesystem"));
    ASSERT_THAT(problems(), IsEmpty());
    shell.remove("web");
    shell.end("unpublish default/web/v");
  }
  std::vector<std::string> problems() const { return shell.core.node_status().problems; }
  DeviceStatus device() const { return shell.core.devices().at(0); }

  Shell shell;
};

TEST_F(LeftDevices, that_cannot_be_taken_down_are_a_problem_of_the_node) {
  EXPECT_EQ(device().phase, Phase::Unstaging);
  EXPECT_THAT(problems(), IsEmpty());
  shell.fail("unstage " + key, error_of(ErrorKind::Transient, "DeviceBusy", "process 7 has it open"));
  shell.finish();
  EXPECT_THAT(problems(), ElementsAre("device " + key +
                                      ": no pod has it any more, and it cannot be taken down: process 7 has "
                                      "it open"));
  shell.wake();
  EXPECT_EQ(problems().size(), 1u);  // Until it is known to be better.
  shell.end("unstage " + key);
  EXPECT_EQ(device().phase, Phase::Detaching);
  EXPECT_THAT(problems(), IsEmpty());
  shell.fail("detach " + key, error_of(ErrorKind::Transient, "DeviceBusy", "process 8 has it open"));
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("process 8")));
}

TEST_F(LeftDevices, whose_worker_hangs_are_a_problem_of_the_node) {
  shell.end("remove the directory of default/web");
  ASSERT_THAT(shell.doing(), ElementsAre("unstage " + key));
  shell.feed(OperationStuck{shell.in_flight.front().id, 4711});
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("4711")));
  EXPECT_EQ(device().phase, Phase::Stuck);
}

TEST_F(LeftDevices, that_a_pod_wants_again_are_its_own_to_tell_of) {
  shell.fail("unstage " + key, error_of(ErrorKind::Transient, "DeviceBusy", "process 7 has it open"));
  shell.write_text("next.yaml",
                   pod_text("next", "  - {name: main, volumeMounts: [{name: v, mountPath: /v}]}\n"));
  EXPECT_THAT(problems(), IsEmpty());
}

TEST(DeviceProblems, that_no_pod_could_be_given_are_no_problem_of_the_node) {
  Shell shell;
  shell.start();
  shell.write_text("storage.yaml", storage_yaml("Filesystem"));
  shell.write_text("web.yaml",
                   pod_text("web", "  - {name: main, volumeMounts: [{name: v, mountPath: /v}]}\n"));
  shell.fail("attach " + key, error_of(ErrorKind::Transient, "DeviceMissing", "there is none"));
  EXPECT_THAT(shell.core.node_status().problems, IsEmpty());  // The pod tells.
  EXPECT_EQ(shell.volume("web", "v").reason, "DeviceMissing");
}

TEST(DeviceChanges, are_told_to_have_changed_when_they_have_and_not_else) {
  Shell shell;
  shell.start();
  shell.write("other", {{"v", disk}});
  EXPECT_FALSE(shell.last.devices_changed);
  shell.finish();
  EXPECT_FALSE(shell.last.devices_changed);
  shell.write_text("storage.yaml", storage_yaml("Filesystem"));
  shell.write_text("web.yaml",
                   pod_text("web", "  - {name: main, volumeMounts: [{name: v, mountPath: /v}]}\n"));
  EXPECT_TRUE(shell.last.devices_changed);
  for (const std::string& what : {"attach " + key, "stage " + key}) {
    shell.end(what);
    EXPECT_TRUE(shell.last.devices_changed) << what;
  }
  shell.finish();
  shell.remove("web");
  shell.finish();
  EXPECT_THAT(shell.core.devices(), IsEmpty());
  EXPECT_TRUE(shell.last.devices_changed);
}

}  // namespace
}  // namespace mooring
