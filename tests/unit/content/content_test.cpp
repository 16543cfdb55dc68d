#include "content/content.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifest/parse.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string objects =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: '1', b.txt: two}\n"
    "binaryData: {raw: AP8=}\n---\n"
    "apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\ndata: {token: c2VjcmV0}\nstringData: {user: me, "
    "token: over}\n"
    "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: other}\ndata: {a: other}\n";

/// A pod with one volume "v" of this source.
class ContentTest : public testing::Test {
 protected:
  ContentTest() { store_.apply(manifest::parse_file(objects, "objects.yaml")); }

  Result<Content> of(const std::string& source) {
    store_.apply(manifest::parse_file(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  uid: u1\n  labels: {app: dns, tier: 'a\"b'}\n"
        "  annotations: {note: \"two\\nlines\"}\nspec:\n  containers:\n  - name: c\n"
        "    resources: {limits: {cpu: 250m, memory: 65Mi}, requests: {cpu: 1500m}}\n"
        "    volumeMounts: [{name: v, mountPath: /v}]\n  - name: free\n  volumes:\n  - name: v\n    " +
            source + "\n",
        "pod.yaml"));
    const StoredPod* pod = store_.find_pod(PodUid("u1"));
    EXPECT_NE(pod, nullptr) << testing::PrintToString(store_.problems());
    if (pod == nullptr) return Content();
    pod_ = pod->pod;
    const std::map<std::string, Quantity> allocatable{{"cpu", Quantity::from_integer(4)},
                                                      {"memory", Quantity::from_integer(1 << 30)}};
    const NodeName node("n1");
    const ContentRequest request{*pod_, store_, allocatable, node};
    return std::visit(
        [&](const auto& kind) -> Result<Content> {
          if constexpr (requires { content_of(kind, request); }) {
            return content_of(kind, request);
          } else {
            return Content();
          }
        },
        pod_->volumes.at(0).source);
  }
  /// "path=mode:bytes" of each file.
  std::vector<std::string> lines_of(const std::string& source) {
    const Result<Content> content = of(source);
    std::vector<std::string> lines;
    if (!content) return {content.error().reason + ": " + content.error().message};
    for (const auto& [path, file] : content.value()) {
      char mode[8];
      snprintf(mode, sizeof mode, "%03o", file.mode);
      lines.push_back(path + "=" + mode + ":" + file.bytes.expose_secret());
    }
    return lines;
  }

  ObjectStore store_;
  std::shared_ptr<const manifest::Pod> pod_;
};

TEST_F(ContentTest, kb_13_5_a_config_map_without_items_gives_all_its_keys) {
  EXPECT_THAT(lines_of("configMap: {name: settings}"),
              ElementsAre("a=644:1", "b.txt=644:two", std::string("raw=644:\0\xff", 10)));
}

TEST_F(ContentTest, kb_13_5_items_choose_keys_paths_and_modes) {
  EXPECT_THAT(lines_of("configMap: {name: settings, defaultMode: 0400, items: [{key: a, path: deep/x//y}, "
                       "{key: b.txt, path: b, mode: 0755}]}"),
              ElementsAre("b=755:two", "deep/x/y=400:1"));
}

TEST_F(ContentTest, kb_13_5_what_is_missing_is_an_error_or_nothing_if_it_is_optional) {
  EXPECT_THAT(lines_of("configMap: {name: none}"),
              ElementsAre("ConfigMapNotFound: configmap \"default/none\" not found"));
  EXPECT_THAT(lines_of("configMap: {name: none, optional: true}"), IsEmpty());
  EXPECT_THAT(lines_of("configMap: {name: settings, items: [{key: z, path: z}]}"),
              ElementsAre("KeyNotFound: configmap references non-existent config key: z"));
  EXPECT_THAT(
      lines_of("configMap: {name: settings, optional: true, items: [{key: z, path: z}, {key: a, path: a}]}"),
      ElementsAre("a=644:1"));
}

TEST_F(ContentTest, kb_13_6_a_secret_is_its_data_with_string_data_over_it) {
  EXPECT_THAT(lines_of("secret: {secretName: keys, defaultMode: 256}"),
              ElementsAre("token=400:over", "user=400:me"));
  EXPECT_THAT(lines_of("secret: {secretName: keys, items: [{key: z, path: z}]}"),
              ElementsAre("KeyNotFound: secret references non-existent secret key: z"));
}

TEST_F(ContentTest, kb_13_7_fields_of_the_pod) {
  EXPECT_THAT(lines_of("downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}, "
                       "{path: labels, fieldRef: {fieldPath: metadata.labels}}, "
                       "{path: notes, fieldRef: {fieldPath: metadata.annotations}}, "
                       "{path: one, fieldRef: {fieldPath: \"metadata.labels['tier']\"}}, "
                       "{path: none, fieldRef: {fieldPath: \"metadata.labels['x']\"}}, "
                       "{path: uid, mode: 0600, fieldRef: {fieldPath: metadata.uid}}]}"),
              ElementsAre("labels=644:app=\"dns\"\ntier=\"a\\\"b\"", "name=644:web",
                          "none=644:", "notes=644:note=\"two\\nlines\"", "one=644:a\"b", "uid=600:u1"));
}

