// What any volume can be asked for: parts of it, a group, mounts shared with the node.

#include "plugin/common_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin/registry.h"
#include "plugin_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct Asked {
  std::string source = "emptyDir: {}";
  std::string mounts = {};    ///< Of the one container "main".
  std::string security = {};  ///< securityContext of the pod.
  std::string annotations = {};
  std::vector<std::string> mount_options = {};  ///< Of a PersistentVolume.
};

Result<Recipe> recipe_of(const Asked& asked) {
  const std::string text = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, uid: u1, annotations: {" +
                           asked.annotations + "}}\nspec:\n  securityContext: {" + asked.security +
                           "}\n  containers:\n  - name: main\n    securityContext: {privileged: true}\n" +
                           "    env: [{name: WHO, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]\n" +
                           "    volumeMounts: [" + asked.mounts + "]\n  volumes:\n  - name: v\n    " +
                           asked.source + "\n";
  const manifest::ParsedFile file = manifest::parse_file(text, "t.yaml");
  for (const manifest::Diagnostic& diagnostic : file.diagnostics)
    ADD_FAILURE() << diagnostic.text();
  const auto pod = std::get<std::shared_ptr<const manifest::Pod>>(file.objects.at(0));
  ObjectStore store;
  store.apply(manifest::parse_file(
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: '1', b: '2'}\n", "s.yaml"));
  MountFact root;
  root.mount_point = "/";
  root.type = "ext4";
  MountFact server = root;
  server.mount_point = "/net";
  server.type = "nfs4";
  const MountTable mounts = MountTable::from_facts({root, server});
  const NodeInfo node = node_info();
  const PluginRegistry plugins = built_in_plugins();
  const RecipeRequest request{*pod, pod->volumes.at(0), node, store, mounts, asked.mount_options};
  const Plugin& plugin = *plugins.for_source(request.volume.source);
  MOORING_TRY(Recipe recipe, plugin.recipe(request));
  return with_common_options(std::move(recipe), request, plugin.support());
}

template <class Wanted>
std::vector<Wanted> steps_of(const Recipe& recipe) {
  std::vector<Wanted> found;
  for (const Step& step : recipe.publish.up) {
    if (const auto* wanted = std::get_if<Wanted>(&step)) found.push_back(*wanted);
  }
  return found;
}

const std::string path = "pods/u1/volumes/kubernetes.io~empty-dir/v";

TEST(CommonOptions, who_asks_for_nothing_gets_what_the_plugin_made) {
  const auto recipe = recipe_of({.mounts = "{name: v, mountPath: /v}"});
  ASSERT_TRUE(recipe);
  EXPECT_EQ(recipe.value().publish.up.size(), 2u);
  EXPECT_THAT(recipe.value().content, IsEmpty());
  EXPECT_THAT(recipe.value().sub_paths, IsEmpty());
  EXPECT_FALSE(recipe.value().is_shared);
}

TEST(CommonOptions, kb_11_3_a_part_is_bound_under_the_index_of_its_mount) {
  const auto recipe =
      recipe_of({.mounts = "{name: v, mountPath: /v}, {name: v, mountPath: /w, subPath: a//b/}"});
  ASSERT_TRUE(recipe);
  const auto parts = steps_of<BindSubPath>(recipe.value());
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].volume, path);
  EXPECT_EQ(parts[0].path, "a/b");
  EXPECT_EQ(parts[0].target, "pods/u1/volume-subpaths/v/main/1");
  EXPECT_TRUE(parts[0].may_create);
  EXPECT_THAT(recipe.value().sub_paths, ElementsAre(testing::Pair(parts[0].target, "a/b")));
}

TEST(CommonOptions, kb_11_1_an_expression_is_expanded_from_the_environment) {
  const auto recipe = recipe_of({.mounts = "{name: v, mountPath: /w, subPathExpr: logs/$(WHO)}"});
  ASSERT_TRUE(recipe);
  EXPECT_EQ(steps_of<BindSubPath>(recipe.value()).at(0).path, "logs/web");
}

