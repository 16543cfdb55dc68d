// kubelet-behaviours 18.7 and 1.1: which class counts, and what is made when no volume is there.

#include "binding_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using State = LedgerVolume::State;
using Kind = VolumeWorkEnd::Kind;

TEST_F(Binding, kb_18_7_a_volume_is_made_in_two_changes) {
  read(storage_class("fast", "mountOptions: [ro]\n") + claim("c", "  storageClassName: fast\n"));
  settle();
  const LedgerClaim& row = *find("c");
  const std::string name = "pvc-" + row.claim.uid;
  EXPECT_EQ(row.volume.str(), name);
  EXPECT_FALSE(row.is_bound);
  EXPECT_EQ(condition("c").reason, "Provisioning");
  const LedgerVolume& volume = *find_volume(name);
  EXPECT_EQ(volume.state, State::Provisioning);
  EXPECT_EQ(volume.provisioner, "directory.mooring.io");
  EXPECT_EQ(volume.volume->claim->uid, row.claim.uid);
  EXPECT_EQ(volume.volume->storage_class, "fast");
  EXPECT_EQ(volume.volume->reclaim_policy, manifest::ReclaimPolicy::Delete);
  EXPECT_THAT(volume.volume->mount_options, ElementsAre("ro"));
  EXPECT_EQ(volume.volume->annotations.at("pv.kubernetes.io/provisioned-by"), "directory.mooring.io");
  end_work(ObjectName(name), Kind::Made);
  EXPECT_EQ(volume_of("c"), name);
  EXPECT_THAT(events(), ElementsAre("Normal ProvisioningSucceeded persistentvolumeclaim/default/c"));
  EXPECT_EQ(find("c")->capacity, quantity("1Gi"));
  EXPECT_EQ(find_volume(name)->made_capacity, quantity("1Gi"));
  EXPECT_EQ(condition("c"), BindingCondition{});
}

TEST_F(Binding, kb_15_3_what_is_made_for_a_claim_has_its_first_access_mode_first) {
  const std::string manifests = storage_class("fast") + claim("c", "  storageClassName: fast\n");
  const auto ordered = [&](const char* modes) { return text_replaced(manifests, "[ReadWriteOnce]", modes); };
  read(ordered("[ReadWriteMany, ReadOnlyMany]"));
  settle();
  EXPECT_EQ(find_volume(find("c")->volume.str())->volume->first_access_mode,
            manifest::AccessMode::ReadWriteMany);
  // It is what it was made for that counts from then on.
  read(ordered("[ReadOnlyMany, ReadWriteMany]"));
  settle();
  EXPECT_EQ(find("c")->claim.first_access_mode, manifest::AccessMode::ReadWriteMany);
  EXPECT_EQ(condition("c").reason, "Provisioning") << "nobody is bothered with it";
}

TEST_F(Binding, kb_18_7_volumes_that_are_there_come_first) {
  read(storage_class("fast") + sized(persistent("pv", "  storageClassName: fast\n"), "9Gi") +
       claim("c", "  storageClassName: fast\n"));
  EXPECT_EQ(volume_of("c"), "pv");
}

