// kubelet-behaviours 1.1 and 1.2 for the sources that Mooring makes, line by line: what a manifest that does
// not say it means, and what is refused before anything is touched.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

/// A pod with one volume "v" of this source; `container` is more of its one container.
ParsedFile parse_volume(const std::string& source, const std::string& container = "") {
  return parse_file("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - {name: c" +
                        (container.empty() ? "" : ", " + container) + "}\n  volumes:\n  - {name: v" +
                        (source.empty() ? "" : ", " + source) + "}\n",
                    "t.yaml");
}

std::shared_ptr<const Pod> pod_of(const ParsedFile& file) {
  EXPECT_EQ(errors_of(file), "");
  if (file.objects.size() != 1) return std::make_shared<Pod>();
  return std::get<std::shared_ptr<const Pod>>(file.objects[0]);
}

template <class Source>
Source source_of(const std::string& source) {
  const auto pod = pod_of(parse_volume(source));
  const auto* found = pod->volumes.empty() ? nullptr : std::get_if<Source>(&pod->volumes[0].source);
  EXPECT_NE(found, nullptr) << source;
  return found == nullptr ? Source() : *found;
}

/// The errors of a pod with this volume; none is a failure.
std::string refusal_of(const std::string& source, const std::string& container = "") {
  const ParsedFile file = parse_volume(source, container);
  EXPECT_TRUE(file.objects.empty()) << source << container;
  return errors_of(file);
}
bool is_accepted(const std::string& source, const std::string& container = "") {
  return errors_of(parse_volume(source, container)).empty();
}

std::string projected(const std::string& source) {
  return "projected: {sources: [" + source + "]}";
}
std::string field(const std::string& path) {
  return "downwardAPI: {items: [{path: f, fieldRef: {fieldPath: \"" + path + "\"}}]}";
}
std::string resource(const std::string& reference) {
  return "downwardAPI: {items: [{path: r, resourceFieldRef: {" + reference + "}}]}";
}

TEST(Defaults, kb_1_1_modes_are_0644_for_each_kind) {
  EXPECT_EQ(source_of<ConfigMapSource>("configMap: {name: m}").default_mode, 0644u);
  EXPECT_EQ(source_of<SecretSource>("secret: {secretName: s}").default_mode, 0644u);
  EXPECT_EQ(source_of<DownwardApiSource>("downwardAPI: {items: []}").default_mode, 0644u);
  EXPECT_EQ(source_of<ProjectedSource>(projected("")).default_mode, 0644u);
  EXPECT_EQ(source_of<SecretSource>("secret: {secretName: s, defaultMode: 0}").default_mode, 0u);
}

TEST(Defaults, kb_1_1_an_item_without_a_mode_has_none_of_its_own) {
  const auto source = source_of<ConfigMapSource>(
      "configMap: {name: m, items: [{key: a, path: a}, {key: b, path: b, mode: 0400}, "
      "{key: c, path: c, mode: 400}]}");
  ASSERT_EQ(source.items.size(), 3u);
  EXPECT_EQ(source.items[0].mode, std::nullopt);
  EXPECT_EQ(source.items[1].mode, 0400u);
  EXPECT_EQ(source.items[2].mode, 0620u) << "a decimal number";
}

TEST(Defaults, kb_1_1_an_object_is_not_optional_unless_it_says_so) {
  EXPECT_FALSE(source_of<ConfigMapSource>("configMap: {name: m}").optional);
  EXPECT_FALSE(source_of<SecretSource>("secret: {secretName: s}").optional);
  EXPECT_TRUE(source_of<ConfigMapSource>("configMap: {name: m, optional: true}").optional);
  EXPECT_TRUE(source_of<SecretSource>("secret: {secretName: s, optional: true}").optional);
}

TEST(Defaults, kb_1_1_an_empty_dir_is_on_disk_and_has_no_limit) {
  for (const char* source : {"", "emptyDir: {}", "emptyDir: {medium: \"\"}"}) {
    const auto empty = source_of<EmptyDirSource>(source);
    EXPECT_EQ(empty.medium, EmptyDirSource::Medium::Default);
    EXPECT_EQ(empty.size_limit, std::nullopt);
  }
}

TEST(Defaults, kb_1_1_a_host_path_has_no_type) {
  EXPECT_EQ(source_of<HostPathSource>("hostPath: {path: /srv}").type, "");
}

