#include "plugin/flex_volume.h"

#include <gmock/gmock.h>

#include "plugin/common_options.h"
#include "plugin/registry.h"
#include "plugin_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const FlexVolumePlugin plugin({"/flex", 5000});
const std::string pod_path = "pods/u1/volumes/example.com~share/v";
const std::string staging = "plugins/kubernetes.io/flexvolume/example.com/share/";

struct Asked {
  std::string source = "flexVolume: {driver: example.com/share, fsType: ext4, options: {share: 'server:/x'}}";
  std::string objects = {};
  const manifest::PersistentVolume* persistent = nullptr;
  bool read_only = false;
  FlexCapabilities can = {};
  std::set<std::string> unsupported = {};
  bool is_installed = true;
  std::optional<std::int64_t> fs_group = std::nullopt;
};

DriverSet drivers_of(const Asked& asked) {
  DriverSet drivers;
  for (const char* name : {"example.com/share", "share"}) {
    const DriverName driver(name);
    if (asked.is_installed) drivers.flex[driver] = {driver, "/flex/there", asked.can, asked.unsupported};
  }
  return drivers;
}

Result<Recipe> recipe_of(const Asked& asked) {
  manifest::Pod pod = *pod_with(asked.source);
  pod.service_account = "builder";
  pod.security.fs_group = asked.fs_group;
  const NodeInfo node = node_info();
  ObjectStore store;
  if (!asked.objects.empty()) store.apply(manifest::parse_file(asked.objects, "objects.yaml"));
  const DriverSet drivers = drivers_of(asked);
  manifest::Volume volume = pod.volumes[0];
  if (asked.persistent != nullptr) volume.source = asked.persistent->source;
  const MountTable mounts;
  RecipeRequest request{.pod = pod,
                        .volume = volume,
                        .node = node,
                        .objects = store,
                        .mounts = mounts,
                        .read_only = asked.read_only,
                        .persistent = asked.persistent,
                        .drivers = drivers};
  if (asked.persistent != nullptr) request.directory = VolumeDirectory(asked.persistent->name.str());
  MOORING_TRY(Recipe recipe, plugin.recipe(request));
  return with_common_options(std::move(recipe), request, plugin.support());
}

Recipe made(const Asked& asked = {}) {
  Result<Recipe> recipe = recipe_of(asked);
  if (!recipe) ADD_FAILURE() << recipe.error().text();
  return recipe ? std::move(recipe).value() : Recipe();
}

Error refused(const Asked& asked) {
  const Result<Recipe> recipe = recipe_of(asked);
  if (recipe) ADD_FAILURE() << "it was made";
  return recipe ? Error() : recipe.error();
}

PublishFlexVolume publish_of(const Recipe& recipe) {
  for (const Step& step : recipe.publish.up) {
    if (const auto* publish = std::get_if<PublishFlexVolume>(&step)) return *publish;
  }
  ADD_FAILURE() << "nothing is published";
  return {};
}

StageFlexVolume stage_of(const Recipe& recipe) {
  if (recipe.device && recipe.device->attach.up.size() == 1)
    return std::get<StageFlexVolume>(recipe.device->attach.up[0]);
  ADD_FAILURE() << "nothing is staged";
  return {};
}

manifest::PersistentVolume persistent_volume(const std::string& secret_namespace = {}) {
  manifest::PersistentVolume volume;
  volume.name = ObjectName("pv-1");
  volume.capacity = quantity("1Gi");
  volume.source = manifest::FlexVolumeSource{"example.com/share", "xfs", false, {}, "key", secret_namespace};
  return volume;
}

std::string secret(const std::string& name_space, const std::string& type,
                   const std::string& value = "czNjcmV0") {
  return "apiVersion: v1\nkind: Secret\nmetadata: {name: key, namespace: " + name_space + "}\ntype: " + type +
         "\ndata: {password: " + value + "}\n";
}

