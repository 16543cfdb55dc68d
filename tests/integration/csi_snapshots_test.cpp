// VolumeSnapshots of a real CSI driver (decision 0032): cut, restored from, kept and deleted; and what is
// lost on the way is asked for again.

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
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class CsiSnapshots : public CsiNode {
 protected:
  /// A pod has the claim "data", whose file says "kept".
  void start_with_data(const std::string& policy = "Delete", const std::string& more = "") {
    start();
    node_.write("fast.yaml", class_text("fast", "d.example.com"));
    node_.write("keep.yaml",
                "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshotClass\nmetadata:\n  name: keep\n"
                "  annotations: {snapshot.storage.kubernetes.io/is-default-class: \"true\"}\n"
                "driver: d.example.com\ndeletionPolicy: " +
                    policy + "\n" + more);
    write_claim("data");
    make_ready("one", "data");
    write_in_place(node_.ctl().path("one", "v") + "/file", "kept");
  }
  void write_claim(const std::string& name, const std::string& more = "",
                   const std::string& size = "64Mi") const {
    ClaimWish wish = of_class("fast", more);
    wish.size = size;
    node_.write(name + "-claim.yaml", claim_text(name, wish));
  }
  void write_restored(const std::string& name, const std::string& snapshot,
                      const std::string& size = "64Mi") {
    write_claim(
        name, "dataSource: {apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: " + snapshot + "}",
        size);
  }
  void cut(const std::string& name = "s",
           const std::string& source = "persistentVolumeClaimName: data") const {
    node_.write(name + "-snapshot.yaml",
                "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshot\nmetadata: {name: " + name +
                    "}\nspec: {source: {" + source + "}}\n");
  }
  void remove(const std::string& name = "s") const { node_.remove(name + "-snapshot.yaml"); }
  std::string field(const char* name, const std::string& snapshot = "s") const {
    const Json found = node_.ctl().json({"get", "volumesnapshots", snapshot});
    return found.is_object() ? found.value(name, "") : "";
  }
  std::string claim_field(const std::string& claim, const char* name) const {
    const Json found = node_.ctl().json({"get", "pvc", claim});
    return found.is_object() ? found.value(name, "") : "";
  }
  bool becomes(const std::string& phase, const std::string& snapshot = "s") {
    return node_.eventually([&] { return field("phase", snapshot) == phase; }, Millis(60'000));
  }
  bool is_all_deleted() {
    return node_.eventually([&] { return field("phase").empty() && snapshots_of_driver().empty(); },
                            Millis(60'000));
  }
  std::vector<std::string> snapshots_of_driver() const {
    std::vector<std::string> handles;
    for (const std::string& name : names_in(node_.dir() + "/csi/data/snapshots")) {
      if (name.ends_with(".json")) handles.push_back(name.substr(0, name.size() - 5));
    }
    return handles;
  }
  bool was_asked(const std::string& method, std::size_t times = 1) {
    return node_.eventually([&] { return driver_.calls_of(method).size() >= times; });
  }
  std::string told() const { return node_.ctl()({"describe", "volumesnapshot", "s"}).out + node_.log(); }
  /// The names that CreateSnapshot was asked for are all one.
  void expect_one_name() const {
    std::set<std::string> names;
    for (const Json& request : driver_.calls_of("CreateSnapshot"))
      names.insert(request["name"].get<std::string>());
    EXPECT_THAT(names, SizeIs(1));
  }
};

TEST_F(CsiSnapshots, ASnapshotIsCutRestoredAndDeleted) {
  start_with_data();
  cut();
  ASSERT_TRUE(becomes("Ready")) << told();
  EXPECT_EQ(field("restoreSize"), "67108864");
  EXPECT_EQ(field("claim"), "data");
  EXPECT_THAT(snapshots_of_driver(), ElementsAre(field("handle")));
  write_in_place(node_.ctl().path("one", "v") + "/file", "later");
  write_restored("restored", "s");
  make_ready("two", "restored");
  EXPECT_EQ(read_file(node_.ctl().path("two", "v") + "/file"), "kept");
  EXPECT_EQ(read_file(node_.ctl().path("one", "v") + "/file"), "later");
  EXPECT_THAT(node_.ctl()({"get", "vs"}).out, HasSubstr("Ready"));
  EXPECT_THAT(node_.ctl()({"explain", "volumesnapshot/s"}).out, HasSubstr(field("handle")));
  remove();
  EXPECT_TRUE(is_all_deleted()) << told();
  EXPECT_TRUE(node_.ctl().is_ready("two"));
}

TEST_F(CsiSnapshots, AClaimWaitsForTheSnapshotThatIsNotReadyAtFirst) {
  start_with_data();
  driver_.set_script(R"({"CreateSnapshot": [{"response": {"snapshot": {"ready_to_use": false}}},
                                            {"response": {"snapshot": {"ready_to_use": false}}}]})");
  cut();
  write_restored("restored", "s");
  write_pod("two", "restored");
  ASSERT_TRUE(node_.eventually([&] {
    return claim_field("restored", "message").find("not ready to use") != std::string::npos;
  })) << told();
  EXPECT_TRUE(node_.becomes_ready("two")) << explain("two") << told();
  EXPECT_EQ(read_file(node_.ctl().path("two", "v") + "/file"), "kept");
  EXPECT_GE(driver_.calls_of("CreateSnapshot").size(), 3U);
  expect_one_name();
}

TEST_F(CsiSnapshots, ARestoredClaimIsNoSmallerThanItsSnapshot) {
  start_with_data();
  cut();
  ASSERT_TRUE(becomes("Ready")) << told();
  write_restored("small", "s", "32Mi");
  EXPECT_TRUE(node_.eventually([&] {
    return claim_field("small", "message").find("needs 67108864") != std::string::npos;
  })) << claim_field("small", "message");
}

TEST_F(CsiSnapshots, AnAnswerThatIsLostIsAskedForAgainAndThereIsOneSnapshot) {
  start_with_data();
  driver_.set_script(R"({"CreateSnapshot": [{"lose_reply": true}, {"crash": "after"}]})");
  cut();
  ASSERT_TRUE(was_asked("CreateSnapshot", 2)) << told();
  driver_.kill();
  driver_.set_script("{}");
  driver_.start();
  ASSERT_TRUE(becomes("Ready")) << told();
  expect_one_name();
  EXPECT_THAT(snapshots_of_driver(), SizeIs(1));
}

TEST_F(CsiSnapshots, KilledBetweenTheRequestAndTheAnswerItAsksForTheSameSnapshot) {
  start_with_data();
  driver_.set_script(R"({"CreateSnapshot": [{"delay_ms": 600000, "does_it": false}]})");
  cut();
  ASSERT_TRUE(was_asked("CreateSnapshot")) << told();
  node_.kill();
  node_.start();
  ASSERT_TRUE(becomes("Ready")) << told();
  expect_one_name();
  EXPECT_THAT(snapshots_of_driver(), SizeIs(1));
}

TEST_F(CsiSnapshots, KilledAfterTheAnswerWhileItsManifestGoesItForgetsNone) {
  start_with_data();
  driver_.set_script(R"({"CreateSnapshot": [{"delay_ms": 200}]})");
  cut();
  ASSERT_TRUE(was_asked("CreateSnapshot")) << told();
  node_.daemon().signal(SIGSTOP);  // Before it can hear of the answer.
  ASSERT_TRUE(node_.eventually([&] { return !snapshots_of_driver().empty(); }));
  node_.kill();
  remove();
  node_.start();
  EXPECT_TRUE(is_all_deleted()) << told();
  expect_one_name();
}

TEST_F(CsiSnapshots, ASnapshotWhoseDriverIsGoneWaitsForItAndIsDeletedThen) {
  start_with_data();
  cut();
  ASSERT_TRUE(becomes("Ready")) << told();
  driver_.kill();
  std::filesystem::remove(driver_.registration());
  std::filesystem::remove(driver_.socket());
  ASSERT_TRUE(node_.eventually([&] { return !is_registered(); })) << node_.log();
  remove();
  const auto waits = [&] { return field("phase") == "Deleting" && field("reason") == "DriverNotRegistered"; };
  EXPECT_TRUE(node_.eventually(waits)) << told();
  node_.kill();  // A restart knows no better, and does not give it up.
  node_.start();
  EXPECT_TRUE(node_.eventually(waits)) << told();
  EXPECT_THAT(snapshots_of_driver(), SizeIs(1));
  driver_.start();
  EXPECT_TRUE(is_all_deleted()) << told();
}

TEST_F(CsiSnapshots, WhatCannotBeDeletedIsForgottenWhenSomebodySaysSo) {
  start_with_data();
  cut();
  ASSERT_TRUE(becomes("Ready")) << told();
  EXPECT_NE(node_.ctl()({"release", "volumesnapshot/s", "--forget"}).status, 0) << "its manifest is there";
  driver_.kill();
  std::filesystem::remove(driver_.registration());
  std::filesystem::remove(driver_.socket());
  ASSERT_TRUE(node_.eventually([&] { return !is_registered(); })) << node_.log();
  remove();
  ASSERT_TRUE(node_.eventually([&] { return field("reason") == "DriverNotRegistered"; })) << told();
  EXPECT_EQ(node_.ctl()({"release", "volumesnapshot/s"}).status, 2) << "there is nothing that goes free";
  const Ran released = node_.ctl()({"release", "volumesnapshot/default/s", "--forget"});
  EXPECT_EQ(released.status, 0) << released.err;
  EXPECT_TRUE(node_.eventually([&] { return field("phase").empty(); })) << told();
  EXPECT_THAT(snapshots_of_driver(), SizeIs(1)) << "what the driver has stays";
  EXPECT_THAT(node_.ctl()({"events"}).out, HasSubstr("SnapshotForgotten"));
  EXPECT_NE(node_.ctl()({"release", "volumesnapshot/s", "--forget"}).status, 0) << "there is none";
}

TEST_F(CsiSnapshots, WhatIsRetainedIsListedAndUsedAgainByItsHandle) {
  start_with_data("Retain");
  cut();
  ASSERT_TRUE(becomes("Ready")) << told();
  const std::string handle = field("handle");
  remove();
  ASSERT_TRUE(becomes("Released")) << told();
  EXPECT_THAT(snapshots_of_driver(), ElementsAre(handle));
  node_.write("content.yaml",
              "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshotContent\nmetadata: {name: sc}\n"
              "spec:\n  deletionPolicy: Retain\n  driver: d.example.com\n  source: {snapshotHandle: " +
                  handle + "}\n  volumeSnapshotRef: {name: again, namespace: default}\n");
  cut("again", "volumeSnapshotContentName: sc");
  ASSERT_TRUE(becomes("Ready", "again")) << told();
  EXPECT_TRUE(node_.eventually([&] { return field("phase").empty(); })) << "the content tells of it now";
  write_restored("restored", "again");
  make_ready("two", "restored");
  EXPECT_EQ(read_file(node_.ctl().path("two", "v") + "/file"), "kept");
  remove("again");
  node_.remove("content.yaml");
  EXPECT_TRUE(node_.eventually([&] { return field("phase", "again").empty(); }));
  EXPECT_THAT(driver_.calls_of("DeleteSnapshot"), IsEmpty());
}

TEST_F(CsiSnapshots, AHungControllerDelaysOnlyItsOwnSnapshots) {
  MockCsi other("e.example.com", make_dir("other"), registry());
  other.start();
  start_with_data();
  ASSERT_TRUE(node_.eventually([&] { return is_registered("e.example.com"); }));
  driver_.set_script(R"({"CreateSnapshot": {"delay_ms": 600000}})");
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"})
    cut(name);
  ASSERT_TRUE(was_asked("CreateSnapshot", 1));
  node_.write("other.yaml", class_text("other", "e.example.com"));
  node_.write("quick-claim.yaml", claim_text("quick", of_class("other")));
  make_ready("quick", "quick");
  node_.write("quick-class.yaml",
              "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshotClass\nmetadata: {name: quick}\n"
              "driver: e.example.com\ndeletionPolicy: Delete\n");
  node_.write("quick-snapshot.yaml",
              "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshot\nmetadata: {name: quick}\n"
              "spec: {volumeSnapshotClassName: quick, source: {persistentVolumeClaimName: quick}}\n");
  EXPECT_TRUE(becomes("Ready", "quick")) << told();
  EXPECT_EQ(field("phase", "a"), "Pending");
}

TEST_F(CsiSnapshots, SecretsGoToTheDriverAndNowhereElse) {
  start_with_data("Delete",
                  "parameters:\n  csi.storage.k8s.io/snapshotter-secret-name: s\n"
                  "  csi.storage.k8s.io/snapshotter-secret-namespace: default\n");
  cut();
  ASSERT_TRUE(node_.eventually([&] { return field("reason") == "SecretMissing"; })) << told();
  driver_.set_script(R"({"CreateSnapshot": [{"code": "INTERNAL", "message": "bad tell-nobody-7"}]})");
  node_.write("secret.yaml",
              "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: default}\n"
              "stringData: {password: tell-nobody-7}\n");
  ASSERT_TRUE(becomes("Ready")) << told();
  EXPECT_EQ(driver_.calls_of("CreateSnapshot").at(0)["secrets"]["password"], "tell-nobody-7");
  remove();
  EXPECT_TRUE(is_all_deleted()) << told();
  EXPECT_EQ(driver_.calls_of("DeleteSnapshot").at(0)["secrets"]["password"], "tell-nobody-7");
  EXPECT_THAT(told(), Not(HasSubstr("tell-nobody-7")));
  EXPECT_THAT(node_.ctl()({"events"}).out, Not(HasSubstr("tell-nobody-7")));
  for (const std::string& name : names_in(node_.root() + "/state"))
    EXPECT_THAT(read_file(node_.root() + "/state/" + name), Not(HasSubstr("tell-nobody-7"))) << name;
}

}  // namespace
}  // namespace mooring::integration
