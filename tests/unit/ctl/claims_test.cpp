// How claims, volumes and classes look, to people and to programs.

#include "ctl/claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ctl/storage.h"

namespace mooring::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

ClaimStatus claim(const std::string& name, const std::string& phase) {
  ClaimStatus status;
  status.name_space = Namespace("shop");
  status.name = ObjectName(name);
  status.uid = "u-" + name;
  status.phase = phase;
  status.request = "5Gi";
  status.access_modes = {"ReadWriteOnce"};
  status.volume_mode = "Filesystem";
  status.storage_class = "fast";
  status.origin = "claims.yaml:3";
  if (phase == "Bound") {
    status.volume = "pv-1";
    status.capacity = "10Gi";
  }
  return status;
}

ClaimStatus waiting_claim() {
  ClaimStatus status = claim("data", "Pending");
  status.reason = "WaitForFirstConsumer";
  status.message = "no pod uses it yet";
  return status;
}

PersistentVolumeStatus volume() {
  PersistentVolumeStatus status;
  status.name = ObjectName("pv-1");
  status.phase = "Released";
  status.capacity = "10Gi";
  status.access_modes = {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce"};
  status.volume_mode = "Filesystem";
  status.reclaim_policy = "Retain";
  status.storage_class = "fast";
  status.claim = "shop/data";
  status.plugin = "kubernetes.io/nfs";
  status.source = "nfs 10.0.0.1:/export";
  status.origin = "pv.yaml:1";
  return status;
}

StorageClassStatus storage_class() {
  StorageClassStatus status;
  status.name = ObjectName("mooring");
  status.provisioner = "directory.mooring.io";
  status.reclaim_policy = "Delete";
  status.binding_mode = "Immediate";
  status.allow_volume_expansion = true;
  status.is_default = true;
  return status;
}

TEST(ClaimTable, has_the_columns_of_kubectl) {
  EXPECT_EQ(claim_table({claim("data", "Bound"), waiting_claim()}, false, false),
            "NAME  STATUS   VOLUME  CAPACITY  ACCESS MODES  STORAGECLASS\n"
            "data  Bound    pv-1    10Gi      RWO           fast\n"
            "data  Pending  -       -         RWO           fast\n");
}

TEST(ClaimTable, has_the_namespace_first_if_asked_for_all) {
  EXPECT_TRUE(claim_table({claim("data", "Bound")}, true, false).starts_with("NAMESPACE  NAME  STATUS"));
}

TEST(ClaimTable, has_mode_and_cause_only_when_wide) {
  EXPECT_THAT(claim_table({waiting_claim()}, false, true),
              HasSubstr("Filesystem  WaitForFirstConsumer  no pod uses it yet\n"));
  EXPECT_THAT(claim_table({waiting_claim()}, false, false), Not(HasSubstr("WaitForFirstConsumer")));
}

TEST(ClaimTable, lets_nothing_through_that_drives_a_terminal) {
  ClaimStatus odd = waiting_claim();
  odd.message = "a\x1b[2Jb\nc";
  const std::string text = claim_table({odd}, false, true) + claim_details(odd) + claim_story(odd);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("b\nc")));
}

TEST(AccessModes, are_short_and_in_the_order_of_kubectl) {
  EXPECT_EQ(short_access_modes({"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"}),
            "RWO,ROX,RWX,RWOP");
  EXPECT_EQ(short_access_modes({"ReadWriteOncePod"}), "RWOP");
  EXPECT_EQ(short_access_modes({"Telepathy", "ReadWriteOnce"}), "RWO,Telepathy");
  EXPECT_EQ(short_access_modes({}), "");
}

TEST(PersistentVolumeTable, has_the_columns_of_kubectl) {
  EXPECT_EQ(persistent_volume_table({volume()}, false),
            "NAME  CAPACITY  ACCESS MODES  RECLAIM POLICY  STATUS    CLAIM      STORAGECLASS  REASON\n"
            "pv-1  10Gi      RWO,ROX,RWX   Retain          Released  shop/data  fast          -\n");
  EXPECT_THAT(persistent_volume_table({volume()}, true), HasSubstr("nfs 10.0.0.1:/export"));
}

