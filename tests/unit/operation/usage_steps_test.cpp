// Limits of directories, and how much volumes hold.

#include "operation_fixture.h"

namespace mooring {
namespace {

constexpr std::uint64_t block = 4096;
constexpr std::uint64_t limit_bytes = 4 * block;
const LimitDirectory limit{volume_path, limit_bytes};

class UsageSteps : public ::testing::Test {
 protected:
  void switch_quotas(bool is_on) { ASSERT_EQ(node_.fake.set_project_quotas("/", is_on), 0); }
  void make() { node_.run_well({make_pod, MakeDirectory{volume_path, 0777}}); }
  int put(const std::string& name, std::uint64_t size) {
    return node_.fake.put_file(node_.root(volume_path + "/" + name), std::string(size, 'x'));
  }

  Node node_;
};

TEST_F(UsageSteps, a_limit_is_kept_by_the_kernel_where_it_can) {
  switch_quotas(true);
  make();
  EXPECT_TRUE(node_.run_well({limit}).changed);
  EXPECT_FALSE(node_.run_well({limit}).changed) << "the same once more";
  EXPECT_EQ(put("fits", 2 * block), 0);
  EXPECT_EQ(put("large", 2 * block), EDQUOT);
  EXPECT_TRUE(node_.run_well({LimitDirectory{volume_path, 2 * limit_bytes}}).changed);
  EXPECT_EQ(put("large", 2 * block), 0);
}

TEST_F(UsageSteps, a_file_system_without_quotas_is_no_error_and_changes_nothing) {
  make();
  const auto before = node_.picture();
  const Outcome outcome = node_.run_well({limit});
  EXPECT_FALSE(outcome.changed);
  EXPECT_TRUE(outcome.warnings.empty());
  EXPECT_EQ(node_.picture(), before);
  EXPECT_EQ(put("large", 8 * block), 0);
  EXPECT_FALSE(node_.run_well({UnlimitDirectory{volume_path}}).changed);
}

TEST_F(UsageSteps, a_directory_that_holds_files_already_gets_no_limit) {
  switch_quotas(true);
  make();
  EXPECT_EQ(put("old", block), 0);
  EXPECT_FALSE(node_.run_well({limit}).changed) << "they would not count";
  EXPECT_FALSE(node_.run_well({MeasureDirectory{volume_path}}).is_enforced);
}

TEST_F(UsageSteps, a_limit_that_is_lifted_is_gone_and_its_number_stays_with_the_files) {
  switch_quotas(true);
  make();
  node_.run_well({limit});
  EXPECT_EQ(put("old", block), 0);
  EXPECT_TRUE(node_.run_well({UnlimitDirectory{volume_path}}).changed);
  EXPECT_FALSE(node_.run_well({UnlimitDirectory{volume_path}}).changed);
  EXPECT_EQ(put("large", 8 * block), 0);
  node_.run_well({DiscardDirectory{volume_path, "t"}, MakeDirectory{volume_path, 0777}, limit});
  const Outcome outcome = node_.run_well({MeasureDirectory{volume_path}});
  EXPECT_EQ(outcome.usage.value().used_bytes, block) << "what is in the trash is another project's";
  EXPECT_TRUE(outcome.is_enforced);
  EXPECT_FALSE(node_.run_well({UnlimitDirectory{volume_path + "-absent"}}).changed);
}

TEST_F(UsageSteps, a_directory_is_measured_by_its_quota) {
  switch_quotas(true);
  make();
  node_.run_well({limit});
  EXPECT_EQ(put("file", 2 * block), 0);
  const Outcome outcome = node_.run_well({MeasureDirectory{volume_path}});
  ASSERT_TRUE(outcome.usage);
  EXPECT_EQ(outcome.usage->capacity_bytes, limit_bytes);
  EXPECT_EQ(outcome.usage->used_bytes, 3 * block) << "with the directory itself";
  EXPECT_EQ(outcome.usage->available_bytes, block);
  EXPECT_EQ(outcome.usage->inodes_used, 2u);
  EXPECT_TRUE(outcome.is_enforced);
  EXPECT_FALSE(outcome.changed);
}

TEST_F(UsageSteps, without_quotas_a_directory_is_measured_by_a_walk) {
  make();
  ASSERT_EQ(node_.fake.set_space("/", 100 * block), 0);
  EXPECT_EQ(put("file", 2 * block - 1), 0);
  EXPECT_EQ(put("below/file", 1), 0);
  const Outcome outcome = node_.run_well({MeasureDirectory{volume_path}});
  ASSERT_TRUE(outcome.usage);
  EXPECT_EQ(outcome.usage->used_bytes, 5 * block) << "two directories and two files";
  EXPECT_EQ(outcome.usage->inodes_used, 4u);
  EXPECT_FALSE(outcome.is_enforced);
  EXPECT_GT(outcome.usage->capacity_bytes, 100 * block) << "what there is is the file system's";
}

TEST_F(UsageSteps, a_mount_is_as_full_as_its_file_system) {
  make();
  node_.run_well({MountTmpfs{volume_path, 8 * block, 01777}});
  EXPECT_EQ(put("file", 2 * block), 0);
  const Outcome outcome = node_.run_well({MeasureUsage{volume_path}});
  ASSERT_TRUE(outcome.usage);
  EXPECT_EQ(outcome.usage->capacity_bytes, 8 * block);
  EXPECT_EQ(outcome.usage->used_bytes, 2 * block);
  EXPECT_EQ(outcome.usage->available_bytes, 6 * block);
}

TEST_F(UsageSteps, what_cannot_be_read_is_an_error) {
  EXPECT_EQ(node_.run_badly({MeasureUsage{volume_path}}).reason, "NotFound");
  EXPECT_EQ(node_.run_badly({MeasureDirectory{volume_path}}).reason, "NotFound");
  make();
  switch_quotas(true);
  node_.fail_call("limit_directory", EIO, true);
  EXPECT_EQ(node_.run_badly({limit}).reason, "InputOutputError");
  node_.heal();
  node_.run_well({limit});
}

}  // namespace
}  // namespace mooring
