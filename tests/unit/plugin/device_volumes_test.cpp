// Volumes on block devices: what their recipes are made of (kubelet-behaviours 9.4, 13.4, 14).

#include <gmock/gmock.h>

#include "plugin/block.h"
#include "plugin/local.h"
#include "plugin_fixture.h"
#include "step/layout.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const BlockPlugin block;
const LocalPlugin local;

using Attributes = std::map<std::string, std::string>;

manifest::PersistentVolume persistent_volume(manifest::VolumeSource source, std::int64_t capacity = 1 << 30) {
  manifest::PersistentVolume volume;
  volume.name = ObjectName("pv");
  volume.capacity = Quantity::from_integer(capacity);
  volume.source = std::move(source);
  return volume;
}

manifest::CsiSource csi(Attributes attributes, const std::string& handle = "data") {
  manifest::CsiSource source;
  source.driver = std::string(manifest::block_driver);
  source.attributes = std::move(attributes);
  source.volume_handle = handle;
  return source;
}

struct Asked {
  manifest::VolumeMode mode = manifest::VolumeMode::Filesystem;
  bool read_only = false;
  std::vector<std::string> mount_options = {};
  bool is_inline = false;
};

Result<Recipe> recipe_of(const Plugin& plugin, const manifest::PersistentVolume& persistent,
                         const Asked& asked = {}) {
  static const NodeInfo node = node_info();
  static const ObjectStore objects;
  static const MountTable mounts = [] {
    std::vector<MountFact> facts(1);
    facts[0].mount_point = "/";
    facts[0].type = "ext4";
    return MountTable::from_facts(std::move(facts));
  }();
  manifest::Pod pod;
  pod.uid = PodUid("u1");
  pod.key = {Namespace("default"), ObjectName("web")};
  const manifest::Volume volume{VolumeName("v"), persistent.source};
  RecipeRequest request{pod, volume, node, objects, mounts};
  request.mode = asked.mode;
  request.read_only = asked.read_only;
  request.mount_options = asked.mount_options;
  if (!asked.is_inline) {
    request.directory = VolumeDirectory("pv");
    request.persistent = &persistent;
  }
  return plugin.recipe(request);
}

Result<Recipe> block_recipe(Attributes attributes, const Asked& asked = {}) {
  return recipe_of(block, persistent_volume(csi(std::move(attributes))), asked);
}

template <class Wanted>
const Wanted* step_in(const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    if (const auto* wanted = std::get_if<Wanted>(&step)) return wanted;
  }
  return nullptr;
}

TEST(Block, each_attribute_names_a_device) {
  const std::vector<std::tuple<std::string, std::string, DeviceName::Kind>> all{
      {"device", "/dev/disk/by-id/x", DeviceName::Kind::Path},
      {"uuid", "6c1f", DeviceName::Kind::Uuid},
      {"label", "data", DeviceName::Kind::Label},
      {"wwid", "naa.5", DeviceName::Kind::Wwid},
      {"image", "/srv/data.img", DeviceName::Kind::Image}};
  for (const auto& [key, value, kind] : all) {
    const Result<Recipe> recipe = block_recipe({{key, value}});
    ASSERT_TRUE(recipe) << recipe.error().text();
    const DeviceRecipe& device = recipe.value().device.value();
    EXPECT_EQ(device.device, (DeviceName{kind, value}));
    EXPECT_EQ(device.key, VolumeKey("kubernetes.io/block/data"));
    EXPECT_EQ(device.attach.lane, Lane::Own);
    EXPECT_EQ(device.stage.lane, Lane::Own);
  }
}