TEST(StorageClassTable, names_the_default_as_kubectl_does) {
  EXPECT_EQ(
      storage_class_table({storage_class()}, false),
      "NAME               PROVISIONER           RECLAIMPOLICY  VOLUMEBINDINGMODE  ALLOWVOLUMEEXPANSION\n"
      "mooring (default)  directory.mooring.io  Delete         Immediate          true\n");
}

TEST(CandidateTable, says_why_not_or_that_it_fits) {
  EXPECT_EQ(candidate_table({{"pv-1", "too small"}, {"pv-2", ""}}),
            "VOLUME  WHY NOT\n"
            "pv-1    too small\n"
            "pv-2    it fits\n");
}

TEST(Trouble, is_everything_but_bound_and_waiting_for_the_first_pod) {
  EXPECT_FALSE(is_in_trouble(claim("a", "Bound")));
  EXPECT_FALSE(is_in_trouble(waiting_claim()));
  EXPECT_TRUE(is_in_trouble(claim("a", "Pending")));
  EXPECT_TRUE(is_in_trouble(claim("a", "Lost")));
  EXPECT_TRUE(is_in_trouble(claim("a", "Terminating")));
}

TEST(Trouble, of_a_volume_is_that_it_failed_or_that_work_on_it_does) {
  PersistentVolumeStatus status = volume();
  EXPECT_FALSE(is_in_trouble(status));
  status.attempts = 1;
  EXPECT_TRUE(is_in_trouble(status));
  status.attempts = 0;
  status.phase = "Failed";
  EXPECT_TRUE(is_in_trouble(status));
}

TEST(TroubleTable, names_each_with_its_cause_and_is_empty_without_any) {
  ClaimStatus lost = claim("data", "Lost");
  lost.reason = "ClaimLost";
  lost.message = "pv-9 is gone";
  const std::string text = storage_trouble_table({claim("fine", "Bound"), lost}, {volume()}, {});
  EXPECT_THAT(text, HasSubstr("pvc/shop/data  Lost    -         ClaimLost: pv-9 is gone"));
  EXPECT_THAT(text, Not(HasSubstr("fine")));
  EXPECT_THAT(text, Not(HasSubstr("pv-1")));
  EXPECT_EQ(storage_trouble_table({claim("fine", "Bound"), waiting_claim()}, {volume()}, {}), "");
}

TEST(ClaimDetails, say_the_cause_and_what_to_do_of_one_that_is_not_bound) {
  ClaimStatus failing = claim("data", "Pending");
  failing.reason = "ProvisioningFailed";
  failing.message = "no space";
  failing.attempts = 2;
  const std::string text = claim_details(failing);
  EXPECT_THAT(text, HasSubstr("claim shop/data: Pending\n"));
  EXPECT_THAT(text, HasSubstr("cause:      ProvisioningFailed: no space\n"));
  EXPECT_THAT(text, HasSubstr("tries:      2 failed\n"));
  EXPECT_THAT(text, HasSubstr("what to do: "));
  EXPECT_THAT(text, HasSubstr("asks for:   5Gi, ReadWriteOnce, Filesystem\n"));
  EXPECT_THAT(text, HasSubstr("used by:    no pod\n"));
  EXPECT_THAT(claim_details(claim("data", "Bound")), Not(HasSubstr("what to do")));
}

TEST(ClaimDetails, tell_no_class_from_no_class_and_no_default) {
  ClaimStatus status = claim("data", "Pending");
  status.storage_class = "";
  EXPECT_THAT(claim_details(status), HasSubstr("class:      none\n"));
  status.storage_class.reset();
  EXPECT_THAT(claim_details(status), HasSubstr("there is no default"));
}

TEST(ClaimDetails, say_that_no_manifest_holds_one_that_was_kept) {
  ClaimStatus kept = claim("data", "Bound");
  kept.origin.clear();
  EXPECT_THAT(claim_details(kept), HasSubstr("manifest:   none holds it any more"));
}

