// Claims whose volumes a real CSI driver makes (decision 0032): made, used, grown, copied and deleted; and
// what is lost on the way is asked for again.

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <set>

#include "claims_node.h"
#include "csi_node.h"

namespace mooring::integration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class CsiClaims : public CsiNode {
 protected:
  void write_class(const std::string& more = "") const {
    node_.write("fast.yaml", class_text("fast", "d.example.com", "allowVolumeExpansion: true" + more));
  }
  void write_claim(const std::string& name, const std::string& size = "64Mi",
                   const std::string& more = "") const {
    ClaimWish wish = of_class("fast", more);
    wish.size = size;
    node_.write(name + "-claim.yaml", claim_text(name, wish));
  }
  void remove_claim(const std::string& name) const { node_.remove(name + "-claim.yaml"); }
  std::string claim_field(const std::string& name, const char* field) const {
    const Json claim = node_.ctl().json({"get", "pvc", name});
    return claim.is_object() ? claim.value(field, "") : "";
  }
  bool is_bound(const std::string& name) {
    return node_.eventually([&] { return claim_field(name, "phase") == "Bound"; }, Millis(60'000));
  }
  bool is_claim_gone(const std::string& name) {
    return node_.eventually([&] { return claim_field(name, "phase").empty(); });
  }
  /// All PersistentVolumes are gone, and all that the driver had.
  bool is_all_deleted() {
    return node_.eventually(
        [&] {
          const Json all = node_.ctl().json({"get", "pv"});
          return all.value("items", Json::array()).empty() && volumes_of_driver().empty();
        },
        Millis(60'000));
  }
  std::vector<std::string> volumes_of_driver() const {
    std::vector<std::string> handles;
    for (const std::string& name : names_in(node_.dir() + "/csi/data/volumes")) {
      if (name.ends_with(".json")) handles.push_back(name.substr(0, name.size() - 5));
    }
    return handles;
  }
  std::string told(const std::string& claim) const {
    return node_.ctl()({"explain", "pvc/" + claim}).out + node_.log();
  }
  bool was_asked(const std::string& method, std::size_t times = 1) {
    return node_.eventually([&] { return driver_.calls_of(method).size() >= times; });
  }
  /// The names that CreateVolume was asked for are all one.
  void expect_one_name() const {
    std::set<std::string> names;
    for (const Json& request : driver_.calls_of("CreateVolume"))
      names.insert(request["name"].get<std::string>());
    EXPECT_THAT(names, SizeIs(1));
  }
};

TEST_F(CsiClaims, AVolumeIsMadeUsedGrownAndDeleted) {
  start();
  write_class();
  write_claim("data");
  make_ready("one", "data");
  write_in_place(node_.ctl().path("one", "v") + "/file", "kept");
  const std::string handle = claim_field("data", "volume");
  EXPECT_EQ(driver_.content(handle, "file"), "kept");
  write_claim("data", "128Mi");
  EXPECT_TRUE(node_.eventually([&] { return claim_field("data", "capacity") == "128Mi"; })) << told("data");
  EXPECT_TRUE(node_.ctl().is_ready("one"));
  EXPECT_EQ(driver_.content(handle, "file"), "kept");
  expect_gone("one");
  expect_all_gone();
  remove_claim("data");
  EXPECT_TRUE(is_claim_gone("data")) << told("data");
  EXPECT_TRUE(is_all_deleted()) << node_.log();
  EXPECT_THAT(driver_.calls(), ElementsAre("CreateVolume", "NodeStageVolume", "NodeExpandVolume",
                                           "NodePublishVolume", "ControllerExpandVolume", "NodeExpandVolume",
                                           "NodeUnpublishVolume", "NodeUnstageVolume", "DeleteVolume"));
}

TEST_F(CsiClaims, APodThatReadsAndOneThatWritesShareAVolumeThatGrows) {
  start();
  write_class();
  write_claim("data");
  node_.write("reader.yaml", pod_text("reader", {{"v", claim_source("data", /*read_only=*/true)}}));
  ASSERT_TRUE(node_.becomes_ready("reader")) << explain("reader") << node_.log();
  make_ready("writer", "data");
  write_in_place(node_.ctl().path("writer", "v") + "/file", "shared");
  EXPECT_EQ(read_file(node_.ctl().path("reader", "v") + "/file"), "shared");
  write_claim("data", "128Mi");
  EXPECT_TRUE(node_.eventually([&] { return claim_field("data", "capacity") == "128Mi"; })) << told("data");
  const std::vector<Json> publishes = driver_.calls_of("NodePublishVolume");
  ASSERT_THAT(publishes, SizeIs(2));
  EXPECT_TRUE(publishes[0].value("readonly", false));
  EXPECT_FALSE(publishes[1].value("readonly", false));
  EXPECT_THAT(driver_.calls_of("NodeExpandVolume"), SizeIs(2)) << "when it was first written to, and to grow";
  expect_gone("reader");
  expect_gone("writer");
  expect_all_gone();
}

TEST_F(CsiClaims, AClaimWaitsForItsDriverAndForItsFirstConsumer) {
  node_.start();
  write_class(", volumeBindingMode: WaitForFirstConsumer");
  write_claim("data");
  ASSERT_TRUE(node_.eventually([&] { return claim_field("data", "reason") == "WaitForFirstConsumer"; }))
      << told("data");
  write_pod("one", "data");
  ASSERT_TRUE(node_.eventually([&] { return claim_field("data", "reason") == "ExternalProvisioning"; }))
      << told("data");
  EXPECT_THAT(told("data"), HasSubstr("d.example.com"));
  driver_.start();
  EXPECT_TRUE(node_.becomes_ready("one")) << explain("one") << node_.log();
}

TEST_F(CsiClaims, AnAnswerThatIsLostIsAskedForAgainAndThereIsOneVolume) {
  start();
  driver_.set_script(R"({"CreateVolume": [{"lose_reply": true}, {"crash": "after"}]})");
  write_class();
  write_claim("data");
  ASSERT_TRUE(was_asked("CreateVolume", 2)) << told("data");
  driver_.kill();
  driver_.set_script("{}");
  driver_.start();
  ASSERT_TRUE(is_bound("data")) << told("data");
  expect_one_name();
  EXPECT_THAT(volumes_of_driver(), ElementsAre(claim_field("data", "volume")));
}

TEST_F(CsiClaims, KilledBetweenTheRequestAndTheAnswerItAsksForTheSameVolume) {
  start();
  driver_.set_script(R"({"CreateVolume": [{"delay_ms": 600000, "does_it": false}]})");
  write_class();
  write_claim("data");
  ASSERT_TRUE(was_asked("CreateVolume")) << told("data");
  node_.kill();
  node_.start();
  ASSERT_TRUE(is_bound("data")) << told("data");
  expect_one_name();
  EXPECT_THAT(volumes_of_driver(), ElementsAre(claim_field("data", "volume")));
}

TEST_F(CsiClaims, KilledAfterTheAnswerItAsksForTheSameVolume) {
  start();
  driver_.set_script(R"({"CreateVolume": [{"delay_ms": 200}]})");
  write_class();
  write_claim("data");
  ASSERT_TRUE(was_asked("CreateVolume")) << told("data");
  node_.daemon().signal(SIGSTOP);  // Before it can hear of the answer.
  ASSERT_TRUE(node_.eventually([&] { return !volumes_of_driver().empty(); }));
  node_.kill();
  node_.start();
  ASSERT_TRUE(is_bound("data")) << told("data");
  expect_one_name();
  EXPECT_GE(driver_.calls_of("CreateVolume").size(), 2U);
  EXPECT_THAT(volumes_of_driver(), ElementsAre(claim_field("data", "volume")));
}

TEST_F(CsiClaims, KilledWhileItsClaimGoesItLeavesNoVolumeThatNobodyKnows) {
  start();
  driver_.set_script(R"({"CreateVolume": [{"delay_ms": 200}]})");
  write_class();
  write_claim("data");
  ASSERT_TRUE(was_asked("CreateVolume")) << told("data");
  node_.daemon().signal(SIGSTOP);
  ASSERT_TRUE(node_.eventually([&] { return !volumes_of_driver().empty(); }));
  node_.kill();
  remove_claim("data");
  node_.start();
  EXPECT_TRUE(is_all_deleted()) << node_.log();
  expect_one_name();
}

TEST_F(CsiClaims, AVolumeWhoseDriverIsGoneWaitsForItAndIsDeletedThen) {
  start();
  write_class();
  write_claim("data");
  ASSERT_TRUE(is_bound("data")) << told("data");
  const std::string volume = claim_field("data", "volume");
  driver_.kill();
  std::filesystem::remove(driver_.registration());
  std::filesystem::remove(driver_.socket());
  ASSERT_TRUE(node_.eventually([&] { return !is_registered(); })) << node_.log();
  remove_claim("data");
  const auto waits = [&] {
    const Json one = node_.ctl().json({"get", "pv", volume});
    return one.is_object() && one.value("reason", "") == "DriverNotRegistered" &&
           one.value("phase", "") == "Released";
  };
  EXPECT_TRUE(node_.eventually(waits)) << node_.log();
  node_.kill();  // A restart knows no better, and does not give it up.
  node_.start();
  EXPECT_TRUE(node_.eventually(waits)) << node_.log();
  EXPECT_THAT(volumes_of_driver(), ElementsAre(volume));
  driver_.start();
  EXPECT_TRUE(is_all_deleted()) << node_.log();
}

TEST_F(CsiClaims, ACopyHoldsWhatItsSourceHeld) {
  start();
  write_class();
  write_claim("data");
  make_ready("one", "data");
  write_in_place(node_.ctl().path("one", "v") + "/file", "copied");
  write_claim("copy", "64Mi", "dataSource: {kind: PersistentVolumeClaim, name: data}");
  make_ready("two", "copy");
  EXPECT_EQ(read_file(node_.ctl().path("two", "v") + "/file"), "copied");
  write_in_place(node_.ctl().path("two", "v") + "/file", "its own");
  EXPECT_EQ(read_file(node_.ctl().path("one", "v") + "/file"), "copied");
}

TEST_F(CsiClaims, AHungControllerDelaysOnlyItsOwnVolumes) {
  MockCsi other("e.example.com", make_dir("other"), registry());
  other.start();
  start();
  ASSERT_TRUE(node_.eventually([&] { return is_registered("e.example.com"); }));
  driver_.set_script(R"({"CreateVolume": {"delay_ms": 600000}})");
  write_class();
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"})
    write_claim(name);
  ASSERT_TRUE(was_asked("CreateVolume", 1));
  node_.write("other.yaml", class_text("other", "e.example.com"));
  node_.write("quick-claim.yaml", claim_text("quick", of_class("other")));
  make_ready("quick", "quick");
  node_.write("empty.yaml", pod_text("empty", {{"v", empty_dir}}));
  EXPECT_TRUE(node_.becomes_ready("empty"));
  EXPECT_EQ(claim_field("a", "phase"), "Pending");
}

TEST_F(CsiClaims, WhatADriverRefusesIsToldInItsOwnWordsAndMadeWhenItsClassIsCorrected) {
  start();
  driver_.set_script(R"({"CreateVolume": [{"code": "INVALID_ARGUMENT", "message": "no such pool"}]})");
  write_class(", parameters: {pool: slwo}");
  write_claim("data");
  ASSERT_TRUE(node_.eventually([&] { return told("data").find("no such pool") != std::string::npos; }));
  write_class(", parameters: {pool: slow}");
  ASSERT_TRUE(is_bound("data")) << told("data");
  EXPECT_EQ(driver_.calls_of("CreateVolume").back()["parameters"]["pool"], "slow");
}

TEST_F(CsiClaims, SecretsGoToTheDriverAndNowhereElse) {
  start();
  write_class(
      ", parameters: {csi.storage.k8s.io/provisioner-secret-name: s,"
      " csi.storage.k8s.io/provisioner-secret-namespace: default}");
  write_claim("data");
  ASSERT_TRUE(node_.eventually([&] { return claim_field("data", "reason") == "SecretMissing"; }))
      << told("data");
  driver_.set_script(R"({"CreateVolume": [{"code": "INTERNAL", "message": "bad tell-nobody-7"}]})");
  node_.write("secret.yaml",
              "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: default}\n"
              "stringData: {password: tell-nobody-7}\n");
  ASSERT_TRUE(is_bound("data")) << told("data");
  EXPECT_EQ(driver_.calls_of("CreateVolume").at(0)["secrets"]["password"], "tell-nobody-7");
  remove_claim("data");
  EXPECT_TRUE(is_all_deleted()) << node_.log();
  EXPECT_EQ(driver_.calls_of("DeleteVolume").at(0)["secrets"]["password"], "tell-nobody-7");
  EXPECT_THAT(node_.log(), Not(HasSubstr("tell-nobody-7")));
  EXPECT_THAT(node_.ctl()({"events"}).out, Not(HasSubstr("tell-nobody-7")));
  for (const std::string& name : names_in(node_.root() + "/state"))
    EXPECT_THAT(read_file(node_.root() + "/state/" + name), Not(HasSubstr("tell-nobody-7"))) << name;
}

}  // namespace
}  // namespace mooring::integration
