// Claims in the core: what is written first, what waits for what, and what is told (kubelet-behaviours 2.3,
// 18).

#include <gmock/gmock.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

const std::string manual = "  storageClassName: manual\n";

std::string claim_yaml(const std::string& name, const std::string& spec = "") {
  return "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: " + name + "}\nspec:\n" +
         (spec.find("accessModes") == std::string::npos ? "  accessModes: [ReadWriteOnce]\n" : "") +
         "  resources: {requests: {storage: 1Gi}}\n" + spec;
}

std::string volume_yaml(const std::string& name, const std::string& spec = "") {
  return "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: " + name +
         "}\nspec:\n  capacity: {storage: 1Gi}\n" +
         (spec.find("accessModes") == std::string::npos ? "  accessModes: [ReadWriteOnce]\n" : "") +
         (spec.find("storageClassName") == std::string::npos ? manual : "") + "  hostPath: {path: /srv/" +
         name + "}\n" + spec;
}

const std::string waiting_class =
    "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: manual}\n"
    "provisioner: kubernetes.io/no-provisioner\nvolumeBindingMode: WaitForFirstConsumer\n";

std::string of_claim(const std::string& name) {
  return "persistentVolumeClaim: {claimName: " + name + "}";
}

class Claims : public testing::Test {
 protected:
  ClaimStatus claim(const std::string& name) const {
    const auto status = shell_.core.claim_status(key_of(name));
    if (!status) ADD_FAILURE() << "no claim " << name;
    return status.value_or(ClaimStatus());
  }
  PersistentVolumeStatus persistent(const std::string& name) const {
    for (PersistentVolumeStatus& status : shell_.core.persistent_volumes()) {
      if (status.name.str() == name) return std::move(status);
    }
    ADD_FAILURE() << "no PersistentVolume " << name;
    return {};
  }
  /// What is in flight and begins so.
  std::string doing(const std::string& start) const {
    for (const std::string& what : shell_.doing()) {
      if (what.starts_with(start)) return what;
    }
    return {};
  }

  Shell shell_;
};

TEST_F(Claims, nothing_is_bound_before_all_manifests_were_read) {
  shell_.adopt({}, {});
  shell_.write_text("c.yaml", claim_yaml("data", manual));
  shell_.write_text("v.yaml", volume_yaml("v1"));
  EXPECT_EQ(claim("data").phase, "Pending");
  EXPECT_THAT(shell_.ledger.volumes, IsEmpty());
  shell_.list({"c.yaml", "v.yaml"});
  EXPECT_EQ(claim("data").phase, "Bound");
  EXPECT_EQ(claim("data").volume, "v1");
  EXPECT_EQ(persistent("v1").phase, "Bound");
  EXPECT_EQ(persistent("v1").claim, "default/data");
}

TEST_F(Claims, a_pod_gets_its_claim_only_when_the_binding_is_written_down) {
  shell_.start();
  shell_.is_ledger_slow = true;
  shell_.write_text("v.yaml", volume_yaml("v1"));
  shell_.write_text("c.yaml", claim_yaml("data", manual));
  shell_.write("web", {{"data", of_claim("data")}});
  ASSERT_TRUE(shell_.writing);
  EXPECT_THAT(shell_.doing(), IsEmpty());
  EXPECT_NE(shell_.volume("web", "data").reason, "");
  while (shell_.writing)
    shell_.end_writing();
  shell_.finish();
  EXPECT_TRUE(shell_.pod("web").ready);
  EXPECT_EQ(shell_.volume("web", "data").claim, "data");
}

TEST_F(Claims, behaviour_18_6_waits_for_the_first_consumer) {
  shell_.start();
  shell_.write_text("k.yaml", waiting_class);
  shell_.write_text("v.yaml", volume_yaml("v1"));
  shell_.write_text("c.yaml", claim_yaml("data", manual));
  EXPECT_EQ(claim("data").phase, "Pending");
  EXPECT_EQ(claim("data").reason, "WaitForFirstConsumer");
  shell_.write("web", {{"data", of_claim("data")}});
  EXPECT_EQ(claim("data").phase, "Bound");
  EXPECT_EQ(claim("data").reason, "");
  EXPECT_THAT(claim("data").users, ElementsAre("default/web"));
  shell_.finish();
  EXPECT_TRUE(shell_.pod("web").ready);
}

