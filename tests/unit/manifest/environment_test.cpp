#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifest/parse.h"

namespace mooring::manifest {
namespace {

using testing::HasSubstr;

ParsedFile file_with(const std::string& lines) {
  return parse_file(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: c\n" + lines,
      "t.yaml");
}

std::string errors_of(const ParsedFile& file) {
  std::string out;
  for (const Diagnostic& diagnostic : file.diagnostics) {
    if (diagnostic.severity == Diagnostic::Severity::Error) out += diagnostic.text() + "\n";
  }
  return out;
}

/// The first container of a pod with these lines in it.
Container container_of(const std::string& lines) {
  const ParsedFile file = file_with(lines);
  EXPECT_EQ(errors_of(file), "");
  if (file.objects.size() != 1) return {};
  return std::get<std::shared_ptr<const Pod>>(file.objects[0])->containers.at(0);
}

std::string refusal_of(const std::string& lines) {
  const ParsedFile file = file_with(lines);
  EXPECT_TRUE(file.objects.empty());
  return errors_of(file);
}

TEST(EnvironmentDecoding, a_variable_has_a_value_or_a_source) {
  const Container container = container_of(
      "    env:\n    - {name: A, value: a}\n    - {name: B}\n"
      "    - {name: C, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.name}}}\n"
      "    - {name: D, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}}\n"
      "    - {name: E, valueFrom: {configMapKeyRef: {name: m, key: k, optional: true}}}\n"
      "    - {name: F, valueFrom: {secretKeyRef: {name: s, key: k}}}\n"
      "    - {name: G, value: '', valueFrom: {fileKeyRef: {volumeName: v, path: p, key: k}}}\n"
      "    - {name: H, value: h, valueFrom: null}\n"
      "    - {name: I, valueFrom: {secretKeyRef: null, fieldRef: {fieldPath: status.podIP}}}\n");
  const auto& environment = container.environment;
  ASSERT_EQ(environment.size(), 9u);
  EXPECT_EQ(environment[0].name, "A");
  EXPECT_EQ(environment[0].value, "a");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(environment[0].source));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(environment[1].source));
  EXPECT_EQ(std::get<FieldReference>(environment[2].source).field_path, "metadata.name");
  const auto& resource = std::get<ResourceReference>(environment[3].source);
  EXPECT_EQ(resource.container_name, "");
  EXPECT_EQ(resource.resource, "limits.cpu");
  EXPECT_EQ(resource.divisor, Quantity::parse("1m").value());
  const auto& map = std::get<ConfigMapKeyReference>(environment[4].source);
  EXPECT_EQ(map.name + "/" + map.key, "m/k");
  EXPECT_TRUE(map.optional);
  const auto& secret = std::get<SecretKeyReference>(environment[5].source);
  EXPECT_EQ(secret.name + "/" + secret.key, "s/k");
  EXPECT_FALSE(secret.optional);
  EXPECT_EQ(std::get<OtherSource>(environment[6].source).kind, "fileKeyRef");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(environment[7].source));
  EXPECT_EQ(std::get<FieldReference>(environment[8].source).field_path, "status.podIP");
}

TEST(EnvironmentDecoding, env_from_names_config_maps_and_secrets_in_order) {
  const Container container = container_of(
      "    envFrom:\n    - {configMapRef: {name: m}}\n    - {prefix: P_, secretRef: {name: s, optional: "
      "true}}\n");
  ASSERT_EQ(container.environment_from.size(), 2u);
  const EnvironmentSource& map = container.environment_from[0];
  EXPECT_EQ(map.kind, EnvironmentSource::Kind::ConfigMap);
  EXPECT_EQ(map.prefix + "|" + map.name, "|m");
  EXPECT_FALSE(map.optional);
  const EnvironmentSource& secret = container.environment_from[1];
  EXPECT_EQ(secret.kind, EnvironmentSource::Kind::Secret);
  EXPECT_EQ(secret.prefix + "|" + secret.name, "P_|s");
  EXPECT_TRUE(secret.optional);
}

