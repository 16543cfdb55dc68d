#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifest/base64.h"
#include "manifest/parse.h"
#include "manifest/scalar.h"
#include "manifest/yaml_document.h"

namespace mooring::manifest {
namespace {

using testing::HasSubstr;

const std::string good_pod =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: good}\nspec: {containers: [{name: c}]}\n";

std::string all_text(const ParsedFile& file) {
  std::string out;
  for (const Diagnostic& diagnostic : file.diagnostics)
    out += diagnostic.text() + "\n";
  return out;
}

TEST(File, a_bad_document_harms_no_other) {
  const ParsedFile file =
      parse_file("apiVersion: v1\nkind: Pod\nmetadata: {name: bad}\nspec: [\n---\n" + good_pod +
                     "---\napiVersion: v1\nkind: Pod\nmetadata: {name: worse}\nspec: {containers: 3}\n",
                 "t.yaml");
  EXPECT_EQ(file.objects.size(), 1u);
  ASSERT_EQ(file.broken.size(), 2u);
  EXPECT_EQ(file.broken[0].kind, "Pod");
  ASSERT_TRUE(file.broken[0].key);
  EXPECT_EQ(file.broken[0].key->text(), "default/bad");
  EXPECT_EQ(file.broken[1].key->text(), "default/worse");
  EXPECT_TRUE(file.is_whole);
}

TEST(File, a_syntax_error_has_the_line_of_the_file) {
  const ParsedFile file = parse_file(good_pod + "---\nkind: Pod\nmetadata:\n  name: x\n bad: [\n", "t.yaml");
  ASSERT_EQ(file.broken.size(), 1u);
  EXPECT_GE(file.broken[0].origin.line, 8u) << all_text(file);
}

TEST(File, a_broken_document_of_unknown_name_makes_the_file_not_whole) {
  EXPECT_FALSE(parse_file(good_pod + "---\n{{{{\n", "t.yaml").is_whole);
  EXPECT_FALSE(parse_file("", "t.yaml").is_whole);
  EXPECT_FALSE(parse_file(" \n\t\n", "t.yaml").is_whole);
}

// It looks the same as a file that was cut off in the comment at its head: the store decides by what it held.
TEST(File, comments_alone_are_not_whole_and_said_to_be_that) {
  const ParsedFile file = parse_file("# nothing any more\n", "t.yaml");
  EXPECT_FALSE(file.is_whole);
  EXPECT_TRUE(file.is_only_comments);
  EXPECT_EQ(all_text(file), "");
  EXPECT_FALSE(parse_file("", "t.yaml").is_only_comments);
  EXPECT_FALSE(parse_file("# c\n" + good_pod, "t.yaml").is_only_comments);
}

TEST(File, comments_alone_are_no_document_and_no_error) {
  for (const char* text :
       {"# a\n  # b\n", "---\n# a\n", "--- # a\n", "# a\n---\n# b\n...\n", "%YAML 1.1\n---\n# a\n"}) {
    EXPECT_EQ(all_text(parse_file(text, "t.yaml")), "") << text;
    EXPECT_FALSE(YamlDocument(text, 1, {}).error()) << text;
    EXPECT_TRUE(YamlDocument(text, 1, {}).is_empty()) << text;
  }
}

TEST(File, a_duplicate_key_is_refused_with_its_place) {
  const ParsedFile file = parse_file("apiVersion: v1\nkind: Pod\nkind: Pod\nmetadata: {name: a}\n", "t.yaml");
  EXPECT_TRUE(file.objects.empty());
  ASSERT_EQ(file.diagnostics.size(), 1u);
  EXPECT_EQ(file.diagnostics[0].where.line, 3u) << all_text(file);
  EXPECT_EQ(file.diagnostics[0].where.column, 1u);
  const ParsedFile nested = parse_file(
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata:\n  a: x\n  a: y\n---\n" + good_pod,
      "t.yaml");
  EXPECT_THAT(all_text(nested), HasSubstr("t.yaml:6:3: error: duplicate key \"a\""));
  EXPECT_TRUE(nested.is_whole);
  ASSERT_EQ(nested.broken.size(), 1u);
  EXPECT_TRUE(nested.broken[0].key);
}

TEST(File, a_list_gives_its_items_and_a_bad_item_harms_no_other) {
  const ParsedFile file = parse_file(
      "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n  spec: "
      "{containers: [{name: c}]}\n"
      "- apiVersion: v1\n  kind: Pod\n  metadata: {name: b}\n",
      "t.yaml");
  EXPECT_EQ(file.objects.size(), 1u);
  ASSERT_EQ(file.broken.size(), 1u);
  EXPECT_EQ(file.broken[0].key->text(), "default/b");
}

TEST(File, json_is_read_too) {
  const ParsedFile file = parse_file(
      R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a\u0062"}, "spec": {"containers": [{"name": "c"}]}})",
      "t.json");
  EXPECT_EQ(all_text(file), "");
  ASSERT_EQ(file.objects.size(), 1u);
  EXPECT_EQ(std::get<std::shared_ptr<const Pod>>(file.objects[0])->key.name.str(), "ab");
}

TEST(File, other_kinds_are_named_once_as_ignored) {
  const std::string service = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\n";
  const ParsedFile file = parse_file(
      service + service + "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r}\n",
      "t.yaml");
  EXPECT_EQ(file.ignored_kinds,
            (std::vector<std::string>{"v1/Service", "rbac.authorization.k8s.io/v1/Role"}));
  EXPECT_TRUE(file.diagnostics.empty());
}

TEST(File, limits_refuse_politely) {
  Limits limits;
  limits.document_bytes_max = 200;
  limits.file_bytes_max = 1000;
  const ParsedFile large =
      parse_file(good_pod + "---\n" + good_pod + "# " + std::string(200, 'x') + "\n", "t.yaml", limits);
  EXPECT_EQ(large.objects.size(), 1u);
  EXPECT_THAT(all_text(large), HasSubstr("larger"));
  const ParsedFile huge = parse_file(std::string(2000, '#'), "t.yaml", limits);
  EXPECT_FALSE(huge.is_whole);
  EXPECT_THAT(all_text(huge), HasSubstr("larger than"));
}

TEST(File, depth_is_bounded) {
  std::string deep = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\nx: ";
  const ParsedFile file = parse_file(deep + std::string(100, '[') + std::string(100, ']') + "\n", "t.yaml");
  EXPECT_TRUE(file.objects.empty());
  EXPECT_FALSE(file.broken.empty());
}

TEST(File, aliases_are_expanded_within_a_budget) {
  const ParsedFile file = parse_file(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: &l {x: y}, annotations: *l}\nspec: "
      "{containers: [{name: c}]}\n",
      "t.yaml");
  ASSERT_EQ(file.objects.size(), 1u) << all_text(file);
  EXPECT_EQ(std::get<std::shared_ptr<const Pod>>(file.objects[0])->annotations.at("x"), "y");
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j)
      bomb += (j > 0 ? ",*a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_THAT(all_text(parse_file(bomb, "t.yaml")), HasSubstr("aliases expand"));
}