TEST_F(Claims, a_claim_without_a_class_is_provisioned_by_the_one_that_is_built_in) {
  shell_.start();
  shell_.write_text("c.yaml", claim_yaml("data"));
  const std::string making = doing("provision pv/pvc-");
  ASSERT_NE(making, "");
  EXPECT_EQ(claim("data").phase, "Pending");
  EXPECT_EQ(claim("data").reason, "Provisioning");
  EXPECT_EQ(persistent(claim("data").volume).phase, "Provisioning");
  shell_.end(making);
  EXPECT_EQ(claim("data").phase, "Bound");
  EXPECT_EQ(claim("data").capacity, "1Gi");
  EXPECT_EQ(shell_.count("ProvisioningSucceeded persistentvolumeclaim/default/data"), 1);
}

TEST_F(Claims, what_cannot_be_made_says_why_and_is_tried_again) {
  shell_.start();
  shell_.write_text("c.yaml", claim_yaml("data"));
  shell_.write("web", {{"data", of_claim("data")}});
  const std::string making = doing("provision pv/pvc-");
  shell_.fail(making, error_of(ErrorKind::Transient, "NoSpace", "the disk is full"));
  EXPECT_EQ(claim("data").reason, "NoSpace");
  EXPECT_THAT(claim("data").message, HasSubstr("the disk is full"));
  EXPECT_EQ(claim("data").attempts, 1U);
  EXPECT_TRUE(claim("data").next_retry);
  EXPECT_EQ(shell_.volume("web", "data").reason, "NoSpace");
  EXPECT_EQ(shell_.count("ProvisioningFailed persistentvolumeclaim/default/data"), 1);
  shell_.wake();
  shell_.end(making);
  shell_.finish();
  EXPECT_TRUE(shell_.pod("web").ready);
}

TEST_F(Claims, behaviour_18_5_a_claim_that_a_pod_has_stays_until_the_pod_is_gone) {
  shell_.start();
  shell_.write_text("c.yaml", claim_yaml("data"));
  shell_.write("web", {{"data", of_claim("data")}});
  shell_.finish();
  ASSERT_TRUE(shell_.pod("web").ready);
  const std::string volume = claim("data").volume;
  shell_.feed(FileGone{"c.yaml"});
  EXPECT_EQ(claim("data").phase, "Terminating");
  EXPECT_TRUE(shell_.pod("web").ready);
  EXPECT_THAT(shell_.doing(), IsEmpty());
  shell_.remove("web");
  EXPECT_EQ(doing("delete pv/"), "") << "the pod has it still";
  shell_.finish();
  EXPECT_FALSE(shell_.core.claim_status(key_of("data")));
  EXPECT_THAT(shell_.ledger.volumes, IsEmpty());
  EXPECT_EQ(shell_.count("VolumeDeleted persistentvolume/" + volume), 1);
}

TEST_F(Claims, a_pod_does_not_start_on_a_claim_that_is_being_deleted) {
  shell_.start();
  shell_.write_text("c.yaml", claim_yaml("data"));
  shell_.write("web", {{"data", of_claim("data")}});
  shell_.finish();
  shell_.feed(FileGone{"c.yaml"});
  shell_.write("late", {{"data", of_claim("data")}});
  EXPECT_FALSE(shell_.pod("late").ready);
  EXPECT_EQ(shell_.volume("late", "data").reason, "ClaimBeingDeleted");
}

TEST_F(Claims, a_manifest_that_could_not_be_read_deletes_no_claim) {
  shell_.start();
  shell_.write_text("c.yaml", claim_yaml("data"));
  shell_.finish();
  shell_.feed(FileUnreadable{"c.yaml", "EIO"});
  shell_.write_text("other.yaml", claim_yaml("other"));
  EXPECT_EQ(claim("data").phase, "Bound");
  shell_.feed(ListingFailed{"/manifests", "EIO"});
  shell_.feed(FileGone{"c.yaml"});
  EXPECT_NE(claim("data").phase, "Terminating") << "not all directories could be read";
  EXPECT_EQ(doing("delete"), "");
}

TEST_F(Claims, without_its_ledger_no_claim_is_touched_and_pods_say_why) {
  shell_.feed(RecordsRead{});
  shell_.feed(LedgerRead{error_of(ErrorKind::Final, "LedgerDamaged", "claims.db is damaged")});
  shell_.show_mounts();
  shell_.end_scan({});
  shell_.list({});
  shell_.write_text("c.yaml", claim_yaml("data"));
  shell_.write("web", {{"data", of_claim("data")}});
  shell_.write("other", {{"scratch", disk}});
  shell_.finish();
  EXPECT_TRUE(shell_.pod("other").ready);
  EXPECT_EQ(shell_.volume("web", "data").reason, "LedgerDamaged");
  EXPECT_THAT(shell_.core.node_status().problems, Contains(HasSubstr("claims.db is damaged")));
  shell_.feed(LedgerRead{Ledger{}});
  shell_.finish();
  EXPECT_TRUE(shell_.pod("web").ready);
}

