// Volumes that the controllers of CSI drivers make, in the core: what is asked of them and when, what waits
// for what, and what is told (decision 0032).

#include <gmock/gmock.h>

#include "driver_claims_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

TEST_F(DriverClaims, a_claim_waits_for_its_driver_and_says_so) {
  start_with();
  shell_.write_text("c.yaml", claim_yaml("data"));
  EXPECT_EQ(claim().reason, "ExternalProvisioning");
  EXPECT_THAT(claim().message, HasSubstr(driver_name));
  EXPECT_THAT(claim().action, HasSubstr("start the CSI driver"));
  put_driver(able_driver());
  const std::string making = doing("provision pv/pvc-");
  ASSERT_NE(making, "") << "at once, when the driver is there";
  const auto steps = steps_of<CreateCsiVolume>(shell_);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].volume.socket, "/run/d.sock");
  EXPECT_EQ(steps[0].request.required_bytes, 1ULL << 30);
  shell_.end(making, made("vol-1", 2ULL << 30));
  EXPECT_EQ(claim().phase, "Bound");
  EXPECT_EQ(claim().capacity, "2147483648") << "as the driver says";
  EXPECT_THAT(persistent(claim().volume).source, HasSubstr("vol-1"));
}

TEST_F(DriverClaims, a_driver_without_a_controller_is_told_of) {
  start_with();
  CsiDriver driver = able_driver();
  driver.controller.reset();
  put_driver(driver);
  shell_.write_text("c.yaml", claim_yaml("data"));
  EXPECT_EQ(claim().reason, "ExternalProvisioning");
  EXPECT_THAT(claim().message, HasSubstr("no controller service"));
  EXPECT_THAT(shell_.core.storage_classes().front().message, HasSubstr("no controller service"));
  drop_driver();
  put_driver(able_driver(), 2);
  EXPECT_NE(doing("provision pv/"), "");
}

TEST_F(DriverClaims, an_operation_outlives_the_calls_that_it_makes) {
  start_with();
  put_driver(able_driver());
  shell_.write_text("c.yaml", claim_yaml("data"));
  ASSERT_THAT(shell_.in_flight, SizeIs(1));
  EXPECT_EQ(shell_.in_flight[0].lane, Lane::Own);
  EXPECT_GT(shell_.in_flight[0].deadline_ms, 2 * CsiVolume().deadline_ms);
}

TEST_F(DriverClaims, a_secret_that_is_missing_is_waited_for_and_wakes_the_work_at_once) {
  start_with(with_secret);
  put_driver(able_driver());
  shell_.write_text("c.yaml", claim_yaml("data"));
  EXPECT_THAT(shell_.doing(), IsEmpty());
  EXPECT_EQ(claim().reason, "SecretMissing");
  EXPECT_THAT(claim().message, HasSubstr("system/make"));
  shell_.write_text("s.yaml", secret_yaml);
  const auto steps = steps_of<CreateCsiVolume>(shell_);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].secrets.at("key").expose_secret(), "swordfish");
  EXPECT_EQ(claim().reason, "Provisioning");
  shell_.end(doing("provision pv/"), made("vol-1"));
  EXPECT_EQ(claim().phase, "Bound");
  for (const auto& [name, row] : shell_.ledger.volumes) {
    for (const auto& [key, value] : row.parameters)
      EXPECT_THAT(value, Not(HasSubstr("swordfish")));
  }
}

TEST_F(DriverClaims, a_secret_that_was_corrected_is_tried_at_once) {
  start_with(with_secret);
  put_driver(able_driver());
  shell_.write_text("s.yaml", secret_yaml);
  shell_.write_text("c.yaml", claim_yaml("data"));
  shell_.fail(doing("provision pv/"),
              error_of(ErrorKind::Transient, "CreateVolumeFailed", "code = Unauthenticated"));
  EXPECT_THAT(shell_.doing(), IsEmpty());
  shell_.write_text("s.yaml",
                    "apiVersion: v1\nkind: Secret\nmetadata: {name: make, namespace: system}\n"
                    "stringData: {key: salmon}\n");
  const auto steps = steps_of<CreateCsiVolume>(shell_);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].secrets.at("key").expose_secret(), "salmon");
}

TEST_F(DriverClaims, a_lost_answer_is_asked_for_again_with_the_same_request) {
  start_with();
  put_driver(able_driver());
  shell_.write_text("c.yaml", claim_yaml("data"));
  const auto first = steps_of<CreateCsiVolume>(shell_);
  shell_.fail(doing("provision pv/"), worker_lost());
  shell_.wake();
  const auto second = steps_of<CreateCsiVolume>(shell_);
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(first, second);
}

