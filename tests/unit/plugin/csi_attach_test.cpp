// Who attaches a volume of a CSI driver, and what is waited for (kubelet-behaviours 8, 15.3).

#include <gmock/gmock.h>

#include "plugin/csi_objects.h"
#include "plugin_fixture.h"
#include "step/csi_layout.h"

namespace mooring {
namespace {

using manifest::AccessMode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

const CsiPlugin plugin;
const DriverName driver_name("d.example.org");

/// A persistent volume of a driver whose controller attaches.
class CsiAttach : public testing::Test {
 protected:
  CsiAttach() {
    driver.name = driver_name;
    driver.socket = "/run/d.sock";
    driver.node_id = "node-1";
    driver.node.stage_unstage = true;
    driver.controller.emplace().publish_unpublish_volume = true;
    source.driver = driver_name.str();
    source.volume_handle = "vol#1";
    source.attributes = {{"share", "a"}};
    volume.name = ObjectName("pv-1");
    volume.access_modes = {AccessMode::ReadWriteOnce};
    pod.uid = PodUid("u1");
    pod.key = {Namespace("default"), ObjectName("web")};
    node = node_info();
  }
  void write(const std::string& text) { objects.apply(manifest::parse_file(text, "m.yaml")); }
  void write_driver(bool attach_required) {
    write(
        "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: d.example.org}\nspec: "
        "{attachRequired: " +
        std::string(attach_required ? "true" : "false") + "}\n");
  }
  static std::string attachment(const std::string& status, const std::string& metadata = "") {
    return "apiVersion: storage.k8s.io/v1\nkind: VolumeAttachment\nmetadata: {name: va" + metadata +
           "}\nspec: {attacher: d.example.org, nodeName: n1, source: {persistentVolumeName: pv-1}}\n"
           "status: {" +
           status + "}\n";
  }
  Result<Recipe> ask() {
    static const MountTable mounts;
    DriverSet drivers;
    drivers.csi[driver.name] = driver;
    volume.source = source;
    const manifest::Volume asked{VolumeName("v"), source};
    RecipeRequest request{pod,     asked,  node, objects, mounts,
                          {},      {},     {},   false,   manifest::VolumeMode::Filesystem,
                          nullptr, drivers};
    request.persistent = &volume;
    request.directory = VolumeDirectory("pv-1");
    return plugin.recipe(request);
  }
  DeviceRecipe device() {
    Result<Recipe> made = ask();
    if (made && made.value().device) return std::move(*made.value().device);
    ADD_FAILURE() << (made ? "nothing is shared" : made.error().text());
    return {};
  }
  std::map<std::string, std::string> context() {
    const DeviceRecipe made = device();
    return made.stage.up.empty() ? std::map<std::string, std::string>()
                                 : std::get<StageCsiVolume>(made.stage.up[0]).publish_context;
  }

