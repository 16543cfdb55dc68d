// Input that is odd, hostile or cut off.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
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

std::string refusal_of(const std::string& text) {
  const ParsedFile file = parse_file(text, "t.yaml");
  EXPECT_TRUE(file.objects.empty()) << text;
  return errors_of(file);
}

std::string pod_with(const std::string& volumes) {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: c\n  volumes:\n" +
         volumes;
}

/// The one volume of a pod with this source.
VolumeSource source_of(const std::string& source) {
  const ParsedFile file = parse_file(pod_with("  - name: v\n" + source), "t.yaml");
  EXPECT_EQ(errors_of(file), "");
  if (file.objects.size() != 1) return OtherSource{"none"};
  return std::get<std::shared_ptr<const Pod>>(file.objects[0])->volumes.at(0).source;
}

TEST(CutOff, each_part_of_a_good_file_is_good_or_known_to_be_cut) {
  std::vector<std::string> texts{
      pod_with("  - name: v\n    emptyDir:\n      sizeLimit: 010\n"),
      "apiVersion: apps/v1\nkind: StatefulSet\nmetadata:\n  name: web\nspec:\n  replicas: 3\n  template:\n"
      "    spec:\n      containers:\n      - name: c\n        volumeMounts:\n        - name: data\n"
      "          mountPath: /data\n          mountPropagation: Bidirectional\n        securityContext:\n"
      "          privileged: true\n      - name: d\n        volumeMounts:\n        - name: data\n"
      "          mountPath: /data\n          recursiveReadOnly: Enabled\n          readOnly: true\n"
      "  volumeClaimTemplates:\n  - metadata:\n      name: data\n    spec:\n      accessModes:\n"
      "      - ReadWriteOnce\n      resources:\n        requests:\n          storage: 1Gi\n",
      "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"s\"\ndata:\n  a: |\n    Zm9v\n    Zm9v\n    Zg==\n"
      "  b: Zg==\nstringData: {c: \"d\", e: f}\n"};
  for (const auto& entry : std::filesystem::directory_iterator(MOORING_TEST_DATA "/manifests")) {
    std::ifstream in(entry.path());
    std::stringstream bytes;
    bytes << in.rdbuf();
    texts.push_back(bytes.str());
  }
  ASSERT_GT(texts.size(), 10u);
  for (const std::string& text : texts) {
    ASSERT_EQ(errors_of(parse_file(text, "t.yaml")), "") << text;
    for (std::size_t length = 0; length < text.size(); ++length) {
      const ParsedFile file = parse_file(text.substr(0, length), "t.yaml");
      ASSERT_FALSE(file.is_whole && !file.broken.empty()) << text.substr(0, length) << "\n"
                                                          << errors_of(file);
    }
  }
}

TEST(Hardening, a_nul_byte_is_refused_with_its_line_and_the_file_is_not_whole) {
  const ParsedFile file = parse_file(pod_with("  - name: v\n") + std::string(512, '\0'), "t.yaml");
  EXPECT_FALSE(file.is_whole);
  EXPECT_TRUE(file.objects.empty());
  EXPECT_THAT(errors_of(file), HasSubstr("t.yaml:9:1: error: the file has a NUL byte"));
}

TEST(Hardening, an_escaped_nul_is_refused_with_its_place) {
  EXPECT_THAT(refusal_of(pod_with("  - name: v\n    hostPath: {path: \"/a\\0b\"}\n")),
              HasSubstr("t.yaml:9:23: error: a text must not have a NUL character"));
  EXPECT_THAT(refusal_of("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {\"a\\0\": b}\n"),
              HasSubstr("NUL"));
  EXPECT_THAT(
      refusal_of("{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"a\\u0000\"}}"),
      HasSubstr("NUL"));
}

TEST(Hardening, a_second_document_without_a_separator_is_refused_with_its_place) {
  const std::string json =
      R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "c"}]}})";
  for (const std::string& text : {json + "\n" + json + "\n", json + "\nkind: Pod\n", json + "\n\"x\"\n"}) {
    const ParsedFile file = parse_file("# c\n" + text, "t.json");
    EXPECT_FALSE(file.is_whole);
    EXPECT_TRUE(file.objects.empty());
    EXPECT_THAT(errors_of(file), testing::StartsWith("t.json:3:"));
    EXPECT_THAT(errors_of(file), HasSubstr("more text behind the end of the document"));
  }
}