TEST_F(DriverClaims, a_restart_asks_for_the_same_volume_when_its_driver_is_there) {
  start_with();
  put_driver(able_driver());
  shell_.write_text("c.yaml", claim_yaml("data"));
  const auto first = steps_of<CreateCsiVolume>(shell_);
  ASSERT_THAT(first, SizeIs(1));
  Shell again;
  again.ledger = shell_.ledger;
  again.adopt({}, {});
  again.write_text("k.yaml", fast_class());
  again.write_text("c.yaml", claim_yaml("data"));
  again.list({"c.yaml", "k.yaml"});
  EXPECT_THAT(again.doing(), IsEmpty());
  EXPECT_EQ(claim(again).reason, "DriverNotRegistered");
  put_driver(again, able_driver());
  EXPECT_EQ(steps_of<CreateCsiVolume>(again), first);
}

TEST_F(DriverClaims, what_a_driver_refuses_is_said_and_asked_again_now_and_then) {
  start_with();
  put_driver(able_driver());
  shell_.write_text("c.yaml", claim_yaml("data"));
  shell_.fail(doing("provision pv/"),
              error_of(ErrorKind::Final, "CreateVolumeFailed", "code = InvalidArgument desc = no such pool"));
  EXPECT_THAT(claim().message, HasSubstr("no such pool"));
  EXPECT_GE(shell_.count("ProvisioningFailed persistentvolumeclaim/default/data"), 1);
  EXPECT_EQ(doing("provision pv/"), "") << "not at once";
  shell_.wake();
  ASSERT_NE(doing("provision pv/"), "");
  shell_.fail(doing("provision pv/"),
              error_of(ErrorKind::Final, "CreateVolumeFailed", "code = InvalidArgument desc = no such pool"));
  shell_.wake();
  shell_.end(doing("provision pv/"), made("vol-1"));
  EXPECT_EQ(claim().phase, "Bound");
  EXPECT_EQ(claim().message, "");
}

TEST_F(DriverClaims, a_driver_that_is_started_anew_is_asked_at_once_for_what_it_refused) {
  start_with();
  put_driver(able_driver());
  shell_.write_text("c.yaml", claim_yaml("data"));
  shell_.fail(doing("provision pv/"), error_of(ErrorKind::Final, "CreateVolumeFailed", "no such pool"));
  EXPECT_EQ(doing("provision pv/"), "");
  drop_driver();
  put_driver(able_driver(), 2);
  EXPECT_NE(doing("provision pv/"), "");
}

TEST_F(DriverClaims, a_claim_that_goes_before_the_answer_leaves_nothing) {
  start_with();
  put_driver(able_driver());
  shell_.write_text("c.yaml", claim_yaml("data"));
  const std::string making = doing("provision pv/");
  shell_.feed(FileGone{"c.yaml"});
  shell_.end(making, made("vol-1"));
  const auto steps = steps_of<DeleteCsiVolume>(shell_);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].volume.handle, "") << "nobody wrote it down: it is asked for";
  shell_.finish();
  EXPECT_THAT(shell_.ledger.volumes, IsEmpty());
}

TEST_F(DriverClaims, a_volume_is_deleted_when_its_driver_is_back) {
  start_with();
  put_driver(able_driver());
  bind_claim();
  const std::string volume = claim().volume;
  drop_driver();
  shell_.feed(FileGone{"c.yaml"});
  EXPECT_THAT(shell_.doing(), IsEmpty());
  EXPECT_EQ(persistent(volume).phase, "Released") << "it waits, and has not failed";
  EXPECT_EQ(persistent(volume).reason, "DriverNotRegistered");
  EXPECT_THAT(persistent(volume).message, HasSubstr(driver_name));
  EXPECT_EQ(shell_.count("DriverNotRegistered persistentvolume/" + volume), 1);
  EXPECT_EQ(shell_.count("VolumeFailedDelete persistentvolume/" + volume), 0);
  put_driver(able_driver(), 2);
  const auto steps = steps_of<DeleteCsiVolume>(shell_);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].volume.handle, "vol-1");
  shell_.finish();
  EXPECT_THAT(shell_.ledger.volumes, IsEmpty());
}