TEST_F(Claims, what_may_not_have_been_written_is_decided_again) {
  shell_.start();
  shell_.is_ledger_slow = true;
  shell_.write_text("v.yaml", volume_yaml("v1"));
  shell_.write_text("c.yaml", claim_yaml("data", manual));
  ASSERT_TRUE(shell_.writing);
  shell_.writing.reset();  // Nobody knows what became of it: it is not on disk.
  shell_.feed(LedgerRead{Ledger{}});
  ASSERT_TRUE(shell_.writing);
  while (shell_.writing)
    shell_.end_writing();
  EXPECT_EQ(claim("data").volume, "v1");
}

TEST_F(Claims, read_write_once_pod_is_one_pods_at_a_time) {
  shell_.start();
  shell_.write_text("v.yaml", volume_yaml("v1", "  accessModes: [ReadWriteOncePod]\n"));
  shell_.write_text("c.yaml", claim_yaml("data", manual + "  accessModes: [ReadWriteOncePod]\n"));
  shell_.write("first", {{"data", of_claim("data")}});
  shell_.finish();
  ASSERT_TRUE(shell_.pod("first").ready);
  shell_.write("second", {{"data", of_claim("data")}});
  shell_.finish();
  EXPECT_FALSE(shell_.pod("second").ready);
  EXPECT_EQ(shell_.volume("second", "data").reason, "ClaimInUseByOtherPod");
  EXPECT_THAT(shell_.volume("second", "data").message, HasSubstr("default/first"));
  shell_.remove("first");
  shell_.finish();
  EXPECT_TRUE(shell_.pod("second").ready) << "at once, not when its backoff ends";
}

TEST_F(Claims, a_restart_finds_what_was_bound) {
  shell_.start();
  shell_.write_text("v.yaml", volume_yaml("v1"));
  shell_.write_text("v2.yaml", volume_yaml("v0"));
  shell_.write_text("c.yaml", claim_yaml("data", manual));
  const std::string volume = claim("data").volume;
  const std::string uid = claim("data").uid;
  Shell again;
  again.ledger = shell_.ledger;
  again.adopt({}, {});
  again.write_text("c.yaml", claim_yaml("data", manual));
  again.write("web", {{"data", of_claim("data")}});
  again.list({"c.yaml", "web.yaml"});  // The volumes' manifests are gone meanwhile.
  again.finish();
  EXPECT_EQ(again.core.claim_status(key_of("data"))->volume, volume);
  EXPECT_EQ(again.core.claim_status(key_of("data"))->uid, uid);
  EXPECT_TRUE(again.pod("web").ready);
}

TEST_F(Claims, a_pod_is_not_ready_with_the_volume_of_a_claim_that_it_names_no_more) {
  shell_.start();
  shell_.write_text("a.yaml", claim_yaml("a"));
  shell_.write_text("b.yaml", claim_yaml("b"));
  shell_.write("web", {{"data", of_claim("a")}});
  shell_.finish();
  ASSERT_TRUE(shell_.pod("web").ready);
  shell_.write("web", {{"data", of_claim("b")}});
  shell_.finish();
  EXPECT_FALSE(shell_.pod("web").ready);
  EXPECT_EQ(shell_.volume("web", "data").reason, "SpecChangeIgnored");
  shell_.remove("web");
  shell_.finish();
  shell_.write("web", {{"data", of_claim("b")}});
  shell_.finish();
  EXPECT_TRUE(shell_.pod("web").ready);
}

TEST_F(Claims, only_what_changed_is_told) {
  shell_.start();
  shell_.write_text("a.yaml", claim_yaml("a", manual));
  shell_.write_text("b.yaml", claim_yaml("b", manual));
  EXPECT_THAT(shell_.last.changed_claims, Each(key_of("b")));
  EXPECT_THAT(shell_.last.changed_claims, Not(IsEmpty()));
  shell_.write("web", {{"scratch", disk}});
  EXPECT_THAT(shell_.last.changed_claims, IsEmpty());
}