const FlexCapabilities plain{false, true, false, true, true};

TEST(FlexVolume, kb_16_each_driver_is_a_plugin_of_its_own_name) {
  const PluginRegistry plugins = built_in_plugins();
  EXPECT_EQ(plugins.for_source(manifest::FlexVolumeSource{})->name(), PluginName("kubernetes.io/flexvolume"));
  for (const char* name : {"example.com/share", "share", "kubernetes.io/flexvolume"})
    EXPECT_EQ(plugins.by_name(PluginName(name))->name(), PluginName("kubernetes.io/flexvolume")) << name;
  EXPECT_EQ(plugins.by_name(PluginName("kubernetes.io/nfs"))->name(), PluginName("kubernetes.io/nfs"));
  EXPECT_EQ(plugins.by_name(PluginName("kubernetes.io/rbd")), nullptr)
      << "it is no driver's, but Kubernetes'";
  EXPECT_EQ(plugins.by_name(PluginName("a/b/c")), nullptr);
  EXPECT_EQ(plugins.by_name(PluginName("")), nullptr);
}

TEST(FlexVolume, kb_16_a_driver_without_attach_only_mounts) {
  Asked asked;
  asked.can = plain;
  asked.unsupported = {"mount"};
  const Recipe recipe = made(asked);
  EXPECT_FALSE(recipe.device);
  EXPECT_EQ(recipe.path, "/var/lib/mooring/" + pod_path);
  EXPECT_EQ(recipe.presence, Presence::Driver);
  EXPECT_EQ(recipe.shape(), "flex");
  EXPECT_EQ(recipe.publish.lane, Lane::Own);
  ASSERT_THAT(recipe.publish.up, SizeIs(2));
  EXPECT_EQ(recipe.publish.up[0],
            Step(MakePodDirectory{PodUid("u1"), Namespace("default"), ObjectName("web")}));
  const PublishFlexVolume publish = publish_of(recipe);
  EXPECT_EQ(publish.program, (FlexProgram{DriverName("example.com/share"), "/flex/there", {"mount"}, 5000}));
  EXPECT_EQ(publish.volume, (FlexVolume{"v", "ext4", false, {{"share", "server:/x"}}}));
  EXPECT_EQ(publish.pod,
            (FlexPod{PodUid("u1"), Namespace("default"), ObjectName("web"), "builder", std::nullopt, {}}));
  EXPECT_EQ(publish.path, pod_path);
  EXPECT_EQ(publish.staged_path, "");
}

TEST(FlexVolume, kb_16_a_persistent_volume_is_staged_by_its_name) {
  const manifest::PersistentVolume volume = persistent_volume();
  Asked asked;
  asked.persistent = &volume;
  asked.objects = secret("default", "example.com/share");
  const Recipe recipe = made(asked);
  ASSERT_TRUE(recipe.device);
  EXPECT_EQ(recipe.device->key, VolumeKey("example.com/share/pv-1"));
  EXPECT_EQ(recipe.device->key, plugin.device_key(volume));
  EXPECT_EQ(recipe.device->staged_path, "") << "nobody can tell from the table whether it is";
  EXPECT_EQ(recipe.device->attach.lane, Lane::Own);
  const StageFlexVolume stage = stage_of(recipe);
  EXPECT_EQ(stage.volume, (FlexVolume{"pv-1", "xfs", false, {}}));
  EXPECT_EQ(stage.node, NodeName("n1"));
  EXPECT_EQ(stage.path, staging + "mounts/pv-1");
  EXPECT_EQ(stage.format_stamp, staging + "formatted/pv-1");
  EXPECT_EQ(publish_of(recipe).staged_path, stage.path);
  EXPECT_EQ(publish_of(recipe).path, "pods/u1/volumes/example.com~share/pv-1");
  ASSERT_THAT(recipe.device->grow.up, SizeIs(1));
  EXPECT_EQ(std::get<GrowFlexVolume>(recipe.device->grow.up[0]).size_bytes, 1U << 30U);
  EXPECT_EQ(recipe.device->capacity_bytes, 1U << 30U);
}

