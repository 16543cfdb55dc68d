// Claims find volumes or have them made, keep them through everything, and give them back when they go.

#include <filesystem>
#include <set>

#include "claims_node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// A StatefulSet `web` whose pods have a claim `data` of the class at /v.
std::string set_text(int replicas, const std::string& storage_class) {
  return "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: web}, spec: {replicas: " +
         std::to_string(replicas) +
         ", serviceName: web, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: "
         "web}}, "
         "spec: {containers: [{name: c, image: i, volumeMounts: [{name: data, mountPath: /v}]}]}}, "
         "volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], "
         "storageClassName: " +
         storage_class + ", resources: {requests: {storage: 64Mi}}}}]}}\n";
}

class Claims : public ClaimsNode {
 protected:
  static std::string sample(const std::string& file) { return read_file(MANIFESTS_DIR "/" + file); }
  void expect_set_of_three(const std::string& provisioner);
};

TEST_F(Claims, OneWithoutAClassIsBoundByTheBuiltInClassAndItsDirectoryGoesWithIt) {
  node_.write("claim.yaml", sample("claim-1gi.yaml"));
  wait_for("pv-claim", "bound");
  const Json found = claim("pv-claim");
  EXPECT_EQ(found.at("storageClass"), "mooring");
  EXPECT_EQ(found.at("capacity"), "1Gi");
  const std::string name = found.at("volume");
  EXPECT_EQ(name, "pvc-" + found.at("metadata").at("uid").get<std::string>());
  EXPECT_EQ(volume(name).at("phase"), "Bound");
  EXPECT_EQ(volume(name).at("reclaimPolicy"), "Delete");
  EXPECT_EQ(volume(name).at("claim"), "default/pv-claim");
  const std::string directory = directory_of("pv-claim");
  ASSERT_TRUE(is_there(directory));
  write_in_place(directory + "/file", "data");

  node_.remove("claim.yaml");
  wait_for("pv-claim", "gone");
  EXPECT_TRUE(node_.eventually([&] { return !has_volume(name); })) << explained("pv/" + name);
  EXPECT_FALSE(is_there(directory));
}

TEST_F(Claims, OneThatWaitsForItsFirstPodIsBoundWhenThatComes) {
  const std::string directory = node_.dir() + "/nginx";
  fs::create_directory(directory);
  write_in_place(directory + "/index.html", "hello");
  std::string storage = sample("delay-bound-storage.yaml");
  const std::string its_path = "/data/nginx";
  ASSERT_NE(storage.find(its_path), std::string::npos);
  storage.replace(storage.find(its_path), its_path.size(), directory);
  node_.write("storage.yaml", storage);
  ASSERT_TRUE(gets_reason("nginx-pvc", "WaitForFirstConsumer")) << explained("pvc/nginx-pvc");
  EXPECT_EQ(claim_field("nginx-pvc", "phase"), "Pending");
  EXPECT_EQ(volume("nginx-pv").at("phase"), "Available");
  EXPECT_NE(explained("pvc/nginx-pvc").find("nginx-pv"), std::string::npos);
  EXPECT_EQ(node_.ctl()({"status"}).status, 0);
  EXPECT_EQ(node_.ctl()({"wait", "pvc/nginx-pvc", "--for=bound", "--timeout", "100ms"}).status, 6);

  node_.write("nginx.yaml", sample("delay-bound-nginx.yaml"));
  wait_for("nginx-pvc", "bound");
  ASSERT_TRUE(node_.eventually([&] { return node_.ctl().pod_names().size() == 1; }));
  const std::string pod = node_.ctl().pod_names().at(0);
  ASSERT_TRUE(node_.becomes_ready(pod)) << explained("pod/" + pod);
  EXPECT_EQ(claim_field("nginx-pvc", "volume"), "nginx-pv");
  EXPECT_EQ(claim("nginx-pvc").at("users"), Json({"default/" + pod}));
  EXPECT_EQ(volume("nginx-pv").at("phase"), "Bound");
  EXPECT_EQ(read_file(node_.ctl().path(pod, "data") + "/index.html"), "hello");

  // Its policy is Delete, and the directory is not Mooring's to delete.
  node_.remove("nginx.yaml");
  ASSERT_TRUE(node_.becomes_gone(pod));
  node_.write("storage.yaml", storage.substr(0, storage.rfind("---")));
  wait_for("nginx-pvc", "gone");
  EXPECT_TRUE(volume_gets_phase("nginx-pv", "Failed"));
  EXPECT_EQ(volume("nginx-pv").at("reason"), "VolumeFailedDelete");
  EXPECT_EQ(read_file(directory + "/index.html"), "hello");
  EXPECT_EQ(node_.ctl()({"release", "pv/nginx-pv"}).status, 0);
  EXPECT_TRUE(volume_gets_phase("nginx-pv", "Available"));
}

