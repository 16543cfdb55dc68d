#include "plugin/empty_dir.h"

#include <gmock/gmock.h>

#include "plugin_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string path = "pods/u1/volumes/kubernetes.io~empty-dir/v";
const EmptyDirPlugin plugin;

Result<Recipe> recipe_of(const manifest::Pod& pod, const NodeInfo& node = node_info()) {
  const MountTable mounts;
  return plugin.recipe(RecipeRequest{pod, pod.volumes.at(0), node, ObjectStore(), mounts});
}

/// The tmpfs that is the last step of a volume with this source.
MountTmpfs tmpfs_of(const std::string& source, const std::string& containers = "[{name: c}]",
                    const NodeInfo& node = node_info()) {
  const Result<Recipe> recipe = recipe_of(*pod_with(source, containers), node);
  EXPECT_TRUE(recipe.has_value());
  return recipe ? std::get<MountTmpfs>(recipe.value().publish.up.back()) : MountTmpfs{};
}

std::string container(const std::string& resources) {
  return "[{name: c, resources: {" + resources + "}}]";
}

TEST(EmptyDir, has_its_name_and_refuses_nothing_silently) {
  EXPECT_EQ(plugin.name(), PluginName("kubernetes.io/empty-dir"));
  EXPECT_FALSE(plugin.support().mount_options);
  EXPECT_FALSE(plugin.support().block_mode);
  EXPECT_FALSE(plugin.support().refresh);
  EXPECT_TRUE(plugin.takes(manifest::EmptyDirSource{}));
  EXPECT_FALSE(plugin.takes(manifest::HostPathSource{}));
}

TEST(EmptyDir, kb_13_1_by_default_it_is_a_directory_that_everybody_may_write) {
  const auto pod = pod_with("emptyDir: {}");
  const Result<Recipe> recipe = recipe_of(*pod);
  ASSERT_TRUE(recipe);
  const Recipe& made = recipe.value();
  EXPECT_THAT(made.publish.up,
              ElementsAre(Step(MakePodDirectory{PodUid("u1"), Namespace("default"), ObjectName("web")}),
                          Step(MakeDirectory{path, 0777})));
  EXPECT_EQ(made.publish.lane, Lane::Local);
  EXPECT_EQ(made.path, "/var/lib/mooring/" + path);
  EXPECT_EQ(made.directory, VolumeDirectory("v"));
  EXPECT_EQ(made.presence, Presence::Directory);
  EXPECT_TRUE(made.mount_types.empty());
  EXPECT_EQ(made.watch_path, "");
}

/// What a volume on disk with this source is limited to; 0: it has no limit.
std::uint64_t limit_of(const std::string& source, const std::string& containers = "[{name: c}]") {
  const Result<Recipe> recipe = recipe_of(*pod_with(source, containers));
  EXPECT_TRUE(recipe.has_value());
  if (!recipe) return 0;
  const Recipe& made = recipe.value();
  const auto* step = std::get_if<LimitDirectory>(&made.publish.up.back());
  EXPECT_EQ(step != nullptr, made.size_limit.has_value());
  EXPECT_EQ(step != nullptr, made.may_be_half_made()) << "the directory alone does not tell its limit";
  if (step == nullptr) return 0;
  EXPECT_EQ(step->path, path);
  EXPECT_EQ(static_cast<std::uint64_t>(made.size_limit->rounded_up()), step->size_bytes);
  return step->size_bytes;
}

