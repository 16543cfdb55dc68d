#include "plugin/nfs.h"

#include <gmock/gmock.h>

#include "plugin/common_options.h"
#include "plugin/registry.h"
#include "plugin_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const NfsPlugin plugin;
const std::string path = "pods/u1/volumes/kubernetes.io~nfs/v";

struct Asked {
  manifest::NfsSource source{"server", "/export", false};
  std::vector<std::string> mount_options = {};
  VolumeDirectory directory = {};
  bool read_only = false;
  std::map<std::string, std::string> annotations = {};
};

Result<Recipe> recipe_of(const Asked& asked) {
  manifest::Pod pod;
  pod.uid = PodUid("u1");
  pod.key = {Namespace("default"), ObjectName("web")};
  pod.annotations.insert(asked.annotations.begin(), asked.annotations.end());
  pod.volumes.push_back({VolumeName("v"), asked.source});
  const NodeInfo node = node_info();
  RecipeRequest request{pod, pod.volumes[0], node, ObjectStore(), MountTable()};
  request.mount_options = asked.mount_options;
  request.directory = asked.directory;
  request.read_only = asked.read_only;
  MOORING_TRY(Recipe recipe, plugin.recipe(request));
  return with_common_options(std::move(recipe), request, plugin.support());
}

Recipe made(const Asked& asked = {}) {
  Result<Recipe> recipe = recipe_of(asked);
  if (!recipe) ADD_FAILURE() << recipe.error().text();
  return recipe ? std::move(recipe).value() : Recipe();
}

MountNetwork mount_of(const Asked& asked) {
  for (const Step& step : made(asked).publish.up) {
    if (const auto* mount = std::get_if<MountNetwork>(&step)) return *mount;
  }
  ADD_FAILURE() << "no mount";
  return {};
}

TEST(Nfs, has_its_name_and_takes_only_its_source) {
  EXPECT_EQ(plugin.name(), PluginName("kubernetes.io/nfs"));
  EXPECT_TRUE(plugin.takes(manifest::NfsSource{}));
  EXPECT_FALSE(plugin.takes(manifest::EmptyDirSource{}));
  EXPECT_EQ(built_in_plugins().for_source(manifest::NfsSource{})->name(), plugin.name());
}

TEST(Nfs, kb_13_3_is_a_mount_in_a_directory_of_the_pod) {
  const Recipe recipe = made();
  EXPECT_EQ(recipe.path, "/var/lib/mooring/" + path);
  EXPECT_EQ(recipe.directory, VolumeDirectory("v"));
  EXPECT_EQ(recipe.presence, Presence::Mount);
  EXPECT_THAT(recipe.mount_types, ElementsAre("nfs", "nfs4"));
  EXPECT_EQ(recipe.shape(), "mount:nfs");
  const MakePodDirectory directory{PodUid("u1"), Namespace("default"), ObjectName("web")};
  const MountNetwork mount{path, "nfs", "server:/export", {"retry=0"}, false};
  EXPECT_THAT(recipe.publish.up, ElementsAre(Step(directory), Step(mount)));
}

TEST(Nfs, kb_13_3_whatever_may_wait_for_the_server_has_a_worker_of_its_own) {
  EXPECT_EQ(made().publish.lane, Lane::Own);
  EXPECT_EQ(plugin.removal_lane(), Lane::Own);
}

TEST(Nfs, a_volume_of_a_claim_has_the_name_of_its_persistent_volume) {
  Asked asked;
  asked.directory = VolumeDirectory("pv-1");
  EXPECT_EQ(made(asked).path, "/var/lib/mooring/pods/u1/volumes/kubernetes.io~nfs/pv-1");
  EXPECT_EQ(made(asked).directory, VolumeDirectory("pv-1"));
}

TEST(Nfs, kb_13_3_an_ipv6_address_gets_brackets_if_it_has_none) {
  const std::vector<std::pair<std::string, std::string>> servers{
      {"fd00::5", "[fd00::5]:/export"},
      {"[fd00::5]", "[fd00::5]:/export"},
      {"fe80::1%eth0", "[fe80::1%eth0]:/export"},
      {"10.0.0.1", "10.0.0.1:/export"},
      {"nfs.example.com", "nfs.example.com:/export"}};
  for (const auto& [server, source] : servers) {
    Asked asked;
    asked.source.server = server;
    EXPECT_EQ(mount_of(asked).source, source);
  }
}

TEST(Nfs, kb_13_3_is_read_only_if_the_source_or_the_claim_says_so) {
  for (const bool source_says : {false, true}) {
    for (const bool claim_says : {false, true}) {
      Asked asked;
      asked.source.read_only = source_says;
      asked.read_only = claim_says;
      EXPECT_EQ(mount_of(asked).read_only, source_says || claim_says);
    }
  }
}

TEST(Nfs, kb_9_2_mount_options_are_sorted_and_each_is_there_once) {
  Asked asked;
  asked.mount_options = {"nfsvers=4.1", "hard", "retry=1", "", "hard"};
  EXPECT_THAT(mount_of(asked).options, ElementsAre("hard", "nfsvers=4.1", "retry=1"));
}