TEST(EnvironmentDecoding, names_are_taken_as_a_later_kubernetes_does) {
  EXPECT_EQ(container_of("    env: [{name: '1 odd:name-', value: a}]\n").environment.at(0).name,
            "1 odd:name-");
  for (const std::string bad : {"'A=B'", "\"a\\nb\"", "é"}) {
    EXPECT_THAT(refusal_of("    env: [{name: " + bad + ", value: a}]\n"),
                HasSubstr("spec.containers[0].env[0].name: must be of printable ASCII"))
        << bad;
  }
  EXPECT_THAT(refusal_of("    env: [{value: a}]\n"), HasSubstr("env[0].name: is required"));
  EXPECT_THAT(refusal_of("    envFrom: [{prefix: 'A=', configMapRef: {name: m}}]\n"),
              HasSubstr("envFrom[0].prefix: must be of printable ASCII"));
}

TEST(EnvironmentDecoding, what_kubernetes_refuses_is_refused_with_its_place) {
  const auto from = [](const std::string& source) {
    return refusal_of("    env: [{name: A, " + source + "}]\n");
  };
  const std::string place = "spec.containers[0].env[0].valueFrom";
  const std::string field = "fieldRef: {fieldPath: metadata.name}";
  EXPECT_THAT(from("value: a, valueFrom: {" + field + "}"),
              HasSubstr(place + ": may not be specified when `value` is not empty"));
  EXPECT_THAT(from("valueFrom: {" + field + ", secretKeyRef: {name: s, key: k}}"),
              HasSubstr(place + ": may not have more than one field specified at a time"));
  EXPECT_THAT(from("valueFrom: {}"), HasSubstr(place + ": must specify one of"));
  EXPECT_THAT(from("valueFrom: {fieldRef: null}"), HasSubstr(place + ": must specify one of"));
  EXPECT_THAT(from("valueFrom: {floppyRef: {}}"), HasSubstr(place + ".floppyRef: unknown kind of source"));
  EXPECT_THAT(from("valueFrom: {fieldRef: text}"), HasSubstr(place + ".fieldRef: must be a mapping"));
  EXPECT_THAT(from("valueFrom: {fieldRef: {}}"), HasSubstr(place + ".fieldRef.fieldPath: is required"));
  for (const std::string path : {"metadata.labels", "status.phase", "\"metadata.labels['']\"", "spec"}) {
    EXPECT_THAT(from("valueFrom: {fieldRef: {fieldPath: " + path + "}}"),
                HasSubstr(place + ".fieldRef.fieldPath: unsupported fieldPath"))
        << path;
  }
  EXPECT_THAT(from("valueFrom: {resourceFieldRef: {resource: limits.gpu}}"),
              HasSubstr(place + ".resourceFieldRef.resource: must be"));
  EXPECT_THAT(from("valueFrom: {configMapKeyRef: {key: k}}"),
              HasSubstr(place + ".configMapKeyRef.name: is required"));
  EXPECT_THAT(from("valueFrom: {secretKeyRef: {name: s}}"),
              HasSubstr(place + ".secretKeyRef.key: is required"));
  EXPECT_THAT(from("valueFrom: {secretKeyRef: {name: s, key: ../k}}"),
              HasSubstr(place + ".secretKeyRef.key: is not a valid key"));
  EXPECT_THAT(from("value: 5"), HasSubstr("env[0].value: must be a string"));
}

TEST(EnvironmentDecoding, env_from_needs_exactly_one_object) {
  EXPECT_THAT(refusal_of("    envFrom: [{configMapRef: {name: m}, secretRef: {name: s}}]\n"),
              HasSubstr("spec.containers[0].envFrom[0]: may not have more than one"));
  EXPECT_THAT(refusal_of("    envFrom: [{prefix: A}]\n"), HasSubstr("envFrom[0]: must specify one of"));
  EXPECT_THAT(refusal_of("    envFrom: [{secretRef: {}}]\n"),
              HasSubstr("envFrom[0].secretRef.name: is required"));
}

TEST(EnvironmentDecoding, kb_1_2_in_a_volume_a_resource_needs_its_container) {
  EXPECT_THAT(
      refusal_of("  volumes:\n  - name: v\n    downwardAPI:\n      items: [{path: p, resourceFieldRef: "
                 "{resource: limits.cpu}}]\n"),
      HasSubstr("containerName: is required"));
}

}  // namespace
}  // namespace mooring::manifest
