#include "objects/store.h"

#include <gtest/gtest.h>

#include "manifest/parse.h"
#include "objects/expand.h"

namespace mooring {
namespace {

using namespace manifest;

std::shared_ptr<const Pod> make_pod(const std::string& name, const std::string& label = "") {
  auto pod = std::make_shared<Pod>();
  pod->key = {Namespace("default"), ObjectName(name)};
  pod->uid = derived_pod_uid(pod->key.name_space, pod->key.name);
  if (!label.empty()) pod->labels["l"] = label;
  return pod;
}

PodUid uid_of(const std::string& name) {
  return derived_pod_uid(Namespace("default"), ObjectName(name));
}

ParsedFile file_with(const std::string& name, std::vector<Object> objects) {
  ParsedFile file;
  file.file = name;
  file.objects = std::move(objects);
  return file;
}

BrokenDocument broken_pod(const std::string& name) {
  return {{}, "Pod", ObjectKey{Namespace("default"), ObjectName(name)}, "line 3: no"};
}

TEST(ObjectStore, a_pod_comes_and_goes_with_its_file) {
  ObjectStore store;
  EXPECT_EQ(store.apply(file_with("a.yaml", {make_pod("web")})).pods, std::set<PodUid>{uid_of("web")});
  ASSERT_NE(store.find_pod(uid_of("web")), nullptr);
  EXPECT_EQ(store.remove("a.yaml").pods, std::set<PodUid>{uid_of("web")});
  EXPECT_EQ(store.find_pod(uid_of("web")), nullptr);
}

TEST(ObjectStore, a_document_that_is_gone_from_a_whole_file_is_gone) {
  ObjectStore store;
  store.apply(file_with("a.yaml", {make_pod("web"), make_pod("db")}));
  store.apply(file_with("a.yaml", {make_pod("db")}));
  EXPECT_EQ(store.find_pod(uid_of("web")), nullptr);
  EXPECT_NE(store.find_pod(uid_of("db")), nullptr);
}

TEST(ObjectStore, a_document_that_broke_keeps_the_object_that_it_was_and_says_so) {
  ObjectStore store;
  store.apply(file_with("a.yaml", {make_pod("web"), make_pod("db")}));
  ParsedFile broken = file_with("a.yaml", {make_pod("db")});
  broken.broken.push_back(broken_pod("web"));
  const StoreChanges changes = store.apply(broken);
  EXPECT_TRUE(changes.pods.contains(uid_of("web")));
  ASSERT_NE(store.find_pod(uid_of("web")), nullptr);
  EXPECT_NE(store.find_pod(uid_of("web"))->note.find("line 3: no"), std::string::npos);
  EXPECT_TRUE(store.find_pod(uid_of("db"))->note.empty());
}

TEST(ObjectStore, a_document_that_never_was_good_gives_nothing) {
  ObjectStore store;
  ParsedFile broken = file_with("a.yaml", {});
  broken.broken.push_back(broken_pod("web"));
  store.apply(broken);
  EXPECT_EQ(store.find_pod(uid_of("web")), nullptr);
}

TEST(ObjectStore, a_file_that_may_not_be_whole_loses_nothing) {
  ObjectStore store;
  store.apply(file_with("a.yaml", {make_pod("web"), make_pod("db")}));
  ParsedFile half = file_with("a.yaml", {make_pod("db", "new")});
  half.is_whole = false;
  store.apply(half);
  ASSERT_NE(store.find_pod(uid_of("web")), nullptr);
  EXPECT_FALSE(store.find_pod(uid_of("web"))->note.empty());
  EXPECT_EQ(store.find_pod(uid_of("db"))->pod->labels.at("l"), "new");
  EXPECT_FALSE(store.problems().empty());
}

TEST(ObjectStore, an_unreadable_file_keeps_what_it_held) {
  ObjectStore store;
  store.apply(file_with("a.yaml", {make_pod("web")}));
  store.mark_unreadable("a.yaml", "EACCES: Permission denied");
  ASSERT_NE(store.find_pod(uid_of("web")), nullptr);
  EXPECT_NE(store.find_pod(uid_of("web"))->note.find("EACCES"), std::string::npos);
  store.apply(file_with("a.yaml", {make_pod("web")}));
  EXPECT_TRUE(store.find_pod(uid_of("web"))->note.empty());
  EXPECT_TRUE(store.problems().empty());
}

TEST(ObjectStore, only_what_a_whole_listing_does_not_name_is_removed) {
  ObjectStore store;
  store.apply(file_with("a.yaml", {make_pod("web")}));
  store.apply(file_with("b.yaml", {make_pod("db")}));
  EXPECT_EQ(store.keep_only({"b.yaml"}).pods, std::set<PodUid>{uid_of("web")});
  EXPECT_NE(store.find_pod(uid_of("db")), nullptr);
}

TEST(ObjectStore, of_two_files_with_one_pod_the_first_by_name_counts_in_any_order_of_reading) {
  for (const bool swap : {false, true}) {
    ObjectStore store;
    store.apply(file_with(swap ? "b.yaml" : "a.yaml", {make_pod("web", swap ? "b" : "a")}));
    store.apply(file_with(swap ? "a.yaml" : "b.yaml", {make_pod("web", swap ? "a" : "b")}));
    EXPECT_EQ(store.find_pod(uid_of("web"))->pod->labels.at("l"), "a");
    EXPECT_EQ(store.problems().size(), 1u);
    store.remove("a.yaml");
    EXPECT_EQ(store.find_pod(uid_of("web"))->pod->labels.at("l"), "b");
    EXPECT_TRUE(store.problems().empty());
  }
}

TEST(ObjectStore, one_pod_twice_in_a_file_is_a_problem_and_the_first_counts) {
  ObjectStore store;
  store.apply(file_with("a.yaml", {make_pod("web", "first"), make_pod("web", "second")}));
  EXPECT_EQ(store.find_pod(uid_of("web"))->pod->labels.at("l"), "first");
  EXPECT_EQ(store.problems().size(), 1u);
}

TEST(ObjectStore, other_kinds_are_found_by_name) {
  ObjectStore store;
  auto map = std::make_shared<ConfigMap>();
  map->key = {Namespace("default"), ObjectName("settings")};
  auto volume = std::make_shared<PersistentVolume>();
  volume->name = ObjectName("pv");
  store.apply(file_with(
      "a.yaml", {std::shared_ptr<const ConfigMap>(map), std::shared_ptr<const PersistentVolume>(volume)}));
  EXPECT_EQ(store.find_config_map(map->key), map);
  EXPECT_EQ(store.find_persistent_volume(volume->name), volume);
  EXPECT_EQ(store.find_secret(map->key), nullptr);
}

TEST(ObjectStore, of_two_pods_with_one_uid_the_one_that_does_not_count_is_a_problem) {
  auto other = std::make_shared<Pod>(*make_pod("other"));
  other->uid = uid_of("web");
  other->origin = {"b.yaml", 7, 1};
  ObjectStore store;
  store.apply(file_with("a.yaml", {make_pod("web")}));
  store.apply(file_with("b.yaml", {std::shared_ptr<const Pod>(other)}));
  EXPECT_EQ(store.pods().size(), 1u);
  EXPECT_EQ(store.find_pod(uid_of("web"))->pod->key.name.str(), "other");  // The first by kind and name.
  ASSERT_EQ(store.problems().size(), 1u);
  const std::string problem = store.problems().front();
  for (const std::string& part : {std::string("default/web"), std::string("default/other"),
                                  uid_of("web").str(), std::string("b.yaml:7:1")})
    EXPECT_NE(problem.find(part), std::string::npos) << problem;
  store.remove("b.yaml");
  EXPECT_EQ(store.find_pod(uid_of("web"))->pod->key.name.str(), "web");
  EXPECT_TRUE(store.problems().empty());
}

std::shared_ptr<const Workload> make_workload(Workload::Kind kind, std::int64_t replicas) {
  auto workload = std::make_shared<Workload>();
  workload->kind = kind;
  workload->key = {Namespace("shop"), ObjectName("web")};
  workload->replicas = replicas;
  return workload;
}

TEST(Expand, a_stateful_set_names_its_pods_by_ordinal) {
  auto workload = std::make_shared<Workload>(*make_workload(Workload::Kind::StatefulSet, 3));
  workload->first_ordinal = 5;
  const auto pods = expand(*workload);
  ASSERT_EQ(pods.size(), 3u);
  EXPECT_EQ(pods[0]->key.name.str(), "web-5");
  EXPECT_EQ(pods[2]->key.name.str(), "web-7");
  EXPECT_EQ(pods[2]->labels.at("statefulset.kubernetes.io/pod-name"), "web-7");
  EXPECT_EQ(pods[1]->key.name_space.str(), "shop");
  EXPECT_NE(pods[0]->uid, pods[1]->uid);
}

TEST(Expand, a_deployment_names_its_pods_by_template_and_letters_and_the_same_at_each_start) {
  const auto workload = make_workload(Workload::Kind::Deployment, 2);
  const auto pods = expand(*workload);
  ASSERT_EQ(pods.size(), 2u);
  EXPECT_TRUE(pods[0]->key.name.str().starts_with("web-"));
  EXPECT_EQ(pods[0]->key.name.str().size(), std::string("web-").size() + 10 + 1 + 5);
  EXPECT_EQ(pods[0]->key, expand(*workload)[0]->key);
  auto changed = std::make_shared<Workload>(*workload);
  changed->pod_template.volumes.push_back({VolumeName("more"), EmptyDirSource{}});
  EXPECT_NE(pods[0]->key, expand(*changed)[0]->key);
}

TEST(Expand, a_daemon_set_has_one_pod_on_one_node_and_a_suspended_job_none) {
  EXPECT_EQ(expand(*make_workload(Workload::Kind::DaemonSet, 7)).size(), 1u);
  auto job = std::make_shared<Workload>(*make_workload(Workload::Kind::Job, 4));
  EXPECT_EQ(expand(*job).size(), 4u);
  job->suspended = true;
  EXPECT_TRUE(expand(*job).empty());
}

/// The names of a workload's pods, in order.
std::vector<std::string> names_of(const Workload& workload) {
  std::vector<std::string> names;
  for (const auto& pod : expand(workload))
    names.push_back(pod->key.name.str());
  return names;
}

// Of "default/web1343" the ordinals 10 and 110 have the same five letters.
TEST(Expand, names_are_unique_and_scaling_renames_no_pod) {
  for (const Workload::Kind kind : {Workload::Kind::Deployment, Workload::Kind::Job}) {
    auto workload = std::make_shared<Workload>(*make_workload(kind, 10'000));
    workload->key = {Namespace("default"), ObjectName("web1343")};
    const std::vector<std::string> all = names_of(*workload);
    EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 10'000u);
    for (const std::int64_t replicas : {1, 10, 11, 110, 111, 112, 5000}) {
      workload->replicas = replicas;
      const std::vector<std::string> some = names_of(*workload);
      ASSERT_EQ(some.size(), static_cast<std::size_t>(replicas));
      EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin())) << replicas;
    }
  }
}

TEST(ObjectStore, a_workload_of_which_two_pods_have_the_same_letters_comes_and_goes) {
  const auto file = [](std::int64_t replicas) {
    return manifest::parse_file(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web1343}\nspec:\n  replicas: " +
            std::to_string(replicas) + "\n  template: {spec: {containers: [{name: c}]}}\n",
        "a.yaml");
  };
  ObjectStore store;
  store.apply(file(111));
  EXPECT_EQ(store.pods().size(), 111u);
  store.apply(file(111));
  EXPECT_EQ(store.pods().size(), 111u);
  EXPECT_EQ(store.apply(file(110)).pods.size(), 111u);
  EXPECT_EQ(store.pods().size(), 110u);
  store.remove("a.yaml");
  EXPECT_TRUE(store.pods().empty());
}

TEST(ObjectStore, scaling_a_workload_down_removes_just_the_last_pods) {
  ObjectStore store;
  store.apply(file_with("a.yaml", {make_workload(Workload::Kind::StatefulSet, 3)}));
  EXPECT_EQ(store.pods().size(), 3u);
  store.apply(file_with("a.yaml", {make_workload(Workload::Kind::StatefulSet, 1)}));
  ASSERT_EQ(store.pods().size(), 1u);
  EXPECT_EQ(store.find_pod(store.pods()[0])->pod->key.name.str(), "web-0");
}

}  // namespace
}  // namespace mooring
