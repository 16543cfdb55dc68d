// Objects that tell of drivers outside, and what volumes and claims say to them (kubelet-behaviours 15).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifest/encode.h"
#include "manifest/parse.h"

namespace mooring::manifest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string lines_of(const ParsedFile& file, Diagnostic::Severity severity) {
  std::string text;
  for (const Diagnostic& one : file.diagnostics) {
    if (one.severity == severity) text += one.text() + "\n";
  }
  return text;
}
std::string errors_of(const std::string& yaml) {
  return lines_of(parse_file(yaml, "t.yaml"), Diagnostic::Severity::Error);
}
std::string warnings_of(const std::string& yaml) {
  return lines_of(parse_file(yaml, "t.yaml"), Diagnostic::Severity::Warning);
}

template <class T>
T object_of(const std::string& yaml) {
  const ParsedFile file = parse_file(yaml, "t.yaml");
  EXPECT_EQ(lines_of(file, Diagnostic::Severity::Error), "") << yaml;
  if (file.objects.size() != 1) return {};
  const auto* object = std::get_if<std::shared_ptr<const T>>(&file.objects[0]);
  EXPECT_NE(object, nullptr) << yaml;
  return object == nullptr ? T{} : **object;
}

std::string driver(const std::string& spec, const std::string& name = "d.example.com") {
  return "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: " + name + "}\nspec: {" + spec +
         "}\n";
}

TEST(CsiDriver, has_the_defaults_of_kubernetes) {
  const auto object = object_of<CsiDriverObject>(driver(""));
  EXPECT_EQ(object.name.str(), "d.example.com");
  EXPECT_TRUE(object.attach_required);
  EXPECT_FALSE(object.pod_info_on_mount);
  EXPECT_THAT(object.lifecycles, ElementsAre(VolumeLifecycle::Persistent));
  EXPECT_EQ(object.fs_group_policy, FsGroupPolicy::ReadWriteOnceWithFsType);
  EXPECT_FALSE(object.requires_republish);
  EXPECT_FALSE(object.selinux_mount);
  EXPECT_TRUE(object.token_requests.empty());
}

TEST(CsiDriver, says_all_that_it_can_say) {
  const std::string yaml = driver(
      "attachRequired: false, podInfoOnMount: true, volumeLifecycleModes: [Persistent, Ephemeral], "
      "fsGroupPolicy: None, requiresRepublish: true, seLinuxMount: true, storageCapacity: true, "
      "tokenRequests: [{audience: vault}, {audience: '', expirationSeconds: 600}]");
  const auto object = object_of<CsiDriverObject>(yaml);
  EXPECT_EQ(warnings_of(yaml), "");
  EXPECT_FALSE(object.attach_required);
  EXPECT_TRUE(object.pod_info_on_mount);
  EXPECT_THAT(object.lifecycles, ElementsAre(VolumeLifecycle::Persistent, VolumeLifecycle::Ephemeral));
  EXPECT_EQ(object.fs_group_policy, FsGroupPolicy::None);
  EXPECT_TRUE(object.requires_republish);
  EXPECT_TRUE(object.selinux_mount);
  ASSERT_EQ(object.token_requests.size(), 2u);
  EXPECT_EQ(object.token_requests[0], (TokenRequest{"vault", std::nullopt}));
  EXPECT_EQ(object.token_requests[1], (TokenRequest{"", 600}));
}

TEST(CsiDriver, that_cannot_be_is_refused_with_the_place) {
  const std::pair<std::string, std::string> cases[] = {
      {driver("fsGroupPolicy: Always"), "spec.fsGroupPolicy: \"Always\" is not one of"},
      {driver("volumeLifecycleModes: [Inline]"), "spec.volumeLifecycleModes[0]: \"Inline\" is not one of"},
      {driver("attachRequired: maybe"), "spec.attachRequired: must be true or false"},
      {driver("tokenRequests: [{audience: a}, {audience: a}]"), "the audience \"a\" is there twice"},
      {driver("tokenRequests: [{audience: a, expirationSeconds: 599}]"), "must be from 600"},
      {driver("tokenRequests: [{audience: a, expirationSeconds: 4294967297}]"), "must be from 600"},
      {driver("", std::string(64, 'a')), "is not a valid driver name"},
      {"apiVersion: v1\nkind: CSIDriver\nmetadata: {name: d}\n", "must be storage.k8s.io/v1 for a CSIDriver"},
  };
  for (const auto& [yaml, message] : cases)
    EXPECT_THAT(errors_of(yaml), HasSubstr(message)) << yaml;
}