TEST(CommonOptions, kb_11_1_an_unknown_variable_refuses_the_volume_and_names_the_mount) {
  const auto recipe = recipe_of({.mounts = "{name: v, mountPath: /w, subPathExpr: $(NOBODY)}"});
  ASSERT_FALSE(recipe);
  EXPECT_EQ(recipe.error().reason, "InvalidSubPath");
  EXPECT_THAT(recipe.error().message, HasSubstr("missing value for \"NOBODY\""));
  EXPECT_THAT(recipe.error().message, HasSubstr("/w of container main"));
}

TEST(CommonOptions, kb_11_1_an_empty_path_is_the_whole_volume) {
  const auto recipe = recipe_of({.mounts = "{name: v, mountPath: /w, subPath: ./.}"});
  ASSERT_TRUE(recipe);
  EXPECT_THAT(steps_of<BindSubPath>(recipe.value()), IsEmpty());
}

TEST(CommonOptions, a_part_of_a_local_host_path_is_confined_to_its_mount) {
  const auto recipe =
      recipe_of({.source = "hostPath: {path: /srv}", .mounts = "{name: v, mountPath: /w, subPath: a}"});
  ASSERT_TRUE(recipe);
  const auto part = steps_of<BindSubPath>(recipe.value()).at(0);
  EXPECT_EQ(part.host_path, "/srv");
  EXPECT_EQ(part.confined_to, "/");
  EXPECT_EQ(recipe.value().publish.lane, Lane::Local);
  EXPECT_EQ(steps_of<MakePodDirectory>(recipe.value()).size(), 1u);
}

TEST(CommonOptions, a_part_of_a_host_path_on_a_server_has_a_worker_of_its_own) {
  const auto recipe =
      recipe_of({.source = "hostPath: {path: /net/a}", .mounts = "{name: v, mountPath: /w, subPath: a}"});
  ASSERT_TRUE(recipe);
  EXPECT_EQ(recipe.value().publish.lane, Lane::Own);
  EXPECT_FALSE(steps_of<BindSubPath>(recipe.value()).at(0).confined_to);
}

TEST(CommonOptions, kb_11_2_a_part_of_a_configuration_is_never_made) {
  const auto recipe =
      recipe_of({.source = "configMap: {name: settings}", .mounts = "{name: v, mountPath: /w, subPath: a}"});
  ASSERT_TRUE(recipe);
  EXPECT_FALSE(steps_of<BindSubPath>(recipe.value()).at(0).may_create);
  EXPECT_THAT(steps_of<PublishFiles>(recipe.value()).at(0).live_parts, IsEmpty());
}

TEST(CommonOptions, kb_11_4_gap_50345_a_live_part_of_a_configuration_stands_by_itself) {
  const auto recipe = recipe_of({.source = "configMap: {name: settings, items: [{key: a, path: d/a}]}",
                                 .mounts = "{name: v, mountPath: /w, subPath: d/a}",
                                 .annotations = "mooring.io/live-subpath: 'true'"});
  ASSERT_TRUE(recipe);
  EXPECT_EQ(steps_of<BindSubPath>(recipe.value()).at(0).path, "..live/d~1a");
  EXPECT_THAT(steps_of<PublishFiles>(recipe.value()).at(0).live_parts, ElementsAre(LivePart{"d~1a", "d/a"}));
}

TEST(CommonOptions, a_live_part_of_other_volumes_is_a_part_like_any) {
  const auto recipe = recipe_of(
      {.mounts = "{name: v, mountPath: /w, subPath: a}", .annotations = "mooring.io/live-subpath: 'true'"});
  ASSERT_TRUE(recipe);
  EXPECT_EQ(steps_of<BindSubPath>(recipe.value()).at(0).path, "a");
}

TEST(CommonOptions, an_annotation_with_an_unknown_value_is_refused) {
  for (const std::string annotation :
       {"mooring.io/live-subpath: 'yes'", "mooring.io/fs-group-strategy: chown"}) {
    const auto recipe = recipe_of({.mounts = "{name: v, mountPath: /w, subPath: a}",
                                   .security = "fsGroup: 2000",
                                   .annotations = annotation});
    ASSERT_FALSE(recipe);
    EXPECT_EQ(recipe.error().reason, "InvalidAnnotation");
  }
}