TEST(EmptyDir, kb_2_4_on_disk_it_has_the_least_of_its_limit_and_that_of_its_pods_storage) {
  const std::string limited = container("limits: {ephemeral-storage: 100Mi}");
  EXPECT_EQ(limit_of("emptyDir: {}"), 0u);
  EXPECT_EQ(limit_of("emptyDir: {sizeLimit: 0}"), 0u);
  EXPECT_EQ(limit_of("emptyDir: {sizeLimit: 10Mi}"), 10u << 20);
  EXPECT_EQ(limit_of("emptyDir: {sizeLimit: 10Mi}", limited), 10u << 20);
  EXPECT_EQ(limit_of("emptyDir: {sizeLimit: 1Gi}", limited), 100u << 20);
  EXPECT_EQ(limit_of("emptyDir: {}", limited), 100u << 20);
  EXPECT_EQ(limit_of("emptyDir: {}",
                     "[{name: a, resources: {limits: {ephemeral-storage: 3Mi}}}, {name: b}, "
                     "{name: c, resources: {limits: {ephemeral-storage: 4Mi}}}]"),
            7u << 20);
}

TEST(EmptyDir, kb_1_1_a_volume_without_a_source_is_one_too) {
  const auto pod = pod_with("");
  EXPECT_TRUE(plugin.takes(pod->volumes.at(0).source));
}

TEST(EmptyDirMemory, kb_13_1_is_a_tmpfs_on_the_directory) {
  const Result<Recipe> recipe = recipe_of(*pod_with("emptyDir: {medium: Memory}"));
  ASSERT_TRUE(recipe);
  EXPECT_THAT(recipe.value().publish.up,
              ElementsAre(Step(MakePodDirectory{PodUid("u1"), Namespace("default"), ObjectName("web")}),
                          Step(MakeDirectory{path, 0777}), Step(MountTmpfs{path, std::nullopt, 01777})));
  EXPECT_EQ(recipe.value().presence, Presence::Mount);
  EXPECT_THAT(recipe.value().mount_types, ElementsAre("tmpfs"));
  EXPECT_EQ(recipe.value().publish.lane, Lane::Local);
}

TEST(EmptyDirMemory, kb_13_1_size_is_the_least_of_the_limits_that_are_known) {
  const std::string limited = container("limits: {memory: 100Mi}");
  NodeInfo node = node_info();
  EXPECT_EQ(tmpfs_of("emptyDir: {medium: Memory, sizeLimit: 64Mi}").size_bytes, 64u << 20);
  EXPECT_EQ(tmpfs_of("emptyDir: {medium: Memory, sizeLimit: 64Mi}", limited).size_bytes, 64u << 20);
  EXPECT_EQ(tmpfs_of("emptyDir: {medium: Memory, sizeLimit: 1Gi}", limited).size_bytes, 100u << 20);
  EXPECT_EQ(tmpfs_of("emptyDir: {medium: Memory}", limited).size_bytes, 100u << 20);
  node.allocatable["memory"] = quantity("32Mi");
  EXPECT_EQ(tmpfs_of("emptyDir: {medium: Memory}", "[{name: c}]", node).size_bytes, 32u << 20);
  EXPECT_EQ(tmpfs_of("emptyDir: {medium: Memory, sizeLimit: 64Mi}", limited, node).size_bytes, 32u << 20);
  node.allocatable["memory"] = quantity("1Ti");
  EXPECT_EQ(tmpfs_of("emptyDir: {medium: Memory, sizeLimit: 64Mi}", limited, node).size_bytes, 64u << 20);
}

TEST(EmptyDirMemory, kb_13_1_a_limit_of_zero_is_no_limit) {
  EXPECT_EQ(tmpfs_of("emptyDir: {medium: Memory, sizeLimit: 0}").size_bytes, std::nullopt);
  EXPECT_EQ(
      tmpfs_of("emptyDir: {medium: Memory, sizeLimit: 0}", container("limits: {memory: 1Mi}")).size_bytes,
      1u << 20);
}

TEST(EmptyDirMemory, a_broken_size_is_rounded_up) {
  EXPECT_EQ(tmpfs_of("emptyDir: {medium: Memory, sizeLimit: 1000.5}").size_bytes, 1001u);
}

