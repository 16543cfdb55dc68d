// Claims, volumes and classes in the store: which count, which changed, and which may be in what is broken.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "manifest/parse.h"
#include "objects/fingerprint.h"
#include "objects/store.h"

namespace mooring {
namespace {

using manifest::ClaimOwner;
using testing::ElementsAre;
using testing::IsEmpty;

std::string claim(const std::string& name, const std::string& name_space = "default",
                  const std::string& size = "1Gi") {
  return "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: " + name +
         ", namespace: " + name_space +
         "}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: " + size + "}}}\n---\n";
}

/// The manifest with a mistake that leaves no doubt which object it is.
std::string text_without_size(std::string manifest) {
  return manifest.replace(manifest.find("1Gi"), 3, "much");
}

std::string persistent(const std::string& name, const std::string& size = "1Gi") {
  return "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: " + name +
         "}\nspec: {capacity: {storage: " + size +
         "}, accessModes: [ReadWriteOnce], nfs: {server: s, path: /p}}\n---\n";
}

std::string storage_class(const std::string& name, const std::string& provisioner = "p") {
  return "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: " + name +
         "}\nprovisioner: " + provisioner + "\n---\n";
}

std::string ephemeral_volume(const std::string& name, const std::string& size = "2Gi") {
  return "{name: " + name +
         ", ephemeral: {volumeClaimTemplate: {metadata: {labels: {a: b}}, spec: {accessModes: "
         "[ReadWriteOnce], "
         "resources: {requests: {storage: " +
         size + "}}}}}}";
}

std::string pod(const std::string& name, const std::string& volumes) {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
         "}\nspec:\n  containers: [{name: c}]\n  volumes: [" + volumes + "]\n---\n";
}

std::string stateful_set(const std::string& name, int replicas, const std::string& policy = "",
                         const std::string& volumes = "") {
  return "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: " + name +
         "}\nspec:\n  replicas: " + std::to_string(replicas) + "\n  persistentVolumeClaimRetentionPolicy: {" +
         policy + "}\n  template: {spec: {containers: [{name: c}], volumes: [" + volumes +
         "]}}\n  volumeClaimTemplates:\n  - metadata: {name: data, uid: t}\n    spec: {accessModes: "
         "[ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n---\n";
}

ObjectKey key(const std::string& name, const std::string& name_space = "default") {
  return {Namespace(name_space), ObjectName(name)};
}

ObjectReference reference(const std::string& name) {
  return {ObjectReference::Kind::Claim, key(name)};
}

struct Storage : testing::Test {
  StoreChanges read(const std::string& text, const std::string& file = "f.yaml") {
    StoreChanges changes = store.apply(manifest::parse_file(text, file));
    EXPECT_THAT(store.problems(), IsEmpty());
    return changes;
  }
  /// A document that is broken, and whose kind and name can be told.
  StoreChanges read_broken(const std::string& kind, const std::string& name,
                           const std::string& version = "v1") {
    return store.apply(manifest::parse_file(
        "apiVersion: " + version + "\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec: 7\n---\n",
        "x.yaml"));
  }

