// What CSI drivers tell of volumes and want later: how full and how well they are, publishing again and
// again, tokens; and what is told of their calls (kubelet-behaviours 15.3, 15.7).

#include <gmock/gmock.h>
#include <unistd.h>

#include "csi_node.h"
#include "scrape.h"

namespace mooring::integration {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string metrics_socket() {
  return "/tmp/mooring-csi-metrics." + std::to_string(getpid());
}

NodeOptions with_metrics() {
  NodeOptions options;
  options.metrics = "unix:" + metrics_socket();
  return options;
}

/// What the driver says of every volume.
std::string stats(bool is_abnormal, const std::string& message) {
  return std::string(R"({"response": {"usage": [{"unit": "BYTES", "total": "1000", "used": "400",)") +
         R"( "available": "600"}, {"unit": "INODES", "total": "10", "used": "3", "available": "7"}],)" +
         R"( "volume_condition": {"abnormal": )" + (is_abnormal ? "true" : "false") + R"(, "message": ")" +
         message + R"("}}})";
}

class CsiStats : public CsiNode {
 protected:
  CsiStats()
      : CsiNode(with_metrics(),
                {"--node-capabilities", "STAGE_UNSTAGE_VOLUME,GET_VOLUME_STATS,VOLUME_CONDITION"}) {}
  ~CsiStats() override { unlink(metrics_socket().c_str()); }

  Json usage(const std::string& pod) { return volume(pod).value("usage", Json::object()); }
  Json volume(const std::string& pod) { return node_.ctl().json({"get", "volumes", pod + "/v"}); }
  static std::string metrics() { return scrape(metrics_socket()); }
  void write_driver(const std::string& spec) const {
    node_.write("driver.yaml",
                "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: d.example.com}\n"
                "spec: {" +
                    spec + "}\n");
  }
};

TEST_F(CsiStats, ADriverTellsHowFullAndHowWellItsVolumesAre) {
  start();
  driver_.set_script("{\"NodeGetVolumeStats\": " + stats(true, "disk 3 is\\u001b[31m failing") + "}");
  write_volume("data");
  make_ready("one", "data");
  ASSERT_TRUE(node_.gets_reason("one", "v", "VolumeConditionAbnormal")) << explain("one") << node_.log();
  EXPECT_TRUE(node_.ctl().is_ready("one"));
  EXPECT_THAT(node_.ctl().message("one", "v"), HasSubstr("disk 3 is"));
  EXPECT_THAT(node_.ctl().message("one", "v"), Not(HasSubstr("\x1b")));
  const Json full = usage("one");
  EXPECT_EQ(full.value("capacityBytes", 0), 1000) << full;
  EXPECT_EQ(full.value("usedBytes", 0), 400);
  EXPECT_EQ(full.value("inodesUsed", 0), 3);
  const Json asked = driver_.calls_of("NodeGetVolumeStats").at(0);
  EXPECT_EQ(asked["volume_id"], "h-data");
  EXPECT_THAT(asked["volume_path"].get<std::string>(), testing::EndsWith("/kubernetes.io~csi/data/mount"));
  EXPECT_THAT(asked["staging_target_path"].get<std::string>(), testing::EndsWith("/globalmount"));
  const std::string text = metrics();
  const std::string of_claim = "{namespace=\"default\",persistentvolumeclaim=\"data\"} ";
  EXPECT_THAT(text, HasSubstr("kubelet_volume_stats_used_bytes" + of_claim + "400\n"));
  EXPECT_THAT(text, HasSubstr("kubelet_volume_stats_health_status_abnormal" + of_claim + "1\n"));
  expect_gone("one");
  expect_all_gone();
}

TEST_F(CsiStats, CallsOfDriversAreCountedWithTheirCodesAndTimes) {
  start();
  driver_.set_script(R"({"NodePublishVolume": [{"code": "INTERNAL", "message": "not now"}]})");
  write_volume("data");
  make_ready("one", "data");
  const std::string text = metrics();
  const auto count = [](const std::string& code, const std::string& call) {
    return "csi_operations_seconds_count{driver_name=\"d.example.com\",grpc_status_code=\"" + code +
           "\",method_name=\"/csi.v1." + call + "\",migrated=\"false\"} 1\n";
  };
  EXPECT_THAT(text, HasSubstr(count("OK", "Node/NodeGetInfo")));
  EXPECT_THAT(text, HasSubstr(count("OK", "Node/NodeStageVolume")));
  EXPECT_THAT(text, HasSubstr(count("Internal", "Node/NodePublishVolume")));
  EXPECT_THAT(text, HasSubstr(count("OK", "Node/NodePublishVolume")));
  expect_gone("one");
  expect_all_gone();
}

