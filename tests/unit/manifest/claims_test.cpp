// Claims as they are read: of their own, of StatefulSets' templates, of pods' ephemeral volumes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifest/parse.h"

namespace mooring::manifest {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string said(const ParsedFile& file, Diagnostic::Severity severity = Diagnostic::Severity::Error) {
  std::string out;
  for (const Diagnostic& diagnostic : file.diagnostics) {
    if (diagnostic.severity == severity) out += diagnostic.text() + "\n";
  }
  return out;
}

const std::string spec = "{accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}";

ParsedFile parse_claim(const std::string& more, const std::string& metadata = "") {
  return parse_file("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c" + metadata +
                        "}\nspec: " + spec + more + "}\n",
                    "t.yaml");
}

ParsedFile parse_pod(const std::string& source, const std::string& container = "",
                     const std::string& pod = "web") {
  return parse_file("apiVersion: v1\nkind: Pod\nmetadata: {name: " + pod +
                        "}\nspec:\n  containers:\n  - {name: c" + container +
                        "}\n  volumes:\n  - {name: scratch, " + source + "}\n",
                    "t.yaml");
}

std::string ephemeral(const std::string& content) {
  return "ephemeral: {volumeClaimTemplate: {" + content + "}}";
}

TEST(ClaimSelector, has_the_operators_of_labels_and_not_those_of_nodes) {
  const auto of = [](const std::string& expression) {
    return said(parse_claim(", selector: {matchExpressions: [{" + expression + "}]}"));
  };
  EXPECT_EQ(of("key: k, operator: In, values: [a]"), "");
  EXPECT_EQ(of("key: k, operator: DoesNotExist"), "");
  for (const char* operation : {"Gt", "Lt"}) {
    EXPECT_THAT(of(std::string("key: k, values: ['1'], operator: ") + operation),
                AllOf(HasSubstr("is not one of In, NotIn, Exists, DoesNotExist"), Not(HasSubstr("Gt, Lt"))));
  }
  EXPECT_THAT(of("key: k, operator: NotIn"), HasSubstr("values: must not be empty"));
  EXPECT_THAT(of("key: k, operator: Exists, values: [a]"), HasSubstr("values: must be empty"));
  EXPECT_THAT(of("operator: Exists"), HasSubstr("key: is required"));
}

TEST(ClaimUid, is_fit_to_be_part_of_a_name_and_of_a_path) {
  EXPECT_EQ(said(parse_claim("", ", uid: 11f0a0c2-0b7e-4c2c-9a3f-8f3c6f0e2d11")), "");
  for (const char* uid : {"../../etc", "a/b", "A-B", "'.'", "-a"})
    EXPECT_THAT(said(parse_claim("", std::string(", uid: ") + uid)), HasSubstr("metadata.uid")) << uid;
}

TEST(UnknownField, names_the_key_that_was_meant) {
  const auto warnings = [](const ParsedFile& file) { return said(file, Diagnostic::Severity::Warning); };
  EXPECT_THAT(warnings(parse_claim("", ", label: {a: b}")),
              HasSubstr("metadata.label: unknown field: it has no effect; did you mean labels?"));
  EXPECT_THAT(warnings(parse_claim(", storageClass: x")), HasSubstr("did you mean storageClassName?"));
  EXPECT_THAT(warnings(parse_claim(", selector: {matchLabel: {a: b}}")),
              HasSubstr("did you mean matchLabels?"));
  EXPECT_THAT(
      warnings(parse_claim("", ", colour: red")),
      AllOf(HasSubstr("metadata.colour: unknown field: it has no effect"), Not(HasSubstr("did you mean"))));
  EXPECT_EQ(warnings(parse_claim(", dataSource: {kind: PersistentVolumeClaim, name: s}")), "");
}

TEST(Ephemeral, has_a_template_that_is_read_as_a_claim) {
  const ParsedFile file = parse_pod(
      ephemeral("metadata: {creationTimestamp: null, labels: {a: b}, annotations: {c: d}}, spec: " + spec +
                ", storageClassName: fast, volumeMode: Block}"));
  ASSERT_EQ(said(file), "");
  const auto& pod = std::get<std::shared_ptr<const Pod>>(file.objects.at(0));
  const auto& source = std::get<EphemeralSource>(pod->volumes.at(0).source);
  ASSERT_NE(source.claim_template, nullptr);
  EXPECT_EQ(source.claim_template->labels.at("a"), "b");
  EXPECT_EQ(source.claim_template->annotations.at("c"), "d");
  EXPECT_EQ(source.claim_template->request.text(), "1Gi");
  EXPECT_EQ(source.claim_template->storage_class, "fast");
  EXPECT_EQ(source.claim_template->volume_mode, VolumeMode::Block);
  EXPECT_THAT(source.claim_template->access_modes, ElementsAre(AccessMode::ReadWriteOnce));
  EXPECT_EQ(plugin_name(source).str(), "kubernetes.io/ephemeral");
  EXPECT_FALSE(is_read_only(source));
}

TEST(Ephemeral, of_two_readings_is_the_same_if_both_say_the_same) {
  const auto read = [](const std::string& more) {
    const ParsedFile file = parse_pod(ephemeral("spec: " + spec + more + "}"));
    return std::get<std::shared_ptr<const Pod>>(file.objects.at(0))->volumes.at(0).source;
  };
  EXPECT_TRUE(read("") == read(""));
  EXPECT_FALSE(read("") == read(", storageClassName: fast"));
}

TEST(Ephemeral, what_is_wrong_is_told_with_its_place) {
  EXPECT_THAT(said(parse_pod("ephemeral: {}")), HasSubstr("ephemeral.volumeClaimTemplate: is required"));
  EXPECT_THAT(said(parse_pod(ephemeral("metadata: {}"))), HasSubstr("volumeClaimTemplate.spec: is required"));
  EXPECT_THAT(said(parse_pod(ephemeral("metadata: {name: x}, spec: " + spec + "}"))),
              HasSubstr("metadata.name: only labels and annotations may stand here"));
  EXPECT_THAT(said(parse_pod(ephemeral("spec: {resources: {requests: {storage: 1Gi}}}"))),
              HasSubstr("spec.accessModes: must name at least one access mode"));
  EXPECT_THAT(said(parse_pod(ephemeral("spec: {accessModes: [ReadWriteOnce]}"))),
              HasSubstr("a storage request above zero is required"));
  EXPECT_THAT(
      said(parse_pod(ephemeral("spec: " + spec + "}"), "", std::string(246, 'a'))),
      HasSubstr("the name of the claim of the ephemeral volume \"scratch\" would be longer than 253"));
  EXPECT_EQ(said(parse_pod(ephemeral("spec: " + spec + "}"), "", std::string(245, 'a'))), "");
}

TEST(Ephemeral, a_volume_may_be_a_block_device) {
  const std::string device = ", volumeDevices: [{name: scratch, devicePath: /dev/x}]";
  EXPECT_EQ(said(parse_pod(ephemeral("spec: " + spec + ", volumeMode: Block}"), device)), "");
  EXPECT_THAT(said(parse_pod("emptyDir: {}", device)), HasSubstr("only a volume of a persistentVolumeClaim"));
}

std::shared_ptr<const Workload> workload_of(const ParsedFile& file) {
  EXPECT_EQ(said(file), "");
  return file.objects.empty() ? std::make_shared<Workload>()
                              : std::get<std::shared_ptr<const Workload>>(file.objects[0]);
}

ParsedFile parse_stateful_set(const std::string& more) {
  return parse_file(
      "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n  template:\n"
      "    spec: {containers: [{name: c, volumeMounts: [{name: data, mountPath: /d}]}]}\n"
      "  volumeClaimTemplates:\n  - {metadata: {name: data}, spec: " +
          spec + "}}\n" + more,
      "t.yaml");
}

TEST(StatefulSet, keeps_its_claims_unless_its_policy_says_otherwise) {
  const auto kept = workload_of(parse_stateful_set(""));
  EXPECT_FALSE(kept->delete_claims_when_deleted);
  EXPECT_FALSE(kept->delete_claims_when_scaled);
  const auto one = workload_of(parse_stateful_set(
      "  persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete, whenScaled: Retain}\n"));
  EXPECT_TRUE(one->delete_claims_when_deleted);
  EXPECT_FALSE(one->delete_claims_when_scaled);
  const auto other =
      workload_of(parse_stateful_set("  persistentVolumeClaimRetentionPolicy: {whenScaled: Delete}\n"));
  EXPECT_FALSE(other->delete_claims_when_deleted);
  EXPECT_TRUE(other->delete_claims_when_scaled);
  EXPECT_THAT(said(parse_stateful_set("  persistentVolumeClaimRetentionPolicy: {whenDeleted: Keep}\n")),
              HasSubstr("\"Keep\" is not one of Retain, Delete"));
}

TEST(Equality, every_field_counts_but_not_where_it_was_read) {
  const PersistentVolumeClaim claim;
  PersistentVolumeClaim other;
  other.origin.line = 7;
  EXPECT_TRUE(claim == other);
  const std::vector<void (*)(PersistentVolumeClaim&)> changes{
      [](auto& c) { c.key.name = ObjectName("x"); },
      [](auto& c) { c.uid = "x"; },
      [](auto& c) { c.labels["x"]; },
      [](auto& c) { c.annotations["x"]; },
      [](auto& c) { c.access_modes.insert(AccessMode::ReadOnlyMany); },
      [](auto& c) { c.volume_mode = VolumeMode::Block; },
      [](auto& c) { c.request = Quantity::from_integer(1); },
      [](auto& c) { c.storage_class = ""; },
      [](auto& c) { c.volume_name = "x"; },
      [](auto& c) { c.match_labels["x"]; },
      [](auto& c) { c.match_expressions.emplace_back(); },
      [](auto& c) { c.has_selector = true; },
      [](auto& c) { c.is_being_deleted = true; },
      [](auto& c) { c.owner.kind = ClaimOwner::Kind::Pod; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    PersistentVolumeClaim changed;
    changes[i](changed);
    EXPECT_FALSE(claim == changed) << i;
  }
}

TEST(Equality, every_field_of_a_volume_counts_but_not_where_it_was_read) {
  const PersistentVolume volume;
  PersistentVolume other;
  other.origin.line = 7;
  EXPECT_TRUE(volume == other);
  const std::vector<void (*)(PersistentVolume&)> changes{
      [](auto& v) { v.name = ObjectName("x"); },
      [](auto& v) { v.labels["x"]; },
      [](auto& v) { v.annotations["x"]; },
      [](auto& v) { v.capacity = Quantity::from_integer(1); },
      [](auto& v) { v.access_modes.insert(AccessMode::ReadOnlyMany); },
      [](auto& v) { v.volume_mode = VolumeMode::Block; },
      [](auto& v) { v.reclaim_policy = ReclaimPolicy::Delete; },
      [](auto& v) { v.storage_class = "x"; },
      [](auto& v) { v.mount_options = {"x"}; },
      [](auto& v) { v.node_affinity.emplace(); },
      [](auto& v) { v.claim.emplace(); },
      [](auto& v) { v.source = NfsSource{}; },
      [](auto& v) { v.is_being_deleted = true; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    PersistentVolume changed;
    changes[i](changed);
    EXPECT_FALSE(volume == changed) << i;
  }
}

}  // namespace
}  // namespace mooring::manifest
