// What the fake's devices can do besides the port: faults, reboots, hardware that comes and goes.

#include <gmock/gmock.h>

#include "kernel/fake/fake_kernel.h"
#include "node.h"

namespace mooring::kernel::contract {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t gibibyte = 1024ULL * 1024 * 1024;

class FakeDevicesTest : public ::testing::Test {
 protected:
  Devices& devices() { return kernel_.ports().devices; }
  fake::FakeDisks& disks() { return kernel_.disks(); }
  DeviceFacts at(const std::string& path) {
    const auto found = devices().find({DeviceName::Kind::Path, path});
    EXPECT_TRUE(succeeds(found));
    return found ? found.value() : DeviceFacts();
  }
  void fault_at(const std::string& call, bool before, Fault fault) {
    kernel_.set_hook([=](std::string_view asked, const std::string&, bool is_before) {
      return asked == call && is_before == before ? fault : Fault::none();
    });
  }
  FakeKernel kernel_{"/var/lib/root"};
};

TEST_F(FakeDevicesTest, EveryCallAsksTheHookBeforeAndAfter) {
  std::vector<std::string> asked;
  ASSERT_EQ(kernel_.put_directory("/i"), 0);
  ASSERT_EQ(kernel_.put_directory("/m"), 0);
  ASSERT_TRUE(succeeds(devices().make_image("/i/a", gibibyte)));
  const DeviceFacts device = devices().attach_image("/i/a", false).value();
  kernel_.set_hook([&](std::string_view call, const std::string& path, bool before) {
    asked.push_back(std::string(call) + " " + path + (before ? "" : " done"));
    return Fault::none();
  });
  (void)devices().find({DeviceName::Kind::Image, "/i/a"});
  (void)devices().make_image("/i/a", 1);
  (void)devices().attach_image("/i/a", false);
  (void)devices().grow_image("/i/a", 1);
  (void)devices().lock(device);
  (void)devices().probe(device);
  (void)devices().is_free(device);
  (void)devices().holders(device);
  (void)devices().format(device, {"ext4", "u"});
  (void)devices().check(device, "ext4");
  (void)devices().grow_file_system(device, "ext4", "/m");
  (void)devices().detach_image("/i/a");
  const std::string node = " " + device.node;
  EXPECT_THAT(
      asked,
      ElementsAre("find /i/a", "find /i/a done", "make_image /i/a", "make_image /i/a done",
                  "attach_image /i/a", "attach_image /i/a done", "grow_image /i/a", "grow_image /i/a done",
                  "lock" + node, "lock" + node + " done", "probe" + node, "probe" + node + " done",
                  "is_free" + node, "is_free" + node + " done", "holders" + node, "holders" + node + " done",
                  "format" + node, "format.half" + node, "format" + node + " done", "check" + node,
                  "check" + node + " done", "grow_file_system" + node, "grow_file_system" + node + " done",
                  "detach_image /i/a", "detach_image /i/a done"));
}

TEST_F(FakeDevicesTest, ALinkNamesADeviceAndOneOutOfDevDoesNot) {
  ASSERT_EQ(disks().put_device("/dev/sdb", gibibyte), 0);
  ASSERT_EQ(kernel_.put_symlink("/dev/disk/by-id/wwn-1", "../../sdb"), 0);
  EXPECT_EQ(at("/dev/disk/by-id/wwn-1").node, "/dev/sdb");
  ASSERT_EQ(kernel_.put_block_device("/srv/sdc"), 0);
  ASSERT_EQ(kernel_.put_symlink("/dev/out", "/srv/sdc"), 0);
  EXPECT_TRUE(fails(devices().find({DeviceName::Kind::Path, "/dev/out"}), "NotADevice", 0, ErrorKind::Final));
}

TEST_F(FakeDevicesTest, ACrashInTheMiddleOfFormattingLeavesNeitherOldNorNew) {
  ASSERT_EQ(disks().put_device("/dev/sdb", gibibyte), 0);
  const DeviceFacts device = at("/dev/sdb");
  fault_at("format", true, Fault::crash());
  EXPECT_THROW((void)devices().format(device, {"ext4", "u-1"}), FakeCrash);
  EXPECT_EQ(disks().content("/dev/sdb"), DeviceContent());
  fault_at("format.half", true, Fault::crash());
  EXPECT_THROW((void)devices().format(device, {"ext4", "u-1"}), FakeCrash);
  EXPECT_FALSE(disks().content("/dev/sdb")->signature);
  EXPECT_EQ(disks().content("/dev/sdb")->data_offset, 0U);
  EXPECT_EQ(disks().formats("/dev/sdb"), 0U);
  kernel_.set_hook({});
  ASSERT_TRUE(succeeds(devices().format(device, {"ext4", "u-1"})));
  EXPECT_EQ(disks().content("/dev/sdb")->signature->uuid, "u-1");
  EXPECT_EQ(disks().formats("/dev/sdb"), 1U);
}

TEST_F(FakeDevicesTest, FormattingLosesWhatWasThere) {
  ASSERT_EQ(disks().put_device("/dev/sdb", gibibyte), 0);
  ASSERT_EQ(disks().put_file_system("/dev/sdb", "ext4", "old"), 0);
  const fake::MountSource* source = kernel_.source("/dev/sdb");
  ASSERT_NE(source, nullptr);
  source->file_system->add(*source->file_system->root, "precious", FileType::Regular, 0644, "data");
  EXPECT_THAT(disks().files_on("/dev/sdb"), ElementsAre("precious"));
  EXPECT_EQ(disks().read_on("/dev/sdb", "precious"), "data");
  ASSERT_TRUE(succeeds(devices().format(at("/dev/sdb"), {"ext4", "new"})));
  EXPECT_THAT(disks().files_on("/dev/sdb"), IsEmpty());
}

TEST_F(FakeDevicesTest, ARebootDetachesImagesAndKeepsWhatIsInThem) {
  ASSERT_EQ(kernel_.put_directory("/images"), 0);
  ASSERT_TRUE(succeeds(devices().make_image("/images/a", gibibyte)));
  const auto attached = devices().attach_image("/images/a", false);
  ASSERT_TRUE(succeeds(attached));
  ASSERT_TRUE(succeeds(devices().format(attached.value(), {"ext4", "u-1"})));
  EXPECT_EQ(disks().loop_count(), 1U);
  EXPECT_EQ(disks().node_of_image("/images/a"), "/dev/loop0");
  kernel_.reboot();
  EXPECT_EQ(disks().loop_count(), 0U);
  EXPECT_FALSE(kernel_.exists("/dev/loop0"));
  EXPECT_EQ(kernel_.source("/dev/loop0"), nullptr);
  EXPECT_EQ(disks().content("/images/a")->signature->uuid, "u-1");
  const auto again = devices().attach_image("/images/a", false);
  ASSERT_TRUE(succeeds(again));
  EXPECT_NE(again.value().sequence, attached.value().sequence);
  EXPECT_EQ(kernel_.source("/dev/loop0")->file_system->type, "ext4");
}

TEST_F(FakeDevicesTest, ADiskThatChangedItsNodeIsNotTheOneThatWasFound) {
  ASSERT_EQ(disks().put_device("/dev/sdb", gibibyte, "naa.1"), 0);
  ASSERT_EQ(disks().put_device("/dev/sdc", gibibyte, "naa.2"), 0);
  const DeviceFacts device = at("/dev/sdb");
  ASSERT_EQ(disks().swap_devices("/dev/sdb", "/dev/sdc"), 0);
  EXPECT_TRUE(fails(devices().probe(device), "DeviceChanged", 0));
  EXPECT_TRUE(fails(devices().format(device, {"ext4", "u"}), "DeviceChanged", 0));
  EXPECT_EQ(devices().find({DeviceName::Kind::Wwid, "naa.1"}).value().node, "/dev/sdc");
}

TEST_F(FakeDevicesTest, ACloneMakesAUuidMeanTwoDevices) {
  ASSERT_EQ(disks().put_device("/dev/sdb", gibibyte), 0);
  ASSERT_EQ(disks().put_device("/dev/sdc", gibibyte), 0);
  ASSERT_EQ(disks().put_file_system("/dev/sdb", "ext4", "u-1", "data"), 0);
  EXPECT_EQ(devices().find({DeviceName::Kind::Label, "data"}).value().node, "/dev/sdb");
  ASSERT_EQ(disks().copy("/dev/sdb", "/dev/sdc"), 0);
  EXPECT_TRUE(fails(devices().find({DeviceName::Kind::Uuid, "u-1"}), "DeviceAmbiguous", 0));
}

TEST_F(FakeDevicesTest, ADiskThatIsPulledOutFailsWhatIsMountedFromIt) {
  ASSERT_EQ(disks().put_device("/dev/sdb", gibibyte), 0);
  ASSERT_EQ(disks().put_file_system("/dev/sdb", "ext4", "u-1"), 0);
  ASSERT_EQ(kernel_.put_directory("/mnt"), 0);
  ASSERT_EQ(kernel_.mount_device("/mnt", "/dev/sdb"), 0);
  ASSERT_EQ(kernel_.put_file("/mnt/a", "1"), 0);
  const DeviceFacts device = at("/dev/sdb");
  EXPECT_FALSE(devices().is_free(device).value());
  ASSERT_EQ(disks().remove_device("/dev/sdb"), 0);
  EXPECT_EQ(kernel_.put_file("/mnt/b", "2"), EIO);
  EXPECT_EQ(kernel_.mount_facts().size(), 2U);
  EXPECT_TRUE(fails(devices().probe(device), "DeviceMissing", ENOENT));
  ASSERT_EQ(disks().restore_device("/dev/sdb", "/dev/sdc"), 0);
  EXPECT_EQ(disks().read_on("/dev/sdc", "a"), "1");
  EXPECT_TRUE(devices().is_free(at("/dev/sdc")).value());
}

TEST_F(FakeDevicesTest, AHolderIsNamedAndInTheWay) {
  ASSERT_EQ(disks().put_device("/dev/sdb", gibibyte), 0);
  const DeviceHolder holder{0, "dm-3", "", "", "is a device on it"};
  ASSERT_EQ(disks().hold("/dev/sdb", holder), 0);
  const DeviceFacts device = at("/dev/sdb");
  EXPECT_FALSE(devices().is_free(device).value());
  EXPECT_THAT(devices().holders(device).value(), ElementsAre(holder));
  EXPECT_EQ(holder.text(), "dm-3 is a device on it");
  EXPECT_TRUE(fails(devices().format(device, {"ext4", "u"}), "DeviceBusy", EBUSY));
  ASSERT_EQ(disks().put_file_system("/dev/sdb", "ext4", "u"), 0);
  ASSERT_EQ(kernel_.put_directory("/mnt"), 0);
  EXPECT_EQ(kernel_.mount_device("/mnt", "/dev/sdb"), EBUSY);
  ASSERT_EQ(disks().release("/dev/sdb"), 0);
  EXPECT_EQ(kernel_.mount_device("/mnt", "/dev/sdb"), 0);
  EXPECT_EQ(disks().hold("/dev/sdb", holder), EBUSY);
  kernel_.reboot();
  EXPECT_TRUE(devices().is_free(at("/dev/sdb")).value());
}

TEST_F(FakeDevicesTest, ToolsMayBeMissingAndChecksFindThings) {
  ASSERT_EQ(disks().put_device("/dev/sdb", gibibyte), 0);
  const DeviceFacts device = at("/dev/sdb");
  ASSERT_TRUE(succeeds(devices().format(device, {"ext4", "u"})));
  ASSERT_EQ(disks().set_health("/dev/sdb", CheckResult::Repaired), 0);
  EXPECT_EQ(devices().check(device, "ext4").value().result, CheckResult::Repaired);
  EXPECT_EQ(devices().check(device, "ext4").value().result, CheckResult::Clean);
  disks().set_tools({"xfs"});
  EXPECT_EQ(devices().check(device, "ext4").value().result, CheckResult::NoTool);
  EXPECT_TRUE(fails(devices().format(device, {"ext4", "u"}), "FormatToolMissing", 0, ErrorKind::Final));
}

}  // namespace
}  // namespace mooring::kernel::contract