TEST_F(Binding, kb_18_7_reasons_why_nothing_is_made) {
  struct Case {
    const char* name;
    std::string manifests;
    const char* reason;
    const char* message;
  };
  const std::string wants = "  storageClassName: fast\n";
  for (const Case& c : {
           Case{"no class", claim("c"), "FailedBinding",
                "no persistent volumes available for this claim and no storage class is set"},
           Case{"class is not there", claim("c", wants), "ProvisioningFailed",
                "storageclass.storage.k8s.io \"fast\" not found"},
           Case{"nothing makes them",
                claim("c", wants) + storage_class("fast", "provisioner: kubernetes.io/no-provisioner\n"),
                "FailedBinding", "the class makes none"},
           Case{"unknown provisioner", claim("c", wants) + storage_class("fast", "provisioner: x.io/y\n"),
                "ExternalProvisioning", "block.mooring.io, directory.mooring.io"},
           Case{"selector", claim("c", wants + "  selector: {matchLabels: {a: b}}\n") + storage_class("fast"),
                "FailedBinding", "selector"},
           Case{"selector and no class of its own",
                claim("c", "  storageClassName: null\n  selector: {matchLabels: {a: b}}\n"), "FailedBinding",
                "selector"},
           Case{"what the provisioner refuses",
                claim("c", wants) + storage_class("fast", "parameters: {colour: red}\n"),
                "ProvisioningFailed", "colour"},
           Case{"a class cannot recycle",
                claim("c", wants) + storage_class("fast", "reclaimPolicy: Recycle\n"), "ProvisioningFailed",
                "Recycle"},
       }) {
    ledger = {};
    read(c.manifests);
    EXPECT_EQ(volume_of("c"), c.reason) << c.name;
    EXPECT_THAT(condition("c").message, HasSubstr(c.message)) << c.name;
    EXPECT_NE(condition("c").action, "") << c.name;
  }
}

TEST_F(Binding, kb_1_1_a_claim_without_a_class_gets_the_default_or_else_the_built_in) {
  read(claim_of_default("c"), "c.yaml");
  settle();
  EXPECT_EQ(volume_of("c"), "making pvc-" + find("c")->claim.uid);
  EXPECT_EQ(find_volume("pvc-" + find("c")->claim.uid)->volume->storage_class, "mooring");
  EXPECT_EQ(find("c")->claim.storage_class, "mooring");

  ledger = {};
  read(persistent("pv"), "pv.yaml");
  EXPECT_EQ(volume_of("c"), "pv") << "a volume without a class comes before the built-in class";
  EXPECT_EQ(find("c")->claim.storage_class, std::nullopt);

  ledger = {};
  read(storage_class("b", "", is_default) + storage_class("a", "", is_default) + storage_class("0none"),
       "sc.yaml");
  volume_of("c");
  EXPECT_EQ(find("c")->claim.storage_class, "a") << "the first by name that is marked; not what has no class";
}

TEST_F(Binding, kb_1_1_an_empty_class_is_never_defaulted) {
  read(storage_class("a", "", is_default) + claim("c"));
  EXPECT_EQ(volume_of("c"), "FailedBinding");
}

TEST_F(Binding, kb_1_1_a_pending_claim_gets_a_default_that_comes_later) {
  read(storage_class("a", "provisioner: x.io/y\n", is_default) + claim_of_default("c"));
  EXPECT_EQ(volume_of("c"), "ExternalProvisioning");
  read(storage_class("b", "", is_default) + claim_of_default("c"));
  volume_of("c");
  EXPECT_EQ(find("c")->claim.storage_class, "b");
}

TEST_F(Binding, a_volume_that_names_the_claim_but_does_not_fit_is_not_made_up_for_by_the_built_in_class) {
  read(persistent("pv", "  claimRef: {name: c}\n") + sized(claim_of_default("c"), "2Gi"));
  EXPECT_EQ(volume_of("c"), "VolumeMismatch");
  EXPECT_THAT(condition("c").message, HasSubstr("PV \"pv\" names this claim"));
}

TEST_F(Binding, the_default_may_be_in_a_manifest_that_cannot_be_read) {
  store.apply(manifest::parse_file("kind: [", "junk.yaml"));
  store.apply(manifest::parse_file(claim_of_default("c"), "c.yaml"));
  EXPECT_EQ(volume_of("c"), "ManifestUnreadable");
  store.apply(manifest::parse_file(storage_class("mine"), "junk.yaml"));
  EXPECT_EQ(volume_of("c").substr(0, 6), "making");
}

