#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "facts/call_code.h"
#include "facts/driver_name.h"

namespace mooring::csi {

/// The calls of a controller service.
enum class ControllerCall : std::uint8_t {
  CreateVolume,
  DeleteVolume,
  Publish,
  Unpublish,
  Expand,
  CreateSnapshot,
  DeleteSnapshot,
};
/// As the protocol names it: "ControllerPublishVolume".
std::string_view to_string(ControllerCall call);

/// What follows from an answer that is not Ok, as the sidecars of Kubernetes have it (external-provisioner's
/// checkError; isFinalError of external-attacher, -resizer and -snapshotter):
///
///     | code                                             | kind      |
///     | Cancelled, DeadlineExceeded, Unavailable, Aborted | Uncertain |
///     | ResourceExhausted of CreateVolume                | Transient: there is no room, and nothing is in
///     the |                                                  | making | ResourceExhausted of any other |
///     Uncertain | | InvalidArgument, Unimplemented, OutOfRange;      | Final     | |   AlreadyExists of
///     CreateVolume, CreateSnapshot  |           | | every other                                      |
///     Transient |
///
/// Uncertain: the driver may be at it still, or be done. Only the same call tells, with the same name, until
/// the answer is another. Transient and Final: it is surely not at it. Final: asked for like this it never
/// will be.
ErrorKind controller_error_kind(ControllerCall call, CallCode code);

/// The error of a call that did not end with Ok: "CreateVolumeFailed", "ControllerPublishFailed" and so on,
/// with the driver, the code and its own words, bounded and cleaned.
Error controller_error(ControllerCall call, const DriverName& driver, CallCode code,
                       std::string_view message);

/// Uncertain, "BadAnswer": the driver said Ok to a call that makes something, and `what` is wrong with what
/// else it said. Something may be there that nobody knows the name of: the same call is to be repeated.
Error bad_controller_answer(ControllerCall call, std::string_view what);

}  // namespace mooring::csi
