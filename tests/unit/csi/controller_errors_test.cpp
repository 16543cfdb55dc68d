// What follows from the errors of controller services.

#include "csi/controller_errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mooring::csi {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr ControllerCall calls[] = {ControllerCall::CreateVolume,  ControllerCall::DeleteVolume,
                                    ControllerCall::Publish,       ControllerCall::Unpublish,
                                    ControllerCall::Expand,        ControllerCall::CreateSnapshot,
                                    ControllerCall::DeleteSnapshot};

/// Of all calls, unless the tests below say otherwise.
TEST(ControllerErrors, csi_codes_that_leave_it_open_are_uncertain) {
  const std::pair<CallCode, ErrorKind> cases[] = {{CallCode::Cancelled, ErrorKind::Uncertain},
                                                  {CallCode::DeadlineExceeded, ErrorKind::Uncertain},
                                                  {CallCode::Unavailable, ErrorKind::Uncertain},
                                                  {CallCode::Aborted, ErrorKind::Uncertain},
                                                  {CallCode::InvalidArgument, ErrorKind::Final},
                                                  {CallCode::Unimplemented, ErrorKind::Final},
                                                  {CallCode::OutOfRange, ErrorKind::Final},
                                                  {CallCode::Unknown, ErrorKind::Transient},
                                                  {CallCode::NotFound, ErrorKind::Transient},
                                                  {CallCode::PermissionDenied, ErrorKind::Transient},
                                                  {CallCode::FailedPrecondition, ErrorKind::Transient},
                                                  {CallCode::Internal, ErrorKind::Transient},
                                                  {CallCode::DataLoss, ErrorKind::Transient},
                                                  {CallCode::Unauthenticated, ErrorKind::Transient},
                                                  {static_cast<CallCode>(77), ErrorKind::Transient}};
  for (const ControllerCall call : calls) {
    for (const auto& [code, kind] : cases)
      EXPECT_EQ(controller_error_kind(call, code), kind) << to_string(call) << static_cast<int>(code);
  }
}

TEST(ControllerErrors, csi_no_room_for_a_volume_is_certain_and_of_all_else_it_is_not) {
  for (const ControllerCall call : calls) {
    EXPECT_EQ(controller_error_kind(call, CallCode::ResourceExhausted),
              call == ControllerCall::CreateVolume ? ErrorKind::Transient : ErrorKind::Uncertain)
        << to_string(call);
  }
}

TEST(ControllerErrors, csi_a_name_that_is_taken_stays_taken) {
  for (const ControllerCall call : calls) {
    const bool makes = call == ControllerCall::CreateVolume || call == ControllerCall::CreateSnapshot;
    EXPECT_EQ(controller_error_kind(call, CallCode::AlreadyExists),
              makes ? ErrorKind::Final : ErrorKind::Transient)
        << to_string(call);
  }
}

TEST(ControllerErrors, an_error_names_the_call_the_driver_and_its_own_words_cleaned) {
  const std::pair<ControllerCall, const char*> cases[] = {
      {ControllerCall::CreateVolume, "CreateVolumeFailed"},
      {ControllerCall::DeleteVolume, "DeleteVolumeFailed"},
      {ControllerCall::Publish, "ControllerPublishFailed"},
      {ControllerCall::Unpublish, "ControllerUnpublishFailed"},
      {ControllerCall::Expand, "ControllerExpandFailed"},
      {ControllerCall::CreateSnapshot, "CreateSnapshotFailed"},
      {ControllerCall::DeleteSnapshot, "DeleteSnapshotFailed"}};
  for (const auto& [call, reason] : cases) {
    const Error error =
        controller_error(call, DriverName("d"), CallCode::Internal, "a\nb\x1b" + std::string(5000, 'z'));
    EXPECT_EQ(error.reason, reason);
    EXPECT_THAT(error.message, HasSubstr(std::string(to_string(call)) +
                                         " of driver d failed: rpc error: code = Internal desc = a"));
    EXPECT_THAT(error.message, Not(HasSubstr("\n")));
    EXPECT_THAT(error.message, Not(HasSubstr("\x1b")));
    EXPECT_LT(error.message.size(), 1200u);
    EXPECT_FALSE(error.remedy.empty());
  }
}

TEST(ControllerErrors, the_remedy_follows_from_the_code) {
  const auto remedy = [](ControllerCall call, CallCode code) {
    return controller_error(call, DriverName("d"), code, "").remedy;
  };
  EXPECT_THAT(remedy(ControllerCall::CreateVolume, CallCode::ResourceExhausted), HasSubstr("room"));
  EXPECT_THAT(remedy(ControllerCall::CreateVolume, CallCode::InvalidArgument), HasSubstr("class"));
  EXPECT_THAT(remedy(ControllerCall::DeleteVolume, CallCode::Unavailable), HasSubstr("runs"));
  EXPECT_THAT(remedy(ControllerCall::Expand, CallCode::DeadlineExceeded), HasSubstr("waits"));
}

TEST(ControllerErrors, an_answer_that_is_none_leaves_it_open) {
  const Error error = bad_controller_answer(ControllerCall::CreateSnapshot, "why");
  EXPECT_EQ(error.kind, ErrorKind::Uncertain);
  EXPECT_EQ(error.reason, "BadAnswer");
  EXPECT_THAT(error.message, HasSubstr("CreateSnapshot"));
}

}  // namespace
}  // namespace mooring::csi
