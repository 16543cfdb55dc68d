// PersistentVolumes and claims as they are read: their sources, which nodes a volume is for, deletion.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifest/parse.h"

namespace mooring::manifest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string errors_of(const ParsedFile& file) {
  std::string out;
  for (const Diagnostic& diagnostic : file.diagnostics) {
    if (diagnostic.severity == Diagnostic::Severity::Error) out += diagnostic.text() + "\n";
  }
  return out;
}

ParsedFile parse_persistent(const std::string& spec, const std::string& metadata = "") {
  return parse_file("apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: pv" + metadata +
                        "}\nspec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], " + spec + "}\n",
                    "t.yaml");
}

PersistentVolume persistent_of(const std::string& spec, const std::string& metadata = "") {
  const ParsedFile file = parse_persistent(spec, metadata);
  EXPECT_EQ(errors_of(file), "");
  if (file.objects.size() != 1) return {};
  return *std::get<std::shared_ptr<const PersistentVolume>>(file.objects[0]);
}

const std::string nfs = "nfs: {server: s, path: /p}";

std::string affinity(const std::string& terms) {
  return nfs + ", nodeAffinity: {required: {nodeSelectorTerms: " + terms + "}}";
}

TEST(PersistentSource, csi_has_a_handle_and_may_have_all_that_kubernetes_knows) {
  const PersistentVolume volume = persistent_of(
      "csi: {driver: block.mooring.io, volumeHandle: h1, fsType: xfs, readOnly: true, "
      "volumeAttributes: {uuid: u}, controllerExpandSecretRef: {name: a, namespace: b}, "
      "controllerPublishSecretRef: {name: a, namespace: b}, nodeStageSecretRef: {name: a, namespace: b}, "
      "nodeExpandSecretRef: {name: a, namespace: b}, nodePublishSecretRef: {name: p, namespace: b}}");
  const auto& csi = std::get<CsiSource>(volume.source);
  EXPECT_EQ(csi.driver, "block.mooring.io");
  EXPECT_EQ(csi.volume_handle, "h1");
  EXPECT_EQ(csi.file_system_type, "xfs");
  EXPECT_EQ(csi.attributes.at("uuid"), "u");
  EXPECT_EQ(csi.publish_secret_name, "p");
  EXPECT_TRUE(is_read_only(volume.source));
  EXPECT_THAT(errors_of(parse_persistent("csi: {driver: d}")),
              HasSubstr("spec.csi.volumeHandle: is required"));
}

TEST(PersistentSource, csi_in_a_pod_has_attributes_and_no_handle) {
  const ParsedFile file = parse_file(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: c}]\n  volumes:\n"
      "  - {name: v, csi: {driver: d, fsType: ext4, volumeAttributes: {a: b}}}\n",
      "t.yaml");
  ASSERT_EQ(errors_of(file), "");
  const auto& pod = std::get<std::shared_ptr<const Pod>>(file.objects.at(0));
  const auto& csi = std::get<CsiSource>(pod->volumes.at(0).source);
  EXPECT_EQ(csi.attributes.at("a"), "b");
  EXPECT_EQ(csi.volume_handle, "");
}

TEST(PersistentSource, local_is_of_a_persistent_volume_and_never_of_a_pod) {
  const PersistentVolume volume = persistent_of(
      "local: {path: /mnt/d, fsType: xfs}, nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: "
      "[{key: k, operator: Exists}]}]}}");
  const auto& local = std::get<LocalSource>(volume.source);
  EXPECT_EQ(local.path, "/mnt/d");
  EXPECT_EQ(local.file_system_type, "xfs");
  EXPECT_FALSE(is_read_only(volume.source));
  const ParsedFile file = parse_file(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: c}]\n  volumes:\n"
      "  - {name: v, local: {path: /mnt/d}}\n",
      "t.yaml");
  EXPECT_THAT(errors_of(file), HasSubstr("unknown kind of volume \"local\""));
}

TEST(PersistentSource, a_pods_own_kinds_are_none) {
  for (const char* source : {"emptyDir: {}", "configMap: {name: m}", "persistentVolumeClaim: {claimName: c}"})
    EXPECT_THAT(errors_of(parse_persistent(source)), HasSubstr("unknown kind of volume"));
}

