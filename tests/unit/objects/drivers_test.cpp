// What tells of drivers outside, in the store: what counts, what changed, what may be in what is broken.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifest/parse.h"
#include "objects/fingerprint.h"
#include "objects/store.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string driver(const std::string& name, const std::string& spec = "") {
  return "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: " + name + "}\nspec: {" + spec +
         "}\n---\n";
}

std::string attachment(const std::string& name, const std::string& volume, const std::string& node = "n1") {
  return "apiVersion: storage.k8s.io/v1\nkind: VolumeAttachment\nmetadata: {name: " + name +
         "}\nspec: {attacher: d, nodeName: " + node + ", source: {persistentVolumeName: " + volume +
         "}}\n---\n";
}

std::string snapshot(const std::string& name, const std::string& claim = "c") {
  return "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshot\nmetadata: {name: " + name +
         ", namespace: shop}\nspec: {source: {persistentVolumeClaimName: " + claim + "}}\n---\n";
}

StoreChanges put(ObjectStore& store, const std::string& file, const std::string& yaml) {
  return store.apply(manifest::parse_file(yaml, file));
}

TEST(DriverObjects, are_found_by_name_and_gone_with_their_file) {
  ObjectStore store;
  EXPECT_TRUE(put(store, "a.yaml", driver("d1", "attachRequired: false") + driver("d2")).drivers);
  ASSERT_NE(store.find_csi_driver(ObjectName("d1")), nullptr);
  EXPECT_FALSE(store.find_csi_driver(ObjectName("d1"))->attach_required);
  EXPECT_THAT(store.csi_drivers(), ElementsAre(ObjectName("d1"), ObjectName("d2")));
  EXPECT_TRUE(store.remove("a.yaml").drivers);
  EXPECT_EQ(store.find_csi_driver(ObjectName("d1")), nullptr);
}

TEST(DriverObjects, change_only_when_they_say_something_else) {
  ObjectStore store;
  put(store, "a.yaml", driver("d1") + snapshot("s1"));
  EXPECT_FALSE(put(store, "a.yaml", "# moved down\n" + driver("d1") + snapshot("s1")).drivers);
  EXPECT_TRUE(put(store, "a.yaml", driver("d1", "podInfoOnMount: true") + snapshot("s1")).drivers);
  EXPECT_TRUE(put(store, "a.yaml", driver("d1", "podInfoOnMount: true") + snapshot("s1", "other")).drivers);
}

TEST(DriverObjects, of_one_file_gone_from_the_listing_are_a_change) {
  ObjectStore store;
  put(store, "a.yaml", driver("d1"));
  EXPECT_TRUE(store.keep_only({}).drivers);
}

TEST(DriverObjects, of_no_namespace_are_one_whatever_namespace_they_name) {
  ObjectStore store;
  put(store, "a.yaml",
      "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: d1, namespace: shop}\nspec: {}\n");
  put(store, "b.yaml",
      "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: d1}\nspec: {podInfoOnMount: "
      "true}\n");
  EXPECT_THAT(store.csi_drivers(), ElementsAre(ObjectName("d1")));
  EXPECT_FALSE(store.find_csi_driver(ObjectName("d1"))->pod_info_on_mount);
}

TEST(DriverObjects, an_attachment_is_found_by_driver_node_and_volume) {
  ObjectStore store;
  put(store, "a.yaml", attachment("b", "v1") + attachment("a", "v1", "n2") + attachment("c", "v2"));
  const auto found = store.find_attachment("d", NodeName("n1"), ObjectName("v1"));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->name.str(), "b");
  EXPECT_EQ(store.find_attachment("d", NodeName("n3"), ObjectName("v1")), nullptr);
  EXPECT_EQ(store.find_attachment("other", NodeName("n1"), ObjectName("v1")), nullptr);
}

TEST(DriverObjects, snapshots_classes_and_contents_are_found) {
  ObjectStore store;
  put(store, "a.yaml",
      snapshot("s1") +
          "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshotClass\nmetadata: {name: "
          "fast}\ndriver: "
          "d\ndeletionPolicy: Delete\n---\n"
          "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshotContent\nmetadata: {name: c1}\nspec: "
          "{driver: "
          "d, deletionPolicy: Delete, source: {snapshotHandle: h}, volumeSnapshotRef: {name: s1, namespace: "
          "shop}}\n");
  EXPECT_THAT(store.problems(), IsEmpty());
  EXPECT_NE(store.find_snapshot({Namespace("shop"), ObjectName("s1")}), nullptr);
  EXPECT_EQ(store.find_snapshot({Namespace("default"), ObjectName("s1")}), nullptr);
  EXPECT_NE(store.find_snapshot_class(ObjectName("fast")), nullptr);
  EXPECT_NE(store.find_snapshot_content(ObjectName("c1")), nullptr);
  EXPECT_EQ(store.snapshots().size(), 1u);
  EXPECT_EQ(store.snapshot_classes().size(), 1u);
  EXPECT_EQ(store.snapshot_contents().size(), 1u);
}

TEST(DriverObjects, that_broke_stay_and_may_be_what_was_never_read) {
  ObjectStore store;
  put(store, "a.yaml", driver("d1", "podInfoOnMount: true"));
  put(store, "a.yaml", driver("d1", "podInfoOnMount: perhaps"));
  ASSERT_NE(store.find_csi_driver(ObjectName("d1")), nullptr);
  EXPECT_TRUE(store.find_csi_driver(ObjectName("d1"))->pod_info_on_mount);
  EXPECT_FALSE(store.may_hold_csi_driver(ObjectName("d2")));
  put(store, "b.yaml", driver("d2", "podInfoOnMount: perhaps"));
  EXPECT_TRUE(store.may_hold_csi_driver(ObjectName("d2")));
  EXPECT_FALSE(store.may_hold_csi_driver(ObjectName("d3")));
  EXPECT_FALSE(store.may_hold_attachment());
  EXPECT_FALSE(store.may_hold_snapshot({Namespace("shop"), ObjectName("s1")}));
}

TEST(DriverObjects, a_data_source_is_part_of_what_a_pods_template_is_and_none_changes_no_name) {
  const auto print = [](const std::string& source) {
    const manifest::ParsedFile file = manifest::parse_file(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers: [{name: c}]\n  volumes: "
        "[{name: v, "
        "ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: "
        "{storage: "
        "1Gi}}" +
            source + "}}}}]\n",
        "t.yaml");
    return fingerprint(*std::get<std::shared_ptr<const manifest::Pod>>(file.objects.at(0)));
  };
  const auto clone = [&](const std::string& name) {
    return print(", dataSource: {kind: PersistentVolumeClaim, name: " + name + "}");
  };
  EXPECT_NE(print(""), clone("a"));
  EXPECT_NE(clone("a"), clone("b"));
}

}  // namespace
}  // namespace mooring
