// kubelet-behaviours 12 and 13.5 to 13.8, line by line: the files of configuration volumes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "content/content.h"
#include "content/environment.h"
#include "manifest/parse.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string objects =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: '1', b: two}\n---\n"
    "apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {token: t, user: me}\n";

/// A pod "web" with one volume "v"; what it holds.
struct Volume : testing::Test {
  Volume() { store.apply(manifest::parse_file(objects, "objects.yaml")); }

  /// Of a source that a manifest may have.
  Result<Content> of(const std::string& source) {
    store.apply(manifest::parse_file(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: default\n  uid: u1\n  labels: " +
            labels + "\n  annotations: " + annotations +
            "\nspec:\n  initContainers:\n"
            "  - {name: first, resources: {limits: {cpu: 300m}}}\n  containers:\n"
            "  - {name: c, resources: {limits: {cpu: 1250m, memory: 100Mi, ephemeral-storage: 2500k}, "
            "requests: {cpu: 250m}}}\n  - {name: free}\n  volumes:\n  - name: v\n    " +
            source + "\n",
        "pod.yaml"));
    const StoredPod* stored = store.find_pod(PodUid("u1"));
    EXPECT_NE(stored, nullptr) << testing::PrintToString(store.problems());
    if (stored == nullptr) return Content();
    pod = stored->pod;
    const auto& kind = pod->volumes.at(0).source;
    if (const auto* map = std::get_if<manifest::ConfigMapSource>(&kind)) return made(*map);
    if (const auto* secret = std::get_if<manifest::SecretSource>(&kind)) return made(*secret);
    if (const auto* downward = std::get_if<manifest::DownwardApiSource>(&kind)) return made(*downward);
    return made(std::get<manifest::ProjectedSource>(kind));
  }
  template <class Source>
  Result<Content> made(const Source& source) const {
    return content_of(source, ContentRequest{*pod, store, allocatable, node});
  }
  /// "path=mode:bytes" of each file, or why there are none.
  std::vector<std::string> lines_of(const std::string& source) { return lines_of(of(source)); }
  static std::vector<std::string> lines_of(const Result<Content>& content) {
    std::vector<std::string> lines;
    if (!content) return {content.error().reason + ": " + content.error().message};
    for (const auto& [path, file] : content.value()) {
      char mode[8];
      snprintf(mode, sizeof mode, "%03o", file.mode);
      lines.push_back(path + "=" + mode + ":" + file.bytes.expose_secret());
    }
    return lines;
  }
  /// The text of one item of a downwardAPI volume.
  std::string item(const std::string& reference) {
    const auto lines = lines_of("downwardAPI: {items: [{path: p, " + reference + "}]}");
    const std::string start = "p=644:";
    EXPECT_EQ(lines.size(), 1u);
    return lines.at(0).starts_with(start) ? lines[0].substr(start.size()) : lines[0];
  }
  std::string field(const std::string& path) { return item("fieldRef: {fieldPath: \"" + path + "\"}"); }
  std::string resource(const std::string& container, const std::string& name,
                       const std::string& divisor = "1") {
    return item("resourceFieldRef: {containerName: " + container + ", resource: " + name + ", divisor: \"" +
                divisor + "\"}");
  }

  std::string labels = "{app: dns}";
  std::string annotations = "{}";
  const std::map<std::string, Quantity> allocatable{{"cpu", Quantity::from_integer(4)},
                                                    {"memory", Quantity::from_integer(1 << 30)}};
  const NodeName node = NodeName("n1");
  ObjectStore store;
  std::shared_ptr<const manifest::Pod> pod = std::make_shared<manifest::Pod>();
};

TEST_F(Volume, kb_12_a_path_that_cannot_be_refuses_all_of_it) {
  // By hand, because the parser refuses them too.
  for (const std::string& bad :
       {std::string("/a"), std::string("a/../b"), std::string("..a"), std::string(""), std::string(256, 'a'),
        std::string("."), "a/" + std::string(4096, 'b')}) {
    pod = std::make_shared<manifest::Pod>();
    manifest::DownwardApiSource source;
    source.items = {{"good", manifest::FieldReference{"metadata.name"}, std::nullopt},
                    {bad, manifest::FieldReference{"metadata.name"}, std::nullopt}};
    const Result<Content> content = made(source);
    ASSERT_FALSE(content) << bad.substr(0, 20);
    EXPECT_EQ(content.error().reason, "InvalidPath");
    EXPECT_EQ(content.error().kind, ErrorKind::Final);
  }
}

