// What pods and people see of claims: containers, growing, claims for one pod alone, the next claim of a
// volume.

#include <sys/statvfs.h>

#include <filesystem>

#include "claims_node.h"
#include "crun.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;

std::uint64_t size_of_file_system(const std::string& path) {
  struct statvfs status {};
  return statvfs(path.c_str(), &status) == 0 ? status.f_blocks * status.f_frsize : 0;
}

class ClaimsUse : public ClaimsNode {
 protected:
  static std::string sample(const std::string& file) { return read_file(MANIFESTS_DIR "/" + file); }
  bool gets_capacity(const std::string& name, const std::string& capacity) {
    return node_.eventually([&] { return claim_field(name, "capacity") == capacity; });
  }
  /// A bound claim `data` of a class that keeps its volume, with a file in it; then it is deleted.
  std::string leave_a_released_volume() {
    write_class("kept", "directory.mooring.io", "", "reclaimPolicy: Retain");
    node_.write("claim.yaml", claim_text("data", of_class("kept")));
    wait_for("data", "bound");
    std::string name = claim_field("data", "volume");
    write_in_place(disks_.path("kept") + "/" + name + "/file", "of the first");
    node_.remove("claim.yaml");
    wait_for("data", "gone");
    EXPECT_TRUE(volume_gets_phase(name, "Released"));
    return name;
  }
};

TEST_F(ClaimsUse, AContainerServesWhatIsInTheDirectoryOfADelayBoundVolume) {
  const std::string directory = node_.dir() + "/nginx";
  fs::create_directory(directory);
  write_in_place(directory + "/index.html", "hello from the node");
  std::string storage = sample("delay-bound-storage.yaml");
  const std::string its_path = "/data/nginx";  // Of the machine: a test has its own.
  storage.replace(storage.find(its_path), its_path.size(), directory);
  node_.write("storage.yaml", storage);
  node_.write("nginx.yaml", sample("delay-bound-nginx.yaml"));
  ASSERT_TRUE(node_.eventually([&] { return node_.ctl().pod_names().size() == 1; }));
  const std::string pod = node_.ctl().pod_names().at(0);
  ASSERT_TRUE(node_.becomes_ready(pod)) << explained("pod/" + pod);
  Crun crun(node_);
  fs::create_directories(node_.dir() + "/rootfs/usr/share/nginx/html");
  crun.start(pod, "nginx");
  EXPECT_EQ(crun.output("nginx", "cat /usr/share/nginx/html/index.html"), "hello from the node");
  crun.expect_done("nginx", "echo -n written >/usr/share/nginx/html/log");
  EXPECT_EQ(read_file(directory + "/log"), "written");
}

TEST_F(ClaimsUse, AClassOfACloudSaysThatThereIsNoSuchProvisionerHere) {
  node_.write("class.yaml", sample("gce-pd-storageclass.yaml"));
  node_.write("claim.yaml", claim_text("data", of_class("block-service")));
  ASSERT_TRUE(gets_reason("data", "ExternalProvisioning")) << explained("pvc/data");
  EXPECT_EQ(claim_field("data", "phase"), "Pending");
  EXPECT_NE(claim_field("data", "message").find("kubernetes.io/gce-pd"), std::string::npos);
  const Json found = node_.ctl().json({"get", "sc", "block-service"});
  EXPECT_NE(found.value("message", "").find("directory.mooring.io"), std::string::npos) << found.dump();
  EXPECT_EQ(node_.ctl()({"status"}).status, 3);

  // Somebody mends the class: nothing of the claim need be touched.
  write_class("block-service", "directory.mooring.io");
  node_.remove("class.yaml");
  wait_for("data", "bound");
}

// ---- Growing.

TEST_F(ClaimsUse, ADirectoryGrowsAtOnceAndNeverShrinks) {
  node_.write("claim.yaml", claim_text("data"));
  make_ready("web");
  write_in_place(path_in("web", "file"), "kept");
  ClaimWish wish;
  wish.size = "128Mi";
  node_.write("claim.yaml", claim_text("data", wish));
  EXPECT_TRUE(gets_capacity("data", "128Mi")) << explained("pvc/data");
  EXPECT_EQ(volume_field(claim_field("data", "volume"), "capacity"), "128Mi");
  node_.write("claim.yaml", claim_text("data"));
  EXPECT_TRUE(gets_reason("data", "SpecChangeIgnored")) << explained("pvc/data");
  EXPECT_EQ(claim_field("data", "capacity"), "128Mi");
  EXPECT_EQ(read_file(path_in("web", "file")), "kept");
  EXPECT_TRUE(node_.ctl().is_ready("web"));
}

