// kubelet-behaviours 18.5: what becomes of volumes and claims when the claim's manifest is gone.

#include "binding_fixture.h"

namespace mooring {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using State = LedgerVolume::State;
using Kind = VolumeWorkEnd::Kind;

std::string with_policy(const std::string& policy, const std::string& more = "") {
  return persistent("pv", "  persistentVolumeReclaimPolicy: " + policy + "\n" + more);
}
const std::string on_host = "  hostPath: {path: /srv/data}\n";

/// A claim "c" that has "pv", and whose manifest is gone then.
struct Reclaim : Binding {
  void bind_and_remove(const std::string& volume, const std::string& of_claim = claim("c")) {
    read(volume, "pv.yaml");
    read(of_claim, "c.yaml");
    ASSERT_EQ(volume_of("c"), "pv");
    store.remove("c.yaml");
    settle();
    ASSERT_EQ(find("c"), nullptr);
  }
  State state() const { return find_volume("pv")->state; }
};

TEST_F(Reclaim, kb_18_5_retain_keeps_it_for_ever_also_from_a_new_claim_of_the_same_name) {
  bind_and_remove(with_policy("Retain"));
  EXPECT_EQ(state(), State::Released);
  EXPECT_EQ(condition_of_volume("pv").reason, "Released");
  EXPECT_FALSE(condition_of_volume("pv").is_warning);
  read(claim("c"), "c.yaml");
  EXPECT_EQ(volume_of("c"), "FailedBinding");
  read(claim("c", "  volumeName: pv\n"), "c.yaml");
  EXPECT_EQ(volume_of("c"), "FailedBinding");
  EXPECT_THAT(condition("c").message, HasSubstr("kept for an earlier claim of that name"));
}

TEST_F(Reclaim, kb_18_5_a_released_volume_is_free_when_its_manifest_went_and_came_back) {
  bind_and_remove(with_policy("Retain"));
  store.remove("pv.yaml");
  settle();
  EXPECT_EQ(find_volume("pv"), nullptr);
  read(with_policy("Retain"), "pv.yaml");
  read(claim("c"), "c.yaml");
  EXPECT_EQ(volume_of("c"), "pv");
}

TEST_F(Reclaim, kb_18_5_a_pre_bound_volume_stays_released_too) {
  bind_and_remove(with_policy("Retain", "  claimRef: {name: c}\n"));
  EXPECT_EQ(state(), State::Released);
  read(claim("c"), "c.yaml");
  EXPECT_EQ(volume_of("c"), "FailedBinding");
}

TEST_F(Reclaim, kb_18_5_who_clears_or_rewrites_the_claim_reference_gives_it_away) {
  bind_and_remove(with_policy("Retain", "  claimRef: {name: c}\n"));
  read(with_policy("Retain", "  claimRef: {name: d}\n"), "pv.yaml");
  read(claim("d"), "d.yaml");
  EXPECT_EQ(volume_of("d"), "pv");
  store.remove("d.yaml");
  settle();
  EXPECT_EQ(state(), State::Released);
  read(with_policy("Retain"), "pv.yaml");
  read(claim("e"), "e.yaml");
  EXPECT_EQ(volume_of("e"), "pv");
}

TEST_F(Reclaim, kb_18_5_who_names_the_new_claim_by_its_uid_gives_it_away) {
  bind_and_remove(with_policy("Retain", "  claimRef: {name: c}\n"));
  read(claim("c", "", ", uid: u2"), "c.yaml");
  EXPECT_EQ(volume_of("c"), "FailedBinding");
  read(with_policy("Retain", "  claimRef: {name: c, uid: u2}\n"), "pv.yaml");
  EXPECT_EQ(volume_of("c"), "pv");
}

TEST_F(Reclaim, kb_18_5_who_writes_a_claim_reference_where_none_was_gives_it_away) {
  bind_and_remove(with_policy("Retain"));
  read(with_policy("Retain", "  claimRef: {name: c}\n"), "pv.yaml");
  read(claim("c"), "c.yaml");
  EXPECT_EQ(volume_of("c"), "pv");
}

TEST_F(Reclaim, a_claim_reference_that_was_added_or_taken_away_while_it_was_bound_gives_nothing_away) {
  read(with_policy("Retain"), "pv.yaml");
  read(claim("c"), "c.yaml");
  EXPECT_EQ(volume_of("c"), "pv");
  read(with_policy("Retain", "  claimRef: {name: c}\n"), "pv.yaml");
  settle();
  store.remove("c.yaml");
  settle();
  EXPECT_EQ(state(), State::Released);
  read(claim("d", "  volumeName: pv\n"), "d.yaml");
  EXPECT_EQ(volume_of("d"), "FailedBinding");
  ledger = {};
  store.remove("d.yaml");
  read(claim("c"), "c.yaml");
  EXPECT_EQ(volume_of("c"), "pv");
  read(with_policy("Retain"), "pv.yaml");
  settle();
  store.remove("c.yaml");
  settle();
  EXPECT_EQ(state(), State::Released);
}

TEST_F(Reclaim, kb_18_5_delete_removes_nothing_that_mooring_did_not_make) {
  bind_and_remove(with_policy("Delete"));
  EXPECT_EQ(state(), State::Failed);
  EXPECT_THAT(events(), ElementsAre("Warning VolumeFailedDelete persistentvolume/pv"));
  EXPECT_EQ(condition_of_volume("pv").reason, "VolumeFailedDelete");
  EXPECT_THAT(condition_of_volume("pv").message, HasSubstr("Mooring did not make"));
  EXPECT_NE(condition_of_volume("pv").action, "");
  read(with_policy("Retain"), "pv.yaml");
  settle();
  EXPECT_EQ(state(), State::Released);
  EXPECT_EQ(find_volume("pv")->message, "");
}

TEST_F(Reclaim, kb_18_5_recycle_empties_it_when_nobody_has_it_any_more) {
  read(with_policy("Recycle", on_host), "pv.yaml");
  read(claim("c"), "c.yaml");
  ASSERT_EQ(volume_of("c"), "pv");
  volumes_in_use.insert(ObjectName("pv"));
  store.remove("c.yaml");
  settle();
  EXPECT_EQ(state(), State::Released);
  EXPECT_THAT(condition_of_volume("pv").message, HasSubstr("emptied"));
  volumes_in_use.clear();
  settle();
  EXPECT_EQ(state(), State::Recycling);
  read(claim("d"), "d.yaml");
  EXPECT_EQ(volume_of("d"), "FailedBinding") << "not before it is empty";
  end_work(ObjectName("pv"), Kind::Emptied);
  EXPECT_EQ(volume_of("d"), "pv");
  EXPECT_THAT(events(), ElementsAre("Normal VolumeRecycled persistentvolume/pv",
                                    "Normal Bound persistentvolumeclaim/default/d"));
}

TEST_F(Reclaim, kb_18_5_what_cannot_be_emptied_is_failed) {
  bind_and_remove(with_policy("Recycle", "  csi: {driver: d, volumeHandle: h}\n"));
  EXPECT_EQ(state(), State::Failed);
  EXPECT_EQ(condition_of_volume("pv").reason, "VolumeFailedRecycle");
  ledger = {};
  bind_and_remove(with_policy("Recycle", on_host));
  end_work(ObjectName("pv"), Kind::Impossible, "it is the root of a file system");
  settle();
  EXPECT_EQ(state(), State::Failed);
  EXPECT_THAT(events(), ElementsAre("Warning VolumeFailedRecycle persistentvolume/pv"));
  EXPECT_EQ(condition_of_volume("pv").message, "it is the root of a file system");
  settle();
  EXPECT_EQ(state(), State::Failed) << "it is not tried again";
}

TEST_F(Reclaim, kb_18_5_a_claim_that_a_pod_names_stays_until_the_pod_is_gone) {
  read(with_policy("Retain"), "pv.yaml");
  read(claim("c"), "c.yaml");
  read(pod_of("web", {"c"}), "pod.yaml");
  ASSERT_EQ(volume_of("c"), "pv");
  store.remove("c.yaml");
  settle();
  ASSERT_NE(find("c"), nullptr);
  EXPECT_TRUE(find("c")->is_being_deleted);
  EXPECT_THAT(condition("c").message, HasSubstr("default/web"));
  claims_in_use.insert(claim_key("c"));
  store.remove("pod.yaml");
  settle();
  EXPECT_TRUE(find("c")->is_being_deleted) << "the pod is being torn down";
  EXPECT_EQ(state(), State::Bound);
  claims_in_use.clear();
  settle();
  EXPECT_EQ(find("c"), nullptr);
  EXPECT_EQ(state(), State::Released);
}

TEST_F(Reclaim, kb_18_5_a_manifest_that_returns_meanwhile_keeps_the_claim) {
  read(with_policy("Retain"), "pv.yaml");
  read(claim("c"), "c.yaml");
  read(pod_of("web", {"c"}), "pod.yaml");
  settle();
  const std::string uid = find("c")->claim.uid;
  store.remove("c.yaml");
  settle();
  EXPECT_TRUE(find("c")->is_being_deleted);
  read(claim("c"), "c.yaml");
  EXPECT_EQ(volume_of("c"), "pv");
  EXPECT_FALSE(find("c")->is_being_deleted);
  EXPECT_EQ(find("c")->claim.uid, uid);
}

TEST_F(Reclaim, kb_18_5_a_deletion_timestamp_is_as_if_the_manifest_were_gone) {
  read(with_policy("Retain"), "pv.yaml");
  read(claim("c"), "c.yaml");
  ASSERT_EQ(volume_of("c"), "pv");
  read(claim("c", "", ", deletionTimestamp: \"2026-01-01T00:00:00Z\""), "c.yaml");
  settle();
  EXPECT_EQ(find("c"), nullptr);
  EXPECT_EQ(condition("c").reason, "ClaimBeingDeleted");
  EXPECT_EQ(state(), State::Released);
}

TEST_F(Reclaim, kb_18_5_a_bound_volume_whose_manifest_is_gone_stays_until_its_claim_goes) {
  read(with_policy("Retain"), "pv.yaml");
  read(claim("c"), "c.yaml");
  ASSERT_EQ(volume_of("c"), "pv");
  store.remove("pv.yaml");
  EXPECT_EQ(volume_of("c"), "pv");
  EXPECT_EQ(condition_of_volume("pv").reason, "VolumeBeingDeleted");
  EXPECT_EQ(std::get<manifest::NfsSource>(find_volume("pv")->volume->source).path, "/pv");
  store.remove("c.yaml");
  settle();
  EXPECT_EQ(find_volume("pv"), nullptr);
  EXPECT_THAT(ledger.claims, IsEmpty());
}

TEST_F(Reclaim, kb_18_5_a_claim_of_another_uid_is_another_claim) {
  read(with_policy("Retain"), "pv.yaml");
  read(claim("c", "", ", uid: u1"), "c.yaml");
  ASSERT_EQ(volume_of("c"), "pv");
  read(claim("c", "", ", uid: u2"), "c.yaml");
  EXPECT_EQ(volume_of("c"), "FailedBinding");
  EXPECT_EQ(find("c")->claim.uid, "u2");
  EXPECT_EQ(state(), State::Released);
}

TEST_F(Reclaim, a_claim_that_may_be_in_a_broken_manifest_is_not_gone) {
  read(with_policy("Delete"), "pv.yaml");
  read(claim("c"), "c.yaml");
  ASSERT_EQ(volume_of("c"), "pv");
  ObjectStore other;  // As after a restart.
  other.apply(manifest::parse_file(with_policy("Delete"), "pv.yaml"));
  other.apply(manifest::parse_file(text_replaced(claim("c"), "1Gi", "none"), "c.yaml"));
  store = other;
  EXPECT_EQ(volume_of("c"), "pv");
  EXPECT_FALSE(find("c")->is_being_deleted);
}

TEST_F(Reclaim, a_claim_that_moves_into_a_file_that_breaks_by_it_is_not_gone) {
  read(with_policy("Delete"), "pv.yaml");
  read(claim("c"), "c.yaml");
  read(pod_of("web", {}), "web.yaml");
  ASSERT_EQ(volume_of("c"), "pv");
  store.apply(manifest::parse_file(pod_of("web", {}) + text_replaced(claim("c"), "1Gi", "none"), "web.yaml"));
  store.remove("c.yaml");
  EXPECT_EQ(volume_of("c"), "pv");
  read(pod_of("web", {}), "web.yaml");
  settle();
  EXPECT_EQ(find("c"), nullptr);
  read(claim("c"), "c.yaml");
  store.remove("pv.yaml");
  settle();
  read(with_policy("Delete"), "pv.yaml");
  ASSERT_EQ(volume_of("c"), "pv");
  store.mark_unreadable("web.yaml", "EACCES: Permission denied");
  store.remove("c.yaml");
  EXPECT_EQ(volume_of("c"), "pv");
}

TEST_F(Reclaim, what_is_not_emptied_yet_follows_its_manifest) {
  bind_and_remove(with_policy("Recycle", on_host));
  ASSERT_EQ(state(), State::Recycling);
  read(with_policy("Retain", on_host), "pv.yaml");
  settle();
  EXPECT_EQ(state(), State::Released);
  end_work(ObjectName("pv"), Kind::Emptied);
  settle();
  EXPECT_EQ(state(), State::Released) << "an end that comes too late changes nothing";
  read(with_policy("Recycle", on_host), "pv.yaml");
  settle();
  ASSERT_EQ(state(), State::Recycling);
  read(with_policy("Delete", on_host), "pv.yaml");
  settle();
  EXPECT_EQ(state(), State::Failed);
  read(with_policy("Recycle", on_host), "pv.yaml");
  settle();
  ASSERT_EQ(state(), State::Recycling);
  store.mark_unreadable("pv.yaml", "no");
  settle();
  EXPECT_EQ(state(), State::Recycling);
  store.remove("pv.yaml");
  settle();
  EXPECT_EQ(find_volume("pv"), nullptr);
}

TEST_F(Reclaim, what_is_still_in_use_when_its_emptying_is_taken_back_stays_known) {
  bind_and_remove(with_policy("Recycle", on_host));
  volumes_in_use.insert(ObjectName("pv"));
  store.remove("pv.yaml");
  settle();
  EXPECT_EQ(state(), State::Released);
  volumes_in_use.clear();
  settle();
  EXPECT_EQ(find_volume("pv"), nullptr);
}

TEST_F(Reclaim, a_claim_that_ends_for_another_of_its_name_says_so) {
  read(with_policy("Retain"), "pv.yaml");
  read(claim("c", "", ", uid: u1"), "c.yaml");
  read(pod_of("web", {"c"}), "pod.yaml");
  ASSERT_EQ(volume_of("c"), "pv");
  read(claim("c", "", ", uid: u2"), "c.yaml");
  settle();
  EXPECT_EQ(condition("c").reason, "ClaimBeingDeleted");
  EXPECT_THAT(condition("c").message, AllOf(HasSubstr("metadata.uid \"u2\""), HasSubstr("\"u1\""),
                                            Not(HasSubstr("manifest is gone")), HasSubstr("default/web")));
  EXPECT_THAT(condition("c").action, HasSubstr("\"u1\""));
  read(claim("c", "", ", uid: u1, deletionTimestamp: \"2026-01-01T00:00:00Z\""), "c.yaml");
  settle();
  EXPECT_THAT(condition("c").message, HasSubstr("deletionTimestamp"));
  store.remove("c.yaml");
  settle();
  EXPECT_THAT(condition("c").message, HasSubstr("its manifest is gone"));
}

TEST_F(Reclaim, volumes_that_are_kept_name_the_command_that_releases_them) {
  bind_and_remove(with_policy("Retain"));
  EXPECT_THAT(condition_of_volume("pv").action, HasSubstr("`mooringctl release pv/pv`"));
  read(with_policy("Delete"), "pv.yaml");
  settle();
  EXPECT_EQ(condition_of_volume("pv").reason, "VolumeFailedDelete");
  EXPECT_THAT(condition_of_volume("pv").action, HasSubstr("`mooringctl release pv/pv`"));
}

TEST_F(Reclaim, what_cannot_change_while_it_is_bound_does_not) {
  read(with_policy("Retain"), "pv.yaml");
  read(claim("c"), "c.yaml");
  ASSERT_EQ(volume_of("c"), "pv");
  read(sized(persistent("pv", "  volumeMode: Block\n  hostPath: {path: /x}\n  claimRef: {name: d}\n",
                        ", labels: {a: b}"),
             "512Mi"),
       "pv.yaml");
  read(text_replaced(claim("c", "  volumeMode: Block\n  storageClassName: x\n", ", labels: {a: b}"),
                     "[ReadWriteOnce]", "[ReadWriteMany]"),
       "c.yaml");
  EXPECT_EQ(volume_of("c"), "pv");
  EXPECT_EQ(condition("c").reason, "SpecChangeIgnored");
  EXPECT_THAT(condition("c").message, AllOf(HasSubstr("spec.accessModes"), HasSubstr("spec.volumeMode"),
                                            HasSubstr("spec.storageClassName")));
  EXPECT_EQ(find("c")->claim.volume_mode, manifest::VolumeMode::Filesystem);
  EXPECT_EQ(find("c")->claim.labels.at("a"), "b") << "labels follow";
  EXPECT_EQ(condition_of_volume("pv").reason, "SpecChangeIgnored");
  EXPECT_THAT(condition_of_volume("pv").message,
              AllOf(HasSubstr("spec.volumeMode"), HasSubstr("spec.capacity"), HasSubstr("spec.claimRef")));
  const manifest::PersistentVolume& volume = *find_volume("pv")->volume;
  EXPECT_FALSE(std::holds_alternative<manifest::NfsSource>(volume.source)) << "people correct names";
  EXPECT_EQ(volume.capacity, quantity("1Gi"));
  EXPECT_EQ(volume.labels.at("a"), "b");
}

}  // namespace
}  // namespace mooring
