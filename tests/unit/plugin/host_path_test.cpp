#include "plugin/host_path.h"

#include <gmock/gmock.h>

#include "plugin/registry.h"
#include "plugin_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const HostPathPlugin plugin;

MountTable node_mounts() {
  const Result<MountTable> table = MountTable::parse(
      "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
      "2 1 0:5 / /mnt/nfs rw - nfs4 server:/x rw\n"
      "3 1 0:6 / /mnt/odd rw - oddfs odd rw\n"
      "4 1 8:2 / /srv rw - xfs /dev/sdb rw\n"
      "5 4 0:7 / /srv/fuse rw - fuse.sshfs s rw\n");
  return table.value();
}

/// By hand, because a type or path that the parser refuses must be refused here too.
Result<Recipe> recipe_of(const std::string& path, const std::string& type,
                         const MountTable& mounts = node_mounts()) {
  manifest::Pod pod;
  pod.uid = PodUid("u1");
  pod.volumes.push_back({VolumeName("v"), manifest::HostPathSource{path, type}});
  const NodeInfo node = node_info();
  return plugin.recipe(RecipeRequest{pod, pod.volumes[0], node, ObjectStore(), mounts});
}

TEST(HostPath, has_its_name_and_takes_only_its_source) {
  EXPECT_EQ(plugin.name(), PluginName("kubernetes.io/host-path"));
  EXPECT_TRUE(plugin.takes(manifest::HostPathSource{}));
  EXPECT_FALSE(plugin.takes(manifest::EmptyDirSource{}));
  EXPECT_FALSE(plugin.support().read_only);
  EXPECT_FALSE(plugin.support().selinux_relabel);
}

TEST(HostPath, kb_13_2_without_a_type_nothing_is_checked) {
  for (const char* path : {"/srv/data", "/mnt/nfs/data"}) {
    const Result<Recipe> recipe = recipe_of(path, "");
    ASSERT_TRUE(recipe);
    EXPECT_THAT(recipe.value().publish.up, IsEmpty());
    EXPECT_EQ(recipe.value().publish.lane, Lane::Local);
    EXPECT_EQ(recipe.value().path, path);
    EXPECT_EQ(recipe.value().presence, Presence::HostPath);
    EXPECT_TRUE(recipe.value().directory.empty());
    EXPECT_EQ(recipe.value().watch_path, "");
  }
}

TEST(HostPath, kb_13_2_each_type_is_checked_and_watched_for_unless_it_is_made) {
  const std::vector<std::pair<std::string, HostPathType>> types{
      {"DirectoryOrCreate", HostPathType::DirectoryOrCreate},
      {"Directory", HostPathType::Directory},
      {"FileOrCreate", HostPathType::FileOrCreate},
      {"File", HostPathType::File},
      {"Socket", HostPathType::Socket},
      {"CharDevice", HostPathType::CharDevice},
      {"BlockDevice", HostPathType::BlockDevice}};
  for (const auto& [name, type] : types) {
    const Result<Recipe> recipe = recipe_of("/srv/x", name);
    ASSERT_TRUE(recipe) << name;
    EXPECT_THAT(recipe.value().publish.up, ElementsAre(Step(CheckHostPath{"/srv/x", type, "/srv"})));
    EXPECT_EQ(recipe.value().publish.lane, Lane::Local);
    EXPECT_EQ(recipe.value().path, "/srv/x");
    EXPECT_EQ(recipe.value().presence, Presence::HostPath);
    // FileOrCreate makes no parent directories, so that it too can wait for something to appear.
    EXPECT_EQ(recipe.value().watch_path, type == HostPathType::DirectoryOrCreate ? "" : "/srv/x") << name;
  }
}

TEST(HostPath, reads_what_the_parser_made_of_a_manifest) {
  const auto pod = pod_with("hostPath: {path: /srv/x, type: Directory}");
  const NodeInfo node = node_info();
  const MountTable mounts = node_mounts();
  const Result<Recipe> recipe =
      plugin.recipe(RecipeRequest{*pod, pod->volumes.at(0), node, ObjectStore(), mounts});
  ASSERT_TRUE(recipe);
  EXPECT_EQ(recipe.value().publish.up.size(), 1u);
}

TEST(HostPath, a_check_is_confined_to_the_mount_that_covers_the_path) {
  const auto confinement = [](const std::string& path) {
    const Result<Recipe> recipe = recipe_of(path, "Directory");
    EXPECT_TRUE(recipe.has_value());
    return std::get<CheckHostPath>(recipe.value().publish.up.at(0)).confined_to;
  };
  EXPECT_EQ(confinement("/srv"), "/srv");
  EXPECT_EQ(confinement("/srv/a/b"), "/srv");
  EXPECT_EQ(confinement("/srvx"), "/");
  EXPECT_EQ(confinement("/"), "/");
  EXPECT_EQ(confinement("/mnt"), "/");
}