TEST_F(ContentTest, kb_13_7_resources_are_divided_and_rounded_up) {
  const auto item = [](const std::string& path, const std::string& container, const std::string& resource,
                       const std::string& divisor) {
    return "{path: " + path + ", resourceFieldRef: {containerName: " + container + ", resource: " + resource +
           ", divisor: " + divisor + "}}";
  };
  EXPECT_THAT(
      lines_of("downwardAPI: {items: [" + item("cores", "c", "limits.cpu", "\"1\"") + ", " +
               item("milli", "c", "limits.cpu", "1m") + ", " + item("mem", "c", "limits.memory", "1Mi") +
               ", " + item("request", "c", "requests.cpu", "\"1\"") + ", " +
               item("node", "free", "limits.cpu", "\"1\"") + ", " +
               item("zero", "free", "requests.memory", "\"1\"") + "]}"),
      ElementsAre("cores=644:1", "mem=644:65", "milli=644:250", "node=644:4", "request=644:2", "zero=644:0"));
}

TEST_F(ContentTest, kb_13_8_of_projected_sources_a_later_one_wins) {
  EXPECT_THAT(lines_of("projected: {defaultMode: 0440, sources: [{configMap: {name: settings}}, "
                       "{secret: {name: keys, items: [{key: user, path: a, mode: 0400}]}}]}"),
              ElementsAre("a=400:me", "b.txt=440:two", std::string("raw=440:\0\xff", 10)));
}

TEST_F(ContentTest, kb_13_8_all_errors_of_projected_sources_are_told) {
  const auto lines = lines_of(
      "projected: {sources: [{configMap: {name: none}}, {secret: {name: nothing}}, "
      "{serviceAccountToken: {path: token}}]}");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], HasSubstr("configmap \"default/none\" not found"));
  EXPECT_THAT(lines[0], HasSubstr("secret \"default/nothing\" not found"));
  EXPECT_THAT(lines[0], HasSubstr("tokens are issued by a Kubernetes API server"));
}

TEST_F(ContentTest, kb_13_8_what_only_an_api_server_issues_is_refused_by_name) {
  for (const char* kind : {"clusterTrustBundle", "podCertificate"}) {
    const auto lines = lines_of(std::string("projected: {sources: [{") + kind + ": {path: x}}]}");
    EXPECT_THAT(lines, ElementsAre(HasSubstr(kind))) << kind;
  }
}

TEST_F(ContentTest, the_digest_tells_every_difference) {
  const std::set<std::string> none;
  const auto content = of("configMap: {name: settings}").value();
  EXPECT_EQ(content_digest(content, none), content_digest(of("configMap: {name: settings}").value(), none));
  EXPECT_NE(content_digest(content, none), content_digest(content, {"d"}));
  EXPECT_NE(content_digest(content, none),
            content_digest(of("configMap: {name: settings, defaultMode: 0600}").value(), none));
  Content other = content;
  other["a"].bytes = SecretBytes("2");
  EXPECT_NE(content_digest(content, none), content_digest(other, none));
  Content moved;
  moved["a1"] = {SecretBytes(""), 0644};
  Content split;
  split["a"] = {SecretBytes("1"), 0644};
  EXPECT_NE(content_digest(moved, none), content_digest(split, none));
}

TEST(ContentPath, kb_12_is_cleaned_or_refused) {
  EXPECT_EQ(clean_content_path("a//b/./c"), "a/b/c");
  EXPECT_EQ(clean_content_path("a/..b"), "a/..b");
  for (const std::string& bad :
       {std::string(""), std::string("/a"), std::string("a/../b"), std::string(".."), std::string("..a/b"),
        std::string("."), std::string(256, 'a'), std::string("a\0b", 3), std::string(4097, 'a')}) {
    EXPECT_FALSE(clean_content_path(bad)) << bad.substr(0, 20);
  }
  EXPECT_TRUE(clean_content_path(std::string(255, 'a')));
}

TEST(NestedMountPoints, kb_13_5_are_the_outermost_below_the_volume) {
  manifest::Pod pod;
  manifest::Container container;
  const auto mount = [](const std::string& name, const std::string& path) {
    manifest::VolumeMount out;
    out.name = VolumeName(name);
    out.mount_path = path;
    return out;
  };
  container.mounts = {
      mount("v", "/etc/app"),         mount("a", "/etc/app/nested"), mount("b", "/etc/app/nested/other"),
      mount("c", "/etc/application"), mount("d", "/etc/app/x/y/"),   mount("e", "/etc")};
  pod.containers = {container};
  EXPECT_THAT(nested_mount_points(pod, VolumeName("v")), ElementsAre("nested", "x/y"));
  EXPECT_THAT(nested_mount_points(pod, VolumeName("c")), IsEmpty());
}

TEST(ObjectsOf, a_claim_is_what_its_volume_comes_from) {
  const Namespace shop("shop");
  EXPECT_THAT(
      objects_of(manifest::ClaimSource{"data", true}, shop),
      ElementsAre(ObjectReference{ObjectReference::Kind::Claim, {Namespace("shop"), ObjectName("data")}}));
  EXPECT_THAT(objects_of(manifest::NfsSource{"s", "/p"}, shop), IsEmpty());
  EXPECT_THAT(objects_of(manifest::LocalSource{"/p", ""}, shop), IsEmpty());
}

}  // namespace
}  // namespace mooring