TEST(Defaults, kb_1_1_a_token_is_good_for_an_hour) {
  const auto source = source_of<ProjectedSource>(projected("{serviceAccountToken: {path: token}}"));
  ASSERT_EQ(source.sources.size(), 1u);
  EXPECT_EQ(std::get<ServiceAccountTokenProjection>(source.sources[0]).expiration_seconds, 3600);
}

TEST(Defaults, kb_1_1_a_field_is_one_of_version_v1) {
  const std::string with =
      "downwardAPI: {items: [{path: f, fieldRef: {apiVersion: v1, fieldPath: metadata.name}}]}";
  EXPECT_TRUE(is_accepted(with));
  EXPECT_TRUE(is_accepted(field("metadata.name")));
}

TEST(Defaults, kb_1_1_a_divisor_that_is_not_there_or_zero_is_one) {
  for (const char* divisor : {"", ", divisor: 0", ", divisor: \"0\""}) {
    const auto source = source_of<DownwardApiSource>(
        resource(std::string("containerName: c, resource: limits.memory") + divisor));
    ASSERT_EQ(source.items.size(), 1u);
    EXPECT_EQ(std::get<ResourceReference>(source.items[0].value).divisor, Quantity::from_integer(1));
  }
}

TEST(Defaults, kb_1_1_a_mount_is_private_and_a_group_is_always_applied) {
  const auto pod = pod_of(parse_volume("", "volumeMounts: [{name: v, mountPath: /v}]"));
  ASSERT_EQ(pod->containers.size(), 1u);
  EXPECT_EQ(pod->containers[0].mounts.at(0).propagation, MountPropagation::None);
  EXPECT_EQ(pod->security.fs_group_change_policy, GroupChangePolicy::Always);
}

TEST(Validation, kb_1_2_a_volume_name_has_at_most_63_characters) {
  const auto named = [](std::size_t length) {
    return errors_of(
        parse_file("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: "
                   "[{name: c}]\n  volumes: [{name: " +
                       std::string(length, 'a') + "}]\n",
                   "t.yaml"));
  };
  EXPECT_EQ(named(63), "");
  EXPECT_THAT(named(64), HasSubstr("at most 63"));
}

TEST(Validation, kb_1_2_host_path_has_one_of_eight_types) {
  for (const char* type : {"\"\"", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket",
                           "CharDevice", "BlockDevice"})
    EXPECT_TRUE(is_accepted(std::string("hostPath: {path: /srv, type: ") + type + "}")) << type;
  for (const char* type : {"directory", "Fifo", "DirectoryorCreate"})
    EXPECT_THAT(refusal_of(std::string("hostPath: {path: /srv, type: ") + type + "}"),
                HasSubstr("is not one of"));
}

TEST(Validation, kb_1_2_empty_dir_has_one_of_the_media) {
  for (const char* medium : {"Memory", "HugePages", "HugePages-2Mi", "HugePages-1Gi"})
    EXPECT_TRUE(is_accepted(std::string("emptyDir: {medium: ") + medium + "}")) << medium;
  for (const char* medium : {"memory", "HugePages-", "HugePages2Mi", "HugePages-0", "HugePages-x", "Disk"})
    EXPECT_THAT(refusal_of(std::string("emptyDir: {medium: ") + medium + "}"),
                HasSubstr("unknown storage medium"));
  EXPECT_TRUE(is_accepted("emptyDir: {sizeLimit: 0}"));
  EXPECT_TRUE(
      is_accepted("emptyDir: {medium: HugePages-2Mi}}\n  - {name: w, emptyDir: {medium: HugePages-1Gi}"))
      << "several sizes in one pod";
}

TEST(Validation, kb_1_2_a_configuration_volume_names_its_object) {
  EXPECT_THAT(refusal_of("configMap: {}"), HasSubstr("configMap.name: is required"));
  EXPECT_THAT(refusal_of("secret: {}"), HasSubstr("secret.secretName: is required"));
  EXPECT_THAT(refusal_of("secret: {name: s}"), HasSubstr("secret.secretName: is required"));
  EXPECT_THAT(refusal_of("configMap: {name: Not_A_Name}"), HasSubstr("not a valid object name"));
  EXPECT_THAT(refusal_of(projected("{configMap: {}}")), HasSubstr("configMap.name: is required"));
  EXPECT_THAT(refusal_of(projected("{secret: {secretName: s}}")), HasSubstr("secret.name: is required"));
}