TEST_F(Binding, a_claim_that_goes_while_its_volume_is_made_has_it_removed) {
  read(claim_of_default("c"));
  settle();
  const ObjectName volume = find("c")->volume;
  store.remove("f.yaml");
  settle();
  EXPECT_EQ(ledger.find(volume)->state, State::Deleting);
  end_work(volume, Kind::Made);
  settle();
  EXPECT_EQ(ledger.find(volume)->state, State::Deleting) << "the making ended too late";
  end_work(volume, Kind::Removed);
  settle();
  EXPECT_TRUE(ledger.claims.empty());
  EXPECT_TRUE(ledger.volumes.empty());
  EXPECT_THAT(events(), ElementsAre("Normal VolumeDeleted persistentvolume/" + volume.str()));
}

TEST_F(Binding, what_was_made_for_a_claim_that_is_not_there_any_more_is_removed) {
  read(claim_of_default("c"));
  settle();
  const ObjectName volume = find("c")->volume;
  const Ledger before = ledger;
  store.remove("f.yaml");
  ledger.claims.clear();
  end_work(volume, Kind::Made);
  settle();
  EXPECT_TRUE(ledger.claims.empty());
  EXPECT_EQ(ledger.find(volume)->state, State::Deleting);

  ledger = before;
  read(claim_of_default("c"));
  ledger.claims.at(claim_key("c")).claim.uid = "another";
  ledger.claims.at(claim_key("c")).volume = ObjectName();
  end_work(volume, Kind::Made);
  settle();
  EXPECT_EQ(ledger.find(volume)->state, State::Deleting);
  EXPECT_EQ(find("c")->volume.str(), "pvc-another") << "it gets its own";
}

TEST_F(Binding, nothing_is_made_while_a_volume_may_be_in_a_manifest_that_cannot_be_read) {
  read(storage_class("fast"), "sc.yaml");
  const std::string reserved = persistent("pv", "  storageClassName: fast\n  claimRef: {name: db}\n");
  store.apply(manifest::parse_file(text_replaced(reserved, "1Gi", "much"), "pvs.yaml"));
  store.apply(manifest::parse_file(claim("db", "  storageClassName: fast\n"), "db.yaml"));
  EXPECT_EQ(volume_of("db"), "ManifestUnreadable");
  EXPECT_NE(condition("db").action, "");
  store.mark_unreadable("pvs.yaml", "EACCES: Permission denied");
  EXPECT_EQ(volume_of("db"), "ManifestUnreadable");
  read(reserved, "pvs.yaml");
  EXPECT_EQ(volume_of("db"), "pv");
  ledger = {};
  store.remove("pvs.yaml");
  EXPECT_EQ(volume_of("db").substr(0, 6), "making");
}

TEST_F(Binding, a_claim_that_returns_with_its_uid_is_told_how_to_get_what_was_kept_for_it) {
  const std::string text = claim("c", "  storageClassName: keep\n", ", uid: u1");
  read(storage_class("keep", "reclaimPolicy: Retain\n"), "sc.yaml");
  read(text, "c.yaml");
  settle();
  make_volume_of("c");
  store.remove("c.yaml");
  settle();
  read(text, "c.yaml");
  EXPECT_EQ(volume_of("c"), "FailedBinding");
  EXPECT_THAT(condition("c").message, HasSubstr("pvc-u1"));
  EXPECT_THAT(condition("c").action, HasSubstr("`mooringctl release pv/pvc-u1`"));
  LedgerVolume& row = ledger.volumes.at(ObjectName("pvc-u1"));
  auto free = std::make_shared<manifest::PersistentVolume>(*row.volume);
  free->claim.reset();
  row.volume = std::move(free);
  row.state = State::Available;
  read(sized(text, "2Gi"), "c.yaml");
  EXPECT_EQ(volume_of("c"), "FailedBinding") << "it is free, and too small";
  EXPECT_THAT(condition("c").action, HasSubstr("spec.volumeName"));
  read(text, "c.yaml");
  EXPECT_EQ(volume_of("c"), "pvc-u1");
}

