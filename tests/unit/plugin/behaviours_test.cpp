// kubelet-behaviours 10.1, 11.1 and 13, line by line: what each kind of volume is made of.

#include <gmock/gmock.h>

#include <set>

#include "plugin/common_options.h"
#include "plugin/registry.h"
#include "plugin_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string objects =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: '1'}\n---\n"
    "apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {token: HIDDEN-MARKER}\n";

/// All kinds that Mooring makes, by name.
const std::map<std::string, std::string> sources{
    {"empty-dir", "emptyDir: {}"},
    {"memory", "emptyDir: {medium: Memory}"},
    {"host-path", "hostPath: {path: /srv, type: Directory}"},
    {"configmap", "configMap: {name: settings}"},
    {"secret", "secret: {secretName: keys}"},
    {"downward-api", "downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}"},
    {"projected", "projected: {sources: [{secret: {name: keys}}]}"}};
const std::vector<std::string> configurations{"configmap", "secret", "downward-api", "projected"};

/// The recipe of a volume of this kind; `security` is the pod's, `mount` is more of the container's mount.
Result<Recipe> recipe_of(const std::string& kind, const std::string& security = "",
                         const std::string& mount = "", std::vector<std::string> mount_options = {}) {
  const manifest::ParsedFile file = manifest::parse_file(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: web, uid: u1}\nspec:\n  securityContext: {" + security +
          "}\n  containers:\n  - name: main\n    env: [{name: T, valueFrom: {secretKeyRef: {name: keys, key: "
          "token}}}]\n    volumeMounts: [{name: v, mountPath: /v" +
          mount + "}]\n  volumes:\n  - name: v\n    " + sources.at(kind) + "\n",
      "t.yaml");
  for (const manifest::Diagnostic& diagnostic : file.diagnostics)
    ADD_FAILURE() << diagnostic.text();
  const auto pod = std::get<std::shared_ptr<const manifest::Pod>>(file.objects.at(0));
  ObjectStore store;
  store.apply(manifest::parse_file(objects, "objects.yaml"));
  MountFact root;
  root.mount_point = "/";
  root.type = "ext4";
  const MountTable mounts = MountTable::from_facts({root});
  const NodeInfo node = node_info();
  const PluginRegistry plugins = built_in_plugins();
  const RecipeRequest request{*pod, pod->volumes.at(0), node, store, mounts, std::move(mount_options)};
  const Plugin& plugin = *plugins.for_source(request.volume.source);
  MOORING_TRY(Recipe recipe, plugin.recipe(request));
  return with_common_options(std::move(recipe), request, plugin.support());
}

/// The same of one that must be made.
Recipe made(const std::string& kind, const std::string& security = "", const std::string& mount = "") {
  Result<Recipe> recipe = recipe_of(kind, security, mount);
  if (!recipe) ADD_FAILURE() << kind << ": " << recipe.error().text();
  return recipe ? std::move(recipe).value() : Recipe();
}

template <class Wanted>
std::vector<Wanted> steps_of(const Recipe& recipe) {
  std::vector<Wanted> found;
  for (const Step& step : recipe.publish.up) {
    if (const auto* wanted = std::get_if<Wanted>(&step)) found.push_back(*wanted);
  }
  return found;
}

/// True if a step of the recipe gives the volume, or what is in it, to a group.
bool is_given_to_a_group(const Recipe& recipe) {
  const auto files = steps_of<PublishFiles>(recipe);
  return !steps_of<ChangeGroup>(recipe).empty() || !steps_of<MapGroup>(recipe).empty() ||
         (!files.empty() && files[0].group.has_value());
}

TEST(FsGroup, kb_10_1_without_one_nothing_is_given_to_anybody) {
  for (const auto& [kind, source] : sources) {
    for (const char* security : {"", "supplementalGroups: [2000]", "runAsUser: 1000, runAsGroup: 2000"})
      EXPECT_FALSE(is_given_to_a_group(made(kind, security))) << kind << security;
  }
}

TEST(FsGroup, kb_10_1_the_table_of_kinds) {
  for (const auto& [kind, source] : sources)
    EXPECT_EQ(is_given_to_a_group(made(kind, "fsGroup: 2000")), kind != "host-path") << kind;
}

TEST(FsGroup, kb_10_1_an_empty_dir_is_walked_in_full_whatever_the_policy) {
  for (const char* kind : {"empty-dir", "memory"}) {
    for (const char* policy :
         {"", ", fsGroupChangePolicy: Always", ", fsGroupChangePolicy: OnRootMismatch"}) {
      const auto steps = steps_of<ChangeGroup>(made(kind, std::string("fsGroup: 2000") + policy));
      ASSERT_EQ(steps.size(), 1u) << kind << policy;
      EXPECT_EQ(steps[0].group, 2000u);
      EXPECT_FALSE(steps[0].only_on_root_mismatch);
      EXPECT_FALSE(steps[0].read_only) << "its containers write to it";
    }
  }
}

TEST(FsGroup, kb_10_1_a_configuration_is_written_for_the_group_whatever_the_policy) {
  for (const std::string& kind : configurations) {
    for (const char* policy : {"", ", fsGroupChangePolicy: OnRootMismatch"}) {
      const Recipe recipe = made(kind, std::string("fsGroup: 2000") + policy);
      EXPECT_EQ(steps_of<PublishFiles>(recipe).at(0).group, 2000u) << kind << policy;
      EXPECT_THAT(steps_of<ChangeGroup>(recipe), IsEmpty()) << kind << policy;
    }
  }
}

