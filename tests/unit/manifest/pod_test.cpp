#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "manifest/parse.h"

namespace mooring::manifest {
namespace {

using testing::HasSubstr;

std::string errors_of(const ParsedFile& file) {
  std::string out;
  for (const Diagnostic& diagnostic : file.diagnostics) {
    if (diagnostic.severity == Diagnostic::Severity::Error) out += diagnostic.text() + "\n";
  }
  return out;
}

std::string pod_with(const std::string& volumes, const std::string& mounts = "") {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: c\n" + mounts +
         "  volumes:\n" + volumes;
}

std::shared_ptr<const Pod> parse_pod(const std::string& text) {
  const ParsedFile file = parse_file(text, "t.yaml");
  EXPECT_EQ(errors_of(file), "");
  if (file.objects.size() != 1) return nullptr;
  return std::get<std::shared_ptr<const Pod>>(file.objects[0]);
}

/// The errors of a pod with these volumes; none is a failure.
std::string refusal_of(const std::string& volumes, const std::string& mounts = "") {
  const ParsedFile file = parse_file(pod_with(volumes, mounts), "t.yaml");
  EXPECT_TRUE(file.objects.empty());
  return errors_of(file);
}

class RealManifest : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(RealManifest, is_accepted_without_a_change) {
  std::ifstream in(GetParam());
  std::stringstream bytes;
  bytes << in.rdbuf();
  const ParsedFile file = parse_file(bytes.str(), GetParam().filename());
  EXPECT_EQ(errors_of(file), "");
  EXPECT_TRUE(file.is_whole);
  EXPECT_FALSE(file.objects.empty() && file.ignored_kinds.empty());
}

std::vector<std::filesystem::path> real_manifests() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(MOORING_TEST_DATA "/manifests"))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string manifest_name(const testing::TestParamInfo<std::filesystem::path>& manifest) {
  std::string name = manifest.param.stem();
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, RealManifest, testing::ValuesIn(real_manifests()), manifest_name);

TEST(Pod, has_namespace_default_and_a_uid_derived_from_its_name) {
  const auto pod = parse_pod(pod_with("  - name: v\n"));
  ASSERT_NE(pod, nullptr);
  EXPECT_EQ(pod->key.text(), "default/web");
  EXPECT_EQ(pod->uid, derived_pod_uid(Namespace("default"), ObjectName("web")));
  EXPECT_EQ(pod->origin.line, 1u);
}

TEST(Pod, kb_1_1_a_volume_with_no_source_is_an_empty_dir) {
  const auto pod = parse_pod(pod_with("  - name: v\n"));
  ASSERT_NE(pod, nullptr);
  ASSERT_EQ(pod->volumes.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<EmptyDirSource>(pod->volumes[0].source));
}

TEST(Pod, kb_1_1_modes_follow_the_octal_rules_of_yaml_1_1) {
  for (const auto& [text, mode] : std::map<std::string, std::uint32_t>{
           {"0644", 0644}, {"420", 0644}, {"400", 0620}, {"0o600", 0600}, {"0x1ff", 0777}}) {
    const auto pod =
        parse_pod(pod_with("  - name: v\n    configMap: {name: m, defaultMode: " + text + "}\n"));
    ASSERT_NE(pod, nullptr);
    EXPECT_EQ(std::get<ConfigMapSource>(pod->volumes[0].source).default_mode, mode) << text;
  }
  EXPECT_THAT(refusal_of("  - name: v\n    configMap: {name: m, defaultMode: 01000}\n"), HasSubstr("0777"));
  EXPECT_THAT(refusal_of("  - name: v\n    configMap: {name: m, defaultMode: '0644'}\n"),
              HasSubstr("whole number"));
}

TEST(Pod, kb_1_1_a_resource_without_a_request_takes_its_limit) {
  const auto pod = parse_pod(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: c\n    resources:\n"
      "      limits: {memory: 64Mi, cpu: 250m}\n      requests: {cpu: 100m}\n");
  ASSERT_NE(pod, nullptr);
  EXPECT_EQ(pod->containers[0].requests.at("memory"), Quantity::parse("64Mi").value());
  EXPECT_EQ(pod->containers[0].requests.at("cpu"), Quantity::parse("100m").value());
}

TEST(Pod, a_bare_label_is_taken_as_its_text_with_a_warning) {
  const ParsedFile file = parse_file(
      "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels: {version: 1.1, on: yes, 'x': 'y'}\n"
      "spec: {containers: [{name: c}]}\n",
      "t.yaml");
  EXPECT_EQ(errors_of(file), "");
  ASSERT_EQ(file.objects.size(), 1u);
  const auto& pod = std::get<std::shared_ptr<const Pod>>(file.objects[0]);
  EXPECT_EQ(pod->labels.at("version"), "1.1");
  EXPECT_EQ(pod->labels.at("on"), "yes");
  EXPECT_EQ(file.diagnostics.size(), 2u);
}

TEST(Pod, an_error_names_file_line_column_and_field) {
  const ParsedFile file =
      parse_file(pod_with("  - name: v\n    hostPath:\n      path: /data\n      type: Dir\n"), "t.yaml");
  ASSERT_EQ(file.diagnostics.size(), 1u);
  const Diagnostic& diagnostic = file.diagnostics[0];
  EXPECT_EQ(diagnostic.where.file, "t.yaml");
  EXPECT_EQ(diagnostic.where.line, 11u);
  EXPECT_EQ(diagnostic.where.column, 13u);
  EXPECT_EQ(diagnostic.field, "spec.volumes[0].hostPath.type");
  EXPECT_THAT(diagnostic.message, HasSubstr("DirectoryOrCreate"));
}

TEST(Pod, kb_1_2_volume_names_and_sources_are_validated) {
  EXPECT_THAT(refusal_of("  - name: Bad_Name\n"), HasSubstr("DNS-1123"));
  EXPECT_THAT(refusal_of("  - name: v\n  - name: v\n"), HasSubstr("twice"));
  EXPECT_THAT(refusal_of("  - emptyDir: {}\n"), HasSubstr("spec.volumes[0].name: is required"));
  EXPECT_THAT(refusal_of("  - name: v\n    emptyDir: {}\n    hostPath: {path: /a}\n"),
              HasSubstr("may not specify more than 1 volume type"));
  EXPECT_THAT(refusal_of("  - name: v\n    floppy: {}\n"), HasSubstr("floppy"));
}

TEST(Pod, kb_1_2_host_path_is_validated) {
  EXPECT_THAT(refusal_of("  - name: v\n    hostPath: {}\n"), HasSubstr("path: is required"));
  EXPECT_THAT(refusal_of("  - name: v\n    hostPath: {path: /a/../b}\n"), HasSubstr("must not contain '..'"));
  EXPECT_NE(parse_pod(pod_with("  - name: v\n    hostPath: {path: /a..b/..c}\n")), nullptr);
}

TEST(Pod, kb_1_2_empty_dir_is_validated) {
  EXPECT_THAT(refusal_of("  - name: v\n    emptyDir: {sizeLimit: -1}\n"), HasSubstr("negative"));
  EXPECT_THAT(refusal_of("  - name: v\n    emptyDir: {medium: Disk}\n"), HasSubstr("unknown storage medium"));
  EXPECT_THAT(refusal_of("  - name: v\n    emptyDir: {medium: HugePages-}\n"),
              HasSubstr("unknown storage medium"));
  const auto pod =
      parse_pod(pod_with("  - name: v\n    emptyDir: {medium: HugePages-2Mi, sizeLimit: 1Gi}\n"));
  ASSERT_NE(pod, nullptr);
  EXPECT_EQ(std::get<EmptyDirSource>(pod->volumes[0].source).huge_page_size->rounded_up(), 2 << 20);
}

TEST(Pod, kb_1_2_projected_paths_are_validated) {
  const auto item = [](const std::string& path) {
    return "  - name: v\n    configMap: {name: m, items: [{key: k, path: '" + path + "'}]}\n";
  };
  for (const std::string good : {"a..b", "x/..y", "a/b"})
    EXPECT_NE(parse_pod(pod_with(item(good))), nullptr) << good;
  for (const std::string bad : {"..x", "x/../y", "/a", "../a"})
    EXPECT_NE(refusal_of(item(bad)), "") << bad;
}

TEST(Pod, kb_1_2_mounts_are_validated) {
  const std::string volumes = "  - name: v\n";
  const auto mount = [](const std::string& rest) { return "    volumeMounts:\n    - {" + rest + "}\n"; };
  EXPECT_THAT(refusal_of(volumes, mount("name: other, mountPath: /a")),
              HasSubstr("no volume of the pod is named"));
  EXPECT_THAT(refusal_of(volumes, mount("name: v")), HasSubstr("mountPath: is required"));
  EXPECT_THAT(refusal_of(volumes, mount("name: v, mountPath: /a, subPath: ../b")), HasSubstr("subPath"));
  EXPECT_THAT(refusal_of(volumes, mount("name: v, mountPath: /a, subPath: b, subPathExpr: c")),
              HasSubstr("exclude"));
  EXPECT_THAT(refusal_of(volumes, mount("name: v, mountPath: /a, mountPropagation: Bidirectional")),
              HasSubstr("privileged"));
  EXPECT_THAT(refusal_of(volumes, mount("name: v, mountPath: /a, recursiveReadOnly: Enabled")),
              HasSubstr("readOnly: true"));
  EXPECT_THAT(
      refusal_of(volumes,
                 "    volumeMounts:\n    - {name: v, mountPath: /a}\n    - {name: v, mountPath: /a}\n"),
      HasSubstr("must be unique"));
  EXPECT_THAT(refusal_of(volumes, "    volumeDevices:\n    - {name: v, devicePath: /dev/x}\n"),
              HasSubstr("persistentVolumeClaim"));
}

TEST(Pod, kb_2_1_a_finished_pod_is_terminated) {
  const std::string base =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: web%}\nspec: {containers: [{name: c}]}\n";
  const auto with = [&](const std::string& metadata, const std::string& status) {
    std::string text = base;
    text.replace(text.find('%'), 1, metadata);
    return parse_pod(text + status)->is_terminated;
  };
  EXPECT_FALSE(with("", ""));
  EXPECT_TRUE(with("", "status: {phase: Succeeded}\n"));
  EXPECT_TRUE(with("", "status: {phase: Failed}\n"));
  EXPECT_TRUE(with(", deletionTimestamp: '2026-01-01T00:00:00Z'", ""));
  EXPECT_FALSE(with(", deletionTimestamp: '2026-01-01T00:00:00Z'",
                    "status: {containerStatuses: [{state: {running: {}}}]}\n"));
  EXPECT_TRUE(with(", deletionTimestamp: '2026-01-01T00:00:00Z'",
                   "status: {containerStatuses: [{state: {terminated: {}}}, {state: {waiting: {}}}]}\n"));
}

TEST(Pod, a_uid_that_is_no_safe_path_element_is_refused) {
  for (const std::string bad : {"../x", "a/b", "a b", "."}) {
    const ParsedFile file = parse_file("apiVersion: v1\nkind: Pod\nmetadata: {name: w, uid: '" + bad +
                                           "'}\nspec: {containers: [{name: c}]}\n",
                                       "t.yaml");
    EXPECT_TRUE(file.objects.empty()) << bad;
  }
}

}  // namespace
}  // namespace mooring::manifest