TEST_F(DriverClaims, a_volume_to_be_deleted_waits_for_its_driver_after_a_restart) {
  start_with();
  put_driver(able_driver());
  bind_claim();
  Shell again;
  again.ledger = shell_.ledger;
  again.adopt({}, {});
  again.list({});  // The claim went while nobody looked.
  ASSERT_THAT(again.ledger.volumes, SizeIs(1));
  EXPECT_EQ(again.ledger.volumes.begin()->second.state, LedgerVolume::State::Deleting);
  EXPECT_EQ(again.core.persistent_volumes().front().phase, "Released");
  EXPECT_EQ(again.core.persistent_volumes().front().reason, "DriverNotRegistered");
  put_driver(again, able_driver());
  again.finish();
  EXPECT_THAT(again.ledger.volumes, IsEmpty());
}

TEST_F(DriverClaims, a_hung_driver_holds_no_more_than_its_share_of_the_workers) {
  start_with();
  put_driver(able_driver());
  for (int i = 0; i < 20; ++i)
    shell_.write_text("c" + std::to_string(i) + ".yaml", claim_yaml("c" + std::to_string(i)));
  const std::size_t calls_max = CoreOptions().driver_calls_max;
  EXPECT_THAT(shell_.in_flight, SizeIs(calls_max));
  shell_.end(shell_.in_flight.front().what, made("vol-1"));
  EXPECT_THAT(shell_.in_flight, SizeIs(calls_max)) << "the next one begins";
  shell_.write("web", {{"scratch", disk}});
  EXPECT_TRUE(shell_.is_in_flight("publish default/web/scratch"));
}

TEST_F(DriverClaims, what_waits_for_a_hung_driver_does_not_wake_the_core_again_and_again) {
  start_with();
  put_driver(able_driver());
  const std::size_t calls_max = CoreOptions().driver_calls_max;
  for (std::size_t i = 0; i < calls_max + 4; ++i)
    shell_.write_text("c" + std::to_string(i) + ".yaml", claim_yaml("c" + std::to_string(i)));
  for (std::size_t i = 0; i < calls_max + 4; ++i)  // Each fails once, and is to be tried again.
    shell_.fail(shell_.in_flight.front().what, error_of(ErrorKind::Uncertain, "CreateVolumeFailed"));
  shell_.advance(std::chrono::minutes(10));  // The pauses of all have ended, and the driver hangs.
  ASSERT_THAT(shell_.in_flight, SizeIs(calls_max));
  const auto wake = shell_.core.next_wake();
  EXPECT_TRUE(!wake || *wake > shell_.now().monotonic);
}

TEST_F(DriverClaims, waits_for_the_first_consumer_where_the_class_says_so) {
  start_with("volumeBindingMode: WaitForFirstConsumer\n");
  CsiDriver driver = able_driver();
  driver.topology = {{"zone", "a"}};
  put_driver(driver);
  shell_.write_text("c.yaml", claim_yaml("data"));
  EXPECT_EQ(claim().reason, "WaitForFirstConsumer");
  EXPECT_THAT(shell_.doing(), IsEmpty());
  shell_.write("web", {{"data", of_claim("data")}});
  const auto steps = steps_of<CreateCsiVolume>(shell_);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_THAT(steps[0].request.requisite, ElementsAre(CsiTopology{{"zone", "a"}}));
  Outcome outcome = made("vol-1");
  std::get<CsiCreatedVolume>(*outcome.csi_made).topology = {{{"zone", "a"}}};
  shell_.end(doing("provision pv/"), std::move(outcome));
  EXPECT_EQ(claim().phase, "Bound");
  EXPECT_NE(doing("stage "), "") << "the pod gets it on this node";
}

TEST_F(DriverClaims, what_a_pod_came_to_have_while_its_end_was_written_down_is_deleted_after_it_is_let_go) {
  start_with();
  put_driver(able_driver());
  bind_claim();
  shell_.is_ledger_slow = true;
  shell_.feed(FileGone{"c.yaml"});
  shell_.write("web", {{"v", of_claim("data")}});
  ASSERT_EQ(shell_.core.devices().size(), 1U) << "the claim counts until it is written that it goes";
  shell_.is_ledger_slow = false;
  shell_.end_writing();
  EXPECT_EQ(doing("delete pv/"), "");
  while (doing("delete pv/").empty()) {
    ASSERT_FALSE(shell_.in_flight.empty());
    shell_.end(shell_.in_flight.front().what);
  }
  EXPECT_EQ(shell_.core.devices().size(), 0U);
}

}  // namespace
}  // namespace mooring