TEST(Nfs, kb_13_3_a_server_that_is_down_is_told_of_at_once_unless_the_user_wants_to_wait) {
  Asked asked;
  EXPECT_THAT(mount_of(asked).options, ElementsAre("retry=0"));
  asked.mount_options = {"retry=2"};
  EXPECT_THAT(mount_of(asked).options, ElementsAre("retry=2"));
}

TEST(Nfs, a_mount_in_the_background_is_refused) {
  Asked asked;
  asked.mount_options = {"bg"};
  const Result<Recipe> recipe = recipe_of(asked);
  ASSERT_FALSE(recipe);
  EXPECT_EQ(recipe.error().reason, "InvalidMountOptions");
  EXPECT_EQ(recipe.error().kind, ErrorKind::Final);
}

TEST(Nfs, a_source_that_the_helper_would_not_understand_is_refused) {
  for (const char* server : {"", "-o", "ser/ver", "ser ver"}) {
    Asked asked;
    asked.source.server = server;
    const Result<Recipe> recipe = recipe_of(asked);
    ASSERT_FALSE(recipe) << server;
    EXPECT_EQ(recipe.error().reason, "InvalidNfsSource");
  }
  Asked asked;
  asked.source.path = "export";
  EXPECT_FALSE(recipe_of(asked));
}

TEST(Nfs, the_pod_says_how_hard_an_unmount_may_try) {
  EXPECT_EQ(made().unmount_policy, UnmountPolicy::Force);
  const std::vector<std::pair<std::string, UnmountPolicy>> policies{
      {"Wait", UnmountPolicy::Wait}, {"Force", UnmountPolicy::Force}, {"Lazy", UnmountPolicy::Lazy}};
  Asked asked;
  for (const auto& [text, policy] : policies) {
    asked.annotations["mooring.io/unmount-policy"] = text;
    EXPECT_EQ(made(asked).unmount_policy, policy);
  }
  asked.annotations["mooring.io/unmount-policy"] = "lazy";
  const Result<Recipe> recipe = recipe_of(asked);
  ASSERT_FALSE(recipe);
  EXPECT_EQ(recipe.error().reason, "InvalidAnnotation");
  EXPECT_THAT(recipe.error().message, HasSubstr("Wait or Force or Lazy"));
}

TEST(Nfs, kb_13_3_removal_needs_no_manifest_and_removes_no_content) {
  const NodeInfo node = node_info();
  EXPECT_THAT(plugin.removal({PodUid("u1"), VolumeDirectory("v"), node}),
              ElementsAre(Step(UnmountNetwork{path, UnmountPolicy::Force, 0}), Step(RemoveDirectory{path})));
  EXPECT_THAT(plugin.removal({PodUid("u1"), VolumeDirectory("v"), node, {}, {}, UnmountPolicy::Lazy, 2}),
              ElementsAre(Step(UnmountNetwork{path, UnmountPolicy::Lazy, 2}), Step(RemoveDirectory{path})));
}

TEST(Nfs, kb_13_3_has_no_group) {
  EXPECT_FALSE(plugin.support().fs_group);
  EXPECT_TRUE(plugin.support().read_only);
  EXPECT_TRUE(plugin.support().mount_options);
  EXPECT_FALSE(plugin.support().always_read_only);
  EXPECT_EQ(plugin.support().block_mode, false);
  const auto pod = pod_with("nfs: {server: server, path: /export}");
  manifest::Pod with_group = *pod;
  with_group.security.fs_group = 2000;
  const NodeInfo node = node_info();
  const RecipeRequest request{with_group, with_group.volumes[0], node, ObjectStore(), MountTable()};
  const Result<Recipe> recipe =
      with_common_options(plugin.recipe(request).value(), request, plugin.support());
  ASSERT_TRUE(recipe);
  EXPECT_THAT(recipe.value().publish.up, SizeIs(2));
}

TEST(Nfs, its_parts_are_bound_by_the_same_worker_and_made_only_where_it_may_be_written) {
  const auto pod = pod_with("nfs: {server: server, path: /export}",
                            "[{name: c, volumeMounts: [{name: v, mountPath: /a, subPath: a}]}]");
  const NodeInfo node = node_info();
  for (const bool read_only : {false, true}) {
    RecipeRequest request{*pod, pod->volumes[0], node, ObjectStore(), MountTable()};
    request.read_only = read_only;
    const Result<Recipe> recipe =
        with_common_options(plugin.recipe(request).value(), request, plugin.support());
    ASSERT_TRUE(recipe);
    EXPECT_EQ(recipe.value().publish.lane, Lane::Own);
    ASSERT_THAT(recipe.value().publish.up, SizeIs(3));
    const auto& bind = std::get<BindSubPath>(recipe.value().publish.up[2]);
    EXPECT_EQ(bind.volume, path);
    EXPECT_EQ(bind.may_create, !read_only);
  }
}

}  // namespace
}  // namespace mooring