std::string attachment(const std::string& spec, const std::string& status = "") {
  return "apiVersion: storage.k8s.io/v1\nkind: VolumeAttachment\nmetadata: {name: a1}\nspec: {" + spec +
         "}\nstatus: {" + status + "}\n";
}

TEST(VolumeAttachment, says_what_is_attached_where) {
  const auto object =
      object_of<VolumeAttachment>(attachment("attacher: d, nodeName: n1, source: {persistentVolumeName: v1}",
                                             "attached: true, attachmentMetadata: {device: /dev/x}"));
  EXPECT_EQ(object.attacher, "d");
  EXPECT_EQ(object.node.str(), "n1");
  EXPECT_EQ(object.persistent_volume.str(), "v1");
  EXPECT_TRUE(object.is_attached);
  EXPECT_EQ(object.metadata.at("device"), "/dev/x");
  EXPECT_FALSE(object.is_being_deleted);
}

TEST(VolumeAttachment, without_a_status_is_not_attached_and_says_why_if_that_is_known) {
  const std::string spec = "attacher: d, nodeName: n1, source: {persistentVolumeName: v1}";
  EXPECT_FALSE(object_of<VolumeAttachment>(attachment(spec)).is_attached);
  EXPECT_EQ(object_of<VolumeAttachment>(attachment(spec, "attachError: {message: no disk}")).attach_error,
            "no disk");
}

TEST(VolumeAttachment, needs_its_driver_its_node_and_one_volume) {
  const std::pair<std::string, std::string> cases[] = {
      {attachment("nodeName: n, source: {persistentVolumeName: v}"), "spec.attacher: is required"},
      {attachment("attacher: d, source: {persistentVolumeName: v}"), "spec.nodeName: is required"},
      {attachment("attacher: d, nodeName: n"), "exactly one of persistentVolumeName and inlineVolumeSpec"},
      {attachment("attacher: d, nodeName: n, source: {persistentVolumeName: v, inlineVolumeSpec: {}}"),
       "exactly one of persistentVolumeName and inlineVolumeSpec"},
  };
  for (const auto& [yaml, message] : cases)
    EXPECT_THAT(errors_of(yaml), HasSubstr(message)) << yaml;
}

std::string snapshot_object(const std::string& kind, const std::string& rest) {
  return "apiVersion: snapshot.storage.k8s.io/v1\nkind: " + kind +
         "\nmetadata: {name: s1, namespace: shop}\n" + rest + "\n";
}

TEST(VolumeSnapshot, is_of_a_claim_or_of_a_content) {
  const auto dynamic = object_of<VolumeSnapshot>(snapshot_object(
      "VolumeSnapshot", "spec: {volumeSnapshotClassName: fast, source: {persistentVolumeClaimName: data}}"));
  EXPECT_EQ(dynamic.key.text(), "shop/s1");
  EXPECT_EQ(dynamic.snapshot_class, "fast");
  EXPECT_EQ(dynamic.claim.str(), "data");
  const auto ready = object_of<VolumeSnapshot>(
      snapshot_object("VolumeSnapshot", "spec: {source: {volumeSnapshotContentName: c1}}"));
  EXPECT_EQ(ready.snapshot_class, std::nullopt);
  EXPECT_EQ(ready.content.str(), "c1");
  EXPECT_THAT(errors_of(snapshot_object("VolumeSnapshot", "spec: {source: {}}")),
              HasSubstr("exactly one of persistentVolumeClaimName and volumeSnapshotContentName"));
  EXPECT_THAT(
      errors_of(snapshot_object("VolumeSnapshot", "spec: {source: {persistentVolumeClaimName: A_B}}")),
      HasSubstr("is not a valid object name"));
}