TEST(Validation, kb_1_2_modes_are_between_0_and_0777) {
  for (const char* source :
       {"configMap: {name: m, ", "secret: {secretName: s, ", "downwardAPI: {", "projected: {"}) {
    for (const char* mode : {"-1", "01000", "512"})
      EXPECT_THAT(refusal_of(std::string(source) + "defaultMode: " + mode + "}"),
                  HasSubstr("defaultMode: must be a file mode between 0 and 0777"));
    EXPECT_TRUE(is_accepted(std::string(source) + "defaultMode: 0777}"));
  }
  EXPECT_THAT(refusal_of("configMap: {name: m, items: [{key: k, path: p, mode: 01000}]}"),
              HasSubstr("items[0].mode: must be"));
  EXPECT_THAT(refusal_of("downwardAPI: {items: [{path: p, mode: -1, fieldRef: {fieldPath: metadata.name}}]}"),
              HasSubstr("items[0].mode: must be"));
}

TEST(Validation, kb_1_2_items_have_a_key_and_a_path) {
  for (const char* source : {"configMap: {name: m, ", "secret: {secretName: s, "}) {
    EXPECT_THAT(refusal_of(std::string(source) + "items: [{path: p}]}"),
                HasSubstr("items[0].key: is required"));
    EXPECT_THAT(refusal_of(std::string(source) + "items: [{key: k}]}"),
                HasSubstr("items[0].path: is required"));
  }
  EXPECT_THAT(refusal_of("downwardAPI: {items: [{fieldRef: {fieldPath: metadata.name}}]}"),
              HasSubstr("items[0].path: is required"));
}

TEST(Validation, kb_1_2_paths_of_items_stay_inside_in_each_kind) {
  const auto sources = [](const std::string& path) {
    return std::vector<std::string>{
        "secret: {secretName: s, items: [{key: k, path: '" + path + "'}]}",
        "downwardAPI: {items: [{path: '" + path + "', fieldRef: {fieldPath: metadata.name}}]}",
        projected("{configMap: {name: m, items: [{key: k, path: '" + path + "'}]}}"),
        projected("{serviceAccountToken: {path: '" + path + "'}}")};
  };
  for (const char* bad : {"..x", "x/../y", "/a", ".."}) {
    for (const std::string& source : sources(bad))
      EXPECT_NE(refusal_of(source), "") << source;
  }
  for (const char* good : {"a..b", "x/..y", "a/b"}) {
    for (const std::string& source : sources(good))
      EXPECT_TRUE(is_accepted(source)) << source;
  }
}

/// The errors of an object of this kind with these fields, whatever the size of its document.
std::string errors_of_object(const std::string& kind, const std::string& fields) {
  Limits limits;
  limits.document_bytes_max = limits.file_bytes_max;
  return errors_of(
      parse_file("apiVersion: v1\nkind: " + kind + "\nmetadata: {name: m}\n" + fields, "t.yaml", limits));
}

TEST(Validation, kb_1_2_keys_of_data_are_names_of_files) {
  for (const std::string& good : {std::string("a"), std::string("-._A9"), std::string(".hidden"),
                                  std::string("a..b"), std::string(253, 'k')}) {
    EXPECT_EQ(errors_of_object("ConfigMap", "data: {\"" + good + "\": x}\n"), "") << good;
    EXPECT_EQ(errors_of_object("Secret", "stringData: {\"" + good + "\": x}\n"), "") << good;
  }
  for (const std::string& bad : {std::string("."), std::string(".."), std::string("..a"), std::string("a/b"),
                                 std::string("a b"), std::string("\xc3\xbc"), std::string(254, 'k')}) {
    for (const char* field : {"data", "binaryData"})
      EXPECT_THAT(errors_of_object("ConfigMap", std::string(field) + ": {\"" + bad + "\": eA==}\n"),
                  HasSubstr("the key is not valid"));
    for (const char* field : {"data", "stringData"})
      EXPECT_THAT(errors_of_object("Secret", std::string(field) + ": {\"" + bad + "\": eA==}\n"),
                  HasSubstr("the key is not valid"));
  }
}