TEST_F(ClaimsUse, AClassThatDoesNotAllowItKeepsAVolumeFromGrowing) {
  write_class("fixed", "directory.mooring.io");
  node_.write("claim.yaml", claim_text("data", of_class("fixed")));
  wait_for("data", "bound");
  ClaimWish wish = of_class("fixed");
  wish.size = "128Mi";
  node_.write("claim.yaml", claim_text("data", wish));
  EXPECT_TRUE(gets_reason("data", "VolumeResizeForbidden")) << explained("pvc/data");
  EXPECT_EQ(claim_field("data", "capacity"), "64Mi");
  EXPECT_EQ(claim_field("data", "phase"), "Bound");

  write_class("fixed", "directory.mooring.io", "", "allowVolumeExpansion: true");
  EXPECT_TRUE(gets_capacity("data", "128Mi")) << explained("pvc/data");
}

TEST_F(ClaimsUse, AnXfsGrowsUnderItsPodAndKeepsWhatIsInIt) {
  if (!has_program("mkfs.xfs")) GTEST_SKIP() << "no xfsprogs";
  write_class("disk", "block.mooring.io", "fsType: xfs", "allowVolumeExpansion: true");
  ClaimWish wish = of_class("disk");
  wish.size = "300Mi";
  node_.write("claim.yaml", claim_text("data", wish));
  make_ready("web");
  write_in_place(path_in("web", "file"), "kept");
  const std::uint64_t size = size_of_file_system(node_.ctl().path("web", "v"));
  wish.size = "500Mi";
  node_.write("claim.yaml", claim_text("data", wish));
  EXPECT_TRUE(gets_capacity("data", "500Mi")) << explained("pvc/data");
  EXPECT_GT(size_of_file_system(node_.ctl().path("web", "v")), size);
  EXPECT_EQ(read_file(path_in("web", "file")), "kept");
  EXPECT_TRUE(node_.ctl().is_ready("web"));
  EXPECT_EQ(claim_field("data", "reason"), "");
}

TEST_F(ClaimsUse, AnImageGrowsAtOnceAndItsFileSystemWithTheNextPod) {
  if (!has_program("mkfs.xfs")) GTEST_SKIP() << "no xfsprogs";
  write_class("disk", "block.mooring.io", "fsType: xfs", "allowVolumeExpansion: true");
  ClaimWish wish = of_class("disk");
  wish.size = "300Mi";
  node_.write("claim.yaml", claim_text("data", wish));
  make_ready("first");
  write_in_place(path_in("first", "file"), "kept");
  const std::uint64_t size = size_of_file_system(node_.ctl().path("first", "v"));
  expect_gone("first");
  expect_all_gone();
  wish.size = "500Mi";
  node_.write("claim.yaml", claim_text("data", wish));
  EXPECT_TRUE(gets_reason("data", "FileSystemResizePending")) << explained("pvc/data");
  EXPECT_EQ(claim_field("data", "capacity"), "300Mi");
  make_ready("next");
  EXPECT_TRUE(gets_capacity("data", "500Mi")) << explained("pvc/data");
  EXPECT_GT(size_of_file_system(node_.ctl().path("next", "v")), size);
  EXPECT_EQ(read_file(path_in("next", "file")), "kept");
}

// ---- Whose a volume is.

TEST_F(ClaimsUse, OneForOnePodAloneGoesToTheNextWhenTheFirstIsGone) {
  ClaimWish wish;
  wish.access = "ReadWriteOncePod";
  node_.write("claim.yaml", claim_text("data", wish));
  make_ready("first");
  write_in_place(path_in("first", "file"), "of the first");
  write_pod("second");
  ASSERT_TRUE(node_.eventually([&] {
    return node_.ctl().message("second", "v").find("ReadWriteOncePod") != std::string::npos;
  })) << explained("pod/second/v");
  EXPECT_NE(node_.ctl().message("second", "v").find("first"), std::string::npos);
  EXPECT_FALSE(node_.ctl().is_ready("second"));
  EXPECT_TRUE(node_.ctl().is_ready("first"));
  expect_gone("first");
  ASSERT_TRUE(node_.becomes_ready("second")) << explained("pod/second/v");
  EXPECT_EQ(read_file(path_in("second", "file")), "of the first");
}