TEST(FlexVolume, volumes_that_pods_have_by_themselves_are_one_only_if_they_are_written_alike) {
  const Recipe one = made();
  EXPECT_EQ(made().device->key, one.device->key);
  Asked other;
  other.source = "flexVolume: {driver: example.com/share, fsType: ext4, options: {share: 'server:/y'}}";
  EXPECT_NE(made(other).device->key, one.device->key);
  other.source = "flexVolume: {driver: example.com/share, fsType: xfs, options: {share: 'server:/x'}}";
  EXPECT_NE(made(other).device->key, one.device->key);
  EXPECT_EQ(stage_of(one).volume.name, "v") << "the driver knows it by the name in the pod";
  EXPECT_TRUE(stage_of(one).path.starts_with(staging + "mounts/v%2B")) << stage_of(one).path;
  EXPECT_THAT(one.device->grow.up, IsEmpty());
}

TEST(FlexVolume, kb_16_only_mount_is_told_of_secrets_and_only_of_the_drivers_type) {
  Asked asked;
  asked.source = "flexVolume: {driver: example.com/share, secretRef: {name: key}}";
  asked.objects = secret("default", "example.com/share");
  const Recipe recipe = made(asked);
  ASSERT_THAT(publish_of(recipe).pod.secrets, SizeIs(1));
  EXPECT_EQ(publish_of(recipe).pod.secrets[0].key, "password");
  EXPECT_EQ(publish_of(recipe).pod.secrets[0].value.expose_secret(), "s3cret");
  asked.objects = secret("default", "Opaque");
  EXPECT_EQ(refused(asked).reason, "WrongSecretType");
  EXPECT_THAT(refused(asked).text(), testing::Not(HasSubstr("s3cret")));
  asked.objects = secret("other", "example.com/share");
  EXPECT_EQ(refused(asked).reason, "SecretNotFound");
}

TEST(FlexVolume, kb_16_the_secret_of_a_persistent_volume_is_in_its_own_namespace) {
  manifest::PersistentVolume volume = persistent_volume("storage");
  Asked asked;
  asked.persistent = &volume;
  asked.objects = secret("storage", "example.com/share");
  EXPECT_THAT(publish_of(made(asked)).pod.secrets, SizeIs(1));
  asked.objects = secret("default", "example.com/share");
  EXPECT_EQ(refused(asked).reason, "SecretNotFound");
  volume = persistent_volume();
  EXPECT_THAT(publish_of(made(asked)).pod.secrets, SizeIs(1)) << "without one it is the pod's";
}

TEST(FlexVolume, a_pod_cannot_reach_into_another_namespace) {
  Asked asked;
  asked.source = "flexVolume: {driver: example.com/share, secretRef: {name: key, namespace: storage}}";
  asked.objects = secret("storage", "example.com/share");
  EXPECT_EQ(refused(asked).reason, "SecretNotFound");
}

TEST(FlexVolume, kb_16_a_group_is_given_to_it_only_if_the_driver_can_have_that) {
  Asked asked;
  asked.can = plain;
  asked.fs_group = 2000;
  EXPECT_EQ(publish_of(made(asked)).pod.fs_group, 2000);
  EXPECT_TRUE(std::holds_alternative<ChangeGroup>(made(asked).publish.up.back()));
  asked.can.fs_group = false;
  EXPECT_EQ(publish_of(made(asked)).pod.fs_group, 2000) << "the driver is told all the same";
  EXPECT_TRUE(std::holds_alternative<PublishFlexVolume>(made(asked).publish.up.back()));
}