TEST(Validation, kb_1_2_a_key_is_not_in_data_and_binary_data) {
  EXPECT_THAT(errors_of_object("ConfigMap", "data: {a: x}\nbinaryData: {a: eA==}\n"),
              HasSubstr("the key is in data too"));
  EXPECT_EQ(errors_of_object("ConfigMap", "data: {a: x}\nbinaryData: {b: eA==}\n"), "");
}

TEST(Validation, kb_1_2_an_object_holds_at_most_a_mebibyte) {
  const auto text = [](std::size_t size) { return "{a: " + std::string(size, 'x') + "}\n"; };
  EXPECT_EQ(errors_of_object("ConfigMap", "data: " + text(1024 * 1024)), "");
  EXPECT_THAT(errors_of_object("ConfigMap", "data: " + text(1024 * 1024 + 1)), HasSubstr("more than 1 MiB"));
  EXPECT_EQ(errors_of_object("Secret", "stringData: " + text(1024 * 1024)), "");
  EXPECT_THAT(errors_of_object("Secret", "stringData: " + text(1024 * 1024 + 1)),
              HasSubstr("more than 1 MiB"));
  EXPECT_THAT(errors_of_object("ConfigMap", "binaryData: {b: eA==}\ndata: " + text(1024 * 1024)),
              HasSubstr("more than 1 MiB"));
}

TEST(Validation, kb_1_2_values_of_data_are_strings) {
  for (const char* value : {"1", "true", "1.5", "{}", "[]"}) {
    EXPECT_NE(errors_of_object("ConfigMap", std::string("data: {a: ") + value + "}\n"), "") << value;
    EXPECT_NE(errors_of_object("Secret", std::string("stringData: {a: ") + value + "}\n"), "") << value;
  }
  EXPECT_EQ(errors_of_object("ConfigMap", "data: {a: '1', b: 'true'}\n"), "");
  EXPECT_THAT(errors_of_object("ConfigMap", "binaryData: {a: 'no base64!'}\n"),
              HasSubstr("not valid base64"));
}

TEST(Validation, kb_1_2_an_item_has_exactly_one_reference) {
  EXPECT_THAT(refusal_of("downwardAPI: {items: [{path: p}]}"), HasSubstr("exactly one of fieldRef"));
  EXPECT_THAT(refusal_of("downwardAPI: {items: [{path: p, fieldRef: {fieldPath: metadata.name}, "
                         "resourceFieldRef: {containerName: c, resource: limits.cpu}}]}"),
              HasSubstr("exactly one of fieldRef"));
}

TEST(Validation, kb_1_2_fields_are_those_that_a_volume_may_have) {
  for (const char* path : {"metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels",
                           "metadata.annotations", "metadata.labels['a']", "metadata.annotations['a/b']"})
    EXPECT_TRUE(is_accepted(field(path))) << path;
  for (const char* path :
       {"status.podIP", "status.hostIP", "spec.nodeName", "spec.serviceAccountName", "metadata",
        "metadata.labels['']", "metadata.labels[a]", "metadata.ownerReferences", ""})
    EXPECT_THAT(refusal_of(field(path)), HasSubstr("unsupported fieldPath")) << path;
}

TEST(Validation, kb_1_2_resources_are_limits_and_requests_that_are_known) {
  for (const char* kind : {"limits.", "requests."}) {
    for (const char* name : {"cpu", "memory", "ephemeral-storage", "hugepages-2Mi"})
      EXPECT_TRUE(is_accepted(resource(std::string("containerName: c, resource: ") + kind + name)));
  }
  for (const char* name : {"limits.gpu", "cpu", "limits", "limits.", "request.cpu", "limits.example.com/foo"})
    EXPECT_NE(refusal_of(resource(std::string("containerName: c, resource: ") + name)), "") << name;
  EXPECT_THAT(refusal_of(resource("containerName: c")), HasSubstr("resource: is required"));
  EXPECT_THAT(refusal_of(resource("resource: limits.cpu")), HasSubstr("containerName: is required"));
}