TEST(Hardening, a_config_map_of_many_keys_is_read_in_time) {
  constexpr int keys = 60'000;
  std::string text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m\ndata:\n";
  for (int i = 0; i < keys; ++i)
    text += "  k" + std::to_string(i) + ": v\n";
  const auto start = std::chrono::steady_clock::now();
  const ParsedFile file = parse_file(text, "t.yaml");
  // What was measured is 0.1 s when optimised; comparing each key with each other takes more than 60 s.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  ASSERT_EQ(file.objects.size(), 1u) << errors_of(file);
  EXPECT_EQ(std::get<std::shared_ptr<const ConfigMap>>(file.objects[0])->data.size(),
            static_cast<std::size_t>(keys));
  EXPECT_THAT(refusal_of(text + "  k7: again\n"), HasSubstr("t.yaml:60006:3: error: duplicate key \"k7\""));
}

TEST(Quantity, l2_a_bare_number_is_one_of_yaml_1_1_and_a_quoted_one_is_text) {
  const auto limit = [](const std::string& text) {
    const auto source = source_of("    emptyDir: {sizeLimit: " + text + "}\n");
    const auto* empty_dir = std::get_if<EmptyDirSource>(&source);
    return empty_dir != nullptr && empty_dir->size_limit ? empty_dir->size_limit->rounded_up() : -1;
  };
  EXPECT_EQ(limit("010"), 8);
  EXPECT_EQ(limit("'010'"), 10);
  EXPECT_EQ(limit("!!str 010"), 10);
  EXPECT_EQ(limit("0x100000"), 1 << 20);
  EXPECT_EQ(limit("1_000_000"), 1'000'000);
  EXPECT_EQ(limit("1_000.5"), 1001);
  EXPECT_EQ(limit("1e3"), 1000);
  EXPECT_EQ(limit("09"), 9);  // No octal number: go-yaml takes it for a decimal fraction.
  EXPECT_EQ(limit("128Mi"), 128 << 20);
  for (const std::string bad : {"'0x100000'", "'1_000'", "1_000Mi", "0x10Mi", "yes"})
    EXPECT_THAT(refusal_of(pod_with("  - name: v\n    emptyDir: {sizeLimit: " + bad + "}\n")),
                HasSubstr("not a quantity"))
        << bad;
}

TEST(Volume, a_source_that_is_no_mapping_is_refused) {
  for (const std::string bad : {"7", "text", "[]", "''"}) {
    EXPECT_THAT(refusal_of(pod_with("  - name: v\n    emptyDir: " + bad + "\n")),
                HasSubstr("spec.volumes[0].emptyDir: must be a mapping"));
  }
}

TEST(Volume, l3_a_source_that_is_null_is_no_source) {
  EXPECT_TRUE(std::holds_alternative<HostPathSource>(source_of("    emptyDir:\n    hostPath: {path: /a}\n")));
  EXPECT_TRUE(std::holds_alternative<EmptyDirSource>(source_of("    emptyDir: {}\n    hostPath: ~\n")));
  EXPECT_TRUE(std::holds_alternative<EmptyDirSource>(source_of("    emptyDir:\n")));
  EXPECT_TRUE(std::holds_alternative<EmptyDirSource>(source_of("    hostPath: null\n")));
  EXPECT_TRUE(std::holds_alternative<ProjectedSource>(
      source_of("    projected: {sources: [{secret: , configMap: {name: m}}]}\n")));
  const ParsedFile file = parse_file(
      "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: pv}\nspec: {capacity: {storage: 1}, "
      "accessModes: "
      "[ReadWriteOnce], hostPath: null, nfs: {server: s, path: /p}}\n",
      "t.yaml");
  EXPECT_EQ(errors_of(file), "");
}

/// The errors of a workload with this name and spec; the template is added.
std::string workload_refusal(const std::string& kind, const std::string& name, const std::string& spec) {
  const std::string group = kind == "Job" ? "batch" : "apps";
  return errors_of(parse_file("apiVersion: " + group + "/v1\nkind: " + kind + "\nmetadata:\n  name: " + name +
                                  "\nspec:\n" + spec + "  template: {spec: {containers: [{name: c}]}}\n",
                              "t.yaml"));
}

