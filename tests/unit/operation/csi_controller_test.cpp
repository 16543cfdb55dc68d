// The steps on controller services, on a driver of the test's own making.

#include "operation/csi_controller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kernel/fake/fake_drivers.h"
#include "operation/executor.h"

namespace mooring {
namespace {

using kernel::DriverAnswer;
using kernel::DriverCall;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// A driver that keeps volumes and snapshots by their names, as one must, and whose answers can be lost.
class CsiController : public testing::Test {
 protected:
  CsiController() {
    drivers.set_on_call([this](const DriverCall& call) -> Result<DriverAnswer> {
      const std::string method = call.method.substr(call.method.find('/') + 1);
      methods.push_back(method);
      if (!refusals.empty()) {
        const CallCode code = refusals.front();
        refusals.erase(refusals.begin());
        if (code != CallCode::Ok) return DriverAnswer{code, "not now", ""};
      }
      DriverAnswer answer = done(method, json::parse(call.request.expose_secret()));
      if (!is_answer_lost) return answer;
      return DriverAnswer{CallCode::DeadlineExceeded, "too late", ""};
    });
  }

  DriverAnswer done(const std::string& method, const json& sent) {
    if (!answer_text.empty()) return {CallCode::Ok, "", answer_text};
    if (method == "CreateVolume") {
      const std::string name = sent["name"];
      if (!volumes.contains(name)) volumes[name] = "vol-" + std::to_string(++count);
      json thing{{"volume_id", volumes[name]}, {"capacity_bytes", made_bytes}};
      if (sent.contains("volume_content_source") && says_source)
        thing["content_source"] = sent["volume_content_source"];
      return {CallCode::Ok, "", json{{"volume", thing}}.dump()};
    }
    if (method == "CreateSnapshot") {
      const std::string name = sent["name"];
      if (!snapshots.contains(name)) snapshots[name] = "snap-" + std::to_string(++count);
      return {CallCode::Ok, "", json{{"snapshot", {{"snapshot_id", snapshots[name]}}}}.dump()};
    }
    std::map<std::string, std::string>& things = method == "DeleteVolume" ? volumes : snapshots;
    const std::string id = sent.value(method == "DeleteVolume" ? "volume_id" : "snapshot_id", "");
    std::erase_if(things, [&](const auto& item) { return item.second == id; });
    return {CallCode::Ok, "", "{}"};
  }

  template <class S>
  Result<bool> run(const S& step) {
    outcome = Outcome{};
    return run_csi_controller(step, drivers, outcome);
  }

  template <class T>
  const T* made() const {
    return outcome.csi_made ? std::get_if<T>(&*outcome.csi_made) : nullptr;
  }

  kernel::FakeDrivers drivers;
  std::map<std::string, std::string> volumes, snapshots;
  std::vector<std::string> methods;
  std::vector<CallCode> refusals;  ///< Of the next calls; Ok: it is done.
  std::string made_bytes = "0";
  std::string answer_text;
  bool is_answer_lost = false;
  bool says_source = true;
  int count = 0;
  Outcome outcome;