TEST(FsGroup, kb_13_1_it_comes_after_the_volume_was_made) {
  const auto& up = made("memory", "fsGroup: 2000").publish.up;
  ASSERT_EQ(up.size(), 4u);
  EXPECT_TRUE(std::holds_alternative<MountTmpfs>(up[2]));
  EXPECT_TRUE(std::holds_alternative<ChangeGroup>(up[3]));
}

TEST(SubPath, kb_11_1_a_secret_in_a_path_is_refused_and_not_told) {
  for (const char* kind : {"empty-dir", "host-path", "secret"}) {
    const Result<Recipe> recipe = recipe_of(kind, "", ", subPathExpr: a/$(T)");
    ASSERT_FALSE(recipe) << kind;
    EXPECT_EQ(recipe.error().reason, "SecretInPath");
    EXPECT_THAT(recipe.error().text(), Not(HasSubstr("HIDDEN-MARKER")));
  }
}

TEST(SubPath, kb_11_2_what_is_missing_is_made_in_all_but_configurations) {
  for (const auto& [kind, source] : sources) {
    const auto parts = steps_of<BindSubPath>(made(kind, "", ", subPath: a"));
    ASSERT_EQ(parts.size(), 1u) << kind;
    EXPECT_EQ(parts[0].may_create, source.starts_with("emptyDir") || source.starts_with("hostPath")) << kind;
  }
}

TEST(SubPath, kb_11_3_the_containers_read_only_does_not_concern_the_bind) {
  const auto parts = steps_of<BindSubPath>(made("empty-dir", "", ", subPath: a, readOnly: true"));
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_TRUE(parts[0].may_create);
}

TEST(SubPath, kb_11_3_parts_are_bound_when_the_volume_is_all_made) {
  for (const auto& [kind, source] : sources) {
    const Recipe recipe = made(kind, "fsGroup: 2000", ", subPath: a");
    ASSERT_FALSE(recipe.publish.up.empty());
    EXPECT_TRUE(std::holds_alternative<BindSubPath>(recipe.publish.up.back())) << kind;
  }
}

TEST(Directories, kb_13_each_kind_has_its_place) {
  for (const auto& [kind, source] : sources) {
    if (kind == "host-path" || kind == "memory") continue;
    EXPECT_EQ(made(kind).path, "/var/lib/mooring/pods/u1/volumes/kubernetes.io~" + kind + "/v");
  }
  EXPECT_EQ(made("memory").path, "/var/lib/mooring/pods/u1/volumes/kubernetes.io~empty-dir/v");
  EXPECT_EQ(made("host-path").path, "/srv");
}

TEST(Directories, kb_13_5_a_config_map_is_on_disk) {
  EXPECT_EQ(made("configmap").shape(), "directory");
  EXPECT_EQ(steps_of<MakeDirectory>(made("configmap")).at(0).mode, 0777u);
}

TEST(Directories, kb_13_6_7_8_the_other_configurations_are_in_memory_that_is_not_swapped) {
  for (const char* kind : {"secret", "downward-api", "projected"}) {
    const Recipe recipe = made(kind);
    EXPECT_EQ(recipe.shape(), "mount:tmpfs") << kind;
    const auto tmpfs = steps_of<MountTmpfs>(recipe);
    ASSERT_EQ(tmpfs.size(), 1u) << kind;
    EXPECT_EQ(tmpfs[0].mode, 01777u);
    EXPECT_TRUE(tmpfs[0].is_secret);
    EXPECT_EQ(tmpfs[0].size_bytes, std::nullopt);
  }
}

TEST(Attributes, kb_13_5_configurations_are_read_only_and_follow_their_objects) {
  const PluginRegistry plugins = built_in_plugins();
  for (const auto& plugin : plugins.all()) {
    const std::string name = plugin->name().str();
    const std::set<std::string> kinds{"kubernetes.io/configmap", "kubernetes.io/secret",
                                      "kubernetes.io/downward-api", "kubernetes.io/projected"};
    const bool is_configuration = kinds.contains(name);
    EXPECT_EQ(plugin->support().always_read_only, is_configuration) << name;
    EXPECT_EQ(plugin->support().refresh, is_configuration) << name;
  }
}

TEST(Attributes, kb_13_1_an_empty_dir_is_managed_and_relabelled) {
  const PluginRegistry plugins = built_in_plugins();
  const PluginSupport support = plugins.by_name(PluginName("kubernetes.io/empty-dir"))->support();
  EXPECT_FALSE(support.read_only);
  EXPECT_TRUE(support.selinux_relabel);
}

TEST(Attributes, kb_13_2_a_host_path_has_no_group_no_relabelling_and_no_mount_options) {
  const PluginRegistry plugins = built_in_plugins();
  const PluginSupport support = plugins.by_name(PluginName("kubernetes.io/host-path"))->support();
  EXPECT_FALSE(support.fs_group);
  EXPECT_FALSE(support.selinux_relabel);
  const Result<Recipe> recipe = recipe_of("host-path", "", "", {"noatime"});
  ASSERT_FALSE(recipe);
  EXPECT_EQ(recipe.error().reason, "MountOptionsUnsupported");
}

TEST(HostPathVolume, kb_13_2_makes_nothing_below_the_root_directory) {
  const Recipe recipe = made("host-path");
  EXPECT_THAT(recipe.publish.up, ElementsAre(Step(CheckHostPath{"/srv", HostPathType::Directory, "/"})));
  EXPECT_TRUE(recipe.directory.empty());
}

}  // namespace
}  // namespace mooring