TEST(Block, attributes_that_make_no_sense_are_refused_by_name) {
  const std::vector<std::pair<Attributes, std::string>> all{
      {{}, "names no device"},
      {{{"device", "/dev/sdb"}, {"uuid", "6c1f"}}, "more than one device"},
      {{{"devcie", "/dev/sdb"}}, "unknown"},
      {{{"device", "/srv/a"}}, "not below /dev"},
      {{{"device", "/dev/../srv/a"}}, ".."},
      {{{"image", "data.img"}}, "not absolute"},
      {{{"image", "/dev/sdb"}}, "is a device"},
      {{{"image", "/srv/../data.img"}}, ".."},
      {{{"image", ""}}, "empty"},
      {{{"device", "/dev/sdb"}, {"size", "1Gi"}}, "size is for an image"},
      {{{"image", "/srv/a"}, {"size", "big"}}, "size"},
      {{{"image", "/srv/a"}, {"size", "0"}}, "not above zero"},
      {{{"image", "/srv/a"}, {"format", "Always"}}, "IfBlank or Never"}};
  for (const auto& [attributes, words] : all) {
    const Result<Recipe> recipe = block_recipe(attributes);
    ASSERT_FALSE(recipe) << words;
    EXPECT_EQ(recipe.error().reason, "InvalidVolumeAttributes");
    EXPECT_THAT(recipe.error().message, HasSubstr(words));
  }
}

TEST(Block, what_kubernetes_adds_to_the_attributes_is_let_be) {
  EXPECT_TRUE(block_recipe({{"uuid", "6c1f"}, {"storage.kubernetes.io/csiProvisionerIdentity", "1-2-x"}}));
}

TEST(Block, is_formatted_only_if_that_is_asked_for) {
  const auto policy = [](Attributes attributes) {
    const Recipe recipe = block_recipe(std::move(attributes)).value();
    return step_in<FormatDevice>(recipe.device->stage.up)->policy;
  };
  EXPECT_EQ(policy({{"device", "/dev/sdb"}}), FormatPolicy::Never);
  EXPECT_EQ(policy({{"device", "/dev/sdb"}, {"format", "IfBlank"}}), FormatPolicy::IfBlank);
  EXPECT_EQ(policy({{"image", "/srv/a"}}), FormatPolicy::Never);
  EXPECT_EQ(policy({{"image", "/srv/a"}, {"size", "1Gi"}}), FormatPolicy::IfBlank);  // It is made for that.
  EXPECT_EQ(policy({{"image", "/srv/a"}, {"size", "1Gi"}, {"format", "Never"}}), FormatPolicy::Never);
}

TEST(Block, kb_9_4_is_checked_and_mounted_for_the_node_and_bound_for_the_pod) {
  const Recipe recipe = block_recipe({{"device", "/dev/sdb"}}, {{}, false, {"noatime"}}).value();
  const std::string staged = "plugins/kubernetes.io/block/mounts/data";
  EXPECT_EQ(recipe.device->staged_path, staged);
  const auto* mount = step_in<MountDevice>(recipe.device->stage.up);
  ASSERT_NE(mount, nullptr);
  EXPECT_EQ(mount->type, "ext4");
  EXPECT_THAT(mount->options, ElementsAre("noatime"));
  EXPECT_NE(step_in<CheckFileSystem>(recipe.device->stage.up), nullptr);
  const auto* bind = step_in<BindMount>(recipe.publish.up);
  ASSERT_NE(bind, nullptr);
  EXPECT_EQ(bind->source, "/var/lib/mooring/" + staged);
  EXPECT_EQ(bind->target, "pods/u1/volumes/kubernetes.io~block/pv");
  EXPECT_FALSE(bind->read_only);
  EXPECT_EQ(recipe.shape(), "bound");
}

TEST(Block, a_volume_that_is_read_only_for_its_pod_is_writable_for_the_node) {
  const Recipe recipe = block_recipe({{"uuid", "6c1f"}}, {{}, true}).value();
  EXPECT_FALSE(step_in<MountDevice>(recipe.device->stage.up)->read_only);
  EXPECT_TRUE(step_in<BindMount>(recipe.publish.up)->read_only);
}

