// Volumes that are made by CSI drivers (external-provisioner).

#include "provision/csi_provisioner.h"

#include "provision_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

CsiDriver able_driver() {
  CsiDriver driver;
  driver.name = DriverName("d.example.com");
  driver.socket = "/run/d.sock";
  driver.topology = {{"zone", "a"}};
  driver.controller = CsiControllerCapabilities{true, true, true, true, true, true, false};
  return driver;
}

struct AskedOfDriver : Asked {
  AskedOfDriver() {
    storage_class.provisioner = "d.example.com";
    set("type", "fast");
    set("csi.storage.k8s.io/fstype", "xfs");
    set("csi.storage.k8s.io/provisioner-secret-name", "make");
    set("csi.storage.k8s.io/provisioner-secret-namespace", "system");
  }
  Result<ProvisionedVolume> copy_of(const Provisioner& provisioner, CsiContentSource source) const {
    return provisioner.provision({claim, storage_class, volume, node, root_dir, token, std::move(source)});
  }
};

const manifest::CsiSource& source_of(const ProvisionedVolume& volume) {
  return std::get<manifest::CsiSource>(volume.volume.source);
}

CreateCsiVolume create_of(const ProvisionWork& work) {
  const auto* step = std::get_if<CreateCsiVolume>(&work.steps.at(0));
  return step == nullptr ? CreateCsiVolume{} : *step;
}

TEST(CsiProvisioner, csi_a_volume_is_asked_for_by_the_name_of_the_persistent_volume) {
  const CsiProvisioner provisioner(able_driver());
  const ProvisionWork work = provisioner.make(AskedOfDriver().well(provisioner));
  const CreateCsiVolume step = create_of(work);
  EXPECT_EQ(step.volume.driver.str(), "d.example.com");
  EXPECT_EQ(step.volume.handle, "");
  EXPECT_EQ(step.request.name, "pvc-0b1c");
  EXPECT_EQ(step.request.required_bytes, 1u << 30);
  EXPECT_THAT(step.request.parameters, ElementsAre(Pair("type", "fast")));
  EXPECT_THAT(step.request.requisite, ElementsAre(CsiTopology{{"zone", "a"}}));
  EXPECT_THAT(step.request.preferred, ElementsAre(CsiTopology{{"zone", "a"}}));
  ASSERT_EQ(step.request.capabilities.size(), 1u);
  EXPECT_EQ(step.request.capabilities[0],
            (CsiCapability{false, "xfs", {"ro"}, "", CsiAccessMode::SingleNodeWriter}));
  EXPECT_EQ(work.lane, Lane::Own);
  EXPECT_EQ(work.driver.str(), "d.example.com");
  ASSERT_TRUE(work.secret);
  EXPECT_EQ(work.secret->text(), "system/make");
}

TEST(CsiProvisioner, csi_each_access_mode_is_a_capability_of_the_volume) {
  CsiDriver driver = able_driver();
  AskedOfDriver asked;
  asked.claim.access_modes = {manifest::AccessMode::ReadWriteOnce, manifest::AccessMode::ReadWriteOncePod,
                              manifest::AccessMode::ReadOnlyMany, manifest::AccessMode::ReadWriteMany};
  for (const bool has_multi_writer : {false, true}) {
    driver.controller->single_node_multi_writer = has_multi_writer;
    const CsiProvisioner provisioner(driver);
    std::set<CsiAccessMode> modes;
    for (const CsiCapability& one : create_of(provisioner.make(asked.well(provisioner))).request.capabilities)
      modes.insert(one.access_mode);
    std::set<CsiAccessMode> expected{CsiAccessMode::MultiNodeReaderOnly, CsiAccessMode::MultiNodeMultiWriter};
    if (has_multi_writer) {
      expected.insert({CsiAccessMode::SingleNodeMultiWriter, CsiAccessMode::SingleNodeSingleWriter});
    } else {
      expected.insert(CsiAccessMode::SingleNodeWriter);
    }
    EXPECT_EQ(modes, expected);
  }
}