TEST(PersistentSource, each_has_its_plugin) {
  CsiSource csi;
  csi.driver = "block.mooring.io";
  EXPECT_EQ(plugin_name(csi).str(), "kubernetes.io/block");
  csi.driver = "hostpath.csi.k8s.io";
  EXPECT_EQ(plugin_name(csi).str(), "kubernetes.io/csi");
  EXPECT_EQ(plugin_name(LocalSource{}).str(), "kubernetes.io/local-volume");
  EXPECT_EQ(plugin_name(NfsSource{}).str(), "kubernetes.io/nfs");
  EXPECT_EQ(plugin_name(FlexVolumeSource{}).str(), "kubernetes.io/flexvolume");
  EXPECT_EQ(plugin_name(FlexVolumeSource{"example.com/nfs", {}, {}, {}, {}}).str(), "example.com/nfs");
  for (const char* taken : {"kubernetes.io/nfs", "kubernetes.io/rbd", "kubernetes.io/block"})
    EXPECT_EQ(plugin_name(FlexVolumeSource{taken, {}, {}, {}, {}}).str(), "kubernetes.io/flexvolume");
  EXPECT_EQ(plugin_name(ClaimSource{}).str(), "kubernetes.io/persistent-claim");
  EXPECT_EQ(plugin_name(OtherSource{"iscsi"}).str(), "kubernetes.io/iscsi");
}

TEST(NodeAffinity, has_terms_of_labels_and_of_fields) {
  const PersistentVolume volume = persistent_of(
      affinity("[{matchExpressions: [{key: k, operator: In, values: [a, b]}], matchFields: [{key: "
               "metadata.name, operator: NotIn, values: [n1]}]}, {matchExpressions: [{key: z, operator: Gt, "
               "values: ['3']}]}]"));
  ASSERT_TRUE(volume.node_affinity);
  ASSERT_EQ(volume.node_affinity->terms.size(), 2u);
  const NodeSelectorTerm& first = volume.node_affinity->terms[0];
  ASSERT_EQ(first.expressions.size(), 1u);
  EXPECT_EQ(first.expressions[0].key, "k");
  EXPECT_THAT(first.expressions[0].values, ElementsAre("a", "b"));
  ASSERT_EQ(first.fields.size(), 1u);
  EXPECT_EQ(first.fields[0].operation, "NotIn");
  EXPECT_EQ(volume.node_affinity->terms[1].expressions.at(0).operation, "Gt");
  EXPECT_FALSE(persistent_of(nfs).node_affinity);
}

TEST(NodeAffinity, what_no_node_could_meet_is_refused) {
  const auto refusal = [](const std::string& terms) { return errors_of(parse_persistent(affinity(terms))); };
  const auto expression = [&](const std::string& text) {
    return refusal("[{matchExpressions: [{" + text + "}]}]");
  };
  const auto field = [&](const std::string& text) { return refusal("[{matchFields: [{" + text + "}]}]"); };
  EXPECT_THAT(refusal("[]"), HasSubstr("must have at least one term"));
  EXPECT_THAT(expression("key: k, operator: In"), HasSubstr("values: must not be empty"));
  EXPECT_THAT(expression("key: k, operator: Exists, values: [a]"), HasSubstr("values: must be empty"));
  EXPECT_THAT(expression("key: k, operator: Lt, values: ['1', '2']"), HasSubstr("must be one number"));
  EXPECT_THAT(expression("key: k, operator: Equals, values: [a]"), HasSubstr("is not one of In"));
  EXPECT_THAT(expression("operator: Exists"), HasSubstr("key: is required"));
  EXPECT_THAT(field("key: metadata.uid, operator: In, values: [n1]"), HasSubstr("must be metadata.name"));
  EXPECT_THAT(field("key: metadata.name, operator: Exists"), HasSubstr("must be In or NotIn"));
  EXPECT_THAT(field("key: metadata.name, operator: In, values: [a, b]"), HasSubstr("must be one name"));
}

TEST(Deletion, is_read_of_volumes_and_claims) {
  const std::string metadata = ", deletionTimestamp: \"2026-01-01T00:00:00Z\"";
  EXPECT_TRUE(persistent_of(nfs, metadata).is_being_deleted);
  EXPECT_FALSE(persistent_of(nfs).is_being_deleted);
  for (const bool is_deleted : {true, false}) {
    const ParsedFile file = parse_file(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c" + (is_deleted ? metadata : "") +
            "}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
            "status: {phase: Lost}\n",
        "t.yaml");
    ASSERT_EQ(errors_of(file), "");
    EXPECT_EQ(std::get<std::shared_ptr<const PersistentVolumeClaim>>(file.objects.at(0))->is_being_deleted,
              is_deleted);
  }
}

}  // namespace
}  // namespace mooring::manifest