  ObjectStore store;
};

TEST_F(Storage, lists_what_counts_sorted_by_namespace_and_name) {
  read(claim("b") + claim("a", "a-b") + claim("z", "a") + persistent("pv-2") + persistent("pv-1") +
       storage_class("slow") + storage_class("fast"));
  EXPECT_THAT(store.claims(), ElementsAre(key("z", "a"), key("a", "a-b"), key("b")));
  EXPECT_THAT(store.persistent_volumes(), ElementsAre(ObjectName("pv-1"), ObjectName("pv-2")));
  EXPECT_THAT(store.storage_classes(), ElementsAre(ObjectName("fast"), ObjectName("slow")));
  store.remove("f.yaml");
  EXPECT_THAT(store.claims(), IsEmpty());
  EXPECT_THAT(store.persistent_volumes(), IsEmpty());
  EXPECT_THAT(store.storage_classes(), IsEmpty());
}

TEST_F(Storage, of_two_files_the_first_counts_and_the_other_when_that_is_gone) {
  read(claim("c", "default", "2Gi") + persistent("pv", "2Gi") + storage_class("s", "two"), "b.yaml");
  store.apply(manifest::parse_file(claim("c") + persistent("pv") + storage_class("s", "one"), "a.yaml"));
  EXPECT_EQ(store.find_claim(key("c"))->request.text(), "1Gi");
  EXPECT_EQ(store.find_persistent_volume(ObjectName("pv"))->capacity.text(), "1Gi");
  EXPECT_EQ(store.find_storage_class(ObjectName("s"))->provisioner, "one");
  EXPECT_TRUE(store.remove("a.yaml").storage);
  EXPECT_EQ(store.find_claim(key("c"))->request.text(), "2Gi");
  EXPECT_EQ(store.find_persistent_volume(ObjectName("pv"))->capacity.text(), "2Gi");
  EXPECT_EQ(store.find_storage_class(ObjectName("s"))->provisioner, "two");
}

TEST_F(Storage, tells_only_of_claims_volumes_and_classes_that_are_others_now) {
  for (const auto& text : {claim("c"), persistent("pv"), storage_class("s"), stateful_set("db", 0),
                           pod("web", ephemeral_volume("v"))}) {
    EXPECT_TRUE(read(text).storage) << text;
    EXPECT_FALSE(read("# moved down\n" + text).storage) << text;
    EXPECT_TRUE(store.keep_only({}).storage) << text;
  }
  read(claim("c") + persistent("pv") + storage_class("s"));
  EXPECT_TRUE(read(claim("c", "default", "2Gi") + persistent("pv") + storage_class("s")).storage);
  EXPECT_TRUE(read(claim("c", "default", "2Gi") + persistent("pv", "2Gi") + storage_class("s")).storage);
  EXPECT_TRUE(read(claim("c", "default", "2Gi") + persistent("pv", "2Gi") + storage_class("s", "q")).storage);
  EXPECT_FALSE(read(pod("web", "{name: v, emptyDir: {}}"), "g.yaml").storage);
}

TEST_F(Storage, a_claim_that_moved_is_found_where_it_stands_now) {
  read(claim("c"));
  read("# moved down\n" + claim("c"));
  EXPECT_EQ(store.find_claim(key("c"))->origin.line, 2u);
}

TEST_F(Storage, claims_that_were_read_again_or_are_gone_are_named) {
  EXPECT_THAT(read(claim("c") + claim("d")).objects, ElementsAre(reference("c"), reference("d")));
  EXPECT_THAT(read(claim("d")).objects, ElementsAre(reference("c"), reference("d")));
  EXPECT_THAT(read(pod("web", ephemeral_volume("v")), "g.yaml").objects, ElementsAre(reference("web-v")));
  EXPECT_THAT(store.remove("g.yaml").objects, ElementsAre(reference("web-v")));
}

TEST_F(Storage, kb_2_3_an_ephemeral_volume_makes_a_claim_that_its_pod_owns) {
  read(pod("web", ephemeral_volume("scratch")));
  const auto made = store.find_claim(key("web-scratch"));
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(made->key, key("web-scratch"));
  EXPECT_EQ(made->request.text(), "2Gi");
  EXPECT_EQ(made->labels.at("a"), "b");
  const std::string uid = derived_pod_uid(Namespace("default"), ObjectName("web")).str();
  EXPECT_EQ(made->owner, (ClaimOwner{ClaimOwner::Kind::Pod, key("web"), uid, false, false}));
  read(pod("web", ""));
  EXPECT_EQ(store.find_claim(key("web-scratch")), nullptr);
}

TEST_F(Storage, pods_of_a_workload_have_a_claim_each_for_an_ephemeral_volume) {
  read(
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 2\n  template: "
      "{spec: "
      "{containers: [{name: c}], volumes: [" +
      ephemeral_volume("v") + "]}}\n");
  ASSERT_EQ(store.claims().size(), 2u);
  for (const ObjectKey& each : store.claims()) {
    const auto made = store.find_claim(each);
    const auto owner = store.find_pod(PodUid(made->owner.uid));
    ASSERT_NE(owner, nullptr);
    EXPECT_EQ(each.name.str(), owner->pod->key.name.str() + "-v");
    EXPECT_EQ(made->owner.key, owner->pod->key);
  }
}

TEST_F(Storage, a_stateful_sets_claims_have_it_for_their_owner_with_its_policy) {
  read(stateful_set("db", 2, "whenScaled: Delete"));
  EXPECT_THAT(store.claims(), ElementsAre(key("data-db-0"), key("data-db-1")));
  const auto made = store.find_claim(key("data-db-1"));
  EXPECT_EQ(made->owner, (ClaimOwner{ClaimOwner::Kind::StatefulSet, key("db"), "", false, true}));
  EXPECT_EQ(made->uid, "") << "the template's is not each claim's";
  EXPECT_TRUE(read(stateful_set("db", 2, "whenScaled: Delete, whenDeleted: Delete")).storage);
  EXPECT_TRUE(store.find_claim(key("data-db-1"))->owner.delete_when_deleted);
}

TEST_F(Storage, a_stateful_set_that_was_scaled_and_one_that_is_gone_can_be_told_apart) {
  read(stateful_set("db", 1));
  EXPECT_TRUE(read(stateful_set("db", 0)).storage);
  EXPECT_EQ(store.find_claim(key("data-db-0")), nullptr);
  EXPECT_NE(store.find_stateful_set(key("db")), nullptr);
  EXPECT_EQ(store.find_stateful_set(key("other")), nullptr);
  EXPECT_TRUE(store.remove("f.yaml").storage);
  EXPECT_EQ(store.find_stateful_set(key("db")), nullptr);
}

TEST_F(Storage, a_manifests_claim_counts_before_a_stateful_sets_and_that_before_a_pods) {
  const auto owner = [&] { return store.find_claim(key("data-db-0"))->owner.kind; };
  read(pod("data", ephemeral_volume("db-0")), "pod.yaml");
  EXPECT_EQ(owner(), ClaimOwner::Kind::Pod);
  EXPECT_TRUE(read(stateful_set("db", 1), "set.yaml").storage);
  EXPECT_EQ(owner(), ClaimOwner::Kind::StatefulSet);
  EXPECT_TRUE(read(claim("data-db-0"), "claim.yaml").storage);
  EXPECT_EQ(owner(), ClaimOwner::Kind::None);
  EXPECT_EQ(store.claims().size(), 1u);
  EXPECT_FALSE(store.remove("pod.yaml").storage) << "it did not count";
  store.remove("claim.yaml");
  EXPECT_EQ(owner(), ClaimOwner::Kind::StatefulSet);
}

TEST_F(Storage, what_counts_is_the_same_in_any_order_of_reading) {
  const std::vector<std::pair<std::string, std::string>> files{
      {"a.yaml", claim("data-db-0", "default", "3Gi")},
      {"b.yaml", stateful_set("db", 2)},
      {"c.yaml", pod("data", ephemeral_volume("db-0") + ", " + ephemeral_volume("db-1"))},
      {"d.yaml", pod("data-db", ephemeral_volume("1", "5Gi"))}};
  std::vector<std::size_t> order{0, 1, 2, 3};
  std::map<ObjectKey, std::string> first;
  do {
    ObjectStore other;
    for (const std::size_t i : order)
      other.apply(manifest::parse_file(files[i].second, files[i].first));
    std::map<ObjectKey, std::string> found;
    for (const ObjectKey& each : other.claims())
      found[each] = other.find_claim(each)->origin.file;
    if (first.empty()) first = found;
    EXPECT_EQ(found, first);
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(first.at(key("data-db-0")), "a.yaml");
  EXPECT_EQ(first.at(key("data-db-1")), "b.yaml");
}

TEST_F(Storage, a_broken_document_keeps_the_claim_that_it_was) {
  read(claim("c"), "x.yaml");
  read_broken("PersistentVolumeClaim", "c");
  EXPECT_NE(store.find_claim(key("c")), nullptr);
  EXPECT_FALSE(store.may_hold(reference("c"))) << "it is there";
}

TEST_F(Storage, a_broken_document_may_be_the_object_that_it_names) {
  EXPECT_TRUE(read_broken("PersistentVolumeClaim", "c").storage);
  EXPECT_TRUE(store.may_hold_claim(key("c")));
  EXPECT_TRUE(store.may_hold(reference("c")));
  EXPECT_FALSE(store.may_hold_claim(key("d")));
  EXPECT_FALSE(store.may_hold_claim(key("c", "other")));
  EXPECT_FALSE(store.may_hold_volume(ObjectName("c")));
  read_broken("PersistentVolume", "pv");
  EXPECT_TRUE(store.may_hold_volume(ObjectName("pv")));
  EXPECT_FALSE(store.may_hold_volume(ObjectName("pv-2")));
  EXPECT_FALSE(store.may_hold_claim(key("pv-2"))) << "a volume makes no claims";
  read_broken("StorageClass", "s", "storage.k8s.io/v1");
  EXPECT_TRUE(store.may_hold_class(ObjectName("s")));
  EXPECT_FALSE(store.may_hold_class(ObjectName("t")));
  EXPECT_TRUE(store.remove("x.yaml").storage);
  EXPECT_FALSE(store.may_hold_class(ObjectName("s")));
}

TEST_F(Storage, a_broken_document_may_be_what_makes_a_claim) {
  read_broken("StatefulSet", "db", "apps/v1");
  EXPECT_TRUE(store.may_hold_stateful_set(key("db")));
  EXPECT_FALSE(store.may_hold_stateful_set(key("web")));
  EXPECT_TRUE(store.may_hold_claim(key("data-db-0")));
  EXPECT_TRUE(store.may_hold_claim(key("db-0-scratch"))) << "of its pod's ephemeral volume";
  EXPECT_FALSE(store.may_hold_claim(key("data-web-0")));
  read_broken("Pod", "web");
  EXPECT_TRUE(store.may_hold_claim(key("web-scratch")));
  EXPECT_FALSE(store.may_hold_claim(key("website")));
  EXPECT_FALSE(store.may_hold_claim(key("data-web-0")));
  EXPECT_FALSE(store.may_hold_stateful_set(key("web")));
}

TEST_F(Storage, what_nobody_can_tell_may_be_anything) {
  EXPECT_TRUE(store.mark_unreadable("x.yaml", "no").storage);
  EXPECT_TRUE(store.may_hold_claim(key("c")));
  EXPECT_TRUE(store.may_hold_volume(ObjectName("pv")));
  EXPECT_TRUE(store.may_hold_class(ObjectName("s")));
  EXPECT_TRUE(store.may_hold_stateful_set(key("db")));
  EXPECT_TRUE(read(pod("web", ""), "x.yaml").storage) << "now it is known not to be one";
  EXPECT_FALSE(store.may_hold_claim(key("c")));
}

TEST_F(Storage, only_config_maps_and_secrets_are_settled_when_they_are_there) {
  read(claim("c") + "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n");
  EXPECT_FALSE(store.is_settled(reference("c")));
  EXPECT_TRUE(store.is_settled({ObjectReference::Kind::ConfigMap, key("c")}));
  EXPECT_FALSE(store.is_settled({ObjectReference::Kind::Secret, key("c")}));
}

TEST_F(Storage, what_is_new_and_broken_in_a_file_that_was_read_well_may_come_from_another) {
  read(claim("c"), "a.yaml");
  read(pod("web", ""), "x.yaml");
  const std::string pasted = pod("web", "") + text_without_size(claim("c")) + text_without_size(claim("d"));
  for (int times = 0; times < 2; ++times) {  // The same text again says the same.
    EXPECT_EQ(store.apply(manifest::parse_file(pasted, "x.yaml")).storage, times == 0);
    EXPECT_TRUE(store.may_hold_claim(key("c")));
    EXPECT_FALSE(store.may_hold_claim(key("e")));
    EXPECT_FALSE(store.may_hold_volume(ObjectName("pv")));
  }
  store.remove("a.yaml");
  EXPECT_EQ(store.find_claim(key("c")), nullptr);
  EXPECT_TRUE(store.may_hold(reference("c")));
  // Another name in its place may be a slip.
  store.apply(manifest::parse_file(pod("web", "") + text_without_size(claim("other")), "x.yaml"));
  EXPECT_TRUE(store.may_hold_claim(key("c")));
  EXPECT_TRUE(store.may_hold_claim(key("other")));
  read(pod("web", ""), "x.yaml");
  EXPECT_FALSE(store.may_hold_claim(key("c")));
}

TEST_F(Storage, what_nobody_can_tell_in_a_file_that_was_read_well_may_be_anything) {
  for (const std::string broken : {"kind: [", "", "# The po"}) {
    read(pod("web", ""), "x.yaml");
    EXPECT_FALSE(store.may_hold_claim(key("c")));
    EXPECT_TRUE(store.apply(manifest::parse_file(broken, "x.yaml")).storage) << broken;
    EXPECT_TRUE(store.may_hold_claim(key("c"))) << broken;
    EXPECT_TRUE(store.may_hold_stateful_set(key("db"))) << broken;
    EXPECT_FALSE(store.apply(manifest::parse_file(broken, "x.yaml")).storage) << broken;
    EXPECT_TRUE(store.may_hold_claim(key("c"))) << broken;
  }
  read(pod("web", ""), "x.yaml");
  EXPECT_TRUE(store.mark_unreadable("x.yaml", "no").storage);
  EXPECT_TRUE(store.may_hold_claim(key("c")));
  EXPECT_TRUE(read(pod("web", ""), "x.yaml").storage);
  EXPECT_FALSE(store.may_hold_claim(key("c")));
}

TEST_F(Storage, a_document_that_broke_where_it_stood_hides_nothing_else) {
  read(claim("c") + pod("web", ""), "x.yaml");
  store.apply(manifest::parse_file(text_without_size(claim("c")) + pod("web", ""), "x.yaml"));
  EXPECT_NE(store.find_claim(key("c")), nullptr);
  EXPECT_FALSE(store.may_hold_claim(key("c"))) << "it is known what it was";
  EXPECT_FALSE(store.may_hold_claim(key("d")));
}

// Read again, the same text must not let go of what it kept.
TEST_F(Storage, what_a_broken_name_may_have_been_is_kept_however_often_the_file_is_read) {
  read(claim("c") + pod("web", ""), "x.yaml");
  for (int times = 0; times < 3; ++times) {
    store.apply(manifest::parse_file(text_without_size(claim("typo")) + pod("web", ""), "x.yaml"));
    EXPECT_NE(store.find_claim(key("c")), nullptr) << times;
  }
}

TEST_F(Storage, a_stateful_set_that_changes_only_its_policy_is_a_change) {
  read(stateful_set("db", 0, "whenScaled: Delete"), "set.yaml");
  EXPECT_TRUE(read(stateful_set("db", 0, "whenScaled: Retain"), "set.yaml").storage);
  EXPECT_FALSE(read(stateful_set("db", 0, "whenScaled: Retain"), "set.yaml").storage);
}

TEST(Fingerprint, counts_all_that_the_template_of_an_ephemeral_volume_says_and_not_where_it_stands) {
  const auto of = [](const std::string& text) {
    const manifest::ParsedFile file = manifest::parse_file(text, "f.yaml");
    EXPECT_EQ(file.objects.size(), 1u) << text;
    return fingerprint(*std::get<std::shared_ptr<const manifest::Pod>>(file.objects.at(0)));
  };
  const std::string one = pod("web", ephemeral_volume("v"));
  EXPECT_EQ(of(one), of("# moved down\n" + one));
  EXPECT_NE(of(one), of(pod("web", ephemeral_volume("v", "3Gi"))));
  EXPECT_NE(of(one), of(pod("web", "{name: v, emptyDir: {}}")));
}

}  // namespace
}  // namespace mooring