TEST_F(ClaimsUse, APodThatIsWrittenAnewWithAnotherClaimIsNamedAsAUserOfWhatItHas) {
  node_.write("one.yaml", claim_text("one"));
  make_ready("web", "one");
  write_in_place(path_in("web", "file"), "of one");
  const std::string directory = directory_of("one");
  node_.kill();
  node_.remove("one.yaml");
  write_pod("web", "two");
  node_.start();
  EXPECT_TRUE(gets_phase("one", "Terminating"));
  // Both once it was looked at what there is on the node; the ledger is read before.
  EXPECT_TRUE(node_.eventually([&] { return claim("one").at("users") == Json({"default/web"}); }))
      << explained("pvc/one");
  EXPECT_TRUE(node_.gets_reason("web", "v", "SpecChangeIgnored")) << explained("pod/web");
  node_.write("two.yaml", claim_text("two"));
  wait_for("two", "bound");
  EXPECT_FALSE(node_.ctl().is_ready("web")) << "it would write into the volume of another claim";
  EXPECT_EQ(read_file(directory + "/file"), "of one");
  expect_gone("web");
  wait_for("one", "gone");
}

TEST_F(ClaimsUse, AnEphemeralVolumeTakesNoClaimThatIsNotThePods) {
  node_.write("claim.yaml", claim_text("web-v"));
  wait_for("web-v", "bound");
  write_in_place(directory_of("web-v") + "/file", "another's");
  node_.write("web.yaml", pod_text("web", {{"v",
                                            "ephemeral: {volumeClaimTemplate: {spec: {accessModes: "
                                            "[ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}}"}}));
  ASSERT_TRUE(node_.gets_reason("web", "v", "NotTheEphemeralClaim"));
  node_.remove("web.yaml");
  ASSERT_TRUE(node_.becomes_gone("web"));
  EXPECT_EQ(claim_field("web-v", "phase"), "Bound");
  EXPECT_EQ(read_file(directory_of("web-v") + "/file"), "another's");
}

TEST_F(ClaimsUse, AVolumeThatIsGivenFreeGoesToTheNextClaimWithWhatItHolds) {
  const std::string name = leave_a_released_volume();
  EXPECT_EQ(node_.ctl()({"release", "pv/" + name}).status, 0);
  EXPECT_TRUE(volume_gets_phase(name, "Available")) << explained("pv/" + name);
  node_.kill();
  node_.start();
  EXPECT_TRUE(volume_gets_phase(name, "Available")) << "it was forgotten with the daemon";
  node_.write("claim.yaml", claim_text("next", of_class("kept")));
  wait_for("next", "bound");
  EXPECT_EQ(claim_field("next", "volume"), name);
  EXPECT_EQ(read_file(disks_.path("kept") + "/" + name + "/file"), "of the first");
}

TEST_F(ClaimsUse, AReleasedVolumeIsNoNewClaimsByItself) {
  const std::string name = leave_a_released_volume();
  node_.write("claim.yaml", claim_text("data", of_class("kept")));
  wait_for("data", "bound");
  EXPECT_NE(claim_field("data", "volume"), name);
  EXPECT_FALSE(is_there(disks_.path("kept") + "/" + claim_field("data", "volume") + "/file"));
}

TEST_F(ClaimsUse, ARecycledVolumeIsEmptyForTheNextClaim) {
  const std::string directory = node_.dir() + "/scratch";
  fs::create_directories(directory + "/below");
  node_.write(
      "volume.yaml",
      "{apiVersion: v1, kind: PersistentVolume, metadata: {name: scratch}, spec: {capacity: {storage: "
      "1Gi}, accessModes: [ReadWriteOnce], persistentVolumeReclaimPolicy: Recycle, storageClassName: "
      "old, hostPath: {path: " +
          directory + "}}}\n");
  node_.write("claim.yaml", claim_text("data", of_class("old")));
  make_ready("web");
  EXPECT_EQ(claim_field("data", "volume"), "scratch");
  write_in_place(path_in("web", "below/file"), "of the first");
  expect_gone("web");
  node_.remove("claim.yaml");
  EXPECT_TRUE(volume_gets_phase("scratch", "Available")) << explained("pv/scratch");
  EXPECT_TRUE(is_there(directory));
  EXPECT_TRUE(names_in(directory).empty());
  node_.write("claim.yaml", claim_text("next", of_class("old")));
  wait_for("next", "bound");
}

}  // namespace
}  // namespace mooring::integration