TEST(CsiProvisioner, kb_15_3_the_claims_first_access_mode_is_the_first_capability_and_the_volumes_first) {
  const CsiProvisioner provisioner(able_driver());
  AskedOfDriver asked;
  asked.claim.access_modes = {manifest::AccessMode::ReadOnlyMany, manifest::AccessMode::ReadWriteMany};
  for (const bool is_written_so : {false, true}) {
    if (is_written_so) asked.claim.first_access_mode = manifest::AccessMode::ReadWriteMany;
    const ProvisionedVolume made = asked.well(provisioner);
    EXPECT_EQ(made.volume.first_access_mode, asked.claim.first_access_mode);
    EXPECT_EQ(create_of(provisioner.make(made)).request.capabilities.at(0).access_mode,
              is_written_so ? CsiAccessMode::MultiNodeMultiWriter : CsiAccessMode::MultiNodeReaderOnly);
  }
}

TEST(CsiProvisioner, a_raw_device_has_neither_a_type_nor_options) {
  const CsiProvisioner provisioner(able_driver());
  AskedOfDriver asked;
  asked.claim.volume_mode = manifest::VolumeMode::Block;
  const ProvisionedVolume made = asked.well(provisioner);
  EXPECT_EQ(source_of(made).file_system_type, "");
  EXPECT_EQ(create_of(provisioner.make(made)).request.capabilities.at(0),
            (CsiCapability{true, "", {}, "", CsiAccessMode::SingleNodeWriter}));
}

TEST(CsiProvisioner, the_same_is_asked_for_whatever_became_of_class_and_driver) {
  const CsiProvisioner before(able_driver());
  const ProvisionedVolume made = AskedOfDriver().well(before);
  CsiDriver changed = able_driver();
  changed.topology = {{"zone", "b"}};
  changed.controller->single_node_multi_writer = true;
  const CsiProvisioner after(changed);
  EXPECT_EQ(after.make(made).steps, before.make(made).steps);
}

TEST(CsiProvisioner, what_the_driver_said_is_in_the_volume_and_in_every_later_call) {
  const CsiProvisioner provisioner(able_driver());
  const ProvisionedVolume asked = AskedOfDriver().well(provisioner);
  EXPECT_EQ(source_of(asked).volume_handle, "pvc-0b1c");
  const CsiCreatedVolume created{"vol-7", {{"share", "x"}}, 2ull << 30, {}, {{{"zone", "a"}}}};
  const ProvisionedVolume made = provisioner.with_made(asked, created);
  EXPECT_FALSE(provisioner.is_known(asked));
  EXPECT_TRUE(provisioner.is_known(made));
  EXPECT_EQ(source_of(made).volume_handle, "vol-7");
  EXPECT_THAT(source_of(made).attributes, ElementsAre(Pair("share", "x")));
  EXPECT_EQ(made.volume.capacity, Quantity::from_integer(2ll << 30));
  ASSERT_TRUE(made.volume.node_affinity);
  EXPECT_EQ(made.volume.node_affinity->terms.at(0).fields.at(0).values, std::vector<std::string>{"node-1"});
  const ProvisionWork removal = provisioner.remove(made);
  EXPECT_EQ(std::get<DeleteCsiVolume>(removal.steps.at(0)).volume.handle, "vol-7");
  ASSERT_TRUE(removal.secret);
  EXPECT_EQ(removal.secret->text(), "system/make");
  // It is asked for with the size that was asked for first: with another it would be another request.
  EXPECT_EQ(create_of(provisioner.make(made)).request.required_bytes, 1u << 30);
  EXPECT_EQ(create_of(provisioner.make(made)).volume.handle, "");
}

TEST(CsiProvisioner, a_driver_that_says_no_size_and_no_place_changes_neither) {
  const CsiProvisioner provisioner(able_driver());
  const ProvisionedVolume asked = AskedOfDriver().well(provisioner);
  const ProvisionedVolume made = provisioner.with_made(asked, CsiCreatedVolume{"vol-7", {}, 0, {}, {}});
  EXPECT_EQ(made.volume.capacity, asked.volume.capacity);
  EXPECT_FALSE(made.volume.node_affinity);
}