TEST_F(Volume, kb_12_paths_are_cleaned) {
  EXPECT_THAT(lines_of("configMap: {name: settings, items: [{key: a, path: x//y/./z}]}"),
              ElementsAre("x/y/z=644:1"));
}

TEST_F(Volume, kb_13_5_items_leave_out_what_they_do_not_name) {
  EXPECT_THAT(lines_of("configMap: {name: settings, items: [{key: b, path: here}]}"),
              ElementsAre("here=644:two"));
}

TEST_F(Volume, kb_13_5_a_key_may_be_at_several_paths) {
  EXPECT_THAT(
      lines_of("configMap: {name: settings, items: [{key: a, path: x}, {key: a, path: w, mode: 0600}]}"),
      ElementsAre("w=600:1", "x=644:1"));
}

TEST_F(Volume, kb_13_6_a_missing_secret_is_an_error_or_nothing_if_it_is_optional) {
  EXPECT_THAT(lines_of("secret: {secretName: none}"),
              ElementsAre("SecretNotFound: secret \"default/none\" not found"));
  EXPECT_THAT(lines_of("secret: {secretName: none, optional: true}"), IsEmpty());
  EXPECT_THAT(lines_of("secret: {secretName: keys, optional: true, items: [{key: z, path: z}, "
                       "{key: user, path: user, mode: 0400}]}"),
              ElementsAre("user=400:me"));
}

TEST_F(Volume, kb_13_7_name_namespace_and_uid_are_raw) {
  EXPECT_EQ(field("metadata.name"), "web");
  EXPECT_EQ(field("metadata.namespace"), "default");
  EXPECT_EQ(field("metadata.uid"), "u1");
}

TEST_F(Volume, kb_13_7_maps_are_sorted_lines_without_one_at_the_end) {
  labels = "{zone: z, app: dns, \"a.b/c\": \"\"}";
  annotations = "{two: \"1\\n2\", tab: \"a\\tb\", quote: 'a\"b\\c', bell: \"\\x07\\x01\", ger: \"ü\"}";
  EXPECT_EQ(field("metadata.labels"), "a.b/c=\"\"\napp=\"dns\"\nzone=\"z\"");
  EXPECT_EQ(field("metadata.annotations"), R"(bell="\a\x01")"
                                           "\n"
                                           "ger=\"ü\"\n"
                                           R"(quote="a\"b\\c")"
                                           "\n"
                                           R"(tab="a\tb")"
                                           "\n"
                                           R"(two="1\n2")");
}

TEST_F(Volume, kb_13_7_an_empty_map_is_an_empty_file) {
  labels = "{}";
  EXPECT_EQ(field("metadata.labels"), "");
  EXPECT_EQ(field("metadata.annotations"), "");
}

TEST_F(Volume, kb_13_7_one_of_a_map_is_raw_and_empty_if_it_is_not_there) {
  annotations = "{text: \"two\\nlines \\\"x\\\"\\n\", \"a.b/c\": x}";
  EXPECT_EQ(field("metadata.annotations['text']"), "two\nlines \"x\"\n");
  EXPECT_EQ(field("metadata.annotations['a.b/c']"), "x");
  EXPECT_EQ(field("metadata.labels['app']"), "dns");
  EXPECT_EQ(field("metadata.labels['none']"), "");
  EXPECT_EQ(field("metadata.annotations['none']"), "");
}

TEST_F(Volume, kb_13_7_resources_are_rounded_up_to_whole_divisors) {
  EXPECT_EQ(resource("c", "limits.cpu"), "2");
  EXPECT_EQ(resource("c", "limits.cpu", "1m"), "1250");
  EXPECT_EQ(resource("c", "requests.cpu"), "1");
  EXPECT_EQ(resource("c", "limits.memory"), "104857600");
  EXPECT_EQ(resource("c", "limits.memory", "1Gi"), "1");
  EXPECT_EQ(resource("c", "limits.memory", "1M"), "105");
  EXPECT_EQ(resource("c", "limits.ephemeral-storage", "1Mi"), "3");
}