TEST(Workload, l7_ordinals_are_those_of_the_api) {
  for (const std::string bad : {"-1", "9223372036854775807", "2147483648"}) {
    EXPECT_THAT(workload_refusal("StatefulSet", "web", "  replicas: 2\n  ordinals: {start: " + bad + "}\n"),
                HasSubstr("t.yaml:7:21: error: spec.ordinals.start: must be between 0 and 2147483647"));
  }
  EXPECT_EQ(workload_refusal("StatefulSet", "web", "  replicas: 2\n  ordinals: {start: 2147483647}\n"), "");
}

TEST(Workload, l7_a_negative_number_is_reported_under_its_own_field) {
  EXPECT_THAT(workload_refusal("Job", "pi", "  completions: -3\n"),
              testing::StrEq("t.yaml:6:16: error: spec.completions: must not be negative\n"));
  EXPECT_THAT(workload_refusal("Job", "pi", "  parallelism: -3\n"),
              HasSubstr("6:16: error: spec.parallelism: "));
  EXPECT_THAT(workload_refusal("Deployment", "web", "  replicas: -3\n"),
              HasSubstr("6:13: error: spec.replicas: "));
  EXPECT_EQ(workload_refusal("Job", "pi", "  completions: 0\n"), "");
}

TEST(Workload, l7_the_names_of_its_pods_fit) {
  const std::string ten = "  replicas: 10\n";
  const auto name = [](std::size_t length) { return std::string(length, 'a'); };
  EXPECT_EQ(workload_refusal("StatefulSet", name(61), ten), "");
  EXPECT_THAT(workload_refusal("StatefulSet", name(61), "  replicas: 11\n"),
              HasSubstr("t.yaml:4:9: error: metadata.name: is too long: the names of its pods"));
  EXPECT_NE(workload_refusal("StatefulSet", name(61), "  ordinals: {start: 10}\n"), "");
  EXPECT_EQ(workload_refusal("Deployment", name(236), ten), "");
  EXPECT_THAT(workload_refusal("Deployment", name(237), ten), HasSubstr("longer than 253"));
  EXPECT_EQ(workload_refusal("Job", name(247), ten), "");
  EXPECT_THAT(workload_refusal("Job", name(248), ten), HasSubstr("longer than 253"));
  EXPECT_THAT(workload_refusal("DaemonSet", name(248), ""), HasSubstr("longer than 253"));
}

TEST(Kind, a_typing_error_says_what_would_be_right) {
  const auto refusal = [](const std::string& version, const std::string& kind) {
    const ParsedFile file = parse_file("apiVersion: " + version + "\nkind: " + kind +
                                           "\nmetadata: {name: a}\nspec: {containers: [{name: c}]}\n---\n",
                                       "t.yaml");
    EXPECT_FALSE(file.is_whole);
    EXPECT_TRUE(file.ignored_kinds.empty());
    return errors_of(file);
  };
  EXPECT_THAT(refusal("v1", "Pods"),
              HasSubstr("t.yaml:2:7: error: kind: there is no kind \"Pods\" in \"v1\""));
  EXPECT_THAT(refusal("apps/v1", "Pod"), HasSubstr("t.yaml:1:13: error: apiVersion: must be v1 for a Pod"));
  EXPECT_THAT(refusal("v1", "Deployment"), HasSubstr("must be apps/v1 for a Deployment"));
  EXPECT_THAT(refusal("apps.k8s.io/v1", "Deployment"), HasSubstr("must be apps/v1"));
  EXPECT_THAT(refusal("storage.k8s.io/v1", "StorageClas"), HasSubstr("there is no kind"));
  EXPECT_THAT(refusal("v1", "PodList"), HasSubstr("there is no kind"));
}

TEST(Hardening, control_characters_are_refused_with_their_place) {
  for (const char* control : {"\x01", "\x1b", "\x1f", "\x7f", "\xc2\x9b"}) {
    const std::string text =
        std::string("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  a: |\n    x\n  ") +
        control + " y\n";
    const ParsedFile file = parse_file(text, "t.yaml");
    ASSERT_EQ(file.diagnostics.size(), 1u);
    EXPECT_EQ(file.diagnostics[0].where.line, 7u);
    EXPECT_EQ(file.diagnostics[0].where.column, 3u);
    EXPECT_NE(file.diagnostics[0].message.find("control characters are not allowed"), std::string::npos);
  }
  EXPECT_TRUE(
      parse_file(
          "apiVersion: v1\r\nkind: ConfigMap\r\nmetadata: {name: c}\r\ndata: {a: \"\\x1b\\u009b\"}\r\n",
          "t.yaml")
          .diagnostics.empty());
}

}  // namespace
}  // namespace mooring::manifest
