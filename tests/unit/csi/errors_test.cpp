// What follows from a driver's answer (kubelet-behaviours 15.4), code by code.

#include "csi/errors.h"

#include <gmock/gmock.h>

namespace mooring::csi {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Row {
  CallCode code;
  const char* name;
  bool is_final;
  ErrorKind kind;
};

constexpr Row rows[] = {
    {CallCode::Cancelled, "Canceled", false, ErrorKind::Uncertain},
    {CallCode::Unknown, "Unknown", true, ErrorKind::Transient},
    {CallCode::InvalidArgument, "InvalidArgument", true, ErrorKind::Final},
    {CallCode::DeadlineExceeded, "DeadlineExceeded", false, ErrorKind::Uncertain},
    {CallCode::NotFound, "NotFound", true, ErrorKind::Transient},
    {CallCode::AlreadyExists, "AlreadyExists", true, ErrorKind::Transient},
    {CallCode::PermissionDenied, "PermissionDenied", true, ErrorKind::Transient},
    {CallCode::ResourceExhausted, "ResourceExhausted", false, ErrorKind::Uncertain},
    {CallCode::FailedPrecondition, "FailedPrecondition", true, ErrorKind::Transient},
    {CallCode::Aborted, "Aborted", false, ErrorKind::Uncertain},
    {CallCode::OutOfRange, "OutOfRange", true, ErrorKind::Final},
    {CallCode::Unimplemented, "Unimplemented", true, ErrorKind::Final},
    {CallCode::Internal, "Internal", true, ErrorKind::Transient},
    {CallCode::Unavailable, "Unavailable", false, ErrorKind::Uncertain},
    {CallCode::DataLoss, "DataLoss", true, ErrorKind::Transient},
    {CallCode::Unauthenticated, "Unauthenticated", true, ErrorKind::Transient},
};

TEST(CsiErrors, kb_15_4_final_or_uncertain) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    // What is not final keeps what lies on disk, and only that does.
    EXPECT_EQ(verdict_of(row.code), (Verdict{row.is_final, row.kind, !row.is_final}));
    EXPECT_EQ(to_string(row.code), row.name);
    const Error error = call_error(Call::Publish, DriverName("d.example.org"), row.code, "no such disk");
    EXPECT_EQ(error.kind, row.kind);
    EXPECT_EQ(error.reason, "PublishFailed");
    EXPECT_THAT(error.message,
                HasSubstr("NodePublishVolume of driver d.example.org failed: rpc error: code = " +
                          std::string(row.name) + " desc = no such disk"));
    EXPECT_FALSE(error.remedy.empty());
  }
  EXPECT_TRUE(verdict_of(CallCode::Ok).keeps_files);
}

TEST(CsiErrors, a_code_of_the_drivers_own_making_is_final) {
  const auto code = static_cast<CallCode>(200);
  EXPECT_EQ(verdict_of(code), (Verdict{true, ErrorKind::Transient, false}));
  EXPECT_EQ(to_string(code), "an unknown code");
}

TEST(CsiErrors, each_call_has_a_reason_and_a_name) {
  const std::pair<Call, std::pair<const char*, const char*>> calls[] = {
      {Call::Stage, {"StageFailed", "NodeStageVolume"}},
      {Call::Publish, {"PublishFailed", "NodePublishVolume"}},
      {Call::Unpublish, {"UnpublishFailed", "NodeUnpublishVolume"}},
      {Call::Unstage, {"UnstageFailed", "NodeUnstageVolume"}},
      {Call::Expand, {"ExpandFailed", "NodeExpandVolume"}},
      {Call::Stats, {"StatsFailed", "NodeGetVolumeStats"}},
  };
  for (const auto& [call, words] : calls) {
    const Error error = call_error(call, DriverName("d"), CallCode::Internal, "");
    EXPECT_EQ(error.reason, words.first);
    EXPECT_THAT(error.message, HasSubstr(words.second));
  }
}

TEST(CsiErrors, a_drivers_words_are_bounded_and_clean) {
  const std::string words = "line\n\x1b[2Jend" + std::string(5000, 'x');
  const Error error = call_error(Call::Stage, DriverName("d"), CallCode::Internal, words);
  EXPECT_LT(error.message.size(), 1200u);
  EXPECT_THAT(error.message, Not(HasSubstr("\n")));
  EXPECT_THAT(error.message, Not(HasSubstr("\x1b")));
}

TEST(CsiErrors, kb_15_4_a_driver_that_is_not_registered) {
  const Error error = not_registered(DriverName("d.example.org"));
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_EQ(error.message, "driver name d.example.org not found in the list of registered CSI drivers");
}

}  // namespace
}  // namespace mooring::csi
