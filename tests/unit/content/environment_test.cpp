#include "content/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifest/parse.h"

namespace mooring {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

const std::string objects =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
    "data: {dir: data, up: .., root: /etc, empty: '', control: \"a\\nb\", 1st: one, tier: gold}\n"
    "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\ndata: {tier: silver}\n"
    "---\napiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {token: hunter2, user: me}\n";

/// A pod whose container "c" has this env and envFrom, in YAML's flow style.
class EnvironmentTest : public testing::Test {
 protected:
  EnvironmentTest() { store_.apply(manifest::parse_file(objects, "objects.yaml")); }

  const manifest::Container& container(const std::string& environment, const std::string& from = "[]") {
    store_.apply(
        manifest::parse_file("apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  uid: u1\n"
                             "  labels: {app: dns}\n  annotations: {note: kept}\nspec:\n"
                             "  serviceAccountName: '" +
                                 account_ +
                                 "'\n  containers:\n"
                                 "  - name: c\n    resources: {limits: {cpu: 1500m}}\n    env: " +
                                 environment + "\n    envFrom: " + from + "\n",
                             "pod.yaml"));
    const StoredPod* pod = store_.find_pod(PodUid("u1"));
    EXPECT_NE(pod, nullptr) << testing::PrintToString(store_.problems());
    if (pod != nullptr) pod_ = pod->pod;
    return pod_->containers.at(0);
  }
  Result<std::string> expand(const std::string& expression, const std::string& environment,
                             const std::string& from = "[]") {
    const manifest::Container& which = container(environment, from);
    return expand_sub_path(expression, which, {*pod_, store_, allocatable_, node_});
  }
  /// The path, or "reason: message".
  std::string text_of(const std::string& expression, const std::string& environment = "[]",
                      const std::string& from = "[]") {
    const Result<std::string> path = expand(expression, environment, from);
    return path ? path.value() : path.error().reason + ": " + path.error().message;
  }
  /// "configmap NAME" and "secret NAME".
  std::vector<std::string> objects_for(const std::string& expression, const std::string& environment,
                                       const std::string& from = "[]") {
    std::vector<std::string> out;
    const manifest::Container& which = container(environment, from);
    for (const ObjectReference& each : objects_of_environment(expression, which, pod_->key.name_space)) {
      const bool is_secret = each.kind == ObjectReference::Kind::Secret;
      out.push_back((is_secret ? "secret " : "configmap ") + each.key.text());
    }
    return out;
  }