TEST(HostPath, a_path_that_may_wait_for_a_server_gets_a_worker_of_its_own) {
  for (const char* path : {"/mnt/nfs", "/mnt/nfs/a", "/mnt/odd/a", "/srv/fuse/a"}) {
    const Result<Recipe> recipe = recipe_of(path, "Directory");
    ASSERT_TRUE(recipe);
    EXPECT_EQ(recipe.value().publish.lane, Lane::Own) << path;
    EXPECT_THAT(recipe.value().publish.up,
                ElementsAre(Step(CheckHostPath{path, HostPathType::Directory, std::nullopt})));
  }
}

TEST(HostPath, without_a_mount_table_nothing_is_believed_to_be_local) {
  const Result<Recipe> recipe = recipe_of("/srv/a", "File", MountTable());
  ASSERT_TRUE(recipe);
  EXPECT_EQ(recipe.value().publish.lane, Lane::Own);
}

TEST(HostPath, kb_13_2_a_parent_element_is_refused) {
  for (const char* path : {"/srv/../etc", "/..", "..", "../x", "/srv/..", "/a/../", "/a//../b"}) {
    for (const char* type : {"", "Directory"}) {
      const Result<Recipe> recipe = recipe_of(path, type);
      ASSERT_FALSE(recipe) << path;
      EXPECT_EQ(recipe.error().kind, ErrorKind::Final);
      EXPECT_EQ(recipe.error().reason, "InvalidHostPath");
      EXPECT_THAT(recipe.error().message, HasSubstr(".."));
    }
  }
  for (const char* path : {"/srv/..a", "/srv/a..", "/srv/...", "/srv/a..b"})
    EXPECT_TRUE(recipe_of(path, "Directory")) << path;
}

TEST(HostPath, a_relative_or_empty_path_is_refused) {
  for (const char* path : {"", "srv/x", "./x", "~/x"}) {
    const Result<Recipe> recipe = recipe_of(path, "");
    ASSERT_FALSE(recipe) << path;
    EXPECT_EQ(recipe.error().reason, "InvalidHostPath");
    EXPECT_THAT(recipe.error().message, HasSubstr("not absolute"));
  }
}

TEST(HostPath, an_unknown_type_is_refused_with_the_known_ones) {
  for (const char* type : {"directory", "Dir", "Directory ", "Pipe"}) {
    const Result<Recipe> recipe = recipe_of("/srv/x", type);
    ASSERT_FALSE(recipe) << type;
    EXPECT_EQ(recipe.error().reason, "InvalidHostPath");
    EXPECT_THAT(recipe.error().message, HasSubstr(type));
    EXPECT_THAT(recipe.error().remedy, HasSubstr("DirectoryOrCreate"));
  }
}

TEST(HostPath, a_refusal_stays_on_one_line) {
  for (const char* path : {"/srv/../a\nb", "a\nb"})
    EXPECT_EQ(recipe_of(path, "").error().text().find('\n'), std::string::npos) << path;
}

TEST(HostPath, kb_13_2_removal_touches_nothing_of_the_node) {
  const NodeInfo node = node_info();
  EXPECT_THAT(plugin.removal({PodUid("u1"), VolumeDirectory("v"), node}), IsEmpty());
}

TEST(Registry, has_the_built_in_plugins_by_source_and_by_name) {
  const PluginRegistry registry = built_in_plugins();
  ASSERT_EQ(registry.all().size(), 11u);
  EXPECT_EQ(registry.for_source(manifest::EmptyDirSource{})->name(), PluginName("kubernetes.io/empty-dir"));
  EXPECT_EQ(registry.for_source(manifest::HostPathSource{})->name(), PluginName("kubernetes.io/host-path"));
  for (const auto& each : registry.all())
    EXPECT_EQ(registry.by_name(each->name()), each.get());
}

TEST(Registry, a_source_without_a_plugin_has_none) {
  const PluginRegistry registry = built_in_plugins();
  EXPECT_EQ(registry.for_source(manifest::OtherSource{"rbd"}), nullptr);
  EXPECT_EQ(registry.by_name(PluginName("kubernetes.io/rbd")), nullptr);
  EXPECT_EQ(PluginRegistry({}).for_source(manifest::EmptyDirSource{}), nullptr);
}

TEST(Registry, names_a_plugin_as_the_manifest_does) {
  const PluginRegistry registry = built_in_plugins();
  for (const manifest::VolumeSource& source :
       {manifest::VolumeSource(manifest::EmptyDirSource{}),
        manifest::VolumeSource(manifest::HostPathSource{}), manifest::VolumeSource(manifest::NfsSource{})})
    EXPECT_EQ(registry.for_source(source)->name(), manifest::plugin_name(source));
}

}  // namespace
}  // namespace mooring