TEST(Advice, is_the_daemons_if_it_has_one_and_never_empty) {
  ClaimStatus status = claim("data", "Pending");
  status.action = "do this";
  EXPECT_EQ(claim_advice(status), "do this");
  for (const char* phase : {"Pending", "Bound", "Lost", "Terminating", "Odd"})
    EXPECT_FALSE(claim_advice(claim("data", phase)).empty()) << phase;
}

TEST(ClaimStory, points_to_explain_and_says_nothing_of_a_claim_that_is_well) {
  EXPECT_EQ(claim_story(claim("data", "Bound")), "");
  EXPECT_THAT(claim_story(waiting_claim()),
              HasSubstr("Pending: WaitForFirstConsumer: no pod uses it yet; more: mooringctl -n shop explain "
                        "pvc/data"));
}

TEST(ClaimOfAVolume, is_found_by_the_pods_namespace_and_the_name) {
  PodStatus pod;
  pod.name_space = Namespace("shop");
  VolumeStatus of_claim;
  of_claim.claim = "data";
  const std::vector<ClaimStatus> claims{claim("other", "Bound"), claim("data", "Bound")};
  ASSERT_NE(find_claim(claims, pod, of_claim), nullptr);
  EXPECT_EQ(find_claim(claims, pod, of_claim)->name.str(), "data");
  pod.name_space = Namespace("default");
  EXPECT_EQ(find_claim(claims, pod, of_claim), nullptr);
  EXPECT_EQ(find_claim(claims, pod, VolumeStatus{}), nullptr);
}