TEST_F(Volume, kb_13_7_a_limit_that_is_not_set_is_what_the_node_has) {
  EXPECT_EQ(resource("free", "limits.cpu"), "4");
  EXPECT_EQ(resource("free", "limits.memory", "1Mi"), "1024");
}

TEST_F(Volume, kb_13_7_a_request_that_is_not_set_is_the_limit_and_else_zero) {
  EXPECT_EQ(resource("c", "requests.memory", "1Mi"), "100");
  EXPECT_EQ(resource("free", "requests.cpu", "1m"), "0");
  EXPECT_EQ(resource("free", "requests.memory"), "0");
}

TEST_F(Volume, kb_13_7_init_containers_have_resources_too) {
  EXPECT_EQ(resource("first", "limits.cpu", "1m"), "300");
  EXPECT_EQ(resource("first", "requests.cpu", "1m"), "300");
}

TEST_F(Volume, kb_13_7_what_cannot_be_told_fails_the_whole_volume) {
  EXPECT_THAT(
      lines_of("downwardAPI: {items: [{path: good, fieldRef: {fieldPath: metadata.name}}, {path: bad, "
               "resourceFieldRef: {containerName: nobody, resource: limits.cpu}}]}"),
      ElementsAre(HasSubstr("InvalidReference: the pod has no container \"nobody\"")));
  // By hand, because the parser refuses it too.
  manifest::DownwardApiSource source;
  source.items = {{"good", manifest::FieldReference{"metadata.name"}, std::nullopt},
                  {"bad", manifest::FieldReference{"status.podIP"}, std::nullopt}};
  EXPECT_THAT(lines_of(made(source)),
              ElementsAre("InvalidReference: unsupported fieldPath \"status.podIP\""));
}

TEST_F(Volume, kb_13_7_an_item_has_its_mode_or_the_volumes) {
  EXPECT_THAT(
      lines_of("downwardAPI: {defaultMode: 0400, items: [{path: a, fieldRef: {fieldPath: metadata.name}}, "
               "{path: b, mode: 0666, fieldRef: {fieldPath: metadata.name}}]}"),
      ElementsAre("a=400:web", "b=666:web"));
}

TEST_F(Volume, kb_13_8_all_kinds_of_sources_are_in_one_volume) {
  EXPECT_THAT(lines_of("projected: {sources: [{configMap: {name: settings, items: [{key: a, path: map/a}]}}, "
                       "{secret: {name: keys, items: [{key: token, path: secret/token}]}}, "
                       "{downwardAPI: {items: [{path: pod/name, fieldRef: {fieldPath: metadata.name}}]}}]}"),
              ElementsAre("map/a=644:1", "pod/name=644:web", "secret/token=644:t"));
}

TEST_F(Volume, kb_13_8_an_item_has_its_mode_or_the_volumes) {
  EXPECT_THAT(
      lines_of("projected: {defaultMode: 0440, sources: ["
               "{configMap: {name: settings, items: [{key: a, path: a, mode: 0400}, {key: b, path: b}]}}, "
               "{downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}}]}"),
      ElementsAre("a=400:1", "b=440:two", "name=440:web"));
}

TEST_F(Volume, kb_13_8_a_path_that_several_sources_give_is_the_last_ones) {
  const std::string map = "{configMap: {name: settings}}";
  const std::string downward = "{downwardAPI: {items: [{path: a, fieldRef: {fieldPath: metadata.name}}]}}";
  EXPECT_THAT(lines_of("projected: {sources: [" + map + ", " + downward + "]}"),
              ElementsAre("a=644:web", "b=644:two"));
  EXPECT_THAT(lines_of("projected: {sources: [" + downward + ", " + map + "]}"),
              ElementsAre("a=644:1", "b=644:two"));
}

TEST_F(Volume, kb_13_8_nothing_is_made_if_one_source_fails) {
  EXPECT_FALSE(of("projected: {sources: [{configMap: {name: settings}}, {secret: {name: none}}]}"));
  EXPECT_THAT(lines_of("projected: {sources: [{configMap: {name: settings}}, "
                       "{secret: {name: keys, items: [{key: z, path: z}]}}, {configMap: {name: settings, "
                       "items: [{key: z, path: w}]}}]}"),
              ElementsAre("KeyNotFound: secret references non-existent secret key: z; "
                          "configmap references non-existent config key: z"));
}