  std::string account_;
  const std::map<std::string, Quantity> allocatable_{{"memory", Quantity::from_integer(64 << 20)}};
  const NodeName node_ = NodeName("n1");
  ObjectStore store_;
  std::shared_ptr<const manifest::Pod> pod_;
};

TEST_F(EnvironmentTest, kb_11_1_a_variable_is_replaced_by_its_value) {
  const std::string environment = "[{name: A, value: a}, {name: B, value: b/c}]";
  EXPECT_EQ(text_of("$(A)", environment), "a");
  EXPECT_EQ(text_of("x/$(A)-$(B)/y$(A)", environment), "x/a-b/c/ya");
  EXPECT_EQ(text_of("plain"), "plain");
}

TEST_F(EnvironmentTest, kb_11_1_a_doubled_dollar_is_one_and_what_is_no_reference_stays) {
  const std::string environment = "[{name: A, value: a}]";
  EXPECT_EQ(text_of("$$(A)", environment), "$(A)");
  EXPECT_EQ(text_of("$$$(A)", environment), "$a");
  EXPECT_EQ(text_of("$$$$", environment), "$$");
  EXPECT_EQ(text_of("$(A", environment), "$(A");
  EXPECT_EQ(text_of("x$(A)$(", environment), "xa$(");
  EXPECT_EQ(text_of("$A$", environment), "$A$");
  EXPECT_EQ(text_of("$(A)$(A", environment), "a$(A");
}

TEST_F(EnvironmentTest, kb_11_1_a_variable_without_a_value_is_an_error) {
  EXPECT_EQ(text_of("$(NONE)"), "InvalidSubPath: missing value for \"NONE\"");
  EXPECT_EQ(text_of("$()"), "InvalidSubPath: missing value for \"\"");
  EXPECT_EQ(text_of("$(Z)/$(A)/$(B)", "[{name: B, value: b}]"),
            "InvalidSubPath: missing value for \"A\", \"Z\"");
}

TEST_F(EnvironmentTest, kb_11_1_risk_an_empty_value_is_a_missing_one_unless_it_is_within_another) {
  const std::string environment = "[{name: E, value: ''}, {name: A, value: \"a$(E)b\"}]";
  EXPECT_EQ(text_of("$(E)", environment), "InvalidSubPath: missing value for \"E\"");
  EXPECT_EQ(text_of("$(A)", environment), "ab");
}

TEST_F(EnvironmentTest, kb_11_1_a_value_refers_to_variables_before_it_only) {
  EXPECT_EQ(text_of("$(B)", "[{name: A, value: a}, {name: B, value: \"$(A)/$$(A)\"}]"), "a/$(A)");
  EXPECT_EQ(text_of("$(B)", "[{name: B, value: \"$(A)\"}, {name: A, value: a}]"), "$(A)");
  EXPECT_EQ(text_of("$(B)", "[{name: B, value: \"$(B)\"}]"), "$(B)");
}

TEST_F(EnvironmentTest, kb_11_1_a_later_definition_wins_and_may_use_the_one_before) {
  EXPECT_EQ(text_of("$(A)", "[{name: A, value: a}, {name: A, value: b}]"), "b");
  EXPECT_EQ(text_of("$(A)", "[{name: A, value: a}, {name: A, value: \"$(A)$(A)\"}]"), "aa");
  EXPECT_EQ(
      text_of("$(A)-$(B)", "[{name: A, value: '1'}, {name: B, value: \"$(A)\"}, {name: A, value: '2'}]"),
      "2-1");
}

TEST_F(EnvironmentTest, kb_11_1_fields_of_the_pod_and_the_node) {
  const auto field = [&](const std::string& path) {
    return text_of("$(F)", "[{name: F, valueFrom: {fieldRef: {fieldPath: \"" + path + "\"}}}]");
  };
  EXPECT_EQ(field("metadata.name"), "web");
  EXPECT_EQ(field("metadata.namespace"), "default");
  EXPECT_EQ(field("metadata.uid"), "u1");
  EXPECT_EQ(field("metadata.labels['app']"), "dns");
  EXPECT_EQ(field("metadata.annotations['note']"), "kept");
  EXPECT_EQ(field("metadata.labels['none']"), "InvalidSubPath: missing value for \"F\"");
  EXPECT_EQ(field("spec.nodeName"), "n1");
  EXPECT_EQ(field("spec.serviceAccountName"), "default");
  account_ = "robot";
  EXPECT_EQ(field("spec.serviceAccountName"), "robot");
}

TEST_F(EnvironmentTest, an_address_is_not_known_and_an_error_only_where_it_is_used) {
  for (const std::string path : {"status.podIP", "status.podIPs", "status.hostIP", "status.hostIPs"}) {
    const std::string environment = "[{name: IP, valueFrom: {fieldRef: {fieldPath: " + path +
                                    "}}}, {name: A, value: a}, {name: B, value: \"$(IP)\"}]";
    EXPECT_THAT(text_of("$(IP)", environment),
                AllOf(HasSubstr("InvalidSubPath: variable \"IP\": " + path), HasSubstr("not known here")));
    EXPECT_THAT(text_of("$(B)", environment), HasSubstr("variable \"IP\""));
    EXPECT_EQ(text_of("$(A)", environment), "a");
  }
}

TEST_F(EnvironmentTest, kb_13_7_resources_are_the_containers_own_unless_another_is_named) {
  const auto resource = [&](const std::string& reference) {
    return text_of("$(R)", "[{name: R, valueFrom: {resourceFieldRef: {" + reference + "}}}]");
  };
  EXPECT_EQ(resource("resource: limits.cpu"), "2");
  EXPECT_EQ(resource("resource: limits.cpu, divisor: 1m"), "1500");
  EXPECT_EQ(resource("resource: limits.memory, divisor: 1Mi"), "64");
  EXPECT_EQ(resource("resource: limits.cpu, containerName: c"), "2");
  EXPECT_THAT(resource("resource: limits.cpu, containerName: other"),
              HasSubstr("InvalidReference: variable \"R\": the pod has no container \"other\""));
}

TEST_F(EnvironmentTest, a_key_of_a_config_map) {
  const auto key = [&](const std::string& reference) {
    return text_of("$(K)", "[{name: K, valueFrom: {configMapKeyRef: {" + reference + "}}}]");
  };
  EXPECT_EQ(key("name: settings, key: dir"), "data");
  EXPECT_EQ(key("name: none, key: dir"),
            "ConfigMapNotFound: variable \"K\": configmap \"default/none\" not found");
  EXPECT_EQ(key("name: settings, key: none"),
            "KeyNotFound: variable \"K\": couldn't find key \"none\" in configmap \"default/settings\"");
  EXPECT_EQ(key("name: none, key: dir, optional: true"), "InvalidSubPath: missing value for \"K\"");
  EXPECT_EQ(key("name: settings, key: none, optional: true"), "InvalidSubPath: missing value for \"K\"");
}

TEST_F(EnvironmentTest, an_optional_key_that_is_missing_leaves_what_was_defined_before) {
  EXPECT_EQ(
      text_of("$(tier)",
              "[{name: tier, value: tin}, {name: tier, valueFrom: {configMapKeyRef: {name: none, key: k, "
              "optional: true}}}]"),
      "tin");
  EXPECT_EQ(
      text_of("$(tier)", "[{name: tier, valueFrom: {secretKeyRef: {name: none, key: k, optional: true}}}]",
              "[{configMapRef: {name: settings}}]"),
      "gold");
}

TEST_F(EnvironmentTest, kb_11_1_env_from_defines_keys_and_env_stands_over_it) {
  const std::string both = "[{configMapRef: {name: settings}}, {configMapRef: {name: more}}]";
  EXPECT_EQ(text_of("$(dir)/$(tier)", "[]", both), "data/silver");
  EXPECT_EQ(text_of("$(tier)", "[]", "[{configMapRef: {name: more}}, {configMapRef: {name: settings}}]"),
            "gold");
  EXPECT_EQ(text_of("$(tier)", "[{name: tier, value: tin}]", both), "tin");
  EXPECT_EQ(text_of("$(A)", "[{name: A, value: \"$(tier)\"}]", both), "silver");
  EXPECT_EQ(text_of("$(P_dir)", "[]", "[{prefix: P_, configMapRef: {name: settings}}]"), "data");
  EXPECT_EQ(text_of("$(dir)", "[]", "[{prefix: P_, configMapRef: {name: settings}}]"),
            "InvalidSubPath: missing value for \"dir\"");
}

TEST_F(EnvironmentTest, env_from_skips_keys_that_are_no_names_of_variables) {
  const std::string from = "[{configMapRef: {name: settings}}]";
  EXPECT_EQ(text_of("$(1st)", "[]", from), "InvalidSubPath: missing value for \"1st\"");
  EXPECT_EQ(text_of("$(P1st)", "[]", "[{prefix: P, configMapRef: {name: settings}}]"), "one");
}

TEST_F(EnvironmentTest, an_env_from_object_that_is_missing_counts_only_if_it_may_define_what_is_used) {
  const std::string missing = "[{configMapRef: {name: settings}}, {prefix: P_, configMapRef: {name: none}}]";
  EXPECT_EQ(text_of("$(dir)", "[]", missing), "data");
  EXPECT_THAT(text_of("$(P_dir)", "[]", missing), HasSubstr("ConfigMapNotFound: variable \"P_dir\""));
  EXPECT_EQ(text_of("$(dir)", "[]",
                    "[{configMapRef: {name: settings}}, {configMapRef: {name: none, optional: true}}]"),
            "data");
  EXPECT_THAT(text_of("$(dir)", "[]", "[{secretRef: {name: none}}]"),
              HasSubstr("SecretNotFound: variable \"dir\": secret \"default/none\""));
  EXPECT_EQ(text_of("$(A)", "[{name: A, value: a}]", "[{configMapRef: {name: none}}]"), "a");
}

TEST_F(EnvironmentTest, kb_11_1_what_comes_from_a_secret_is_refused_without_its_value) {
  const std::string key =
      "[{name: T, valueFrom: {secretKeyRef: {name: keys, key: token}}}, "
      "{name: U, value: \"x$(T)\"}, {name: V, value: \"$(U)\"}, {name: A, value: a}]";
  for (const std::string expression : {"$(T)", "a/$(U)", "$(V)"}) {
    EXPECT_THAT(text_of(expression, key),
                AllOf(HasSubstr("SecretInPath: variable \"T\" comes from secret \"default/keys\""),
                      Not(HasSubstr("hunter2"))));
  }
  EXPECT_EQ(text_of("$(A)", key), "a");
  EXPECT_EQ(text_of("$$(T)", key), "$(T)");
  EXPECT_THAT(text_of("$(token)", "[]", "[{secretRef: {name: keys}}]"),
              AllOf(HasSubstr("SecretInPath: variable \"token\" comes from secret \"default/keys\""),
                    Not(HasSubstr("hunter2"))));
  EXPECT_THAT(text_of("$(T)", "[{name: T, valueFrom: {secretKeyRef: {name: none, key: token}}}]"),
              HasSubstr("SecretInPath"));
}

TEST_F(EnvironmentTest, a_secret_that_another_definition_hides_is_not_in_the_path) {
  EXPECT_EQ(text_of("$(T)",
                    "[{name: T, valueFrom: {secretKeyRef: {name: keys, key: token}}}, "
                    "{name: T, value: t}]"),
            "t");
  EXPECT_EQ(
      text_of("$(token)", "[]", "[{secretRef: {name: keys}}, {prefix: to, configMapRef: {name: keep}}]"),
      "ConfigMapNotFound: variable \"token\": configmap \"default/keep\" of envFrom, which may define it, "
      "is not found");
  EXPECT_EQ(text_of("$(tier)", "[]", "[{secretRef: {name: keys}}, {configMapRef: {name: more}}]"), "silver");
}

TEST_F(EnvironmentTest, what_the_expression_does_not_use_is_no_error) {
  EXPECT_EQ(text_of("$(A)",
                    "[{name: X, valueFrom: {configMapKeyRef: {name: none, key: k}}}, {name: A, value: a}, "
                    "{name: W, value: \"$(X)\"}, {name: Z, valueFrom: {fileKeyRef: {key: k}}}]"),
            "a");
  EXPECT_THAT(text_of("$(Z)", "[{name: Z, valueFrom: {fileKeyRef: {key: k}}}]"),
              HasSubstr("InvalidSubPath: variable \"Z\": fileKeyRef cannot be read"));
}

TEST_F(EnvironmentTest, kb_11_1_the_expanded_path_is_checked_again) {
  const std::string environment = "[{name: UP, value: ..}, {name: ROOT, value: /etc}, {name: DOT, value: .}]";
  EXPECT_EQ(text_of("$(ROOT)", environment),
            "InvalidSubPath: error SubPath `/etc` must not be an absolute path");
  EXPECT_EQ(text_of("a/$(UP)/b", environment),
            "InvalidSubPath: unable to provision SubPath `a/../b`: must not contain '..'");
  EXPECT_EQ(text_of("$(DOT)$(DOT)", environment),
            "InvalidSubPath: unable to provision SubPath `..`: must not contain '..'");
  EXPECT_EQ(text_of("a/$(DOT)//b", environment), "a/b");
  EXPECT_EQ(text_of("$(DOT)", environment), "");
  EXPECT_EQ(
      text_of("$(K)", "[{name: K, valueFrom: {configMapKeyRef: {name: settings, key: control}}}]"),
      "InvalidSubPath: unable to provision SubPath \"a\\nb\": must not contain control characters or bytes "
      "that are not UTF-8");
}

TEST_F(EnvironmentTest, values_that_double_do_not_fill_the_memory) {
  std::string environment = "[{name: V0, value: ha}";
  for (int i = 1; i < 64; ++i) {
    const std::string before = "$(V" + std::to_string(i - 1) + ")";
    environment += ", {name: V" + std::to_string(i) + ", value: \"" + before + before + "\"}";
  }
  EXPECT_THAT(text_of("$(V63)", environment + "]"), HasSubstr("InvalidSubPath: variable \"V12\""));
}

TEST_F(EnvironmentTest, a_long_chain_of_variables_is_followed) {
  std::string environment = "[{name: V0, value: end}";
  for (int i = 1; i < 2000; ++i)
    environment += ", {name: V" + std::to_string(i) + ", value: \"$(V" + std::to_string(i - 1) + ")\"}";
  EXPECT_EQ(text_of("$(V1999)", environment + "]"), "end");
}

TEST_F(EnvironmentTest, the_objects_are_those_that_the_expression_needs) {
  const std::string environment =
      "[{name: A, valueFrom: {configMapKeyRef: {name: a, key: k}}}, {name: B, value: \"$(A)\"}, "
      "{name: C, valueFrom: {configMapKeyRef: {name: c, key: k}}}, "
      "{name: S, valueFrom: {secretKeyRef: {name: s, key: k}}}]";
  const std::string from = "[{configMapRef: {name: f}}, {prefix: P_, secretRef: {name: p}}]";
  EXPECT_THAT(objects_for("$(A)", environment, from), ElementsAre("configmap default/a"));
  EXPECT_THAT(objects_for("$(B)", environment, from), ElementsAre("configmap default/a"));
  EXPECT_THAT(objects_for("$(S)", environment, from), ElementsAre("secret default/s"));
  EXPECT_THAT(objects_for("$(X)", environment, from), ElementsAre("configmap default/f"));
  EXPECT_THAT(objects_for("$(P_X)", environment, from),
              UnorderedElementsAre("configmap default/f", "secret default/p"));
  EXPECT_THAT(objects_for("$$(A)/plain", environment, from), IsEmpty());
}

TEST_F(EnvironmentTest, behind_an_optional_definition_the_one_before_is_needed_too) {
  EXPECT_THAT(objects_for("$(A)",
                          "[{name: A, valueFrom: {configMapKeyRef: {name: first, key: k}}}, "
                          "{name: A, valueFrom: {configMapKeyRef: {name: second, key: k, optional: true}}}]",
                          "[{configMapRef: {name: from}}]"),
              UnorderedElementsAre("configmap default/first", "configmap default/second"));
}

TEST(SubPath, kb_11_1_is_cleaned_or_refused) {
  EXPECT_EQ(clean_sub_path("a//b/./c").value(), "a/b/c");
  EXPECT_EQ(clean_sub_path("a/").value(), "a");
  EXPECT_EQ(clean_sub_path("..a/b..").value(), "..a/b..");
  EXPECT_EQ(clean_sub_path("").value(), "");
  EXPECT_EQ(clean_sub_path(".").value(), "");
  EXPECT_EQ(clean_sub_path("././/").value(), "");
  EXPECT_EQ(clean_sub_path("é世").value(), "é世");
  EXPECT_TRUE(clean_sub_path(std::string(255, 'a')));
  for (const std::string& bad :
       {std::string("/a"), std::string("//"), std::string("a/../b"), std::string(".."), std::string("a/.."),
        std::string("a\0b", 3), std::string("a\tb"), std::string("a\x7f"), std::string("a\xff"),
        std::string("\xc2\x85"), std::string(256, 'a'), "a/" + std::string(256, 'b')}) {
    const Result<std::string> path = clean_sub_path(bad);
    ASSERT_FALSE(path) << bad.substr(0, 20);
    EXPECT_EQ(path.error().reason, "InvalidSubPath");
    EXPECT_EQ(path.error().message.find('\n'), std::string::npos);
  }
  std::string longest;
  while (longest.size() < 4096)
    longest += "abcdefg/";
  EXPECT_TRUE(clean_sub_path(longest));
  EXPECT_FALSE(clean_sub_path(longest + "a"));
}

}  // namespace
}  // namespace mooring
