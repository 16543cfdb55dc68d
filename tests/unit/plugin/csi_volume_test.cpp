// Volumes of CSI drivers: what their recipes are made of (kubelet-behaviours 15).

#include <gmock/gmock.h>

#include "base/sha256.h"
#include "csi/names.h"
#include "csi/volume_data.h"
#include "csi_question.h"
#include "step/csi_layout.h"

namespace mooring {
namespace {

using namespace csi_question;
using manifest::AccessMode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(CsiVolume, kb_15_3_is_staged_once_and_published_for_the_pod) {
  Question question;
  const Recipe recipe = question.recipe();
  ASSERT_TRUE(recipe.device);
  EXPECT_EQ(recipe.device->key, key);
  EXPECT_EQ(recipe.device->device, (DeviceName{DeviceName::Kind::Csi, "d.example.org^vol#1"}));
  EXPECT_EQ(recipe.device->staged_path, layout::csi_staged(driver_name, "vol#1"));
  EXPECT_TRUE(recipe.device->attach.up.empty());
  ASSERT_THAT(recipe.device->stage.up, SizeIs(1));
  const auto stage = only<StageCsiVolume>(recipe.device->stage.up);
  EXPECT_EQ(stage.volume, (CsiVolume{driver_name, "/run/d.sock", "vol#1", 120'000}));
  EXPECT_TRUE(stage.calls_driver);
  EXPECT_EQ(stage.data, layout::csi_staged_data(driver_name, "vol#1"));
  EXPECT_EQ(stage.capability.fs_type, "ext4");
  EXPECT_THAT(stage.capability.mount_flags, ElementsAre("noatime"));
  EXPECT_EQ(stage.volume_context, question.source.attributes);
  EXPECT_EQ(recipe.publish.lane, Lane::Own);
  const auto publish = only<PublishCsiVolume>(recipe.publish.up);
  EXPECT_EQ(publish.path, layout::csi_target(PodUid("u1"), VolumeDirectory("pv-1")));
  EXPECT_EQ(publish.staged_path, stage.path);
  EXPECT_EQ(publish.capability, stage.capability);
  EXPECT_FALSE(publish.read_only);
  EXPECT_FALSE(publish.map);
  EXPECT_EQ(recipe.path, "/var/lib/mooring/pods/u1/volumes/kubernetes.io~csi/pv-1/mount");
  EXPECT_EQ(recipe.presence, Presence::DriverMount);
  EXPECT_EQ(recipe.shape(), "csi:d.example.org");
  const auto data = csi::decode_volume_data(publish.data_text);
  ASSERT_TRUE(data);
  EXPECT_EQ(*data, (csi::VolumeData{driver_name, "vol#1", VolumeDirectory("pv-1"), NodeName("n1"),
                                    csi::attachment_id("vol#1", driver_name, NodeName("n1")), "Persistent"}));
}

TEST(CsiVolume, kb_15_3_a_driver_that_does_not_stage_is_told_of_no_staging_path) {
  Question question;
  question.driver.node.stage_unstage = false;
  question.source.node_stage_secret = ObjectKey{Namespace("none"), ObjectName("none")};
  const Recipe recipe = question.recipe();
  EXPECT_FALSE(only<StageCsiVolume>(recipe.device->stage.up).calls_driver);
  EXPECT_EQ(only<PublishCsiVolume>(recipe.publish.up).staged_path, "");
}

TEST(CsiVolume, kb_15_4_an_inline_volume) {
  Question question;
  question.is_inline = true;
  EXPECT_EQ(question.error().message,
            "volume mode \"Ephemeral\" not supported by driver d.example.org (no CSIDriver object)");
  question.setting.spec = CsiDriverSpec();
  EXPECT_EQ(
      question.error().message,
      "volume mode \"Ephemeral\" not supported by driver d.example.org (only supports [\"Persistent\"])");
  question.setting.spec->allows_ephemeral = true;
  question.source.publish_secret_name = "s";
  question.source.read_only = true;
  const Recipe recipe = question.recipe();
  EXPECT_FALSE(recipe.device);
  EXPECT_EQ(recipe.shape(), "csi-ephemeral:d.example.org");
  const auto publish = only<PublishCsiVolume>(recipe.publish.up);
  EXPECT_EQ(publish.volume.handle, "csi-" + sha256_hex("u1v"));
  EXPECT_EQ(publish.staged_path, "");
  EXPECT_THAT(publish.capability.mount_flags, IsEmpty());
  EXPECT_EQ(publish.capability.access_mode, CsiAccessMode::SingleNodeWriter);
  EXPECT_TRUE(publish.read_only);
  EXPECT_EQ(publish.secrets.at("password").expose_secret(), "hunter2");
  EXPECT_THAT(publish.data_text, HasSubstr(R"("volumeLifecycleMode":"Ephemeral")"));
}

TEST(CsiVolume, kb_15_3_pod_info_only_if_the_driver_wants_it) {
  Question question;
  EXPECT_THAT(only<PublishCsiVolume>(question.recipe().publish.up).volume_context, SizeIs(1));
  question.setting.spec = CsiDriverSpec();
  question.setting.spec->pod_info_on_mount = true;
  const auto context = only<PublishCsiVolume>(question.recipe().publish.up).volume_context;
  EXPECT_EQ(context.at("csi.storage.k8s.io/pod.name"), "web");
  EXPECT_EQ(context.at("csi.storage.k8s.io/serviceAccount.name"), "default");
  EXPECT_EQ(context.at("csi.storage.k8s.io/ephemeral"), "false");
  EXPECT_EQ(context.at("share"), "a");
  // What is shared is not told of one pod.
  EXPECT_THAT(only<StageCsiVolume>(question.recipe().device->stage.up).volume_context, SizeIs(1));
}

TEST(CsiVolume, kb_15_3_the_access_mode_that_is_written_first) {
  Question question;
  question.volume.access_modes = {AccessMode::ReadWriteOnce, AccessMode::ReadWriteMany};
  const auto asked = [&] {
    return only<PublishCsiVolume>(question.recipe().publish.up).capability.access_mode;
  };
  EXPECT_EQ(asked(), CsiAccessMode::SingleNodeWriter);
  question.volume.first_access_mode = AccessMode::ReadWriteMany;
  EXPECT_EQ(asked(), CsiAccessMode::MultiNodeMultiWriter);
  question.volume.access_modes = {AccessMode::ReadWriteOncePod};
  question.volume.first_access_mode.reset();
  question.driver.node.single_node_multi_writer = true;
  EXPECT_EQ(asked(), CsiAccessMode::SingleNodeSingleWriter);
  question.volume.access_modes.clear();
  EXPECT_EQ(asked(), CsiAccessMode::SingleNodeMultiWriter);
}

TEST(CsiVolume, kb_15_3_an_fs_type_of_block_is_told_as_a_device) {
  Question question;
  question.source.file_system_type = "block";
  const auto publish = only<PublishCsiVolume>(question.recipe().publish.up);
  EXPECT_TRUE(publish.capability.is_block);
  EXPECT_FALSE(publish.map);
}

struct Policy {
  CsiGroupPolicy policy;
  const char* fs_type;
  AccessMode mode;
  bool read_only;
  bool gets_group;
};

TEST(CsiVolume, kb_9_2_mount_options_are_told_as_they_are_written) {
  Question question;
  question.volume.mount_options = {"noexec", "--dir-mode", "0777", "--file-mode", "0777", "exec"};
  question.volume.annotations["volume.beta.kubernetes.io/mount-options"] = "ro";
  const Recipe recipe = question.recipe();
  EXPECT_EQ(only<StageCsiVolume>(recipe.device->stage.up).capability.mount_flags,
            question.volume.mount_options);
  EXPECT_EQ(only<PublishCsiVolume>(recipe.publish.up).capability.mount_flags, question.volume.mount_options);
}

TEST(CsiVolume, kb_15_6_fs_group_policy) {
  constexpr auto by_type = CsiGroupPolicy::ReadWriteOnceWithFsType;
  const Policy rows[] = {
      {CsiGroupPolicy::None, "ext4", AccessMode::ReadWriteOnce, false, false},
      {CsiGroupPolicy::File, "", AccessMode::ReadWriteMany, false, true},
      {CsiGroupPolicy::File, "ext4", AccessMode::ReadWriteOnce, true, false},
      {by_type, "ext4", AccessMode::ReadWriteOnce, false, true},
      {by_type, "ext4", AccessMode::ReadWriteOncePod, false, true},
      {by_type, "", AccessMode::ReadWriteOnce, false, false},
      {by_type, "ext4", AccessMode::ReadWriteMany, false, false},
      {by_type, "ext4", AccessMode::ReadOnlyMany, false, false},
      {by_type, "ext4", AccessMode::ReadWriteOnce, true, false},
  };
  for (const Policy& row : rows) {
    Question question;
    question.pod.security.fs_group = 2000;
    question.setting.spec = CsiDriverSpec();
    question.setting.spec->group_policy = row.policy;
    question.source.file_system_type = row.fs_type;
    question.volume.access_modes = {row.mode};
    question.read_only = row.read_only;
    const Recipe recipe = question.recipe();
    const auto* change = find<ChangeGroup>(recipe.publish.up);
    EXPECT_EQ(change != nullptr, row.gets_group) << row.fs_type << static_cast<int>(row.mode);
    if (change == nullptr) continue;
    EXPECT_EQ(change->path, layout::csi_target(PodUid("u1"), VolumeDirectory("pv-1")));
  }
}

TEST(CsiVolume, kb_15_3_read_only_is_what_the_claim_says_and_not_the_volume) {
  Question question;
  question.source.read_only = true;  // For whoever attaches it.
  question.pod.security.fs_group = 2000;
  const Recipe recipe = question.recipe();
  EXPECT_FALSE(only<PublishCsiVolume>(recipe.publish.up).read_only);
  EXPECT_NE(find<ChangeGroup>(recipe.publish.up), nullptr);
  question.read_only = true;
  EXPECT_TRUE(only<PublishCsiVolume>(question.recipe().publish.up).read_only);
}

TEST(CsiVolume, kb_15_6_a_driver_that_sees_to_the_group_itself) {
  Question question;
  question.driver.node.volume_mount_group = true;
  EXPECT_EQ(only<PublishCsiVolume>(question.recipe().publish.up).capability.volume_mount_group, "");
  question.pod.security.fs_group = 2000;
  const Recipe recipe = question.recipe();
  EXPECT_EQ(only<PublishCsiVolume>(recipe.publish.up).capability.volume_mount_group, "2000");
  EXPECT_EQ(only<StageCsiVolume>(recipe.device->stage.up).capability.volume_mount_group, "2000");
  EXPECT_EQ(find<ChangeGroup>(recipe.publish.up), nullptr);
}

TEST(CsiVolume, kb_15_6_an_inline_volume_counts_as_read_write_once) {
  Question question;
  question.is_inline = true;
  question.setting.spec = CsiDriverSpec();
  question.setting.spec->allows_ephemeral = true;
  question.pod.security.fs_group = 2000;
  EXPECT_NE(find<ChangeGroup>(question.recipe().publish.up), nullptr);
}

TEST(CsiVolume, kb_15_5_a_raw_device) {
  Question question;
  question.mode = manifest::VolumeMode::Block;
  question.pod.security.fs_group = 2000;
  const VolumeDirectory directory("pv-1");
  const Recipe recipe = question.recipe();
  EXPECT_EQ(recipe.presence, Presence::Device);
  EXPECT_EQ(recipe.path, "/var/lib/mooring/pods/u1/volumeDevices/kubernetes.io~csi/pv-1");
  EXPECT_EQ(recipe.device->staged_path, layout::csi_block_staged(directory));
  EXPECT_EQ(only<StageCsiVolume>(recipe.device->stage.up).data, layout::csi_block_data(directory));
  const auto publish = only<PublishCsiVolume>(recipe.publish.up);
  EXPECT_EQ(publish.path, layout::csi_block_target(directory, PodUid("u1")));
  EXPECT_TRUE(publish.capability.is_block);
  EXPECT_EQ(publish.capability.fs_type, "");
  EXPECT_THAT(publish.capability.mount_flags, IsEmpty());
  ASSERT_TRUE(publish.map);
  EXPECT_EQ(publish.map->place, layout::csi_block_map(directory) + "/u1");
  EXPECT_EQ(find<ChangeGroup>(recipe.publish.up), nullptr);
}

TEST(CsiVolume, kb_15_7_growth_after_stage_or_after_publish) {
  Question question;
  question.volume.capacity = Quantity::from_integer(4096);
  question.driver.node.expand = true;
  Recipe recipe = question.recipe();
  EXPECT_EQ(recipe.device->capacity_bytes, 4096u);
  auto expand = only<ExpandCsiVolume>(recipe.device->stage.up);
  EXPECT_EQ(expand.path, recipe.device->staged_path);
  EXPECT_TRUE(expand.may_be_refused);
  EXPECT_FALSE(only<ExpandCsiVolume>(recipe.device->grow.up).may_be_refused);
  EXPECT_EQ(find<ExpandCsiVolume>(recipe.publish.up), nullptr);
  question.driver.node.stage_unstage = false;
  recipe = question.recipe();
  EXPECT_EQ(find<ExpandCsiVolume>(recipe.device->stage.up), nullptr);
  expand = only<ExpandCsiVolume>(recipe.publish.up);
  EXPECT_EQ(expand.path, only<PublishCsiVolume>(recipe.publish.up).path);
  EXPECT_EQ(expand.staged_path, "");
  question.driver.node.expand = false;
  EXPECT_FALSE(only<ExpandCsiVolume>(question.recipe().device->grow.up).is_supported);
  question.read_only = true;
  EXPECT_THAT(question.recipe().device->grow.up, IsEmpty());
}

TEST(CsiPlugin, takes_all_drivers_but_the_one_that_is_built_in) {
  manifest::CsiSource source;
  source.driver = "d.example.org";
  EXPECT_TRUE(plugin.takes(source));
  source.driver = std::string(manifest::block_driver);
  EXPECT_FALSE(plugin.takes(source));
  EXPECT_FALSE(plugin.takes(manifest::NfsSource()));
}

TEST(CsiPlugin, a_persistent_volume_has_the_key_of_its_recipe) {
  Question question;
  question.volume.source = question.source;
  EXPECT_EQ(plugin.device_key(question.volume), key);
  EXPECT_EQ(question.recipe().device->key, key);
}

}  // namespace
}  // namespace mooring