TEST_F(Claims, a_claim_of_a_manifest_is_deleted_by_its_manifest_alone) {
  shell_.start();
  shell_.write_text("c.yaml", claim_yaml("data", manual));
  const auto refused = shell_.core.delete_claim(key_of("data"), shell_.now());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, "ClaimInManifest");
  EXPECT_EQ(shell_.core.delete_claim(key_of("none"), shell_.now()).error().reason, "NoSuchClaim");
}

TEST_F(Claims, a_claim_that_a_stateful_set_left_can_be_deleted) {
  const std::string set =
      "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n  replicas: 1\n"
      "  serviceName: db\n  selector: {matchLabels: {app: db}}\n"
      "  template:\n    metadata: {labels: {app: db}}\n    spec:\n"
      "      containers: [{name: main, volumeMounts: [{name: data, mountPath: /data}]}]\n"
      "  volumeClaimTemplates:\n  - metadata: {name: data}\n    spec:\n      accessModes: [ReadWriteOnce]\n"
      "      resources: {requests: {storage: 1Gi}}\n";
  shell_.start();
  shell_.write_text("db.yaml", set);
  shell_.finish();
  ASSERT_EQ(claim("data-db-0").phase, "Bound");
  shell_.feed(FileGone{"db.yaml"});
  shell_.finish();
  EXPECT_EQ(claim("data-db-0").phase, "Bound") << "it outlives its pod";
  ASSERT_TRUE(shell_.core.delete_claim(key_of("data-db-0"), shell_.now()));
  shell_.take();
  shell_.finish();
  EXPECT_FALSE(shell_.core.claim_status(key_of("data-db-0")));
  EXPECT_THAT(shell_.ledger.volumes, IsEmpty());
}

TEST_F(Claims, a_released_volume_goes_free_when_somebody_says_so) {
  shell_.start();
  shell_.write_text("v.yaml", volume_yaml("v1"));
  shell_.write_text("c.yaml", claim_yaml("data", manual));
  shell_.feed(FileGone{"c.yaml"});
  EXPECT_EQ(persistent("v1").phase, "Released");
  shell_.write_text("c.yaml", claim_yaml("data", manual));
  EXPECT_EQ(claim("data").phase, "Pending") << "a claim that is made anew is another claim";
  ASSERT_TRUE(shell_.core.release_volume(ObjectName("v1"), false, shell_.now()));
  shell_.take();
  EXPECT_EQ(claim("data").phase, "Bound");
}

TEST_F(Claims, the_built_in_class_makes_nothing_while_manifests_are_being_written) {
  CoreOptions options = core_options();
  options.manifests_quiet = 500ms;
  Shell shell(options);
  shell.start();
  shell.write_text("c.yaml", claim_yaml("data"));
  EXPECT_EQ(shell.core.claim_status(key_of("data"))->reason, "Waiting");
  shell.advance(400ms);
  shell.write_text("v.yaml", volume_yaml("v1", "  storageClassName: ''\n"));
  EXPECT_EQ(shell.core.claim_status(key_of("data"))->volume, "v1") << "it was the next file";
  shell.write_text("d.yaml", claim_yaml("more"));
  shell.wake();
  EXPECT_EQ(shell.core.claim_status(key_of("more"))->reason, "Provisioning");
}

TEST_F(Claims, explain_names_each_volume_and_why_it_was_not_taken) {
  shell_.start();
  shell_.write_text("v.yaml", volume_yaml("v1"));
  shell_.write_text("c.yaml", claim_yaml("data", "  storageClassName: other\n"));
  const auto candidates = shell_.core.explain_claim(key_of("data"));
  ASSERT_THAT(candidates, SizeIs(1));
  EXPECT_EQ(candidates[0].volume, "v1");
  EXPECT_THAT(candidates[0].why_not, HasSubstr("storageClassName"));
}

TEST_F(Claims, the_built_in_class_is_the_default_until_a_manifest_has_one) {
  shell_.start();
  const auto before = shell_.core.storage_classes();
  ASSERT_THAT(before, SizeIs(1));
  EXPECT_TRUE(before[0].is_default);
  shell_.write_text("k.yaml",
                    "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: own, annotations: "
                    "{storageclass.kubernetes.io/is-default-class: \"true\"}}\nprovisioner: nobody\n");
  const auto after = shell_.core.storage_classes();
  ASSERT_THAT(after, SizeIs(2));
  EXPECT_FALSE(after[0].is_default);
  EXPECT_TRUE(after[1].is_default);
  EXPECT_THAT(after[1].message, HasSubstr("nobody"));
}

}  // namespace
}  // namespace mooring
