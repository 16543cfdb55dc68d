// Attaching by somebody else, who says so in VolumeAttachments (kubelet-behaviours 8).

#include "csi_shared_fixture.h"

namespace mooring {
namespace {

using namespace csi_shared;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::string attachment_yaml(const std::string& status) {
  return "apiVersion: storage.k8s.io/v1\nkind: VolumeAttachment\nmetadata: {name: va}\nspec: {attacher: "
         "d.example.com, nodeName: node, source: {persistentVolumeName: pv}}\nstatus: {" +
         status + "}\n";
}

class CsiAttachByOthers : public CsiAttach {
 protected:
  CsiAttachByOthers() : CsiAttach(true) {}
};

TEST_F(CsiAttachByOthers, kb_8_is_in_use_before_it_is_attached_and_waited_for_until_it_is) {
  start();
  shell.write("web", claim_volume);
  EXPECT_THAT(shell.doing(), IsEmpty());
  ASSERT_TRUE(device());
  EXPECT_TRUE(device()->in_use);
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Attaching);
  EXPECT_EQ(shell.volume("web", "v").reason, "WaitingForAttachment");
  EXPECT_EQ(shell.count("WaitingForAttachment device/" + key), 1);
  shell.write_text("va.yaml", attachment_yaml("attached: false, attachError: {message: no room}"));
  EXPECT_THAT(shell.doing(), IsEmpty());
  EXPECT_EQ(shell.volume("web", "v").reason, "AttachFailed");
  EXPECT_THAT(shell.volume("web", "v").message, HasSubstr("no room"));
  shell.write_text("va.yaml", attachment_yaml("attached: true, attachmentMetadata: {device: /dev/z}"));
  ASSERT_THAT(shell.doing(), ElementsAre(stage));
  EXPECT_THAT(only<StageCsiVolume>().publish_context, ElementsAre(Pair("device", "/dev/z")));
  shell.end(stage);
  EXPECT_THAT(only<PublishCsiVolume>().publish_context, ElementsAre(Pair("device", "/dev/z")));
  shell.end(publish("web"));
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_EQ(shell.volume("web", "v").reason, "");
}

TEST_F(CsiAttachByOthers, kb_8_on_the_way_down_nobody_is_asked_and_it_is_in_use_no_more) {
  start();
  shell.write_text("va.yaml", attachment_yaml("attached: true"));
  shell.write("web", claim_volume);
  shell.end(stage);
  shell.end(publish("web"));
  shell.remove("web");
  while (!shell.in_flight.empty()) {
    EXPECT_THAT(steps_of<UnpublishCsiController>(shell), IsEmpty());
    shell.end(shell.in_flight.front().what);
  }
  EXPECT_FALSE(device());
}

TEST_F(CsiAttachByOthers, an_attachment_that_goes_takes_nothing_from_a_pod_and_keeps_the_next_one_waiting) {
  start();
  shell.write_text("va.yaml", attachment_yaml("attached: true"));
  shell.write("web", claim_volume);
  shell.end(stage);
  shell.end(publish("web"));
  shell.feed(FileGone{"va.yaml"});
  EXPECT_THAT(shell.doing(), IsEmpty());
  EXPECT_TRUE(shell.pod("web").ready);
  shell.write("two", claim_volume);
  EXPECT_THAT(shell.doing(), IsEmpty());
  EXPECT_EQ(shell.volume("two", "v").reason, "WaitingForAttachment");
  shell.write_text("va.yaml", attachment_yaml("attached: true"));
  EXPECT_THAT(shell.doing(), ElementsAre(publish("two")));
}

TEST_F(CsiAttachByOthers, who_never_got_it_lets_it_go_again) {
  start();
  shell.write("web", claim_volume);
  ASSERT_TRUE(device());
  shell.remove("web");
  shell.finish();
  EXPECT_FALSE(device());
}

}  // namespace
}  // namespace mooring
