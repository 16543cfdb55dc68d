#include "plugin/config_volume.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string settings =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: '1', a.b: '2'}\n";

template <class Source>
Result<Recipe> recipe_of(const std::string& source, const std::string& containers = "[{name: c}]") {
  const auto pod = pod_with(source, containers);
  ObjectStore store;
  store.apply(manifest::parse_file(settings, "settings.yaml"));
  const NodeInfo node = node_info();
  const MountTable mounts;
  return ConfigVolumePlugin<Source>().recipe(RecipeRequest{*pod, pod->volumes.at(0), node, store, mounts});
}

const PublishFiles& files_of(const Recipe& recipe) {
  return std::get<PublishFiles>(recipe.publish.up.back());
}

TEST(ConfigVolume, kb_13_5_a_config_map_is_on_disk_and_open_to_all) {
  const Result<Recipe> recipe = recipe_of<manifest::ConfigMapSource>("configMap: {name: settings}");
  ASSERT_TRUE(recipe);
  const std::string path = "pods/u1/volumes/kubernetes.io~configmap/v";
  EXPECT_EQ(recipe.value().path, "/var/lib/mooring/" + path);
  EXPECT_EQ(recipe.value().shape(), "directory");
  ASSERT_EQ(recipe.value().publish.up.size(), 3u);
  EXPECT_EQ(recipe.value().publish.up[1], Step(MakeDirectory{path, 0777}));
  EXPECT_EQ(files_of(recipe.value()).files.size(), 2u);
  EXPECT_FALSE(recipe.value().content.empty());
}

TEST(ConfigVolume, kb_13_7_a_downward_api_is_in_memory_and_not_swapped) {
  const Result<Recipe> recipe = recipe_of<manifest::DownwardApiSource>(
      "downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}");
  ASSERT_TRUE(recipe);
  EXPECT_EQ(recipe.value().shape(), "mount:tmpfs");
  const std::string path = "pods/u1/volumes/kubernetes.io~downward-api/v";
  EXPECT_EQ(recipe.value().publish.up[2], Step(MountTmpfs{path, std::nullopt, 01777, true}));
}

TEST(ConfigVolume, the_content_changes_with_what_it_is_made_from_only) {
  const auto content = [](const std::string& source) {
    return recipe_of<manifest::ConfigMapSource>("configMap: " + source).value().content;
  };
  EXPECT_EQ(content("{name: settings}"), content("{name: settings, defaultMode: 0644}"));
  EXPECT_NE(content("{name: settings}"), content("{name: settings, defaultMode: 0600}"));
}

TEST(ConfigVolume, kb_13_5_mount_points_of_the_same_container_are_made_in_it) {
  const Result<Recipe> recipe = recipe_of<manifest::ConfigMapSource>(
      "configMap: {name: settings}\n  - {name: w, emptyDir: {}}",
      "[{name: c, volumeMounts: [{name: v, mountPath: /etc/app}, {name: w, mountPath: /etc/app/cache}]}]");
  ASSERT_TRUE(recipe);
  EXPECT_THAT(files_of(recipe.value()).mount_points, ElementsAre("cache"));
}

TEST(ConfigVolume, kb_12_a_file_cannot_be_a_directory_too) {
  const Result<Recipe> recipe = recipe_of<manifest::ConfigMapSource>(
      "configMap: {name: settings, items: [{key: a, path: x}, {key: a, path: x-y}, {key: a.b, path: x/y}]}");
  ASSERT_FALSE(recipe);
  EXPECT_EQ(recipe.error().reason, "InvalidPath");
  EXPECT_THAT(recipe.error().message, HasSubstr("x is a file and a directory"));
}

TEST(ConfigVolume, kb_13_5_containers_cannot_write_to_it_and_its_content_follows_objects) {
  EXPECT_TRUE(ConfigVolumePlugin<manifest::SecretSource>().support().always_read_only);
  EXPECT_TRUE(ConfigVolumePlugin<manifest::SecretSource>().support().refresh);
}

}  // namespace
}  // namespace mooring