  CsiDriver driver;
  manifest::CsiSource source;
  manifest::PersistentVolume volume;
  manifest::Pod pod;
  NodeInfo node;
  ObjectStore objects;
};

TEST_F(CsiAttach, kb_15_3_the_controller_is_asked_with_the_drivers_own_name_of_the_node) {
  const DeviceRecipe made = device();
  ASSERT_THAT(made.attach.up, SizeIs(1));
  EXPECT_EQ(made.attach.lane, Lane::Own);
  const auto& attach = std::get<PublishCsiController>(made.attach.up[0]);
  EXPECT_EQ(attach.volume, (CsiVolume{driver_name, "/run/d.sock", "vol#1", 120'000}));
  EXPECT_EQ(attach.node_id, "node-1");
  EXPECT_EQ(attach.capability.access_mode, CsiAccessMode::SingleNodeWriter);
  EXPECT_FALSE(attach.read_only);
  EXPECT_THAT(attach.volume_context, ElementsAre(Pair("share", "a")));
  EXPECT_EQ(attach.stamp, layout::csi_attachment({driver_name, "vol#1"}));
  EXPECT_EQ(attach.staged_path, made.staged_path);
  EXPECT_FALSE(made.waits_for);
}

TEST_F(CsiAttach, a_controller_that_is_elsewhere_is_asked_there) {
  driver.controller_socket = "/run/c.sock";
  const DeviceRecipe made = device();
  EXPECT_EQ(std::get<PublishCsiController>(made.attach.up.at(0)).volume.socket, "/run/c.sock");
  EXPECT_EQ(std::get<StageCsiVolume>(made.stage.up.at(0)).volume.socket, "/run/d.sock");
}

TEST_F(CsiAttach, read_only_is_told_only_to_a_controller_that_knows_it) {
  source.read_only = true;
  EXPECT_FALSE(std::get<PublishCsiController>(device().attach.up.at(0)).read_only);
  driver.controller->publish_read_only = true;
  EXPECT_TRUE(std::get<PublishCsiController>(device().attach.up.at(0)).read_only);
}

TEST_F(CsiAttach, the_group_of_a_pod_is_none_of_the_controllers_business) {
  driver.node.volume_mount_group = true;
  driver.node.single_node_multi_writer = true;
  pod.security.fs_group = 2000;
  const DeviceRecipe made = device();
  EXPECT_EQ(std::get<StageCsiVolume>(made.stage.up.at(0)).capability.volume_mount_group, "2000");
  const auto& attach = std::get<PublishCsiController>(made.attach.up.at(0));
  EXPECT_EQ(attach.capability.volume_mount_group, "");
  EXPECT_EQ(attach.capability.access_mode, CsiAccessMode::SingleNodeWriter);
  driver.controller->single_node_multi_writer = true;
  EXPECT_EQ(std::get<PublishCsiController>(device().attach.up.at(0)).capability.access_mode,
            CsiAccessMode::SingleNodeMultiWriter);
}

TEST_F(CsiAttach, the_controllers_secret) {
  source.controller_publish_secret = ObjectKey{Namespace("storage"), ObjectName("login")};
  const auto refused = ask();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, "SecretNotFound");
  EXPECT_THAT(refused.error().message, HasSubstr("ControllerPublishSecretRef storage/login"));
  write("apiVersion: v1\nkind: Secret\nmetadata: {name: login, namespace: storage}\nstringData: {k: v}\n");
  const DeviceRecipe made = device();
  const auto& attach = std::get<PublishCsiController>(made.attach.up.at(0));
  EXPECT_EQ(attach.secrets.at("k").expose_secret(), "v");
  EXPECT_EQ(attach.secret, source.controller_publish_secret);
}

TEST_F(CsiAttach, kb_15_3_who_needs_no_attachment_gets_none) {
  write(attachment("attached: true, attachmentMetadata: {a: b}"));
  write_driver(false);
  EXPECT_THAT(device().attach.up, IsEmpty());
  EXPECT_THAT(context(), IsEmpty());
  node.others_attach = true;
  EXPECT_FALSE(device().waits_for);
}

TEST_F(CsiAttach, a_controller_that_does_not_attach_is_not_asked) {
  for (const bool has_controller : {true, false}) {
    driver.controller.reset();
    if (has_controller) driver.controller.emplace().create_delete_volume = true;
    EXPECT_THAT(device().attach.up, IsEmpty());
    EXPECT_FALSE(device().waits_for);
  }
  write(attachment("attached: true, attachmentMetadata: {a: b}"));
  EXPECT_THAT(context(), ElementsAre(Pair("a", "b")));
}

TEST_F(CsiAttach, kb_8_others_attach_and_their_word_is_waited_for) {
  node.others_attach = true;
  const struct {
    std::string text, reason, message;
  } cases[] = {
      {"", "WaitingForAttachment",
       "no VolumeAttachment says that driver d.example.org attached it to node n1"},
      {attachment("attached: false"), "WaitingForAttachment", "does not say status.attached: true"},
      {attachment("attached: false, attachError: {message: no room}"), "AttachFailed",
       "AttachVolume.Attach failed for PersistentVolume \"pv-1\" (VolumeAttachment \"va\"): no room"},
      {attachment("attached: true", ", deletionTimestamp: '2026-01-01T00:00:00Z'"), "WaitingForAttachment",
       "is being deleted"},
  };
  for (const auto& [text, reason, message] : cases) {
    if (!text.empty()) write(text);
    const DeviceRecipe made = device();
    EXPECT_THAT(made.attach.up, IsEmpty());
    ASSERT_TRUE(made.waits_for) << message;
    EXPECT_EQ(made.waits_for->reason, reason);
    EXPECT_EQ(made.waits_for->kind, ErrorKind::Transient);
    EXPECT_THAT(made.waits_for->message, HasSubstr(message));
    EXPECT_FALSE(made.waits_for->remedy.empty());
  }
  write(attachment("attached: true, attachmentMetadata: {a: b}"));
  EXPECT_FALSE(device().waits_for);
  EXPECT_THAT(device().attach.up, IsEmpty());
  EXPECT_THAT(context(), ElementsAre(Pair("a", "b")));
}

TEST_F(CsiAttach, detaching_comes_after_all_else_and_to_the_node_that_it_was_attached_to) {
  DriverSet drivers;
  driver.controller_socket = "/run/c.sock";
  driver.node_id = "renamed";
  drivers.csi[driver.name] = driver;
  const VolumeKey key = layout::csi_key({driver_name, "vol#1"});
  const CsiAttachment attached{driver_name, "vol#1", "node-1", std::nullopt, "plugins/s"};
  DeviceRemains remains{key, {}, layout::csi_staged(driver_name, "vol#1"), drivers};
  EXPECT_THAT(plugin.detach(remains), SizeIs(1));
  remains.attachment = &attached;
  const auto steps = plugin.detach(remains);
  ASSERT_THAT(steps, SizeIs(2));
  EXPECT_TRUE(std::holds_alternative<UnstageCsiVolume>(steps[0]));
  EXPECT_EQ(std::get<UnpublishCsiController>(steps[1]),
            (UnpublishCsiController{CsiVolume{driver_name, "/run/c.sock", "vol#1", 120'000},
                                    "node-1",
                                    {},
                                    layout::csi_attachment({driver_name, "vol#1"})}));
  drivers.csi.clear();
  EXPECT_EQ(std::get<UnpublishCsiController>(plugin.detach(remains).at(1)).volume.socket, "");
}

}  // namespace
}  // namespace mooring
