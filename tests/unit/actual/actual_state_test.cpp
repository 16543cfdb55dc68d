#include "actual/actual_state.h"

#include <gtest/gtest.h>

namespace mooring {
namespace {

const PluginName empty_dir("kubernetes.io/empty-dir");

PodRecord record_of(const std::string& uid) {
  return {PodUid(uid),
          Namespace("default"),
          ObjectName("web"),
          {{VolumeName("cache"), empty_dir, VolumeDirectory("cache")}}};
}

FoundPod found_pod(const std::string& uid, bool stamp) {
  FoundPod pod;
  pod.uid = PodUid(uid);
  pod.has_stamp = stamp;
  if (stamp) {
    pod.name_space = Namespace("default");
    pod.name = ObjectName("web");
  }
  pod.volumes.push_back({empty_dir, VolumeDirectory("cache"), false});
  return pod;
}

TEST(Record, is_read_back_as_it_was_written) {
  PodRecord record = record_of("11-22");
  record.name = ObjectName("odd \"name\"\n");
  const Result<PodRecord> read = decode_record(encode_record(record));
  ASSERT_TRUE(read);
  EXPECT_EQ(read.value(), record);
}

TEST(Record, anything_else_is_an_error) {
  const std::string good = encode_record(record_of("11"));
  for (const std::string& bad :
       {std::string(), std::string("{"), good.substr(0, good.size() / 2), std::string("[]"),
        std::string(R"({"version":2,"uid":"a","namespace":"b","name":"c","volumes":[]})"),
        std::string(R"({"version":1,"uid":"","namespace":"b","name":"c","volumes":[]})"),
        std::string(R"({"version":1,"uid":"a","namespace":"b","name":"c","volumes":[7]})")}) {
    const Result<PodRecord> read = decode_record(bad);
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().reason, "BadRecord");
  }
}

TEST(Adoption, a_recorded_pod_is_uncertain_with_what_was_found) {
  ActualState actual;
  TreeFacts tree;
  tree.pods.push_back(found_pod("11", true));
  tree.pods[0].volumes[0].is_mount_root = true;
  EXPECT_TRUE(actual.adopt({record_of("11")}, tree).empty());
  const ActualPod* pod = actual.find(PodUid("11"));
  ASSERT_NE(pod, nullptr);
  ASSERT_EQ(pod->volumes.size(), 1u);
  EXPECT_EQ(pod->volumes[0].state, PublishState::Uncertain);
  EXPECT_EQ(pod->volumes[0].found, Found::Mount);
  EXPECT_TRUE(pod->is_recorded);
}

TEST(Adoption, a_record_without_anything_on_disk_is_kept_until_it_is_cleaned) {
  ActualState actual;
  actual.adopt({record_of("11")}, {});
  ASSERT_NE(actual.find(PodUid("11")), nullptr);
  EXPECT_EQ(actual.find(PodUid("11"))->volumes[0].found, Found::Nothing);
}

TEST(Adoption, after_a_reboot_the_stamp_proves_whose_the_directory_is) {
  ActualState actual;
  TreeFacts tree;
  tree.pods.push_back(found_pod("11", true));
  EXPECT_TRUE(actual.adopt({}, tree).empty());
  const ActualPod* pod = actual.find(PodUid("11"));
  ASSERT_NE(pod, nullptr);
  EXPECT_EQ(pod->key.text(), "default/web");
  EXPECT_FALSE(pod->is_recorded);
}

TEST(Adoption, a_directory_with_neither_record_nor_stamp_is_reported_and_left_alone) {
  ActualState actual;
  TreeFacts tree;
  tree.pods.push_back(found_pod("11", false));
  const auto lines = actual.adopt({}, tree);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("pods/11"), std::string::npos);
  EXPECT_EQ(actual.find(PodUid("11")), nullptr);
}

TEST(Adoption, an_empty_directory_is_nobodys_data_and_may_go) {
  ActualState actual;
  TreeFacts tree;
  FoundPod bare;
  bare.uid = PodUid("11");
  tree.pods.push_back(bare);
  EXPECT_TRUE(actual.adopt({}, tree).empty());
  EXPECT_NE(actual.find(PodUid("11")), nullptr);
}

TEST(Adoption, a_pod_whose_manifest_was_read_first_has_each_volume_once) {
  ActualState actual;
  ActualPod& planned = actual.ensure(PodUid("11"), {Namespace("default"), ObjectName("web")});
  ActualVolume& volume = planned.volumes.emplace_back();
  volume.name = VolumeName("cache");
  volume.plugin = PluginName("kubernetes.io/empty-dir");
  PodRecord record{PodUid("11"), Namespace("default"), ObjectName("web"), {}};
  record.volumes.push_back(
      {VolumeName("cache"), PluginName("kubernetes.io/empty-dir"), VolumeDirectory("cache")});
  actual.adopt({record}, {});
  ASSERT_EQ(actual.find(PodUid("11"))->volumes.size(), 1u);
  EXPECT_EQ(actual.find(PodUid("11"))->volumes.front().state, PublishState::Uncertain);
}

MountFact mount_at(std::uint64_t id, const std::string& path) {
  MountFact fact;
  fact.id = id;
  fact.mount_point = path;
  fact.type = "tmpfs";
  fact.options = "rw";
  return fact;
}

TEST(ChangedMounts, names_just_the_pods_whose_mounts_differ) {
  const MountTable before =
      MountTable::from_facts({mount_at(1, "/"), mount_at(2, "/r/pods/a/volumes/p/x"),
                              mount_at(3, "/r/pods/b/volumes/p/x"), mount_at(4, "/else")});
  const MountTable after =
      MountTable::from_facts({mount_at(1, "/"), mount_at(2, "/r/pods/a/volumes/p/x"),
                              mount_at(5, "/r/pods/c/volumes/p/x"), mount_at(6, "/other")});
  EXPECT_EQ(pods_with_changed_mounts(before, after, "/r"), (std::vector<PodUid>{PodUid("b"), PodUid("c")}));
  EXPECT_TRUE(pods_with_changed_mounts(after, after, "/r").empty());
}

TEST(ChangedMounts, a_mount_that_was_replaced_counts_as_changed) {
  const MountTable before = MountTable::from_facts({mount_at(2, "/r/pods/a/volumes/p/x")});
  const MountTable after = MountTable::from_facts({mount_at(9, "/r/pods/a/volumes/p/x")});
  EXPECT_EQ(pods_with_changed_mounts(before, after, "/r").size(), 1u);
}

}  // namespace
}  // namespace mooring
