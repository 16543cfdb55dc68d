// Volumes of CSI drivers that cannot be had, and the Secrets that they need (kubelet-behaviours 15.4).

#include <gmock/gmock.h>

#include "csi_question.h"
#include "facts/csi_growth.h"

namespace mooring {
namespace {

using namespace csi_question;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(CsiVolume, kb_15_4_a_persistent_volume_of_a_driver_of_ephemeral_ones) {
  Question question;
  question.setting.spec = CsiDriverSpec();
  question.setting.spec->allows_persistent = false;
  question.setting.spec->allows_ephemeral = true;
  const Error error = question.error();
  EXPECT_EQ(error.reason, "LifecycleUnsupported");
  EXPECT_EQ(error.kind, ErrorKind::Final);
  EXPECT_EQ(
      error.message,
      "volume mode \"Persistent\" not supported by driver d.example.org (only supports [\"Ephemeral\"])");
}

TEST(CsiVolume, kb_15_4_a_driver_that_is_not_registered) {
  Question question;
  question.is_registered = false;
  EXPECT_EQ(question.error().reason, "DriverNotRegistered");
  EXPECT_EQ(question.error().kind, ErrorKind::Transient);
}

TEST(CsiVolume, kb_15_4_secrets) {
  Question question;
  question.source.node_stage_secret = ObjectKey{Namespace("default"), ObjectName("s")};
  question.source.node_publish_secret = ObjectKey{Namespace("storage"), ObjectName("s")};
  question.source.node_expand_secret = ObjectKey{Namespace("storage"), ObjectName("s")};
  question.volume.capacity = Quantity::from_integer(4096);
  question.driver.node.expand = true;
  const Recipe recipe = question.recipe();
  EXPECT_EQ(only<StageCsiVolume>(recipe.device->stage.up).secrets.at("password").expose_secret(), "hunter2");
  EXPECT_EQ(only<PublishCsiVolume>(recipe.publish.up).secrets.at("password").expose_secret(), "hunter3");
  EXPECT_EQ(only<ExpandCsiVolume>(recipe.device->grow.up).secrets.at("password").expose_secret(), "hunter3");
}

TEST(CsiVolume, kb_15_4_secrets_that_are_missing) {
  const ObjectKey missing{Namespace("storage"), ObjectName("none")};
  const std::pair<std::optional<ObjectKey> manifest::CsiSource::*, const char*> fields[] = {
      {&manifest::CsiSource::node_stage_secret, "fetching NodeStageSecretRef storage/none failed"},
      {&manifest::CsiSource::node_publish_secret, "fetching NodePublishSecretRef storage/none failed"},
      {&manifest::CsiSource::node_expand_secret, "fetching NodeExpandSecretRef storage/none failed"}};
  for (const auto& [field, words] : fields) {
    Question question;
    question.source.*field = missing;
    question.volume.capacity = Quantity::from_integer(4096);
    question.volume.annotations[node_expansion] = node_expansion_required;
    question.driver.node.expand = true;
    EXPECT_EQ(question.error().kind, ErrorKind::Transient);
    EXPECT_THAT(question.error().message, HasSubstr(words));
  }
  Question needs_no_growth;
  needs_no_growth.source.node_expand_secret = missing;
  needs_no_growth.volume.capacity = Quantity::from_integer(4096);
  needs_no_growth.driver.node.expand = true;
  const DeviceRecipe usable = *needs_no_growth.recipe().device;
  EXPECT_THAT(usable.stage.up, SizeIs(1));
  EXPECT_THAT(usable.grow.up, IsEmpty());
  EXPECT_EQ(usable.capacity_bytes, 0u) << "nobody says that it has that size";
  Question question;
  question.source.node_publish_secret = ObjectKey{Namespace("storage"), ObjectName("raw")};
  EXPECT_EQ(question.error().reason, "SecretNotText");
}

TEST(CsiVolume, names_that_cannot_be_paths_are_refused) {
  Question question;
  question.source.volume_handle.clear();
  EXPECT_EQ(question.error().reason, "InvalidVolumeHandle");
  Question other;
  other.source.driver = "volumeDevices";
  EXPECT_EQ(other.error().reason, "InvalidDriverName");
}

}  // namespace
}  // namespace mooring