TEST_F(Claims, KeepTheirVolumesWhenTheDaemonIsKilled) {
  node_.write("claim.yaml", claim_text("data"));
  wait_for("data", "bound");
  const Json before = claim("data");
  write_in_place(directory_of("data") + "/file", "kept");
  node_.kill();
  node_.start();
  wait_for("data", "bound");
  EXPECT_EQ(claim("data").at("metadata"), before.at("metadata"));
  EXPECT_EQ(claim("data").at("volume"), before.at("volume"));
  make_ready("web");
  EXPECT_EQ(read_file(path_in("web", "file")), "kept");
  EXPECT_EQ(volumes_in(node_.root() + "/volumes").size(), 1U) << "a second volume was made";
}

TEST_F(Claims, ThatPodsUseStayUntilTheseAreGone) {
  node_.write("claim.yaml", claim_text("data"));
  make_ready("web");
  const std::string directory = directory_of("data");
  node_.remove("claim.yaml");
  EXPECT_TRUE(gets_phase("data", "Terminating"));
  EXPECT_TRUE(node_.ctl().is_ready("web"));
  write_in_place(path_in("web", "file"), "still there");
  EXPECT_TRUE(node_.stays([&] { return is_there(directory + "/file"); }, Millis(150)));
  expect_gone("web");
  wait_for("data", "gone");
  EXPECT_TRUE(node_.eventually([&] { return !is_there(directory); }));
}

TEST_F(Claims, ThatAreRetainedLeaveAVolumeThatIsReleasedOrForgottenWithItsData) {
  node_.write("class.yaml", class_text("kept", "directory.mooring.io", "reclaimPolicy: Retain"));
  node_.write("claim.yaml", claim_text("data", of_class("kept")));
  wait_for("data", "bound");
  const std::string name = claim_field("data", "volume");
  const std::string directory = directory_of("data");
  write_in_place(directory + "/file", "kept");
  EXPECT_NE(node_.ctl()({"release", "pv/" + name}).status, 0) << "a claim has it";
  node_.remove("claim.yaml");
  wait_for("data", "gone");
  ASSERT_TRUE(volume_gets_phase(name, "Released"));

  // A new claim of the same name does not get it.
  node_.write("claim.yaml", claim_text("data", of_class("kept")));
  wait_for("data", "bound");
  EXPECT_NE(claim_field("data", "volume"), name);

  EXPECT_EQ(node_.ctl()({"release", "pv/" + name, "--forget"}).status, 0);
  EXPECT_TRUE(node_.eventually([&] { return !has_volume(name); }));
  EXPECT_EQ(read_file(directory + "/file"), "kept");
  EXPECT_EQ(node_.ctl()({"release", "pv/" + name}).status, 4);
}