TEST(File, text_that_is_not_utf8_is_refused_with_its_line) {
  const ParsedFile file = parse_file("apiVersion: v1\nkind: \xff\n", "t.yaml");
  ASSERT_EQ(file.diagnostics.size(), 1u);
  EXPECT_EQ(file.diagnostics[0].where.line, 2u);
}

TEST(File, kb_1_2_a_bare_number_for_a_string_is_an_error_that_says_to_quote_it) {
  const ParsedFile file =
      parse_file("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {port: 80}\n", "t.yaml");
  EXPECT_TRUE(file.objects.empty());
  EXPECT_THAT(all_text(file), HasSubstr("quotes"));
}

TEST(Secret, no_value_gets_into_a_message) {
  const ParsedFile file = parse_file(
      "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: 'MARKER-not-base64!', b: 12345678}\n"
      "stringData: {c: 87654321}\n",
      "t.yaml");
  EXPECT_TRUE(file.objects.empty());
  const std::string text = all_text(file);
  for (const char* value : {"MARKER", "12345678", "87654321"})
    EXPECT_EQ(text.find(value), std::string::npos) << text;
}

TEST(Secret, kb_1_1_string_data_wins_over_data) {
  const ParsedFile file = parse_file(
      "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: b25l, b: dHdv}\nstringData: {a: three}\n",
      "t.yaml");
  ASSERT_EQ(file.objects.size(), 1u) << all_text(file);
  const auto& secret = std::get<std::shared_ptr<const Secret>>(file.objects[0]);
  EXPECT_EQ(secret->data.at("a").expose_secret(), "three");
  EXPECT_EQ(secret->data.at("b").expose_secret(), "two");
}

