// What the mock driver of the tests does to the node: those who use it rely on that.

#include <sys/mount.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "kernel/linux/linux_drivers.h"
#include "mock_driver.h"
#include "node.h"

namespace mooring::kernel::contract {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

class LinuxOnlyMockVolumes : public ::testing::Test {
 protected:
  /// Calls twice, because each call may be repeated.
  CallCode call(const std::string& method, const json& request) {
    LinuxDrivers drivers(MOORING_CSI);
    CallCode code = CallCode::Ok;
    for (int i = 0; i < 2 && code == CallCode::Ok; ++i) {
      const auto answer = drivers.call({mock_.socket(), method, SecretBytes(request.dump()), 60'000});
      EXPECT_TRUE(succeeds(answer));
      if (!answer) return CallCode::Unknown;
      code = answer.value().code;
      response_ = code == CallCode::Ok ? json::parse(answer.value().response) : json();
    }
    return code;
  }

  MockDriver mock_;
  json response_;
};

TEST_F(LinuxOnlyMockVolumes, AVolumeIsMadeStagedPublishedAndTakenDown) {
  const json mount{{"mount", {{"fs_type", "ext4"}}}, {"access_mode", {{"mode", "SINGLE_NODE_WRITER"}}}};
  const std::string staged = mock_.path("staged");
  const std::string target = mock_.path("target");
  ASSERT_EQ(call("csi.v1.Controller/CreateVolume", {{"name", "v"}}), CallCode::Ok);
  const json stage{{"volume_id", "v"}, {"staging_target_path", staged}, {"volume_capability", mount}};
  ASSERT_EQ(call("csi.v1.Node/NodeStageVolume", stage), CallCode::Ok);
  json publish = stage;
  publish["target_path"] = target;
  publish["readonly"] = true;
  ASSERT_EQ(call("csi.v1.Node/NodePublishVolume", publish), CallCode::Ok);
  std::ofstream(staged + "/file") << "content";
  EXPECT_TRUE(fs::exists(target + "/file"));
  EXPECT_TRUE(fs::exists(mock_.path("data/volumes/v/file")));
  EXPECT_FALSE(std::ofstream(target + "/other").is_open()) << "it is read-only";
  ASSERT_EQ(call("csi.v1.Node/NodeGetVolumeStats", {{"volume_id", "v"}, {"volume_path", target}}),
            CallCode::Ok);
  EXPECT_EQ(response_["usage"].size(), 2U);
  ASSERT_EQ(call("csi.v1.Node/NodeUnpublishVolume", {{"volume_id", "v"}, {"target_path", target}}),
            CallCode::Ok);
  EXPECT_FALSE(fs::exists(target));
  ASSERT_EQ(call("csi.v1.Node/NodeUnstageVolume", {{"volume_id", "v"}, {"staging_target_path", staged}}),
            CallCode::Ok);
  EXPECT_TRUE(fs::is_empty(staged));
  ASSERT_EQ(call("csi.v1.Controller/DeleteVolume", {{"volume_id", "v"}}), CallCode::Ok);
  EXPECT_FALSE(fs::exists(mock_.path("data/volumes/v")));
}

TEST_F(LinuxOnlyMockVolumes, ARawVolumeIsAFileThatIsBoundToItsTarget) {
  const json block{{"block", json::object()}, {"access_mode", {{"mode", "SINGLE_NODE_WRITER"}}}};
  const std::string target = mock_.path("raw");
  const json publish{{"volume_id", "r"},
                     {"staging_target_path", mock_.path("staged")},
                     {"target_path", target},
                     {"volume_capability", block}};
  ASSERT_EQ(call("csi.v1.Node/NodePublishVolume", publish), CallCode::Ok);
  std::ofstream(target) << "content";
  EXPECT_TRUE(fs::is_regular_file(mock_.path("data/volumes/r.block")));
  ASSERT_EQ(call("csi.v1.Node/NodeUnpublishVolume", {{"volume_id", "r"}, {"target_path", target}}),
            CallCode::Ok);
  EXPECT_FALSE(fs::exists(target));
  std::ifstream in(mock_.path("data/volumes/r.block"));
  std::string word;
  in >> word;
  EXPECT_EQ(word, "content");
}

TEST_F(LinuxOnlyMockVolumes, ASnapshotBecomesAVolume) {
  ASSERT_EQ(call("csi.v1.Controller/CreateVolume", {{"name", "a"}}), CallCode::Ok);
  std::ofstream(mock_.path("data/volumes/a/file")) << "content";
  ASSERT_EQ(call("csi.v1.Controller/CreateSnapshot", {{"name", "s"}, {"source_volume_id", "a"}}),
            CallCode::Ok);
  EXPECT_EQ(response_["snapshot"]["ready_to_use"], true);
  const json source{{"snapshot", {{"snapshot_id", "s"}}}};
  ASSERT_EQ(call("csi.v1.Controller/CreateVolume", {{"name", "b"}, {"volume_content_source", source}}),
            CallCode::Ok);
  EXPECT_TRUE(fs::exists(mock_.path("data/volumes/b/file")));
  EXPECT_EQ(response_["volume"]["content_source"], source);
  const json missing{{"volume", {{"volume_id", "none"}}}};
  EXPECT_EQ(call("csi.v1.Controller/CreateVolume", {{"name", "c"}, {"volume_content_source", missing}}),
            CallCode::NotFound);
}

TEST_F(LinuxOnlyMockVolumes, AScriptHoldsForEachCallInItsTurn) {
  mock_.set_script({{"Probe", {{{"code", "ABORTED"}}, json::object(), {{"code", 13}}}}});
  LinuxDrivers drivers(MOORING_CSI);
  for (const CallCode wanted : {CallCode::Aborted, CallCode::Ok, CallCode::Internal, CallCode::Ok}) {
    const auto answer = drivers.call({mock_.socket(), "csi.v1.Identity/Probe", SecretBytes("{}"), 60'000});
    ASSERT_TRUE(succeeds(answer));
    EXPECT_EQ(answer.value().code, wanted);
  }
}

}  // namespace
}  // namespace mooring::kernel::contract