TEST_F(Claims, OfAManifestAreNotDeletedByCommand) {
  node_.write("claim.yaml", claim_text("data"));
  wait_for("data", "bound");
  const Ran ran = node_.ctl()({"delete", "pvc/data"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.err.find("claim.yaml"), std::string::npos) << ran.err;
  EXPECT_EQ(node_.ctl()({"delete", "pvc/nothing"}).status, 4);
  EXPECT_EQ(claim_field("data", "phase"), "Bound");
}

TEST_F(Claims, OfAnUnknownClassSayWhichAndSoDoesTheirPod) {
  node_.write("claim.yaml", claim_text("data", of_class("nowhere")));
  write_pod("web");
  ASSERT_TRUE(gets_reason("data", "ProvisioningFailed")) << explained("pvc/data");
  EXPECT_NE(claim_field("data", "message").find("nowhere"), std::string::npos);
  EXPECT_TRUE(node_.eventually([&] {
    return explained("pod/web/v").find("explain pvc/data") != std::string::npos;
  })) << explained("pod/web/v");
  EXPECT_EQ(node_.ctl()({"status"}).status, 3);
  EXPECT_NE(node_.ctl()({"status", "-x"}).out.find("pvc/default/data"), std::string::npos);

  node_.write("class.yaml", class_text("nowhere", "directory.mooring.io"));
  EXPECT_TRUE(node_.becomes_ready("web")) << explained("pvc/data");
}

TEST_F(Claims, OfAPodComeAndGoWithIt) {
  node_.write("web.yaml",
              pod_text("web", {{"v",
                                "ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], "
                                "resources: {requests: {storage: 64Mi}}}}}"}}));
  ASSERT_TRUE(node_.becomes_ready("web")) << explained("pod/web");
  EXPECT_EQ(claim_field("web-v", "phase"), "Bound");
  const std::string directory = directory_of("web-v");
  write_in_place(path_in("web", "file"), "for now");
  EXPECT_EQ(read_file(directory + "/file"), "for now");
  expect_gone("web");
  wait_for("web-v", "gone");
  EXPECT_TRUE(node_.eventually([&] { return !is_there(directory); }));
}

/// Three claims with a volume each, which outlive their pods and their set, and go by command.
void Claims::expect_set_of_three(const std::string& provisioner) {
  const Words pods{"web-0", "web-1", "web-2"};
  write_class("pool", provisioner);
  node_.write("set.yaml", set_text(3, "pool"));
  std::set<std::string> volumes;
  for (const std::string& pod : pods) {
    ASSERT_TRUE(node_.becomes_ready(pod)) << explained("pod/" + pod);
    EXPECT_EQ(claim_field("data-" + pod, "phase"), "Bound");
    EXPECT_EQ(claim_field("data-" + pod, "owner"), "StatefulSet default/web");
    volumes.insert(claim_field("data-" + pod, "volume"));
    write_in_place(node_.ctl().path(pod, "data") + "/file", pod);
  }
  EXPECT_EQ(volumes.size(), 3U) << "two have one volume";

  node_.write("set.yaml", set_text(1, "pool"));
  for (const char* pod : {"web-1", "web-2"})
    ASSERT_TRUE(node_.becomes_gone(pod)) << explained(std::string("pod/") + pod);
  for (const std::string& pod : pods)
    EXPECT_EQ(claim_field("data-" + pod, "phase"), "Bound") << pod;
  node_.write("set.yaml", set_text(3, "pool"));
  for (const std::string& pod : pods) {
    ASSERT_TRUE(node_.becomes_ready(pod)) << explained("pod/" + pod);
    EXPECT_EQ(read_file(node_.ctl().path(pod, "data") + "/file"), pod);
  }

  node_.remove("set.yaml");
  for (const std::string& pod : pods)
    ASSERT_TRUE(node_.becomes_gone(pod));
  for (const std::string& pod : pods)
    EXPECT_EQ(claim_field("data-" + pod, "phase"), "Bound") << pod;
  for (const std::string& pod : pods) {
    EXPECT_EQ(node_.ctl()({"delete", "pvc/data-" + pod}).status, 0);
    wait_for("data-" + pod, "gone");
  }
  for (const std::string& name : volumes)
    EXPECT_TRUE(node_.eventually([&] { return !has_volume(name); })) << explained("pv/" + name);
}

TEST_F(Claims, OfAStatefulSetWithDirectoriesOutliveScaling) {
  expect_set_of_three("directory.mooring.io");
}

TEST_F(Claims, OfAStatefulSetWithImagesOutliveScaling) {
  if (!has_program("mkfs.ext4")) GTEST_SKIP() << "no mkfs.ext4";
  expect_set_of_three("block.mooring.io");
  expect_all_gone();
}

}  // namespace
}  // namespace mooring::integration