TEST_F(Volume, kb_13_8_optional_sources_may_be_missing) {
  EXPECT_THAT(lines_of("projected: {sources: [{configMap: {name: none, optional: true}}, "
                       "{secret: {name: keys, optional: true, items: [{key: z, path: z}]}}, "
                       "{configMap: {name: settings, items: [{key: a, path: a}]}}]}"),
              ElementsAre("a=644:1"));
}

TEST_F(Volume, kb_13_8_a_token_is_refused_with_what_is_missing) {
  const auto content = of("projected: {sources: [{serviceAccountToken: {path: token}}]}");
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().reason, "UnsupportedSource");
  EXPECT_THAT(content.error().message, HasSubstr("issued by a Kubernetes API server"));
  EXPECT_THAT(content.error().remedy, HasSubstr("automountServiceAccountToken"));
}

/// A pod whose one container has these mounts: "NAME PATH" or "NAME PATH SUBPATH".
std::set<std::string> nested_in(const std::string& volume,
                                const std::vector<std::array<std::string, 3>>& mounts) {
  manifest::Pod pod;
  manifest::Container& container = pod.containers.emplace_back();
  for (const auto& [name, path, sub_path] : mounts) {
    manifest::VolumeMount& mount = container.mounts.emplace_back();
    mount.name = VolumeName(name);
    mount.mount_path = path;
    mount.sub_path = sub_path;
  }
  return nested_mount_points(pod, VolumeName(volume));
}

TEST(NestedMounts, kb_13_5_of_other_containers_and_of_parts_do_not_count) {
  EXPECT_THAT(nested_in("v", {{{"v", "/a", "part"}}, {{"w", "/a/b", ""}}}), IsEmpty());
  EXPECT_THAT(nested_in("v", {{{"v", "/a", ""}}, {{"w", "/a/b", "part"}}}), ElementsAre("b"));
  manifest::Pod pod;
  for (const auto& [name, path] : {std::pair("v", "/a"), std::pair("w", "/a/b")}) {
    manifest::VolumeMount& mount = pod.containers.emplace_back().mounts.emplace_back();
    mount.name = VolumeName(name);
    mount.mount_path = path;
  }
  EXPECT_THAT(nested_mount_points(pod, VolumeName("v")), IsEmpty());
}

TEST(NestedMounts, kb_13_5_a_volume_may_be_mounted_twice) {
  EXPECT_THAT(
      nested_in("v", {{{"v", "/a", ""}}, {{"v", "/b", ""}}, {{"w", "/a/x", ""}}, {{"w", "/b/y", ""}}}),
      ElementsAre("x", "y"));
  EXPECT_THAT(nested_in("v", {{{"v", "/a", ""}}, {{"v", "/a/inner", ""}}}), ElementsAre("inner"));
}

TEST(NestedMounts, kb_13_5_parent_elements_inside_are_folded) {
  EXPECT_THAT(nested_in("v", {{{"v", "/a", ""}, {"w", "/a/x/../y", ""}}}), ElementsAre("y"));
  EXPECT_THAT(nested_in("v", {{{"v", "/a", ""}, {"w", "/a/x/..", ""}}}), IsEmpty());
}

TEST(NestedMounts, kb_13_5_parent_elements_lead_nowhere) {
  for (const char* inner : {"/a/..", "/a/../x", "/a/../../etc", "/a/b/../../../etc", "../x", "/a/..x"})
    EXPECT_THAT(nested_in("v", {{{"v", "/a", ""}}, {{"w", inner, ""}}}), IsEmpty()) << inner;
  for (const std::string& inside : nested_in("v", {{{"v", "../a", ""}}, {{"w", "../a/../../etc", ""}}}))
    ADD_FAILURE() << inside;
}

TEST(SubPathText, kb_11_1_risk_only_a_path_of_no_elements_is_the_whole_volume) {
  EXPECT_EQ(clean_sub_path("").value(), "");
  EXPECT_EQ(clean_sub_path("./.").value(), "");
  EXPECT_EQ(clean_sub_path("a/.").value(), "a");
  EXPECT_FALSE(clean_sub_path("/")) << "not the volume, and not the node's root";
}

}  // namespace
}  // namespace mooring