TEST(CsiProvisioner, a_volume_of_unknown_handle_is_removed_by_its_name) {
  const CsiProvisioner provisioner(able_driver());
  const ProvisionedVolume asked = AskedOfDriver().well(provisioner);
  const auto step = std::get<DeleteCsiVolume>(provisioner.remove(asked).steps.at(0));
  EXPECT_EQ(step.volume.handle, "");
  EXPECT_EQ(step.request, create_of(provisioner.make(asked)).request);
}

TEST(CsiProvisioner, csi_secrets_of_later_calls_stand_in_the_volume) {
  AskedOfDriver asked;
  for (const char* call :
       {"controller-publish", "node-stage", "node-publish", "controller-expand", "node-expand"}) {
    asked.set("csi.storage.k8s.io/" + std::string(call) + "-secret-name", call);
    asked.set("csi.storage.k8s.io/" + std::string(call) + "-secret-namespace", "${pvc.namespace}");
  }
  const CsiProvisioner provisioner(able_driver());
  const ProvisionedVolume made = asked.well(provisioner);
  EXPECT_EQ(source_of(made).controller_publish_secret->text(), "shop/controller-publish");
  EXPECT_EQ(source_of(made).node_stage_secret->text(), "shop/node-stage");
  EXPECT_EQ(source_of(made).node_publish_secret->text(), "shop/node-publish");
  EXPECT_EQ(source_of(made).publish_secret_name, "node-publish");
  EXPECT_EQ(source_of(made).node_expand_secret->text(), "shop/node-expand");
  EXPECT_EQ(provisioner.grow(made).secret->text(), "shop/controller-expand");
  EXPECT_EQ(made.volume.annotations.at(deletion_secret_name), "make");
  EXPECT_EQ(made.volume.annotations.at(deletion_secret_namespace), "system");
}

TEST(CsiProvisioner, csi_it_grows_by_the_controller_or_is_left_to_the_node) {
  CsiDriver driver = able_driver();
  driver.node.expand = true;
  const ProvisionedVolume made = AskedOfDriver().well(CsiProvisioner(driver));
  const ProvisionWork work = CsiProvisioner(driver).grow(made);
  EXPECT_EQ(std::get<ExpandCsiController>(work.steps.at(0)).required_bytes, 1u << 30);
  driver.controller->expand_volume = false;
  EXPECT_THAT(CsiProvisioner(driver).grow(made).steps, IsEmpty());
  driver.node.expand = false;
  EXPECT_EQ(CsiProvisioner(driver).grow(made).steps.size(), 1u);
  EXPECT_EQ(CsiProvisioner(driver).with_made(made, CsiExpansion{3ull << 30, false}).volume.capacity,
            Quantity::from_integer(3ll << 30));
}

TEST(CsiProvisioner, csi_copies_name_what_they_are_made_from) {
  const CsiProvisioner provisioner(able_driver());
  AskedOfDriver asked;
  asked.claim.data_source = manifest::DataSource{"", "PersistentVolumeClaim", "other", ""};
  EXPECT_EQ(asked.badly(provisioner).reason, "DataSourceUnavailable");
  for (const CsiContentSource& source : {CsiContentSource{CsiContentSource::Kind::Volume, "vol-1"},
                                         CsiContentSource{CsiContentSource::Kind::Snapshot, "snap-1"}}) {
    const auto made = asked.copy_of(provisioner, source);
    ASSERT_TRUE(made);
    EXPECT_EQ(create_of(provisioner.make(made.value())).request.source, source);
    CsiDriver unable = able_driver();
    unable.controller->clone_volume = unable.controller->create_delete_snapshot = false;
    const auto refused = asked.copy_of(CsiProvisioner(unable), source);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, "DataSourceUnsupported");
  }
}

TEST(CsiProvisioner, what_cannot_be_made_is_refused) {
  CsiDriver unable = able_driver();
  unable.controller->create_delete_volume = false;
  EXPECT_EQ(AskedOfDriver().badly(CsiProvisioner(unable)).reason, "ProvisioningUnsupported");
  unable.controller.reset();
  EXPECT_EQ(AskedOfDriver().badly(CsiProvisioner(unable)).reason, "ProvisioningUnsupported");
  AskedOfDriver asked;
  asked.set("csi.storage.k8s.io/node-stage-secret-name", "s");
  EXPECT_EQ(asked.badly(CsiProvisioner(able_driver())).reason, "InvalidParameters");
}