TEST_F(CsiStats, ADriverThatDoesNotAnswerLeavesItsNumbersUnknownAndNobodyElses) {
  start();
  driver_.set_script(R"({"NodeGetVolumeStats": {"delay_ms": 600000}})");
  write_volume("data");
  make_ready("one", "data");
  node_.write("memory.yaml", pod_text("memory", {{"v", memory_dir}}));
  ASSERT_TRUE(node_.becomes_ready("memory"));
  ASSERT_TRUE(node_.eventually([&] { return !driver_.calls_of("NodeGetVolumeStats").empty(); }));
  EXPECT_TRUE(node_.eventually([&] { return usage("memory").contains("capacityBytes"); }));
  EXPECT_TRUE(node_.eventually([&] { return usage("one").contains("unknownSince"); })) << volume("one");
  EXPECT_FALSE(usage("one").contains("capacityBytes"));
  EXPECT_TRUE(node_.ctl().is_ready("one"));
  expect_gone("one");
  expect_gone("memory");
  expect_all_gone();
}

TEST_F(CsiStats, AVolumeIsPublishedAgainForADriverThatWantsItAndStaysWhateverComesOfThat) {
  start();
  write_driver("attachRequired: false, requiresRepublish: true");
  write_volume("data");
  make_ready("one", "data");
  write_in_place(node_.ctl().path("one", "v") + "/file", "kept");
  driver_.set_script(R"({"NodePublishVolume": [{"code": "INVALID_ARGUMENT", "message": "not today"}]})");
  const auto published = [&] { return driver_.calls_of("NodePublishVolume").size(); };
  ASSERT_TRUE(node_.eventually([&] { return published() >= 2; }, Millis(100'000))) << node_.log();
  ASSERT_TRUE(node_.gets_reason("one", "v", "PublishFailed")) << explain("one");
  EXPECT_TRUE(node_.ctl().is_ready("one"));
  EXPECT_EQ(read_file(node_.ctl().path("one", "v") + "/file"), "kept");
  EXPECT_TRUE(driver_.calls_of("NodeUnpublishVolume").empty());
  node_.ctl()({"retry"});
  EXPECT_TRUE(node_.eventually([&] { return published() >= 3; })) << node_.log();
  EXPECT_TRUE(node_.eventually([&] { return volume("one").value("reason", "") == ""; })) << volume("one");
  expect_gone("one");
  expect_all_gone();
}

TEST_F(CsiStats, TokensComeFromASecretAndGoNowhereElse) {
  start();
  write_driver("attachRequired: false, tokenRequests: [{audience: vault}]");
  write_volume("data", ", nodePublishSecretRef: {name: s, namespace: default}");
  write_pod("one", "data");
  ASSERT_TRUE(node_.gets_reason("one", "v", "SecretNotFound")) << explain("one") << node_.log();
  const auto write_secret = [&](const std::string& key, const std::string& value) {
    node_.write("secret.yaml",
                "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: default}\nstringData:\n  " +
                    key + ": '" + value + "'\n");
  };
  write_secret("password", "p");
  ASSERT_TRUE(node_.gets_reason("one", "v", "TokensUnavailable")) << explain("one") << node_.log();
  const std::string token = "eyJhbGciOiJub25lIn0.tell-nobody-9.x";
  const std::string tokens = R"({"vault":{"token":")" + token + R"("}})";
  driver_.set_script(R"({"NodePublishVolume": [{"code": "INTERNAL", "message": "bad )" + token + R"("}]})");
  write_secret("serviceAccount.tokens", tokens);
  ASSERT_TRUE(node_.becomes_ready("one")) << explain("one") << node_.log();
  const Json publish = driver_.calls_of("NodePublishVolume").at(0);
  EXPECT_EQ(publish["volume_context"]["csi.storage.k8s.io/serviceAccount.tokens"], tokens);
  EXPECT_TRUE(publish.value("secrets", Json::object()).empty()) << publish;
  expect_gone("one");
  expect_all_gone();
  EXPECT_THAT(node_.log(), Not(HasSubstr("tell-nobody-9")));
}

}  // namespace
}  // namespace mooring::integration
