// Records of devices whose names do not fit into a file's.

#include "daemon/record_store.h"

#include <gmock/gmock.h>

#include <filesystem>

namespace mooring {
namespace {

class RecordStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "mooring-records.XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    run_dir_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(run_dir_); }
  RecordStore store() {
    auto opened = RecordStore::open(run_dir_);
    EXPECT_TRUE(opened);
    return std::move(opened).value();
  }
  std::vector<DeviceRecord> devices() { return store().read_all().value().devices; }
  static DeviceRecord record_of(const std::string& handle) {
    return {VolumeKey("kubernetes.io/block/" + handle),
            PluginName("kubernetes.io/block"),
            {DeviceName::Kind::Path, "/dev/sdb"},
            "plugins/kubernetes.io/block/mounts/" + handle,
            1U << 30U};
  }
  std::string run_dir_;
};

TEST_F(RecordStoreTest, a_device_of_a_long_name_is_remembered_and_forgotten) {
  const DeviceRecord record = record_of(std::string(250, 'a'));
  ASSERT_TRUE(store().write(record));
  ASSERT_EQ(devices().size(), 1u);
  EXPECT_EQ(devices()[0], record);
  ASSERT_TRUE(store().remove(record.key));
  EXPECT_TRUE(devices().empty());
}

TEST_F(RecordStoreTest, devices_whose_long_names_differ_at_the_end_are_two) {
  const DeviceRecord first = record_of(std::string(250, 'a') + "1");
  const DeviceRecord second = record_of(std::string(250, 'a') + "2");
  ASSERT_TRUE(store().write(first));
  ASSERT_TRUE(store().write(second));
  EXPECT_THAT(devices(), testing::UnorderedElementsAre(first, second));
  ASSERT_TRUE(store().remove(first.key));
  EXPECT_THAT(devices(), testing::ElementsAre(second));
}

}  // namespace
}  // namespace mooring
