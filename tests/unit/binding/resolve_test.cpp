// kubelet-behaviours 2.3 and 5.4, line by line: from a pod's volume to what it really is, by the ledger
// alone.

#include "binding_fixture.h"

namespace mooring {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// A pod "web" whose volume "v" is made what a test asks for.
struct Resolve : Binding {
  /// The pod with a volume of this source; `container` is how its container uses it.
  static manifest::Pod pod_with(const std::string& source,
                                const std::string& container = "volumeMounts: [{name: v, mountPath: /v}]") {
    const manifest::ParsedFile file = manifest::parse_file(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - {name: c, " + container +
            "}\n  volumes:\n  - {name: v, " + source + "}\n",
        "pod.yaml");
    EXPECT_EQ(file.objects.size(), 1u) << source;
    if (file.objects.empty()) return {};
    return *std::get<std::shared_ptr<const manifest::Pod>>(file.objects[0]);
  }
  static manifest::Pod pod_of_claim(const std::string& name) {
    return pod_with("persistentVolumeClaim: {claimName: " + name + "}");
  }

  Result<ResolvedVolume> resolve(const manifest::Pod& pod) const {
    return resolve_volume(pod, pod.volumes.at(0), {ledger, last.claims}, NodeName("n1"), labels);
  }
  /// Settles first.
  Result<ResolvedVolume> resolve_claim(const std::string& name) {
    settle();
    return resolve(pod_of_claim(name));
  }
  /// The error; that there is none is a failure.
  static Error error_of(const Result<ResolvedVolume>& resolved) {
    EXPECT_FALSE(resolved);
    if (resolved) return {};
    EXPECT_EQ(resolved.error().kind, ErrorKind::Final);
    EXPECT_NE(resolved.error().remedy, "");
    return resolved.error();
  }
  Error error_of_claim(const std::string& name) { return error_of(resolve_claim(name)); }
};

TEST_F(Resolve, kb_0_a_volume_of_the_pod_is_itself_and_its_directory_has_its_name) {
  const auto resolved = resolve(pod_with("emptyDir: {medium: Memory}"));
  ASSERT_TRUE(resolved);
  EXPECT_EQ(resolved.value().directory.str(), "v");
  EXPECT_EQ(resolved.value().volume.name.str(), "v");
  EXPECT_TRUE(std::holds_alternative<manifest::EmptyDirSource>(resolved.value().volume.source));
  EXPECT_EQ(resolved.value().persistent, nullptr);
  EXPECT_EQ(resolved.value().claim, ObjectKey{});
  EXPECT_EQ(resolved.value().mode, manifest::VolumeMode::Filesystem);
  EXPECT_FALSE(resolved.value().read_only);
  EXPECT_THAT(resolved.value().mount_options, IsEmpty());
}

TEST_F(Resolve, kb_0_a_volume_of_a_claim_is_the_persistent_volume_and_its_directory_has_that_ones_name) {
  read(persistent("pv") + claim("c", "  volumeName: pv\n"));
  const auto resolved = resolve_claim("c");
  ASSERT_TRUE(resolved) << resolved.error().text();
  EXPECT_EQ(resolved.value().directory.str(), "pv");
  EXPECT_EQ(resolved.value().volume.name.str(), "v") << "the pod's own name stays";
  EXPECT_EQ(std::get<manifest::NfsSource>(resolved.value().volume.source).path, "/pv");
  EXPECT_EQ(resolved.value().persistent, find_volume("pv")->volume) << "no copy";
  EXPECT_EQ(resolved.value().claim, claim_key("c"));
}

TEST_F(Resolve, kb_1_1_mount_options_are_the_persistent_volumes_and_the_annotation_replaces_them) {
  read(persistent("a", "  claimRef: {name: a}\n  mountOptions: [soft, hard, '', soft]\n") + claim("a") +
       persistent("b", "  claimRef: {name: b}\n  mountOptions: [hard]\n",
                  ", annotations: {volume.beta.kubernetes.io/mount-options: 'z,,vers=4.1,z,'}") +
       claim("b") +
       persistent("c", "  claimRef: {name: c}\n  mountOptions: [hard]\n",
                  ", annotations: {volume.beta.kubernetes.io/mount-options: ''}") +
       claim("c"));
  EXPECT_THAT(resolve_claim("a").value().mount_options, ElementsAre("hard", "soft"));
  EXPECT_THAT(resolve_claim("b").value().mount_options, ElementsAre("vers=4.1", "z"));
  EXPECT_THAT(resolve_claim("c").value().mount_options, IsEmpty());
}

TEST_F(Resolve, kb_2_3_a_claim_that_is_not_there) {
  const Error error = error_of_claim("c");
  EXPECT_EQ(error.reason, "ClaimNotFound");
  EXPECT_THAT(error.message, StartsWith("error processing PVC default/c: failed to fetch PVC"));
}

TEST_F(Resolve, kb_2_3_read_only_if_the_pod_the_source_or_the_access_modes_say_so) {
  struct Case {
    const char* of_pod;
    const char* modes;
    const char* of_source;
    bool is_read_only;
  };
  for (const Case& c :
       {Case{"false", "[ReadWriteOnce]", "false", false}, Case{"true", "[ReadWriteOnce]", "false", true},
        Case{"false", "[ReadWriteOnce]", "true", true}, Case{"false", "[ReadOnlyMany]", "false", true},
        Case{"false", "[ReadOnlyMany, ReadWriteOnce]", "false", false},
        Case{"false", "[ReadWriteMany]", "false", false}}) {
    const std::string modes = std::string("accessModes: ") + c.modes;
    const std::string source =
        std::string("  claimRef: {name: c}\n  nfs: {server: s, path: /p, readOnly: ") + c.of_source + "}\n";
    read(text_replaced(persistent("pv", source), "accessModes: [ReadWriteOnce]", modes) +
         text_replaced(claim("c", "  volumeName: pv\n"), "accessModes: [ReadWriteOnce]", modes));
    ledger = {};
    settle();
    const auto resolved =
        resolve(pod_with(std::string("persistentVolumeClaim: {claimName: c, readOnly: ") + c.of_pod + "}"));
    ASSERT_TRUE(resolved) << resolved.error().text();
    EXPECT_EQ(resolved.value().read_only, c.is_read_only) << c.of_pod << c.modes << c.of_source;
    EXPECT_EQ(is_read_only(resolved.value().volume.source), std::string(c.of_source) == "true")
        << "what the volume is to all pods is not what one of them asks for";
  }
}

TEST_F(Resolve, kb_15_3_read_only_of_a_drivers_volume_is_for_whoever_attaches_it) {
  for (const bool is_outside : {false, true}) {
    const std::string driver = is_outside ? "d.example.com" : std::string(manifest::block_driver);
    read(persistent("pv", "  claimRef: {name: c}\n  csi: {driver: " + driver +
                              ", volumeHandle: h, readOnly: true, volumeAttributes: {device: /dev/sdb}}\n") +
         claim("c", "  volumeName: pv\n"));
    ledger = {};
    const auto resolved = resolve_claim("c");
    ASSERT_TRUE(resolved) << resolved.error().text();
    EXPECT_EQ(resolved.value().read_only, !is_outside) << driver;
    EXPECT_TRUE(is_read_only(resolved.value().volume.source)) << driver;
  }
}

TEST_F(Resolve, kb_2_3_a_volume_of_the_pod_is_read_only_if_its_source_says_so) {
  EXPECT_TRUE(resolve(pod_with("nfs: {server: s, path: /p, readOnly: true}")).value().read_only);
  EXPECT_FALSE(resolve(pod_with("nfs: {server: s, path: /p}")).value().read_only);
}

TEST_F(Resolve, kb_2_3_containers_use_a_volume_as_what_it_is) {
  const std::string mount = "volumeMounts: [{name: v, mountPath: /v}]";
  const std::string device = "volumeDevices: [{name: v, devicePath: /dev/v}]";
  const std::string source = "persistentVolumeClaim: {claimName: c}";
  read(persistent("pv", "  claimRef: {name: c}\n") + claim("c"));
  settle();
  EXPECT_TRUE(resolve(pod_with(source, mount)));
  Error error = error_of(resolve(pod_with(source, device)));
  EXPECT_EQ(error.reason, "VolumeModeMismatch");
  EXPECT_THAT(error.message,
              StartsWith("volume v has volumeMode Filesystem, but is specified in volumeDevices"));

  read(persistent("pv", "  claimRef: {name: c}\n  volumeMode: Block\n") +
       claim("c", "  volumeMode: Block\n"));
  ledger = {};
  settle();
  const auto resolved = resolve(pod_with(source, device));
  ASSERT_TRUE(resolved) << resolved.error().text();
  EXPECT_EQ(resolved.value().mode, manifest::VolumeMode::Block);
  error = error_of(resolve(pod_with(source, mount)));
  EXPECT_EQ(error.reason, "VolumeModeMismatch");
  EXPECT_THAT(error.message, StartsWith("volume v has volumeMode Block, but is specified in volumeMounts"));
}

TEST_F(Resolve, kb_2_3_a_volume_of_the_pod_is_no_device) {
  manifest::Pod pod = pod_with("emptyDir: {}");
  pod.containers[0].mounts.clear();
  pod.containers[0].devices.push_back({VolumeName("v"), "/dev/v"});  // The parser refuses it too.
  EXPECT_THAT(error_of(resolve(pod)).message,
              StartsWith("volume v has volumeMode Filesystem, but is specified in volumeDevices"));
}

TEST_F(Resolve, kb_5_4_a_volume_of_other_nodes_is_refused) {
  const std::string terms =
      "  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: disk, "
      "operator: In, values: [fast]}]}]}}\n";
  read(persistent("pv", "  claimRef: {name: c}\n" + terms) + claim("c"));
  const Error error = error_of_claim("c");
  EXPECT_EQ(error.reason, "NodeAffinityMismatch");
  EXPECT_THAT(error.message, AllOf(HasSubstr("NodeAffinity check failed for volume \"pv\""),
                                   HasSubstr("no matching NodeSelectorTerms"), HasSubstr("\"n1\"")));
  labels["disk"] = "fast";
  EXPECT_TRUE(resolve_claim("c"));
}

TEST_F(Resolve, kb_2_3_a_claim_of_another_namespace_is_another_claim) {
  read(persistent("pv") + claim("c", "  volumeName: pv\n", ", namespace: other"));
  EXPECT_EQ(error_of_claim("c").reason, "ClaimNotFound");
}

TEST_F(Resolve, kb_2_3_no_pod_starts_on_a_claim_that_is_being_deleted) {
  read(persistent("pv"), "pv.yaml");
  read(claim("c"), "c.yaml");
  EXPECT_TRUE(resolve_claim("c"));
  claims_in_use.insert(claim_key("c"));
  store.remove("c.yaml");
  const Error error = error_of_claim("c");
  EXPECT_EQ(error.reason, "ClaimBeingDeleted");
  EXPECT_EQ(error.message, "error processing PVC default/c: PVC is being deleted");
  EXPECT_EQ(resolved_plugin(pod_of_claim("c"), pod_of_claim("c").volumes.at(0), ledger)->str(),
            "kubernetes.io/nfs")
      << "it has its volume still";
}

TEST_F(Resolve, kb_2_3_a_claim_that_is_not_bound_says_why) {
  read(claim("c"));
  const Error error = error_of_claim("c");
  EXPECT_EQ(error.reason, "FailedBinding");
  EXPECT_EQ(
      error.message,
      "error processing PVC default/c: PVC is not bound: no persistent volumes available for this claim "
      "and no storage class is set");
  last.claims.clear();
  EXPECT_EQ(resolve(pod_of_claim("c")).error().reason, "ClaimNotBound");
  EXPECT_THAT(resolve(pod_of_claim("c")).error().message, StartsWith("error processing PVC default/c: PVC is "
                                                                     "not bound"));
}

TEST_F(Resolve, kb_2_3_a_claim_that_was_not_begun_says_why) {
  is_complete = false;
  read(claim("c"));
  EXPECT_EQ(error_of_claim("c").reason, "ManifestsUnread");
}

TEST_F(Resolve, kb_2_3_a_claim_that_is_lost) {
  read(claim("c", "  volumeName: pv\n", ", annotations: {pv.kubernetes.io/bind-completed: \"yes\"}"));
  const Error error = error_of_claim("c");
  EXPECT_EQ(error.reason, "ClaimLost");
  EXPECT_THAT(error.message, HasSubstr("failed to fetch PV \"pv\""));
}

TEST_F(Resolve, kb_2_3_the_reference_of_the_volume_has_the_uid_of_this_claim) {
  read(persistent("pv") + claim("c"));
  EXPECT_TRUE(resolve_claim("c"));
  ledger.claims.at(claim_key("c")).claim.uid = "another";
  EXPECT_EQ(resolve(pod_of_claim("c")).error().reason, "ClaimLost")
      << "a ledger that somebody changed by hand";
  ledger.volumes.clear();
  EXPECT_EQ(resolve(pod_of_claim("c")).error().reason, "ClaimLost");
}

TEST_F(Resolve, kb_2_3_the_volume_of_a_manifest_that_is_gone_is_the_ledgers) {
  read(persistent("pv"), "pv.yaml");
  read(claim("c"), "c.yaml");
  EXPECT_TRUE(resolve_claim("c"));
  store.remove("pv.yaml");
  EXPECT_TRUE(resolve_claim("c"));
}

TEST_F(Resolve, the_plugin_is_that_of_what_the_volume_is) {
  read(persistent("pv", "  claimRef: {name: c}\n  csi: {driver: block.mooring.io, volumeHandle: h}\n") +
       claim("c") + claim("none"));
  settle();
  const auto plugin = [&](const manifest::Pod& pod) {
    const auto name = resolved_plugin(pod, pod.volumes.at(0), ledger);
    return name ? name->str() : "none";
  };
  EXPECT_EQ(plugin(pod_of_claim("c")), "kubernetes.io/block");
  EXPECT_EQ(plugin(pod_of_claim("none")), "none");
  EXPECT_EQ(plugin(pod_of_claim("missing")), "none");
  EXPECT_EQ(plugin(pod_with("emptyDir: {}")), "kubernetes.io/empty-dir");
}

}  // namespace
}  // namespace mooring