TEST(Base64, is_strict) {
  EXPECT_EQ(decode_base64(""), "");
  EXPECT_EQ(decode_base64("Zg=="), "f");
  EXPECT_EQ(decode_base64("Zm8="), "fo");
  EXPECT_EQ(decode_base64("Zm9v\nYmFy"), "foobar");
  for (const char* bad : {"Zg", "Zg=", "Zg===", "Z===", "Zm9v=", "Zg==Zg==", "Zm 9v", "Zm9_", "="}) {
    EXPECT_FALSE(decode_base64(bad)) << bad;
  }
}

TEST(Scalar, numbers_and_booleans_are_those_of_yaml_1_1) {
  EXPECT_EQ(to_integer("0644"), 0644);
  EXPECT_EQ(to_integer("-0x10"), -16);
  EXPECT_EQ(to_integer("1_000"), 1000);
  EXPECT_EQ(to_integer("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(to_integer("-9223372036854775808"), INT64_MIN);
  for (const char* bad : {"", "-", "0x", "089", "9223372036854775808", "1e3", "a", "+"})
    EXPECT_FALSE(to_integer(bad)) << bad;
  EXPECT_EQ(to_boolean("yes"), true);
  EXPECT_EQ(to_boolean("Off"), false);
  EXPECT_FALSE(to_boolean("yEs"));
  EXPECT_TRUE(is_float("1.1"));
  EXPECT_TRUE(is_float("-.5e+3"));
  EXPECT_FALSE(is_float("1.1.1"));
  EXPECT_TRUE(is_null_scalar("~"));
}

TEST(SplitDocuments, knows_their_lines) {
  const auto pieces = split_documents("# c\n---\na: 1\n---\n\n---\nb: 2\n...\n");
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[0].first_line, 2u);
  EXPECT_EQ(pieces[1].first_line, 6u);
}

TEST(Storage, a_volume_and_a_claim_are_read_with_defaults) {
  const ParsedFile file = parse_file(
      "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: pv}\nspec: {capacity: {storage: 5Gi}, "
      "accessModes: [ReadWriteOnce], "
      "nfs: {server: s, path: /p}}\n---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\n"
      "spec: {accessModes: [ReadWriteOnce], storageClassName: '', resources: {requests: {storage: 1Gi}}}\n",
      "t.yaml");
  ASSERT_EQ(file.objects.size(), 2u) << all_text(file);
  const auto& volume = std::get<std::shared_ptr<const PersistentVolume>>(file.objects[0]);
  EXPECT_EQ(volume->reclaim_policy, ReclaimPolicy::Retain);
  EXPECT_EQ(volume->volume_mode, VolumeMode::Filesystem);
  const auto& claim = std::get<std::shared_ptr<const PersistentVolumeClaim>>(file.objects[1]);
  EXPECT_EQ(claim->storage_class, "");
}

TEST(Storage, kb_1_2_a_volume_is_validated) {
  const auto refusal = [](const std::string& spec) {
    const ParsedFile file =
        parse_file("apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: pv}\nspec: " + spec + "\n", "t");
    EXPECT_TRUE(file.objects.empty()) << spec;
    return all_text(file);
  };
  EXPECT_THAT(refusal("{accessModes: [ReadWriteOnce], nfs: {server: s, path: /p}}"), HasSubstr("capacity"));
  EXPECT_THAT(refusal("{capacity: {storage: 1}, accessModes: [], nfs: {server: s, path: /p}}"),
              HasSubstr("access mode"));
  EXPECT_THAT(refusal("{capacity: {storage: 1}, accessModes: [ReadWriteOncePod, ReadWriteOnce], nfs: "
                      "{server: s, path: /p}}"),
              HasSubstr("alone"));
  EXPECT_THAT(refusal("{capacity: {storage: 1}, accessModes: [ReadWriteOnce], local: {path: /p}}"),
              HasSubstr("nodeAffinity"));
  EXPECT_THAT(refusal("{capacity: {storage: 1}, accessModes: [ReadWriteOnce]}"),
              HasSubstr("must specify a volume type"));
}

}  // namespace
}  // namespace mooring::manifest