TEST(FlexVolume, kb_16_is_read_only_if_the_source_or_the_claim_says_so) {
  Asked asked;
  asked.source = "flexVolume: {driver: example.com/share, readOnly: true}";
  asked.fs_group = 2000;
  EXPECT_TRUE(publish_of(made(asked)).volume.read_only);
  EXPECT_TRUE(stage_of(made(asked)).volume.read_only);
  EXPECT_TRUE(std::holds_alternative<PublishFlexVolume>(made(asked).publish.up.back())) << "no group";
  Asked claim;
  claim.read_only = true;
  EXPECT_TRUE(publish_of(made(claim)).volume.read_only);
  EXPECT_FALSE(publish_of(made()).volume.read_only);
}

TEST(FlexVolume, a_driver_that_is_not_there_refuses_the_volume_and_says_where_it_belongs) {
  Asked asked;
  asked.is_installed = false;
  const Error error = refused(asked);
  EXPECT_EQ(error.reason, "DriverNotFound");
  EXPECT_THAT(error.remedy, HasSubstr("/flex/example.com~share/share"));
}

TEST(FlexVolume, a_name_that_is_no_drivers_is_refused) {
  for (const std::string name :
       {"../x", "a/b/c", "a~b", ".hidden/x", "kubernetes.io/nfs", "kubernetes.io/empty-dir"}) {
    Asked asked;
    asked.source = "flexVolume: {driver: " + name + "}";
    EXPECT_EQ(refused(asked).reason, "InvalidFlexDriver") << name;
  }
}

TEST(FlexVolume, kb_16_removal_needs_names_alone) {
  const NodeInfo node = node_info();
  Remains remains{.pod = PodUid("u1"), .directory = VolumeDirectory("v"), .node = node};
  remains.plugin = PluginName("example.com/share");
  const FlexProgram program{DriverName("example.com/share"), "/flex/example.com~share/share", {}, 5000};
  EXPECT_THAT(plugin.removal(remains), ElementsAre(Step(UnpublishFlexVolume{program, pod_path})));
  EXPECT_EQ(plugin.removal_lane(), Lane::Own);
  EXPECT_THAT(plugin.removal({.pod = PodUid("u1"), .directory = VolumeDirectory("v"), .node = node}),
              IsEmpty());
}

TEST(FlexVolume, what_was_staged_is_undone_from_its_key_alone) {
  const FlexProgram program{DriverName("example.com/share"), "/flex/example.com~share/share", {}, 5000};
  DeviceRemains remains{.key = VolumeKey("example.com/share/pv-1"), .device = {}, .staged_path = {}};
  remains.node = NodeName("n1");
  EXPECT_THAT(plugin.detach(remains),
              ElementsAre(Step(UnstageFlexVolume{program, "pv-1", NodeName("n1"), staging + "mounts/pv-1"})));
  EXPECT_THAT(plugin.unstage(remains), IsEmpty());
  const Recipe own = made();
  remains.key = own.device->key;
  const std::vector<Step> steps = plugin.detach(remains);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(std::get<UnstageFlexVolume>(steps[0]).path, stage_of(own).path);
  EXPECT_EQ(std::get<UnstageFlexVolume>(steps[0]).volume_name, "v");
}

TEST(FlexVolume, a_driver_without_a_vendor_has_its_places_too) {
  Asked asked;
  asked.source = "flexVolume: {driver: share}";
  const Recipe recipe = made(asked);
  EXPECT_EQ(recipe.path, "/var/lib/mooring/pods/u1/volumes/share/v");
  EXPECT_TRUE(stage_of(recipe).path.starts_with("plugins/kubernetes.io/flexvolume/share/mounts/v"));
  DeviceRemains remains{.key = recipe.device->key, .device = {}, .staged_path = {}};
  ASSERT_THAT(plugin.detach(remains), SizeIs(1));
  EXPECT_EQ(std::get<UnstageFlexVolume>(plugin.detach(remains)[0]).path, stage_of(recipe).path);
}

}  // namespace
}  // namespace mooring