TEST(CsiProvisioner, csi_whose_a_volume_is_is_told_to_drivers_that_want_it) {
  const CsiProvisioner provisioner(able_driver());
  AskedOfDriver asked;
  asked.storage_class.annotations[extra_create_metadata] = "true";
  EXPECT_THAT(
      create_of(provisioner.make(asked.well(provisioner))).request.parameters,
      ElementsAre(Pair("csi.storage.k8s.io/pv/name", "pvc-0b1c"), Pair("csi.storage.k8s.io/pvc/name", "data"),
                  Pair("csi.storage.k8s.io/pvc/namespace", "shop"), Pair("type", "fast")));
}

TEST(CsiProvisioner, csi_what_all_only_read_is_read_only_if_the_driver_can_publish_it_so) {
  CsiDriver driver = able_driver();
  AskedOfDriver asked;
  EXPECT_FALSE(source_of(asked.well(CsiProvisioner(driver))).read_only);
  asked.claim.access_modes = {manifest::AccessMode::ReadOnlyMany};
  EXPECT_TRUE(source_of(asked.well(CsiProvisioner(driver))).read_only);
  driver.controller->publish_read_only = false;
  EXPECT_FALSE(source_of(asked.well(CsiProvisioner(driver))).read_only);
}

TEST(CsiProvisioner, steps_get_socket_and_secrets_when_they_are_started) {
  const CsiProvisioner provisioner(able_driver());
  const ProvisionedVolume made = AskedOfDriver().well(provisioner);
  for (ProvisionWork work : {provisioner.make(made), provisioner.remove(made), provisioner.grow(made)}) {
    equip(work, "/run/other.sock", {{"key", SecretBytes("swordfish")}});
    std::visit(
        [](const auto& step) {
          if constexpr (requires {
                          step.secrets;
                          step.volume.socket;
                        }) {
            EXPECT_EQ(step.volume.socket, "/run/other.sock");
            EXPECT_EQ(step.secrets.at("key").expose_secret(), "swordfish");
          } else {
            ADD_FAILURE() << "no step of a driver";
          }
        },
        work.steps.at(0));
  }
}

TEST(CsiProvisioner, drivers_are_followed_and_take_no_name_that_is_taken) {
  Provisioners all({{"nfs.example.com", "server", "/export", {}}});
  CsiDriver driver = able_driver();
  CsiDriver thief = able_driver();
  thief.name = DriverName("nfs.example.com");
  CsiDriver unable = able_driver();
  unable.name = DriverName("node-only.example.com");
  unable.controller.reset();
  const auto set_of = [](const std::vector<CsiDriver>& drivers) {
    std::map<DriverName, CsiDriver> set;
    for (const CsiDriver& one : drivers)
      set[one.name] = one;
    return set;
  };
  const Provisioner* const nfs = all.find("nfs.example.com");
  EXPECT_TRUE(all.follow_drivers(set_of({driver, thief, unable})));
  EXPECT_FALSE(all.follow_drivers(set_of({driver, thief, unable})));
  EXPECT_NE(all.find("d.example.com"), nullptr);
  EXPECT_EQ(all.find("nfs.example.com"), nfs);
  EXPECT_EQ(all.find("node-only.example.com"), nullptr);
  EXPECT_THAT(all.why_not("node-only.example.com"),
              testing::HasSubstr("has no controller service on this node"));
  EXPECT_TRUE(all.follow_drivers({}));  // What the one lacked is no longer said.
  EXPECT_EQ(all.why_not("node-only.example.com"), "");
  EXPECT_FALSE(all.follow_drivers({}));
  EXPECT_NE(all.find("d.example.com"), nullptr);  // Its volumes wait for it.
  driver.controller->clone_volume = false;
  EXPECT_TRUE(all.follow_drivers(set_of({driver})));
}

}  // namespace
}  // namespace mooring