TEST(PodMemoryLimit, kb_13_1_is_the_sum_of_the_containers_or_the_largest_init_container) {
  manifest::Pod pod;
  const auto add = [&](manifest::ContainerKind kind, const char* limit) {
    manifest::Container& added = pod.containers.emplace_back();
    added.kind = kind;
    if (limit != nullptr) added.limits.emplace("memory", quantity(limit));
  };
  EXPECT_EQ(pod_memory_limit(pod), std::nullopt);
  add(manifest::ContainerKind::Regular, "10Mi");
  add(manifest::ContainerKind::Regular, "20Mi");
  EXPECT_EQ(pod_memory_limit(pod), quantity("30Mi"));
  add(manifest::ContainerKind::Init, "25Mi");
  EXPECT_EQ(pod_memory_limit(pod), quantity("30Mi"));
  add(manifest::ContainerKind::Init, "40Mi");
  add(manifest::ContainerKind::Init, "5Mi");
  EXPECT_EQ(pod_memory_limit(pod), quantity("40Mi"));
  add(manifest::ContainerKind::Ephemeral, nullptr);
  EXPECT_EQ(pod_memory_limit(pod), quantity("40Mi"));
  add(manifest::ContainerKind::Init, nullptr);
  EXPECT_EQ(pod_memory_limit(pod), std::nullopt);
}

TEST(PodMemoryLimit, kb_13_1_is_unknown_if_one_container_has_none) {
  const auto pod = pod_with("emptyDir: {}", "[{name: a, resources: {limits: {memory: 1Mi}}}, {name: b}]");
  EXPECT_EQ(pod_memory_limit(*pod), std::nullopt);
}

TEST(EmptyDirHugePages, kb_13_1_takes_the_one_size_that_the_pod_requests) {
  const auto pod =
      pod_with("emptyDir: {medium: HugePages}", container("limits: {hugepages-2Mi: 64Mi, memory: 1Gi}"));
  const Result<Recipe> recipe = recipe_of(*pod);
  ASSERT_TRUE(recipe);
  EXPECT_EQ(recipe.value().publish.up.back(), Step(MountHugetlbfs{path, 2u << 20}));
  EXPECT_EQ(recipe.value().publish.up.size(), 3u);
  EXPECT_EQ(recipe.value().presence, Presence::Mount);
  EXPECT_THAT(recipe.value().mount_types, ElementsAre("hugetlbfs"));
}

TEST(EmptyDirHugePages, kb_13_1_takes_the_size_that_the_medium_names_in_any_writing) {
  const std::string both = container("limits: {hugepages-2Mi: 64Mi, hugepages-1Gi: 1Gi, memory: 1Gi}");
  for (const auto& [medium, size] : std::vector<std::pair<std::string, std::uint64_t>>{
           {"HugePages-2Mi", 2u << 20}, {"HugePages-1Gi", 1u << 30}, {"HugePages-1024Mi", 1u << 30}}) {
    const Result<Recipe> recipe = recipe_of(*pod_with("emptyDir: {medium: " + medium + "}", both));
    ASSERT_TRUE(recipe) << medium;
    EXPECT_EQ(recipe.value().publish.up.back(), Step(MountHugetlbfs{path, size}));
  }
}

TEST(EmptyDirHugePages, kb_13_1_without_a_request_is_refused) {
  for (const char* medium : {"HugePages", "HugePages-2Mi"}) {
    const Result<Recipe> recipe = recipe_of(*pod_with("emptyDir: {medium: " + std::string(medium) + "}"));
    ASSERT_FALSE(recipe) << medium;
    EXPECT_EQ(recipe.error().kind, ErrorKind::Final);
    EXPECT_EQ(recipe.error().reason, "HugePagesNotRequested");
    EXPECT_THAT(recipe.error().message, HasSubstr("volume v"));
    EXPECT_FALSE(recipe.error().remedy.empty());
  }
}

TEST(EmptyDirHugePages, kb_13_1_of_a_size_that_is_not_requested_is_refused) {
  const Result<Recipe> recipe = recipe_of(*pod_with("emptyDir: {medium: HugePages-1Gi}",
                                                    container("limits: {hugepages-2Mi: 64Mi, memory: 1Gi}")));
  ASSERT_FALSE(recipe);
  EXPECT_EQ(recipe.error().reason, "HugePagesNotRequested");
  EXPECT_THAT(recipe.error().message, HasSubstr("HugePages-1Gi"));
}

