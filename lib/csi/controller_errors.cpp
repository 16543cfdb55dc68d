#include "csi/controller_errors.h"

#include "csi/errors.h"
#include "driver/registration.h"

namespace mooring::csi {
namespace {

std::string reason_of(ControllerCall call) {
  switch (call) {
    case ControllerCall::Publish:
      return "ControllerPublishFailed";
    case ControllerCall::Unpublish:
      return "ControllerUnpublishFailed";
    case ControllerCall::Expand:
      return "ControllerExpandFailed";
    default:
      return std::string(to_string(call)) + "Failed";
  }
}

std::string remedy_of(ControllerCall call, CallCode code) {
  if (code == CallCode::ResourceExhausted && call == ControllerCall::CreateVolume)
    return "make room where the driver keeps its volumes; Mooring tries again by itself";
  if (code == CallCode::Unavailable) return "see whether the driver runs; Mooring tries again by itself";
  if (code == CallCode::DeadlineExceeded)
    return "see what the driver waits for; Mooring tries again by itself";
  if (controller_error_kind(call, code) == ErrorKind::Final)
    return "correct what the driver refuses in the claim, or in its class";
  return "see the driver's log; Mooring tries again by itself";
}

}  // namespace

std::string_view to_string(ControllerCall call) {
  switch (call) {
    case ControllerCall::CreateVolume:
      return "CreateVolume";
    case ControllerCall::DeleteVolume:
      return "DeleteVolume";
    case ControllerCall::Publish:
      return "ControllerPublishVolume";
    case ControllerCall::Unpublish:
      return "ControllerUnpublishVolume";
    case ControllerCall::Expand:
      return "ControllerExpandVolume";
    case ControllerCall::CreateSnapshot:
      return "CreateSnapshot";
    case ControllerCall::DeleteSnapshot:
      return "DeleteSnapshot";
  }
  return "";
}

ErrorKind controller_error_kind(ControllerCall call, CallCode code) {
  const bool makes = call == ControllerCall::CreateVolume || call == ControllerCall::CreateSnapshot;
  if (code == CallCode::ResourceExhausted && call == ControllerCall::CreateVolume)
    return ErrorKind::Transient;
  if (code == CallCode::AlreadyExists && makes) return ErrorKind::Final;
  return verdict_of(code).kind;
}

Error controller_error(ControllerCall call, const DriverName& driver, CallCode code,
                       std::string_view message) {
  Error error;
  error.kind = controller_error_kind(call, code);
  error.reason = reason_of(call);
  error.message = std::string(to_string(call)) + " of driver " + driver.str() +
                  " failed: rpc error: code = " + std::string(to_string(code)) +
                  " desc = " + driver_words(message);
  error.remedy = remedy_of(call, code);
  return error;
}

Error bad_controller_answer(ControllerCall call, std::string_view what) {
  Error error;
  error.kind = ErrorKind::Uncertain;
  error.reason = "BadAnswer";
  error.message = "the driver's answer to " + std::string(to_string(call)) + " is none: " + std::string(what);
  error.remedy = "see the driver's log, and whether its version speaks CSI 1; Mooring tries again by itself";
  return error;
}

}  // namespace mooring::csi
