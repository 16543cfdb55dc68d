// kubelet-behaviours 19 and 1.2: claims and volumes that grow.

#include "binding_fixture.h"

namespace mooring {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = VolumeWorkEnd::Kind;

struct Growing : Binding {
  /// A claim "c" with a volume that was made for it.
  void make(const std::string& of_class) {
    read(storage_class("fast", of_class), "sc.yaml");
    ask_for("1Gi");
    settle();
    make_volume_of("c");
    ASSERT_TRUE(find("c")->is_bound);
  }
  void ask_for(const std::string& size) {
    read(sized(claim("c", "  storageClassName: fast\n"), size), "c.yaml");
  }
  const LedgerVolume& volume() const { return *ledger.find(find("c")->volume); }
};

const std::string may_grow = "allowVolumeExpansion: true\n";
const std::string of_block = "provisioner: block.mooring.io\nallowVolumeExpansion: true\n";

TEST_F(Growing, kb_19_a_request_is_raised_then_the_volume_is_grown_then_the_claim_has_it) {
  make(may_grow);
  ask_for("2Gi");
  settle();
  EXPECT_THAT(events(), ElementsAre("Normal Resizing persistentvolumeclaim/default/c"));
  EXPECT_EQ(find("c")->claim.request, quantity("2Gi"));
  EXPECT_EQ(volume().volume->capacity, quantity("2Gi"));
  EXPECT_EQ(volume().made_capacity, quantity("1Gi"));
  EXPECT_EQ(find("c")->capacity, quantity("1Gi"));
  EXPECT_EQ(condition("c").reason, "Resizing");
  end_work(find("c")->volume, Kind::Grown, "", "2Gi");
  settle();
  EXPECT_THAT(events(), ElementsAre("Normal VolumeResizeSuccessful persistentvolumeclaim/default/c"));
  EXPECT_EQ(find("c")->capacity, quantity("2Gi"));
  EXPECT_EQ(condition("c"), BindingCondition{});
}

TEST_F(Growing, kb_19_a_file_system_follows_when_a_pod_uses_it) {
  make(of_block);
  ask_for("2Gi");
  settle();
  end_work(find("c")->volume, Kind::Grown, "", "2Gi");
  settle();
  EXPECT_EQ(condition("c").reason, "FileSystemResizePending");
  EXPECT_EQ(find("c")->capacity, quantity("1Gi"));
  staged_bytes[find("c")->volume] = (2ULL << 30) - 1;
  settle();
  EXPECT_EQ(condition("c").reason, "FileSystemResizePending");
  staged_bytes[find("c")->volume] = 2ULL << 30;
  settle();
  EXPECT_EQ(find("c")->capacity, quantity("2Gi"));
  EXPECT_THAT(events(), ElementsAre("Normal FileSystemResizeSuccessful persistentvolumeclaim/default/c"));
}

TEST_F(Growing, kb_19_only_if_the_class_allows_it) {
  make("");
  ask_for("2Gi");
  settle();
  EXPECT_THAT(last.changes.claims, IsEmpty());
  EXPECT_EQ(condition("c").reason, "VolumeResizeForbidden");
  EXPECT_THAT(condition("c").message, AllOf(HasSubstr("spec.resources.requests.storage 2Gi instead of 1Gi"),
                                            HasSubstr("\"fast\""), HasSubstr("allowVolumeExpansion")));
  EXPECT_EQ(find("c")->claim.request, quantity("1Gi"));
  read(storage_class("fast", may_grow), "sc.yaml");
  settle();
  EXPECT_EQ(volume().volume->capacity, quantity("2Gi"));
  ask_for("3Gi");
  store.remove("sc.yaml");
  settle();
  EXPECT_THAT(condition("c").message, HasSubstr("its class \"fast\" is not there"));
}

TEST_F(Growing, the_built_in_class_allows_it) {
  read(claim_of_default("c"), "c.yaml");
  settle();
  make_volume_of("c");
  read(sized(claim_of_default("c"), "2Gi"), "c.yaml");
  settle();
  EXPECT_EQ(volume().volume->capacity, quantity("2Gi"));
}

TEST_F(Growing, kb_1_2_a_request_does_not_get_smaller) {
  make(may_grow);
  ask_for("512Mi");
  settle();
  EXPECT_EQ(condition("c").reason, "SpecChangeIgnored");
  EXPECT_THAT(condition("c").message, HasSubstr("field can not be less than previous value"));
  EXPECT_EQ(find("c")->claim.request, quantity("1Gi"));
}

TEST_F(Growing, a_growth_that_nobody_can_do_is_told_and_the_claim_keeps_what_it_has) {
  make(may_grow);
  ask_for("2Gi");
  settle();
  end_work(find("c")->volume, Kind::Impossible, "no quota there");
  settle();
  EXPECT_THAT(events(), ElementsAre("Warning VolumeResizeFailed persistentvolumeclaim/default/c"));
  EXPECT_EQ(condition("c").reason, "VolumeResizeFailed");
  EXPECT_EQ(find("c")->capacity, quantity("1Gi"));
  EXPECT_TRUE(find("c")->is_bound);
  ask_for("3Gi");
  settle();
  EXPECT_EQ(condition("c").reason, "Resizing") << "more is another try";
}

TEST_F(Growing, nothing_grows_whose_provisioner_is_gone) {
  provisioners = Provisioners({{"nfs.example", "10.0.0.1", "/export", {}}});
  make("provisioner: nfs.example\nallowVolumeExpansion: true\n");
  provisioners = Provisioners();
  ask_for("2Gi");
  settle();
  EXPECT_EQ(condition("c").reason, "VolumeResizeForbidden");
  EXPECT_THAT(condition("c").message, HasSubstr("nfs.example"));
}

TEST_F(Growing, a_volume_of_a_manifest_grows_with_its_manifest) {
  read(persistent("pv"), "pv.yaml");
  read(claim("c"), "c.yaml");
  ASSERT_EQ(volume_of("c"), "pv");
  read(sized(claim("c"), "2Gi"), "c.yaml");
  settle();
  EXPECT_EQ(condition("c").reason, "VolumeResizeForbidden");
  EXPECT_THAT(condition("c").message, HasSubstr("spec.capacity"));
  read(sized(persistent("pv"), "3Gi"), "pv.yaml");
  settle();
  EXPECT_EQ(find("c")->claim.request, quantity("2Gi"));
  EXPECT_EQ(find("c")->capacity, quantity("3Gi"));
  EXPECT_EQ(condition("c"), BindingCondition{});
}

TEST_F(Growing, a_device_of_a_manifest_has_grown_when_its_file_system_has) {
  const std::string device =
      persistent("pv",
                 "  csi: {driver: block.mooring.io, volumeHandle: h, volumeAttributes: {device: "
                 "/dev/sdb}}\n");
  read(device, "pv.yaml");
  read(claim("c"), "c.yaml");
  ASSERT_EQ(volume_of("c"), "pv");
  read(sized(device, "2Gi"), "pv.yaml");
  settle();
  EXPECT_EQ(condition("c").reason, "FileSystemResizePending");
  staged_bytes[ObjectName("pv")] = 3ULL << 30;
  settle();
  EXPECT_EQ(find("c")->capacity, quantity("2Gi"));
}

}  // namespace
}  // namespace mooring