TEST(ClaimJson, has_all_fields_and_leaves_out_what_there_is_nothing_of) {
  ClaimStatus status = waiting_claim();
  status.users = {"shop/web"};
  status.owner = "StatefulSet shop/web";
  status.attempts = 1;
  status.next_retry = WallTime{std::chrono::seconds(1'800'000'000)};
  EXPECT_EQ(claim_json(status), Json::parse(R"({
    "metadata": {"namespace": "shop", "name": "data", "uid": "u-data"}, "phase": "Pending", "volume": "",
    "capacity": "", "request": "5Gi", "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem",
    "storageClass": "fast", "reason": "WaitForFirstConsumer", "message": "no pod uses it yet", "attempts": 1,
    "nextRetry": "2027-01-15T08:00:00.000Z", "origin": "claims.yaml:3", "users": ["shop/web"],
    "owner": "StatefulSet shop/web"})"));
  status = claim("data", "Bound");
  status.storage_class.reset();
  status.origin.clear();
  for (const char* key : {"reason", "message", "action", "nextRetry", "storageClass", "origin", "owner"})
    EXPECT_FALSE(claim_json(status).contains(key)) << key;
}

TEST(PersistentVolumeJson, has_all_fields) {
  const Json json = persistent_volume_json(volume());
  EXPECT_EQ(json, Json::parse(R"({
    "metadata": {"name": "pv-1"}, "phase": "Released", "capacity": "10Gi",
    "accessModes": ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce"], "volumeMode": "Filesystem",
    "reclaimPolicy": "Retain", "storageClass": "fast", "claim": "shop/data", "plugin": "kubernetes.io/nfs",
    "source": "nfs 10.0.0.1:/export", "mountOptions": [], "attempts": 0, "origin": "pv.yaml:1"})"));
}

VolumeSnapshotStatus snapshot(const std::string& name, const std::string& phase) {
  VolumeSnapshotStatus status;
  status.name_space = Namespace("shop");
  status.name = ObjectName(name);
  status.uid = "u-1";
  status.phase = phase;
  status.claim = "data";
  status.volume = "pvc-1";
  status.content = "snapcontent-u-1";
  status.snapshot_class = "keep";
  status.driver = "d.example.com";
  status.handle = "snap-1";
  status.restore_size = "5Gi";
  status.creation_time = "2026-01-01T00:00:00Z";
  status.deletion_policy = "Retain";
  status.origin = "s.yaml:1";
  return status;
}

TEST(VolumeSnapshotJson, has_all_fields) {
  EXPECT_EQ(snapshot_json(snapshot("daily", "Ready")), Json::parse(R"({
    "metadata": {"namespace": "shop", "name": "daily", "uid": "u-1"}, "phase": "Ready", "readyToUse": true,
    "claim": "data", "volume": "pvc-1", "content": "snapcontent-u-1", "snapshotClass": "keep",
    "driver": "d.example.com", "handle": "snap-1", "restoreSize": "5Gi",
    "creationTime": "2026-01-01T00:00:00Z", "deletionPolicy": "Retain", "attempts": 0,
    "origin": "s.yaml:1"})"));
  EXPECT_EQ(snapshot_json(snapshot("daily", "Pending"))["readyToUse"], false);
}

TEST(VolumeSnapshotTable, has_the_columns_of_kubectl) {
  const std::string text = snapshot_table({snapshot("daily", "Ready")}, true, false);
  EXPECT_THAT(text, HasSubstr("NAMESPACE  NAME   STATUS  SOURCEPVC  RESTORESIZE  SNAPSHOTCLASS"));
  EXPECT_THAT(text, HasSubstr("shop       daily  Ready   data       5Gi          keep"));
  EXPECT_THAT(snapshot_table({snapshot("daily", "Ready")}, false, true), HasSubstr("snap-1  Retain"));
}

TEST(VolumeSnapshotDetails, say_what_it_is_and_what_to_do) {
  VolumeSnapshotStatus status = snapshot("daily", "Released");
  status.origin.clear();
  status.reason = "Released";
  status.action = "do it";
  const std::string text = snapshot_details(status);
  for (const char* part : {"shop/daily", "Released", "do it", "snap-1", "none holds it any more", "Retain"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST(TroubleTable, has_snapshots_that_are_not_ready_and_none_that_are_kept) {
  VolumeSnapshotStatus waiting = snapshot("nightly", "Pending");
  waiting.reason = "DriverNotRegistered";
  const std::string text =
      storage_trouble_table({}, {}, {waiting, snapshot("daily", "Ready"), snapshot("old", "Released")});
  EXPECT_THAT(text, HasSubstr("volumesnapshot/shop/nightly  Pending  -         DriverNotRegistered"));
  EXPECT_THAT(text, Not(HasSubstr("daily")));
  EXPECT_THAT(text, Not(HasSubstr("old")));
}

TEST(StorageClassJson, says_whether_it_is_built_in) {
  StorageClassStatus status = storage_class();
  EXPECT_EQ(storage_class_json(status)["builtIn"], true);
  status.origin = "sc.yaml:1";
  status.parameters = {{"path", "/srv"}};
  const Json json = storage_class_json(status);
  EXPECT_EQ(json["builtIn"], false);
  EXPECT_EQ(json["origin"], "sc.yaml:1");
  EXPECT_EQ(json["parameters"], Json({{"path", "/srv"}}));
  EXPECT_EQ(json["default"], true);
}

TEST(CandidatesJson, say_why_not_only_of_those_that_do_not_fit) {
  EXPECT_EQ(candidates_json({{"pv-1", "too small"}, {"pv-2", ""}}),
            Json::parse(R"([{"volume": "pv-1", "fits": false, "whyNot": "too small"},
                            {"volume": "pv-2", "fits": true}])"));
}

TEST(ClaimCounts, name_pending_and_lost_only_if_there_are_any) {
  const std::vector<ClaimStatus> mixed{claim("a", "Bound"), claim("b", "Pending"), claim("c", "Lost")};
  EXPECT_EQ(claim_counts(mixed), "1 of 3 claims bound, 1 pending, 1 lost");
  EXPECT_EQ(claim_counts({claim("a", "Bound")}), "1 of 1 claims bound");
  EXPECT_EQ(claim_counts_json(mixed), Json::parse(R"({"total": 3, "bound": 1, "pending": 1, "lost": 1})"));
}

}  // namespace
}  // namespace mooring::ctl
