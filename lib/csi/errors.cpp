#include "csi/errors.h"

#include <array>

#include "driver/registration.h"

namespace mooring::csi {

Verdict verdict_of(CallCode code) {
  switch (code) {
    case CallCode::Ok:
      return {true, ErrorKind::Transient, true};
    case CallCode::Cancelled:
    case CallCode::DeadlineExceeded:
    case CallCode::Unavailable:
    case CallCode::ResourceExhausted:
    case CallCode::Aborted:
      return {false, ErrorKind::Uncertain, true};
    case CallCode::InvalidArgument:
    case CallCode::Unimplemented:
    case CallCode::OutOfRange:
      return {true, ErrorKind::Final, false};
    case CallCode::Unknown:
    case CallCode::NotFound:
    case CallCode::AlreadyExists:
    case CallCode::PermissionDenied:
    case CallCode::FailedPrecondition:
    case CallCode::Internal:
    case CallCode::DataLoss:
    case CallCode::Unauthenticated:
      break;
  }
  return {true, ErrorKind::Transient, false};
}

std::string_view to_string(CallCode code) {
  constexpr std::array<std::string_view, 17> names{
      "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
      "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
      "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
      "DataLoss", "Unauthenticated"};
  const auto number = static_cast<std::size_t>(code);
  return number < names.size() ? names.at(number) : "an unknown code";
}

std::string_view to_string(Call call) {
  switch (call) {
    case Call::Stage:
      return "NodeStageVolume";
    case Call::Publish:
      return "NodePublishVolume";
    case Call::Unpublish:
      return "NodeUnpublishVolume";
    case Call::Unstage:
      return "NodeUnstageVolume";
    case Call::Expand:
      return "NodeExpandVolume";
    case Call::Stats:
      return "NodeGetVolumeStats";
  }
  return "";
}

namespace {

std::string reason_of(Call call) {
  switch (call) {
    case Call::Stage:
      return "StageFailed";
    case Call::Publish:
      return "PublishFailed";
    case Call::Unpublish:
      return "UnpublishFailed";
    case Call::Unstage:
      return "UnstageFailed";
    case Call::Expand:
      return "ExpandFailed";
    case Call::Stats:
      return "StatsFailed";
  }
  return "CallFailed";
}

std::string remedy_of(CallCode code) {
  if (code == CallCode::Unavailable) return "see whether the driver runs; Mooring tries again by itself";
  if (code == CallCode::DeadlineExceeded)
    return "see what the driver waits for; Mooring tries again by itself";
  if (verdict_of(code).kind == ErrorKind::Final)
    return "correct what the driver refuses in the volume's manifest";
  return "see the driver's log; Mooring tries again by itself";
}

}  // namespace

Error call_error(Call call, const DriverName& driver, CallCode code, std::string_view message) {
  Error error;
  error.kind = verdict_of(code).kind;
  error.reason = reason_of(call);
  error.message = std::string(to_string(call)) + " of driver " + driver.str() +
                  " failed: rpc error: code = " + std::string(to_string(code)) +
                  " desc = " + driver_words(message);
  error.remedy = remedy_of(code);
  return error;
}

Error not_registered(const DriverName& driver) {
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "DriverNotRegistered";
  error.message = "driver name " + driver.str() + " not found in the list of registered CSI drivers";
  error.remedy = "start the driver with its node-driver-registrar; Mooring goes on by itself then";
  return error;
}

}  // namespace mooring::csi
