// What the daemon writes on the bus of claims, volumes and classes is what the client reads.

#include <gtest/gtest.h>

#include "client/decode.h"
#include "daemon/bus_objects.h"
#include "daemon/bus_values.h"
#include "letter.h"

namespace mooring {
namespace {

WallTime at(std::uint64_t seconds) {
  return {std::chrono::seconds(seconds)};
}

ClaimStatus whole_claim() {
  ClaimStatus claim;
  claim.name_space = Namespace("shop");
  claim.name = ObjectName("data-web-0");
  claim.uid = "u-1";
  claim.phase = "Pending";
  claim.volume = "pvc-u-1";
  claim.capacity = "5Gi";
  claim.request = "6Gi";
  claim.access_modes = {"ReadWriteMany", "ReadWriteOnce"};
  claim.volume_mode = "Block";
  claim.storage_class = "fast";
  claim.origin = "web.yaml:3";
  claim.owner = "StatefulSet shop/web";
  claim.reason = "ProvisioningFailed";
  claim.message = "no space";
  claim.action = "make room";
  claim.users = {"shop/web-0", "shop/web-1"};
  claim.attempts = 3;
  claim.next_retry = at(1'800'000'000);
  return claim;
}

ClaimStatus carried(const ClaimStatus& claim) {
  Letter letter;
  const auto read = bus::decode_claims(letter.list_of([&](auto* m) { return append_claim(m, claim); }));
  EXPECT_TRUE(read && read.value().size() == 1);
  return read && !read.value().empty() ? read.value()[0] : ClaimStatus{};
}

TEST(ClaimOnTheBus, carries_every_field) {
  const ClaimStatus claim = whole_claim();
  const ClaimStatus read = carried(claim);
  EXPECT_EQ(read.name_space, claim.name_space);
  EXPECT_EQ(read.name, claim.name);
  EXPECT_EQ(read.uid, claim.uid);
  EXPECT_EQ(read.phase, claim.phase);
  EXPECT_EQ(read.volume, claim.volume);
  EXPECT_EQ(read.capacity, claim.capacity);
  EXPECT_EQ(read.request, claim.request);
  EXPECT_EQ(read.access_modes, claim.access_modes);
  EXPECT_EQ(read.volume_mode, claim.volume_mode);
  EXPECT_EQ(read.storage_class, claim.storage_class);
  EXPECT_EQ(read.origin, claim.origin);
  EXPECT_EQ(read.owner, claim.owner);
  EXPECT_EQ(read.reason, claim.reason);
  EXPECT_EQ(read.message, claim.message);
  EXPECT_EQ(read.action, claim.action);
  EXPECT_EQ(read.users, claim.users);
  EXPECT_EQ(read.attempts, 3U);
  ASSERT_TRUE(read.next_retry);
  EXPECT_EQ(read.next_retry->since_epoch, claim.next_retry->since_epoch);
}

TEST(ClaimOnTheBus, without_a_class_is_not_one_with_an_empty_class) {
  ClaimStatus claim = whole_claim();
  claim.storage_class.reset();
  EXPECT_FALSE(carried(claim).storage_class);
  claim.storage_class = "";
  EXPECT_EQ(carried(claim).storage_class, "");
}

TEST(ClaimOnTheBus, has_no_next_try_if_there_is_none) {
  ClaimStatus claim = whole_claim();
  claim.next_retry.reset();
  EXPECT_FALSE(carried(claim).next_retry);
}

TEST(ClaimOnTheBus, of_a_newer_daemon_may_tell_more) {
  Letter letter;
  const auto read = bus::decode_claims(letter.list_of([](sd_bus_message* message) {
    return sd_bus_message_append(message, "a{sv}", 2, "conditions", "a(su)", 1, "x", 7U, "name", "s", "data");
  }));
  ASSERT_TRUE(read);
  EXPECT_EQ(read.value().at(0).name.str(), "data");
}

TEST(ClaimsOnTheBus, that_are_no_list_are_an_error) {
  Letter letter;
  EXPECT_GE(sd_bus_message_append(letter.get(), "s", "no list"), 0);
  EXPECT_FALSE(bus::decode_claims(letter.sealed()));
}

TEST(PersistentVolumeOnTheBus, carries_every_field) {
  PersistentVolumeStatus volume;
  volume.name = ObjectName("pv-1");
  volume.phase = "Failed";
  volume.capacity = "5Gi";
  volume.access_modes = {"ReadWriteOnce"};
  volume.volume_mode = "Filesystem";
  volume.reclaim_policy = "Delete";
  volume.storage_class = "fast";
  volume.claim = "shop/data";
  volume.plugin = "kubernetes.io/nfs";
  volume.source = "nfs 10.0.0.1:/export";
  volume.provisioner = "p";
  volume.mount_options = {"hard", "nfsvers=4.2"};
  volume.origin = "pv.yaml:1";
  volume.reason = "VolumeFailedDelete";
  volume.message = "why";
  volume.action = "what";
  volume.attempts = 2;
  volume.next_retry = at(1'800'000'001);
  Letter letter;
  const auto list = bus::decode_persistent_volumes(
      letter.list_of([&](sd_bus_message* m) { return append_persistent_volume(m, volume); }));
  ASSERT_TRUE(list && list.value().size() == 1);
  const PersistentVolumeStatus& read = list.value()[0];
  EXPECT_EQ(read.name, volume.name);
  EXPECT_EQ(read.phase, volume.phase);
  EXPECT_EQ(read.capacity, volume.capacity);
  EXPECT_EQ(read.access_modes, volume.access_modes);
  EXPECT_EQ(read.volume_mode, volume.volume_mode);
  EXPECT_EQ(read.reclaim_policy, volume.reclaim_policy);
  EXPECT_EQ(read.storage_class, volume.storage_class);
  EXPECT_EQ(read.claim, volume.claim);
  EXPECT_EQ(read.plugin, volume.plugin);
  EXPECT_EQ(read.source, volume.source);
  EXPECT_EQ(read.provisioner, volume.provisioner);
  EXPECT_EQ(read.mount_options, volume.mount_options);
  EXPECT_EQ(read.origin, volume.origin);
  EXPECT_EQ(read.reason, volume.reason);
  EXPECT_EQ(read.message, volume.message);
  EXPECT_EQ(read.action, volume.action);
  EXPECT_EQ(read.attempts, 2U);
  ASSERT_TRUE(read.next_retry);
  EXPECT_EQ(read.next_retry->since_epoch, volume.next_retry->since_epoch);
}

TEST(VolumeSnapshotOnTheBus, carries_every_field) {
  VolumeSnapshotStatus snapshot;
  snapshot.name_space = Namespace("shop");
  snapshot.name = ObjectName("daily");
  snapshot.uid = "u-1";
  snapshot.phase = "Pending";
  snapshot.claim = "data";
  snapshot.volume = "pvc-1";
  snapshot.content = "snapcontent-u-1";
  snapshot.snapshot_class = "keep";
  snapshot.driver = "d.example.com";
  snapshot.handle = "snap-1";
  snapshot.restore_size = "5Gi";
  snapshot.creation_time = "2026-01-01T00:00:00Z";
  snapshot.deletion_policy = "Retain";
  snapshot.origin = "s.yaml:1";
  snapshot.reason = "SnapshotCreationFailed";
  snapshot.message = "why";
  snapshot.action = "what";
  snapshot.attempts = 3;
  snapshot.next_retry = at(1'800'000'001);
  Letter letter;
  const auto list = bus::decode_snapshots(
      letter.list_of([&](sd_bus_message* m) { return append_volume_snapshot(m, snapshot); }));
  ASSERT_TRUE(list && list.value().size() == 1);
  VolumeSnapshotStatus read = list.value()[0];
  ASSERT_TRUE(read.next_retry);
  EXPECT_EQ(read.next_retry->since_epoch, snapshot.next_retry->since_epoch);
  read.next_retry = snapshot.next_retry;
  EXPECT_TRUE(read == snapshot);
}

StorageClassStatus carried(const StorageClassStatus& storage_class) {
  Letter letter;
  const auto read = bus::decode_storage_classes(
      letter.list_of([&](sd_bus_message* m) { return append_storage_class(m, storage_class); }));
  EXPECT_TRUE(read && read.value().size() == 1);
  return read && !read.value().empty() ? read.value()[0] : StorageClassStatus{};
}

TEST(StorageClassOnTheBus, carries_every_field) {
  StorageClassStatus status;
  status.name = ObjectName("fast");
  status.provisioner = "block.mooring.io";
  status.reclaim_policy = "Retain";
  status.binding_mode = "WaitForFirstConsumer";
  status.allow_volume_expansion = true;
  status.is_default = true;
  status.parameters = {{"csi.storage.k8s.io/fstype", "xfs"}, {"path", "/srv"}};
  status.mount_options = {"noatime"};
  status.origin = "sc.yaml:1";
  status.message = "wrong";
  const StorageClassStatus read = carried(status);
  EXPECT_EQ(read.name, status.name);
  EXPECT_EQ(read.provisioner, status.provisioner);
  EXPECT_EQ(read.reclaim_policy, status.reclaim_policy);
  EXPECT_EQ(read.binding_mode, status.binding_mode);
  EXPECT_TRUE(read.allow_volume_expansion);
  EXPECT_TRUE(read.is_default);
  EXPECT_EQ(read.parameters, status.parameters);
  EXPECT_EQ(read.mount_options, status.mount_options);
  EXPECT_EQ(read.origin, status.origin);
  EXPECT_EQ(read.message, status.message);
}

TEST(StorageClassOnTheBus, tells_no_secret_value) {
  StorageClassStatus status;
  status.parameters = {{"restuserkey", "s3cret"}, {"userSecretName", "ceph-user"}};
  status.mount_options = {"password=s3cret", "secretfile=/etc/x", "hard"};
  const StorageClassStatus read = carried(status);
  EXPECT_EQ(read.parameters.at("restuserkey"), "(hidden)");
  EXPECT_EQ(read.parameters.at("userSecretName"), "ceph-user");
  EXPECT_EQ(read.mount_options, (std::vector<std::string>{"password=(hidden)", "secretfile=/etc/x", "hard"}));
}

TEST(CandidateOnTheBus, carries_the_volume_and_why_not) {
  Letter letter;
  const auto read = bus::decode_candidates(letter.list_of([](sd_bus_message* m) {
    const int first = append_candidate(m, {"pv-1", "too small"});
    return first < 0 ? first : append_candidate(m, {"pv-2", ""});
  }));
  ASSERT_TRUE(read && read.value().size() == 2);
  EXPECT_EQ(read.value()[0].volume, "pv-1");
  EXPECT_EQ(read.value()[0].why_not, "too small");
  EXPECT_EQ(read.value()[1].why_not, "");
}

TEST(Property, is_the_value_that_the_list_tells_or_there_is_none_such) {
  const ClaimStatus claim = whole_claim();
  Letter letter;
  EXPECT_GE(append_claim_property(letter.get(), claim, "Phase"), 0);
  EXPECT_EQ(append_claim_property(letter.get(), claim, "phase"), -ENOENT);
  EXPECT_EQ(append_persistent_volume_property(letter.get(), {}, "Users"), -ENOENT);
  const char* text = nullptr;
  EXPECT_GT(sd_bus_message_read(letter.sealed(), "s", &text), 0);
  EXPECT_STREQ(text, "Pending");
}

TEST(ObjectPath, of_a_claim_leads_back_to_it) {
  for (const ObjectKey& key : {ObjectKey{Namespace("default"), ObjectName("data")},
                               ObjectKey{Namespace("a-b"), ObjectName("x.y_z/9")}}) {
    const auto parsed = parse_claim_path(claim_path(key).c_str());
    ASSERT_TRUE(parsed) << claim_path(key);
    EXPECT_EQ(*parsed, key);
  }
  EXPECT_FALSE(parse_claim_path("/io/mooring/VolumeManager1/claim/default"));
  EXPECT_FALSE(parse_claim_path("/io/mooring/VolumeManager1/volume/default/data"));
}

TEST(ObjectPath, of_a_persistent_volume_leads_back_to_it) {
  const ObjectName name("pvc-7e5b.7");
  EXPECT_EQ(parse_persistent_volume_path(persistent_volume_path(name).c_str()), name);
  EXPECT_FALSE(parse_persistent_volume_path("/io/mooring/VolumeManager1/pod/x"));
}

}  // namespace
}  // namespace mooring