TEST(EmptyDirHugePages, kb_13_1_without_a_size_is_refused_if_the_pod_requests_several) {
  const Result<Recipe> recipe =
      recipe_of(*pod_with("emptyDir: {medium: HugePages}",
                          container("limits: {hugepages-2Mi: 64Mi, hugepages-1Gi: 1Gi, memory: 1Gi}")));
  ASSERT_FALSE(recipe);
  EXPECT_EQ(recipe.error().reason, "HugePagesAmbiguous");
}

TEST(EmptyDirHugePages, kb_13_1_requests_of_zero_and_of_ephemeral_containers_do_not_count) {
  manifest::Pod pod = *pod_with("emptyDir: {medium: HugePages}");
  pod.containers[0].requests["hugepages-1Gi"] = quantity("0");
  pod.containers[0].requests["memory"] = quantity("1Gi");
  manifest::Container& ephemeral = pod.containers.emplace_back();
  ephemeral.kind = manifest::ContainerKind::Ephemeral;
  ephemeral.requests["hugepages-2Mi"] = quantity("2Mi");
  EXPECT_FALSE(recipe_of(pod));
  ephemeral.kind = manifest::ContainerKind::Init;
  const Result<Recipe> recipe = recipe_of(pod);
  ASSERT_TRUE(recipe);
  EXPECT_EQ(recipe.value().publish.up.back(), Step(MountHugetlbfs{path, 2u << 20}));
}

TEST(EmptyDirHugePages, a_request_that_names_no_size_is_refused) {
  for (const char* resource : {"hugepages-", "hugepages-big", "hugepages-0", "hugepages--1"}) {
    manifest::Pod pod = *pod_with("emptyDir: {medium: HugePages}");
    pod.containers[0].requests[resource] = quantity("2Mi");
    const Result<Recipe> recipe = recipe_of(pod);
    ASSERT_FALSE(recipe) << resource;
    EXPECT_EQ(recipe.error().reason, "InvalidQuantity");
  }
}

TEST(EmptyDir, kb_13_1_removal_unmounts_what_it_may_have_mounted_and_discards_the_directory) {
  const NodeInfo node = node_info();
  const std::vector<Step> steps = plugin.removal({PodUid("u1"), VolumeDirectory("v"), node});
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(steps[0], Step(Unmount{path, {"tmpfs", "hugetlbfs", "bind"}}));
  EXPECT_EQ(steps[1], Step(UnlimitDirectory{path}));
  const auto& discard = std::get<DiscardDirectory>(steps[2]);
  EXPECT_EQ(discard.path, path);
  EXPECT_EQ(discard.trash_name.find('/'), std::string::npos);
}

TEST(EmptyDir, removal_of_what_was_mounted_has_no_limit_to_lift) {
  const NodeInfo node = node_info();
  EXPECT_EQ(plugin.removal({PodUid("u1"), VolumeDirectory("v"), node, "mount:tmpfs"}).size(), 2u);
  EXPECT_EQ(plugin.removal({PodUid("u1"), VolumeDirectory("v"), node, "directory"}).size(), 3u);
}

TEST(EmptyDir, removal_is_the_same_at_each_try_and_another_for_each_volume) {
  const NodeInfo node = node_info();
  const auto trash = [&](const char* uid, const char* directory) {
    const std::vector<Step> steps = plugin.removal({PodUid(uid), VolumeDirectory(directory), node});
    return std::get<DiscardDirectory>(steps.back()).trash_name;
  };
  EXPECT_EQ(trash("u1", "v"), trash("u1", "v"));
  EXPECT_NE(trash("u1", "v"), trash("u1", "w"));
  EXPECT_NE(trash("u1", "v"), trash("u2", "v"));
}

}  // namespace
}  // namespace mooring