TEST(Validation, kb_1_2_divisors_are_those_of_the_resource) {
  const auto with = [](const std::string& name, const std::string& divisor) {
    return is_accepted(resource("containerName: c, resource: " + name + ", divisor: \"" + divisor + "\""));
  };
  for (const char* divisor : {"1", "1m"})
    EXPECT_TRUE(with("limits.cpu", divisor)) << divisor;
  for (const char* divisor : {"1k", "1Mi", "10m", "2"})
    EXPECT_FALSE(with("requests.cpu", divisor)) << divisor;
  for (const char* name : {"limits.memory", "requests.ephemeral-storage", "limits.hugepages-2Mi"}) {
    for (const char* divisor :
         {"1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"})
      EXPECT_TRUE(with(name, divisor)) << name << divisor;
    for (const char* divisor : {"1m", "2", "10Mi", "-1"})
      EXPECT_FALSE(with(name, divisor)) << name << divisor;
  }
}

TEST(Validation, kb_1_2_a_projected_source_is_exactly_one_kind) {
  EXPECT_THAT(refusal_of(projected("{}")), HasSubstr("exactly one kind of source"));
  EXPECT_THAT(refusal_of(projected("{configMap: {name: m}, secret: {name: s}}")),
              HasSubstr("exactly one kind of source"));
  EXPECT_THAT(refusal_of(projected("{floppy: {}}")), HasSubstr("unknown kind of projected source"));
}

TEST(Validation, kb_1_2_projected_paths_that_are_named_twice_conflict) {
  const std::string map = "{configMap: {name: m, items: [{key: k, path: p}]}}";
  for (const std::string& other :
       {std::string("{secret: {name: s, items: [{key: k, path: p}]}}"),
        std::string("{downwardAPI: {items: [{path: p, fieldRef: {fieldPath: metadata.name}}]}}"),
        std::string("{serviceAccountToken: {path: p}}"), map})
    EXPECT_THAT(refusal_of(projected(map + ", " + other)), HasSubstr("conflicting duplicate paths: \"p\""));
  EXPECT_TRUE(is_accepted(projected(map + ", {configMap: {name: other}}")))
      << "keys that are not named are not known yet";
}

TEST(Validation, kb_1_2_a_token_has_a_path_and_lives_long_enough) {
  const auto token = [](const std::string& fields) {
    return projected("{serviceAccountToken: {" + fields + "}}");
  };
  EXPECT_THAT(refusal_of(token("audience: a")), HasSubstr("path: is required"));
  for (const char* seconds : {"599", "0", "-1", "4294967297"})
    EXPECT_THAT(refusal_of(token(std::string("path: p, expirationSeconds: ") + seconds)),
                HasSubstr("between 600 and 2^32"));
  for (const char* seconds : {"600", "3607", "4294967296"})
    EXPECT_TRUE(is_accepted(token(std::string("path: p, expirationSeconds: ") + seconds))) << seconds;
}

TEST(Validation, kb_1_2_a_sub_path_is_relative_and_stays_inside) {
  const auto mount = [](const std::string& rest) {
    return "volumeMounts: [{name: v, mountPath: /v, " + rest + "}]";
  };
  for (const char* key : {"subPath: ", "subPathExpr: "}) {
    for (const char* path : {"/a", "..", "a/../b", "a/.."})
      EXPECT_THAT(refusal_of("", mount(std::string(key) + path)), HasSubstr("relative path without `..`"))
          << path;
    for (const char* path : {"a", "a/b", "..a", "a/..b"})
      EXPECT_TRUE(is_accepted("", mount(std::string(key) + path))) << path;
  }
}

TEST(Validation, kb_1_2_a_mount_path_is_unique_as_it_is_written) {
  EXPECT_THAT(refusal_of("", "volumeMounts: [{name: v, mountPath: /a}, {name: v, mountPath: /a}]"),
              HasSubstr("must be unique"));
  EXPECT_TRUE(is_accepted("", "volumeMounts: [{name: v, mountPath: /a}, {name: v, mountPath: /a/}]"));
}

TEST(Validation, kb_1_2_a_volume_is_mounted_or_a_device_but_not_both) {
  EXPECT_THAT(
      refusal_of("persistentVolumeClaim: {claimName: p}",
                 "volumeMounts: [{name: v, mountPath: /a}], volumeDevices: [{name: v, devicePath: /dev/x}]"),
      HasSubstr("is in volumeMounts too"));
}

}  // namespace
}  // namespace mooring::manifest