TEST(VolumeSnapshotClass, has_a_driver_and_says_what_becomes_of_the_snapshots) {
  const auto object = object_of<VolumeSnapshotClass>(
      "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshotClass\nmetadata: {name: fast, "
      "annotations: "
      "{snapshot.storage.kubernetes.io/is-default-class: 'true'}}\ndriver: d\ndeletionPolicy: Retain\n"
      "parameters: {a: b}\n");
  EXPECT_EQ(object.driver, "d");
  EXPECT_EQ(object.deletion_policy, SnapshotDeletionPolicy::Retain);
  EXPECT_EQ(object.parameters.at("a"), "b");
  EXPECT_TRUE(object.is_default);
  EXPECT_THAT(errors_of(snapshot_object("VolumeSnapshotClass", "driver: d")),
              HasSubstr("deletionPolicy: is required"));
  EXPECT_THAT(errors_of(snapshot_object("VolumeSnapshotClass", "deletionPolicy: Delete")),
              HasSubstr("driver: is required"));
}

TEST(VolumeSnapshotContent, has_the_handle_that_it_was_given_or_that_the_driver_gave) {
  const std::string spec =
      "driver: d, deletionPolicy: Delete, volumeSnapshotRef: {name: s, namespace: shop, uid: u}";
  const auto given = object_of<VolumeSnapshotContent>(
      snapshot_object("VolumeSnapshotContent", "spec: {" + spec + ", source: {snapshotHandle: h}}"));
  EXPECT_EQ(given.snapshot_handle, "h");
  EXPECT_EQ(given.snapshot.text(), "shop/s");
  EXPECT_EQ(given.snapshot_uid, "u");
  EXPECT_FALSE(given.is_ready);
  const auto made = object_of<VolumeSnapshotContent>(snapshot_object(
      "VolumeSnapshotContent", "spec: {" + spec +
                                   ", source: {volumeHandle: v}}\n"
                                   "status: {snapshotHandle: made, readyToUse: true, restoreSize: 1Gi}"));
  EXPECT_EQ(made.volume_handle, "v");
  EXPECT_EQ(made.snapshot_handle, "made");
  EXPECT_TRUE(made.is_ready);
  ASSERT_TRUE(made.restore_size);
  EXPECT_EQ(made.restore_size->text(), "1Gi");
}

std::string claim(const std::string& sources) {
  return "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nspec: {accessModes: "
         "[ReadWriteOnce], "
         "resources: {requests: {storage: 1Gi}}" +
         sources + "}\n";
}

const std::string of_snapshot = "{apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: s}";

TEST(DataSource, of_a_claim_is_a_snapshot_or_another_claim) {
  const auto snapshot = object_of<PersistentVolumeClaim>(claim(", dataSource: " + of_snapshot));
  ASSERT_TRUE(snapshot.data_source);
  EXPECT_TRUE(snapshot.data_source->is_snapshot());
  EXPECT_EQ(snapshot.data_source->name, "s");
  const auto clone =
      object_of<PersistentVolumeClaim>(claim(", dataSource: {kind: PersistentVolumeClaim, name: other}"));
  ASSERT_TRUE(clone.data_source);
  EXPECT_TRUE(clone.data_source->is_claim());
  EXPECT_FALSE(object_of<PersistentVolumeClaim>(claim("")).data_source);
}

TEST(DataSource, may_be_anything_in_a_reference_and_in_another_namespace) {
  const auto other = object_of<PersistentVolumeClaim>(
      claim(", dataSourceRef: {apiGroup: x.example.com, kind: Image, name: i, namespace: images}"));
  ASSERT_TRUE(other.data_source);
  EXPECT_EQ(*other.data_source, (DataSource{"x.example.com", "Image", "i", "images"}));
  EXPECT_FALSE(other.data_source->is_claim());
  EXPECT_FALSE(other.data_source->is_snapshot());
}