TEST(Block, a_source_that_is_read_only_is_never_written_to) {
  manifest::CsiSource source = csi({{"uuid", "6c1f"}});
  source.read_only = true;
  const Recipe recipe = recipe_of(block, persistent_volume(source), {{}, true}).value();
  EXPECT_TRUE(step_in<AttachDevice>(recipe.device->attach.up)->read_only);
  EXPECT_TRUE(step_in<MountDevice>(recipe.device->stage.up)->read_only);
  EXPECT_TRUE(step_in<FormatDevice>(recipe.device->stage.up)->read_only);
  EXPECT_EQ(step_in<CheckFileSystem>(recipe.device->stage.up), nullptr);
  EXPECT_EQ(step_in<GrowFileSystem>(recipe.device->stage.up), nullptr);
}

TEST(Block, what_nobody_may_write_to_is_not_written_to_by_the_node) {
  manifest::PersistentVolume volume = persistent_volume(csi({{"uuid", "6c1f"}}));
  volume.access_modes = {manifest::AccessMode::ReadOnlyMany};
  EXPECT_TRUE(step_in<MountDevice>(recipe_of(block, volume).value().device->stage.up)->read_only);
  volume.access_modes.insert(manifest::AccessMode::ReadWriteOnce);
  EXPECT_FALSE(step_in<MountDevice>(recipe_of(block, volume).value().device->stage.up)->read_only);
}

TEST(Block, an_image_grows_with_the_capacity_only_if_mooring_made_it) {
  const auto size = [](Attributes attributes) {
    const manifest::PersistentVolume volume =
        persistent_volume(csi(std::move(attributes)), std::int64_t{2} << 30);
    const Recipe recipe = recipe_of(block, volume).value();
    return step_in<GrowFileSystem>(recipe.device->grow.up)->image_size_bytes;
  };
  EXPECT_EQ(size({{"image", "/srv/a"}, {"size", "1Gi"}}), std::uint64_t{2} << 30);
  EXPECT_EQ(size({{"image", "/srv/a"}}), 0u);  // Its loop device is read again, no more.
  EXPECT_EQ(size({{"device", "/dev/sdb"}}), std::nullopt);
}

TEST(Block, a_handle_is_never_a_path) {
  for (const char* handle : {"../../etc", "a/b", ".hidden", "a\nb"}) {
    const Result<Recipe> recipe = recipe_of(block, persistent_volume(csi({{"uuid", "6c1f"}}, handle)));
    ASSERT_TRUE(recipe) << handle;
    const std::string element =
        recipe.value().device->staged_path.substr(std::string("plugins/kubernetes.io/block/mounts/").size());
    EXPECT_TRUE(layout::is_path_element(element)) << element;
  }
  const Result<Recipe> recipe =
      recipe_of(block, persistent_volume(csi({{"uuid", "6c1f"}}, std::string(300, 'x'))));
  ASSERT_FALSE(recipe);
  EXPECT_EQ(recipe.error().reason, "InvalidVolumeHandle");
}

TEST(Block, a_pods_own_volume_is_called_after_its_pod) {
  const manifest::PersistentVolume volume =
      persistent_volume(csi({{"image", "/srv/a"}, {"size", "1Gi"}}, ""));
  const Recipe recipe = recipe_of(block, volume, {{}, false, {}, true}).value();
  EXPECT_EQ(recipe.device->key, VolumeKey("kubernetes.io/block/u1-v"));
  EXPECT_EQ(recipe.directory, VolumeDirectory("v"));
}

TEST(Block, kb_14_a_raw_device_is_attached_and_mapped) {
  const Recipe recipe = block_recipe({{"device", "/dev/sdb"}}, {manifest::VolumeMode::Block, true}).value();
  EXPECT_TRUE(recipe.device->staged_path.empty());
  EXPECT_THAT(recipe.device->stage.up, IsEmpty());
  const auto* map = step_in<MapDevice>(recipe.publish.up);
  ASSERT_NE(map, nullptr);
  EXPECT_EQ(map->link, "pods/u1/volumeDevices/kubernetes.io~block/pv");
  EXPECT_TRUE(map->read_only);
  EXPECT_EQ(recipe.shape(), "device");
  EXPECT_EQ(recipe.publish.lane, Lane::Own);
}