  const CsiVolume driver{DriverName("d.example.com"), "/run/d.sock", "", 5000};
  const CsiVolume volume{DriverName("d.example.com"), "/run/d.sock", "vol-1", 5000};
  const std::map<std::string, SecretBytes> secrets{{"key", SecretBytes("swordfish")}};
  const CsiVolumeRequest asked{"pvc-1", 1000, 0, {CsiCapability{}}, {}, {}, {}, {}};
};

TEST_F(CsiController, a_created_volume_is_in_the_outcome) {
  ASSERT_TRUE(run(CreateCsiVolume{driver, asked, secrets}));
  ASSERT_NE(made<CsiCreatedVolume>(), nullptr);
  EXPECT_EQ(made<CsiCreatedVolume>()->id, "vol-1");
  EXPECT_EQ(drivers.calls.at(0).socket, "/run/d.sock");
  EXPECT_EQ(drivers.calls.at(0).deadline_ms, 5000u);
}

TEST_F(CsiController, csi_a_lost_answer_is_asked_for_by_the_same_name_and_makes_no_second_volume) {
  is_answer_lost = true;
  const auto lost = run(CreateCsiVolume{driver, asked, {}});
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().kind, ErrorKind::Uncertain);
  EXPECT_FALSE(outcome.csi_made);
  is_answer_lost = false;
  ASSERT_TRUE(run(CreateCsiVolume{driver, asked, {}}));
  EXPECT_EQ(made<CsiCreatedVolume>()->id, "vol-1");
  EXPECT_EQ(volumes.size(), 1u);
}

TEST_F(CsiController, a_lost_call_stays_uncertain) {
  drivers.set_on_call([](const DriverCall&) -> Result<DriverAnswer> {
    Error error;
    error.kind = ErrorKind::Uncertain;
    error.reason = "DriverCallLost";
    return error;
  });
  EXPECT_EQ(run(CreateCsiVolume{driver, asked, {}}).error().kind, ErrorKind::Uncertain);
  EXPECT_EQ(run(DeleteCsiVolume{driver, asked, {}}).error().reason, "DriverCallLost");
}

TEST_F(CsiController, a_driver_that_is_not_registered_is_waited_for) {
  CsiVolume away = volume;
  away.socket.clear();
  const Error errors[] = {run(CreateCsiVolume{away, asked, {}}).error(),
                          run(DeleteCsiVolume{away, asked, {}}).error(),
                          run(PublishCsiController{away, "n1", {}, false, {}, {}}).error(),
                          run(UnpublishCsiController{away, "n1", {}}).error(),
                          run(ExpandCsiController{away, 1, {}, {}}).error(),
                          run(CreateCsiSnapshot{away, {"s", {}}, {}}).error(),
                          run(DeleteCsiSnapshot{away, "snap-1", {}, {}}).error()};
  for (const Error& error : errors) {
    EXPECT_EQ(error.reason, "DriverNotRegistered");
    EXPECT_EQ(error.kind, ErrorKind::Transient);
  }
  EXPECT_THAT(methods, IsEmpty());
}

TEST_F(CsiController, csi_a_volume_that_is_too_small_is_deleted_again) {
  made_bytes = "999";
  const auto result = run(CreateCsiVolume{driver, asked, {}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().reason, "UnfitVolume");
  EXPECT_EQ(result.error().kind, ErrorKind::Transient);
  EXPECT_THAT(methods, ElementsAre("CreateVolume", "DeleteVolume"));
  EXPECT_THAT(volumes, IsEmpty());
  EXPECT_FALSE(outcome.csi_made);
}

TEST_F(CsiController, csi_an_unfit_volume_that_cannot_be_deleted_is_uncertain) {
  says_source = false;
  refusals = {CallCode::Ok, CallCode::Internal};
  CsiVolumeRequest clone = asked;
  clone.source = {CsiContentSource::Kind::Volume, "vol-0"};
  const auto result = run(CreateCsiVolume{driver, clone, {}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::Uncertain);
  EXPECT_THAT(result.error().message, HasSubstr("volume content source missing"));
  says_source = true;
  EXPECT_TRUE(run(CreateCsiVolume{driver, clone, {}}));
}

TEST_F(CsiController, a_volume_is_deleted_by_its_handle) {
  volumes["pvc-1"] = "vol-1";
  ASSERT_TRUE(run(DeleteCsiVolume{volume, asked, secrets}));
  EXPECT_THAT(methods, ElementsAre("DeleteVolume"));
  EXPECT_THAT(volumes, IsEmpty());
}

TEST_F(CsiController, a_volume_of_which_nobody_knows_the_handle_is_deleted_by_its_name) {
  is_answer_lost = true;
  ASSERT_FALSE(run(CreateCsiVolume{driver, asked, {}}));
  is_answer_lost = false;
  methods.clear();
  ASSERT_TRUE(run(DeleteCsiVolume{driver, asked, {}}));
  EXPECT_THAT(methods, ElementsAre("CreateVolume", "DeleteVolume"));
  EXPECT_THAT(volumes, IsEmpty());
}

TEST_F(CsiController, a_handle_that_became_known_is_told_also_if_the_deletion_fails) {
  refusals = {CallCode::Ok, CallCode::FailedPrecondition};
  const auto result = run(DeleteCsiVolume{driver, asked, {}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().reason, "DeleteVolumeFailed");
  ASSERT_NE(made<CsiCreatedVolume>(), nullptr);
  EXPECT_EQ(made<CsiCreatedVolume>()->id, "vol-1");
}

TEST_F(CsiController, what_can_never_have_been_made_is_deleted_and_what_may_be_there_is_not_forgotten) {
  const std::pair<CallCode, bool> cases[] = {
      {CallCode::InvalidArgument, true}, {CallCode::OutOfRange, true}, {CallCode::AlreadyExists, false},
      {CallCode::NotFound, true},        {CallCode::Internal, false},  {CallCode::Unavailable, false},
      {CallCode::Aborted, false},        {CallCode::Unknown, false},   {CallCode::PermissionDenied, false},
      {CallCode::Unimplemented, false}};
  for (const auto& [code, is_nothing] : cases) {
    refusals = {code};
    const auto deleted = run(DeleteCsiVolume{driver, asked, {}});
    EXPECT_EQ(static_cast<bool>(deleted), is_nothing) << static_cast<int>(code);
    EXPECT_EQ(outcome.warnings.size(), is_nothing ? 1u : 0u) << static_cast<int>(code);
    refusals = {code};
    EXPECT_EQ(static_cast<bool>(run(DeleteCsiSnapshot{volume, "", {"s", {}}, {}})), is_nothing)
        << static_cast<int>(code);
  }
}

TEST_F(CsiController, a_deletion_that_fails_is_never_taken_for_done) {
  for (const CallCode code : {CallCode::NotFound, CallCode::InvalidArgument, CallCode::Internal,
                              CallCode::FailedPrecondition, CallCode::DeadlineExceeded}) {
    refusals = {code};
    EXPECT_FALSE(run(DeleteCsiVolume{volume, asked, {}})) << static_cast<int>(code);
    refusals = {code};
    EXPECT_FALSE(run(DeleteCsiSnapshot{volume, "snap-1", {}, {}})) << static_cast<int>(code);
    refusals = {code};
    EXPECT_FALSE(run(UnpublishCsiController{volume, "n1", {}})) << static_cast<int>(code);
  }
}

TEST_F(CsiController, what_the_node_is_told_is_in_the_outcome) {
  answer_text = R"({"publish_context":{"device":"/dev/x"}})";
  ASSERT_TRUE(run(PublishCsiController{volume, "n1", {}, true, {{"a", "b"}}, secrets}));
  ASSERT_NE(made<CsiPublishContext>(), nullptr);
  EXPECT_EQ(made<CsiPublishContext>()->values.at("device"), "/dev/x");
  const json sent = json::parse(drivers.calls.at(0).request.expose_secret());
  EXPECT_EQ(sent["node_id"], "n1");
  EXPECT_EQ(sent["readonly"], true);
  EXPECT_EQ(sent["secrets"]["key"], "swordfish");
}

TEST_F(CsiController, an_expansion_is_as_large_as_the_driver_says_or_as_was_asked_for) {
  answer_text = R"({"capacity_bytes":"2000","node_expansion_required":true})";
  ASSERT_TRUE(run(ExpandCsiController{volume, 1500, {}, {}}));
  EXPECT_EQ(*made<CsiExpansion>(), (CsiExpansion{2000, true}));
  answer_text = "{}";
  ASSERT_TRUE(run(ExpandCsiController{volume, 1500, {}, {}}));
  EXPECT_EQ(*made<CsiExpansion>(), (CsiExpansion{1500, false}));
  answer_text = R"({"capacity_bytes":"1499"})";
  EXPECT_EQ(run(ExpandCsiController{volume, 1500, {}, {}}).error().reason, "NotExpanded");
}

TEST_F(CsiController, a_snapshot_is_made_once_and_deleted_by_its_id_or_its_name) {
  is_answer_lost = true;
  ASSERT_FALSE(run(CreateCsiSnapshot{volume, {"snapshot-1", {}}, {}}));
  is_answer_lost = false;
  ASSERT_TRUE(run(CreateCsiSnapshot{volume, {"snapshot-1", {}}, {}}));
  EXPECT_EQ(made<CsiSnapshot>()->id, "snap-1");
  ASSERT_TRUE(run(DeleteCsiSnapshot{volume, "snap-1", {}, {}}));
  EXPECT_THAT(snapshots, IsEmpty());
  ASSERT_TRUE(run(CreateCsiSnapshot{volume, {"snapshot-2", {}}, {}}));
  ASSERT_TRUE(run(DeleteCsiSnapshot{volume, "", {"snapshot-2", {}}, {}}));
  EXPECT_THAT(snapshots, IsEmpty());
}

TEST_F(CsiController, no_error_and_no_line_about_a_step_shows_a_secret) {
  const CreateCsiVolume create{driver, asked, secrets};
  EXPECT_THAT(describe(create), Not(HasSubstr("swordfish")));
  EXPECT_THAT(describe(PublishCsiController{volume, "n1", {}, false, {}, secrets}),
              Not(HasSubstr("swordfish")));
  answer_text = R"({"volume":{"volume_context":{"token":"swordfish"}}})";
  const auto result = run(create);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().reason, "BadAnswer");
  EXPECT_THAT(result.error().text(), HasSubstr("d.example.com"));
  EXPECT_THAT(result.error().text(), Not(HasSubstr("swordfish")));
}

}  // namespace
}  // namespace mooring
