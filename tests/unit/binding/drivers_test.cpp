// Claims whose volumes CSI drivers make (external-provisioner).

#include "binding_fixture.h"

namespace mooring {
namespace {

using testing::HasSubstr;
using Kind = VolumeWorkEnd::Kind;
using State = LedgerVolume::State;

constexpr const char* of_class = "  storageClassName: fast\n";

/// A node with a driver that can do all.
struct BindingOfDrivers : Binding {
  BindingOfDrivers() {
    CsiDriver driver;
    driver.name = DriverName("d.example.com");
    driver.controller = CsiControllerCapabilities{true, true, true, true, true, true, true};
    provisioners.follow_drivers({{driver.name, driver}});
  }
  static std::string fast() {
    return storage_class("fast", "provisioner: d.example.com\nallowVolumeExpansion: true\n");
  }
  static std::string copy(const std::string& name, const std::string& source, const std::string& more = "") {
    return claim(name, of_class + ("  dataSource: " + source + "\n") + more);
  }
  /// The driver made the claim's volume, and calls it that.
  void make_as(const std::string& claim_name, const std::string& handle, std::uint64_t bytes = 0) {
    const ObjectName name = find(claim_name)->volume;
    ends[name] = {Kind::Made, {}, {}, CsiCreatedVolume{handle, {{"share", "x"}}, bytes, {}, {}}};
    settle();
  }
  const manifest::CsiSource& source_of(const std::string& claim_name) const {
    return std::get<manifest::CsiSource>(find_volume(find(claim_name)->volume.str())->volume->source);
  }
};

TEST_F(BindingOfDrivers, csi_the_request_is_written_down_before_the_driver_is_asked) {
  read(fast() + claim("c", of_class));
  EXPECT_THAT(volume_of("c"), HasSubstr("making pvc-"));
  const LedgerVolume& row = *find_volume(find("c")->volume.str());
  EXPECT_EQ(row.state, State::Provisioning);
  EXPECT_EQ(row.parameters.at("bytes"), std::to_string(1 << 30));
  EXPECT_FALSE(row.parameters.contains("handle"));
}

TEST_F(BindingOfDrivers, csi_a_claim_is_bound_together_with_what_the_driver_said) {
  read(fast() + claim("c", of_class));
  settle();
  make_as("c", "vol-7", 2ull << 30);
  ASSERT_TRUE(find("c")->is_bound);
  EXPECT_EQ(source_of("c").volume_handle, "vol-7");
  EXPECT_EQ(source_of("c").attributes.at("share"), "x");
  EXPECT_EQ(find("c")->capacity, quantity("2Gi"));
  EXPECT_EQ(find_volume(find("c")->volume.str())->made_capacity, quantity("2Gi"));
}

TEST_F(BindingOfDrivers, nobody_gets_a_volume_of_which_the_handle_is_not_known) {
  read(fast() + claim("c", of_class));
  settle();
  end_work(find("c")->volume, Kind::Made);
  EXPECT_THAT(volume_of("c"), HasSubstr("making pvc-"));
}

TEST_F(BindingOfDrivers, csi_a_driver_may_grow_a_volume_by_more_than_was_asked_for) {
  read(fast() + claim("c", of_class));
  settle();
  make_as("c", "vol-7");
  read(fast() + sized(claim("c", of_class), "2Gi"));
  settle();
  const ObjectName name = find("c")->volume;
  ends[name] = {Kind::Grown, quantity("2Gi"), {}, CsiExpansion{3ull << 30, false}};
  settle();
  EXPECT_EQ(find_volume(name.str())->volume->capacity, quantity("3Gi"));
  EXPECT_EQ(find_volume(name.str())->made_capacity, quantity("3Gi"));
  EXPECT_EQ(source_of("c").volume_handle, "vol-7");
}

TEST_F(BindingOfDrivers, what_the_driver_leaves_to_the_node_is_waited_for) {
  read(fast() + claim("c", of_class));
  settle();
  make_as("c", "vol-7");
  read(fast() + sized(claim("c", of_class), "2Gi"));
  settle();
  const ObjectName name = find("c")->volume;
  ends[name] = {Kind::Grown, quantity("2Gi"), {}, CsiExpansion{2ull << 30, true}};
  settle();
  EXPECT_EQ(find("c")->capacity, quantity("1Gi"));
  EXPECT_EQ(condition("c").reason, "FileSystemResizePending");
  staged_bytes[name] = 1ull << 30;
  settle();
  EXPECT_EQ(find("c")->capacity, quantity("1Gi"));
  staged_bytes[name] = 2ull << 30;
  settle();
  EXPECT_EQ(find("c")->capacity, quantity("2Gi"));
  EXPECT_EQ(find_volume(name.str())->volume->annotations.at("mooring.io/node-expansion"), "done");
  staged_bytes.clear();
  settle();
  EXPECT_EQ(find("c")->capacity, quantity("2Gi"));
}

TEST_F(BindingOfDrivers, a_volume_to_be_deleted_waits_for_a_driver_that_has_not_come_yet) {
  read(fast() + claim("c", of_class));
  settle();
  make_as("c", "vol-7");
  const std::string name = find("c")->volume.str();
  provisioners = Provisioners();  // As after a restart.
  store.remove("f.yaml");
  settle();
  EXPECT_EQ(find_volume(name)->state, State::Deleting);
}

TEST_F(BindingOfDrivers, a_driver_that_makes_no_volumes_is_named) {
  CsiDriver driver;
  driver.name = DriverName("small.example.com");
  provisioners.follow_drivers({{driver.name, driver}});
  read(storage_class("small", "provisioner: small.example.com\n") +
       claim("c", "  storageClassName: small\n"));
  EXPECT_EQ(volume_of("c"), "ExternalProvisioning");
  EXPECT_THAT(condition("c").message, HasSubstr("no controller service"));
}

TEST_F(BindingOfDrivers, csi_a_clone_waits_for_its_source_and_names_its_handle) {
  const std::string clone = copy("copy", "{kind: PersistentVolumeClaim, name: c}");
  read(fast() + clone);
  EXPECT_EQ(volume_of("copy"), "ProvisioningFailed");
  EXPECT_THAT(condition("copy").message, HasSubstr("not there"));
  read(fast() + clone + claim("c", of_class));
  EXPECT_EQ(volume_of("copy"), "ProvisioningFailed");
  make_as("c", "vol-7");
  EXPECT_THAT(volume_of("copy"), HasSubstr("making pvc-"));
  EXPECT_EQ(find_volume(find("copy")->volume.str())->parameters.at("volume"), "vol-7");
}

TEST_F(BindingOfDrivers, a_claim_that_was_written_anew_when_nobody_could_make_that_has_what_was_made) {
  read(fast() + claim("c", of_class));
  settle();
  ends[find("c")->volume] = {Kind::Impossible, {}, "the driver refuses"};
  settle();
  // Its class is not there for a moment: another volume cannot be asked for.
  read(sized(text_replaced(claim("c", "  storageClassName: other\n"), "[ReadWriteOnce]", "[ReadWriteMany]"),
             "2Gi"));
  settle();
  make_as("c", "vol-7", 1ULL << 30);
  ASSERT_TRUE(find("c")->is_bound);
  EXPECT_EQ(find("c")->claim.request, quantity("1Gi"));
  EXPECT_EQ(find("c")->claim.storage_class, "fast");
  EXPECT_EQ(find("c")->claim.access_modes, std::set{manifest::AccessMode::ReadWriteOnce});
  read(fast() + sized(claim("c", of_class), "2Gi"));
  settle();
  EXPECT_EQ(find("c")->claim.request, quantity("2Gi"));
  EXPECT_EQ(condition("c").reason, "Resizing") << "it grows as any claim that has its volume";
}

TEST_F(BindingOfDrivers, what_a_claim_was_not_made_from_it_never_says_that_it_was) {
  read(fast() + claim("c", of_class));
  settle();
  const std::string written_anew = copy("c", "{kind: PersistentVolumeClaim, name: other}");
  for (const char* when : {"while it is made", "when it is bound"}) {
    read(fast() + written_anew);
    settle();
    EXPECT_EQ(condition("c").reason, "SpecChangeIgnored") << when;
    EXPECT_THAT(condition("c").message, HasSubstr("spec.dataSource")) << when;
    EXPECT_FALSE(find("c")->claim.data_source) << when;
    if (!find("c")->is_bound) make_as("c", "vol-7");
  }
}

TEST_F(BindingOfDrivers, csi_a_clone_is_no_smaller_and_of_the_same_mode_and_driver) {
  const std::string of_c = "{kind: PersistentVolumeClaim, name: c}";
  const std::pair<std::string, const char*> cases[] = {
      {copy("copy", of_c, "  volumeMode: Block\n"), "volumeMode"},
      {claim("copy", "  storageClassName: dirs\n  dataSource: " + of_c + "\n"), "directory.mooring.io"}};
  for (const auto& [text, why] : cases) {
    read(fast() + storage_class("dirs") + claim("c", of_class) + text);
    settle();
    if (!find("c")->is_bound) make_as("c", "vol-7", 2ull << 30);
    settle();
    EXPECT_THAT(condition("copy").message, HasSubstr(why)) << text;
  }
  read(fast() + claim("c", of_class) + copy("copy", of_c));
  settle();
  EXPECT_THAT(condition("copy").message, HasSubstr("needs 2"));
}

TEST_F(BindingOfDrivers, csi_a_snapshot_is_restored_when_it_is_bound_to_a_content_of_the_driver) {
  const std::string restored =
      copy("copy", "{apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: s}");
  const std::string snapshot =
      "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshot\nmetadata: {name: s}\n"
      "spec: {source: {volumeSnapshotContentName: sc}}\n---\n";
  const auto content = [](const std::string& driver) {
    return "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshotContent\nmetadata: {name: sc}\n"
           "spec:\n  deletionPolicy: Retain\n  driver: " +
           driver +
           "\n  source: {snapshotHandle: snap-1}\n"
           "  volumeSnapshotRef: {name: s, namespace: default}\n---\n";
  };
  read(fast() + restored);
  EXPECT_EQ(volume_of("copy"), "ProvisioningFailed");
  read(fast() + restored + snapshot);
  EXPECT_EQ(volume_of("copy"), "ProvisioningFailed");
  read(fast() + restored + snapshot + content("other.example.com"));
  EXPECT_EQ(volume_of("copy"), "ProvisioningFailed");
  read(fast() + restored + snapshot + content("d.example.com"));
  EXPECT_THAT(volume_of("copy"), HasSubstr("making pvc-"));
  EXPECT_EQ(find_volume(find("copy")->volume.str())->parameters.at("snapshot"), "snap-1");
}

}  // namespace
}  // namespace mooring