TEST(CommonOptions, kb_10_1_an_empty_dir_is_given_to_the_group_before_its_parts_are_bound) {
  const auto recipe = recipe_of({.mounts = "{name: v, mountPath: /w, subPath: a}",
                                 .security = "fsGroup: 2000, fsGroupChangePolicy: OnRootMismatch"});
  ASSERT_TRUE(recipe);
  const auto& up = recipe.value().publish.up;
  ASSERT_EQ(up.size(), 4u);
  const auto* change = std::get_if<ChangeGroup>(&up[2]);
  ASSERT_NE(change, nullptr);
  EXPECT_EQ(change->path, path);
  EXPECT_EQ(change->group, 2000u);
  EXPECT_FALSE(change->only_on_root_mismatch) << "an emptyDir is always done in full";
  EXPECT_GT(change->entries_max, 0u);
}

TEST(CommonOptions, kb_10_1_a_host_path_is_never_given_to_a_group) {
  const auto recipe = recipe_of({.source = "hostPath: {path: /srv}",
                                 .mounts = "{name: v, mountPath: /w}",
                                 .security = "fsGroup: 2000"});
  ASSERT_TRUE(recipe);
  EXPECT_THAT(steps_of<ChangeGroup>(recipe.value()), IsEmpty());
}

TEST(CommonOptions, kb_10_1_a_configuration_is_written_for_the_group) {
  const auto with = recipe_of({.source = "configMap: {name: settings}",
                               .mounts = "{name: v, mountPath: /w}",
                               .security = "fsGroup: 2000"});
  const auto without =
      recipe_of({.source = "configMap: {name: settings}", .mounts = "{name: v, mountPath: /w}"});
  ASSERT_TRUE(with && without);
  EXPECT_EQ(steps_of<PublishFiles>(with.value()).at(0).group, 2000u);
  EXPECT_FALSE(steps_of<PublishFiles>(without.value()).at(0).group);
  EXPECT_THAT(steps_of<ChangeGroup>(with.value()), IsEmpty());
  EXPECT_NE(with.value().content, without.value().content);
}

TEST(CommonOptions, an_idmapped_volume_is_a_bind_of_itself) {
  const auto recipe = recipe_of({.mounts = "{name: v, mountPath: /w}",
                                 .security = "fsGroup: 2000",
                                 .annotations = "mooring.io/fs-group-strategy: Idmap"});
  ASSERT_TRUE(recipe);
  EXPECT_EQ(recipe.value().shape(), "bind");
  EXPECT_THAT(steps_of<MapGroup>(recipe.value()), ElementsAre(MapGroup{path, 2000, false, 10'000}));
}

TEST(CommonOptions, a_volume_in_memory_is_walked_also_where_mapping_is_asked_for) {
  const auto recipe = recipe_of({.source = "emptyDir: {medium: Memory}",
                                 .mounts = "{name: v, mountPath: /w}",
                                 .security = "fsGroup: 2000",
                                 .annotations = "mooring.io/fs-group-strategy: Idmap"});
  ASSERT_TRUE(recipe);
  EXPECT_EQ(recipe.value().shape(), "mount:tmpfs");
  EXPECT_EQ(steps_of<ChangeGroup>(recipe.value()).size(), 1u);
}

TEST(CommonOptions, kb_5_4_mount_options_are_refused_where_the_plugin_has_none) {
  const auto recipe = recipe_of({.mounts = "{name: v, mountPath: /w}", .mount_options = {"noatime"}});
  ASSERT_FALSE(recipe);
  EXPECT_EQ(recipe.error().reason, "MountOptionsUnsupported");
  EXPECT_THAT(recipe.error().message, HasSubstr("mount options are not supported for this volume type"));
}

TEST(CommonOptions, a_bidirectional_mount_makes_the_volume_shared) {
  const auto recipe = recipe_of({.mounts = "{name: v, mountPath: /w, mountPropagation: Bidirectional}"});
  ASSERT_TRUE(recipe);
  EXPECT_TRUE(recipe.value().is_shared);
}

}  // namespace
}  // namespace mooring