TEST(DataSource, of_the_old_field_that_kubernetes_drops_has_no_effect) {
  const std::string yaml = claim(", dataSource: {apiGroup: x.example.com, kind: Image, name: i}");
  EXPECT_FALSE(object_of<PersistentVolumeClaim>(yaml).data_source);
  EXPECT_THAT(warnings_of(yaml), HasSubstr("spec.dataSource: has no effect"));
}

TEST(DataSource, that_cannot_be_is_refused) {
  const std::pair<std::string, std::string> cases[] = {
      {", dataSource: {kind: VolumeSnapshot, name: s}",
       "must be PersistentVolumeClaim where there is no apiGroup"},
      {", dataSource: {kind: PersistentVolumeClaim}", "spec.dataSource.name: is required"},
      {", dataSourceRef: {name: s}", "spec.dataSourceRef.kind: is required"},
      {", dataSource: " + of_snapshot + ", dataSourceRef: {kind: PersistentVolumeClaim, name: s}",
       "must be the same as dataSource"},
      {", dataSourceRef: {kind: PersistentVolumeClaim, name: s, namespace: A}", "is not a valid namespace"},
  };
  for (const auto& [sources, message] : cases)
    EXPECT_THAT(errors_of(claim(sources)), HasSubstr(message)) << sources;
}

std::string volume(const std::string& csi) {
  return "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: v}\nspec: {capacity: {storage: 1Gi}, "
         "accessModes: [ReadWriteOnce], csi: {driver: d, volumeHandle: h" +
         csi + "}}\n";
}

TEST(CsiVolume, names_each_of_its_secrets_with_its_namespace) {
  const auto object = object_of<PersistentVolume>(volume(
      ", controllerPublishSecretRef: {name: a, namespace: n1}, nodeStageSecretRef: {name: b, namespace: "
      "n2}, nodePublishSecretRef: {name: c, namespace: n3}, nodeExpandSecretRef: {name: d, namespace: n4}, "
      "controllerExpandSecretRef: {name: e, namespace: n5}"));
  const auto& csi = std::get<CsiSource>(object.source);
  EXPECT_EQ(csi.controller_publish_secret->text(), "n1/a");
  EXPECT_EQ(csi.node_stage_secret->text(), "n2/b");
  EXPECT_EQ(csi.node_publish_secret->text(), "n3/c");
  EXPECT_EQ(csi.node_expand_secret->text(), "n4/d");
  EXPECT_EQ(csi.controller_expand_secret->text(), "n5/e");
  const auto read = object_of<PersistentVolume>(encode(object));
  EXPECT_TRUE(read == object) << encode(object);
}

TEST(CsiVolume, needs_the_name_of_a_secret_and_takes_the_default_namespace_for_none) {
  const std::string yaml = volume(", nodeStageSecretRef: {name: a}");
  EXPECT_THAT(warnings_of(yaml), HasSubstr("spec.csi.nodeStageSecretRef.namespace: is missing"));
  EXPECT_EQ(std::get<CsiSource>(object_of<PersistentVolume>(yaml).source).node_stage_secret->text(),
            "default/a");
  EXPECT_THAT(errors_of(volume(", nodeStageSecretRef: {name: a, namespace: A}")),
              HasSubstr("is not a valid namespace"));
  EXPECT_THAT(errors_of(volume(", nodeExpandSecretRef: {namespace: a}")),
              HasSubstr("spec.csi.nodeExpandSecretRef.name: is required"));
}

TEST(CsiVolume, warns_of_a_field_that_nobody_reads) {
  EXPECT_THAT(warnings_of(volume(", nodeStageSecret: {name: a}")), HasSubstr("unknown field"));
}

TEST(DataSource, is_the_same_after_writing) {
  const auto object = object_of<PersistentVolumeClaim>(claim(", dataSource: " + of_snapshot));
  EXPECT_TRUE(object_of<PersistentVolumeClaim>(encode(object)) == object) << encode(object);
}

}  // namespace
}  // namespace mooring::manifest