TEST(Local, kb_13_4_a_directory_is_bound_with_nothing_below_it) {
  const manifest::PersistentVolume volume = persistent_volume(manifest::LocalSource{"/mnt/disks/a", ""});
  const Recipe recipe = recipe_of(local, volume, {{}, false, {"ro"}}).value();
  EXPECT_FALSE(recipe.device.has_value());
  EXPECT_EQ(step_in<CheckHostPath>(recipe.publish.up)->type, HostPathType::Directory);
  const auto* bind = step_in<BindMount>(recipe.publish.up);
  EXPECT_EQ(bind->source, "/mnt/disks/a");
  EXPECT_FALSE(bind->recursive);
  EXPECT_TRUE(bind->read_only);
  const Result<Recipe> refused = recipe_of(local, volume, {{}, false, {"noatime"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, "MountOptionsUnsupported");
}

TEST(Local, kb_13_4_a_device_is_formatted_if_it_is_blank) {
  for (const auto& source :
       {manifest::LocalSource{"/dev/sdb", ""}, manifest::LocalSource{"/mnt/link", "xfs"}}) {
    manifest::PersistentVolume volume = persistent_volume(source);
    const Recipe recipe = recipe_of(local, volume).value();
    const auto* format = step_in<FormatDevice>(recipe.device->stage.up);
    ASSERT_NE(format, nullptr);
    EXPECT_EQ(format->policy, FormatPolicy::IfBlank);
    EXPECT_EQ(format->type, source.file_system_type.empty() ? "ext4" : "xfs");
    EXPECT_EQ(recipe.device->staged_path, "plugins/kubernetes.io/local-volume/mounts/pv");
    volume.annotations["mooring.io/format"] = "Never";
    EXPECT_EQ(step_in<FormatDevice>(recipe_of(local, volume).value().device->stage.up)->policy,
              FormatPolicy::Never);
    volume.annotations["mooring.io/format"] = "always";
    EXPECT_FALSE(recipe_of(local, volume));
  }
}

TEST(Local, kb_14_a_path_that_is_asked_for_as_a_device_is_one) {
  const manifest::PersistentVolume volume = persistent_volume(manifest::LocalSource{"/mnt/disks/link", ""});
  const Recipe recipe = recipe_of(local, volume, {manifest::VolumeMode::Block}).value();
  EXPECT_EQ(step_in<MapDevice>(recipe.publish.up)->device,
            (DeviceName{DeviceName::Kind::Path, "/mnt/disks/link"}));
}

TEST(Local, a_path_that_is_not_absolute_is_refused) {
  const Result<Recipe> recipe = recipe_of(local, persistent_volume(manifest::LocalSource{"disks/a", ""}));
  ASSERT_FALSE(recipe);
  EXPECT_EQ(recipe.error().reason, "InvalidLocalVolume");
}

TEST(DeviceVolumes, kb_9_3_removal_takes_no_content_along) {
  const NodeInfo node = node_info();
  const std::string path = "pods/u1/volumes/kubernetes.io~block/pv";
  const auto steps = block.removal({PodUid("u1"), VolumeDirectory("pv"), node});
  EXPECT_EQ(step_in<DiscardDirectory>(steps), nullptr);
  EXPECT_EQ(step_in<Unmount>(steps)->path, path);
  EXPECT_EQ(step_in<RemoveDirectory>(steps)->path, path);
  const auto raw = local.removal(
      {PodUid("u1"), VolumeDirectory("pv"), node, "device", VolumeKey("kubernetes.io/local-volume/pv")});
  EXPECT_EQ(step_in<UnmapDevice>(raw)->directory, "plugins/kubernetes.io~local-volume/volumeDevices/pv");
}

}  // namespace
}  // namespace mooring
