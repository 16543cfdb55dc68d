// Attaching by a driver's controller: the stamp that outlives everything, and what is asked when.

#include "operation/csi_attach.h"

#include <gmock/gmock.h>

#include "csi/attachment.h"
#include "csi_fixture.h"
#include "operation/scan.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string stamp = layout::csi_attachment({csi_driver, "vol#1"});

class CsiAttach : public testing::Test, public CsiNode {
 protected:
  CsiAttach() {
    attach.volume = csi_volume;
    attach.node_id = "n1";
    attach.secrets = {{"key", SecretBytes("swordfish")}};
    attach.secret = ObjectKey{Namespace("storage"), ObjectName("login")};
    attach.stamp = stamp;
    attach.staged_path = csi_staged;
    detach.volume = csi_volume;
    detach.node_id = "n1";
    detach.stamp = stamp;
  }
  std::vector<CsiAttachment> found() {
    auto stamps = find_csi_attachments(fake.ports().files);
    EXPECT_TRUE(stamps);
    return stamps ? stamps.value() : std::vector<CsiAttachment>();
  }
  std::string text_of_stamp() {
    auto text = fake.ports().files.read_file(stamp, 1U << 20U);
    return text ? text.value() : "";
  }

  PublishCsiController attach;
  UnpublishCsiController detach;
};

TEST_F(CsiAttach, the_stamp_is_there_before_the_driver_is_asked_and_until_it_said_that_it_is_detached) {
  response = R"({"publish_context": {"device": "/dev/x"}})";
  std::size_t stamps_seen = 0;
  fake.drivers().set_on_call([&](const kernel::DriverCall&) {
    stamps_seen += found().size();
    return kernel::DriverAnswer{CallCode::Ok, "", response};
  });
  const Outcome attached = run({attach});
  EXPECT_FALSE(attached.error);
  ASSERT_TRUE(attached.csi_made);
  EXPECT_EQ(std::get<CsiPublishContext>(*attached.csi_made).values.at("device"), "/dev/x");
  EXPECT_EQ(stamps_seen, 1u);
  EXPECT_THAT(found(), ElementsAre(CsiAttachment{csi_driver, "vol#1", "n1", attach.secret, csi_staged}));
  EXPECT_THAT(text_of_stamp(), Not(HasSubstr("swordfish")));
  EXPECT_FALSE(run({detach}).error);
  EXPECT_EQ(stamps_seen, 2u);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(CsiAttach, a_certain_no_leaves_no_stamp) {
  expect("ControllerPublishVolume", CallCode::NotFound);
  EXPECT_EQ(run({attach}).error->reason, "ControllerPublishFailed");
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(CsiAttach, what_is_attached_though_its_stamp_cannot_be_looked_at_is_not_certain) {
  fail_call("status", EACCES, true);
  EXPECT_EQ(run_badly({attach}).kind, ErrorKind::Uncertain);
  EXPECT_THAT(called(), ElementsAre("ControllerPublishVolume"));
  EXPECT_EQ(found().size(), 1u);
}

TEST_F(CsiAttach, what_is_not_certain_leaves_the_stamp_also_after_a_later_no) {
  expect("ControllerPublishVolume", CallCode::DeadlineExceeded);
  expect("ControllerPublishVolume", CallCode::Internal);
  EXPECT_EQ(run({attach}).error->kind, ErrorKind::Uncertain);
  EXPECT_EQ(found().size(), 1u);
  EXPECT_TRUE(run({attach}).error);
  EXPECT_EQ(found().size(), 1u);
}

TEST_F(CsiAttach, a_driver_that_is_not_registered_is_asked_nothing_and_leaves_no_stamp) {
  attach.volume.socket.clear();
  EXPECT_EQ(run({attach}).error->reason, "DriverNotRegistered");
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(CsiAttach, a_node_of_another_name_is_left_first) {
  run_well({attach});
  called();
  attach.node_id = "n2";
  run_well({attach});
  EXPECT_THAT(called(), ElementsAre("ControllerUnpublishVolume", "ControllerPublishVolume"));
  EXPECT_EQ(last_request()["node_id"], "n2");
  EXPECT_EQ(found().at(0).node_id, "n2");
  attach.node_id = "n3";
  expect("ControllerUnpublishVolume", CallCode::Internal);
  EXPECT_EQ(run({attach}).error->reason, "ControllerUnpublishFailed");
  EXPECT_EQ(found().at(0).node_id, "n2");
}

TEST_F(CsiAttach, what_was_never_attached_is_detached_without_a_call) {
  run_well({detach});
  EXPECT_THAT(called(), IsEmpty());
}

TEST_F(CsiAttach, a_detach_that_failed_keeps_the_stamp) {
  run_well({attach});
  expect("ControllerUnpublishVolume", CallCode::Internal);
  EXPECT_TRUE(run({detach}).error);
  EXPECT_EQ(found().size(), 1u);
}

TEST_F(CsiAttach, what_was_detached_before_it_was_attached_has_its_stamp_again) {
  fake.drivers().set_on_call([&](const kernel::DriverCall&) {
    EXPECT_TRUE(
        fake.ports().files.remove_file(stamp));  // A later run, which heard sooner that it is detached.
    return kernel::DriverAnswer{CallCode::Ok, "", "{}"};
  });
  run_well({attach});
  EXPECT_EQ(found().size(), 1u);
}

TEST_F(CsiAttach, a_scan_finds_the_stamps_and_nothing_else) {
  run_well({attach});
  const std::string folder = layout::csi_attachments() + "/";
  kernel::Files& files = fake.ports().files;
  ASSERT_TRUE(
      files.create_file(folder + ".half", csi::encode_attachment({csi_driver, "h", "n1", {}, {}}), 0600));
  ASSERT_TRUE(files.create_file(folder + "copy.json", text_of_stamp(), 0600));
  ASSERT_TRUE(files.create_file(folder + "broken.json", "{", 0600));
  const auto tree = scan_tree(fake.ports());
  ASSERT_TRUE(tree);
  ASSERT_EQ(tree.value().attachments.size(), 1u);
  EXPECT_EQ(tree.value().attachments[0].handle, "vol#1");
}

}  // namespace
}  // namespace mooring