TEST_F(Binding, what_can_never_be_made_is_told_and_made_when_the_class_changes) {
  read(storage_class("fast") + claim("c", "  storageClassName: fast\n"));
  settle();
  const ObjectName volume = find("c")->volume;
  end_work(volume, Kind::Impossible, "no such base");
  settle();
  EXPECT_THAT(events(), ElementsAre("Warning ProvisioningFailed persistentvolumeclaim/default/c"));
  EXPECT_EQ(condition("c").reason, "ProvisioningFailed");
  EXPECT_THAT(condition("c").message, HasSubstr("no such base"));
  EXPECT_EQ(ledger.find(volume)->state, State::Provisioning);
  read(storage_class("fast", "parameters: {path: /srv/volumes}\n") +
       claim("c", "  storageClassName: fast\n"));
  settle();
  EXPECT_EQ(ledger.find(volume)->state, State::Deleting) << "what was half made is removed first";
  EXPECT_EQ(condition("c").reason, "Provisioning");
  end_work(volume, Kind::Removed);
  settle();
  EXPECT_EQ(ledger.find(volume)->state, State::Provisioning);
  EXPECT_EQ(std::get<manifest::LocalSource>(ledger.find(volume)->volume->source).path,
            "/srv/volumes/" + volume.str());
}

TEST_F(Binding, what_can_never_be_removed_is_failed_and_told) {
  read(claim_of_default("c"));
  settle();
  const ObjectName volume = find("c")->volume;
  store.remove("f.yaml");
  settle();
  end_work(volume, Kind::Impossible, "it is not Mooring's");
  settle();
  EXPECT_EQ(ledger.find(volume)->state, State::Failed);
  EXPECT_THAT(events(), ElementsAre("Warning VolumeFailedDelete persistentvolume/" + volume.str()));
  settle();
  EXPECT_EQ(ledger.find(volume)->state, State::Failed);
}

TEST_F(Binding, a_volume_whose_provisioner_is_gone_waits_for_it_to_be_removed) {
  provisioners = Provisioners({{"nfs.example", "10.0.0.1", "/export", {}}});
  read(storage_class("nfs", "provisioner: nfs.example\n") + claim("c", "  storageClassName: nfs\n"));
  settle();
  make_volume_of("c");
  const ObjectName volume = find("c")->volume;
  provisioners = Provisioners();
  store.remove("f.yaml");
  settle();
  EXPECT_EQ(ledger.find(volume)->state, State::Failed);
  EXPECT_THAT(condition_of_volume(volume.str()).message, HasSubstr("nfs.example"));
  provisioners = Provisioners({{"nfs.example", "10.0.0.1", "/export", {}}});
  settle();
  EXPECT_EQ(ledger.find(volume)->state, State::Deleting);
}

TEST_F(Binding, a_class_that_retains_keeps_what_was_made) {
  read(storage_class("keep", "reclaimPolicy: Retain\n") + claim("c", "  storageClassName: keep\n"));
  settle();
  make_volume_of("c");
  const ObjectName volume = find("c")->volume;
  store.remove("f.yaml");
  settle();
  EXPECT_EQ(ledger.find(volume)->state, State::Released);
  EXPECT_EQ(condition_of_volume(volume.str()).reason, "Released");
}

TEST(BindingClasses, of_a_name_the_class_or_the_built_in_and_of_none_the_default) {
  ObjectStore store;
  EXPECT_EQ(find_class(store, "mooring")->provisioner, "directory.mooring.io");
  EXPECT_EQ(find_class(store, "other"), nullptr);
  EXPECT_EQ(find_class(store, "")->name.str(), "mooring");
  store.apply(manifest::parse_file(
      storage_class("z", "", is_default) + storage_class("mooring", "provisioner: block.mooring.io\n"), "f"));
  EXPECT_EQ(find_class(store, "mooring")->provisioner, "block.mooring.io") << "a manifest's counts instead";
  EXPECT_EQ(find_class(store, "")->name.str(), "z");
}

}  // namespace
}  // namespace mooring
